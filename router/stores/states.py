"""Selections, audit and the configurations that were in force, in the database. What returns has reached the disk."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import delete, desc, insert, select

from router.model.audit import AuditEntry
from router.model.decision import SelectedBy, Selection
from router.stores.database import Database
from router.stores.tables import audit, configurations, selections


class StoredConfiguration(NamedTuple):
    """A configuration as it was when it came into force.

    Args:
        hash: SHA-256 of its sources, hexadecimal.
        loaded_at: POSIX seconds on the policy's clock.
        actor: who loaded it: "start", "SIGHUP", "token reception".
        sources: text by file name; empty in a list of versions.
    """

    hash: str
    loaded_at: float
    actor: str
    sources: Mapping[str, str]


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
                rows = (
                    (await connection.execute(query.order_by(desc(audit.c.at), desc(audit.c.id)).limit(limit)))
                    .mappings()
                    .all()
                )
        return [AuditEntry(**{name: row[name] for name in AuditEntry._fields}) for row in rows]

    async def close(self) -> None:
        """Nothing waits here to be written."""

    # ------------------------------------------------------------------------------------- configurations (P1)

    async def keep_configuration(self, configuration: StoredConfiguration) -> None:
        """Keep a configuration that came into force, with an entry in the audit; one that is in force already is not
        kept again. Raises `StoreError`."""
        packed = zlib.compress(json.dumps(dict(configuration.sources), ensure_ascii=False).encode())
        newest = select(configurations.c.hash).order_by(desc(configurations.c.id)).limit(1)
        with self._database.faults():
            async with self._database.durable.begin() as connection:
                before = (await connection.execute(newest)).scalar()
                if before == configuration.hash:
                    return
                row = {**configuration._asdict(), "sources": packed}
                await connection.execute(insert(configurations), row)
                entry = AuditEntry(
                    configuration.loaded_at,
                    configuration.actor,
                    "load configuration",
                    configuration.hash,
                    before or "",
                    configuration.hash,
                )
                await connection.execute(insert(audit), entry._asdict())

    async def configurations(self) -> list[StoredConfiguration]:
        """Return what was in force, newest first, without the sources. Raises `StoreError`."""
        query = select(configurations.c.hash, configurations.c.loaded_at, configurations.c.actor)
        with self._database.faults():
            async with self._database.durable.connect() as connection:
                rows = (await connection.execute(query.order_by(desc(configurations.c.id)))).all()
        return [StoredConfiguration(*row, {}) for row in rows]

    async def configuration(self, beginning: str) -> StoredConfiguration | None:
        """Return the newest configuration whose hash begins so, with its sources; None where there is none. Raises
        `StoreError`."""
        query = select(configurations).where(configurations.c.hash.startswith(beginning, autoescape=True))
        with self._database.faults():
            async with self._database.durable.connect() as connection:
                row = (await connection.execute(query.order_by(desc(configurations.c.id)).limit(1))).mappings().first()
            if row is None:
                return None
            try:
                sources = json.loads(zlib.decompress(row["sources"]))
            except zlib.error as error:
                raise ValueError(f"the sources of configuration {row['hash'][:12]}: {error}") from error
            return StoredConfiguration(row["hash"], row["loaded_at"], row["actor"], sources)
