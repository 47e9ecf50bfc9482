"""A house with callers and phones, on fake time: it does what `calls` does with a floor, and watches it."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from router.model.decision import LineState, Outcome
from router.model.queue import (
    AgentRules,
    Ended,
    Member,
    OverflowCause,
    QueueRules,
    ReleaseCause,
    Side,
    Skills,
    StoredFloor,
)
from router.model.queue import AgentState as State
from router.model.queue_events import (
    AgentAnswered,
    AgentChanged,
    Announce,
    AvailabilityChanged,
    CallBack,
    CallbackWanted,
    CallerEntered,
    CallerHungUp,
    CallerLeft,
    Connect,
    Connected,
    ConnectionFailed,
    ConversationEnded,
    GiveNotice,
    LineChanged,
    Overflow,
    PlaceEnded,
    QueueEvent,
    Refuse,
    ReleaseAgent,
    RingAgent,
    RingFailed,
)
from router.waiting.floor import Floor
from router.waiting.room import Output

NINE = 1_795_420_800.0  # a Tuesday, 08:00 UTC: the beginning of an hour


class House:
    """Attributes:
    now: the instant. floor: of the house, with its queues and agents.
    rings: place that each agent is rung for. talks: place that each agent has answered.
    heard: what each caller was told: positions ("2", "1"), "30 s left", "thanks" (on being connected).
    released: agents who were let go of, with the place and the cause, in order.
    ended: how each place ended. waited: how long. overflowed: why. refused: places that were not given.
    states: what was told of each agent last.
    """

    def __init__(self, *queues: QueueRules, agents: Sequence[AgentRules] = (), start: float = NINE) -> None:
        self.now = start
        self.queues = queues
        names = dict.fromkeys(member.agent for queue in queues for member in queue.members)
        self.agents = {name: AgentRules(name) for name in names} | {one.name: one for one in agents}
        self._begin()
        self.carry_out(self.floor.configure(queues, self.agents.values(), self.now))

    def _begin(self) -> None:
        self.floor = Floor()
        self._to_do: deque[Output] = deque()
        self._busy = False
        self.rings: dict[str, str] = {}
        self.talks: dict[str, str] = {}
        self.heard: dict[str, list[str]] = {}
        self.released: list[tuple[str, str, ReleaseCause]] = []
        self.ended: dict[str, Ended] = {}
        self.waited: dict[str, float] = {}
        self.overflowed: dict[str, OverflowCause] = {}
        self.refused: list[str] = []
        self.states: dict[str, tuple[State, str]] = {}
        self.lines: dict[str, LineState] = {}
        self.available: dict[str, bool] = {}
        self.callbacks: set[str] = set()  # places whose callers wanted one
        self.dialled: dict[str, str] = {}  # numbers that are called back, by place

    # ------------------------------------------------------------------------------------------------- driving

    def happens(self, event: QueueEvent) -> list[Output]:
        """Let something happen now; return what the floor made of it, which is done."""
        if isinstance(event, AvailabilityChanged):
            self.available[event.agent] = event.available
        out = self.floor.receive(event, self.now)
        self.carry_out(out)
        return out

    def passes(self, seconds: float) -> None:
        """Let time pass, and the floor do what is due at its very instants."""
        end = self.now + seconds
        while (due := self.floor.deadline) is not None and due <= end:
            self.now = max(self.now, due)
            self.carry_out(self.floor.advance(self.now))
        self.now = end

    def carry_out(self, outputs: Sequence[Output]) -> None:
        """Do in order what the floor says; what comes of it meanwhile is done afterwards."""
        self._to_do.extend(outputs)
        if not self._busy:
            self._busy = True
            while self._to_do:
                self._carry_out(self._to_do.popleft())
            self._busy = False

    def _carry_out(self, output: Output) -> None:
        if isinstance(output, RingAgent):
            assert output.agent not in self.rings, f"{output.agent} is rung twice"
            assert output.agent not in self.talks, f"{output.agent} is rung during a call"
            assert self.lines.get(output.agent, LineState.IDLE) is LineState.IDLE, f"{output.agent} is not idle"
            assert self.available.get(output.agent, True), f"{output.agent} is not to be disturbed"
            assert output.place in self.floor.places
            self.rings[output.agent] = output.place
            self.line_is(output.agent, LineState.RINGING)
        elif isinstance(output, ReleaseAgent):
            self.released.append((output.agent, output.place, output.cause))
            if self.rings.get(output.agent) == output.place:
                del self.rings[output.agent]
            elif self.talks.get(output.agent) == output.place:
                del self.talks[output.agent]
            self.line_is(output.agent, LineState.IDLE)
        elif isinstance(output, Connect):
            self.heard[output.place].append("thanks")
        elif isinstance(output, CallBack):
            self.dialled[output.place] = output.number
        elif isinstance(output, Announce):
            assert output.place not in self.ended, f"{output.place} is gone"
            assert output.first == (output.place not in self.heard)
            self.heard.setdefault(output.place, []).append(str(output.position))
        elif isinstance(output, GiveNotice):
            self.heard[output.place].append(f"{output.seconds:.0f} s left")
        elif isinstance(output, Overflow):
            assert output.place not in self.ended, f"{output.place} is gone"
            assert output.place not in self.callbacks, f"{output.place} is not on the line"
            self.overflowed[output.place] = output.cause
        elif isinstance(output, Refuse):
            self.refused.append(output.place)
        elif isinstance(output, PlaceEnded):
            assert output.place not in self.ended, f"{output.place} ends twice"
            self.ended[output.place] = output.ended
            self.waited[output.place] = output.waited
        else:
            assert isinstance(output, AgentChanged)
            self.states[output.agent] = (output.state, output.reason)

    # ----------------------------------------------------------------------------------------------- happening

    def enters(
        self,
        place: str,
        queue: str = "sales",
        *,
        tier: int = 1,
        needs: Skills = (),
        arrived: float | None = None,
        caller: str | None = "",
    ) -> None:
        """Somebody calls. Their number is the name of the place, unless another one is given."""
        number = place if caller == "" else caller
        self.happens(CallerEntered(place, queue, self.now if arrived is None else arrived, number, tier, needs))

    def answers(self, agent: str) -> str:
        """An agent whose phone rings answers, and the two are connected; return the place."""
        place = self.picks_up(agent)
        self.happens(Connected(place))
        return place

    def picks_up(self, agent: str) -> str:
        """An agent whose phone rings answers, no more."""
        place = self.rings.pop(agent)
        self.talks[agent] = place
        self.happens(AgentAnswered(agent, place))
        self.line_is(agent, LineState.ON_CALL)
        return place

    def rejects(self, agent: str, outcome: Outcome = Outcome.REJECTED) -> None:
        place = self.rings.pop(agent)
        self.happens(RingFailed(agent, place, outcome))
        self.line_is(agent, LineState.IDLE)

    def talked(self, agent: str, seconds: float = 60.0) -> None:
        """An agent talks for so long with whoever they have answered, and hangs up."""
        self.passes(seconds)
        self.happens(ConversationEnded(self.talks.pop(agent)))
        self.line_is(agent, LineState.IDLE)

    def cannot_connect(self, agent: str, side: Side = Side.AGENT) -> None:
        """Agent and caller do not come together."""
        self.happens(ConnectionFailed(self.talks.pop(agent), side))
        self.line_is(agent, LineState.IDLE)

    def hangs_up(self, place: str, *, cut_off: bool = False) -> None:
        self.happens(CallerHungUp(place, cut_off))

    def presses_message_key(self, place: str) -> None:
        self.happens(CallerLeft(place))

    def wants_callback(self, place: str, number: str = "+3242200111") -> None:
        self.happens(CallbackWanted(place, number))
        self.callbacks.add(place)

    def line_is(self, agent: str, line: LineState) -> None:
        """The line state of an agent is another one, for whatever reason."""
        if self.lines.get(agent, LineState.IDLE) is not line:
            self.lines[agent] = line
            self.happens(LineChanged(agent, line))

    def restarts(self, downtime: float = 5.0, stored: StoredFloor | None = None) -> None:
        """The router is killed and starts again with what was stored; None: everything was."""
        if stored is None:
            stored = self.floor.snapshot()
        self._begin()
        self.now += downtime
        self.carry_out(self.floor.configure(self.queues, self.agents.values(), self.now))
        self.carry_out(self.floor.restore(stored, self.now))

    # ------------------------------------------------------------------------------------------------- looking

    def line(self, queue: str = "sales") -> list[str]:
        """The places that stand in a line, the first one first."""
        return [place.id for place in self.floor.lines[queue]]

    def state(self, agent: str) -> State:
        return self.states[agent][0]


def members(names: str, penalty: int = 0) -> tuple[Member, ...]:
    return tuple(Member(name, penalty) for name in names.split())
