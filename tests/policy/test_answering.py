"""Where calls to people go: M2 to M5, F2 to F5, R2 to R7, G4 to G6, S3, S5, S6."""

from __future__ import annotations

import pytest

from router.model.decision import OF_A_PHONE, Action, DialAddress, DialNumber, Diversion, LineState, Outcome, RingPerson
from tests.policy.company import COMPANY, CUSTOMER, MAIN, Desk, clauses, configuration

ON_CALL = LineState.ON_CALL


def test_an_available_person_is_rung_on_all_devices(desk: Desk) -> None:
    """F4."""
    decision = desk.outside("+3242200124")
    assert (decision.action, decision.target) == (Action.RING, RingPerson("paul", ("204-desk", "204-gsm")))
    assert decision.no_answer_after == 20.0
    assert decision.shown_number == CUSTOMER
    assert decision.person == "paul"
    assert decision.diversions == ()


@pytest.mark.parametrize(
    ("clause", "number", "target"),
    [
        ("F2", "+3242200124", "voicemail"),
        ("R2", "+3242200121", "reception"),
        ("R6", "+3242200131", "queue:technical"),
    ],
)
def test_on_a_call(desk: Desk, clause: str, number: str, target: str) -> None:
    decision = desk.outside(number, lines={"paul": ON_CALL, "claire": ON_CALL, "thomas": ON_CALL})
    assert decision.action is Action.FORWARD
    assert str(decision.target) == target
    assert decision.diversions == (Diversion(number, "user-busy"),)
    assert clauses(decision) == [clause]


@pytest.mark.parametrize(
    ("clause", "number", "target"),
    [
        ("F3", "+3242200124", "reception"),
        ("R3", "+3242200121", "queue:sales"),
        ("R7", "+3242200131", "reception"),
    ],
)
def test_in_a_meeting(desk: Desk, clause: str, number: str, target: str) -> None:
    """Nobody's phone rings: the call goes on at once."""
    decision = desk.outside(number, profiles=dict.fromkeys(("paul", "claire", "thomas"), "meeting"))
    assert (decision.action, str(decision.target)) == (Action.FORWARD, target)
    assert decision.diversions == (Diversion(number, "away"),)
    assert decision.profile == "meeting"
    assert clause in clauses(decision)


def test_a_kind_of_profile_can_be_selected_by_its_name(desk: Desk) -> None:
    assert str(desk.outside("+3242200121", profiles={"claire": "busy_other"}).target) == "queue:sales"
    assert str(desk.outside("+3242200121", profiles={"claire": "absent"}).target) == "voicemail"


@pytest.mark.parametrize(
    ("time", "rings"),
    [
        ("2026-11-24T11:59:59", True),
        ("2026-11-24T12:00:00", False),  # M4, G6: half-open
        ("2026-11-24T12:59:59", False),
        ("2026-11-24T13:00:00", True),
        ("2026-11-24T16:59:59", True),
        ("2026-11-24T17:00:00", False),  # M5
        ("2026-11-25T07:59:59", False),  # S6: past midnight
        ("2026-11-25T08:00:00", True),
        ("2026-11-28T03:00:00", False),  # Saturday night still belongs to Friday
        ("2026-11-28T12:30:00", False),
        ("2026-11-30T07:59:59", False),  # Monday before work belongs to Sunday
        ("2026-11-30T08:00:00", True),
    ],
)
def test_profiles_by_time_of_day(desk: Desk, time: str, rings: bool) -> None:
    decision = desk.outside("+3242200124", time)
    assert (decision.action is Action.RING) is rings
    if not rings:
        assert str(decision.target) == "voicemail"
        assert decision.diversions == (Diversion("+3242200124", "time-of-day"),)


def test_each_scheduled_profile_cites_its_clause(desk: Desk) -> None:
    assert clauses(desk.outside("+3242200124", "2026-11-24T12:30"))[0] == "M4"
    assert clauses(desk.outside("+3242200124", "2026-11-24T17:00"))[0] == "M5"
    assert clauses(desk.outside("+3242200121", "2026-11-24T17:00"))[0] == "R4"
    assert desk.policy.people["claire"].says["gone_for_the_day"]["fr"] == "Parti pour la journée"


@pytest.mark.parametrize(
    ("time", "rings"),
    [
        ("2026-03-29T23:30:00+00:00", False),  # Monday 01:30 summer time, the night of the change
        ("2026-03-30T05:59:59+00:00", False),  # 07:59:59 in Brussels; an hour earlier in UTC than the Monday before
        ("2026-03-30T06:00:00+00:00", True),
        ("2026-03-23T06:30:00+00:00", False),
        ("2026-03-23T07:00:00+00:00", True),
        ("2026-10-26T06:30:00+00:00", False),  # back to winter time
        ("2026-10-26T07:00:00+00:00", True),
    ],
)
def test_schedules_keep_to_the_wall_clock_across_daylight_saving(desk: Desk, time: str, rings: bool) -> None:
    """G6."""
    decision = desk.outside("+3242200124", time)
    assert (decision.action is Action.RING) is rings


