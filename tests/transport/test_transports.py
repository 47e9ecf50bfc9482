"""Starting, names, and which listener serves whom."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from router.model.peers import Listener
from router.transport.resolver import Resolver
from router.transport.transports import ListenerError, Transports

from .peer import free_port, read, request, running, udp_peer, until


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_taken_port_is_named_and_nothing_is_left_open(transport: str) -> None:
    kind = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}[transport]
    free = free_port(socket.SOCK_DGRAM)
    with socket.socket(socket.AF_INET, kind) as other:
        other.bind(("127.0.0.1", 0))
        if transport == "tcp":
            other.listen()
        taken = other.getsockname()[1]
        transports = Transports(lambda data, flow: None, lambda flow, data: None)
        with pytest.raises(ListenerError, match=f"{transport} 127.0.0.1:{taken}: another program has this port"):
            await transports.start([Listener("udp", "127.0.0.1", free), Listener(transport, "127.0.0.1", taken)])
        assert transports.listeners == ()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", free))  # given back


@pytest.mark.parametrize(
    ("listener", "text"),
    [
        (Listener("udp", "203.0.113.1", 0), r"udp 203\.0\.113\.1:0: this machine has no such address"),
        (Listener("udp", "localhost", 0), "udp localhost:0: write an IP address"),
        (Listener("udp", "::zz", 0), r"udp \[::zz\]:0: '::zz' is no IP address"),
        (Listener("sctp", "127.0.0.1", 0), "sctp 127.0.0.1:0: the transports are udp and tcp"),
        (Listener("tcp", "127.0.0.1", 70_000), "tcp 127.0.0.1:70000: a port is a number from 0 to 65535"),
    ],
)
async def test_a_listener_that_cannot_be_is_explained(listener: Listener, text: str) -> None:
    with pytest.raises(ListenerError, match=text):
        await Transports(lambda data, flow: None, lambda flow, data: None).start([listener])


async def test_without_a_fitting_listener_there_is_no_flow() -> None:
    async with running(Listener("udp", "127.0.0.1", 0)) as router:
        for transport, host in (("udp", "::1"), ("tcp", "127.0.0.1"), ("tcp", "pbx.example"), ("tls", "127.0.0.1")):
            with pytest.raises(LookupError, match=transport):
                router.transports.flow_to(transport, host, 5060)
        with pytest.raises(LookupError, match="no IP address"):
            router.transports.flow_to("udp", "127.0.0.1:5060", 5060)
        for port in (0, 65_536, -1):
            with pytest.raises(LookupError, match=f"no port {port}"):
                router.transports.flow_to("udp", "127.0.0.1", port)


async def test_each_family_and_address_is_served_by_its_own_listener() -> None:
    listeners = (
        Listener("udp", "127.0.0.2", 0),
        Listener("udp", "127.0.0.1", 0),
        Listener("udp", "::1", 0),
    )
    async with running(*listeners) as router:
        for host, ours in (("127.0.0.1", "127.0.0.1"), ("::1", "::1")):
            assert router.transports.flow_to("udp", host, 5060).local[0] == ours


async def test_flows_after_closing_fail_quietly() -> None:
    async with running() as router:
        udp = router.transports.flow_to("udp", "127.0.0.1", 5060)
        tcp = router.transports.flow_to("tcp", "127.0.0.1", free_port(socket.SOCK_STREAM))
        await router.transports.close()
        later = [router.transports.flow_to(transport, "localhost", 5060) for transport in ("udp", "tcp")]
        for flow in (udp, tcp, *later):
            flow.send(request(1))
        await router.transports.close()
        assert router.failed == []


# Names


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_name_is_a_flow_at_once_and_reaches_its_address(transport: str) -> None:
    async with running() as caller, running() as callee:
        flow = caller.transports.flow_to(transport, "localhost", callee.port(transport))
        flow.send(request(1))
        flow.send(request(2))
        assert flow.via == f"SIP/2.0/{transport.upper()} 127.0.0.1:{caller.port(transport)}"
        await until(lambda: len(callee.received) == 2)
        assert callee.messages == [request(1), request(2)]
        assert flow.source == ("127.0.0.1", callee.port(transport))


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_wildcard_listener_shows_a_name_not_yet_resolved_what_it_will_show_its_address(transport: str) -> None:
    async with running(Listener(transport, "0.0.0.0", 0, "sip.example.net:5080")) as router:
        by_name = router.transports.flow_to(transport, "localhost", 5060)
        by_address = router.transports.flow_to(transport, "127.0.0.1", 5060)
        assert by_name.via == by_address.via == f"SIP/2.0/{transport.upper()} sip.example.net:5080"


async def test_a_known_name_is_its_address_flow() -> None:
    async with running() as caller, udp_peer() as peer:
        port = peer.getsockname()[1]
        caller.transports.flow_to("udp", "localhost", port).send(request(1))
        assert await read(peer) == request(1)
        assert caller.transports.flow_to("udp", "LOCALHOST.", port) is caller.transports.flow_to(
            "udp", "127.0.0.1", port
        )


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_name_of_the_other_family_alone_is_served_by_it(transport: str, tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("::1 six.example\n")
    resolver = Resolver(lambda: 0.0, hosts=hosts)
    listeners = [Listener(transport, "127.0.0.1", 0), Listener(transport, "::1", 0)]
    async with running(*listeners, resolver=resolver) as caller, running(Listener(transport, "::1", 0)) as callee:
        caller.transports.flow_to(transport, "six.example", callee.port(transport)).send(request(1))
        await until(lambda: callee.received or caller.failed)
        assert callee.messages == [request(1)]


async def test_the_second_address_of_a_name_is_tried_when_the_first_refuses(tmp_path: Path) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("127.0.0.3 pair.example\n127.0.0.1 pair.example\n")
    async with running(resolver=Resolver(lambda: 0.0, hosts=hosts)) as caller, running() as callee:
        caller.transports.flow_to("tcp", "pair.example", callee.port("tcp")).send(request(1))
        await until(lambda: callee.received or caller.failed)
        assert callee.messages == [request(1)]


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_both_families_can_listen_on_all_addresses_of_one_port(transport: str) -> None:
    async with (
        running(Listener(transport, "0.0.0.0", 0)) as first,
        running(Listener(transport, "::", first.port(transport))) as second,
    ):
        assert second.port(transport) == first.port(transport)
