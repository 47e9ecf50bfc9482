"""Whom a session believes: nobody injects sound from a third address, nor turns ours away."""

from __future__ import annotations

import asyncio
from pathlib import Path

import numpy as np
import pytest

from router.media import wav
from router.media.client import Engine
from router.model.sound import FINISHED, FULL, MediaEvent, MediaTimedOut, Played
from router.ports import EngineError, OfferError
from tests.conftest import Eventually
from tests.media.conftest import Sounds, until
from tests.media.peer import Peer
from tests.media.test_playing import ignore
from tests.media.tone_code import SECONDS, heard, spoken


async def test_a_third_address_is_dropped_and_counted(engine: Engine, peer: Peer, tmp_path: Path) -> None:
    stranger = Peer(ssrc=peer.ssrc)
    session = await engine.answer(peer.sdp(), ignore)
    peer.heed(session.description)
    stranger.heed(session.description)
    peer.send(b"\xd5" * 160)
    await until(session, lambda counts: counts.received == 1)
    recording = asyncio.ensure_future(session.record(str(tmp_path / "a.wav"), max_seconds=0.3))
    await asyncio.gather(peer.say(spoken(111)), stranger.say(spoken(222)))
    recorded = await recording
    assert heard(wav.read(recorded.temporary)[0]) == [111]
    statistics = await session.statistics()
    assert statistics.foreign == round(SECONDS / 0.02)
    assert not stranger.packets, "nothing is sent to it either"
    session.close()
    stranger.close()


async def test_sound_goes_where_it_comes_from(
    engine: Engine, peer: Peer, sound: Sounds, eventually: Eventually
) -> None:
    """A phone behind NAT: its SDP names another port than its packets bear."""
    behind_nat = Peer()
    session = await engine.answer(peer.sdp(), ignore)
    behind_nat.heed(session.description)
    behind_nat.send(b"\xd5" * 160)
    await eventually(lambda: behind_nat.packets, "we answer to where it comes from")
    before = len(peer.packets)
    await session.play([sound(77)])
    session.close()
    assert heard(behind_nat.heard()) == [77]
    assert len(peer.packets) <= before + 1
    behind_nat.close()


@pytest.mark.parametrize("trusted", [True, False])
async def test_another_host_counts_only_where_it_is_trusted(
    engine: Engine, peer: Peer, eventually: Eventually, trusted: bool
) -> None:
    elsewhere = Peer(host="127.0.0.2")
    session = await engine.answer(peer.sdp(), ignore, trusted=["127.0.0.2"] if trusted else [])
    elsewhere.heed(session.description)
    elsewhere.send(b"\xd5" * 160)
    if trusted:
        await eventually(lambda: elsewhere.packets, "we answer to it")
    else:
        counts = await until(session, lambda counts: counts.foreign == 1)
        assert counts.received == 0
        assert not elsewhere.packets
    session.close()
    elsewhere.close()


async def test_what_is_no_rtp_wins_no_trust(engine: Engine, peer: Peer) -> None:
    scanner = Peer()
    session = await engine.answer(peer.sdp(), ignore)
    scanner.heed(session.description)
    scanner.rtp.sendto(b"hello, is anybody there?", scanner.target)
    scanner.send(b"\xd5" * 160, 77)  # a payload type that was not agreed on
    await until(session, lambda counts: counts.invalid == 2)
    assert not scanner.packets
    session.close()
    scanner.close()


async def test_a_new_offer_lets_another_address_send(
    engine: Engine, peer: Peer, sound: Sounds, eventually: Eventually
) -> None:
    moved = Peer()
    session = await engine.answer(peer.sdp(), ignore)
    peer.heed(session.description)
    moved.heed(session.description)
    peer.send(b"\xd5" * 160)
    await eventually(lambda: peer.packets, "the first address hears us")
    first = session.description
    answer = await session.renegotiate(moved.sdp(["PCMU"]))
    assert answer == session.description != first
    assert session.codec == "PCMU"
    moved.codec = "PCMU"
    version = [line.split()[2] for text in (first, answer) for line in text.decode().splitlines() if line[:2] == "o="]
    assert version == ["1", "2"], "RFC 3264 §8"
    await session.play([sound(88)])
    assert heard(moved.heard()) == [88]
    peer.send(b"\xd5" * 160)
    moved.send(b"\xff" * 160)
    session.close()
    moved.close()


async def test_on_hold_nothing_is_sent_and_afterwards_it_goes_on(
    engine: Engine, peer: Peer, sound: Sounds, eventually: Eventually
) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    await eventually(lambda: peer.packets, "it sends")
    answer = await session.renegotiate(peer.sdp(direction="inactive"))
    assert b"a=inactive\r\n" in answer
    assert await session.play([sound(5)]) == Played(FINISHED), "a prompt takes its time although nobody hears it"
    held = len(peer.packets)
    await session.renegotiate(peer.sdp())
    await session.play([sound(6)])
    session.close()
    assert heard(peer.heard())[-1:] == [6]
    resumed = next(packet for packet in peer.packets[held:] if packet.marker)
    before = peer.packets[peer.packets.index(resumed) - 1]
    assert (resumed.sequence - before.sequence) % 2**16 == 1
    assert (resumed.timestamp - before.timestamp) % 2**32 >= SECONDS * 8000, "the clock went on meanwhile"