def test_a_selected_profile_goes_before_the_schedule(desk: Desk) -> None:
    """P2."""
    at_night = desk.outside("+3242200121", "2026-11-24T22:00", profiles={"claire": "available"})
    assert at_night.action is Action.RING
    assert at_night.profile == "available"
    at_noon = desk.outside("+3242200121", "2026-11-24T12:30", profiles={"claire": "meeting"})
    assert str(at_noon.target) == "queue:sales"


def test_a_selected_profile_that_no_longer_exists_leaves_the_schedule_in_force(desk: Desk) -> None:
    decision = desk.outside("+3242200121", "2026-11-24T12:30", profiles={"claire": "garden"})
    assert decision.profile == "lunch"
    assert any("garden" in reason.text for reason in decision.rejected)


def test_on_a_call_and_in_a_meeting(desk: Desk) -> None:
    """G4: the profile weighs more, unless the role says that the line does."""
    both = {"claire": "meeting", "luc": "meeting"}
    lines = {"claire": ON_CALL, "luc": ON_CALL}
    decision = desk.outside("+3242200121", lines=lines, profiles=both)
    assert str(decision.target) == "queue:sales"
    assert clauses(decision) == ["P2", "G4", "R3"]
    assert [reason.clause for reason in decision.rejected] == ["R2"]
    decision = desk.outside("+3242200132", lines=lines, profiles=both)
    assert str(decision.target) == "reception"
    assert clauses(decision) == ["G4", "R2"]
    assert [reason.clause for reason in decision.rejected] == ["P2"]
    assert decision.diversions[0].reason == "user-busy"


@pytest.mark.parametrize(
    ("outcome", "target", "diversion"),
    [
        (Outcome.NO_ANSWER, "voicemail", "no-answer"),
        (Outcome.UNREACHABLE, "voicemail", "unavailable"),
        (Outcome.BUSY, "reception", "user-busy"),  # R2: every device said 486, which is a call elsewhere
        (Outcome.REJECTED, "reception", "user-busy"),
    ],
)
def test_after_an_attempt_that_nobody_answered(desk: Desk, outcome: Outcome, target: str, diversion: str) -> None:
    """G5."""
    decision = desk.outside("+3242200121", tried={"claire": outcome})
    assert (decision.action, str(decision.target)) == (Action.FORWARD, target)
    assert decision.diversions == (Diversion("+3242200121", diversion),)


def test_an_attempt_that_began_before_closing_ends_by_the_rule_for_no_answer(desk: Desk) -> None:
    decision = desk.outside("+3242200121", "2026-11-24T17:00:05", tried={"claire": Outcome.NO_ANSWER})
    assert clauses(decision) == ["G5"]


def test_an_unregistered_phone(desk: Desk) -> None:
    """G5."""
    decision = desk.outside("+3242200121", lines={"claire": LineState.UNREGISTERED})
    assert str(decision.target) == "voicemail"
    assert clauses(decision) == ["G5"]


def test_voicemail_is_the_one_of_the_person_who_was_called(desk: Desk) -> None:
    target = desk.outside("+3242200124", lines={"paul": ON_CALL}).target
    assert target == DialAddress("sip:204@127.0.0.1:5091", "voicemail")


def test_a_person_without_a_phone_is_not_waited_for(desk: Desk) -> None:
    """F5."""
    decision = desk.outside("+3242200126")
    assert (decision.action, str(decision.target)) == (Action.FORWARD, "voicemail")
    assert clauses(decision) == ["F5"]


def test_numbers_outlive_people(desk: Desk) -> None:
    """S5: to the successor, to reception without one, and not before the person has left."""
    decision = desk.outside("+3242200127")
    assert (decision.action, str(decision.target)) == (Action.FORWARD, "paul")
    assert decision.diversions == (Diversion("+3242200127", "unconditional"),)
    assert decision.no_answer_after == 20.0
    assert str(desk.person("paul", "208").target) == "reception"
    assert str(desk.outside("+3242200127", "2026-09-30T10:00").target) == "voicemail"


def test_an_own_number_that_nobody_has_is_answered(desk: Desk) -> None:
    """S3, S5."""
    decision = desk.outside("+3242200177")
    assert (decision.action, str(decision.target)) == (Action.FORWARD, "reception")
    assert decision.diversions == (Diversion("+3242200177", "unconditional"),)
    assert clauses(decision) == ["S5"]


