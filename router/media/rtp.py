"""RTP packets (RFC 3550 §5.1)."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

VERSION: Final = 0x80  # version 2, without padding, extension and contributing sources
MARKER: Final = 0x80
HEADER: Final = struct.Struct("!BBHII")
HEADER_BYTES: Final = 12
MAX_PACKET_BYTES: Final = 2048  # more than an Ethernet frame holds; what is longer is cut and so fails
MAX_PAYLOAD_BYTES: Final = 1600  # 200 ms of our codecs
TICK_UNITS: Final = 160  # timestamp units and payload bytes of 20 ms: all our codecs have a clock of 8,000 Hz
CLOCK: Final = 8000

pack = HEADER.pack
unpack = HEADER.unpack_from


class Packet(NamedTuple):
    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


def parse(data: bytes) -> Packet | None:
    """Return what a datagram holds, or None when it is no RTP packet of use: too short or long, inconsistent, empty."""
    size = len(data)
    if size < HEADER_BYTES:
        return None
    first, second, sequence, timestamp, ssrc = unpack(data)
    if first & 0xC0 != VERSION:
        return None
    start, end = HEADER_BYTES, size
    if first & 0x3F:
        start += 4 * (first & 0x0F)
        if first & 0x10:  # header extension
            if size < start + 4:
                return None
            start += 4 + 4 * int.from_bytes(data[start + 2 : start + 4])
        if first & 0x20:  # padding, whose last byte says how much
            end -= data[-1]
            if data[-1] == 0:
                return None
    if not start < end <= start + MAX_PAYLOAD_BYTES:
        return None
    return Packet(second >= MARKER, second & 0x7F, sequence, timestamp, ssrc, data[start:end])


def newer(one: int, other: int, bits: int) -> int:
    """How far `one` is ahead of `other` in a counter of so many bits that wraps; negative when it is behind."""
    half = 1 << (bits - 1)
    return ((one - other + half) & ((1 << bits) - 1)) - half
