"""Bindings in an SQLite file, written behind: one transaction for everything that changed within a flush interval."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import JSON, Column, Float, Integer, MetaData, String, Table, delete, event, insert, select
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from router.model.binding import Binding
from router.ports import StoreError

FLUSH_INTERVAL = 0.5  # seconds; a thousand phones that register in one burst cost one transaction
MAX_RETRY_INTERVAL = 30.0  # seconds between attempts while the medium is at fault
BUSY_TIMEOUT = 2.0  # seconds to wait for a backup or an administrator who reads the file at the same time
SCHEMA_VERSION = 1  # kept in SQLite's user_version
MAX_USERS_PER_STATEMENT = 500  # SQLite bounds the variables of one statement

_log = logging.getLogger(__name__)

_metadata = MetaData()
_bindings = Table(
    "binding",
    _metadata,
    Column("user", String, primary_key=True),
    Column("contact", String, primary_key=True),
    Column("expires_at", Float, nullable=False),
    Column("call_id", String, nullable=False),
    Column("cseq", Integer, nullable=False),
    Column("transport", String, nullable=False),
    Column("host", String, nullable=False),
    Column("port", Integer, nullable=False),
    Column("q", Float, nullable=False),
    Column("path", JSON, nullable=False),
    Column("params", String, nullable=False),
    Column("instance", String, nullable=False),
    Column("user_agent", String, nullable=False),
)
_FIELDS = tuple(column.name for column in _bindings.columns)


class SqliteBindings:
    """Implements `ports.BindingStore`. Made by `open`.

    The newest state of each account waits in memory until the flush, so a burst of refreshes writes only the last.
    """

    def __init__(self, path: Path, engine: AsyncEngine, flush_interval: float) -> None:
        self._path = path
        self._engine = engine
        self._flush_interval = flush_interval
        self._pending: dict[str, tuple[Binding, ...]] = {}
        self._changed = asyncio.Event()
        self._closing = asyncio.Event()
        self._flusher = asyncio.create_task(self._flush_behind(), name=f"flush {path.name}")

    @classmethod
    async def open(cls, path: Path, flush_interval: float = FLUSH_INTERVAL) -> SqliteBindings:
        """Open or create the database.

        Args:
            path: the file; its directory must exist. SQLite adds two files beside it, `-wal` and `-shm`.
            flush_interval: longest time in seconds that a change waits to be written.

        Raises `StoreError` when it cannot be opened, read and written, is damaged, or was written by a newer version.
        """
        if not path.parent.is_dir():
            raise StoreError(f"{path}: the directory {path.parent} does not exist; create it, or name another file")
        await asyncio.to_thread(_examine, path)
        engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT})
        event.listen(engine.sync_engine, "connect", _configure_connection)
        try:
            async with engine.begin() as connection:
                await connection.run_sync(_metadata.create_all)
        except SQLAlchemyError as error:
            await engine.dispose()
            raise _store_error(path, error) from error
        return cls(path, engine, flush_interval)

    async def load(self) -> list[Binding]:
        try:
            async with self._engine.connect() as connection:
                rows = (await connection.execute(select(_bindings).order_by(_bindings.c.user))).mappings().all()
        except (SQLAlchemyError, ValueError) as error:  # ValueError: a JSON column that holds none
            raise _store_error(self._path, error) from error
        return [Binding(**{**row, "path": tuple(row["path"])}) for row in rows]

    def save(self, user: str, bindings: Sequence[Binding]) -> None:
        self._pending[user] = tuple(bindings)
        self._changed.set()

    async def close(self) -> None:
        # The flusher is let finish, never cancelled: a transaction is not to be interrupted half-way.
        self._closing.set()
        self._changed.set()
        await self._flusher
        try:
            await self._flush()
        except SQLAlchemyError as error:
            raise _store_error(self._path, error) from error
        finally:
            await self._engine.dispose()

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
            except SQLAlchemyError as error:
                self._changed.set()
                wait = min(max(1.0, wait * 2), MAX_RETRY_INTERVAL)
                _log.error("%s; tried again in %.0f s", _store_error(self._path, error), wait)

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
            async with self._engine.begin() as connection:
                for start in range(0, len(users), MAX_USERS_PER_STATEMENT):
                    chunk = users[start : start + MAX_USERS_PER_STATEMENT]
                    await connection.execute(delete(_bindings).where(_bindings.c.user.in_(chunk)))
                if rows:
                    await connection.execute(insert(_bindings), rows)
        except BaseException:
            self._pending = {**pending, **self._pending}  # what changed meanwhile is newer
            raise


_MOVE_AWAY = "move it away and start again: phones register anew within their expiry"


def _examine(path: Path) -> None:
    """Raise `StoreError` unless the file is, or can become, a sound database that we may write.

    Done by the plain driver before the engine exists: the thread of an asynchronous connection that failed to open
    outlives its event loop.
    """
    try:
        with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise StoreError(f"{path}: the database is damaged ({verdict}); {_MOVE_AWAY}")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise StoreError(f"{path}: written by a newer version of Renvoi (schema {version}); update Renvoi")
            # Written each time, so that a file that can only be read is found now and not at the first flush.
            connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    except sqlite3.Error as error:
        raise _store_error(path, error) from error


def _configure_connection(connection: DBAPIConnection, _record: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode = WAL")
    # A binding lost in a power cut comes back with the phone's next refresh, so a flush need not wait for the disk.
    cursor.execute("PRAGMA synchronous = NORMAL")
    cursor.close()


def _store_error(path: Path, error: Exception) -> StoreError:
    """What went wrong and what to do, in the words of the administrator."""
    cause = str(getattr(error, "orig", None) or error)
    if "not a database" in cause or "malformed" in cause or isinstance(error, ValueError):
        return StoreError(f"{path}: the database is damaged ({cause}); {_MOVE_AWAY}")
    if "readonly" in cause or "unable to open" in cause:
        return StoreError(f"{path}: not writable ({cause}); let the router's user write the file and its directory")
    if "full" in cause:
        return StoreError(f"{path}: the disk is full ({cause}); make room")
    if "locked" in cause:
        return StoreError(f"{path}: in use by another program ({cause}); is a second router running on it?")
    return StoreError(f"{path}: {cause}")
