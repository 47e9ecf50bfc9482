"""Waiting lines in the database, written behind: places, agents, statistics. What was waited for is on the disk."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from sqlalchemy import Table, and_, bindparam, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from router.model.queue import FloorChanges, HourCounts, StoredAgent, StoredFloor, StoredPlace
from router.ports import StoreError
from router.stores.database import Database
from router.stores.tables import queue_agents, queue_handling, queue_hours, queue_places
from router.stores.write_behind import WriteBehind

FLUSH_INTERVAL = 0.5  # seconds; whoever comes, waits and goes within costs no write of their own

Row = dict[str, Any]
Rows = dict[tuple[object, ...], Row | None]  # by primary key; None: to be deleted


class SqliteQueues:
    """Implements `ports.QueueStore`. The newest state of everything that changed waits in memory until the flush.

    Args:
        database: stays open when this closes.
        flush_interval: longest time in seconds that a change waits to be written, unless somebody waits for it.
    """

    def __init__(self, database: Database, flush_interval: float = FLUSH_INTERVAL) -> None:
        self._database = database
        self._pending: dict[Table, Rows] = {}
        self._behind = WriteBehind("write queues", self._flush, flush_interval)

    async def load(self, hours_since: float) -> StoredFloor:
        recent = select(queue_hours).where(queue_hours.c.hour >= hours_since)
        with self._database.faults():
            async with self._database.durable.connect() as connection:
                places = await _rows(connection, select(queue_places))
                agents = await _rows(connection, select(queue_agents))
                hours = await _rows(connection, recent)
                handling = await _rows(connection, select(queue_handling))
            return StoredFloor(
                tuple(
                    StoredPlace(**{**row, "needs": tuple((name, level) for name, level in row["needs"])})
                    for row in places
                ),
                tuple(StoredAgent(**row) for row in agents),
                tuple(HourCounts(**{**row, "within": tuple(row["within"])}) for row in hours),
                tuple((row["queue"], row["seconds"]) for row in handling),
            )

    def save(self, changes: FloorChanges) -> None:
        self._take(queue_places, (place._asdict() for place in changes.places))
        self._pending.setdefault(queue_places, {}).update(((identity,), None) for identity in changes.gone)
        self._take(queue_agents, (agent._asdict() for agent in changes.agents))
        self._take(queue_hours, (hour._asdict() for hour in changes.hours))
        self._take(queue_handling, ({"queue": queue, "seconds": seconds} for queue, seconds in changes.handling))
        self._behind.changed()

    def when_written(self, told: Callable[[StoreError | None], None]) -> None:
        self._behind.when_written(told)

    async def written(self) -> None:
        await self._behind.written()

    async def close(self) -> None:
        await self._behind.close()

    def _take(self, table: Table, rows: Iterable[Row]) -> None:
        keys = [column.name for column in table.primary_key]
        self._pending.setdefault(table, {}).update((tuple(row[key] for key in keys), row) for row in rows)

    async def _flush(self) -> None:
        """Write what is pending in one transaction; what could not be written stays pending."""
        pending, self._pending = self._pending, {}
        if not any(pending.values()):
            return
        try:
            with self._database.faults():
                async with self._database.durable.begin() as connection:
                    for table, rows in pending.items():
                        await _replace(connection, table, rows)
        except BaseException:
            for table, rows in self._pending.items():  # what changed meanwhile is newer
                pending[table] = {**pending.get(table, {}), **rows}
            self._pending = pending
            raise


async def _rows(connection: AsyncConnection, query: Any) -> list[Row]:
    return [dict(row) for row in (await connection.execute(query)).mappings()]


async def _replace(connection: AsyncConnection, table: Table, rows: Rows) -> None:
    """Put rows in place of those that had their keys."""
    if not rows:
        return
    columns = [*table.primary_key]
    these = and_(*[column == bindparam(f"key_{column.name}") for column in columns])
    keys = [{f"key_{column.name}": value for column, value in zip(columns, key, strict=True)} for key in rows]
    await connection.execute(delete(table).where(these), keys)
    kept = [row for row in rows.values() if row is not None]
    if kept:
        await connection.execute(insert(table), kept)
