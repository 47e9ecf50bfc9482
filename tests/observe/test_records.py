"""The file of call records as whoever bills or audits reads it."""

from __future__ import annotations

import json
import os
import resource
import signal
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router.model.decision import Attempt, LineState, Outcome, Reason, Weighed
from router.model.record import CallRecord, LegRecord, Quality
from router.observe.records import GROUP, RecordWriter, serialise
from tests.conftest import Eventually

BRUSSELS = ZoneInfo("Europe/Brussels")

_FIELDS: dict[str, Any] = {
    "call_id": "3c26700c1e5a",
    "started": datetime(2026, 11, 24, 12, 15, tzinfo=BRUSSELS).timestamp(),
    "answered_after": 4.25,
    "ended_after": 64.5,
    "origin": "trunk",
    "peer": "provider",
    "caller": "+32475111222",
    "dialled": "+3242200121",
    "owner": "claire",
    "profile": "lunch",
    "action": "forward",
    "target": "voicemail",
    "shown_number": "+32475111222",
    "because": (
        Reason("M4", "lunch 12:00-13:00 on weekdays", "roles.yaml:11", "déjeuner 12:00-13:00 en semaine", "profile"),
    ),
    "legs": (LegRecord("reception", "sip:reception@192.0.2.9", 200, 16, "", 0.01, 0.5, 64.5),),
    "status": 200,
    "cause": 16,
    "ended_by": "callee",
}


def record(**changes: object) -> CallRecord:
    """Return the record of one call, with some fields changed."""
    return CallRecord(**{**_FIELDS, **changes})


RECORD = record()


def lines(path: Path) -> list[dict[str, Any]]:
    """Return the records in `path`, every line of which must be whole."""
    text = path.read_text()
    assert text == "" or text.endswith("\n")
    return [json.loads(line) for line in text.splitlines()]


@given(st.floats(1.5e9, 2.5e9))
@example(1795518913.9999998)  # rounds up into the next second
@example(1679930071.8828125)  # half a microsecond: to the even one
@example(1792890000.0)  # the hour that comes twice in Brussels
def test_a_time_is_that_of_the_clock_on_the_wall_to_the_microsecond(started: float) -> None:
    written = json.loads(serialise(record(started=started), BRUSSELS))["started"]
    assert written == datetime.fromtimestamp(started, BRUSSELS).isoformat()


def test_a_record_says_when_who_what_and_why() -> None:
    assert json.loads(serialise(RECORD, BRUSSELS)) == {
        "call_id": "3c26700c1e5a",
        "started": "2026-11-24T12:15:00+01:00",
        "answered": "2026-11-24T12:15:04.250000+01:00",
        "ended": "2026-11-24T12:16:04.500000+01:00",
        "answered_after": 4.25,
        "ended_after": 64.5,
        "origin": "trunk",
        "peer": "provider",
        "caller": "+32475111222",
        "dialled": "+3242200121",
        "owner": "claire",
        "profile": "lunch",
        "action": "forward",
        "target": "voicemail",
        "shown_number": "+32475111222",
        "because": [
            {
                "clause": "M4",
                "text": "lunch 12:00-13:00 on weekdays",
                "source": "roles.yaml:11",
                "french": "déjeuner 12:00-13:00 en semaine",
                "rule": "profile",
            }
        ],
        "legs": [
            {
                "peer": "reception",
                "target": "sip:reception@192.0.2.9",
                "status": 200,
                "cause": 16,
                "reason": "",
                "started_after": 0.01,
                "rang_after": 0.5,
                "ended_after": 64.5,
            }
        ],
        "status": 200,
        "cause": 16,
        "ended_by": "callee",
        "caller_person": None,
        "connection": None,
        "caller_name": None,
        "withhold": False,
        "configuration": "",
    }


def test_a_record_holds_what_the_decision_rests_on_where_there_is_any() -> None:
    rejected = Reason("R2", "on a call → reception: Claire Dubois is not on a call", "roles.yaml:24", "", "line")
    written = json.loads(
        serialise(
            record(
                rejected=(rejected,),
                weighed=(Weighed("claire", LineState.RINGING, "meeting", "calendar", 1795000000.0, "marc"),),
                attempts=(Attempt("claire", Outcome.NO_ANSWER),),
                quality=(Quality("caller", "PCMA", 500, 498, 2, 0.0012345678),),
            )
        )
    )
    assert written["rejected"][0]["clause"] == "R2"
    assert written["weighed"] == [
        {
            "person": "claire",
            "line": "ringing",
            "profile": "meeting",
            "by": "calendar",
            "until": 1795000000.0,
            "forward": "marc",
        }
    ]
    assert written["attempts"] == [{"person": "claire", "outcome": "no_answer"}]
    assert written["quality"] == [
        {"side": "caller", "codec": "PCMA", "sent": 500, "received": 498, "lost": 2, "jitter": 0.001235}
    ]


def test_an_unanswered_call_has_no_time_of_answer() -> None:
    written = json.loads(serialise(record(answered_after=None, status=487)))
    assert written["answered"] is None
    assert written["answered_after"] is None


def test_bytes_that_are_no_utf_8_and_line_ends_do_not_break_the_file() -> None:
    caller = b"\xff\nforged\x1b".decode("utf-8", "surrogateescape")
    line = serialise(record(caller=caller))
    assert line.count(b"\n") == 1
    assert json.loads(line)["caller"] == "?\nforged\x1b"
    assert json.loads(line)["started"] == json.loads(serialise(RECORD))["started"]


