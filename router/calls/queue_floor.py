"""The floor of all queues, alive: what happens to calls, phones and profiles goes in; what is decided is done.

The pure `waiting.Floor` decides who waits where and who is rung for whom. This tells it what happens, in order, and
hands its commands to whoever looks after the place they are about: a script that speaks to the caller.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Final, Protocol

from router.calls.queue_callback import begin_callback
from router.model.audit import AuditEntry
from router.model.decision import FeatureKind, LineState, Outcome
from router.model.queue import AgentRules, AgentState, Ended, OverflowCause, ReleaseCause, Side
from router.model.queue_events import (
    AgentChanged,
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentResumed,
    Announce,
    AvailabilityChanged,
    CallBack,
    CallerEntered,
    Connect,
    Connected,
    ConnectionFailed,
    DayBegan,
    GiveNotice,
    LineChanged,
    Overflow,
    PlaceEnded,
    QueueClosed,
    QueueCommand,
    QueueEvent,
    QueueNotice,
    QueueOpened,
    Refuse,
    ReleaseAgent,
    RingAgent,
    RingFailed,
)
from router.model.queue_service import QueueService
from router.model.tally import Counts, Histogram
from router.policy.agents import may_be_rung
from router.policy.schedule import local_time
from router.ports import QueueStore, StoreError
from router.sip.timers import Timer, cancel
from router.waiting.errors import LineError
from router.waiting.floor import Floor

if TYPE_CHECKING:
    from router.calls.exchange import Exchange

KEPT: Final = 8 * 86_400.0  # seconds of statistics that are taken up after a restart
MINUTE: Final = 60.0  # hours, profiles and days begin with one
WAIT_BOUNDS: Final = (5.0, 10.0, 20.0, 30.0, 60.0, 90.0, 120.0, 180.0, 240.0, 300.0, 600.0)  # seconds; 180 is Q2's

Notice = QueueEvent | QueueCommand | QueueNotice


class Desk(Protocol):
    """Who looks after one place: does what is decided about it, and tells the floor what comes of it."""

    def ring(self, agent: str, waited: float) -> None:
        """Ring an agent for the caller."""
        ...

    def release(self, agent: str, cause: ReleaseCause) -> None:
        """Stop ringing an agent, or hang up where they have answered."""
        ...

    def connect(self, agent: str, waited: float) -> None:
        """Let the caller and the agent, who has answered, hear each other."""
        ...

    def call_back(self, agent: str, number: str) -> None:
        """Call a number for the agent who has answered."""
        ...

    def announce(self, position: int, first: bool) -> None:
        """Tell the caller their place."""
        ...

    def give_notice(self, seconds: float) -> None:
        """Tell the caller that the longest wait is almost over."""
        ...

    def overflow(self, cause: OverflowCause) -> None:
        """Send the caller elsewhere."""
        ...

    def refuse(self) -> None:
        """Tell the caller that there is no place."""
        ...


class QueueFloor:
    """See the module.

    Attributes:
        floor: who waits where, to be read. services: the queues by name.
        watchers: hear of everything that happens.
        waits: seconds that callers waited who were answered, by queue; answered, abandoned: by (queue,).
        ended: by (queue, how the place ended); overflows: by (queue, why).
    """

    def __init__(self, exchange: Exchange) -> None:
        self.floor = Floor()
        self.services: Mapping[str, QueueService] = {}
        self.watchers: list[Callable[[Notice, float], None]] = []
        self.waits: dict[str, Histogram] = {}
        self.ended = Counts()
        self.answered = Counts()
        self.abandoned = Counts()
        self.overflows = Counts()
        self._exchange = exchange
        self._store: QueueStore | None = None
        self._agents: tuple[str, ...] = ()
        self._desks: dict[str, Desk] = {}
        self._queues: dict[str, str] = {}  # by place
        self._events: deque[QueueEvent] = deque()
        self._connecting: dict[str, float] = {}  # seconds waited, by place
        self._working = False
        self._timer: Timer | None = None
        self._minute: Timer | None = None
        self._available: dict[str, bool] = {}
        self._open: dict[str, bool] = {}
        self._day = 0

    # --------------------------------------------------------------------------------------------- what there is

    async def resume(
        self, store: QueueStore, services: Mapping[str, QueueService], agents: Iterable[AgentRules]
    ) -> None:
        """Take up what was stored before a restart: agents are as they were, who waited has a place for a while (Q9).
        From now on everything is stored. Raises `StoreError`."""
        agents = tuple(agents)
        stored = await store.load(self._now() - KEPT)
        self._store = store
        self._configure(services, agents)
        self._work(self.floor.restore(stored, self._now()))
        self._take_up_lines()

    def configure(self, services: Mapping[str, QueueService], agents: Iterable[AgentRules]) -> None:
        """Take queues and agents, in place of those before."""
        self._configure(services, tuple(agents))
        self._take_up_lines()

    def _configure(self, services: Mapping[str, QueueService], agents: tuple[AgentRules, ...]) -> None:
        rules = [service.rules for service in services.values()]
        self.services = services
        self._agents = tuple(agent.name for agent in agents)
        self._exchange.lines.agents = frozenset(self._agents)
        self._exchange.lines.agent_changed = self._line_changed
        for name in services:
            self.waits.setdefault(name, Histogram(WAIT_BOUNDS))
        self._open = {name: is_open for name, is_open in self._open.items() if name in services}
        self._available = {agent: True for agent in self._agents if self._available.get(agent, True)}
        self._work(self.floor.configure(rules, agents, self._now()))

    def _take_up_lines(self) -> None:
        lines = self._exchange.lines
        for agent in self._agents:
            self.tell(LineChanged(agent, lines.get(agent, LineState.IDLE)))
        self.look()

    def look(self) -> None:
        """Look at what changes by the clock alone: hours, profiles and the day. Done each minute, too."""
        if not self.services:
            return
        exchange = self._exchange
        now, policy = exchange.clock(), exchange.policy
        at = local_time(now, policy.zone)
        if self._day and at.day != self._day:
            self.tell(DayBegan())
        self._day = at.day
        for name in self.services:
            line = policy.queues[name]
            is_open = line.closed is None or any(window.covers(at) for window in line.hours)
            if self._open.get(name) is not is_open:
                self._open[name] = is_open
                self.tell(QueueOpened(name) if is_open else QueueClosed(name))
        for agent in self._agents:
            self.profile_changed(agent)
        cancel(self._minute)
        self._minute = exchange.stack.timers.start(MINUTE - now % MINUTE, self, "minute", exchange.attendant.now())

    def profile_changed(self, person: str) -> None:
        """Somebody's profile may have changed."""
        exchange = self._exchange
        known = exchange.policy.people.get(person)
        if known is None or person not in exchange.lines.agents:
            return
        available = may_be_rung(known, exchange.selections, exchange.policy, exchange.clock())
        if self._available.get(person, True) is not available:
            self._available[person] = available
            self.tell(AvailabilityChanged(person, available))

    def stop(self) -> None:
        """Nothing more is done by the clock."""
        cancel(self._timer)
        cancel(self._minute)
        self._timer = self._minute = None

    def watch_profiles(self) -> None:
        """Hear of what people select from now on, besides whoever hears of it already."""
        states = self._exchange.states
        before = states.changed

        def changed(person: str) -> None:
            before(person)
            self.profile_changed(person)

        states.changed = changed

    def agent_says(self, agent: str, kind: FeatureKind, actor: str, reason: str = "") -> None:
        """An agent, or `actor` for them, says whether queues may ring them: in, out, or a pause."""
        exchange = self._exchange
        event: QueueEvent
        if kind is FeatureKind.AGENT_OUT:
            event = AgentLoggedOut(agent)
        elif kind is FeatureKind.AGENT_PAUSE:
            event = AgentPaused(agent, reason)
        else:
            self.tell(AgentLoggedIn(agent))
            event = AgentResumed(agent)
        exchange.attendant.audit(AuditEntry(exchange.clock(), actor, kind.value, agent, after=reason))
        self.tell(event)

    def when_stored(self, told: Callable[[StoreError | None], None]) -> None:
        """Call `told` once all that happened so far is stored, or with what the store says."""
        if self._store is None:
            told(None)
        else:
            self._store.when_written(told)

    async def stored(self) -> None:
        """Wait for the same. Raises `StoreError`."""
        if self._store is not None:
            await self._store.written()

    def flush(self) -> None:
        """Send what was put into the SIP stack, where something happened outside of it."""
        self._exchange.attendant.flush()

    def is_open(self, queue: str) -> bool:
        """Say whether a queue is in its hours."""
        return self._open.get(queue, True)

    # --------------------------------------------------------------------------------------------- what happens

    def enter(self, desk: Desk, event: CallerEntered) -> None:
        """Somebody is to wait, whom `desk` looks after until `leave`."""
        self._desks[event.place] = desk
        self._queues[event.place] = event.queue
        self.tell(event)

    def take_up(self, place: str, desk: Desk) -> None:
        """From now on `desk` looks after somebody who is to be called back, until `leave`."""
        self._desks[place] = desk
        known = self.floor.places.get(place)
        if known is not None:
            self._queues[place] = known.queue

    def leave(self, place: str) -> None:
        """Nobody looks after a place any more."""
        self._desks.pop(place, None)
        self._queues.pop(place, None)

    def tell(self, event: QueueEvent) -> None:
        """Something happened. What follows from it is done before this returns, unless something else is being done:
        then right after that."""
        self._events.append(event)
        if not self._working:
            self._work(())

    def timer_expired(self, name: str, _now: float) -> None:
        """It is time for something."""
        if name == "minute":
            self.look()
            return
        self._timer = None
        self._work(self.floor.advance(self._now()))

    def _line_changed(self, agent: str, line: LineState) -> None:
        self.tell(LineChanged(agent, line))

    # --------------------------------------------------------------------------------------------- what is done

    def _work(self, outputs: Iterable[QueueCommand | QueueNotice]) -> None:
        """Do what was decided, and whatever follows from what happens meanwhile."""
        self._working = True
        try:
            self._carry_out(outputs)
            while self._events:
                event = self._events.popleft()
                now = self._now()
                self._notify(event, now)
                if isinstance(event, Connected):
                    self._count_answer(event.place)
                try:
                    outputs = self.floor.receive(event, now)
                except LineError as error:  # a fault of ours: it changed nothing, and the others are served
                    self._exchange.attendant.complain("queue", error)
                else:
                    self._carry_out(outputs)
        finally:
            self._working = False
        self._settle()

    def _carry_out(self, outputs: Iterable[QueueCommand | QueueNotice]) -> None:
        now = self._now()
        for output in outputs:
            self._notify(output, now)
            if isinstance(output, PlaceEnded):
                self._count(output)
            elif not isinstance(output, AgentChanged):
                self._command(output)

    def _command(self, command: QueueCommand) -> None:
        desk = self._desks.get(command.place)
        if desk is None:
            self._without_desk(command)
            return
        match command:
            case RingAgent():
                desk.ring(command.agent, command.waited)
            case ReleaseAgent():
                desk.release(command.agent, command.cause)
            case Connect():
                self._connecting[command.place] = command.waited
                desk.connect(command.agent, command.waited)
            case CallBack():
                desk.call_back(command.agent, command.number)
            case Announce():
                desk.announce(command.position, command.first)
            case GiveNotice():
                desk.give_notice(command.seconds)
            case Overflow():
                self.overflows[self._queues[command.place], command.cause.value] += 1
                desk.overflow(command.cause)
            case Refuse():
                desk.refuse()

    def _without_desk(self, command: QueueCommand) -> None:
        """Nobody looks after the place: the call is over, and what crossed its end is answered for it."""
        if isinstance(command, RingAgent) and command.callback and command.queue in self.services:
            begin_callback(self, self._exchange, self.services[command.queue], command.place, command.agent, {})
        elif isinstance(command, RingAgent):
            self._events.append(RingFailed(command.agent, command.place, Outcome.UNREACHABLE))
        elif isinstance(command, Connect | CallBack):
            self._events.append(ConnectionFailed(command.place, Side.CALLER))

    def _count_answer(self, place: str) -> None:
        queue = self._queues.get(place)
        waited = self._connecting.pop(place, None)
        if queue is not None and waited is not None:
            self.answered[queue,] += 1
            self.waits[queue].observe(waited)

    def _count(self, ended: PlaceEnded) -> None:
        self._connecting.pop(ended.place, None)
        self.ended[ended.queue, ended.ended.value] += 1
        if ended.ended is Ended.ABANDONED:
            self.abandoned[ended.queue,] += 1

    def _notify(self, notice: Notice, now: float) -> None:
        for watcher in self.watchers:
            watcher(notice, now)

    def waiting(self) -> dict[tuple[str], float]:
        """How many wait, by queue."""
        return {(name,): float(len(line)) for name, line in self.floor.lines.items()}

    def agents_by_state(self) -> dict[tuple[str], float]:
        """How many agents there are in each state."""
        counts = {(state.value,): 0.0 for state in AgentState}
        for agent in self.floor.staff.agents.values():
            counts[agent.state().value,] += 1
        return counts

    def _settle(self) -> None:
        """Hand over what is to be stored, and wait for what is due next."""
        changes = self.floor.take_changes()
        if changes is not None and self._store is not None:
            self._store.save(changes)
        deadline = self.floor.deadline
        if deadline is None:
            return
        now = self._exchange.attendant.now()
        at = now + max(0.0, deadline - self._now())
        timer = self._timer
        if timer is None or timer.deadline > at:  # one that comes too early does no harm
            cancel(timer)
            self._timer = self._exchange.stack.timers.start(at - now, self, "queue", now)

    def _now(self) -> float:
        return self._exchange.clock()
