"""Recorded calls, decided again under another configuration with what was known then.

What is known is what the record holds: who called, what was dialled and when, the state of everybody who was weighed,
and how each attempt ended. People whom only the new configuration would have asked for count as idle and as scheduled.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from router.model.decision import (
    Action,
    Attempt,
    Connection,
    Decision,
    Facts,
    LineState,
    Origin,
    PlayMenu,
    Reason,
    SelectedBy,
    Selection,
)
from router.model.record import CallRecord
from router.policy import Policy, decide
from router.proof.simulation import LONGEST_COURSE

_SELECTED_BY = frozenset(SelectedBy)


class Treated(NamedTuple):
    """How a call was treated: what was tried in vain, and the last decision.

    Args:
        tried: targets that were tried without an answer, oldest first.
        action, target, shown_number, because: of the last decision, as in `CallRecord`.
    """

    tried: tuple[str, ...]
    action: str
    target: str | None
    shown_number: str | None
    because: tuple[Reason, ...]

    def differs(self, other: Treated) -> bool:
        """Say whether somebody would notice: other phones ring, it ends elsewhere, or another number is shown."""
        return self[:4] != other[:4]


class Change(NamedTuple):
    """A call that would be treated differently."""

    record: CallRecord
    before: Treated
    after: Treated


class Kind(NamedTuple):
    """What the calls of a group have in common.

    Args:
        tried_before, action_before, target_before: how they were treated; the target is "" where it is the person who
            was called, or the number that was dialled.
        tried_after, action_after, target_after: how they would be.
        shows_another: another number would be shown.
        reason_before, reason_after: rule and clause of the first reason that the other one does not have.
    """

    tried_before: tuple[str, ...]
    action_before: str
    target_before: str
    tried_after: tuple[str, ...]
    action_after: str
    target_after: str
    shows_another: bool
    reason_before: tuple[str, str]
    reason_after: tuple[str, str]


@dataclass
class Replay:
    """Calls decided again.

    Attributes:
        calls: how many were.
        changes: those that would be treated differently, by what they have in common.
        limited: calls that a limit refused: what was used then is not recorded, so they are not compared.
        stateless: calls of an older router, whose records hold no states: compared as if everybody had been idle.
    """

    calls: int = 0
    changes: dict[Kind, list[Change]] = field(default_factory=dict)
    limited: int = 0
    stateless: int = 0

    @property
    def different(self) -> int:
        """How many calls would be treated differently."""
        return sum(map(len, self.changes.values()))

    def groups(self) -> list[tuple[Kind, list[Change]]]:
        """Return the groups, the largest first."""
        return sorted(self.changes.items(), key=lambda group: -len(group[1]))


def replay(records: Iterable[CallRecord], policy: Policy) -> Replay:
    """Decide recorded calls again under `policy`."""
    result = Replay()
    for record in records:
        if any(reason.rule == "limit" for reason in record.because):
            result.limited += 1
            continue
        result.calls += 1
        if not record.configuration:
            result.stateless += 1
        before = as_recorded(record)
        after = decided_again(record, policy)
        if before.differs(after):
            change = Change(record, before, after)
            result.changes.setdefault(_kind(change), []).append(change)
    return result


def as_recorded(record: CallRecord) -> Treated:
    """Return how a call was treated."""
    tried = tuple([attempt.person for attempt in record.attempts])
    return Treated(tried, record.action, record.target, record.shown_number, record.because)


def decided_again(record: CallRecord, policy: Policy) -> Treated:
    """Return how `policy` would have treated a call, as far as is known how the targets that it tries would answer."""
    outcomes = {attempt.person: attempt.outcome for attempt in record.attempts}
    facts = recorded_facts(record)
    tried: list[str] = []
    chosen = list(record.chosen)
    while True:
        decision = decide(facts, policy, record.started)
        if isinstance(decision.target, PlayMenu) and chosen:
            facts = facts._replace(chosen=(*facts.chosen, chosen.pop(0)))
            continue
        target = None if decision.target is None else str(decision.target)
        outcome = outcomes.pop(target, None) if target is not None and _may_fail(decision) else None
        if outcome is None or target is None or len(tried) >= LONGEST_COURSE:
            return Treated(tuple(tried), decision.action.value, target, decision.shown_number, decision.because)
        tried.append(target)
        facts = facts._replace(attempts=(*facts.attempts, Attempt(target, outcome)))


def recorded_facts(record: CallRecord) -> Facts:
    """Return the facts of a recorded call, before anything was tried."""
    lines: dict[str, LineState] = {}
    selections: dict[str, tuple[Selection, ...]] = {}
    for weighed in record.weighed:
        lines[weighed.person] = weighed.line
        if weighed.profile is not None and weighed.by in _SELECTED_BY:
            selection = Selection(
                weighed.person,
                weighed.profile,
                SelectedBy(weighed.by),
                record.started,
                weighed.until,
                weighed.forward,
            )
            selections[weighed.person] = (selection,)
    return Facts(
        Origin(record.origin),
        record.peer,
        record.dialled,
        record.caller_person,
        None if record.connection is None else Connection(record.connection),
        record.caller,
        record.caller_name,
        record.withhold,
        lines,
        selections,
    )


def as_dict(replayed: Replay) -> dict[str, Any]:
    """Return a replay for programs."""
    return {
        "calls": replayed.calls,
        "different": replayed.different,
        "limited": replayed.limited,
        "stateless": replayed.stateless,
        "groups": [
            {"count": len(changes), "calls": [_change_as_dict(change) for change in changes]}
            for _, changes in replayed.groups()
        ],
    }


def differing_reasons(change: Change) -> tuple[Reason | None, Reason | None]:
    """Return the first reason before that does not hold after, and the first one after that did not hold before."""
    before = {_rule(reason): reason for reason in change.before.because}
    after = {_rule(reason): reason for reason in change.after.because}
    return (
        next((reason for rule, reason in before.items() if rule not in after), None),
        next((reason for rule, reason in after.items() if rule not in before), None),
    )


def _may_fail(decision: Decision) -> bool:
    return decision.action in (Action.RING, Action.FORWARD)


def _kind(change: Change) -> Kind:
    before, after = change.before, change.after
    gone, new = differing_reasons(change)
    return Kind(
        _general_tried(change, before),
        before.action,
        _general(change, before.target),
        _general_tried(change, after),
        after.action,
        _general(change, after.target),
        before.shown_number != after.shown_number,
        ("", "") if gone is None else (gone.rule, gone.clause),
        ("", "") if new is None else (new.rule, new.clause),
    )


def _general_tried(change: Change, treated: Treated) -> tuple[str, ...]:
    return tuple([_general(change, target) for target in treated.tried])


def _general(change: Change, target: str | None) -> str:
    """Return a target by name, "" for the person who was called and for the number that was dialled."""
    record = change.record
    if target is None or target == record.owner:
        return ""
    # A number outside that was dialled in another spelling ends alike.
    dialled = record.dialled.lstrip("+0")
    return "" if target[:1] == "+" and dialled and target.endswith(dialled) else target


def _rule(reason: Reason) -> tuple[str, str, str]:
    return reason.rule, reason.clause, reason.text


def _change_as_dict(change: Change) -> dict[str, Any]:
    record = change.record
    return {
        "call_id": record.call_id,
        "started": record.started,
        "caller": record.caller,
        "caller_person": record.caller_person,
        "dialled": record.dialled,
        "owner": record.owner,
        "before": _treated_as_dict(change.before),
        "after": _treated_as_dict(change.after),
    }


def _treated_as_dict(treated: Treated) -> dict[str, Any]:
    return {
        "tried": list(treated.tried),
        "action": treated.action,
        "target": treated.target,
        "shown_number": treated.shown_number,
        "because": [reason.as_dict() for reason in treated.because],
    }
