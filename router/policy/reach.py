"""Whoever was called is reached: hours → profile → line state → ring → no answer → last resort."""

from __future__ import annotations

from itertools import chain
from typing import Final

from router.model.decision import (
    Action,
    Decision,
    DialAddress,
    DialNumber,
    Diversion,
    LineState,
    Reason,
    RingPerson,
)
from router.policy.identity import inside_identity
from router.policy.question import Question, owner, refuse
from router.policy.snapshot import Person, SharedLine, Treatment

MAX_PEOPLE_PER_CALL: Final = 8  # bounds a chain of forwards from person to person; nobody waits longer than that

_NOBODY_LEFT: Final = Reason("S3", "everybody and everything that could answer was tried")


def reach(question: Question) -> Decision | None:
    """Reach whoever was called, following the policy from one to the next until something can answer."""
    holder = question.called
    if holder is None:
        return None
    visited: set[str] = set()
    while True:
        if isinstance(holder, Person):
            visited.add(holder.id)
            treatment = _treat_person(question, holder)
            if treatment is None:
                return _ring(question, holder)
        else:
            treatment = _treat_line(question, holder)
        for way in chain((treatment,), holder.last_resort):
            if _usable(question, way, visited):
                break
            question.rejected.append(way.reason)
        else:
            return refuse(question, 480, "Temporarily Unavailable", _NOBODY_LEFT)
        question.because.append(way.reason)
        number = holder.diverts_as if isinstance(holder, Person) else (holder.number or question.facts.dialled)
        question.diversions.append(Diversion(number, way.diversion))
        if not isinstance(way.target, RingPerson):
            return _forward(question, holder, way.target)
        holder = question.policy.people[way.target.person]


def _treat_line(question: Question, line: SharedLine) -> Treatment:
    """Opening hours of a number that belongs to no person."""
    if line.closed is None or any(window.covers(question.local_time()) for window in line.hours):
        return line.open
    return line.closed


def _treat_person(question: Question, person: Person) -> Treatment | None:
    """The person's rules, in order; None: ring."""
    outcome = question.outcomes.get(person.id)
    if outcome is not None:
        return person.on_outcome[outcome]
    if person.left_at is not None and question.now >= person.left_at:
        return person.departed
    state = question.facts.lines.get(person.id, LineState.IDLE)
    on_call = state is LineState.ON_CALL
    treatment = _treat_profile(question, person)
    if treatment is not None:
        if not on_call:
            question.rejected.append(person.not_on_call)
        elif person.line_first:
            question.rejected.append(question.because.pop())
            question.because.append(person.precedence)
            return person.on_line[state]
        else:
            question.rejected.append(person.on_line[state].reason)
            question.because.append(person.precedence)
        return treatment
    if person.without_phone is not None:
        return person.without_phone
    treatment = person.on_line.get(state)
    if treatment is None:
        question.rejected.append(person.not_on_call)
    question.rejected.append(person.no_profile)
    return treatment


def _treat_profile(question: Question, person: Person) -> Treatment | None:
    """The profile in force: the one that was selected, else the one of the schedule; None: it lets calls through."""
    for selection in question.facts.selections.get(person.id, ()):
        if selection.since > question.now or (selection.until is not None and selection.until <= question.now):
            continue
        profile = question.policy.profiles.get(selection.profile)
        if profile is not None:
            _in_force(question, person, profile.name)
            question.because.append(profile.reason)
            return person.on_selected.get(profile.kind)
        # A selection can outlive its profile by a reload; the schedule then says what holds.
        question.rejected.append(Reason("P2", f"the selected profile {selection.profile!r} does not exist any more"))
    scheduled = person.profile_at(question.local_time()) if person.schedule else None
    if scheduled is None:
        return None
    _in_force(question, person, scheduled.profile.name)
    question.because.append(scheduled.reason)
    return person.on_scheduled.get(scheduled.profile.kind)


def _in_force(question: Question, person: Person, profile: str) -> None:
    if person is question.called:
        question.profile = profile


def _usable(question: Question, way: Treatment, visited: set[str]) -> bool:
    target = way.target
    if isinstance(target, RingPerson):
        return target.person not in visited and len(visited) < MAX_PEOPLE_PER_CALL
    if str(target) in question.outcomes:
        return False
    return isinstance(target, DialAddress) or question.policy.greylist.match(target.number, question.now) is None


def _ring(question: Question, person: Person) -> Decision:
    if person.phone is None:
        raise AssertionError(f"{person.id} has no phone and no treatment for that")
    identity = inside_identity(question.facts, question.policy, question.caller)
    question.because.append(person.rings)
    forwarded = person is not question.called
    return Decision(
        Action.FORWARD if forwarded else Action.RING,
        person.phone,
        tuple(question.because),
        shown_number=identity.number,
        shown_name=identity.name,
        rejected=tuple(question.rejected),
        no_answer_after=person.no_answer_after,
        diversions=tuple(question.diversions),
        person=owner(question),
        profile=question.profile,
        withhold=question.facts.withhold,
    )


def _forward(question: Question, holder: Person | SharedLine, target: DialNumber | DialAddress) -> Decision:
    if isinstance(target, DialAddress):
        identity, diversions = (
            inside_identity(question.facts, question.policy, question.caller),
            tuple(question.diversions),
        )
    else:
        # Towards the outside the caller's own number would not be ours to show: the one who forwards shows theirs. An
        # extension means nothing there.
        main = question.policy.company.number or ""
        identity = holder.forwards_as
        diversions = tuple(d if d.number[:1] == "+" else Diversion(main, d.reason) for d in question.diversions)
    return Decision(
        Action.FORWARD,
        target,
        (*question.because, *identity.because),
        shown_number=identity.number,
        shown_name=identity.name,
        rejected=tuple(question.rejected),
        diversions=diversions,
        person=owner(question),
        profile=question.profile,
        withhold=question.facts.withhold,
    )
