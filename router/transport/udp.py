"""SIP over UDP (RFC 3261 §18): one raw socket per listener, drained a bounded number of datagrams per wake.

The socket is not given to the loop itself but stands in an `epoll` set of its own, and the loop watches that set. The
reason is ICMP: with `IP_RECVERR` the kernel keeps each error with the datagram that caused it, and signals `EPOLLERR`
while one is queued. uvloop (libuv) takes `EPOLLERR` as the end of a descriptor and stops watching it; a nested set is
simply readable. It costs no further system call.

Linux only, as are `epoll` and the error queue.
"""

from __future__ import annotations

import errno
import select
import socket
import struct
from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Final, Protocol

from router.model.peers import Listener
from router.model.tally import Counts
from router.ports import Flow, FlowFailed, MessageReceiver
from router.transport.address import Names, SocketAddress, is_wildcard, names_of, names_towards

MAX_DATAGRAMS_PER_WAKE: Final = 64  # so that timers and other sockets have their turn in a flood
AT_ONCE: Final = 15e-6  # seconds; a loop that finds the next datagram waiting is back sooner, one that slept is not
MAX_DATAGRAM_BYTES: Final = 65_535  # what UDP can carry: the kernel never cuts a datagram short
MAX_FLOWS_PER_GENERATION = 16_384  # twice as many peers are remembered; an address scan cannot make us hold more
MAX_BACKLOG_DATAGRAMS = 1_024  # kept while the kernel's send buffer is full; retransmission makes up for the rest
MAX_WAITING_DATAGRAMS = 256  # kept while a name is resolved
MAX_SEND_ATTEMPTS = 4  # each pending ICMP error fails one `sendto` that has nothing to do with it
SOCKET_BUFFER_BYTES = 4 * 1024 * 1024  # about 1,500 datagrams: rides out a garbage collection or a reload
UNDELIVERED_BYTES = 576  # as much of a datagram as is handed to `failed`; an ICMP error quotes no more

# From <linux/in.h>, <linux/in6.h>, <asm-generic/socket.h> and <linux/errqueue.h>; the socket module lacks them.
_IP_RECVERR = 11
_IPV6_RECVERR = 25
_SO_SNDBUFFORCE = 32
_SO_RCVBUFFORCE = 33
_EXTENDED_ERROR = struct.Struct("=IBBBxII")  # struct sock_extended_err: errno, origin, type, code, info, data
_ORIGIN_ICMP = 2
_ORIGIN_ICMP6 = 3

# RFC 3261 §18.4: unreachable and parameter problem are told to the transport user, others are ignored.
_ICMP_UNREACHABLE = 3
_ICMP_FRAGMENTATION_NEEDED = 4  # only path MTU discovery at work: the kernel fragments from now on
_ICMP_PARAMETER_PROBLEM = 12
_ICMP6_UNREACHABLE = 1
_ICMP6_PARAMETER_PROBLEM = 4


class Loop(Protocol):
    """What is used of an event loop; what these return differs between loops."""

    def add_reader(self, descriptor: int, callback: Callable[[], None], /) -> object: ...

    def remove_reader(self, descriptor: int, /) -> object: ...

    def call_soon(self, callback: Callable[[Flow, bytes], None], flow: Flow, data: bytes, /) -> object: ...


class UdpFlow:
    """One UDP peer of one listener (see `router.ports.Flow`).

    The same object stands for a peer as long as it is among the `MAX_FLOWS_PER_GENERATION` heard from last.
    """

    __slots__ = ("_listener", "_sendto", "address", "contact", "local", "reliable", "source", "transport", "via")

    def __init__(self, listener: UdpListener, address: SocketAddress, names: Names) -> None:
        self.transport = "UDP"
        self.reliable = False
        self.source = (address[0], address[1])
        self.local, self.via, self.contact = names
        self._listener = listener
        self.address = address
        self._sendto = listener.socket.sendto

    def send(self, data: bytes) -> None:
        listener = self._listener
        if listener.backlog:
            listener.keep(data, self)  # keeps the order
            return
        try:
            self._sendto(data, self.address)
        except OSError as fault:
            listener.send_failed(data, self, fault)
        else:
            listener.sent.value += 1

    def __repr__(self) -> str:
        return f"<UdpFlow {self.local} - {self.source}>"


