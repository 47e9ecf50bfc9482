"""Callers who are treated in their own way (S8): a customer who always rings through, somebody who never does."""

from __future__ import annotations

from functools import cache

import pytest

from router.model.decision import (
    Action,
    Attempt,
    Decision,
    Diversion,
    Facts,
    LineState,
    Origin,
    Outcome,
    SelectedBy,
    Selection,
)
from router.policy import Policy, decide
from tests.policy.company import COMPANY, TUESDAY_MORNING, clauses, configuration, moment

VIP = "+32475111222"
TEXT = (
    COMPANY.replace(
        "people:\n",
        """\
callers:
  vip: {numbers: ["+32475111222"], rings_through: [busy_other, absent, on_call], approved_by: lea, until: 2026-11-30}
  press: {numbers: ["+32477*"], then: reception, people: ["role:sales", thomas], approved_by: lea, until: 2026-12-31}
  family: {numbers: ["+32479*"], rings_through: [busy_other], approved_by: lea, until: 2026-12-31}
  pest: {numbers: ["+32476000001"], then: voicemail, approved_by: lea, until: 2026-12-31}
  reserved: {numbers: ["+32476000002"], then: paul, approved_by: lea, until: 2026-12-31}
people:
""",
        1,
    )
    .replace(
        "    name: Claire Dubois\n",
        """\
    name: Claire Dubois
    exceptions:
      - {numbers: ["+32477 12 34 56"], rings_through: [busy_other], approved_by: lea, until: 2026-12-31}
      - {numbers: ["+32478*"], then: service_externe, approved_by: lea, until: 2026-12-31}
      - {numbers: ["+324781*"], rings_through: [on_call], approved_by: lea, until: 2026-11-20}
      - {numbers: ["+3242200124"], rings_through: [busy_other], approved_by: lea, until: 2026-12-31}
""",
    )
    .replace("precedence: line}", "precedence: line, rings_within: office, schedule: []}")
)
CLAIRE, PAUL, LUC = "+3242200121", "+3242200124", "+3242200132"
ON_CALL = LineState.ON_CALL


@cache
def policy() -> Policy:
    return configuration(TEXT).policy


def call(
    caller: str | None,
    to: str,
    profile: str | None = None,
    line: LineState = LineState.IDLE,
    at: str = TUESDAY_MORNING,
    *,
    origin: Origin = Origin.TRUNK,
    tried: dict[str, Outcome] | None = None,
) -> Decision:
    """Somebody calls while the person called has this profile and this line state."""
    called = policy().numbers[to].id  # type: ignore[union-attr]
    selections = {called: (Selection(called, profile, SelectedBy.PERSON, 0.0),)} if profile else {}
    facts = Facts(
        origin,
        "first",
        to,
        caller_number=caller,
        lines={called: line},
        selections=selections,
        attempts=tuple(Attempt(who, outcome) for who, outcome in (tried or {}).items()),
    )
    return decide(facts, policy(), moment(at))


@pytest.mark.parametrize(
    ("profile", "line", "at"),
    [
        ("meeting", LineState.IDLE, TUESDAY_MORNING),
        ("lunch", LineState.IDLE, TUESDAY_MORNING),
        (None, LineState.IDLE, "2026-11-24T22:00"),  # absent by schedule
        (None, ON_CALL, TUESDAY_MORNING),
        ("meeting", ON_CALL, TUESDAY_MORNING),
    ],
)
@pytest.mark.parametrize("number", [CLAIRE, PAUL, LUC])
def test_a_customer_who_always_rings_through(number: str, profile: str | None, line: LineState, at: str) -> None:
    """S8."""
    decision = call(VIP, number, profile, line, at)
    assert decision.action is Action.RING
    (reason,) = [reason for reason in decision.because if reason.rule == "exception"]
    assert reason.clause == "S8"
    assert reason.text == "+32475111222 (vip) rings through, approved by lea until 2026-11-30"
    assert reason.french == "+32475111222 (vip) passe toujours, autorisé par lea jusqu'au 30/11/2026"
    assert reason.source.startswith("company.yaml:")
    assert clauses(decision) == ["S8", "F4"]
    assert decision.rejected
    assert call("+32475111223", number, profile, line, at).action is Action.FORWARD
    assert call(None, number, profile, line, at).action is Action.FORWARD


def test_a_number_is_recognised_however_it_is_written() -> None:
    assert call("0475111222", PAUL, "meeting").action is Action.RING
    assert call("0032475111222", PAUL, "meeting", origin=Origin.PBX).action is Action.RING


def test_somebody_available_rings_without_an_exception() -> None:
    assert clauses(call(VIP, PAUL)) == ["F4"]


def test_after_the_last_day_it_has_no_effect_any_more() -> None:
    """S8: until the end of that day, in the company's time zone."""
    assert call(VIP, PAUL, "meeting", at="2026-11-30T23:59:59").action is Action.RING
    decision = call(VIP, PAUL, "meeting", at="2026-12-01T00:00:00")
    assert str(decision.target) == "reception"
    assert decision.rejected[0].text == "the exception for +32475111222 (vip) ended on 2026-11-30"
    assert decision.rejected[0].french == "l'exception pour +32475111222 (vip) a pris fin le 30/11/2026"


