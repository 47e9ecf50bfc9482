"""Who wants to be called back hangs up and keeps the place (P3)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.model.queue import AgentState as State
from router.model.queue import Ended, PlaceState, QueueRules, ReleaseCause, Side, Strategy
from router.model.queue_events import (
    AgentPaused,
    AgentResumed,
    CallbackCancelled,
    CallbackWanted,
    Connected,
    QueueClosed,
    QueueOpened,
)
from router.waiting.errors import LineError
from tests.waiting.house import House, members

RULES = QueueRules(
    "sales",
    members("claire"),
    Strategy.LONGEST_IDLE,
    max_wait=None,
    callback_retry=600.0,
    callback_tries=2,
    callback_keep=86_400.0,
    rest_rejected=30.0,
)
NUMBER = "+3242200111"


def waiting(*places: str, rules: QueueRules = RULES) -> House:
    """Somebody speaks with claire, and these wait in the line."""
    house = House(rules)
    house.enters("early")
    house.answers("claire")
    for place in places:
        house.enters(place)
        house.passes(1.0)
    return house


def test_a_callback_has_the_place_that_its_caller_had() -> None:
    """P3, Q9"""
    house = waiting("a", "b", "c")
    house.wants_callback("b", NUMBER)
    house.hangs_up("b")  # as one does then
    assert house.line() == ["a", "b", "c"]
    house.talked("claire")
    assert house.answers("claire") == "a"
    house.talked("claire")
    assert house.picks_up("claire") == "b"
    assert house.dialled == {"b": NUMBER}
    house.happens(Connected("b"))
    house.talked("claire")
    assert house.ended["b"] is Ended.ANSWERED
    assert house.rings == {"claire": "c"}


def test_a_callback_is_told_nothing_and_does_not_end_with_the_longest_wait() -> None:
    """P3, Q2"""
    house = waiting("a", "b", rules=replace(RULES, max_wait=180.0))
    house.wants_callback("a")
    house.wants_callback("b")
    house.passes(400.0)
    assert house.heard["b"] == ["2"]
    assert house.line() == ["a", "b"]


def test_others_come_forward_when_a_callback_is_offered_and_answered() -> None:
    """Q3"""
    house = waiting("a", "b")
    house.wants_callback("a")
    house.talked("claire", 40.0)
    house.picks_up("claire")
    assert house.heard["b"] == ["2", "1"]


@pytest.mark.parametrize("moment", ["waiting", "offered", "connecting"])
def test_a_callback_can_be_wanted_at_every_moment_before_the_conversation(moment: str) -> None:
    """Q5, P3"""
    house = waiting("a")
    if moment != "waiting":
        house.talked("claire")
    if moment == "connecting":
        house.picks_up("claire")
    house.wants_callback("a")
    assert house.line() == ["a"]
    if moment != "waiting":
        assert house.released == [("claire", "a", ReleaseCause.CALLER_GONE)]
        assert house.rings == {"claire": "a"}  # and she is asked to call back
        assert house.picks_up("claire") == "a"
        assert "a" in house.dialled


def test_who_does_not_answer_the_callback_is_tried_again_later_and_then_given_up() -> None:
    """P3"""
    house = waiting("a", "b")
    house.wants_callback("a")
    house.talked("claire")
    house.picks_up("claire")
    house.cannot_connect("claire", Side.CALLER)
    assert house.state("claire") is not State.RESTED  # it was not her fault
    assert house.line() == ["b"]
    assert house.answers("claire") == "b"
    house.talked("claire")
    house.passes(530.0)
    assert not house.rings
    house.passes(20.0)
    house.picks_up("claire")
    house.cannot_connect("claire", Side.CALLER)
    assert house.ended["a"] is Ended.UNREACHED


def test_an_agent_who_hangs_up_before_the_caller_answers_leaves_the_callback_where_it_was() -> None:
    """P3: that was no try."""
    house = waiting("a", "b")
    house.wants_callback("a")
    house.talked("claire")
    house.picks_up("claire")
    house.cannot_connect("claire", Side.AGENT)
    assert house.line() == ["a", "b"]
    assert house.floor.places["a"].tries == 0
    assert house.state("claire") is State.RESTED


def test_nobody_is_called_back_while_the_queue_is_closed_but_when_it_opens_again() -> None:
    """P3, S6, Q13: who waits on the line is served, and stands at the front."""
    house = waiting("a", "b")
    house.wants_callback("a")
    house.happens(QueueOpened("sales", house.now + 10.0))
    house.passes(11.0)
    assert house.line() == ["b"]
    house.talked("claire", 40.0)
    assert house.answers("claire") == "b"
    house.talked("claire")
    house.passes(3600.0)
    assert not house.rings
    house.happens(QueueOpened("sales", house.now + 3600.0))
    assert house.rings == {"claire": "a"}


def test_a_callback_stands_in_nobodys_way_after_closing() -> None:
    """Q3, Q13"""
    house = waiting("a", "b")
    house.wants_callback("a")
    house.passes(31.0)
    house.happens(QueueClosed("sales"))
    assert house.line() == ["b"]
    assert house.heard["b"] == ["2", "1"]


def test_a_callback_is_not_sent_elsewhere_because_nobody_is_there() -> None:
    """P3"""
    house = House(replace(RULES, unattended=20.0))
    house.happens(AgentPaused("claire"))
    house.enters("a")
    house.enters("b")
    house.wants_callback("a")
    house.passes(60.0)
    assert list(house.overflowed) == ["b"]
    house.happens(AgentResumed("claire"))
    assert house.rings == {"claire": "a"}


def test_a_callback_for_which_an_agent_is_rung_at_closing_waits_when_they_do_not_answer() -> None:
    house = waiting("a")
    house.wants_callback("a")
    house.talked("claire")
    assert house.rings == {"claire": "a"}
    house.happens(QueueClosed("sales"))
    house.rejects("claire")
    house.passes(31.0)
    assert not house.rings
    assert house.line() == []
    assert house.floor.places["a"].state is PlaceState.CALLBACK


def test_a_callback_is_not_kept_for_ever() -> None:
    house = waiting("a")
    house.wants_callback("a")
    house.passes(86_400.0)
    assert house.ended["a"] is Ended.EXPIRED


def test_a_callback_can_be_taken_back_even_while_an_agent_is_rung_for_it() -> None:
    house = waiting("a", "b")
    house.wants_callback("a")
    house.talked("claire")
    house.happens(CallbackCancelled("a"))
    assert house.ended["a"] is Ended.CANCELLED
    assert house.rings == {"claire": "b"}


def test_only_a_callback_can_be_taken_back_and_only_who_waits_can_want_one() -> None:
    house = waiting("a")
    with pytest.raises(LineError, match="place a is no callback"):
        house.happens(CallbackCancelled("a"))
    with pytest.raises(LineError, match="its caller does not wait"):
        house.happens(CallbackWanted("early", NUMBER))


# ------------------------------------------------------------------------------------------- who calls meanwhile


def test_who_calls_again_has_the_place_of_their_callback_which_is_not_needed_when_they_are_served() -> None:
    """Q9, P3"""
    house = waiting("a", "b")
    house.wants_callback("a")
    house.enters("a again", caller="a")
    assert house.line() == ["a again", "b"]
    house.talked("claire")
    assert house.answers("claire") == "a again"
    assert house.ended["a"] is Ended.CAME_BACK


def test_who_calls_again_and_gives_up_is_called_back_all_the_same() -> None:
    """P3: never forgotten."""
    house = waiting("a", "b")
    house.wants_callback("a")
    house.enters("a again", caller="a")
    house.hangs_up("a again")
    assert house.line() == ["a", "b"]
    house.talked("claire")
    assert house.rings == {"claire": "a"}


def test_the_agent_who_is_rung_for_the_callback_is_rung_for_the_call_instead() -> None:
    house = waiting("a")
    house.wants_callback("a")
    house.talked("claire")
    assert house.rings == {"claire": "a"}
    house.enters("a again", caller="a")
    assert house.released == [("claire", "a", ReleaseCause.CALLER_GONE)]
    assert house.rings == {"claire": "a again"}


def test_whoever_wants_two_callbacks_gets_one() -> None:
    house = waiting("a", "b")
    house.wants_callback("a")
    house.enters("a again", caller="a")
    house.wants_callback("a again")
    assert house.ended["a"] is Ended.CAME_BACK
    assert house.line() == ["a again", "b"]


def test_callers_without_a_number_have_nothing_to_do_with_each_other() -> None:
    house = House(RULES)
    house.happens(AgentPaused("claire"))
    house.enters("a", caller=None)
    house.wants_callback("a")
    house.enters("b", caller=None)
    assert house.line() == ["a", "b"]
    house.happens(AgentResumed("claire"))
    assert house.picks_up("claire") == "a"
