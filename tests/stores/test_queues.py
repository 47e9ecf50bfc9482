"""The contract of `QueueStore`, kept by every store; and what SQLite adds to it (Q9, P3)."""

from __future__ import annotations

import asyncio
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from router.model.queue import FloorChanges, HourCounts, QueueRules, StoredAgent, StoredFloor, StoredPlace
from router.model.queue_events import CallerEntered
from router.ports import QueueStore, StoreError
from router.stores.database import Database
from router.stores.memory import MemoryQueues
from router.stores.queues import SqliteQueues
from router.waiting.floor import Floor
from tests.stores.reopening import Reopening

WAITS = StoredPlace("a@192.0.2.7", "sales", 1000.125, "+32475111222", 0, (("german", 2), ("wine", 1)), 1001.5)
BACK = StoredPlace("b", "sales", 1002.0, None, 1, (), 1002.0, "+32475111333", 2, 1600.0)
ADA = StoredAgent("ada", True, True, "pause déjeuner", 4600.25, 2, 17, 990.5)
BOB = StoredAgent("bob", False)
HOUR = HourCounts("sales", 3600, 9, 1, 6, (4, 5), 1, 1, 1, 2, 93.5, 181.25, 1)
OLD = HourCounts("sales", 0, 1)
EVERYTHING = FloorChanges((WAITS, BACK), (), (ADA, BOB), (OLD, HOUR), (("sales", 123.5),))

Reopen = Callable[[], Awaitable[QueueStore]]


@pytest.fixture(params=["memory", "sqlite"])
async def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Reopen]:
    """Closes the store, if it is open, and opens it again with what it kept."""
    again = Reopening[QueueStore](request.param, tmp_path, SqliteQueues, MemoryQueues)
    yield again
    await again.close()


async def test_a_new_store_is_empty(reopen: Reopen) -> None:
    assert await (await reopen()).load(0.0) == StoredFloor()


async def test_everything_comes_back_exactly_as_it_was_saved(reopen: Reopen) -> None:
    store = await reopen()
    store.save(EVERYTHING)
    kept = await (await reopen()).load(0.0)
    assert kept == StoredFloor((WAITS, BACK), (ADA, BOB), (OLD, HOUR), (("sales", 123.5),))


async def test_what_changes_is_replaced_and_what_is_gone_is_gone(reopen: Reopen) -> None:
    store = await reopen()
    store.save(EVERYTHING)
    await store.written()
    moved, more = WAITS._replace(tier=1), HOUR._replace(answered=7)
    store.save(
        FloorChanges((moved,), ("b", "never saved"), (BOB._replace(logged_in=True),), (more,), (("sales", 90.0),))
    )
    kept = await (await reopen()).load(3600.0)
    assert kept.places == (moved,)
    assert sorted(kept.agents) == [ADA, BOB._replace(logged_in=True)]
    assert kept.hours == (more,)
    assert kept.handling == (("sales", 90.0),)


async def test_the_last_of_several_changes_counts_whether_they_were_written_one_by_one_or_not(reopen: Reopen) -> None:
    store = await reopen()
    store.save(FloorChanges((WAITS, BACK)))
    store.save(FloorChanges((WAITS._replace(tier=1),)))
    store.save(FloorChanges((), ("b",)))
    assert (await (await reopen()).load(0.0)).places == (WAITS._replace(tier=1),)


# --------------------------------------------------------------------------------------------------------- SQLite


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(tmp_path / "renvoi.sqlite")
    yield database
    await database.close()


def places(path: Path) -> list[str]:
    with sqlite3.connect(path) as reader:
        found = [place for (place,) in reader.execute("SELECT place FROM queue_place")]
    reader.close()
    return found


async def test_whoever_waits_for_a_change_does_not_wait_for_the_interval(database: Database) -> None:
    """P3: a callback is promised when it is on the disk."""
    store = SqliteQueues(database, flush_interval=3600.0)
    store.save(FloorChanges((BACK,)))
    assert places(database.path) == []
    await store.written()
    assert places(database.path) == ["b"]
    await store.written()  # nothing is left
    await store.close()


