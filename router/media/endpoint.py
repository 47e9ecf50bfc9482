"""One session inside the engine: its two sockets, what it sends and receives, its recording."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from router.media import rtcp
from router.media.line import Address, Line
from router.media.receiver import Receiver
from router.media.rtp import CLOCK, MAX_PACKET_BYTES
from router.media.sender import Sender

TICKS_PER_SECOND: Final = 50
REPORT_SECONDS: Final = rtcp.INTERVAL_SECONDS


class Told(NamedTuple):
    """Whom an endpoint tells what happens."""

    key_pressed: Callable[[int, str], None]  # number of the endpoint, key
    timed_out: Callable[[int, float], None]  # number of the endpoint, seconds


class Endpoint:
    """Our end of one RTP session.

    Args:
        number: as the router calls it.
        line: its sockets.
        seeds: random numbers: SSRC, first sequence number, first timestamp.
        timeout: seconds without RTP until it is told; 0: never.
        tick: the present one.
        told: see there.
    """

    def __init__(
        self,
        number: int,
        line: Line,
        seeds: tuple[int, int, int],
        timeout: float,
        tick: int,
        told: Told,
    ) -> None:
        self.number = number
        self.line = line
        self.codec = ""
        self.sender = Sender(line.direct.send, *seeds)
        self.receiver = Receiver(line, self._key_pressed)
        self.peer: Endpoint | None = None  # whom it is bridged with
        self._told = told
        self._timeout = timeout
        self._expecting_since = tick  # RTP should come from then on
        self._receiving = False
        self._timed_out = False
        self._rtcp_address: Address | None = None
        self._hosts: frozenset[str] = frozenset()
        self._last_report = (0, 0.0)  # the middle of the NTP time of theirs, and when it came
        self._reported = (0, 0)  # packets expected and received at our last report
        self._seconds = number % REPORT_SECONDS
        self._counted = 0  # packets, of all kinds, when they were last told
        self._name = b"%08x@renvoi" % seeds[0]

    def configure(
        self,
        *,
        codec: str,
        payload_type: int,
        codecs: Mapping[int, str],
        event_type: int | None,
        remote: tuple[str, int],
        rtcp_port: int,
        sending: bool,
        receiving: bool,
        halved: bool,
        trusted: Sequence[str],
        tick: int,
    ) -> None:
        """Take what was agreed on; see `sdp.Agreed`."""
        host, port = remote
        self._hosts = frozenset((host, *trusted))
        self.codec = codec
        reachable = port > 0 and self.line.aim(self.line.address(host, port))
        self.sender.use(codec, payload_type, event_type, muted=not (sending and reachable), halved=halved)
        self.receiver.use(codecs, event_type, self._hosts)
        self._rtcp_address = self.line.address(host, rtcp_port) if rtcp_port else None
        self._receiving = receiving
        self._expecting_since = tick
        self._timed_out = False

    def _key_pressed(self, key: str) -> None:
        self._told.key_pressed(self.number, key)

    def second_passed(self, tick: int) -> bool:
        """Look once a second whether something still comes; report every five seconds.

        Returns whether anything passed since the last look.
        """
        heard = max(self.receiver.heard, self._expecting_since)
        if self.receiver.heard > self._expecting_since and tick - heard < TICKS_PER_SECOND:
            self._timed_out = False
        if (
            self._receiving
            and self._timeout
            and not self._timed_out
            and tick - heard >= self._timeout * TICKS_PER_SECOND
        ):
            self._timed_out = True
            self._told.timed_out(self.number, (tick - heard) / TICKS_PER_SECOND)
        self._seconds += 1
        if self._seconds >= REPORT_SECONDS:
            self._seconds = 0
            self.report()
        receiver = self.receiver
        counted = self.sender.packets_sent + receiver.packets + receiver.foreign + receiver.invalid
        before, self._counted = self._counted, counted
        return counted != before

    def report(self, goodbye: bool = False) -> None:
        """Send an RTCP report."""
        if self._rtcp_address is None:
            return
        sender = self.sender
        now = time.time()
        sent = (now, sender.timestamp, sender.packets_sent, sender.bytes_sent) if sender.packets_sent else None
        data = rtcp.report(sender.ssrc, self._name, self._block(now), sent, goodbye)
        try:
            self.line.rtcp.sendto(data, self._rtcp_address)
        except OSError:
            sender.failed += 1

    def _block(self, now: float) -> rtcp.Block | None:
        receiver = self.receiver
        if not receiver.packets:
            return None
        lost, packets = receiver.lost, receiver.packets
        lost_before, packets_before = self._reported
        self._reported = (lost, packets)
        lost_now, came_now = max(0, lost - lost_before), packets - packets_before
        fraction = min(255, lost_now * 256 // (lost_now + came_now)) if lost_now else 0
        middle, came = self._last_report
        delay = int((now - came) * 65_536) if middle else 0
        return rtcp.Block(receiver.ssrc, fraction, lost, receiver.highest, int(receiver.jitter), middle, delay)

    def read_rtcp(self, _now: int) -> None:
        """Read what came on the RTCP port; our reports go back there from now on (symmetric RTCP)."""
        data, address = self.line.rtcp.recvfrom(MAX_PACKET_BYTES)
        if address[0] not in self._hosts:
            self.receiver.foreign += 1
            return
        heard = rtcp.read(data, self.sender.ssrc)
        if heard is None:
            self.receiver.invalid += 1
            return
        self._rtcp_address = address
        if heard.last_report is not None:
            self._last_report = (heard.last_report, time.time())

    def counted(self) -> list[float]:
        """Its number, and its statistics."""
        return [self.number, *self.statistics()]

    def statistics(self) -> list[float]:
        """See `model.sound.StreamStatistics`, in its order."""
        receiver = self.receiver
        return [
            self.sender.packets_sent,
            receiver.packets,
            receiver.lost,
            receiver.foreign,
            receiver.invalid,
            receiver.jitter / CLOCK,
        ]

    def close(self) -> None:
        """Say goodbye and free the sockets."""
        self.report(goodbye=True)
        self.line.close()
