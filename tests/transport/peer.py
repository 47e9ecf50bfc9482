"""A router's transports with what they received and reported, and peers on plain sockets that talk to them."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from router.model.peers import Listener
from router.ports import Flow
from router.transport.resolver import Resolver
from router.transport.tcp import TcpLimits
from router.transport.transports import Transports

DEADLINE_SECONDS = 5.0


def request(number: int = 1, body: str = "", method: str = "OPTIONS") -> bytes:
    """Return a small request; the body is sent in UTF-8."""
    encoded = body.encode()
    head = f"{method} sip:201@127.0.0.1 SIP/2.0\r\nCSeq: {number} {method}\r\nContent-Length: {len(encoded)}\r\n\r\n"
    return head.encode() + encoded


async def until(condition: Callable[[], object]) -> None:
    """Let the loop run until `condition` holds; a test whose condition never does fails here."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        await asyncio.sleep(0.002)


class Router:
    """Transports under test, and everything that came out of them."""

    def __init__(self, limits: TcpLimits | None = None, resolver: Resolver | None = None) -> None:
        self.received: list[tuple[bytes, Flow]] = []
        self.failed: list[tuple[Flow, bytes]] = []
        self.answer: Callable[[bytes], bytes | None] = lambda data: None
        self.transports = Transports(self._receive, self._fail, limits, resolver)

    @property
    def messages(self) -> list[bytes]:
        return [data for data, _ in self.received]

    def port(self, transport: str) -> int:
        return next(opened.port for opened in self.transports.listeners if opened.transport == transport)

    def _receive(self, data: bytes, flow: Flow) -> None:
        self.received.append((data, flow))
        answer = self.answer(data)
        if answer is not None:
            flow.send(answer)

    def _fail(self, flow: Flow, data: bytes) -> None:
        self.failed.append((flow, data))


@asynccontextmanager
async def running(
    *listeners: Listener, limits: TcpLimits | None = None, resolver: Resolver | None = None
) -> AsyncIterator[Router]:
    """Start a router on `listeners`, by default one UDP and one TCP on a free port of 127.0.0.1."""
    router = Router(limits, resolver)
    await router.transports.start(listeners or (Listener("udp", "127.0.0.1", 0), Listener("tcp", "127.0.0.1", 0)))
    try:
        yield router
    finally:
        await router.transports.close()


@asynccontextmanager
async def udp_peer(host: str = "127.0.0.1") -> AsyncIterator[socket.socket]:
    """Bind a peer's non-blocking socket to a free port."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind((host, 0))
        peer.setblocking(False)
        yield peer


@asynccontextmanager
async def tcp_peer(port: int, host: str = "127.0.0.1") -> AsyncIterator[socket.socket]:
    """Connect a peer's non-blocking socket to the router."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM) as peer:
        peer.setblocking(False)
        await asyncio.get_running_loop().sock_connect(peer, (host, port))
        yield peer


async def read(peer: socket.socket, size: int = 65_535) -> bytes:
    """Return what the peer receives next; b"" when the router closed its side."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        return await asyncio.get_running_loop().sock_recv(peer, size)


async def write(peer: socket.socket, data: bytes) -> None:
    async with asyncio.timeout(DEADLINE_SECONDS):
        await asyncio.get_running_loop().sock_sendall(peer, data)


def free_port(kind: socket.SocketKind, host: str = "127.0.0.1") -> int:
    """Return a port on which nobody listens, just now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
