"""Which profile counts where several are in force, and until when (G4, P2, R8, R9, S6)."""

from __future__ import annotations

from functools import cache
from itertools import permutations

import pytest

from router.model.decision import (
    Action,
    Attempt,
    Decision,
    DialAddress,
    DialNumber,
    Diversion,
    Facts,
    LineState,
    Origin,
    Outcome,
    Reason,
    SelectedBy,
    Selection,
    Weighed,
)
from router.policy import Policy, decide
from tests.policy.company import COMPANY, CUSTOMER, MAIN, TUESDAY_MORNING, clauses, configuration, moment

ADMINISTRATOR, PERSON, CALENDAR = SelectedBy.ADMINISTRATOR, SelectedBy.PERSON, SelectedBy.CALENDAR
USUAL = ["administrator", "person", "calendar", "schedule"]

# One profile for each source, told apart by where calls go.
TOLD_APART = COMPANY.replace(
    "profiles:\n",
    """\
profiles:
  from_administrator: {kind: absent, then: service_externe}
  from_person: {kind: busy_other, then: queue:sales}
  from_calendar: {kind: busy_other, then: queue:technical}
  from_schedule: {kind: absent, then: reception}
""",
).replace("{profile: lunch, calendar", "{profile: from_schedule, calendar")
TARGETS = {
    "administrator": "+3243334455",
    "person": "queue:sales",
    "calendar": "queue:technical",
    "schedule": "reception",
}
LUNCH = "2026-11-24T12:30"


@cache
def policy(text: str = COMPANY) -> Policy:
    return configuration(text).policy


def ordered(order: list[str]) -> Policy:
    """A company in which profiles count in this order."""
    return policy(TOLD_APART.replace("country: BE", f"country: BE\n  profile_order: [{', '.join(order)}]"))


def select(
    profile: str,
    by: SelectedBy = PERSON,
    until: str | None = None,
    *,
    since: str = "2026-11-01T00:00",
    person: str = "paul",
    forward: str = "",
    actor: str = "",
) -> Selection:
    return Selection(person, profile, by, moment(since), moment(until) if until else None, forward, actor)


def call(
    company: Policy,
    *selections: Selection,
    at: str = TUESDAY_MORNING,
    to: str = "+3242200124",
    line: LineState = LineState.IDLE,
    tried: dict[str, Outcome] | None = None,
) -> Decision:
    """A customer calls while somebody has selected this."""
    person = selections[0].person if selections else "paul"
    facts = Facts(
        Origin.TRUNK,
        "first",
        to,
        caller_number=CUSTOMER,
        lines={person: line},
        selections={person: selections} if selections else {},
        attempts=tuple(Attempt(who, outcome) for who, outcome in (tried or {}).items()),
    )
    return decide(facts, company, moment(at))


def reasons(reasons: tuple[Reason, ...], clause: str) -> list[str]:
    return [reason.text for reason in reasons if reason.clause == clause]


EACH = {
    "administrator": select("from_administrator", ADMINISTRATOR),
    "person": select("from_person", PERSON),
    "calendar": select("from_calendar", CALENDAR),
}


@pytest.mark.parametrize("order", [list(order) for order in permutations(USUAL)], ids="-".join)
def test_the_order_is_what_the_company_says(order: list[str]) -> None:
    """G4: whichever sources say something, the first of them counts."""
    company = ordered(order)
    assert company.profile_order == tuple(order)
    for left_out in ([], order[:1], order[:2], order[:3]):
        remaining = [source for source in order if source not in left_out]
        selections = tuple(EACH[source] for source in USUAL if source in EACH and source in remaining)
        at = LUNCH if "schedule" in remaining else TUESDAY_MORNING
        decision = call(company, *selections, at=at)
        assert str(decision.target) == TARGETS[remaining[0]]
        assert decision.profile == f"from_{remaining[0]}"
        outweighed = [reason.text.partition(":")[0] for reason in decision.rejected if reason.clause == "G4"]
        assert outweighed == remaining[1:]


