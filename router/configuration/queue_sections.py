"""The shape of a queue's section (Q1 to Q17)."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from router.configuration.section import Section
from router.configuration.short_forms import Says, Words, as_list, with_then
from router.configuration.values import Duration, Extension, Number


def without_before(value: Any) -> Any:
    """`30s before` is `30s`: what a notice comes before is clear."""
    return value.removesuffix("before").strip() if isinstance(value, str) else value


def as_piece(value: Any) -> Any:
    """One word is a piece that comes with the router."""
    return {"piece": value} if isinstance(value, str) else value


def as_numbers(value: Any) -> Any:
    """Numbers alone are those of the callers who go first."""
    return value if isinstance(value, dict) else {"numbers": value}


class QueueShown(Section):
    """What is shown on calls made as an agent of the queue (Q8, G2), and on calls that the queue forwards outside."""

    number: Number | None = None
    name: str | None = None


class QueueClosed(Section):
    """Where callers go outside the hours, one of three: a target, an outside number (Q15) or a mailbox (Q12)."""

    then: str | None = None
    external: Number | None = None
    voicemail: str | None = None


class MaxWait(Section):
    """The longest wait (Q2) and where callers go then (G3). `notice` comes so long before its end; `after_closing`: it
    holds for those who still wait when the queue has closed, too (G8)."""

    after: Duration = 180
    then: str = "voicemail"
    notice: Annotated[Duration, BeforeValidator(without_before)] = 30
    after_closing: bool = False


class Priority(Section):
    """Callers who go first (Q16): numbers, and prefixes that end in "*". `ages`: everybody else counts as having come
    so much later than they; without it they wait until none of these is left."""

    numbers: Words = Field(default=[])
    files: Words = Field(default=[])
    ages: Duration | None = None


class Music(Section):
    """A piece of music (Q6): one that comes with the router, or a WAV file with its licence."""

    piece: str | None = None
    file: str | None = None
    licence: str | None = None
    instrumental: bool = False


class QueueKeys(Section):
    """Keys that are live as long as somebody waits; "" for none."""

    message: str = "1"
    callback: str = ""


class QueueSection(Section):
    """A queue: callers wait in it until an agent answers."""

    name: str
    number: Number | None = None
    shows: QueueShown = QueueShown()
    agents: Words = Field(default=[])
    rings: Literal["ring_all", "longest_idle", "round_robin", "fewest_calls", "skills"] = "ring_all"
    remote_agents: Literal["last", "equal"] = "last"
    needs: dict[str, int] = Field(default={})
    ring_for: Duration = 20
    wrap_up: Duration = 0
    pause_after_missed: int = Field(default=3, ge=0)
    hours: str | None = None
    closed: Annotated[QueueClosed, BeforeValidator(with_then)] | None = None
    max_wait: MaxWait | Literal["none"] = MaxWait()
    unattended: Duration | None = None
    max_length: int = Field(default=50, ge=1)
    priority: Annotated[Priority, BeforeValidator(as_numbers)] = Priority()
    announce_every: Duration = 30
    music: Annotated[list[Annotated[Music, BeforeValidator(as_piece)]], BeforeValidator(as_list)] = Field(default=[])
    welcome: str | None = None
    script: Says = Field(default={})
    whisper: bool = False
    keys: QueueKeys = QueueKeys()
    mailbox: str | None = None
    code: Extension | None = None