@pytest.mark.parametrize("at", ["2026-11-24T07:59:59", "2026-11-24T17:00", "2026-11-11T10:00"])
def test_an_own_number_that_nobody_has_keeps_the_hours_of_the_main_number(desk: Desk, at: str) -> None:
    """S5: at night nobody is at the reception, for this number either."""
    decision = desk.outside("+3242200177", at)
    assert decision.target == desk.outside(MAIN, at).target
    assert str(decision.target) == "voicemail"
    assert decision.diversions == (Diversion("+3242200177", "time-of-day"),)
    assert clauses(decision) == ["S5"]
    (reason,) = (reason for reason in decision.because if reason.clause)
    assert reason.text == "an owned number that nobody has, and Atelier de la Meuse is closed → voicemail"
    assert reason.french == "un numéro de l'entreprise que personne n'a, et Atelier de la Meuse est fermé → voicemail"
    line = next(number for number, line in enumerate(COMPANY.splitlines(), 1) if "main_line:" in line)
    assert reason.source == f"company.yaml:{line}"


def test_the_main_number_keeps_hours(desk: Desk) -> None:
    """G7: working days are without public holidays; Armistice Day 2026 is a Wednesday."""
    assert str(desk.outside(MAIN).target) == "reception"
    assert str(desk.outside(MAIN, "2026-11-24T07:59:59").target) == "voicemail"
    assert str(desk.outside(MAIN, "2026-11-24T17:00").target) == "voicemail"
    assert str(desk.outside(MAIN, "2026-11-11T10:00").target) == "voicemail"


def test_a_team_is_reached_by_its_number(desk: Desk) -> None:
    """F5."""
    assert str(desk.outside("+3242200160").target) == "queue:technical"


def test_forwarding_in_a_circle_ends(desk: Desk) -> None:
    """S3: Ada forwards to Bob and Bob to Ada; both are on a call."""
    decision = desk.person("paul", "401", lines={"ada": ON_CALL, "bob": ON_CALL})
    assert (decision.action, str(decision.target)) == (Action.FORWARD, "voicemail")
    assert [d.number for d in decision.diversions] == ["401", "402"]


def test_a_target_that_failed_is_not_tried_again(desk: Desk) -> None:
    """S3: voicemail is down, so reception answers; only when both are down is the call refused."""
    tried = {"claire": Outcome.NO_ANSWER, "voicemail": Outcome.UNREACHABLE}
    assert str(desk.outside("+3242200121", tried=tried).target) == "reception"
    decision = desk.outside("+3242200121", tried=tried | {"reception": Outcome.UNREACHABLE})
    assert (decision.action, decision.status, decision.target) == (Action.REFUSE, 480, None)


def test_a_call_forwarded_outside_shows_a_number_of_the_company(desk: Desk) -> None:
    """S4: neither the caller's number nor an extension leaves; the forwarder has no number of her own here."""
    decision = desk.person("paul", "403", lines={"eva": ON_CALL})
    assert (decision.action, decision.target) == (Action.FORWARD, DialNumber("+3243334455"))
    assert decision.shown_number == MAIN
    assert decision.diversions == (Diversion(MAIN, "user-busy"),)


def test_a_forward_to_a_greylisted_number_is_not_followed(desk: Desk) -> None:
    """X2."""
    decision = desk.person("paul", "403", profiles={"eva": "meeting"})
    assert str(decision.target) == "voicemail"


def test_a_phone_behind_the_pbx_is_rung_there(desk: Desk) -> None:
    decision = desk.outside("+3242200151")
    assert (decision.action, decision.target) == (Action.RING, DialAddress("sip:501@127.0.0.1:5070", "pia"))
    assert str(desk.outside("+3242200151", tried={"pia": Outcome.NO_ANSWER}).target) == "voicemail"


def variant(old: str, new: str) -> Desk:
    """The company with one thing written differently."""
    assert COMPANY.count(old) == 1
    return Desk(configuration(COMPANY.replace(old, new)).policy)


def test_rules_of_the_company_hold_where_no_role_says_otherwise() -> None:
    """M2, F2, G5: company → role → person, each with its place."""
    desk = variant(
        "  country: BE\n",
        "  country: BE\n  when: {on_call: reception, unreachable: service_externe, rejected: queue:sales}\n",
    )
    decision = desk.outside("+3242200124", lines={"paul": LineState.UNREGISTERED})
    assert str(decision.target) == "+3243334455"
    assert decision.because[0].source == "company.yaml:4 (company)"
    assert str(desk.outside("+3242200124", tried={"paul": Outcome.REJECTED}).target) == "queue:sales"
    decision = desk.outside("+3242200124", lines={"paul": ON_CALL})
    assert str(decision.target) == "voicemail"
    assert decision.because[0].source.endswith("(role standard)")