async def test_a_change_that_the_disk_refuses_is_told_and_tried_again(database: Database) -> None:
    store = SqliteQueues(database, flush_interval=0.01)
    with sqlite3.connect(database.path) as other:
        other.execute("CREATE TRIGGER no BEFORE INSERT ON queue_place BEGIN SELECT RAISE(ABORT, 'disk is full'); END")
    other.close()
    store.save(FloorChanges((BACK,), (), (ADA,)))
    with pytest.raises(StoreError, match="disk is full"):
        await store.written()
    store.save(FloorChanges((), (), (ADA._replace(calls=18),)))
    with sqlite3.connect(database.path) as other:
        other.execute("DROP TRIGGER no")
    other.close()
    await store.written()
    kept = await store.load(0.0)
    assert (kept.places, kept.agents) == ((BACK,), (ADA._replace(calls=18),))
    await store.close()


async def test_what_is_damaged_in_the_file_is_named(database: Database) -> None:
    with sqlite3.connect(database.path) as other:
        other.execute("INSERT INTO queue_place VALUES ('a', 'sales', 1, NULL, 1, 'no JSON', 1, '', 0, 0)")
    other.close()
    store = SqliteQueues(database)
    with pytest.raises(StoreError, match="damaged"):
        await store.load(0.0)
    await store.close()


# Callers come, want to be called back and hang up without end; what is written is said. Then it is killed.
CHILD = """
import asyncio, sys
from pathlib import Path
from router.model.queue import QueueRules
from router.model.queue_events import CallbackWanted, CallerEntered, CallerHungUp
from router.stores.database import Database
from router.stores.queues import SqliteQueues
from router.waiting.floor import Floor

async def main(path, begin):
    store = SqliteQueues(await Database.open(path))
    floor, now = Floor(), begin
    floor.configure([QueueRules("sales", max_length=10**6)], [], now)
    floor.restore(await store.load(0.0), now)
    while True:
        now += 1.0
        for what in ("waits", "back", "gone"):
            floor.receive(CallerEntered(f"{what} {now}", "sales", now, f"{now}"), now)
        floor.receive(CallbackWanted(f"back {now}", "+32475111222"), now)
        floor.receive(CallerHungUp(f"gone {now}"), now)
        store.save(floor.take_changes())
        await store.written()
        print(f"{now}", flush=True)

asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2])))
"""


def kill_after(path: Path, begin: float, count: int) -> list[float]:
    """Kill the child after so many rounds were promised; return all that were."""
    command = [sys.executable, "-c", CHILD, str(path), str(begin)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as process:
        assert process.stdout is not None
        first = [process.stdout.readline().strip() for _ in range(count)]
        process.send_signal(signal.SIGKILL)
        return [float(line) for line in [*first, *process.stdout.read().splitlines()]]


async def test_a_kill_at_any_moment_loses_no_callback_that_was_promised_and_no_place(tmp_path: Path) -> None:
    """P3, Q9"""
    path = tmp_path / "renvoi.sqlite"
    promised: list[float] = []
    begin = 1_795_420_800.0
    for count in (1, 4, 9):
        rounds = await asyncio.to_thread(kill_after, path, begin, count)
        promised.extend(rounds)
        begin = rounds[-1] + 2.0  # the round after the last promise may have been written, too
    database = await Database.open(path)
    store = SqliteQueues(database)
    floor = Floor()
    floor.configure([QueueRules("sales", max_wait=None, max_length=10**6)], [], begin)
    floor.restore(await store.load(0.0), begin)
    callbacks = [place.arrived for place in floor.places.values() if place.callback]
    assert set(promised) <= set(callbacks)
    assert not [place for place in floor.places if place.startswith("gone")]
    last = promised[-1]
    for again, arrived in enumerate((last, last - 1.0)):  # whoever was cut off has the old place
        floor.receive(CallerEntered(f"again {again}", "sales", begin, f"{arrived}"), begin)
        assert floor.places[f"again {again}"].arrived == arrived
    await store.close()
    await database.close()
