"""What a configuration that can be loaded still leaves to be desired, clause by clause, and what is proved of it.

Some of it shows in what is written: each such check is a function from an `Examination` to findings. The rest shows in
what becomes of calls: the walk asks the very `decide` that decides them, in every case that can be told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from router.configuration import Configuration
from router.configuration.findings import ConfigurationError, Finding, Severity
from router.configuration.load import Loaded, load_with_sources
from router.proof import country, expiry, menus, queues, times, written
from router.proof.examination import Examination
from router.proof.leaving import numbers_are_ours, walk_outwards
from router.proof.reaching import walk_to_everybody

Check = Callable[[Examination], Iterator[Finding]]

CHECKS: Final[tuple[Check, ...]] = (
    written.emergency_calls_can_leave,
    written.everybody_has_a_mailbox,
    written.messages_are_heard,
    written.targets_lead_somewhere,
    written.successors_work_here,
    written.people_can_be_called,
    written.every_device_rings,
    written.roles_are_had,
    written.profiles_are_used,
    written.choices_lead_somewhere,
    written.short_numbers_can_be_dialled,
    written.shown_numbers_are_owned,
    written.profiles_can_show_their_number,
    written.levels_agree,
    numbers_are_ours,
    expiry.exceptions_are_in_force,
    expiry.approvers_work_here,
    times.calendars_contain_days,
    times.schedules_can_win,
    times.the_region_is_known,
    country.recording_is_lawful,
    queues.queues_have_agents,
    queues.somebody_answers_in_the_hours,
    queues.nobody_waits_too_long,
    queues.waiting_leads_on,
    queues.callers_hear_what_they_should,
)

# These name calls that the walk has come by, so they are asked after it.
CHECKS_OF_MENUS: Final[tuple[Check, ...]] = (
    menus.at_most_two_choices_to_a_person,
    menus.menus_are_heard,
    menus.silence_leads_out,
    menus.a_key_leads_out,
    menus.a_message_can_be_left,
    menus.menus_speak_every_language,
)


@dataclass(frozen=True, slots=True)
class Proof:
    """What an examination came to.

    Args:
        findings: in the order of the sources.
        people, targets, prefixes: how many there are, prefixes on the greylist.
        cases: how many were walked; 0 where the configuration cannot be loaded.
    """

    findings: tuple[Finding, ...]
    people: int = 0
    targets: int = 0
    prefixes: int = 0
    cases: int = 0

    @property
    def at_fault(self) -> bool:
        """Say whether a finding is more than a note."""
        return any(finding.severity is not Severity.NOTE for finding in self.findings)


def prove(directory: Path, now: float, completed: Callable[[Configuration], Configuration] | None = None) -> Proof:
    """Examine a configuration.

    Args:
        directory: of the configuration.
        now: POSIX seconds; exceptions are judged at this moment, and what comes after it is proved.
        completed: adds to a loaded configuration what does not stand in its files.

    Returns:
        Everything that is wrong: the errors of `load` if it cannot be loaded, else what the checks and the walk found.
    """
    try:
        loaded = load_with_sources(directory)
    except ConfigurationError as error:
        return Proof(error.findings)
    if completed is not None:
        loaded = replace(loaded, configuration=completed(loaded.configuration))
    return prove_loaded(loaded, now)


def prove_loaded(loaded: Loaded, now: float) -> Proof:
    """Examine a loaded configuration; see `prove`."""
    examination = Examination(loaded, now)
    written_down = [finding for one_check in CHECKS for finding in one_check(examination)]
    walk_to_everybody(examination)
    walk_outwards(examination)
    written_down += [finding for one_check in CHECKS_OF_MENUS for finding in one_check(examination)]
    findings = [*loaded.configuration.warnings, *examination.all_findings(written_down)]
    return Proof(
        tuple(sorted(findings, key=lambda finding: (finding.mark.file, finding.mark.line))),
        len(examination.policy.people),
        len(examination.document.targets),
        examination.policy.greylist.entry_count,
        examination.walk.cases,
    )


def check(directory: Path, now: float) -> tuple[Finding, ...]:
    """Return the findings of `prove`."""
    return prove(directory, now).findings
