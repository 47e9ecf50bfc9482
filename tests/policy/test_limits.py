"""Limits of what is called (X2): per minute, per day, in cost, by person and for the whole company."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.calls.limits import LimitedCalls
from router.configuration import ConfigurationError, load
from router.model.decision import Action, Decision, DialNumber, Facts, LineState, Origin, Usage
from router.policy import Policy, decide
from router.policy.limits import LimitedGroup, Limits
from tests.policy.company import COMPANY, Desk, configuration, moment

AFRICA, SENEGAL, MOBILE = "+22512345678", "+22112345678", "+32475111222"
LIMITS = """\
limits:
  africa: {prefixes: ["+22"], except: ["+221"], calls_per_minute: 2, calls_per_day: 5}
  abroad: {prefixes: ["+"], except: ["+32"], per: company, cost_per_minute: 0.5, cost_per_day: 10, minutes: 3}
"""
POLICY = configuration(COMPANY + LIMITS).policy


class Caller:
    """People who call and talk, on one day's clock."""

    def __init__(self, policy: Policy = POLICY) -> None:
        self.policy = policy
        self.counted = LimitedCalls()

    def asks(self, person: str, number: str, at: str, **states: LineState) -> Decision:
        facts = Facts(Origin.PERSON, person, number, person, lines=states, usage=self.counted.usage)
        return decide(facts, self.policy, moment(at))

    def calls(self, person: str, number: str, at: str, minutes: float = 0.0) -> Decision:
        """Make a call if it may be made, and talk."""
        decision = self.asks(person, number, at)
        if decision.limits:
            now = moment(at)
            self.counted.begun(self.policy, decision.limits, decision.person, now)
            self.counted.ended(self.policy, decision.limits, decision.person, minutes * 60, now + minutes * 60)
        return decision


def is_refused(decision: Decision) -> bool:
    refused = (decision.action, decision.status) == (Action.REFUSE, 403)
    assert refused is (decision.because[-1].rule == "limit")
    return refused


def test_a_call_names_the_limits_that_it_counts_to() -> None:
    """Every group whose prefix fits; within a group the longest of its prefixes and exceptions decides."""
    caller = Caller()
    assert caller.asks("paul", AFRICA, "2026-11-24T10:00").limits == ("africa", "abroad")
    assert caller.asks("paul", SENEGAL, "2026-11-24T10:00").limits == ("abroad",)
    assert caller.asks("paul", MOBILE, "2026-11-24T10:00").limits == ()
    assert caller.asks("paul", "201", "2026-11-24T10:00").limits == ()
    assert caller.asks("paul", "1733", "2026-11-24T10:00").limits == ()


def test_calls_a_minute_are_those_of_the_clock() -> None:
    caller = Caller()
    assert not is_refused(caller.calls("paul", AFRICA, "2026-11-24T10:15:58"))
    assert not is_refused(caller.calls("paul", AFRICA, "2026-11-24T10:15:59"))
    refused = caller.calls("paul", AFRICA, "2026-11-24T10:15:59.9")
    assert is_refused(refused)
    reason = refused.because[-1]
    assert reason.clause == "X2"
    assert reason.text == "africa: at most 2 calls a minute, per person; again from 10:16"
    assert reason.french == "africa : au plus 2 appels par minute, par personne ; à nouveau à partir de 10:16"
    assert reason.source == f"company.yaml:{(COMPANY + LIMITS).splitlines().index('limits:') + 2}"
    assert not is_refused(caller.calls("paul", AFRICA, "2026-11-24T10:16:00"))


def test_everybody_has_a_limit_per_person_to_themselves() -> None:
    caller = Caller()
    for _ in range(2):
        caller.calls("paul", AFRICA, "2026-11-24T10:15")
    assert is_refused(caller.asks("paul", AFRICA, "2026-11-24T10:15"))
    assert not is_refused(caller.asks("thomas", AFRICA, "2026-11-24T10:15"))
    assert not is_refused(caller.asks("paul", SENEGAL, "2026-11-24T10:15")), "an exception is not limited"


