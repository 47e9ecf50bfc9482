"""A person's own greetings (V1): heard, recorded and removed by phone, one for each kind of profile."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.calls.keypad import BETWEEN, KEYS, choice
from router.calls.script import HungUp
from router.model.sound import CLOSED, Recorded
from router.ports import MailboxStore, MediaError, StoreError
from router.prompts.parts import PromptPart
from router.prompts.parts import Recorded as Prompt

if TYPE_CHECKING:
    from router.calls.script import Script

MAX_SECONDS: Final = 90.0  # of a greeting; whoever calls wants to get to the beep
SILENCE_SECONDS: Final = 3.0
MAX_TAKES: Final = 5

CHANGE, LISTEN, REMOVE, BACK, LEAVE = "1", "2", "3", "0", "*"

_KINDS: Final = {"1": "available", "2": "busy_other", "3": "absent"}
# The situation in which a caller hears it.
_WHICH: Final[tuple[PromptPart, ...]] = (
    *(Prompt("reason.no_answer"), Prompt("key.1"), BETWEEN),
    *(Prompt("reason.busy_other"), Prompt("key.2"), BETWEEN),
    *(Prompt("reason.absent"), Prompt("key.3"), BETWEEN),
    *(Prompt("message.menu"), Prompt("key.0")),
)
_CHANGE: Final[tuple[PromptPart, ...]] = (Prompt("mailbox.change_greeting"), Prompt("key.1"), BETWEEN)
_BACK: Final[tuple[PromptPart, ...]] = (Prompt("message.menu"), Prompt("key.0"))
_REMOVE: Final[tuple[PromptPart, ...]] = (Prompt("mailbox.remove_greeting"), Prompt("key.3"), BETWEEN)
_AGAIN: Final[tuple[PromptPart, ...]] = (BETWEEN, Prompt("record.again"), Prompt("key.1"))


class GreetingDesk:
    """Changes the greetings of one mailbox, within a script that speaks to its owner."""

    def __init__(self, script: Script, mailboxes: MailboxStore, mailbox: str) -> None:
        self._script = script
        self._mailboxes = mailboxes
        self._mailbox = mailbox

    async def serve(self) -> None:
        """Let the owner choose a greeting, and hear, record or remove it, until they have enough.

        Raises `NotUnderstoodError`, `HungUp`, `StoreError`, `MediaError`; then the greeting before stays.
        """
        while True:
            key = await choice(self._script, _WHICH, "".join(_KINDS) + BACK + LEAVE)
            if key not in _KINDS:
                return
            await self._change(_KINDS[key])

    async def _change(self, kind: str) -> None:
        script, own = self._script, self._mailboxes.greeting(self._mailbox, kind)
        key = ""
        if own is not None:
            key = await script.say(Prompt("greeting.current"), interruptible=KEYS)
            key = key or await script.play([own], interruptible=KEYS)
        question = (*_CHANGE, *(_REMOVE if own else ()), *_BACK)
        key = await choice(script, question, CHANGE + (REMOVE if own else "") + BACK + LEAVE, key)
        if key == CHANGE:
            await self._record(kind)
        elif key == REMOVE:
            await self._mailboxes.remove_greeting(self._mailbox, kind)
            await script.say(Prompt("greeting.removed"), BETWEEN)

    async def _record(self, kind: str) -> None:
        """Record until the owner is content: whoever does nothing when they hear it is."""
        script = self._script
        for _ in range(MAX_TAKES):
            await script.say(Prompt("greeting.record"), interruptible="#")
            await script.play([script.voice.beep])
            recorded = await script.record(
                await self._mailboxes.new_greeting(self._mailbox),
                max_seconds=MAX_SECONDS,
                silence_seconds=SILENCE_SECONDS,
                stop_keys=KEYS,
            )
            if recorded.reason != CLOSED and recorded.spoken_seconds < script.attendant.rules.shortest_seconds:
                await self._discard(recorded)
                await script.say(Prompt("record.silence"), BETWEEN)
                continue
            if await self._approved(recorded):
                await self._keep(recorded, kind)
                await script.say(Prompt("greeting.saved"), BETWEEN)
                return

    async def _approved(self, recorded: Recorded) -> bool:
        """Let the owner hear what they said; False, with nothing left of it, where they want another take."""
        # Not in a `finally` that awaits: compiled by mypyc, the whole script ended there in silence, neither kept nor
        # discarded (tests/calls/test_mailbox_by_phone.py, a greeting recorded and heard).
        try:
            content = await self._is_content(recorded)
        except (HungUp, MediaError):
            await self._discard(recorded)
            raise
        if not content:
            await self._discard(recorded)
        return content

    async def _is_content(self, recorded: Recorded) -> bool:
        script = self._script
        key = await script.say(Prompt("greeting.current"), interruptible=KEYS)
        if not key:
            key = await script.play([recorded.temporary], interruptible=KEYS)
        if not key:
            key = await script.say(*_AGAIN, interruptible=KEYS)
        if not key:
            key = await script.key(script.attendant.patience)
        return key != CHANGE

    async def _keep(self, recorded: Recorded, kind: str) -> None:
        engine = self._script.attendant.engine
        assert engine is not None
        try:
            await engine.keep(recorded)
            await self._mailboxes.set_greeting(self._mailbox, kind, recorded.path)
        except StoreError:
            await engine.discard(recorded)
            raise

    async def _discard(self, recorded: Recorded) -> None:
        engine = self._script.attendant.engine
        assert engine is not None
        await engine.discard(recorded)
