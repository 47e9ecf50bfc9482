"""Random SIP messages for property tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hypothesis import strategies as st

TOKENS = st.text("abcdefghijklmnopqrstuvwxyzABCXYZ0123456789-.!%*_+`'~", min_size=1, max_size=12)
WORDS = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=10)
# What may stand in a header that is only carried: any text without line ends, not beginning or ending with space.
TEXTS = st.text(st.characters(blacklist_characters="\r\n", blacklist_categories=["Cs"]), max_size=40).map(str.strip)
HOSTS = st.sampled_from(["192.0.2.7", "phone.example", "[2001:db8::7]", "a", "10.0.0.1:5070", "[::1]:5080"])
URIS = st.builds("sip:{}@{}".format, WORDS, HOSTS)
METHODS = st.sampled_from(["INVITE", "OPTIONS", "BYE", "INFO", "MESSAGE", "REGISTER", "SUBSCRIBE", "NEW-ONE"])
NAMES = {"Via": "v", "From": "f", "To": "t", "Call-ID": "i", "Content-Length": "l", "Subject": "s", "Contact": "m"}


@dataclass(frozen=True)
class Made:
    """A message and what was put in.

    Args:
        others: (name, value) of headers that mean nothing here, in order.
    """

    data: bytes
    start: str
    method: str
    uri: str
    via_host: str
    branch: str
    from_tag: str
    to_tag: str | None
    call_id: str
    cseq: int
    others: Sequence[tuple[str, str]]
    body: bytes


@st.composite
def requests(draw: st.DrawFn) -> Made:
    """A valid request, with headers in any order, in compact form or not, folded or not."""
    method, uri = draw(METHODS), draw(URIS)
    via_host, branch = draw(HOSTS), "z9hG4bK" + draw(WORDS)
    from_tag, to_tag = draw(WORDS), draw(st.none() | WORDS)
    call_id = draw(WORDS) + draw(st.sampled_from(["", "@phone.example"]))
    cseq = draw(st.integers(0, 2**31 - 1))
    body = draw(st.binary(max_size=40))
    others = draw(st.lists(st.tuples(TOKENS.map(lambda name: "X-" + name), TEXTS), max_size=5))
    display = draw(st.sampled_from(["", '"Claire, D" ', "Claire ", '"a \\" b;tag=no" ']))
    headers = [
        ("Via", f"SIP/2.0/UDP {via_host};branch={branch}{draw(st.sampled_from(['', ';rport', ';x=1']))}"),
        ("From", f"{display}<{draw(URIS)}>;tag={from_tag}"),
        ("To", f"{display}<{uri}>" + (f";tag={to_tag}" if to_tag else "")),
        ("Call-ID", call_id),
        ("CSeq", f"{cseq} {method}"),
        *others,
    ]
    if body or draw(st.booleans()):
        headers.append(("Content-Length", str(len(body))))
    lines = []
    kept = [header for header in headers if header in others]
    for name, value in draw(st.permutations([header for header in headers if header not in others])):
        spelled = draw(st.sampled_from([name, NAMES.get(name, name), name.upper(), name.lower()]))
        gap = draw(st.sampled_from([" ", "", "  ", " \r\n\t", "\r\n "]))
        lines.append(f"{spelled}{draw(st.sampled_from(['', ' ']))}:{gap}{value}")
    for name, value in kept:  # these keep their order among the others
        lines.append(f"{name}: {value}")
    start = f"{method} {uri} SIP/2.0"
    data = "\r\n".join([start, *lines]).encode() + b"\r\n\r\n" + body
    return Made(data, start, method, uri, via_host, branch, from_tag, to_tag, call_id, cseq, kept, body)


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A valid message with a few bytes changed, cut out, doubled or put in."""
    data = bytearray(draw(requests()).data)
    if draw(st.booleans()):
        data = bytearray(data.replace(draw(METHODS).encode(), b"SIP/2.0 200 OK", 1))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, max(len(data) - 1, 0)))
        end = min(at + draw(st.integers(0, 8)), len(data))
        piece = draw(
            st.sampled_from([b"", b"\r\n", b"\r", b"\n", b"\0", b":", b";", b",", b'"', b"<", b">", b" ", b"\xff"])
        )
        data[at:end] = draw(
            st.sampled_from([piece, bytes(data[at:end]) * 2, b"9" * (end - at), draw(st.binary(max_size=4))])
        )
    return bytes(data)
