"""Which number is shown when several rules name one (G1, P4, S4): the levels, and codes that hold for one call."""

from __future__ import annotations

import pytest

from router.model.decision import (
    Action,
    Connection,
    Decision,
    DialNumber,
    Facts,
    LineState,
    Origin,
    SelectedBy,
    Selection,
    Weighed,
)
from router.policy import Policy, decide
from tests.policy.company import COMPANY, CUSTOMER, MAIN, Desk, clauses, configuration, moment

CODES = """\
codes:
  hide_number: "*31"
  show: {"*32": main_number, "*33": personal_mobile, "*34": team_number, "*35": "+3242200155"}
"""
ON_SITE, OF_THOMAS, OF_SOFTPHONES = "+3242200110", "+3242200111", "+3242200112"
OF_THE_COMPANY = "+3242200113"
LEVELS = {
    "profile": (
        "  meeting: {kind: busy_other}\n",
        f'  meeting: {{kind: busy_other}}\n  on_site: {{kind: available, shows: "{ON_SITE}"}}\n',
    ),
    "person": ("    name: Thomas Hardy\n", f'    name: Thomas Hardy\n    shows: "{OF_THOMAS}"\n'),
    "connection": ("pbxs:\n", f'connections: {{softphone: "{OF_SOFTPHONES}"}}\npbxs:\n'),
    "company": ("  country: BE\n", f'  country: BE\n  shows: "{OF_THE_COMPANY}"\n'),
}


def desk_with(*changes: tuple[str, str], text: str = COMPANY + CODES) -> Desk:
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    return Desk(configuration(text).policy)


@pytest.fixture(scope="module")
def coded() -> Desk:
    return desk_with()


def from_softphone(desk: Desk, dialled: str = CUSTOMER, profile: str | None = None) -> Decision:
    return desk.person(
        "thomas", dialled, connection=Connection.SOFTPHONE, profiles={"thomas": profile} if profile else None
    )


def why(decision: Decision) -> list[str]:
    """What is said of the alternatives that did not apply."""
    return [reason.text for reason in decision.rejected]


def test_the_stronger_level_wins() -> None:
    """G1: emergency, choice for this call, profile, person, role, connection type, company: one after the other."""
    desk = desk_with(*LEVELS.values())
    assert from_softphone(desk, "112", "on_site").shown_number == "+3242200131"
    assert from_softphone(desk, f"*32{CUSTOMER}", "on_site").shown_number == MAIN
    assert from_softphone(desk, profile="on_site").shown_number == ON_SITE
    assert from_softphone(desk).shown_number == OF_THOMAS
    without_person = desk_with(LEVELS["profile"], LEVELS["connection"], LEVELS["company"])
    assert from_softphone(without_person).shown_number == "+3242200160"
    role = ("    shows: team_number\n", "")
    inherited = ("    shows: {fixed: direct_number, mobile: main_number}\n", "")
    without_role = desk_with(role, inherited, LEVELS["connection"], LEVELS["company"])
    assert from_softphone(without_role).shown_number == OF_SOFTPHONES
    without_direct_number = ('    direct_number: "+3242200131"\n', "")
    assert (
        from_softphone(desk_with(role, inherited, without_direct_number, LEVELS["company"])).shown_number
        == OF_THE_COMPANY
    )
    assert from_softphone(desk_with(role, inherited, without_direct_number)).shown_number == MAIN


def test_a_softphone_is_like_a_fixed_line_on_every_level() -> None:
    """G1: `fixed:` speaks for softphones as well, unless `softphone:` does."""
    change = ("  meeting: {kind: busy_other}\n", '  meeting: {kind: busy_other, shows: {fixed: "+3242200110"}}\n')
    assert from_softphone(desk_with(change), profile="meeting").shown_number == ON_SITE


def test_weaker_levels_that_say_otherwise_are_known() -> None:
    """G1: the nearest of each level, with its place; not the usual rules, and not what a role inherits."""
    policy: Policy = desk_with(*LEVELS.values()).policy
    outranked = policy.people["thomas"].shows[Connection.SOFTPHONE].outranked
    assert [reason.text for reason in outranked] == [
        "a softphone shows team number",
        f"a softphone shows {OF_SOFTPHONES}",
        f"a softphone shows {OF_THE_COMPANY}",
    ]
    assert all(reason.source for reason in outranked)
    assert desk_with().policy.people["claire"].shows[Connection.FIXED].outranked == ()