class NamedUdpFlow:
    """A UDP peer known by its name: keeps what is sent until the name is resolved, then sends by that address' flow.

    Until then `source` holds the name.

    Args:
        peer: name and port.
        names: how we name ourselves to it.
        undelivered: called for each datagram that cannot be kept or sent.
    """

    __slots__ = ("_flow", "_undelivered", "_waiting", "contact", "local", "reliable", "source", "transport", "via")

    def __init__(self, peer: tuple[str, int], names: Names, undelivered: Callable[[Flow, bytes], None]) -> None:
        self.transport = "UDP"
        self.reliable = False
        self.source = peer
        self.local, self.via, self.contact = names
        self._flow: UdpFlow | None = None
        self._waiting: list[bytes] | None = []
        self._undelivered = undelivered

    def send(self, data: bytes) -> None:
        if self._flow is not None:
            self._flow.send(data)
        elif self._waiting is not None and len(self._waiting) < MAX_WAITING_DATAGRAMS:
            self._waiting.append(data)
        else:
            self._undelivered(self, data)

    def resolved(self, flow: UdpFlow) -> None:
        """Send by `flow` what was kept, and everything from now on."""
        self._flow = flow
        self.source = flow.source
        waiting, self._waiting = self._waiting, None
        for data in waiting or ():
            flow.send(data)

    def abandon(self) -> None:
        """Keep nothing more: the name has no address."""
        self._waiting = None


class UdpListener:
    """One UDP socket and the flows of its peers.

    Args:
        listener: what to listen on; port 0 takes a free one.
        bound: a non-blocking socket bound to it.
        receive, failed: see `router.ports`.
        messages: counter to add to, by (transport, outcome): "received", "sent", "keep_alive", "stun" (ignored),
            "undeliverable" (ICMP, no route, forbidden by the local firewall), "oversize" (no datagram holds it),
            "dropped" (send buffers full).
    """

    def __init__(
        self,
        listener: Listener,
        bound: socket.socket,
        receive: MessageReceiver,
        failed: FlowFailed,
        messages: Counts,
    ) -> None:
        self.listener = listener
        self.socket = bound
        self.family = bound.family
        self.messages = messages
        self.sent = messages.cell(("udp", "sent"))
        self._received = messages.cell(("udp", "received"))
        self.backlog: deque[tuple[bytes, UdpFlow]] = deque()
        self._recvfrom = bound.recvfrom
        self._receive = receive
        self._failed = failed
        self._loop: Loop | None = None
        self._batch = 1
        self._left = 0.0  # when the last wake ended
        self._young: dict[SocketAddress, UdpFlow] = {}
        self._old: dict[SocketAddress, UdpFlow] = {}
        self._ready = select.epoll()
        self._ready.register(bound, select.EPOLLIN)
        self._names = None if is_wildcard(listener.host) else names_of(listener, listener.host)
        if bound.family == socket.AF_INET:
            bound.setsockopt(socket.IPPROTO_IP, _IP_RECVERR, 1)
        else:
            bound.setsockopt(socket.IPPROTO_IPV6, _IPV6_RECVERR, 1)
        _enlarge_buffers(bound)

    def open(self, loop: Loop) -> None:
        """Begin to receive, on `loop`."""
        self._loop = loop
        loop.add_reader(self._ready.fileno(), self._wake)

    def close(self) -> None:
        """Send what the kernel still takes, and close. Idempotent."""
        if self._loop is None:
            return
        self._loop.remove_reader(self._ready.fileno())
        self._loop = None
        self._send_backlog()
        self._ready.close()
        self.socket.close()
        self.backlog.clear()

    def flow_to(self, address: SocketAddress) -> UdpFlow:
        """Return the flow to a peer, the same object as long as it is remembered."""
        flow = self._young.get(address)
        if flow is not None:
            return flow
        # Two generations instead of an order of use: a hit costs nothing, and forgetting takes no scan.
        flow = self._old.get(address)
        if flow is None:
            flow = UdpFlow(self, address, self._names or self.names_towards(address))
        if len(self._young) >= MAX_FLOWS_PER_GENERATION:
            self._old = self._young
            self._young = {}
        self._young[address] = flow
        return flow

    def names_towards(self, peer: SocketAddress | None) -> Names:
        """Return how we name ourselves to `peer`; None for one whose address is not known yet."""
        return names_towards(self.listener, self.family, peer)

    def _wake(self) -> None:
        began = monotonic()
        # Finding the socket empty costs as much as a datagram does. So a wake takes as many as the last ones suggest:
        # twice as many when it follows at once, half when the loop had time to sleep in between.
        if began - self._left < AT_ONCE:
            self._batch = min(self._batch * 2, MAX_DATAGRAMS_PER_WAKE)
        else:
            self._batch = self._batch // 2 or 1
        if self.backlog:
            self._send_backlog()
        recvfrom = self._recvfrom
        receive = self._receive
        taken = 0
        try:
            while taken < self._batch:
                try:
                    data, address = recvfrom(MAX_DATAGRAM_BYTES)
                except BlockingIOError:
                    if not taken:  # woken by an error that a `sendto` has met already
                        self._read_errors()
                    return
                except OSError:
                    # A pending ICMP error takes the place of one `recvfrom`; the datagrams are all still there, and
                    # are read at the next wake.
                    self._read_errors()
                    return
                taken += 1
                # The smallest character that a SIP message can begin with is "!" (RFC 3261 §25.1, token).
                if data < b"!":
                    data = self._without_keep_alive(data)
                    if not data:
                        continue
                flow = self._young.get(address)
                if flow is None:
                    flow = self.flow_to(address)
                receive(data, flow)
        finally:
            if taken:
                self._received.value += taken
            self._left = monotonic()

    def _without_keep_alive(self, data: bytes) -> bytes:
        """Return what is left of a datagram without leading line ends; b"" for a mere keep-alive and for STUN.

        Line ends and zero bytes, or nothing at all, keep a NAT binding open and want no answer on UDP; RFC 5626 §3.5.2
        has STUN for that, which RFC 7983 §7 tells apart by the first byte.
        """
        message = data.lstrip(b"\r\n\0")
        if not message:
            self.messages["udp", "keep_alive"] += 1
        elif data[0] < 4:
            self.messages["udp", "stun"] += 1
            return b""
        return message

    def _read_errors(self) -> None:
        """Empty the socket's error queue, and report each datagram that an ICMP error says did not arrive."""
        for _ in range(MAX_DATAGRAMS_PER_WAKE):
            try:
                data, ancillary, _, address = self.socket.recvmsg(UNDELIVERED_BYTES, 512, socket.MSG_ERRQUEUE)
            except OSError:
                return  # empty: EAGAIN, or the error code of the last entry
            if address and any(_means_undelivered(level, kind, record) for level, kind, record in ancillary):
                self.messages["udp", "undeliverable"] += 1
                self._failed(self.flow_to(address), data)

    def send_failed(self, data: bytes, flow: UdpFlow, fault: OSError) -> None:
        """Do what is left to do for a datagram that `sendto` refused; a failure is reported once the caller is done."""
        loop = self._loop
        if loop is None:  # closed
            self.messages["udp", "dropped"] += 1
            return
        for _ in range(MAX_SEND_ATTEMPTS):
            match fault.errno:
                case errno.EAGAIN:
                    self.keep(data, flow)
                    return
                case errno.ENOBUFS:  # no room at the interface, which `epoll` cannot watch: as good as lost
                    self.messages["udp", "dropped"] += 1
                    return
                case errno.EMSGSIZE:
                    self.messages["udp", "oversize"] += 1
                    break
            try:
                self.socket.sendto(data, flow.address)
            except OSError as next_fault:
                fault = next_fault
            else:
                self.sent.value += 1
                return
        else:
            self.messages["udp", "undeliverable"] += 1
        loop.call_soon(self._failed, flow, data[:UNDELIVERED_BYTES])

    def keep(self, data: bytes, flow: UdpFlow) -> None:
        """Keep a datagram until the kernel's send buffer has room, or drop it when too many are kept already."""
        if len(self.backlog) >= MAX_BACKLOG_DATAGRAMS or self._loop is None:
            self.messages["udp", "dropped"] += 1
            return
        if not self.backlog:
            self._ready.modify(self.socket, select.EPOLLIN | select.EPOLLOUT)
        self.backlog.append((data, flow))

    def _send_backlog(self) -> None:
        while self.backlog:
            data, flow = self.backlog.popleft()
            try:
                self.socket.sendto(data, flow.address)
            except BlockingIOError:
                self.backlog.appendleft((data, flow))
                return
            except OSError as fault:
                self.send_failed(data, flow, fault)
            else:
                self.sent.value += 1
        self._ready.modify(self.socket, select.EPOLLIN)


