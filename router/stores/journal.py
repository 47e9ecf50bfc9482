"""Changes of states on their way to the store, behind the calls."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import NamedTuple

from router.model.audit import AuditEntry
from router.model.decision import Selection
from router.ports import StateStore, StoreError

MAX_RETRY_INTERVAL = 30.0  # seconds between attempts while the medium is at fault
MAX_WAITING = 10_000  # changes that wait for a medium; beyond it the oldest are given up, each superseded or only audit

_log = logging.getLogger(__name__)

Told = Callable[[StoreError | None], None]


class _Change(NamedTuple):
    """What is to be written, and what it is about."""

    write: Callable[[], Awaitable[None]]
    entry: AuditEntry


class Journal:
    """Implements `ports.StateJournal`: one change after the other, in order, each durable before the next.

    A change that the store refuses stays, and is tried again; whoever waits for it is told at once.

    Args:
        store: stays open when this closes.
        retry_interval: seconds until the first further attempt; each takes twice as long as the one before.
    """

    def __init__(self, store: StateStore, retry_interval: float = 1.0) -> None:
        self._store = store
        self._retry_interval = retry_interval
        self._changes: deque[_Change] = deque()
        self._taken = 0  # changes taken so far
        self._done = 0  # changes written, or given up
        self._waiting: deque[tuple[int, Told]] = deque()  # (how many changes must be done, who waits)
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self._writer = asyncio.create_task(self._write_behind(), name="write states")

    def change(self, person: str, selections: Sequence[Selection], entry: AuditEntry) -> None:
        self._take(_Change(partial(self._store.change, person, tuple(selections), entry), entry))

    def record(self, entry: AuditEntry) -> None:
        self._take(_Change(partial(self._store.record, entry), entry))

    def keep_configuration(self, texts: bytes, entry: AuditEntry) -> None:
        self._take(_Change(partial(self._store.keep_configuration, texts, entry), entry))

    def when_written(self, told: Told) -> None:
        if self._done == self._taken:
            told(None)
        else:
            self._waiting.append((self._taken, told))

    async def written(self) -> None:
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
        self._closing.set()
        self._changed.set()
        await self._writer
        while self._changes:
            await self._changes[0].write()
            self._settle()

    def _take(self, change: _Change) -> None:
        if len(self._changes) == MAX_WAITING:
            given_up = self._changes[1]  # the first one may be with the store at this moment
            fault = f"the change of {given_up.entry.subject} is given up: too many wait for the disk"
            _log.error("%s", fault)
            self._tell(self._taken, StoreError(fault))
            del self._changes[1]
            self._done += 1
        self._changes.append(change)
        self._taken += 1
        self._changed.set()

    async def _write_behind(self) -> None:
        wait = self._retry_interval
        while not self._closing.is_set():
            await self._changed.wait()
            self._changed.clear()
            while self._changes and not self._closing.is_set():
                try:
                    await self._changes[0].write()
                except StoreError as error:
                    _log.error("%s; tried again in %.0f s", error, wait)
                    self._tell(self._taken, error)
                    with suppress(TimeoutError):  # whoever changes something now need not wait for the next attempt
                        await asyncio.wait_for(self._changed.wait(), wait)
                    self._changed.clear()
                    wait = min(wait * 2, MAX_RETRY_INTERVAL)
                else:
                    wait = self._retry_interval
                    self._settle()

    def _settle(self) -> None:
        """The oldest change is written."""
        self._changes.popleft()
        self._done += 1
        self._tell(self._done, None)

    def _tell(self, done: int, error: StoreError | None) -> None:
        while self._waiting and self._waiting[0][0] <= done:
            self._waiting.popleft()[1](error)
