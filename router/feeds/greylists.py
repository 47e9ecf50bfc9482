"""Lists of prefixes that somebody else keeps (REQUIREMENTS X2): fetched, verified and compiled aside, then in force."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import aiohttp
import structlog

from router import aside
from router.configuration import Configuration, load
from router.configuration.greylist import UnusableListError, compile_list
from router.feeds.copies import confirm_copy, copy_path, keep_copy, read_copy, read_version
from router.feeds.refresh import Standing, keep_fresh
from router.feeds.source import FeedError, Fetched, Version, digest_of, fetch
from router.feeds.verification import verify_sha256, verify_signature
from router.model.feeds import GreylistFeed
from router.model.tally import Counts
from router.policy.dialling import PLANS
from router.policy.prefixes import ListSource, PrefixTable

MAX_SIDECAR_BYTES: Final = 64 * 1024  # of a file with a checksum or a signature
COMPILE_SECONDS: Final = 120.0  # for a million prefixes on a busy machine

_log = structlog.get_logger("router.feeds")


@dataclass(frozen=True, slots=True)
class Compiled:
    """A list that can be used, and how many of its lines could not be read."""

    table: PrefixTable
    unreadable: int


@dataclass(frozen=True, slots=True)
class Reading:
    """A configuration, and the last good copies of the lists that it names."""

    configuration: Configuration
    tables: Mapping[GreylistFeed, PrefixTable]


def read_configuration(directory: Path, compiled: frozenset[GreylistFeed] = frozenset()) -> Reading:
    """Load a configuration, and compile the copies of its lists, without those that are `compiled` already.

    Raises:
        ConfigurationError: see `load`.
    """
    configuration = load(directory)
    feeds = [feed for feed in configuration.feeds.greylists if feed not in compiled]
    return Reading(configuration, compile_copies(configuration.data_directory, feeds))


def with_copies(configuration: Configuration) -> Configuration:
    """Return a configuration whose greylist holds the last good copies of its lists, for who does not serve calls."""
    tables = compile_copies(configuration.data_directory, configuration.feeds.greylists)
    return with_lists(configuration, tables.values())


def with_lists(configuration: Configuration, tables: Iterable[PrefixTable]) -> Configuration:
    """Return a configuration whose greylist holds these lists as well."""
    policy = configuration.policy
    return replace(configuration, policy=replace(policy, greylist=policy.greylist.with_lists(tables)))


def compile_copies(data_directory: Path, feeds: Iterable[GreylistFeed]) -> dict[GreylistFeed, PrefixTable]:
    """Compile the last good copies. One that is missing, or damaged, is left out: it will be fetched."""
    tables = {}
    for feed in feeds:
        copy = read_copy(copy_path(data_directory, "greylist", feed.url))
        if copy is not None:
            source = ListSource(feed.name, feed.inbound, copy.fetched_at)
            try:
                tables[feed] = compile_list(copy.data, source, PLANS[feed.country]).table
            except UnusableListError as error:
                _log.warning("copy of a feed cannot be used", feed=feed.name, fault=str(error))
    return tables


def accept_list(
    data_directory: Path,
    feed: GreylistFeed,
    fetched: Fetched,
    published: bytes,
    signature: bytes,
    before: int,
    now: float,
) -> Compiled:
    """Verify and compile what was fetched, and keep it as the last good copy.

    Args:
        published: what stands where its SHA-256 should be; signature: the same for its signature.
        before: how many prefixes the last good copy has.
        now: POSIX seconds at which it was fetched.

    Raises:
        FeedError: it is not what its keeper published, or no list. Nothing was kept then.
    """
    data = b"".join(fetched.chunks)
    if feed.sha256:
        verify_sha256(data, published)
    if feed.signature:
        verify_signature(data, signature, feed.signed_by)
    try:
        compiled = compile_list(data, ListSource(feed.name, feed.inbound, now), PLANS[feed.country], before=before)
    except UnusableListError as error:
        raise FeedError(str(error)) from error
    keep_copy(copy_path(data_directory, "greylist", feed.url), data, fetched.version, now)
    return Compiled(compiled.table, len(compiled.unreadable))


class Greylists:
    """The lists of the configuration in force.

    Args:
        changed: told when a list has changed, to take `tables` over.
        failures: where looks that failed are counted, by (feed,).

    Attributes:
        standings: of the sources, by feed.
    """

    def __init__(self, changed: Callable[[], None], failures: Counts) -> None:
        self._changed = changed
        self._failures = failures
        self._tables: dict[GreylistFeed, PrefixTable] = {}
        self._tasks: dict[GreylistFeed, asyncio.Task[None]] = {}
        self.standings: dict[GreylistFeed, Standing] = {}

    @property
    def tables(self) -> list[PrefixTable]:
        """The lists to be in force, in the order of the configuration."""
        return [self._tables[feed] for feed in self.standings if feed in self._tables]

    @property
    def compiled(self) -> frozenset[GreylistFeed]:
        """The feeds whose lists are here."""
        return frozenset(self._tables)

    def follow(self, reading: Reading, session: aiohttp.ClientSession) -> None:
        """Take over the sources of a configuration. `changed` is not told of it."""
        configuration = reading.configuration
        self._tables.update(reading.tables)
        before, self.standings = self.standings, {}
        for feed in configuration.feeds.greylists:
            standing = before.get(feed)
            if standing is None:
                table = self._tables.get(feed)
                known = table.sources[0].fetched_at if table is not None and table.sources else None
                standing = Standing(feed.name, feed.name, feed.stale_after, known, self._failures)
                first = 0.0 if known is None else min(feed.every, max(0.0, known + feed.every - time.time()))
                look = _Look(self, feed, configuration.data_directory, session)
                self._tasks[feed] = asyncio.create_task(keep_fresh(look, standing, feed.every, first), name=feed.name)
            self.standings[feed] = standing
        for feed in set(self._tasks) - set(self.standings):
            self._tasks.pop(feed).cancel()
            self._tables.pop(feed, None)

    def entry_count(self, feed: GreylistFeed) -> int:
        """How many prefixes the list of a feed has."""
        table = self._tables.get(feed)
        return 0 if table is None else table.entry_count

    def put(self, feed: GreylistFeed, table: PrefixTable) -> None:
        """Put a new list in force."""
        if feed in self.standings:
            self._tables[feed] = table
            self._changed()

    async def close(self) -> None:
        """Look at no source any more."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)
        self._tasks.clear()


