"""What is played is what a peer hears: decoded from its RTP."""

from __future__ import annotations

import asyncio
import os
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from router.media import wav
from router.media.client import Engine
from router.model.sound import CLOSED, FINISHED, KEY, STOPPED, KeyPressed, MediaEvent, Played
from router.ports import MediaError, SoundError
from tests.conftest import Eventually
from tests.media.conftest import Sounds
from tests.media.peer import Peer
from tests.media.tone_code import SECONDS, heard, spoken

CODECS = ("PCMA", "PCMU", "G722")


def ignore(event: MediaEvent) -> None:
    """Hear nothing of a session."""


@pytest.mark.parametrize("codec", CODECS)
@pytest.mark.parametrize("rate", [8000, 16000])
async def test_prompts_follow_each_other_without_a_gap(
    engine: Engine, peer: Peer, sound: Sounds, codec: str, rate: int, eventually: Eventually
) -> None:
    peer.codec = codec
    session = await engine.answer(peer.sdp(), ignore)
    assert await session.play([sound(123, rate), sound(456, rate), sound(789, rate)]) == Played(FINISHED)
    sent = len(peer.packets)
    await eventually(lambda: len(peer.packets) > sent + 5, "what is still on its way, and the silence behind it")
    session.close()
    listening = 16000 if codec == "G722" else 8000
    played = peer.heard(listening)
    assert heard(played, listening) == [123, 456, 789]

    # No sample more between them: the whole, laid over what was heard, fits everywhere.
    whole = np.concatenate([spoken(number, listening) for number in (123, 456, 789)]).astype(np.float64)
    start = int(np.argmax(np.correlate(played.astype(np.float64), whole, "valid")))
    for part in range(3):
        piece = slice(part * len(whole) // 3, (part + 1) * len(whole) // 3)
        likeness = np.corrcoef(played[start:][: len(whole)][piece], whole[piece])[0, 1]
        assert likeness > 0.9, f"prompt {part}"


async def test_packets_are_20_ms_apart_in_one_stream(engine: Engine, peer: Peer, sound: Sounds) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    await session.play([sound(1)])
    await session.play([sound(2), sound(3)])
    session.close()
    packets = peer.packets
    assert len(packets) >= 3 * SECONDS / 0.02
    assert {packet.ssrc for packet in packets} == {packets[0].ssrc}
    assert {len(packet.payload) for packet in packets} == {160}
    for before, after in pairwise(packets):
        assert (after.sequence - before.sequence) % 2**16 == 1
        assert (after.timestamp - before.timestamp) % 2**32 == 160
    # RFC 3551 §4.1: one talk spurt, as silence is sent, too.
    assert [packet.marker for packet in packets] == [True] + [False] * (len(packets) - 1)


async def test_silence_is_sent_between_prompts(engine: Engine, peer: Peer, eventually: Eventually) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    await eventually(lambda: len(peer.packets) >= 5, "packets although nothing is played")
    session.close()
    assert np.abs(peer.heard()).max() <= 8


async def test_a_peer_that_takes_10_ms_only_gets_them(engine: Engine, peer: Peer, sound: Sounds) -> None:
    offer = peer.sdp() + b"a=maxptime:10\r\n"
    session = await engine.answer(offer, ignore)
    await session.play([sound(55)])
    session.close()
    assert {len(packet.payload) for packet in peer.packets} == {80}
    assert heard(peer.heard()) == [55]


async def test_a_key_interrupts_at_once(engine: Engine, peer: Peer, sound: Sounds, eventually: Eventually) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    peer.heed(session.description)
    playing = asyncio.ensure_future(session.play([sound(number) for number in range(100, 200)], interruptible="123"))
    await eventually(lambda: heard(peer.heard()), "it plays")
    peer.press(2)
    assert await playing == Played(KEY, "2")
    await session.play([sound(999)])
    session.close()
    *first, last = heard(peer.heard())
    assert last == 999
    assert first[:1] == [100]
    assert len(first) < 50, "most of the hundred numbers were not played any more"


async def test_other_keys_do_not_interrupt_but_wait(engine: Engine, peer: Peer, sound: Sounds) -> None:
    events: list[MediaEvent] = []
    session = await engine.answer(peer.sdp(), events.append)
    peer.heed(session.description)
    playing = asyncio.ensure_future(session.play([sound(1), sound(2)], interruptible="5"))
    await asyncio.sleep(0.1)
    peer.press(7)
    assert await playing == Played(FINISHED)
    assert events == [KeyPressed("7")]
    assert await session.key(0.0) == "7"
    assert await session.key(0.0) == ""
    session.close()


async def test_a_key_typed_ahead_ends_the_next_prompt_before_it_begins(
    engine: Engine, peer: Peer, sound: Sounds, eventually: Eventually
) -> None:
    events: list[MediaEvent] = []
    session = await engine.answer(peer.sdp(), events.append)
    peer.heed(session.description)
    peer.press(3)
    await eventually(lambda: events, "the key is known")
    assert await session.play([sound(9)], interruptible="0123456789") == Played(KEY, "3")
    assert session.keys() == ""
    session.close()


async def test_a_key_that_came_by_info_counts_like_any_other(engine: Engine, peer: Peer, sound: Sounds) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    playing = asyncio.ensure_future(session.play([sound(1)], interruptible="#", loop=True))
    waiting = asyncio.ensure_future(session.key(5.0))
    await asyncio.sleep(0.05)
    session.press("8")
    assert await waiting == "8"
    session.press("#")
    assert await playing == Played(KEY, "#")
    session.press("no key")
    assert session.keys() == ""
    session.close()


async def test_music_goes_round_until_it_is_stopped(
    engine: Engine, peer: Peer, sound: Sounds, eventually: Eventually
) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    playing = asyncio.ensure_future(session.play([sound(11), sound(22)], loop=True))
    await eventually(lambda: heard(peer.heard())[:3] == [11, 22, 11], "it begins again")
    session.stop()
    assert await playing == Played(STOPPED)
    session.close()


async def test_a_new_prompt_takes_the_place_of_the_old(engine: Engine, peer: Peer, sound: Sounds) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    old = asyncio.ensure_future(session.play([sound(1)], loop=True))
    await asyncio.sleep(0)
    assert await session.play([sound(2)]) == Played(FINISHED)
    assert await old == Played(STOPPED)
    session.close()


async def test_closing_ends_what_is_awaited(engine: Engine, peer: Peer, sound: Sounds) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    playing = asyncio.ensure_future(session.play([sound(1)], loop=True))
    waiting = asyncio.ensure_future(session.key(30.0))
    await asyncio.sleep(0.05)
    session.close()
    session.close()
    assert await playing == Played(CLOSED)
    assert await waiting == ""
    assert await session.play([sound(1)]) == Played(CLOSED)


async def test_a_cancelled_script_leaves_silence(
    engine: Engine, peer: Peer, sound: Sounds, eventually: Eventually
) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    playing = asyncio.ensure_future(session.play([sound(1)], loop=True))
    await eventually(lambda: heard(peer.heard()), "it plays")
    playing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await playing
    await eventually(lambda: all(p.payload == b"\xd5" * 160 for p in peer.packets[-10:]), "silence")
    session.close()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "is no WAV file"),
        (b"OggS" + bytes(100), "is no WAV file"),
        (b"RIFF\0\0\0\0WAVE", "without sound"),
        (wav.header(8, 1, 44_100) + bytes(8), "at 44100 Hz; needed is"),
        (wav.header(8, 6, 8_000) + bytes(8), "6 channels"),
        (b"RIFF\0\0\0\0WAVEfmt \xff\xff\xff\xff", "without sound"),
    ],
)
async def test_a_file_that_is_no_sound_is_refused_by_name(
    engine: Engine, peer: Peer, sound: Sounds, tmp_path: Path, content: bytes, complaint: str
) -> None:
    wrong = tmp_path / "wrong.wav"
    wrong.write_bytes(content)
    session = await engine.answer(peer.sdp(), ignore)
    with pytest.raises(SoundError, match=rf"wrong\.wav: .*{complaint}"):
        await session.play([sound(1), str(wrong)])
    with pytest.raises(SoundError, match=r"missing\.wav: cannot be read: No such file"):
        await session.play([str(tmp_path / "missing.wav")])
    assert await session.play([sound(2)]) == Played(FINISHED), "the session goes on"
    session.close()
    assert heard(peer.heard()) == [2], "nothing of the first list was heard"


