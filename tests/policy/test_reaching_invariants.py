"""What holds for everybody who is called, whatever was selected by whom, in whatever order it counts (S3, G4, G6)."""

from __future__ import annotations

from functools import cache
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from router.model.decision import (
    OF_A_PHONE,
    Action,
    Attempt,
    Decision,
    DialNumber,
    Facts,
    LineState,
    Origin,
    Outcome,
    RingPerson,
    SelectedBy,
    Selection,
)
from router.policy import Policy, decide
from router.policy.snapshot import ProfileKind
from tests.policy.company import COMPANY, configuration, moment

USUAL = ("administrator", "person", "calendar", "schedule")
TEXT = (
    COMPANY.replace(
        "profiles:\n",
        """\
callers:
  vip: {numbers: ["+32475*"], rings_through: [busy_other, absent, on_call], approved_by: lea, until: 2026-06-30}
  press: {numbers: ["+32477*"], then: bob, approved_by: lea, until: 2026-06-30}
  main: {numbers: ["+32478*"], then: "+3242200100", approved_by: lea, until: 2026-06-30}
profiles:
  lent: {kind: busy_other, then: ada}
  turned_over: {kind: absent, then: service_externe}
  circle: {kind: absent, then: "+3242200124"}
""",
    )
    .replace("roles:\n  standard:\n", "roles:\n  standard:\n    rings_within: office\n")
    .replace("precedence: line}", "precedence: line, rings_within: always, may: {profiles: [lent], for_at_most: 8h}}")
)
START = moment("2026-01-01T00:00")
YEAR = 366 * 86_400


@cache
def policy(order: tuple[str, ...]) -> Policy:
    return configuration(TEXT.replace("country: BE", f"country: BE\n  profile_order: [{', '.join(order)}]")).policy


PEOPLE = sorted(policy(USUAL).people)
NUMBERS = sorted(policy(USUAL).numbers)
forwards = st.sampled_from(
    ["", "", *PEOPLE, *NUMBERS, "voicemail", "reception", "satellite", "+33145678901", "+88161234567", "nobody", "?"]
)
profiles = st.sampled_from([*policy(USUAL).profiles, "gone"])
moments = st.floats(min_value=START, max_value=START + YEAR)
ends = st.one_of(st.none(), moments, st.just(1e300))


@st.composite
def selections(draw: st.DrawFn) -> dict[str, tuple[Selection, ...]]:
    chosen: dict[str, tuple[Selection, ...]] = {}
    for person in draw(st.lists(st.sampled_from(PEOPLE), max_size=6, unique=True)):
        chosen[person] = tuple(
            Selection(person, draw(profiles), by, draw(moments), draw(ends), draw(forwards), draw(st.text(max_size=9)))
            for by in draw(st.lists(st.sampled_from(SelectedBy), max_size=4))
        )
    return chosen


@st.composite
def questions(draw: st.DrawFn) -> tuple[Facts, tuple[str, ...], float]:
    """Somebody calls a person of the company or a shared number."""
    order = draw(st.sampled_from(list(permutations(USUAL))))
    inside = draw(st.booleans())
    facts = Facts(
        Origin.PERSON if inside else Origin.TRUNK,
        "peer",
        draw(
            st.sampled_from(sorted(policy(USUAL).extensions)) if inside else st.sampled_from([*NUMBERS, "+3242200177"])
        ),
        draw(st.sampled_from(PEOPLE)) if inside else None,
        caller_number=None
        if inside
        else draw(st.sampled_from([None, "+32475111222", "0477000000", "+32478000000", "+33145678901"])),
        lines=draw(st.dictionaries(st.sampled_from(PEOPLE), st.sampled_from(LineState))),
        selections=draw(selections()),
    )
    return facts, order, draw(moments)


def course(facts: Facts, company: Policy, now: float, outcomes: list[Outcome]) -> list[Decision]:
    """All decisions of a call that nobody answers, `outcomes` being how the attempts end, again and again."""
    decisions: list[Decision] = []
    while True:
        decision = decide(facts, company, now)
        decisions.append(decision)
        if decision.action not in (Action.RING, Action.FORWARD):
            return decisions
        attempt = Attempt(str(decision.target), outcomes[len(decisions) % len(outcomes)])
        assert attempt.person not in {tried.person for tried in facts.attempts}, "the same thing is tried twice"
        facts = facts._replace(attempts=(*facts.attempts, attempt))
        now += 20


