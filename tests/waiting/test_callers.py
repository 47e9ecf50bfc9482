"""Callers in a line: their order, what they are told, and how they leave it (Q2 Q3 Q4 Q5 Q9 Q13 Q16, G3, G8)."""

from __future__ import annotations

import pytest

from router.model.queue import FIRST_TIER, Ended, OverflowCause, QueueRules, Strategy
from router.model.queue import AgentState as State
from router.model.queue_events import (
    AgentLoggedOut,
    AgentPaused,
    AgentResumed,
    CallerEntered,
    CallerMoved,
    Connected,
    QueueClosed,
    QueueOpened,
)
from router.waiting.errors import LineError
from router.waiting.room import ALONE_AFTER_CLOSING
from tests.waiting.house import House, members

SALES = QueueRules("sales", members("claire marc"), Strategy.LONGEST_IDLE)
NOBODY = QueueRules("sales", max_wait=None)


def busy(house: House) -> None:
    """Both agents speak with somebody who came first."""
    house.enters("early 1")
    house.enters("early 2")
    assert {house.answers("claire"), house.answers("marc")} == {"early 1", "early 2"}


def test_callers_are_served_in_the_order_in_which_they_came() -> None:
    """Q9"""
    house = House(QueueRules("sales", members("claire"), Strategy.LONGEST_IDLE))
    for place in ("a", "b", "c"):
        house.enters(place)
        house.passes(1.0)
    served = []
    for _ in range(3):
        served.append(house.answers("claire"))
        house.talked("claire")
    assert served == ["a", "b", "c"]


def test_the_order_goes_by_the_instant_of_the_invite_and_not_by_that_of_entering() -> None:
    """Q13: who heard a longer welcome is not behind for it."""
    house = House(NOBODY)
    invited = house.now
    house.passes(5.0)
    house.enters("quick", arrived=invited + 4.0)
    house.enters("slow", arrived=invited)
    assert house.line() == ["slow", "quick"]


def test_callers_of_one_instant_stand_in_the_order_in_which_they_entered() -> None:
    house = House(NOBODY)
    for place in ("z", "m", "a"):
        house.enters(place)
    assert house.line() == ["z", "m", "a"]


def test_vip_numbers_go_before_others_and_among_themselves_in_order() -> None:
    """Q16"""
    house = House(NOBODY)
    for place, tier in (("a", 1), ("vip 1", FIRST_TIER), ("b", 1), ("vip 2", FIRST_TIER)):
        house.enters(place, tier=tier)
        house.passes(1.0)
    assert house.line() == ["vip 1", "vip 2", "a", "b"]


def test_with_ageing_who_came_so_much_earlier_is_not_overtaken() -> None:
    """Q16"""
    house = House(QueueRules("sales", max_wait=None, ageing=60.0))
    house.enters("patient")
    house.passes(30.0)
    house.enters("vip 1", tier=FIRST_TIER)
    house.passes(31.0)
    house.enters("vip 2", tier=FIRST_TIER)
    assert house.line() == ["vip 1", "patient", "vip 2"]


def test_somebody_can_be_moved_to_another_tier_and_hears_of_it() -> None:
    house = House(NOBODY)
    house.enters("a")
    house.enters("b")
    house.passes(31.0)
    house.happens(CallerMoved("b", FIRST_TIER))
    assert house.line() == ["b", "a"]
    assert house.heard["b"] == ["2", "1"]


# ------------------------------------------------------------------------------------------------- what they hear


def test_the_position_is_told_on_entry_and_whenever_it_improves_the_first_one_included() -> None:
    """Q3"""
    house = House(NOBODY)
    for place in ("a", "b", "c"):
        house.enters(place)
    house.passes(31.0)
    house.hangs_up("a")
    house.passes(31.0)
    house.hangs_up("b")
    assert house.heard == {"a": ["1"], "b": ["2", "1"], "c": ["3", "2", "1"]}


def test_positions_are_not_told_more_often_than_the_gap_and_then_the_newest_one() -> None:
    """Q3"""
    house = House(NOBODY)
    for place in ("a", "b", "c", "d"):
        house.enters(place)
    house.passes(10.0)
    house.hangs_up("a")
    house.hangs_up("b")
    house.passes(19.9)
    assert house.heard["d"] == ["4"]
    house.passes(0.2)
    assert house.heard["d"] == ["4", "2"]


