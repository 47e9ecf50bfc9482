"""What is wrong with queues: nobody answers, callers wait too long, or go round, or hear what they should not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router.configuration.findings import Finding, Severity, closest
from router.configuration.queue_sections import MaxWait
from router.model.decision import DialNumber, JoinQueue, Outcome
from router.policy.agents import may_be_rung
from router.policy.schedule import clock, local_time
from router.policy.snapshot import Person, SharedLine
from router.prompts.catalogue import LANGUAGES, PROMPTS, music
from router.proof.examination import Examination
from router.proof.written import blocked_number, names

LONGEST_WAIT: Final = 180.0  # seconds (Q2)
STEP: Final = 900.0  # seconds between two looks at whether anybody answers; hours begin and end with a quarter
DAY: Final = 86_400.0
WEEK: Final = 7 * DAY


def queues_have_agents(examination: Examination) -> Iterator[Finding]:
    """Q10: somebody answers, and has a phone (F5)."""
    policy, services = examination.policy, examination.configuration.queues
    for name, service in services.items():
        members = [policy.people[member.agent] for member in service.rules.members]
        if not members:
            message = f"nobody answers {service.title}"
            yield examination.error(message, "name people or roles in agents:", "Q10", "queues", name)
        without = [person.name for person in members if person.phone is None]
        if members and len(without) == len(members):
            message = f"none of those who answer {service.title} has a phone"
            yield examination.error(message, "give them devices:", "F5", "queues", name, "agents")
        elif without:
            message = f"{names(without)} cannot answer {service.title} without a phone"
            yield examination.warning(message, "give them a device", "F5", "queues", name, "agents")
        if service.needs and not any(_can(examination, person, service.needs) for person in members):
            what = " and ".join(f"{skill} {level}" for skill, level in service.needs)
            message = f"nobody who answers {service.title} has {what}"
            yield examination.error(message, "write skills: for a person", "Q10", "queues", name, "needs")


def somebody_answers_in_the_hours(examination: Examination) -> Iterator[Finding]:
    """Q11, Q17: while a queue is open, the phone of one of its agents may ring."""
    policy = examination.policy
    for name, service in examination.configuration.queues.items():
        people = [policy.people[member.agent] for member in service.rules.members]
        people = [person for person in people if person.phone is not None]
        line = policy.queues[name]
        if not people or not line.hours or service.rules.unattended is not None:
            continue  # nobody; at any hour; or callers are told so, and sent on
        gap = _first_gap(examination, line, people)
        if gap is not None:
            start, end = (local_time(at, policy.zone) for at in gap)
            day = _WEEKDAYS[(start.day - 1) % 7]
            message = f"{service.title} is open on {day} from {clock(start.minute)}, but nobody may be rung until "
            message += clock(end.minute or 1440)
            suggestion = "change hours:, or the agents' schedules; unattended: 20s sends callers on meanwhile"
            yield examination.warning(message, suggestion, "Q11", "queues", name, "hours")


def nobody_waits_too_long(examination: Examination) -> Iterator[Finding]:
    """Q2: three minutes at most; Q5: a message can be left meanwhile."""
    for name, section in examination.document.queues.items():
        wait = section.max_wait
        if not isinstance(wait, MaxWait) or wait.after > LONGEST_WAIT:
            longest = "without end" if not isinstance(wait, MaxWait) else f"up to {wait.after:g} s"
            message = f"callers of {section.name} wait {longest}; the policy allows three minutes"
            yield examination.warning(message, "write max_wait: {after: 3min}", "Q2", "queues", name, "max_wait")
        if not section.keys.message:
            message = f"callers of {section.name} cannot leave a message while they wait"
            yield examination.warning(message, 'write keys: {message: "1"}', "Q5", "queues", name, "keys")


def waiting_leads_on(examination: Examination) -> Iterator[Finding]:
    """Q2: whoever has waited long enough is not sent from queue to queue for ever; X2: nor where nobody may call."""
    policy = examination.policy
    for name, line in policy.queues.items():
        seen = [name]
        following = _overflow(line)
        while following is not None and following not in seen:
            seen.append(following)
            following = _overflow(policy.queues[following])
        if following == name:
            circle = " → ".join([*seen, name])
            message = f"callers who waited too long go round: {circle}"
            yield examination.error(message, "end it at voicemail or reception", "Q2", "queues", name, "max_wait")
        for treatment in filter(None, (line.closed, *line.on_outcome.values())):
            if isinstance(treatment.target, DialNumber):
                number, source = treatment.target.number, treatment.reason.source
                blocked = blocked_number(examination, number, source, examination.now)
                if blocked is not None:
                    yield blocked
                if not examination.configuration.trunks:
                    mark = examination.place(source, "queues", name)
                    message = f"{line.name} sends calls to {number}, and there is no trunk"
                    yield Finding(mark, message, "add one in trunks:", Severity.ERROR, "Q15")


def callers_hear_what_they_should(examination: Examination) -> Iterator[Finding]:
    """Q6: music that is there; Q7: words that exist."""
    known = PROMPTS[LANGUAGES[0]]
    for name, section in examination.document.queues.items():
        for index, piece in enumerate(section.music):
            if piece.piece is not None and not music(piece.piece).exists():
                pieces = [path.stem for path in music("x").parent.glob("*.wav")]
                message = f"there is no piece of music {piece.piece!r}"
                yield examination.error(message, closest(piece.piece, pieces), "Q6", "queues", name, "music", index)
        written = section.welcome or ""
        if written and not written.endswith(".wav") and written not in known:
            suggestion = closest(written, known) or "name a file: welcome.wav"
            yield examination.error(f"there is no prompt {written!r}", suggestion, "S3", "queues", name, "welcome")
    if examination.document.queues and examination.configuration.media is None:
        message = "without sound nobody can wait in a queue"
        yield examination.error(message, "take media: {enabled: false} away", "Q3", "media", "enabled")


def _can(examination: Examination, person: Person, needs: tuple[tuple[str, int], ...]) -> bool:
    skills = examination.document.people[person.id].skills
    return all(skills.get(skill, 0) >= level for skill, level in needs)


def _first_gap(examination: Examination, line: SharedLine, people: list[Person]) -> tuple[float, float] | None:
    """Return when, in the coming week, a queue is open and none of the people may be rung: beginning and end."""
    policy = examination.policy
    start: float | None = None
    first = examination.now - examination.now % STEP
    for step in range(int(WEEK / STEP)):
        at = first + step * STEP
        local = local_time(at, policy.zone)
        is_open = any(window.covers(local) for window in line.hours)
        unanswered = is_open and not any(may_be_rung(person, {}, policy, at) for person in people)
        if unanswered and start is None:
            start = at
        elif start is not None and not unanswered:
            return start, at
    return None


def _overflow(line: SharedLine) -> str | None:
    treatment = line.on_outcome.get(Outcome.MAX_WAIT)
    return treatment.target.queue if treatment is not None and isinstance(treatment.target, JoinQueue) else None


_WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
