"""Recordings of calls: what was confirmed is kept, whatever happens; what was not leaves nothing behind (X3)."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from router.model.decision import Reason
from router.model.recording import Direction, KeptRecording, RecordedPart, RecordingDraft
from router.ports import StoreError, StoreFullError
from router.stores import recording_files
from router.stores.database import Database
from router.stores.recordings import SqliteRecordings

NOW = 1_795_510_800.0  # 2026-11-24T10:00+01:00
DAY = 86400.0
CUSTOMER = "+32475111222"
BECAUSE = (Reason("X3", "calls of Claire Dubois are recorded", "recording.yaml:2", "les appels…", "recording"),)
Open = Callable[[], Awaitable[SqliteRecordings]]


@pytest.fixture
async def reopen(tmp_path: Path) -> AsyncIterator[Open]:
    """Opens the store with what it kept, as after a restart."""
    opened: list[SqliteRecordings | Database] = []

    async def close() -> None:
        while opened:
            await opened.pop().close()

    async def close_and_open() -> SqliteRecordings:
        await close()
        database = await Database.open(tmp_path / "renvoi.sqlite")
        opened.append(database)
        store = await SqliteRecordings.open(database, tmp_path)
        opened.append(store)
        return store

    yield close_and_open
    await close()


def part(
    draft: RecordingDraft, left: int, right: int, seconds: float, after: float = 0.0, rate: int = 8000
) -> RecordedPart:
    """What the media engine leaves: a file of two channels, each of one value."""
    folder, name = os.path.split(draft.path)
    path = Path(folder, f".{name}.{left:x}{right:x}.part")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.tile(np.array([left, right], "<i2"), round(seconds * rate)).tobytes())
    return RecordedPart(str(path), after)


def about(
    draft: RecordingDraft, *, caller: str | None = CUSTOMER, called: str = "201", days: float = 90
) -> KeptRecording:
    return KeptRecording(
        draft.id, "call-1", draft.began_at, 0.0, caller, called, ("claire", "paul"), Direction.INBOUND, BECAUSE,
        "le contrat", draft.began_at + days * DAY,
    )  # fmt: skip


async def keep(
    store: SqliteRecordings, at: float = NOW, caller: str | None = CUSTOMER, called: str = "201"
) -> KeptRecording:
    draft = await store.begin(at)
    await store.confirm(about(draft, caller=caller, called=called), [part(draft, 100, -100, 2.0)])
    kept = await store.recording(draft.id)
    assert kept is not None
    return kept


def sound(path: str) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.int16]], int]:
    with wave.open(path) as file:
        frames = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, file.getnchannels())
        return frames, file.getframerate()


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in (directory / "recordings").iterdir())


def mode(path: str) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def cut_short(recorded: RecordedPart) -> None:
    Path(recorded.temporary).write_bytes(b"RIFF")


def lose_database(directory: Path) -> None:
    for path in directory.glob("renvoi.sqlite*"):
        path.unlink()


async def everything(
    store: SqliteRecordings, person: str = "", number: str = "", limit: int = 10
) -> list[KeptRecording]:
    return await store.recordings(since=0, until=2 * NOW, person=person, number=number, limit=limit)


async def test_a_confirmed_recording_is_there_after_a_restart(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    draft = await store.begin(NOW)
    await store.confirm(about(draft), [part(draft, 1000, -1000, 3.0)])
    store = await reopen()
    kept = await store.recording(draft.id)
    assert kept == about(draft)._replace(seconds=3.0)
    frames, rate = sound(store.sound(draft.id))
    assert (rate, frames.shape) == (8000, (24_000, 2))
    assert (set(frames[:, 0]), set(frames[:, 1])) == ({1000}, {-1000}), (
        "the caller on the left, the called on the right"
    )
    assert mode(os.path.dirname(store.sound(draft.id))) == 0o700
    assert files(tmp_path) == [f"{draft.id}.wav"]


async def test_a_pause_is_silence_and_times_in_the_file_are_those_of_the_call(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    draft = await store.begin(NOW)
    await store.confirm(about(draft), [part(draft, 1, 2, 1.0), part(draft, 3, 4, 0.5, after=2.5)])
    frames, rate = sound(store.sound(draft.id))
    assert len(frames) == 3 * rate
    assert set(frames[:rate, 0]) == {1}
    assert set(frames[rate : rate * 5 // 2].flat) == {0}, "nothing of what was said in the pause"
    assert set(frames[rate * 5 // 2 :, 1]) == {4}
    kept = await store.recording(draft.id)
    assert kept is not None and kept.seconds == 3.0
    assert mode(store.sound(draft.id)) == 0o600
    assert files(tmp_path) == [f"{draft.id}.wav"]


async def test_parts_of_different_codecs_become_one_file(reopen: Open) -> None:
    store = await reopen()
    draft = await store.begin(NOW)
    await store.confirm(about(draft), [part(draft, 1, 2, 1.0, rate=16_000), part(draft, 3, 4, 1.0, after=1.0)])
    frames, rate = sound(store.sound(draft.id))
    assert (rate, len(frames)) == (8000, 16_000)
    assert (set(frames[:8000, 0]), set(frames[8000:, 0])) == ({1}, {3})


async def test_what_was_not_confirmed_is_gone(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    discarded, forgotten = await store.begin(NOW), await store.begin(NOW)
    await store.discard(discarded, [part(discarded, 1, 1, 1.0)])
    assert files(tmp_path) == []
    part(forgotten, 2, 2, 1.0)
    store = await reopen()
    assert files(tmp_path) == [], "a part that the router was killed over is swept away"
    with sqlite3.connect(tmp_path / "renvoi.sqlite") as connection:
        assert connection.execute("select count(*) from recording").fetchone() == (0,)


async def test_a_draft_is_confirmed_once_and_not_without_a_sound(reopen: Open) -> None:
    store = await reopen()
    draft = await store.begin(NOW)
    with pytest.raises(StoreError, match="nothing was recorded"):
        await store.confirm(about(draft), [])
    broken = part(draft, 1, 1, 1.0)
    cut_short(broken)
    with pytest.raises(StoreError, match="no recording"):
        await store.confirm(about(draft), [broken])
    os.unlink(broken.temporary)
    await store.confirm(about(draft), [part(draft, 2, 2, 1.0)])
    with pytest.raises(StoreError, match="confirmed or discarded before"):
        await store.confirm(about(draft), [part(draft, 3, 3, 1.0)])
    assert dict(store.outcomes.items()) == {("kept",): 1, ("failed",): 3}


async def test_a_full_disk_is_told_before_anything_is_recorded(reopen: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    store = await reopen()
    monkeypatch.setattr(recording_files, "MIN_FREE_BYTES", 2**60)
    with pytest.raises(StoreFullError, match="make room"):
        await store.begin(NOW)
    assert store.outcomes["disk full",] == 1


async def test_recordings_are_found_by_time_person_and_number(reopen: Open) -> None:
    store = await reopen()
    first = await keep(store, NOW)
    second = await keep(store, NOW + 60, caller="201", called="+3243334455")
    assert await everything(store) == [second, first]
    assert await everything(store, limit=1) == [second]
    assert await everything(store, number=CUSTOMER) == [first]
    assert await everything(store, number="+3243334455") == [second]
    assert await everything(store, person="paul") == [second, first]
    assert await everything(store, person="luc") == []
    assert await store.recordings(since=NOW, until=NOW + 60, person="", number="", limit=9) == [first]


async def test_what_is_deleted_erased_or_old_takes_its_sound_along(reopen: Open, tmp_path: Path) -> None:
    store = await reopen()
    kept = await keep(store)
    assert await store.delete(kept.id)
    assert not await store.delete(kept.id)
    await keep(store, caller=CUSTOMER)
    await keep(store, caller="201", called="0475 11 12 22")
    other = await keep(store, caller=None, called="202")
    erased = await store.erase(CUSTOMER, {"0475 11 12 22": CUSTOMER}.get)
    assert erased == 2, "as a caller and as one who was called, however the number was written"
    assert files(tmp_path) == [f"{other.id}.wav"]
    assert await store.prune(other.keep_until - 1) == 0
    assert await store.prune(other.keep_until) == 1
    assert (files(tmp_path), await everything(store)) == ([], [])
    assert dict(store.outcomes.items()) == {("kept",): 4, ("deleted",): 1, ("erased",): 2, ("expired",): 1}


async def test_a_file_that_the_database_does_not_know_stays(reopen: Open, tmp_path: Path) -> None:
    kept = await keep(await reopen())
    lose_database(tmp_path)
    store = await reopen()
    assert files(tmp_path) == [f"{kept.id}.wav"]
    with pytest.raises(LookupError):
        store.sound("../../etc/passwd")


KILLED = """
import asyncio, sys
from pathlib import Path
from router.stores.database import Database
from router.stores.recordings import SqliteRecordings
from tests.stores.test_recordings import NOW, about, part

