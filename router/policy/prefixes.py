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
HEAD: Final = 4  # "+" and three digits, by which most numbers are found not to be listed
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


class _Block:
    """Rows in parallel arrays: where the range begins, digits of the prefix, enclosing row (-1: none), source, line."""

    __slots__ = ("lengths", "lines", "parents", "sources", "starts")

    def __init__(
        self, starts: array[int], lengths: array[int], parents: array[int], sources: array[int], lines: array[int]
    ) -> None:
        self.starts = starts
        self.lengths = lengths
        self.parents = parents
        self.sources = sources
        self.lines = lines

    def __reduce__(self) -> tuple[object, ...]:
        return _Block, (self.starts, self.lengths, self.parents, self.sources, self.lines)

    def pieces(self) -> tuple[object, ...]:
        return self.starts, self.lengths, self.parents, self.sources, self.lines


class PrefixTable:
    """An immutable list of prefixes. Of a prefix that stands there twice the first counts; an inbound one goes before.

    A found prefix is told as one integer: its row, times 16, plus how many digits it has.

    Attributes:
        sources: where the prefixes come from.
        entry_count: how many different prefixes.
        heads: "+" and the first three digits of every number that can match, and whole numbers that are shorter.
        blocks_callers: whether any source is inbound.
    """

    __slots__ = ("_blocks", "_firsts", "blocks_callers", "entry_count", "heads", "sources")

    def __init__(self, blocks: tuple[_Block, ...], sources: tuple[ListSource, ...], heads: frozenset[str]) -> None:
        self._blocks = blocks
        self._firsts = tuple([block.starts[0] for block in blocks])
        self.sources = sources
        self.entry_count = sum([len(block.starts) for block in blocks])
        self.heads = heads
        self.blocks_callers = any([source.inbound for source in sources])

    @classmethod
    def of(cls, entries: Iterable[tuple[str, int, int]], sources: tuple[ListSource, ...]) -> PrefixTable:
        """Build a table.

        Args:
            entries: digits (1 to 15, without "+"), index of the source, and line of each prefix.
            sources: at most `MAX_SOURCES`.
        """
        # Range and length in one integer: a short prefix sorts before the longer ones that begin where it does. Source
        # and line in another: a million tuples would be looked through by the garbage collector again and again.
        written: dict[int, int] = {}
        heads: set[str] = set()
        for digits, source, line in entries:
            key = int(digits.ljust(LONGEST_E164, "0"), _BASE) << 4 | len(digits)
            known = written.get(key)
            if known is None or (sources[source].inbound and not sources[known >> 32].inbound):
                written[key] = source << 32 | line
                heads.add("+" + digits[: HEAD - 1])
        keys = sorted(written)
        parents = array("i", _enclosing(keys))
        blocks = []
        for begin in range(0, len(keys), _ROWS):
            rows = keys[begin : begin + _ROWS]
            places = [written[key] for key in rows]
            block = _Block(
                array("Q", [key >> 4 for key in rows]),
                array("B", [key & 15 for key in rows]),
                parents[begin : begin + _ROWS],
                array("H", [place >> 32 for place in places]),
                array("I", [place & 0xFFFFFFFF for place in places]),
            )
            blocks.append(block)
        return cls(tuple(blocks), sources, _with_shorter_heads(heads))

    def __reduce__(self) -> tuple[object, ...]:
        return PrefixTable, (self._blocks, self.sources, self.heads)

    def pieces(self) -> tuple[object, ...]:
        """The large parts, for whoever hands a table on piece by piece."""
        return (self.heads, *self._blocks)

    def find(self, key: int) -> int:
        """Return the longest prefix of the number with this `number_key`, or -1."""
        index = bisect_right(self._firsts, key) - 1
        if index < 0:
            return -1
        block = self._blocks[index]
        offset = bisect_right(block.starts, key) - 1
        length: int = block.lengths[offset]
        while key - block.starts[offset] >= _WIDTHS[length]:
            row: int = block.parents[offset]
            if row < 0:
                return -1
            index, offset = row >> _SHIFT, row & _OFFSET
            block = self._blocks[index]
            length = block.lengths[offset]
        return (index << _SHIFT | offset) << 4 | length

    def find_inbound(self, key: int) -> int:
        """Return the longest prefix that blocks the caller with this `number_key`, or -1."""
        found = self.find(key)
        while found >= 0 and not self.entry(found).source.inbound:
            found = self._around(found)
        return found

    def entry(self, found: int, number: str = "") -> Entry:
        """Return what stands in the row that was found; `number` (E.164 with "+") may say again of which number."""
        block, offset = self._blocks[found >> 4 >> _SHIFT], (found >> 4) & _OFFSET
        prefix = number[: (found & 15) + 1] or "+" + _written(block.starts[offset], block.lengths[offset])
        return Entry(prefix, self.sources[block.sources[offset]], block.lines[offset])

    def covering(self, first: str, last: str) -> Iterator[Entry]:
        """Yield the prefixes that hold any number from `first` to `last` (with "+", equally long), the shortest first
        where one holds the other."""
        found = self.find(number_key(first))
        around: list[Entry] = []
        while found >= 0:
            around.append(self.entry(found))
            found = self._around(found)
        yield from reversed(around)
        end = number_key(last)
        for row in range(self._first_after(number_key(first)), self.entry_count):
            if self._blocks[row >> _SHIFT].starts[row & _OFFSET] > end:
                return
            entry = self.entry(row << 4)
            if len(entry.prefix) <= len(first):
                yield entry

    def __iter__(self) -> Iterator[Entry]:
        """Yield all prefixes, in the order of their digits."""
        for row in range(self.entry_count):
            yield self.entry(row << 4)

    def _around(self, found: int) -> int:
        """Return the prefix that encloses a found one, in the same form, or -1."""
        row: int = self._blocks[found >> 4 >> _SHIFT].parents[(found >> 4) & _OFFSET]
        return row if row < 0 else row << 4 | self._blocks[row >> _SHIFT].lengths[row & _OFFSET]

    def _first_after(self, key: int) -> int:
        """Return the first row whose range begins after `key`."""
        index = bisect_right(self._firsts, key) - 1
        return 0 if index < 0 else (index << _SHIFT) + bisect_right(self._blocks[index].starts, key)