def _means_undelivered(level: int, kind: int, record: bytes) -> bool:
    """Say whether an entry of the error queue is one of the ICMP errors of RFC 3261 §18.4."""
    if (level, kind) not in ((socket.IPPROTO_IP, _IP_RECVERR), (socket.IPPROTO_IPV6, _IPV6_RECVERR)):
        return False
    origin: int
    icmp_type: int
    code: int
    _, origin, icmp_type, code, _, _ = _EXTENDED_ERROR.unpack_from(record)
    if origin == _ORIGIN_ICMP:
        return icmp_type == _ICMP_PARAMETER_PROBLEM or (
            icmp_type == _ICMP_UNREACHABLE and code != _ICMP_FRAGMENTATION_NEEDED
        )
    return origin == _ORIGIN_ICMP6 and icmp_type in (_ICMP6_UNREACHABLE, _ICMP6_PARAMETER_PROBLEM)


def _enlarge_buffers(bound: socket.socket) -> None:
    """Ask for large socket buffers: beyond the system's limit where we may (CAP_NET_ADMIN), else up to it."""
    for forced, plain in ((_SO_RCVBUFFORCE, socket.SO_RCVBUF), (_SO_SNDBUFFORCE, socket.SO_SNDBUF)):
        try:
            bound.setsockopt(socket.SOL_SOCKET, forced, SOCKET_BUFFER_BYTES)
        except PermissionError:
            bound.setsockopt(socket.SOL_SOCKET, plain, SOCKET_BUFFER_BYTES)
