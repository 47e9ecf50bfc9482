"""All transports behind one door: start the listeners, give flows, close."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import socket
from collections.abc import Sequence

from router.model.peers import Listener
from router.model.tally import Counts
from router.ports import Flow, FlowFailed, MessageReceiver
from router.transport.address import Literal, host_port, is_wildcard, parse_literal, source_towards
from router.transport.udp import UdpListener

LISTEN_BACKLOG = 1_024  # connections that wait to be accepted: all phones come back at once after a power cut

_SOCKET_KINDS = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}


class ListenerError(OSError):
    """A listener cannot be opened; the text says which, why, and what to do."""


class Transports:
    """The router's SIP sockets; implements `router.ports.FlowDirectory`.

    Args:
        receive: called for each complete message, in the loop's thread.
        failed: called for each broken flow or undelivered datagram, never from within `Flow.send` or `flow_to`.
    """

    def __init__(self, receive: MessageReceiver, failed: FlowFailed) -> None:
        self.messages = Counts()
        self._receive = receive
        self._failed = failed
        self._udp: list[UdpListener] = []

    @property
    def listeners(self) -> tuple[Listener, ...]:
        """What is listened on, with the actual ports."""
        return tuple(opened.listener for opened in self._udp)

    async def start(self, listeners: Sequence[Listener]) -> None:
        """Open every listener, or none.

        Raises `ListenerError` when an address cannot be had.
        """
        loop = asyncio.get_running_loop()
        bound: list[tuple[Listener, socket.socket]] = []
        try:
            for listener in listeners:
                bound.append(_bind(listener))
        except OSError:
            for _, taken in bound:
                taken.close()
            raise
        for listener, taken in bound:
            opened = UdpListener(listener, taken, self._receive, self._failed, self.messages)
            opened.open(loop)
            self._udp.append(opened)

    def flow_to(self, transport: str, host: str, port: int) -> Flow:
        """See `router.ports.FlowDirectory`."""
        literal = parse_literal(host)
        if literal is None:
            raise LookupError(f"no address known for {host}")
        return _nearest(self._udp, transport, literal).flow_to(literal.with_port(port))

    async def close(self) -> None:
        """Stop listening, send what can still be sent, close everything. Idempotent."""
        for opened in self._udp:
            opened.close()


def _nearest(listeners: list[UdpListener], transport: str, literal: Literal) -> UdpListener:
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
