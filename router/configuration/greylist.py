"""Compiles the greylist (X2, G9): prefixes of the configuration, its files, and lists that somebody else keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from router.configuration.compilation import Compilation
from router.configuration.findings import Finding, Mark, Severity
from router.configuration.peers import end_of_exception
from router.model.decision import Reason
from router.policy.dialling import LONGEST_E164, DiallingPlan
from router.policy.emergency import PACKS
from router.policy.greylist import Greylist, GreylistException
from router.policy.prefixes import MAX_SOURCES, Entry, ListSource, PrefixTable
from router.policy.snapshot import OwnedNumbers

HOW_TO_WRITE: Final = 'write it with "+" and country code: "+881"'
MOST_UNREADABLE: Final = 0.05  # of the lines of a fetched list; beyond it the whole is something else
NOT_LIKELY_EMPTIED: Final = 100  # prefixes; a list that had as many and has none is taken for a fault
_SHOWN: Final = 40  # characters of an unreadable line that are repeated


class UnusableListError(ValueError):
    """A fetched list is none; the text says what it seems to be. The last good copy is to be kept."""


@dataclass(frozen=True, slots=True)
class CompiledList:
    """A list that somebody else keeps: the table, and what could not be read of it (as warnings)."""

    table: PrefixTable
    unreadable: tuple[Finding, ...]


def compile_greylist(compilation: Compilation) -> Greylist:
    """Return the greylist of the configuration; what cannot be read as a prefix is a finding."""
    section = compilation.document.greylist
    plan = compilation.plan
    lists = _Lists()
    for key, prefixes in (("prefixes", section.prefixes), ("inbound", section.inbound)):
        for index, written in enumerate(prefixes):
            mark = compilation.mark("greylist", key, index)
            digits = read_prefix(written, plan)
            if digits is None:
                _not_readable(compilation, written, mark)
            else:
                lists.add(ListSource(mark.file, inbound=key == "inbound"), [(digits, mark.line)])
    for key, names in (("files", section.files), ("inbound_files", section.inbound_files)):
        for index, name in enumerate(names):
            if compilation.gaps.covers("greylist", key, index):
                continue
            text = compilation.sources.text(name, compilation.mark("greylist", key, index)) or ""
            rows, faults = _read(text, plan)
            for written, line in faults:
                _not_readable(compilation, written, Mark(name, line))
            lists.add(ListSource(name, inbound=key == "inbound_files"), rows)
    if len(lists.sources) > MAX_SOURCES:
        mark = compilation.mark("greylist", "files")
        compilation.error(mark, f"more than {MAX_SOURCES} files", "put some of them together", "X2")
        return Greylist()
    table = PrefixTable.of(lists.entries, tuple(lists.sources))
    for finding in own_numbers_listed(table, plan, compilation.owned):
        compilation.warn(finding.mark, finding.message, finding.suggestion, finding.clause)
    return Greylist((table,), _exceptions(compilation))


def compile_list(data: bytes, source: ListSource, plan: DiallingPlan, *, before: int = 0) -> CompiledList:
    """Compile a list that was fetched: one prefix a line, `#` begins a remark. A million takes some 2 s.

    Args:
        data: as it came; its checksum or signature was verified before.
        source: its name as it is to be cited, whether it blocks callers, and when it was fetched.
        plan: of the company's country; says which prefix means "international".
        before: how many prefixes the last good copy has.

    Raises:
        UnusableListError: this is no list of prefixes, or it is empty where it had many.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnusableListError(f"byte {error.start} is not UTF-8: this is no list of prefixes") from error
    if "\0" in text:
        raise UnusableListError("there are zero bytes in it: this is no list of prefixes")
    if text.lstrip()[:1] == "<":
        raise UnusableListError("it begins like an HTML or XML page: this is no list of prefixes")
    rows, faults = _read(text, plan)
    findings = [
        Finding(Mark(source.name, line), f"{written[:_SHOWN]!r} is no prefix", HOW_TO_WRITE, Severity.WARNING, "X2")
        for written, line in faults
    ]
    lines = len(rows) + len(faults)
    if len(faults) > MOST_UNREADABLE * lines:
        share = f"{len(faults)} of {lines} lines hold no prefix"
        raise UnusableListError(f"{share}, the first at line {findings[0].mark.line}: {findings[0].message}")
    if not rows and before >= NOT_LIKELY_EMPTIED:
        raise UnusableListError(f"it is empty; the copy before had {before} prefixes")
    return CompiledList(PrefixTable.of([(digits, 0, line) for digits, line in rows], (source,)), tuple(findings))