def number_key(number: str) -> int:
    """Return where a number (E.164 with "+") stands among all numbers. Raises `ValueError` for most of what is none."""
    return int(number[1 : LONGEST_E164 + 1].ljust(LONGEST_E164, "a"), _BASE)


def _written(start: int, length: int) -> str:
    """Write the prefix whose range begins at `start`."""
    digits = []
    start //= _WIDTHS[length]
    for _ in range(length):
        start, digit = divmod(start, _BASE)
        digits.append(str(digit))
    return "".join(reversed(digits))


def _enclosing(keys: list[int]) -> Iterator[int]:
    """Yield for each key (range and length, sorted) which of them encloses it most closely, or -1."""
    open_ends: list[int] = []
    open_rows: list[int] = []
    for row, key in enumerate(keys):
        start = key >> 4
        while open_ends and open_ends[-1] <= start:
            open_ends.pop()
            open_rows.pop()
        yield open_rows[-1] if open_rows else -1
        open_ends.append(start + _WIDTHS[key & 15])
        open_rows.append(row)


def _with_shorter_heads(heads: set[str]) -> frozenset[str]:
    """Add to the heads of prefixes that are shorter than a head all the heads that begin with them."""
    longer = [
        f"{head}{rest:0{missing}d}"
        for head in heads
        for missing in range(1, HEAD - len(head) + 1)
        for rest in range(10**missing)
    ]
    return frozenset(heads.union(longer))
