"""What is said to one rtpengine, and what it answers: its ng protocol over UDP.

    7f3a-12 d7:command4:pinge        a cookie, a space, a bencoded dictionary
    7f3a-12 d6:result4:ponge         the same cookie, and the answer

A command that is repeated with its cookie is done once; rtpengine answers it from its memory then.
"""

from __future__ import annotations

import asyncio
import secrets
import select
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from router.media.bencode import Encodable, Value, decode, encode
from router.ports import EngineError, MediaError, OfferError
from router.sip.uri import bracketed

# Seconds until a command is said again, and after the last time until rtpengine counts as unreachable. A caller waits
# for a call's commands, and perhaps for another rtpengine afterwards; nobody waits for a look at its health.
PATIENCE: Final = (0.1, 0.2, 0.3)
MORE_PATIENCE: Final = (0.2, 0.4, 0.6, 0.8)
MAX_DATAGRAM_BYTES: Final = 60_000  # one that is longer is not sent: SDP of a phone is a few kilobytes

# What rtpengine says about a session description that it cannot use, and about a call that it does not know. All other
# complaints are about itself, or us.
_ABOUT_THE_OFFER: Final = frozenset((b"Failed to parse SDP", b"Incomplete SDP specification", b"Error rewriting SDP"))
_UNKNOWN_CALL: Final = frozenset((b"Unknown call-id", b"Unknown call-ID", b"Call-ID not found or tags didn't match"))

Answer = Mapping[str, Value]


class UnreachableError(EngineError):
    """No answer came; with `refused`, because nobody listens there any more."""

    refused = False


class UnknownCallError(EngineError):
    """It does not know the call: it has forgotten it, because nobody sent anything, or because it was started anew."""


