"""Every call that leaves the company, walked: emergency calls always, and never with a number that is not ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router.configuration.findings import Finding, Severity
from router.model.decision import Action, Connection, DialNumber, Origin
from router.policy.snapshot import Person
from router.proof.examination import Examination
from router.proof.moments import HORIZON_DAYS
from router.proof.walk import Call, Case, Entangled

_DAY: Final = 86_400.0
_LEAVES: Final = (Action.DIAL, Action.EMERGENCY)


def walk_outwards(examination: Examination) -> None:
    """Walk the calls that people, phones of nobody and strangers make to numbers outside, and judge each case."""
    survey, now = examination.survey, examination.now
    moments = survey.moments(now, now + HORIZON_DAYS * _DAY)
    for call, emergency in _calls(examination):
        try:
            for case in examination.walk.walk(call, moments):
                _judge(examination, case, emergency)
        except Entangled:
            message = f"what calls to {call.dialled} show is too entangled to be proved"
            examination.found.append(examination.warning(message, "let fewer profiles show numbers", "G1", "profiles"))


def _calls(examination: Examination) -> Iterator[tuple[Call, str]]:
    """Yield calls, each with the emergency number that it is to reach, or ""."""
    survey, policy = examination.survey, examination.policy
    stranger = survey.a_stranger()
    codes = tuple(policy.codes.per_call)
    for group in survey.alike:
        for person in group:
            for connection in _connections(examination, person):
                yield survey.inside_call(stranger, person, connection), ""
                for code in codes:
                    yield survey.inside_call(code + stranger, person, connection), ""
                for number in policy.emergency:
                    yield survey.inside_call(number, person, connection), number
        for number in (*policy.short_numbers, *policy.codes.features):
            yield survey.inside_call(number, group[0]), ""
        for code in codes:
            for number in policy.emergency:
                yield survey.inside_call(code + number, group[0]), number
    for number in policy.emergency:
        yield survey.outside_call(number, stranger), number
    for pbx in examination.configuration.pbxs:
        for caller in (None, stranger, examination.document.company.main_number):
            yield Call(Origin.PBX, pbx.name, stranger, caller_number=caller), ""
            for number in policy.emergency:
                yield Call(Origin.PBX, pbx.name, number, caller_number=caller), number


def _connections(examination: Examination, person: Person) -> tuple[Connection, ...]:
    section = examination.document.people[person.id]
    kinds = {Connection(device.kind) for device in section.devices.values()}
    if section.pbx is not None:
        kinds.add(Connection.FIXED)
        if section.mobile is not None:
            kinds.add(Connection.MOBILE)
    return tuple(sorted(kinds))


def _judge(examination: Examination, case: Case, emergency: str) -> None:
    decision, policy = case.decision, examination.policy
    if emergency:
        target = decision.target
        untouched = isinstance(target, DialNumber) and target.number == emergency and not target.trunks
        if decision.action is not Action.EMERGENCY or not untouched:
            reason = decision.because[-1]
            message = f"a call to the emergency number {emergency} does not go out as it is: {reason.text}"
            mark = examination.place(reason.source, "company", "country")
            examination.shows(Finding(mark, message, "choose another number for it", Severity.ERROR, "G1"), case)
    shown = decision.shown_number
    if decision.action in _LEAVES and shown is not None and not policy.owned.may_show(shown):
        source = next((reason.source for reason in reversed(decision.because) if reason.source), "")
        message = f"a call leaves with {shown}, which is not a verified number of the company"
        suggestion = "list it as verified in numbers:, or show another"
        examination.shows(Finding(examination.place(source), message, suggestion, Severity.ERROR, "S4"), case)
