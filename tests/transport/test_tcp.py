"""TCP as a peer sees it: whole messages, one connection both ways, and no patience with who abuses it."""

from __future__ import annotations

import asyncio
import socket

import pytest

from router.model.peers import Listener
from router.transport.framing import MAX_HEAD_BYTES
from router.transport.tcp import TcpLimits

from .peer import free_port, read, request, running, tcp_peer, until, write

QUICK = TcpLimits(
    connect_seconds=0.5,
    partial_seconds=0.2,
    silent_seconds=0.2,
    idle_seconds=0.2,
    linger_seconds=0.2,
    sweep_seconds=0.02,
)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
async def test_an_answer_comes_back_on_the_same_connection(host: str) -> None:
    async with running(Listener("tcp", host, 0)) as router, tcp_peer(router.port("tcp"), host) as peer:
        router.answer = bytes.upper
        await write(peer, request(1, "a"))
        assert await read(peer) == request(1, "a").upper()
        ((_, flow),) = router.received
        shown = f"[::1]:{router.port('tcp')}" if ":" in host else f"127.0.0.1:{router.port('tcp')}"
        assert (flow.source, flow.reliable) == (peer.getsockname()[:2], True)
        assert (flow.via, flow.contact) == (f"SIP/2.0/TCP {shown}", f"{shown};transport=tcp")


async def test_a_message_is_handed_on_when_its_last_byte_has_come() -> None:
    async with running() as router, tcp_peer(router.port("tcp")) as peer:
        await write(peer, request(1) + request(2, "à bientôt")[:-1])
        await until(lambda: router.received)
        assert router.messages == [request(1)]
        await write(peer, request(2, "à bientôt")[-1:] + request(3))
        await until(lambda: len(router.received) == 3)
        assert router.messages == [request(1), request(2, "à bientôt"), request(3)]


async def test_a_ping_is_answered_with_a_pong() -> None:
    async with running() as router, tcp_peer(router.port("tcp")) as peer:
        await write(peer, b"\r\n\r\n")
        assert await read(peer) == b"\r\n"
        assert router.received == []


@pytest.mark.parametrize(
    "fault", [b"OPTIONS sip:a SIP/2.0\r\nCSeq: 1 OPTIONS\r\n\r\n", b"OPTIONS sip:a SIP/2.0\r\nl: 4\r\nl: 5\r\n\r\n"]
)
async def test_a_message_without_a_certain_end_is_answered_and_the_connection_closed(fault: bytes) -> None:
    async with running() as router, tcp_peer(router.port("tcp")) as peer:
        router.answer = lambda data: b"400 to " + data
        await write(peer, fault + b"x" * 100_000)
        answer = b""
        while received := await read(peer):
            answer += received
        assert answer == b"400 to " + fault
        peer.close()
        await until(lambda: router.failed)
        assert [data for _, data in router.failed] == [b""]
        assert router.messages == [fault]
        assert router.transports.connections["tcp", "closed", "bad_framing"] == 1


async def test_headers_without_end_are_cut_off_at_the_limit() -> None:
    async with running(limits=QUICK) as router, tcp_peer(router.port("tcp")) as peer:
        await write(peer, b"OPTIONS sip:a SIP/2.0\r\nX: " + b"x" * 2 * MAX_HEAD_BYTES)
        assert await read(peer) == b""
        await until(lambda: router.failed)  # though the peer never closes
        assert [len(data) for data in router.messages] == [MAX_HEAD_BYTES]


async def test_half_a_message_is_not_waited_for_even_if_it_trickles() -> None:
    async with running(limits=QUICK) as router, tcp_peer(router.port("tcp")) as peer:
        message = request(1, "x" * 10_000)
        sent = 0
        with pytest.raises((ConnectionError, BrokenPipeError)):
            async with asyncio.timeout(5.0):
                while True:
                    await write(peer, message[sent : sent + 1])
                    sent += 1
                    await asyncio.sleep(0.01)  # the peer's own slowness
        assert router.received == []
        assert router.transports.connections["tcp", "closed", "slow"] == 1
        assert router.transports.open_connections == 0


@pytest.mark.parametrize(("greeting", "reason"), [(b"", "silent"), (b"\r\n", "silent"), (request(1), "idle")])
async def test_a_peer_without_a_sign_of_life_is_closed(greeting: bytes, reason: str) -> None:
    async with running(limits=QUICK) as router, tcp_peer(router.port("tcp")) as peer:
        await write(peer, greeting)
        assert await read(peer) == b""
        await until(lambda: router.transports.connections["tcp", "closed", reason])
        assert [data for _, data in router.failed] == [b""]


