"""Two sessions hear each other, and a recording of both has one side per channel."""

from __future__ import annotations

import asyncio
import wave
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from router.media.client import Engine
from router.media.codecs import Samples
from router.model.sound import CLOSED, STOPPED, KeyPressed, MediaEvent, Recorded
from router.ports import MediaError
from tests.conftest import Eventually
from tests.media.conftest import Sounds
from tests.media.peer import EVENT_TYPE, Peer
from tests.media.test_playing import CODECS, ignore
from tests.media.tone_code import heard, spoken


@pytest_asyncio.fixture(loop_scope="module")
async def other() -> AsyncIterator[Peer]:
    made = Peer(ssrc=0x9999, sequence=100, timestamp=5000)
    yield made
    made.close()


def numbers(*said: int) -> Samples:
    return np.concatenate([spoken(number) for number in said])


def channels(recorded: Recorded) -> tuple[Samples, Samples, int]:
    with wave.open(recorded.temporary) as file:
        assert file.getnchannels() == 2
        sound = np.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
        return sound[:, 0].astype(np.int16), sound[:, 1].astype(np.int16), file.getframerate()


@pytest.mark.parametrize("left", CODECS)
@pytest.mark.parametrize("right", CODECS)
async def test_both_hear_each_other_whatever_their_codecs(
    engine: Engine, peer: Peer, other: Peer, left: str, right: str
) -> None:
    peer.codec, other.codec = left, right
    sessions = [await engine.answer(one.sdp(), ignore) for one in (peer, other)]
    for one, session in zip((peer, other), sessions, strict=True):
        one.heed(session.description)
    bridge = await engine.bridge(*sessions)
    # The first number may be distorted: G.722 needs a moment to follow another encoder than that of our silence.
    await asyncio.gather(peer.say(numbers(10, 11, 12)), other.say(numbers(20, 21, 22)))
    bridge.close()
    assert heard(other.heard())[-2:] == [11, 12]
    assert heard(peer.heard())[-2:] == [21, 22]
    for session in sessions:
        session.close()


async def test_a_relayed_stream_is_one_stream_of_ours(
    engine: Engine, peer: Peer, other: Peer, sound: Sounds, eventually: Eventually
) -> None:
    """Silence, a relayed stream with gaps, and a prompt afterwards have one source and one count."""
    sessions = [await engine.answer(one.sdp(), ignore) for one in (peer, other)]
    peer.heed(sessions[0].description)
    await eventually(lambda: other.packets, "silence first")
    bridge = await engine.bridge(*sessions)
    await peer.say(numbers(1, 2, 3), mangle=lambda packets: packets[:4] + packets[6:])
    await eventually(lambda: len([p for p in other.packets if p.payload != b"\xd5" * 160]) >= 8, "it is relayed")
    bridge.close()
    await sessions[1].play([sound(2)])
    assert len({packet.ssrc for packet in other.packets}) == 1
    assert other.packets[0].ssrc != peer.ssrc
    steps = [(after.sequence - before.sequence) % 2**16 for before, after in pairwise(other.packets)]
    assert set(steps) == {1, 3}, "nothing twice, and the two lost packets are missing here, too"
    assert steps.count(3) == 1
    timestamps = [packet.timestamp for packet in other.packets]
    assert all(0 <= (after - before) % 2**32 < 8000 for before, after in pairwise(timestamps[:-1]))
    for session in sessions:
        session.close()


async def test_keys_pass_under_the_other_sides_number_and_are_told(
    engine: Engine, peer: Peer, other: Peer, eventually: Eventually
) -> None:
    events: list[MediaEvent] = []
    left = await engine.answer(peer.sdp(), events.append)
    right = await engine.answer(other.sdp().replace(b"101", b"96"), ignore)
    peer.heed(left.description)
    await engine.bridge(left, right)
    peer.send(b"\xd5" * 160)
    peer.press(9)
    await eventually(lambda: len([p for p in other.packets if p.payload_type == 96]) == 8, "all packets pass")
    relayed = [packet for packet in other.packets if packet.payload_type == 96]
    assert {packet.payload[0] for packet in relayed} == {9}
    assert len({packet.timestamp for packet in relayed}) == 1
    assert not [packet for packet in other.packets if packet.payload_type == EVENT_TYPE]
    assert events == [KeyPressed("9")]
    left.close()
    right.close()