def test_what_was_outweighed_is_explained() -> None:
    """G4."""
    meeting = select("meeting", CALENDAR, "2026-11-24T15:00", actor="calendar")
    decision = call(policy(), select("available", actor="phone 204"), meeting, at="2026-11-24T14:00")
    assert decision.action is Action.RING
    assert decision.because[0].text == "available, selected by phone 204"
    assert decision.because[0].french == "« disponible », choisi par le poste 204"
    (other,) = [reason for reason in decision.rejected if reason.clause == "G4"]
    assert other.text == (
        "calendar: meeting until 15:00, selected by the calendar; the person's own choice weighs more"
    )
    assert other.french == "agenda : « meeting » jusqu'à 15:00, choisi par l'agenda ; le choix de la personne l'emporte"
    assert other.rule == "profile"


@pytest.mark.parametrize(
    ("actor", "by", "until", "text", "french"),
    [
        ("phone 201", PERSON, "2026-11-24T15:00", "until 15:00, selected by phone 201", "à 15:00, choisi par le poste"),
        (
            "token reception",
            ADMINISTRATOR,
            "2026-11-26T15:00",
            "until 2026-11-26 15:00, selected by token reception",
            "jusqu'au 26/11/2026 à 15:00, choisi par le jeton reception",
        ),
        ("", PERSON, None, "meeting, selected by the person themselves", "choisi par la personne elle-même"),
        ("", ADMINISTRATOR, None, "meeting, selected by an administrator", "choisi par un administrateur"),
    ],
)
def test_a_reason_names_by_whom_and_until_when(
    actor: str, by: SelectedBy, until: str | None, text: str, french: str
) -> None:
    """P2."""
    decision = call(policy(), select("meeting", by, until, actor=actor))
    assert text in decision.because[0].text
    assert french in decision.because[0].french
    assert decision.because[0].source.startswith("company.yaml:")


def test_an_end_without_a_date_is_no_end() -> None:
    endless = select("meeting")._replace(until=1e300)
    assert call(policy(), endless).because[0].text == "meeting, selected by the person themselves"


@pytest.mark.parametrize(
    ("at", "profile"),
    [
        ("2026-11-24T13:59:59", None),
        ("2026-11-24T14:00:00", "meeting"),
        ("2026-11-24T14:59:59", "meeting"),
        ("2026-11-24T15:00:00", None),
    ],
)
def test_a_selection_is_in_force_from_its_beginning_up_to_its_end(at: str, profile: str | None) -> None:
    """G6, P2: half-open."""
    meeting = select("meeting", until="2026-11-24T15:00", since="2026-11-24T14:00")
    assert call(policy(), meeting, at=at).profile == profile


@pytest.mark.parametrize(
    ("until", "last", "first"),
    [
        # The clock goes back on 25 October 2026: 02:30 comes twice, and each is a moment of its own.
        ("2026-10-25T02:30:00+02:00", "2026-10-25T02:29:59+02:00", "2026-10-25T02:30:00+02:00"),
        ("2026-10-25T02:30:00+01:00", "2026-10-25T02:30:00+02:00", "2026-10-25T02:30:00+01:00"),
        # It goes forward on 29 March 2026: 02:00 is 03:00.
        ("2026-03-29T03:00:00+02:00", "2026-03-29T01:59:59+01:00", "2026-03-29T02:00:00+01:00"),
    ],
)
def test_a_selection_ends_at_its_moment_when_the_clock_is_changed(until: str, last: str, first: str) -> None:
    """G6."""
    holiday = select("lunch", until=until, since="2026-01-01T00:00")
    assert call(policy(), holiday, at=last).profile == "lunch"
    assert call(policy(), holiday, at=first).profile == "gone_for_the_day"  # which the schedule says at that hour


def test_a_newer_selection_of_the_same_source_takes_over_when_the_first_is_over() -> None:
    first, then = select("meeting", until="2026-11-24T11:00"), select("lunch")
    assert call(policy(), first, then, at="2026-11-24T10:59").profile == "meeting"
    assert call(policy(), first, then, at="2026-11-24T11:00").profile == "lunch"


def test_what_a_reload_took_away_has_no_effect_any_more() -> None:
    """P2, R8, R9: the profile is gone, or is not for this person any more."""
    decision = call(policy(), select("garden"), at=LUNCH)
    assert decision.profile == "lunch"
    assert any("garden" in reason.text and "garden" in reason.french for reason in decision.rejected)
    limited = policy(
        COMPANY.replace("  meeting: {kind: busy_other}", "  meeting: {kind: busy_other, roles: [sales]}").replace(
            "roles:\n  standard:\n", "roles:\n  standard:\n    may: {profiles: [meeting]}\n"
        )
    )
    decision = call(limited, select("meeting"))
    assert decision.action is Action.RING
    assert reasons(decision.rejected, "R9")
    decision = call(limited, select("available"), at=LUNCH)
    assert decision.profile == "lunch"
    assert reasons(decision.rejected, "R8")
    assert call(limited, select("available", ADMINISTRATOR), at=LUNCH).action is Action.RING


