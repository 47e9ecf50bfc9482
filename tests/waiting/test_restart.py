"""What outlives the process, and who is cut off (issue: after kill -9 everything is as it was)."""

from __future__ import annotations

from router.model.queue import (
    FIRST_TIER,
    HELD_FOR,
    Ended,
    FloorChanges,
    HourCounts,
    PlaceState,
    QueueRules,
    Side,
    Strategy,
)
from router.model.queue import AgentState as State
from router.model.queue_events import AgentLoggedOut, AgentPaused, AgentResumed
from tests.waiting.house import NINE, House, members

NOBODY = QueueRules("sales", max_wait=None)
RULES = QueueRules("sales", members("claire marc"), Strategy.LONGEST_IDLE)


def test_who_was_cut_off_and_calls_again_soon_has_the_old_place() -> None:
    house = House(NOBODY)
    for place in ("a", "b", "c"):
        house.enters(place)
        house.passes(1.0)
    house.hangs_up("a", cut_off=True)
    assert house.line() == ["b", "c"]
    house.passes(HELD_FOR - 10.0)
    house.enters("a again", caller="a")
    assert house.line() == ["a again", "b", "c"]
    assert house.ended["a"] is Ended.CAME_BACK


def test_a_place_is_held_for_two_minutes_and_no_longer() -> None:
    house = House(NOBODY)
    house.enters("a")
    house.passes(1.0)
    house.enters("b")
    house.hangs_up("a", cut_off=True)
    house.passes(HELD_FOR)
    assert house.ended["a"] is Ended.EXPIRED
    assert house.waited["a"] == 1.0
    house.enters("a again", caller="a")
    assert house.line() == ["b", "a again"]


def test_who_hangs_up_by_themselves_has_no_place_any_more() -> None:
    house = House(NOBODY)
    house.enters("a")
    house.passes(1.0)
    house.enters("b")
    house.hangs_up("a")
    house.enters("a again", caller="a")
    assert house.line() == ["b", "a again"]


def test_whose_place_is_held_gets_it_even_where_the_line_is_full() -> None:
    house = House(QueueRules("sales", max_wait=None, max_length=1))
    house.enters("a")
    house.hangs_up("a", cut_off=True)
    house.enters("b")
    house.enters("a again", caller="a")
    assert house.line() == ["a again", "b"]
    assert not house.refused


def test_who_is_cut_off_while_being_connected_has_the_place_again() -> None:
    house = House(RULES)
    house.enters("a")
    house.picks_up("claire")
    house.hangs_up("a", cut_off=True)
    assert house.state("claire") is State.IDLE
    assert house.floor.places["a"].state is PlaceState.HELD


def test_after_a_restart_those_who_waited_have_their_places_when_they_call_again_soon() -> None:
    house = House(NOBODY)
    house.enters("a")
    house.enters("vip", tier=FIRST_TIER)
    house.enters("b")
    house.restarts()
    assert house.line() == []
    house.enters("c")
    house.enters("b again", caller="b")
    house.enters("vip again", caller="vip")
    house.passes(HELD_FOR)
    house.enters("a again", caller="a")
    assert house.line() == ["vip again", "b again", "c", "a again"]


def test_a_place_that_is_held_is_not_held_for_longer_because_of_a_restart() -> None:
    house = House(NOBODY)
    house.enters("a")
    house.hangs_up("a", cut_off=True)
    house.passes(60.0)
    house.restarts(30.0)
    house.passes(31.0)
    assert house.ended == {"a": Ended.EXPIRED}


def test_who_was_cut_off_long_ago_or_shows_no_number_is_forgotten() -> None:
    house = House(NOBODY)
    house.enters("a")
    house.enters("withheld", caller=None)
    house.passes(4000.0)
    house.enters("b")
    house.restarts()
    assert house.floor.places.keys() == {"b"}


def test_after_a_restart_callbacks_stand_where_they_stood() -> None:
    """P3"""
    house = House(RULES)
    house.happens(AgentPaused("claire"))
    house.happens(AgentPaused("marc"))
    house.enters("a")
    house.enters("b")
    house.wants_callback("b", "+3242200112")
    house.passes(1.0)
    house.wants_callback("a", "+3242200111")
    house.restarts(600.0)
    assert house.line() == ["a", "b"]
    assert not house.rings
    house.happens(AgentResumed("claire"))
    house.picks_up("claire")
    assert house.dialled == {"a": "+3242200111"}


