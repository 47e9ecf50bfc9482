"""Keys are heard once each, whatever is lost, doubled or late on their way."""

from __future__ import annotations

import asyncio
import random
import struct
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.media.client import Engine
from router.media.telephone_event import MAX_KEYS_PER_SECOND, KeyReader, packets
from router.media.tones import ToneReader, tone
from router.model.sound import FINISHED, KEYS, KeyPressed, MediaEvent, Played
from tests.conftest import Eventually
from tests.media.conftest import until
from tests.media.peer import Peer
from tests.media.tone_code import spoken


def events(keys: str, start: int = 2**32 - 1000) -> list[tuple[int, bytes]]:
    """Return timestamps and payloads of some keys."""
    now, sent = start, []
    for item in packets(keys):
        now += 160
        if item is not None:
            _, back, payload = item
            sent.append(((now - 160 * back) % 2**32, payload))
    return sent


def read(sent: list[tuple[int, bytes]]) -> str:
    reader = KeyReader()
    return "".join(reader.read(timestamp, payload) for timestamp, payload in sent)


def test_all_keys() -> None:
    assert read(events(KEYS)) == KEYS
    assert read(events("1111")) == "1111"


@settings(deadline=None)
@given(
    st.text(KEYS, min_size=1, max_size=8),
    st.randoms(use_true_random=False),
    st.floats(0, 0.8),
)
def test_lost_doubled_and_swapped(keys: str, rng: random.Random, loss: float) -> None:
    per_key = 8
    sent = events(keys)
    assert len(sent) == per_key * len(keys)
    mangled: list[tuple[float, tuple[int, bytes]]] = []
    for number in range(len(keys)):
        mine = [packet for packet in sent[number * per_key : (number + 1) * per_key] if rng.random() >= loss]
        for packet in mine or [sent[number * per_key + rng.randrange(per_key)]]:  # one of each comes
            for _ in range(rng.choice((1, 1, 2))):
                mangled.append((number + rng.random() * 0.99, packet))
    # Packets of one key come in any order.
    assert read([packet for _, packet in sorted(mangled)]) == keys


def test_the_end_of_an_earlier_key_that_comes_late_is_no_key() -> None:
    sent = events("12")
    late = sent.pop(7)
    assert read([*sent[:10], late, *sent[10:]]) == "12"


def test_a_long_key_counts_once() -> None:
    """RFC 4733 §2.5.1.3: held for more than eight seconds, it goes on in segments."""
    sent = [(0, struct.pack("!BBH", 5, 10, duration)) for duration in range(160, 0xFFFF, 160)]
    sent += [(0xFFFF, struct.pack("!BBH", 5, 10, duration)) for duration in range(160, 1600, 160)]
    sent += [(0xFFFF, struct.pack("!BBH", 5, 0x8A, 1600))] * 3
    assert read(sent) == "5"
    assert read([*sent, (0xFFFF + 4000, struct.pack("!BBH", 5, 10, 160))]) == "55"


@given(st.lists(st.tuples(st.integers(0, 2**32 - 1), st.binary(max_size=6)), max_size=50))
def test_garbage_brings_no_more_keys_than_packets(sent: list[tuple[int, bytes]]) -> None:
    keys = read(sent)
    assert len(keys) <= len(sent)
    assert set(keys) <= set(KEYS)


# ----------------------------------------------------------------------------------------------- in the sound


def pieces(sound: np.ndarray[tuple[int], np.dtype[np.int16]], size: int) -> str:
    reader = ToneReader()
    return "".join(reader.read(sound[start : start + size]) for start in range(0, len(sound), size))


@pytest.mark.parametrize("size", [80, 160, 240, 480, 777])
@pytest.mark.parametrize("shift", [0, 53])
def test_tones(size: int, shift: int) -> None:
    dialled = "1112" + KEYS
    sound = np.concatenate([np.zeros(shift, np.int16), *(tone(key) for key in dialled)])
    assert pieces(sound, size) == dialled


@pytest.mark.parametrize("level", [0.1, 0.3, 1.0])
@pytest.mark.parametrize("twist", [0.4, 1.0, 2.5])
def test_tones_soft_loud_and_uneven(level: float, twist: float) -> None:
    place = 2 * np.pi * np.arange(800) / 8000
    wave = (np.sin(770 * place) + twist * np.sin(1336 * place)) * 9000 * level
    sound = np.concatenate([np.zeros(800), wave, np.zeros(800)]) + np.random.default_rng(3).normal(0, 30, 2400)
    assert pieces(sound.astype(np.int16), 160) == "5"


