"""What a caller hears before the beep, put together, where the owner of the mailbox recorded nothing (V1)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta, tzinfo
from typing import Final, NamedTuple

from router.policy.telling import Told, Why
from router.prompts.catalogue import PROMPTS, language
from router.prompts.parts import Pause, PromptPart, Recorded, Spoken

MESSAGE, CALLBACK, TRANSFER = "message", "callback", "transfer:"
BETWEEN: Final = Pause(0.3)  # two sentences

_REASONS: Final[Mapping[Why, str]] = {
    Why.ON_CALL: "reason.on_call",
    Why.NO_ANSWER: "reason.no_answer",
    Why.UNREACHABLE: "reason.unreachable",
    Why.CLOSED: "reason.closed",
    Why.LEFT: "reason.left_the_company",
}


class Offer(NamedTuple):
    """Something that a caller can have by pressing a key.

    Args:
        key: "1" to "9".
        kind: `MESSAGE`, `CALLBACK` or `TRANSFER`.
        target: with `TRANSFER`, where to.
    """

    key: str
    kind: str
    target: str = ""


def offers_of(told: Told) -> tuple[Offer, ...]:
    """Give each thing that is offered its key, in the order in which the profile names them (P3)."""
    found = []
    for place, offer in enumerate(told.offers[:9], 1):
        kind, colon, target = offer.partition(":")
        found.append(Offer(str(place), f"{kind}{colon}", target.strip()))
    return tuple(found)


def opening(told: Told) -> list[PromptPart]:
    """Whose mailbox it is."""
    return [Recorded("greeting.team" if told.person is None else "greeting.mailbox")]


def reason(told: Told, code: str) -> list[PromptPart]:
    """Why nobody answers (M4, M5, R4)."""
    if told.why is not Why.PROFILE:
        return [Recorded(_REASONS[told.why])] if told.why in _REASONS else []
    general = Recorded(f"reason.{told.kind}")
    if told.profile is None:
        return [general]
    words = told.says.get(code) or told.says.get("") or ""
    name = _recorded_as(words, code) or told.profile.name
    if f"reason.{name}" in PROMPTS[code] and (not words or _recorded_as(words, code)):
        return [Recorded(f"reason.{name}")]
    return [Spoken(words, f"reason.{told.profile.name}", (), (general,))] if words else [general]


def return_time(told: Told, code: str, country: str, now: float, zone: tzinfo) -> list[PromptPart]:
    """When the person is back; nothing where that is not known, or further away than a caller can make use of."""
    if told.until is None:
        return []
    speech = language(code, country)
    back, today = datetime.fromtimestamp(told.until, zone), datetime.fromtimestamp(now, zone)
    clock = back.time().replace(second=0, microsecond=0)
    if back.date() == today.date():
        return [Recorded("return.back_at"), *speech.time(clock)]
    if back.date() == today.date() + timedelta(days=1):
        return [Recorded("return.back"), Recorded("time.tomorrow"), Recorded("time.at"), *speech.time(clock)]
    this_week = back.date() - today.date() < timedelta(days=7)
    return [*speech.back_on(back.date(), this_week=this_week)]


def choices(offers: tuple[Offer, ...]) -> list[PromptPart]:
    """What is offered, each with its key; nothing where there is only the beep to wait for."""
    parts: list[PromptPart] = []
    for offer in offers:
        if offer.kind == TRANSFER:
            name = "offer.reception" if offer.target == "reception" else "offer.transfer"
        else:
            name = f"offer.{offer.kind}"
        parts += [Recorded(name), Recorded(f"key.{offer.key}"), BETWEEN]
    return parts


def _recorded_as(words: str, code: str) -> str:
    """Return the name of the profile whose usual words these are, or ""."""
    wanted = words.strip(" .").casefold()
    for name, prompt in PROMPTS[code].items():
        if name.startswith("profile.") and prompt.text.strip(" .").casefold() == wanted and wanted:
            return name.removeprefix("profile.")
    return ""