def test_who_falls_back_hears_nothing_and_is_told_only_of_what_is_better_than_before() -> None:
    """Q3, Q16: a VIP came, and was served; those behind are where they were."""
    house = House(NOBODY)
    house.enters("a")
    house.enters("b")
    house.passes(31.0)
    house.enters("vip", tier=FIRST_TIER)
    house.hangs_up("vip")
    house.passes(60.0)
    assert house.heard["b"] == ["2"]
    house.hangs_up("a")
    house.passes(1.0)
    assert house.heard["b"] == ["2", "1"]


def test_everybody_in_a_long_line_is_told_of_an_improvement_within_seconds() -> None:
    """Q3: in steps, so that no single event is slow."""
    house = House(QueueRules("sales", max_wait=None, max_length=1000))
    for number in range(500):
        house.enters(f"caller {number}")
    house.passes(31.0)
    house.hangs_up("caller 0")
    told = sum(len(heard) == 2 for heard in house.heard.values())
    assert told < 20
    house.passes(1.0)
    assert [house.heard[f"caller {number}"] for number in (1, 250, 499)] == [["2", "1"], ["251", "250"], ["500", "499"]]
    assert sum(len(heard) == 2 for heard in house.heard.values()) == 499


def test_the_end_of_a_long_line_is_told_even_when_its_head_moves_all_the_time() -> None:
    """Q3"""
    house = House(QueueRules("sales", max_wait=None, max_length=1000))
    for number in range(200):
        house.enters(f"caller {number}")
    house.passes(31.0)
    for number in range(20):
        house.hangs_up(f"caller {number}")
        house.passes(0.05)
    assert len(house.heard["caller 199"]) == 2


def test_who_improved_while_those_behind_are_being_told_is_told_too() -> None:
    """Q3"""
    house = House(QueueRules("sales", max_wait=None, max_length=1000))
    for number in range(200):
        house.enters(f"caller {number}")
    house.passes(31.0)
    house.hangs_up("caller 100")
    house.hangs_up("caller 0")
    house.passes(2.0)
    assert house.heard["caller 50"] == ["51", "50"]


def test_somebody_who_comes_while_others_are_being_told_hides_nobody() -> None:
    """Q3, Q16"""
    house = House(QueueRules("sales", max_wait=None, max_length=1000))
    for number in range(200):
        house.enters(f"caller {number}")
    house.passes(31.0)
    for number in range(3):
        house.hangs_up(f"caller {number}")
    house.enters("vip", tier=FIRST_TIER)
    house.passes(2.0)
    assert [place for place in house.line()[1:] if len(house.heard[place]) != 2] == []


def test_whoever_was_told_just_now_is_not_told_with_the_others() -> None:
    """Q3"""
    house = House(NOBODY)
    for place in ("a", "b"):
        house.enters(place)
    house.passes(25.0)
    house.enters("c")
    house.passes(10.0)
    house.hangs_up("a")
    house.passes(19.0)
    assert (house.heard["b"], house.heard["c"]) == (["2", "1"], ["3"])
    house.passes(1.0)
    assert house.heard["c"] == ["3", "2"]


def test_who_is_offered_to_an_agent_is_still_the_first_and_who_is_connected_no_longer() -> None:
    """Q3"""
    house = House(SALES)
    house.enters("a")
    house.enters("b")
    house.enters("c")
    assert house.line() == ["a", "b", "c"]
    house.picks_up("claire")
    assert house.line() == ["b", "c"]


def test_the_wait_to_be_expected_grows_with_the_position_and_shrinks_with_the_agents() -> None:
    house = House(QueueRules("sales", members("claire marc"), usual_handling=100.0))
    line = house.floor.lines["sales"]
    assert (line.estimate(1), line.estimate(4)) == (50.0, 200.0)
    house.happens(AgentPaused("marc"))
    assert line.estimate(1) == 100.0
    house.happens(AgentLoggedOut("claire"))
    assert line.estimate(1) is None


def test_the_wait_to_be_expected_follows_how_long_conversations_take() -> None:
    house = House(QueueRules("sales", members("claire"), usual_handling=100.0, wrap_up=20.0))
    for number in range(50):
        house.enters(f"caller {number}")
        house.answers("claire")
        house.talked("claire", 20.0)
        house.passes(20.0)
    estimate = house.floor.lines["sales"].estimate(1)
    assert estimate is not None and 39.0 < estimate < 42.0


# ------------------------------------------------------------------------------------------- how they leave


