"""What holds for every call, whoever calls whatever in whatever state (REQUIREMENTS, invariants)."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from router.model.decision import (
    OF_A_PHONE,
    Action,
    Attempt,
    Connection,
    Decision,
    DialNumber,
    Facts,
    FeatureKind,
    LineState,
    Origin,
    Outcome,
    SelectedBy,
    Selection,
)
from router.policy import decide
from router.policy.dialling import PLANS
from router.policy.selecting import problem_with
from tests.policy.company import COMPANY, configuration, moment

# Every level that can name a number names one that may be shown to some and not to others.
TEXT = (
    COMPANY.replace(
        "  meeting: {kind: busy_other}\n",
        """\
  meeting: {kind: busy_other, code: "*21", shows: {fixed: personal_mobile, mobile: team_number}}
  on_site: {kind: available, code: "*22", shows: direct_number, ends_after: 2h}
  in_class: {kind: busy_other, code: "*23", shows: "+3242200155", roles: [technical]}
""",
    )
    .replace(
        "    shows: {fixed: direct_number, mobile: main_number}\n",
        "    shows: {fixed: direct_number, mobile: main_number}\n"
        "    may: {forward_to: [inside, outside, own_mobile, reception]}\n",
    )
    .replace("  country: BE\n", "  country: BE\n  shows: personal_mobile\n")
    + """\
codes:
  back: "*20"
  hide_number: "*31"
  show: {"*32": main_number, "*33": personal_mobile, "*34": team_number, "*35": direct_number, "#36": "+3242200166"}
connections: {fixed: team_number, private: personal_mobile}
"""
)
POLICY = configuration(TEXT).policy
PEOPLE = sorted(POLICY.people)
START = moment("2026-01-01T00:00")
YEAR = 366 * 86_400

numbers = st.one_of(
    st.sampled_from(["+33142000000", "0475111222", "004930123456"]),
    st.sampled_from([*POLICY.extensions, *POLICY.numbers, *POLICY.emergency, "+3242200177", "+3242200195", "1733"]),
    st.from_regex(r"(\+|00|0)?[0-9]{1,16}", fullmatch=True),
    st.text(max_size=20),
)
codes = st.sampled_from(["", *POLICY.codes.per_call, *POLICY.codes.features, "*99"])
arguments = st.sampled_from(["", "*1530", "**201", "*1530*0475111222", "#"])
dialled = st.one_of(numbers, st.tuples(codes, numbers).map("".join), st.tuples(codes, arguments).map("".join))
caller_numbers = st.one_of(st.none(), st.sampled_from([*POLICY.callers, *POLICY.numbers]), dialled)
moments = st.floats(min_value=START, max_value=START + YEAR)
states = st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(LineState))


@st.composite
def selections(draw: st.DrawFn) -> dict[str, tuple[Selection, ...]]:
    """Of each kind, in force or not, allowed or not, with any forward."""
    found: dict[str, list[Selection]] = {}
    for person in draw(st.lists(st.sampled_from(PEOPLE), max_size=4)):
        since = draw(moments)
        found.setdefault(person, []).append(
            Selection(
                person,
                draw(st.sampled_from([*POLICY.profiles, "gone"])),
                draw(st.sampled_from(SelectedBy)),
                draw(st.sampled_from([0.0, since])),
                draw(st.sampled_from([None, since + YEAR])),
                draw(st.sampled_from(["", *PEOPLE, *POLICY.targets, "+32475111222", "+3242200160", "+88161234567"])),
            )
        )
    return {person: tuple(chosen) for person, chosen in found.items()}


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
        draw(selections()),
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
        call = call._replace(attempts=(*call.attempts, attempt))
        now += 20


@given(facts(), st.sampled_from(sorted(POLICY.emergency)), st.sampled_from(["", *POLICY.codes.per_call]), moments)
def test_an_emergency_call_always_goes_out_unmodified(call: Facts, number: str, code: str, now: float) -> None:
    """G1: behind a code of one of our people as well."""
    if call.origin is Origin.TRUNK:
        code = ""
    decision = decide(call._replace(dialled=code + number), POLICY, now)
    assert (decision.action, decision.target) == (Action.EMERGENCY, DialNumber(number))
    assert not decision.withhold
    assert decision.shown_number is not None
    assert POLICY.owned.may_show(decision.shown_number)


@settings(max_examples=400)
@given(facts(), moments, st.sampled_from(OF_A_PHONE))
def test_no_call_leaves_with_a_number_that_is_not_the_companys(call: Facts, now: float, outcome: Outcome) -> None:
    """S4: whatever code is dialled, profile in force, or level that names a number."""
    for decision in whole_call(call, now, outcome):
        if goes_outside(decision):
            assert decision.shown_number is not None
            assert POLICY.owned.may_show(decision.shown_number)
            assert all(POLICY.owned.owns(diversion.number) for diversion in decision.diversions)


@given(facts(), moments, st.sampled_from(OF_A_PHONE))
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
def test_a_code_selects_only_what_the_caller_may_select(call: Facts, now: float) -> None:
    """R8, R9: for themselves, with an end that lies ahead; nobody outside selects anything."""
    decision = decide(call, POLICY, now)
    if decision.action is not Action.FEATURE:
        return
    feature = decision.feature
    assert feature is not None
    assert call.origin is not Origin.TRUNK
    assert feature.person in {call.person, *(known.person.id for known in POLICY.callers.values())}
    if feature.kind is FeatureKind.SELECT:
        made = Selection(feature.person, feature.profile, SelectedBy.PERSON, now, feature.until, feature.forward)
        assert problem_with(made, POLICY, now) is None


@given(facts(), moments, st.sampled_from(OF_A_PHONE))
def test_every_reason_is_given_in_both_languages(call: Facts, now: float, outcome: Outcome) -> None:
    """And says what was weighed."""
    for decision in whole_call(call, now, outcome):
        for reason in (*decision.because, *decision.rejected):
            assert reason.rule, reason
            assert reason.french, reason


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
