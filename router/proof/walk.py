"""Walks through everything that can become of a call, by asking `decide` itself.

A decision depends on the call and on what it looks up while it is made: the state of a line, a selection, what was used
of a limit, the time of day. So the walk begins with everything as usual, sees what was looked up, and asks again with
each other answer to it, until no answer is left. What was not looked up cannot matter, which is why the walk is short
and yet complete.

While a telephone rings, anything may change; once an address or an outside number has failed, nothing else does. And
when a call is forwarded to a colleague, what becomes of it there depends on whose rules were asked before, not on what
these people were doing: so it is walked for one of the ways that lead there at that time, not for all of them.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from functools import cache
from typing import Any, Final, NamedTuple

from router.model.decision import (
    OF_A_PHONE,
    OF_A_QUEUE,
    Action,
    Attempt,
    Connection,
    Decision,
    Facts,
    JoinQueue,
    LineState,
    Origin,
    Outcome,
    PlayMenu,
    SelectedBy,
    Selection,
    Usage,
)
from router.policy import Policy, decide
from router.policy.schedule import LocalTime, Window
from router.proof.moments import Moments

MAX_CASES: Final = 60_000  # of one call; beyond it, forwards are so entangled that nobody could explain them either
LONGEST_COURSE: Final = 12  # attempts; the policy itself stops earlier
_GOES_ON: Final = frozenset({Action.RING, Action.FORWARD})
_USED_UP: Final = 10**9  # calls, and money: beyond any limit


class Choice(NamedTuple):
    """A profile that can be selected for somebody: see `Selection`."""

    profile: str
    by: SelectedBy
    forward: str = ""
    lasts: float | None = None  # seconds from its beginning


class Call(NamedTuple):
    """A call to be walked: who calls, and what is dialled. See `Facts`."""

    origin: Origin
    peer: str
    dialled: str
    person: str | None = None
    connection: Connection | None = None
    caller_number: str | None = None


class Case(NamedTuple):
    """One case of a call, and what was decided.

    Args:
        call: see `Call`.
        facts: what `decide` was asked.
        at: POSIX seconds; local: the same on the company's clock.
        moments: all moments (indices into `Moments`) for which the decision is the same.
        timed: the time of day was looked at.
        unusual: how much is not as usual: states, selections, attempts. The fewer, the better it shows something.
        choices: what was selected, by person.
        decision: what was decided.
    """

    call: Call
    facts: Facts
    at: float
    local: LocalTime
    moments: tuple[int, ...]
    timed: bool
    unusual: int
    choices: Mapping[str, Choice]
    decision: Decision


class Entangled(Exception):
    """A call has more than `MAX_CASES` cases; those that were walked were judged."""


class Walk:
    """Walks calls under one policy.

    Args:
        policy: the compiled policy.
        choices: what can be selected for a person, by id.
        windows: the windows that a person's rules mention, by id.

    Attributes:
        cases: how many were walked so far.
    """

    def __init__(
        self,
        policy: Policy,
        choices: Callable[[str], tuple[Choice, ...]],
        windows: Callable[[str], tuple[Window, ...]],
    ) -> None:
        self._zone = _Zone(policy.zone)
        self._policy = replace(policy, zone=self._zone)
        self._choices = choices
        self._windows = windows
        self._answers = cache(self._work_out_answers)
        self.cases = 0

    def walk(self, call: Call, moments: Moments, always: Iterable[Window] = ()) -> Iterator[Case]:
        """Yield every case of a call, simple ones first.

        Args:
            call: see `Call`.
            moments: the moments that are told apart.
            always: windows that count whoever is asked.

        Raises:
            Entangled: there are too many.
        """
        always = tuple(always)
        pending = deque([_Branch({}, moments.all, ())])
        tried: set[tuple[frozenset[Attempt], tuple[str, ...]]] = set()
        arrivals: _Arrivals = {}
        walked = 0
        while pending:
            branch = pending.popleft()
            walked += 1
            if walked > MAX_CASES:
                raise Entangled(call.dialled)
            asked: list[_Key] = []
            case = self._decide(call, branch, moments, asked)
            if case.timed:
                people = {key.who for key in asked if key.what != _USED}
                people.update(attempt.person for attempt in branch.attempts if attempt.person in self._policy.people)
                windows = [window for person in people for window in self._windows(person)]
                part, *others = moments.split(branch.moments, (*always, *windows))
                pending.extend(branch._replace(moments=other) for other in others)
                branch = branch._replace(moments=part)
                case = case._replace(moments=part)
            self.cases += 1
            yield case
            known = self._push_other_answers(branch, asked, arrivals, pending)
            pending.extend(self._after(case, known, moments, tried))

    def _push_other_answers(
        self, branch: _Branch, asked: list[_Key], arrivals: _Arrivals, pending: deque[_Branch]
    ) -> dict[_Key, Any]:
        """Add branches for the other answers to what was asked; returns the answers that were given."""
        known = dict(branch.known)
        before: list[str] = []
        walked_already: set[str] = set()
        for key in asked:
            if key.what != _USED and key.who not in before:
                if not any(other.who == key.who for other in branch.known):
                    arrival = frozenset(branch.attempts), frozenset(before), key.who
                    seen = arrivals.setdefault(arrival, set())
                    if seen.issuperset(branch.moments):
                        walked_already.add(key.who)
                    seen.update(branch.moments)
                before.append(key.who)
            if key in known:
                continue
            answers = self._answers(key)
            if key.who not in walked_already:
                for other in answers[1:]:
                    pending.append(branch._replace(known={**known, key: other}))
            known[key] = answers[0]
        return known

    def _after(
        self,
        case: Case,
        known: dict[_Key, Any],
        moments: Moments,
        tried: set[tuple[frozenset[Attempt], tuple[str, ...]]],
    ) -> Iterable[_Branch]:
        """Return how the call goes on when the target of a decision does not answer."""
        attempts = case.facts.attempts
        if case.decision.action not in _GOES_ON or len(attempts) >= LONGEST_COURSE:
            return ()
        target = str(case.decision.target)
        if any(attempt.person == target for attempt in attempts):
            return ()  # it goes round: whoever judges the case says so
        chosen = case.facts.chosen
        if isinstance(case.decision.target, PlayMenu):
            menu = self._policy.menus[case.decision.target.menu]
            if any(choice.startswith(f"{menu.name}:") for choice in chosen):
                return ()  # the caller has come back to where they were
            return tuple(_Branch(known, case.moments, attempts, (*chosen, f"{menu.name}:{key}")) for key in menu.ways)
        if isinstance(case.decision.target, JoinQueue):
            ends = (*OF_A_QUEUE, Outcome.UNREACHABLE)
            return tuple(
                _Branch(known, case.moments, (*attempts, Attempt(target, outcome)), chosen) for outcome in ends
            )
        if target not in self._policy.people:
            return (_Branch(known, case.moments, (*attempts, Attempt(target, Outcome.UNREACHABLE)), chosen),)
        broken = any(attempt.person not in self._policy.people for attempt in attempts)
        branches = []
        for outcome in OF_A_PHONE:
            longer = (*attempts, Attempt(target, outcome))
            if broken:
                branches.append(_Branch(known, case.moments, longer, chosen))
            elif (frozenset(longer), chosen) not in tried:
                tried.add((frozenset(longer), chosen))
                # Whoever has come through a menu has done so while what led there was open.
                branches.append(_Branch({}, case.moments if chosen else moments.all, longer, chosen))
        return branches

    def _decide(self, call: Call, branch: _Branch, moments: Moments, asked: list[_Key]) -> Case:
        at, local = moments.at[branch.moments[0]], moments.local[branch.moments[0]]
        lines = _Asked(_LINE, asked)
        selections = _Asked(_SELECTION, asked)
        usage = _Asked(_USED, asked)
        chosen: dict[str, Choice] = {}
        unusual = len(branch.attempts) + len(branch.chosen)
        for key, value in branch.known.items():
            if value is None or value is LineState.IDLE:
                continue
            unusual += 1
            if key.what == _LINE:
                lines[key.who] = value
            elif key.what == _SELECTION:
                chosen[key.who] = value
                selections[key.who] = (_selection(key.who, value, at),)
            else:
                usage[key.who, key.whose] = Usage(int(at // 60), _USED_UP, local.day, _USED_UP, float(_USED_UP))
        self._zone.asked = False
        facts = Facts(
            call.origin,
            call.peer,
            call.dialled,
            call.person,
            call.connection,
            call.caller_number,
            lines=lines,
            selections=selections,
            usage=usage,
            attempts=branch.attempts,
            chosen=branch.chosen,
        )
        decision = decide(facts, self._policy, at)
        return Case(call, facts, at, local, branch.moments, self._zone.asked, unusual, chosen, decision)

    def _work_out_answers(self, key: _Key) -> tuple[Any, ...]:
        """Return everything that can be answered to a look-up, the usual answer first."""
        if key.what == _SELECTION:
            return (None, *self._choices(key.who))
        if key.what == _USED:
            return None, True
        person = self._policy.people.get(key.who)
        if person is None or person.phone is None:
            return (LineState.IDLE,)
        return tuple(LineState)


class _Key(NamedTuple):
    """Something that a decision looks up: the line or the selections of a person, or what they used of a limit."""

    what: str
    who: str
    whose: str = ""


_LINE: Final = "line"
_SELECTION: Final = "selection"
_USED: Final = "used"


class _Branch(NamedTuple):
    """What is known so far in one part of the walk, the moments that are still alike, who was tried and what was chosen
    in menus."""

    known: Mapping[_Key, Any]
    moments: tuple[int, ...]
    attempts: tuple[Attempt, ...]
    chosen: tuple[str, ...] = ()


# Moments at which a call came to somebody, by what was tried before, whose rules were asked before, and who it is.
_Arrivals = dict[tuple[frozenset[Attempt], frozenset[str], str], set[int]]


class _Asked(dict[Any, Any]):
    """A dictionary that notes what is looked up in it. It is never taken for an empty one."""

    __slots__ = ("_asked", "_what")

    def __init__(self, what: str, asked: list[_Key]) -> None:
        super().__init__()
        self._what = what
        self._asked = asked

    def __bool__(self) -> bool:
        return True

    def get(self, key: Any, default: Any = None) -> Any:
        self._note(key)
        return super().get(key, default)

    def __getitem__(self, key: Any) -> Any:
        self._note(key)
        return super().__getitem__(key)

    def __contains__(self, key: object) -> bool:
        self._note(key)
        return super().__contains__(key)

    def _note(self, key: Any) -> None:
        self._asked.append(_Key(self._what, key) if isinstance(key, str) else _Key(self._what, *key))


class _Zone(tzinfo):
    """A time zone that notes whether the time of day was looked at."""

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self.asked = False

    def fromutc(self, moment: datetime) -> datetime:
        self.asked = True
        return self._zone.fromutc(moment.replace(tzinfo=self._zone))

    def utcoffset(self, moment: datetime | None) -> timedelta | None:
        return self._zone.utcoffset(moment)

    def dst(self, moment: datetime | None) -> timedelta | None:
        return self._zone.dst(moment)

    def tzname(self, moment: datetime | None) -> str | None:
        return self._zone.tzname(moment)


def _selection(person: str, choice: Choice, at: float) -> Selection:
    until = None if choice.lasts is None else at + choice.lasts
    return Selection(person, choice.profile, choice.by, at, until, choice.forward)
