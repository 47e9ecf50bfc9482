"""What the parts of the compiler share: the document, where things are written, and what was found wrong."""

from __future__ import annotations

from itertools import pairwise
from zoneinfo import ZoneInfo

from router.configuration.findings import Finding, Mark, Severity
from router.configuration.schema import Document
from router.configuration.sources import Sources
from router.policy.dialling import PLANS, DiallingPlan
from router.policy.snapshot import OwnedNumbers


class Compilation:
    """One configuration being compiled.

    Attributes:
        document: validated shape; sources: marks and findings.
        zone, plan: of the company's country.
        owned: the number inventory.
    """

    def __init__(self, document: Document, sources: Sources, zone: ZoneInfo) -> None:
        self.document = document
        self.sources = sources
        self.zone = zone
        self.plan: DiallingPlan = PLANS[document.company.country]
        self._seen: set[Finding] = set()
        self._holders = {entry.number: entry.holder for entry in document.numbers if entry.number is not None}
        self.owned = self._inventory()

    def error(self, mark: Mark, message: str, suggestion: str = "", clause: str = "") -> None:
        """Report what makes the configuration unusable; the same thing at the same place once."""
        self._report(Finding(mark, message, suggestion, Severity.ERROR, clause))

    def warn(self, mark: Mark, message: str, suggestion: str = "", clause: str = "") -> None:
        """Report what should be put right, but stops nothing."""
        self._report(Finding(mark, message, suggestion, Severity.WARNING, clause))

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
            if (entry.number is None) == (entry.range is None):
                self.error(mark, "an entry is one number or one range", "write number: or range:, not both")
                continue
            if entry.holder is not None and entry.holder not in self.document.people:
                self.error(mark, f"the holder {entry.holder!r} is nobody among the people")
            first, last = (entry.number, entry.number) if entry.number else entry.range or ("", "")
            item = (int(first[1:]), int(last[1:]), entry.verified)
            ranges.append(item)
            marks[item] = mark
        ranges.sort()
        for before, after in pairwise(ranges):
            if after[0] <= before[1]:
                self.error(marks[after], f"+{after[0]} is already in the range at {marks[before]}", "list it once")
        return OwnedNumbers.of(ranges)
