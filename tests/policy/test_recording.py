"""Which calls are recorded (X3), who never is (X4), how long (G12), and on what ground (G13)."""

from __future__ import annotations

from functools import cache

import pytest

from router.model.decision import Connection, Facts, Origin
from router.model.recording import Direction
from router.policy import Policy, decide
from router.policy.recording import MayRecord, could_be_recorded, may_record, parties_of
from tests.policy.company import COMPANY, CUSTOMER, TUESDAY_MORNING, configuration, moment, selected

RULES = """
recording:
  who: [role:sales, paul]
  calls: all
  hours: office
  announcement: {fr: Cet appel est enregistré.}
  legal_basis: le contrat
codes: {private: "*33", hide_number: "*31"}
"""
ON_DEMAND = RULES.replace("calls: all", 'calls: on_demand\n  key: "*1"')
STOPS = RULES.replace("hours: office", "hours: office\n  at_closing: stop")


@cache
def policy(rules: str = RULES, company: str = COMPANY) -> Policy:
    return configuration(company + rules).policy


def from_outside(dialled: str = "+3242200121", **profiles: str) -> Facts:
    return Facts(Origin.TRUNK, "first", dialled, caller_number=CUSTOMER, selections=selected(profiles))


def from_phone(person: str, dialled: str, connection: Connection = Connection.FIXED, **profiles: str) -> Facts:
    return Facts(Origin.PERSON, person, dialled, person, connection, selections=selected(profiles))


def judged(facts: Facts, now: float, policy: Policy, by: str | None = None) -> MayRecord | None:
    decision = decide(facts, policy, now)
    return may_record(parties_of(facts, decision, by, policy), facts, decision, policy, now)


def answered(facts: Facts, at: str = TUESDAY_MORNING, rules: str = RULES, by: str | None = None) -> MayRecord:
    """The call is decided, and answered at once."""
    now = moment(at)
    verdict = judged(facts, now, policy(rules), by)
    assert verdict is not None
    return verdict


def why(verdict: MayRecord) -> list[str]:
    return [f"{reason.clause} {reason.text}" for reason in verdict.because]


@pytest.mark.parametrize(
    ("at", "recorded"),
    [
        ("2026-11-24T07:59:59", False),
        ("2026-11-24T08:00:00", True),
        ("2026-11-24T16:59:59", True),
        ("2026-11-24T17:00:00", False),
        ("2026-11-28T10:00:00", False),  # a Saturday
        ("2026-12-25T10:00:00", False),  # a Friday, and Christmas
    ],
)
def test_all_calls_are_recorded_on_working_days_from_8_to_17(at: str, recorded: bool) -> None:
    """X3, G6: the end is not part of it. Paul's calls out, as nobody is absent who works late."""
    verdict = answered(from_phone("paul", "0475111222", paul="available"), at)
    assert verdict.allowed is recorded
    clause = "X3 within the hours office" if recorded else "X3 outside the hours of recording, office"
    assert why(verdict)[-1] == clause
    assert all(reason.french and reason.rule == "recording" and reason.source for reason in verdict.because)


def test_every_call_of_licensed_people_is_recorded_fixed_and_mobile() -> None:
    """X3: whichever way, on whichever of their telephones; by role or by name."""
    inbound = answered(from_outside(), by="claire")
    assert (inbound.allowed, inbound.at_once, inbound.parties.direction) == (True, True, Direction.INBOUND)
    assert why(inbound) == ["X3 calls of Claire Dubois are recorded", "X3 within the hours office"]
    mobile = answered(from_phone("paul", "0475111222", Connection.MOBILE))
    assert (mobile.allowed, mobile.parties.direction, mobile.parties.people) == (True, Direction.OUTBOUND, ("paul",))
    internal = answered(from_phone("thomas", "201"), by="claire")
    assert (internal.allowed, internal.parties.direction) == (True, Direction.INTERNAL)
    assert (internal.parties.people, internal.licensed) == (("thomas", "claire"), ("claire",))
    to_pocket = answered(from_phone("thomas", "+32470555012"))
    assert (to_pocket.parties.people, to_pocket.licensed) == (("thomas", "claire"), ("claire",)), (
        "her mobile is her telephone"
    )


def test_whoever_is_not_named_is_not_recorded() -> None:
    verdict = answered(from_phone("thomas", "0475111222"))
    assert (verdict.allowed, why(verdict)) == (False, ["X3 nobody in this call is recorded"])
    assert judged(from_outside(), 0.0, policy("")) is None


def test_a_caller_from_outside_is_not_taken_for_one_of_ours() -> None:
    facts = from_outside("+3242200131")._replace(caller_number="+32470555012")  # Claire's mobile, says the trunk
    assert answered(facts, by="thomas").parties.people == ("thomas",)