def test_calls_a_day_are_those_of_the_companys_day() -> None:
    caller = Caller()
    for minute in range(5):
        assert not is_refused(caller.calls("paul", AFRICA, f"2026-11-24T10:{minute:02d}"))
    refused = caller.asks("paul", AFRICA, "2026-11-24T23:59:59")
    assert is_refused(refused)
    assert refused.because[-1].text == "africa: at most 5 calls a day, per person; again from 2026-11-25"
    assert refused.because[-1].french.endswith(
        "au plus 5 appels par jour, par personne ; à nouveau à partir du 25/11/2026"
    )
    assert not is_refused(caller.calls("paul", AFRICA, "2026-11-25T00:00"))


def test_the_day_of_a_change_of_the_clock_is_one_day() -> None:
    """The night of 25 October 2026 has 25 hours; two o'clock comes twice, and the minutes are different ones."""
    caller = Caller()
    for _ in range(2):
        assert not is_refused(caller.calls("paul", AFRICA, "2026-10-25T02:30:00+02:00"))
    assert is_refused(caller.asks("paul", AFRICA, "2026-10-25T02:30:30+02:00"))
    for _ in range(2):
        assert not is_refused(caller.calls("paul", AFRICA, "2026-10-25T02:30:00+01:00"))
    caller.calls("paul", AFRICA, "2026-10-25T12:00")
    assert is_refused(caller.asks("paul", AFRICA, "2026-10-25T23:59:59+01:00"))


def test_a_call_counts_its_advance_and_then_what_it_lasted_longer() -> None:
    """10 a day at 0.50 a minute, 3 minutes in advance: 6 short calls, or one long one."""
    short = Caller()
    for minute in range(6):
        assert not is_refused(short.calls("paul", SENEGAL, f"2026-11-24T10:{minute:02d}", minutes=2))
    refused = short.asks("thomas", SENEGAL, "2026-11-24T11:00")
    assert is_refused(refused)
    assert refused.because[-1].text == "abroad: at most a cost of 10 a day, in all; again from 2026-11-25"
    assert refused.because[-1].french.startswith("abroad : au plus un coût de 10 par jour, pour toute l'entreprise")
    assert not is_refused(short.asks("thomas", SENEGAL, "2026-11-25T00:00"))

    long = Caller()
    assert not is_refused(long.calls("paul", SENEGAL, "2026-11-24T10:00", minutes=17))
    assert not is_refused(long.asks("thomas", SENEGAL, "2026-11-24T11:00")), "8.50 spent, 1.50 for the next"
    assert not is_refused(long.calls("thomas", SENEGAL, "2026-11-24T11:00", minutes=3.1))
    assert is_refused(long.asks("claire", SENEGAL, "2026-11-24T12:00"))


def test_a_long_call_is_paid_on_the_day_on_which_it_ends() -> None:
    caller = Caller()
    caller.calls("paul", SENEGAL, "2026-11-24T23:50", minutes=25)
    assert is_refused(caller.asks("paul", SENEGAL, "2026-11-25T00:15"))
    assert not is_refused(caller.asks("paul", SENEGAL, "2026-11-26T00:00"))


def test_an_emergency_call_is_never_limited() -> None:
    """G1: whatever is used up."""
    text = COMPANY + 'limits: {all: {prefixes: ["+"], calls_per_day: 1}}\n'
    policy = configuration(text).policy
    caller = Caller(policy)
    caller.calls("paul", MOBILE, "2026-11-24T10:00")
    assert is_refused(caller.asks("paul", MOBILE, "2026-11-24T10:00"))
    emergency = caller.asks("paul", "112", "2026-11-24T10:00")
    assert (emergency.action, emergency.limits) == (Action.EMERGENCY, ())


def test_a_forward_outside_counts_for_whoever_was_called_and_goes_elsewhere_when_used_up() -> None:
    """S3: the caller hears of no limit."""
    text = COMPANY + 'limits: {belgium: {prefixes: ["+324333"], calls_per_day: 1}}\n'
    policy = configuration(text).policy
    caller = Caller(policy)
    busy = {"eva": LineState.ON_CALL}
    first = caller.asks("paul", "403", "2026-11-24T10:15", **busy)
    assert (first.action, first.target, first.person) == (Action.FORWARD, DialNumber("+3243334455"), "eva")
    assert first.limits == ("belgium",)
    caller.counted.begun(policy, first.limits, first.person, moment("2026-11-24T10:15"))
    second = caller.asks("paul", "403", "2026-11-24T10:15", **busy)
    assert (second.action, str(second.target), second.limits) == (Action.FORWARD, "voicemail", ())
    assert [reason.clause for reason in second.rejected if reason.rule == "limit"] == ["X2"]
    direct = caller.asks("paul", "+3243334455", "2026-11-24T10:15")
    assert direct.action is Action.DIAL, "it was Eva's forward, not Paul's call"


