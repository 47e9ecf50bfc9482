"""What the router and its engine say to each other: JSON objects with their length before them.

The router asks: {"id": 7, "do": "play", "endpoint": 3, "clips": ["a.wav"], "loop": false}
The engine answers once: {"id": 7, "ok": …} or {"id": 7, "error": "sound", "text": "…"}, when it is done with it.
The engine tells: {"event": "key", "endpoint": 3, "key": "5"}, {"event": "timeout", "endpoint": 3, "seconds": 10.0},
once a second of each session {"event": "passed", "of": [[3, …], …]} (see `StreamStatistics`), and of itself
{"event": "second", "late": …, "skipped": …, "ports": …} (see `figures.py`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from router.ports import DiskFullError, EngineError, MediaError, SoundError

MAX_FRAME_BYTES: Final = 1024 * 1024  # a list of several thousand sounds
_LENGTH_BYTES: Final = 4

ERRORS: Final[Mapping[str, type[MediaError]]] = {
    "media": MediaError,
    "sound": SoundError,
    "disk": DiskFullError,
    "engine": EngineError,
}
_KINDS: Final = {kind: name for name, kind in ERRORS.items()}

Message = dict[str, Any]


def kind_of(error: MediaError) -> str:
    """The word by which an error crosses."""
    return _KINDS.get(type(error), "media")


class Channel(asyncio.Protocol):
    """One end of the connection.

    Args:
        taken: called for each message.
        lost: called once, when the other end is gone, or said something that is none.
    """

    def __init__(self, taken: Callable[[Message], None], lost: Callable[[], None]) -> None:
        self._taken = taken
        self._lost = lost
        self._transport: asyncio.Transport | None = None
        self._waiting = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are none by inheritance

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._lost()

    def data_received(self, data: bytes) -> None:
        waiting = self._waiting
        waiting += data
        while len(waiting) >= _LENGTH_BYTES:
            end = _LENGTH_BYTES + int.from_bytes(waiting[:_LENGTH_BYTES])
            if end > MAX_FRAME_BYTES:
                self.close()
                return
            if len(waiting) < end:
                return
            message = json.loads(waiting[_LENGTH_BYTES:end])
            del waiting[:end]
            self._taken(message)

    def send(self, message: Message) -> None:
        """Send without waiting; nothing happens when the other end is gone."""
        if self._transport is not None:
            data = json.dumps(message, separators=(",", ":")).encode()
            self._transport.write(len(data).to_bytes(_LENGTH_BYTES) + data)

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
