"""How much may be called of a group of destinations: calls a minute, calls a day, cost a day (REQUIREMENTS X2)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Final

from router.model.decision import Reason, Usage
from router.policy.schedule import MINUTES_PER_DAY, LocalTime, clock

_ROUNDING: Final = 1e-9  # what sums of costs may be wrong by
_NO_GROUPS: Final[tuple[LimitedGroup, ...]] = ()


@dataclass(frozen=True, slots=True)
class LimitedGroup:
    """A group of destinations and its bounds; None: no such bound.

    Args:
        name: as in the configuration.
        per_person: every caller has the bounds to themselves; False: the whole company has them together.
        calls_per_minute, calls_per_day: of the clock, and of the company's days.
        cost_per_minute, cost_per_day: in one currency.
        minutes: of a call whose cost counts when it begins.
        source: where the limit is written.
    """

    name: str
    per_person: bool
    calls_per_minute: int | None
    calls_per_day: int | None
    cost_per_minute: float
    cost_per_day: float | None
    minutes: float
    source: str

    @property
    def advance(self) -> float:
        """What a call counts when it begins."""
        return self.cost_per_minute * self.minutes

    def usage_key(self, person: str | None) -> tuple[str, str]:
        """Return the key of `Facts.usage` for calls of this person (None: of nobody who is known)."""
        return self.name, (person or "") if self.per_person else ""

    def exceeded(self, usage: Usage, now: float, time: LocalTime) -> Reason | None:
        """Return why no more calls may be made at `now`, which is `time` on the company's clock; None: one more may."""
        tomorrow = date.fromordinal(time.day + 1)
        next_day = f"from {tomorrow.isoformat()}", f"à partir du {tomorrow:%d/%m/%Y}"
        if usage.day == time.day:
            if self.cost_per_day is not None and usage.cost + self.advance > self.cost_per_day + _ROUNDING:
                cost = f"{self.cost_per_day:g}"
                return self._reason(
                    f"a cost of {cost} a day", f"un coût de {cost.replace('.', ',')} par jour", next_day
                )
            if self.calls_per_day is not None and usage.in_day >= self.calls_per_day:
                return self._reason(
                    f"{_calls(self.calls_per_day)} a day", f"{_appels(self.calls_per_day)} par jour", next_day
                )
        most = self.calls_per_minute
        if most is not None and usage.minute == int(now // 60) and usage.in_minute >= most:
            minute = clock((time.minute + 1) % MINUTES_PER_DAY)
            next_minute = f"from {minute}", f"à partir de {minute}"
            return self._reason(f"{_calls(most)} a minute", f"{_appels(most)} par minute", next_minute)
        return None

    def _reason(self, bound: str, borne: str, again: tuple[str, str]) -> Reason:
        whose, de_qui = ("per person", "par personne") if self.per_person else ("in all", "pour toute l'entreprise")
        return Reason(
            "X2",
            f"{self.name}: at most {bound}, {whose}; again {again[0]}",
            self.source,
            f"{self.name} : au plus {borne}, {de_qui} ; à nouveau {again[1]}",
            "limit",
        )


@dataclass(frozen=True, slots=True)
class Limits:
    """All limited groups.

    Args:
        groups: by name.
        by_prefix: the groups to which a number belongs, by the longest prefix (with "+") that fits it.
        lengths: of these prefixes, longest first.
    """

    groups: Mapping[str, LimitedGroup] = field(default_factory=lambda: MappingProxyType({}))
    by_prefix: Mapping[str, tuple[LimitedGroup, ...]] = field(default_factory=lambda: MappingProxyType({}))
    lengths: tuple[int, ...] = ()

    @classmethod
    def of(cls, groups: Iterable[tuple[LimitedGroup, Iterable[str], Iterable[str]]]) -> Limits:
        """Compile groups.

        Args:
            groups: each with its prefixes, and those excepted from it (with "+"; "+" alone is every number). Within a
                group the longest one that fits decides; of one in both, the exception.
        """
        known: dict[str, LimitedGroup] = {}
        rules: list[tuple[LimitedGroup, dict[str, bool]]] = []
        for group, prefixes, without in groups:
            known[group.name] = group
            rules.append((group, dict.fromkeys(prefixes, True) | dict.fromkeys(without, False)))
        by_prefix: dict[str, tuple[LimitedGroup, ...]] = {}
        for prefix in {prefix for _, rule in rules for prefix in rule}:
            by_prefix[prefix] = tuple([group for group, rule in rules if _holds(rule, prefix)])
        lengths = sorted({len(prefix) for prefix in by_prefix}, reverse=True)
        return cls(MappingProxyType(known), MappingProxyType(by_prefix), tuple(lengths))

    def of_number(self, number: str) -> tuple[LimitedGroup, ...]:
        """Return the groups to which a number (E.164 with "+") belongs, in the order of the configuration."""
        for length in self.lengths:
            groups = self.by_prefix.get(number[:length])
            if groups is not None:
                return groups
        return _NO_GROUPS


NO_LIMITS: Final = Limits()


def _holds(rule: Mapping[str, bool], number: str) -> bool:
    for length in range(len(number), 0, -1):
        belongs = rule.get(number[:length])
        if belongs is not None:
            return belongs
    return False


def _calls(count: int) -> str:
    return "1 call" if count == 1 else f"{count} calls"


def _appels(count: int) -> str:
    return "1 appel" if count == 1 else f"{count} appels"
