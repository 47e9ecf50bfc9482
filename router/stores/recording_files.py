"""The sounds of recorded calls: where they lie, and how one is put together of the pieces between its pauses.

    recordings/1f0c….wav        a recording
    recordings/.….part          what is not complete

Files are readable by the router's own user alone. Everything here blocks: it is called in a thread.
"""

from __future__ import annotations

import os
import wave
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from router.model.recording import RecordedPart
from router.ports import StoreError, StoreFullError
from router.stores.durable_files import TEMPORARY, created, faults, has_room, made, synchronise_directory

MIN_FREE_BYTES: Final = 64 * 1024 * 1024  # of the disk; with less, nothing is begun: half an hour of a call is to fit
FRAME_BYTES: Final = 4  # two channels of 16 bits
COPIED_FRAMES: Final = 64 * 1024  # at a time


class RecordingFiles:
    """The directory of all recordings.

    Args:
        root: absolute; made on demand.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def path(self, identity: str) -> Path:
        """Return where a recording's sound lies. Raises `LookupError` for what cannot be an id."""
        if not identity.isalnum() or not identity.isascii():
            raise LookupError(f"no recording is called {identity[:40]!r}")
        return self.root / f"{identity}.wav"

    def prepare(self) -> None:
        """Make sure that there is a directory, and room. Raises `StoreFullError`, `StoreError`."""
        with faults(self.root):
            if not has_room(made(self.root), MIN_FREE_BYTES):
                raise StoreFullError(f"{self.root}: the disk is full, or almost; make room")

    def assemble(self, identity: str, parts: Sequence[RecordedPart]) -> float:
        """Make one durable file of the parts, which then are gone; return its length in seconds.

        Raises `StoreFullError`, `StoreError`; then the parts are still there.
        """
        if not parts:
            raise StoreError(f"{identity}: nothing was recorded")
        target = self.path(identity)
        with faults(self.root):
            if len(parts) == 1:
                seconds = _seconds(parts[0].temporary)
                os.rename(parts[0].temporary, target)  # it is complete and on the disk; only its name is missing
            else:
                whole = self.root / f".{identity}{TEMPORARY}"
                whole.unlink(missing_ok=True)  # of an attempt before
                seconds = _join(whole, parts)
                whole.rename(target)
            synchronise_directory(self.root)
        self.drop(parts)
        return seconds

    def drop(self, parts: Sequence[RecordedPart]) -> None:
        """Remove the files of parts. Raises `StoreError`."""
        with faults(self.root):
            for part in parts:
                Path(part.temporary).unlink(missing_ok=True)

    def remove(self, *identities: str) -> None:
        """Remove the sounds of recordings, where they are there. Raises `StoreError`."""
        with faults(self.root):
            for identity in identities:
                self.path(identity).unlink(missing_ok=True)

    def sweep(self) -> None:
        """Remove what was not complete when the router ended. Raises `StoreError`."""
        with faults(self.root):
            for path in self.root.glob(f".*{TEMPORARY}"):
                path.unlink(missing_ok=True)

    def all(self) -> set[str]:
        """Return the id of each file that could be a recording."""
        return {path.stem for path in self.root.glob("*.wav")}


def _seconds(path: str) -> float:
    with _opened(path) as file:
        return file.getnframes() / file.getframerate()


def _join(whole: Path, parts: Sequence[RecordedPart]) -> float:
    """Write the parts into one file, silence where there was a pause; return its length in seconds."""
    rates = []
    for part in parts:
        with _opened(part.temporary) as file:
            rates.append(file.getframerate())
    rate = min(rates)  # another codec may have been agreed on meanwhile
    written = 0
    descriptor = created(whole)
    with open(descriptor, "wb") as raw:
        with wave.open(raw, "wb") as out:
            out.setnchannels(2)
            out.setsampwidth(2)
            out.setframerate(rate)
            for part in parts:
                missing = round(part.after * rate) - written
                while missing > 0:
                    count = min(missing, COPIED_FRAMES)
                    out.writeframesraw(bytes(count * FRAME_BYTES))
                    written += count
                    missing -= count
                with _opened(part.temporary) as file:
                    slower = file.getframerate() // rate
                    while frames := file.readframes(COPIED_FRAMES):
                        frames = _slowed(frames, slower)
                        out.writeframesraw(frames)
                        written += len(frames) // FRAME_BYTES
        raw.flush()
        os.fsync(descriptor)
    return written / rate


def _slowed(frames: bytes, times: int) -> bytes:
    """Return so many times fewer frames, each the mean of those that it stands for."""
    if times == 1:
        return frames
    samples = np.frombuffer(frames, "<i2").reshape(-1, 2)
    whole = samples[: len(samples) // times * times].reshape(-1, times, 2)
    return np.asarray(whole.mean(axis=1), "<i2").tobytes()


def _opened(path: str) -> wave.Wave_read:
    """Open a part. Raises `StoreError` for what is none."""
    try:
        file = wave.open(path, "rb")  # noqa: SIM115 (whoever asked closes it)
    except (wave.Error, EOFError) as error:
        raise StoreError(f"{path}: this is no recording ({str(error) or 'it ends too early'})") from error
    if (file.getnchannels(), file.getsampwidth()) != (2, 2):
        file.close()
        raise StoreError(f"{path}: this is no recording of two channels of 16 bits")
    return file