def test_a_profile_has_a_target_of_its_own() -> None:
    """P3: it goes before the role's, and what is written for the person goes before both."""
    text = TOLD_APART.replace("  gone_for", "  lent: {kind: busy_other, then: marc}\n  gone_for")
    company = policy(text)
    decision = call(company, select("lent"))
    assert (decision.action, str(decision.target), decision.person, decision.profile) == (
        Action.FORWARD,
        "marc",
        "paul",
        "lent",
    )
    assert clauses(decision) == ["P2", "P3", "F4"]
    assert decision.diversions == (Diversion("+3242200124", "away"),)
    decision = call(company, at=LUNCH)
    assert str(decision.target) == "reception"
    assert decision.diversions == (Diversion("+3242200124", "time-of-day"),)
    eva = select("from_person", person="eva")
    facts = Facts(Origin.PERSON, "paul", "403", "paul", selections={"eva": (eva,)})
    decision = decide(facts, company, moment(TUESDAY_MORNING))
    # Her own rule for busy_other is a number on the greylist, so voicemail answers; queue:sales is not asked.
    assert str(decision.target) == "voicemail"


FORWARDING = (
    COMPANY.replace(
        "roles:\n  standard:\n",
        "roles:\n  standard:\n    may: {forward_to: [inside, own_mobile, outside, service_externe, voicemail]}\n",
    )
    .replace("numbers:\n", 'numbers:\n  - {number: "+32470555016", verified: true, holder: paul}\n', 1)
    .replace('direct_number: "+3242200124"\n', 'direct_number: "+3242200124"\n    mobile: "+32470555016"\n')
)


@pytest.mark.parametrize(
    ("forward", "target"),
    [
        ("claire", "claire"),
        ("+3242200121", "claire"),  # her own number: inside, not out by the trunk and in again
        ("+3242200160", "queue:technical"),  # a team's
        ("service_externe", "+3243334455"),
        ("+33145678901", "+33145678901"),
        ("+32470555016", "+32470555016"),  # his mobile, although the company owns it
        ("voicemail", "voicemail"),
    ],
)
def test_people_say_where_they_can_be_reached(forward: str, target: str) -> None:
    """R8."""
    decision = call(policy(FORWARDING), select("meeting", forward=forward))
    assert (decision.action, str(decision.target)) == (Action.FORWARD, target)
    assert decision.diversions[0] == Diversion("+3242200124", "away")
    assert "R8" in clauses(decision)
    assert decision.profile == "meeting"
    assert decision.weighed[0] == Weighed("paul", LineState.IDLE, "meeting", "person", None, forward)


def test_a_forward_fills_in_whom_the_call_was_for() -> None:
    target = call(policy(FORWARDING), select("meeting", forward="voicemail")).target
    assert target == DialAddress("sip:204@127.0.0.1:5091", "voicemail")


def test_a_forward_outside_shows_a_number_of_the_company() -> None:
    """S4, R8."""
    decision = call(policy(FORWARDING), select("meeting", forward="+33145678901"))
    assert decision.target == DialNumber("+33145678901")
    assert decision.shown_number == "+3242200124"


def test_somebody_available_can_be_reached_elsewhere() -> None:
    """R8: unconditional forwarding."""
    decision = call(policy(FORWARDING), select("available", forward="+32470555016"), at=LUNCH)
    assert str(decision.target) == "+32470555016"
    assert decision.diversions == (Diversion("+3242200124", "unconditional"),)


def test_a_forward_that_is_not_allowed_any_more_leaves_the_profile_in_force() -> None:
    """R8, X2: to a number on the greylist, and for somebody who may not forward at all."""
    decision = call(policy(FORWARDING), select("meeting", forward="+88161234567"))
    assert (str(decision.target), decision.profile) == ("reception", "meeting")
    assert reasons(decision.rejected, "X2")
    decision = call(policy(), select("meeting", forward="claire"))
    assert (str(decision.target), decision.profile) == ("reception", "meeting")
    assert reasons(decision.rejected, "R8")