async def test_a_changed_file_is_read_again(engine: Engine, peer: Peer, tmp_path: Path) -> None:
    path = str(tmp_path / "greeting.wav")
    session = await engine.answer(peer.sdp(), ignore)
    for number in (1, 2):
        wav.write(path + ".new", spoken(number), 8000)
        os.replace(path + ".new", path)
        await session.play([path])
    session.close()
    assert heard(peer.heard()) == [1, 2]


async def test_keys_are_sent_as_events(engine: Engine, peer: Peer) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    await session.send_keys("5#")
    session.close()
    events = [packet for packet in peer.packets if packet.payload_type == 101]
    for event in (5, 11):
        mine = [packet for packet in events if packet.payload[0] == event]
        assert len(mine) == 8
        assert len({packet.timestamp for packet in mine}) == 1, "RFC 4733: all bear the time at which it began"
        assert [packet.marker for packet in mine] == [True] + [False] * 7
        assert [int.from_bytes(packet.payload[2:]) for packet in mine] == [160, 320, 480, 640, 800, 800, 800, 800]
        assert [packet.payload[1] >> 7 for packet in mine] == [0] * 5 + [1] * 3
    sequences = [packet.sequence for packet in peer.packets]
    assert all((after - before) % 2**16 == 1 for before, after in pairwise(sequences))


