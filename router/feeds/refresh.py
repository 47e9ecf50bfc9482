"""One source, fetched again and again: when it is due, after how long it is tried again, and how it stands."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from typing import Final

import structlog

from router.aside import AsideError
from router.feeds.source import FeedError
from router.model.tally import Counts

FIRST_RETRY: Final = 15.0  # seconds; twice as long after each further failure, up to the usual interval
JITTER: Final = 0.1  # of an interval, so that routers and sources do not fall into step

_log = structlog.get_logger("router.feeds")


class Standing:
    """How a source stands.

    Args:
        failures: where looks that failed are counted, as (group,).

    Attributes:
        name: of the feed.
        group: its name in metrics.
        stale_after: seconds without a look that succeeded until it is reported.
        fetched_at: POSIX seconds of the last look that succeeded; of the beginning, before the first one.
        fault: why the last look failed; "" when it did not.
    """

    def __init__(self, name: str, group: str, stale_after: float, fetched_at: float | None, failures: Counts) -> None:
        self.name = name
        self.group = group
        self.stale_after = stale_after
        self.fetched_at = time.time() if fetched_at is None else fetched_at
        self._failures = failures
        self.fault = ""

    @property
    def age(self) -> float:
        """Seconds since the last look that succeeded."""
        return max(0.0, time.time() - self.fetched_at)

    @property
    def stale(self) -> bool:
        return self.age > self.stale_after

    def succeeded(self) -> None:
        if self.fault:
            _log.info("feed is fetched again", feed=self.name)
        self.fetched_at = time.time()
        self.fault = ""

    def failed(self, fault: str) -> None:
        self._failures[(self.group,)] += 1
        if fault != self.fault:
            _log.warning("feed cannot be used; the last good copy stays", feed=self.name, fault=fault)
        self.fault = fault


async def keep_fresh(look: Callable[[], Awaitable[None]], standing: Standing, every: float, first: float) -> None:
    """Look at a source for ever.

    Args:
        look: fetches it, and puts what came in force.
        every: seconds between two looks.
        first: seconds until the first one.
    """
    delay = first
    failed = 0
    while True:
        await asyncio.sleep(delay * random.uniform(1 - JITTER, 1 + JITTER))
        try:
            await look()
        except (FeedError, AsideError, OSError) as error:
            standing.failed(str(error))
        except Exception as error:
            _log.exception("feed cannot be looked at: a mistake of ours", feed=standing.name)
            standing.failed(type(error).__name__)
        else:
            standing.succeeded()
            delay, failed = every, 0
            continue
        delay = min(every, FIRST_RETRY * 2.0 ** min(failed, 20))
        failed += 1
