"""The chain of rules that decides a call.

    emergency → (identity is in the facts) → what was dialled → greylist → outside
              → hours → profile → line state → ring → no answer → last resort

Each rule answers a `Decision`, or None for "next". The last one always decides.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Final

from router.model.decision import (
    Action,
    Decision,
    DialAddress,
    DialNumber,
    Diversion,
    Facts,
    LineState,
    Origin,
    Outcome,
    Reason,
    RingPerson,
)
from router.policy.schedule import LocalTime, local_time
from router.policy.snapshot import (
    KnownCaller,
    Person,
    Policy,
    SharedLine,
    ShownIdentity,
    Treatment,
)

MAX_PEOPLE_PER_CALL: Final = 8  # bounds a chain of forwards from person to person; nobody waits longer than that

_TO_A_NUMBER: Final = Reason("", "a public number outside the company → trunk")
_AS_DIALLED: Final = Reason("", "a short number of the country → trunk, as dialled")
_NO_TRANSIT: Final = Reason("", "a call from outside reaches only the company's own numbers")
_NOT_A_NUMBER: Final = Reason("", "neither an extension nor a telephone number")
_OWN_NUMBER_OF_CALLER: Final = Reason("", "the PBX names a number that the company owns")
_NOBODY_LEFT: Final = Reason("S3", "everybody and everything that could answer was tried")


class Question:
    """One call being decided: what is known, and what was weighed so far."""

    __slots__ = (
        "because",
        "called",
        "caller",
        "diversions",
        "facts",
        "now",
        "outcomes",
        "outside",
        "policy",
        "profile",
        "rejected",
        "time",
    )

    def __init__(self, facts: Facts, policy: Policy, now: float) -> None:
        self.facts = facts
        self.policy = policy
        self.now = now
        self.time: LocalTime | None = None
        self.caller = _known_caller(facts, policy)
        self.outcomes: dict[str, Outcome] = {attempt.person: attempt.outcome for attempt in facts.attempts}
        self.called: Person | SharedLine | None = None
        self.outside = ""  # number outside the company that was dialled
        self.profile: str | None = None
        self.because: list[Reason] = []
        self.rejected: list[Reason] = []
        self.diversions: list[Diversion] = []

    def local_time(self) -> LocalTime:
        """Wall-clock time of the decision."""
        if self.time is None:
            self.time = local_time(self.now, self.policy.zone)
        return self.time


Rule = Callable[[Question], Decision | None]


def decide(facts: Facts, policy: Policy, now: float) -> Decision:
    """Decide what happens to a call.

    Args:
        facts: the call. After each attempt that nobody answered, ask again with one more
            `Attempt(str(decision.target), outcome)`: the id of the person, the name of an address or the number.
        policy: the snapshot that the call began with.
        now: POSIX seconds, on the policy's clock.

    Returns:
        The decision. The same arguments always give the same one. A caller from outside is refused (404) only when the
        dialled number is not the company's, or (480) when every target was tried and failed.
    """
    question = Question(facts, policy, now)
    for rule in CHAIN:
        decision = rule(question)
        if decision is not None:
            return decision
    raise AssertionError("the last rule of the chain did not decide")


def emergency_call(question: Question) -> Decision | None:
    """An emergency number goes out before everything else, unmodified, with the caller's own number.

    This comes before the question who may call where, so it holds for every origin.
    """
    reason = question.policy.emergency.get(question.facts.dialled)
    if reason is None:
        return None
    identity = question.caller.person.emergency if question.caller else _outside_identity(question)
    return Decision(
        Action.EMERGENCY,
        DialNumber(question.facts.dialled),
        (reason, *identity.because),
        shown_number=identity.number,
        shown_name=identity.name,
        person=question.caller.person.id if question.caller else None,
    )


def read_dialled(question: Question) -> Decision | None:
    """Find out what was dialled: an extension, a number of the company, or (from inside) a number outside."""
    facts, policy = question.facts, question.policy
    dialled = facts.dialled
    from_outside = facts.origin is Origin.TRUNK
    if not from_outside:
        question.called = policy.extensions.get(dialled)
        if question.called is not None:
            return None
    question.called = policy.numbers.get(dialled)
    if question.called is not None:
        return None
    number = policy.plan.normalise(dialled)
    if number is not None:
        question.called = policy.numbers.get(number)
        if question.called is None and policy.owned.owns(number):
            question.called = policy.unassigned
        if question.called is not None:
            return None
    if from_outside:
        return _refuse(question, 404, "Not Found", _NO_TRANSIT)
    if number is None and dialled not in policy.short_numbers:
        return _refuse(question, 404, "Not Found", _NOT_A_NUMBER)
    question.outside = number or dialled
    question.because.append(_TO_A_NUMBER if number else _AS_DIALLED)
    return None


def greylisted(question: Question) -> Decision | None:
    """A destination on the greylist is refused (X2), unless an exception allows it (S8)."""
    if not question.outside:
        return None
    found = question.policy.greylist.find(question.outside, question.now)
    if isinstance(found, Reason):
        return _refuse(question, 403, "Forbidden", found)
    if found is not None:
        question.because.append(found.reason)
    return None


def outside(question: Question) -> Decision | None:
    """A number outside the company goes out by a trunk, with a number that the company owns."""
    if not question.outside:
        return None
    identity = _outside_identity(question)
    return Decision(
        Action.DIAL,
        DialNumber(question.outside),
        (*question.because, *identity.because),
        shown_number=identity.number,
        shown_name=identity.name,
        rejected=identity.rejected,
        person=question.caller.person.id if question.caller else None,
        withhold=question.facts.withhold,
    )


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
            return _refuse(question, 480, "Temporarily Unavailable", _NOBODY_LEFT)
        question.because.append(way.reason)
        number = holder.diverts_as if isinstance(holder, Person) else (holder.number or question.facts.dialled)
        question.diversions.append(Diversion(number, way.diversion))
        if not isinstance(way.target, RingPerson):
            return _forward(question, holder, way.target)
        holder = question.policy.people[way.target.person]


CHAIN: tuple[Rule, ...] = (emergency_call, read_dialled, greylisted, outside, reach)


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
    selected = question.facts.profiles.get(person.id)
    if selected is not None:
        profile = question.policy.profiles.get(selected)
        if profile is not None:
            _in_force(question, person, profile.name)
            question.because.append(profile.reason)
            return person.on_selected.get(profile.kind)
        # A selection can outlive its profile by a reload; the schedule then says what holds.
        question.rejected.append(Reason("P2", f"the selected profile {selected!r} does not exist any more"))
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
    identity = _inside_identity(question)
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
        person=_owner(question),
        profile=question.profile,
        withhold=question.facts.withhold,
    )


def _forward(question: Question, holder: Person | SharedLine, target: DialNumber | DialAddress) -> Decision:
    if isinstance(target, DialAddress):
        identity, diversions = _inside_identity(question), tuple(question.diversions)
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
        person=_owner(question),
        profile=question.profile,
        withhold=question.facts.withhold,
    )


def _refuse(question: Question, status: int, phrase: str, reason: Reason) -> Decision:
    return Decision(
        Action.REFUSE,
        None,
        (*question.because, reason),
        rejected=tuple(question.rejected),
        diversions=tuple(question.diversions),
        status=status,
        phrase=phrase,
        person=_owner(question),
        profile=question.profile,
    )


def _owner(question: Question) -> str | None:
    if isinstance(question.called, Person):
        return question.called.id
    if question.called is None and question.caller is not None:
        return question.caller.person.id  # an outgoing call: the caller's rules decided
    return None


def _known_caller(facts: Facts, policy: Policy) -> KnownCaller | None:
    """Say who calls, as far as the origin can be believed: a trunk's caller is never taken for one of our people."""
    if facts.person is not None and facts.origin is not Origin.TRUNK:
        person = policy.people.get(facts.person)
        return None if person is None else KnownCaller.of(person, facts.connection)
    if facts.origin is not Origin.PBX or facts.caller_number is None:
        return None
    known = policy.callers.get(facts.caller_number)
    if known is None:
        number = policy.plan.normalise(facts.caller_number)
        known = policy.callers.get(number) if number else None
    return known


def _outside_identity(question: Question) -> ShownIdentity:
    """What a callee outside sees of a caller inside: always a number that the company owns."""
    if question.caller is not None:
        return question.caller.person.shows[question.caller.connection]
    facts, policy = question.facts, question.policy
    if facts.origin is Origin.PBX and facts.caller_number:
        number = policy.plan.normalise(facts.caller_number)
        if number is not None and policy.owned.may_show(number):
            return ShownIdentity(number, facts.caller_name, (_OWN_NUMBER_OF_CALLER,))
    return policy.company


def _inside_identity(question: Question) -> ShownIdentity:
    """What a callee inside sees: a colleague by name, a caller from outside by their own number."""
    facts = question.facts
    if facts.withhold:
        return _WITHHELD
    if question.caller is not None:
        return question.caller.person.inside
    number = facts.caller_number
    if number and facts.origin is Origin.TRUNK:
        number = question.policy.plan.normalise(number) or number
    return ShownIdentity(number or None, facts.caller_name)


_WITHHELD: Final = ShownIdentity(None, None)
