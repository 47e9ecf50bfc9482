"""SIP over TCP (RFC 3261 §18): connections in both directions, each one a flow.

A connection serves requests and responses both ways, whoever opened it. `TcpConnections.flow_to` gives the connection
that there is, or a flow that connects (and resolves a name first) behind what is sent on it.

What a peer can make us hold is bounded: connections in all and from one address, bytes of an incomplete message, bytes
that the peer does not read. What it can make us wait for is bounded by one coarse timer over all connections.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from router.model.peers import Listener
from router.model.tally import Counts
from router.ports import FlowFailed, MessageReceiver
from router.transport.address import Literal, Names, is_wildcard, names_of, names_towards, parse_literal
from router.transport.framing import PING, PONG, Framer
from router.transport.resolver import ResolutionError, Resolver

LISTEN_BACKLOG = 1_024  # connections that wait to be accepted: all phones come back at once after a power cut
MAX_ADDRESSES_TRIED = 3  # of one name, in turn
UNDELIVERED_BYTES = 576  # as much of a message as is handed to `failed`

# A dead peer is noticed in about two minutes without traffic, in 30 s when it owes us an acknowledgement.
_KEEP_ALIVE_IDLE_SECONDS = 60
_KEEP_ALIVE_INTERVAL_SECONDS = 15
_KEEP_ALIVE_PROBES = 4
_UNACKNOWLEDGED_MILLISECONDS = 30_000

_CONNECT_FAULTS = {
    errno.ECONNREFUSED: "refused",
    errno.EMFILE: "too_many",
    errno.ENFILE: "too_many",
}
_RECEIVED = ("tcp", "received")
_SENT = ("tcp", "sent")


@dataclass(frozen=True, slots=True)
class TcpLimits:
    """What one peer, and all of them, can make us hold and wait for.

    Args:
        connections: in all, both directions.
        connections_per_peer: accepted from one address; a whole office may stand behind one.
        connect_seconds: how long one attempt to connect may take.
        partial_seconds: from the first byte of a message to its last.
        silent_seconds: from being accepted to the first complete message.
        idle_seconds: between two signs of life; longer than a registration of an hour, whose phone can only be
            reached by this connection.
        linger_seconds: from closing our side until the peer has closed its own.
        unsent_bytes: kept for a peer that does not read; more than a burst of calls to one trunk.
        waiting_messages: kept while connecting.
        sweep_seconds: how often all these times are looked at.
    """

    connections: int = 10_000
    connections_per_peer: int = 512
    connect_seconds: float = 5.0
    partial_seconds: float = 10.0
    silent_seconds: float = 30.0
    idle_seconds: float = 3_900.0
    linger_seconds: float = 2.0
    unsent_bytes: int = 1024 * 1024
    waiting_messages: int = 256
    sweep_seconds: float = 1.0


class TcpListener:
    """One listening socket.

    Args:
        listener: what is listened on, with its actual port.
        bound: the socket, listening and non-blocking.
        connections: where accepted connections go.
    """

    def __init__(self, listener: Listener, bound: socket.socket, connections: TcpConnections) -> None:
        self.listener = listener
        self.family = bound.family
        self._bound = bound
        self._connections = connections
        self._server: asyncio.Server | None = None
        self.names = names_of(listener, listener.host)
        set_options(bound)  # accepted connections inherit them

    async def open(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to accept connections, on `loop`."""
        self._server = await loop.create_server(
            lambda: TcpFlow(self._connections, self), sock=self._bound, backlog=LISTEN_BACKLOG
        )

    def names_towards(self, peer: Literal | None) -> Names:
        """Return how we name ourselves to `peer`; None for one whose address is not known yet."""
        return names_towards(self.listener, self.family, peer.with_port(9) if peer is not None else None)

    def close(self) -> None:
        """Accept no more connections; those that there are live on. Idempotent."""
        if self._server is not None:
            self._server.close()
        self._bound.close()