def test_nobody_waits_longer_than_the_longest_wait_and_is_told_before() -> None:
    """Q2, G3"""
    house = House(QueueRules("sales", members("claire"), max_wait=180.0, notice=30.0))
    house.happens(AgentPaused("claire"))
    house.enters("a")
    house.passes(149.9)
    assert house.heard["a"] == ["1"]
    house.passes(0.2)
    assert house.heard["a"] == ["1", "30 s left"]
    house.passes(29.8)
    assert not house.overflowed
    house.passes(0.2)
    assert house.overflowed == {"a": OverflowCause.MAX_WAIT}
    assert house.ended == {"a": Ended.OVERFLOWED}
    assert house.waited["a"] == pytest.approx(180.0)


def test_an_agent_who_is_being_rung_at_the_end_of_the_longest_wait_is_let_go_of() -> None:
    """Q2"""
    house = House(QueueRules("sales", members("claire"), max_wait=30.0, ring_for=60.0))
    house.enters("a")
    assert house.rings == {"claire": "a"}
    house.passes(30.0)
    assert house.overflowed == {"a": OverflowCause.MAX_WAIT}
    assert not house.rings
    assert house.state("claire") is State.IDLE


def test_an_answer_in_the_instant_at_which_the_wait_ends_is_an_answer() -> None:
    house = House(QueueRules("sales", members("claire"), max_wait=30.0, ring_for=60.0))
    house.enters("a")
    house.now += 30.0
    house.answers("claire")
    house.passes(60.0)
    assert not house.overflowed


def test_who_comes_back_from_where_they_were_sent_has_the_old_place() -> None:
    """Q9: the place is kept through an overflow loop."""
    house = House(QueueRules("sales", max_wait=180.0))
    invited = house.now
    house.enters("a")
    house.passes(100.0)
    house.enters("b")
    house.passes(85.0)
    assert house.overflowed == {"a": OverflowCause.MAX_WAIT}
    house.enters("a again", arrived=invited)
    assert house.line() == ["a again", "b"]


def test_a_key_leads_out_at_every_moment_before_the_conversation() -> None:
    """Q5"""
    house = House(SALES)
    busy(house)
    house.enters("waiting")
    house.presses_message_key("waiting")
    house.talked("claire")
    house.enters("offered")
    assert house.rings == {"claire": "offered"}
    house.presses_message_key("offered")
    assert not house.rings
    house.enters("connecting")
    house.picks_up("claire")
    house.presses_message_key("connecting")
    assert "claire" not in house.talks
    assert {house.ended[place] for place in ("waiting", "offered", "connecting")} == {Ended.LEFT}


def test_who_hangs_up_is_forgotten_and_whoever_was_rung_is_free() -> None:
    house = House(SALES)
    house.enters("a")
    house.hangs_up("a")
    assert house.ended == {"a": Ended.ABANDONED}
    assert not house.rings
    house.enters("b")
    assert "b" in house.rings.values()


def test_one_more_than_fit_into_the_line_is_refused() -> None:
    house = House(QueueRules("sales", max_length=2))
    for place in ("a", "b", "c"):
        house.enters(place)
    assert house.refused == ["c"]
    assert house.line() == ["a", "b"]
    house.hangs_up("a")
    house.enters("d")
    assert house.line() == ["b", "d"]


def test_who_could_not_be_connected_has_the_same_place_again() -> None:
    """Q9"""
    house = House(SALES)
    house.enters("a")
    house.enters("b")
    house.enters("c")
    agent = next(agent for agent, place in house.rings.items() if place == "a")
    house.picks_up(agent)
    assert house.line() == ["b", "c"]
    house.cannot_connect(agent)
    assert house.line() == ["a", "b", "c"]
    assert house.state(agent) is State.RESTED
    house.rejects(next(other for other, place in house.rings.items() if place == "b"))
    house.passes(15.0)
    house.happens(AgentResumed(agent))
    assert house.rings[agent] == "a"


def test_the_longest_wait_goes_on_while_somebody_is_being_connected() -> None:
    """Q2: and is over when that fails."""
    house = House(QueueRules("sales", members("claire"), max_wait=60.0))
    house.enters("a")
    house.passes(10.0)
    house.picks_up("claire")
    house.passes(60.0)
    assert not house.overflowed
    house.cannot_connect("claire")
    assert house.overflowed == {"a": OverflowCause.MAX_WAIT}