@pytest.fixture
async def writer(tmp_path: Path) -> AsyncIterator[RecordWriter]:
    writer = RecordWriter(tmp_path / "var" / "calls.jsonl", BRUSSELS, flush_interval=0.01, retry_interval=0.02)
    yield writer
    await writer.close()


async def test_records_reach_the_file_without_being_asked_for(
    writer: RecordWriter, tmp_path: Path, eventually: Eventually
) -> None:
    path = tmp_path / "var" / "calls.jsonl"
    writer.write(RECORD)
    await eventually(lambda: len(lines(path)) == 1, "the first record is written")
    writer.write(record(call_id="second"))
    writer.write(record(call_id="third"))
    await eventually(lambda: len(lines(path)) == 3, "the next ones follow")
    assert [line["call_id"] for line in lines(path)] == ["3c26700c1e5a", "second", "third"]


async def test_closing_loses_nothing_and_a_later_start_appends(tmp_path: Path) -> None:
    path = tmp_path / "calls.jsonl"
    for start in range(2):
        writer = RecordWriter(path, flush_interval=1_000)
        for number in range(500):
            writer.write(record(call_id=f"{start}-{number}"))
        await writer.close()
        assert writer.counts == {("written",): 500, ("lost",): 0}
    assert [line["call_id"] for line in lines(path)] == [f"{s}-{n}" for s in range(2) for n in range(500)]


async def test_after_closing_a_record_is_counted_as_lost(tmp_path: Path) -> None:
    writer = RecordWriter(tmp_path / "calls.jsonl")
    await writer.close()
    writer.write(RECORD)
    assert writer.counts[("lost",)] == 1


async def test_a_rotated_file_is_let_go_and_a_new_one_begun(
    writer: RecordWriter, tmp_path: Path, eventually: Eventually
) -> None:
    path, rotated = tmp_path / "var" / "calls.jsonl", tmp_path / "var" / "calls.jsonl.1"
    writer.write(RECORD)
    await eventually(lambda: len(lines(path)) == 1, "the first record is written")
    path.rename(rotated)
    writer.reopen()
    writer.write(record(call_id="second"))
    await eventually(lambda: path.exists() and len(lines(path)) == 1, "the second stands in a new file")
    assert [line["call_id"] for line in lines(rotated)] == ["3c26700c1e5a"]


async def test_where_a_new_file_cannot_be_opened_the_old_one_is_kept(tmp_path: Path, eventually: Eventually) -> None:
    directory = tmp_path / "var"
    path = directory / "calls.jsonl"
    trouble: list[OSError | None] = []
    writer = RecordWriter(path, disk_changed=trouble.append, flush_interval=0.01)
    directory.rename(tmp_path / "moved")
    directory.write_text("a file where the directory was")

    writer.reopen()
    await eventually(lambda: trouble, "the fault is told")
    assert isinstance(trouble[0], OSError)
    writer.write(RECORD)
    await writer.close()
    assert len(lines(tmp_path / "moved" / "calls.jsonl")) == 1
    assert trouble[1:] == [None]


async def test_a_path_that_cannot_be_opened_is_refused_at_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OSError, match="file"):
        RecordWriter(tmp_path / "file" / "calls.jsonl")


class SmallDisk:
    """A file that cannot grow by more than `ROOM` bytes until `empty` is called, as on a disk that fills up.

    The limit is one on file sizes, so the file begins with a hole that is larger than any other file of the test run.
    """

    HOLE = 256 * 1024 * 1024
    ROOM = 1_000

    def __init__(self, path: Path) -> None:
        self.path = path
        path.touch()
        os.truncate(path, self.HOLE)
        self._limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        self._handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # otherwise the kernel ends the process
        resource.setrlimit(resource.RLIMIT_FSIZE, (self.HOLE + self.ROOM, self._limits[1]))

    def empty(self) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self._limits)
        signal.signal(signal.SIGXFSZ, self._handler)

    def content(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.HOLE)
            return file.read()


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    disk = SmallDisk(tmp_path / "calls.jsonl")
    yield disk
    disk.empty()


async def test_a_full_disk_disturbs_nobody_and_what_fits_in_memory_is_written_later(
    disk: SmallDisk, eventually: Eventually
) -> None:
    trouble: list[OSError | None] = []
    writer = RecordWriter(disk.path, disk_changed=trouble.append, flush_interval=0.01, retry_interval=0.01)
    for number in range(5):
        writer.write(record(call_id=str(number)))
    await eventually(lambda: trouble, "the fault is told")
    assert len(disk.content()) == disk.ROOM
    assert not disk.content().endswith(b"\n"), "it filled in the middle of a line"

    disk.empty()
    await eventually(lambda: trouble[1:], "the disk is tried again")
    await writer.close()
    assert [json.loads(line)["call_id"] for line in disk.content().splitlines()] == ["0", "1", "2", "3", "4"]
    assert trouble[1:] == [None]
    assert writer.counts == {("written",): 5, ("lost",): 0}


async def test_a_disk_that_stays_full_costs_the_newest_records_and_no_more_memory(disk: SmallDisk) -> None:
    length = len(serialise(RECORD))
    writer = RecordWriter(disk.path, max_waiting_bytes=5 * length, flush_interval=1_000)
    for _ in range(2 * GROUP):
        writer.write(RECORD)
    assert writer.counts[("lost",)] == 2 * GROUP - 5
    await writer.close()
    assert writer.counts == {("written",): disk.ROOM // length, ("lost",): 2 * GROUP - disk.ROOM // length}
