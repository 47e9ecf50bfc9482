"""One channel of a recording: packets laid down by their timestamps."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np
from numpy.typing import NDArray

from router.media.codecs import Converter, Samples, decoder, silence
from router.media.rtp import CLOCK, newer
from router.media.sdp import G722

REORDER_UNITS: Final = CLOCK // 5  # 200 ms that a packet may be late or out of order; nobody waits for a recording
WINDOW_UNITS: Final = 4 * CLOCK  # what is kept ahead; a burst after a stall fits in
MAX_LEAP: Final = CLOCK  # a second that a timestamp may be away from where it should be before it is set anew


class Track:
    """A jitter buffer that needs no clock: the place of a packet follows from its timestamp, so those out of order
    find theirs, doubled ones lie on each other, and of lost ones there is silence.

    Args:
        codec: what is laid down; other codecs of the stream are converted.
        rate: samples per second of what is taken.
        begin: when the recording begins, in units of the RTP clock.
    """

    __slots__ = (
        "_begin",
        "_came",
        "_codec",
        "_converter",
        "_decoder",
        "_offset",
        "_per_unit",
        "_ssrc",
        "_window",
        "_written",
        "end",
        "late",
    )

    def __init__(self, codec: str, rate: int, begin: int) -> None:
        self._codec = codec
        self._decoder = decoder(codec, rate)
        self._begin = begin
        self._window = bytearray(silence(codec, WINDOW_UNITS))
        self._came = bytearray(WINDOW_UNITS) if codec == G722 else None  # 1 where there is something
        self._per_unit = rate // CLOCK
        self._written = 0  # units that were taken
        self._offset = 0  # timestamp of the beginning
        self._ssrc = -1
        self._converter: tuple[str, Converter] | None = None
        self.end = 0  # units up to the end of the last packet
        self.late = 0  # packets that came after their place was taken

    def put(self, codec: str, payload: bytes, timestamp: int, ssrc: int, came: int) -> None:
        """Lay down a packet that came at that time, in units of the RTP clock."""
        if codec != self._codec:
            payload = self._converted(codec, payload)
        size = len(payload)
        now = came - self._begin
        place = newer(timestamp, self._offset, 32)
        behind = self._written - place
        leapt = behind > MAX_LEAP or place + size - now > MAX_LEAP
        too_slow = behind > 0 and place >= self.end  # the newest packet comes too late
        if ssrc != self._ssrc or leapt or too_slow:
            place = max(now - size, self.end, self._written)  # it came when it was complete
            behind = self._written - place
            self._offset = (timestamp - place) & 0xFFFF_FFFF
            self._ssrc = ssrc
        start = -behind
        if start < 0 or start + size > WINDOW_UNITS:
            self.late += 1
            return
        self._window[start : start + size] = payload
        if self._came is not None:
            self._came[start : start + size] = b"\1" * size
        self.end = max(self.end, place + size)

    def take(self, until: int) -> Samples:
        """Return the sound from where the last one ended to `until`, in units since the beginning."""
        count = until - self._written
        data = bytes(self._window[:count])
        data += silence(self._codec, count - len(data))
        del self._window[:count]
        self._window.extend(silence(self._codec, WINDOW_UNITS - len(self._window)))
        self._written += count
        if self._came is None:
            return self._decoder.decode(data)
        came = np.frombuffer(bytes(self._came[:count]).ljust(count, b"\0"), np.uint8)
        del self._came[:count]
        self._came.extend(bytes(WINDOW_UNITS - len(self._came)))
        return self._decoded_with_gaps(data, came)

    def _decoded_with_gaps(self, data: bytes, came: NDArray[np.uint8]) -> Samples:
        """Decode what came, and leave silence where nothing did: a decoder that remembers must not see that."""
        edges = [0, *(np.flatnonzero(np.diff(came)) + 1).tolist(), len(data)]
        parts = [np.zeros(0, np.int16)]
        for start, end in pairwise(edges):
            if end > start and came[start]:
                parts.append(self._decoder.decode(data[start:end]))
            else:
                parts.append(np.zeros((end - start) * self._per_unit, np.int16))
        return np.concatenate(parts)

    def _converted(self, codec: str, payload: bytes) -> bytes:
        if self._converter is None or self._converter[0] != codec:
            self._converter = (codec, Converter(codec, self._codec))
        return self._converter[1].convert(payload)
