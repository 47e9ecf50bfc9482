"""What is written and leads nowhere, or stands against something else that is written."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router.configuration.findings import Finding, Severity
from router.model.decision import Connection, DialNumber, Reason
from router.policy.selecting import may_select
from router.policy.snapshot import Person, SharedLine, ShownIdentity
from router.proof.examination import Examination

OPTIONAL_RULES: Final = frozenset({"R1"})  # rules that the policy itself makes depend on a verification
_MANY: Final = 3  # names; beyond that the rest is counted


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
    document, policy, now = examination.document, examination.policy, examination.now
    for name, section in document.targets.items():
        location = ("targets", name)
        person = policy.people.get(section.person) if section.person else None
        if person is not None and person.phone is None:
            yield examination.error(f"{name} is {person.name}, who has no phone", "give them a device", "F5", *location)
        if person is not None and _has_left(person, now):
            yield examination.error(f"{name} is {person.name}, who has left", "name somebody else", "S5", *location)
        if section.number is not None:
            reason = policy.greylist.match(section.number, now)
            if reason is not None:
                message = f"{name} goes to {section.number}, but {reason.text} ({reason.source})"
                yield examination.error(message, "add an exception, or another number", "X2", *location)
            if not examination.configuration.trunks:
                yield examination.error(f"{name} needs a trunk", "add one in trunks:", "S3", *location)


def forwards_may_be_made(examination: Examination) -> Iterator[Finding]:
    """X2 S5: a rule that names a number or a person itself does not name one that is blocked or has left."""
    policy, now = examination.policy, examination.now
    targets = {section.number for section in examination.document.targets.values()}
    holders: list[Person | SharedLine] = [*policy.people.values(), *examination.survey.lines.values()]
    found: set[Finding] = set()
    for holder in holders:
        for treatment in examination.survey.rules_for(holder).treatments:
            target, reason = treatment.target, treatment.reason
            if not isinstance(target, DialNumber) or target.number in targets or policy.owned.owns(target.number):
                continue
            blocked = policy.greylist.match(target.number, now)
            if blocked is not None:
                message = f"“{reason.text}” cannot be kept: {blocked.text} ({blocked.source})"
                mark = examination.place(reason.source, "people")
                found.add(Finding(mark, message, "add an exception, or another number", Severity.ERROR, "X2"))
    yield from found


def successors_work_here(examination: Examination) -> Iterator[Finding]:
    """S5: the successor of a departed person has not left as well."""
    for name, section in examination.document.people.items():
        heir = examination.policy.people.get(section.successor or "")
        if section.left and heir is not None and _has_left(heir, examination.now):
            message = f"{heir.name}, the successor of {section.name}, has left too"
            yield examination.warning(message, "name somebody who is here", "S5", "people", name, "successor")


def people_can_be_called(examination: Examination) -> Iterator[Finding]:
    """S2: somebody has a number or an extension by which others reach them."""
    for name, section in examination.document.people.items():
        if section.direct_number is None and section.extension is None and section.left is None:
            message = f"{section.name} has neither a direct number nor an extension: nobody can call them"
            yield examination.warning(message, "give them extension: or direct_number:", "S2", "people", name)


def every_device_rings(examination: Examination) -> Iterator[Finding]:
    """F4: all devices of a person ring, unless `rings` leaves one out on purpose."""
    for name, section in examination.document.people.items():
        if section.rings is None:
            continue
        for device in sorted(set(section.devices) - {entry.device for entry in section.rings}):
            message = f"{device} of {section.name} never rings: rings: does not name it"
            yield examination.warning(message, f"add it: {{{device}: 20s}}", "F4", "people", name, "devices", device)


def roles_are_had(examination: Examination) -> Iterator[Finding]:
    """S1: a role is somebody's, or one that others are based on."""
    document = examination.document
    used = {section.role for section in document.people.values()}
    used |= {role.based_on for role in document.roles.values() if role.based_on is not None}
    for name in document.roles:
        if name not in used:
            yield examination.warning(
                f"nobody has the role {name}", "remove it, or give it to somebody", "S1", "roles", name
            )


def profiles_are_used(examination: Examination) -> Iterator[Finding]:
    """P2: a profile can be selected by somebody, or is set by a schedule or a calendar."""
    document, policy = examination.document, examination.policy
    scheduled = {entry.profile for role in document.roles.values() for entry in role.schedule or ()}
    fed = set(document.calendar_feed.profiles.values())
    for name, section in document.profiles.items():
        if name in scheduled or name in fed or section.from_calendar:
            continue
        if not any(may_select(person, policy.profiles[name]) for person in policy.people.values()):
            message = f"nobody may select {name}, and no schedule sets it"
            yield examination.warning(message, "name it in may: of a role, or remove it", "P2", "profiles", name)


