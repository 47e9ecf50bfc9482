"""Bindings in the database, written behind: one transaction for everything that changed within a flush interval."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress

from sqlalchemy import delete, insert, select

from router.model.binding import Binding
from router.ports import StoreError
from router.stores.database import Database
from router.stores.tables import bindings as table

FLUSH_INTERVAL = 0.5  # seconds; a thousand phones that register in one burst cost one transaction
MAX_RETRY_INTERVAL = 30.0  # seconds between attempts while the medium is at fault
MAX_USERS_PER_STATEMENT = 500  # SQLite bounds the variables of one statement

_log = logging.getLogger(__name__)
_FIELDS = tuple(column.name for column in table.columns)


class SqliteBindings:
    """Implements `ports.BindingStore`.

    The newest state of each account waits in memory until the flush, so a burst of refreshes writes only the last. A
    binding lost in a power cut comes back with the phone's next refresh, so a flush need not wait for the disk.

    Args:
        database: stays open when this closes.
        flush_interval: longest time in seconds that a change waits to be written.
    """

    def __init__(self, database: Database, flush_interval: float = FLUSH_INTERVAL) -> None:
        self._database = database
        self._flush_interval = flush_interval
        self._pending: dict[str, tuple[Binding, ...]] = {}
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self._flusher = asyncio.create_task(self._flush_behind(), name="write bindings")

    async def load(self) -> list[Binding]:
        with self._database.faults():
            async with self._database.quick.connect() as connection:
                rows = (await connection.execute(select(table).order_by(table.c.user))).mappings().all()
        return [Binding(**{**row, "path": tuple(row["path"])}) for row in rows]

    def save(self, user: str, bindings: Sequence[Binding]) -> None:
        self._pending[user] = tuple(bindings)
        self._changed.set()

    async def close(self) -> None:
        # The flusher is let finish, never cancelled: a transaction is not to be interrupted half-way.
        self._closing.set()
        self._changed.set()
        await self._flusher
        await self._flush()

    async def _flush_behind(self) -> None:
        wait = self._flush_interval
        while not self._closing.is_set():
            await self._changed.wait()
            with suppress(TimeoutError):
                await asyncio.wait_for(self._closing.wait(), wait)
            self._changed.clear()
            try:
                await self._flush()
                wait = self._flush_interval
            except StoreError as error:
                self._changed.set()
                wait = min(max(1.0, wait * 2), MAX_RETRY_INTERVAL)
                _log.error("%s; tried again in %.0f s", error, wait)

    async def _flush(self) -> None:
        """Write what is pending in one transaction; what could not be written stays pending."""
        pending, self._pending = self._pending, {}
        if not pending:
            return
        users = list(pending)
        rows = [
            {name: getattr(binding, name) for name in _FIELDS} for bindings in pending.values() for binding in bindings
        ]
        try:
            with self._database.faults():
                async with self._database.quick.begin() as connection:
                    for start in range(0, len(users), MAX_USERS_PER_STATEMENT):
                        chunk = users[start : start + MAX_USERS_PER_STATEMENT]
                        await connection.execute(delete(table).where(table.c.user.in_(chunk)))
                    if rows:
                        await connection.execute(insert(table), rows)
        except BaseException:
            self._pending = {**pending, **self._pending}  # what changed meanwhile is newer
            raise