@pytest.mark.parametrize("rules", [RULES, ON_DEMAND], ids=["all", "by hand"])
def test_nobody_is_recorded_while_absent_by_hand_neither(rules: str) -> None:
    """X4: whoever takes part, even where the call is on a colleague's account."""
    verdict = answered(from_phone("paul", "0475111222", paul="lunch"), rules=rules)
    assert not verdict.allowed
    assert why(verdict) == [
        "X4 Paul Servais is absent, and is never recorded then: lunch, selected by the person themselves"
    ]
    assert not answered(from_phone("thomas", "201", thomas="absent"), rules=rules, by="claire").allowed
    assert not answered(from_phone("paul", "0475111222"), "2026-11-24T12:30", rules).allowed, "at lunch, by schedule"
    assert answered(from_phone("paul", "0475111222", paul="meeting"), rules=rules).allowed, "busy is not absent"


def test_what_is_asked_for_is_recorded_on_demand() -> None:
    verdict = answered(from_outside(), rules=ON_DEMAND, by="claire")
    assert (verdict.allowed, verdict.at_once) == (True, False)
    assert why(verdict)[0] == "X3 calls of Claire Dubois are recorded on demand"


def test_an_emergency_call_is_never_recorded_and_needs_no_relay() -> None:
    """G1: it waits for no announcement."""
    facts = from_phone("paul", "112")
    assert why(answered(facts))[0].startswith("G1 an emergency call")
    assert not could_be_recorded(facts, decide(facts, policy(), 0.0), policy(), moment(TUESDAY_MORNING))
    assert not answered(from_phone("paul", "*33112")).allowed


@pytest.mark.parametrize("dialled", ["*330475111222", "*33201"])
def test_a_private_call_is_not_recorded(dialled: str) -> None:
    """X3: the code goes before the number; the call goes where the number says."""
    facts = from_phone("paul", dialled)
    verdict = answered(facts)
    assert why(verdict) == ["X3 *33: this call is private, and not recorded"]
    now = moment(TUESDAY_MORNING)
    decision, plain = decide(facts, policy(), now), decide(from_phone("paul", dialled[3:]), policy(), now)
    assert (decision.target, decision.shown_number) == (plain.target, plain.shown_number)
    assert not could_be_recorded(facts, decision, policy(), now)
    assert answered(from_phone("paul", dialled.replace("*33", "*31"))).allowed


def test_directions_may_be_left_out() -> None:
    rules = RULES.replace("calls: all", "calls: all\n  directions: [inbound, outbound]")
    verdict = answered(from_phone("thomas", "201"), rules=rules, by="claire")
    assert why(verdict) == ["X3 only inbound and outbound calls are recorded"]
    assert answered(from_outside(), rules=rules, by="claire").allowed


def test_where_the_law_asks_for_a_ground_nothing_is_recorded_without() -> None:
    """G13: France asks for one; `check` says so, and the router keeps to it."""
    rules = RULES.replace("  legal_basis: le contrat\n", "")
    france = configuration(COMPANY.replace("country: BE", "country: FR") + rules)
    now = moment(TUESDAY_MORNING)
    facts = from_phone("paul", "0475111222")
    verdict = judged(facts, now, france.policy)
    assert verdict is not None and why(verdict)[0].startswith("G13 no ground is declared")
    assert not could_be_recorded(facts, decide(facts, france.policy, now), france.policy, now)
    unannounced = RULES.replace("  announcement: {fr: Cet appel est enregistré.}\n", "")
    assert why(answered(facts, rules=unannounced)) == ["G13 nothing announces recording"]


def test_what_crosses_the_closing_goes_on_unless_configured() -> None:
    """G12: decided at the answer; with `at_closing: stop` it ends with the hours."""
    facts = from_phone("paul", "0475111222")
    at = "2026-11-24T16:59:59"
    assert answered(facts, at).until is None
    assert answered(facts, at, STOPS).until == moment("2026-11-24T17:00")
    split = STOPS.replace("hours: office", "hours: split")
    two = COMPANY.replace(
        "hours:\n  office:",
        'hours:\n  split: [{calendar: en_semaine, from: "13:00", to: "17:00"}, '
        '{calendar: en_semaine, from: "08:00", to: "13:00"}]\n  office:',
    )
    policy_ = configuration(two + split).policy
    morning = moment("2026-11-24T11:00")
    verdict = judged(facts, morning, policy_)
    assert verdict is not None and verdict.until == moment("2026-11-24T17:00"), "one window follows on the other"


@pytest.mark.parametrize(
    ("facts", "at", "could"),
    [
        (from_outside(), TUESDAY_MORNING, True),
        (from_outside(), "2026-11-24T07:58", True),  # it may be answered after eight
        (from_phone("paul", "0475111222"), "2026-11-24T20:00", False),
        (from_outside("+3242200131"), TUESDAY_MORNING, False),  # Thomas is not recorded
    ],
)
def test_whether_a_call_may_have_to_be_recorded_is_known_before_it_is_answered(
    facts: Facts, at: str, could: bool
) -> None:
    """X3: so that its sound passes through the router from the beginning."""
    now = moment(at)
    facts = facts._replace(selections=selected({"claire": "available"}))
    assert could_be_recorded(facts, decide(facts, policy(), now), policy(), now) is could
