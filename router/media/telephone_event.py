"""Keys as RTP events (RFC 4733), both ways."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from router.media.rtp import TICK_UNITS, newer
from router.model.sound import KEYS

KEY_TICKS: Final = 5  # 100 ms: enough for everybody, and a number is still dialled in little time
END_PACKETS: Final = 3  # RFC 4733 §2.5.1.4: the last packet of an event is sent three times
PAUSE_TICKS: Final = 4  # between two keys; with the packets that repeat the end 100 ms or more
VOLUME: Final = 10  # -10 dBm0
MAX_KEYS_PER_SECOND: Final = 25  # a machine that dials as quickly as tones allow makes 12; the rest is a flood
_END: Final = 0x80
_EVENT: Final = struct.Struct("!BBH")
_LONGEST: Final = 0xFFFF  # a key held longer goes on as the next segment (RFC 4733 §2.5.1.3)
_CLOSE: Final = 4 * TICK_UNITS  # some packets before it may be lost


class KeyReader:
    """Finds the keys in one stream of events. A key counts once, when the first packet of it comes, whichever this is:
    its beginning or its end may be lost, and any may come twice or late."""

    __slots__ = ("_duration", "_ended", "_event", "_started")

    def __init__(self) -> None:
        self._started: int | None = None  # RTP timestamp of the newest event
        self._event = -1
        self._duration = 0
        self._ended = False

    def read(self, timestamp: int, payload: bytes) -> str:
        """Take a packet; return the key that it brings, or "" when it brings none."""
        if len(payload) < _EVENT.size:
            return ""
        event, flags, duration = _EVENT.unpack_from(payload)
        if self._started is not None:
            ahead = newer(timestamp, self._started, 32)
            if ahead <= 0:
                if ahead == 0 and event == self._event:
                    self._duration = max(self._duration, duration)
                    self._ended = self._ended or bool(flags & _END)
                return ""
            full = self._duration >= _LONGEST - _CLOSE and abs(ahead - _LONGEST) <= _CLOSE
            if event == self._event and not self._ended and full:
                # The next segment of the same long key begins where this one reached its greatest duration.
                self._started, self._duration, self._ended = timestamp, duration, bool(flags & _END)
                return ""
        self._started, self._event, self._duration = timestamp, event, duration
        self._ended = bool(flags & _END)
        return KEYS[event] if event < len(KEYS) else ""

    def forget(self) -> None:
        """Begin anew: the stream has another source, with timestamps of its own."""
        self._started = None


def packets(keys: str) -> Iterator[tuple[bool, int, bytes] | None]:
    """Yield what is sent for some keys, one item each 20 ms.

    Yields:
        Whether a key begins, by how much of 20 ms the packet's timestamp lies back, and its payload; None where
        nothing is sent.
    """
    for key in keys:
        event = KEYS.index(key)
        for tick in range(KEY_TICKS):
            yield tick == 0, tick, _EVENT.pack(event, VOLUME, (tick + 1) * TICK_UNITS)
        for repeat in range(END_PACKETS):
            duration = KEY_TICKS * TICK_UNITS
            yield False, KEY_TICKS + repeat, _EVENT.pack(event, _END | VOLUME, duration)
        for _ in range(PAUSE_TICKS):
            yield None
