"""Compiles calendars and opening hours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import holidays

from router.configuration.compilation import Compilation
from router.configuration.findings import Mark
from router.configuration.schema import HoursWindow
from router.policy.schedule import Calendar, Window

FIRST_HOLIDAY_YEAR = 2024  # a simulation rarely asks for an earlier one
HOLIDAY_YEARS_AHEAD = 5  # nobody keeps a router running for longer without a reload


def compile_calendars(compilation: Compilation) -> dict[str, Calendar]:
    """Return the calendars by name, public holidays worked out."""
    compiled: dict[str, Calendar] = {}
    for name, section in compilation.document.calendars.items():
        also = {day.toordinal() for day in section.days.dates}
        if section.days.public_holidays:
            also |= _public_holidays(compilation)
        without: set[int] = set()
        if section.without is not None:
            without = {day.toordinal() for day in section.without.dates}
            if section.without.public_holidays:
                without |= _public_holidays(compilation)
        weekdays = section.days.weekdays - (section.without.weekdays if section.without else frozenset())
        compiled[name] = Calendar(name, weekdays, frozenset(also), frozenset(without))
    return compiled


def compile_hours(compilation: Compilation, calendars: dict[str, Calendar]) -> dict[str, tuple[Window, ...]]:
    """Return the opening hours by name."""
    compiled: dict[str, tuple[Window, ...]] = {}
    for name, entries in compilation.document.hours.items():
        mark = compilation.mark("hours", name)
        windows = [compile_window(compilation, entry, calendars, mark) for entry in entries]
        compiled[name] = tuple(window for window in windows if window is not None)
    return compiled


def compile_window(
    compilation: Compilation, entry: HoursWindow, calendars: Mapping[str, Calendar], mark: Mark
) -> Window | None:
    """Return a window; None, with a finding, when its calendar is unknown."""
    calendar = calendars.get(entry.calendar)
    if calendar is None:
        compilation.unknown("calendar", entry.calendar, mark, "calendars", calendars)
        return None
    return Window(calendar, entry.start, entry.end)


def _public_holidays(compilation: Compilation) -> set[int]:
    company = compilation.document.company
    years = range(FIRST_HOLIDAY_YEAR, date.today().year + HOLIDAY_YEARS_AHEAD + 1)
    try:
        days = holidays.country_holidays(company.country, subdiv=company.region, years=years)
    except NotImplementedError as error:
        if not compilation.gaps.covers("company", "country"):
            compilation.error(compilation.mark("company", "region"), f"no public holidays are known: {error}")
        return set()
    return {day.toordinal() for day in days}
