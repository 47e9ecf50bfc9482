"""What the router itself says in SDP (RFC 4566, RFC 3264); everything else is carried byte for byte."""

from __future__ import annotations


def declined(offer: bytes) -> bytes:
    """The answer that takes none of the streams of an offer (RFC 3264 §6): each m-line with port 0."""
    lines = [b"v=0", b"o=- 0 0 IN IP4 0.0.0.0", b"s=-", b"c=IN IP4 0.0.0.0", b"t=0 0"]
    for line in offer.splitlines():
        if line.startswith(b"m="):
            kind, _, rest = line.partition(b" ")
            lines.append(kind + b" 0 " + rest.partition(b" ")[2])
    return b"\r\n".join(lines) + b"\r\n"
