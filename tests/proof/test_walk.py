"""The walk leaves nothing out: whatever `decide` answers to any facts was among its cases."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from router.configuration.findings import Severity
from router.configuration.load import load_with_sources
from router.model.decision import OF_A_PHONE, Action, Attempt, Decision, Facts, LineState, SelectedBy, Selection
from router.policy import decide
from router.policy.snapshot import Person
from router.proof import walk as walk_module
from router.proof.check import prove
from router.proof.examination import Examination
from router.proof.shortest import words
from router.proof.walk import Call, Case
from tests.policy.company import COMPANY, moment
from tests.proof.sound_company import NOW, SOUND

YEAR = 365 * 86_400
GONE = "gone_for_the_day"


def examination(directory: Path, text: str, now: float = NOW) -> Examination:
    (directory / "company.yaml").write_text(text)
    return Examination(load_with_sources(directory), now)


def cases(examined: Examination, call: Call, person: Person) -> Iterator[Case]:
    for moments in examined.survey.eras(person, call.caller_number):
        yield from examined.walk.walk(call, moments, examined.survey.windows_without_asking(person))


def outcome(decision: Decision) -> tuple[object, ...]:
    """What becomes of a call, and for which reasons; not in which words."""
    last = decision.because[-1]
    return decision.action, str(decision.target), decision.status, decision.no_answer_after, last.clause, last.source


def reasons(decision: Decision) -> set[tuple[str, str, str]]:
    return {(reason.clause, reason.rule, reason.source) for reason in decision.because}


RECEPTION = 'reception: {sip: "sip:reception@127.0.0.1:5090"}'
COMPANIES = {
    "sound": SOUND,
    "faulty": COMPANY,
    "with a person at reception": SOUND.replace(RECEPTION, "reception: {person: brigitte}"),
    "with people who forward to a shared number that closes": SOUND.replace(
        "busy_other: reception, no_answer: {after: 20s, then: voicemail}",
        'busy_other: "+3242200150", no_answer: "+3242200150"',
    ).replace("queue:sales}\n", 'queue:sales, no_answer: "+3242200100"}\n'),
    "faulty, with a person at reception": COMPANY.replace(RECEPTION, "reception: {person: paul}"),
}


@pytest.mark.parametrize("company", COMPANIES)
def test_what_random_calls_meet_was_walked(company: str, tmp_path: Path) -> None:
    """G6 G4 S3: a thousand calls at any minute of a year, with any states, against the cases of the walk."""
    examined = examination(tmp_path, COMPANIES[company])
    policy, chance = examined.policy, random.Random(20261124)
    for person in policy.people.values():
        dialled = examined.survey.dialled_from_outside(person)
        if dialled is None:
            continue
        call = examined.survey.outside_call(dialled, examined.survey.a_stranger())
        walked: set[tuple[object, ...]] = set()
        weighed: set[tuple[str, str, str]] = set()
        for case in cases(examined, call, person):
            walked.add(outcome(case.decision))
            weighed |= reasons(case.decision)
        for _ in range(100):
            at = NOW + chance.randrange(YEAR)
            lines = {other: chance.choice(list(LineState)) for other, who in policy.people.items() if who.phone}
            selections = {
                other: (Selection(other, choice.profile, choice.by, at, forward=choice.forward),)
                for other in policy.people
                if chance.random() < 0.4
                for choice in [chance.choice(examined.survey.choices(other))]
            }
            attempts: tuple[Attempt, ...] = ()
            for _ in range(6):
                facts = Facts(
                    call.origin,
                    call.peer,
                    dialled,
                    caller_number=call.caller_number,
                    lines=lines,
                    selections=selections,
                    attempts=attempts,
                )
                decision = decide(facts, policy, at)
                assert outcome(decision) in walked, (facts, at, decision)
                assert reasons(decision) <= weighed, (facts, at, decision)
                if decision.action is Action.REFUSE:
                    break
                attempts = (*attempts, Attempt(str(decision.target), chance.choice(OF_A_PHONE)))


def test_a_case_can_be_decided_again(tmp_path: Path) -> None:
    """The facts of a case are real ones: the policy, asked plainly, answers them in the same way."""
    examined = examination(tmp_path, COMPANY)
    claire = examined.policy.people["claire"]
    call = examined.survey.outside_call("+3242200121", "+32475111222")
    walked = list(cases(examined, call, claire))
    assert len(walked) > 50
    for case in walked:
        plain = case.facts._replace(lines=dict(case.facts.lines), selections=dict(case.facts.selections), usage={})
        assert outcome(decide(plain, examined.policy, case.at)) == outcome(case.decision)


def test_both_minutes_at_an_edge_are_walked(tmp_path: Path) -> None:
    """G6: [12:00, 13:00) is lunch: 11:59 rings, 12:00 does not, 12:59 does not, 13:00 rings."""
    examined = examination(tmp_path, SOUND)
    paul = examined.policy.people["paul"]
    call = examined.survey.outside_call("+3242200124", "+32475111222")
    [moments] = examined.survey.eras(paul, None)
    rings = {}
    for case in examined.walk.walk(call, moments):
        if case.unusual == 0:
            rings.update(dict.fromkeys((moments.at[i] for i in case.moments), case.decision.action is Action.RING))
    day = "2026-11-25T"
    assert [rings[moment(day + time)] for time in ("11:59", "12:00", "12:59", "13:00", "16:59", "17:00")] == [
        *(True, False, False, True, True, False)
    ]


def test_days_that_a_calendar_leaves_out_are_walked(tmp_path: Path) -> None:
    """G7: Christmas 2026 is a Friday, but no working day; nothing rings there, and the case says when that is."""
    text = SOUND.replace(
        "en_semaine: {days: mon-fri}", 'en_semaine: {days: mon-fri}\n  noel: {days: "2026-12-25"}'
    ).replace(
        "    schedule:\n", f'    schedule:\n      - {{profile: {GONE}, calendar: noel, from: "00:00", to: "24:00"}}\n'
    )
    examined = examination(tmp_path, text)
    paul = examined.policy.people["paul"]
    call = examined.survey.outside_call("+3242200124", "+32475111222")
    said = {words(case, examined.policy, examined.today) for case in cases(examined, call, paul) if case.unusual == 0}
    assert any("Friday 2026-12-25 00:00" in text for text in said), said


def test_the_rules_after_a_departure_are_walked(tmp_path: Path) -> None:
    """S5: who stands in for others leaves in spring; the finding names a call of the day after."""
    text = SOUND.replace('reception: {sip: "sip:reception@127.0.0.1:5090"}', "reception: {person: brigitte}").replace(
        '200120"\n', '200120"\n    left: 2027-03-31\n'
    )
    (tmp_path / "company.yaml").write_text(text)
    findings = [finding for finding in prove(tmp_path, NOW).findings if finding.clause == "S5"]
    assert [finding.message for finding in findings] == ["reception is Brigitte Lambert, who has left"]
    assert "2027-04-01" in findings[0].command


def test_an_exception_that_ends_is_walked_on_both_sides(tmp_path: Path) -> None:
    """S8: the hospital rings Claire through at night until the end of June, and not afterwards."""
    examined = examination(tmp_path, SOUND)
    claire = examined.policy.people["claire"]
    call = examined.survey.outside_call("+3242200121", "+32475999000")
    end = moment("2027-07-01T00:00")
    usual = [case for case in cases(examined, call, claire) if case.unusual == 0]
    night = [case for case in usual if not 8 * 60 <= case.local.minute < 17 * 60]
    assert {case.decision.action is Action.RING for case in night if case.at < end} == {True}
    assert {case.decision.action is Action.RING for case in night if case.at >= end} == {False}


def test_a_used_up_limit_is_walked(tmp_path: Path) -> None:
    """X2: what is limited is tried with and without something left."""
    text = SOUND + 'limits:\n  belgium: {prefixes: ["+32"], calls_per_day: 5}\n'
    examined = examination(tmp_path, text)
    paul = examined.policy.people["paul"]
    call = examined.survey.inside_call("+32475111222", paul)
    assert {(case.decision.action, case.unusual) for case in cases(examined, call, paul)} >= {
        (Action.DIAL, 0),
        (Action.REFUSE, 1),
    }


def test_who_selects_makes_a_difference_where_the_schedule_comes_between(tmp_path: Path) -> None:
    """G4: with this order an administrator's choice goes before the schedule and a person's own does not."""
    order = "  profile_order: [administrator, schedule, person, calendar]\n"
    examined = examination(tmp_path, SOUND.replace("  country: BE\n", "  country: BE\n" + order))
    sources = {choice.by for choice in examined.survey.choices("paul") if choice.profile == "meeting"}
    assert sources == {SelectedBy.ADMINISTRATOR, SelectedBy.PERSON}


def test_a_company_where_nothing_answers(tmp_path: Path) -> None:
    """S3 V2: an outside caller is left with a bare 480."""
    text = (
        SOUND.replace('  reception: {sip: "sip:reception@127.0.0.1:5090"}\n', "")
        .replace('  voicemail: {sip: "sip:{extension}@127.0.0.1:5091"}\n', "")
        .replace("queue:sales: {sip", "queue:sales: {sip")
        .replace("voicemail", "paul")
        .replace("reception", "paul")
    )
    text = text.replace("on_call: paul", "on_call: paul, absent: paul, unreachable: paul", 1)
    (tmp_path / "company.yaml").write_text(text)
    proof = prove(tmp_path, NOW)
    dead = [finding for finding in proof.findings if "reaches nobody" in finding.message]
    assert dead, proof.findings
    assert {(finding.severity, finding.clause) for finding in dead} == {(Severity.ERROR, "S3")}


def test_too_many_cases_are_said_not_to_be_proved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A proof that was not finished is never taken for one."""
    monkeypatch.setattr(walk_module, "MAX_CASES", 20)
    (tmp_path / "company.yaml").write_text(SOUND)
    proof = prove(tmp_path, NOW)
    assert proof.at_fault
    assert any("too entangled to be proved" in finding.message for finding in proof.findings)
