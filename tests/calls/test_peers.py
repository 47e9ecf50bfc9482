"""Trunks and PBXs are recognised by where their messages come from."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from router.calls.peers import KNOWN_ADDRESSES, Peers
from router.model.decision import LineState
from router.model.peers import Pbx, Source, Trunk
from tests.calls.story import Story


def trunk(name: str, *sources: tuple[str, int | None]) -> Trunk:
    return Trunk(name, "provider.example", sources=tuple(Source(ip_network(net), port) for net, port in sources))


def pbx(name: str, *sources: tuple[str, int | None]) -> Pbx:
    return Pbx(name, tuple(Source(ip_network(net), port) for net, port in sources))


def name_of(peers: Peers, host: str, port: int = 5060) -> str | None:
    peer = peers.recognise((host, port))
    return None if peer is None else peer.name


def test_by_address_and_by_network() -> None:
    peers = Peers([trunk("one", ("192.0.2.1/32", None)), trunk("many", ("198.51.100.0/24", None))], [])
    assert name_of(peers, "192.0.2.1", 40000) == "one"
    assert name_of(peers, "192.0.2.2") is None
    assert name_of(peers, "198.51.100.0") == "many"
    assert name_of(peers, "198.51.100.255") == "many"
    assert name_of(peers, "198.51.101.0") is None


def test_several_peers_may_share_an_address_by_port() -> None:
    peers = Peers([trunk("trunk", ("127.0.0.1/32", 5080))], [pbx("pbx", ("127.0.0.1/32", 5070))])
    assert (name_of(peers, "127.0.0.1", 5080), name_of(peers, "127.0.0.1", 5070)) == ("trunk", "pbx")
    assert name_of(peers, "127.0.0.1", 5060) is None


def test_a_port_is_stronger_than_none_and_a_longer_prefix_than_a_shorter() -> None:
    peers = Peers(
        [trunk("network", ("10.0.0.0/8", None)), trunk("host", ("10.0.0.5/32", None))],
        [pbx("port", ("10.0.0.0/8", 5070))],
    )
    assert name_of(peers, "10.1.2.3") == "network"
    assert name_of(peers, "10.0.0.5") == "host"
    assert name_of(peers, "10.0.0.5", 5070) == "port"


@pytest.mark.parametrize("host", ["2001:db8::1", "2001:0db8:0:0::1"])
def test_ipv6_in_any_spelling(host: str) -> None:
    peers = Peers([trunk("six", ("2001:db8::/64", None))], [])
    assert name_of(peers, host) == "six"
    assert name_of(peers, "2001:db8:1::1") is None


def test_an_ipv4_address_within_ipv6_and_a_scope_are_understood() -> None:
    peers = Peers([trunk("four", ("192.0.2.1/32", None)), trunk("link", ("fe80::/10", None))], [])
    assert name_of(peers, "::ffff:192.0.2.1") == "four"
    assert name_of(peers, "fe80::1%eth0") == "link"


def test_a_scan_of_addresses_is_not_remembered_without_bound() -> None:
    peers = Peers([trunk("one", ("192.0.2.1/32", None))], [])
    for number in range(KNOWN_ADDRESSES + 10):
        assert name_of(peers, "203.0.113.1", number) is None
    assert len(peers._known) <= KNOWN_ADDRESSES
    assert name_of(peers, "192.0.2.1") == "one"


def test_a_pbx_calls_out_without_digest_with_its_persons_number(story: Story) -> None:
    pbx, first = story.pbx(), story.trunk()
    pbx.invites("+3225551234", sender="<sip:201@192.0.2.50>")
    assert "sip:+3242200121@" in first.received("INVITE").get("from")
    first.answers()
    pbx.acks()
    pbx.hangs_up()
    assert (story.records[0].origin, story.records[0].peer) == ("pbx", "central")


def test_a_trunks_caller_is_never_taken_for_one_of_our_people(story: Story) -> None:
    trunk, bob = story.trunk(), story.phone("201")
    trunk.invites("+3242200121", sender="<sip:+3242200120@198.51.100.1>")
    bob.answers()
    trunk.acks()
    assert story.lines["alice"] is LineState.UNREGISTERED  # she is not on a call by this
    trunk.hangs_up()
    assert (story.records[0].origin, story.records[0].peer) == ("trunk", "first")
