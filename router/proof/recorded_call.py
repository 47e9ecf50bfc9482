"""A recorded call in words: who called, what was weighed, which rules led where, who was tried, how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, tzinfo

from router.model.decision import TIMEOUT, WRONG, Origin, Weighed
from router.model.record import CallRecord, LegRecord, QueueMoment
from router.model.recording import RecordingNote
from router.policy.snapshot import Person
from router.proof.explanation import profile_in_force, rows, table
from router.proof.wording import Wording, printable

_WAYS = {
    Origin.TRUNK: "by_trunk",
    Origin.PBX: "by_pbx",
    Origin.PERSON: "by_device",
    Origin.ROUTER: "by_router",
}
_HASH_DIGITS = 12  # as much of a configuration's hash as tells one from another


def explain(
    record: CallRecord, people: Mapping[str, Person], zone: tzinfo, words: Wording, configuration: str = ""
) -> str:
    """Put a recorded call into words, as a text of several lines.

    Args:
        record: the call.
        people: people by id, to call them by name; those who are not among them are called by their id.
        zone: of the times.
        words: the language.
        configuration: hash of the one at hand, or "": where another one decided, lines may have moved since.
    """
    started = datetime.fromtimestamp(record.started, zone)
    facts = [
        (words("from"), _caller(record, people, words)),
        (words("dialled"), _dialled(record, people)),
        *((words("state"), _state(weighed, record, people, zone, words)) for weighed in record.weighed),
    ]
    course = [
        *((words("pressed"), _choice(entry, words)) for entry in record.chosen),
        *((words("in_queue"), _moment(moment, people, words)) for moment in record.queue),
        *((words("tried"), _leg(leg, record, words)) for leg in record.legs),
        *(
            (words("outcome"), f"{_name(attempt.person, people)}: {words(attempt.outcome)}")
            for attempt in record.attempts
        ),
        (words("ended"), _end(record, words)),
    ]
    if record.configuration:
        moved = configuration not in ("", record.configuration)
        phrase = "another_configuration" if moved else "configuration"
        course.append((words("decided_by"), words(phrase, hash=record.configuration[:_HASH_DIGITS])))
    reasons = table(
        [
            (words("because"), rows(record.because, words)),
            (words("not"), rows(record.rejected, words)),
            *((_recorded(note, words), rows(note.because, words)) for note in record.recordings),
        ],
        with_rules=True,
    )
    width = max(len(label) for label, _ in (*facts, *course))
    return "\n".join(
        printable(line)
        for line in [
            words("call", id=record.call_id, time=started.strftime("%Y-%m-%d %H:%M:%S %Z")),
            *_columns(facts, width),
            f"→ {happened(record, people, words)}",
            *reasons,
            *_columns(course, width),
        ]
    )


def happened(record: CallRecord, people: Mapping[str, Person], words: Wording) -> str:
    """Say in one line what the last decision about a recorded call was."""
    target = "" if record.target is None else _name(record.target, people)
    parts = [words(f"did_{record.action}", target=target)]
    if record.owner is not None and record.owner != record.target:
        parts.append(_name(record.owner, people))
    if record.profile is not None:
        parts.append(record.profile)
    if record.shown_number is not None:
        parts.append(words("shows", shown=record.shown_number))
    return " · ".join(parts)


def summary(record: CallRecord, zone: tzinfo, words: Wording) -> str:
    """Name a recorded call in one line: when, from whom, what was dialled, its Call-ID."""
    started = datetime.fromtimestamp(record.started, zone).strftime("%Y-%m-%d %H:%M:%S %Z")
    caller = record.caller or record.caller_person or words("anonymous")
    return printable(f"{started}  {caller} → {record.dialled}  {record.call_id}")


def involves(record: CallRecord, word: str, person: str | None) -> bool:
    """Say whether a call has to do with a number, an extension, an account or a person's id.

    Args:
        person: the id of the person whom `word` stands for, where it does.
    """
    names = {word} if person is None else {word, person}
    said = (record.caller, record.dialled, record.owner, record.target, record.caller_person, record.peer)
    tried = {leg.peer for leg in record.legs}
    return not names.isdisjoint(said) or not names.isdisjoint(tried)


def _caller(record: CallRecord, people: Mapping[str, Person], words: Wording) -> str:
    who = record.caller or (words("anonymous") if record.caller_person is None else "")
    if record.caller_name:
        who = words("named", number=who, name=record.caller_name).strip()
    way = words(_WAYS[Origin(record.origin)], peer=record.peer)
    if record.caller_person is not None:
        who = f"{_name(record.caller_person, people)} {who}".strip()
    parts = [who, way, *([record.connection] if record.connection else [])]
    if record.withhold:
        parts.append(words("number_withheld"))
    return " · ".join(parts)


def _dialled(record: CallRecord, people: Mapping[str, Person]) -> str:
    if record.owner is None or record.owner == record.caller_person:
        return record.dialled
    return f"{record.dialled} · {_name(record.owner, people)}"


def _state(weighed: Weighed, record: CallRecord, people: Mapping[str, Person], zone: tzinfo, words: Wording) -> str:
    profile = profile_in_force(weighed, "", record.started, zone, words) or words("no_profile")
    return f"{_name(weighed.person, people)}: {words(weighed.line)} · {profile}"


def _moment(moment: QueueMoment, people: Mapping[str, Person], words: Wording) -> str:
    """Tell what happened in a queue."""
    detail = words(moment.detail) if moment.what in ("left", "refused") else _name(moment.detail, people)
    return words(f"queue_{moment.what}", seconds=words.seconds(round(moment.after, 1)), detail=detail)


def _leg(leg: LegRecord, record: CallRecord, words: Wording) -> str:
    if leg.status == 0:
        result = leg.reason or words("not_connected")
    else:
        result = f"{leg.status} {words('answered') if leg.status == 200 else leg.reason}".strip()
    if leg.rang_after is not None:
        until = record.answered_after if leg.status == 200 and record.answered_after is not None else leg.ended_after
        result += ", " + words("rang", seconds=words.seconds(max(until - leg.rang_after, 0.0)))
    return words("attempt", peer=leg.peer, target=leg.target, seconds=words.seconds(leg.started_after), result=result)


def _choice(entry: str, words: Wording) -> str:
    menu, _, key = entry.rpartition(":")
    return words("in_menu", key=words(key) if key in (TIMEOUT, WRONG) else key, menu=menu)


def _recorded(note: RecordingNote, words: Wording) -> str:
    """What became of the recording; why, stands beside it."""
    return words(f"recording_{note.result}", seconds=words.seconds(note.seconds))


def _end(record: CallRecord, words: Wording) -> str:
    after = words.seconds(record.ended_after)
    if record.answered_after is None:
        course = words("nobody_answered", status=record.status, after=after)
    else:
        talked = words.seconds(record.ended_after - record.answered_after)
        course = words("talked", after=words.seconds(record.answered_after), talked=talked)
    by = words(f"ended_by_{record.ended_by}")
    return f"{course} · {by}" + (f" · Q.850 {record.cause}" if record.cause is not None else "")


def _name(person: str, people: Mapping[str, Person]) -> str:
    known = people.get(person)
    return known.name if known is not None else person


def _columns(pairs: list[tuple[str, str]], width: int) -> list[str]:
    before = ""
    lines = []
    for label, text in pairs:
        lines.append(f"  {label if label != before else '':<{width}}  {text}")
        before = label
    return lines
