"""Writing behind the calls: what changed within an interval in one go, tried again until the medium takes it."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from contextlib import suppress

from router.ports import StoreError

MAX_RETRY_INTERVAL = 30.0  # seconds between attempts while the medium is at fault

_log = logging.getLogger(__name__)


class WriteBehind:
    """Has `flush` called after each change, and whoever waits for it told.

    Args:
        name: of the task.
        flush: writes all that is to be written when it is called, or raises `StoreError` and keeps it.
        interval: seconds that a change waits at most, unless somebody waits for it.
    """

    def __init__(self, name: str, flush: Callable[[], Awaitable[None]], interval: float) -> None:
        self._flush = flush
        self._interval = interval
        self._taken = 0  # changes noted so far
        self._done = 0  # changes written
        self._waiting: deque[tuple[int, Callable[[StoreError | None], None]]] = deque()  # (changes, who waits for them)
        self._changed = asyncio.Event()
        self._hurry = asyncio.Event()
        self._closing = False
        self._writer = asyncio.create_task(self._write(), name=name)

    def changed(self) -> None:
        """There is something to be written."""
        self._taken += 1
        self._changed.set()

    def when_written(self, told: Callable[[StoreError | None], None]) -> None:
        """Call `told` once everything noted so far is written (perhaps at once), or with what went wrong."""
        if self._done == self._taken:
            told(None)
        else:
            self._waiting.append((self._taken, told))
            self._hurry.set()

    async def written(self) -> None:
        """Wait for the same. Raises `StoreError`."""
        answer: asyncio.Future[StoreError | None] = asyncio.get_running_loop().create_future()

        def told(error: StoreError | None) -> None:
            if not answer.done():  # who waited may have been cancelled
                answer.set_result(error)

        self.when_written(told)
        error = await answer
        if error is not None:
            raise StoreError(str(error))

    async def close(self) -> None:
        """Write what is still to be written. Raises `StoreError` when that fails."""
        # The writer is let finish, never cancelled: a transaction is not to be interrupted half-way.
        self._closing = True
        self._hurry.set()
        self._changed.set()
        await self._writer
        await self._once()

    async def _write(self) -> None:
        wait = self._interval
        while True:
            await self._changed.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._hurry.wait(), wait)
            if self._closing:
                return
            self._changed.clear()
            self._hurry.clear()
            try:
                await self._once()
                wait = self._interval
            except StoreError as error:
                self._changed.set()
                wait = min(max(1.0, wait * 2), MAX_RETRY_INTERVAL)
                _log.error("%s; tried again in %.0f s", error, wait)
                self._tell(self._taken, error)

    async def _once(self) -> None:
        taken = self._taken
        await self._flush()
        self._done = taken
        self._tell(taken, None)

    def _tell(self, done: int, error: StoreError | None) -> None:
        while self._waiting and self._waiting[0][0] <= done:
            self._waiting.popleft()[1](error)
