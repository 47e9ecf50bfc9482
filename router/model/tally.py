"""Counters and histograms as plain numbers.

The hot path adds to these; `observe` reads them when Prometheus scrapes. Label values are closed sets: never a phone
number.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping

Labels = tuple[str, ...]


class Cell:
    """The count of one set of label values."""

    __slots__ = ("value",)

    def __init__(self) -> None:
        self.value = 0


class Counts:
    """A counter by label values: `counts["INVITE", "in"] += 1`; what was never counted is 0.

    Finding a count by its labels takes a thousand instructions. What counts for each message finds it once, and keeps
    the `cell`: `cell.value += 1`.
    """

    __slots__ = ("_cells",)

    def __init__(self, values: Mapping[Labels, int] | None = None) -> None:
        self._cells: dict[Labels, Cell] = {}
        if values is not None:
            for labels, value in values.items():
                self[labels] = value

    def cell(self, labels: Labels) -> Cell:
        """The cell of these label values, from now on among the `items`."""
        cell = self._cells.get(labels)
        if cell is None:
            cell = self._cells[labels] = Cell()
        return cell

    def __getitem__(self, labels: Labels) -> int:
        cell = self._cells.get(labels)
        return 0 if cell is None else cell.value

    def __setitem__(self, labels: Labels, value: int) -> None:
        self.cell(labels).value = value

    def __iter__(self) -> Iterator[Labels]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def keys(self) -> list[Labels]:
        return list(self._cells)

    def values(self) -> list[int]:
        return [cell.value for cell in self._cells.values()]

    def items(self) -> list[tuple[Labels, int]]:
        return [(labels, cell.value) for labels, cell in self._cells.items()]

    def __eq__(self, other: object) -> bool:
        return dict(self.items()) == (dict(other.items()) if isinstance(other, Counts) else other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Counts({dict(self.items())})"


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