async def test_keys_that_no_telephone_has_are_refused(engine: Engine, peer: Peer) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    with pytest.raises(MediaError, match="there are no keys E, x"):
        await session.send_keys("1xE")
    session.close()


async def test_closing_ends_the_sending_of_keys(engine: Engine, peer: Peer) -> None:
    for events in (True, False):
        session = await engine.answer(peer.sdp(events=events), ignore)
        first = asyncio.ensure_future(session.send_keys("123456789"))
        second = asyncio.ensure_future(session.send_keys("0"))
        await asyncio.sleep(0.05)
        session.close()
        await asyncio.gather(first, second)


async def test_keys_asked_for_one_after_the_other_are_sent_so(engine: Engine, peer: Peer) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    await asyncio.gather(session.send_keys("12"), session.send_keys("3"))
    session.close()
    ends = [packet for packet in peer.packets if packet.payload_type == 101 and packet.payload[1] & 0x80]
    assert [packet.payload[0] for packet in ends[::3]] == [1, 2, 3]


async def test_another_codec_ends_what_is_played(engine: Engine, peer: Peer, sound: Sounds) -> None:
    session = await engine.answer(peer.sdp(), ignore)
    playing = asyncio.ensure_future(session.play([sound(1)], loop=True))
    await asyncio.sleep(0.05)
    await session.renegotiate(peer.sdp(["PCMU"]))
    assert await playing == Played(STOPPED)
    session.close()


async def test_before_an_answer_there_is_nothing_to_play_in(engine: Engine, peer: Peer, sound: Sounds) -> None:
    session = await engine.offer(ignore)
    with pytest.raises(MediaError, match="nothing is agreed on yet"):
        await session.play([sound(1)])
    with pytest.raises(MediaError, match="nothing is agreed on yet"):
        await session.send_keys("1")
    await session.accept(peer.sdp())
    await session.play([sound(1)])
    session.close()
    assert heard(peer.heard()) == [1]