def test_the_notice_is_made_up_for_after_a_connection_that_failed() -> None:
    """G3"""
    house = House(QueueRules("sales", members("claire"), max_wait=60.0, notice=30.0))
    house.enters("a")
    house.picks_up("claire")
    house.passes(40.0)
    house.cannot_connect("claire")
    assert house.heard["a"] == ["1", "thanks", "20 s left"]


# ------------------------------------------------------------------------------------------------------- closing


def test_who_came_before_closing_is_served_after_it_however_long_it_takes() -> None:
    """Q13, G8"""
    house = House(SALES)
    house.happens(QueueOpened("sales", house.now + 100.0))
    busy(house)
    house.enters("a")
    house.passes(300.0)
    assert not house.overflowed
    assert house.heard["a"] == ["1"]
    house.talked("claire")
    assert house.answers("claire") == "a"


def test_a_wait_that_ends_before_closing_ends_although_the_queue_closes_soon() -> None:
    """Q2, G8: [08:00, 17:00)"""
    house = House(SALES)
    house.happens(QueueOpened("sales", house.now + 180.5))
    busy(house)
    house.enters("a")
    house.passes(0.5)
    house.enters("b")
    house.passes(180.0)
    assert house.overflowed == {"a": OverflowCause.MAX_WAIT}


def test_the_longest_wait_holds_after_closing_where_it_is_configured() -> None:
    """G8"""
    house = House(QueueRules("sales", members("claire"), limit_after_closing=True))
    house.happens(QueueOpened("sales", house.now + 60.0))
    house.enters("early")
    house.answers("claire")
    house.enters("a")
    house.passes(181.0)
    assert house.overflowed == {"a": OverflowCause.MAX_WAIT}


def test_after_closing_nobody_waits_when_the_last_agent_has_gone() -> None:
    """Every caller ends at somebody, or is sent elsewhere."""
    house = House(SALES)
    house.happens(QueueOpened("sales", house.now + 60.0))
    busy(house)
    house.enters("a")
    house.passes(70.0)
    house.happens(AgentLoggedOut("claire"))
    house.happens(AgentLoggedOut("marc"))
    house.passes(100.0)
    assert not house.overflowed  # both still talk
    house.talked("claire")
    house.talked("marc")
    house.passes(ALONE_AFTER_CLOSING)
    assert house.overflowed == {"a": OverflowCause.UNATTENDED}


def test_nobody_waits_on_in_a_queue_that_was_left_alone_where_that_is_configured() -> None:
    house = House(QueueRules("sales", members("claire"), max_wait=None, unattended=20.0))
    house.happens(AgentPaused("claire"))
    house.enters("a")
    house.passes(10.0)
    house.happens(AgentResumed("claire"))
    house.rejects("claire")
    house.passes(60.0)
    assert not house.overflowed  # somebody is there
    house.happens(AgentLoggedOut("claire"))
    house.passes(19.0)
    assert not house.overflowed
    house.passes(2.0)
    assert house.overflowed == {"a": OverflowCause.UNATTENDED}
    house.enters("b")
    assert house.overflowed["b"] is OverflowCause.UNATTENDED
    assert "b" not in house.heard


def test_closing_at_once_leaves_those_inside_where_they_are() -> None:
    """Q13"""
    house = House(SALES)
    busy(house)
    house.enters("a")
    house.happens(QueueClosed("sales"))
    house.passes(200.0)
    assert house.line() == ["a"]


# ------------------------------------------------------------------------------------------------------ mistakes


def test_an_event_that_cannot_have_happened_raises_and_changes_nothing() -> None:
    house = House(SALES)
    house.enters("a")
    before = house.floor.snapshot()
    with pytest.raises(LineError, match="no queue nowhere"):
        house.happens(CallerEntered("x", "nowhere", house.now))
    with pytest.raises(LineError, match="place a is taken"):
        house.happens(CallerEntered("a", "sales", house.now))
    with pytest.raises(LineError, match="place a is offered: not possible"):
        house.happens(Connected("a"))
    with pytest.raises(LineError, match="zoe is no agent"):
        house.happens(AgentPaused("zoe"))
    assert house.floor.snapshot() == before


def test_what_concerns_somebody_who_is_gone_crossed_a_command_and_changes_nothing() -> None:
    house = House(SALES)
    house.enters("a")
    house.hangs_up("a")
    before = house.floor.snapshot()
    house.hangs_up("a")
    house.presses_message_key("a")
    house.wants_callback("a")
    house.happens(Connected("a"))
    assert house.floor.snapshot() == before
