"""Codes by which people say when and how they are reached (P2, R8, R9)."""

from __future__ import annotations

from datetime import datetime
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.model.decision import Action, Decision, Feature, FeatureKind, OpenMailbox, SelectedBy, Selection
from router.policy.codes import next_time
from router.policy.selecting import may_select, problem_with, usual_end
from tests.policy.company import BRUSSELS, COMPANY, CUSTOMER, TUESDAY_MORNING, Desk, configuration, moment

TEXT = (
    COMPANY.replace(
        """\
  lunch: {kind: absent, says: {fr: En pause déjeuner}}
  meeting: {kind: busy_other}
""",
        """\
  lunch: {kind: absent, says: {fr: En pause déjeuner}, code: "*22", ends_after: 1h}
  meeting: {kind: busy_other, says: {fr: En réunion}, code: "*21"}
  in_class: {kind: busy_other, code: "*23", roles: [technical]}
  holiday: {kind: absent, code: "*24"}
""",
    )
    .replace(
        "    shows: {fixed: direct_number, mobile: main_number}\n",
        """\
    shows: {fixed: direct_number, mobile: main_number}
    may: {profiles: [lunch, meeting, in_class], forward_to: [inside, own_mobile], for_at_most: 8h}
""",
    )
    .replace("    name: Paul Servais\n", "    name: Paul Servais\n    may: {forward_to: [outside, reception]}\n")
    + """\
codes: {back: "*20"}
"""
)
POLICY = configuration(TEXT).policy
NOW = moment(TUESDAY_MORNING)


@pytest.fixture(scope="module")
def coded() -> Desk:
    return Desk(POLICY)


def selects(decision: Decision) -> tuple[str, str, str, str]:
    """Person, profile, end on the clock of Brussels, and where calls go meanwhile."""
    assert decision.action is Action.FEATURE
    assert decision.target is None
    feature = decision.feature
    assert feature is not None
    assert feature.kind is FeatureKind.SELECT
    until = datetime.fromtimestamp(feature.until, BRUSSELS).strftime("%m-%d %H:%M") if feature.until else ""
    return feature.person, feature.profile, until, feature.forward


def refused(decision: Decision) -> tuple[int, str, str]:
    """Status, clause and why."""
    assert decision.action is Action.REFUSE
    return decision.status, decision.because[-1].clause, decision.because[-1].text


@pytest.mark.parametrize(
    ("dialled", "profile", "until", "forward"),
    [
        ("*21", "meeting", "11-24 18:15", ""),  # R8: eight hours at most
        ("*21#", "meeting", "11-24 18:15", ""),
        ("*22", "lunch", "11-24 11:15", ""),  # as long as lunch usually lasts
        ("*21*1530", "meeting", "11-24 15:30", ""),
        ("*21*1530#", "meeting", "11-24 15:30", ""),
        ("*22*1800", "lunch", "11-24 18:00", ""),
        ("*21*1530*202", "meeting", "11-24 15:30", "marc"),
        ("*21*1530*202#", "meeting", "11-24 15:30", "marc"),
        ("*21**202", "meeting", "11-24 18:15", "marc"),
        ("*21**042200122", "meeting", "11-24 18:15", "marc"),  # his direct number
        ("*21**+3242200122", "meeting", "11-24 18:15", "marc"),
        ("*21**0470555012", "meeting", "11-24 18:15", "+32470555012"),  # her own mobile
        ("*21**042200160", "meeting", "11-24 18:15", "+3242200160"),  # the team
        ("*21**0470555014", "meeting", "11-24 18:15", "+32470555014"),  # a colleague's mobile, the company's
    ],
)
def test_a_code_selects_a_profile(coded: Desk, dialled: str, profile: str, until: str, forward: str) -> None:
    """P2, R8."""
    assert selects(coded.person("claire", dialled)) == ("claire", profile, until, forward)


def test_a_code_without_an_end_holds_until_it_is_changed() -> None:
    """P2: where neither the profile nor the person's limits name an end."""
    desk = Desk(configuration(TEXT.replace(", for_at_most: 8h", "")).policy)
    decision = desk.person("claire", "*21")
    assert selects(decision) == ("claire", "meeting", "", "")
    assert decision.because[-1].text == "*21: Claire Dubois selects meeting"


