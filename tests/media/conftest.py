"""What the tests of the media room share: a running engine, peers that speak RTP, sounds whose content can be told."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import uvloop

from router.media import wav
from router.media.client import Engine
from router.media.session import Session
from router.model.sound import StreamStatistics
from tests.media.peer import Peer
from tests.media.tone_code import spoken

_ranges = itertools.cycle(range(20_000, 31_000, 1000))


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    first = next(_ranges) + 200 * (os.getpid() % 5)
    made = Engine(["127.0.0.1", "::1"], first_port=first, last_port=first + 998, timeout=1.0)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    made = Peer()
    yield made
    made.close()


async def until(session: Session, condition: Callable[[StreamStatistics], bool]) -> StreamStatistics:
    """Wait until a session's counts are as they should be, and return them; fails after five seconds."""
    async with asyncio.timeout(5.0):
        while True:
            counts = await session.statistics()
            if condition(counts):
                return counts
            await asyncio.sleep(0.01)


Sounds = Callable[..., str]


@pytest.fixture
def sound(tmp_path: Path) -> Sounds:
    """Return a maker of WAV files that say a number: `sound(17)`, `sound(17, rate=16000)`."""

    def make(number: int, rate: int = 8000) -> str:
        path = str(tmp_path / f"{number}-{rate}.wav")
        wav.write(path, spoken(number, rate), rate)
        return path

    return make
