"""What people may call and what is shown: M1, F1, R1, R5, S2, S4, G1, X2, emergency calls, dialling."""

from __future__ import annotations

import pytest

from router.model.decision import Action, Connection, DialNumber
from router.policy.dialling import PLANS
from router.policy.emergency import PACKS
from tests.policy.company import COMPANY, CUSTOMER, MAIN, Desk, clauses, configuration


@pytest.mark.parametrize(
    ("clause", "person", "connection", "shown", "name"),
    [
        ("F1", "paul", Connection.FIXED, "+3242200124", "Paul Servais"),
        ("F1", "paul", Connection.SOFTPHONE, "+3242200124", "Paul Servais"),
        ("M1", "paul", Connection.MOBILE, MAIN, "Atelier de la Meuse"),
        ("M1", "paul", Connection.PRIVATE, MAIN, "Atelier de la Meuse"),
        ("R1", "claire", Connection.FIXED, "+32470555012", "Claire Dubois"),
        ("R1", "claire", Connection.MOBILE, "+32470555012", "Claire Dubois"),
        ("R5", "thomas", Connection.SOFTPHONE, "+3242200160", "Service Technique"),
    ],
)
def test_shown_number(desk: Desk, clause: str, person: str, connection: Connection, shown: str, name: str) -> None:
    decision = desk.person(person, CUSTOMER, connection=connection)
    assert (decision.action, decision.target) == (Action.DIAL, DialNumber(CUSTOMER))
    assert (decision.shown_number, decision.shown_name) == (shown, name)
    assert clauses(decision) == [clause]


def test_a_mobile_that_is_not_the_companys_is_not_shown(desk: Desk) -> None:
    """R1: falls back to the next rule, and says so."""
    decision = desk.person("marc", CUSTOMER)
    assert decision.shown_number == "+3242200122"
    assert [(reason.clause, "not a number of the company" in reason.text) for reason in decision.rejected] == [
        ("R1", True)
    ]


def test_neither_somebody_elses_mobile_nor_an_unverified_number_is_shown(desk: Desk) -> None:
    """R1, S4: Nadia's mobile is held by Paul, and her direct number is not verified."""
    decision = desk.person("nadia", CUSTOMER)
    assert decision.shown_number == MAIN
    assert len(decision.rejected) == 2


def test_a_person_may_differ_from_the_role() -> None:
    """G1: person before role."""
    text = COMPANY.replace("    name: Thomas Hardy\n", "    name: Thomas Hardy\n    shows: direct_number\n")
    decision = Desk(configuration(text).policy).person("thomas", CUSTOMER, connection=Connection.SOFTPHONE)
    assert decision.shown_number == "+3242200131"


def test_colleagues_see_one_another_by_extension(desk: Desk) -> None:
    decision = desk.person("thomas", "201")
    assert (decision.action, str(decision.target)) == (Action.RING, "claire")
    assert (decision.shown_number, decision.shown_name) == ("301", "Thomas Hardy")


@pytest.mark.parametrize("dialled", ["201", "+3242200121", "042200121", "003242200121", "3242200121"])
def test_a_colleague_is_reached_inside_however_dialled(desk: Desk, dialled: str) -> None:
    assert str(desk.person("thomas", dialled).target) == "claire"


def test_withheld_numbers(desk: Desk) -> None:
    """The callee inside sees nothing; a trunk still gets a number that is ours, with the wish for privacy."""
    assert desk.outside("+3242200121", withhold=True).shown_number is None
    decision = desk.person("paul", CUSTOMER, withhold=True)
    assert (decision.shown_number, decision.withhold) == ("+3242200124", True)


@pytest.mark.parametrize("written", ["0475111222", "32475111222", "0032475111222", "+32 475 11 12 22"])
def test_a_callers_number_is_shown_inside_in_one_spelling(desk: Desk, written: str) -> None:
    assert desk.outside("+3242200121", caller=written).shown_number == CUSTOMER


@pytest.mark.parametrize("dialled", ["+3242990000", "+33142000000", "201", "1733", "", "claire", "*21"])
def test_a_caller_from_outside_never_gets_out_again(desk: Desk, dialled: str) -> None:
    """No transit: only the company's own numbers can be reached from a trunk."""
    decision = desk.outside(dialled)
    assert (decision.action, decision.status) == (Action.REFUSE, 404)


@pytest.mark.parametrize("dialled", ["299", "", "*21", "abc", "+", "0", "+00000000", "¹²³⁴⁵⁶⁷⁸⁹⁰"])
def test_what_is_no_number_is_refused(desk: Desk, dialled: str) -> None:
    decision = desk.person("paul", dialled)
    assert (decision.action, decision.status) == (Action.REFUSE, 404)


def test_a_short_number_goes_out_as_dialled(desk: Desk) -> None:
    assert desk.person("paul", "1733").target == DialNumber("1733")


