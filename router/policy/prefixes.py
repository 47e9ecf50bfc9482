"""A list of prefixes of telephone numbers, from ten to a million, that finds the longest one that fits.

A prefix is a range of numbers, and of two ranges either one lies in the other or they are disjoint. So the rows are
sorted by where their ranges begin, each knows the row that encloses it, and a look-up is one bisection and, seldom, a
step outwards.
A row takes 20 bytes. Rows stand in blocks, small enough that each can be handed from process to process without holding
up anything else.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from router.policy.dialling import LONGEST_E164

MAX_SOURCES: Final = 1 << 16  # more are a mistake; 32 bits of a row tell them apart
HEAD: Final = 4  # "+" and three digits, by which most numbers are found not to be listed
_SHIFT: Final = 14
_ROWS: Final = 1 << _SHIFT  # of a block: 320 kB
_OFFSET: Final = _ROWS - 1
# Numbers are compared as numbers of base 11, filled up to the longest with a digit that none has: so a number that is
# shorter than a prefix lies outside the prefix's range. What is compared has four bits more: the length of a prefix, so
# that a short one sorts before the longer ones that begin where it does, and 15 for a number, which comes after all.
_BASE: Final = 11
LENGTH: Final = 15  # mask of these bits
_WIDTHS: Final = tuple(_BASE ** (LONGEST_E164 - length) << 4 for length in range(LONGEST_E164 + 1))


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
    """Rows in parallel arrays: the prefix as it is compared, the row around it (-1: none), and its source and line."""

    __slots__ = ("keys", "parents", "places")

    def __init__(self, keys: array[int], parents: array[int], places: array[int]) -> None:
        self.keys = keys
        self.parents = parents
        self.places = places  # index of the source, times 2**32, plus the line

    def __reduce__(self) -> tuple[object, ...]:
        return _Block, (self.keys, self.parents, self.places)

    def pieces(self) -> tuple[object, ...]:
        return self.keys, self.parents, self.places


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
        self._firsts = tuple([block.keys[0] for block in blocks])
        self.sources = sources
        self.entry_count = sum([len(block.keys) for block in blocks])
        self.heads = heads
        self.blocks_callers = any([source.inbound for source in sources])

    @classmethod
    def of(cls, entries: Iterable[tuple[str, int, int]], sources: tuple[ListSource, ...]) -> PrefixTable:
        """Build a table.

        Args:
            entries: digits (1 to 15, without "+"), index of the source, and line of each prefix.
            sources: at most `MAX_SOURCES`.
        """
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
            places = array("Q", [written[key] for key in rows])
            blocks.append(_Block(array("Q", rows), parents[begin : begin + _ROWS], places))
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
        offset = bisect_right(block.keys, key) - 1
        listed: int = block.keys[offset]
        while key - listed >= _WIDTHS[listed & LENGTH]:
            row: int = block.parents[offset]
            if row < 0:
                return -1
            index, offset = row >> _SHIFT, row & _OFFSET
            block = self._blocks[index]
            listed = block.keys[offset]
        return (index << _SHIFT | offset) << 4 | (listed & LENGTH)

    def find_inbound(self, key: int) -> int:
        """Return the longest prefix that blocks the caller with this `number_key`, or -1."""
        found = self.find(key)
        while found >= 0 and not self.entry(found).source.inbound:
            found = self._around(found)
        return found

    def entry(self, found: int, number: str = "") -> Entry:
        """Return what stands in the row that was found; `number` (E.164 with "+") may say again of which number."""
        row = found >> 4
        block, offset = self._blocks[row >> _SHIFT], row & _OFFSET
        place: int = block.places[offset]
        prefix = number[: (found & LENGTH) + 1] or _written(block.keys[offset])
        return Entry(prefix, self.sources[place >> 32], place & 0xFFFFFFFF)

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
            if self._blocks[row >> _SHIFT].keys[row & _OFFSET] > end:
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
        return row if row < 0 else row << 4 | (self._blocks[row >> _SHIFT].keys[row & _OFFSET] & LENGTH)

    def _first_after(self, key: int) -> int:
        """Return the first row whose range begins after `key`."""
        index = bisect_right(self._firsts, key) - 1
        return 0 if index < 0 else (index << _SHIFT) + bisect_right(self._blocks[index].keys, key)


def number_key(number: str) -> int:
    """Return where a number (E.164 with "+") stands among all numbers. Raises `ValueError` for most of what is none."""
    return int(number[1 : LONGEST_E164 + 1].ljust(LONGEST_E164, "a"), _BASE) << 4 | LENGTH


def _written(key: int) -> str:
    """Write a prefix, with "+"."""
    length = key & LENGTH
    value = key // _WIDTHS[length]
    digits = []
    for _ in range(length):
        value, digit = divmod(value, _BASE)
        digits.append(str(digit))
    return "+" + "".join(reversed(digits))


def _enclosing(keys: list[int]) -> Iterator[int]:
    """Yield for each prefix, sorted as they are compared, which of them encloses it most closely, or -1."""
    open_ends: list[int] = []
    open_rows: list[int] = []
    for row, key in enumerate(keys):
        while open_ends and open_ends[-1] <= key:
            open_ends.pop()
            open_rows.pop()
        yield open_rows[-1] if open_rows else -1
        open_ends.append((key & ~LENGTH) + _WIDTHS[key & LENGTH])
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
