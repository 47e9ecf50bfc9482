"""People's calendars: fetched, read aside, and turned into selections of profiles (REQUIREMENTS P2, R8)."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import aiohttp
import structlog

from router import aside
from router.configuration import Configuration
from router.feeds.copies import confirm_copy, copy_path, drop_copies, read_version
from router.feeds.events import READ_SECONDS, CalendarText, read_calendars
from router.feeds.refresh import Standing, keep_fresh
from router.feeds.source import FeedError, Version, digest_of, fetch
from router.model.decision import Selection
from router.model.feeds import CalendarFeed, CalendarRules
from router.model.tally import Counts
from router.ports import Clock

KIND: Final = "calendar"
GROUP: Final = "calendars"  # all of them in metrics, which name no person
MAX_BYTES: Final = 4 * 1024 * 1024  # of one calendar
MOST_AT_ONCE: Final = 50  # calendars that one child reads
PAUSE_SECONDS: Final = 1.0  # after each child, so that the next one has more to read
START_SECONDS: Final = 30.0  # over which the first looks of a start are spread
AGAIN_SECONDS: Final = 12 * 3600.0  # until calendars that did not change are read again, as the days go by

_log = structlog.get_logger("router.feeds")

# (person, all that their calendar selects from now on)
SetCalendar = Callable[[str, Sequence[Selection]], object]


class Calendars:
    """The calendars of the configuration in force.

    Args:
        set_calendar: is given what a calendar selects, whenever that changes.
        clock: the policy's.
        failures: where looks that failed are counted, under `GROUP`.

    Attributes:
        standings: of the calendars, by person.
    """

    def __init__(self, set_calendar: SetCalendar, clock: Clock, failures: Counts) -> None:
        self._set_calendar = set_calendar
        self._clock = clock
        self._failures = failures
        self._configuration: Configuration | None = None
        self._feeds: dict[str, CalendarFeed] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._reader: asyncio.Task[None] | None = None
        self._rules = CalendarRules()
        self._waiting: dict[str, tuple[CalendarText, asyncio.Future[None] | None]] = {}
        self._something_waits = asyncio.Event()
        self._some_are_gone = True  # for all that is known
        self.standings: dict[str, Standing] = {}

    def follow(self, configuration: Configuration, session: aiohttp.ClientSession) -> None:
        """Take over the calendars of a configuration. The last good copies are read at once."""
        feeds = {feed.person: feed for feed in configuration.feeds.calendars}
        before, self._configuration = self._configuration, configuration
        changed_rules = before is not None and (
            before.feeds.calendar_rules != configuration.feeds.calendar_rules
            or before.policy.zone != configuration.policy.zone
        )
        for person in [person for person, feed in self._feeds.items() if feeds.get(person) != feed]:
            del self._feeds[person], self.standings[person]
            self._tasks.pop(person).cancel()
            self._waiting.pop(person, None)
            self._some_are_gone = True
            if person not in feeds:
                self._set_calendar(person, ())
        for person, feed in feeds.items():
            path = copy_path(configuration.data_directory, KIND, feed.url)
            if person not in self._feeds:
                self._feeds[person] = feed
                standing = self.standings[person] = Standing(
                    f"calendar {person}", GROUP, feed.stale_after, None, self._failures
                )
                first = random.uniform(0, min(feed.every, START_SECONDS, len(feeds)))
                look = _Look(self, feed, path, session, standing)
                self._tasks[person] = asyncio.create_task(
                    keep_fresh(look, standing, feed.every, first), name=standing.name
                )
                self._put(CalendarText(person, path), None)
            elif changed_rules:
                self._put(CalendarText(person, path), None)
        self._something_waits.set()
        if self._reader is None:
            self._reader = asyncio.create_task(self._read(), name="read calendars")

    async def read(self, text: CalendarText) -> None:
        """Have a calendar read, and put in force what it selects. Raises `FeedError` or `AsideError`."""
        result: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(text, result)
        await result

    async def close(self) -> None:
        """Look at no calendar any more."""
        tasks = [*self._tasks.values(), *([self._reader] if self._reader is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._tasks.clear()
        self._reader = None

    # ------------------------------------------------------------------------------------------------ inside

    def _put(self, text: CalendarText, result: asyncio.Future[None] | None) -> None:
        if text.chunks is None and text.person in self._waiting:
            return  # something newer than the copy waits already
        self._waiting[text.person] = (text, result)
        self._something_waits.set()

    async def _read(self) -> None:
        """Read what waits, as much at once as there is, and now and then everything."""
        read_all = time.monotonic() + AGAIN_SECONDS
        while True:
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + max(0, read_all - time.monotonic())):
                    await self._something_waits.wait()
            except TimeoutError:
                read_all = time.monotonic() + AGAIN_SECONDS
                self._put_all()
            batch = [self._waiting.pop(person) for person in list(self._waiting)[:MOST_AT_ONCE]]
            if not self._waiting:
                self._something_waits.clear()
            if self._some_are_gone:
                self._some_are_gone = False
                await asyncio.to_thread(drop_copies, *self._copies())
            if batch:
                await self._read_batch(batch)
                await asyncio.sleep(PAUSE_SECONDS)

    def _copies(self) -> tuple[Path, str, frozenset[Path]]:
        """Where the copies are that are still needed: nobody's calendar is kept for longer than it has to be."""
        assert self._configuration is not None
        directory = self._configuration.data_directory
        return directory, KIND, frozenset(copy_path(directory, KIND, feed.url) for feed in self._feeds.values())

    def _put_all(self) -> None:
        assert self._configuration is not None
        for person, feed in self._feeds.items():
            path = copy_path(self._configuration.data_directory, KIND, feed.url)
            self._put(CalendarText(person, path), None)

    async def _read_batch(self, batch: list[tuple[CalendarText, asyncio.Future[None] | None]]) -> None:
        assert self._configuration is not None
        rules, zone = self._configuration.feeds.calendar_rules, self._configuration.policy.zone
        seconds = 30.0 + READ_SECONDS * len(batch)
        texts = tuple(text for text, _ in batch)
        try:
            found = await aside.run_within(seconds, read_calendars, texts, rules, zone, self._clock())
        except Exception as error:  # whatever it is: the next ones have to be read all the same
            if len(batch) > 1:
                for one in batch:  # so that one of them harms no other
                    await self._read_batch([one])
            else:
                self._tell(*batch[0], error)
            return
        for text, result in batch:
            selections = found.get(text.person)
            if isinstance(selections, str):
                self._tell(text, result, FeedError(selections))
                continue
            if selections is not None and text.person in self._feeds:
                self._set_calendar(text.person, selections)
            self._tell(text, result, None)

    def _tell(self, text: CalendarText, result: asyncio.Future[None] | None, error: Exception | None) -> None:
        if result is None:
            if error is not None:
                _log.warning("copy of a calendar cannot be used", feed=f"calendar {text.person}", fault=str(error))
        elif not result.done():
            if error is None:
                result.set_result(None)
            else:
                result.set_exception(error)


class _Look:
    """One look at a calendar."""

    def __init__(
        self, calendars: Calendars, feed: CalendarFeed, path: Path, session: aiohttp.ClientSession, standing: Standing
    ) -> None:
        self._calendars = calendars
        self._feed = feed
        self._path = path
        self._session = session
        self._standing = standing
        self._digest = b""  # of what is in force, for sources that do not tell whether they changed

    async def __call__(self) -> None:
        copy = await asyncio.to_thread(read_version, self._path)
        if copy is not None:
            self._standing.fetched_at = copy[1]
        now = time.time()
        fetched = await fetch(self._session, self._feed.url, copy[0] if copy is not None else Version(), MAX_BYTES)
        if fetched is None:
            await asyncio.to_thread(confirm_copy, self._path, now)
            return
        digest = await asyncio.to_thread(digest_of, fetched)
        if digest == self._digest:
            await asyncio.to_thread(confirm_copy, self._path, now)
            return
        text = CalendarText(self._feed.person, self._path, fetched.chunks, fetched.version, now)
        await self._calendars.read(text)
        self._digest = digest