class TcpFlow(asyncio.Protocol):
    """One connection (see `router.ports.Flow`).

    It is connecting (`_waiting` keeps what is sent), serving (`_stream`), ending (`ending` says why; what is sent is
    undeliverable), and then gone. Until the name of a peer is resolved, `source` holds the name.

    Args:
        connections: what it is one of.
        listener: by which it was accepted, or from whose address it is opened.
        peer: address or name to connect to; None for an accepted connection.
    """

    __slots__ = (
        "_connections",
        "_framer",
        "_greeted",
        "_stream",
        "_waiting",
        "contact",
        "deadline",
        "ending",
        "key",
        "listener",
        "local",
        "outgoing",
        "reliable",
        "source",
        "transport",
        "via",
    )

    def __init__(
        self,
        connections: TcpConnections,
        listener: TcpListener,
        peer: tuple[str, int] | None = None,
    ) -> None:
        outgoing = peer is not None
        self.transport = "TCP"
        self.reliable = True
        self.source = self.key = peer or ("", 0)  # `TcpConnections.flow_to` finds it under `key`
        self.outgoing = outgoing
        self.listener = listener
        self.ending = ""
        self.deadline = 0.0
        self._connections = connections
        self._framer = Framer()
        self._greeted = outgoing
        self._stream: asyncio.Transport | None = None
        self._waiting: list[bytes] | None = [] if outgoing else None
        self.local, self.via, self.contact = listener.names

    def aim(self, listener: TcpListener, peer: Literal) -> None:
        """Be opened to `peer`, from the address of `listener` and with its names."""
        self.listener = listener
        self.source = (peer.host, self.key[1])
        self.local, self.via, self.contact = listener.names_towards(peer)

    def send(self, data: bytes) -> None:
        stream = self._stream
        if stream is not None and not self.ending:
            stream.write(data)
            self._connections.messages[_SENT] += 1
        elif self._waiting is not None and len(self._waiting) < self._connections.limits.waiting_messages:
            self._waiting.append(data)
        else:
            self._connections.undelivered(self, data)

    def end(self, reason: str, flush: bool = True) -> None:
        """Stop serving; what has been sent is still delivered if `flush`. A second call cuts the connection."""
        stream = self._stream
        if stream is None:
            return
        if self.ending or not flush:
            self.ending = self.ending or reason
            stream.abort()
        else:
            self.ending = reason
            self.deadline = self._connections.now() + self._connections.limits.linger_seconds
            stream.close()
        self._connections.forget(self)

    def expire(self) -> None:
        """Act on `deadline`, which has passed."""
        if self._framer.mid_message:
            self.end("slow", flush=False)
        else:
            self.end("idle" if self._greeted else "silent")

    def abandon(self) -> None:
        """Be gone without ever having been connected."""
        self._waiting = None

    # What the loop calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        stream = cast(asyncio.Transport, transport)
        connections = self._connections
        if self.outgoing:
            self.deadline = connections.now() + connections.limits.idle_seconds
            connections.adopt(self)
        elif self._accepted(stream):
            self.deadline = connections.now() + connections.limits.silent_seconds
        else:
            stream.abort()
            return
        stream.set_write_buffer_limits(high=connections.limits.unsent_bytes)
        self._stream = stream
        waiting, self._waiting = self._waiting, None
        for message in waiting or ():
            self.send(message)

    def _accepted(self, stream: asyncio.Transport) -> bool:
        """Take the addresses of an accepted connection, and say whether it may stay."""
        peer, ours = stream.get_extra_info("peername"), stream.get_extra_info("sockname")
        if not peer or not ours:
            return False  # gone before we looked
        self.source = self.key = (peer[0].partition("%")[0], peer[1])
        if is_wildcard(self.listener.listener.host):
            self.local, self.via, self.contact = names_of(self.listener.listener, ours[0].partition("%")[0])
        return self._connections.admit(self)

    def data_received(self, data: bytes) -> None:
        framer = self._framer
        connections = self._connections
        was_mid_message = framer.mid_message
        messages = framer.feed(data)
        for message in messages:
            if message is PING:
                if self._stream is not None and not self.ending:
                    self._stream.write(PONG)
                connections.messages["tcp", "keep_alive"] += 1
                continue
            self._greeted = True
            connections.messages[_RECEIVED] += 1
            try:
                connections.receive(message, self)
            except Exception as fault:  # the messages behind it, and the connection, belong to other calls
                connections.report(fault, self)
        if self.ending:
            return
        if framer.fault:
            self._end_after_answer()
        elif framer.mid_message:
            if messages or not was_mid_message:
                self.deadline = connections.now() + connections.limits.partial_seconds
        elif self._greeted:
            self.deadline = connections.now() + connections.limits.idle_seconds

    def _end_after_answer(self) -> None:
        """Close our side, and go on reading: a close with unread bytes resets the peer before it has our answer."""
        connections = self._connections
        if self._stream is not None:
            self.ending = "bad_framing"
            self.deadline = connections.now() + connections.limits.linger_seconds
            self._stream.write_eof()
            connections.forget(self)

    def pause_writing(self) -> None:
        self.end("not_reading", flush=False)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._stream is not None:  # else it was refused
            self._stream = None
            reason = "peer" if exc is None else "timed_out" if isinstance(exc, TimeoutError) else "broken"
            self._connections.lost(self, self.ending or reason)

    def __repr__(self) -> str:
        return f"<TcpFlow {self.local} - {self.source} {self.ending}>"