@pytest.mark.parametrize(
    ("dialled", "at", "allowed"),
    [
        ("0088161234567", "2026-11-24T10:00", False),
        ("+22460000000", "2026-11-24T10:00", False),
        ("+224621222333", "2026-11-24T10:00", True),  # S8: an exception
        ("+224621122333", "2026-11-24T10:00", False),  # a longer prefix blocks again
        ("+224621222333", "2026-12-31T23:59:59", True),
        ("+224621222333", "2027-01-01T00:00:00", False),  # S8: expired
        ("+22512345678", "2026-11-24T10:00", True),
    ],
)
def test_greylist(desk: Desk, dialled: str, at: str, allowed: bool) -> None:
    """X2."""
    decision = desk.person("paul", dialled, at)
    if allowed:
        assert decision.action is Action.DIAL
        assert ("S8" in clauses(decision)) is dialled.startswith("+224")
    else:
        assert (decision.action, decision.status, clauses(decision)) == (Action.REFUSE, 403, ["X2"])
        assert decision.because[-1].source == "company.yaml:" + str(
            COMPANY.splitlines().index('  prefixes: ["+881", "+224", "+2246211"]') + 1
        )


@pytest.mark.parametrize("number", ["112", "100", "101"])
def test_emergency_calls_show_the_callers_own_number(desk: Desk, number: str) -> None:
    """G1: whatever the role shows; a mobile's user is called back on the direct number."""
    for person, shown in (("thomas", "+3242200131"), ("claire", "+3242200121"), ("nadia", MAIN)):
        decision = desk.person(person, number, connection=Connection.MOBILE, withhold=True)
        assert (decision.action, decision.target) == (Action.EMERGENCY, DialNumber(number))
        if person != "nadia":
            assert decision.shown_number == shown
        assert not decision.withhold


def test_emergency_calls_from_a_pbx_that_names_nobody(desk: Desk) -> None:
    decision = desk.pbx(None, "112")
    assert (decision.action, decision.target, decision.shown_number) == (Action.EMERGENCY, DialNumber("112"), MAIN)


def test_emergency_calls_leave_even_when_everything_is_greylisted() -> None:
    """X2: never an emergency number."""
    text = COMPANY.replace('["+881", "+224", "+2246211"]', '["+1", "+2", "+3", "+4", "+5", "+6", "+7", "+8", "+9"]')
    assert Desk(configuration(text).policy).person("paul", "112").action is Action.EMERGENCY


def test_the_french_pack() -> None:
    """The list of Arcep; 116117 is dialled as it is."""
    text = COMPANY.replace("country: BE", "country: FR")
    desk = Desk(configuration(text).policy)
    for number in ("15", "17", "18", "112", "114", "115", "119", "116000", "116117", "191", "196", "197"):
        assert desk.person("paul", number).target == DialNumber(number)
    assert desk.person("paul", "101").action is Action.REFUSE


def test_every_country_has_emergency_numbers_and_a_source() -> None:
    assert set(PACKS) == set(PLANS)
    for pack in PACKS.values():
        assert "112" in pack.numbers
        assert pack.source


@pytest.mark.parametrize(
    ("caller", "shown"),
    [
        ("+3242200151", "+3242200151"),  # F1: Pia's direct number
        ("501", "+3242200151"),
        ("042200151", "+3242200151"),
        ("+32470777777", MAIN),  # M1: her mobile
        ("+3242200177", "+3242200177"),  # nobody's, but ours and verified
        ("+3242200195", MAIN),  # ours, not verified
        ("+32475000000", MAIN),  # S4: not ours
        (None, MAIN),
    ],
)
def test_what_a_pbx_presents_is_checked(desk: Desk, caller: str | None, shown: str) -> None:
    decision = desk.pbx(caller, "0475111222")
    assert (decision.target, decision.shown_number) == (DialNumber(CUSTOMER), shown)


@pytest.mark.parametrize(
    ("country", "dialled", "number"),
    [
        ("GB", "442079460123", "+442079460123"),  # as PBXs write it
        ("GB", "02079460123", "+442079460123"),
        ("GB", "00442079460123", "+442079460123"),
        ("GB", "+44 (0)20 7946 0123", "+442079460123"),
        ("GB", "2079460123", "+2079460123"),
        ("BE", "042200121", "+3242200121"),
        ("BE", "0475/11.12.22", "+32475111222"),
        ("BE", "0042200121", "+42200121"),
        ("BE", "42200121", None),  # a national number has its 0
        ("FR", "0142000000", "+33142000000"),
        ("FR", "014200000", None),  # a digit short
        ("LU", "26123456", "+35226123456"),
        ("LU", "35226123456", "+35226123456"),
        ("ES", "912345678", "+34912345678"),
        ("ES", "34912345678", "+34912345678"),
        ("DE", "030 123456", "+4930123456"),
        ("NL", "0201234567", "+31201234567"),
        ("AT", "01000", "+431000"),  # shorter than any number of another country
        ("AT", "+431000", "+431000"),
        ("BE", "+431000", None),
        ("BE", "+1234567890123456", None),  # E.164 has 15 digits
        ("BE", "112", None),
    ],
)
def test_dialling(country: str, dialled: str, number: str | None) -> None:
    assert PLANS[country].normalise(dialled) == number


def test_numbers_are_written_nationally() -> None:
    plan = PLANS["BE"]
    assert plan.national("+3242200121") == "042200121"
    assert plan.national("+33142000000") == "0033142000000"
    assert plan.national("112") == "112"
