"""What holds whatever happens, in whatever order: nobody is overtaken without a rule, nobody is lost, no agent is rung
twice, every caller ends, and a store that writes behind knows everything (Q3 Q9 Q10 Q16)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from router.model.decision import LineState, Outcome
from router.model.queue import (
    AgentRules,
    Member,
    PlaceState,
    QueueRules,
    Side,
    Skills,
    StoredAgent,
    StoredFloor,
    StoredPlace,
    Strategy,
)
from router.model.queue_events import (
    AgentAnswered,
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentResumed,
    Announce,
    AvailabilityChanged,
    CallbackCancelled,
    CallerMoved,
    Connected,
    QueueClosed,
    QueueEvent,
    QueueOpened,
    RingAgent,
)
from router.waiting.line import WaitingLine
from router.waiting.place import Place
from router.waiting.room import Output
from tests.waiting.house import House

GERMAN: Skills = (("german", 1),)
AGENTS = (
    AgentRules("ada"),
    AgentRules("bob", GERMAN),
    AgentRules("cleo", (("german", 3),)),
    AgentRules("dora", starts_in=False),
)
MEMBERS = (Member("ada"), Member("bob"), Member("cleo", 1), Member("dora"))
GAP = 10.0
ON_THE_LINE = (PlaceState.WAITING, PlaceState.OFFERED, PlaceState.CONNECTING)
CALLBACKS = (PlaceState.CALLBACK, PlaceState.CALLBACK_OFFERED, PlaceState.CALLING_BACK)
AGENTS_DO: dict[str, tuple[Callable[[str, float], QueueEvent], ...]] = {
    "goes": (lambda agent, _now: AgentLoggedOut(agent),),
    "comes": (
        lambda agent, _now: AgentLoggedIn(agent),
        lambda agent, _now: AgentResumed(agent),
        lambda agent, _now: AvailabilityChanged(agent, True),
    ),
    "pauses": (lambda agent, _now: AgentPaused(agent),),
    "pauses for a while": (lambda agent, now: AgentPaused(agent, "coffee", now + 20.0),),
    "is not to be disturbed": (lambda agent, _now: AvailabilityChanged(agent, False),),
}

names = st.sampled_from([agent.name for agent in AGENTS])
rules_of_a_queue = st.builds(
    QueueRules,
    name=st.just(""),
    members=st.lists(st.sampled_from(MEMBERS), min_size=2, unique=True).map(tuple),
    strategy=st.sampled_from(Strategy),
    ageing=st.sampled_from([None, None, 30.0]),
    max_length=st.sampled_from([100, 100, 100, 4]),
    max_wait=st.just(120.0),
    limit_after_closing=st.booleans(),
    unattended=st.sampled_from([None, None, None, 20.0, 0.0]),
    announce_gap=st.just(GAP),
    ring_for=st.just(15.0),
    wrap_up=st.sampled_from([0.0, 5.0]),
    pause_after_missed=st.sampled_from([0, 2]),
    callback_retry=st.just(50.0),
    callback_tries=st.just(2),
    callback_keep=st.just(1000.0),
)


def named(sales: QueueRules, technical: QueueRules) -> tuple[QueueRules, ...]:
    return replace(sales, name="sales"), replace(technical, name="technical")


class WatchedHouse(House):
    """Looks at everything that the floor says."""

    def __init__(self, *queues: QueueRules) -> None:
        self.told: dict[str, tuple[float, int]] = {}
        super().__init__(*queues, agents=AGENTS)

    def carry_out(self, outputs: Sequence[Output]) -> None:
        for output in outputs:
            if isinstance(output, RingAgent):
                self._nobody_is_overtaken(output)
            elif isinstance(output, Announce):
                at, position = self.told.get(output.place, (self.now - GAP, 1_000_000))
                assert output.position < position
                assert self.now - at >= GAP - 1e-6
                self.told[output.place] = (self.now, output.position)
        super().carry_out(outputs)

    def _nobody_is_overtaken(self, ring: RingAgent) -> None:
        """Whoever is rung for a place is not needed more by one before it. (Nothing has happened since it was said.)"""
        agent, place = self.floor.staff.agents[ring.agent], self.floor.places.get(ring.place)
        if place is None or agent.place != place.id:
            return  # and was released at once
        for line in self.floor.staff.lines_of[agent.name]:
            for other in line:
                if other.turn < place.turn and agent.can(other.needs) and agent.name not in other.ringing:
                    assert not lacks_an_agent(line, other, agent.name), f"{other.id} is overtaken by {place.id}"


def lacks_an_agent(line: WaitingLine, place: Place, agent: str) -> bool:
    """Whether a place that stands in the line would take this agent."""
    if not place.ringing:
        return place.state in (PlaceState.WAITING, PlaceState.CALLBACK)
    if line.rules.strategy is not Strategy.RING_ALL:
        return False
    return line.penalties[agent] <= min(line.penalties[other] for other in place.ringing)


class AnyHistory(RuleBasedStateMachine):
    """Each rule is something that callers, agents, administrators or the machine may do at any moment."""

    @initialize(sales=rules_of_a_queue, technical=rules_of_a_queue)
    def begin(self, sales: QueueRules, technical: QueueRules) -> None:
        self.house = WatchedHouse(*named(sales, technical))
        self.number = 0
        self.entered: set[str] = set()
        self.places: dict[str, StoredPlace] = {}  # what the store has
        self.agents: dict[str, StoredAgent] = {}

    def somebody(self, data: st.DataObject, *states: PlaceState) -> str:
        return data.draw(st.sampled_from(sorted(self.all_in(*states))))

    def all_in(self, *states: PlaceState) -> list[str]:
        return [place.id for place in self.house.floor.places.values() if place.state in states]

    def connecting(self) -> list[str]:
        house = self.house
        here = (PlaceState.CONNECTING, PlaceState.CALLING_BACK)
        return sorted(agent for agent, place in house.talks.items() if house.floor.places[place].state in here)

    def talking(self) -> list[str]:
        house = self.house
        return sorted(agent for agent, place in house.talks.items() if place in self.all_in(PlaceState.SERVED))

    # ------------------------------------------------------------------------------------------------- callers

    @rule(
        queue=st.sampled_from(["sales", "technical"]),
        caller=st.sampled_from([None, "+1", "+2", "+3"]),
        tier=st.sampled_from([0, 1, 1]),
        needs=st.sampled_from([(), (), GERMAN]),
        before=st.sampled_from([0.0, 0.0, 7.0]),
    )
    def enters(self, queue: str, caller: str | None, tier: int, needs: Skills, before: float) -> None:
        self.number += 1
        place = f"place {self.number}"
        self.house.enters(place, queue, caller=caller, tier=tier, needs=needs, arrived=self.house.now - before)
        if place not in self.house.refused:
            self.entered.add(place)

    @rule(number=st.integers(2, 4), needs=st.sampled_from([(), GERMAN]))
    def several_enter(self, number: int, needs: Skills) -> None:
        for _ in range(number):
            self.enters("sales", None, 1, needs, 0.0)

    @precondition(lambda self: self.all_in(*ON_THE_LINE))
    @rule(data=st.data(), how=st.sampled_from(["hangs up", "is cut off", "by key", "wants a callback"]))
    def leaves(self, data: st.DataObject, how: str) -> None:
        place = self.somebody(data, *ON_THE_LINE)
        if how == "by key":
            self.house.presses_message_key(place)
        elif how == "wants a callback":
            self.house.wants_callback(place)
        else:
            self.house.hangs_up(place, cut_off=how == "is cut off")

    # -------------------------------------------------------------------------------------------------- agents

    @precondition(lambda self: self.house.rings)
    @rule(data=st.data(), at_once=st.booleans())
    def answers(self, data: st.DataObject, at_once: bool) -> None:
        agent = data.draw(st.sampled_from(sorted(self.house.rings)))
        place = self.house.picks_up(agent)
        if at_once:
            self.house.happens(Connected(place))

    @precondition(lambda self: self.house.rings)
    @rule(data=st.data())
    def several_answer_in_the_same_instant(self, data: st.DataObject) -> None:
        place = data.draw(st.sampled_from(sorted(set(self.house.rings.values()))))
        ringing = sorted(agent for agent, rung in self.house.rings.items() if rung == place)
        self.house.picks_up(ringing[0])
        for agent in ringing[1:]:
            self.house.happens(AgentAnswered(agent, place))
        assert self.house.floor.places[place].agent == ringing[0]

    @precondition(lambda self: self.house.rings)
    @rule(data=st.data(), outcome=st.sampled_from(Outcome))
    def rejects(self, data: st.DataObject, outcome: Outcome) -> None:
        self.house.rejects(data.draw(st.sampled_from(sorted(self.house.rings))), outcome)

    @precondition(lambda self: self.connecting())
    @rule(data=st.data(), side=st.sampled_from([None, None, Side.AGENT, Side.CALLER]))
    def is_connected_or_not(self, data: st.DataObject, side: Side | None) -> None:
        agent = data.draw(st.sampled_from(self.connecting()))
        if side is None:
            self.house.happens(Connected(self.house.talks[agent]))
        else:
            self.house.cannot_connect(agent, side)

    @precondition(lambda self: self.talking())
    @rule(data=st.data())
    def ends_the_conversation(self, data: st.DataObject) -> None:
        self.house.talked(data.draw(st.sampled_from(self.talking())), 0.0)

    @rule(agent=names, what=st.sampled_from([*AGENTS_DO, "is idle", "is on another call", "has no phone"]))
    def does_something_else(self, agent: str, what: str) -> None:
        if what in AGENTS_DO:
            for event in AGENTS_DO[what]:
                self.house.happens(event(agent, self.house.now))
        elif agent not in self.house.rings and agent not in self.house.talks:
            line = {"is idle": LineState.IDLE, "is on another call": LineState.ON_CALL}
            self.house.line_is(agent, line.get(what, LineState.UNREGISTERED))

    @rule()
    def all_come_back(self) -> None:
        for agent in AGENTS:
            self.does_something_else(agent.name, "is idle")
            self.does_something_else(agent.name, "comes")

    # ------------------------------------------------------------------------------------------ time and machine

    @rule(seconds=st.sampled_from([0.1, 1.0, 5.0, 16.0, 61.0, 130.0]), late=st.sampled_from([0.0, 0.0, 3.0, 40.0]))
    def time_passes(self, seconds: float, late: float) -> None:
        """`late`: the machine was busy with something else."""
        self.house.passes(seconds)
        self.house.now += late

    @rule(data=st.data(), queue=st.sampled_from(["sales", "technical"]))
    def is_administered(self, data: st.DataObject, queue: str) -> None:
        what = data.draw(
            st.sampled_from(["opens", "opens for a while", "closes", "moves", "cancels", "reload", "kill"])
        )
        house = self.house
        if what == "opens":
            house.happens(QueueOpened(queue))
        elif what == "opens for a while":
            house.happens(QueueOpened(queue, house.now + 30.0))
        elif what == "closes":
            house.happens(QueueClosed(queue))
        elif what == "moves" and house.floor.places:
            house.happens(CallerMoved(self.somebody(data, *PlaceState), data.draw(st.sampled_from([0, 1, 2]))))
        elif what == "cancels" and self.all_in(*CALLBACKS):
            house.happens(CallbackCancelled(self.somebody(data, *CALLBACKS)))
        elif what == "reload":
            house.queues = named(data.draw(rules_of_a_queue), data.draw(rules_of_a_queue))
            house.carry_out(house.floor.configure(house.queues, AGENTS, house.now))
        elif what == "kill":
            self.is_killed_and_starts_again()

    def is_killed_and_starts_again(self) -> None:
        kept = [place for place in self.all_in(*PlaceState) if place not in self.all_in(PlaceState.SERVED)]
        numbers = {place: self.house.floor.places[place].caller for place in kept}
        callbacks = self.all_in(*CALLBACKS)
        self.write()
        self.house.told.clear()
        self.house.restarts(1.0, StoredFloor(tuple(self.places.values()), tuple(self.agents.values())))
        self.house.ended.clear()
        held_or_called_back = {place for place in kept if place in callbacks or numbers[place] is not None}
        assert self.house.floor.places.keys() <= held_or_called_back
        assert self.house.floor.places.keys() >= set(callbacks)
        self.entered = set(self.house.floor.places)

    def write(self) -> None:
        """A store that writes behind takes what changed."""
        changes = self.house.floor.take_changes()
        if changes is not None:
            for gone in changes.gone:
                self.places.pop(gone, None)
            self.places.update((place.place, place) for place in changes.places)
            self.agents.update((agent.agent, agent) for agent in changes.agents)
        everything = self.house.floor.snapshot()
        assert self.places == {place.place: place for place in everything.places}
        assert self.agents == {agent.agent: agent for agent in everything.agents}

    # ------------------------------------------------------------------------------------------------- invariants

    @invariant()
    def nobody_is_lost(self) -> None:
        floor = self.house.floor
        assert self.entered == set(floor.places) | (self.entered & set(self.house.ended))
        assert not set(floor.places) & set(self.house.ended)

    @invariant()
    def positions_are_those_of_the_order(self) -> None:
        for line in self.house.floor.lines.values():
            standing = list(line)
            assert standing == sorted(standing, key=lambda place: place.turn)
            assert [line.position(place) for place in standing] == list(range(1, len(standing) + 1))
            in_line = (PlaceState.WAITING, PlaceState.OFFERED, PlaceState.CALLBACK_OFFERED)
            assert {place.id for place in line.places.values() if place.state in in_line} <= {
                place.id for place in standing
            }
            for place in line.places.values():
                if place.state not in (*in_line, PlaceState.CALLBACK):
                    assert line.position(place) == 0
            for place in standing:
                assert line.sweeping or not place.listening or line.position(place) >= place.announced
            assert line.listening == sum(place.listening for place in line.places.values())

    @invariant()
    def whoever_has_a_callback_aside_stands_for_it(self) -> None:
        places = self.house.floor.places
        kept = {place.callback_kept for place in places.values()}  # or taken back meanwhile
        assert {place.id for place in places.values() if place.aside} == kept & set(places)

    @invariant()
    def agents_and_places_agree_on_who_is_rung_for_whom(self) -> None:
        floor, house = self.house.floor, self.house
        rung = {agent: place.id for place in floor.places.values() for agent in place.ringing}
        assert rung == house.rings
        assert sum(len(place.ringing) for place in floor.places.values()) == len(rung)
        for agent in floor.staff.agents.values():
            assert agent.place == (house.rings.get(agent.name) or house.talks.get(agent.name, ""))
            assert house.states[agent.name] == (agent.state(), agent.reason)
        for place in floor.places.values():
            offered = place.state in (PlaceState.OFFERED, PlaceState.CALLBACK_OFFERED)
            assert offered == bool(place.ringing)

    @invariant()
    def nobody_waits_while_somebody_is_free_who_could_be_rung(self) -> None:
        floor = self.house.floor
        free = [agent for agent in floor.staff.agents.values() if agent.is_free()]
        assert floor.staff.free == len(free)
        for name, line in floor.lines.items():
            here = [agent for agent in floor.staff.agents.values() if agent.name in line.ranks and agent.is_here()]
            assert line.here == len(here)
            assert set(line.free) == {agent.name for agent in free if agent.name in line.ranks}
            for agent in line.free.values():
                for place in line:
                    fits = agent.can(place.needs) and agent.name not in place.ringing
                    assert not (fits and lacks_an_agent(line, place, agent.name)), f"{name}: {place.id} waits"

    def teardown(self) -> None:
        """Every caller ends, when agents do nothing more than to hang up, and time passes."""
        if not hasattr(self, "house"):
            return
        house = self.house
        for agent in [*self.connecting()]:
            house.happens(Connected(house.talks[agent]))
        for agent in [*self.talking()]:
            house.talked(agent, 0.0)
        for one in AGENTS:
            house.happens(AgentLoggedOut(one.name))
        for queue in house.queues:
            house.happens(QueueClosed(queue.name))
        house.passes(2000.0)
        assert not house.floor.places
        self.nobody_is_lost()
        self.write()
        assert not self.places


def test_whatever_happens() -> None:
    run_state_machine_as_test(AnyHistory, settings=settings(max_examples=150, stateful_step_count=60, deadline=None))
