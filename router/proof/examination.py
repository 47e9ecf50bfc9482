"""A configuration under examination: what is written, what it compiles to, and the findings about it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Final

from router.configuration.findings import Finding, Mark, Severity
from router.configuration.load import Loaded
from router.policy.schedule import local_time
from router.policy.snapshot import Policy
from router.proof.moments import DAY, HORIZON_DAYS
from router.proof.shortest import command, words
from router.proof.survey import Survey
from router.proof.walk import Call, Case, Walk

_PLACE: Final = re.compile(r"(?P<file>[^:()]+):(?P<line>\d+)")


class Examination:
    """A loaded configuration and the moment for which it is examined (POSIX seconds).

    Attributes:
        survey, walk: what the proof goes by; `walk.cases` counts what was proved.
        evidence: findings of the walk, each with the simplest case that shows it; found: those without such a case.
        heard: the simplest case in which a caller hears a menu, by its name.
    """

    def __init__(self, loaded: Loaded, now: float) -> None:
        self.policy: Policy = loaded.configuration.policy
        self.configuration = loaded.configuration
        self.document = loaded.document
        self.now = now
        self.today = local_time(now, self.policy.zone).day
        self.survey = Survey(loaded, now)
        self.walk = Walk(self.policy, self.survey.choices, self.survey.windows)
        self.evidence: dict[Finding, Case] = {}
        self.found: list[Finding] = []
        self.heard: dict[str, Case] = {}
        self._sources = loaded.sources

    def mark(self, *location: str | int) -> Mark:
        """Return where a location of the document is written."""
        return self._sources.mark(*location)

    def place(self, source: str, *otherwise: str | int) -> Mark:
        """Return the place that a reason names ("roles.yaml:11 (role sales)"); else where `otherwise` is written."""
        found = _PLACE.match(source)
        return Mark(found["file"], int(found["line"])) if found else self.mark(*otherwise)

    def error(self, message: str, suggestion: str, clause: str, *location: str | int) -> Finding:
        """Make an error about what is written at `location`."""
        return Finding(self.mark(*location), message, suggestion, Severity.ERROR, clause)

    def warning(self, message: str, suggestion: str, clause: str, *location: str | int) -> Finding:
        """Make a warning about what is written at `location`."""
        return Finding(self.mark(*location), message, suggestion, Severity.WARNING, clause)

    def note(self, message: str, suggestion: str, clause: str, *location: str | int) -> Finding:
        """Make a note about what is written at `location`."""
        return Finding(self.mark(*location), message, suggestion, Severity.NOTE, clause)

    def shows(self, finding: Finding, case: Case) -> None:
        """Take a case that shows a finding; of several the simplest is kept."""
        before = self.evidence.get(finding)
        if before is None or case.unusual < before.unusual:
            self.evidence[finding] = case

    def hears(self, menu: str, case: Case) -> None:
        """Take a case in which a caller hears a menu; the simplest is kept."""
        before = self.heard.get(menu)
        if before is None or case.unusual < before.unusual:
            self.heard[menu] = case

    def by_keys(self, finding: Finding, menu: str, *keys: str) -> Finding:
        """Take the simplest case in which a caller hears a menu, and presses keys there, as what shows a finding;
        returns the finding."""
        case = self.heard.get(menu)
        if case is not None:
            chosen = (*case.facts.chosen, *keys)
            self.shows(finding, case._replace(facts=case.facts._replace(chosen=chosen)))
        return finding

    def by_call(self, finding: Finding, call: Call) -> Finding:
        """Take the plainest case of a call, now, as what shows a finding; returns the finding."""
        moments = self.survey.moments(self.now, self.now + HORIZON_DAYS * DAY)
        self.shows(finding, next(self.walk.walk(call, moments)))
        return finding

    def all_findings(self, written: Iterable[Finding]) -> list[Finding]:
        """Return the findings of the walk and those `written`, each once, and with the call that shows it if there is
        one."""
        directory = self.configuration.directory
        findings = dict.fromkeys([*self.found, *written, *self.evidence])
        return [self._with_call(finding, directory) for finding in findings]

    def _with_call(self, finding: Finding, directory: Path) -> Finding:
        case = self.evidence.get(finding)
        if case is None:
            return finding
        return replace(finding, call=words(case, self.policy, self.today), command=command(case, directory))
