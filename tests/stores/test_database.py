"""The database file: made, taken over from earlier releases, and refused where it is not sound."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from router.model.audit import AuditEntry
from router.model.binding import Binding
from router.ports import StoreError
from router.stores.bindings import SqliteBindings
from router.stores.database import SCHEMA_VERSION, Database
from router.stores.states import SqliteStates
from router.stores.tables import metadata

# As the first release left it: one table, the number of its schema, and nothing of Alembic.
FIRST_RELEASE = """
CREATE TABLE binding (
    user VARCHAR NOT NULL, contact VARCHAR NOT NULL, expires_at FLOAT NOT NULL, call_id VARCHAR NOT NULL,
    cseq INTEGER NOT NULL, transport VARCHAR NOT NULL, host VARCHAR NOT NULL, port INTEGER NOT NULL, q FLOAT NOT NULL,
    path JSON NOT NULL, params VARCHAR NOT NULL, instance VARCHAR NOT NULL, user_agent VARCHAR NOT NULL,
    PRIMARY KEY (user, contact)
);
INSERT INTO binding VALUES ('201', 'sip:201@192.0.2.7', 1795600000.25, 'a@192.0.2.7', 7, 'udp', '192.0.2.7', 5060, 1.0,
    '["<sip:edge.example;lr>"]', '', '', 'Desk/1.0');
PRAGMA user_version = 1;
"""
DESK = Binding(
    "201", "sip:201@192.0.2.7", 1795600000.25, "a@192.0.2.7", 7, "udp", "192.0.2.7", 5060,
    path=("<sip:edge.example;lr>",), user_agent="Desk/1.0",
)  # fmt: skip


def first_release(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.executescript(FIRST_RELEASE)
    connection.close()


async def made(path: Path) -> None:
    await (await Database.open(path)).close()


def tables(path: Path) -> set[str]:
    with sqlite3.connect(path) as connection:
        found = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    connection.close()
    return found


@pytest.mark.parametrize("before", ["nothing", "first release"])
async def test_the_migrations_make_exactly_the_tables_that_are_used(tmp_path: Path, before: str) -> None:
    path = tmp_path / "renvoi.sqlite"
    if before == "first release":
        first_release(path)
    await made(path)
    engine = create_engine(f"sqlite:///{path}")
    with engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
        assert connection.exec_driver_sql("PRAGMA user_version").scalar() == SCHEMA_VERSION
    engine.dispose()


async def test_a_file_of_the_first_release_keeps_its_bindings(tmp_path: Path) -> None:
    path = tmp_path / "renvoi.sqlite"
    first_release(path)
    database = await Database.open(path)
    store = SqliteBindings(database)
    assert await store.load() == [DESK]
    await store.close()
    await database.close()


def open_to_others(directory: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o077 for file in directory.iterdir()}


@pytest.mark.parametrize("before", ["nothing", "first release"])
async def test_only_its_own_user_reads_the_file(tmp_path: Path, before: str) -> None:
    path = tmp_path / "renvoi.sqlite"
    if before == "first release":
        first_release(path)
    database = await Database.open(path)
    await SqliteStates(database).record(AuditEntry(1.0, "start", "load configuration", "aa11"))
    assert open_to_others(tmp_path) == {
        "renvoi.sqlite": 0,
        "renvoi.sqlite-wal": 0,
        "renvoi.sqlite-shm": 0,
    }
    await database.close()


async def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "renvoi.sqlite"
    first_release(path)
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE configuration (something TEXT)")  # in the way of the last table of schema 2
    connection.close()
    before = tables(path)
    with pytest.raises(StoreError, match="configuration already exists"):
        await Database.open(path)
    assert tables(path) == before
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE configuration")
    connection.close()
    await made(path)


async def test_a_damaged_database_is_named_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "renvoi.sqlite"
    path.write_bytes(b"this was a database once" * 1000)
    with pytest.raises(StoreError, match=r"renvoi\.sqlite: the database is damaged .* move it away"):
        await Database.open(path)


async def test_a_database_of_which_a_page_is_damaged_is_found_at_the_start(tmp_path: Path) -> None:
    path = tmp_path / "renvoi.sqlite"
    await made(path)
    with sqlite3.connect(path) as connection:
        row = (1.0, "somebody" * 20, "something", "201", "", "")
        connection.executemany('INSERT INTO audit (at, actor, action, subject, "before", after) VALUES (?,?,?,?,?,?)',
                               [row] * 500)  # fmt: skip
    connection.close()
    content = bytearray(path.read_bytes())
    assert len(content) > 4096 * 16
    content[4096 * 12 : 4096 * 16] = b"\xff" * (4096 * 4)
    path.write_bytes(content)
    with pytest.raises(StoreError, match="the database is damaged"):
        await Database.open(path)


async def test_a_database_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "renvoi.sqlite"
    with sqlite3.connect(path) as newer:
        newer.execute("PRAGMA user_version = 99")
    newer.close()
    with pytest.raises(StoreError, match=r"newer version of Renvoi \(schema 99\); update Renvoi"):
        await Database.open(path)
    assert tables(path) == set()


async def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"nowhere does not exist; create it"):
        await Database.open(tmp_path / "nowhere" / "renvoi.sqlite")


async def test_a_path_that_cannot_be_a_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "renvoi.sqlite").mkdir()
    with pytest.raises(StoreError, match=r"renvoi\.sqlite: not writable"):
        await Database.open(tmp_path / "renvoi.sqlite")
