"""What is wrong with a configuration: where, what, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from difflib import get_close_matches
from enum import StrEnum


class Severity(StrEnum):
    """How much is wrong: an error breaks a clause of the policy for somebody (found when loading, it stops the router
    from using the configuration), a warning is probably not meant, a note is worth knowing."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in a source: file name inside the configuration directory, and line (from 1; 0: the whole file)."""

    file: str
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to put right.

    Args:
        mark: where.
        message: what is wrong.
        suggestion: what to write instead; "" where the message says it all.
        severity: see `Severity`.
        clause: the clause of the policy that is not kept, or "".
        call: the shortest call that shows it, in words, or "".
        command: the same as a `renvoi simulate`, or "".
    """

    mark: Mark
    message: str
    suggestion: str = ""
    severity: Severity = Severity.ERROR
    clause: str = ""
    call: str = ""
    command: str = ""

    def __str__(self) -> str:
        clause = f"{self.clause}  " if self.clause else ""
        suggestion = f"; {self.suggestion}" if self.suggestion else ""
        return f"{self.mark}  {self.severity}  {clause}{self.message}{suggestion}"

    def as_dict(self) -> dict[str, str | int]:
        """Return the finding as a flat dictionary: file, line, and the fields by their names."""
        fields = asdict(self)
        mark = fields.pop("mark")
        return {"file": mark["file"], "line": mark["line"], **fields}


def has_errors(findings: Iterable[Finding]) -> bool:
    """Say whether a finding among these makes the configuration unusable."""
    return any(finding.severity is Severity.ERROR for finding in findings)


class ConfigurationError(Exception):
    """The configuration cannot be used. `findings` lists everything that is wrong, in the order of the sources."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(sorted(findings, key=lambda finding: (finding.mark.file, finding.mark.line)))
        super().__init__("\n".join(map(str, self.findings)))

    def __reduce__(self) -> tuple[type[ConfigurationError], tuple[tuple[Finding, ...]]]:
        return ConfigurationError, (self.findings,)  # so that it can be raised in another process


def closest_word(word: str, words: Iterable[str]) -> str | None:
    """Return the known word that `word` resembles most, or None where it resembles none."""
    matches = get_close_matches(word, sorted(set(words)), n=1, cutoff=0.5)
    return matches[0] if matches else None


def closest(word: str, words: Iterable[str]) -> str:
    """Return a suggestion that names the known word closest to `word`, or all of them where they are few."""
    known = sorted(set(words))
    match = closest_word(word, known)
    if match is not None:
        return f"did you mean {match!r}?"
    if 0 < len(known) <= 12:
        return "write one of: " + ", ".join(known)
    return ""
