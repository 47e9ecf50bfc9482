"""What is written and leads nowhere, or stands against something else that is written."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from router.configuration.findings import Finding, Severity, closest
from router.configuration.targets import OWN_MAILBOX
from router.model.decision import Connection, LeaveMessage, Reason
from router.policy.selecting import may_select
from router.policy.snapshot import Person, SharedLine, ShownIdentity
from router.prompts.catalogue import LANGUAGES, PROMPTS
from router.proof.examination import Examination

OPTIONAL_RULES: Final = frozenset({"R1"})  # rules that the policy itself makes depend on a verification
_MANY: Final = 3  # names; beyond that the rest is counted


def emergency_calls_can_leave(examination: Examination) -> Iterator[Finding]:
    """G1: emergency calls go out by a trunk, so there has to be one."""
    if not examination.configuration.trunks:
        message = "there is no trunk: emergency calls cannot go out"
        finding = examination.error(message, "add one in trunks:", "G1", "trunks")
        caller = next(iter(examination.policy.people.values()), None)
        if caller is None:
            yield finding
        else:
            number = next(iter(examination.policy.emergency))
            yield examination.by_call(finding, examination.survey.inside_call(number, caller))


def everybody_has_a_mailbox(examination: Examination) -> Iterator[Finding]:
    """V2: a caller can leave a message for everybody."""
    targets = examination.document.targets
    if "voicemail" not in targets and not any(target.mailbox == OWN_MAILBOX for target in targets.values()):
        yield examination.error("nobody has a mailbox", "add voicemail: below targets", "V2", "targets")


def messages_are_heard(examination: Examination) -> Iterator[Finding]:
    """V1: somebody opens each mailbox that is nobody's own."""
    boxes, policy = examination.configuration.mailboxes, examination.policy
    unheard = {name for name, box in boxes.items() if not (box.people or box.pin or box.email)}
    for name in examination.document.mailboxes:
        if name in unheard:
            yield examination.warning(
                f"nobody hears the messages in {name}", "add people: [ID]", "V1", "mailboxes", name
            )
            unheard.discard(name)
    lines = [line for line in policy.numbers.values() if isinstance(line, SharedLine)]
    for line in (*lines, policy.unassigned, *policy.queues.values()):
        for treatment in filter(None, (line.open, line.closed, *line.on_outcome.values())):
            target = treatment.target
            if isinstance(target, LeaveMessage) and target.mailbox in unheard:
                unheard.discard(target.mailbox)
                mark = examination.place(treatment.reason.source, "company", "main_line")
                message = f"nobody hears the messages that callers of {line.name} leave"
                advice = f'add mailboxes: {{"{target.mailbox}": {{name: {line.name}, people: [ID]}}}}'
                yield Finding(mark, message, advice, Severity.WARNING, "V1")


def targets_lead_somewhere(examination: Examination) -> Iterator[Finding]:
    """S3: a target that is a person has a phone and works here; one that is a number may be called."""
    now = examination.now
    for name, section in examination.document.targets.items():
        if section.person is not None:
            problem = stand_in_problem(examination, examination.policy.people[section.person], now, "")
            if problem is not None:
                yield problem
        written = section.announcement or ""
        if written and not written.endswith(".wav") and written not in PROMPTS[LANGUAGES[0]]:
            suggestion = closest(written, PROMPTS[LANGUAGES[0]]) or "name a file: closed.wav"
            yield examination.error(
                f"there is no prompt {written!r}", suggestion, "S3", "targets", name, "announcement"
            )
        if section.number is not None:
            blocked = blocked_number(examination, section.number, "", now)
            if blocked is not None:
                yield blocked
            if not examination.configuration.trunks:
                yield examination.error(f"{name} needs a trunk", "add one in trunks:", "S3", "targets", name)


