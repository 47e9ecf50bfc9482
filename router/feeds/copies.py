"""The last good copy of each source, on disk, so that a restart begins with it.

A copy is one file: a line of JSON (the version that the source gave), then the data. The file's own time is that of
the last look that found it up to date. It is replaced as a whole or not at all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Container
from pathlib import Path
from typing import Final, NamedTuple

from router.feeds.source import Version

FOLDER: Final = "feeds"  # below the data directory


class Copy(NamedTuple):
    """A copy: data, version, and POSIX seconds of the last look that found it up to date."""

    data: bytes
    version: Version
    fetched_at: float


def copy_path(data_directory: Path, kind: str, url: str) -> Path:
    """Return where the copy of a source lies. `kind` is "greylist" or "calendar"."""
    return data_directory / FOLDER / f"{kind}-{hashlib.sha256(url.encode()).hexdigest()[:32]}"


def read_copy(path: Path) -> Copy | None:
    """Return a copy; None when there is none, or none that we wrote."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline())
            version = Version(str(header["etag"]), str(header["last_modified"]))
            return Copy(file.read(), version, os.fstat(file.fileno()).st_mtime)
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def read_version(path: Path) -> tuple[Version, float] | None:
    """Return version and time of a copy without its data; None as in `read_copy`."""
    try:
        with path.open("rb") as file:
            header = json.loads(file.readline())
            return Version(str(header["etag"]), str(header["last_modified"])), os.fstat(file.fileno()).st_mtime
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def keep_copy(path: Path, data: bytes, version: Version, now: float) -> None:
    """Replace a copy, durably. Raises OSError; then the old copy is still there."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_suffix(f".{os.getpid()}.part")
    try:
        with open(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(json.dumps(version._asdict()).encode() + b"\n")
            file.write(data)
            file.flush()
            os.utime(file.fileno(), (now, now))
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)  # the new name as well
    finally:
        os.close(directory)


def confirm_copy(path: Path, now: float) -> None:
    """Note that a copy is up to date at `now` (POSIX seconds). Raises OSError."""
    os.utime(path, (now, now))


def drop_copies(data_directory: Path, kind: str, kept: Container[Path]) -> None:
    """Remove the copies of one kind that are not among those `kept`. Raises OSError."""
    for path in (data_directory / FOLDER).glob(f"{kind}-*"):
        if path not in kept:
            path.unlink(missing_ok=True)
