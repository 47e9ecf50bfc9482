"""Call records read back, as explanations and replays need them."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from router.model.decision import Attempt, Connection, LineState, Outcome, Reason, Weighed
from router.model.record import Quality
from router.observe.past_calls import latest_records, read_record, read_records
from router.observe.records import serialise
from tests.observe.test_records import BRUSSELS, RECORD, record

FULL = record(
    caller_person="paul",
    connection=Connection.MOBILE,
    caller_name="Paul Servais",
    withhold=True,
    rejected=(Reason("R2", "on a call → reception", "roles.yaml:24", "en ligne → réception", "line"),),
    weighed=(
        Weighed("claire", LineState.ON_CALL, "meeting", "calendar", 1795000000.5, "marc"),
        Weighed("marc", LineState.IDLE, None),
    ),
    attempts=(Attempt("claire", Outcome.BUSY), Attempt("voicemail", Outcome.UNREACHABLE)),
    quality=(Quality("caller", "PCMA", 500, 498, 2, 0.001), Quality("callee", "G722", 498, 500, 0, 0.0)),
    configuration="ab" * 32,
)


def write(path: Path, *lines: bytes) -> Path:
    path.write_bytes(b"".join(lines))
    return path


@pytest.mark.parametrize("written", [RECORD, FULL, record(answered_after=None, target=None, caller=None, legs=())])
def test_what_was_written_is_read(written: object) -> None:
    assert read_record(serialise(written, BRUSSELS)) == written  # type: ignore[arg-type]


def test_a_record_of_an_older_router_is_read() -> None:
    fields = json.loads(serialise(RECORD))
    for new in ("caller_person", "connection", "caller_name", "withhold", "configuration"):
        del fields[new]
    fields["because"] = [{key: fields["because"][0][key] for key in ("clause", "text", "source")}]
    read = read_record(json.dumps(fields).encode())
    assert read is not None
    assert read.because == (Reason("M4", "lunch 12:00-13:00 on weekdays", "roles.yaml:11"),)
    assert (read.caller_person, read.weighed, read.withhold) == (None, (), False)


def test_what_is_no_record_is_passed_over_and_told(tmp_path: Path) -> None:
    line = serialise(RECORD)
    path = write(tmp_path / "calls.jsonl", line, b"[]\n", b"\x00\x01\n", b"{}\n", line, line[:100])
    unreadable: list[int] = []
    assert list(read_records(path, unreadable=unreadable)) == [RECORD, RECORD]
    assert unreadable == [2, 3, 4, 6]
    assert list(latest_records(path)) == [RECORD, RECORD]


def test_the_calls_of_a_time_and_those_that_hold_a_word(tmp_path: Path) -> None:
    calls = [record(call_id=f"call-{number}", started=1000.0 + number) for number in range(5)]
    path = write(tmp_path / "calls.jsonl", *map(serialise, calls))
    assert list(read_records(path, since=1001.0, until=1003.0)) == calls[1:3]
    assert list(read_records(path, containing="call-4")) == calls[4:]
    packed = tmp_path / "calls.jsonl.1.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert list(read_records(packed)) == calls


def test_the_newest_come_first_however_long_the_file(tmp_path: Path) -> None:
    calls = [record(call_id=f"{number}", dialled="é" * (number % 1500)) for number in range(1200)]
    path = write(tmp_path / "calls.jsonl", *map(serialise, calls))
    assert path.stat().st_size > 1024 * 1024
    assert list(latest_records(path)) == calls[::-1]
    assert list(latest_records(write(tmp_path / "empty"))) == []
