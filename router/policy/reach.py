"""Whoever was called is reached: hours → exception → profile → line state → ring → no answer → last resort."""

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
    Target,
)
from router.policy.caller_exceptions import CallerException
from router.policy.identity import inside_identity
from router.policy.limited import limited_groups, over_limit
from router.policy.profile import InForce, is_silent, profile_in_force, weigh
from router.policy.question import Question, owner, refuse
from router.policy.snapshot import SCHEDULE, Person, ProfileKind, SharedLine, Treatment, filled

MAX_PEOPLE_PER_CALL: Final = 8  # bounds a chain of forwards from person to person; nobody waits longer than that

_NOBODY_LEFT: Final = Reason(
    "S3",
    "everybody and everything that could answer was tried",
    french="tout ce qui pouvait répondre a été essayé",
    rule="last_resort",
)
_RING: Final[tuple[Treatment, ...]] = ()
_ON_CALL: Final = "on_call"


def reach(question: Question) -> Decision | None:
    """Reach whoever was called, following the policy from one to the next until something can answer."""
    holder = question.called
    if holder is None:
        return None
    visited: set[str] = set()
    while True:
        visited.add(_key(holder))
        if isinstance(holder, Person):
            ways = _treat_person(question, holder)
            if not ways:
                return _ring(question, holder)
        else:
            ways = (_treat_line(question, holder),)
        for way in chain(ways, holder.last_resort):
            following = _following(question, way.target)
            if _usable(question, way.target, following, visited):
                break
            question.rejected.append(way.reason)
        else:
            return refuse(question, 480, "Temporarily Unavailable", _NOBODY_LEFT)
        question.because.append(way.reason)
        number = holder.diverts_as if isinstance(holder, Person) else (holder.number or question.facts.dialled)
        question.diversions.append(Diversion(number, way.diversion))
        if following is None:
            return _forward(question, holder, way.target)
        holder = following


def _treat_line(question: Question, line: SharedLine) -> Treatment:
    """Opening hours of a number that belongs to no person."""
    if line.closed is None or any(window.covers(question.local_time()) for window in line.hours):
        return line.open
    return line.closed


def _treat_person(question: Question, person: Person) -> tuple[Treatment, ...]:
    """The person's rules, in order: where the call goes, best first; nothing: ring."""
    outcome = question.outcomes.get(person.id)
    if outcome is not None:
        return (person.on_outcome[outcome],)
    if person.departed is not None and person.left_at is not None and question.now >= person.left_at:
        return (person.departed,)
    exception = _caller_exception(question, person) if person.exceptions else None
    if exception is not None and exception.then is not None:
        return (Treatment(_for_person(exception.then, person), exception.reason, "unconditional"),)
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
        target = _for_person(question.policy.targets.get(name) or DialNumber(name), person)
    reason = Reason(
        "R8",
        f"calls go to {name} meanwhile",
        in_force.reason.source,
        f"les appels vont entre-temps vers « {name} »",
        "profile",
    )
    return Treatment(target, reason, "unconditional" if in_force.profile.kind is ProfileKind.AVAILABLE else "away")


def _for_person(target: Target, person: Person) -> Target:
    if isinstance(target, DialAddress):
        return DialAddress(filled(target.uri, person.extension, person.id), target.name)
    return target


def _caller_exception(question: Question, person: Person) -> CallerException | None:
    """Return the exception that this caller has with this person (S8), or None."""
    number = question.caller_number()
    if number is None:
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


def _key(holder: Person | SharedLine) -> str:
    return holder.id if isinstance(holder, Person) else holder.number


def _following(question: Question, target: Target) -> Person | SharedLine | None:
    """Return whose rules decide next; None: the call leaves for an address or a number outside."""
    if isinstance(target, RingPerson):
        return question.policy.people[target.person]
    if isinstance(target, DialNumber):
        holder = question.policy.numbers.get(target.number)
        # The number of somebody's mobile stands for the telephone in their pocket: it is dialled.
        if isinstance(holder, SharedLine) or (holder is not None and holder.diverts_as == target.number):
            return holder
    return None


def _usable(question: Question, target: Target, following: Person | SharedLine | None, visited: set[str]) -> bool:
    if following is not None:
        return _key(following) not in visited and len(visited) < MAX_PEOPLE_PER_CALL
    if str(target) in question.outcomes:
        return False
    if not isinstance(target, DialNumber):
        return True
    # A call to the very number that it came for would come back.
    called = question.policy.numbers.get(target.number)
    if called is not None and called is question.called and question.dialled_number() == target.number:
        return False
    blocked = question.policy.greylist.match(target.number, question.now) or over_limit(question, target.number)
    if blocked is not None:
        question.rejected.append(blocked)
    return blocked is None


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
        weighed=tuple(question.weighed),
    )


def _forward(question: Question, holder: Person | SharedLine, target: Target) -> Decision:
    if isinstance(target, DialNumber):
        # Towards the outside the caller's own number would not be ours to show: the one who forwards shows theirs. An
        # extension means nothing there.
        main = question.policy.company.number or ""
        identity = holder.forwards_as
        limits = limited_groups(question, target.number)
        diversions = tuple(d if d.number[:1] == "+" else Diversion(main, d.reason) for d in question.diversions)
    else:
        identity = inside_identity(question.facts, question.policy, question.caller)
        limits = ()
        diversions = tuple(question.diversions)
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
        limits=limits,
        weighed=tuple(question.weighed),
    )
