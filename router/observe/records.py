"""Call records: one JSON object a line, appended to a file behind the calls.

Records are serialised in small groups (about 5 µs each, so that no large batch holds the loop), kept in
memory, and written by a thread of its own at most `FLUSH_INTERVAL` later. A disk that is slow, full or gone never
delays a call: what cannot be written waits in memory up to a bound, then the newest records are lost and counted.

The file is opened for appending, so a log rotator may move it away and have it opened anew with `reopen` (SIGHUP).
A crash of the router loses the last `FLUSH_INTERVAL` at most; `close` loses nothing that the disk takes.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, tzinfo
from functools import lru_cache
from pathlib import Path
from typing import Any

import orjson

from router.model.decision import Reason, Weighed
from router.model.record import CallRecord, LegRecord, Quality, QueueMoment
from router.model.recording import RecordingNote
from router.model.tally import Counts

FLUSH_INTERVAL = 0.5  # seconds; how far the file may lag behind the calls
RETRY_INTERVAL = 5.0  # seconds between attempts while the disk refuses
GROUP = 32  # records that are serialised in one go: a warm processor does it in half the time, some 0.15 ms together
MAX_WAITING_BYTES = 32 * 1024 * 1024  # some 50,000 records: bounds what a full disk can make us hold

# Called when the disk begins to refuse (with the error) and when it takes records again (with None).
DiskChanged = Callable[[OSError | None], None]


def serialise(record: CallRecord, zone: tzinfo = UTC) -> bytes:
    """Return the line for `record`: a JSON object and a line feed, times in ISO 8601 with the offset of `zone`.

    What most calls do not have (`rejected`, `weighed`, `attempts`, `quality`, `chosen`,
    `queue`) is written only where there is any.
    """
    started = record.started
    answered_after = record.answered_after
    fields: dict[str, Any] = {
        "call_id": record.call_id,
        "started": _written(started, zone),
        "answered": None if answered_after is None else _written(started + answered_after, zone),
        "ended": _written(started + record.ended_after, zone),
        "answered_after": answered_after,
        "ended_after": record.ended_after,
        "origin": record.origin,
        "peer": record.peer,
        "caller": record.caller,
        "dialled": record.dialled,
        "owner": record.owner,
        "profile": record.profile,
        "action": record.action,
        "target": record.target,
        "shown_number": record.shown_number,
        "because": [_reason(reason) for reason in record.because],
        "legs": [_leg(leg) for leg in record.legs],
        "status": record.status,
        "cause": record.cause,
        "ended_by": record.ended_by,
        "caller_person": record.caller_person,
        "connection": record.connection,
        "caller_name": record.caller_name,
        "withhold": record.withhold,
        "configuration": record.configuration,
    }
    if record.rejected:
        fields["rejected"] = [_reason(reason) for reason in record.rejected]
    if record.weighed:
        fields["weighed"] = [_weighed(weighed) for weighed in record.weighed]
    if record.attempts:
        fields["attempts"] = [{"person": attempt.person, "outcome": attempt.outcome} for attempt in record.attempts]
    if record.quality:
        fields["quality"] = [_quality(quality) for quality in record.quality]
    if record.chosen:
        fields["chosen"] = record.chosen
    if record.queue:
        fields["queue"] = [_moment(moment) for moment in record.queue]
    if record.recordings:
        fields["recordings"] = [_recording(note) for note in record.recordings]
    try:
        return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
    except orjson.JSONEncodeError:
        # A peer may have sent bytes that are no UTF-8; they were carried as surrogates and are written as "?".
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        return text.encode("utf-8", "replace") + b"\n"


def _written(seconds: float, zone: tzinfo) -> str:
    """A POSIX time to the microsecond in ISO 8601, with the offset of `zone`."""
    second = int(seconds)
    microseconds = round((seconds - second) * 1e6)
    if microseconds == 1_000_000:
        second, microseconds = second + 1, 0
    local, offset = _second(second, zone)
    return f"{local}.{str(1_000_000 + microseconds)[1:]}{offset}" if microseconds else local + offset


@lru_cache(maxsize=1024)  # calls of the same second have all but the fraction in common
def _second(second: int, zone: tzinfo) -> tuple[str, str]:
    """Date and time of a POSIX second in `zone`, and the offset, in ISO 8601."""
    text = datetime.fromtimestamp(second, zone).isoformat()
    return text[:19], text[19:]


def _reason(reason: Reason) -> dict[str, str]:
    """What `Reason.as_dict` says; compiled, which a call's record makes worth while."""
    return {
        "clause": reason.clause,
        "text": reason.text,
        "source": reason.source,
        "french": reason.french,
        "rule": reason.rule,
    }


def _moment(moment: QueueMoment) -> dict[str, Any]:
    return {"after": round(moment.after, 3), "what": moment.what, "detail": moment.detail}


def _weighed(weighed: Weighed) -> dict[str, Any]:
    return {
        "person": weighed.person,
        "line": weighed.line,
        "profile": weighed.profile,
        "by": weighed.by,
        "until": weighed.until,
        "forward": weighed.forward,
    }


def _quality(quality: Quality) -> dict[str, Any]:
    return {
        "side": quality.side,
        "codec": quality.codec,
        "sent": quality.sent,
        "received": quality.received,
        "lost": quality.lost,
        "jitter": round(quality.jitter, 6),
    }


