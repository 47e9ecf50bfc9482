"""Callers who are to be called back (P3), in the database. What returns has reached the disk."""

from __future__ import annotations

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.model.callback import Callback
from router.stores.database import Database
from router.stores.group_commit import GroupCommit
from router.stores.tables import callbacks as table


class SqliteCallbacks:
    """Implements `ports.CallbackStore`.

    Args:
        database: stays open when this closes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._commit = GroupCommit(database)

    async def load(self) -> list[Callback]:
        with self._database.faults():
            async with self._database.durable.connect() as connection:
                rows = (await connection.execute(select(table).order_by(table.c.taken_at, table.c.id))).mappings().all()
        return [Callback(**row) for row in rows]

    async def add(self, callback: Callback) -> None:
        await self._commit.run(lambda connection: connection.execute(insert(table), callback._asdict()))

    async def change(self, callback: Callback) -> bool:
        async def write(connection: AsyncConnection) -> int:
            changed = update(table).where(table.c.id == callback.id).values(callback._asdict())
            return (await connection.execute(changed)).rowcount

        return await self._commit.run(write) > 0

    async def remove(self, identity: str) -> None:
        await self._commit.run(lambda connection: connection.execute(delete(table).where(table.c.id == identity)))

    async def close(self) -> None:
        """Wait until everything is written."""
        await self._commit.close()
