"""The files of a mailbox: where its sounds lie, and how they get onto the disk.

    voicemail/claire/1f0c….wav               a message
    voicemail/claire/greetings/absent.wav    a greeting

Files are readable by the router's own user alone. What begins with a dot and ends with ".part" is not complete.
"""

from __future__ import annotations

import io
import os
import wave
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote

from router.policy.snapshot import ProfileKind
from router.ports import SoundRefusedError, StoreFullError
from router.stores.durable_files import (
    TEMPORARY,
    faults,
    has_room,
    made,
    synchronise_directory,
    write_durably,
)

MIN_FREE_BYTES: Final = 32 * 1024 * 1024  # of the disk; with less, no message is begun: what is begun is to fit
MAX_NAME_BYTES: Final = 200  # of a directory; file systems take 255
MAX_GREETING_SECONDS: Final = 180.0
MIN_GREETING_SECONDS: Final = 0.5  # less is a slip of the finger
GREETING_RATES: Final = (8000, 16000)
MAX_GREETING_BYTES: Final = 6 * 1024 * 1024  # three minutes at 16 kHz, and room for what editors add
_GREETINGS: Final = "greetings"
_KINDS: Final = frozenset(kind.value for kind in ProfileKind)


class SoundFiles:
    """The directory of all mailboxes. Everything here blocks: it is called in a thread.

    Args:
        root: absolute; made on demand.
    """

    def __init__(self, root: Path) -> None:
        self.root = root

    def message(self, mailbox: str, identity: str) -> Path:
        """Return where a message's sound lies. Raises `LookupError` for a name that cannot be one of a directory."""
        return self._directory(mailbox) / f"{identity}.wav"

    def greeting(self, mailbox: str, kind: str) -> Path:
        """Return where a greeting lies. Raises `LookupError` for a kind that does not exist."""
        if kind not in _KINDS:
            raise LookupError(f"there is no kind of profile {kind!r}; write one of: {', '.join(sorted(_KINDS))}")
        return self._directory(mailbox) / _GREETINGS / f"{kind}.wav"

    def temporary_greeting(self, mailbox: str) -> Path:
        """Return where a greeting can be recorded; what stays there is removed at the next start."""
        return self._directory(mailbox) / _GREETINGS / f".{os.urandom(8).hex()}{TEMPORARY}"

    def prepare(self, mailbox: str) -> None:
        """Make sure that a message has a directory, and room. Raises `StoreFullError`, `StoreError`."""
        with self._faults():
            if not has_room(made(self._directory(mailbox)), MIN_FREE_BYTES):
                raise StoreFullError(f"{self.root}: the disk is full, or almost; make room")

    def prepare_greetings(self, mailbox: str) -> None:
        """Make sure that greetings have a directory. Raises `StoreFullError`, `StoreError`."""
        with self._faults():
            made(self._directory(mailbox) / _GREETINGS)

    def synchronise(self, path: Path) -> bool:
        """Make sure that a file, and its name, survive a power cut, and that nobody else reads it.

        Returns False when there is none, or nothing in it. Raises `StoreFullError`, `StoreError`.
        """
        with self._faults():
            try:
                descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
            except FileNotFoundError:
                return False
            try:
                os.fchmod(descriptor, 0o600)
                os.fsync(descriptor)
                empty = os.fstat(descriptor).st_size == 0
            finally:
                os.close(descriptor)
            synchronise_directory(path.parent)
            return not empty

    def keep_greeting(self, mailbox: str, kind: str, sound: bytes | str) -> None:
        """Keep a greeting in place of the one before; see `MailboxStore.set_greeting`."""
        target = self.greeting(mailbox, kind)
        with self._faults():
            data = sound if isinstance(sound, bytes) else _read(Path(sound))
        checked = checked_greeting(data)
        self.prepare_greetings(mailbox)
        temporary = self.temporary_greeting(mailbox)
        with self._faults():
            try:
                write_durably(temporary, checked)
                temporary.rename(target)
                synchronise_directory(target.parent)
            finally:
                temporary.unlink(missing_ok=True)
            if isinstance(sound, str):
                Path(sound).unlink(missing_ok=True)

    def copy(self, source: Path, target: Path) -> None:
        """Copy a message's sound, durably. Raises `StoreFullError`, `StoreError`."""
        with self._faults():
            write_durably(target, source.read_bytes())
            synchronise_directory(target.parent)

    def remove(self, path: Path) -> bool:
        """Remove a file; False when there was none. Raises `StoreError`."""
        with self._faults():
            try:
                path.unlink()
            except FileNotFoundError:
                return False
            return True

    def sweep(self) -> None:
        """Remove what was not complete when the router ended. Raises `StoreError`."""
        with self._faults():
            for path in self.root.rglob(f".*{TEMPORARY}"):
                path.unlink(missing_ok=True)

    def all_messages(self) -> Iterator[tuple[str, str]]:
        """Give the mailbox and the id of each file that could be a message's sound."""
        for path in self.root.glob("*/*.wav"):
            yield unquote(path.parent.name), path.stem

    def all_greetings(self) -> set[tuple[str, str]]:
        """Return the mailbox and the kind of each greeting."""
        found = {(unquote(path.parent.parent.name), path.stem) for path in self.root.glob(f"*/{_GREETINGS}/*.wav")}
        return {(mailbox, kind) for mailbox, kind in found if kind in _KINDS}

    def _directory(self, mailbox: str) -> Path:
        name = directory_name(mailbox)
        if not name or len(name) > MAX_NAME_BYTES:
            raise LookupError(f"no mailbox is called {mailbox[:40]!r}")
        return self.root / name

    def _faults(self) -> AbstractContextManager[None]:
        return faults(self.root)


def directory_name(mailbox: str) -> str:
    """Return how a mailbox's directory is called: its name, what a path could take amiss written as %2F is."""
    name = quote(mailbox, safe="")
    return f"%2E{name[1:]}" if name.startswith(".") else name


def checked_greeting(data: bytes) -> bytes:
    """Return a greeting as it is kept: the sound alone, under a header of our own. Raises `SoundRefusedError`."""
    if len(data) > MAX_GREETING_BYTES:
        raise SoundRefusedError(f"a greeting has at most {MAX_GREETING_BYTES // 1024 // 1024} MB")
    try:
        with wave.open(io.BytesIO(data)) as file:
            channels, width, rate = file.getnchannels(), file.getsampwidth(), file.getframerate()
            sound = file.readframes(file.getnframes())
    except (wave.Error, EOFError, RuntimeError) as error:  # RuntimeError: a chunk that is longer than the file
        raise SoundRefusedError(f"this is no WAV file of 16 bits PCM ({str(error) or 'it ends too early'})") from error
    if (channels, width) != (1, 2) or rate not in GREETING_RATES:
        found = f"{rate} Hz, {channels} channel{'s' * (channels > 1)}, {8 * width} bits"
        raise SoundRefusedError(f"a greeting is a WAV file of 8000 or 16000 Hz, mono, 16 bits; this one has {found}")
    seconds = len(sound) / 2 / rate
    if not MIN_GREETING_SECONDS <= seconds <= MAX_GREETING_SECONDS:
        raise SoundRefusedError(
            f"a greeting lasts {MIN_GREETING_SECONDS:g} to {MAX_GREETING_SECONDS:g} s; this one {seconds:.1f} s"
        )
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(sound)
    return written.getvalue()


def _read(path: Path) -> bytes:
    """Read what could be a greeting, and no more of it."""
    with path.open("rb") as file:
        return file.read(MAX_GREETING_BYTES + 1)
