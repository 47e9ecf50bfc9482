"""UDP as a peer sees it: every datagram in its order, answers from the listening port, errors told."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from itertools import pairwise

import pytest

from router.model.peers import Listener
from router.model.tally import Counts
from router.ports import Flow
from router.transport import udp
from router.transport.udp import MAX_DATAGRAMS_PER_WAKE, UdpListener

from .peer import free_port, read, request, running, udp_peer, until


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_answer_comes_back_from_the_port_that_was_asked(host: str) -> None:
    async with running(Listener("udp", host, 0)) as router, udp_peer(host) as peer:
        router.answer = bytes.upper
        peer.connect((host, router.port("udp")))  # the kernel drops what comes from elsewhere
        peer.send(request(1))
        assert await read(peer) == request(1).upper()
        ((data, flow),) = router.received
        assert data == request(1)
        assert flow.source == peer.getsockname()[:2]
        assert flow.local == (host, router.port("udp"))


@pytest.mark.parametrize(
    ("host", "advertised", "shown"),
    [
        ("127.0.0.1", "", "127.0.0.1:{port}"),
        ("::1", "", "[::1]:{port}"),
        ("0.0.0.0", "", "127.0.0.1:{port}"),
        ("::", "", "[::1]:{port}"),
        ("0.0.0.0", "sip.example.net", "sip.example.net:{port}"),
        ("0.0.0.0", "203.0.113.7:5090", "203.0.113.7:5090"),
        ("::", "2001:db8::7", "[2001:db8::7]:{port}"),
        ("::", "[2001:db8::7]", "[2001:db8::7]:{port}"),
        ("::", "[2001:db8::7]:5090", "[2001:db8::7]:5090"),
    ],
)
async def test_via_and_contact_show_an_address_where_the_peer_reaches_us(
    host: str, advertised: str, shown: str
) -> None:
    async with running(Listener("udp", host, 0, advertised)) as router:
        flow = router.transports.flow_to("udp", "::1" if ":" in host else "127.0.0.1", 5060)
        shown = shown.format(port=router.port("udp"))
        assert flow.via == f"SIP/2.0/UDP {shown}"
        assert flow.contact == shown


async def test_one_peer_is_one_flow_however_it_is_spelled() -> None:
    async with running(Listener("udp", "::1", 0)) as router, udp_peer("::1") as peer:
        peer.sendto(request(1), ("::1", router.port("udp")))
        peer.sendto(request(2), ("::1", router.port("udp")))
        await until(lambda: len(router.received) == 2)
        flow = router.transports.flow_to("udp", "0:0:0:0:0:0:0:1", peer.getsockname()[1])
        assert [seen for _, seen in router.received] == [flow, flow]


async def test_a_burst_is_taken_whole_and_in_order_without_holding_up_the_loop() -> None:
    async with running() as router, udp_peer() as peer:
        passes: list[int] = []

        def look() -> None:  # once per pass of the loop, as a timer would be served
            passes.append(len(router.received))
            asyncio.get_running_loop().call_soon(look)

        for number in range(1_000):
            peer.sendto(request(number), ("127.0.0.1", router.port("udp")))
        look()
        await until(lambda: len(router.received) == 1_000)
        assert router.messages == [request(number) for number in range(1_000)]
        taken = [after - before for before, after in pairwise(passes)]
        assert max(taken) <= MAX_DATAGRAMS_PER_WAKE
        assert router.transports.messages["udp", "received"] == 1_000


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_a_closed_port_is_reported_with_the_datagram_and_nothing_else_is_lost(host: str) -> None:
    async with running(Listener("udp", host, 0)) as router, udp_peer(host) as peer:
        dead = router.transports.flow_to("udp", host, free_port(socket.SOCK_DGRAM, host))
        alive = router.transports.flow_to("udp", host, peer.getsockname()[1])
        dead.send(request(1, "to nobody"))
        alive.send(request(2))  # meets the pending error of the first
        peer.sendto(request(3), (host, router.port("udp")))
        await until(lambda: router.failed and router.received)
        assert router.failed == [(dead, request(1, "to nobody"))]
        assert await read(peer) == request(2)
        assert router.messages == [request(3)]
        assert router.transports.messages["udp", "undeliverable"] == 1


async def test_errors_neither_stop_the_reader_nor_spin_it() -> None:
    async with running() as router, udp_peer() as peer:
        dead = router.transports.flow_to("udp", "127.0.0.1", free_port(socket.SOCK_DGRAM))
        for number in range(20):
            dead.send(request(number))
            await until(lambda count=number: len(router.failed) == count + 1)  # type: ignore[misc]
        assert [data for _, data in router.failed] == [request(number) for number in range(20)]
        peer.sendto(request(99), ("127.0.0.1", router.port("udp")))
        await until(lambda: router.messages == [request(99)])
        (listener,) = router.transports._udp
        assert not listener._ready.poll(0)  # nothing pending: the loop sleeps


async def test_a_datagram_that_cannot_be_sent_is_reported_after_the_sender_is_done() -> None:
    async with running() as router:
        flow = router.transports.flow_to("udp", "127.0.0.1", 5060)
        flow.send(b"x" * 65_530)
        assert router.failed == []
        await until(lambda: router.failed)
        assert router.failed == [(flow, b"x" * udp.UNDELIVERED_BYTES)]
        assert router.transports.messages["udp", "oversize"] == 1


async def test_a_destination_without_a_route_is_reported() -> None:
    async with running() as router:
        flow = router.transports.flow_to("udp", "203.0.113.1", 5060)  # not from a loopback address
        flow.send(request(1))
        await until(lambda: router.failed)
        assert router.failed == [(flow, request(1))]


async def test_keep_alives_and_stun_are_counted_and_not_handed_on() -> None:
    stun_binding_request = struct.pack("!HHI12s", 1, 0, 0x2112A442, b"transaction!")
    async with running() as router, udp_peer() as peer:
        for data in (b"", b"\r\n\r\n", b"\r\n", b"\0\0\0\0", stun_binding_request, b"\r\n" + request(1), request(2)):
            peer.sendto(data, ("127.0.0.1", router.port("udp")))
        await until(lambda: len(router.received) == 2)
        assert router.messages == [request(1), request(2)]
        assert router.transports.messages["udp", "keep_alive"] == 4
        assert router.transports.messages["udp", "stun"] == 1


async def test_a_receiver_that_fails_does_not_stop_the_next_datagram() -> None:
    def answer(data: bytes) -> None:
        if data == request(1):
            raise BlockingIOError("not the socket's")

    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context.get("exception")))
    async with running() as router, udp_peer() as peer:
        router.answer = answer
        peer.sendto(request(1), ("127.0.0.1", router.port("udp")))
        peer.sendto(request(2), ("127.0.0.1", router.port("udp")))
        await until(lambda: router.messages == [request(1), request(2)])
        assert [str(fault) for fault in faults] == ["not the socket's"]


async def test_an_address_scan_does_not_make_us_hold_more_flows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "MAX_FLOWS_PER_GENERATION", 100)
    async with running() as router, udp_peer() as peer:
        friend = router.transports.flow_to("udp", "127.0.0.1", peer.getsockname()[1])
        for number in range(1_000):
            router.transports.flow_to("udp", f"127.1.{number // 250}.{number % 250 + 1}", 5060)
            if number % 50 == 0:
                peer.sendto(request(number), ("127.0.0.1", router.port("udp")))
                await until(lambda count=number // 50 + 1: len(router.received) == count)  # type: ignore[misc]
        (listener,) = router.transports._udp
        assert len(listener._young) + len(listener._old) <= 200
        assert {flow for _, flow in router.received} == {friend}  # heard from again and again: still the same object


class _Congested(socket.socket):
    """A socket whose send buffer is full as long as `full` says so: loopback never fills a real one."""

    full = False

    def sendto(self, data: bytes, address: tuple[str, int]) -> int:  # type: ignore[override]
        if self.full:
            raise BlockingIOError(11, "Resource temporarily unavailable")
        return super().sendto(data, address)


async def test_a_full_send_buffer_delays_and_keeps_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(udp, "MAX_BACKLOG_DATAGRAMS", 3)
    ignored: Callable[[bytes, Flow], None] = lambda data, flow: None  # noqa: E731
    counts = Counts()
    async with udp_peer() as peer:
        congested = _Congested(socket.AF_INET, socket.SOCK_DGRAM)
        congested.bind(("127.0.0.1", 0))
        congested.setblocking(False)
        listener = UdpListener(
            Listener("udp", *congested.getsockname()), congested, ignored, lambda flow, data: None, counts
        )
        listener.open(asyncio.get_running_loop())
        try:
            flow = listener.flow_to(peer.getsockname())
            flow.send(request(0))
            congested.full = True
            for number in range(1, 5):
                flow.send(request(number))
            congested.full = False
            flow.send(request(5))  # waits its turn, and finds no room either
            assert [await read(peer) for _ in range(4)] == [request(number) for number in range(4)]
            await until(lambda: not listener.backlog)
            flow.send(request(6))
            assert await read(peer) == request(6)
        finally:
            listener.close()
        assert counts["udp", "sent"] == 5
        assert counts["udp", "dropped"] == 2
