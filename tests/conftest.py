"""What tests of every room share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Protocol

import pytest

from router import native


def pytest_configure() -> None:
    """Refuse to test compiled modules that are not what their sources say."""
    try:
        native.check()
    except native.OutdatedError as error:
        raise pytest.UsageError(str(error)) from error


class Eventually(Protocol):
    """Waits, without blocking the loop, until `condition()` is true; fails the test when it never is."""

    async def __call__(self, condition: Callable[[], object], what: str, *, within: float = 5.0) -> None: ...


@pytest.fixture
def eventually() -> Eventually:
    """Return a wait on a condition: `await eventually(lambda: path.exists(), "the file appears")`."""

    async def wait(condition: Callable[[], object], what: str, *, within: float = 5.0) -> None:
        deadline = time.monotonic() + within
        while not condition():
            if time.monotonic() > deadline:
                pytest.fail(f"waited {within} s in vain: {what}")
            await asyncio.sleep(0.005)

    return wait
