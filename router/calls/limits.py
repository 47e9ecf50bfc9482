"""Counts the calls to limited destinations (REQUIREMENTS X2): what the policy reads as `Facts.usage`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from router.model.decision import Action, Usage
from router.model.record import CallRecord
from router.policy.schedule import local_time
from router.policy.snapshot import Policy

_GO_OUT: Final = (Action.DIAL.value, Action.FORWARD.value)


class LimitedCalls:
    """What was called of limited destinations, in this minute and on this day.

    The exchange hands `usage` to each decision. A call whose decision has `limits` reports twice, with the policy by
    which it was decided:

        limited_calls.begun(policy, decision.limits, decision.person, now)           # when it is dialled
        limited_calls.ended(policy, decision.limits, decision.person, talked, now)   # when an answered one is over

    A day's last figures are dropped with the first call of another day, so there is at most one entry for each group
    and person. After a restart the day's calls are counted again from their records.

    Attributes:
        usage: by (group, person), as `Facts.usage` says.
    """

    __slots__ = ("_day", "usage")

    def __init__(self) -> None:
        self.usage: dict[tuple[str, str], Usage] = {}
        self._day = 0

    def begun(self, policy: Policy, groups: tuple[str, ...], person: str | None, now: float) -> None:
        """Count a call that is being dialled, and the cost that it counts in advance.

        Args:
            policy: by which it was decided.
            groups: `Decision.limits`; person: `Decision.person`.
            now: POSIX seconds on the policy's clock.
        """
        minute = int(now // 60)
        day = self._today(policy, now)
        for name in groups:
            group = policy.limits.groups[name]
            key = group.usage_key(person)
            known = self.usage.get(key)
            in_minute = known.in_minute if known is not None and known.minute == minute else 0
            in_day, cost = (known.in_day, known.cost) if known is not None else (0, 0.0)
            self.usage[key] = Usage(minute, in_minute + 1, day, in_day + 1, cost + group.advance)

    def ended(
        self, policy: Policy, groups: tuple[str, ...], person: str | None, talked_seconds: float, now: float
    ) -> None:
        """Add what a call cost beyond its advance, to the day on which it ends.

        Args:
            policy, groups, person, now: see `begun`.
            talked_seconds: from the answer to the end; 0 for a call that nobody answered.
        """
        day = self._today(policy, now)
        for name in groups:
            group = policy.limits.groups[name]
            beyond = max(talked_seconds / 60.0 - group.minutes, 0.0) * group.cost_per_minute
            if beyond > 0.0:
                key = group.usage_key(person)
                known = self.usage.get(key) or Usage(int(now // 60), 0, day, 0, 0.0)
                self.usage[key] = known._replace(cost=known.cost + beyond)

    def recall(self, policy: Policy, latest: Iterable[CallRecord], now: float) -> None:
        """Count the calls of this day again, from their records.

        Args:
            policy: in force.
            latest: records, that of the call which ended last first; no more are taken than are of this day.
            now: see `begun`.
        """
        day = self._today(policy, now)
        calls: list[tuple[CallRecord, tuple[str, ...]]] = []
        for record in latest:
            if local_time(record.started + record.ended_after, policy.zone).day < day:
                break
            if record.action in _GO_OUT and record.legs and record.target is not None:
                groups = tuple([group.name for group in policy.limits.of_number(record.target)])
                if groups:
                    calls.append((record, groups))
        for record, groups in reversed(calls):
            if local_time(record.started, policy.zone).day == day:
                self.begun(policy, groups, record.owner, record.started)
            if record.answered_after is not None:
                talked = record.ended_after - record.answered_after
                self.ended(policy, groups, record.owner, talked, now)

    def _today(self, policy: Policy, now: float) -> int:
        """Return the company's day, and forget what was counted on another."""
        day = local_time(now, policy.zone).day
        if day != self._day:
            self._day = day
            self.usage.clear()
        return day
