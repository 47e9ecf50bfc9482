"""The stories that tests of calls are told as; see `story.py`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from router.configuration import Configuration
from tests.calls.relayed_story import RELAYED_COMPANY, RelayedStory
from tests.calls.story import COMPANY, Story, configuration_of


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
