"""What the tests of feeds share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from router.feeds.source import open_session
from tests.feeds.keeper import Keeper


@pytest.fixture
async def keeper() -> AsyncIterator[Keeper]:
    keeper = await Keeper().start()
    yield keeper
    await keeper.close()


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with open_session(total_seconds=5.0) as session:
        yield session