async def test_a_peer_that_does_not_read_is_closed() -> None:
    limits = TcpLimits(unsent_bytes=50_000)
    async with running(limits=limits) as router, tcp_peer(router.port("tcp")) as peer:
        await write(peer, request(1))
        await until(lambda: router.received)
        _, flow = router.received[0]
        for _ in range(10_000):
            if router.failed:
                break
            flow.send(b"x" * 10_000)
            await asyncio.sleep(0)
        assert router.failed[0] == (flow, b"")
        assert router.transports.connections["tcp", "closed", "not_reading"] == 1


async def test_connections_from_one_address_and_in_all_are_limited() -> None:
    limits = TcpLimits(connections=3, connections_per_peer=2)
    async with running(limits=limits) as router:
        port = router.port("tcp")
        async with tcp_peer(port) as first, tcp_peer(port) as second, tcp_peer(port) as third:
            for peer in (first, second):
                await write(peer, request(1))
            await until(lambda: len(router.received) == 2)
            with pytest.raises(ConnectionError):
                await write(third, request(3))
                if not await read(third):
                    raise ConnectionResetError("closed in order: as good")
            assert router.transports.connections["tcp", "refused", "too_many_from_peer"] == 1
            assert router.failed == []
            first.close()
            await until(lambda: router.transports.open_connections == 1)
            async with tcp_peer(port) as fourth:
                await write(fourth, request(4))
                await until(lambda: len(router.received) == 3)


async def test_a_failing_receiver_does_not_cost_the_next_message() -> None:
    def answer(data: bytes) -> None:
        if data == request(1):
            raise RuntimeError("a fault of ours")

    faults: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context.get("exception")))
    async with running() as router, tcp_peer(router.port("tcp")) as peer:
        router.answer = answer
        await write(peer, request(1) + request(2))
        await until(lambda: router.messages == [request(1), request(2)])
        assert [str(fault) for fault in faults] == ["a fault of ours"]


# Connections that we open


async def test_what_is_sent_while_connecting_arrives_in_order_and_answers_come_back() -> None:
    async with running() as caller, running() as callee:
        callee.answer = bytes.upper
        flow = caller.transports.flow_to("tcp", "127.0.0.1", callee.port("tcp"))
        for number in range(10):
            flow.send(request(number))
        await until(lambda: len(caller.received) == 10)
        assert caller.received == [(request(number).upper(), flow) for number in range(10)]
        assert callee.messages == [request(number) for number in range(10)]
        assert caller.transports.flow_to("TCP", "127.0.0.1", callee.port("tcp")) is flow
        assert len({id(accepted) for _, accepted in callee.received}) == 1


async def test_a_connection_that_a_peer_opened_serves_requests_back_to_it() -> None:
    async with running() as router, tcp_peer(router.port("tcp")) as peer:
        await write(peer, request(1))
        await until(lambda: router.received)
        _, flow = router.received[0]
        assert router.transports.flow_to("tcp", *peer.getsockname()) is flow
        flow.send(request(2))
        assert await read(peer) == request(2)


async def test_a_refused_connection_is_reported_once_and_tried_anew_by_a_new_flow() -> None:
    port = free_port(socket.SOCK_STREAM)
    async with running() as caller:
        flow = caller.transports.flow_to("tcp", "127.0.0.1", port)
        flow.send(request(1))
        await until(lambda: caller.failed)
        assert caller.failed == [(flow, b"")]
        assert caller.transports.connections["tcp", "failed", "refused"] == 1
        async with running(Listener("tcp", "127.0.0.1", port)) as callee:
            again = caller.transports.flow_to("tcp", "127.0.0.1", port)
            again.send(request(2))
            await until(lambda: callee.received)
            assert callee.messages == [request(2)]
        assert again is not flow


async def test_a_connection_attempt_without_answer_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as deaf:
        fillers = []
        try:
            for _ in range(4):  # its queue is full: the kernel ignores further attempts
                filler = socket.socket()
                filler.setblocking(False)
                filler.connect_ex(deaf.getsockname())
                fillers.append(filler)
            async with running(limits=QUICK) as router:
                flow = router.transports.flow_to("tcp", *deaf.getsockname())
                flow.send(request(1))
                await until(lambda: router.failed)
                assert router.failed == [(flow, b"")]
                assert router.transports.connections["tcp", "failed", "timed_out"] == 1
        finally:
            for filler in fillers:
                filler.close()


async def test_a_closed_connection_is_reported_once_and_then_each_message_sent_on_it() -> None:
    async with running() as router, tcp_peer(router.port("tcp")) as peer:
        await write(peer, request(1))
        await until(lambda: router.received)
        _, flow = router.received[0]
        peer.close()
        await until(lambda: router.failed)
        flow.send(request(2))
        assert router.failed == [(flow, b"")]
        await until(lambda: len(router.failed) == 2)
        assert router.failed[1] == (flow, request(2))


