"""Bindings in the database, written behind: one transaction for everything that changed within a flush interval."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, insert, select

from router.model.binding import Binding
from router.stores.database import Database
from router.stores.tables import bindings as table
from router.stores.write_behind import WriteBehind

FLUSH_INTERVAL = 0.5  # seconds; a thousand phones that register in one burst cost one transaction
MAX_USERS_PER_STATEMENT = 500  # SQLite bounds the variables of one statement

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
        self._pending: dict[str, tuple[Binding, ...]] = {}
        self._behind = WriteBehind("write bindings", self._flush, flush_interval)

    async def load(self) -> list[Binding]:
        with self._database.faults():
            async with self._database.quick.connect() as connection:
                rows = (await connection.execute(select(table).order_by(table.c.user))).mappings().all()
        return [Binding(**{**row, "path": tuple(row["path"])}) for row in rows]

    def save(self, user: str, bindings: Sequence[Binding]) -> None:
        self._pending[user] = tuple(bindings)
        self._behind.changed()

    async def close(self) -> None:
        await self._behind.close()

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
