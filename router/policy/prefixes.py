"""A list of prefixes of telephone numbers, from ten to a million, that finds the longest one that fits.

A prefix is a range of numbers, and of two ranges either one lies in the other or they are disjoint. So the rows are
sorted by where their ranges begin, each knows the row that encloses it, and a look-up is one bisection and, seldom, a
step outwards.
A row takes 19 bytes. Rows stand in blocks, small enough that each can be handed from process to process without holding
up anything else.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from router.policy.dialling import LONGEST_E164

MAX_SOURCES: Final = 1 << 16  # what two bytes a row can tell apart
_HEAD: Final = 3  # digits by which most numbers are found not to be listed
_SHIFT: Final = 14
_ROWS: Final = 1 << _SHIFT  # of a block: 300 kB
_OFFSET: Final = _ROWS - 1
# Numbers are compared as numbers of base 11, filled up to the longest with a digit that none has: so a number that is
# shorter than a prefix lies outside the prefix's range.
_BASE: Final = 11
_WIDTHS: Final = tuple(_BASE ** (LONGEST_E164 - length) for length in range(LONGEST_E164 + 1))


class ListSource(NamedTuple):
    """Where prefixes come from.

    Args:
        name: of the file or the source, for "name:line".
        inbound: they block callers as well (REQUIREMENTS G9).
        fetched_at: POSIX seconds at which somebody else's list was fetched; None for what is part of the configuration.
    """

    name: str
    inbound: bool = False
    fetched_at: float | None = None


class Entry(NamedTuple):
    """One prefix of a list: `prefix` with "+", and where it is written."""

    prefix: str
    source: ListSource
    line: int

    @property
    def place(self) -> str:
        """Where it is written: "fraud.txt:12"."""
        return f"{self.source.name}:{self.line}"


class _Block(NamedTuple):
    """Rows in parallel arrays: where the range begins, digits of the prefix, enclosing row (-1: none), source, line."""

    starts: array[int]
    lengths: array[int]
    parents: array[int]
    sources: array[int]
    lines: array[int]


class PrefixTable:
    """An immutable list of prefixes. Of a prefix that stands there twice the first counts; an inbound one goes before.

    Attributes:
        entry_count: how many different prefixes.
        heads: the first three digits of every number that can match, and whole numbers that are shorter.
    """

    __slots__ = ("_blocks", "_firsts", "_sources", "entry_count", "heads")

    def __init__(self, blocks: tuple[_Block, ...], sources: tuple[ListSource, ...], heads: frozenset[str]) -> None:
        self._blocks = blocks
        self._sources = sources
        self._firsts = tuple([block.starts[0] for block in blocks])
        self.entry_count = sum([len(block.starts) for block in blocks])
        self.heads = heads

    @classmethod
    def of(cls, entries: Iterable[tuple[str, int, int]], sources: tuple[ListSource, ...]) -> PrefixTable:
        """Build a table.

        Args:
            entries: digits (1 to 15, without "+"), index of the source, and line of each prefix.
            sources: at most `MAX_SOURCES`.
        """
        written: dict[str, tuple[int, int]] = {}
        for digits, source, line in entries:
            known = written.get(digits)
            if known is None or (sources[source].inbound and not sources[known[0]].inbound):
                written[digits] = (source, line)
        # One integer for range and length: a short prefix sorts before the longer ones that begin where it does.
        rows = sorted([(int(digits.ljust(LONGEST_E164, "0"), _BASE) << 4 | len(digits), digits) for digits in written])
        blocks: list[_Block] = []
        enclosing: list[tuple[int, int]] = []  # (end of the range, row) of the rows that may enclose the next one
        for row, (key, digits) in enumerate(rows):
            if row % _ROWS == 0:
                blocks.append(_Block(array("Q"), array("B"), array("i"), array("H"), array("I")))
            block = blocks[-1]
            start, length = key >> 4, key & 15
            while enclosing and enclosing[-1][0] <= start:
                enclosing.pop()
            source, line = written[digits]
            block.starts.append(start)
            block.lengths.append(length)
            block.parents.append(enclosing[-1][1] if enclosing else -1)
            block.sources.append(source)
            block.lines.append(line)
            enclosing.append((start + _WIDTHS[length], row))
        return cls(tuple(blocks), sources, _heads(written))

    def __reduce__(self) -> tuple[object, ...]:
        return PrefixTable, (self._blocks, self._sources, self.heads)

    def pieces(self) -> tuple[object, ...]:
        """Parts of 300 kB at most, to be pickled one by one ahead of the table (with one memo, it is small then)."""
        return self._blocks

    def find(self, key: int) -> int:
        """Return the row of the longest prefix of the number with this `number_key`, or -1."""
        index = bisect_right(self._firsts, key) - 1
        if index < 0:
            return -1
        block = self._blocks[index]
        offset = bisect_right(block.starts, key) - 1
        while key - block.starts[offset] >= _WIDTHS[block.lengths[offset]]:
            row: int = block.parents[offset]
            if row < 0:
                return -1
            index, offset = row >> _SHIFT, row & _OFFSET
            block = self._blocks[index]
        return index << _SHIFT | offset

    def find_inbound(self, key: int) -> int:
        """Return the row of the longest prefix that blocks the caller with this `number_key`, or -1."""
        row = self.find(key)
        while row >= 0 and not self._source(row).inbound:
            row = self._blocks[row >> _SHIFT].parents[row & _OFFSET]
        return row

    def length(self, row: int) -> int:
        """Return how many digits the prefix in this row has."""
        length: int = self._blocks[row >> _SHIFT].lengths[row & _OFFSET]
        return length

    def entry(self, row: int) -> Entry:
        """Return what stands in a row."""
        block, offset = self._blocks[row >> _SHIFT], row & _OFFSET
        digits = _written(block.starts[offset], block.lengths[offset])
        return Entry("+" + digits, self._source(row), block.lines[offset])

    def covering(self, first: str, last: str) -> Iterator[Entry]:
        """Yield the prefixes that hold any number from `first` to `last` (digits, equally many), the shortest first
        where one holds the other."""
        row = self.find(number_key(first))
        around: list[int] = []
        while row >= 0:
            around.append(row)
            row = self._blocks[row >> _SHIFT].parents[row & _OFFSET]
        for row in reversed(around):
            yield self.entry(row)
        end = number_key(last)
        row = self._first_after(number_key(first))
        while row < self.entry_count:
            entry = self.entry(row)
            if self._blocks[row >> _SHIFT].starts[row & _OFFSET] > end:
                return
            if len(entry.prefix) <= len(first) + 1:
                yield entry
            row += 1

    def __iter__(self) -> Iterator[Entry]:
        """Yield all prefixes, in the order of their digits."""
        for row in range(self.entry_count):
            yield self.entry(row)

    @property
    def blocks_callers(self) -> bool:
        """Whether any source is inbound."""
        return any([source.inbound for source in self._sources])

    @property
    def sources(self) -> tuple[ListSource, ...]:
        """Where the prefixes come from."""
        return self._sources

    def _source(self, row: int) -> ListSource:
        return self._sources[self._blocks[row >> _SHIFT].sources[row & _OFFSET]]

    def _first_after(self, key: int) -> int:
        index = max(bisect_right(self._firsts, key) - 1, 0)
        return (index << _SHIFT) + bisect_right(self._blocks[index].starts, key) if self._blocks else 0


def number_key(digits: str) -> int:
    """Return where a number (digits without "+") stands among all numbers, for `PrefixTable`."""
    return int(digits[:LONGEST_E164].ljust(LONGEST_E164, "a"), _BASE)


def _written(start: int, length: int) -> str:
    """Write the prefix whose range begins at `start`."""
    digits = []
    start //= _WIDTHS[length]
    for _ in range(length):
        start, digit = divmod(start, _BASE)
        digits.append(str(digit))
    return "".join(reversed(digits))


def _heads(prefixes: Iterable[str]) -> frozenset[str]:
    heads = {digits[:_HEAD] for digits in prefixes}
    for short in [head for head in heads if len(head) < _HEAD]:
        for missing in range(1, _HEAD - len(short) + 1):
            heads.update([f"{short}{rest:0{missing}d}" for rest in range(10**missing)])
    return frozenset(heads)
