"""What a call needs to know about an SDP body (RFC 4566, RFC 3264) while carrying it byte for byte."""

from __future__ import annotations

from dataclasses import dataclass

_DIRECTIONS = frozenset({b"a=sendrecv", b"a=sendonly", b"a=recvonly", b"a=inactive"})
_NOWHERE = frozenset({"0.0.0.0", "::"})  # RFC 3264 §8.4: the way to hold of RFC 2543 phones


@dataclass(frozen=True, slots=True)
class Media:
    """One m-line.

    Args:
        kind: "audio", "video", …
        port: 0 for a stream that is refused or switched off (RFC 3264 §6, §8.2); -1 when it cannot be read.
        direction: "sendrecv", "sendonly", "recvonly" or "inactive", its own or the session's.
        address: connection address, its own or the session's; "" when there is none.
    """

    kind: str
    port: int
    direction: str
    address: str

    @property
    def held(self) -> bool:
        """Whether whoever sent this will not listen to the stream."""
        return self.direction in ("sendonly", "inactive") or self.address in _NOWHERE


def read_media(body: bytes) -> tuple[Media, ...]:
    """The m-lines of a session description, in order; () when there is none.

    Nothing is refused: what cannot be understood is for the two ends to judge.
    """
    media: list[Media] = []
    session_direction, session_address = "sendrecv", ""
    kind, port, direction, address = "", -1, "", ""
    for line in body.splitlines():
        if line.startswith(b"m="):
            if kind:
                media.append(Media(kind, port, direction, address))
            words = line[2:].decode("utf-8", "replace").split()
            kind = words[0] if words else "?"
            digits = words[1].partition("/")[0] if len(words) > 1 else ""
            port = int(digits) if digits.isascii() and digits.isdecimal() and len(digits) <= 5 else -1
            direction, address = session_direction, session_address
        elif line.startswith(b"a=") and (attribute := line.rstrip()) in _DIRECTIONS:
            direction = attribute[2:].decode("ascii")
            if not kind:
                session_direction = direction
        elif line.startswith(b"c="):
            words = line[2:].decode("utf-8", "replace").split()
            address = words[2].partition("/")[0] if len(words) > 2 else ""
            if not kind:
                session_address = address
    if kind:
        media.append(Media(kind, port, direction, address))
    return tuple(media)


def describes_media(body: bytes) -> bool:
    """Whether a body holds at least one m-line, which is what makes it an offer or an answer."""
    return body.startswith(b"m=") or b"\nm=" in body


def on_hold(body: bytes) -> bool:
    """Whether every stream that is switched on is held: the call as a whole is on hold (RFC 3264 §8.4)."""
    active = [stream for stream in read_media(body) if stream.port]
    return bool(active) and all(stream.held for stream in active)


def declined(offer: bytes) -> bytes:
    """The answer that takes none of the streams of an offer (RFC 3264 §6): each m-line with port 0."""
    lines = [b"v=0", b"o=- 0 0 IN IP4 0.0.0.0", b"s=-", b"c=IN IP4 0.0.0.0", b"t=0 0"]
    for line in offer.splitlines():
        if line.startswith(b"m="):
            kind, _, rest = line.partition(b" ")
            lines.append(kind + b" 0 " + rest.partition(b" ")[2])
    return b"\r\n".join(lines) + b"\r\n"