def stand_in_problem(examination: Examination, person: Person, at: float, source: str) -> Finding | None:
    """Find fault with a person to whom a rule written at `source` sends calls at a moment; F5, S5."""
    names = [name for name, section in examination.document.targets.items() if section.person == person.id]
    mark = examination.mark("targets", names[0]) if names else examination.place(source, "people", person.id)
    what = f"{names[0]} is {person.name}" if names else f"calls are sent to {person.name}"
    if _has_left(person, at):
        return Finding(mark, f"{what}, who has left", "name somebody else", Severity.ERROR, "S5")
    if person.phone is None:
        return Finding(mark, f"{what}, who has no phone", "give them a device", Severity.ERROR, "F5")
    return None


def blocked_number(examination: Examination, number: str, source: str, at: float) -> Finding | None:
    """Find fault with an outside number to which a rule written at `source` sends calls at a moment; X2."""
    blocked = examination.policy.greylist.match(number, at)
    if blocked is None or examination.policy.owned.owns(number):
        return None
    names = [name for name, section in examination.document.targets.items() if section.number == number]
    mark = examination.mark("targets", names[0]) if names else examination.place(source, "people")
    what = f"{names[0]} goes to {number}" if names else f"calls are sent to {number}"
    message = f"{what}, but {blocked.text} ({blocked.source})"
    return Finding(mark, message, "add an exception, or another number", Severity.ERROR, "X2")


def successors_work_here(examination: Examination) -> Iterator[Finding]:
    """S5: the successor of a departed person has not left as well."""
    for name, section in examination.document.people.items():
        heir = examination.policy.people.get(section.successor or "")
        if section.left and heir is not None and _has_left(heir, examination.now):
            message = f"{heir.name}, the successor of {section.name}, has left too"
            finding = examination.warning(message, "name somebody who is here", "S5", "people", name, "successor")
            dialled = examination.survey.dialled_from_outside(examination.policy.people[name])
            yield _called_from_outside(examination, finding, dialled)


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
            finding = examination.error(message, "give one of them another number", "G1", *location)
            caller = next((other for other in examination.policy.people.values() if other is not person), person)
            yield examination.by_call(finding, examination.survey.inside_call(number, caller))
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
                finding = examination.warning(
                    message, "list the number as verified in numbers:", reason.clause, "people", name
                )
                call = examination.survey.inside_call(examination.survey.a_stranger(), person, connection)
                yield examination.by_call(finding, call)


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
    disagreeing: dict[Reason, tuple[dict[str, None], dict[str, None]]] = {}
    for name, person in examination.policy.people.items():
        for connection in connections_of(examination, name):
            identity = person.shows[connection]
            pairs = [(identity.because[0], weaker) for weaker in identity.outranked]
            for shown in person.shows_in.values():
                own = shown.get(connection)
                if isinstance(own, ShownIdentity) and own.number != identity.number:
                    pairs.append((own.because[0], identity.because[0]))
            for stronger, weaker in pairs:
                if weaker.source:
                    places, people = disagreeing.setdefault(stronger, ({}, {}))
                    places[str(examination.place(weaker.source))] = None
                    people[person.name] = None
    for stronger, (places, people) in disagreeing.items():
        message = f"{stronger.text}; {', '.join(places)} would show another number for {names(people)}"
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


def names(people: Iterable[str]) -> str:
    """Write names: "Claire Dubois, Marc Lejeune and 4 others"."""
    first = list(people)
    if len(first) <= _MANY:
        return ", ".join(first)
    return f"{', '.join(first[: _MANY - 1])} and {len(first) - _MANY + 1} others"


def _called_from_outside(examination: Examination, finding: Finding, dialled: str | None) -> Finding:
    if dialled is None:
        return finding
    return examination.by_call(finding, examination.survey.outside_call(dialled, examination.survey.a_stranger()))


def _has_left(person: Person, now: float) -> bool:
    return person.left_at is not None and person.left_at <= now


def _text(rule: ShownIdentity | Reason) -> str:
    return rule.text if isinstance(rule, Reason) else str(rule.number)
