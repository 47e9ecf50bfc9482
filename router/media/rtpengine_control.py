"""What is said to one rtpengine, and what it answers: its ng protocol over UDP.

    7f3a-12 d7:command4:pinge        a cookie, a space, a bencoded dictionary
    7f3a-12 d6:result4:ponge         the same cookie, and the answer

A command that is repeated with its cookie is done once; rtpengine answers it from its memory then.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Final, cast

from router.media.bencode import Encodable, Value, decode, encode
from router.ports import EngineError, OfferError

# Seconds until a command is said again, and after the last one until rtpengine counts as unreachable: 2.3 in all. The
# first is longer than any answer takes that was not lost.
PATIENCE: Final = (0.1, 0.2, 0.4, 0.8, 0.8)
MAX_DATAGRAM_BYTES: Final = 60_000  # one that is longer is not sent: SDP of a phone is a few kilobytes

# What rtpengine says about a session description that it cannot use. All other complaints are about itself, or about us.
_ABOUT_THE_OFFER: Final = frozenset((b"Failed to parse SDP", b"Incomplete SDP specification", b"Error rewriting SDP"))

Answer = Mapping[str, Value]


class UnreachableError(EngineError):
    """No answer came, or nobody listens there."""


class Control(asyncio.DatagramProtocol):
    """The way to one rtpengine.

    Its socket is connected: the kernel drops what comes from elsewhere, and reports when nobody listens there.

    Attributes:
        strange: datagrams that were no answer to anything.
    """

    def __init__(self, host: str, port: int, patience: tuple[float, ...] = PATIENCE) -> None:
        self.host = host
        self.port = port
        self.strange = 0
        self._patience = patience
        self._transport: asyncio.DatagramTransport | None = None
        self._waiting: dict[bytes, _Question] = {}
        self._series = secrets.token_hex(4)  # rtpengine remembers the cookies of a router that ran before
        self._asked = 0

    async def open(self) -> None:
        """Make the socket. Raises OSError."""
        loop = asyncio.get_running_loop()
        await loop.create_datagram_endpoint(lambda: self, remote_addr=(self.host, self.port))

    def close(self) -> None:
        """What is awaited raises `UnreachableError`."""
        if self._transport is not None:
            self._transport.close()
        self._fail("the way to it was closed")

    async def ask(self, command: str, details: Mapping[str, Encodable] | None = None) -> Answer:
        """Say a command and return the answer.

        Raises `OfferError` for a session description that cannot be used, `UnreachableError` when no answer comes
        within `PATIENCE`, `EngineError` for whatever else rtpengine complains of.
        """
        self._asked += 1
        cookie = b"%s-%d" % (self._series.encode(), self._asked)
        data = cookie + b" " + encode({**(details or {}), "command": command})
        if len(data) > MAX_DATAGRAM_BYTES:
            raise OfferError(f"a session description of {len(data)} bytes is too long for rtpengine")
        question = self._waiting[cookie] = _Question(self, data)
        try:
            question.say()
            return self._understood(command, await question.answer)
        finally:
            question.drop()
            del self._waiting[cookie]

    def send(self, data: bytes) -> None:
        """Send one datagram; nothing happens once the way is closed."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.sendto(data)

    @property
    def patience(self) -> tuple[float, ...]:
        return self._patience

    def unreachable(self, why: str) -> UnreachableError:
        """The error that says that `why` nothing comes from there."""
        return UnreachableError(f"rtpengine at {self.host} port {self.port}: {why}")

    def _understood(self, command: str, answer: Answer) -> Answer:
        result = answer.get("result")
        if result in (b"ok", b"pong"):
            return answer
        complaint = answer.get("error-reason", answer.get("message", result))
        text = complaint.decode(errors="replace") if isinstance(complaint, bytes) else "no reason given"
        if complaint in _ABOUT_THE_OFFER:
            raise OfferError(f"rtpengine cannot use the session description: {text}")
        raise EngineError(f"rtpengine at {self.host} port {self.port} refuses {command}: {text}")

    def _fail(self, why: str) -> None:
        for question in self._waiting.values():
            question.fail(self.unreachable(why))

    # ---------------------------------------------------------------------------------- what the socket tells

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)  # uvloop's are none by inheritance

    def datagram_received(self, data: bytes, addr: object) -> None:
        cookie, _, body = data.partition(b" ")
        question = self._waiting.get(cookie)
        try:
            answer = decode(body)
        except ValueError:
            answer = None
        if question is None or not isinstance(answer, dict):
            self.strange += 1
        else:
            question.succeed(answer)

    def error_received(self, exc: OSError) -> None:
        self._fail(exc.strerror or str(exc))


class _Question:
    """A command that waits for its answer."""

    __slots__ = ("_control", "_data", "_said", "_timer", "answer")

    def __init__(self, control: Control, data: bytes) -> None:
        self._control = control
        self._data = data
        self._said = 0
        self._timer: asyncio.TimerHandle | None = None
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def say(self) -> None:
        """Send it, now and again until there is an answer or no patience left."""
        patience = self._control.patience
        if self._said == len(patience):
            self.fail(self._control.unreachable(f"no answer within {sum(patience):.1f} s"))
            return
        self._timer = self.answer.get_loop().call_later(patience[self._said], self.say)
        self._said += 1
        self._control.send(self._data)

    def succeed(self, answer: Answer) -> None:
        if not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: UnreachableError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def drop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
