"""Every call that leaves the company, walked: emergency calls always, and never with a number that is not ours."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from router.configuration.findings import Finding, Severity
from router.model.decision import Action, DialNumber, Origin
from router.proof.examination import Examination
from router.proof.moments import DAY, HORIZON_DAYS
from router.proof.walk import Call, Case, Entangled
from router.proof.written import connections_of

_LEAVES: Final = (Action.DIAL, Action.EMERGENCY)


def walk_outwards(examination: Examination) -> None:
    """Walk the calls that people, phones of nobody and strangers make to numbers outside, and judge each case."""
    survey, now = examination.survey, examination.now
    moments = survey.moments(now, now + HORIZON_DAYS * DAY)
    for call, emergency in _calls(examination):
        try:
            for case in examination.walk.walk(call, moments):
                _judge(examination, case, emergency)
        except Entangled:
            message = f"what calls to {call.dialled} show is too entangled to be proved"
            examination.found.append(examination.warning(message, "let fewer profiles show numbers", "G1", "profiles"))


def numbers_are_ours(examination: Examination) -> Iterator[Finding]:
    """S4: every number that is worked out to be shown for somebody, in whatever case, is the company's and verified."""
    policy = examination.policy
    for name in policy.people:
        for identity in examination.survey.rules(name).identities:
            if identity.number is not None and not policy.owned.may_show(identity.number):
                message = f"{policy.people[name].name} shows {identity.number}, which is not a verified number of ours"
                yield examination.error(message, "list it as verified in numbers:", "S4", "people", name)


def _calls(examination: Examination) -> Iterator[tuple[Call, str]]:
    """Yield calls, each with the emergency number that it is to reach, or ""."""
    survey, policy = examination.survey, examination.policy
    stranger = survey.a_stranger()
    codes = tuple(policy.codes.per_call)
    for group in survey.alike:
        # Whose rules are alike differ in the numbers that they show, and all of these are looked at.
        first = group[0]
        kinds = {connection for person in group for connection in connections_of(examination, person.id)}
        for connection in sorted(kinds):
            yield survey.inside_call(stranger, first, connection), ""
        for number in policy.codes.features:
            yield survey.inside_call(number, first), ""
        for code in codes:
            yield survey.inside_call(code + stranger, first), ""
            for number in policy.emergency:
                yield survey.inside_call(code + number, first), number
        for person in group:
            for connection in connections_of(examination, person.id):
                for number in policy.emergency:
                    yield survey.inside_call(number, person, connection), number
    if survey.alike:
        for number in policy.short_numbers:
            yield survey.inside_call(number, survey.alike[0][0]), ""
    for number in policy.emergency:
        yield survey.outside_call(number, stranger), number
    for pbx in examination.configuration.pbxs:
        for caller in (None, stranger, examination.document.company.main_number):
            yield Call(Origin.PBX, pbx.name, stranger, caller_number=caller), ""
            for number in policy.emergency:
                yield Call(Origin.PBX, pbx.name, number, caller_number=caller), number


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
