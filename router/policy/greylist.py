"""Numbers that must not be called, and callers that are not let in (REQUIREMENTS X2, G9)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from router.model.decision import Reason
from router.policy.prefixes import HEAD, LENGTH, Entry, PrefixTable, number_key


@dataclass(frozen=True, slots=True)
class GreylistException:
    """A prefix allowed again until a moment (POSIX seconds; it has no effect from then on, S8); why, and by whom."""

    prefix: str
    until: float
    reason: Reason
    approved_by: str = ""


class Greylist:
    """Prefixes by longest match, from any number of lists; it never changes.

    The longest prefix decides, of equal ones that of the first list. An exception wins over a prefix that is not longer
    than itself, in both directions.

    Attributes:
        tables: the lists; those of the configuration come first.
        exceptions: by prefix (with "+").
        entry_count: how many prefixes the lists have together.
        blocks_callers: whether any of them blocks callers (G9).
    """

    __slots__ = ("_by_head", "_inbound_by_head", "_lengths", "blocks_callers", "entry_count", "exceptions", "tables")

    def __init__(self, tables: Iterable[PrefixTable] = (), exceptions: Iterable[GreylistException] = ()) -> None:
        self.tables = tuple(tables)
        self.exceptions: Mapping[str, GreylistException] = MappingProxyType(
            {exception.prefix: exception for exception in exceptions}
        )
        self.entry_count = sum([table.entry_count for table in self.tables])
        self.blocks_callers = any([table.blocks_callers for table in self.tables])
        self._lengths = sorted({len(prefix) for prefix in self.exceptions}, reverse=True)
        self._by_head = _by_head(self.tables)
        self._inbound_by_head = _by_head([table for table in self.tables if table.blocks_callers])

    def with_lists(self, tables: Iterable[PrefixTable]) -> Greylist:
        """Return this greylist with more lists behind its own: those that were fetched."""
        return Greylist((*self.tables, *tables), self.exceptions.values())

    def __reduce__(self) -> tuple[object, ...]:
        return Greylist, (self.tables, tuple(self.exceptions.values()))

    def pieces(self) -> tuple[object, ...]:
        """The large parts, for whoever hands a greylist on piece by piece."""
        return (*self.tables, *self.exceptions.values())

    def find(self, number: str, now: float) -> Reason | GreylistException | None:
        """Say what the lists hold about calling `number` (E.164 with "+") at `now`.

        Returns:
            Why it must not be called; the exception by which it may be called although it is listed; None where it is
            not listed.
        """
        entry = self.entry(number)
        return None if entry is None else self.exception(number, entry, now) or not_to_be_called(entry)

    def match(self, number: str, now: float) -> Reason | None:
        """Return why `number` (E.164 with "+") must not be called at `now`, or None when it may be."""
        entry = self.entry(number)
        return None if entry is None or self.exception(number, entry, now) else not_to_be_called(entry)

    def blocks_caller(self, number: str, now: float) -> Reason | None:
        """Return why a caller with `number` (E.164 with "+") is not let in at `now`, or None when they are (G9)."""
        entry = self.caller_entry(number)
        return None if entry is None or self.exception(number, entry, now) else not_let_in(entry)

    def entry(self, number: str) -> Entry | None:
        """Return the longest prefix of `number` (E.164 with "+") in any list, or None."""
        tables = self._by_head.get(number[:HEAD])
        return None if tables is None else _longest(tables, number, False)

    def caller_entry(self, number: str) -> Entry | None:
        """Return the longest prefix of `number` (E.164 with "+") that blocks callers, or None."""
        tables = self._inbound_by_head.get(number[:HEAD])
        return None if tables is None else _longest(tables, number, True)

    def exception(self, number: str, entry: Entry, now: float) -> GreylistException | None:
        """Return the exception that allows `number` at `now` although `entry` lists it, or None."""
        for length in self._lengths:
            if length < len(entry.prefix):
                break
            exception = self.exceptions.get(number[:length])
            if exception is not None and now < exception.until:
                return exception
        return None


def not_to_be_called(entry: Entry) -> Reason:
    """Say why numbers of an entry must not be called (X2)."""
    return Reason(
        "X2",
        f"{entry.prefix} is on the greylist",
        entry.place,
        f"{entry.prefix} est une destination sur liste grise",
        "greylist",
    )


def not_let_in(entry: Entry) -> Reason:
    """Say why callers of an entry are not let in (G9)."""
    return Reason(
        "G9",
        f"callers from {entry.prefix} are on the greylist",
        entry.place,
        f"les appels venant de {entry.prefix} sont sur liste grise",
        "greylist",
    )


def _longest(tables: tuple[PrefixTable, ...], number: str, inbound: bool) -> Entry | None:
    try:
        key = number_key(number)
    except ValueError:
        return None  # what is no number is on no list
    best, best_table = -1, tables[0]
    for table in tables:
        found = table.find_inbound(key) if inbound else table.find(key)
        if found >= 0 and (best < 0 or found & LENGTH > best & LENGTH):
            best, best_table = found, table
    return None if best < 0 else best_table.entry(best, number)


def _by_head(tables: Iterable[PrefixTable]) -> dict[str, tuple[PrefixTable, ...]]:
    found: dict[str, tuple[PrefixTable, ...]] = {}
    for table in tables:
        for head in table.heads:
            found[head] = (*found.get(head, ()), table)
    return found