def test_a_lost_packet_within_a_tone_makes_no_second_key() -> None:
    sound = np.concatenate([tone("7"), tone("8")])
    assert pieces(np.concatenate([sound[:320], np.zeros(160, np.int16), sound[480:]]), 160) == "78"
    assert pieces(np.concatenate([sound[:320], sound[480:]]), 160) == "78"


def test_speech_music_and_noise_are_no_keys() -> None:
    rng = np.random.default_rng(5)
    place = np.arange(80_000) / 8000
    sweep = np.sin(2 * np.pi * (300 + 150 * place) * place) * 8000
    chord = sum(np.sin(2 * np.pi * f * place) for f in (523.25, 659.25, 783.99, 1046.5)) * 3000
    speech = np.concatenate([spoken(number) for number in range(0, 1000, 31)])
    for sound in (rng.normal(0, 4000, 80_000), sweep, chord, speech, np.full(8000, 20_000), np.zeros(8000)):
        assert pieces(np.asarray(sound).astype(np.int16), 160) == ""


# ------------------------------------------------------------------------------------------- through the engine

Deliver = Callable[[list[bytes]], list[bytes]]


@pytest.mark.parametrize(
    "deliver",
    [
        pytest.param(lambda sent: sent[:1], id="only the first packet"),
        pytest.param(lambda sent: sent[-1:], id="only the last end"),
        pytest.param(lambda sent: sent[::-1] + sent, id="reversed and doubled"),
    ],
)
async def test_a_key_comes_through(engine: Engine, peer: Peer, eventually: Eventually, deliver: Deliver) -> None:
    heard: list[MediaEvent] = []
    session = await engine.answer(peer.sdp(), heard.append)
    peer.heed(session.description)
    for event in (4, 2):
        for data in deliver(peer.key_packets(event)):
            peer.rtp.sendto(data, peer.target)
    await eventually(lambda: len(heard) == 2, "both keys are heard")
    assert heard == [KeyPressed("4"), KeyPressed("2")]
    assert session.keys() == "42"
    session.close()


@pytest.mark.parametrize("codec", ["PCMA", "PCMU", "G722"])
async def test_tones_count_where_no_events_were_agreed(engine: Engine, peer: Peer, codec: str) -> None:
    peer.codec = codec
    session = await engine.answer(peer.sdp(events=False), lambda event: None)
    assert b"telephone-event" not in session.description
    peer.heed(session.description)
    await peer.say(np.concatenate([tone(key) for key in "95#"]))
    assert "".join([await session.key(2.0) for _ in range(3)]) == "95#"
    session.close()


async def test_tones_do_not_count_where_events_were_agreed(engine: Engine, peer: Peer) -> None:
    """They may be in the sound as well, or somebody plays them to the microphone: no key counts twice."""
    session = await engine.answer(peer.sdp(), lambda event: None)
    peer.heed(session.description)
    await peer.say(tone("5"))
    peer.press(6)
    assert await session.key(2.0) == "6"
    assert session.keys() == ""
    session.close()


async def test_keys_go_out_as_tones_where_no_events_were_agreed(engine: Engine, peer: Peer) -> None:
    session = await engine.answer(peer.sdp(events=False), lambda event: None)
    await session.send_keys("31*")
    session.close()
    assert pieces(peer.heard(), 160) == "31*"


async def test_a_flood_of_keys_is_bounded(engine: Engine, peer: Peer) -> None:
    heard: list[MediaEvent] = []
    session = await engine.answer(peer.sdp(), heard.append)
    peer.heed(session.description)
    for _ in range(400):
        peer.timestamp = (peer.timestamp + 1000) & 0xFFFF_FFFF
        peer.send(struct.pack("!BBH", 1, 10, 160), 101)
    assert await session.key(2.0) == "1"
    await until(session, lambda counts: counts.received == 400)
    assert len(session.keys()) <= 2 * MAX_KEYS_PER_SECOND
    session.close()


async def test_a_key_in_the_very_moment_in_which_playing_ends_is_not_lost(engine: Engine, peer: Peer) -> None:
    session = await engine.answer(peer.sdp(), lambda event: None)
    playing = asyncio.create_task(session.play([], interruptible=KEYS))
    await asyncio.sleep(0)
    assert session._playing is not None
    session._playing.ended.set_result(FINISHED)  # the engine's word that it is over, and a key, come together
    session.press("5")
    assert await playing == Played(FINISHED)
    assert await session.key(0.1) == "5"
    session.close()
