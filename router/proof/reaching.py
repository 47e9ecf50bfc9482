"""Every call to the company, walked to its ends."""

from __future__ import annotations

from collections.abc import Iterator

from router.policy.snapshot import Person, SharedLine
from router.proof.examination import Examination
from router.proof.ringing import Ringing
from router.proof.survey import number_with
from router.proof.walk import Call, Entangled
from router.proof.where_calls_end import Judge, and_others


def walk_to_everybody(examination: Examination) -> None:
    """Walk the calls to everybody and to every shared number, from outside and inside, and judge each case."""
    survey = examination.survey
    judge = Judge(examination)
    for group in survey.alike:
        person = group[0]
        others = tuple(other.name for other in group[1:])
        ringing = Ringing(person)
        for number, call in enumerate(_calls_to(examination, person)):
            # The first one is that of an ordinary caller.
            _walk(examination, call, person, judge, others, ringing if number == 0 else None)
        ringing.judge(examination, person.name + and_others(others))
    for dialled, line in survey.lines.items():
        for call in _calls_to_line(examination, dialled, line):
            _walk(examination, call, line, judge, (), None)


def _walk(
    examination: Examination,
    call: Call,
    holder: Person | SharedLine,
    judge: Judge,
    others: tuple[str, ...],
    ringing: Ringing | None,
) -> None:
    survey = examination.survey
    windows = survey.windows_without_asking(holder)
    for moments in survey.eras(holder, call.caller_number):
        try:
            for case in examination.walk.walk(call, moments, windows):
                judge.judge(case, holder, others)
                if ringing is not None:
                    ringing.note(case, moments)
        except Entangled:
            judge.entangled(holder)


def _calls_to(examination: Examination, person: Person) -> Iterator[Call]:
    survey = examination.survey
    dialled = survey.dialled_from_outside(person)
    if dialled is not None:
        yield survey.outside_call(dialled, survey.a_stranger())
        seen: list[object] = []
        for prefix, exceptions in survey.rules_for(person).exceptions.items():
            caller = number_with(prefix)
            if exceptions not in seen and survey.is_free(caller):
                seen.append(exceptions)
                yield survey.outside_call(dialled, caller)
    inside = person.extension or dialled
    colleague = next((other for other in survey.policy.people.values() if other is not person), None)
    if inside and colleague is not None:
        yield survey.inside_call(inside, colleague)


def _calls_to_line(examination: Examination, dialled: str, line: SharedLine) -> Iterator[Call]:
    survey = examination.survey
    yield survey.outside_call(dialled, survey.a_stranger())
    blocked = next(iter(examination.document.greylist.inbound), None)
    if blocked is not None and line.number == examination.document.company.main_number:
        yield survey.outside_call(dialled, number_with(blocked))
    colleague = next(iter(survey.policy.people.values()), None)
    if colleague is not None:
        yield survey.inside_call(dialled, colleague)
