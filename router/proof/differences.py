"""What one configuration changes against another, and for whom, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from router.configuration.load import Loaded
from router.policy.snapshot import Person, SharedLine
from router.proof.standing_rules import Rule, StandingRules
from router.proof.wording import ENGLISH, Wording
from router.proof.written_differences import Written, written_differences

MOST_NAMED = 4  # people who are named where not a whole role changes


class Difference(NamedTuple):
    """One thing that changes, for everybody for whom it changes alike.

    Args:
        people: ids; () where it is not about people.
        subject: for whom or what, in words.
        label: in which case; "" where the subject says it all.
        before, after: what happens, or is written; None: there is nothing.
        clause: of the policy, or "".
        source_before, source_after: where it is written.
    """

    people: tuple[str, ...]
    subject: str
    label: str
    before: str | None
    after: str | None
    clause: str
    source_before: str
    source_after: str


def differences(old: Loaded, new: Loaded, now: float, language: str = ENGLISH) -> list[Difference]:
    """Compare two configurations.

    Args:
        old, new: what is compared.
        now: POSIX seconds at which both are looked at.
        language: of the words, "en" or "fr".

    Returns:
        First who comes and goes, then what changes for people, for shared numbers, and in what is written besides;
        nothing where only comments, order or files differ.
    """
    words = Wording(language)
    rules_before = StandingRules(old.configuration, now, words)
    rules_after = StandingRules(new.configuration, now, words)
    return [
        *_comings_and_goings(old, new, words),
        *_of_people(old, new, rules_before, rules_after, now, words),
        *_of_lines(old, new, rules_before, rules_after, words),
        *(_as_difference(written) for written in written_differences(old, new)),
        *_of_the_greylist(old, new, words),
    ]


def in_words(difference: Difference, words: Wording) -> str:
    """Say a difference in one line."""
    where = " → ".join(dict.fromkeys(filter(None, (difference.source_before, difference.source_after))))
    after, before = difference.after, difference.before
    if before is None:
        change = words("is_new", after=after)
    elif after is None:
        change = words("is_gone", before=before)
    elif before == after:
        change = words("has_changed")
    else:
        change = words("instead_of", after=after, before=before)
    label = f"{difference.label} → " if difference.label and after is not None and before is not None else ""
    if not label and difference.label:
        change = f"{difference.label}: {change}"
    said = words("said_of", subject=difference.subject, change=f"{label}{change}")
    notes = ", ".join(filter(None, [difference.clause, where]))
    return f"{said} ({notes})" if notes else said


def _comings_and_goings(old: Loaded, new: Loaded, words: Wording) -> list[Difference]:
    before, after = old.configuration.policy.people, new.configuration.policy.people
    found = []
    for person in after.values():
        if person.id not in before:
            source = str(new.sources.mark("people", person.id))
            subject = words("somebody", name=person.name, role=person.role)
            found.append(Difference((person.id,), subject, "", None, _how_to_reach(person), "S1", "", source))
    for person in before.values():
        if person.id not in after:
            source = str(old.sources.mark("people", person.id))
            subject = words("somebody", name=person.name, role=person.role)
            found.append(Difference((person.id,), subject, "", _how_to_reach(person), None, "S5", source, ""))
    return found


def _how_to_reach(person: Person) -> str:
    return ", ".join(dict.fromkeys(filter(None, (person.extension, person.diverts_as)))) or person.id


def _of_people(
    old: Loaded, new: Loaded, rules_before: StandingRules, rules_after: StandingRules, at: float, words: Wording
) -> list[Difference]:
    """What changes for people, told once for all for whom it changes alike."""
    was, now = old.configuration.policy.people, new.configuration.policy.people
    stay = [person for person in now if person in was]
    groups: dict[tuple[str, str | None, str | None], list[tuple[str, Rule | None, Rule | None]]] = {}
    for name in stay:
        before, after = rules_before.of_person(was[name]), rules_after.of_person(now[name])
        for gone, new_rule in _changed(before, after):
            label = (new_rule or gone or Rule("", "")).label
            key = (label, gone and gone.value, new_rule and new_rule.value)
            groups.setdefault(key, []).append((name, gone, new_rule))
    present = [name for name in stay if now[name].left_at is None or (now[name].left_at or 0) > at]
    found: dict[tuple[object, ...], Difference] = {}
    for (label, value_before, value_after), members in groups.items():
        people = tuple(name for name, _, _ in members)
        _, first_before, first_after = members[0]
        rule = first_after or first_before or Rule("", "")
        sources = first_before.source if first_before else "", first_after.source if first_after else ""
        # One rule can hold in several cases: on a call, and when the phone says busy.
        alike = (people, value_before, value_after, rule.clause, sources)
        told = found.get(alike)
        if told is not None:
            found[alike] = told._replace(label=words("also", label=told.label, more=label))
            continue
        subject = _subject(people, now, present, words)
        found[alike] = Difference(people, subject, label, value_before, value_after, rule.clause, *sources)
    return list(found.values())


def _changed(before: Mapping[str, Rule], after: Mapping[str, Rule]) -> Iterable[tuple[Rule | None, Rule | None]]:
    for key in dict.fromkeys([*after, *before]):
        gone, new = before.get(key), after.get(key)
        if gone is None or new is None or gone.value != new.value:
            yield gone, new


def _subject(people: tuple[str, ...], everybody: Mapping[str, Person], present: list[str], words: Wording) -> str:
    """Name people: everybody who works here, whole roles, or one by one."""
    if len(people) > 1 and set(people) >= set(present):
        return words("everybody", count=len(people))
    if len(people) == 1:
        person = everybody[people[0]]
        return words("somebody", name=person.name, role=person.role)
    roles = dict.fromkeys(everybody[name].role for name in people)
    if set(people) >= {name for name in present if everybody[name].role in roles}:
        return words("all_of_role", roles=", ".join(roles), count=len(people))
    named = ", ".join(everybody[name].name for name in people[:MOST_NAMED])
    more = len(people) - MOST_NAMED
    return named if more <= 0 else words("and_others", named=named, count=more)


def _of_lines(
    old: Loaded, new: Loaded, rules_before: StandingRules, rules_after: StandingRules, words: Wording
) -> list[Difference]:
    was, now = _lines(old), _lines(new)
    found = []
    for number in dict.fromkeys([*now, *was]):
        before = rules_before.of_line(was[number]) if number in was else {}
        after = rules_after.of_line(now[number]) if number in now else {}
        line = now[number] if number in now else was[number]
        subject = words("shared_number", name=line.name, number=number) if number else words("unassigned_numbers")
        for gone, new_rule in _changed(before, after):
            rule = new_rule or gone or Rule("", "")
            found.append(
                Difference(
                    (),
                    subject,
                    rule.label,
                    gone and gone.value,
                    new_rule and new_rule.value,
                    rule.clause,
                    gone.source if gone else "",
                    new_rule.source if new_rule else "",
                )
            )
    return found


def _lines(loaded: Loaded) -> dict[str, SharedLine]:
    policy = loaded.configuration.policy
    lines = {number: line for number, line in policy.numbers.items() if isinstance(line, SharedLine)}
    return {**lines, "": policy.unassigned}


def _of_the_greylist(old: Loaded, new: Loaded, words: Wording) -> list[Difference]:
    before = old.configuration.policy.greylist.entry_count
    after = new.configuration.policy.greylist.entry_count
    if before == after:
        return []
    count_before, count_after = words("entries", count=before), words("entries", count=after)
    return [Difference((), words("the_greylist"), "", count_before, count_after, "X2", "", "")]


def _as_difference(written: Written) -> Difference:
    *path, last = map(str, written.location)
    if last.startswith("{"):  # an entry of a list, which is its own value
        entry = last
        before = entry if written.before is not None else None
        after = entry if written.after is not None else None
        subject = ".".join(path)
    else:
        before, after, subject = written.before, written.after, ".".join([*path, last])
    return Difference((), subject, "", before, after, "", written.source_before, written.source_after)
