"""What callers are told who reach a mailbox (V1, M4, M5, R4, P3), and what they may be put through to (X2)."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from router.configuration import Configuration
from router.model.decision import (
    Action,
    Attempt,
    Decision,
    DialAddress,
    Diversion,
    Facts,
    LeaveMessage,
    LineState,
    Origin,
    Outcome,
    RingPerson,
    SelectedBy,
    Selection,
)
from router.policy import Policy, decide
from router.policy.offered import put_through
from router.policy.snapshot import ProfileKind
from router.policy.telling import Told, Why, reason_in_words, what_is_told
from tests.calls.story import COMPANY, configuration_of

TEXT = (
    COMPANY.replace('{sip: "sip:{extension}@192.0.2.91:5091"}', '{mailbox: "{person}"}').replace(
        "    shows: {fixed: direct_number, mobile: main_number}\n",
        """    shows: {fixed: direct_number, mobile: main_number}
    rings_within: office
    schedule:
      - {profile: lunch, calendar: weekdays, from: "12:00", to: "13:00"}
      - {profile: gone_for_the_day, calendar: weekdays, from: "17:00", to: "08:00"}
""",
    )
    + """
hours: {office: {calendar: weekdays, from: "08:00", to: "17:00"}}
profiles:
  lunch: {kind: absent, says: {fr: En pause déjeuner}, offers: [message, {transfer: reception}]}
  gone_for_the_day: {kind: absent, says: {fr: Absent pour la journée}}
  meeting: {kind: busy_other, says: {fr: En réunion}, then: voicemail}