@settings(max_examples=150)
@given(questions(), st.lists(st.sampled_from(OF_A_PHONE), min_size=1, max_size=4))
def test_every_path_ends_where_a_caller_can_leave_a_message(
    question: tuple[Facts, tuple[str, ...], float], outcomes: list[Outcome]
) -> None:
    """S3: never in a loop, and never before mailbox and reception were tried."""
    facts, order, now = question
    company = policy(order)
    decisions = course(facts, company, now, outcomes)
    assert len(decisions) <= len(PEOPLE) + 8
    assert decisions[-1].status == 480
    assert {"reception", "voicemail"} <= {str(decision.target) for decision in decisions}
    for decision in decisions:
        assert len(decision.diversions) <= 9
        if isinstance(decision.target, RingPerson):
            person = company.people[decision.target.person]
            assert person.left_at is None or now < person.left_at, "somebody who left is rung (S5)"
            assert decision.target.accounts, "nothing rings (F5)"
        if isinstance(decision.target, DialNumber):
            assert company.greylist.match(decision.target.number, now) is None, "X2"


@settings(max_examples=150)
@given(questions())
def test_the_same_question_gets_the_same_answer(question: tuple[Facts, tuple[str, ...], float]) -> None:
    facts, order, now = question
    assert decide(facts, policy(order), now) == decide(facts, policy(order), now)


@settings(max_examples=150)
@given(questions(), st.sampled_from(OF_A_PHONE))
def test_everything_that_is_said_is_said_in_both_languages(
    question: tuple[Facts, tuple[str, ...], float], outcome: Outcome
) -> None:
    """Each reason tells what was weighed, in English and in French."""
    facts, order, now = question
    company = policy(order)
    for decision in course(facts, company, now, [outcome]):
        for reason in (*decision.because, *decision.rejected):
            assert reason.text
            assert reason.french
            assert reason.rule


@settings(max_examples=150)
@given(questions())
def test_what_was_weighed_is_enough_to_decide_again(question: tuple[Facts, tuple[str, ...], float]) -> None:
    """A call can be replayed from its record: the states that were weighed, and nothing else, lead to the same."""
    facts, order, now = question
    company = policy(order)
    first = decide(facts, company, now)
    again = facts._replace(
        lines={weighed.person: weighed.line for weighed in first.weighed},
        selections={
            weighed.person: (
                Selection(weighed.person, weighed.profile, SelectedBy(weighed.by), now, weighed.until, weighed.forward),
            )
            for weighed in first.weighed
            if weighed.profile is not None and weighed.by != "schedule"
        },
    )
    second = decide(again, company, now)
    assert (second.action, second.target, second.profile) == (first.action, first.target, first.profile)
    assert second.diversions == first.diversions


@settings(max_examples=200)
@given(moments, st.floats(min_value=-7200, max_value=7200), st.sampled_from([*USUAL[:3]]))
def test_a_selection_is_in_force_in_a_half_open_interval(until: float, before: float, by: str) -> None:
    """G6: exactly from its beginning up to its end, through every change of the clock."""
    selection = Selection("thomas", "turned_over", SelectedBy(by), until - 3600, until)
    now = until + before
    facts = Facts(Origin.TRUNK, "first", "+3242200131", selections={"thomas": (selection,)})
    in_force = until - 3600 <= now < until
    assert (decide(facts, policy(USUAL), now).profile == "turned_over") is in_force


@settings(max_examples=150)
@given(questions())
def test_the_strongest_profile_in_force_counts(question: tuple[Facts, tuple[str, ...], float]) -> None:
    """G4, against the rule as one would say it."""
    facts, order, now = question
    company = policy(order)
    decision = decide(facts._replace(caller_number=None), company, now)
    for weighed in decision.weighed:
        if weighed.profile is None or weighed.by == "schedule":
            continue
        for stronger in company.profile_order[: company.profile_order.index(weighed.by)]:
            for selection in facts.selections.get(weighed.person, ()):
                over = selection.until is not None and selection.until <= now
                if selection.by != stronger or selection.since > now or over or selection.profile == "gone":
                    continue
                kind = company.profiles[selection.profile].kind
                forgotten = selection.until is None and kind is not ProfileKind.ABSENT
                assert forgotten or weighed.person == "luc", f"{selection} should count before {weighed}"