def test_a_code_says_what_it_does(coded: Desk) -> None:
    decision = coded.person("claire", "*21*1530*202")
    (reason,) = decision.because
    assert (reason.clause, reason.rule) == ("P2", "code")
    assert reason.text == "*21: Claire Dubois selects meeting until 15:30, calls go to Marc Lejeune"
    assert reason.french == (
        "*21 : Claire Dubois choisit le profil « En réunion » jusqu'à 15:30, appels renvoyés vers Marc Lejeune"
    )
    assert reason.source == f"company.yaml:{_line('*21')}"
    assert decision.person == "claire"


def _line(part: str) -> int:
    return next(number for number, line in enumerate(TEXT.splitlines(), 1) if part in line)


def test_a_time_that_is_over_today_means_tomorrow(coded: Desk) -> None:
    assert refused(coded.person("claire", "*21*0930"))[1] == "R8"  # more than eight hours from 10:15
    assert selects(coded.person("claire", "*21*0100", "2026-11-24T23:00"))[2] == "11-25 01:00"
    assert selects(coded.person("claire", "*21*2400", "2026-11-24T23:00"))[2] == "11-25 00:00"
    assert selects(coded.person("claire", "*21*0000", "2026-11-24T23:00"))[2] == "11-25 00:00"
    assert selects(coded.person("claire", "*21*2300", "2026-11-24T22:59:59"))[2] == "11-24 23:00"


@pytest.mark.parametrize(
    "dialled",
    ["*21*", "*21*99", "*21*2401", "*21*1260", "*21*15h0", "*21*¹²³⁰", "*21**", "*21*1530*202*1", "*21**99999"],
)
def test_what_cannot_be_read_is_refused(coded: Desk, dialled: str) -> None:
    """Nothing is selected by a slip; the reason says how it is dialled."""
    status, _, text = refused(coded.person("claire", dialled))
    assert status == 404
    assert "*1530" in text or "extension" in text


@pytest.mark.parametrize("dialled", ["*2", "*211", "*21x", "**21", "*20*1530"])
def test_what_only_resembles_a_code_is_none(coded: Desk, dialled: str) -> None:
    assert refused(coded.person("claire", dialled))[0] == 404


@pytest.mark.parametrize("dialled", ["*20", "*20#"])
def test_a_code_takes_the_selection_back(coded: Desk, dialled: str) -> None:
    """P2."""
    decision = coded.person("claire", dialled)
    assert decision.action is Action.FEATURE
    assert decision.feature == Feature(FeatureKind.RETURN, "claire")


@pytest.mark.parametrize(
    ("person", "dialled", "clause", "text"),
    [
        ("claire", "*24", "R8", "Claire Dubois may not select holiday, only: in_class, lunch, meeting"),
        ("claire", "*23", "R9", "in_class is for technical, and Claire Dubois is sales"),
        ("claire", "*21*1816", "R8", "Claire Dubois may select a profile for 8 h at most"),
        ("claire", "*21**0475111222", "R8", f"Claire Dubois may not forward calls to {CUSTOMER}"),
        ("claire", "*21**201", "R8", "calls to Claire Dubois would be forwarded to Claire Dubois"),
        (
            "paul",
            "*21**201",
            "R8",
            "Paul Servais may not forward calls to Claire Dubois",
        ),  # only outside and to reception
        ("paul", "*21**0088161234567", "X2", "+881 is on the greylist"),
    ],
)
def test_limits_within_which_people_choose(coded: Desk, person: str, dialled: str, clause: str, text: str) -> None:
    """R8, R9: refused with the reason, which is given in French as well."""
    decision = coded.person(person, dialled)
    assert refused(decision) == (403, clause, text)
    assert decision.because[-1].french
    assert decision.because[-1].source or clause == "R8"


def test_profiles_for_a_group(coded: Desk) -> None:
    """R9: Thomas teaches; whoever inherits from his role does too."""
    assert selects(coded.person("thomas", "*23"))[1] == "in_class"
    text = TEXT.replace("    role: technical\n", "    role: apprentice\n").replace(
        "people:\n", "  apprentice: {based_on: technical}\npeople:\n", 1
    )
    assert selects(Desk(configuration(text).policy).person("thomas", "*23"))[1] == "in_class"


