"""The one timer of the engine: what is due every 20 ms, for all sessions together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Final

from router.media.figures import LATE_BOUNDS
from router.media.rtp import CLOCK, TICK_UNITS
from router.model.tally import Histogram

TICK_SECONDS: Final = 0.020
MAX_CATCH_UP: Final = 5  # ticks that are made up for by sending at once; a peer's jitter buffer takes 100 ms
_EARLY: Final = 0.001  # seconds; loops count their timers in milliseconds


class Pacer:
    """Calls `beat(tick)` every 20 ms without drift: each tick is due at a time counted from the first.

    Args:
        beat: called with the number of the tick.
        skipped: called with the number of ticks that are left out, after the process was held up for longer than can
            be made up for.
    """

    def __init__(self, beat: Callable[[int], None], skipped: Callable[[int], None]) -> None:
        self.tick = 0
        self.late = Histogram(LATE_BOUNDS)  # of each tick
        self._beat = beat
        self._skipped = skipped
        self._began = 0.0
        self._due = 0.0
        self._loop: asyncio.AbstractEventLoop | None = None

    def start(self) -> None:
        """Begin, in the running loop."""
        self._loop = asyncio.get_running_loop()
        self._began = self._due = monotonic()
        self._wake()

    def units(self) -> int:
        """The time in units of the RTP clock; a tick begins with `TICK_UNITS` times its number."""
        return int((monotonic() - self._began) * CLOCK) + TICK_UNITS

    def stop(self) -> None:
        self._loop = None

    def _wake(self) -> None:
        if self._loop is None:
            return
        now = monotonic() + _EARLY
        behind = int((now - self._due) / TICK_SECONDS)
        if behind > MAX_CATCH_UP:
            self.tick += behind
            self._due += behind * TICK_SECONDS
            self._skipped(behind)
        while self._due <= now:
            self.tick += 1
            self.late.observe(max(0.0, now - _EARLY - self._due))
            self._due += TICK_SECONDS
            self._beat(self.tick)
        self._loop.call_later(max(0.0, self._due - monotonic()), self._wake)
