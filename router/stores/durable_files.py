"""How files get onto the disk so that a power cut does not take them back. Everything here blocks."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from router.ports import StoreError, StoreFullError

TEMPORARY: Final = ".part"  # ends the name of what is not complete; it begins with a dot
_FULL: Final = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


@contextmanager
def faults(root: Path) -> Iterator[None]:
    """Turn what the disk says within into a `StoreError` that names the file, or `root`, and says what to do."""
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise StoreFullError(f"{error.filename or root}: the disk is full; make room") from error
        what = error.strerror or str(error)
        raise StoreError(f"{error.filename or root}: {what}; let the router's user read and write it") from error


def made(directory: Path) -> Path:
    """Make a directory that only its user reads and, so that it survives, tell the disk of it and of those above.
    Raises `OSError`."""
    if not directory.is_dir():
        missing = [directory, *(parent for parent in directory.parents if not parent.exists())]
        for one in reversed(missing):
            one.mkdir(mode=0o700, exist_ok=True)
            synchronise_directory(one.parent)
    return directory


def has_room(directory: Path, needed: int) -> bool:
    """Say whether the disk has so many octets left. Raises `OSError`."""
    status = os.statvfs(directory)
    return status.f_bavail * status.f_frsize >= needed


def created(path: Path) -> int:
    """Create a file that only its user reads, and return its descriptor. Raises `OSError`; it must not exist."""
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)


def write_durably(path: Path, data: bytes) -> None:
    """Write a new file that only its user reads, and wait for the disk. Raises `OSError`."""
    descriptor = created(path)
    with open(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def synchronise_directory(path: Path) -> None:
    """Wait until the names in a directory are on the disk. Raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