def test_a_person_may_differ_from_the_role(coded: Desk) -> None:
    """R8: key by key; Paul forwards outside, and for eight hours at most like everybody."""
    assert selects(coded.person("paul", "*21**0475111222")) == ("paul", "meeting", "11-24 18:15", CUSTOMER)


def test_codes_are_for_people_of_the_company(coded: Desk) -> None:
    """A caller from outside dials none; somebody at a PBX does, when the PBX says who."""
    assert coded.outside("*21", caller="+3242200121").status == 404
    assert selects(coded.pbx("501", "*21"))[0] == "pia"
    assert selects(coded.pbx("+3242200151", "*21"))[0] == "pia"
    assert refused(coded.pbx("+32475000000", "*21"))[:2] == (403, "P2")
    assert refused(coded.pbx(None, "*20"))[:2] == (403, "P2")


def test_without_codes_nothing_is_one(desk: Desk) -> None:
    assert refused(desk.person("paul", "*21"))[0] == 404


# ------------------------------------------------------------------------------------- what may be selected, by whom


def selection(person: str, profile: str, by: SelectedBy = SelectedBy.PERSON, **rest: object) -> Selection:
    given = {"since": NOW, "until": NOW + 3600, **rest}
    return Selection(person, profile, by, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize("by", [SelectedBy.ADMINISTRATOR, SelectedBy.CALENDAR])
def test_only_peoples_own_choices_are_limited(by: SelectedBy) -> None:
    """R8; a profile for a group stays one (R9)."""
    assert problem_with(selection("claire", "holiday"), POLICY, NOW) is not None
    assert problem_with(selection("claire", "holiday", by), POLICY, NOW) is None
    assert problem_with(selection("claire", "meeting", by, until=None), POLICY, NOW) is None
    assert problem_with(selection("claire", "meeting", by, forward=CUSTOMER), POLICY, NOW) is None
    found = problem_with(selection("claire", "in_class", by), POLICY, NOW)
    assert found is not None
    assert found.clause == "R9"


@pytest.mark.parametrize("by", SelectedBy)
@pytest.mark.parametrize(
    ("change", "clause"),
    [
        ({"person": "nobody"}, "P2"),
        ({"profile": "none"}, "P2"),
        ({"until": NOW}, "P2"),
        ({"since": NOW + 60, "until": NOW + 60}, "P2"),
        ({"forward": "nowhere"}, "R8"),
        ({"forward": "042200122"}, "R8"),
        ({"forward": "claire"}, "R8"),
        ({"forward": "+3242200121"}, "R8"),
        ({"forward": "+88161234567"}, "X2"),
    ],
)
def test_what_nobody_may_select(by: SelectedBy, change: dict[str, object], clause: str) -> None:
    found = problem_with(selection("claire", "meeting", by)._replace(**change), POLICY, NOW)  # type: ignore[arg-type]
    assert found is not None
    assert found.clause == clause
    assert found.french


def test_a_selection_lasts_no_longer_than_allowed() -> None:
    """R8: exactly as long is allowed, and what is dialled without an end ends by then."""
    claire, lunch, meeting = POLICY.people["claire"], POLICY.profiles["lunch"], POLICY.profiles["meeting"]
    assert usual_end(claire, lunch, NOW) == NOW + 3600
    assert usual_end(claire, meeting, NOW) == NOW + 8 * 3600
    assert problem_with(selection("claire", "meeting", until=NOW + 8 * 3600), POLICY, NOW) is None
    assert problem_with(selection("claire", "meeting", until=NOW + 8 * 3600 + 1), POLICY, NOW) is not None
    assert problem_with(selection("claire", "meeting", until=None), POLICY, NOW) is not None


def test_a_target_by_name() -> None:
    """R8."""
    assert problem_with(selection("paul", "meeting", forward="reception"), POLICY, NOW) is None
    assert problem_with(selection("paul", "meeting", forward="voicemail"), POLICY, NOW) is not None
    assert problem_with(selection("claire", "meeting", forward="reception"), POLICY, NOW) is not None


def test_which_profiles_may_be_selected() -> None:
    """R8, R9."""
    allowed = {name for name, profile in POLICY.profiles.items() if may_select(POLICY.people["claire"], profile)}
    assert allowed == {"lunch", "meeting"}


# -------------------------------------------------------------------------------------------------------- clock times


@pytest.mark.parametrize(
    ("now", "written", "until"),
    [
        ("2026-11-24T15:29:59", (15, 30), "2026-11-24T15:30:00+01:00"),
        ("2026-11-24T15:30:00", (15, 30), "2026-11-25T15:30:00+01:00"),
        ("2026-12-31T18:00", (8, 0), "2027-01-01T08:00:00+01:00"),
        ("2026-03-28T12:00", (8, 0), "2026-03-29T08:00:00+02:00"),  # the night in between is an hour shorter
        ("2026-10-24T12:00", (8, 0), "2026-10-25T08:00:00+01:00"),
        ("2026-03-29T01:00", (2, 30), "2026-03-29T03:30:00+02:00"),  # 02:30 does not exist
        ("2026-03-29T03:40:00+02:00", (2, 30), "2026-03-30T02:30:00+02:00"),
        ("2026-10-25T01:00", (2, 30), "2026-10-25T02:30:00+02:00"),  # 02:30 comes twice
        ("2026-10-25T02:40:00+02:00", (2, 30), "2026-10-25T02:30:00+01:00"),
        ("2026-10-25T02:40:00+01:00", (2, 30), "2026-10-26T02:30:00+01:00"),
    ],
)
def test_the_next_time_on_the_clock(now: str, written: tuple[int, int], until: str) -> None:
    """P2, G6: across daylight-saving changes, too."""
    found = next_time(moment(now), written[0] * 60 + written[1], BRUSSELS)
    assert datetime.fromtimestamp(found, BRUSSELS).isoformat() == until


@given(st.floats(min_value=moment("2026-01-01T00:00"), max_value=moment("2028-01-01T00:00")), st.integers(0, 24 * 60))
def test_the_next_time_is_soon(now: float, minute: int) -> None:
    """P2: after now, and not later than the same time tomorrow."""
    found = next_time(now, minute, BRUSSELS)
    assert now < found <= now + 25 * 3600 + 1800


def test_ends_come_in_order() -> None:
    """P2: who dials later never ends earlier, through a whole night with a change of the clock."""
    for night in ("2026-03-28T20:00", "2026-10-24T20:00"):
        ends = [next_time(moment(night) + 600 * step, 150, BRUSSELS) for step in range(24 * 6)]
        assert all(earlier <= later for earlier, later in pairwise(ends))


MAILBOXES = configuration(
    TEXT.replace('codes: {back: "*20"}', 'codes: {back: "*20", mailbox: "*97"}').replace(
        "targets:\n", 'targets:\n  own_voicemail: {mailbox: "{person}"}\n'
    )
    + 'mailboxes: {sales: {name: Service Commercial, people: [role:sales, paul], code: "*98"}}\n'
).policy


@pytest.mark.parametrize(
    ("person", "dialled", "mailbox", "text", "french"),
    [
        ("claire", "*97", "claire", "*97: Claire Dubois opens their own mailbox", "ouvre sa messagerie"),
        ("claire", "*97#", "claire", "*97: Claire Dubois opens their own mailbox", "ouvre sa messagerie"),
        ("paul", "*98", "sales", "opens the mailbox Service Commercial", "ouvre la messagerie « Service Commercial »"),
        (
            "claire",
            "*98",
            "sales",
            "opens the mailbox Service Commercial",
            "ouvre la messagerie « Service Commercial »",
        ),
    ],
)
def test_a_code_opens_a_mailbox(person: str, dialled: str, mailbox: str, text: str, french: str) -> None:
    """V1: one's own, or one that is shared with whoever dials."""
    decision = Desk(MAILBOXES).person(person, dialled)
    assert (decision.action, decision.target) == (Action.FEATURE, OpenMailbox(mailbox))
    assert decision.feature == Feature(FeatureKind.OPEN_MAILBOX, person)
    assert decision.because[-1].clause == "V1"
    assert text in decision.because[-1].text
    assert french in decision.because[-1].french


def test_a_mailbox_opens_to_nobody_else() -> None:
    desk = Desk(MAILBOXES)
    assert refused(desk.person("thomas", "*98"))[:2] == (403, "V1")
    assert refused(desk.person("claire", "*97*203"))[0] == 404
    assert desk.outside("*97").action is Action.REFUSE
