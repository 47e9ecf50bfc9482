"""Whether a call is recorded (X3), decided at the instant of its answer and kept to its end (G12).

Nobody is recorded while absent, by hand neither (X4). An emergency call, and one that the caller said is private, never
is. That recording is announced, and nothing is recorded where that is not heard to its end (G13), is for `calls` to see
to.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from router.model.decision import Action, Decision, DialNumber, Facts, JoinQueue, Origin, Reason, RingPerson
from router.model.recording import Direction
from router.policy.codes import next_time
from router.policy.identity import known_caller
from router.policy.profile import profile_in_force
from router.policy.question import Question
from router.policy.recording_rules import RecordingRules
from router.policy.schedule import LocalTime, local_time
from router.policy.snapshot import Person, Policy, ProfileKind

LONGEST_RINGING: Final = 180.0  # seconds from an INVITE to its answer (RFC 3261, timer C)
MAX_WINDOWS: Final = 20  # that follow on one another without a gap; a day has a few

_EMERGENCY: Final = Reason(
    "G1",
    "an emergency call waits for no announcement, and is not recorded",
    "",
    "un appel d'urgence n'attend aucune annonce et n'est pas enregistré",
    "recording",
)


class Parties(NamedTuple):
    """Who talks.

    Args:
        caller, called: ids of our people, None for anybody else.
        direction: see there.
    """

    caller: str | None
    called: str | None
    direction: Direction

    @property
    def people(self) -> tuple[str, ...]:
        """Our people among them, the caller first."""
        both = (self.caller, self.called if self.called != self.caller else None)
        return tuple([person for person in both if person is not None])


class MayRecord(NamedTuple):
    """Whether an answered call may be recorded.

    Args:
        allowed: nothing is against it.
        at_once: it begins by itself; else when one of `licensed` asks for it.
        parties: who talks; licensed: those of them on whose account it is recorded.
        because: why, or why not.
        until: POSIX seconds at which it ends, or None: with the call.
    """

    allowed: bool
    at_once: bool
    parties: Parties
    licensed: tuple[str, ...]
    because: tuple[Reason, ...]
    until: float | None = None


def could_be_recorded(facts: Facts, decision: Decision, policy: Policy, now: float) -> bool:
    """Say, before a call is answered, whether it may have to be recorded, so that its sound passes where it can be.

    Args:
        now: POSIX seconds on the policy's clock.
    """
    rules = policy.recording
    if rules is None or rules.unlawful is not None:
        return False
    if decision.action is Action.EMERGENCY or decision.action is Action.REFUSE or _private(facts, policy) is not None:
        return False
    if not (
        _is_open(rules, local_time(now, policy.zone)) or _is_open(rules, local_time(now + LONGEST_RINGING, policy.zone))
    ):
        return False
    parties = parties_of(facts, decision, None, policy)
    if parties.direction not in rules.directions:
        return False
    if isinstance(decision.target, JoinQueue):
        return True  # who will take it is not known yet
    return any(person in rules.licensed for person in parties.people)


def may_record(parties: Parties, facts: Facts, decision: Decision, policy: Policy, now: float) -> MayRecord | None:
    """Decide at the answer of a call whether it is recorded; None where there are no rules about recording.

    Args:
        parties: who talks (see `parties_of`).
        facts, decision: of the call, as it was answered.
        policy: the snapshot that the call began with.
        now: POSIX seconds on the policy's clock.
    """
    rules = policy.recording
    if rules is None:
        return None
    licensed = tuple([person for person in parties.people if person in rules.licensed])
    against = _against(parties, facts, decision, policy, now, rules, licensed)
    if against is not None:
        return MayRecord(False, False, parties, licensed, (against,))
    because = [rules.licensed[person] for person in licensed]
    if rules.open is not None:
        because.append(rules.open)
    until = closing_time(rules, policy, now) if rules.stops_at_closing else None
    return MayRecord(True, rules.every_call, parties, licensed, tuple(because), until)


def parties_of(facts: Facts, decision: Decision, answered_by: str | None, policy: Policy) -> Parties:
    """Return who talks when a call is answered.

    Args:
        answered_by: id of the person whose phone answered, where that is known; else whom the decision calls counts.
    """
    caller = known_caller(facts, policy)
    called = answered_by or who_is_called(decision, policy)
    if facts.origin is Origin.TRUNK:
        direction = Direction.INBOUND
    elif type(decision.target) is DialNumber and called is None:
        direction = Direction.OUTBOUND
    else:
        direction = Direction.INTERNAL
    return Parties(None if caller is None else caller.person.id, called, direction)


def licensed(policy: Policy, *people: str | None) -> bool:
    """Say whether one of these people may have to be recorded."""
    rules = policy.recording
    return rules is not None and rules.unlawful is None and any(person in rules.licensed for person in people)


def who_is_called(decision: Decision, policy: Policy) -> str | None:
    """Return the id of the person whom a decision calls, on whichever of their telephones (X3: fixed and mobile)."""
    target = decision.target
    if type(target) is RingPerson:
        return target.person
    if type(target) is DialNumber:
        known = policy.callers.get(target.number)
        return None if known is None else known.person.id
    name = str(target)
    return name if name in policy.people else None


def absence(facts: Facts, people: Iterable[str], policy: Policy, now: float) -> Reason | None:
    """Return why nothing is recorded now, by hand neither (X4): one of these people is absent; None: nobody is."""
    question = Question(facts, policy, now)
    for name in people:
        person = policy.people.get(name)
        if person is None:
            continue
        in_force = profile_in_force(question, person)
        if in_force is not None and in_force.profile.kind is ProfileKind.ABSENT:
            return _absent(person, in_force.reason)
    return None


def closing_time(rules: RecordingRules, policy: Policy, now: float) -> float | None:
    """Return when the hours of recording that cover `now` end; None where they never do (POSIX seconds)."""
    if not rules.hours:
        return None
    end = now
    for _ in range(MAX_WINDOWS):
        time = local_time(end, policy.zone)
        ends = [next_time(end, window.end, policy.zone) for window in rules.hours if window.covers(time)]
        if not ends:
            return end
        end = max(ends)
    return end


def _against(
    parties: Parties,
    facts: Facts,
    decision: Decision,
    policy: Policy,
    now: float,
    rules: RecordingRules,
    licensed: tuple[str, ...],
) -> Reason | None:
    """Why a call is not recorded; what can never be comes before what depends on the hour."""
    if decision.action is Action.EMERGENCY:
        return _EMERGENCY
    private = _private(facts, policy)
    if private is not None:
        return private
    if not licensed:
        return rules.nobody
    absent = absence(facts, parties.people, policy, now)
    if absent is not None:
        return absent
    if rules.unlawful is not None:
        return rules.unlawful
    if parties.direction not in rules.directions:
        return rules.other_direction
    return None if _is_open(rules, local_time(now, policy.zone)) else rules.closed


def _private(facts: Facts, policy: Policy) -> Reason | None:
    """What says that the call is private, or None."""
    if facts.origin is Origin.TRUNK:
        return None
    for code, per_call in policy.codes.per_call.items():
        if per_call.private and facts.dialled.startswith(code):
            return per_call.reason
    return None


def _is_open(rules: RecordingRules, time: LocalTime) -> bool:
    return not rules.hours or any(window.covers(time) for window in rules.hours)


def _absent(person: Person, reason: Reason) -> Reason:
    return Reason(
        "X4",
        f"{person.name} is absent, and is never recorded then: {reason.text}",
        reason.source,
        f"rien n'est enregistré pendant une absence de {person.name} : {reason.french or reason.text}",
        "recording",
    )
