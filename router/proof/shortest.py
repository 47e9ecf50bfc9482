"""Says a case of the walk in words, and as a command that shows it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Final

from router.model.decision import TIMEOUT, WRONG, Connection, LineState, Origin, SelectedBy
from router.policy import Policy
from router.policy.schedule import clock
from router.proof.walk import Case

_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_NEAR: Final = 6  # days; a date that is farther away than this is named
_OUTCOMES: Final = {
    "no_answer": "does not answer",
    "busy": "is busy",
    "rejected": "rejects the call",
    "unreachable": "cannot be reached",
}
_KEYS: Final = {TIMEOUT: "no key", WRONG: "a wrong key"}
_LINES: Final = {
    LineState.RINGING: "is being rung",
    LineState.ON_CALL: "is on a call",
    LineState.UNREGISTERED: "has no phone registered",
}


def words(case: Case, policy: Policy, today: int) -> str:
    """Say a case in words: "+32475111222 → 201, Tuesday 17:30, Claire Dubois in meeting".

    Args:
        case: see `Case`.
        policy: for names.
        today: ordinal of the day from which days are counted.
    """
    return ", ".join([f"{_caller(case, policy)} → {case.call.dialled}", *_when(case, today), *_states(case, policy)])


def command(case: Case, directory: Path) -> str:
    """Return the `renvoi simulate` that shows a case."""
    arguments = ["renvoi", "simulate", "--config", str(directory), "--from", _from(case), "--to", case.call.dialled]
    moment = f"{date.fromordinal(case.local.day).isoformat()}T{clock(case.local.minute)}"
    arguments += ["--at", moment]
    if case.call.connection not in (None, Connection.FIXED) and case.call.origin is Origin.PERSON:
        arguments += ["--connection", str(case.call.connection)]
    for person, line in case.facts.lines.items():
        arguments += ["--state", f"{person}={line}"]
    for person, choice in case.choices.items():
        by = "" if choice.by is SelectedBy.PERSON else f"@{choice.by}"
        # An end that is needed lies where the selection still counts.
        end = "" if choice.lasts is None else f" until {clock((case.local.minute + 1) % (24 * 60))}"
        forward = f" forward {choice.forward}" if choice.forward else ""
        arguments += ["--state", f"{person}={choice.profile}{by}{end}{forward}"]
    for attempt in case.facts.attempts:
        arguments += ["--state", f"{attempt.person}={attempt.outcome}"]
    if case.facts.chosen:
        arguments += ["--keys", ",".join(choice.rpartition(":")[2] for choice in case.facts.chosen)]
    for (group, person), usage in case.facts.usage.items():
        arguments += ["--used", f"{group}{'=' + person if person else ''}:{usage.in_day}"]
    return shlex.join(arguments)


def _from(case: Case) -> str:
    call = case.call
    if call.origin is Origin.PERSON:
        return call.peer
    if call.origin is Origin.PBX:
        return f"pbx:{call.peer}:{call.caller_number or 'anonymous'}"
    return call.caller_number or "anonymous"


def _caller(case: Case, policy: Policy) -> str:
    call = case.call
    if call.person is not None:
        return policy.people[call.person].name
    known = policy.callers.get(call.caller_number or "") if call.origin is Origin.PBX else None
    return known.person.name if known is not None else call.caller_number or "a withheld number"


def _when(case: Case, today: int) -> Iterator[str]:
    if not case.timed and case.local.day == today:
        return
    day = date.fromordinal(case.local.day)
    weekday = _WEEKDAYS[day.weekday()]
    written = f"{weekday} {clock(case.local.minute)}"
    yield written if 0 <= case.local.day - today <= _NEAR else f"{weekday} {day.isoformat()} {clock(case.local.minute)}"


def _states(case: Case, policy: Policy) -> Iterator[str]:
    for person, line in case.facts.lines.items():
        yield f"{policy.people[person].name} {_LINES[line]}"
    for person, choice in case.choices.items():
        by = (
            ""
            if choice.by is SelectedBy.PERSON
            else f" (set by {'an administrator' if choice.by is SelectedBy.ADMINISTRATOR else 'the calendar'})"
        )
        forward = f", forwarded to {choice.forward}" if choice.forward else ""
        yield f"{policy.people[person].name} in “{choice.profile}”{by}{forward}"
    for pressed in case.facts.chosen:
        menu, _, key = pressed.rpartition(":")
        yield f"{_KEYS.get(key, f'key {key}')} in the menu {menu}"
    for attempt in case.facts.attempts:
        tried = policy.people.get(attempt.person)
        yield f"{tried.name if tried else attempt.person} {_OUTCOMES[attempt.outcome]}"
    for group, caller in case.facts.usage:
        yield f"the limit {group} used up{' by ' + policy.people[caller].name if caller else ''}"
