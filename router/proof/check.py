"""What a configuration that can be loaded still leaves to be desired, clause by clause.

Each check is a function from an `Examination` to findings; `CHECKS` lists them. They read the same compiled policy that
decides calls.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from router.configuration.findings import ConfigurationError, Finding, Severity
from router.configuration.load import Loaded, load_with_sources
from router.configuration.peers import end_of_exception
from router.model.decision import Connection, Outcome, RingPerson, Target
from router.policy.snapshot import Person, Policy, ProfileKind, Treatment

WARN_BEFORE_EXPIRY = 30 * 86_400.0  # seconds; an exception that ends sooner is announced
OPTIONAL_RULES = frozenset({"R1"})  # rules that the policy itself makes depend on a verification


class Examination:
    """A loaded configuration and the moment for which it is examined (POSIX seconds)."""

    def __init__(self, loaded: Loaded, now: float) -> None:
        self.policy: Policy = loaded.configuration.policy
        self.configuration = loaded.configuration
        self.document = loaded.document
        self.now = now
        self._sources = loaded.sources

    def warning(self, message: str, suggestion: str, clause: str, *location: str | int) -> Finding:
        """Make a warning about what is written at `location`."""
        return Finding(self._sources.mark(*location), message, suggestion, Severity.WARNING, clause)

    def error(self, message: str, suggestion: str, clause: str, *location: str | int) -> Finding:
        """Make an error about what is written at `location`."""
        return Finding(self._sources.mark(*location), message, suggestion, Severity.ERROR, clause)


Check = Callable[[Examination], Iterator[Finding]]


def check(directory: Path, now: float) -> tuple[Finding, ...]:
    """Examine a configuration.

    Args:
        directory: of the configuration.
        now: POSIX seconds; exceptions are judged at this moment.

    Returns:
        Everything that is wrong, in the order of the sources: the errors of `load` if it cannot be loaded, else what
        the checks found.
    """
    try:
        loaded = load_with_sources(directory)
    except ConfigurationError as error:
        return error.findings
    return examine(loaded, now)


def examine(loaded: Loaded, now: float) -> tuple[Finding, ...]:
    """Run all checks on a loaded configuration; see `check`."""
    examination = Examination(loaded, now)
    findings = [*loaded.configuration.warnings]
    for one_check in CHECKS:
        findings.extend(one_check(examination))
    return tuple(sorted(findings, key=lambda finding: (finding.mark.file, finding.mark.line)))


def emergency_calls_can_leave(examination: Examination) -> Iterator[Finding]:
    """G1: emergency calls go out by a trunk, so there has to be one."""
    if not examination.configuration.trunks:
        yield examination.error(
            "there is no trunk: emergency calls cannot go out", "add one in trunks:", "G1", "trunks"
        )


def everybody_has_a_mailbox(examination: Examination) -> Iterator[Finding]:
    """V2: a caller can leave a message for everybody."""
    if "voicemail" not in examination.document.targets:
        yield examination.error("nobody has a mailbox", "add voicemail: below targets", "V2", "targets")


def targets_lead_somewhere(examination: Examination) -> Iterator[Finding]:
    """S3: a target that is a person has a phone and works here; one that is a number may be called."""
    for name, section in examination.document.targets.items():
        location = ("targets", name)
        person = examination.policy.people.get(section.person) if section.person else None
        if person is not None and person.phone is None:
            yield examination.error(f"{name} is {person.name}, who has no phone", "give them a device", "F5", *location)
        if person is not None and person.left_at is not None and person.left_at <= examination.now:
            yield examination.error(f"{name} is {person.name}, who has left", "name somebody else", "S5", *location)
        if section.number is not None:
            reason = examination.policy.greylist.match(section.number, examination.now)
            if reason is not None:
                message = f"{name} goes to {section.number}, but {reason.text} ({reason.source})"
                yield examination.error(message, "add an exception, or another number", "X2", *location)
            if not examination.configuration.trunks:
                yield examination.error(f"{name} needs a trunk", "add one in trunks:", "S3", *location)


def successors_work_here(examination: Examination) -> Iterator[Finding]:
    """S5: the successor of a departed person has not left as well."""
    for name, section in examination.document.people.items():
        heir = examination.policy.people.get(section.successor or "")
        if section.left and heir is not None and heir.left_at is not None and heir.left_at <= examination.now:
            message = f"{heir.name}, the successor of {section.name}, has left too"
            yield examination.warning(message, "name somebody who is here", "S5", "people", name, "successor")


def shown_numbers_are_owned(examination: Examination) -> Iterator[Finding]:
    """F1 R5 S4: a rule for the shown number can be kept for everybody who has a phone of that kind.

    R1 is left out where the inventory records the mobile as not verified: the policy makes it depend on that.
    """
    owned = examination.policy.owned
    for name, section in examination.document.people.items():
        person = examination.policy.people[name]
        connections = {Connection(device.kind) for device in section.devices.values()}
        if section.pbx is not None:
            connections.add(Connection.FIXED)
        for connection in sorted(connections):
            for reason in person.shows[connection].rejected:
                if reason.clause in OPTIONAL_RULES and (section.mobile is None or owned.owns(section.mobile)):
                    continue
                message = f"{person.name}: {reason.text}; {person.shows[connection].number} is shown instead"
                yield examination.warning(
                    message, "list the number as verified in numbers:", reason.clause, "people", name
                )


def exceptions_are_in_force(examination: Examination) -> Iterator[Finding]:
    """S8 D1: an exception that has expired has no effect; one that soon will is announced."""
    zone, now = examination.policy.zone, examination.now
    for index, exception in enumerate(examination.document.greylist.exceptions):
        if end_of_exception(exception.until, zone) <= now:
            message = f"the exception for {exception.prefix} ended on {exception.until}"
            yield examination.warning(
                message, "remove it, or have it approved again", "S8", "greylist", "exceptions", index
            )
    for name, section in examination.document.people.items():
        for device_name, device in section.devices.items():
            if device.until is None:
                continue
            end = end_of_exception(device.until, zone)
            location = ("people", name, "devices", device_name)
            if end <= now:
                message = f"{device_name} of {section.name} is refused since {device.until}"
                yield examination.warning(message, "remove it, or have it approved again", "D1", *location)
            elif end - now < WARN_BEFORE_EXPIRY:
                days = int((end - now) // 86_400)
                message = f"{device_name} of {section.name} is refused in {days} days, after {device.until}"
                yield examination.warning(message, "have it approved again if it is still needed", "D1", *location)


def forwards_do_not_loop(examination: Examination) -> Iterator[Finding]:
    """S3: forwarding from person to person comes to an end under every condition, without the last resort."""
    people = examination.policy.people
    reported: set[tuple[str, frozenset[str]]] = set()
    for start in people.values():
        for words, condition in _CONDITIONS.items():
            path = [start.id]
            person = start
            while True:
                target = condition(person)
                if not isinstance(target, RingPerson):
                    break
                if target.person in path:
                    loop = path[path.index(target.person) :]
                    if (words, frozenset(loop)) not in reported:
                        reported.add((words, frozenset(loop)))
                        chain = " → ".join([*loop, target.person])
                        message = f"{words}, calls go round: {chain}"
                        yield examination.warning(message, "send one of them elsewhere", "S3", "people", loop[0])
                    break
                path.append(target.person)
                person = people[target.person]


def _target(treatment: Treatment | None) -> Target | None:
    return treatment.target if treatment is not None else None


_CONDITIONS: dict[str, Callable[[Person], Target | None]] = {
    "when everybody is on a call": lambda person: _target(person.on_outcome[Outcome.BUSY]),
    "when nobody answers": lambda person: _target(person.on_outcome[Outcome.NO_ANSWER]),
    "when no phone is registered": lambda person: _target(person.on_outcome[Outcome.UNREACHABLE]),
    "when everybody is in a meeting": lambda person: _target(person.on_selected[ProfileKind.BUSY_OTHER]),
    "when everybody is absent": lambda person: _target(person.on_selected[ProfileKind.ABSENT]),
    "when they have left": lambda person: _target(person.departed),
}

CHECKS: tuple[Check, ...] = (
    emergency_calls_can_leave,
    everybody_has_a_mailbox,
    targets_lead_somewhere,
    successors_work_here,
    shown_numbers_are_owned,
    exceptions_are_in_force,
    forwards_do_not_loop,
)
