"""Names become addresses: hosts file first, then a real (small) name server on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import cast

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

from router.transport import resolver as resolver_module
from router.transport.resolver import FAILURE_TTL_SECONDS, HOSTS_TTL_SECONDS, ResolutionError, Resolver

from .peer import request, running, udp_peer, until


class NameServer(asyncio.DatagramProtocol):
    """Answers from `records` by (name, type), as "TTL text" lists; other names do not exist."""

    def __init__(self) -> None:
        self.records: dict[tuple[str, str], tuple[int, list[str]]] = {}
        self.asked: list[tuple[str, str]] = []
        self.port = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.DatagramTransport, transport)
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        query = dns.message.from_wire(data)
        question = query.question[0]
        name, kind = question.name.to_text(omit_final_dot=True), dns.rdatatype.to_text(question.rdtype)
        self.asked.append((name, kind))
        answer = dns.message.make_response(query)
        answer.flags |= 0x0080  # recursion available
        alias = self.records.get((name, "CNAME"))
        if alias is not None:
            answer.answer.append(dns.rrset.from_text(question.name, alias[0], "IN", "CNAME", *alias[1]))
            name = alias[1][0].rstrip(".")
        found = self.records.get((name, kind))
        if found is not None:
            answer.answer.append(dns.rrset.from_text(f"{name}.", found[0], "IN", kind, *found[1]))
        elif not any(known == name for known, _ in self.records):
            answer.set_rcode(dns.rcode.NXDOMAIN)
        self._transport.sendto(answer.to_wire(), addr)


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def name_server() -> AsyncIterator[NameServer]:
    loop = asyncio.get_running_loop()
    transport, server = await loop.create_datagram_endpoint(NameServer, local_addr=("127.0.0.1", 0))
    try:
        yield server
    finally:
        transport.close()


def asking(server: NameServer, hosts: Path, clock: Clock | None = None) -> Resolver:
    return Resolver(clock or Clock(), ["127.0.0.1"], server.port, hosts)


async def test_addresses_of_both_families_ipv4_first(tmp_path: Path) -> None:
    async with name_server() as server:
        server.records["trunk.example", "A"] = (60, ["192.0.2.1", "192.0.2.2"])
        server.records["trunk.example", "AAAA"] = (60, ["2001:db8:0::1"])
        found = await asking(server, tmp_path / "none").addresses("Trunk.Example.")
        assert sorted(found[:2]) == ["192.0.2.1", "192.0.2.2"]
        assert found[2:] == ("2001:db8::1",)


async def test_an_answer_is_kept_as_long_as_its_shortest_ttl(tmp_path: Path) -> None:
    clock = Clock()
    async with name_server() as server:
        server.records["trunk.example", "CNAME"] = (20, ["node.example."])
        server.records["node.example", "A"] = (60, ["192.0.2.1"])
        resolver = asking(server, tmp_path / "none", clock)
        assert resolver.cached("trunk.example") == ()
        await resolver.addresses("trunk.example")
        asked = len(server.asked)
        clock.now += 19.5
        assert resolver.cached("TRUNK.example") == await resolver.addresses("trunk.example") == ("192.0.2.1",)
        assert len(server.asked) == asked
        clock.now += 1
        server.records["node.example", "A"] = (60, ["192.0.2.9"])
        assert resolver.cached("trunk.example") == ()
        assert await resolver.addresses("trunk.example") == ("192.0.2.9",)


async def test_a_name_that_does_not_exist_is_not_asked_again_at_once(tmp_path: Path) -> None:
    clock = Clock()
    async with name_server() as server:
        resolver = asking(server, tmp_path / "none", clock)
        for _ in range(3):
            with pytest.raises(ResolutionError, match=r"cannot resolve nowhere\.example: .*does not exist"):
                await resolver.addresses("nowhere.example")
        assert sorted(server.asked) == [("nowhere.example", "A"), ("nowhere.example", "AAAA")]
        clock.now += FAILURE_TTL_SECONDS + 1
        server.records["nowhere.example", "A"] = (60, ["192.0.2.1"])
        assert await resolver.addresses("nowhere.example") == ("192.0.2.1",)


async def test_what_can_be_no_name_is_an_error_like_any_other(tmp_path: Path) -> None:
    async with name_server() as server:
        for name in ("a..b", "x" * 64 + ".example", "é\ud800.example", ""):
            with pytest.raises(ResolutionError):
                await asking(server, tmp_path / "none").addresses(name)


async def test_the_hosts_file_comes_first_and_is_read_anew(tmp_path: Path) -> None:
    clock = Clock()
    hosts = tmp_path / "hosts"
    hosts.write_text("# comment\n\n192.0.2.7  pbx.example PBX # ours\n2001:db8::7 pbx\nnonsense pbx\n1:2 pbx\n")
    async with name_server() as server:
        resolver = asking(server, hosts, clock)
        assert await resolver.addresses("pbx") == ("192.0.2.7", "2001:db8::7")
        hosts.write_text("192.0.2.8 pbx\n")
        clock.now += HOSTS_TTL_SECONDS + 1
        assert await resolver.addresses("pbx") == ("192.0.2.8",)
        assert server.asked == []


async def test_localhost_is_never_asked_of_a_name_server(tmp_path: Path) -> None:
    async with name_server() as server:
        assert await asking(server, tmp_path / "none").addresses("localhost") == ("127.0.0.1", "::1")
        assert server.asked == []


async def test_no_more_names_are_kept_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver_module, "MAX_CACHED_NAMES", 2)
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.1 one two three\n")
    async with name_server() as server:
        resolver = asking(server, hosts)
        for name in ("one", "two", "three"):
            await resolver.addresses(name)
        assert [bool(resolver.cached(name)) for name in ("one", "two", "three")] == [False, True, True]


async def test_datagrams_wait_for_the_name_and_the_next_flow_needs_no_waiting(tmp_path: Path) -> None:
    async with name_server() as server, udp_peer() as peer:
        server.records["trunk.example", "A"] = (60, ["127.0.0.1"])
        async with running(resolver=asking(server, tmp_path / "none")) as router:
            port = peer.getsockname()[1]
            first = router.transports.flow_to("udp", "trunk.example", port)
            assert router.transports.flow_to("udp", "trunk.example", port) is first
            first.send(request(1))
            first.send(request(2))
            arrived: list[bytes] = []

            def receive() -> None:
                arrived.append(peer.recv(65_535))

            asyncio.get_running_loop().add_reader(peer, receive)
            await until(lambda: len(arrived) == 2)
            asyncio.get_running_loop().remove_reader(peer)
            assert arrived == [request(1), request(2)]
            known = router.transports.flow_to("udp", "trunk.example", port)
            assert known is router.transports.flow_to("udp", "127.0.0.1", port)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_a_name_without_address_fails_once(transport: str, tmp_path: Path) -> None:
    async with name_server() as server, running(resolver=asking(server, tmp_path / "none")) as router:
        flow = router.transports.flow_to(transport, "nowhere.example", 5060)
        flow.send(request(1))
        await until(lambda: router.failed)
        assert router.failed == [(flow, b"")]
        flow.send(request(2))
        await until(lambda: len(router.failed) == 2)
        assert router.failed[1] == (flow, request(2))
