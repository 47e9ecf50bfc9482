"""People's calendars (P2): what they select comes into force, follows them, and outlives what happens to a source."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from router.configuration import load
from router.feeds import calendars, refresh
from router.feeds.calendars import Calendars
from router.feeds.copies import copy_path
from router.model.decision import Selection
from router.model.feeds import CalendarFeed, CalendarRules, Feeds
from router.model.tally import Counts
from tests.feeds.keeper import Keeper
from tests.feeds.test_events import UTC_EVENT, calendar

SAMPLE = Path(__file__).parents[2] / "config"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=ZoneInfo("Europe/Brussels")).timestamp()
RULES = CalendarRules((), "meeting", (("meeting", 2),))


class Desk:
    """The calendars of one router; `selected` is what they told it, by person."""

    def __init__(self, folder: Path, keeper: Keeper, session: aiohttp.ClientSession) -> None:
        self.folder = folder
        self.keeper = keeper
        self.session = session
        self.selected: dict[str, Sequence[Selection]] = {}
        self.failures = Counts()
        self.calendars = Calendars(self.selected.__setitem__, lambda: NOW, self.failures)

    def follow(self, *people: str, rules: CalendarRules = RULES) -> None:
        feeds = tuple(CalendarFeed(person, self.url(person), 0.1, 3600.0) for person in people)
        configuration = replace(load(SAMPLE), data_directory=self.folder, feeds=Feeds((), feeds, rules))
        self.calendars.follow(configuration, self.session)

    def url(self, person: str) -> str:
        return f"{self.keeper.url}/{person}"

    def profiles(self, person: str) -> list[str] | None:
        return [selection.profile for selection in self.selected[person]] if person in self.selected else None

    def copy(self, person: str) -> Path:
        return copy_path(self.folder, "calendar", self.url(person))


@pytest.fixture
async def desk(
    tmp_path: Path, keeper: Keeper, session: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Desk]:
    for module, name in ((refresh, "FIRST_RETRY"), (calendars, "PAUSE_SECONDS"), (calendars, "START_SECONDS")):
        monkeypatch.setattr(module, name, 0.1)
    desk = Desk(tmp_path, keeper, session)
    yield desk
    await desk.calendars.close()


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(40):
        while not holds():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_calendar_selects_and_is_followed(desk: Desk) -> None:
    desk.keeper.gives("/claire", calendar(UTC_EVENT))
    desk.keeper.gives("/marc", calendar())
    desk.follow("claire", "marc")
    await until(lambda: desk.profiles("claire") == ["meeting"] and desk.profiles("marc") == [])
    desk.keeper.gives("/claire", calendar(UTC_EVENT, UTC_EVENT.replace("20261124", "20261125")))
    await until(lambda: desk.profiles("claire") == ["meeting", "meeting"])


async def test_nonsense_leaves_what_was_selected_and_harms_nobody_else(desk: Desk) -> None:
    desk.keeper.gives("/claire", calendar(UTC_EVENT))
    desk.follow("claire", "marc")
    await until(lambda: desk.profiles("claire") == ["meeting"] and desk.failures[("calendars",)] > 0)
    desk.keeper.gives("/claire", "<html>Sign in</html>")
    await until(lambda: "cannot be read as a calendar" in desk.calendars.standings["claire"].fault)
    assert desk.profiles("claire") == ["meeting"]
    desk.keeper.gives("/marc", calendar(UTC_EVENT))
    await until(lambda: desk.profiles("marc") == ["meeting"])
    assert desk.calendars.standings["marc"].fault == ""


async def test_copies_are_in_force_after_a_restart(desk: Desk, tmp_path: Path) -> None:
    desk.keeper.gives("/claire", calendar(UTC_EVENT))
    desk.follow("claire")
    await until(desk.copy("claire").exists)
    await desk.calendars.close()
    await desk.keeper.close()
    restarted = Desk(tmp_path, desk.keeper, desk.session)
    restarted.follow("claire")
    await until(lambda: restarted.profiles("claire") == ["meeting"])
    await until(lambda: restarted.calendars.standings["claire"].fault != "")
    assert restarted.profiles("claire") == ["meeting"]
    await restarted.calendars.close()


async def test_who_has_no_calendar_any_more_has_no_selections_and_no_copy(desk: Desk) -> None:
    desk.keeper.gives("/claire", calendar(UTC_EVENT))
    desk.keeper.gives("/marc", calendar(UTC_EVENT))
    desk.follow("claire", "marc")
    await until(lambda: desk.profiles("claire") == desk.profiles("marc") == ["meeting"])
    desk.follow("marc")
    assert desk.profiles("claire") == []
    await until(lambda: not desk.copy("claire").exists())
    assert desk.copy("marc").exists()


async def test_other_rules_hold_without_another_fetch(desk: Desk) -> None:
    desk.keeper.gives("/claire", calendar(UTC_EVENT))
    desk.follow("claire")
    await until(lambda: desk.profiles("claire") == ["meeting"])
    await until(desk.copy("claire").exists)
    desk.keeper.hangs("/claire")
    desk.follow("claire", rules=CalendarRules((("budget", "holiday"),), "meeting", (("holiday", 3), ("meeting", 2))))
    await until(lambda: desk.profiles("claire") == ["holiday"])