def test_a_forward_that_does_not_answer_goes_where_the_profile_says() -> None:
    """R8, S3."""
    meeting = select("meeting", forward="service_externe")
    decision = call(policy(FORWARDING), meeting, tried={"+3243334455": Outcome.NO_ANSWER})
    assert str(decision.target) == "reception"
    assert reasons(decision.rejected, "R8") == ["calls go to service_externe meanwhile"]


def test_a_mobile_that_was_dialled_is_not_called_back() -> None:
    """S3: the call came for that very number."""
    decision = call(policy(FORWARDING), select("meeting", forward="+32470555016"), to="+32470555016")
    assert str(decision.target) == "reception"


def test_two_who_forward_to_one_another() -> None:
    """S3."""
    facts = Facts(
        Origin.PERSON,
        "claire",
        "204",
        "claire",
        selections={
            "paul": (select("meeting", forward="ada"),),
            "ada": (select("lunch", person="ada", forward="paul"),),
        },
    )
    decision = decide(facts, policy(FORWARDING), moment(TUESDAY_MORNING))
    assert str(decision.target) == "voicemail"
    assert [weighed.person for weighed in decision.weighed] == ["paul", "ada"]


QUIET = COMPANY.replace("precedence: line}", "precedence: line, rings_within: always}").replace(
    "roles:\n  standard:\n", "roles:\n  standard:\n    rings_within: office\n"
)
EVENING = "2026-11-24T17:00"


@pytest.mark.parametrize("profile", ["available", "meeting"])
def test_what_was_forgotten_overnight_does_not_count(profile: str) -> None:
    """S6: outside the hours the schedule holds again, and nothing rings."""
    company = policy(QUIET)
    decision = call(company, select(profile), at=EVENING)
    assert (str(decision.target), decision.profile) == ("voicemail", "gone_for_the_day")
    assert any("without an end" in text for text in reasons(decision.rejected, "S6"))
    assert call(company, select(profile), at="2026-11-24T16:59").profile == profile


def test_without_such_hours_a_selection_holds_until_it_is_changed() -> None:
    decision = call(policy(), select("available"), at=EVENING)
    assert decision.action is Action.RING


def test_who_says_until_when_can_be_reached_in_the_evening() -> None:
    """S6, R8."""
    company = policy(QUIET)
    assert call(company, select("available", until="2026-11-24T20:00"), at=EVENING).action is Action.RING
    assert call(company, select("available", ADMINISTRATOR), at=EVENING).action is Action.RING
    assert call(company, select("lunch"), at=EVENING).profile == "lunch"


def test_nothing_rings_outside_the_hours_even_without_a_schedule() -> None:
    """S6: Armistice Day is a Wednesday on which the schedule of this company says nothing."""
    company = policy(QUIET)
    decision = call(company, at="2026-11-11T10:00")
    assert (decision.action, str(decision.target)) == (Action.FORWARD, "voicemail")
    assert decision.diversions == (Diversion("+3242200124", "time-of-day"),)
    assert decision.because[0].clause == "S6"
    assert decision.because[0].rule == "hours"
    assert "(role standard)" in decision.because[0].source
    assert call(company, at="2026-11-11T10:00", to="+3242200132").action is Action.RING  # Luc's role: always
    on_call = call(company, at="2026-11-11T10:00", line=LineState.ON_CALL)
    assert clauses(on_call)[:2] == ["S6", "G4"]


def test_what_was_weighed_is_told() -> None:
    """With these the call can be decided again."""
    decision = call(policy(), select("meeting", until="2026-11-24T11:00"), line=LineState.ON_CALL)
    until = moment("2026-11-24T11:00")
    assert decision.weighed == (Weighed("paul", LineState.ON_CALL, "meeting", "person", until),)
    assert call(policy(), at=LUNCH).weighed == (Weighed("paul", LineState.IDLE, "lunch", "schedule"),)
    assert call(policy()).weighed == (Weighed("paul", LineState.IDLE, None),)
    assert call(policy(), tried={"paul": Outcome.NO_ANSWER}).weighed == ()
    forwarded = call(policy(), to="+3242200127")  # Jean has left, so that only Paul was asked
    assert [weighed.person for weighed in forwarded.weighed] == ["paul"]
    assert call(policy(), to=MAIN).weighed == ()
