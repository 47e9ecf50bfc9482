"""A recording in progress: sound goes from its tracks to a file under a temporary name, behind the packets.

The file is written by threads, because a disk can hang and RTP cannot wait. It gets its final name by the router only
when it is complete and synchronised, so a power cut or a killed process leaves no half one under that name.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, NamedTuple

import numpy as np

from router.media.codecs import Samples
from router.media.levels import dbfs, power
from router.media.rtp import CLOCK, TICK_UNITS
from router.media.track import REORDER_UNITS, Track
from router.media.wav import MAX_FILE_BYTES, header
from router.model.sound import FULL, SILENCE
from router.ports import DiskFullError, MediaError

LOOK_TICKS: Final = 10  # 200 ms between looks at what came
WRITE_BYTES: Final = 16_000  # a second at 8 kHz is written in one go
MIN_FREE_BYTES: Final = 16 * 1024 * 1024  # a disk with less is full: what else has to be written must not suffer
MAX_PENDING_BYTES: Final = 8 * 1024 * 1024  # eight minutes that a hanging disk may make a recording keep
QUIET: Final = 10 ** (-42 / 10)  # mean square under which nobody speaks: -42 dBFS
THREADS: Final = 4  # that write; each file belongs to one, so that its pieces keep their order
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Summary(NamedTuple):
    """What is known of a complete recording; see `model.sound.Recorded`."""

    reason: str
    seconds: float
    spoken_seconds: float
    level: float


class Disk:
    """The threads that write recordings."""

    def __init__(self) -> None:
        self._threads = [ThreadPoolExecutor(1, f"recording-{number}") for number in range(THREADS)]
        self._next = 0

    def thread(self) -> ThreadPoolExecutor:
        """Return the thread for a new file."""
        self._next = (self._next + 1) % THREADS
        return self._threads[self._next]

    def close(self) -> None:
        for thread in self._threads:
            thread.shutdown(wait=False, cancel_futures=True)


class Recording:
    """One recording, of one channel or two.

    Args:
        tracks: its channels; all of one rate.
        rate: samples per second.
        begin: tick at which it begins.
        max_seconds: its greatest length.
        silence_seconds: it ends after so much silence; 0: never.
        temporary: the file to write.
        thread: that writes it.
    """

    def __init__(
        self,
        tracks: Sequence[Track],
        rate: int,
        begin: int,
        max_seconds: float,
        silence_seconds: float,
        temporary: str,
        thread: ThreadPoolExecutor,
    ) -> None:
        self.tracks = tracks
        self.temporary = temporary
        self._rate = rate
        self._begin = begin
        longest = MAX_FILE_BYTES // (2 * len(tracks) * (rate // CLOCK)) - CLOCK
        self._most = min(int(max_seconds * CLOCK), longest)
        self._silence = silence_seconds
        self._thread = thread
        self._done = 0  # units that were taken
        self._silent = 0.0
        self._spoken = 0.0
        self._power = 0.0  # mean square times seconds, of what was spoken
        self._pieces: list[bytes] = []
        self._piece_bytes = 0
        self._written_bytes = 0
        self._writes: list[Future[None]] = []
        self.fault: MediaError | None = None
        self._file = _File(temporary)
        self._submit_open()

    def look(self, tick: int) -> str:
        """Take what came until shortly before `tick`; return why the recording is over now, or ""."""
        now = (tick - self._begin) * TICK_UNITS
        if now >= self._most + REORDER_UNITS:
            return FULL
        self._take(min(now - REORDER_UNITS, self._most))
        if self.fault is None:
            self.fault = self._fault()
        if self.fault is not None:
            return FULL
        return SILENCE if self._silence and self._silent >= self._silence else ""

    def finish(self, tick: int, reason: str) -> Future[Summary]:
        """Take the rest, complete the file and synchronise it. The future raises `MediaError` where that failed; then
        the file is gone."""
        now = (tick - self._begin) * TICK_UNITS
        end = max(track.end for track in self.tracks)
        # What is still on its way is not waited for.
        self._take(min(max(end, now - REORDER_UNITS), self._most))
        self._flush()
        seconds = self._done / CLOCK
        level = dbfs(self._power / self._spoken) if self._spoken else dbfs(0.0)
        summary = Summary(reason, seconds, self._spoken, level)
        return self._thread.submit(self._complete, summary)

    def abandon(self) -> None:
        """Leave nothing."""
        self._thread.submit(self._file.remove)

    def _take(self, until: int) -> None:
        if until <= self._done:
            return
        channels = [track.take(until) for track in self.tracks]
        seconds = (until - self._done) / CLOCK
        self._done = until
        loudest = max(power(channel) for channel in channels)
        if loudest < QUIET:
            self._silent += seconds
        else:
            self._silent = 0.0
            self._spoken += seconds
            self._power += loudest * seconds
        sound: Samples = channels[0] if len(channels) == 1 else np.column_stack(channels)
        piece = sound.astype("<i2").tobytes()
        self._pieces.append(piece)
        self._piece_bytes += len(piece)
        if self._piece_bytes >= WRITE_BYTES * len(channels):
            self._flush()

    def _flush(self) -> None:
        if self._pieces:
            self._writes.append(self._thread.submit(self._file.write, b"".join(self._pieces)))
            self._written_bytes += self._piece_bytes
            self._pieces, self._piece_bytes = [], 0

    def _submit_open(self) -> None:
        self._writes.append(self._thread.submit(self._file.open, len(self.tracks), self._rate))

    def _fault(self) -> MediaError | None:
        """What the disk said of the pieces written so far."""
        while self._writes and self._writes[0].done():
            error = self._writes.pop(0).exception()
            if error is not None:
                return _explained(error, self.temporary)
        if self._written_bytes - self._file.size > MAX_PENDING_BYTES:
            return MediaError(f"{self.temporary}: the disk is too slow; {MAX_PENDING_BYTES} bytes wait for it")
        return None

    def _complete(self, summary: Summary) -> Summary:
        """The last thing that the thread does for this file: all pieces before have been written, or failed."""
        fault = self.fault or self._fault()
        if fault is None:
            try:
                self._file.complete(len(self.tracks), self._rate)
            except OSError as error:
                fault = _explained(error, self.temporary)
        if fault is not None:
            self._file.remove()
            raise fault
        return summary


class _File:
    """A WAV file that grows. Used by one thread."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._descriptor = -1
        self.size = 0

    def open(self, channels: int, rate: int) -> None:
        folder = os.path.dirname(self._path)
        status = os.statvfs(folder)
        if status.f_bavail * status.f_frsize < MIN_FREE_BYTES:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        self._write_all(header(0, channels, rate))

    def write(self, piece: bytes) -> None:
        if self._descriptor >= 0:
            self._write_all(piece)
            self.size += len(piece)

    def complete(self, channels: int, rate: int) -> None:
        os.pwrite(self._descriptor, header(self.size, channels, rate), 0)
        os.fsync(self._descriptor)
        os.close(self._descriptor)
        self._descriptor = -1

    def remove(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            os.unlink(self._path)

    def _write_all(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._descriptor, view) :]


def _explained(error: BaseException, path: str) -> MediaError:
    if isinstance(error, OSError):
        kind = DiskFullError if error.errno in _FULL else MediaError
        return kind(f"{path}: cannot be recorded: {error.strerror}")
    return MediaError(f"{path}: cannot be recorded: {error}")
