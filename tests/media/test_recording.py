"""What a peer says is what is in the file, whatever happens on its way."""

from __future__ import annotations

import asyncio
import os
import random
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from router.media import wav
from router.media.client import Engine, sweep
from router.media.levels import level
from router.model.sound import CLOSED, FULL, KEY, SILENCE, STOPPED
from router.ports import DiskFullError, MediaError
from tests.conftest import Eventually
from tests.media.peer import Peer
from tests.media.test_playing import CODECS, ignore
from tests.media.tone_code import LEVEL, SECONDS, heard, spoken

Mangle = Callable[[list[bytes]], list[bytes]]
SPEECH = np.concatenate([spoken(number) for number in (314, 159, 265)])


def doubled(packets: list[bytes]) -> list[bytes]:
    return [packet for packet in packets for _ in range(2)]


def reordered(packets: list[bytes]) -> list[bytes]:
    return [packet for start in range(0, len(packets), 4) for packet in reversed(packets[start : start + 4])]


def absurd(packets: list[bytes]) -> list[bytes]:
    rng = random.Random(7)
    junk = [rng.randbytes(rng.choice([0, 1, 11, 12, 13, 40, 172, 1400])) for _ in packets]
    return [one for pair in zip(packets, junk, strict=True) for one in pair]


@pytest.mark.parametrize("codec", CODECS)
async def test_what_was_said_is_in_the_file(engine: Engine, peer: Peer, tmp_path: Path, codec: str) -> None:
    peer.codec = codec
    path = tmp_path / "message.wav"
    session = await engine.answer(peer.sdp(), ignore)
    peer.heed(session.description)
    recording = asyncio.ensure_future(session.record(str(path), max_seconds=10, stop_keys="#*"))
    rate = 16000 if codec == "G722" else 8000
    speech = np.concatenate([spoken(number, rate) for number in (314, 159, 265)])
    await peer.say(speech, rate=rate)
    peer.press(11)
    recorded = await recording
    assert (recorded.reason, recorded.key, recorded.lost) == (KEY, "#", 0)
    assert recorded.seconds == pytest.approx(len(speech) / rate, abs=0.1)
    assert recorded.level == pytest.approx(LEVEL - 1.0, abs=1.0), "a fifth of it are pauses"
    assert not path.exists(), "it has no name before somebody keeps it"
    await engine.keep(recorded)
    samples, found = wav.read(str(path))
    assert found == rate
    assert heard(samples, rate) == [314, 159, 265]
    assert os.listdir(tmp_path) == ["message.wav"]
    session.close()


