"""What the router itself says in SDP (RFC 4566, RFC 3264); everything else is carried byte for byte."""

from __future__ import annotations

from typing import Final

DISCARD: Final = 9  # the port that stands for "nowhere" where a stream is kept without being used (RFC 863)


def declined(offer: bytes) -> bytes:
    """The answer that takes none of the streams of an offer (RFC 3264 §6): each m-line with port 0."""
    lines = [b"v=0", b"o=- 0 0 IN IP4 0.0.0.0", b"s=-", b"c=IN IP4 0.0.0.0", b"t=0 0"]
    for line in offer.splitlines():
        if line.startswith(b"m="):
            kind, _, rest = line.partition(b" ")
            lines.append(kind + b" 0 " + rest.partition(b" ")[2])
    return b"\r\n".join(lines) + b"\r\n"


def held(offer: bytes, host: str) -> bytes:
    """The answer that takes the first audio stream of an offer on hold and declines all others.

    The stream keeps its first format, with the rtpmap that a dynamic one needs, and is inactive (RFC 3264 §6.1), so
    that nobody sends anything. A stream that needs keys is declined as well.

    Args:
        host: IP literal that stands in the answer; nothing is received there.
    """
    lines = _session(host)
    taken = b""  # format of the stream that was taken
    within = False  # the lines that are read belong to it
    for line in offer.splitlines():
        if line.startswith(b"m="):
            kind, _, rest = line.partition(b" ")
            _, _, rest = rest.partition(b" ")
            protocol, _, formats = rest.partition(b" ")
            within = not taken and kind == b"m=audio" and protocol in (b"RTP/AVP", b"RTP/AVPF") and bool(formats)
            if within:
                taken = formats.split()[0]
                lines += [b"m=audio %d %s %s" % (DISCARD, protocol, taken), b"a=inactive"]
            else:
                lines.append(kind + b" 0 " + rest)
        elif within and line.startswith(b"a=rtpmap:" + taken + b" "):
            lines.append(line)
    return b"\r\n".join(lines) + b"\r\n"


def located(body: bytes) -> tuple[int, int]:
    """Where the session description stands in a body: all of it, or a part among others (RFC 2046 §5.1), such as a
    location. Returns its beginning and its end, which are the same where there is none."""
    if body.startswith(b"v="):
        return 0, len(body)
    if not body.startswith(b"--") and b"\r\n--" not in body:
        return 0, 0
    kind = body.lower().find(b"application/sdp")
    head = body.find(b"\r\n\r\n", kind)
    if kind < 0 or head < 0:
        return 0, 0
    end = body.find(b"\r\n--", head + 4)
    return (head + 4, end) if end >= 0 else (0, 0)


def protection(description: bytes) -> str:
    """How the sound of who says this is protected: "dtls" (RFC 5764), "sdes" (RFC 4568) or "" (not at all)."""
    if b"RTP/SAVP" not in description:
        return ""
    return "sdes" if b"\na=crypto:" in description else "dtls"


def held_offer(host: str) -> bytes:
    """An offer of one audio stream on hold, for an INVITE that made none."""
    return b"\r\n".join([*_session(host), b"m=audio %d RTP/AVP 8 0" % DISCARD, b"a=inactive"]) + b"\r\n"


def _session(host: str) -> list[bytes]:
    address = f"IN IP{6 if ':' in host else 4} {host}".encode()
    return [b"v=0", b"o=- 0 0 " + address, b"s=-", b"c=" + address, b"t=0 0"]
