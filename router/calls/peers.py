"""Recognising trunks and PBXs by where their messages come from: network, or network and port."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from router.model.peers import Pbx, Source, Trunk

KNOWN_ADDRESSES: Final = 10_000  # bounds what an address scan can make us remember


class Peers:
    """The trunks and PBXs of one configuration.

    A rule with a port is stronger than one without, and a longer prefix than a shorter one, so that several peers can
    share one address or a network hold an exception.
    """

    def __init__(self, trunks: Iterable[Trunk], pbxs: Iterable[Pbx]) -> None:
        rules: list[tuple[Source, Trunk | Pbx]] = []
        for trunk in trunks:
            rules.extend((source, trunk) for source in trunk.sources)
        for pbx in pbxs:
            rules.extend((source, pbx) for source in pbx.sources)
        rules.sort(key=lambda rule: (rule[0].port is None, -rule[0].network.prefixlen))
        self._rules = rules
        self._known: dict[tuple[str, int], Trunk | Pbx | None] = {}

    def recognise(self, source: tuple[str, int]) -> Trunk | Pbx | None:
        """The peer whose messages come from this address and port, or None for a stranger or a phone."""
        try:
            return self._known[source]
        except KeyError:
            pass
        if len(self._known) >= KNOWN_ADDRESSES:
            self._known.clear()
        peer = self._known[source] = self._search(source)
        return peer

    def _search(self, source: tuple[str, int]) -> Trunk | Pbx | None:
        host, port = source
        address: IPv4Address | IPv6Address = ip_address(host.partition("%")[0])
        if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        for rule, peer in self._rules:
            if (rule.port is None or rule.port == port) and address in rule.network:
                return peer
        return None
