"""What the tests of the media room share: a running engine, peers that speak RTP, sounds whose content can be told."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
import uvloop

from router.media import wav
from router.media.client import Engine
from router.media.session import Session
from router.model.sound import StreamStatistics
from tests.media.peer import Peer
from tests.media.tone_code import spoken


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    return {"uvloop": uvloop.new_event_loop}


def pytest_pycollect_makeitem(collector: pytest.Collector, name: str, obj: object) -> None:
    """Let all tests of a module run in one loop, with one engine."""
    if name.startswith("test_") and inspect.iscoroutinefunction(obj):
        pytest.mark.asyncio(loop_scope="module")(obj)


async def running_engine() -> AsyncIterator[Engine]:
    """An engine on the usual range of ports, which other engines use as well: each takes what is free."""
    made = Engine(["127.0.0.1", "::1"], timeout=1.0)
    await made.start()
    yield made
    await made.stop()


shared_engine = pytest_asyncio.fixture(running_engine, scope="module", loop_scope="module")
own_engine = pytest_asyncio.fixture(running_engine, loop_scope="module")  # for tests that kill it


@pytest_asyncio.fixture(loop_scope="module")
async def engine(shared_engine: Engine) -> AsyncIterator[Engine]:
    """The engine of the module. A test that failed leaves no session to the next one."""
    yield shared_engine
    for session in list(shared_engine._sessions.values()):
        session.close()


@pytest_asyncio.fixture(loop_scope="module")
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
