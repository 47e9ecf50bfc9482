"""What one session sends: a packet every 20 ms, from clips, keys or silence."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import Final

from router.media.codecs import silence
from router.media.rtp import CLOCK, MARKER, TICK_UNITS, VERSION, newer, pack
from router.media.sdp import CODECS
from router.media.telephone_event import packets

MAX_LEAP: Final = CLOCK  # one second that another session's clock may be off before its stream counts as a new one
_IDLE: Final = {codec: silence(codec, 5 * CLOCK) for codec in CODECS}  # silence, as much as is taken up at a time
_SEQUENCE: Final = 0xFFFF
_TIMESTAMP: Final = 0xFFFF_FFFF
_OTHERWISE: Final = -1  # as the limit: `tick` has more to think about than the next piece of a clip


class Sender:
    """The outgoing half of an RTP stream. `tick` is called every 20 ms, whatever is sent.

    The timestamp goes on with the clock also while nothing is sent; the first packet after a pause bears the marker.

    Args:
        send: of the connected socket.
        ssrc, sequence, timestamp: where to begin; random numbers (RFC 3550 §5.1).
    """

    __slots__ = (
        "_base",
        "_clips",
        "_data",
        "_ended",
        "_extra_bytes",
        "_halved",
        "_idle",
        "_keys",
        "_keys_sent",
        "_limit",
        "_loop",
        "_marker",
        "_muted",
        "_position",
        "_relayed",
        "_relaying",
        "_send",
        "_type",
        "_units",
        "event_type",
        "failed",
        "packets_sent",
        "sequence",
        "ssrc",
    )

    def __init__(self, send: Callable[[bytes], int], ssrc: int, sequence: int, timestamp: int) -> None:
        self._send = send
        self.ssrc = ssrc
        self.sequence = sequence
        self._base = timestamp  # RTP timestamp of the engine's start
        self._units = 0  # since then, at the last tick
        self.event_type: int | None = None
        self.packets_sent = self.failed = 0
        self._extra_bytes = 0  # sent beyond 20 ms in each packet; may be negative
        self._muted = True  # nothing is sent: on hold, or nothing is agreed on yet
        self._halved = False  # the other side takes no more than 10 ms in a packet
        self._relaying = False  # another session's packets go out, unless something is played
        self._type = 0
        self._idle = b""
        self._data = b""
        self._position = 0
        self._limit = _OTHERWISE  # length of the data where that may simply be sent
        self._clips: deque[bytes] = deque()
        self._loop: tuple[bytes, ...] = ()
        self._ended: Callable[[], None] | None = None
        self._keys: Iterator[tuple[bool, int, bytes] | None] | None = None
        self._keys_sent: list[Callable[[], None]] = []
        self._marker = MARKER
        self._relayed: tuple[int, int, int] | None = None  # SSRC, and what to add to sequence number and timestamp

    @property
    def timestamp(self) -> int:
        """RTP timestamp of the last tick."""
        return (self._base + self._units) & _TIMESTAMP

    @property
    def bytes_sent(self) -> int:
        return self.packets_sent * TICK_UNITS + self._extra_bytes

    # ---------------------------------------------------------------------------------------------- what to do

    def use(self, codec: str, payload_type: int, event_type: int | None, *, muted: bool, halved: bool) -> None:
        """Send in this codec from now on; what is played in another one ends.

        Args:
            muted: send nothing.
            halved: put no more than 10 ms into a packet.
        """
        idle = _IDLE[codec]
        if idle is not self._idle:
            self.stop()
        self._idle = idle
        self._type = payload_type
        self.event_type = event_type
        self._muted, self._halved = muted, halved
        self._marker = MARKER
        self._limit = _OTHERWISE

    def play(self, clips: Sequence[bytes], loop: bool, ended: Callable[[], None]) -> None:
        """Send clips one after the other instead of what is sent now.

        Args:
            ended: called when the last has been sent; not when they are stopped.
        """
        self.stop()
        self._clips = deque(clips)
        self._loop = tuple(clips) if loop and any(clips) else ()
        self._ended = ended

    def stop(self) -> None:
        """Send silence again, or the other session's packets."""
        self._clips.clear()
        self._loop = ()
        self._ended = None
        self._data = b""
        self._position = 0
        self._limit = _OTHERWISE

    def send_keys(self, keys: str, sent: Callable[[], None]) -> None:
        """Send keys as events, after those that are being sent; what is played goes on afterwards.

        Needs an `event_type`. `sent` is called when all are out.
        """
        self._keys = packets(keys) if self._keys is None else chain(self._keys, packets(keys))
        self._keys_sent.append(sent)
        self._limit = _OTHERWISE

    def end_keys(self) -> None:
        """Send no more keys; who waits for them is told so."""
        told, self._keys, self._keys_sent = self._keys_sent, None, []
        self._marker = MARKER
        for sent in told:
            sent()

    def relay_instead(self, relaying: bool) -> None:
        """Whether `relay` brings another session's packets, so that there is no need for silence."""
        self._relaying = relaying
        self._relayed = None
        if self._ended is None:
            self.stop()

    def skip(self) -> None:
        """The engine was held up: what is played goes on where it was, later."""
        self._marker = MARKER
        self._limit = _OTHERWISE

    # ---------------------------------------------------------------------------------------------- every 20 ms

    def tick(self, units: int) -> None:
        """Send what is due.

        Args:
            units: of the RTP clock, since the engine started.
        """
        self._units = units
        position = self._position
        end = position + TICK_UNITS
        if end > self._limit:
            self._tick_otherwise()
            return
        self._position = end
        self.sequence = sequence = (self.sequence + 1) & _SEQUENCE
        self.packets_sent += 1
        try:
            self._send(
                pack(VERSION, self._type, sequence, (self._base + units) & _TIMESTAMP, self.ssrc)
                + self._data[position:end]
            )
        except OSError:
            self.failed += 1

    def _tick_otherwise(self) -> None:
        """Send what is due where that is not simply the next piece of the data."""
        if self._keys is not None:
            self._send_key()
            return
        payload = self._next()
        if not payload:
            return
        if self._muted:
            self._marker = MARKER
        elif self._halved:
            half = TICK_UNITS // 2
            self._send_next(self._type, self.timestamp, payload[:half])
            self._send_next(self._type, self.timestamp + half, payload[half:])
        else:
            self._send_next(self._type, self.timestamp, payload)
            self._limit = len(self._data)

    def _next(self) -> bytes:
        """Return the payload that is due; b"" where another session's is sent, or nothing yet."""
        payload = self._data[self._position : self._position + TICK_UNITS]
        self._position += len(payload)
        while len(payload) < TICK_UNITS:
            if not self._clips:
                if self._ended is None:
                    if self._relaying or not self._idle:
                        self._marker = MARKER
                        return b""
                    self._clips.append(self._idle)
                elif self._loop:
                    self._clips.extend(self._loop)
                elif payload:  # the end of the last clip
                    self._data, self._position = b"", 0
                    return payload + self._idle[len(payload) : TICK_UNITS]
                else:
                    self._end()
                    continue
            self._data = self._clips.popleft()
            part = self._data[: TICK_UNITS - len(payload)]
            self._position = len(part)
            payload += part
        return payload

    def _end(self) -> None:
        ended = self._ended
        self.stop()
        if ended is not None:
            ended()

    def _send_key(self) -> None:
        assert self._keys is not None
        try:
            item = next(self._keys)
        except StopIteration:
            self.end_keys()
            return
        if item is None or self._muted or self.event_type is None:
            return
        first, back, payload = item
        self._marker = MARKER if first else 0
        self._send_next(self.event_type, self.timestamp - back * TICK_UNITS, payload)

    def _send_next(self, payload_type: int, timestamp: int, payload: bytes) -> None:
        self.sequence = (self.sequence + 1) & _SEQUENCE
        self._put(payload_type | self._marker, self.sequence, timestamp & _TIMESTAMP, payload)
        self._marker = 0

    def _put(self, second: int, sequence: int, timestamp: int, payload: bytes) -> None:
        self.packets_sent += 1
        self._extra_bytes += len(payload) - TICK_UNITS
        try:
            self._send(pack(VERSION, second, sequence, timestamp, self.ssrc) + payload)
        except OSError:
            self.failed += 1

    # ------------------------------------------------------------------------------------------------- relaying

    def relay(self, marker: bool, event: bool, ssrc: int, sequence: int, timestamp: int, payload: bytes) -> None:
        """Send on a packet of another session, in our codec already, as a part of our own stream.

        Gaps and repetitions stay what they are, so that the other side can tell what was lost.
        """
        if self._muted or self._ended is not None or self._keys is not None or (event and self.event_type is None):
            self._relayed = None
            return
        relayed = self._relayed
        ours = self.timestamp
        leapt = (
            relayed is not None
            and not event  # which bears the time at which the key went down
            and abs(newer(timestamp + relayed[2], ours, 32)) > MAX_LEAP
        )
        if relayed is None or relayed[0] != ssrc or leapt:
            # Another source, or its clock leapt: it goes on from where we are.
            relayed = (ssrc, self.sequence + 1 - sequence, ours - timestamp)
            self._relayed = relayed
            marker = True
        place = (sequence + relayed[1]) & _SEQUENCE
        if newer(place, self.sequence, 16) > 0:
            self.sequence = place
        second = (self.event_type or 0) if event else self._type
        self._put(second | (MARKER if marker else 0), place, (timestamp + relayed[2]) & _TIMESTAMP, payload)
