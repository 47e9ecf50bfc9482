"""Agents: who is rung for whom, and who is left alone (Q10 Q14 Q16)."""

from __future__ import annotations

import pytest

from router.model.decision import LineState, Outcome
from router.model.queue import AgentRules, Ended, QueueRules, ReleaseCause, Strategy
from router.model.queue import AgentState as State
from router.model.queue_events import (
    AgentAnswered,
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentResumed,
    AvailabilityChanged,
    CallerEntered,
    CallerHungUp,
    DayBegan,
    LineChanged,
    ReleaseAgent,
)
from router.waiting.room import MISSED
from tests.waiting.house import NINE, House, members


def queue(names: str, strategy: Strategy = Strategy.LONGEST_IDLE, name: str = "sales", **rules: float) -> QueueRules:
    """A queue without limits that would disturb."""
    return QueueRules(name, members(names), strategy, max_wait=None, pause_after_missed=0, **rules)  # type: ignore[arg-type]


def serve(house: House, agent: str, seconds: float = 10.0) -> None:
    house.answers(agent)
    house.talked(agent, seconds)


# ------------------------------------------------------------------------------------------------------- ring all


def test_all_are_rung_and_when_one_answers_the_others_hear_that_it_was_completed_elsewhere() -> None:
    """Q10"""
    house = House(queue("ada bob cleo", Strategy.RING_ALL))
    house.enters("a")
    assert house.rings == {"ada": "a", "bob": "a", "cleo": "a"}
    house.answers("bob")
    assert house.released == [("ada", "a", ReleaseCause.ELSEWHERE), ("cleo", "a", ReleaseCause.ELSEWHERE)]
    assert not house.rings
    house.talked("bob")
    assert house.ended == {"a": Ended.ANSWERED}


def test_of_two_who_answer_in_the_same_instant_the_first_has_the_caller_and_the_second_is_let_go_of() -> None:
    """Q10"""
    house = House(queue("ada bob", Strategy.RING_ALL))
    house.enters("a")
    first = house.floor.receive(AgentAnswered("bob", "a"), house.now)
    second = house.floor.receive(AgentAnswered("ada", "a"), house.now)
    assert ReleaseAgent("ada", "a", ReleaseCause.ELSEWHERE) in first
    assert second == [ReleaseAgent("ada", "a", ReleaseCause.ELSEWHERE)]


def test_an_answer_for_somebody_who_is_gone_is_let_go_of() -> None:
    house = House(queue("ada"))
    house.enters("a")
    house.hangs_up("a")
    assert house.happens(AgentAnswered("ada", "a")) == [ReleaseAgent("ada", "a", ReleaseCause.CALLER_GONE)]


def test_an_answer_that_is_told_twice_is_one_answer() -> None:
    house = House(queue("ada"))
    house.enters("a")
    house.picks_up("ada")
    assert house.happens(AgentAnswered("ada", "a")) == []


def test_an_agent_who_becomes_free_is_rung_for_whom_all_others_are_rung() -> None:
    """Q9, Q10"""
    house = House(queue("ada bob cleo", Strategy.RING_ALL))
    house.happens(AgentPaused("cleo"))
    house.enters("a")
    house.enters("b")
    house.happens(AgentResumed("cleo"))
    assert house.rings == {"ada": "a", "bob": "a", "cleo": "a"}


def test_who_rejects_leaves_the_others_ringing() -> None:
    """Q10"""
    house = House(queue("ada bob", Strategy.RING_ALL))
    house.enters("a")
    house.rejects("ada")
    assert house.rings == {"bob": "a"}
    assert house.state("ada") is State.RESTED


def test_those_who_were_let_go_of_are_rung_for_the_next_caller() -> None:
    """Q10"""
    house = House(queue("ada bob", Strategy.RING_ALL))
    house.enters("a")
    house.enters("b")
    house.answers("ada")
    assert house.rings == {"bob": "b"}


# ----------------------------------------------------------------------------------------------- one at a time


def test_the_agent_whose_last_call_is_over_for_the_longest_time_is_rung_alone() -> None:
    """Q14"""
    house = House(queue("ada bob cleo"))
    for _ in range(2):
        for agent in ("ada", "bob", "cleo"):
            house.passes(1.0)
            house.enters(f"for {agent} at {house.now}")
            assert house.rings.keys() == {agent}
            serve(house, agent)


