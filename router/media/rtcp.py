"""RTCP, as much as a peer needs to judge the line (RFC 3550 §6): reports, the name of the source, goodbye."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

INTERVAL_SECONDS: Final = 5  # RFC 3550 §6.2: the least for a session of two
_SENDER_REPORT, _RECEIVER_REPORT, _DESCRIPTION, _GOODBYE = 200, 201, 202, 203
_NTP_EPOCH: Final = 2_208_988_800  # seconds from 1900 to 1970
_HEADER: Final = struct.Struct("!BBH")
_SENDER: Final = struct.Struct("!IIIIII")
_BLOCK: Final = struct.Struct("!IIIIII")
MAX_PACKETS: Final = 16  # of one compound that are looked at


class Block(NamedTuple):
    """What we say of the stream that comes (RFC 3550 §6.4.1).

    Args:
        ssrc: of the stream.
        fraction_lost: since the last report, in 256ths.
        lost: in all.
        highest: extended highest sequence number.
        jitter: in RTP clock units.
        last_report: the middle 32 bits of the NTP time of their last sender report; 0 for none.
        delay: since that came, in units of 1/65536 s.
    """

    ssrc: int
    fraction_lost: int
    lost: int
    highest: int
    jitter: int
    last_report: int
    delay: int


class Heard(NamedTuple):
    """What a compound packet of theirs said.

    Args:
        last_report: the middle 32 bits of its sender report's NTP time, or None.
        their_loss: fraction of our packets that they miss, in 256ths, or None.
        goodbye: they end the stream.
    """

    last_report: int | None
    their_loss: int | None
    goodbye: bool


def report(
    ssrc: int, name: bytes, block: Block | None, sent: tuple[float, int, int, int] | None, goodbye: bool = False
) -> bytes:
    """Write a compound packet.

    Args:
        ssrc: ours.
        name: our CNAME, at most 255 bytes.
        block: about their stream, if there is one.
        sent: POSIX time, the RTP timestamp of that moment, packets and payload bytes sent; None where we sent nothing,
            which makes it a receiver report.
        goodbye: end it with BYE.
    """
    body = struct.pack("!I", ssrc)
    kind = _RECEIVER_REPORT
    if sent is not None:
        now, timestamp, packets, size = sent
        seconds = int(now)
        kind = _SENDER_REPORT
        body = _SENDER.pack(
            ssrc,
            (seconds + _NTP_EPOCH) & 0xFFFF_FFFF,
            int((now - seconds) * 2**32) & 0xFFFF_FFFF,
            timestamp,
            packets & 0xFFFF_FFFF,
            size & 0xFFFF_FFFF,
        )
    if block is not None:
        lost = min(max(block.lost, 0), 0x7F_FFFF)
        body += _BLOCK.pack(
            block.ssrc,
            block.fraction_lost << 24 | lost,
            block.highest & 0xFFFF_FFFF,
            block.jitter & 0xFFFF_FFFF,
            block.last_report,
            block.delay & 0xFFFF_FFFF,
        )
    parts = [_packet(kind, 0 if block is None else 1, body)]
    chunk = struct.pack("!IBB", ssrc, 1, len(name)) + name + b"\0"
    parts.append(_packet(_DESCRIPTION, 1, chunk + bytes(-len(chunk) % 4)))
    if goodbye:
        parts.append(_packet(_GOODBYE, 1, struct.pack("!I", ssrc)))
    return b"".join(parts)


def _packet(kind: int, count: int, body: bytes) -> bytes:
    return _HEADER.pack(0x80 | count, kind, len(body) // 4) + body


def read(data: bytes, ssrc: int) -> Heard | None:
    """Read a compound packet; None when it is none.

    Args:
        ssrc: ours, which a report block must be about.
    """
    last_report: int | None = None
    loss: int | None = None
    goodbye = False
    position = 0
    for number in range(MAX_PACKETS):
        if position + 8 > len(data):
            if number == 0:
                return None
            break
        first, kind, words = _HEADER.unpack_from(data, position)
        end = position + 4 + 4 * words
        if first & 0xC0 != 0x80 or end > len(data) or (number == 0 and kind not in (200, 201)):
            return None
        blocks = position + 8
        if kind == _SENDER_REPORT and end >= position + 28:
            last_report = int.from_bytes(data[position + 10 : position + 14])
            blocks = position + 28
        if kind in (_SENDER_REPORT, _RECEIVER_REPORT):
            for start in range(blocks, min(end, blocks + (first & 31) * 24) - 23, 24):
                about, losses = struct.unpack_from("!II", data, start)
                if about == ssrc:
                    loss = losses >> 24
        goodbye = goodbye or kind == _GOODBYE
        position = end
    return Heard(last_report, loss, goodbye)