class Control:
    """The way to one rtpengine.

    Its socket is connected: the kernel drops what comes from elsewhere, and reports when nobody listens there.

    Attributes:
        name: its address, host:port.
        strays: datagrams that were no answer to anything.
    """

    def __init__(self, host: str, port: int) -> None:
        self.name = f"{bracketed(host)}:{port}"
        self.strays = 0
        self._address = host, port
        self._socket: socket.socket | None = None
        self._ready = select.epoll()  # watched in the socket's place: uvloop stops watching what reports an error
        self._waiting: dict[bytes, _Command] = {}
        self._series = secrets.token_hex(4).encode()  # rtpengine remembers the cookies of a router that ran before
        self._said = 0

    async def open(self) -> None:
        """Make the socket. Raises OSError."""
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(*self._address, type=socket.SOCK_DGRAM)
        family, kind, protocol, _, address = found[0]
        made = socket.socket(family, kind, protocol)
        made.setblocking(False)
        try:
            made.connect(address)
        except OSError:
            made.close()
            raise
        self._socket = made
        self._ready.register(made, select.EPOLLIN)
        loop.add_reader(self._ready.fileno(), self._readable)

    @property
    def opened(self) -> bool:
        return self._socket is not None

    def close(self) -> None:
        """What waits for an answer raises `UnreachableError`."""
        closed, self._socket = self._socket, None
        if closed is not None:
            asyncio.get_running_loop().remove_reader(self._ready.fileno())
            closed.close()
        self._ready.close()
        self._fail("the way to it was closed")

    def ask(
        self,
        command: str,
        details: Mapping[str, Encodable] | None = None,
        patience: tuple[float, ...] = PATIENCE,
    ) -> asyncio.Future[Answer]:
        """Say a command, again and again until it is answered, whether anybody waits for the answer or not.

        Args:
            patience: see `PATIENCE`.

        Returns:
            A future of the answer. It raises `OfferError` for a session description that cannot be used,
            `UnknownCallError`, `UnreachableError` when no answer came in time, `EngineError` for whatever else
            rtpengine complains of. To cancel it is to forget the command.
        """
        self._said += 1
        cookie = b"%b-%d" % (self._series, self._said)
        data = cookie + b" " + encode({**(details or {}), "command": command})
        said = self._waiting[cookie] = _Command(self, command, data, patience)
        said.answer.add_done_callback(lambda answer: self._answered(cookie, answer))
        if len(data) > MAX_DATAGRAM_BYTES:
            said.answer.set_exception(
                OfferError(f"a session description of {len(data)} bytes is too long for rtpengine")
            )
        else:
            said.say()
        return said.answer

    def send(self, data: bytes) -> None:
        """Send one datagram; nothing happens once the way is closed."""
        if self._socket is None:
            return
        try:
            self._socket.send(data)
        except BlockingIOError:
            return  # it is sent again
        except OSError:  # an earlier datagram was refused, and this one not even sent; by now it may be welcome
            with suppress(OSError):
                self._socket.send(data)

    def unreachable(self, why: str, *, refused: bool = False) -> UnreachableError:
        """The error that says that `why` nothing comes from there."""
        error = UnreachableError(f"rtpengine at {self.name}: {why}")
        error.refused = refused
        return error

    def complaint(self, command: str, answer: Answer) -> MediaError | None:
        """The error that an answer is; None for one that says that all is well."""
        result = answer.get("result")
        if result in (b"ok", b"pong"):
            return None
        complaint = answer.get("error-reason", answer.get("message", result))
        text = complaint.decode(errors="replace") if isinstance(complaint, bytes) else "no reason given"
        if complaint in _ABOUT_THE_OFFER:
            return OfferError(f"rtpengine cannot use the session description: {text}")
        kind = UnknownCallError if complaint in _UNKNOWN_CALL else EngineError
        return kind(f"rtpengine at {self.name} refuses {command}: {text}")

    def _answered(self, cookie: bytes, answer: asyncio.Future[Answer]) -> None:
        self._waiting.pop(cookie).stop()
        if not answer.cancelled():
            answer.exception()  # one that nobody waits for any more is no fault

    def _fail(self, why: str, *, refused: bool = False) -> None:
        for said in self._waiting.values():
            said.fail(self.unreachable(why, refused=refused))

    # ---------------------------------------------------------------------------------- what the socket tells

    def _readable(self) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(65_536)
        except BlockingIOError:
            return
        except OSError as error:
            self._failed(error)
        else:
            self._heard(data)

    def _heard(self, data: bytes) -> None:
        cookie, _, body = data.partition(b" ")
        said = self._waiting.get(cookie)
        try:
            answer = decode(body)
        except ValueError:
            answer = None
        if said is None or not isinstance(answer, dict):
            self.strays += 1  # the answer to a command that was repeated for no need comes twice, too
        else:
            said.hear(answer)

    def _failed(self, error: OSError) -> None:
        """What was sent did not arrive: that is what an ICMP error says (RFC 1122 §4.1.3.3)."""
        self._fail(error.strerror or str(error), refused=isinstance(error, ConnectionRefusedError))


class _Command:
    """A command that waits for its answer."""

    __slots__ = ("_command", "_control", "_data", "_patience", "_timer", "_times", "answer")

    def __init__(self, control: Control, command: str, data: bytes, patience: tuple[float, ...]) -> None:
        self._control = control
        self._command = command
        self._data = data
        self._patience = patience
        self._times = 0
        self._timer: asyncio.TimerHandle | None = None
        self.answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()

    def say(self) -> None:
        """Send it, now and again until there is an answer or no patience left."""
        patience = self._patience
        if self._times == len(patience):
            self.fail(self._control.unreachable(f"no answer within {sum(patience):.1f} s"))
            return
        self._timer = self.answer.get_loop().call_later(patience[self._times], self.say)
        self._times += 1
        self._control.send(self._data)

    def hear(self, answer: Answer) -> None:
        complaint = self._control.complaint(self._command, answer)
        if complaint is not None:
            self.fail(complaint)
        elif not self.answer.done():
            self.answer.set_result(answer)

    def fail(self, error: MediaError) -> None:
        if not self.answer.done():
            self.answer.set_exception(error)

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
