"""A new configuration while callers wait."""

from __future__ import annotations

import pytest

from router.model.queue import (
    FIRST_TIER,
    AgentRules,
    Ended,
    OverflowCause,
    PlaceState,
    QueueRules,
    ReleaseCause,
    Strategy,
)
from router.model.queue import AgentState as State
from router.model.queue_events import AgentPaused
from router.waiting.errors import LineError
from tests.waiting.house import House, members

RULES = QueueRules("sales", members("ada bob"), Strategy.LONGEST_IDLE, max_wait=None)
ADA, BOB, CLEO = AgentRules("ada"), AgentRules("bob"), AgentRules("cleo")


def reload(house: House, *queues: QueueRules, agents: tuple[AgentRules, ...]) -> None:
    house.carry_out(house.floor.configure(queues, agents, house.now))


def test_places_and_states_survive_a_reload() -> None:
    house = House(RULES)
    house.happens(AgentPaused("bob", "lunch"))
    house.enters("a")
    house.answers("ada")
    house.enters("b")
    reload(house, RULES, agents=(ADA, BOB, CLEO))
    assert house.line() == ["b"]
    assert (house.state("ada"), house.states["bob"]) == (State.ON_CALL, (State.PAUSED, "lunch"))
    house.talked("ada")
    assert house.rings == {"ada": "b"}


def test_an_agent_who_is_new_takes_who_waits() -> None:
    house = House(RULES)
    house.happens(AgentPaused("ada"))
    house.happens(AgentPaused("bob"))
    house.enters("a")
    reload(house, QueueRules("sales", members("ada bob cleo"), max_wait=None), agents=(ADA, BOB, CLEO))
    assert house.rings == {"cleo": "a"}


def test_whoever_is_no_agent_any_more_is_rung_no_longer() -> None:
    house = House(RULES)
    house.enters("a")
    reload(house, QueueRules("sales", members("bob"), max_wait=None), agents=(BOB,))
    assert house.released == [("ada", "a", ReleaseCause.WITHDRAWN)]
    assert house.rings == {"bob": "a"}


def test_whoever_is_no_agent_any_more_may_finish_the_conversation() -> None:
    house = House(RULES)
    house.enters("a")
    house.answers("ada")
    reload(house, QueueRules("sales", members("bob"), max_wait=None), agents=(BOB,))
    house.talked("ada")
    assert house.ended == {"a": Ended.ANSWERED}


def test_who_waits_in_a_queue_that_is_gone_is_sent_elsewhere_and_who_speaks_may_finish() -> None:
    house = House(RULES)
    house.enters("speaks")
    house.answers("ada")
    house.enters("connects")
    house.picks_up("bob")
    house.enters("waits")
    house.enters("back later")
    house.wants_callback("back later")
    reload(house, agents=(ADA, BOB))
    assert house.overflowed == {"waits": OverflowCause.QUEUE_GONE}
    assert house.ended["back later"] is Ended.CANCELLED
    house.talked("ada")
    house.cannot_connect("bob")
    assert house.overflowed["connects"] is OverflowCause.QUEUE_GONE
    with pytest.raises(LineError, match="no queue sales"):
        house.enters("late")
    reload(house, RULES, agents=(ADA, BOB))
    house.enters("again")
    assert "again" in house.rings.values()


def test_another_ageing_is_another_order() -> None:
    """Q16"""
    house = House(QueueRules("sales", max_wait=None))
    house.enters("a")
    house.passes(61.0)
    house.enters("vip", tier=FIRST_TIER)
    assert house.line() == ["vip", "a"]
    reload(house, QueueRules("sales", max_wait=None, ageing=60.0), agents=())
    assert house.line() == ["a", "vip"]


def test_who_comes_forward_by_another_order_hears_of_it() -> None:
    """Q3, Q16"""
    house = House(QueueRules("sales", max_wait=None))
    house.enters("vip 1", tier=FIRST_TIER)
    house.enters("a")
    house.passes(61.0)
    house.enters("vip 2", tier=FIRST_TIER)
    house.hangs_up("vip 1")
    house.passes(31.0)
    assert house.heard["a"] == ["2"]
    reload(house, QueueRules("sales", max_wait=None, ageing=60.0), agents=())
    house.passes(1.0)
    assert house.line() == ["a", "vip 2"]
    assert house.heard["a"] == ["2", "1"]


def test_another_strategy_holds_for_those_who_are_being_offered() -> None:
    """Q10, Q14"""
    house = House(RULES)
    house.enters("a")
    assert house.rings == {"ada": "a"}
    reload(house, QueueRules("sales", RULES.members, Strategy.RING_ALL, max_wait=None), agents=(ADA, BOB))
    assert house.rings == {"ada": "a", "bob": "a"}
    reload(house, RULES, agents=(ADA, BOB))
    assert house.floor.places["a"].state is PlaceState.OFFERED
    house.enters("b")
    assert house.line() == ["a", "b"]


def test_a_member_who_is_no_agent_changes_nothing() -> None:
    house = House(RULES)
    house.enters("a")
    with pytest.raises(LineError, match="queue sales: its member zoe is no agent"):
        reload(house, QueueRules("sales", members("zoe")), agents=(ADA,))
    assert house.rings == {"ada": "a"}


def test_a_reload_sends_nobody_away_because_agents_are_counted_anew() -> None:
    rules = QueueRules("sales", members("ada bob"), max_wait=None, unattended=0.0)
    house = House(rules)
    house.happens(AgentPaused("ada"))
    house.enters("a")
    reload(house, rules, agents=(ADA, BOB))
    assert not house.overflowed
