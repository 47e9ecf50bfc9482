"""What holds for every call, whoever calls whatever in whatever state (REQUIREMENTS, invariants)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from router.model.decision import (
    Action,
    Attempt,
    Connection,
    Decision,
    DialNumber,
    Facts,
    LineState,
    Origin,
    Outcome,
)
from router.policy import decide
from router.policy.dialling import PLANS
from tests.policy.company import configuration, moment, selected

POLICY = configuration().policy
PEOPLE = sorted(POLICY.people)
START = moment("2026-01-01T00:00")
YEAR = 366 * 86_400

dialled = st.one_of(
    st.sampled_from([*POLICY.extensions, *POLICY.numbers, *POLICY.emergency, "+3242200177", "+3242200195", "1733"]),
    st.from_regex(r"(\+|00|0)?[0-9]{1,16}", fullmatch=True),
    st.text(max_size=20),
)
caller_numbers = st.one_of(st.none(), st.sampled_from([*POLICY.callers, *POLICY.numbers]), dialled)
moments = st.floats(min_value=START, max_value=START + YEAR)
states = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(LineState))
profiles = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from([*POLICY.profiles, "gone"]))


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    origin = draw(st.sampled_from(Origin))
    person = draw(st.sampled_from(PEOPLE)) if origin is Origin.PERSON else None
    return Facts(
        origin,
        "peer",
        draw(dialled),
        person,
        draw(st.sampled_from(Connection)) if person else None,
        None if person else draw(caller_numbers),
        draw(st.one_of(st.none(), st.text(max_size=10))),
        draw(st.booleans()),
        draw(states),
        selected(draw(profiles)),
    )


def goes_outside(decision: Decision) -> bool:
    return isinstance(decision.target, DialNumber)


def whole_call(call: Facts, now: float, outcome: Outcome) -> list[Decision]:
    """Everything that is decided for a call in which nothing ever answers."""
    decisions = []
    while True:
        decision = decide(call, POLICY, now)
        decisions.append(decision)
        if decision.action not in (Action.RING, Action.FORWARD):
            return decisions
        attempt = Attempt(str(decision.target), outcome)
        assert attempt.person not in {tried.person for tried in call.attempts}, "the same thing is tried twice"
        call = Facts(
            call.origin,
            call.peer,
            call.dialled,
            call.person,
            call.connection,
            call.caller_number,
            call.caller_name,
            call.withhold,
            call.lines,
            call.selections,
            call.usage,
            (*call.attempts, attempt),
        )
        now += 20


@given(facts(), st.sampled_from(sorted(POLICY.emergency)), moments)
def test_an_emergency_call_always_goes_out_unmodified(call: Facts, number: str, now: float) -> None:
    """G1."""
    call = Facts(
        call.origin,
        call.peer,
        number,
        call.person,
        call.connection,
        call.caller_number,
        call.caller_name,
        call.withhold,
        call.lines,
        call.selections,
    )
    decision = decide(call, POLICY, now)
    assert (decision.action, decision.target) == (Action.EMERGENCY, DialNumber(number))
    assert decision.shown_number is not None
    assert POLICY.owned.may_show(decision.shown_number)


@given(facts(), moments, st.sampled_from(Outcome))
def test_no_call_leaves_with_a_number_that_is_not_the_companys(call: Facts, now: float, outcome: Outcome) -> None:
    """S4."""
    for decision in whole_call(call, now, outcome):
        if goes_outside(decision):
            assert decision.shown_number is not None
            assert POLICY.owned.may_show(decision.shown_number)
            assert all(POLICY.owned.owns(diversion.number) for diversion in decision.diversions)


@given(facts(), moments, st.sampled_from(Outcome))
def test_every_path_ends(call: Facts, now: float, outcome: Outcome) -> None:
    """S3: a call that may come in is never refused before everything that could answer was tried."""
    decisions = whole_call(call, now, outcome)
    assert len(decisions) <= len(PEOPLE) + 6
    if decisions[-1].status == 480:
        assert {"reception", "voicemail"} <= {str(decision.target) for decision in decisions}
    for decision in decisions:
        assert decision.because, "no reason is given"


@given(facts(), moments)
def test_a_caller_from_outside_reaches_the_companys_numbers_and_nothing_else(call: Facts, now: float) -> None:
    if call.origin is not Origin.TRUNK or call.dialled in POLICY.emergency:
        return
    decision = decide(call, POLICY, now)
    number = POLICY.plan.normalise(call.dialled)
    if number is not None and POLICY.owned.owns(number):
        assert decision.action in (Action.RING, Action.FORWARD)
    else:
        assert (decision.action, decision.status) == (Action.REFUSE, 404)


@given(facts(), moments)
def test_the_same_question_gets_the_same_answer(call: Facts, now: float) -> None:
    assert decide(call, POLICY, now) == decide(call, POLICY, now)


@settings(max_examples=300)
@given(st.sampled_from(sorted(PLANS)), st.text(max_size=24) | st.from_regex(r"[+0-9 ]{0,20}", fullmatch=True))
def test_a_normalised_number_is_its_own_normal_form(country: str, written: str) -> None:
    number = PLANS[country].normalise(written)
    if number is not None:
        assert number[0] == "+"
        assert number[1:].isascii()
        assert number[1:].isdigit()
        assert PLANS[country].normalise(number) == number