async def test_a_lost_connection_is_opened_anew() -> None:
    async with running() as caller:
        async with running() as callee:
            port = callee.port("tcp")
            flow = caller.transports.flow_to("tcp", "127.0.0.1", port)
            flow.send(request(1))
            await until(lambda: callee.received)
        await until(lambda: caller.failed == [(flow, b"")])
        async with running(Listener("tcp", "127.0.0.1", port)) as callee:
            caller.transports.flow_to("tcp", "127.0.0.1", port).send(request(2))
            await until(lambda: callee.messages == [request(2)])


async def test_no_more_is_kept_for_a_connection_being_opened_than_the_limit() -> None:
    limits = TcpLimits(waiting_messages=2)
    async with running(limits=limits) as caller, running() as callee:
        flow = caller.transports.flow_to("tcp", "127.0.0.1", callee.port("tcp"))
        for number in range(3):
            flow.send(request(number))
        await until(lambda: caller.failed and len(callee.received) == 2)
        assert caller.failed == [(flow, request(2))]


async def test_closing_delivers_what_was_sent() -> None:
    async with running() as router, tcp_peer(router.port("tcp")) as peer:
        await write(peer, request(1))
        await until(lambda: router.received)
        _, flow = router.received[0]
        sent = b"x" * 500_000
        flow.send(sent)
        closing = asyncio.create_task(router.transports.close())
        arrived = b""
        while received := await read(peer):
            arrived += received
        await closing
        assert arrived == sent
        assert router.failed == []


async def test_closing_does_not_wait_for_a_peer_that_does_not_read() -> None:
    async with running(limits=QUICK) as router, tcp_peer(router.port("tcp")) as peer:
        await write(peer, request(1))
        await until(lambda: router.received)
        router.received[0][1].send(b"x" * 10_000_000)
        await router.transports.close()
        assert router.transports.open_connections == 0


async def test_a_peer_that_goes_on_sending_after_a_fault_still_reads_its_answer_in_peace() -> None:
    fault = b"OPTIONS sip:a SIP/2.0\r\n\r\n"
    async with running() as router, tcp_peer(router.port("tcp")) as peer:
        router.answer = lambda data: b"400"
        await write(peer, fault)
        assert await read(peer) == b"400"
        assert await read(peer) == b""
        for number in range(3):
            await write(peer, request(number))  # would meet a reset
        assert peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        assert router.messages == [fault]


async def test_a_burst_within_the_limit_waits_for_a_slow_reader() -> None:
    async with running(limits=TcpLimits(unsent_bytes=20_000_000)) as router, tcp_peer(router.port("tcp")) as peer:
        await write(peer, request(1))
        await until(lambda: router.received)
        router.received[0][1].send(b"x" * 15_000_000)  # more than the kernel takes
        arrived = 0
        while arrived < 15_000_000:
            arrived += len(await read(peer))
        assert router.failed == []


async def test_an_idle_peer_that_does_not_read_either_is_cut_off() -> None:
    limits = TcpLimits(idle_seconds=0.1, linger_seconds=0.1, sweep_seconds=0.02, unsent_bytes=20_000_000)
    async with running(limits=limits) as router, tcp_peer(router.port("tcp")) as peer:
        await write(peer, request(1))
        await until(lambda: router.received)
        router.received[0][1].send(b"x" * 15_000_000)
        await until(lambda: router.failed)
        assert router.transports.connections["tcp", "closed", "idle"] == 1


async def test_we_connect_from_the_address_that_we_listen_on() -> None:
    async with running(Listener("tcp", "127.0.0.2", 0)) as caller, running() as callee:
        caller.transports.flow_to("tcp", "127.0.0.1", callee.port("tcp")).send(request(1))
        await until(lambda: callee.received)
        ((_, flow),) = callee.received
        assert flow.source[0] == "127.0.0.2"


async def test_a_wildcard_listener_shows_the_address_that_the_peer_reached() -> None:
    async with running(Listener("tcp", "0.0.0.0", 0)) as router, tcp_peer(router.port("tcp"), "127.0.0.2") as peer:
        await write(peer, request(1))
        await until(lambda: router.received)
        ((_, flow),) = router.received
        assert flow.contact == f"127.0.0.2:{router.port('tcp')};transport=tcp"
        outgoing = router.transports.flow_to("tcp", "127.0.0.1", free_port(socket.SOCK_STREAM))
        assert outgoing.via == f"SIP/2.0/TCP 127.0.0.1:{router.port('tcp')}"