def test_a_call_that_no_queue_knows_of_ends_an_idle_time_too() -> None:
    """Q14"""
    house = House(queue("ada bob"))
    house.line_is("ada", LineState.ON_CALL)
    house.passes(5.0)
    house.line_is("ada", LineState.IDLE)
    house.enters("a")
    assert house.rings == {"bob": "a"}


def test_whoever_rejected_is_not_rung_again_at_once_for_the_same_caller() -> None:
    """Q14"""
    house = House(queue("ada bob", rest_rejected=30.0))
    house.enters("a")
    house.rejects("ada")
    assert house.rings == {"bob": "a"}
    house.rejects("bob")
    assert not house.rings
    house.passes(29.9)
    assert not house.rings
    house.passes(0.2)
    assert house.rings == {"ada": "a"}


def test_after_their_rest_whoever_rejected_comes_after_those_who_did_not() -> None:
    """Q14: ada is idle for longer, and still it is bob who is rung."""
    house = House(queue("ada bob", rest_rejected=5.0, wrap_up=5.0))
    house.happens(AgentPaused("ada"))
    house.enters("early")
    house.answers("bob")
    house.happens(AgentResumed("ada"))
    house.enters("a")
    house.rejects("ada")
    house.talked("bob", 0.0)
    house.passes(4.9)
    assert not house.rings
    house.passes(0.1)
    assert house.rings == {"bob": "a"}


def test_a_rest_of_no_time_is_a_rest() -> None:
    """Q14: a phone that rejects by itself is not rung a thousand times a second."""
    house = House(queue("ada", rest_rejected=0.0))
    house.enters("a")
    house.rejects("ada")
    assert not house.rings
    house.passes(1.0)
    assert house.rings == {"ada": "a"}


def test_who_does_not_answer_is_rested_and_the_next_one_rung() -> None:
    house = House(queue("ada bob", ring_for=20.0))
    house.enters("a")
    house.passes(19.9)
    assert house.rings == {"ada": "a"}
    house.passes(0.2)
    assert house.rings == {"bob": "a"}
    assert house.released == [("ada", "a", ReleaseCause.TIMED_OUT)]
    assert house.state("ada") is State.RESTED


@pytest.mark.parametrize(
    ("outcome", "seconds"),
    [
        (Outcome.NO_ANSWER, 10.0),
        (Outcome.REJECTED, 20.0),
        (Outcome.BUSY, 20.0),
        (Outcome.UNREACHABLE, 40.0),
    ],
)
def test_how_long_an_agent_rests_depends_on_what_happened(outcome: Outcome, seconds: float) -> None:
    house = House(queue("ada", rest_missed=10.0, rest_rejected=20.0, rest_unreachable=40.0))
    house.enters("a")
    house.rejects("ada", outcome)
    house.passes(seconds - 0.1)
    assert house.state("ada") is State.RESTED
    house.passes(0.1)
    assert house.state("ada") is State.RINGING


def test_several_callers_are_offered_to_several_agents_at_once() -> None:
    house = House(queue("ada bob cleo"))
    house.enters("a")
    house.enters("b")
    assert house.rings == {"ada": "a", "bob": "b"}


def test_round_robin_goes_on_after_whoever_was_rung_last() -> None:
    house = House(queue("ada bob cleo", Strategy.ROUND_ROBIN))
    rung = []
    for number in range(4):
        house.enters(f"caller {number}")
        (agent,) = house.rings
        rung.append(agent)
        serve(house, agent)
    assert rung == ["ada", "bob", "cleo", "ada"]
    house.happens(AgentLoggedOut("bob"))
    house.enters("last")
    assert house.rings == {"cleo": "last"}


def test_fewest_calls_goes_by_the_calls_of_the_day() -> None:
    house = House(queue("ada bob", Strategy.FEWEST_CALLS))
    house.happens(AgentPaused("bob"))
    for number in range(3):
        house.enters(f"caller {number}")
        serve(house, "ada")
    house.happens(AgentResumed("bob"))
    for number in range(3, 6):
        house.enters(f"caller {number}")
        serve(house, "bob")
    house.enters("even")  # three each: the longest idle
    serve(house, "ada")
    house.happens(DayBegan())
    house.enters("next day")
    assert house.rings == {"bob": "next day"}