def test_connections_speak_with_the_line_on_which_they_stand() -> None:
    """G1: a softphone's own line before the one of fixed lines, in whatever order they are written."""
    section = 'connections:\n  fixed: "+3242200114"\n  softphone: "+3242200112"\n  mobile: "+3242200115"\n'
    changes = (
        ("    shows: team_number\n", ""),
        ("    shows: {fixed: direct_number, mobile: main_number}\n", ""),
        ("pbxs:\n", f"{section}pbxs:\n"),
    )
    shows = desk_with(*changes).policy.people["thomas"].shows
    numbers = {connection: identity.number for connection, identity in shows.items()}
    assert numbers == {
        Connection.FIXED: "+3242200114",
        Connection.SOFTPHONE: OF_SOFTPHONES,
        Connection.MOBILE: "+3242200115",
        Connection.PRIVATE: "+3242200115",
    }
    lines = [
        int(shows[connection].because[0].source.partition(":")[2])
        for connection in (Connection.FIXED, Connection.SOFTPHONE)
    ]
    assert lines[1] == lines[0] + 1


def test_a_caller_of_a_pbx_whom_nobody_knows_shows_the_companys_number() -> None:
    desk = desk_with(LEVELS["company"])
    assert desk.pbx("+32475000000", CUSTOMER).shown_number == OF_THE_COMPANY
    assert desk.pbx(None, "112").shown_number == OF_THE_COMPANY


# ------------------------------------------------------------------------------------------- the profile in force (P4)


def test_a_profile_shows_its_own_number_while_it_is_in_force() -> None:
    """P4, with who selected it."""
    desk = desk_with(LEVELS["profile"])
    decision = from_softphone(desk, profile="on_site")
    assert (decision.shown_number, decision.profile) == (ON_SITE, "on_site")
    assert clauses(decision) == ["P2", "P4"]
    assert decision.because[-1].french == f"le profil « on_site » affiche le {ON_SITE}"
    assert decision.weighed == (Weighed("thomas", LineState.IDLE, "on_site", "person"),)
    assert from_softphone(desk, profile="meeting").shown_number == "+3242200160"


def test_a_profile_of_the_schedule_shows_its_own_number() -> None:
    """P4, M4: [12:00, 13:00)."""
    change = ("says: {fr: En pause déjeuner}", "says: {fr: En pause déjeuner}, shows: main_number")
    desk = desk_with(change)
    shown = [
        desk.person("paul", CUSTOMER, f"2026-11-24T{time}").shown_number
        for time in ("11:59:59", "12:00", "12:59:59", "13:00")
    ]
    assert shown == ["+3242200124", MAIN, MAIN, "+3242200124"]


def test_a_selection_that_is_over_shows_nothing_any_more() -> None:
    """P4, P2."""
    policy = desk_with(LEVELS["profile"]).policy
    noon = moment("2026-11-24T12:00")
    selection = Selection("thomas", "on_site", SelectedBy.PERSON, noon - 3600, noon)

    facts = Facts(Origin.PERSON, "301", CUSTOMER, "thomas", Connection.SOFTPHONE, selections={"thomas": (selection,)})
    assert decide(facts, policy, noon - 0.001).shown_number == ON_SITE
    assert decide(facts, policy, noon).shown_number == "+3242200160"


def test_a_profile_whose_number_may_not_be_shown_gives_way() -> None:
    """P4, S4, R1: Marc's mobile is not the company's; his own level speaks, and the reason is given."""
    desk = desk_with(("  meeting: {kind: busy_other}\n", "  meeting: {kind: busy_other, shows: personal_mobile}\n"))
    decision = desk.person("marc", CUSTOMER, profiles={"marc": "meeting"})
    assert decision.shown_number == "+3242200122"
    assert why(decision)[0] == "meeting shows personal mobile: +32470999999 is not a number of the company"


def test_a_profile_that_shows_nothing_for_a_mobile_leaves_it_alone() -> None:
    """P4."""
    desk = desk_with(
        ("  meeting: {kind: busy_other}\n", "  meeting: {kind: busy_other, shows: {fixed: main_number}}\n")
    )
    fixed, mobile = (
        desk.person("claire", CUSTOMER, connection=connection, profiles={"claire": "meeting"}).shown_number
        for connection in (Connection.FIXED, Connection.MOBILE)
    )
    assert (fixed, mobile) == (MAIN, "+32470555012")


def test_without_such_a_profile_nobody_is_weighed(desk: Desk) -> None:
    assert desk.person("thomas", CUSTOMER, profiles={"thomas": "meeting"}).weighed == ()


# -------------------------------------------------------------------------------------- the choice for one call (G1)


@pytest.mark.parametrize("dialled", [CUSTOMER, "0475111222", "0032475111222"])
def test_a_number_hidden_for_one_call(coded: Desk, dialled: str) -> None:
    """G1: the trunk still gets a number that is ours, with the wish for privacy."""
    decision = coded.person("paul", f"*31{dialled}")
    assert (decision.action, decision.target) == (Action.DIAL, DialNumber(CUSTOMER))
    assert (decision.shown_number, decision.withhold) == ("+3242200124", True)
    assert [(reason.clause, reason.rule) for reason in decision.because] == [
        ("G1", "code"),
        ("", "dialled"),
        ("F1", "identity"),
    ]
    assert decision.because[0].french == "*31 : le numéro est masqué pour cet appel"


