"""Inputs of a simulation, as people write them, become the facts of a call; and the course it takes unanswered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.configuration import Configuration
from router.model.decision import (
    Action,
    Attempt,
    Connection,
    Facts,
    LineState,
    Origin,
    Outcome,
    SelectedBy,
    Selection,
)
from router.policy import decide
from router.proof.explanation import as_dict, describe
from router.proof.simulation import LONGEST_COURSE, Inputs, WrongInput, course, facts_of, moment, targets_of
from tests.policy.company import COMPANY, CUSTOMER, configuration
from tests.policy.company import moment as at

NOW = at("2026-11-24T10:15")
LIMITS = """
limits:
  mobiles: {prefixes: ["+3247"], calls_per_minute: 2, calls_per_day: 10}
  dear: {prefixes: ["+33"], per: company, cost_per_minute: 1, cost_per_day: 20}
"""


@pytest.fixture(scope="module")
def company() -> Configuration:
    return configuration(COMPANY + LIMITS)


def facts(company: Configuration, caller: str, dialled: str, *states: str, now: float = NOW, **more: object) -> Facts:
    return facts_of(replace(Inputs(caller, dialled, states), **more), company, now)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ("anonymous", (Origin.TRUNK, "first", None, None, None)),
        ("0475 11 12 22", (Origin.TRUNK, "first", None, None, CUSTOMER)),
        ("trunk:first:0475111222", (Origin.TRUNK, "first", None, None, "0475111222")),
        ("trunk:first:anonymous", (Origin.TRUNK, "first", None, None, None)),
        ("pbx:central:501", (Origin.PBX, "central", None, None, "501")),
        ("pbx:central:", (Origin.PBX, "central", None, None, None)),
        ("pia", (Origin.PBX, "central", None, None, "+3242200151")),
        ("paul", (Origin.PERSON, "204-desk", "paul", Connection.FIXED, None)),
        ("204", (Origin.PERSON, "204-desk", "paul", Connection.FIXED, None)),
        ("204-gsm", (Origin.PERSON, "204-gsm", "paul", Connection.MOBILE, None)),
        ("isabelle", (Origin.PERSON, "isabelle", "isabelle", None, None)),
    ],
)
def test_who_calls(company: Configuration, caller: str, expected: tuple[object, ...]) -> None:
    made = facts(company, caller, "201")
    found = (made.origin, made.peer, made.person, made.connection, made.caller_number)
    if caller == "pia":  # by any number that the PBX knows her by
        assert found[:4] == expected[:4]
        assert company.policy.callers[str(made.caller_number)].person.id == "pia"
    else:
        assert found == expected


def test_the_phone_that_a_person_calls_with(company: Configuration) -> None:
    made = facts(company, "paul", "0475111222", connection="mobile")
    assert (made.peer, made.connection) == ("204-gsm", Connection.MOBILE)
    assert decide(made, company.policy, NOW).shown_number == "+3242200100"
    assert facts(company, "pia", "0475111222", connection="mobile").caller_number == "+32470777777"
    without = facts(company, "paul", "0475111222", connection="softphone")
    assert (without.peer, without.connection) == ("paul", Connection.SOFTPHONE)


@pytest.mark.parametrize(
    ("dialled", "expected"),
    [("claire", "+3242200121"), ("lea", "208"), ("201", "201"), ("112", "112"), ("*31 0475", "*31 0475")],
)
def test_what_is_dialled(company: Configuration, dialled: str, expected: str) -> None:
    assert facts(company, "paul", dialled).dialled == expected


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("meeting", Selection("claire", "meeting", SelectedBy.PERSON, 0.0)),
        ("meeting@calendar", Selection("claire", "meeting", SelectedBy.CALENDAR, 0.0)),
        ("meeting until 15:00", Selection("claire", "meeting", SelectedBy.PERSON, 0.0, at("2026-11-24T15:00"))),
        ("meeting until 09:00", Selection("claire", "meeting", SelectedBy.PERSON, 0.0, at("2026-11-25T09:00"))),
        (
            "absent@administrator until 2026-12-01T08:00 forward service_externe",
            Selection("claire", "absent", SelectedBy.ADMINISTRATOR, 0.0, at("2026-12-01T08:00"), "service_externe"),
        ),
        ("meeting forward marc", Selection("claire", "meeting", SelectedBy.PERSON, 0.0, None, "marc")),
    ],
)
def test_a_profile_with_its_source_its_end_and_where_calls_go(
    company: Configuration, state: str, expected: Selection
) -> None:
    assert facts(company, CUSTOMER, "claire", f"claire={state}").selections == {"claire": (expected,)}


def test_the_clock_goes_back_while_a_profile_is_in_force(company: Configuration) -> None:
    """G6: 02:30 comes twice in the night of 25 October 2026; the first one counts."""
    now = at("2026-10-25T00:30")
    made = facts(company, CUSTOMER, "claire", "claire=meeting until 02:30", now=now)
    assert made.selections["claire"][0].until == at("2026-10-25T02:30:00+02:00")


def test_the_strongest_selection_comes_first(company: Configuration) -> None:
    states = ("claire=lunch@calendar", "claire=meeting", "claire=absent@administrator")
    chosen = facts(company, CUSTOMER, "claire", *states).selections["claire"]
    assert [selection.by for selection in chosen] == list(SelectedBy)


def test_line_states_and_how_attempts_ended_in_their_order(company: Configuration) -> None:
    states = ("claire=no_answer", "201=on_call", "voicemail=unreachable", "0475111222=busy", "paul=unregistered")
    made = facts(company, CUSTOMER, "claire", *states)
    assert made.lines == {"claire": LineState.ON_CALL, "paul": LineState.UNREGISTERED}
    assert made.attempts == (
        Attempt("claire", Outcome.NO_ANSWER),
        Attempt("voicemail", Outcome.UNREACHABLE),
        Attempt(CUSTOMER, Outcome.BUSY),
    )


def test_what_was_used_of_a_limit(company: Configuration) -> None:
    used = ("mobiles=paul:2/minute", "mobiles=paul:7/day", "dear:3", "dear:19.5/cost")
    usage = facts(company, "paul", "0475111222", used=used).usage
    paul, everybody = usage["mobiles", "paul"], usage["dear", ""]
    assert (paul.in_minute, paul.in_day) == (2, 7)
    assert (everybody.in_minute, everybody.in_day, everybody.cost) == (3, 3, 19.5)
    refused = decide(facts(company, "paul", "0475111222", used=used), company.policy, NOW)
    assert (refused.action, refused.because[-1].rule) == (Action.REFUSE, "limit")
    assert decide(facts(company, "claire", "0475111222", used=used), company.policy, NOW).action is Action.DIAL


@pytest.mark.parametrize(
    ("inputs", "option", "advice"),
    [
        (Inputs("clara", "201"), "from", "did you mean 'claire'?"),
        (Inputs("trunk:frist:1", "201"), "from", "did you mean 'first'?"),
        (Inputs("201", "204", connection="fixt"), "connection", "did you mean 'fixed'?"),
        (Inputs("201", "204", ("claire",)), "state", "PERSON=STATE"),
        (Inputs("201", "204", ("clara=idle",)), "state", "did you mean 'claire'?"),
        (Inputs("201", "204", ("claire=meting",)), "state", "did you mean 'meeting'?"),
        (Inputs("201", "204", ("claire=meeting@boss",)), "state", "administrator"),
        (Inputs("201", "204", ("claire=meeting until soon",)), "state", "2026-11-24T12:15"),
        (Inputs("201", "204", ("voicemial=busy",)), "state", "did you mean 'voicemail'?"),
        (Inputs("201", "204", used=("mobile:1",)), "used", "did you mean 'mobiles'?"),
        (Inputs("201", "204", used=("mobiles=clara:1",)), "used", "did you mean 'claire'?"),
        (Inputs("201", "204", used=("mobiles",)), "used", "GROUP[=PERSON]:CALLS"),
    ],
)
def test_a_wrong_input_says_what_to_write(company: Configuration, inputs: Inputs, option: str, advice: str) -> None:
    with pytest.raises(WrongInput) as raised:
        facts_of(inputs, company, NOW)
    assert raised.value.option == option
    assert advice in str(raised.value)


def test_when(company: Configuration) -> None:
    zone = company.policy.zone
    assert moment(None, zone, NOW) == NOW
    assert moment("12:15", zone, NOW) == at("2026-11-24T12:15")
    assert moment("2026-11-24T12:15", zone, NOW) == at("2026-11-24T12:15")
    assert moment("2026-11-24T12:15:00+00:00", zone, NOW) == at("2026-11-24T13:15")
    with pytest.raises(WrongInput):
        moment("noon", zone, NOW)


def test_the_course_of_a_call_that_nobody_answers(company: Configuration) -> None:
    steps = course(facts(company, CUSTOMER, "claire"), company.policy, NOW)
    assert [str(step.decision.target) for step in steps] == ["claire", "voicemail", "reception", "None"]
    assert steps[1].at == steps[0].at + 20.0
    assert steps[-1].decision.status == 480


def test_every_course_ends(company: Configuration) -> None:
    for person in company.policy.people:
        for state in ("idle", "on_call", "meeting", "absent"):
            steps = course(facts(company, CUSTOMER, person, f"{person}={state}"), company.policy, NOW)
            assert 0 < len(steps) < LONGEST_COURSE


def test_all_targets_are_known(company: Configuration) -> None:
    assert {"voicemail", "reception", "queue:sales", "+3243334455"} <= {str(t) for t in targets_of(company.policy)}


def described(company: Configuration, language: str, caller: str, dialled: str, *states: str) -> list[str]:
    made = facts(company, caller, dialled, *states)
    decision = decide(made, company.policy, NOW)
    return str(describe(decision, made, company, NOW, language)).splitlines()


@pytest.mark.parametrize(
    ("language", "states", "heading"),
    [
        ("en", (), "Claire Dubois (sales)"),
        ("en", ("claire=meeting",), "Claire Dubois (sales) · meeting, selected"),
        (
            "en",
            ("claire=meeting@calendar until 15:00",),
            "Claire Dubois (sales) · meeting, from the calendar, until 15:00",
        ),
        (
            "fr",
            ("claire=meeting@administrator until 2026-11-25T09:00",),
            "Claire Dubois (sales) · meeting, fixé par l'administration, jusqu'à 2026-11-25 09:00",
        ),
    ],
)
def test_the_heading_says_whose_rules_decided(
    company: Configuration, language: str, states: tuple[str, ...], heading: str
) -> None:
    assert described(company, language, CUSTOMER, "claire", *states)[0] == heading


@pytest.mark.parametrize(
    ("caller", "dialled", "states", "english", "french"),
    [
        (CUSTOMER, "claire", (), "→ rings Claire Dubois (201) · shows", "→ sonne chez Claire Dubois (201) · affiche"),
        (CUSTOMER, "jean", (), "→ forwarded to Paul Servais (204-desk, 204-gsm)", "→ renvoyé à Paul Servais"),
        ("paul", "0475111222", (), "→ +32475111222 by first · shows", "→ +32475111222 par first · affiche"),
        ("paul", "112", (), "→ emergency call to 112, unmodified, by first", "→ appel d'urgence au 112, sans"),
        ("paul", "00881612345678", (), "→ refused: 403 Forbidden", "→ refusé : 403 Forbidden"),
        (CUSTOMER, "pia", (), "→ rings Pia Simon (sip:501@127.0.0.1:5070)", "→ sonne chez Pia Simon (sip:501@"),
        (
            "paul",
            "eva",
            ("eva=on_call",),
            "→ forwarded to +3243334455 by first · shows +3242200100",
            "→ renvoyé vers +3243334455 par first · affiche +3242200100",
        ),
        (
            "paul",
            "ada",
            ("ada=no_answer", "bob=no_answer"),
            "→ voicemail of Bob (sip:402@",
            "→ voicemail de Bob (sip:402@",
        ),
    ],
)
def test_what_happens_is_said_in_both_languages(
    company: Configuration, caller: str, dialled: str, states: tuple[str, ...], english: str, french: str
) -> None:
    for language, words in (("en", english), ("fr", french)):
        lines = described(company, language, caller, dialled, *states)
        happens = next(line for line in lines if line.startswith("→"))
        assert happens.startswith(words)
        assert any(line.startswith("  because" if language == "en" else "  car") for line in lines)


def test_programs_get_the_same(company: Configuration) -> None:
    made = facts(company, CUSTOMER, "claire", "claire=meeting@calendar until 15:00")
    decision = decide(made, company.policy, NOW)
    told = as_dict(decision, made, company, NOW, "fr")
    assert (told["action"], told["target"], told["profile"]) == ("forward", "queue:sales", "meeting")
    assert told["text"].startswith("queue:sales (sip:sales@127.0.0.1:5092) · affiche +32475111222")
    (weighed,) = told["weighed"]
    assert (weighed["person"], weighed["by"], weighed["until"]) == ("claire", "calendar", at("2026-11-24T15:00"))
    assert all(reason["french"] for reason in told["because"])


def test_only_known_languages(company: Configuration) -> None:
    with pytest.raises(ValueError, match="'de' is none of en, fr"):
        described(company, "de", CUSTOMER, "claire")