async def main(directory):
    store = await SqliteRecordings.open(await Database.open(directory / "renvoi.sqlite"), directory)
    async def one():
        while True:
            draft = await store.begin(NOW)
            await store.confirm(about(draft), [part(draft, 1, 2, 0.5), part(draft, 3, 4, 0.5, after=1.0)])
            print(draft.id, flush=True)
    await asyncio.gather(*[one() for _ in range(4)])

asyncio.run(main(Path(sys.argv[1])))
"""


def kept_until_killed(directory: Path, count: int) -> set[str]:
    """Keep recordings in a process of its own, kill it after so many, and return what it confirmed."""
    command = [sys.executable, "-c", KILLED, str(directory)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        confirmed = [process.stdout.readline().strip() for _ in range(count)]
        process.send_signal(signal.SIGKILL)
        return {*confirmed, *process.stdout.read().split()}


async def test_killed_at_any_moment_no_confirmed_recording_is_lost_and_no_half_one_left(
    reopen: Open, tmp_path: Path
) -> None:
    for round_ in range(3):
        confirmed = await asyncio.to_thread(kept_until_killed, tmp_path, 3 + 4 * round_)
        store = await reopen()
        kept = {one.id for one in await everything(store, limit=1000)}
        assert confirmed <= kept
        assert files(tmp_path) == sorted(f"{identity}.wav" for identity in kept)
        assert all(len(sound(store.sound(identity))[0]) == 12_000 for identity in kept)