def test_a_number_hidden_from_a_colleague(coded: Desk) -> None:
    decision = coded.person("paul", "*31201")
    assert (str(decision.target), decision.shown_number, decision.withhold) == ("claire", None, True)


@pytest.mark.parametrize(
    ("person", "code", "shown"),
    [
        ("claire", "*32", MAIN),
        ("claire", "*33", "+32470555012"),
        ("thomas", "*34", "+3242200160"),
        ("thomas", "*35", "+3242200155"),
    ],
)
def test_another_number_for_one_call(coded: Desk, person: str, code: str, shown: str) -> None:
    """G1."""
    decision = coded.person(person, f"{code}0475111222")
    assert (decision.target, decision.shown_number, decision.withhold) == (DialNumber(CUSTOMER), shown, False)
    assert clauses(decision) == ["G1"]


@pytest.mark.parametrize(
    ("person", "code", "shown", "reason"),
    [
        ("marc", "*33", "+3242200122", "+32470999999 is not a number of the company"),
        ("nadia", "*33", MAIN, "+32470555014 is held by paul"),
        ("paul", "*33", "+3242200124", "there is none"),
        ("paul", "*34", "+3242200124", "there is none"),
    ],
)
def test_a_chosen_number_that_may_not_be_shown_gives_way(
    coded: Desk, person: str, code: str, shown: str, reason: str
) -> None:
    """G1, S4: the call goes out as without the code, and says why."""
    decision = coded.person(person, f"{code}{CUSTOMER}")
    assert (decision.action, decision.shown_number) == (Action.DIAL, shown)
    assert (decision.rejected[0].clause, decision.rejected[0].rule) == ("G1", "code")
    assert why(decision)[0].endswith(reason)


@pytest.mark.parametrize("code", ["*31", "*32", "*33"])
@pytest.mark.parametrize("number", ["112", "100"])
def test_an_emergency_call_after_a_code(coded: Desk, code: str, number: str) -> None:
    """G1: unmodified digits, own number, not withheld."""
    for decision in (coded.person("paul", code + number), coded.pbx("501", code + number)):
        assert (decision.action, decision.target) == (Action.EMERGENCY, DialNumber(number))
        assert not decision.withhold
        assert why(decision) == [f"{code} has no effect on an emergency call"]
    assert coded.person("paul", code + number).shown_number == "+3242200124"


def test_a_code_before_an_extension_shows_the_extension(coded: Desk) -> None:
    decision = coded.person("paul", "*32201")
    assert (str(decision.target), decision.shown_number) == ("claire", "204")
    assert why(decision)[0] == "*32 has no effect inside: colleagues see the extension"


@pytest.mark.parametrize("dialled", ["*31", "*32", "*31*21", "*31*32" + CUSTOMER, "*31299", "*3", "**31" + CUSTOMER])
def test_a_code_before_no_number_is_refused(coded: Desk, dialled: str) -> None:
    assert (coded.person("paul", dialled).action, coded.person("paul", dialled).status) == (Action.REFUSE, 404)


def test_a_code_does_not_get_past_the_greylist(coded: Desk) -> None:
    """X2."""
    for code in ("*31", "*32"):
        decision = coded.person("paul", f"{code}0088161234567")
        assert (decision.status, clauses(decision)[-1]) == (403, "X2")


@pytest.mark.parametrize("code", ["*31", "*32"])
def test_codes_are_for_people_of_the_company(coded: Desk, code: str) -> None:
    """A caller from outside dials none."""
    for number in (MAIN, "112", CUSTOMER):
        assert coded.outside(code + number).status == 404


def test_codes_of_a_pbx_that_names_nobody(coded: Desk) -> None:
    assert coded.pbx(None, f"*31{CUSTOMER}").withhold
    assert coded.pbx("+3242200177", f"*35{CUSTOMER}").shown_number == "+3242200155"
    assert coded.pbx("+3242200177", f"*33{CUSTOMER}").shown_number == "+3242200177"
    assert coded.pbx("501", f"*32{CUSTOMER}").shown_number == MAIN


# ------------------------------------------------------------------------------------------------- callers from outside


def test_a_caller_on_the_greylist_is_not_let_in() -> None:
    """G9: only by prefixes that are for callers as well; the emergency number still is one."""
    desk = desk_with(("greylist:\n", 'greylist:\n  inbound: ["+33899"]\n'))
    decision = desk.outside("+3242200121", caller="0033899123456")
    assert (decision.action, decision.status, clauses(decision)) == (Action.REFUSE, 403, ["G9"])
    assert decision.because[-1].rule == "greylist"
    assert desk.outside("112", caller="+33899123456").action is Action.EMERGENCY
    for caller in ("+33142000000", "+88161234567", None, "anonymous"):
        assert desk.outside("+3242200121", caller=caller).action is Action.RING
