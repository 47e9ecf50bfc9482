"""Selections, audit and the configurations that were in force, in the database. What returns has reached the disk."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import RowMapping, delete, desc, insert, select

from router.model.audit import AuditEntry
from router.model.decision import SelectedBy, Selection
from router.stores.database import Database
from router.stores.tables import audit, configurations, selections


class Version(NamedTuple):
    """A configuration that was in force.

    Args:
        hash: SHA-256 of its sources, hexadecimal.
        loaded_at: POSIX seconds on the policy's clock.
        actor: who loaded it: "start", "SIGHUP", "token reception".
    """

    hash: str
    loaded_at: float
    actor: str


class SqliteStates:
    """Implements `ports.StateStore`, and keeps the versions of the configuration (P1).

    Args:
        database: stays open when this closes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> list[Selection]:
        with self._database.faults():
            async with self._database.durable.connect() as connection:
                rows = (await connection.execute(select(selections).order_by(selections.c.person))).mappings().all()
            return [Selection(**{**row, "by": SelectedBy(row["by"])}) for row in rows]

    async def change(self, person: str, kept: Sequence[Selection], entry: AuditEntry) -> None:
        with self._database.faults():
            async with self._database.durable.begin() as connection:
                await connection.execute(delete(selections).where(selections.c.person == person))
                if kept:
                    await connection.execute(insert(selections), [selection._asdict() for selection in kept])
                await connection.execute(insert(audit), entry._asdict())

    async def record(self, entry: AuditEntry) -> None:
        with self._database.faults():
            async with self._database.durable.begin() as connection:
                await connection.execute(insert(audit), entry._asdict())

    async def audit(self, *, since: float, until: float, subject: str, limit: int) -> list[AuditEntry]:
        query = select(audit).where(audit.c.at >= since, audit.c.at < until)
        if subject:
            query = query.where(audit.c.subject == subject)
        with self._database.faults():
            async with self._database.durable.connect() as connection:
                newest = query.order_by(desc(audit.c.at), desc(audit.c.id)).limit(limit)
                rows = (await connection.execute(newest)).mappings().all()
        return [_entry(row) for row in rows]

    async def entries_of(self, actions: Sequence[str]) -> list[AuditEntry]:
        """Return every entry of certain actions, oldest first. Raises `StoreError`."""
        query = select(audit).where(audit.c.action.in_(actions)).order_by(audit.c.at, audit.c.id)
        with self._database.faults():
            async with self._database.durable.connect() as connection:
                rows = (await connection.execute(query)).mappings().all()
        return [_entry(row) for row in rows]

    async def close(self) -> None:
        """Nothing waits here to be written."""

    # ------------------------------------------------------------------------------------- configurations (P1)

    async def keep_configuration(self, texts: bytes, entry: AuditEntry) -> None:
        newest = select(configurations.c.hash).order_by(desc(configurations.c.id)).limit(1)
        with self._database.faults():
            async with self._database.durable.begin() as connection:
                before = (await connection.execute(newest)).scalar() or ""
                if before == entry.subject:
                    return
                version = {"hash": entry.subject, "loaded_at": entry.at, "actor": entry.actor, "texts": texts}
                await connection.execute(insert(configurations), version)
                await connection.execute(insert(audit), entry._replace(before=before)._asdict())

    async def configurations(self) -> list[Version]:
        """Return which configurations were in force, newest first. Raises `StoreError`."""
        query = select(configurations.c.hash, configurations.c.loaded_at, configurations.c.actor)
        with self._database.faults():
            async with self._database.durable.connect() as connection:
                rows = (await connection.execute(query.order_by(desc(configurations.c.id)))).all()
        return [Version(*row) for row in rows]

    async def texts(self, beginning: str) -> bytes | None:
        """Return the packed texts of the newest configuration whose hash begins so; None where there is none. Raises
        `StoreError`."""
        query = select(configurations.c.texts).where(configurations.c.hash.startswith(beginning, autoescape=True))
        with self._database.faults():
            async with self._database.durable.connect() as connection:
                found = (await connection.execute(query.order_by(desc(configurations.c.id)).limit(1))).scalar()
        return None if found is None else bytes(found)


def _entry(row: RowMapping) -> AuditEntry:
    return AuditEntry(*[row[name] for name in AuditEntry._fields])
