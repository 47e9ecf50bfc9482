"""All transports behind one door: start the listeners, give flows, close."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import socket
from collections.abc import Sequence
from time import monotonic
from typing import TypeVar

from router.model.peers import Listener
from router.model.tally import Counts
from router.ports import Flow, FlowFailed, MessageReceiver
from router.transport.address import Literal, host_port, is_wildcard, parse_literal, source_towards
from router.transport.resolver import ResolutionError, Resolver
from router.transport.tcp import LISTEN_BACKLOG, TcpConnections, TcpLimits, TcpListener
from router.transport.udp import UNDELIVERED_BYTES, NamedUdpFlow, UdpListener

MAX_PORT = 65_535

_SOCKET_KINDS = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}


class ListenerError(OSError):
    """A listener cannot be opened; the text says which, why, and what to do."""


_O = TypeVar("_O", UdpListener, TcpListener)


class Transports:
    """The router's SIP sockets; implements `router.ports.FlowDirectory`.

    Args:
        receive: called for each complete message, in the loop's thread. An exception that it raises goes to the loop's
            exception handler, and the next message is received as usual.
        failed: called for each broken flow or undelivered message; never from within `Flow.send` or `flow_to`, and
            not for what `close` ends.
        limits: see `TcpLimits`.
        resolver: for named peers; by default the system's hosts file and name servers.

    Attributes:
        messages: by (transport, outcome): "received", "sent", "keep_alive", "undeliverable"; UDP also "stun",
            "oversize", "dropped".
        connections: by (transport, event, reason); see `TcpConnections`.
    """

    def __init__(
        self,
        receive: MessageReceiver,
        failed: FlowFailed,
        limits: TcpLimits | None = None,
        resolver: Resolver | None = None,
    ) -> None:
        self.messages = Counts()
        self.connections = Counts()
        self._receive = receive
        self._failed = failed
        self._limits = limits or TcpLimits()
        self._resolver = resolver or Resolver(monotonic)
        self._udp: list[UdpListener] = []
        self._tcp: list[TcpListener] = []
        self._tcp_connections: TcpConnections | None = None
        self._resolving: dict[tuple[str, int], NamedUdpFlow] = {}
        self._resolutions: set[asyncio.Task[None]] = set()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """What is listened on, with the actual ports; UDP first."""
        return (*(opened.listener for opened in self._udp), *(opened.listener for opened in self._tcp))

    @property
    def open_connections(self) -> int:
        """How many TCP connections there are now."""
        return len(self._tcp_connections) if self._tcp_connections is not None else 0

    async def start(self, listeners: Sequence[Listener]) -> None:
        """Open every listener, or none. To be called once.

        Raises `ListenerError` when an address cannot be had.
        """
        loop = asyncio.get_running_loop()
        bound: list[tuple[Listener, socket.socket]] = []
        try:
            for listener in listeners:
                bound.append(_bind(listener))
        except ListenerError:
            for _, taken in bound:
                taken.close()
            raise
        self._loop = loop
        self._tcp_connections = TcpConnections(
            loop,
            self._receive,
            self._failed,
            self.messages,
            self.connections,
            self._limits,
            self._resolver,
            lambda literal: _nearest(self._tcp, "tcp", literal),
        )
        for listener, taken in bound:
            if listener.transport == "udp":
                self._udp.append(UdpListener(listener, taken, self._receive, self._failed, self.messages))
            else:
                self._tcp.append(TcpListener(listener, taken, self._tcp_connections))
        for udp in self._udp:
            udp.open(loop)
        for tcp in self._tcp:
            await tcp.open(loop)

    def flow_to(self, transport: str, host: str, port: int) -> Flow:
        """See `router.ports.FlowDirectory`. `host` may stand in brackets.

        Raises `LookupError` also for what can be neither address nor name, and for a port that there cannot be.
        """
        if not 0 < port <= MAX_PORT:
            raise LookupError(f"there is no port {port}: it must be from 1 to {MAX_PORT}")
        try:
            literal = parse_literal(host)
        except ValueError as fault:
            raise LookupError(str(fault)) from fault
        match transport.lower():
            case "udp":
                if literal is None:
                    return self._udp_flow_to_name(host.rstrip(".").lower(), port)
                return _nearest(self._udp, "udp", literal).flow_to(literal.with_port(port))
            case "tcp" if self._tcp_connections is not None:
                if literal is None:
                    name = host.rstrip(".").lower()
                    return self._tcp_connections.flow_to(self._nearest_to_name(self._tcp, "tcp", name), name, port)
                return self._tcp_connections.flow_to(_nearest(self._tcp, "tcp", literal), literal.host, port)
        raise LookupError(f"no {transport} listener: add one to reach {host} over {transport}")

    async def close(self) -> None:
        """Stop listening, send what can still be sent (within `TcpLimits.linger_seconds`), close. Idempotent."""
        for udp in self._udp:
            udp.close()
        for tcp in self._tcp:
            tcp.close()
        resolutions = list(self._resolutions)
        for task in resolutions:
            task.cancel()
        await asyncio.gather(*resolutions, return_exceptions=True)
        if self._tcp_connections is not None:
            await self._tcp_connections.close()
        self._loop = None

    def _nearest_to_name(self, listeners: list[_O], transport: str, name: str) -> _O:
        """Return the listener from which a name is reached, the first one while its address is not known."""
        literals = _literals(self._resolver.cached(name))
        families = {opened.family for opened in listeners}
        fitting = [literal for literal in literals if literal.family in families] or literals
        if fitting:
            return _nearest(listeners, transport, fitting[0])
        if not listeners:
            raise LookupError(f"no {transport} listener: add one to reach {name} over {transport}")
        return listeners[0]

    def _udp_flow_to_name(self, name: str, port: int) -> Flow:
        opened = self._nearest_to_name(self._udp, "udp", name)
        for literal in _literals(self._resolver.cached(name)):
            if literal.family == opened.family:
                return opened.flow_to(literal.with_port(port))
        flow = self._resolving.get((name, port))
        if flow is None:
            flow = NamedUdpFlow((name, port), opened.names_towards(None), self._undelivered)
            if self._loop is None:  # closed
                flow.abandon()
                return flow
            self._resolving[name, port] = flow
            task = self._loop.create_task(self._resolve(flow, opened, name, port))
            self._resolutions.add(task)
            task.add_done_callback(self._resolutions.discard)
        return flow

    async def _resolve(self, flow: NamedUdpFlow, preferred: UdpListener, name: str, port: int) -> None:
        try:
            literals = _literals(await self._resolver.addresses(name))
            # The Via that has been shown is the preferred listener's: another family is second choice.
            literals.sort(key=lambda literal: literal.family != preferred.family)
            opened = _nearest(self._udp, "udp", literals[0])
        except (ResolutionError, LookupError):
            flow.abandon()
            self.messages["udp", "undeliverable"] += 1
            self._failed(flow, b"")
        else:
            flow.resolved(opened.flow_to(literals[0].with_port(port)))
        finally:
            del self._resolving[name, port]

    def _undelivered(self, flow: Flow, data: bytes) -> None:
        self.messages["udp", "undeliverable"] += 1
        if self._loop is not None:
            self._loop.call_soon(self._failed, flow, data[:UNDELIVERED_BYTES])


def _literals(addresses: Sequence[str]) -> list[Literal]:
    return [literal for literal in map(parse_literal, addresses) if literal is not None]


def _nearest(listeners: list[_O], transport: str, literal: Literal) -> _O:
    """Return the listener from which `literal` is reached: the one on the address the kernel would send from."""
    fitting = [listener for listener in listeners if listener.family == literal.family]
    if not fitting:
        version = 4 if literal.family == socket.AF_INET else 6
        raise LookupError(f"no {transport} listener for IPv{version}: add one to reach {literal.host} over {transport}")
    if len(fitting) == 1:
        return fitting[0]
    source = source_towards(literal.family, literal.with_port(9))
    for candidate in fitting:
        if candidate.listener.host == source:
            return candidate
    return next((candidate for candidate in fitting if is_wildcard(candidate.listener.host)), fitting[0])


def _bind(listener: Listener) -> tuple[Listener, socket.socket]:
    """Return a bound non-blocking socket, and the listener with its canonical host and its actual port."""
    name = f"{listener.transport} {host_port(listener.host, listener.port)}"
    kind = _SOCKET_KINDS.get(listener.transport)
    if kind is None:
        raise ListenerError(f"cannot listen on {name}: the transports are {' and '.join(_SOCKET_KINDS)}")
    try:
        literal = parse_literal(listener.host)
    except ValueError as fault:
        raise ListenerError(f"cannot listen on {name}: {fault}") from fault
    if literal is None:
        raise ListenerError(f"cannot listen on {name}: write an IP address of this machine instead of a name")
    taken = socket.socket(literal.family, kind)
    try:
        taken.setblocking(False)
        if literal.family == socket.AF_INET6:
            taken.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)  # IPv4 has listeners of its own
        if kind == socket.SOCK_STREAM:
            taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # do not wait for old connections to time out
        taken.bind(literal.with_port(listener.port))
        if kind == socket.SOCK_STREAM:
            taken.listen(LISTEN_BACKLOG)
    except (OSError, OverflowError) as fault:
        taken.close()
        raise ListenerError(f"cannot listen on {name}: {_explain(fault)}") from fault
    return dataclasses.replace(listener, host=literal.host, port=taken.getsockname()[1]), taken


def _explain(fault: OSError | OverflowError) -> str:
    """Say in words why an address cannot be had, and what to do."""
    if isinstance(fault, OverflowError):
        return "a port is a number from 0 to 65535"
    match fault.errno:
        case errno.EADDRINUSE:
            return "another program has this port; stop it, or choose another port (`ss -lnp` shows who)"
        case errno.EADDRNOTAVAIL:
            return "this machine has no such address; `ip address` shows which it has, 0.0.0.0 and :: mean all"
        case errno.EACCES:
            return "ports below 1024 need the right CAP_NET_BIND_SERVICE; choose a higher port, or grant it"
        case _:
            return fault.strerror or str(fault)