def read_prefix(written: str, plan: DiallingPlan) -> str | None:
    """Return the digits of a prefix as people write it ("+881", "00 881"), without "+"; None when it is none."""
    prefix = written.replace(" ", "")
    if prefix[:1] == "+":
        digits = prefix[1:]
    elif prefix.startswith(plan.international_prefix):
        digits = prefix[len(plan.international_prefix) :]
    else:
        return None
    usable = digits.isascii() and digits.isdigit() and digits[0] != "0" and len(digits) <= LONGEST_E164
    return digits if usable else None


def own_numbers_listed(table: PrefixTable, plan: DiallingPlan, owned: OwnedNumbers) -> Iterator[Finding]:
    """Find the prefixes that are meant for others and hold the company's country, its emergency numbers, or a number
    of the company. None of these is ever blocked from inside (G1); a caller may be."""
    code = "+" + plan.country_code
    reported: set[Entry] = set()
    for entry in table.covering(code, code):
        reported.add(entry)
        yield _listed(entry, f"{entry.prefix} holds all numbers of {plan.country}, emergency numbers among them")
    for number in PACKS[plan.country].numbers:
        for entry in table.covering(code + number, code + number):
            if entry.prefix == code + number:
                reported.add(entry)
                yield _listed(entry, f"{entry.prefix} is the emergency number {number}, which always goes out")
    for first, last in zip(owned.starts, owned.ends, strict=True):
        for entry in table.covering(f"+{first}", f"+{last}"):
            if entry not in reported:
                reported.add(entry)
                yield _listed(entry, f"{entry.prefix} holds numbers of the company, such as {_within(entry, first)}")


def _within(entry: Entry, first: int) -> str:
    number = f"+{first}"
    return number if number.startswith(entry.prefix) else entry.prefix.ljust(len(number), "0")


def _listed(entry: Entry, message: str) -> Finding:
    mark = Mark(entry.source.name, entry.line)
    return Finding(mark, message, "remove it, or write a longer prefix", Severity.WARNING, "X2")


def _exceptions(compilation: Compilation) -> list[GreylistException]:
    exceptions = []
    for index, section in enumerate(compilation.document.greylist.exceptions):
        mark = compilation.mark("greylist", "exceptions", index)
        digits = read_prefix(section.prefix, compilation.plan)
        if digits is None:
            _not_readable(compilation, section.prefix, mark)
            continue
        reason = Reason(
            "S8",
            f"+{digits} is allowed until {section.until}, approved by {section.approved_by}",
            str(mark),
            f"+{digits} est autorisé jusqu'au {section.until:%d/%m/%Y}, avec l'accord de {section.approved_by}",
            "greylist",
        )
        until = end_of_exception(section.until, compilation.zone)
        exceptions.append(GreylistException(f"+{digits}", until, reason, section.approved_by))
    return exceptions


def _not_readable(compilation: Compilation, written: str, mark: Mark) -> None:
    if not compilation.gaps.excuse(written):
        compilation.error(mark, f"{written!r} is no prefix", HOW_TO_WRITE, "X2")


def _read(text: str, plan: DiallingPlan) -> tuple[list[tuple[str, int]], list[tuple[str, int]]]:
    """Return digits and line of each prefix of a list, and text and line of what is none."""
    rows: list[tuple[str, int]] = []
    faults: list[tuple[str, int]] = []
    for number, line in enumerate(text.splitlines(), start=1):
        written = line.partition("#")[0].strip()
        if written:
            digits = read_prefix(written, plan)
            if digits is None:
                faults.append((written, number))
            else:
                rows.append((digits, number))
    return rows, faults


class _Lists:
    """Lists put together: entries for `PrefixTable.of`, and their sources."""

    def __init__(self) -> None:
        self.entries: list[tuple[str, int, int]] = []
        self.sources: list[ListSource] = []

    def add(self, source: ListSource, rows: Collection[tuple[str, int]]) -> None:
        if source not in self.sources:
            self.sources.append(source)
        index = self.sources.index(source)
        self.entries.extend((digits, index, line) for digits, line in rows)
