"""What one session sends: a packet every 20 ms, from clips, keys or silence."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Final

from router.media.codecs import SILENCE
from router.media.rtp import CLOCK, MARKER, TICK_UNITS, VERSION, newer, pack
from router.media.telephone_event import packets

Address = tuple[str, int] | tuple[str, int, int, int]

NOWHERE: Final[Address] = ("", 0)  # until something is agreed on; nothing is sent there
MAX_LEAP: Final = CLOCK  # one second that another session's clock may be off before its stream counts as a new one
_SEQUENCE: Final = 0xFFFF
_TIMESTAMP: Final = 0xFFFF_FFFF


class Sender:
    """The outgoing half of an RTP stream. `tick` is called every 20 ms, whatever is sent.

    The timestamp goes on with the clock also while nothing is sent; the first packet after a pause bears the marker.

    Args:
        sendto: of the socket.
        ssrc, sequence, timestamp: where to begin; random numbers (RFC 3550 §5.1).
    """

    __slots__ = (
        "_clips",
        "_data",
        "_ended",
        "_keys",
        "_keys_sent",
        "_length",
        "_loop",
        "_marker",
        "_position",
        "_relayed",
        "_silence",
        "_type",
        "address",
        "bytes_sent",
        "event_type",
        "failed",
        "halved",
        "muted",
        "packets_sent",
        "relaying",
        "sendto",
        "sequence",
        "ssrc",
        "timestamp",
    )

    def __init__(self, sendto: Callable[[bytes, Address], int], ssrc: int, sequence: int, timestamp: int) -> None:
        self.sendto = sendto
        self.ssrc = ssrc
        self.sequence = sequence
        self.timestamp = timestamp
        self.address: Address = NOWHERE
        self.event_type: int | None = None
        self.muted = True  # nothing is sent: on hold, or not agreed yet
        self.relaying = False  # another session's packets go out, unless something is played
        self.halved = False  # the other side takes no more than 10 ms in a packet
        self.packets_sent = self.bytes_sent = self.failed = 0
        self._type = 0
        self._silence = b""
        self._data = b""
        self._position = self._length = 0
        self._clips: deque[bytes] = deque()
        self._loop: tuple[bytes, ...] = ()
        self._ended: Callable[[], None] | None = None
        self._keys: Iterator[tuple[bool, int, bytes] | None] | None = None
        self._keys_sent: Callable[[], None] | None = None
        self._marker = MARKER
        self._relayed: tuple[int, int, int] | None = None  # SSRC, and what to add to sequence number and timestamp

    def use(self, codec: str, payload_type: int, event_type: int | None) -> None:
        """Send in this codec from now on; what is played in another one ends."""
        silence = SILENCE[codec]
        if silence != self._silence:
            self.stop()
        self._type = payload_type
        self._silence = silence
        self.event_type = event_type
        self._marker = MARKER

    @property
    def playing(self) -> bool:
        return self._ended is not None

    def play(self, clips: Sequence[bytes], loop: bool, ended: Callable[[], None]) -> None:
        """Send clips one after the other instead of what is sent now.

        Args:
            ended: called when the last has been sent; not when they are stopped.
        """
        self._clips = deque(clips)
        self._loop = tuple(clips) if loop and any(clips) else ()
        self._ended = ended
        self._data, self._position, self._length = b"", 0, 0

    def stop(self) -> None:
        """Send silence again."""
        self._clips.clear()
        self._loop = ()
        self._ended = None
        self._data, self._position, self._length = b"", 0, 0

    def send_keys(self, keys: str, sent: Callable[[], None]) -> None:
        """Send keys as events; what is played goes on afterwards. Needs an `event_type`."""
        self._keys = packets(keys)
        self._keys_sent = sent

    def tick(self) -> None:
        """Send what is due."""
        self.timestamp = timestamp = (self.timestamp + TICK_UNITS) & _TIMESTAMP
        if self._keys is not None:
            self._send_key(timestamp)
            return
        position = self._position
        end = position + TICK_UNITS
        if end <= self._length:
            payload = self._data[position:end]
            self._position = end
        else:
            payload = self._next()
            if not payload:
                return
        if self.muted or self.halved:
            self._send_otherwise(payload, timestamp)
            return
        self.sequence = sequence = (self.sequence + 1) & _SEQUENCE
        try:
            self.sendto(
                pack(VERSION, self._type | self._marker, sequence, timestamp, self.ssrc) + payload, self.address
            )
        except OSError:
            self.failed += 1
        self._marker = 0
        self.packets_sent += 1
        self.bytes_sent += TICK_UNITS

    def skip(self, ticks: int) -> None:
        """The engine was away for so long: what is played goes on where it was, later."""
        self.timestamp = (self.timestamp + ticks * TICK_UNITS) & _TIMESTAMP
        self._marker = MARKER

    def _next(self) -> bytes:
        """Return the payload where the current clip has no whole one left; b"" where another session's is sent."""
        if self._ended is None:
            if self.relaying:
                self._marker = MARKER
                return b""
            return self._silence
        payload = self._data[self._position : self._length]
        while len(payload) < TICK_UNITS:
            if not self._clips:
                if not self._loop:
                    break
                self._clips.extend(self._loop)
            self._data = self._clips.popleft()
            self._position = TICK_UNITS - len(payload)
            self._length = len(self._data)
            payload += self._data[: self._position]
        if len(payload) == TICK_UNITS:
            return payload
        if not payload:
            self._end()
            return self._next()
        self._data, self._position, self._length = b"", 0, 0
        return payload + self._silence[len(payload) :]

    def _end(self) -> None:
        ended = self._ended
        self.stop()
        if ended is not None:
            ended()

    def _send_otherwise(self, payload: bytes, timestamp: int) -> None:
        """Send nothing while muted; two packets where 20 ms are too many."""
        if self.muted:
            self._marker = MARKER
            return
        half = TICK_UNITS // 2
        self._send(self._type, timestamp, payload[:half])
        self._send(self._type, (timestamp + half) & _TIMESTAMP, payload[half:])

    def _send_key(self, timestamp: int) -> None:
        assert self._keys is not None
        try:
            item = next(self._keys)
        except StopIteration:
            sent, self._keys, self._keys_sent = self._keys_sent, None, None
            self._marker = MARKER
            if sent is not None:
                sent()
            return
        if item is None or self.muted or self.event_type is None:
            return
        first, back, payload = item
        self._marker = MARKER if first else 0
        self._send(self.event_type, (timestamp - back * TICK_UNITS) & _TIMESTAMP, payload)

    def _send(self, payload_type: int, timestamp: int, payload: bytes) -> None:
        self.sequence = (self.sequence + 1) & _SEQUENCE
        self._put(payload_type | self._marker, self.sequence, timestamp, payload)
        self._marker = 0

    def _put(self, second: int, sequence: int, timestamp: int, payload: bytes) -> None:
        try:
            self.sendto(pack(VERSION, second, sequence, timestamp, self.ssrc) + payload, self.address)
        except OSError:
            self.failed += 1
        self.packets_sent += 1
        self.bytes_sent += len(payload)

    # ------------------------------------------------------------------------------------------------- relaying

    def relay(self, marker: bool, event: bool, ssrc: int, sequence: int, timestamp: int, payload: bytes) -> None:
        """Send on a packet of another session, in our codec already, as a part of our own stream.

        Gaps and repetitions stay what they are, so that the other side can tell what was lost.
        """
        if self.muted or self._ended is not None or self._keys is not None or (event and self.event_type is None):
            self._relayed = None
            return
        relayed = self._relayed
        leapt = (
            relayed is not None
            and not event  # which bears the time at which the key went down
            and abs(newer(timestamp + relayed[2], self.timestamp, 32)) > MAX_LEAP
        )
        if relayed is None or relayed[0] != ssrc or leapt:
            # Another source, or its clock leapt: it goes on from where we are.
            relayed = (ssrc, self.sequence + 1 - sequence, self.timestamp - timestamp)
            self._relayed = relayed
            marker = True
        ours = (sequence + relayed[1]) & _SEQUENCE
        if newer(ours, self.sequence, 16) > 0:
            self.sequence = ours
        second = (self.event_type or 0) if event else self._type
        self._put(second | (MARKER if marker else 0), ours, (timestamp + relayed[2]) & _TIMESTAMP, payload)
