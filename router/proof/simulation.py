"""A call as a person describes it, turned into facts; and the course that it takes when nobody answers.

The command line and the API both come through here. What is decided is decided by `decide`, as for real calls.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo
from typing import NamedTuple

from router.configuration import Configuration
from router.configuration.findings import closest
from router.model.decision import (
    OF_A_PHONE,
    TIMEOUT,
    Action,
    Attempt,
    Connection,
    Decision,
    DialAddress,
    Facts,
    JoinQueue,
    LineState,
    Origin,
    Outcome,
    PlayMenu,
    RingPerson,
    SelectedBy,
    Selection,
    Target,
    Usage,
)
from router.model.iso_time import read_moment
from router.policy import Policy, decide
from router.policy.schedule import local_time
from router.policy.snapshot import KnownCaller, Person, SharedLine
from router.sip.uri import bracketed

ANONYMOUS = "anonymous"
LONGEST_COURSE = 16  # decisions about one call; the policy itself stops earlier

_STATE = re.compile(
    r"(?P<state>.+?)(?:@(?P<by>[a-z]+))?(?: +until +(?P<until>\S+))?(?: +forward +(?P<forward>\S.*))?",
)
_USED = re.compile(r"(?P<group>[^=]+?)(?:=(?P<person>[^=:]+))?:(?P<count>\d+(?:\.\d+)?)(?:/(?P<unit>minute|day|cost))?")
_STATE_FORM = "write PERSON=STATE[@calendar|@person|@administrator][ until TIME][ forward TARGET]"
_USED_FORM = "write GROUP[=PERSON]:CALLS, or …:CALLS/minute, …:CALLS/day, …:AMOUNT/cost"
_TIME_FORM = "is not a date and time of ISO 8601, such as 2026-11-24T12:15, nor a time such as 12:15"


class WrongInput(ValueError):
    """An input cannot be used. `option` names it ("from", "to", "at", "state", "connection", "used", "keys"); the text
    says what to write instead."""

    def __init__(self, option: str, message: str) -> None:
        self.option = option
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Inputs:
    """A call, as a person describes it.

    Args:
        caller: a number, a person's id, an extension, a device's account, "anonymous", "trunk:NAME:NUMBER" or
            "pbx:NAME:NUMBER" (NUMBER may be "anonymous").
        dialled: a number, an extension, a person's id, an emergency number, a feature code, a code and a number.
        states: what people are doing, each as "PERSON=STATE": a line state; a profile or a kind of profile, with who
            selected it, until when, and where calls go meanwhile ("claire=meeting@calendar until 15:00 forward marc");
            or how trying them ended. A target or a number may have ended in some way, too ("voicemail=unreachable").
        connection: kind of the calling device, where the caller has several.
        caller_name: display name as it is received.
        withhold: the caller asks for privacy (CLIR).
        used: what was used of limited destinations: "GROUP:5" (calls of this minute and this day, by the company),
            "GROUP=PERSON:5/minute", "…:40/day", "…:12.50/cost".
    """

    caller: str
    dialled: str
    states: tuple[str, ...] = ()
    connection: str | None = None
    caller_name: str | None = None
    withhold: bool = False
    used: tuple[str, ...] = ()


class Step(NamedTuple):
    """One decision about a call: what was asked, when (POSIX seconds), and what was decided."""

    facts: Facts
    at: float
    decision: Decision


def moment(written: str | None, zone: tzinfo, now: float) -> float:
    """Return POSIX seconds for a date and time (ISO 8601; without an offset: in `zone`), a time of today, or None: now.

    Raises:
        WrongInput: it is none of these.
    """
    if written is None:
        return now
    try:
        clock = time.fromisoformat(written)
    except ValueError:
        return _date_and_time("at", written, zone)
    return _on(datetime.fromtimestamp(now, zone), clock, zone).timestamp()


def facts_of(inputs: Inputs, configuration: Configuration, now: float) -> Facts:
    """Return the facts of a call at `now` (POSIX seconds).

    Raises:
        WrongInput: something in it is not known to the configuration, or not written as it should be.
    """
    policy = configuration.policy
    caller = _caller(inputs, configuration)
    lines: dict[str, LineState] = {}
    selections: dict[str, list[Selection]] = {}
    attempts: list[Attempt] = []
    for written in inputs.states:
        who, equals, state = written.partition("=")
        if not equals:
            raise WrongInput("state", f"{written!r} says nothing about anybody; {_STATE_FORM}")
        person = policy.people.get(who) or policy.extensions.get(who)
        if state in set(OF_A_PHONE if person else Outcome):
            attempts.append(Attempt(person.id if person else _target(who, policy), Outcome(state)))
        elif person is None:
            raise WrongInput("state", _unknown("person", who, policy.people))
        elif state in set(LineState):
            lines[person.id] = LineState(state)
        else:
            selections.setdefault(person.id, []).append(_selection(person.id, state, policy, now))
    return Facts(
        caller.origin,
        caller.peer,
        _dialled(inputs.dialled, policy),
        caller.person,
        caller.connection,
        caller.number,
        inputs.caller_name,
        withhold=inputs.withhold or inputs.caller == ANONYMOUS,
        lines=lines,
        selections={person: _strongest_first(chosen) for person, chosen in selections.items()},
        usage=_usage(inputs.used, policy, now),
        attempts=tuple(attempts),
    )


def course(facts: Facts, policy: Policy, now: float) -> tuple[Step, ...]:
    """Return the decisions about a call that nobody ever answers, the first one first, as `calls` would ask for them.

    Each is made when the one before has rung for as long as it may.
    """
    steps: list[Step] = []
    for _ in range(LONGEST_COURSE):
        decision = decide(facts, policy, now)
        if steps and decision.action is not Action.REFUSE and decision.target == steps[-1].decision.target:
            break  # a call is not sent twice in a row to where nobody answered
        steps.append(Step(facts, now, decision))
        if decision.action not in (Action.RING, Action.FORWARD):
            break
        if isinstance(decision.target, PlayMenu):
            facts = facts._replace(chosen=(*facts.chosen, f"{decision.target.menu}:{TIMEOUT}"))
            continue
        waits = isinstance(decision.target, JoinQueue)
        facts = facts_after(facts, decision, Outcome.MAX_WAIT if waits else Outcome.NO_ANSWER)
        now += decision.no_answer_after or 0.0
    return tuple(steps)


def facts_after(facts: Facts, decision: Decision, outcome: Outcome) -> Facts:
    """Return the facts with which `calls` asks again when what was decided ended without an answer.

    By then a person who calls is on a call.
    """
    lines = facts.lines
    if facts.person is not None:
        lines = {**lines, facts.person: LineState.ON_CALL}
    attempt = Attempt(str(decision.target), outcome)
    return facts._replace(lines=lines, attempts=(*facts.attempts, attempt))


def press(facts: Facts, policy: Policy, now: float, keys: Iterable[str]) -> tuple[Step, ...]:
    """Return the decisions about a call whose caller presses these keys in menus, the last one last.

    Args:
        keys: of telephones; `TIMEOUT` and `WRONG` stand for what is none.

    Raises:
        WrongInput: the call is in no menu, or the menu has no such key.
    """
    steps = [Step(facts, now, decide(facts, policy, now))]
    for key in keys:
        target = steps[-1].decision.target
        if not isinstance(target, PlayMenu):
            raise WrongInput("keys", f"{key} is pressed in no menu: the call goes to {target or 'nobody'}")
        menu = policy.menus[target.menu]
        if key not in menu.ways and key not in menu.languages:
            known = ", ".join([*menu.ways, *menu.languages])
            raise WrongInput("keys", f"the menu {menu.name} has no key {key}; write one of {known}")
        facts = facts._replace(chosen=(*facts.chosen, f"{menu.name}:{key}"))
        steps.append(Step(facts, now, decide(facts, policy, now)))
    return tuple(steps)


class _Caller(NamedTuple):
    origin: Origin
    peer: str
    person: str | None = None
    connection: Connection | None = None
    number: str | None = None


def _caller(inputs: Inputs, configuration: Configuration) -> _Caller:
    written, policy = inputs.caller, configuration.policy
    wanted = _connection(inputs.connection)
    kind, _, rest = written.partition(":")
    if rest and kind in (Origin.TRUNK, Origin.PBX):
        name, _, received = rest.rpartition(":")
        peers = configuration.trunks if kind == Origin.TRUNK else configuration.pbxs
        if name not in {peer.name for peer in peers}:
            raise WrongInput("from", _unknown(kind, name or rest, [peer.name for peer in peers]))
        return _Caller(Origin(kind), name, number=None if received in ("", ANONYMOUS) else received)
    trunk = configuration.trunks[0].name if configuration.trunks else "trunk"
    if written == ANONYMOUS:
        return _Caller(Origin.TRUNK, trunk)
    account = configuration.accounts.get(written)
    if account is not None:
        return _Caller(Origin.PERSON, account.user, account.person, wanted or account.connection)
    person = policy.people.get(written) or policy.extensions.get(written)
    if person is not None:
        return _from_person(person, wanted, configuration)
    number = policy.plan.normalise(written)
    if number is None:
        known = [*configuration.accounts, *policy.people]
        raise WrongInput("from", _unknown("caller", written, known))
    known_caller = policy.callers.get(number)
    if known_caller is not None:
        return _from_person(known_caller.person, wanted or known_caller.connection, configuration, number)
    return _Caller(Origin.TRUNK, trunk, number=number)


def _from_person(
    person: Person, wanted: Connection | None, configuration: Configuration, number: str | None = None
) -> _Caller:
    """Return the caller for a person, by the kind of phone that is wanted, else by the first that they have."""
    if isinstance(person.phone, DialAddress):
        behind = [pbx.name for pbx in configuration.pbxs if pbx.host and f"@{bracketed(pbx.host)}:" in person.phone.uri]
        known = KnownCaller.of(person, wanted)
        named = number or next((by for by, who in configuration.policy.callers.items() if who == known), None)
        if behind and named is not None:
            return _Caller(Origin.PBX, behind[0], number=named)
    accounts = [account for account in configuration.accounts.values() if account.person == person.id]
    fitting = [account for account in accounts if wanted in (None, account.connection)]
    if fitting:
        return _Caller(Origin.PERSON, fitting[0].user, person.id, fitting[0].connection, number)
    return _Caller(Origin.PERSON, person.id, person.id, wanted, number)


def _connection(written: str | None) -> Connection | None:
    if written is None:
        return None
    try:
        return Connection(written)
    except ValueError:
        raise WrongInput("connection", _unknown("kind of connection", written, list(Connection))) from None


def _dialled(written: str, policy: Policy) -> str:
    """Return what is dialled; for a person their number, else their extension."""
    person = policy.people.get(written)
    if person is None:
        return written
    if person.diverts_as in policy.numbers and policy.numbers[person.diverts_as] is person:
        return person.diverts_as
    extension = next((extension for extension, owner in policy.extensions.items() if owner is person), None)
    if extension is None:
        raise WrongInput("to", f"{person.name} has neither a number nor an extension")
    return extension


def _selection(person: str, written: str, policy: Policy, now: float) -> Selection:
    found = _STATE.fullmatch(written)
    if found is None:
        raise WrongInput("state", f"{written!r} is no state; {_STATE_FORM}")
    profile, by = str(found["state"]), str(found["by"] or SelectedBy.PERSON.value)
    until: str | None = found["until"]
    if written in policy.profiles:  # whatever a profile is called, its name alone is understood
        profile, by, until = written, SelectedBy.PERSON.value, None
    if by not in set(SelectedBy):
        raise WrongInput("state", _unknown("source of a profile", by, list(SelectedBy)))
    if profile not in policy.profiles:
        known = [*LineState, *OF_A_PHONE, *policy.profiles]
        raise WrongInput("state", _unknown("state", profile, known))
    ends = None if until is None else _until(until, policy.zone, now)
    return Selection(person, profile, SelectedBy(by), 0.0, ends, found["forward"] or "")


def _strongest_first(selections: Iterable[Selection]) -> tuple[Selection, ...]:
    order = list(SelectedBy)
    return tuple(sorted(selections, key=lambda selection: order.index(selection.by)))


def _until(written: str, zone: tzinfo, now: float) -> float:
    """Return the moment of a date and time, or the next one at which the clock shows a time."""
    try:
        clock = time.fromisoformat(written)
    except ValueError:
        return _date_and_time("state", written, zone)
    today = datetime.fromtimestamp(now, zone)
    end = _on(today, clock, zone).timestamp()
    return end if end > now else _on(today + timedelta(days=1), clock, zone).timestamp()


def _on(day: datetime, clock: time, zone: tzinfo) -> datetime:
    return datetime.combine(day.date(), clock.replace(tzinfo=None), zone)


def _date_and_time(option: str, written: str, zone: tzinfo) -> float:
    try:
        return read_moment(written, zone)
    except ValueError:
        raise WrongInput(option, f"{written!r} {_TIME_FORM}") from None


def _usage(used: Iterable[str], policy: Policy, now: float) -> Mapping[tuple[str, str], Usage]:
    usage: dict[tuple[str, str], Usage] = {}
    for written in used:
        found = _USED.fullmatch(written)
        if found is None:
            raise WrongInput("used", f"{written!r} says nothing about a limit; {_USED_FORM}")
        key = found["group"], found["person"] or ""
        if key[0] not in policy.limits.groups:
            raise WrongInput("used", _unknown("limit", key[0], policy.limits.groups))
        if key[1] and key[1] not in policy.people:
            raise WrongInput("used", _unknown("person", key[1], policy.people))
        before = usage.get(key) or Usage(int(now // 60), 0, local_time(now, policy.zone).day, 0, 0.0)
        count = float(found["count"])
        if found["unit"] == "cost":
            usage[key] = before._replace(cost=count)
            continue
        if found["unit"] != "day":
            before = before._replace(in_minute=int(count))
        usage[key] = before._replace(in_day=max(before.in_day, int(count)))
    return usage


def _target(name: str, policy: Policy) -> str:
    """Return `name`, of a target or a number, as an attempt would hold it."""
    known = {str(target) for target in targets_of(policy)}
    if name in known:
        return name
    number = policy.plan.normalise(name)
    if number is not None:
        return number
    raise WrongInput("state", _unknown("person or target", name, [*policy.people, *known]))


def targets_of(policy: Policy) -> set[Target]:
    """Return everything that the rules of a policy send calls to."""
    found: set[Target] = set()
    for person in policy.people.values():
        ways = [*person.on_selected.values(), *person.on_line.values(), *person.on_outcome.values()]
        ways += [way for way in (person.departed, person.without_phone, *person.last_resort) if way is not None]
        found.update(way.target for way in ways)
    found.update(way.target for menu in policy.menus.values() for way in menu.ways.values())
    lines = {id(line): line for line in policy.numbers.values() if isinstance(line, SharedLine)}
    for line in (*lines.values(), policy.unassigned):
        found.update(way.target for way in (line.open, line.closed, *line.last_resort) if way is not None)
    return {target for target in found if not isinstance(target, RingPerson)}


def _unknown(what: str, word: str, known: Iterable[str]) -> str:
    return f"there is no {what} {word!r}; {closest(word, map(str, known)) or 'see the configuration'}"
