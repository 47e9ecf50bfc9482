"""The contract of `BindingStore`, kept by every store; and what SQLite adds to it."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from router.model.binding import Binding
from router.ports import BindingStore, StoreError
from router.stores.bindings import SqliteBindings
from router.stores.database import Database
from router.stores.memory import MemoryBindings
from tests.conftest import Eventually
from tests.stores.reopening import Reopening

DESK = Binding(
    user="201",
    contact="sip:201@192.0.2.7:5062;transport=tcp",
    expires_at=1795600000.25,
    call_id="a-Jérôme@192.0.2.7",
    cseq=7,
    transport="tcp",
    host="192.0.2.7",
    port=49152,
    q=0.5,
    path=("<sip:edge.example;lr>", "<sip:core.example;lr>"),
    params=';+sip.instance="<urn:uuid:1>"',
    instance="<urn:uuid:1>",
    user_agent="Téléphone/1.0",
)
SOFT = replace(
    DESK, contact="sip:201@[2001:db8::1]", host="2001:db8::1", path=(), params="", instance="", user_agent=""
)
OTHER = replace(SOFT, user="202", contact="sip:202@192.0.2.8")

Reopen = Callable[[], Awaitable[BindingStore]]


@pytest.fixture(params=["memory", "sqlite"])
async def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Reopen]:
    """Closes the store, if it is open, and opens it again with what it kept."""
    again = Reopening[BindingStore](request.param, tmp_path, SqliteBindings, MemoryBindings)
    yield again
    await again.close()


async def test_a_new_store_is_empty(reopen: Reopen) -> None:
    assert await (await reopen()).load() == []


async def test_bindings_come_back_exactly_as_they_were_saved(reopen: Reopen) -> None:
    store = await reopen()
    store.save("201", [DESK, SOFT])
    store.save("202", [OTHER])
    loaded = await (await reopen()).load()
    assert sorted(loaded, key=lambda binding: binding.contact) == [DESK, SOFT, OTHER]


async def test_saving_replaces_everything_of_that_account_and_nothing_of_others(reopen: Reopen) -> None:
    store = await reopen()
    store.save("201", [DESK, SOFT])
    store.save("202", [OTHER])
    store = await reopen()
    store.save("201", [replace(DESK, cseq=8)])
    assert {(b.user, b.contact, b.cseq) for b in await (await reopen()).load()} == {
        ("201", DESK.contact, 8),
        ("202", OTHER.contact, 7),
    }


async def test_the_last_of_several_saves_counts(reopen: Reopen) -> None:
    store = await reopen()
    store.save("201", [DESK])
    store.save("201", [])
    store.save("202", [])
    store.save("202", [OTHER])
    assert await (await reopen()).load() == [OTHER]


async def test_many_accounts_are_saved_at_once(reopen: Reopen) -> None:
    store = await reopen()
    for number in range(1200):
        store.save(str(number), [replace(DESK, user=str(number))])
    assert len(await (await reopen()).load()) == 1200


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(tmp_path / "bindings.db")
    yield database
    await database.close()


async def test_sqlite_writes_within_a_second_without_being_closed(database: Database, eventually: Eventually) -> None:
    store = SqliteBindings(database, flush_interval=0.01)
    store.save("201", [DESK])
    reader = sqlite3.connect(database.path)
    await eventually(lambda: reader.execute("SELECT cseq FROM binding").fetchall() == [(7,)], "the flush")
    reader.close()
    await store.close()


async def test_sqlite_keeps_what_it_could_not_write_and_tries_again(
    database: Database, caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    store = SqliteBindings(database, flush_interval=0.01)
    blocker = sqlite3.connect(database.path)
    blocker.execute("ALTER TABLE binding RENAME TO moved")
    blocker.commit()
    store.save("201", [DESK])
    await eventually(lambda: caplog.records, "the fault is logged")
    assert str(database.path) in caplog.records[0].getMessage()
    blocker.execute("ALTER TABLE moved RENAME TO binding")
    blocker.commit()
    await eventually(lambda: blocker.execute("SELECT cseq FROM binding").fetchall() == [(7,)], "the next attempt")
    blocker.close()
    await store.close()


async def test_sqlite_says_at_close_what_it_could_not_write(database: Database) -> None:
    store = SqliteBindings(database)
    with sqlite3.connect(database.path) as blocker:
        blocker.execute("DROP TABLE binding")
    blocker.close()
    store.save("201", [DESK])
    with pytest.raises(StoreError, match="no such table"):
        await store.close()
