"""What a caller hears before the beep, where the owner of the mailbox recorded nothing (V1, M4, M5, R4, P3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo
from typing import Final, NamedTuple

from router.policy.snapshot import ProfileKind
from router.policy.telling import Told, Why
from router.prompts.catalogue import Language
from router.prompts.compose import Option, say
from router.prompts.parts import Parts

MESSAGE, CALLBACK, TRANSFER = "message", "callback", "transfer"
MAX_OFFERS: Final = 9  # as many as there are keys for

_REASONS: Final[Mapping[Why, str]] = {
    Why.ON_CALL: "on_call",
    Why.NO_ANSWER: "no_answer",
    Why.UNREACHABLE: "unreachable",
    Why.CLOSED: "closed",
    Why.LEFT: "left_the_company",
}


class Offer(NamedTuple):
    """Something that a caller can have by pressing a key.

    Args:
        key: "1" to "9".
        kind: `MESSAGE`, `CALLBACK` or `TRANSFER`.
        target: with `TRANSFER`, where to: a target's name, a person's id or a number.
    """

    key: str
    kind: str
    target: str = ""


def offers_of(told: Told) -> tuple[Offer, ...]:
    """Give each thing that is offered its key, in the order in which the profile names them (P3)."""
    found = []
    for place, offer in enumerate(told.offers[:MAX_OFFERS], 1):
        kind, _, target = offer.partition(":")
        found.append(Offer(str(place), kind, target.strip()))
    return tuple(found)


def greeting(told: Told, title: str, company: str, language: Language, now: float, zone: tzinfo) -> Parts:
    """Whose mailbox it is, why nobody answers, and when they are back.

    Args:
        title: what people call the mailbox; company: the company's name.
        now: POSIX seconds; zone: the company's.
    """
    person = told.person
    values: dict[str, object] = {"name": title, "company": company, "team": person is None}
    if person is not None:
        values["own"] = f"name.{person.id}"
    if told.why is not Why.PROFILE:
        values["kind"] = _REASONS.get(told.why, "")
    elif told.kind is not ProfileKind.AVAILABLE:
        values["kind"] = told.kind.value
    if told.profile is not None:
        values["says"] = told.says.get(language.code) or told.says.get("") or ""
        values["profile"] = told.profile.name
    if told.until is not None:
        values["until"] = datetime.fromtimestamp(told.until, zone)
        values["now"] = datetime.fromtimestamp(now, zone)
    return say("greeting", values, language)


def choices(offers: tuple[Offer, ...], told_names: Mapping[str, str], language: Language) -> Parts:
    """What is offered, each with its key (P3).

    Args:
        told_names: what people are called, by id.
    """
    options = []
    for offer in offers:
        name = told_names.get(offer.target, "")
        if offer.kind != TRANSFER:
            options.append(Option(offer.key, f"offer.{offer.kind}"))
        elif offer.target == "reception":
            options.append(Option(offer.key, "offer.reception"))
        elif name:
            options.append(Option(offer.key, "offer.transfer_to", name, f"name.{offer.target}"))
        else:
            options.append(Option(offer.key, "offer.transfer"))
    return say("options", {"options": options}, language)
