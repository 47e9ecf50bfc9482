"""Addresses as text, as sockets want them, and as our Via and Contact show them."""

from __future__ import annotations

import socket
from functools import lru_cache
from typing import NamedTuple

from router.model.peers import Listener
from router.sip.uri import bracketed

SocketAddress = tuple[str, int] | tuple[str, int, int, int]  # as `socket` gives and takes it: IPv4, IPv6

_WILDCARDS = frozenset({"0.0.0.0", "::"})
_ELSEWHERE: dict[int, SocketAddress] = {  # RFC 5737, RFC 3849: nobody's, so reached by the default route
    socket.AF_INET: ("192.0.2.1", 9),
    socket.AF_INET6: ("2001:db8::1", 9, 0, 0),
}


class Literal(NamedTuple):
    """An IP address in its one canonical spelling, so that it can key a table."""

    family: socket.AddressFamily
    host: str
    scope: int  # interface index of a link-local IPv6 address, else 0

    def with_port(self, port: int) -> SocketAddress:
        """Return what `socket.sendto` wants, equal to what `socket.recvfrom` gives for the same peer."""
        return (self.host, port) if self.family == socket.AF_INET else (self.host, port, 0, self.scope)


@lru_cache(maxsize=4096)
def parse_literal(host: str) -> Literal | None:
    """Return the address that `host` spells ("192.0.2.1", "2001:db8::1", "[::1]", "fe80::1%eth0"), None for a name.

    Raises `ValueError` for what is neither: a colon never stands in a name.
    """
    if ":" not in host:
        try:
            return Literal(socket.AF_INET, socket.inet_ntop(socket.AF_INET, socket.inet_pton(socket.AF_INET, host)), 0)
        except (OSError, ValueError):  # ValueError: a character outside ASCII, which a name may have
            return None
    address, _, interface = host.removeprefix("[").removesuffix("]").partition("%")
    try:
        canonical = socket.inet_ntop(socket.AF_INET6, socket.inet_pton(socket.AF_INET6, address))
        scope = 0 if not interface else int(interface) if interface.isdigit() else socket.if_nametoindex(interface)
    except (OSError, ValueError) as fault:
        raise ValueError(f"{host!r} is no IP address: write it as 192.0.2.1 or 2001:db8::1, the port apart") from fault
    return Literal(socket.AF_INET6, canonical, scope)


def is_wildcard(host: str) -> bool:
    """Say whether a canonical address means "all of this machine's"."""
    return host in _WILDCARDS


def host_port(host: str, port: int) -> str:
    """Join host and port as RFC 3261 §25.1 `hostport`: IPv6 in brackets."""
    return f"{bracketed(host)}:{port}"


def sent_by(listener: Listener, host: str) -> str:
    """Return how we name ourselves in Via and Contact: the advertised address, else `host` and the listener's port."""
    advertised = listener.advertised
    if not advertised:
        return host_port(host, listener.port)
    if advertised.startswith("["):
        return advertised if advertised.rpartition("]")[2] else f"{advertised}:{listener.port}"
    return advertised if advertised.count(":") == 1 else host_port(advertised, listener.port)


class Names(NamedTuple):
    """How we name ourselves on a flow (see `router.ports.Flow`)."""

    local: tuple[str, int]
    via: str
    contact: str


def names_of(listener: Listener, host: str) -> Names:
    """Return the names of a listener whose address towards the peer is `host`.

    UDP is the default of a Contact and not spelled out (RFC 3263 §4.1).
    """
    parameter = "" if listener.transport == "udp" else f";transport={listener.transport}"
    shown = sent_by(listener, host)
    return Names((host, listener.port), f"SIP/2.0/{listener.transport.upper()} {shown}", shown + parameter)


def names_towards(listener: Listener, family: int, peer: SocketAddress | None) -> Names:
    """Return the names of a listener towards `peer`; None for one whose address is not known yet.

    A listener on all addresses shows the one from which the peer is reached, or most of the world is.
    """
    if not is_wildcard(listener.host):
        return names_of(listener, listener.host)
    return names_of(listener, source_towards(family, peer or _ELSEWHERE[family]) or listener.host)


def source_towards(family: int, peer: SocketAddress) -> str | None:
    """Return the address of ours from which the kernel would reach `peer`, None when there is no route.

    Nothing is sent: connecting a datagram socket only looks up the route.
    """
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(peer)
        except OSError:
            return None
        return str(probe.getsockname()[0])
