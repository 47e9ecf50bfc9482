"""An RTP peer for tests: a real socket that speaks and listens, and writes its own SDP."""

from __future__ import annotations

import asyncio
import socket
import struct
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from router.media.codecs import Encoder, Samples, decoder, encoder
from router.media.rtp import Packet, parse
from router.media.sdp import STATIC_TYPES

EVENT_TYPE = 101


@dataclass
class Peer:
    """One phone. It collects all that comes to its RTP and RTCP ports."""

    host: str = "127.0.0.1"
    codec: str = "PCMA"
    ssrc: int = 0x1234
    sequence: int = 65_500  # so that it wraps in every test
    timestamp: int = 2**32 - 3000
    target: tuple[str, int] = ("", 0)
    packets: list[Packet] = field(default_factory=list)
    reports: list[bytes] = field(default_factory=list)
    _encoders: dict[tuple[str, int], Encoder] = field(default_factory=dict)

    def __post_init__(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self.rtp, self.rtcp = (socket.socket(family, socket.SOCK_DGRAM) for _ in range(2))
        for made in (self.rtp, self.rtcp):
            made.bind((self.host, 0))
            made.setblocking(False)
        self.rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_000_000)
        self.port = self.rtp.getsockname()[1]
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self.rtp, self._rtp_came)
        self._loop.add_reader(self.rtcp, self._rtcp_came)

    def _rtp_came(self) -> None:
        packet = parse(self.rtp.recv(4096))
        assert packet is not None
        self.packets.append(packet)

    def _rtcp_came(self) -> None:
        self.reports.append(self.rtcp.recv(4096))

    def close(self) -> None:
        for made in (self.rtp, self.rtcp):
            self._loop.remove_reader(made)
            made.close()

    # --------------------------------------------------------------------------------------------------- SDP

    def sdp(
        self, codecs: Sequence[str] = (), *, events: bool = True, direction: str = "sendrecv", more: str = ""
    ) -> bytes:
        """Return an offer or answer of one audio stream."""
        types = [STATIC_TYPES[codec] for codec in codecs or (self.codec,)]
        family = 6 if ":" in self.host else 4
        lines = [
            "v=0",
            f"o=peer 1 1 IN IP{family} {self.host}",
            "s=-",
            f"c=IN IP{family} {self.host}",
            "t=0 0",
            f"m=audio {self.port} RTP/AVP {' '.join(map(str, types))}" + (f" {EVENT_TYPE}" if events else ""),
            *([f"a=rtpmap:{EVENT_TYPE} telephone-event/8000"] if events else []),
            f"a=rtcp:{self.rtcp.getsockname()[1]}",
            f"a={direction}",
        ]
        return ("\r\n".join(lines) + "\r\n" + more).encode()

    def heed(self, description: bytes) -> None:
        """Send to where an SDP says from now on."""
        lines = description.decode().splitlines()
        host = next(line.split()[2] for line in lines if line.startswith("c="))
        port = next(int(line.split()[1]) for line in lines if line.startswith("m=audio"))
        self.target = (host, port)

    # ------------------------------------------------------------------------------------------------- speaking

    def send(self, payload: bytes, payload_type: int = -1, *, marker: bool = False, units: int = -1) -> bytes:
        """Send the next packet of the stream, and return it."""
        data = self.packet(payload, payload_type, marker=marker, units=units)
        self.rtp.sendto(data, self.target)
        return data

    def packet(self, payload: bytes, payload_type: int = -1, *, marker: bool = False, units: int = -1) -> bytes:
        """Return the next packet of the stream without sending it."""
        kind = STATIC_TYPES[self.codec] if payload_type < 0 else payload_type
        data = struct.pack("!BBHII", 0x80, kind | marker << 7, self.sequence, self.timestamp, self.ssrc) + payload
        self.sequence = (self.sequence + 1) & 0xFFFF
        self.timestamp = (self.timestamp + (len(payload) if units < 0 else units)) & 0xFFFF_FFFF
        return data

    async def say(
        self,
        samples: Samples,
        *,
        rate: int = 8000,
        milliseconds: int = 20,
        pace: float = 1.0,
        mangle: Callable[[list[bytes]], list[bytes]] | None = None,
    ) -> None:
        """Send sound at its pace.

        Args:
            milliseconds: of sound in a packet.
            pace: seconds in which a second is sent.
            mangle: loses, doubles or reorders packets before they are sent.
        """
        key = (self.codec, rate)
        coder = self._encoders.setdefault(key, encoder(*key))  # goes on where it was: G.722 remembers
        payload = coder.encode(samples)
        size = 8 * milliseconds
        pieces = [payload[start : start + size] for start in range(0, len(payload), size)]
        packets = [self.packet(piece) for piece in pieces]
        due = time.monotonic()
        for data in mangle(packets) if mangle else packets:
            self.rtp.sendto(data, self.target)
            due += milliseconds / 1000 * pace
            await asyncio.sleep(max(0.0, due - time.monotonic()))

    def key_packets(self, event: int, *, ticks: int = 5) -> list[bytes]:
        """Return what is sent for a key (RFC 4733), its end three times."""
        started = self.timestamp
        packets = []
        for tick in range(ticks + 3):
            end = 0x80 if tick >= ticks else 0
            duration = 160 * min(tick + 1, ticks)
            body = struct.pack("!BBH", event, end | 10, duration)
            self.timestamp = started
            packets.append(self.packet(body, EVENT_TYPE, marker=tick == 0, units=0))
        self.timestamp = (started + 160 * (ticks + 3)) & 0xFFFF_FFFF
        return packets

    def press(self, event: int) -> None:
        """Send a key, all its packets at once."""
        for data in self.key_packets(event):
            self.rtp.sendto(data, self.target)

    # ------------------------------------------------------------------------------------------------ listening

    def heard(self, rate: int = 8000) -> Samples:
        """Return the sound that came, laid down by its timestamps."""
        audio = [packet for packet in self.packets if packet.payload_type == STATIC_TYPES[self.codec]]
        if not audio:
            return np.zeros(0, np.int16)
        first = audio[0].timestamp
        size = max((packet.timestamp - first) % 2**32 + len(packet.payload) for packet in audio)
        payload = bytearray(size)
        for packet in audio:
            start = (packet.timestamp - first) % 2**32
            payload[start : start + len(packet.payload)] = packet.payload
        return decoder(self.codec, rate).decode(bytes(payload))
