"""The moments at which the policy can answer differently: the edges of its windows on each kind of day."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, time, tzinfo

from router.policy.schedule import MINUTES_PER_DAY, LocalTime, Window, local_time

HORIZON_DAYS = 400  # a year of public holidays, and what a year's end brings
DAY = 86_400.0  # seconds


class Moments:
    """The moments in [start, end) that stand for all of them, as far as windows and calendars are concerned.

    For each kind of day (which calendars it and the day before belong to) the first one is taken, and on it the first
    and the last minute of each stretch between edges of windows. Days beyond `HORIZON_DAYS` are like some day before.

    Args:
        zone: of the company.
        windows: all that the policy mentions.
        start, end: POSIX seconds.
    """

    def __init__(self, zone: tzinfo, windows: Iterable[Window], start: float, end: float) -> None:
        self._zone = zone
        self._bits = {window: 1 << index for index, window in enumerate(dict.fromkeys(windows))}
        end = min(end, start + HORIZON_DAYS * DAY)
        found: dict[float, LocalTime] = {start: local_time(start, zone)}
        for day in self._days(start, end):
            for minute in self._minutes():
                at = datetime.combine(date.fromordinal(day), time(*divmod(minute, 60)), zone).timestamp()
                here = local_time(at, zone)
                # A minute that a change of the clocks leaves out has no moment.
                if start <= at < end and here == (day, minute):
                    found[at] = here
        self.at: tuple[float, ...] = tuple(sorted(found))
        self.local: tuple[LocalTime, ...] = tuple(found[at] for at in self.at)
        self.all: tuple[int, ...] = tuple(range(len(self.at)))
        self._open = [self._signature(here) for here in self.local]
        self._parts: dict[tuple[tuple[int, ...], int], list[tuple[int, ...]]] = {}

    def split(self, chosen: tuple[int, ...], windows: Iterable[Window]) -> list[tuple[int, ...]]:
        """Part moments, given by index, by which of `windows` are open; the part of the first one comes first."""
        mask = 0
        for window in windows:
            mask |= self._bits[window]
        known = self._parts.get((chosen, mask))
        if known is None:
            parts: dict[int, list[int]] = {}
            for index in chosen:
                parts.setdefault(self._open[index] & mask, []).append(index)
            known = self._parts[chosen, mask] = [tuple(part) for part in parts.values()]
        return known

    def _signature(self, here: LocalTime) -> int:
        signature = 0
        for window, bit in self._bits.items():
            if window.covers(here):
                signature |= bit
        return signature

    def _days(self, start: float, end: float) -> list[int]:
        calendars = list(dict.fromkeys(window.calendar for window in self._bits))
        first, last = local_time(start, self._zone).day, local_time(end, self._zone).day
        kinds: dict[tuple[bool, ...], int] = {}
        for day in range(first + 1, last):
            kind = tuple(calendar.includes(d) for calendar in calendars for d in (day - 1, day))
            kinds.setdefault(kind, day)
        return sorted({first, *kinds.values(), last})

    def _minutes(self) -> list[int]:
        edges = {0, *(edge % MINUTES_PER_DAY for window in self._bits for edge in (window.start, window.end))}
        return sorted(edges | {(edge - 1) % MINUTES_PER_DAY for edge in edges})