def choices_lead_somewhere(examination: Examination) -> Iterator[Finding]:
    """R8: what people may choose, they can choose."""
    document = examination.document
    for name, section in document.people.items():
        person = examination.policy.people[name]
        if person.choices.own_mobile and section.mobile is None and section.may is not None:
            message = f"{section.name} may forward calls to their own mobile, but has none"
            yield examination.warning(message, "add mobile:, or take own_mobile away", "R8", "people", name, "may")
    for name, role in document.roles.items():
        if role.may is None or "own_mobile" not in role.may.forward_to:
            continue
        people = [section for section in document.people.values() if section.role == name]
        if people and all(section.mobile is None for section in people):
            message = f"people of the role {name} may forward calls to their own mobile, but none of them has one"
            yield examination.warning(
                message, "add mobile: to people, or take own_mobile away", "R8", "roles", name, "may"
            )


def short_numbers_can_be_dialled(examination: Examination) -> Iterator[Finding]:
    """G1: a short number is not an extension, which would be called in its place."""
    for index, number in enumerate(examination.document.company.short_numbers):
        location = ("company", "short_numbers", index)
        person = examination.policy.extensions.get(number)
        if person is not None:
            message = f"{number} is the extension of {person.name}: the short number cannot be dialled"
            yield examination.error(message, "give one of them another number", "G1", *location)
        if number in examination.policy.emergency:
            message = f"{number} is an emergency number and needs no entry here"
            yield examination.warning(message, "remove it", "G1", *location)


def shown_numbers_are_owned(examination: Examination) -> Iterator[Finding]:
    """F1 R5 S4: a rule for the shown number can be kept for everybody who has a phone of that kind.

    R1 is left out where the inventory records the mobile as not verified: the policy makes it depend on that.
    """
    owned = examination.policy.owned
    for name, section in examination.document.people.items():
        person = examination.policy.people[name]
        for connection in connections_of(examination, name):
            for reason in person.shows[connection].rejected:
                if reason.clause in OPTIONAL_RULES and (section.mobile is None or owned.owns(section.mobile)):
                    continue
                message = f"{person.name}: {reason.text}; {person.shows[connection].number} is shown instead"
                yield examination.warning(
                    message, "list the number as verified in numbers:", reason.clause, "people", name
                )


def profiles_can_show_their_number(examination: Examination) -> Iterator[Finding]:
    """P4: the number that a profile shows may be shown for somebody."""
    for name in examination.document.profiles:
        shown = [
            rule for person in examination.policy.people.values() for rule in person.shows_in.get(name, {}).values()
        ]
        if shown and not any(isinstance(rule, ShownIdentity) for rule in shown):
            message = f"{name} shows a number that may be shown for nobody: {_text(shown[0])}"
            yield examination.warning(message, "list it as verified in numbers:", "P4", "profiles", name, "shows")


def levels_agree(examination: Examination) -> Iterator[Finding]:
    """G1: where two levels say something different about the shown number, the stronger one counts."""
    disagreeing: dict[tuple[Reason, Reason], list[str]] = {}
    for name, person in examination.policy.people.items():
        for connection in connections_of(examination, name):
            identity = person.shows[connection]
            for reason in identity.outranked:
                disagreeing.setdefault((identity.because[0], reason), []).append(person.name)
            for shown in person.shows_in.values():
                own = shown.get(connection)
                if isinstance(own, ShownIdentity) and own.number != identity.number and identity.because[0].source:
                    disagreeing.setdefault((own.because[0], identity.because[0]), []).append(person.name)
    for (stronger, weaker), people in disagreeing.items():
        message = f"{stronger.text}, but {weaker.text} ({weaker.source}): the first counts for {names(people)}"
        yield Finding(examination.place(stronger.source), message, "", Severity.NOTE, "G1")


def connections_of(examination: Examination, name: str) -> tuple[Connection, ...]:
    """Return the kinds of phone that a person has."""
    section = examination.document.people[name]
    kinds = {Connection(device.kind) for device in section.devices.values()}
    if section.pbx is not None:
        kinds.add(Connection.FIXED)
        if section.mobile is not None:
            kinds.add(Connection.MOBILE)
    return tuple(sorted(kinds))


def names(people: list[str]) -> str:
    """Write names: "Claire Dubois, Marc Lejeune and 4 others"."""
    people = list(dict.fromkeys(people))
    if len(people) <= _MANY:
        return ", ".join(people)
    return f"{', '.join(people[: _MANY - 1])} and {len(people) - _MANY + 1} others"


def _has_left(person: Person, now: float) -> bool:
    return person.left_at is not None and person.left_at <= now


def _text(rule: ShownIdentity | Reason) -> str:
    return rule.text if isinstance(rule, Reason) else str(rule.number)
