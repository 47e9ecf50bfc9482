"""What a caller is told who can reach nobody: why, until when, and what is offered instead (V1, M4, M5, R4, P3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta, tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from router.model.decision import Attempt, Decision, LineState, Outcome, Weighed
from router.policy.schedule import MINUTES_PER_DAY, LocalTime, Window, local_time
from router.policy.snapshot import SCHEDULE, Person, Policy, Profile, ProfileKind

MAX_WINDOWS: Final = 20  # looked through for the end of an absence; a schedule has a few a day
MAX_DAYS: Final = 14  # within which somebody must be back for a caller to hear when


class Why(StrEnum):
    """Why nobody answers."""

    PROFILE = "profile"
    ON_CALL = "on_call"
    NO_ANSWER = "no_answer"
    UNREACHABLE = "unreachable"
    CLOSED = "closed"
    LEFT = "left"
    NOTHING = "nothing"  # nothing that concerns a caller


class Told(NamedTuple):
    """What a caller is told.

    Args:
        why: see there.
        person: who cannot be reached; None for a shared number.
        kind: which of the owner's greetings fits.
        profile: the profile that is the reason, for `PROFILE`.
        says: its message by language, the role's own before the profile's (R4).
        offers: what the profile offers, in the order of its keys (P3).
        until: POSIX seconds of the return, or None where it is not known.
    """

    why: Why
    person: Person | None
    kind: ProfileKind
    profile: Profile | None = None
    says: Mapping[str, str] = MappingProxyType({})
    offers: tuple[str, ...] = ()
    until: float | None = None


# By the rule of the reason that decided last; the others say nothing to a caller.
_BY_RULE: Final = {
    "profile": Why.PROFILE,
    "line": Why.ON_CALL,
    "phone": Why.UNREACHABLE,
    "hours": Why.CLOSED,
    "departed": Why.LEFT,
    "answer": Why.NO_ANSWER,
}
_BY_OUTCOME: Final = {
    Outcome.BUSY: Why.ON_CALL,
    Outcome.NO_ANSWER: Why.NO_ANSWER,
    Outcome.REJECTED: Why.NO_ANSWER,  # that somebody pressed "reject" is nobody's business
    Outcome.UNREACHABLE: Why.UNREACHABLE,
}


def what_is_told(
    decision: Decision,
    attempts: tuple[Attempt, ...],
    weighed: tuple[Weighed, ...],
    policy: Policy,
    mailbox: str,
    now: float,
) -> Told:
    """Say what a caller is told before a message is left.

    Args:
        decision: that led to the mailbox; attempts: who was tried before.
        weighed: people's states on which all decisions about the call rest.
        mailbox: a person's id, or another name.
        now: POSIX seconds.
    """
    person = policy.people.get(mailbox)
    why = Why.NOTHING
    for reason in reversed(decision.because):
        if reason.rule in _BY_RULE:
            why = _BY_RULE[reason.rule]
            break
    if person is None:
        return Told(why if why is Why.CLOSED else Why.NOTHING, None, ProfileKind.AVAILABLE)
    outcome = next((attempt.outcome for attempt in attempts if attempt.person == person.id), None)
    state = next((one for one in weighed if one.person == person.id), None)
    if outcome is not None:
        why = _BY_OUTCOME[outcome]
    elif why is Why.ON_CALL and (state is None or state.line is not LineState.ON_CALL):
        why = Why.UNREACHABLE
    if why is not Why.PROFILE:
        kind = ProfileKind.BUSY_OTHER if why is Why.ON_CALL else ProfileKind.AVAILABLE
        return Told(why, person, kind)
    if state is None or state.profile is None:
        # Nobody's phone rings now (S6), which is an absence without a name.
        until = _back(person, local_time(now, policy.zone), policy.zone)
        return Told(why, person, ProfileKind.ABSENT, until=until)
    profile = policy.profiles[state.profile]
    until = state.until
    if state.by == SCHEDULE:
        until = _back(person, local_time(now, policy.zone), policy.zone)
    says = person.says.get(profile.name) or profile.says
    return Told(why, person, profile.kind, profile, says, profile.offers, until)


def _back(person: Person, at: LocalTime, zone: tzinfo) -> float | None:
    """Return when the schedule lets the person's phones ring again, or None where that is not soon."""
    last = at.day + MAX_DAYS
    for _ in range(MAX_WINDOWS):
        scheduled = person.profile_at(at)
        if scheduled is not None and scheduled.profile.kind is not ProfileKind.AVAILABLE:
            at = _end(scheduled.window, at)
        elif person.silence is not None and not any(window.covers(at) for window in person.rings_within):
            following = [_start(window, at, last) for window in person.rings_within]
            at = min((start for start in following if start is not None), default=LocalTime(last + 1, 0))
        else:
            moment = datetime.combine(date.fromordinal(at.day), time(), zone) + timedelta(minutes=at.minute)
            return moment.timestamp()
        if at.day > last:
            return None
    return None


def _end(window: Window, at: LocalTime) -> LocalTime:
    """The end of a window that covers `at`."""
    day = at.day + (1 if window.start >= window.end and at.minute >= window.start else 0)
    return LocalTime(day + window.end // MINUTES_PER_DAY, window.end % MINUTES_PER_DAY)


def _start(window: Window, at: LocalTime, last: int) -> LocalTime | None:
    """The next start of a window, not before `at` and not after the day `last`."""
    for day in range(at.day, last + 1):
        if window.calendar.includes(day) and (day > at.day or window.start >= at.minute):
            return LocalTime(day, window.start)
    return None


def reason_in_words(told: Told) -> str:
    """Say why a message was left, for its owner; "" where there is nothing to say."""
    if told.profile is not None:
        return next(iter(told.says.values()), told.profile.name)
    return "" if told.why in (Why.NOTHING, Why.PROFILE) else told.why.value
