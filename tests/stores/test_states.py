"""The contract of `StateStore`, kept by every store; and what SQLite keeps besides (P1, P2)."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from router.configuration.texts import pack, unpack
from router.model.audit import AuditEntry
from router.model.decision import SelectedBy, Selection
from router.ports import StateStore, StoreError
from router.stores.database import Database
from router.stores.memory import MemoryStates
from router.stores.states import SqliteStates, Version
from tests.stores.reopening import Reopening

OWN = Selection("claire", "meeting", SelectedBy.PERSON, 1000.5, 4600.25, "reception", "phone 201")
SET = Selection("claire", "leave", SelectedBy.ADMINISTRATOR, 900.0, None, "", "token Réception")
OTHER = Selection("marc", "lunch", SelectedBy.PERSON, 1000.0)


def entry(at: float, subject: str = "claire", action: str = "select profile") -> AuditEntry:
    return AuditEntry(at, "phone 201", action, subject, "", "meeting")


Reopen = Callable[[], Awaitable[StateStore]]


@pytest.fixture(params=["memory", "sqlite"])
async def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Reopen]:
    """Closes the store, if it is open, and opens it again with what it kept."""
    again = Reopening[StateStore](request.param, tmp_path, SqliteStates, MemoryStates)
    yield again
    await again.close()


async def everything(store: StateStore) -> list[AuditEntry]:
    return await store.audit(since=0.0, until=1e10, subject="", limit=100)


async def test_a_new_store_is_empty(reopen: Reopen) -> None:
    store = await reopen()
    assert await store.load() == []
    assert await everything(store) == []


async def test_selections_come_back_exactly_as_they_were_saved(reopen: Reopen) -> None:
    store = await reopen()
    await store.change("claire", [SET, OWN], entry(1000.5))
    await store.change("marc", [OTHER], entry(1001.0, "marc"))
    assert sorted(await (await reopen()).load()) == sorted([SET, OWN, OTHER])


async def test_a_change_replaces_everything_of_that_person_and_nothing_of_others(reopen: Reopen) -> None:
    store = await reopen()
    await store.change("claire", [SET, OWN], entry(1000.5))
    await store.change("marc", [OTHER], entry(1001.0, "marc"))
    await store.change("claire", [SET], entry(1002.0, action="take selection back"))
    assert sorted(await (await reopen()).load()) == sorted([SET, OTHER])
    store = await reopen()
    await store.change("claire", [], entry(1003.0, action="take selection back"))
    assert await (await reopen()).load() == [OTHER]


async def test_every_change_is_in_the_audit_newest_first(reopen: Reopen) -> None:
    """P1: who changed what, and when."""
    store = await reopen()
    entries = [entry(1000.0), entry(1002.0, "marc"), entry(1001.0), entry(1002.0)]
    for number, one in enumerate(entries):
        if number == 1:
            await store.record(one)
        else:
            await store.change("claire", [OWN], one)
    store = await reopen()
    first, second, third, fourth = entries
    assert await everything(store) == [fourth, second, third, first]
    assert await store.audit(since=0.0, until=1e10, subject="", limit=2) == [fourth, second]
    assert await store.audit(since=0.0, until=1e10, subject="claire", limit=100) == [fourth, third, first]
    assert await store.audit(since=1001.0, until=1002.0, subject="", limit=100) == [third]


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(tmp_path / "renvoi.sqlite")
    yield database
    await database.close()


async def test_what_sqlite_returned_from_is_seen_by_others_and_on_the_disk(database: Database) -> None:
    store = SqliteStates(database)
    await store.change("claire", [OWN], entry(1000.5))
    with sqlite3.connect(database.path) as reader:
        assert reader.execute("SELECT profile, until FROM selection").fetchall() == [("meeting", 4600.25)]
    reader.close()
    async with database.durable.connect() as connection:
        assert (await connection.exec_driver_sql("PRAGMA synchronous")).scalar() == 2  # FULL: the WAL is synced


async def test_a_change_that_fails_saves_neither_selection_nor_entry(database: Database) -> None:
    store = SqliteStates(database)
    await store.change("claire", [SET], entry(1000.0))
    with sqlite3.connect(database.path) as other:
        other.execute("CREATE TRIGGER no BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    other.close()
    with pytest.raises(StoreError, match=r"renvoi\.sqlite: the disk is full"):
        await store.change("claire", [OWN], entry(1001.0))
    assert await store.load() == [SET]
    assert await everything(store) == [entry(1000.0)]


async def test_a_file_that_somebody_else_holds_is_named(database: Database) -> None:
    other = sqlite3.connect(database.path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreError, match="in use by another program"):
        await SqliteStates(database).record(entry(1000.0))
    other.close()


async def test_a_selection_that_somebody_wrote_into_the_file_is_named(database: Database) -> None:
    with sqlite3.connect(database.path) as other:
        other.execute("INSERT INTO selection VALUES ('claire', 'nobody', 'meeting', 0, NULL, '', '')")
    other.close()
    with pytest.raises(StoreError, match="'nobody' is not a valid SelectedBy"):
        await SqliteStates(database).load()


def loaded(at: float, hash: str, actor: str) -> AuditEntry:
    return AuditEntry(at, actor, "load configuration", hash, "", hash)


async def test_a_configuration_that_is_in_force_already_is_not_loaded_again(reopen: Reopen) -> None:
    """P1: each change of the configuration, and no restart, stands in the audit."""
    store = await reopen()
    await store.keep_configuration(b"first", loaded(1000.0, "aa11", "start"))
    await store.keep_configuration(b"first", loaded(1500.0, "aa11", "start"))
    await store.keep_configuration(b"second", loaded(2000.0, "bb22", "SIGHUP"))
    await store.keep_configuration(b"first", loaded(3000.0, "aa11", "token office"))
    assert [(e.at, e.actor, e.before, e.after) for e in await everything(store)] == [
        (3000.0, "token office", "bb22", "aa11"),
        (2000.0, "SIGHUP", "aa11", "bb22"),
        (1000.0, "start", "", "aa11"),
    ]


async def test_configurations_are_kept_with_their_texts(database: Database) -> None:
    """P1: versioned."""
    store = SqliteStates(database)
    first, second = {"company.yaml": "company: {name: Été}\n"}, {"company.yaml": "company: {name: Hiver}\n"}
    await store.keep_configuration(pack(first), loaded(1000.0, "aa11", "start"))
    await store.keep_configuration(pack(second), loaded(2000.0, "bb22", "SIGHUP"))
    assert await store.configurations() == [Version("bb22", 2000.0, "SIGHUP"), Version("aa11", 1000.0, "start")]
    assert unpack(await store.texts("aa") or b"") == first
    assert unpack(await store.texts("bb22") or b"") == second
    assert await store.texts("%") is None
    with pytest.raises(ValueError, match="no packed texts"):
        unpack(b"something else")
