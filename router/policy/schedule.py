"""Calendars and daily windows, on the wall clock of the company's time zone (REQUIREMENTS G6, G7)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import NamedTuple

MINUTES_PER_DAY = 24 * 60
_FAR_FUTURE = 100 * 366 * 86_400.0  # seconds; an end beyond is as good as none, and later ones have no date at all


class LocalTime(NamedTuple):
    """Wall-clock time: `day` is a proleptic Gregorian ordinal (`date.toordinal`), `minute` counts from midnight."""

    day: int
    minute: int


def local_time(now: float, zone: tzinfo) -> LocalTime:
    """Wall-clock time at `now` (POSIX seconds). Across a daylight-saving change the wall clock is what counts."""
    moment = datetime.fromtimestamp(now, zone)
    return LocalTime(moment.toordinal(), moment.hour * 60 + moment.minute)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A set of days: the weekdays (Monday is 0) and the days in `also`, minus those in `without` (both ordinals)."""

    name: str
    weekdays: frozenset[int]
    also: frozenset[int] = frozenset()
    without: frozenset[int] = frozenset()

    def includes(self, day: int) -> bool:
        """Say whether the day with this ordinal belongs to the calendar."""
        # Ordinal 1, 1 January of year 1, was a Monday.
        return ((day - 1) % 7 in self.weekdays or day in self.also) and day not in self.without


@dataclass(frozen=True, slots=True)
class Window:
    """The half-open interval [start, end) on the days of a calendar, in minutes since midnight.

    A window whose end is not after its start passes midnight and belongs to the day on which it starts:
    17:00 to 08:00 on Friday ends on Saturday at 08:00, and 08:00 to 08:00 lasts 24 hours.
    """

    calendar: Calendar
    start: int
    end: int

    def covers(self, time: LocalTime) -> bool:
        """Say whether the window is open at this time."""
        if self.start < self.end:
            return self.start <= time.minute < self.end and self.calendar.includes(time.day)
        if time.minute >= self.start:
            return self.calendar.includes(time.day)
        return time.minute < self.end and self.calendar.includes(time.day - 1)

    def __str__(self) -> str:
        return f"{clock(self.start)}–{clock(self.end)}, {self.calendar.name}"  # noqa: RUF001 (typography, not a minus)


def clock(minute: int) -> str:
    """Write minutes since midnight as "08:00"; the end of the day is "24:00"."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def until_words(until: float | None, now: float, zone: tzinfo) -> tuple[str, str]:
    """Write an end (POSIX seconds) in English and in French, to be put behind something; "" twice where there is none.

    The day is named only where it is not that of `now`.
    """
    if until is None or until - now > _FAR_FUTURE:
        return "", ""
    end = datetime.fromtimestamp(until, zone)
    time = clock(end.hour * 60 + end.minute)
    if end.date() == datetime.fromtimestamp(now, zone).date():
        return f" until {time}", f" jusqu'à {time}"
    return f" until {end.date().isoformat()} {time}", f" jusqu'au {end:%d/%m/%Y} à {time}"