def test_by_skills_whoever_knows_best_is_rung_and_whoever_does_not_know_never() -> None:
    agents = [AgentRules("ada"), AgentRules("bob", (("german", 1),)), AgentRules("cleo", (("german", 3),))]
    house = House(queue("ada bob cleo", Strategy.SKILLS), agents=agents)
    german = (("german", 1),)
    house.enters("a", needs=german)
    assert house.rings == {"cleo": "a"}
    house.enters("b", needs=german)
    house.enters("c", needs=german)
    assert house.rings == {"cleo": "a", "bob": "b"}
    house.enters("d")
    assert house.rings == {"cleo": "a", "bob": "b", "ada": "d"}
    serve(house, "ada")
    assert "ada" not in house.rings  # "c" is first, and ada knows no German
    assert house.line() == ["a", "b", "c"]


def test_a_level_that_is_too_low_is_not_enough() -> None:
    house = House(queue("bob", Strategy.RING_ALL), agents=[AgentRules("bob", (("german", 1),))])
    house.enters("a", needs=(("german", 2),))
    assert not house.rings


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_remote_agent_is_rung_only_when_nobody_else_is_free(strategy: Strategy) -> None:
    rules = QueueRules("sales", (*members("remote", 1), *members("ada")), strategy, max_wait=None)
    house = House(rules)
    house.enters("a")
    assert house.rings == {"ada": "a"}
    house.enters("b")
    assert house.rings == {"ada": "a", "remote": "b"}
    house.hangs_up("b")
    house.rejects("ada")
    assert house.rings == {"remote": "a"}


# -------------------------------------------------------------------------------------------------- several queues


def test_an_agent_of_two_queues_goes_to_whoever_waits_longest_in_either() -> None:
    """Fairness between queues."""
    house = House(queue("ada"), queue("ada", name="technical"))
    house.happens(AgentPaused("ada"))
    expected = []
    for number in range(6):
        place = f"caller {number}"
        house.enters(place, "sales" if number % 3 else "technical")
        house.passes(1.0)
        expected.append(place)
    house.happens(AgentResumed("ada"))
    served = []
    for _ in range(6):
        served.append(house.answers("ada"))
        house.talked("ada")
    assert served == expected


def test_a_vip_of_one_queue_goes_before_the_usual_callers_of_another() -> None:
    """Q16: priority holds between queues."""
    house = House(queue("ada"), queue("ada", name="technical"))
    house.happens(AgentPaused("ada"))
    house.enters("usual", "sales")
    house.passes(100.0)
    house.enters("vip", "technical", tier=0)
    house.happens(AgentResumed("ada"))
    assert house.rings == {"ada": "vip"}


def test_nobody_is_rung_by_two_queues_at_once() -> None:
    house = House(queue("ada bob", Strategy.RING_ALL), queue("ada bob", Strategy.RING_ALL, "technical"))
    house.enters("a", "sales")
    house.enters("b", "technical")
    assert house.rings == {"ada": "a", "bob": "a"}
    house.answers("ada")
    assert house.rings == {"bob": "b"}


# -------------------------------------------------------------------------------------------------- what agents do


def test_who_is_on_any_call_is_not_rung() -> None:
    house = House(queue("ada"))
    house.happens(LineChanged("ada", LineState.ON_CALL))
    assert house.state("ada") is State.ON_CALL
    house.enters("a")
    assert not house.rings
    house.happens(LineChanged("ada", LineState.IDLE))
    assert house.rings == {"ada": "a"}


def test_who_has_no_phone_or_is_not_available_is_not_rung() -> None:
    """M3, S6"""
    house = House(queue("ada"))
    house.happens(LineChanged("ada", LineState.UNREGISTERED))
    assert house.state("ada") is State.UNREACHABLE
    house.enters("a")
    assert not house.rings
    house.happens(AvailabilityChanged("ada", False))
    house.happens(LineChanged("ada", LineState.IDLE))
    assert not house.rings
    assert house.state("ada") is State.UNREACHABLE
    house.happens(AvailabilityChanged("ada", True))
    assert house.rings == {"ada": "a"}


@pytest.mark.parametrize(
    "event", [AgentPaused("ada"), AgentLoggedOut("ada"), AvailabilityChanged("ada", False)], ids=["p", "o", "a"]
)
def test_who_goes_while_being_rung_is_rung_no_longer_and_the_caller_keeps_the_place(event: AgentPaused) -> None:
    house = House(queue("ada bob"))
    house.enters("a")
    house.happens(event)
    assert house.released == [("ada", "a", ReleaseCause.WITHDRAWN)]
    assert house.rings == {"bob": "a"}


