"""Who is to be called back, kept over a restart (P3)."""

from __future__ import annotations

from pathlib import Path

from router.model.callback import Callback
from router.stores.callbacks import SqliteCallbacks
from router.stores.database import Database

FIRST = Callback("b1", "bob", "+32475111222", "Paul", 1000.0, "m1")
SECOND = Callback("a2", "bob", "200", None, 2000.0, "m2", 2500.0, 1, 2)


async def test_what_was_kept_is_there_after_a_restart_the_oldest_first(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "renvoi.sqlite")
    store = SqliteCallbacks(database)
    await store.add(SECOND)
    await store.add(FIRST)
    await database.close()  # as a kill would leave it: nothing waits to be written
    database = await Database.open(tmp_path / "renvoi.sqlite")
    assert await SqliteCallbacks(database).load() == [FIRST, SECOND]
    await database.close()


async def test_what_is_gone_does_not_come_back_by_a_change(tmp_path: Path) -> None:
    """Whoever cancels while the person is being called is obeyed."""
    database = await Database.open(tmp_path / "renvoi.sqlite")
    store = SqliteCallbacks(database)
    await store.add(FIRST)
    assert await store.change(FIRST._replace(dialled=True))
    assert (await store.load())[0].dialled is True
    await store.remove(FIRST.id)
    assert not await store.change(FIRST)
    assert await store.load() == []
    await store.close()
    await database.close()