def test_callers_whom_nobody_knows_share_one_account() -> None:
    desk = Desk(POLICY)
    used = {("africa", ""): Usage(int(moment("2026-11-24T10:15") // 60), 2, 0, 2, 0.0)}
    facts = Facts(Origin.PBX, "central", AFRICA, caller_number=None, usage=used)
    assert is_refused(decide(facts, desk.policy, moment("2026-11-24T10:15")))


def test_nothing_is_kept_of_days_that_are_over() -> None:
    caller = Caller()
    for person in ("paul", "thomas", "claire"):
        caller.calls(person, AFRICA, "2026-11-24T10:00")
    assert len(caller.counted.usage) == 4
    mapping = caller.counted.usage
    caller.calls("paul", AFRICA, "2026-11-25T10:00")
    assert set(caller.counted.usage) == {("africa", "paul"), ("abroad", "")}
    assert caller.counted.usage is mapping, "decisions hold on to it"


# ---------------------------------------------------------------------------------------- what is written

MISTAKES = [
    ('{prefixes: ["+22"]}', 1, "the limit 'group' bounds nothing", "calls_per_minute:"),
    ('{prefixes: ["22"], calls_per_day: 1}', 1, "'22' is no prefix", '"+881"'),
    ('{prefixes: ["+22"], except: ["+22x"], calls_per_day: 1}', 1, "'+22x' is no prefix", '"+881"'),
    ('{prefixes: ["+22"], cost_per_day: 5}', 1, "a minute costs nothing", "cost_per_minute:"),
    ('{prefixes: ["+22"], cost_per_day: 5, cost_per_minute: 2}', 1, "allows no call: each counts 6", "minutes:"),
    ('{prefixes: ["+22"], calls_per_day: 0}', 1, "calls_per_day", ""),
    ("{calls_per_day: 1}", 1, "'prefixes' is missing", ""),
    ('\n    prefixes:\n      - "+22"\n      - "0x"\n    calls_per_day: 1', 4, "'0x' is no prefix", '"+881"'),
]


@pytest.mark.parametrize(("written", "line", "message", "advice"), MISTAKES)
def test_a_limit_that_is_wrong_says_where(tmp_path: Path, written: str, line: int, message: str, advice: str) -> None:
    text = f"{COMPANY}limits:\n  group: {written}\n"
    (tmp_path / "company.yaml").write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        load(tmp_path)
    assert len(raised.value.findings) == 1, raised.value
    finding = raised.value.findings[0]
    assert message in finding.message
    assert advice in finding.suggestion
    assert finding.mark.line == len(COMPANY.splitlines()) + 1 + line


# ------------------------------------------------------------------------------------------ against a naive reference

prefixes = st.lists(st.text("012", max_size=3), max_size=4)


@given(st.lists(st.tuples(prefixes, prefixes), max_size=4), st.text("012", min_size=1, max_size=5))
def test_the_groups_of_a_number(rules: list[tuple[list[str], list[str]]], number: str) -> None:
    groups = [LimitedGroup(f"g{index}", True, 1, None, 0.0, None, 3.0, "") for index in range(len(rules))]
    limits = Limits.of(
        (group, [f"+{prefix}" for prefix in inside], [f"+{prefix}" for prefix in without])
        for group, (inside, without) in zip(groups, rules, strict=True)
    )
    expected = []
    for group, (inside, without) in zip(groups, rules, strict=True):
        belongs = max((len(prefix) for prefix in inside if number.startswith(prefix)), default=-1)
        excepted = max((len(prefix) for prefix in without if number.startswith(prefix)), default=-1)
        if belongs > excepted:
            expected.append(group)
    assert list(limits.of_number(f"+{number}")) == expected
