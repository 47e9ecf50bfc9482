"""From a host name to addresses (RFC 3263), without ever blocking the loop.

RFC 3263 §4 takes three steps: NAPTR chooses the transport, SRV the hosts and ports, A and AAAA their addresses. A flow
always names its transport and port, so `Resolver.addresses`, the last step, is all it needs (§4.2: "if a port is
present, an A or AAAA lookup"). The first two steps belong here too, in front of it, and end in the same cache.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import dns.asyncresolver
import dns.resolver

from router.transport.address import parse_literal

RESOLVE_SECONDS = 4.0  # for all tries together; shorter than a caller's patience, and than Timer B (RFC 3261 §17.1.1.2)
MAX_CACHED_NAMES = 1_024  # a hostile Contact may name anything
MAX_TTL_SECONDS = 3_600.0  # a zone that says "a week" must not outlive a move of the provider for so long
FAILURE_TTL_SECONDS = 5.0  # RFC 2308 §7: do not ask again for each call while the name servers are out of reach
HOSTS_TTL_SECONDS = 5.0  # how soon an edit of the hosts file is noticed
_LOCALHOST = ("127.0.0.1", "::1")  # RFC 6761 §6.3: never asked of a name server


class ResolutionError(Exception):
    """A name has no address that can be found now; the text says why."""


class _Known(NamedTuple):
    addresses: tuple[str, ...]  # empty: see `fault`
    expires: float  # on the resolver's clock
    fault: str


class Resolver:
    """Looks up names in the hosts file and the DNS, with a bounded cache that keeps to the TTL.

    Args:
        now: a monotonic clock, in seconds.
        name_servers: addresses to ask instead of those of the system; `port` goes with them.
        hosts: the hosts file.
    """

    def __init__(
        self,
        now: Callable[[], float],
        name_servers: Sequence[str] = (),
        port: int = 53,
        hosts: Path = Path("/etc/hosts"),
    ) -> None:
        self._now = now
        self._name_servers = name_servers
        self._port = port
        self._hosts = hosts
        self._cache: dict[str, _Known] = {}

    def cached(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a name where they are known without asking, else ()."""
        known = self._cache.get(_canonical(name))
        return known.addresses if known is not None and known.expires > self._now() else ()

    async def addresses(self, name: str) -> tuple[str, ...]:
        """Return the addresses of a name, IPv4 first, each in its canonical spelling.

        Raises `ResolutionError` when there is none.
        """
        name = _canonical(name)
        known = self._cache.get(name)
        if known is None or known.expires <= self._now():
            known = await self._look_up(name)
            self._remember(name, known)
        if not known.addresses:
            raise ResolutionError(f"cannot resolve {name}: {known.fault}")
        return known.addresses

    def _remember(self, name: str, known: _Known) -> None:
        self._cache.pop(name, None)
        while len(self._cache) >= MAX_CACHED_NAMES:
            del self._cache[next(iter(self._cache))]  # the one looked up longest ago
        self._cache[name] = known

    async def _look_up(self, name: str) -> _Known:
        local = self._in_hosts_file(name)
        if local:
            return _Known(local, self._now() + HOSTS_TTL_SECONDS, "")
        try:
            resolver = self._dns()
        except dns.resolver.NoResolverConfiguration:
            return self._unknown("this machine has no name server (/etc/resolv.conf)")
        answers = await asyncio.gather(
            *(resolver.resolve(name, kind, search=True, lifetime=RESOLVE_SECONDS) for kind in ("A", "AAAA")),
            return_exceptions=True,
        )
        addresses: list[str] = []
        ttl = MAX_TTL_SECONDS
        faults: list[str] = []
        for answer in answers:
            if isinstance(answer, dns.resolver.Answer):
                addresses += [record.address for record in answer]
                ttl = min(ttl, answer.chaining_result.minimum_ttl)
            elif isinstance(answer, Exception):  # of the DNS, of the network, or of a name that can be none
                faults.append(str(answer) or type(answer).__name__)
            else:
                raise answer
        if not addresses:
            return self._unknown(faults[0])
        return _Known(tuple(addresses), self._now() + ttl, "")

    def _unknown(self, fault: str) -> _Known:
        return _Known((), self._now() + FAILURE_TTL_SECONDS, fault)

    def _dns(self) -> dns.asyncresolver.Resolver:
        if not self._name_servers:
            return dns.asyncresolver.Resolver()  # reads resolv.conf, so that a change of network is noticed
        resolver = dns.asyncresolver.Resolver(configure=False)
        resolver.nameservers = list(self._name_servers)
        resolver.port = self._port
        return resolver

    def _in_hosts_file(self, name: str) -> tuple[str, ...]:
        found: list[str] = []
        try:
            lines = self._hosts.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:  # containers may have none
            lines = []
        for line in lines:
            address, *names = line.partition("#")[0].split() or [""]
            if name in map(_canonical, names):
                try:
                    literal = parse_literal(address)
                except ValueError:
                    continue  # a line that the system's own resolver passes over as well
                if literal is not None:
                    found.append(literal.host)
        if name == "localhost" or name.endswith(".localhost"):
            found += _LOCALHOST
        found.sort(key=lambda address: ":" in address)
        return tuple(dict.fromkeys(found))


def _canonical(name: str) -> str:
    return name.rstrip(".").lower()
