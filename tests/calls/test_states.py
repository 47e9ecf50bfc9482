"""Who selected what (P1, P2): held in memory, written behind, and given back after a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.calls.states import States
from router.model.audit import AuditEntry
from router.model.decision import SelectedBy, Selection
from router.ports import StateStore, StoreError
from router.sip.errors import LocalError
from router.stores.database import Database
from router.stores.journal import Journal
from router.stores.states import SqliteStates
from tests.conftest import Eventually

NOON = 1_795_518_000.0  # 2026-11-24T12:00+01:00
MEETING = Selection("claire", "meeting", SelectedBy.PERSON, NOON, NOON + 3600, "reception", "phone 201")
LUNCH = Selection("claire", "lunch", SelectedBy.PERSON, NOON, actor="phone 201")
LEAVE = Selection("claire", "leave", SelectedBy.ADMINISTRATOR, NOON, actor="token reception")
FIRST = Selection("claire", "class", SelectedBy.CALENDAR, NOON + 60, NOON + 120, actor="calendar")
SECOND = Selection("claire", "class", SelectedBy.CALENDAR, NOON + 600, NOON + 900, actor="calendar")


def test_the_strongest_comes_first() -> None:
    """G4: an administrator, the person, the calendar."""
    states = States()
    states.set_calendar("claire", [SECOND, FIRST])
    states.select(MEETING, NOON)
    states.select(LEAVE, NOON)
    assert states.of("claire") == (LEAVE, MEETING, FIRST, SECOND)
    assert states.of("marc") == ()
    assert states.selections == {"claire": (LEAVE, MEETING, FIRST, SECOND)}


def test_a_new_selection_takes_the_place_of_the_one_by_the_same_side() -> None:
    states = States()
    states.select(MEETING, NOON)
    states.select(LEAVE, NOON)
    states.select(LUNCH, NOON)
    assert states.of("claire") == (LEAVE, LUNCH)


def test_each_side_takes_back_its_own_only() -> None:
    states = States()
    states.select(MEETING, NOON)
    states.set_calendar("claire", [FIRST])
    assert not states.take_back("claire", SelectedBy.ADMINISTRATOR, "token reception", NOON)
    assert states.take_back("claire", SelectedBy.PERSON, "phone 201", NOON)
    assert not states.take_back("claire", SelectedBy.PERSON, "phone 201", NOON)
    assert states.of("claire") == (FIRST,)


def test_a_calendar_replaces_what_it_said_and_nothing_else() -> None:
    states = States()
    states.select(MEETING, NOON)
    states.set_calendar("claire", [FIRST, SECOND])
    states.set_calendar("claire", [SECOND])
    assert states.of("claire") == (MEETING, SECOND)
    states.set_calendar("marc", [])
    assert "marc" not in states.selections
    with pytest.raises(LocalError):
        states.select(FIRST, NOON)


def test_what_is_over_is_forgotten_at_its_end_and_not_before() -> None:
    """G6: half-open, so at the end itself it is over."""
    states = States()
    states.select(MEETING, NOON)
    states.set_calendar("claire", [FIRST])
    states.prune(NOON + 119.9)
    assert states.of("claire") == (MEETING, FIRST)
    states.prune(NOON + 120)
    assert states.of("claire") == (MEETING,)
    states.prune(NOON + 3600)
    assert states.selections == {}


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    database = await Database.open(tmp_path / "renvoi.sqlite")
    yield database
    await database.close()


async def everything(store: StateStore) -> list[AuditEntry]:
    return await store.audit(since=0.0, until=1e10, subject="", limit=100)


async def test_what_was_confirmed_is_there_after_a_restart(database: Database) -> None:
    store = SqliteStates(database)
    journal = Journal(store)
    states = States(journal)
    states.set_calendar("claire", [FIRST])
    states.select(MEETING, NOON)
    states.select(LEAVE, NOON + 1)
    await states.stored()
    restarted = States()
    restarted.restore(await store.load(), NOON + 2)
    assert restarted.of("claire") == (LEAVE, MEETING)
    much_later = States()
    much_later.restore(await store.load(), NOON + 3600)
    assert much_later.of("claire") == (LEAVE,)
    await journal.close()


async def test_every_change_says_who_did_what_in_place_of_what(database: Database) -> None:
    """P1: audited."""
    store = SqliteStates(database)
    journal = Journal(store)
    states = States(journal)
    states.select(MEETING, NOON)
    states.select(LUNCH, NOON + 1)
    states.take_back("claire", SelectedBy.PERSON, "token reception", NOON + 2)
    await journal.close()
    meeting = "meeting until 2026-11-24T12:00:00+00:00, to reception"
    assert await everything(store) == [
        AuditEntry(NOON + 2, "token reception", "take selection back", "claire", "lunch", ""),
        AuditEntry(NOON + 1, "phone 201", "select profile", "claire", meeting, "lunch"),
        AuditEntry(NOON, "phone 201", "select profile", "claire", "", meeting),
    ]
    assert await store.load() == []


class StubbornStore(SqliteStates):
    """A store whose disk is full until `full` is set to False."""

    full = True

    async def change(self, person: str, kept: object, entry: AuditEntry) -> None:
        if self.full:
            raise StoreError("the disk is full; make room")
        await super().change(person, kept, entry)  # type: ignore[arg-type]


async def test_a_full_disk_is_told_and_the_change_holds_and_is_written_later(
    database: Database, caplog: pytest.LogCaptureFixture, eventually: Eventually
) -> None:
    store = StubbornStore(database)
    journal = Journal(store, retry_interval=0.01)
    states = States(journal)
    states.select(MEETING, NOON)
    with pytest.raises(StoreError, match="the disk is full"):
        await states.stored()
    assert states.of("claire") == (MEETING,)  # the next call goes by it all the same
    assert "the disk is full" in caplog.text
    told: list[StoreError | None] = []
    states.select(LEAVE, NOON)
    states.when_stored(told.append)
    await eventually(lambda: told, "who cannot wait is told as well")
    assert isinstance(told[0], StoreError)
    store.full = False
    states.select(LUNCH, NOON)
    await states.stored()
    assert sorted(await store.load()) == sorted([LEAVE, LUNCH])
    assert len(await everything(store)) == 3
    await journal.close()


async def test_changes_are_written_in_the_order_in_which_they_were_made(database: Database) -> None:
    store = SqliteStates(database)
    journal = Journal(store)
    states = States(journal)
    for number in range(60):
        states.select(MEETING._replace(profile=f"profile {number}"), NOON)
        if number % 3 == 0:
            states.take_back("claire", SelectedBy.PERSON, "phone 201", NOON)
    await journal.close()
    assert [selection.profile for selection in await store.load()] == ["profile 59"]
    selected = [entry.after.split(" until")[0] for entry in await everything(store) if entry.after]
    assert selected == [f"profile {number}" for number in reversed(range(60))]
    assert len(await everything(store)) == 80


async def test_what_waits_for_a_broken_disk_is_bounded_and_said(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The newest is kept: it holds everything that is selected for its person."""
    monkeypatch.setattr("router.stores.journal.MAX_WAITING", 3)
    store = StubbornStore(database)
    journal = Journal(store, retry_interval=60.0)
    states = States(journal)
    for number in range(6):
        states.select(MEETING._replace(profile=f"profile {number}"), NOON)
    assert caplog.text.count("is given up: too many wait for the disk") == 3
    store.full = False
    await journal.close()
    assert [selection.profile for selection in await store.load()] == ["profile 5"]
    assert len(await everything(store)) == 3


async def test_closing_writes_what_waits_or_says_that_it_cannot(database: Database) -> None:
    store = StubbornStore(database)
    journal = Journal(store, retry_interval=60.0)
    states = States(journal)
    states.select(MEETING, NOON)
    with pytest.raises(StoreError, match="the disk is full"):
        await states.stored()
    with pytest.raises(StoreError, match="the disk is full"):
        await journal.close()
    store.full = False
    journal = Journal(store)
    states = States(journal)
    states.select(MEETING, NOON)
    await journal.close()
    assert await store.load() == [MEETING]


async def test_nobody_waits_where_nothing_is_to_be_written(database: Database) -> None:
    journal = Journal(SqliteStates(database))
    told: list[StoreError | None] = []
    States(journal).when_stored(told.append)
    States().when_stored(told.append)
    assert told == [None, None]
    await States(journal).stored()
    await States().stored()
    await journal.close()