def _recording(note: RecordingNote) -> dict[str, Any]:
    because = [reason.as_dict() for reason in note.because]
    return {"result": note.result, "because": because, "id": note.id, "seconds": note.seconds}


def _leg(leg: LegRecord) -> dict[str, Any]:
    return {
        "peer": leg.peer,
        "target": leg.target,
        "status": leg.status,
        "cause": leg.cause,
        "reason": leg.reason,
        "started_after": leg.started_after,
        "rang_after": leg.rang_after,
        "ended_after": leg.ended_after,
    }


class _AppendedFile:
    """The file, touched by the writing thread only (and before that thread exists)."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        self._open()

    def append(self, data: bytes) -> tuple[int, OSError | None]:
        """Write `data`; return how many bytes the disk took, and why it took no more."""
        written = 0
        try:
            while written < len(data):
                written += os.write(self._descriptor, data[written:])
        except OSError as error:
            return written, error
        return written, None

    def reopen(self) -> OSError | None:
        """Open the file anew; on a fault keep the old one and return why."""
        try:
            self._open()
        except OSError as error:
            return error
        return None

    def close(self) -> None:
        os.close(self._descriptor)
        self._descriptor = -1

    def _open(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # 0o640: who called whom is for the router's group, not for everybody.
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        if self._descriptor >= 0:
            self.close()
        self._descriptor = descriptor


class RecordWriter:
    """Appends call records to a file, behind the calls. Make and use it inside a running loop.

    Args:
        path: the file; its directory is made where it is missing.
        zone: the zone whose offset the times carry.
        disk_changed: told when the disk begins to refuse, and when it takes records again.
        max_waiting_bytes, flush_interval, retry_interval: see the constants.

    `counts` has the keys `("written",)` and `("lost",)`, in records.

    Raises:
        OSError: the file cannot be opened.
    """

    def __init__(
        self,
        path: Path,
        zone: tzinfo = UTC,
        *,
        disk_changed: DiskChanged = lambda error: None,
        max_waiting_bytes: int = MAX_WAITING_BYTES,
        flush_interval: float = FLUSH_INTERVAL,
        retry_interval: float = RETRY_INTERVAL,
    ) -> None:
        self.counts = Counts()
        self._zone = zone
        self._disk_changed = disk_changed
        self._max_waiting_bytes = max_waiting_bytes
        self._flush_interval = flush_interval
        self._retry_interval = retry_interval
        self._loop = asyncio.get_running_loop()
        self._file = _AppendedFile(path)
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="call-records")
        self._taken: list[CallRecord] = []  # not serialised yet
        self._lines: deque[bytes] = deque()  # what the disk has not taken yet; the first may be the rest of a line
        self._waiting_bytes = 0
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Future[tuple[int, OSError | None]] | None = None
        self._refusing = False
        self._closed = False

    def write(self, record: CallRecord) -> None:
        """Take a record. Returns at once, and never raises for a fault of the disk."""
        self._taken.append(record)
        if len(self._taken) >= GROUP or self._closed:
            self._serialise()
        if self._timer is None and self._writing is None and not self._closed:
            self._timer = self._loop.call_later(self._flush_interval, self._flush)

    def _serialise(self) -> None:
        taken, self._taken = self._taken, []
        for record in taken:
            line = serialise(record, self._zone)
            if self._closed or self._waiting_bytes + len(line) > self._max_waiting_bytes:
                self.counts[("lost",)] += 1
            else:
                self._lines.append(line)
                self._waiting_bytes += len(line)

    def reopen(self) -> None:
        """Open the file anew, for log rotation. Where that fails the old file is kept and `disk_changed` is told."""
        if not self._closed:
            reopening = self._loop.run_in_executor(self._writer, self._file.reopen)
            reopening.add_done_callback(lambda done: self._report(done.result()))

    async def close(self) -> None:
        """Write what is left and close the file. Records that the disk refuses now are lost, and counted."""
        if self._closed:
            return
        self._serialise()
        self._closed = True
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await asyncio.wait([self._writing])
        self._settle(*await self._loop.run_in_executor(self._writer, self._file.append, b"".join(self._lines)))
        self.counts[("lost",)] += len(self._lines)
        await self._loop.run_in_executor(self._writer, self._file.close)
        self._writer.shutdown(wait=False)

    def _flush(self) -> None:
        self._timer = None
        self._serialise()
        self._writing = self._loop.run_in_executor(self._writer, self._file.append, b"".join(self._lines))
        self._writing.add_done_callback(self._flushed)

    def _flushed(self, writing: asyncio.Future[tuple[int, OSError | None]]) -> None:
        self._writing = None
        self._settle(*writing.result())
        if (self._lines or self._taken) and not self._closed:
            pause = self._retry_interval if self._refusing else self._flush_interval
            self._timer = self._loop.call_later(pause, self._flush)

    def _settle(self, written: int, error: OSError | None) -> None:
        """Forget the lines that the disk took: the first `written` bytes of what waits."""
        self._waiting_bytes -= written
        while self._lines and written >= len(self._lines[0]):
            written -= len(self._lines.popleft())
            self.counts[("written",)] += 1
        if written:
            self._lines[0] = self._lines[0][written:]
        self._report(error)

    def _report(self, error: OSError | None) -> None:
        if (error is not None) != self._refusing:
            self._refusing = error is not None
            self._disk_changed(error)
