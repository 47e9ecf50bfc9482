"""What the parts of the compiler share: the document, where things are written, and what was found wrong."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise
from zoneinfo import ZoneInfo

from router.configuration.findings import Finding, Mark, Severity, closest
from router.configuration.schema import Document
from router.configuration.sources import Sources
from router.policy.dialling import PLANS, DiallingPlan
from router.policy.snapshot import OwnedNumbers


class Compilation:
    """One configuration being compiled.

    Attributes:
        document: validated shape; sources: marks and findings.
        gaps: what is not known because it is faulty.
        zone, plan: of the company's country.
        owned: the number inventory.
    """

    def __init__(self, document: Document, sources: Sources, zone: ZoneInfo) -> None:
        self.document = document
        self.sources = sources
        self.gaps = sources.gaps
        self.zone = zone
        self.plan: DiallingPlan = PLANS[document.company.country]
        self._seen: set[Finding] = set()
        self._inventory_is_complete = not self.gaps.covers("numbers")
        self._holders = {entry.number: entry.holder for entry in document.numbers if entry.number is not None}
        self.owned = self._inventory()

    def error(self, mark: Mark, message: str, suggestion: str = "", clause: str = "") -> None:
        """Report what makes the configuration unusable; the same thing at the same place once."""
        self._report(Finding(mark, message, suggestion, Severity.ERROR, clause))

    def warn(self, mark: Mark, message: str, suggestion: str = "", clause: str = "") -> None:
        """Report what should be put right, but stops nothing."""
        self._report(Finding(mark, message, suggestion, Severity.WARNING, clause))

    def unknown(self, what: str, name: str, mark: Mark, section: str, known: Iterable[str], clause: str = "") -> None:
        """Report that `name`, written at `mark`, is none of those `known` in a section; not if it was lost there."""
        if not self.gaps.excuse(name, section):
            self.error(mark, f"there is no {what} {name!r}", closest(name, known), clause)

    def owns(self, number: str) -> bool:
        """Say whether a number is the company's, as far as is known."""
        return self.owned.owns(number) or not self._inventory_is_complete

    def may_show(self, number: str) -> bool:
        """Say whether a number is the company's and verified, as far as is known."""
        return self.owned.may_show(number) or not self._inventory_is_complete

    def mark(self, *location: str | int) -> Mark:
        """Return where a location of the document is written."""
        return self.sources.mark(*location)

    def holder(self, number: str) -> str | None:
        """Return the person to whom the inventory gives this single number, or None."""
        return self._holders.get(number)

    def _report(self, finding: Finding) -> None:
        if finding not in self._seen:
            self._seen.add(finding)
            self.sources.findings.append(finding)

    def _inventory(self) -> OwnedNumbers:
        ranges: list[tuple[int, int, bool]] = []
        marks: dict[tuple[int, int, bool], Mark] = {}
        for index, entry in enumerate(self.document.numbers):
            mark = self.mark("numbers", index)
            holder = entry.holder
            if holder is not None and holder not in self.document.people and not self.gaps.excuse(holder, "people"):
                self.error(mark, f"the holder {holder!r} is nobody among the people")
            if any(self.gaps.covers("numbers", index, key) for key in ("number", "range")):
                self._inventory_is_complete = False
                continue
            if (entry.number is None) == (entry.range is None):
                self.error(mark, "an entry is one number or one range", "write number: or range:, not both")
                self._inventory_is_complete = False
                continue
            first, last = (entry.number, entry.number) if entry.number else entry.range or ("", "")
            verified = entry.verified or self.gaps.covers("numbers", index, "verified")
            item = (int(first[1:]), int(last[1:]), verified)
            ranges.append(item)
            marks[item] = mark
        ranges.sort()
        for before, after in pairwise(ranges):
            if after[0] <= before[1]:
                self.error(marks[after], f"+{after[0]} is already in the range at {marks[before]}", "list it once")
        return OwnedNumbers.of(ranges)