async def test_a_prompt_to_one_of_them_is_heard_instead_of_the_other(
    engine: Engine, peer: Peer, other: Peer, sound: Sounds
) -> None:
    sessions = [await engine.answer(one.sdp(), ignore) for one in (peer, other)]
    other.heed(sessions[1].description)
    await engine.bridge(*sessions)
    speaking = asyncio.ensure_future(other.say(np.concatenate([spoken(500)] * 8)))
    await asyncio.sleep(0.1)
    await sessions[0].play([sound(123), sound(124)])
    await speaking
    said = heard(peer.heard())
    assert [number for number in said if number != 500] == [123, 124]
    assert said[-1] == 500, "afterwards the other is heard again"
    for session in sessions:
        session.close()


@pytest.mark.parametrize(
    ("left", "right", "rate"), [("PCMA", "PCMU", 8000), ("G722", "G722", 16000), ("G722", "PCMA", 8000)]
)
async def test_both_sides_are_recorded_one_per_channel(
    engine: Engine, peer: Peer, other: Peer, tmp_path: Path, left: str, right: str, rate: int
) -> None:
    peer.codec, other.codec = left, right
    sessions = [await engine.answer(one.sdp(), ignore) for one in (peer, other)]
    for one, session in zip((peer, other), sessions, strict=True):
        one.heed(session.description)
    bridge = await engine.bridge(*sessions)
    recording = asyncio.ensure_future(bridge.record(str(tmp_path / "call.wav"), max_seconds=60))
    await asyncio.sleep(0.05)
    await peer.say(numbers(101))
    await other.say(numbers(202))
    peer.timestamp = (peer.timestamp + len(numbers(202))) % 2**32  # its clock goes on while it is silent
    await peer.say(numbers(103))
    bridge.stop()
    recorded = await recording
    assert (recorded.reason, recorded.lost) == (STOPPED, 0)
    mine, theirs, found = channels(recorded)
    assert found == rate
    # What was said one after the other is in the file one after the other.
    assert heard(mine, rate) == [101, 103]
    assert heard(theirs, rate) == [202]
    assert heard((mine.astype(np.int32) + theirs).astype(np.int16), rate) == [101, 202, 103]
    for session in sessions:
        session.close()


async def test_a_recording_ends_with_the_bridge(engine: Engine, peer: Peer, other: Peer, tmp_path: Path) -> None:
    for ending in ("bridge", "session"):
        sessions = [await engine.answer(one.sdp(), ignore) for one in (peer, other)]
        bridge = await engine.bridge(*sessions)
        recording = asyncio.ensure_future(bridge.record(str(tmp_path / "call.wav"), max_seconds=60))
        await asyncio.sleep(0.05)
        with pytest.raises(MediaError, match="recorded already"):
            await bridge.record(str(tmp_path / "again.wav"), max_seconds=60)
        if ending == "bridge":
            bridge.close()
        else:
            sessions[0].close()
        recorded = await recording
        assert recorded.reason == CLOSED
        await engine.discard(recorded)
        bridge.close()
        for session in sessions:
            session.close()


async def test_a_session_moves_from_one_bridge_to_another(engine: Engine, peer: Peer, other: Peer) -> None:
    third = Peer(ssrc=3)
    sessions = [await engine.answer(one.sdp(), ignore) for one in (peer, other, third)]
    peer.heed(sessions[0].description)
    first = await engine.bridge(sessions[0], sessions[1])
    await engine.bridge(sessions[0], sessions[2])
    first.close()  # which is over already, and takes nothing of the second with it
    await peer.say(numbers(7, 8))
    assert heard(third.heard()) == [7, 8]
    assert heard(other.heard()) == []
    with pytest.raises(MediaError, match="with itself"):
        await engine.bridge(sessions[0], sessions[0])
    for session in sessions:
        session.close()
    third.close()


async def test_a_new_codec_within_a_bridge(engine: Engine, peer: Peer, other: Peer) -> None:
    sessions = [await engine.answer(one.sdp(), ignore) for one in (peer, other)]
    peer.heed(sessions[0].description)
    await engine.bridge(*sessions)
    await peer.say(numbers(1))
    await sessions[1].renegotiate(other.sdp(["PCMU"]))
    before = len(other.packets)
    other.codec = "PCMU"
    await peer.say(numbers(2, 3))
    assert heard(other.heard()) == [2, 3]
    assert {packet.payload_type for packet in other.packets[before + 1 :]} == {0}
    for session in sessions:
        session.close()