def test_it_gets_past_what_it_names_and_nothing_else() -> None:
    assert call("+32479000001", PAUL, "meeting").action is Action.RING
    assert str(call("+32479000001", PAUL, "lunch").target) == "voicemail"
    assert str(call("+32479000001", PAUL, None, ON_CALL).target) == "voicemail"
    assert str(call("+32479000001", PAUL, "meeting", ON_CALL).target) == "voicemail"


def test_the_persons_own_goes_before_the_companys() -> None:
    """S8: a journalist whom Claire knows."""
    assert call("+32477123456", CLAIRE, "meeting").action is Action.RING
    assert str(call("+32477123457", CLAIRE, "meeting").target) == "reception"


def test_the_most_specific_that_is_not_over_counts() -> None:
    decision = call("+32478100000", CLAIRE, None, ON_CALL)
    assert str(decision.target) == "+3243334455"
    assert any("ended on 2026-11-20" in reason.text for reason in decision.rejected)


@pytest.mark.parametrize(
    ("number", "target"), [(CLAIRE, "reception"), (LUC, "reception"), ("+3242200131", "reception"), (PAUL, "paul")]
)
def test_it_holds_for_the_people_and_roles_that_it_names(number: str, target: str) -> None:
    """Luc's role inherits from sales; Paul is not named."""
    decision = call("+32477000000", number)
    assert str(decision.target) == target
    assert clauses(decision)[0] == ("F4" if target == "paul" else "S8")


def test_a_caller_who_goes_elsewhere_does_so_in_every_state() -> None:
    for profile in (None, "available", "meeting"):
        decision = call("+32476000001", CLAIRE, profile)
        assert (decision.action, str(decision.target)) == (Action.FORWARD, "voicemail")
        assert decision.diversions == (Diversion(CLAIRE, "unconditional"),)
        assert decision.because[0].text.startswith("+32476000001 (pest) → voicemail, approved by lea until")
    mailboxes = {str(getattr(call("+32476000001", number).target, "uri", "")) for number in (CLAIRE, PAUL)}
    assert mailboxes == {"sip:201@127.0.0.1:5091", "sip:204@127.0.0.1:5091"}


def test_whom_a_caller_is_put_through_to_answers_them() -> None:
    assert str(call("+32476000002", CLAIRE).target) == "paul"
    decision = call("+32476000002", PAUL)
    assert (decision.action, clauses(decision)) == (Action.RING, ["F4"])


def test_a_target_that_fails_leaves_voicemail_and_reception() -> None:
    """S3."""
    decision = call("+32478000000", CLAIRE, tried={"+3243334455": Outcome.UNREACHABLE})
    assert str(decision.target) == "voicemail"


def test_a_colleague_is_known_by_their_direct_number() -> None:
    """Paul rings through to Claire from any of his phones, and to nobody else."""
    meeting = {person: (Selection(person, "meeting", SelectedBy.PERSON, 0.0),) for person in ("claire", "marc")}
    for dialled, rings in (("201", True), ("202", False)):
        facts = Facts(Origin.PERSON, "204-gsm", dialled, "paul", selections=meeting)
        assert (decide(facts, policy(), moment(TUESDAY_MORNING)).action is Action.RING) is rings


def test_nobody_rings_through_to_somebody_who_left_or_has_no_phone() -> None:
    """S5, F5."""
    assert str(call(VIP, "+3242200127").target) == "paul"
    assert clauses(call(VIP, "+3242200126")) == ["F5"]
    decision = call(VIP, "+3242200126", "meeting")
    assert (str(decision.target), clauses(decision)) == ("reception", ["P2", "F3"])


def test_a_caller_who_was_not_answered_goes_where_everybody_goes() -> None:
    """G5."""
    assert str(call(VIP, CLAIRE, "meeting", tried={"claire": Outcome.NO_ANSWER}).target) == "voicemail"


def test_phones_that_cannot_ring_do_not() -> None:
    assert str(call(VIP, CLAIRE, "meeting", LineState.UNREGISTERED).target) == "voicemail"


def test_silence_after_hours_is_an_absence() -> None:
    """S6: Luc's phones ring within the office hours only, but for those who ring through an absence."""
    assert call(VIP, LUC, at="2026-11-24T22:00").action is Action.RING
    assert str(call("+32479000001", LUC, at="2026-11-24T22:00").target) == "voicemail"


def test_equal_exceptions_are_shared() -> None:
    """A thousand people with the same exceptions hold one copy of them, and no look-up where nobody has any."""
    people = policy().people
    assert people["marc"].exceptions[-1] is people["nadia"].exceptions[-1]
    assert people["marc"].exceptions[-1] is not people["isabelle"].exceptions[-1]
    assert configuration().policy.people["paul"].exceptions == ()