@pytest.mark.parametrize("mangle", [doubled, reordered, absurd])
@pytest.mark.parametrize("milliseconds", [10, 20, 30, 60])
async def test_packets_of_all_kinds(
    engine: Engine, peer: Peer, tmp_path: Path, mangle: Mangle, milliseconds: int
) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    peer.heed(session.description)
    recording = asyncio.ensure_future(session.record(str(tmp_path / "a.wav"), max_seconds=10))
    await peer.say(np.zeros(480, np.int16), milliseconds=milliseconds)
    whole = SPEECH[: len(SPEECH) // 480 * 480]
    await peer.say(whole, milliseconds=milliseconds, mangle=mangle, pace=0.5 if mangle in (doubled, absurd) else 1.0)
    await asyncio.sleep(0.1)
    session.stop()
    recorded = await recording
    assert recorded.reason == STOPPED
    samples, _ = wav.read(recorded.temporary)
    assert heard(samples) == [314, 159, 265]
    await engine.discard(recorded)
    await engine.discard(recorded)
    assert os.listdir(tmp_path) == []
    session.close()


async def test_of_lost_packets_there_is_silence_and_the_rest_keeps_its_place(
    engine: Engine, peer: Peer, tmp_path: Path
) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    peer.heed(session.description)
    recording = asyncio.ensure_future(session.record(str(tmp_path / "a.wav"), max_seconds=10))
    await asyncio.sleep(0.02)
    per_number = len(spoken(0)) // 160
    await peer.say(SPEECH, mangle=lambda packets: packets[:per_number] + packets[2 * per_number :])
    session.stop()
    recorded = await recording
    assert recorded.lost == per_number
    samples, _ = wav.read(recorded.temporary)
    assert heard(samples) == [314, 265]
    gap = samples[int(1.3 * per_number) * 160 : int(1.7 * per_number) * 160]
    assert np.abs(gap).max() <= 8
    session.close()


async def test_silence_ends_it(engine: Engine, peer: Peer, tmp_path: Path) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    peer.heed(session.description)
    recording = asyncio.ensure_future(session.record(str(tmp_path / "a.wav"), max_seconds=10, silence_seconds=0.6))
    await peer.say(np.concatenate([spoken(12), np.zeros(1600, np.int16)]))
    recorded = await recording
    assert recorded.reason == SILENCE
    assert SECONDS + 0.4 < recorded.seconds < SECONDS + 1.2
    assert recorded.spoken_seconds < SECONDS + 0.2
    session.close()


async def test_somebody_who_says_nothing_is_recorded_as_silence(engine: Engine, peer: Peer, tmp_path: Path) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    recorded = await session.record(str(tmp_path / "a.wav"), max_seconds=10, silence_seconds=0.4)
    assert recorded.reason == SILENCE
    assert recorded.spoken_seconds == 0.0
    assert recorded.level == -96.0
    session.close()


async def test_it_has_a_greatest_length(engine: Engine, peer: Peer, tmp_path: Path) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    peer.heed(session.description)
    recording = asyncio.ensure_future(session.record(str(tmp_path / "a.wav"), max_seconds=0.3))
    await peer.say(np.concatenate([SPEECH, SPEECH]))
    recorded = await recording
    assert (recorded.reason, recorded.seconds) == (FULL, 0.3)
    assert len(wav.read(recorded.temporary)[0]) == 2400
    session.close()


async def test_a_caller_who_hangs_up_leaves_a_message(engine: Engine, peer: Peer, tmp_path: Path) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    peer.heed(session.description)
    recording = asyncio.ensure_future(session.record(str(tmp_path / "a.wav"), max_seconds=10))
    await peer.say(SPEECH)
    session.close()
    recorded = await recording
    assert recorded.reason == CLOSED
    await engine.keep(recorded)
    assert heard(wav.read(str(tmp_path / "a.wav"))[0]) == [314, 159, 265]


async def test_a_cancelled_recording_leaves_nothing(
    engine: Engine, peer: Peer, tmp_path: Path, eventually: Eventually
) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    peer.heed(session.description)
    recording = asyncio.ensure_future(session.record(str(tmp_path / "a.wav"), max_seconds=10))
    await peer.say(spoken(1))
    await eventually(lambda: os.listdir(tmp_path), "it is being written")
    recording.cancel()
    with pytest.raises(asyncio.CancelledError):
        await recording
    await eventually(lambda: not os.listdir(tmp_path), "nothing is left")
    session.close()


async def test_a_full_disk_is_told_and_the_call_goes_on(own_engine: Engine, peer: Peer, tmp_path: Path) -> None:
    limit = resource.prlimit(own_engine.process_id, resource.RLIMIT_FSIZE, (4_000, resource.RLIM_INFINITY))
    session = await own_engine.answer(peer.sdp(), ignore)
    peer.heed(session.description)
    recording = asyncio.ensure_future(session.record(str(tmp_path / "a.wav"), max_seconds=10))
    speaking = asyncio.ensure_future(peer.say(np.concatenate([SPEECH] * 5)))
    with pytest.raises(DiskFullError, match=r"a\.wav.*cannot be recorded: File too large"):
        await recording
    assert os.listdir(tmp_path) == []
    resource.prlimit(own_engine.process_id, resource.RLIMIT_FSIZE, limit)
    recorded = await session.record(str(tmp_path / "a.wav"), max_seconds=0.3)
    assert recorded.reason == FULL
    await speaking
    session.close()


async def test_a_folder_that_is_not_there_is_told(engine: Engine, peer: Peer, tmp_path: Path) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    with pytest.raises(MediaError, match="cannot be recorded: No such file or directory"):
        await session.record(str(tmp_path / "missing" / "a.wav"), max_seconds=1)
    session.close()


async def test_only_one_recording_at_a_time(engine: Engine, peer: Peer, tmp_path: Path) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    first = asyncio.ensure_future(session.record(str(tmp_path / "a.wav"), max_seconds=1))
    await asyncio.sleep(0)
    with pytest.raises(MediaError, match="being recorded already"):
        await session.record(str(tmp_path / "b.wav"), max_seconds=1)
    session.stop()
    assert (await first).reason == STOPPED
    session.close()


@pytest.mark.parametrize("codec", CODECS)
def test_levels(codec: str) -> None:
    full = np.full(8000, 32767, np.int16)
    assert level(full) == pytest.approx(0.0, abs=0.01)
    sine = (np.sin(np.arange(8000) * 0.3) * 32767).astype(np.int16)
    assert level(sine) == pytest.approx(-3.01, abs=0.05)
    assert level(np.zeros(100, np.int16)) == level(np.zeros(0, np.int16)) == -96.0


def test_what_a_killed_router_left_is_swept(tmp_path: Path) -> None:
    for name, age in ((".a.wav.12345678.part", 10), (".b.wav.12345678.part", 1000), ("c.wav", 1000), (".d", 1000)):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (age, age))
    assert sweep(str(tmp_path), 500) == 1
    assert sorted(os.listdir(tmp_path)) == [".b.wav.12345678.part", ".d", "c.wav"]