def test_a_callback_that_is_to_be_tried_later_is_tried_later_after_a_restart_too() -> None:
    house = House(RULES)
    house.enters("a")
    house.wants_callback("a")
    (agent,) = house.rings
    house.picks_up(agent)
    house.cannot_connect(agent, Side.CALLER)
    house.restarts(100.0)
    assert not house.rings
    house.passes(500.0)
    assert list(house.rings.values()) == ["a"]
    assert house.floor.places["a"].tries == 1


def test_after_a_restart_agents_are_as_they_were() -> None:
    house = House(QueueRules("sales", members("ada bob cleo dora"), Strategy.LONGEST_IDLE))
    house.happens(AgentLoggedOut("ada"))
    house.happens(AgentPaused("bob", "lunch", house.now + 600.0))
    house.enters("a")
    house.answers("cleo")
    house.happens(AgentPaused("cleo", "after this one"))
    house.restarts(100.0)
    assert house.states["bob"] == (State.PAUSED, "lunch")
    assert house.states["cleo"] == (State.PAUSED, "after this one")
    assert house.state("dora") is State.IDLE
    assert house.state("ada") is State.LOGGED_OUT
    house.passes(500.0)
    assert house.state("bob") is State.IDLE


def test_who_was_idle_longest_is_so_after_a_restart() -> None:
    """Q14"""
    house = House(RULES)
    house.enters("a")
    house.answers("claire")
    house.talked("claire")
    house.restarts()
    house.enters("b")
    assert house.rings == {"marc": "b"}


def test_after_a_restart_statistics_go_on_from_where_they_were() -> None:
    house = House(RULES)
    house.enters("a")
    house.answers("claire")
    house.talked("claire", 30.0)
    handling = house.floor.lines["sales"].handling
    house.restarts()
    house.enters("b")
    house.answers("marc")
    assert house.floor.statistics.of("sales", NINE).answered == 2
    assert house.floor.lines["sales"].handling == handling


def test_what_changed_is_told_once_and_adds_up_to_everything() -> None:
    """What a store that writes behind keeps."""
    house = House(RULES)
    kept: dict[str, dict[object, object]] = {"places": {}, "agents": {}, "hours": {}, "handling": {}}

    def take() -> FloorChanges | None:
        changes = house.floor.take_changes()
        if changes is not None:
            for gone in changes.gone:
                kept["places"].pop(gone, None)
            kept["places"].update({place.place: place for place in changes.places})
            kept["agents"].update({agent.agent: agent for agent in changes.agents})
            kept["hours"].update({(hour.queue, hour.hour): hour for hour in changes.hours})
            kept["handling"].update(dict(changes.handling))
        return changes

    assert take() is not None
    assert take() is None
    for place in ("a", "b", "c", "d", "e"):
        house.enters(place)
    take()
    house.answers("claire")
    house.happens(AgentPaused("claire", "soon"))
    house.wants_callback("c")
    house.hangs_up("d", cut_off=True)
    take()
    house.talked("claire", 3.0)
    house.rejects("marc")
    house.presses_message_key("e")
    take()
    everything = house.floor.snapshot()
    assert kept["places"] == {place.place: place for place in everything.places}
    assert kept["agents"] == {agent.agent: agent for agent in everything.agents}
    assert kept["hours"] == {(hour.queue, hour.hour): hour for hour in everything.hours}
    assert kept["handling"] == dict(everything.handling)
    assert take() is None


def test_the_service_level_of_an_hour_counts_all_who_wanted_to_be_served() -> None:
    house = House(QueueRules("sales", members("claire"), max_wait=300.0, max_length=4))
    house.enters("quick")
    house.answers("claire")
    for place in ("slow", "impatient", "message", "late", "refused"):
        house.enters(place)
    house.talked("claire", 100.0)
    house.answers("claire")
    house.hangs_up("impatient")
    house.presses_message_key("message")
    house.talked("claire", 300.0)
    counts = house.floor.statistics.of("sales", NINE)
    assert counts == HourCounts(
        "sales",
        int(NINE),
        entered=5,
        refused=1,
        answered=2,
        within=(1, 2),
        abandoned=1,
        left=1,
        overflowed=1,
        waited=100.0,
        longest=300.0,
    )
    assert (counts.service_level(0), counts.service_level(1)) == (1 / 5, 2 / 5)
    assert HourCounts("sales", 0).service_level(0) is None
