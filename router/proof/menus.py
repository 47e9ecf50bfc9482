"""Proves of menus: at most two choices to a person, a way out, a message that can be left, words in every language."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import Final

from router.configuration.findings import Finding, Severity, closest
from router.configuration.languages import languages_of_callers
from router.configuration.menus import takes_a_message
from router.configuration.profiles import TRANSFER
from router.configuration.targets import MENU, SOUND
from router.model.decision import TIMEOUT, WRONG, DialNumber, JoinQueue, PlayAnnouncement, PlayMenu, RingPerson
from router.policy.snapshot import Menu, Person, SharedLine, Treatment
from router.prompts.catalogue import PROMPTS
from router.proof.examination import Examination

MAX_CHOICES: Final = 2  # to reach an employee (Q1)
_WITHOUT_A_KEY: Final = (TIMEOUT, WRONG)


def at_most_two_choices_to_a_person(examination: Examination) -> Iterator[Finding]:
    """Q1: whoever is offered in a menu is reached by two keys, counted from wherever callers come in."""
    entries = _entries(examination)
    found: dict[tuple[str, str], tuple[int, Treatment]] = {}  # the longest of the shortest ways, by menu and key
    for name, before in entries.items():
        for place, key, way, choices in _reached_from(examination, name, before):
            known = found.get((place, key))
            if choices > MAX_CHOICES and (known is None or known[0] < choices):
                found[place, key] = choices, way
    for (place, key), (choices, way) in found.items():
        where = f"key {key} of the menu {place}"
        message = f"{way.target} is reached by {choices} choices ({where}); the policy allows {MAX_CHOICES}"
        mark = examination.place(way.reason.source, "menus")
        finding = Finding(mark, message, "offer them one menu earlier", Severity.ERROR, "Q1")
        yield examination.by_keys(finding, place, f"{place}:{key}")


def menus_are_heard(examination: Examination) -> Iterator[Finding]:
    """Q1: a rule, a profile or another menu leads to each menu."""
    heard = set(_entries(examination))
    for name in list(heard):
        heard.update(_menus_behind(examination, name))
    for name in examination.policy.menus:
        if name not in heard:
            yield examination.warning(
                f"nothing leads to the menu {name}", f"write {MENU}{name} somewhere, or remove it", "Q1", "menus", name
            )


def silence_leads_out(examination: Examination) -> Iterator[Finding]:
    """S3: whoever presses nothing, or nothing that there is, comes to something that answers, not back to the menu."""
    menus = examination.policy.menus
    for name, menu in menus.items():
        for without, key, what in ((TIMEOUT, "on_timeout", "nothing"), (WRONG, "on_wrong", "a wrong key")):
            circle, current = [name], menu
            while isinstance(target := current.ways[without].target, PlayMenu):
                circle.append(target.menu)
                if target.menu == name:
                    message = f"who presses {what} goes round for ever: {' → '.join(circle)}"
                    finding = examination.error(message, "name something that answers", "S3", "menus", name, key)
                    yield examination.by_keys(finding, name, f"{name}:{without}")
                if target.menu in circle[:-1]:
                    break
                current = menus[target.menu]


def a_key_leads_out(examination: Examination) -> Iterator[Finding]:
    """S3: a menu has a key, at least in a menu behind it, that leads to something else than menus."""
    menus = examination.policy.menus
    for name in menus:
        behind = [menus[other] for other in _menus_behind(examination, name)]
        if all(isinstance(way.target, PlayMenu) for menu in behind for _, way in _keys(menu)):
            message = f"no key of the menu {name} leads to anything but menus"
            advice = "let a key lead to a person, a queue or a mailbox"
            finding = examination.error(message, advice, "S3", "menus", name, "keys")
            yield examination.by_keys(finding, name)


def a_message_can_be_left(examination: Examination) -> Iterator[Finding]:
    """Q5: a message can be left at any hour, in a menu too."""
    for name, menu in examination.policy.menus.items():
        if not any(takes_a_message(way.target) for _, way in _keys(menu)):
            message = f"no key of the menu {name} lets callers leave a message"
            finding = examination.warning(message, "let one lead to a mailbox", "Q5", "menus", name)
            yield examination.by_keys(finding, name)


def menus_speak_every_language(examination: Examination) -> Iterator[Finding]:
    """Q1: what a menu says is there in each language that its callers may hear; its prompts exist."""
    document = examination.document
    wanted = languages_of_callers(document)
    for name, section in document.menus.items():
        for code, written in section.says.items():
            known = [prompt for language in wanted if code in ("", language) for prompt in PROMPTS[language]]
            is_prompt = "." in written and " " not in written and not written.endswith(SOUND)
            if is_prompt and written not in known and document.media.recordings is None:
                location = ("menus", name, "says", *((code,) if code else ()))
                yield examination.warning(f"there is no prompt {written!r}", closest(written, known), "Q1", *location)
        if section.says and "" not in section.says:
            missing = [code for code in wanted if code not in section.says]
            if missing:
                message = f"the menu {name} says nothing in {', '.join(missing)}: callers hear its choices one by one"
                yield examination.warning(message, f"add says: {{{missing[0]}: …}}", "Q1", "menus", name, "says")
        if not section.says:
            yield from _nameless(examination, name)


def _nameless(examination: Examination, name: str) -> Iterator[Finding]:
    """Find choices of which a menu without words of its own cannot say what they are."""
    document = examination.document
    with_words = {name, *_entries(examination)}  # "to hear the choices again", "to return to the menu"
    for key, way in _keys(examination.policy.menus[name]):
        written = document.menus[name].keys.get(key)
        target = way.target
        forward = isinstance(target, PlayMenu) and target.menu not in with_words
        if written is not None and not written.says and (forward or isinstance(target, DialNumber | PlayAnnouncement)):
            message = f"callers are not told what key {key} of the menu {name} is: it says “to speak to a colleague”"
            advice = f'write "{key}": {{then: {written.then}, says: …}}, or says: for the whole menu'
            yield examination.warning(message, advice, "Q1", "menus", name, "keys", key)


def _keys(menu: Menu) -> Iterator[tuple[str, Treatment]]:
    return ((key, way) for key, way in menu.ways.items() if key not in _WITHOUT_A_KEY)


def _menus_behind(examination: Examination, name: str) -> tuple[str, ...]:
    """Return a menu and all to which its keys, or their absence, lead."""
    found = [name]
    for current in found:
        for way in examination.policy.menus[current].ways.values():
            if isinstance(way.target, PlayMenu) and way.target.menu not in found:
                found.append(way.target.menu)
    return tuple(found)


def _entries(examination: Examination) -> dict[str, int]:
    """Return the menus to which calls come, each with the choices that a caller has made by then at most: one in a
    voicemail whose profile offers it (P3), else none."""
    survey, policy = examination.survey, examination.policy
    entries: dict[str, int] = {}
    holders: list[Person | SharedLine] = [*policy.people.values(), *survey.lines.values()]
    for holder in holders:
        for treatment in survey.rules_for(holder).treatments:
            if isinstance(treatment.target, PlayMenu):
                entries.setdefault(treatment.target.menu, 0)
    for profile in policy.profiles.values():
        for offer in profile.offers:
            name = offer.removeprefix(TRANSFER).strip().removeprefix(MENU)
            if offer.startswith(TRANSFER) and name in policy.menus:
                entries[name] = 1
    return entries


def _reached_from(examination: Examination, name: str, before: int) -> Iterator[tuple[str, str, Treatment, int]]:
    """Yield the shortest way to each person and queue behind a menu: the menu and key that lead there, and how many
    choices that takes."""
    pending, seen = deque([(name, before)]), {name}
    reached: set[str] = set()
    while pending:
        current, choices = pending.popleft()
        for key, way in _keys(examination.policy.menus[current]):
            target = way.target
            if isinstance(target, PlayMenu):
                if target.menu not in seen:
                    seen.add(target.menu)
                    pending.append((target.menu, choices + 1))
            elif isinstance(target, RingPerson | JoinQueue) and str(target) not in reached:
                reached.add(str(target))
                yield current, key, way, choices + 1
