"""Garbage is looked for in quiet moments only (ADR 4)."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Final

COLLECT_INTERVAL: Final = 30.0  # seconds between looks for garbage
QUIET_MESSAGES: Final = 100  # received per second; below it the router is idle enough for a full collection


class QuietMoments:
    """Takes the collector's work over: what it finds is a mistake of ours, not a cost of each call.

    Args:
        received: how many messages have come since the start.
    """

    def __init__(self, received: Callable[[], int]) -> None:
        self._received = received
        self._received_before = 0
        self._next: asyncio.TimerHandle | None = None

    def begin(self) -> None:
        """Take what lives by now out of the collector's sight. No cycle survives a call (see `calls`), so automatic
        collections would only walk what lives: they end."""
        gc.collect()
        gc.freeze()
        gc.disable()
        self._wait()

    def end(self) -> None:
        """Look no more."""
        if self._next is not None:
            self._next.cancel()

    def _wait(self) -> None:
        self._next = asyncio.get_running_loop().call_later(COLLECT_INTERVAL, self._look)

    def _look(self) -> None:
        self._wait()
        received = self._received()
        rate = (received - self._received_before) / COLLECT_INTERVAL
        self._received_before = received
        if rate < QUIET_MESSAGES:
            gc.collect()
