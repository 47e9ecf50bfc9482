"""Counters and histograms as plain numbers.

The hot path adds to these (a dictionary entry or a list cell, well under a microsecond); `observe` reads them when
Prometheus scrapes. Label values are closed sets: never a phone number.
"""

from __future__ import annotations

from bisect import bisect_left


class Counts(dict[tuple[str, ...], int]):
    """A counter by label values: `counts[("INVITE", "in")] += 1`."""

    __slots__ = ()

    def __missing__(self, labels: tuple[str, ...]) -> int:
        return 0


class Histogram:
    """A histogram with fixed upper bounds in seconds (Prometheus' `le`, inclusive)."""

    __slots__ = ("bounds", "cells", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.cells = [0] * (len(bounds) + 1)  # not cumulative; the last is +Inf
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        self.cells[bisect_left(self.bounds, seconds)] += 1
        self.total += seconds