def test_devices_ring_in_the_order_that_the_person_wants() -> None:
    """F4."""
    devices = "devices: {desk: {kind: fixed, secret: x}, gsm: {kind: mobile, secret: x}}"
    desk = variant(devices, f"rings: [desk, {{gsm: 10s}}]\n    {devices}")
    decision = desk.outside("+3242200124")
    assert decision.target == RingPerson("paul", ("204-desk",), ((10.0, ("204-gsm",)),))
    assert decision.because[-1].text == "Paul Servais: desk rings, gsm after 10 s"
    assert decision.because[-1].french == "Paul Servais : desk sonne, gsm après 10 s"
    only = variant(devices, f"rings: gsm\n    {devices}")
    assert only.outside("+3242200124").target == RingPerson("paul", ("204-gsm",))
    both = variant(devices, f"rings: all\n    {devices}")
    assert both.outside("+3242200124").target == RingPerson("paul", ("204-desk", "204-gsm"))
    # Whoever is forwarded to is rung in their own order, too.
    assert str(desk.outside("+3242200127").target) == "paul"
    assert desk.outside("+3242200127").target == decision.target


@pytest.mark.parametrize(
    ("heir", "target", "asked"),
    [
        ("lea", "reception", []),  # she has left too, and names nobody
        ("isabelle", "voicemail", ["isabelle"]),  # who has no phone: her mailbox
        ("jean", "voicemail", []),  # himself
        ("paul", "paul", ["paul"]),
    ],
)
def test_successors_of_successors(heir: str, target: str, asked: list[str]) -> None:
    """S5, F5: somebody always answers."""
    desk = variant("successor: paul", f"successor: {heir}")
    decision = desk.outside("+3242200127")
    assert str(decision.target) == target
    assert [weighed.person for weighed in decision.weighed] == asked
    assert clauses(decision)[0] == ("S3" if heir == "jean" else "S5")


@pytest.mark.parametrize(("at", "left"), [("2026-10-01T00:00", True), ("2026-09-30T23:59:59", False)])
def test_a_person_leaves_at_the_end_of_their_last_day(desk: Desk, at: str, left: bool) -> None:
    """S5: in the company's time zone."""
    assert (clauses(desk.outside("+3242200127", at))[0] == "S5") is left


def test_a_number_of_the_company_as_a_target_stays_inside() -> None:
    """S3: it does not go out by the trunk and come in again."""
    desk = variant('number: "+3243334455"', 'number: "+3242200121"')
    decision = desk.person("paul", "403", lines={"eva": ON_CALL})
    assert (decision.action, str(decision.target)) == (Action.FORWARD, "claire")
    assert decision.shown_number == "204"
    desk = variant('number: "+3243334455"', 'number: "+3242200100"')
    assert str(desk.person("paul", "403", lines={"eva": ON_CALL}).target) == "reception"


def test_no_answer_busy_and_unreachable_have_reasons_of_their_own(desk: Desk) -> None:
    """G5."""
    texts = {}
    for outcome in OF_A_PHONE:
        reason = desk.outside("+3242200124", tried={"paul": outcome}).because[0]
        assert reason.rule == "answer"
        assert reason.french
        texts[outcome] = reason.text
    assert texts == {
        Outcome.NO_ANSWER: "no answer within 20 s → voicemail",
        Outcome.BUSY: "the phone says busy: on a call → voicemail",
        Outcome.REJECTED: "call rejected → voicemail",
        Outcome.UNREACHABLE: "no phone can be reached → voicemail",
    }
    assert desk.outside("+3242200124", lines={"paul": LineState.UNREGISTERED}).because[0].rule == "line"


def test_a_schedule_is_explained_in_both_languages(desk: Desk) -> None:
    """M4, M5, R4: in French by what callers hear, the role's own words first."""
    (lunch, treatment) = desk.outside("+3242200124", "2026-11-24T12:30").because
    assert lunch.text == "lunch 12:00–13:00, en_semaine"  # noqa: RUF001 (typography)
    assert lunch.french == "« En pause déjeuner » 12:00–13:00, en_semaine"  # noqa: RUF001 (typography)
    assert (treatment.text, treatment.french) == ("absent → voicemail", "en son absence → voicemail")
    assert desk.outside("+3242200121", "2026-11-24T18:00").because[0].french.startswith("« Parti pour la journée »")
