"""The engine's process: its death, its end with the router, many sessions at once, and bytes that are no RTP."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.media import client, connection, wav
from router.media.client import Engine
from router.media.line import Line
from router.media.pacer import MAX_CATCH_UP, TICK_SECONDS, Pacer
from router.media.receiver import FORGET_TICKS, Receiver
from router.media.rtcp import Block, read, report
from router.media.rtp import TICK_UNITS, newer, parse
from router.media.track import Track
from router.model.sound import EngineDied, MediaEvent
from router.ports import EngineError
from tests.conftest import Eventually
from tests.media.conftest import Sounds, until
from tests.media.peer import Peer
from tests.media.test_playing import ignore
from tests.media.tone_code import SECONDS, heard, spoken


async def test_a_killed_engine_is_noticed_and_started_again(
    own_engine: Engine, peer: Peer, sound: Sounds, tmp_path: Path, eventually: Eventually
) -> None:
    events: list[MediaEvent] = []
    session = await own_engine.answer(peer.sdp(), events.append)
    peer.heed(session.description)
    playing = asyncio.ensure_future(session.play([sound(1)], loop=True))
    recording = asyncio.ensure_future(session.record(str(tmp_path / "message.wav"), max_seconds=60))
    waiting = asyncio.ensure_future(session.key(30.0))
    await peer.say(np.concatenate([spoken(1)] * 3))
    await eventually(lambda: list(tmp_path.glob(".message.wav.*.part")), "it is being recorded")
    killed = own_engine.process_id
    os.kill(killed, signal.SIGKILL)
    for awaited in (playing, recording):
        with pytest.raises(EngineError, match="died"):
            await awaited
    assert await waiting == ""
    assert events == [EngineDied()]
    assert os.listdir(tmp_path) == ["1-8000.wav"], "no half message, under no name"
    session.close()
    with pytest.raises(EngineError):
        await session.statistics()

    await eventually(lambda: own_engine.process_id not in (0, killed), "it is started again")
    await eventually(lambda: own_engine.ready, "it serves")
    again = await own_engine.answer(peer.sdp(), ignore)
    peer.packets.clear()
    await again.play([sound(2)])
    assert heard(peer.heard()) == [2]
    again.close()
    with pytest.raises(ProcessLookupError):
        os.kill(killed, 0)  # no zombie stays


async def test_a_router_behind_nat_names_its_public_address(peer: Peer) -> None:
    engine = Engine(["127.0.0.1"], advertised={"127.0.0.1": "192.0.2.7"})
    await engine.start()
    session = await engine.answer(peer.sdp(), ignore)
    assert b"c=IN IP4 192.0.2.7\r\n" in session.description
    waiting = asyncio.ensure_future(session.key(30.0))
    await asyncio.sleep(0)
    await engine.stop()
    assert await waiting == "", "nobody waits for an engine that was stopped"


async def test_while_there_is_none_everything_is_refused(peer: Peer) -> None:
    engine = Engine(["127.0.0.1"])
    with pytest.raises(EngineError, match="not running"):
        await engine.answer(peer.sdp(), ignore)


async def test_an_engine_that_hangs_is_replaced(
    own_engine: Engine, peer: Peer, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(connection, "HANGING_SECONDS", 0.5)
    monkeypatch.setattr(connection, "PING_SECONDS", 0.1)
    events: list[MediaEvent] = []
    await own_engine.answer(peer.sdp(), events.append)
    hung = own_engine.process_id
    os.kill(hung, signal.SIGSTOP)
    await eventually(lambda: events == [EngineDied()], "its sessions are given up")
    await eventually(lambda: own_engine.ready and own_engine.process_id != hung, "another one serves")


async def test_an_engine_that_dies_again_and_again_is_started_ever_more_slowly(
    peer: Peer, monkeypatch: pytest.MonkeyPatch, eventually: Eventually
) -> None:
    monkeypatch.setattr(client, "BACK_OFF", (0.0, 0.01, 0.02))
    delays: list[float] = []

    def told(times: int) -> bool:
        return len(delays) == times

    engine = Engine(["127.0.0.1"], died=delays.append)
    await engine.start()
    for number in range(1, 5):
        await eventually(lambda: engine.ready, "it serves")
        os.kill(engine.process_id, signal.SIGKILL)
        await eventually(partial(told, number), "its death is told")
    assert delays == [0.0, 0.01, 0.02, 0.02]
    await engine.stop()


def test_the_engine_ends_with_a_killed_router(tmp_path: Path) -> None:
    program = (
        "import asyncio, uvloop\n"
        "from router.media.client import Engine\n"
        "async def main():\n"
        "    engine = Engine(['127.0.0.1'])\n"
        "    await engine.start()\n"
        "    print(engine.process_id, flush=True)\n"
        "    await asyncio.sleep(60)\n"
        "uvloop.run(main())\n"
    )
    router = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert router.stdout is not None
    engine = int(router.stdout.readline())
    descriptor = os.pidfd_open(engine)
    router.kill()
    router.wait()
    router.stdout.close()
    try:
        assert _ended(descriptor), "the engine went on without a router"
    finally:
        os.close(descriptor)


def _ended(descriptor: int) -> bool:
    return bool(select.select([descriptor], [], [], 10)[0])


async def test_signals_for_the_whole_group_leave_the_engine_to_the_router(engine: Engine, peer: Peer) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(engine.process_id, number)
    session = await engine.answer(peer.sdp(), ignore)
    assert (await session.statistics()).received == 0
    session.close()


@pytest.mark.timeout(120)
async def test_two_hundred_recordings_at_once_lose_nothing(
    engine: Engine, tmp_path: Path, eventually: Eventually
) -> None:
    """Each of two hundred callers leaves a message of its own."""
    peers = [Peer() for _ in range(200)]
    sessions = [await engine.answer(peer.sdp(), ignore) for peer in peers]
    for peer, session in zip(peers, sessions, strict=True):
        peer.heed(session.description)
    recordings = [
        asyncio.ensure_future(session.record(str(tmp_path / f"{number}.wav"), max_seconds=60))
        for number, session in enumerate(sessions)
    ]
    await eventually(lambda: len(os.listdir(tmp_path)) == len(peers), "all are being recorded")
    await asyncio.gather(
        *(peer.say(np.concatenate([spoken(number), spoken(999 - number)] * 3)) for number, peer in enumerate(peers))
    )
    for session in sessions:
        await until(session, lambda counts: counts.received == round(6 * SECONDS / 0.02))
        session.stop()
    for number, recorded in enumerate(await asyncio.gather(*recordings)):
        assert recorded.lost == 0
        await engine.keep(recorded)
        samples, rate = wav.read(str(tmp_path / f"{number}.wav"))
        assert heard(samples, rate) == [number, 999 - number] * 3
    for peer, session in zip(peers, sessions, strict=True):
        session.close()
        peer.close()


# ------------------------------------------------------------------------------------------------------ bytes


@given(st.binary(max_size=80))
def test_any_bytes_are_a_packet_or_none(data: bytes) -> None:
    packet = parse(data)
    assert packet is None or 0 < len(packet.payload) <= len(data) - 12


def test_a_packet_with_everything_in_it() -> None:
    header = bytes([0xB2, 0x88, 0, 7, 0, 0, 0, 9, 0, 0, 0, 5])
    sources, extension = bytes(8), bytes([1, 2, 0, 1, 9, 9, 9, 9])
    packet = parse(header + sources + extension + b"sound" + b"\0\0\3")
    assert packet == (True, 8, 7, 9, 5, b"sound")
    assert parse(header + sources + extension) is None
    assert parse(header + sources + extension[:2]) is None
    assert parse(bytes([0xA0]) + header[1:] + b"sound\xff") is None, "more padding than there is"
    assert parse(bytes([0x40]) + header[1:] + b"sound") is None, "version 1"


def test_counters_that_wrap() -> None:
    assert newer(2, 65_535, 16) == 3
    assert newer(65_535, 2, 16) == -3
    assert newer(2**31, 0, 32) == -(2**31)


@given(st.binary(max_size=200))
def test_any_bytes_are_a_report_or_none(data: bytes) -> None:
    read(data, 7)


def test_a_report_comes_back_as_it_was() -> None:
    block = Block(7, 64, 3, 70_000, 20, 0x1234_5678, 6553)
    data = report(5, b"name", block, (1_700_000_000.5, 160, 10, 1600), goodbye=True)
    assert len(data) % 4 == 0
    found = read(data, 7)
    assert found is not None
    assert (found.their_loss, found.goodbye) == (64, True)
    assert found.last_report == ((1_700_000_000 + 2_208_988_800) & 0xFFFF) << 16 | 0x8000
    empty = read(report(5, b"name", None, None), 7)
    assert empty is not None
    assert (empty.last_report, empty.their_loss, empty.goodbye) == (None, None, False)


_DATAGRAMS = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.builds(
            lambda first, second, sequence, timestamp, ssrc, payload: (
                bytes([first, second]) + sequence.to_bytes(2) + timestamp.to_bytes(4) + ssrc.to_bytes(4) + payload
            ),
            st.sampled_from([0x80, 0x80, 0x80, 0x90, 0xA0, 0x81]),
            st.sampled_from([8, 0x88, 0, 101, 13, 72, 255]),
            st.integers(0, 2**16 - 1),
            st.integers(0, 2**32 - 1),
            st.sampled_from([1, 2]),
            st.binary(max_size=200),
        ),
    ),
    max_size=40,
)


@given(_DATAGRAMS)
def test_any_datagrams_are_taken_or_counted(datagrams: list[bytes]) -> None:
    line = _line()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        receiver = Receiver(line, lambda key: None)
        receiver.use({8: "PCMA", 0: "PCMU"}, 101, frozenset({"127.0.0.1"}))
        track = Track("PCMA", 8000, 0)
        receiver.listener = track
        line.aim(peer.getsockname())
        for tick, data in enumerate(datagrams):
            peer.sendto(data, line.direct.getsockname())
            receiver.read(tick * TICK_UNITS)
        assert receiver.packets + receiver.invalid == len(datagrams)
        assert receiver.lost >= 0
        end = len(datagrams) * 160 + 3 * 8000
        assert len(track.take(end)) == end
    line.close()


def _line() -> Line:
    for port in range(32_768, 60_000, 2):
        try:
            return Line("127.0.0.1", port)
        except OSError:
            continue
    raise AssertionError("no free port")


def test_nobody_else_gets_the_port_of_a_session() -> None:
    line = _line()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as thief:
        thief.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with pytest.raises(OSError, match="in use"):
            thief.bind(("127.0.0.1", line.port))
    line.close()


def test_a_source_that_is_silent_for_five_seconds_may_be_replaced() -> None:
    line = _line()
    address = line.direct.getsockname()
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as first,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as second,
    ):
        for peer in (first, second):
            peer.bind(("127.0.0.1", 0))
        receiver = Receiver(line, lambda key: None)
        receiver.use({8: "PCMA"}, None, frozenset({"127.0.0.1"}))
        line.aim(first.getsockname())
        data = bytes([0x80, 8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1]) + b"\xd5" * 160
        first.sendto(data, address)
        receiver.read(1000 * TICK_UNITS)
        second.sendto(data, address)
        receiver.read_strange((1000 + FORGET_TICKS - 1) * TICK_UNITS)
        assert (receiver.packets, receiver.foreign) == (1, 1)
        second.sendto(data, address)
        receiver.read_strange((1000 + FORGET_TICKS) * TICK_UNITS)
        assert (receiver.packets, receiver.foreign) == (2, 1)
        assert line.direct.getpeername() == second.getsockname(), "what we send goes there now"
        first.sendto(data, address)
        receiver.read_strange((1000 + FORGET_TICKS + 1) * TICK_UNITS)
        assert (receiver.packets, receiver.foreign) == (2, 2)
    line.close()


async def test_the_pacer_is_never_early_never_drifts_and_leaves_out_what_is_too_late(eventually: Eventually) -> None:
    beats: list[tuple[int, float]] = []
    skipped: list[int] = []
    pacer = Pacer(lambda tick: beats.append((tick, time.monotonic())), skipped.append)
    began = time.monotonic()
    pacer.start()
    await eventually(lambda: len(beats) > 5, "it beats")
    assert skipped == [] or max(skipped) > MAX_CATCH_UP
    time.sleep(0.3)  # noqa: ASYNC251  # the process is held up
    held = time.monotonic()
    await eventually(lambda: beats[-1][1] > held + 0.05, "it goes on")
    pacer.stop()
    assert sum(skipped) > MAX_CATCH_UP
    ticks = [tick for tick, _ in beats]
    assert ticks == sorted(set(ticks))
    for tick, now in beats:
        assert now - began >= (tick - 1) * TICK_SECONDS - 0.002, "early"
    tick, now = next(beat for beat in beats if beat[1] > held)
    assert tick >= (now - began) / TICK_SECONDS - MAX_CATCH_UP - 1, "what is too late is left out"


def test_jitter_is_what_the_standard_says() -> None:
    """RFC 3550 §6.4.1: J += (|D| - J) / 16."""
    line = _line()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        receiver = Receiver(line, lambda key: None)
        receiver.use({8: "PCMA"}, None, frozenset({"127.0.0.1"}))
        line.aim(peer.getsockname())
        expected = 0.0
        for number in range(40):
            header = bytes([0x80, 8]) + number.to_bytes(2) + (160 * number).to_bytes(4) + bytes([0, 0, 0, 1])
            peer.sendto(header + b"\xd5" * 160, line.direct.getsockname())
            receiver.read(1600 + 160 * number + number % 2 * 80)  # every other packet comes 10 ms late
            if number:
                expected += (80 - expected) / 16
        assert receiver.jitter == pytest.approx(expected)
    line.close()


async def test_an_engine_that_is_killed_while_twenty_record_takes_no_confirmed_message_with_it(
    own_engine: Engine, tmp_path: Path, eventually: Eventually
) -> None:
    """Ten have ended and are kept, twenty go on: of those nothing is left, under any name."""
    peers = [Peer() for _ in range(30)]
    sessions = [await own_engine.answer(peer.sdp(), ignore) for peer in peers]
    for peer, session in zip(peers, sessions, strict=True):
        peer.heed(session.description)
    recordings = [
        asyncio.ensure_future(session.record(str(tmp_path / f"{number}.wav"), max_seconds=60))
        for number, session in enumerate(sessions)
    ]
    await eventually(lambda: len(os.listdir(tmp_path)) == len(peers), "all are being recorded")
    await asyncio.gather(*(peer.say(np.concatenate([spoken(n), spoken(n)])) for n, peer in enumerate(peers)))
    for session in sessions[:10]:
        await until(session, lambda counts: counts.received == round(2 * SECONDS / 0.02))
        session.stop()
    for recorded in await asyncio.gather(*recordings[:10]):
        await own_engine.keep(recorded)
    os.kill(own_engine.process_id, signal.SIGKILL)
    for ended in await asyncio.gather(*recordings[10:], return_exceptions=True):
        assert isinstance(ended, EngineError)
    assert sorted(os.listdir(tmp_path)) == sorted(f"{number}.wav" for number in range(10))
    for number in range(10):
        samples, rate = wav.read(str(tmp_path / f"{number}.wav"))
        assert heard(samples, rate) == [number, number]
    for peer in peers:
        peer.close()
