"""The one SQLite file in which everything lies that outlives the process."""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import NullPool, create_engine, event
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from router.ports import StoreError, StoreFullError

SCHEMA_VERSION = 6  # of the newest migration; kept in SQLite's user_version, where every release looks first
BUSY_TIMEOUT = 2.0  # seconds to wait for a backup or an administrator who reads the file at the same time
_log = logging.getLogger(__name__)
_MIGRATIONS = Path(__file__).parent / "migrations"
_MOVE_AWAY = "move it away and start again: phones register anew within their expiry"


class Database:
    """Made by `open`, and closed after the stores that use it.

    Attributes:
        path: the file.
        quick: connections that return before the disk has it: a power cut can cost the last moments.
        durable: connections whose commit survives a power cut.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.quick = _engine(path, "NORMAL")
        self.durable = _engine(path, "FULL")

    @classmethod
    async def open(cls, path: Path) -> Database:
        """Open or create the database, and bring its schema up to date.

        Args:
            path: the file; its directory must exist. SQLite adds two files beside it, `-wal` and `-shm`.

        Raises `StoreError` when it cannot be opened, read and written, is damaged, or was written by a newer version.
        """
        if not path.parent.is_dir():
            raise StoreError(f"{path}: the directory {path.parent} does not exist; create it, or name another file")
        await asyncio.to_thread(_prepare, path)
        return cls(path)

    @contextmanager
    def faults(self) -> Iterator[None]:
        """Turn what goes wrong within into a `StoreError` that says what to do."""
        try:
            yield
        except (SQLAlchemyError, ValueError) as error:  # ValueError: a column that does not hold what it should
            raise _store_error(self.path, error) from error

    async def close(self) -> None:
        await self.quick.dispose()
        await self.durable.dispose()


def _engine(path: Path, synchronous: str) -> AsyncEngine:
    engine = create_async_engine(f"sqlite+aiosqlite:///{path}", connect_args={"timeout": BUSY_TIMEOUT})

    def configure(connection: DBAPIConnection, _record: Any) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA synchronous = {synchronous}")
        cursor.close()

    event.listen(engine.sync_engine, "connect", configure)
    return engine


def _prepare(path: Path) -> None:
    """Raise `StoreError` unless the file is, or has become, a sound database of our schema that we may write.

    Done by the plain driver before the engines exist: the thread of an asynchronous connection that failed to open
    outlives its event loop.
    """
    try:
        if not path.exists():  # only the router's own user reads who called, and the configuration's secrets
            path.touch(0o600, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)) as connection:
            (verdict,) = connection.execute("PRAGMA quick_check(1)").fetchone()
            if verdict != "ok":
                raise StoreError(f"{path}: the database is damaged ({verdict}); {_MOVE_AWAY}")
            (version,) = connection.execute("PRAGMA user_version").fetchone()
            if version > SCHEMA_VERSION:
                raise StoreError(f"{path}: written by a newer version of Renvoi (schema {version}); update Renvoi")
            connection.execute("PRAGMA journal_mode = WAL")
            # Written each time, so that a file that can only be read is found now and not at the first flush.
            connection.execute(f"PRAGMA user_version = {version}")
        if version < SCHEMA_VERSION:
            path.chmod(0o600)  # those of the first release were open to others, and held bindings alone
            _migrate(path)
    except (sqlite3.Error, SQLAlchemyError, OSError) as error:
        raise _store_error(path, error) from error


def _migrate(path: Path) -> None:
    """Run the migrations that are missing, all in one transaction: after a power cut the old schema is there, whole."""
    from alembic import command  # takes a sixth of a second to import, and is needed once in a file's life
    from alembic.config import Config

    engine = create_engine(f"sqlite:///{path}", poolclass=NullPool, connect_args={"timeout": BUSY_TIMEOUT})
    event.listen(engine, "connect", _leave_transactions_alone)
    event.listen(engine, "begin", _begin)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # what it does is said here, in one line
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        connection.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}")
    _log.info("%s has schema %d now", path, SCHEMA_VERSION)


def _leave_transactions_alone(connection: DBAPIConnection, _record: Any) -> None:
    # Python's driver would commit by itself around what changes a table; SQLAlchemy says BEGIN and COMMIT instead.
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _store_error(path: Path, error: Exception) -> StoreError:
    """What went wrong and what to do, in the words of the administrator."""
    cause = str(getattr(error, "orig", None) or error)
    if "not a database" in cause or "malformed" in cause or isinstance(error, ValueError):
        return StoreError(f"{path}: the database is damaged ({cause}); {_MOVE_AWAY}")
    if "readonly" in cause or "unable to open" in cause or isinstance(error, OSError):
        return StoreError(f"{path}: not writable ({cause}); let the router's user write the file and its directory")
    if "full" in cause:
        return StoreFullError(f"{path}: the disk is full ({cause}); make room")
    if "locked" in cause:
        return StoreError(f"{path}: in use by another program ({cause}); is a second router running on it?")
    return StoreError(f"{path}: {cause}")