async def test_a_refused_offer_changes_nothing(engine: Engine, peer: Peer, sound: Sounds) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    before = session.description
    with pytest.raises(OfferError, match="no common codec"):
        await session.renegotiate(peer.sdp().replace(b"AVP 8", b"AVP 18"))
    assert session.description == before
    await session.play([sound(4)])
    session.close()
    assert heard(peer.heard()) == [4]


async def test_an_invite_without_an_offer(engine: Engine, peer: Peer, sound: Sounds, tmp_path: Path) -> None:
    peer.codec = "PCMU"
    session = await engine.offer(ignore)
    assert b"RTP/AVP 8 0 9 101\r\n" in session.description
    assert session.codec == ""
    await session.accept(peer.sdp())
    assert session.codec == "PCMU"
    peer.heed(session.description)
    recording = asyncio.ensure_future(session.record(str(tmp_path / "a.wav"), max_seconds=0.5))
    await asyncio.gather(session.play([sound(31)]), peer.say(spoken(13)))
    assert heard(peer.heard()) == [31]
    assert heard(wav.read((await recording).temporary)[0]) == [13]
    session.close()


async def test_ipv6(engine: Engine, sound: Sounds, tmp_path: Path) -> None:
    peer = Peer(host="::1")
    session = await engine.answer(peer.sdp(), ignore)
    assert b"c=IN IP6 ::1\r\n" in session.description
    peer.heed(session.description)
    recording = asyncio.ensure_future(session.record(str(tmp_path / "a.wav"), max_seconds=0.3))
    await asyncio.gather(session.play([sound(64)]), peer.say(spoken(46)))
    assert heard(peer.heard()) == [64]
    recorded = await recording
    assert recorded.reason == FULL
    assert heard(wav.read(recorded.temporary)[0]) == [46]
    session.close()
    peer.close()


async def test_silence_of_the_line_is_told_once_and_again_after_it_spoke(
    engine: Engine, peer: Peer, eventually: Eventually
) -> None:
    events: list[MediaEvent] = []
    session = await engine.answer(peer.sdp(), events.append)
    peer.heed(session.description)
    await eventually(lambda: events, "it is told")
    assert isinstance(events[0], MediaTimedOut)
    assert events[0].seconds >= 1.0
    await peer.say(np.zeros(1600, np.int16))
    assert len(events) == 1
    await eventually(lambda: len(events) == 2, "it is told again")
    session.close()


async def test_on_hold_nobody_is_missed(engine: Engine, peer: Peer) -> None:
    events: list[MediaEvent] = []
    session = await engine.answer(peer.sdp(direction="recvonly"), events.append)
    await asyncio.sleep(1.5)
    assert events == []
    session.close()


async def test_reports_say_what_came_and_went(engine: Engine, peer: Peer, eventually: Eventually) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    peer.heed(session.description)
    await peer.say(np.zeros(3200, np.int16), mangle=lambda packets: packets[:5] + packets[7:])
    await eventually(lambda: peer.reports, "a report within five seconds", within=7)
    session.close()
    await eventually(lambda: peer.reports[-1][-8:-6] == b"\x81\xcb", "a goodbye at the end")
    report = peer.reports[-1]
    ssrc = peer.packets[0].ssrc
    assert report[:2] == b"\x81\xc8", "a sender report with one block"
    assert int.from_bytes(report[4:8]) == ssrc
    assert int.from_bytes(report[20:24]) == pytest.approx(len(peer.packets), abs=2)
    assert int.from_bytes(report[24:28]) == 160 * int.from_bytes(report[20:24])
    assert int.from_bytes(report[28:32]) == peer.ssrc
    assert int.from_bytes(report[33:36]) == 2, "packets lost"


async def test_ports_come_in_pairs_and_are_given_back() -> None:
    engine = Engine(["127.0.0.1"], first_port=16_001, last_port=16_006)
    await engine.start()
    peer = Peer()
    sessions = [await engine.answer(peer.sdp(), ignore) for _ in range(2)]
    ports = sorted(int(session.description.split(b"m=audio ")[1].split()[0]) for session in sessions)
    assert ports == [16_002, 16_004]
    with pytest.raises(EngineError, match="all RTP ports from 16001 to 16006 are in use"):
        await engine.answer(peer.sdp(), ignore)
    sessions[0].close()
    with pytest.raises(EngineError, match="in use"):
        await engine.answer(peer.sdp(), ignore)  # it rests, lest an earlier call be heard in a later one
    await engine.stop()
    peer.close()


async def test_engines_on_the_same_range_take_what_the_other_left(peer: Peer) -> None:
    """Two routers on one machine, or the tests that run at the same time."""
    engines = [Engine(["127.0.0.1"], first_port=16_010, last_port=16_017) for _ in range(2)]
    try:
        await asyncio.gather(*(engine.start() for engine in engines))
        sessions = [await engine.answer(peer.sdp(), ignore) for engine in engines * 2]
        ports = {int(session.description.split(b"m=audio ")[1].split()[0]) for session in sessions}
        assert ports == {16_010, 16_012, 16_014, 16_016}
        for engine in engines:
            with pytest.raises(EngineError, match="in use"):
                await engine.answer(peer.sdp(), ignore)
    finally:
        for engine in engines:
            await engine.stop()
