"""Reads call records back: those of today's router, those of an older one, and what a crash left of the last line."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from router.model.decision import Attempt, LineState, Outcome, Reason, Weighed
from router.model.record import CallRecord, LegRecord, Quality, QueueMoment
from router.model.recording import RecordingNote

_BLOCK = 256 * 1024  # bytes; read at a time from the end of a file


def read_records(
    path: Path,
    *,
    since: float | None = None,
    until: float | None = None,
    containing: str = "",
    unreadable: list[int] | None = None,
) -> Iterator[CallRecord]:
    """Yield the records of a file, oldest first.

    Args:
        path: what `RecordWriter` wrote; also compressed by a log rotator (".gz").
        since, until: only calls that began in [since, until), POSIX seconds.
        containing: only lines that contain this text, which is cheaper than looking at every record.
        unreadable: gets the number of each line that is no record; such lines are passed over.

    Raises:
        OSError: the file cannot be read.
    """
    wanted = containing.encode()
    with gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb") as file:
        for number, line in enumerate(file, start=1):
            if wanted not in line:
                continue
            record = read_record(line)
            if record is None:
                if unreadable is not None and line.strip():
                    unreadable.append(number)
                continue
            if (since is None or record.started >= since) and (until is None or record.started < until):
                yield record


def latest_records(path: Path) -> Iterator[CallRecord]:
    """Yield the records of a file (not a compressed one), newest first; lines that are no record are passed over.

    Raises:
        OSError: the file cannot be read.
    """
    with path.open("rb") as file:
        position = file.seek(0, 2)
        rest = b""
        while position > 0:
            size = min(_BLOCK, position)
            position -= size
            file.seek(position)
            first, *lines = (file.read(size) + rest).split(b"\n")
            rest = first
            for line in reversed(lines):
                record = read_record(line)
                if record is not None:
                    yield record
        record = read_record(rest)
        if record is not None:
            yield record


def read_record(line: bytes) -> CallRecord | None:
    """Return the record that stands on a line, or None where it holds none."""
    try:
        fields = orjson.loads(line)
        return CallRecord(
            fields["call_id"],
            datetime.fromisoformat(fields["started"]).timestamp(),
            fields["answered_after"],
            fields["ended_after"],
            fields["origin"],
            fields["peer"],
            fields["caller"],
            fields["dialled"],
            fields["owner"],
            fields["profile"],
            fields["action"],
            fields["target"],
            fields["shown_number"],
            _reasons(fields["because"]),
            tuple([LegRecord(**leg) for leg in fields["legs"]]),
            fields["status"],
            fields["cause"],
            fields["ended_by"],
            # What follows is missing in older records, and some of it where there was none.
            fields.get("caller_person"),
            fields.get("connection"),
            fields.get("caller_name"),
            fields.get("withhold", False),
            _reasons(fields.get("rejected", ())),
            tuple([_weighed(weighed) for weighed in fields.get("weighed", ())]),
            tuple([Attempt(tried["person"], Outcome(tried["outcome"])) for tried in fields.get("attempts", ())]),
            fields.get("configuration", ""),
            tuple([Quality(**quality) for quality in fields.get("quality", ())]),
            tuple([_recording(note) for note in fields.get("recordings", ())]),
            chosen=tuple(fields.get("chosen", ())),
            queue=tuple([QueueMoment(**moment) for moment in fields.get("queue", ())]),
        )
    except (ValueError, KeyError, TypeError):
        return None


def _reasons(written: Any) -> tuple[Reason, ...]:
    return tuple([Reason(**reason) for reason in written])


def _recording(written: dict[str, Any]) -> RecordingNote:
    return RecordingNote(written["result"], _reasons(written["because"]), written["id"], written["seconds"])


def _weighed(written: dict[str, Any]) -> Weighed:
    return Weighed(**{**written, "line": LineState(written["line"])})
