"""What sound costs and how well it passes, counted over all lives of the engine; `observe` reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from router.model.sound import StreamStatistics
from router.model.tally import Counts, Histogram

# Upper bounds in seconds. Jitter: a phone's buffer takes 20 to 60 ms, and beyond 200 ms nothing helps.
JITTER_BOUNDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2)
# Pacing: packets are due every 20 ms; what is 100 ms late is left out.
LATE_BOUNDS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.04, 0.06, 0.1)
_PACKETS: Final = ("sent", "received", "lost", "foreign", "invalid")  # as in `StreamStatistics`
USED, RESTING, FREE = "used", "resting", "free"


class Figures:
    """Counters only rise, also when an engine dies: with it goes what passed within its last second.

    Attributes:
        streams: sessions that are open now.
        packets: RTP packets by (what became of them,); see `StreamStatistics`.
        keys: keys that were pressed, by (way,): "event" (RFC 4733), "tone", "info".
        jitter: of each stream that something comes from, every five seconds.
        late: how late what is due every 20 ms was sent.
        skipped: 20 ms that were left out, because the engine was held up for too long to make up for them.
        deaths: engines that ended unasked.
        ports: pairs of ports by (state,): "used", "resting", "free".
    """

    def __init__(self) -> None:
        self.streams = 0
        self.packets = Counts({(what,): 0 for what in _PACKETS})
        self.keys = Counts()
        self.jitter = Histogram(JITTER_BOUNDS)
        self.late = Histogram(LATE_BOUNDS)
        self.skipped = Counts({(): 0})
        self.deaths = Counts({(): 0})
        self.ports: Mapping[tuple[str], float] = {}
        self._cells = [self.packets.cell((what,)) for what in _PACKETS]

    def passed(self, before: StreamStatistics, after: StreamStatistics) -> None:
        """Count what passed in a session since it was last counted. A packet that came after all stays counted among
        the lost ones: a counter does not fall."""
        for cell, then, now in zip(self._cells, before[:-1], after[:-1], strict=True):
            if now > then:
                cell.value += now - then

    def beaten(self, late: Sequence[int], seconds: float, skipped: int) -> None:
        """Take how punctual the engine was in the last second: the cells of `late`, their sum, ticks left out."""
        for place, count in enumerate(late):
            self.late.cells[place] += count
        self.late.total += seconds
        self.skipped[()] += skipped

    def died(self) -> None:
        """Take the end of an engine."""
        self.deaths[()] += 1
        self.streams = 0
        self.ports = {}
