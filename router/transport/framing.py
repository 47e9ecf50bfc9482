"""Where a SIP message begins and ends in a stream (RFC 3261 §18.3), sans-IO.

`Framer.feed` takes bytes as they come and returns what is complete; the result does not depend on how the stream was
cut. A message whose end cannot be known (no Content-Length, or a wrong one) ends the stream: its head is handed out as
it stands, for the SIP parser to find the fault and answer, and nothing after it is looked at.
"""

from __future__ import annotations

MAX_HEAD_BYTES = 16 * 1024  # start line and headers; bounds what one peer can make us hold
MAX_BODY_BYTES = 64 * 1024  # as much as a datagram could carry; a long SDP has 10 KiB
PING = b"\r\n\r\n"  # RFC 5626 §3.5.1: asks for a PONG
PONG = b"\r\n"

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH_NAMES = (b"\r\ncontent-length", b"\r\nl")
_MAX_LENGTH_DIGITS = 10  # more is too large anyway, and long to convert


class FramingError(ValueError):
    """The end of a message cannot be known; the text says why."""


class Framer:
    """Cuts one stream into messages.

    Attributes:
        fault: why the stream cannot be read any further, "" as long as it can.
        mid_message: a message has begun and is not complete.
    """

    __slots__ = ("_kept", "_wanted", "fault", "mid_message")

    def __init__(self) -> None:
        self.fault = ""
        self.mid_message = False
        self._kept = bytearray()
        self._wanted = 0  # length of `_kept` from which on it can contain a complete message

    def feed(self, data: bytes) -> list[bytes]:
        """Return the messages that `data` completes, in order, and `PING` for each keep-alive between them."""
        if self.fault:
            return []
        if self._kept:
            self._kept += data
            if len(self._kept) < self._wanted:
                return []
            data = bytes(self._kept)
            self._kept.clear()
        complete: list[bytes] = []
        start = 0
        self._wanted = 0
        while start < len(data):
            if data[start] in PONG:
                if data.startswith(PING, start):
                    complete.append(PING)
                    start += len(PING)
                elif len(data) - start < len(PING) and PING.startswith(data[start:]):
                    break  # half a ping, or line ends to ignore: the next byte tells
                else:
                    start += 1  # RFC 3261 §7.5: line ends before a start line are ignored
                continue
            end_of_head = data.find(_END_OF_HEAD, start, start + MAX_HEAD_BYTES)
            if end_of_head < 0:
                if len(data) - start >= MAX_HEAD_BYTES:
                    return self._give_up(complete, data[start : start + MAX_HEAD_BYTES], "headers too large")
                break
            end_of_head += len(_END_OF_HEAD)
            head = data[start:end_of_head]
            try:
                end = end_of_head + content_length(head)
            except FramingError as fault:
                return self._give_up(complete, head, str(fault))
            if end > len(data):
                self._wanted = end - start
                break
            complete.append(data[start:end])
            start = end
        self.mid_message = start < len(data) and data[start] not in PONG
        if start < len(data):
            self._kept += data[start:] if start else data
        return complete

    def _give_up(self, complete: list[bytes], head: bytes, fault: str) -> list[bytes]:
        self.fault = fault
        self.mid_message = False
        complete.append(head)
        return complete


def content_length(head: bytes) -> int:
    """Return how many bytes of body a head announces (RFC 3261 §20.14).

    `head` reaches from the start line to the empty line, both included. Any case, the compact form `l`, space before
    the colon and folding after it are understood; the same value twice is one.
    Raises `FramingError` for none, two different, no number, or more than `MAX_BODY_BYTES`.
    """
    lowered = head.lower()
    found = -1
    for name in _LENGTH_NAMES:
        at = lowered.find(name)
        while at >= 0:
            colon = at + len(name)
            while lowered[colon] in b" \t":
                colon += 1
            if lowered[colon] == 0x3A:
                length = _number(lowered, colon + 1)
                if found not in (-1, length):
                    raise FramingError("two different Content-Length")
                found = length
            at = lowered.find(name, colon)
    if found < 0:
        raise FramingError("no Content-Length")
    if found > MAX_BODY_BYTES:
        raise FramingError("body too large")
    return found


def _number(head: bytes, start: int) -> int:
    end = head.find(b"\r\n", start)
    while head[end + 2 : end + 3] in (b" ", b"\t"):  # RFC 3261 §7.3.1: a line that begins so continues the one before
        end = head.find(b"\r\n", end + 2)
    digits = head[start:end].strip()
    if not digits.isdigit() or len(digits) > _MAX_LENGTH_DIGITS:
        raise FramingError("Content-Length is no number")
    return int(digits)
