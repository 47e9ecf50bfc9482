"""What is measured of sound is what passed."""

from __future__ import annotations

import asyncio
import os
import signal

import numpy as np

from router.media.client import Engine
from router.media.figures import FREE, RESTING, USED, Figures
from router.model.sound import StreamStatistics
from tests.conftest import Eventually
from tests.media.conftest import Sounds
from tests.media.peer import Peer
from tests.media.test_playing import ignore


async def test_packets_keys_and_ports_are_counted(own_engine: Engine, peer: Peer, eventually: Eventually) -> None:
    figures = own_engine.figures
    session = await own_engine.answer(peer.sdp(), ignore)
    peer.heed(session.description)
    assert figures.streams == 1
    await peer.say(np.zeros(1600, np.int16), mangle=lambda packets: packets[:3] + packets[5:])
    peer.press(5)
    session.press("#")
    await eventually(lambda: figures.keys[("event",)] == 1, "the key is counted")
    assert figures.keys[("info",)] == 1
    await eventually(lambda: session.passed.received == 16, "what passed is told within a second")
    assert session.passed.lost == 2
    await eventually(lambda: figures.ports.get((USED,)) == 1, "ports are told")
    session.close()
    assert figures.streams == 0
    await eventually(lambda: figures.packets[("sent",)] >= len(peer.packets), "the rest is counted at the end")
    assert figures.packets[("sent",)] == session.passed.sent
    assert (figures.packets[("received",)], figures.packets[("lost",)]) == (16, 2)
    await eventually(lambda: figures.ports.get((RESTING,)) == 1, "its ports rest")
    assert figures.ports[(USED,)] == 0
    assert figures.ports[(FREE,)] > 1000
    assert sum(figures.late.cells) > 0


async def test_counters_outlive_an_engine(
    own_engine: Engine, peer: Peer, sound: Sounds, eventually: Eventually
) -> None:
    figures = own_engine.figures
    await own_engine.answer(peer.sdp(), ignore)
    await eventually(lambda: figures.packets[("sent",)], "something is counted")
    before = figures.packets[("sent",)]
    killed = own_engine.process_id
    os.kill(killed, signal.SIGKILL)
    await eventually(lambda: figures.deaths[()] == 1, "its end is counted")
    assert figures.streams == 0
    await eventually(lambda: own_engine.ready and own_engine.process_id != killed, "another one serves")
    session = await own_engine.answer(peer.sdp(), ignore)
    await asyncio.gather(session.play([sound(1)]))
    session.close()
    await eventually(lambda: figures.packets[("sent",)] > before, "counting goes on")


def test_a_packet_that_came_after_all_takes_nothing_back() -> None:
    figures = Figures()
    figures.passed(StreamStatistics(0, 0, 0, 0, 0, 0.0), StreamStatistics(10, 8, 2, 0, 0, 0.0))
    figures.passed(StreamStatistics(10, 8, 2, 0, 0, 0.0), StreamStatistics(20, 19, 1, 3, 1, 0.0))
    assert {what: count for (what,), count in figures.packets.items()} == {
        "sent": 20,
        "received": 19,
        "lost": 2,
        "foreign": 3,
        "invalid": 1,
    }