def test_after_a_conversation_there_is_time_to_write_it_up() -> None:
    house = House(queue("ada", wrap_up=15.0))
    house.enters("a")
    house.enters("b")
    serve(house, "ada")
    assert house.state("ada") is State.WRAP_UP
    house.passes(14.0)
    assert not house.rings
    house.passes(1.0)
    assert house.rings == {"ada": "b"}


def test_who_is_ready_earlier_says_so() -> None:
    house = House(queue("ada", wrap_up=15.0))
    house.enters("a")
    house.enters("b")
    serve(house, "ada")
    house.happens(AgentResumed("ada"))
    assert house.rings == {"ada": "b"}


@pytest.mark.parametrize(
    ("event", "state"), [(AgentPaused("ada", "lunch"), State.PAUSED), (AgentLoggedOut("ada"), State.LOGGED_OUT)]
)
def test_who_pauses_or_logs_out_during_a_conversation_does_so_after_it(event: AgentPaused, state: State) -> None:
    house = House(queue("ada", wrap_up=15.0))
    house.enters("a")
    house.enters("b")
    house.answers("ada")
    house.happens(event)
    assert house.state("ada") is State.ON_CALL
    house.talked("ada")
    assert house.states["ada"] == (state, getattr(event, "reason", ""))
    house.passes(60.0)
    assert not house.rings
    house.happens(AgentResumed("ada") if state is State.PAUSED else AgentLoggedIn("ada"))
    assert house.rings == {"ada": "b"}


def test_who_thinks_better_of_a_pause_during_the_conversation_has_none() -> None:
    house = House(queue("ada"))
    house.enters("a")
    house.enters("b")
    house.answers("ada")
    house.happens(AgentPaused("ada"))
    house.happens(AgentResumed("ada"))
    house.talked("ada")
    assert house.rings == {"ada": "b"}


def test_a_pause_ends_at_its_time() -> None:
    house = House(queue("ada"))
    house.happens(AgentPaused("ada", "coffee", house.now + 600.0))
    assert house.states["ada"] == (State.PAUSED, "coffee")
    house.enters("a")
    house.passes(599.0)
    assert not house.rings
    house.passes(1.0)
    assert house.rings == {"ada": "a"}


def test_whoever_missed_too_many_calls_in_a_row_is_paused() -> None:
    house = House(
        QueueRules("sales", members("ada"), max_wait=None, pause_after_missed=2, ring_for=5.0, rest_missed=5.0)
    )
    house.enters("a")
    house.passes(5.0)
    assert house.state("ada") is State.RESTED
    house.passes(5.0)
    house.passes(5.0)
    assert house.states["ada"] == (State.PAUSED, MISSED)
    house.passes(60.0)
    assert not house.rings
    house.happens(AgentResumed("ada"))
    assert house.rings == {"ada": "a"}


def test_an_answer_forgives_the_calls_that_were_missed() -> None:
    house = House(
        QueueRules("sales", members("ada"), max_wait=None, pause_after_missed=2, ring_for=5.0, rest_missed=5.0)
    )
    for number in range(3):
        house.enters(f"caller {number}")
        house.passes(10.0)
        serve(house, "ada")
    assert house.state("ada") is State.IDLE


def test_a_rejected_call_is_not_a_missed_one() -> None:
    house = House(QueueRules("sales", members("ada"), max_wait=None, pause_after_missed=1, rest_rejected=1.0))
    house.enters("a")
    house.rejects("ada")
    house.passes(1.0)
    assert house.rings == {"ada": "a"}


def test_agents_do_not_take_calls_before_they_log_in_where_that_is_configured() -> None:
    house = House(queue("ada"), agents=[AgentRules("ada", starts_in=False)])
    house.enters("a")
    assert not house.rings
    house.happens(AgentLoggedIn("ada"))
    assert house.rings == {"ada": "a"}


def test_who_let_go_of_one_caller_is_rung_for_another_only_when_the_phone_has_stopped() -> None:
    """The CANCEL takes a moment, and until then the line is not idle."""
    floor, now = House(queue("ada")).floor, NINE
    floor.receive(CallerEntered("a", "sales", now), now)
    floor.receive(CallerEntered("b", "sales", now), now)
    floor.receive(LineChanged("ada", LineState.RINGING), now)
    out = floor.receive(CallerHungUp("a"), now)
    assert ReleaseAgent("ada", "a", ReleaseCause.CALLER_GONE) in out
    assert not floor.places["b"].ringing
    floor.receive(LineChanged("ada", LineState.IDLE), now)
    assert floor.places["b"].ringing
