"""Offers and answers for one audio stream (RFC 3264, RFC 4566, RFC 3551)."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from router.ports import OfferError

MAX_SDP_BYTES: Final = 16 * 1024  # bounds what one offer can make us read
MAX_STREAMS: Final = 16  # m-lines that are answered one by one
PACKET_MILLISECONDS: Final = 20  # what we send, always; what comes may be 10 to 60 or anything else

PCMA, PCMU, G722 = "PCMA", "PCMU", "G722"
CODECS: Final = (PCMA, PCMU, G722)  # in the order in which we offer them
STATIC_TYPES: Final = {PCMU: 0, PCMA: 8, G722: 9}  # RFC 3551 §6
TELEPHONE_EVENT: Final = "telephone-event"
OFFERED_EVENT_TYPE: Final = 101  # the dynamic payload type that everybody takes for telephone-event

SENDRECV, SENDONLY, RECVONLY, INACTIVE = "sendrecv", "sendonly", "recvonly", "inactive"
MIRRORED: Final = {SENDRECV: SENDRECV, SENDONLY: RECVONLY, RECVONLY: SENDONLY, INACTIVE: INACTIVE}
_PROFILES: Final = ("RTP/AVP", "RTP/AVPF")  # what needs no keys

_NAMES: Final = {0: ("PCMU", 8000), 8: ("PCMA", 8000), 9: ("G722", 8000)}


@dataclass(frozen=True, slots=True)
class Agreed:
    """What two sides agreed on for their audio stream, as we see it.

    Args:
        codec: one of `CODECS`, which we send.
        payload_type: of it.
        others: payload types of further codecs that the other side may send.
        event_type: payload type of telephone-event, or None: keys then come as tones in the sound.
        host, port: where to send RTP.
        rtcp_port: where to send RTCP.
        sending, receiving: whether we may send, and whether something is to come.
        max_milliseconds: most that a packet may hold (a=maxptime).
    """

    codec: str
    payload_type: int
    others: tuple[tuple[int, str], ...]
    event_type: int | None
    host: str
    port: int
    rtcp_port: int
    sending: bool
    receiving: bool
    max_milliseconds: int = 60


@dataclass(frozen=True, slots=True)
class Stream:
    """One m-line with its attributes, as far as they concern us."""

    line: str  # what follows "m="
    kind: str
    port: int
    profile: str
    formats: tuple[str, ...]
    host: str
    direction: str
    rtpmap: dict[int, tuple[str, int]]
    rtcp_port: int
    max_milliseconds: int


def read(text: bytes) -> list[Stream]:
    """Return the streams of an SDP. Raises `OfferError` when it is none; what is not understood is passed over."""
    if len(text) > MAX_SDP_BYTES:
        raise OfferError(f"the SDP has {len(text)} bytes, and no more than {MAX_SDP_BYTES} are read")
    lines = text.decode("utf-8", "replace").splitlines()
    if not lines or not lines[0].startswith("v=0"):
        raise OfferError("the SDP does not begin with v=0")
    streams: list[list[str]] = []
    session: list[str] = []
    within = session
    for line in lines:
        if line.startswith("m="):
            within = [line]
            streams.append(within)
        else:
            within.append(line)
    if len(streams) > MAX_STREAMS:
        raise OfferError(f"the SDP has {len(streams)} streams, and no more than {MAX_STREAMS} are answered")
    return [_stream(lines, session) for lines in streams]


def _stream(lines: list[str], session: list[str]) -> Stream:
    fields = lines[0][2:].split()
    if len(fields) < 4:
        raise OfferError(f"the line {lines[0][:80]!r} lacks something: m=audio 4000 RTP/AVP 8")
    kind, port_field, profile, *formats = fields
    port = _number(port_field.partition("/")[0], 65_535)
    if port is None:
        raise OfferError(f"the line {lines[0][:80]!r} has no port")
    host = ""
    direction = SENDRECV
    rtpmap: dict[int, tuple[str, int]] = {}
    rtcp_port = 0
    max_milliseconds = 60
    for line in (*session, *lines[1:]):
        if line.startswith("c="):
            address = line[2:].split()
            host = address[2].partition("/")[0] if len(address) == 3 and address[0] == "IN" else ""
        elif line.startswith("a="):
            name, _, value = line[2:].strip().partition(":")
            if name in MIRRORED:
                direction = name
            elif name == "rtpmap":
                _add_rtpmap(value, rtpmap)
            elif name == "rtcp":
                rtcp_port = _number((value.split() or [""])[0], 65_535) or 0
            elif name == "maxptime":
                max_milliseconds = _number(value, 1000) or 60
    return Stream(
        lines[0][2:].strip(),
        kind,
        port,
        profile,
        tuple(formats),
        host,
        direction,
        rtpmap,
        rtcp_port or (port + 1 if 0 < port < 65_535 else port),
        max_milliseconds,
    )


def _add_rtpmap(value: str, rtpmap: dict[int, tuple[str, int]]) -> None:
    number, _, encoding = value.strip().partition(" ")
    payload_type = _number(number, 127)
    name, _, rate = encoding.strip().partition("/")
    clock = _number(rate.partition("/")[0], 1_000_000)
    if payload_type is not None and clock is not None:
        rtpmap[payload_type] = (name, clock)


def _number(text: str, most: int) -> int | None:
    """Return a decimal number up to `most`, or None; also for what `int` takes besides: signs, underscores, spaces."""
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        return None
    value = int(text)
    return value if value <= most else None


def agree(streams: Sequence[Stream], codecs: Sequence[str] = CODECS) -> tuple[int, Agreed]:
    """Find the audio stream that we can serve.

    The other side's order of codecs counts (RFC 3264 §6.1).

    Returns:
        Its place among the streams, and what is agreed on by answering it.

    Raises:
        OfferError: there is none; the text says what is missing.
    """
    reasons: list[str] = []
    for place, stream in enumerate(streams):
        if stream.kind != "audio" or stream.port == 0:
            continue
        if stream.profile not in _PROFILES:
            reasons.append(f"{stream.profile[:40]} needs keys or is unknown")
            continue
        try:
            ipaddress.ip_address(stream.host)
        except ValueError:
            reasons.append(f"the stream's address {stream.host[:60]!r} is not an IP address")
            continue
        known: list[tuple[int, str]] = []
        event_type: int | None = None
        for word in stream.formats:
            payload_type = _number(word, 127)
            if payload_type is None:
                continue
            name, clock = stream.rtpmap.get(payload_type) or _NAMES.get(payload_type, ("", 0))
            if clock != 8000:
                continue
            if name.lower() == TELEPHONE_EVENT:
                event_type = payload_type if event_type is None else event_type
            elif name.upper() in codecs:
                known.append((payload_type, name.upper()))
        if not known:
            names = ", ".join(_shown(stream, word) for word in stream.formats[:12])
            reasons.append(f"no common codec: they have {names}, we have {', '.join(codecs)}")
            continue
        nowhere = ipaddress.ip_address(stream.host).is_unspecified  # RFC 2543's way to hold
        return place, Agreed(
            codec=known[0][1],
            payload_type=known[0][0],
            others=tuple(known[1:]),
            event_type=event_type,
            host=stream.host,
            port=stream.port,
            rtcp_port=stream.rtcp_port,
            sending=stream.direction in (SENDRECV, RECVONLY) and not nowhere,
            receiving=stream.direction in (SENDRECV, SENDONLY),
            max_milliseconds=stream.max_milliseconds,
        )
    raise OfferError("; ".join(reasons) or "there is no audio stream")


def _shown(stream: Stream, word: str) -> str:
    payload_type = _number(word, 127)
    name = stream.rtpmap.get(payload_type, ("", 0))[0] if payload_type is not None else ""
    return (name or word)[:40]


@dataclass(frozen=True, slots=True)
class Ours:
    """How our side of a session names itself.

    Args:
        number: of the session, in its o-line.
        version: of the description; one more with each that differs (RFC 3264 §8).
        host: IP literal where we receive.
        port: for RTP; RTCP is one higher.
    """

    number: int
    version: int
    host: str
    port: int


def answer(streams: Sequence[Stream], place: int, agreed: Agreed, ours: Ours) -> bytes:
    """Write the answer that takes the stream at `place` and declines the others (RFC 3264 §6)."""
    lines = _session(ours)
    for number, stream in enumerate(streams):
        if number != place:
            lines.append(f"m={stream.kind} 0 {stream.profile} {' '.join(stream.formats)}")
            continue
        types = [(agreed.payload_type, agreed.codec)]
        lines += _audio(ours.port, stream.profile, types, agreed.event_type)
        lines.append(f"a={_direction(agreed.sending, agreed.receiving)}")
    return _text(lines)


def offer(ours: Ours, codecs: Sequence[str], direction: str, event_type: int | None = OFFERED_EVENT_TYPE) -> bytes:
    """Write an offer of one audio stream."""
    lines = _session(ours)
    lines += _audio(ours.port, "RTP/AVP", [(STATIC_TYPES[codec], codec) for codec in codecs], event_type)
    lines.append(f"a={direction}")
    return _text(lines)


def accept(text: bytes, codecs: Sequence[str], direction: str) -> Agreed:
    """Read the answer to our offer. Raises `OfferError` when it takes nothing of it.

    Args:
        direction: what we offered; an answer cannot widen it.
    """
    _, agreed = agree(read(text), codecs)
    return replace(
        agreed,
        sending=agreed.sending and direction in (SENDRECV, SENDONLY),
        receiving=agreed.receiving and direction in (SENDRECV, RECVONLY),
    )


def _direction(sending: bool, receiving: bool) -> str:
    if sending:
        return SENDRECV if receiving else SENDONLY
    return RECVONLY if receiving else INACTIVE


def _session(ours: Ours) -> list[str]:
    family = 6 if ":" in ours.host else 4
    return [
        "v=0",
        f"o=- {ours.number} {ours.version} IN IP{family} {ours.host}",
        "s=-",
        f"c=IN IP{family} {ours.host}",
        "t=0 0",
    ]


def _audio(port: int, profile: str, types: Sequence[tuple[int, str]], event_type: int | None) -> list[str]:
    numbers = [str(payload_type) for payload_type, _ in types]
    lines = [f"a=rtpmap:{payload_type} {codec}/8000" for payload_type, codec in types]
    if event_type is not None:
        numbers.append(str(event_type))
        lines += [f"a=rtpmap:{event_type} {TELEPHONE_EVENT}/8000", f"a=fmtp:{event_type} 0-15"]
    return [f"m=audio {port} {profile} {' '.join(numbers)}", *lines, f"a=ptime:{PACKET_MILLISECONDS}"]


def _text(lines: Sequence[str]) -> bytes:
    return ("\r\n".join(lines) + "\r\n").encode()
