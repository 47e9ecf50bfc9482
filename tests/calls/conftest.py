"""The stories that tests of calls are told as; see `story.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from router.configuration import Configuration
from router.media.client import Engine
from tests.calls.relayed_story import RELAYED_COMPANY, RelayedStory
from tests.calls.story import COMPANY, Story, configuration_of
from tests.calls.voice_story import Tale, write_coded_prompts
from tests.media.peer import Peer


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return configuration_of(COMPANY, tmp_path_factory.mktemp("company"))


@pytest.fixture(scope="session")
def relayed_company(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return configuration_of(RELAYED_COMPANY, tmp_path_factory.mktemp("relayed-company"))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Let the stories of some modules be told relayed too."""
    if getattr(metafunc.module, "TOLD_RELAYED_TOO", False) and "story" in metafunc.fixturenames:
        metafunc.parametrize("story", ["direct", "relayed"], indirect=True)


@pytest.fixture
def tell(tmp_path: Path) -> Iterator[Callable[[str], Story]]:
    """Begin a story in another company, given as YAML; it is checked at its end like every story."""
    stories: list[Story] = []

    def begin(text: str) -> Story:
        stories.append(Story(configuration_of(text, tmp_path / "company")))
        return stories[-1]

    yield begin
    for story in stories:
        finish(story)


@pytest.fixture
def story(request: pytest.FixtureRequest, company: Configuration, relayed_company: Configuration) -> Iterator[Story]:
    """A story in the usual company, at whose end nothing may be left."""
    relayed = getattr(request, "param", "direct") == "relayed"
    story = RelayedStory(relayed_company) if relayed else Story(company)
    yield story
    finish(story)


def finish(story: Story) -> None:
    try:
        story.check_nothing_is_left()
    finally:
        story.close()


# ----------------------------------------------------------------------------------------------- stories with sound


async def _running_engine() -> AsyncIterator[Engine]:
    """An engine on the usual range of ports; each of several takes what is free."""
    made = Engine(["127.0.0.1"])
    await made.start()
    yield made
    await made.stop()


engine = pytest_asyncio.fixture(_running_engine, scope="module", loop_scope="module")
own_engine = pytest_asyncio.fixture(_running_engine, loop_scope="module")  # for tests that kill it


@pytest.fixture(scope="session")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_coded_prompts(tmp_path_factory.mktemp("prompts"))


@pytest_asyncio.fixture(loop_scope="module")
async def tale(heard_company: Configuration, engine: Engine, prompts: Path, tmp_path: Path) -> AsyncIterator[Tale]:
    """A story with sound in the `heard_company` of the module, whose tests all run in one loop (`pytestmark`)."""
    async for told in _told(heard_company, engine, prompts, tmp_path):
        yield told


@pytest_asyncio.fixture(loop_scope="module")
async def mortal_tale(
    heard_company: Configuration, own_engine: Engine, prompts: Path, tmp_path: Path
) -> AsyncIterator[Tale]:
    """The same, with an engine that may be killed."""
    async for told in _told(heard_company, own_engine, prompts, tmp_path):
        yield told


async def _told(company: Configuration, engine: Engine, prompts: Path, folder: Path) -> AsyncIterator[Tale]:
    peer = Peer()
    tale = await Tale.begin(company, engine, peer, folder, prompts)
    yield tale
    peer.close()
    try:
        await tale.end()
        tale.story.check_nothing_is_left()
    finally:
        tale.story.close()
        for session in list(engine._sessions.values()):  # of a test that failed
            session.close()
