"""Bencoding (BitTorrent's BEP 3), in which rtpengine is spoken to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

MAX_DEPTH: Final = 16  # bounds what a stray datagram can make us recurse; rtpengine's answers have six levels

Value = int | bytes | list["Value"] | dict[str, "Value"]
Encodable = int | str | bytes | Sequence["Encodable"] | Mapping[str, "Encodable"]


def encode(value: Encodable) -> bytes:
    """Return a value in bencoding; text as UTF-8."""
    if isinstance(value, str):
        value = value.encode()
    if isinstance(value, bytes):
        return b"%d:%b" % (len(value), value)
    if isinstance(value, int):
        return b"i%de" % value
    if isinstance(value, Mapping):
        return b"d%be" % b"".join(encode(key) + encode(value[key]) for key in sorted(value))
    return b"l%be" % b"".join(map(encode, value))


def decode(data: bytes) -> Value:
    """Return the one value that `data` is. Raises ValueError."""
    value, end = _decode(data, 0, MAX_DEPTH)
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes follow the value")
    return value


def _decode(data: bytes, start: int, depth: int) -> tuple[Value, int]:
    """Return the value that begins at `start`, and where it ends."""
    kind = data[start : start + 1]
    if kind == b"i":
        end = data.index(b"e", start)
        return int(data[start + 1 : end]), end + 1
    if kind not in (b"l", b"d"):
        colon = data.index(b":", start)
        end = colon + 1 + int(data[start:colon])
        if not colon < end <= len(data):
            raise ValueError(f"a string is said to end at {end} of {len(data)} bytes")
        return data[colon + 1 : end], end
    if not depth:
        raise ValueError("values are nested too deeply")
    items: list[Value] = []
    at = start + 1
    while data[at : at + 1] != b"e":
        item, at = _decode(data, at, depth - 1)
        items.append(item)
    return (items if kind == b"l" else _dictionary(items)), at + 1


def _dictionary(items: list[Value]) -> dict[str, Value]:
    made: dict[str, Value] = {}
    for key, value in zip(items[::2], items[1::2], strict=True):
        if not isinstance(key, bytes):
            raise ValueError("a key is no string")
        made[key.decode()] = value
    return made
