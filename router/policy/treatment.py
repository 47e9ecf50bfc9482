"""What the rules of whoever is called say: exception → profile → hours → line state (S5, S8, G4, S6, M2 to R7)."""

from __future__ import annotations

from typing import Final

from router.model.decision import (
    DialAddress,
    DialNumber,
    LeaveMessage,
    LineState,
    Origin,
    Reason,
    RingPerson,
    Target,
)
from router.policy.caller_exceptions import CallerException
from router.policy.profile import InForce, is_silent, profile_in_force, weigh
from router.policy.question import Question
from router.policy.snapshot import SCHEDULE, Person, ProfileKind, SharedLine, Treatment, filled

_RING: Final[tuple[Treatment, ...]] = ()
_ON_CALL: Final = "on_call"


def treat_line(question: Question, line: SharedLine) -> Treatment:
    """Return where a number that belongs to no person, or a queue, sends the call now."""
    if line.queue and line.queue in question.outcomes:
        treatment = line.on_outcome.get(question.outcomes[line.queue])
        if treatment is not None:
            return treatment
    if line.closed is None or any(window.covers(question.local_time()) for window in line.hours):
        return line.open
    return line.closed


def treat_person(question: Question, person: Person) -> tuple[Treatment, ...]:
    """Return where the person's rules send the call, best first; nothing: their phone rings."""
    outcome = question.outcomes.get(person.id)
    if outcome is not None:
        return (person.on_outcome[outcome],)
    if person.departed is not None and person.left_at is not None and question.now >= person.left_at:
        return (person.departed,)
    exception = _caller_exception(question, person) if person.exceptions else None
    if exception is not None and exception.then is not None:
        return (Treatment(for_person(exception.then, person), exception.reason, "unconditional"),)
    if person.without_phone is not None:
        exception = None  # there is nothing that a caller could ring through to
    state = question.facts.lines.get(person.id, LineState.IDLE)
    on_call = state is LineState.ON_CALL
    ways = _treat_profile(question, person, state, exception)
    if ways:
        if not on_call:
            question.rejected.append(person.not_on_call)
        elif _passes(exception, _ON_CALL):
            question.rejected.append(person.on_line[state].reason)
        elif person.line_first:
            question.rejected.append(question.because.pop())
            question.because.append(person.precedence)
            return (person.on_line[state],)
        else:
            question.rejected.append(person.on_line[state].reason)
            question.because.append(person.precedence)
        return ways
    if person.without_phone is not None:
        return (person.without_phone,)
    treatment = person.on_line.get(state)
    if treatment is not None and on_call and exception is not None and _passes(exception, _ON_CALL):
        _ring_through(question, exception, treatment.reason)
        treatment = None
    elif treatment is None:
        question.rejected.append(person.not_on_call)
    if exception is None or exception.reason not in question.because:
        question.rejected.append(person.no_profile)
    return _RING if treatment is None else (treatment,)


def _treat_profile(
    question: Question, person: Person, state: LineState, exception: CallerException | None
) -> tuple[Treatment, ...]:
    """The profile in force, and the hours within which phones ring; nothing: they let the call through."""
    in_force = profile_in_force(question, person)
    weigh(question, person, state, in_force)
    if in_force is None:
        if person.silence is None or not is_silent(question, person):
            return _RING
        if exception is not None and _passes(exception, ProfileKind.ABSENT):
            _ring_through(question, exception, person.silence)
            return _RING
        question.because.append(person.silence)
        return (person.on_scheduled[ProfileKind.ABSENT],)
    if person is question.called:
        question.profile = in_force.profile.name
    kind = in_force.profile.kind
    if exception is not None and _passes(exception, kind):
        _ring_through(question, exception, in_force.reason)
        return _RING
    question.because.append(in_force.reason)
    own = _own_treatment(person, in_force)
    if not in_force.forward:
        return _RING if own is None else (own,)
    forward = _selected_forward(question, person, in_force)
    return (forward,) if own is None else (forward, own)


def _own_treatment(person: Person, in_force: InForce) -> Treatment | None:
    """Where a profile sends calls by itself: to its own target, else where the person's rules for its kind say."""
    scheduled = in_force.by == SCHEDULE
    named = person.on_profile.get(in_force.profile.name)
    if named is not None:
        return named[1] if scheduled else named[0]
    return (person.on_scheduled if scheduled else person.on_selected).get(in_force.profile.kind)


def _selected_forward(question: Question, person: Person, in_force: InForce) -> Treatment:
    """Where whoever selected the profile sends calls meanwhile (R8). `problem_with` has judged it."""
    name = in_force.forward
    target: Target
    if name in question.policy.people:
        target = RingPerson(name, ())
    else:
        target = for_person(question.policy.targets.get(name) or DialNumber(name), person)
    reason = Reason(
        "R8",
        f"calls go to {name} meanwhile",
        in_force.reason.source,
        f"les appels vont entre-temps vers « {name} »",
        "profile",
    )
    return Treatment(target, reason, "unconditional" if in_force.profile.kind is ProfileKind.AVAILABLE else "away")


def for_person(target: Target, person: Person) -> Target:
    if isinstance(target, DialAddress):
        return DialAddress(filled(target.uri, person.extension, person.id), target.name)
    if isinstance(target, LeaveMessage):
        return LeaveMessage(filled(target.mailbox, person.extension, person.id), target.name)
    return target


def _caller_exception(question: Question, person: Person) -> CallerException | None:
    """Return the exception that this caller has with this person (S8), or None."""
    number = question.caller_number()
    if number is None or question.facts.origin is Origin.ROUTER:  # who is to be called back does not wait on the line
        return None
    for level in person.exceptions:
        for exception in level.matching(number):
            if question.now < exception.until:
                return exception
            question.rejected.append(exception.over)
    return None


def _passes(exception: CallerException | None, state: str) -> bool:
    return exception is not None and state in exception.rings_through


def _ring_through(question: Question, exception: CallerException, instead_of: Reason) -> None:
    question.rejected.append(instead_of)
    if exception.reason not in question.because:
        question.because.append(exception.reason)
