"""All queues and agents of the company: who waits where, who is rung for whom, and what is to be done about it.

An agent who becomes free goes to the place whose turn is the earliest of all queues that they serve, if they can serve
it. So nobody is overtaken but by the tier (Q16), by a skill that the agent lacks, by a penalty, or because the agent
who is being rung for them has not answered yet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from router.model.decision import LineState, Outcome
from router.model.queue import (
    HELD_FOR,
    AgentRules,
    AgentState,
    Ended,
    FloorChanges,
    OverflowCause,
    PlaceState,
    QueueRules,
    ReleaseCause,
    Side,
    Skills,
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
    CallBack,
    CallbackCancelled,
    CallbackWanted,
    CallerEntered,
    CallerHungUp,
    CallerLeft,
    CallerMoved,
    Connect,
    Connected,
    ConnectionFailed,
    ConversationEnded,
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
from router.waiting import agent as duty
from router.waiting import place as standing
from router.waiting.agenda import AGENT, ALONE, ANNOUNCE, CLOSE, DUE, EXPIRE, LIMIT, NOTICE, Agenda
from router.waiting.agent import Agent
from router.waiting.errors import LineError
from router.waiting.line import WaitingLine
from router.waiting.place import ANSWERED, RUNG, Place
from router.waiting.staff import Staff
from router.waiting.statistics import Statistics
from router.waiting.strategies import choose

SWEEP_INTERVAL: Final = 0.02  # seconds between two steps of a sweep: eight hundred places a second
LEAST_REST: Final = 1.0  # seconds; an agent who rejects a call is not rung again in the same moment
ALONE_AFTER_CLOSING: Final = 60.0  # seconds: an agent whose phone registers anew is back by then
CUT_OFF_LONG_AGO: Final = 3600.0  # seconds; who came before that does not get the place back after a restart
MISSED: Final = "missed"  # reason of a pause that nobody asked for

_OPEN_TO_CALLER: Final = frozenset((PlaceState.WAITING, PlaceState.OFFERED, PlaceState.CONNECTING))
_WAITS: Final = frozenset((PlaceState.WAITING, PlaceState.OFFERED))

Output = QueueCommand | QueueNotice


class Floor:
    """Events and the time in; commands, notices and the next deadline out.

    Begin with `configure`, `restore`, and the line state of every agent that is not idle.

    Attributes:
        lines: by name of the queue. places: of all queues, by id; those that are over are not among them.
        staff: the agents. statistics: what came of the callers. All of them are to be read only.
    """

    __slots__ = (
        "_agenda",
        "_asking",
        "_gone",
        "_handling",
        "_now",
        "_number",
        "_out",
        "_sweep_at",
        "_to_store",
        "lines",
        "places",
        "staff",
        "statistics",
    )

    def __init__(self) -> None:
        self.lines: dict[str, WaitingLine] = {}
        self.places: dict[str, Place] = {}
        self.staff = Staff()
        self.statistics = Statistics()
        self._agenda = Agenda()
        self._out: list[Output] = []
        self._now = 0.0
        self._number = 0  # of the newest place
        self._sweep_at = 0.0
        # Held places and callbacks, by queue and caller.
        self._asking: dict[tuple[str, str], list[str]] = {}
        self._to_store: dict[str, None] = {}
        self._gone: dict[str, None] = {}
        self._handling: dict[str, None] = {}  # queues whose moving average changed

    # --------------------------------------------------------------------------------------------- what is asked

    def receive(self, event: QueueEvent, now: float) -> list[Output]:
        """Take an event; return what is to be done and told, in order.

        Args:
            now: its instant. What is due then is done as well, after the event: whoever answers in the last moment has
                answered.

        Raises `LineError` for an event that cannot have happened; it changes nothing.
        """
        self._now = max(now, self._now)
        _HANDLERS[type(event)](self, event)
        return self._settle()

    def advance(self, now: float) -> list[Output]:
        """Do what is due. To be called not later than `deadline`; earlier does no harm."""
        self._now = max(now, self._now)
        return self._settle()

    @property
    def deadline(self) -> float | None:
        """When `advance` is to be called; None: not before the next event."""
        due = self._agenda.next
        if any(line.sweeping for line in self.lines.values()):
            return self._sweep_at if due is None else min(due, self._sweep_at)
        return due

    def configure(self, queues: Iterable[QueueRules], agents: Iterable[AgentRules], now: float) -> list[Output]:
        """Take queues and agents, in place of those before. Who waits keeps the place, except in a queue that is gone: they
        are sent elsewhere. Raises `LineError` for a member who is no agent; then nothing has changed."""
        self._now = max(now, self._now)
        rules = {one.name: one for one in queues}
        people = {one.name: one for one in agents}
        for one in rules.values():
            for member in one.members:
                if member.agent not in people:
                    raise LineError(f"queue {one.name}: its member {member.agent} is no agent")
        self._stop_ringing_strangers(rules, people)
        for name in [name for name, line in self.lines.items() if name not in rules]:
            self._close_down(self.lines[name])
        for name, one in rules.items():
            line = self.lines.get(name)
            if line is None:
                self.lines[name] = WaitingLine(one)
            else:
                line.configure(one)
                self._line_up_again(line)
        self.staff.configure(people.values(), self.lines.values(), self._now)
        for agent in self.staff.agents.values():
            self._changed(agent)
        for line in self.lines.values():
            self._attend(line)
        return self._settle()

    def restore(self, stored: StoredFloor, now: float) -> list[Output]:
        """Take up what was stored before a restart, once, after `configure` and before any event. Who waited then was
        cut off: their places are held from now on."""
        self._now = max(now, self._now)
        self.statistics.restore(stored.hours)
        for queue, seconds in stored.handling:
            if queue in self.lines:
                self.lines[queue].handling = seconds
        for one in stored.agents:
            agent = self.staff.agents.get(one.agent)
            if agent is not None:
                agent.restore(one)
                if agent.until is not None:
                    self._agenda.add(agent.until, AGENT, agent.name)
                self._changed(agent)
        for kept in sorted(stored.places, key=_arrival):
            self._restore_place(kept)
        return self._settle()

    def snapshot(self) -> StoredFloor:
        """Return all that is to outlive the process."""
        return StoredFloor(
            tuple(place.stored() for place in self.places.values() if place.state is not PlaceState.SERVED),
            tuple(agent.stored() for agent in self.staff.agents.values()),
            tuple(self.statistics.hours.values()),
            tuple((name, line.handling) for name, line in self.lines.items()),
        )

    def take_changes(self) -> FloorChanges | None:
        """Return what differs from what was taken last, or None when nothing does."""
        agents, hours = self.staff.to_store, self.statistics.changed
        if not (self._to_store or self._gone or agents or hours or self._handling):
            return None
        changes = FloorChanges(
            tuple(self.places[identity].stored() for identity in self._to_store),
            tuple(self._gone),
            tuple(self.staff.agents[name].stored() for name in agents if name in self.staff.agents),
            tuple(self.statistics.hours[key] for key in hours),
            tuple((name, self.lines[name].handling) for name in self._handling if name in self.lines),
        )
        for taken in (self._to_store, self._gone, agents, hours, self._handling):
            taken.clear()
        return changes

    # ------------------------------------------------------------------------------------------------- callers

    def _caller_entered(self, event: CallerEntered) -> None:
        line = self.lines.get(event.queue)
        if line is None or line.gone:
            raise LineError(f"there is no queue {event.queue}")
        if event.place in self.places:
            raise LineError(f"place {event.place} is taken")
        held, callback = self._of_caller(event.queue, event.caller)
        if held is None and callback is None and len(line) >= line.rules.max_length:
            self.statistics.refused(event.queue, self._now)
            self._out.append(Refuse(event.place))
            return
        arrived, tier = event.arrived, event.tier
        for kept in (held, callback):
            if kept is not None:
                arrived, tier = min(arrived, kept.arrived), min(tier, kept.tier)
        place = self._new_place(line, event.place, arrived, event.caller, tier, event.needs, self._now)
        if held is None:
            self.statistics.entered(event.queue, self._now)
        else:
            place.callback_kept = held.callback_kept
            held.callback_kept = ""
            self._end(held, Ended.CAME_BACK)
        if callback is not None:
            self._put_aside(line, callback, place)
        line.stand(place)
        line.open_offer(place)
        rules = line.rules
        if rules.max_wait is not None:
            place.limit = self._now + rules.max_wait
            self._agenda.add(place.limit, LIMIT, place.id)
            if 0.0 < rules.notice < rules.max_wait:
                place.notice = place.limit - rules.notice
                self._agenda.add(place.notice, NOTICE, place.id)
        self._to_store[place.id] = None
        self._attend(line)
        if place.id in self.places:
            self._announce(line, place, line.position(place))

    def _caller_hung_up(self, event: CallerHungUp) -> None:
        place = self.places.get(event.place)
        if place is None:
            return
        if place.state is PlaceState.SERVED:
            self._finish(place)
        elif place.state in _OPEN_TO_CALLER:
            if event.cut_off and place.caller is not None:
                self._hold(place)
            else:
                self._end(place, Ended.ABANDONED)

    def _caller_left(self, event: CallerLeft) -> None:
        place = self.places.get(event.place)
        if place is None:
            return
        if place.state is PlaceState.SERVED:
            self._finish(place)
        elif place.state in _OPEN_TO_CALLER:
            self._end(place, Ended.LEFT)

    def _caller_moved(self, event: CallerMoved) -> None:
        place = self.places.get(event.place)
        if place is None or place.tier == event.tier or place.state is PlaceState.SERVED:
            return
        line = self.lines[place.queue]
        place.tier = event.tier
        self._to_store[place.id] = None
        stood, listened = line.position(place) > 0, place.listening
        line.step_out(place)
        line.set_turn(place, place.turn[1])
        if stood:
            self._stand_again(line, place)
            if listened:
                self._tell_or_listen(line, place)

    def _hold(self, place: Place) -> None:
        """Keep the place of a caller who was cut off."""
        line = self.lines[place.queue]
        self._release_agents(place)
        line.step_out(place)
        place.step(standing.CUT_OFF)
        place.expires = self._now + HELD_FOR
        place.limit = place.notice = place.quiet_until = None
        self._agenda.add(place.expires, EXPIRE, place.id)
        self._remember(place)

    # ----------------------------------------------------------------------------------------------- callbacks

    def _callback_wanted(self, event: CallbackWanted) -> None:
        place = self.places.get(event.place)
        if place is None:
            return
        if place.state not in _OPEN_TO_CALLER:
            raise LineError(f"place {place.id} is {place.state}: its caller does not wait")
        line = self.lines[place.queue]
        stood = line.position(place) > 0
        waited = place.waited(self._now)
        self._release_agents(place)
        place.step(standing.CALL_BACK)
        place.callback = event.number
        place.limit = place.notice = place.quiet_until = None
        place.refusals.clear()
        line.hush(place)
        place.expires = self._now + line.rules.callback_keep
        self._agenda.add(place.expires, EXPIRE, place.id)
        self._end_kept_callback(place)
        self.statistics.wants_callback(place.queue, waited, self._now)
        self._remember(place)
        self._stand_callback(line, place, stood)

    def _callback_cancelled(self, event: CallbackCancelled) -> None:
        place = self.places.get(event.place)
        if place is None or place.state is PlaceState.SERVED:
            return
        if not place.callback:
            raise LineError(f"place {place.id} is no callback")
        self._end(place, Ended.CANCELLED)

    def _end_kept_callback(self, place: Place) -> None:
        """The caller of a callback needs none any more."""
        callback, place.callback_kept = self.places.get(place.callback_kept), ""
        if callback is not None:
            self._end(callback, Ended.CAME_BACK)

    def _stand_callback(self, line: WaitingLine, place: Place, stands: bool) -> None:
        """Let a callback for which nobody is rung stand in the line if it is its time, and only then."""
        its_time = not place.aside and place.due <= self._now and not line.is_closed(self._now) and not line.gone
        if its_time:
            if not stands:
                line.stand(place)
            line.open_offer(place)
        elif stands:
            line.step_out(place)

    def _stand_callbacks(self, line: WaitingLine) -> None:
        """A queue has opened or closed."""
        for place in [*line.places.values()]:
            if place.state is PlaceState.CALLBACK:
                self._stand_callback(line, place, line.position(place) > 0)

    def _put_aside(self, line: WaitingLine, callback: Place, place: Place) -> None:
        """The caller of a callback waits on the line, at its turn: it is not to be offered meanwhile."""
        self._release_agents(callback)
        if callback.state is PlaceState.CALLBACK_OFFERED:
            callback.step(standing.UNANSWERED)
        callback.aside = True
        place.callback_kept = callback.id
        line.step_out(callback)

    # -------------------------------------------------------------------------------------- an agent and a caller

    def _agent_answered(self, event: AgentAnswered) -> None:
        agent, place = self.staff.agents.get(event.agent), self.places.get(event.place)
        if agent is None or place is None or event.agent not in place.ringing:
            if place is None or place.agent != event.agent:
                cause = ReleaseCause.CALLER_GONE if place is None else ReleaseCause.ELSEWHERE
                self._out.append(ReleaseAgent(event.agent, event.place, cause))
            return
        line = self.lines[place.queue]
        del place.ringing[agent.name]
        agent.step(duty.ANSWER)
        agent.missed = 0
        for name in [*place.ringing]:
            self._stop_ringing(self.staff.agents[name], place, ReleaseCause.ELSEWHERE)
        place.step(standing.ANSWER)
        line.step_out(place)
        place.agent, place.answered_at = agent.name, self._now
        if place.callback:
            self._out.append(CallBack(place.id, agent.name, place.callback))
        else:
            self._out.append(Connect(place.id, agent.name, place.waited(self._now)))
        self._changed(agent)

    def _ring_failed(self, event: RingFailed) -> None:
        agent, place = self.staff.agents.get(event.agent), self.places.get(event.place)
        if agent is None or place is None or event.agent not in place.ringing:
            return
        rules = self.lines[place.queue].rules
        if event.outcome is Outcome.NO_ANSWER:
            self._leave_alone(agent, place, rules.rest_missed, missed=True)
        elif event.outcome is Outcome.UNREACHABLE:
            self._leave_alone(agent, place, rules.rest_unreachable)
        else:
            self._leave_alone(agent, place, rules.rest_rejected)

    def _connected(self, event: Connected) -> None:
        place = self.places.get(event.place)
        if place is None:
            return
        place.step(standing.CONNECT)
        agent = self.staff.agents.get(place.agent or "")
        if agent is not None:
            agent.calls += 1
            self.staff.to_store[agent.name] = None
        if place.callback:
            self.statistics.called_back(place.queue, self._now)
        else:
            self.statistics.answered(place.queue, place.waited(self._now), self._now)
        self._end_kept_callback(place)
        self._forget_stored(place)  # a conversation does not outlive the process
        self._no_longer_asking(place)

    def _connection_failed(self, event: ConnectionFailed) -> None:
        place = self.places.get(event.place)
        if place is None:
            return
        line, agent = self.lines[place.queue], self.staff.agents.get(place.agent or "")
        place.step(standing.FAIL)
        place.agent = None
        if agent is not None:
            place.refusals[agent.name] = place.refusals.get(agent.name, 0) + 1
            agent.place = ""
            if event.side is Side.AGENT:
                self._rest(agent, line.rules.rest_rejected)
            else:
                agent.step(duty.FREE)
            self._changed(agent)
        if not place.callback:
            self._wait_on(line, place)
        elif line.gone:
            self._end(place, Ended.CANCELLED)
        elif place.expires is not None and place.expires <= self._now:
            self._end(place, Ended.EXPIRED)
        elif event.side is Side.AGENT:
            self._stand_callback(line, place, False)
        else:
            place.tries += 1
            if place.tries >= line.rules.callback_tries:
                self._end(place, Ended.UNREACHED)
                return
            place.due = self._now + line.rules.callback_retry
            self._agenda.add(place.due, DUE, place.id)
            self._to_store[place.id] = None

    def _wait_on(self, line: WaitingLine, place: Place) -> None:
        """A caller who could not be connected is back at the place, unless the wait ended meanwhile."""
        if line.gone:
            self._overflow(place, OverflowCause.QUEUE_GONE)
        elif place.limit is not None and place.limit <= self._now and line.longest_wait_holds(place.limit):
            self._overflow(place, OverflowCause.MAX_WAIT)
        else:
            line.stand(place)
            line.open_offer(place)
            if place.notice is not None:
                place.notice = max(place.notice, self._now)
                self._agenda.add(place.notice, NOTICE, place.id)
            if place.quiet_until is None:
                self._tell_or_listen(line, place)
            self._attend(line)

    def _conversation_ended(self, event: ConversationEnded) -> None:
        place = self.places.get(event.place)
        if place is not None:
            self._finish(place)

    def _finish(self, place: Place) -> None:
        """The conversation is over."""
        place.step(standing.FINISH)
        line, agent = self.lines[place.queue], self.staff.agents.get(place.agent or "")
        wrap_up = line.rules.wrap_up
        line.handled(self._now - place.answered_at + wrap_up)
        self._handling[place.queue] = None
        if agent is not None:
            agent.place = ""
            agent.idle_since = self._now
            if wrap_up > 0.0:
                agent.step(duty.WRAP_UP, self._now + wrap_up)
                self._agenda.add(self._now + wrap_up, AGENT, agent.name)
            else:
                agent.step(duty.FREE)
            self._changed(agent)
        self._forget(place, Ended.ANSWERED, place.waited(self._now))

    # -------------------------------------------------------------------------------------------------- agents

    def _agent_logged_in(self, event: AgentLoggedIn) -> None:
        agent = self.staff.agent(event.agent)
        if agent.duty is AgentState.LOGGED_OUT:
            agent.idle_since = self._now
            agent.missed = 0
        agent.step(duty.LOG_IN)
        self._changed(agent)

    def _agent_logged_out(self, event: AgentLoggedOut) -> None:
        agent = self.staff.agent(event.agent)
        self._withdraw(agent)
        agent.step(duty.LOG_OUT)
        self._changed(agent)

    def _agent_paused(self, event: AgentPaused) -> None:
        agent = self.staff.agent(event.agent)
        self._withdraw(agent)
        agent.step(duty.PAUSE, event.until, event.reason)
        if event.until is not None:
            self._agenda.add(event.until, AGENT, agent.name)
        self._changed(agent)

    def _agent_resumed(self, event: AgentResumed) -> None:
        agent = self.staff.agent(event.agent)
        if agent.duty is AgentState.PAUSED:
            agent.idle_since = self._now
            agent.missed = 0
        agent.step(duty.RESUME)
        self._changed(agent)

    def _line_changed(self, event: LineChanged) -> None:
        agent = self.staff.agents.get(event.agent)
        if agent is None:
            return
        if agent.line is LineState.ON_CALL and event.line is not LineState.ON_CALL:
            agent.idle_since = self._now
        agent.line = event.line
        self._changed(agent)

    def _availability_changed(self, event: AvailabilityChanged) -> None:
        agent = self.staff.agents.get(event.agent)
        if agent is None:
            return
        if not event.available:
            self._withdraw(agent)
        agent.available = event.available
        self._changed(agent)

    def _day_began(self, event: DayBegan) -> None:
        for agent in self.staff.agents.values():
            agent.calls = 0
            self.staff.to_store[agent.name] = None
        self.statistics.forget(self._now)

    def _withdraw(self, agent: Agent) -> None:
        """Stop ringing an agent who is not to be rung any more, for whomever it is."""
        if agent.duty is AgentState.RINGING:
            place = self.places[agent.place]
            self._stop_ringing(agent, place, ReleaseCause.WITHDRAWN)
            self._unanswered(place)

    def _stop_ringing(self, agent: Agent, place: Place, cause: ReleaseCause) -> None:
        """Stop ringing an agent, who has done nothing wrong."""
        del place.ringing[agent.name]
        self._out.append(ReleaseAgent(agent.name, place.id, cause))
        agent.step(duty.FREE)
        agent.place = ""
        self._changed(agent)

    def _leave_alone(self, agent: Agent, place: Place, seconds: float, missed: bool = False) -> None:
        """An agent did not take the call that they were rung for."""
        del place.ringing[agent.name]
        place.refusals[agent.name] = place.refusals.get(agent.name, 0) + 1
        agent.place = ""
        self._rest(agent, seconds)
        if missed:
            agent.missed += 1
            if agent.missed == self.lines[place.queue].rules.pause_after_missed:
                agent.step(duty.PAUSE, None, MISSED)
        self._changed(agent)
        self._unanswered(place)

    def _rest(self, agent: Agent, seconds: float) -> None:
        until = self._now + max(seconds, LEAST_REST)
        agent.step(duty.REST, until)
        self._agenda.add(until, AGENT, agent.name)

    def _unanswered(self, place: Place) -> None:
        """One agent fewer is rung for a place."""
        if place.ringing or place.state not in RUNG:
            return
        line = self.lines[place.queue]
        place.step(standing.UNANSWERED)
        if place.callback:
            self._stand_callback(line, place, True)
        else:
            line.open_offer(place)

    def _changed(self, agent: Agent) -> None:
        """Something of an agent changed: count it, and tell of it."""
        notice = self.staff.changed(agent)
        if notice is not None:
            self._out.append(notice)
        for line in self.staff.lines_of[agent.name]:
            if (line.here == 0) is (line.alone_since is None):
                self._attend(line)

    # -------------------------------------------------------------------------------------------------- queues

    def _queue_opened(self, event: QueueOpened) -> None:
        line = self._line(event.queue)
        line.closes = event.until
        if event.until is not None:
            self._agenda.add(event.until, CLOSE, event.queue)
        self._stand_callbacks(line)
        self._attend(line)

    def _queue_closed(self, event: QueueClosed) -> None:
        line = self._line(event.queue)
        if not line.is_closed(self._now):
            line.closes = self._now
        self._stand_callbacks(line)
        self._attend(line)

    def _line(self, queue: str) -> WaitingLine:
        line = self.lines.get(queue)
        if line is None:
            raise LineError(f"there is no queue {queue}")
        return line

    def _attend(self, line: WaitingLine) -> None:
        """See whether anybody is there for those who wait; when nobody has been for too long, send them elsewhere."""
        if line.here:
            line.alone_since = None
            return
        if line.alone_since is None:
            line.alone_since = self._now
        until = self._alone_until(line, line.alone_since)
        if until is None:
            return
        if until <= self._now:
            for place in line:
                if not place.callback:
                    self._overflow(place, OverflowCause.UNATTENDED)
        elif until != line.alone_until:
            line.alone_until = until
            self._agenda.add(until, ALONE, line.rules.name)

    def _alone_until(self, line: WaitingLine, since: float) -> float | None:
        """Return when those who wait while nobody is there are sent elsewhere, or None."""
        wait = line.rules.unattended
        if line.closes is not None and line.is_closed(self._now):
            wait = ALONE_AFTER_CLOSING if wait is None else min(wait, ALONE_AFTER_CLOSING)
            since = max(since, line.closes)
        return None if wait is None else since + wait

    def _stop_ringing_strangers(self, rules: Mapping[str, QueueRules], people: Mapping[str, AgentRules]) -> None:
        """Stop ringing whoever is not to be rung for that queue under other rules."""
        for agent in [*self.staff.agents.values()]:
            if agent.duty is AgentState.RINGING:
                queue = rules.get(self.places[agent.place].queue)
                if agent.name not in people or queue is None or agent.name not in [one.agent for one in queue.members]:
                    self._withdraw(agent)

    def _close_down(self, line: WaitingLine) -> None:
        """A queue is not configured any more: who waits is sent elsewhere, and who speaks may finish."""
        line.gone = True
        for place in [*line.places.values()]:
            if place.state in _WAITS:
                self._overflow(place, OverflowCause.QUEUE_GONE)
            elif place.state is PlaceState.HELD:
                self._end(place, Ended.EXPIRED)
            elif place.state in (PlaceState.CALLBACK, PlaceState.CALLBACK_OFFERED):
                self._end(place, Ended.CANCELLED)
        line.configure(replace(line.rules, members=()))
        if not line.places:
            del self.lines[line.rules.name]

    def _line_up_again(self, line: WaitingLine) -> None:
        """The rules of a queue have changed, and perhaps its order."""
        line.gone = False
        standing_now = [*line]
        for place in standing_now:
            listened = place.listening
            line.step_out(place)
            line.set_turn(place, place.turn[1])
            self._stand_again(line, place)
            if listened:
                line.listens(place)

    def _stand_again(self, line: WaitingLine, place: Place) -> None:
        """Put a place that stood in the line back into it, at the turn that it has now."""
        line.stand(place)
        if place.state not in RUNG or line.rules.strategy is Strategy.RING_ALL:
            line.open_offer(place)

    def _restore_place(self, kept: StoredPlace) -> None:
        line = self.lines.get(kept.queue)
        held_until = kept.due or self._now + HELD_FOR
        lost = kept.caller is None or held_until <= self._now or kept.arrived < self._now - CUT_OFF_LONG_AGO
        if line is None or (lost and not kept.callback):
            self._gone[kept.place] = None
            self.statistics.gave_up(kept.queue, Ended.ABANDONED, 0.0, self._now)
            return
        place = self._new_place(line, kept.place, kept.arrived, kept.caller, kept.tier, kept.needs, kept.entered)
        if not kept.callback:
            place.step(standing.CUT_OFF)
            place.expires = held_until
        else:
            place.step(standing.CALL_BACK)
            place.callback, place.tries, place.due = kept.callback, kept.tries, kept.due
            place.expires = kept.entered + line.rules.callback_keep
            if place.due > self._now:
                self._agenda.add(place.due, DUE, place.id)
            self._stand_callback(line, place, False)
        self._agenda.add(place.expires, EXPIRE, place.id)
        self._remember(place)

    # ------------------------------------------------------------------------------------------- what is due

    def _settle(self) -> list[Output]:
        """Do what is due, offer who can be offered, tell some of those who improved; return what is to be done."""
        while (entry := self._agenda.take(self._now)) is not None:
            _DUE[entry[1]](self, entry[2], entry[0])
        self._offer()
        if self._now >= self._sweep_at:
            for line in self.lines.values():
                if line.sweeping:
                    self._sweep_at = self._now + SWEEP_INTERVAL
                    for place, position in line.sweep():
                        self._announce(line, place, position)
        out, self._out = self._out, []
        return out

    def _announcement_due(self, identity: str, due: float) -> None:
        place = self.places.get(identity)
        if place is None or place.quiet_until != due:
            return
        place.quiet_until = None
        if place.state in _WAITS:
            self._tell_or_listen(self.lines[place.queue], place)

    def _notice_due(self, identity: str, due: float) -> None:
        place = self.places.get(identity)
        if place is None or place.notice != due or place.limit is None or place.state not in _WAITS:
            return
        place.notice = None
        if self.lines[place.queue].longest_wait_holds(place.limit):
            self._out.append(GiveNotice(place.id, max(0.0, place.limit - self._now)))

    def _limit_due(self, identity: str, due: float) -> None:
        place = self.places.get(identity)
        if place is None or place.limit != due or place.state not in _WAITS:
            return
        if self.lines[place.queue].longest_wait_holds(due):
            self._overflow(place, OverflowCause.MAX_WAIT)
        else:
            place.limit = None  # came before closing, and is served however long it takes (Q13)

    def _callback_due(self, identity: str, due: float) -> None:
        place = self.places.get(identity)
        if place is not None and place.due == due and place.state is PlaceState.CALLBACK:
            line = self.lines[place.queue]
            self._stand_callback(line, place, line.position(place) > 0)

    def _expiry_due(self, identity: str, due: float) -> None:
        place = self.places.get(identity)
        if place is None or place.expires != due or place.state in ANSWERED:
            return
        if place.state is not PlaceState.SERVED:
            self._end(place, Ended.EXPIRED)

    def _agent_due(self, name: str, due: float) -> None:
        agent = self.staff.agents.get(name)
        if agent is None or agent.until != due:
            return
        if agent.duty is AgentState.RINGING:
            place = self.places[agent.place]
            self._out.append(ReleaseAgent(name, place.id, ReleaseCause.TIMED_OUT))
            self._leave_alone(agent, place, self.lines[place.queue].rules.rest_missed, missed=True)
            return
        if agent.duty is AgentState.PAUSED:
            agent.idle_since = self._now
        agent.step(duty.RESTED)
        self._changed(agent)

    def _closing_due(self, queue: str, due: float) -> None:
        line = self.lines.get(queue)
        if line is not None and line.closes == due:
            self._stand_callbacks(line)
            self._attend(line)

    def _alone_due(self, queue: str, due: float) -> None:
        line = self.lines.get(queue)
        if line is not None and line.alone_until == due:
            line.alone_until = None
            self._attend(line)

    # ----------------------------------------------------------------------------------------------- offering

    def _offer(self) -> None:
        """Ring agents for whoever is next, as long as some are free and fit."""
        passed: set[tuple[str, Skills]] = set()  # nobody who is free fits these
        while self.staff.free:
            best: tuple[standing.Turn, WaitingLine, Skills] | None = None
            for name, line in self.lines.items():
                if line.free:
                    for turn, needs in line.heads():
                        if (best is None or turn < best[0]) and (name, needs) not in passed:
                            best = turn, line, needs
            if best is None:
                return
            turn, line, needs = best
            place = line.places[turn[2]]
            chosen = choose(line, place)
            if not chosen:
                passed.add((line.rules.name, needs))
            for agent in chosen:
                self._ring(line, place, agent)

    def _ring(self, line: WaitingLine, place: Place, agent: Agent) -> None:
        rules = line.rules
        until = self._now + rules.ring_for
        agent.step(duty.RING, until)
        agent.place = place.id
        self._agenda.add(until, AGENT, agent.name)
        place.step(standing.OFFER)
        place.ringing[agent.name] = None
        if rules.strategy is not Strategy.RING_ALL:
            line.close_offer(place)
        line.rung_last = agent.name
        self._out.append(
            RingAgent(agent.name, place.id, rules.name, place.waited(self._now), callback=bool(place.callback))
        )
        self._changed(agent)

    def _announce(self, line: WaitingLine, place: Place, position: int) -> None:
        first = place.announced == 0
        place.announced = position
        place.quiet_until = self._now + line.rules.announce_gap
        self._agenda.add(place.quiet_until, ANNOUNCE, place.id)
        self._out.append(Announce(place.id, position, first, line.estimate(position)))

    def _tell_or_listen(self, line: WaitingLine, place: Place) -> None:
        """The caller may be told of an improvement again: now, or as soon as there is one."""
        position = line.position(place)
        if position < place.announced:
            self._announce(line, place, position)
        else:
            line.listens(place)

    # ------------------------------------------------------------------------------------------- coming and going

    def _new_place(
        self,
        line: WaitingLine,
        identity: str,
        arrived: float,
        caller: str | None,
        tier: int,
        needs: Skills,
        entered: float,
    ) -> Place:
        place = Place(identity, line.rules.name, arrived, caller, tier, needs, entered)
        self._number += 1
        line.set_turn(place, self._number)
        line.places[identity] = self.places[identity] = place
        return place

    def _overflow(self, place: Place, cause: OverflowCause) -> None:
        self._out.append(Overflow(place.id, cause))
        self._end(place, Ended.OVERFLOWED)

    def _end(self, place: Place, ended: Ended) -> None:
        """A place is given up before anybody was connected."""
        waited = place.waited(self._now)
        if place.state is PlaceState.HELD and place.expires is not None:
            waited = place.expires - HELD_FOR - place.entered
        self._release_agents(place)
        place.step(standing.END)
        line = self.lines[place.queue]
        line.step_out(place)
        if not place.callback:
            # Who was cut off and did not call again has given up.
            counted = Ended.ABANDONED if ended is Ended.EXPIRED else ended
            self.statistics.gave_up(place.queue, counted, waited, self._now)
        self._forget(place, ended, waited)

    def _forget(self, place: Place, ended: Ended, waited: float) -> None:
        line = self.lines[place.queue]
        del self.places[place.id]
        del line.places[place.id]
        self._forget_stored(place)
        self._no_longer_asking(place)
        callback = self.places.get(place.callback_kept)
        if callback is not None:  # its caller hung up again: it has its turn back
            callback.aside = False
            self._stand_callback(line, callback, False)
        self._out.append(PlaceEnded(place.id, place.queue, ended, waited, place.agent))

    def _release_agents(self, place: Place) -> None:
        """Let go of whoever is rung for a place, or has answered and is not connected yet."""
        for name in [*place.ringing]:
            self._stop_ringing(self.staff.agents[name], place, ReleaseCause.CALLER_GONE)
        if place.state in ANSWERED and place.agent is not None:
            self._out.append(ReleaseAgent(place.agent, place.id, ReleaseCause.CALLER_GONE))
            agent, place.agent = self.staff.agents.get(place.agent), None
            if agent is not None:
                agent.step(duty.FREE)
                agent.place = ""
                self._changed(agent)

    def _forget_stored(self, place: Place) -> None:
        self._to_store.pop(place.id, None)
        self._gone[place.id] = None

    def _remember(self, place: Place) -> None:
        """Keep a held place, or a callback, so that it is found when its caller calls again."""
        self._to_store[place.id] = None
        if place.caller is not None:
            self._asking.setdefault((place.queue, place.caller), []).append(place.id)

    def _no_longer_asking(self, place: Place) -> None:
        if place.caller is None:
            return
        places = self._asking.get((place.queue, place.caller))
        if places is not None and place.id in places:
            places.remove(place.id)
            if not places:
                del self._asking[place.queue, place.caller]

    def _of_caller(self, queue: str, caller: str | None) -> tuple[Place | None, Place | None]:
        """Return the held place and the callback that a caller has, where they can be taken up, the oldest ones."""
        held: Place | None = None
        callback: Place | None = None
        for identity in self._asking.get((queue, caller or ""), ()):
            place = self.places[identity]
            if place.state is PlaceState.HELD:
                if held is None and place.expires is not None and self._now < place.expires:
                    held = place
            elif callback is None and place.state is not PlaceState.CALLING_BACK and not place.aside:
                callback = place
        return held, callback


def _arrival(kept: StoredPlace) -> tuple[float, str]:
    return kept.arrived, kept.place


_HANDLERS: Final[dict[type, Callable[[Floor, Any], None]]] = {
    CallerEntered: Floor._caller_entered,
    CallerHungUp: Floor._caller_hung_up,
    CallerLeft: Floor._caller_left,
    CallerMoved: Floor._caller_moved,
    CallbackWanted: Floor._callback_wanted,
    CallbackCancelled: Floor._callback_cancelled,
    AgentAnswered: Floor._agent_answered,
    RingFailed: Floor._ring_failed,
    Connected: Floor._connected,
    ConnectionFailed: Floor._connection_failed,
    ConversationEnded: Floor._conversation_ended,
    AgentLoggedIn: Floor._agent_logged_in,
    AgentLoggedOut: Floor._agent_logged_out,
    AgentPaused: Floor._agent_paused,
    AgentResumed: Floor._agent_resumed,
    LineChanged: Floor._line_changed,
    AvailabilityChanged: Floor._availability_changed,
    QueueOpened: Floor._queue_opened,
    QueueClosed: Floor._queue_closed,
    DayBegan: Floor._day_began,
}
_DUE: Final[dict[str, Callable[[Floor, str, float], None]]] = {
    ANNOUNCE: Floor._announcement_due,
    NOTICE: Floor._notice_due,
    LIMIT: Floor._limit_due,
    DUE: Floor._callback_due,
    EXPIRE: Floor._expiry_due,
    AGENT: Floor._agent_due,
    CLOSE: Floor._closing_due,
    ALONE: Floor._alone_due,
}