"""
).replace("sales: {based_on: standard,", "sales: {based_on: standard, says: {gone_for_the_day: {fr: Parti}},")
BOB = "+3242200121"


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return configuration_of(TEXT, tmp_path_factory.mktemp("telling"))


@pytest.fixture
def policy(configuration: Configuration) -> Policy:
    return configuration.policy


def at(written: str, policy: Policy) -> float:
    return datetime.fromisoformat(written).replace(tzinfo=policy.zone).timestamp()


def call(policy: Policy, when: str, dialled: str = BOB, **more: object) -> tuple[Told, Decision]:
    """Decide a call from outside, and return what its caller is told."""
    facts = Facts(Origin.TRUNK, "first", dialled, caller_number="+32475111222")._replace(**more)  # type: ignore[arg-type]
    now = at(when, policy)
    decision = decide(facts, policy, now)
    assert isinstance(decision.target, LeaveMessage), decision
    told = what_is_told(decision, facts.attempts, decision.weighed, policy, decision.target.mailbox, now)
    return told, decision


def test_lunch_with_its_end_and_its_offers(policy: Policy) -> None:
    """M4, P3: of a scheduled profile, the return is when the schedule lets the phone ring again."""
    told, _ = call(policy, "2026-11-24T12:15")
    assert (told.why, told.kind, told.says) == (Why.PROFILE, ProfileKind.ABSENT, {"fr": "En pause déjeuner"})
    assert told.offers == ("message", "transfer:reception")
    assert told.until == at("2026-11-24T13:00", policy)
    assert reason_in_words(told) == "En pause déjeuner"


@pytest.mark.parametrize(
    ("when", "back"),
    [
        ("2026-11-24T18:00", "2026-11-25T08:00"),  # Tuesday evening
        ("2026-11-25T03:00", "2026-11-25T08:00"),  # in the night
        ("2026-11-27T17:00", "2026-11-30T08:00"),  # Friday evening: not on Saturday, when the profile ends
        ("2026-10-23T18:00", "2026-10-26T08:00"),  # over the end of summer time
    ],
)
def test_after_work_the_return_is_the_next_working_day(policy: Policy, when: str, back: str) -> None:
    """M5, S6"""
    told, _ = call(policy, when)
    assert told.profile is not None
    assert told.profile.name == "gone_for_the_day"
    assert told.until == at(back, policy)


def test_on_a_free_day_nobody_is_in_a_profile_but_absent(policy: Policy) -> None:
    """S6"""
    told, _ = call(policy, "2026-11-28T11:00")
    assert (told.why, told.kind, told.profile) == (Why.PROFILE, ProfileKind.ABSENT, None)
    assert told.until == at("2026-11-30T08:00", policy)


def test_the_roles_own_words_go_before_the_profiles(policy: Policy) -> None:
    """R4"""
    told, _ = call(policy, "2026-11-24T18:00", "+3242200122")
    assert told.says == {"fr": "Parti"}


def test_a_selection_says_its_own_end(policy: Policy) -> None:
    until = at("2026-11-24T15:30", policy)
    chosen = {"bob": (Selection("bob", "meeting", SelectedBy.PERSON, 0.0, until),)}
    told, _ = call(policy, "2026-11-24T14:00", selections=chosen)
    assert (told.why, told.kind, told.until) == (Why.PROFILE, ProfileKind.BUSY_OTHER, until)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"lines": {"bob": LineState.ON_CALL}}, Why.ON_CALL),
        ({"lines": {"bob": LineState.UNREGISTERED}}, Why.UNREACHABLE),
        ({"attempts": (Attempt("bob", Outcome.BUSY),)}, Why.ON_CALL),
        ({"attempts": (Attempt("bob", Outcome.NO_ANSWER),)}, Why.NO_ANSWER),
        ({"attempts": (Attempt("bob", Outcome.REJECTED),)}, Why.NO_ANSWER),
        ({"attempts": (Attempt("bob", Outcome.UNREACHABLE),)}, Why.UNREACHABLE),
    ],
)
def test_what_became_of_the_phone(policy: Policy, more: dict[str, object], why: Why) -> None:
    """M2, G5; that somebody pressed "reject" is not told."""
    told, _ = call(policy, "2026-11-24T10:00", BOB, **more)
    assert told.why is why
    assert told.person is not None
    assert told.person.id == "bob"
    assert not told.offers


def test_what_the_reception_missed_is_left_for_nobody_in_particular(policy: Policy) -> None:
    missed = (Attempt("reception", Outcome.UNREACHABLE),)
    told, decision = call(policy, "2026-11-24T10:00", "+3242200100", attempts=missed)
    assert (told.why, told.person) == (Why.NOTHING, None)
    assert decision.target == LeaveMessage("3242200100", "voicemail")


# ------------------------------------------------------------------------------------------------ being put through


def chosen(policy: Policy, name: str, **more: object) -> Decision:
    facts = Facts(Origin.TRUNK, "first", BOB, caller_number="+32475111222")._replace(**more)  # type: ignore[arg-type]
    return put_through(facts, policy, policy.people["bob"], name, "profiles.yaml:3", at("2026-11-24T10:00", policy))


def test_to_a_target(policy: Policy) -> None:
    decision = chosen(policy, "reception", attempts=(Attempt("reception", Outcome.UNREACHABLE),))
    assert (decision.action, decision.target) == (
        Action.FORWARD,
        DialAddress("sip:reception@192.0.2.90:5090", "reception"),
    )
    assert decision.because[0].clause == "P3"
    assert decision.diversions == (Diversion(BOB, "unconditional"),)


def test_to_a_colleague_whose_own_rules_hold(policy: Policy) -> None:
    rings = chosen(policy, "carol")
    assert isinstance(rings.target, RingPerson)
    assert (rings.target.person, rings.no_answer_after) == ("carol", 20.0)
    busy = chosen(policy, "carol", lines={"carol": LineState.ON_CALL})
    assert busy.target == LeaveMessage("carol", "voicemail")


def test_to_a_number_that_the_greylist_allows(policy: Policy) -> None:
    """X2"""
    allowed = chosen(policy, "+32475999888")
    assert (allowed.action, str(allowed.target), allowed.shown_number) == (Action.FORWARD, "+32475999888", BOB)
    blocked = chosen(policy, "+224600000000")
    assert (blocked.action, blocked.status) == (Action.REFUSE, 403)
    assert blocked.because[-1].rule == "greylist"


def test_not_back_to_where_one_comes_from(policy: Policy) -> None:
    assert chosen(policy, "bob").action is Action.REFUSE


def test_a_mailbox_target_of_somebody_else_is_theirs(tmp_path: Path) -> None:
    """Q12: a shared mailbox by name."""
    text = TEXT + "mailboxes: {accueil: {name: Accueil, people: [alice]}}\n"
    text = text.replace("targets:\n", "targets:\n  messages: {mailbox: accueil}\n").replace(
        "main_line: {then: reception}", "main_line: {then: reception, hours: office, closed: messages}"
    )
    policy = configuration_of(text, tmp_path / "shared").policy
    told, decision = call(policy, "2026-11-24T20:00", "+3242200100")
    assert decision.target == LeaveMessage("accueil", "messages")
    assert (told.why, told.person) == (Why.CLOSED, None)