class _Look:
    """One look at the source of a list."""

    def __init__(
        self, lists: Greylists, feed: GreylistFeed, data_directory: Path, session: aiohttp.ClientSession
    ) -> None:
        self._lists = lists
        self._feed = feed
        self._data_directory = data_directory
        self._path = copy_path(data_directory, "greylist", feed.url)
        self._session = session
        self._digest = b""  # of what is in force, for sources that do not tell whether they changed

    async def __call__(self) -> None:
        feed, session = self._feed, self._session
        copy = await asyncio.to_thread(read_version, self._path)
        known = copy[0] if copy is not None and feed in self._lists.compiled else Version()
        now = time.time()
        fetched = await fetch(session, feed.url, known)
        if fetched is None:
            await asyncio.to_thread(confirm_copy, self._path, now)
            return
        digest = await asyncio.to_thread(digest_of, fetched)
        if digest == self._digest:
            await asyncio.to_thread(confirm_copy, self._path, now)
            return
        published, signature = await self._beside(feed.sha256), await self._beside(feed.signature)
        compiled = await aside.run_within(
            COMPILE_SECONDS,
            accept_list,
            self._data_directory,
            feed,
            fetched,
            published,
            signature,
            self._lists.entry_count(feed),
            now,
        )
        _log.info(
            "list is in force", feed=feed.name, prefixes=compiled.table.entry_count, unreadable=compiled.unreadable
        )
        self._digest = digest
        self._lists.put(feed, compiled.table)

    async def _beside(self, where: str) -> bytes:
        """Return what stands beside a list: written out in the configuration, or at a URL."""
        if ":" not in where:
            return where.encode()
        fetched = await fetch(self._session, where, limit=MAX_SIDECAR_BYTES)
        assert fetched is not None  # no version is known of it
        return b"".join(fetched.chunks)
