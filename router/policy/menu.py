"""Where the choices of a caller in menus lead (Q1), and in which language they are spoken to."""

from __future__ import annotations

from typing import Final

from router.model.decision import DialAddress, LeaveMessage, PlayMenu, Reason, Target
from router.policy.question import Question
from router.policy.snapshot import Person, SharedLine, Treatment, filled
from router.policy.treatment import for_person

MAX_CHOICES: Final = 20  # of one caller: who goes round in menus for longer is sent to whoever can answer (S3)


def next_choice(question: Question, menu_name: str, holder: Person | SharedLine) -> Treatment | None:
    """Follow what the caller chose next in a menu.

    Args:
        menu_name: of the menu to which the call has come.
        holder: by whose rules it has.

    Returns:
        Where that leads; None where nothing is chosen yet.
    """
    menu = question.policy.menus[menu_name]
    chosen = question.facts.chosen
    for index in range(question.choices, len(chosen)):
        where, _, key = chosen[index].rpartition(":")
        if where != menu_name:
            continue
        question.choices = index + 1
        language = menu.languages.get(key)
        if language is not None:
            question.because.append(language.reason)
            continue
        way = menu.ways.get(key)
        if way is not None:
            return Treatment(_for_holder(question, way.target, holder), way.reason, way.diversion)
    return None


def has_gone_round(question: Question) -> bool:
    """Say whether the caller has chosen often enough in menus, and all of it was followed."""
    return MAX_CHOICES <= len(question.facts.chosen) == question.choices


def where_the_caller_is(question: Question) -> Treatment:
    """Return the menu in which the caller chose first: they stay there, though the rules would not lead there any more
    (a number that has closed meanwhile, a profile that has ended; as in a queue, G8)."""
    name = question.facts.chosen[0].rpartition(":")[0]
    menu = question.policy.menus[name]
    reason = Reason(
        "G8",
        f"the caller is in the menu {name} already",
        menu.source,
        f"l'appelant est déjà dans le menu « {name} »",
        "menu",
    )
    return Treatment(PlayMenu(name, f"menu:{name}"), reason, "unconditional")


def language_of(question: Question) -> str:
    """Return the language in which the router speaks to the caller; "" for the company's first.

    What they chose by a key in a menu counts first, then the number that they called, then the country that they call
    from.
    """
    policy = question.policy
    for entry in reversed(question.facts.chosen):
        name, _, key = entry.rpartition(":")
        menu = policy.menus.get(name)
        if menu is not None and key in menu.languages:
            return menu.languages[key].code
    if question.called is not None and question.called.language:
        return question.called.language
    if policy.caller_languages:
        number = question.caller_number() or ""
        for prefix, code in policy.caller_languages:
            if number.startswith(prefix):
                return code
    return ""


def _for_holder(question: Question, target: Target, holder: Person | SharedLine) -> Target:
    """Fill in whom the call was for: where it was for nobody in particular, the main number."""
    if isinstance(holder, Person):
        return for_person(target, holder)
    digits = (question.policy.company.number or "")[1:]
    if isinstance(target, DialAddress):
        return DialAddress(filled(target.uri, digits, ""), target.name)
    if isinstance(target, LeaveMessage):
        return LeaveMessage(filled(target.mailbox, digits, ""), target.name)
    return target
