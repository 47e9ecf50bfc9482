"""What happens to the sound of a call: how playing and recording ended, and what an engine tells unasked."""

from __future__ import annotations

from enum import IntEnum
from ipaddress import IPv4Network, IPv6Network
from typing import Final, NamedTuple

KEYS: Final = "0123456789*#ABCD"  # in the order of their numbers in RFC 4733

# How playing ends, and recording.
FINISHED: Final = "finished"  # all of it was played
KEY: Final = "key"  # the other side pressed a key that ends it
STOPPED: Final = "stopped"  # `MediaSession.stop`
CLOSED: Final = "closed"  # the session was closed meanwhile
FULL: Final = "full"  # the recording has its greatest length
SILENCE: Final = "silence"  # nobody spoke any more


class MediaWay(IntEnum):
    """Which way the sound of a call takes: the strongest wish of those concerned, the weakest first here."""

    DIRECT = 0  # from party to party; the router never touches it
    RELAY = 1  # through the router's own engine
    RTPENGINE = 2  # through an rtpengine


class MediaParty(NamedTuple):
    """One of two parties between whom sound is relayed.

    Args:
        name: "caller" or "callee".
        host: IP literal that its signalling comes from, which its sound may come from too, whatever its SDP says.
        keys: how its sound is to be protected where we make the first offer: "" (RTP), "sdes" or "dtls" (SRTP).
    """

    name: str
    host: str
    keys: str = ""


class Played(NamedTuple):
    """How playing ended.

    Args:
        reason: `FINISHED`, `KEY`, `STOPPED` or `CLOSED`.
        key: with `KEY`, the one that was pressed.
    """

    reason: str
    key: str = ""


class Recorded(NamedTuple):
    """A recording that is complete, written and synchronised to the disk, under its temporary name.

    Args:
        reason: `KEY`, `STOPPED`, `CLOSED`, `FULL` or `SILENCE`.
        key: with `KEY`, the one that was pressed.
        seconds: its length.
        spoken_seconds: how much of it is louder than silence.
        level: root mean square of what is louder than silence, in dBFS: 0 is a full-scale square wave; -96 for nothing.
        lost: RTP packets that should have come and did not, over all its channels.
        temporary: where it is now. `MediaEngine.keep` and `discard` take it from there.
        path: where it is to be.
    """

    reason: str
    key: str
    seconds: float
    spoken_seconds: float
    level: float
    lost: int
    temporary: str
    path: str


class KeyPressed(NamedTuple):
    """The other side pressed a key that ended nothing. It also waits in `MediaSession.key`."""

    key: str


class MediaTimedOut(NamedTuple):
    """No RTP came for so long, although the other side should send. Told once; again after RTP came once more."""

    seconds: float


class EngineDied(NamedTuple):
    """The engine is gone, and with it the session. It does not come back; another one can be made soon."""


MediaEvent = KeyPressed | MediaTimedOut | EngineDied


class StreamStatistics(NamedTuple):
    """What passed through a session (RFC 3550 §6.4). Counts are packets since it was made.

    Args:
        sent, received: RTP packets.
        lost: expected and never come.
        foreign: dropped because they came from a third address.
        invalid: dropped because they are no RTP, or of a payload type that was not agreed.
        jitter: interarrival jitter in seconds (RFC 3550 §6.4.1); read every 20 ms, so not finer than that.
    """

    sent: int
    received: int
    lost: int
    foreign: int
    invalid: int
    jitter: float


NOTHING_PASSED: Final = StreamStatistics(0, 0, 0, 0, 0, 0.0)


class RelayRules(NamedTuple):
    """What holds for the sound of all calls.

    Args:
        way: which way it takes where nobody concerned says another.
        falls_back: a call that should be relayed and cannot goes direct; else it fails. Emergency calls always go.
    """

    way: MediaWay = MediaWay.DIRECT
    falls_back: bool = True


class MediaSettings(NamedTuple):
    """How the media engine is to run.

    Args:
        hosts: our IP literals for RTP, the first of each family being that which is offered.
        first_port, last_port: range for RTP and RTCP.
    """

    hosts: tuple[str, ...]
    first_port: int
    last_port: int


class RtpengineSettings(NamedTuple):
    """Which rtpengines relay calls.

    Args:
        addresses: host and port of the ng protocol of each.
        interfaces: by the networks of parties, the name of rtpengine's interface towards them, the narrowest network
            first, the last for all others; empty: it has but one.
    """

    addresses: tuple[tuple[str, int], ...] = ()
    interfaces: tuple[tuple[IPv4Network | IPv6Network, str], ...] = ()