class TcpConnections:
    """All TCP connections, of all listeners.

    Args:
        loop: the loop they live in.
        receive, failed: see `router.ports`.
        messages: counter to add to, by (transport, outcome): "received", "sent", "keep_alive", "undeliverable".
        events: counter to add to, by (transport, event, reason): "accepted" and "connected" (no reason), "refused"
            (too_many, too_many_from_peer), "failed" to connect (unresolved, refused, timed_out, unreachable, too_many),
            "closed" (peer, broken, timed_out, idle, silent, slow, not_reading, bad_framing, shutdown).
        limits: see `TcpLimits`.
        resolver: for named peers.
        nearest: the listener from whose address an address is reached; raises `LookupError` when there is none.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        receive: MessageReceiver,
        failed: FlowFailed,
        messages: Counts,
        events: Counts,
        limits: TcpLimits,
        resolver: Resolver,
        nearest: Callable[[Literal], TcpListener],
    ) -> None:
        self.now = loop.time
        self.receive = receive
        self.messages = messages
        self.limits = limits
        self._loop = loop
        self._failed = failed
        self._events = events
        self._resolver = resolver
        self._nearest = nearest
        self._flows: set[TcpFlow] = set()
        self._accepted_from: dict[str, int] = {}
        self._by_peer: dict[tuple[str, int], TcpFlow] = {}
        self._connecting: set[asyncio.Task[None]] = set()
        self._emptied: asyncio.Event | None = None  # there while closing
        self._sweep_timer = loop.call_later(limits.sweep_seconds, self._sweep)

    def __len__(self) -> int:
        return len(self._flows)

    def flow_to(self, listener: TcpListener, host: str, port: int) -> TcpFlow:
        """Return the connection with that peer, whoever opened it, or one that `listener`'s address begins to open.

        `host` is a canonical address or a name in lower case.
        """
        flow = self._by_peer.get((host, port))
        if flow is None:
            flow = TcpFlow(self, listener, (host, port))
            literal = parse_literal(host)
            if literal is not None:
                flow.aim(listener, literal)
            else:
                flow.local, flow.via, flow.contact = listener.names_towards(None)
            if self._emptied is not None:
                flow.abandon()
                return flow
            self._by_peer[flow.key] = flow
            task = self._loop.create_task(self._connect(flow, host, port))
            self._connecting.add(task)
            task.add_done_callback(self._connecting.discard)
        return flow

    async def close(self) -> None:
        """Send what peers still read within `TcpLimits.linger_seconds`, then cut what is left. Idempotent."""
        if self._emptied is not None:
            return
        self._emptied = asyncio.Event()
        self._sweep_timer.cancel()
        connecting = list(self._connecting)
        for task in connecting:
            task.cancel()
        await asyncio.gather(*connecting, return_exceptions=True)
        for flow in list(self._flows):
            if not flow.ending:
                flow.end("shutdown")
        try:
            async with asyncio.timeout(self.limits.linger_seconds):
                await self._all_gone()
        except TimeoutError:
            for flow in list(self._flows):
                flow.end("shutdown", flush=False)
            await self._all_gone()

    async def _all_gone(self) -> None:
        if self._flows and self._emptied is not None:
            await self._emptied.wait()

    # What flows tell

    def admit(self, flow: TcpFlow) -> bool:
        """Say whether an accepted connection may stay; one too many is refused so that the others live."""
        host = flow.source[0]
        if len(self._flows) + len(self._connecting) >= self.limits.connections or self._emptied is not None:
            self._events["tcp", "refused", "too_many"] += 1
            return False
        if self._accepted_from.get(host, 0) >= self.limits.connections_per_peer:
            self._events["tcp", "refused", "too_many_from_peer"] += 1
            return False
        self._accepted_from[host] = self._accepted_from.get(host, 0) + 1
        self._events["tcp", "accepted", ""] += 1
        self._flows.add(flow)
        self._by_peer[flow.key] = flow
        return True

    def adopt(self, flow: TcpFlow) -> None:
        """Look after a connection that we opened."""
        self._flows.add(flow)
        self._events["tcp", "connected", ""] += 1

    def forget(self, flow: TcpFlow) -> None:
        """Give this flow to nobody any more."""
        if self._by_peer.get(flow.key) is flow:
            del self._by_peer[flow.key]

    def lost(self, flow: TcpFlow, reason: str) -> None:
        """Count and report a connection that is closed."""
        self.forget(flow)
        self._flows.discard(flow)
        if not flow.outgoing:
            host = flow.source[0]
            self._accepted_from[host] -= 1
            if not self._accepted_from[host]:
                del self._accepted_from[host]
        self._events["tcp", "closed", reason] += 1
        if self._emptied is None:
            self._failed(flow, b"")
        elif not self._flows:
            self._emptied.set()

    def undelivered(self, flow: TcpFlow, data: bytes) -> None:
        """Report a message that the flow cannot take, once the sender is done."""
        self.messages["tcp", "undeliverable"] += 1
        if self._emptied is None:
            self._loop.call_soon(self._failed, flow, data[:UNDELIVERED_BYTES])

    def report(self, fault: Exception, flow: TcpFlow) -> None:
        """Hand an exception of the receiver to the loop's handler, as the loop does for its own callbacks."""
        self._loop.call_exception_handler({"message": f"a message from {flow!r} was not handled", "exception": fault})

    # Opening, and looking after

    async def _connect(self, flow: TcpFlow, host: str, port: int) -> None:
        try:
            if len(self._flows) + len(self._connecting) > self.limits.connections:
                raise OSError(errno.EMFILE, "too many connections")
            candidates = await self._candidates(flow, host)
            for number, (listener, literal) in enumerate(candidates, start=1):
                flow.aim(listener, literal)
                try:
                    await self._open(flow, literal, port)
                except OSError:
                    if number == len(candidates):
                        raise
                else:
                    return
        except ResolutionError:
            self._give_up(flow, "unresolved")
        except TimeoutError:
            self._give_up(flow, "timed_out")
        except OSError as fault:
            self._give_up(flow, _CONNECT_FAULTS.get(fault.errno or 0, "unreachable"))

    async def _candidates(self, flow: TcpFlow, host: str) -> list[tuple[TcpListener, Literal]]:
        """Return the addresses to try, each with the listener from whose address. Raises `ResolutionError` for none."""
        literal = parse_literal(host)
        if literal is not None:
            return [(flow.listener, literal)]
        found: list[tuple[TcpListener, Literal]] = []
        for literal in map(parse_literal, await self._resolver.addresses(host)):
            if literal is not None:
                try:
                    found.append((self._nearest(literal), literal))
                except LookupError:
                    continue  # of a family that we do not speak
        if not found:
            raise ResolutionError(f"{host} has no address of a family that we listen on")
        found.sort(key=lambda candidate: candidate[0].family != flow.listener.family)  # which the Via has shown already
        return found[:MAX_ADDRESSES_TRIED]

    async def _open(self, flow: TcpFlow, literal: Literal, port: int) -> None:
        """Connect, from the listener's address so that the peer knows us by it. Raises `OSError`."""
        ours = flow.listener.listener.host
        opened = socket.socket(literal.family, socket.SOCK_STREAM)
        try:
            opened.setblocking(False)
            set_options(opened)
            if not is_wildcard(ours):
                opened.bind((ours, 0))
            async with asyncio.timeout(self.limits.connect_seconds):
                await self._loop.sock_connect(opened, literal.with_port(port))
            await self._loop.create_connection(lambda: flow, sock=opened)
        except BaseException:
            opened.close()
            raise

    def _give_up(self, flow: TcpFlow, reason: str) -> None:
        self.forget(flow)
        flow.abandon()
        self._events["tcp", "failed", reason] += 1
        self._failed(flow, b"")

    def _sweep(self) -> None:
        now = self._loop.time()
        for flow in [flow for flow in self._flows if flow.deadline <= now]:
            flow.expire()
        self._sweep_timer = self._loop.call_later(self.limits.sweep_seconds, self._sweep)


def set_options(stream: socket.socket) -> None:
    """Send at once, and notice a peer that is gone without a word."""
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    stream.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, _KEEP_ALIVE_IDLE_SECONDS)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, _KEEP_ALIVE_INTERVAL_SECONDS)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _KEEP_ALIVE_PROBES)
    stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _UNACKNOWLEDGED_MILLISECONDS)
