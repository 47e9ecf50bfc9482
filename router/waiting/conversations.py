"""An agent who was rung answers, or not; the two are connected, or not; they speak, and end (Q4 Q10 Q14)."""

from __future__ import annotations

from router.model.decision import Outcome
from router.model.queue import Ended, OverflowCause, ReleaseCause, Side
from router.model.queue_events import (
    AgentAnswered,
    CallBack,
    Connect,
    Connected,
    ConnectionFailed,
    ConversationEnded,
    ReleaseAgent,
    RingFailed,
)
from router.waiting import agent as duty
from router.waiting import place as standing
from router.waiting.agenda import AGENT, DUE, NOTICE
from router.waiting.line import WaitingLine
from router.waiting.place import Place
from router.waiting.room import WaitingRoom


def agent_answered(room: WaitingRoom, event: AgentAnswered) -> None:
    agent, place = room.staff.agents.get(event.agent), room.places.get(event.place)
    if agent is None or place is None or event.agent not in place.ringing:
        if place is None or place.agent != event.agent:
            cause = ReleaseCause.CALLER_GONE if place is None else ReleaseCause.ELSEWHERE
            room.out.append(ReleaseAgent(event.agent, event.place, cause))
        return
    line = room.lines[place.queue]
    del place.ringing[agent.name]
    agent.step(duty.ANSWER)
    agent.missed = 0
    for name in [*place.ringing]:
        room.stop_ringing(room.staff.agents[name], place, ReleaseCause.ELSEWHERE)
    place.step(standing.ANSWER)
    line.step_out(place)
    place.agent, place.answered_at = agent.name, room.now
    if place.callback:
        room.out.append(CallBack(place.id, agent.name, place.callback))
    else:
        room.out.append(Connect(place.id, agent.name, place.waited(room.now)))
    room.changed(agent)


def ring_failed(room: WaitingRoom, event: RingFailed) -> None:
    agent, place = room.staff.agents.get(event.agent), room.places.get(event.place)
    if agent is None or place is None or event.agent not in place.ringing:
        return
    rules = room.lines[place.queue].rules
    if event.outcome is Outcome.NO_ANSWER:
        room.leave_alone(agent, place, rules.rest_missed, missed=True)
    elif event.outcome is Outcome.UNREACHABLE:
        room.leave_alone(agent, place, rules.rest_unreachable)
    else:
        room.leave_alone(agent, place, rules.rest_rejected)


def connected(room: WaitingRoom, event: Connected) -> None:
    place = room.places.get(event.place)
    if place is None:
        return
    place.step(standing.CONNECT)
    agent = room.staff.agents.get(place.agent or "")
    if agent is not None:
        agent.calls += 1
        room.staff.to_store[agent.name] = None
    if place.callback:
        room.statistics.called_back(place.queue, room.now)
    else:
        room.statistics.answered(place.queue, place.waited(room.now), room.now)
    room.end_kept_callback(place)
    room.forget_stored(place)  # a conversation does not outlive the process
    room.no_longer_asking(place)


def connection_failed(room: WaitingRoom, event: ConnectionFailed) -> None:
    place = room.places.get(event.place)
    if place is None:
        return
    line, agent = room.lines[place.queue], room.staff.agents.get(place.agent or "")
    place.step(standing.FAIL)
    place.agent = None
    if agent is not None:
        place.refusals[agent.name] = place.refusals.get(agent.name, 0) + 1
        agent.place = ""
        if event.side is Side.AGENT:
            room.rest(agent, line.rules.rest_rejected)
        else:
            agent.step(duty.FREE)
        room.changed(agent)
    if not place.callback:
        wait_on(room, line, place)
    elif line.gone:
        room.end(place, Ended.CANCELLED)
    elif place.expires is not None and place.expires <= room.now:
        room.end(place, Ended.EXPIRED)
    elif event.side is Side.AGENT:
        room.stand_callback(line, place, False)
    else:
        place.tries += 1
        if place.tries >= line.rules.callback_tries:
            room.end(place, Ended.UNREACHED)
            return
        place.due = room.now + line.rules.callback_retry
        room.agenda.add(place.due, DUE, place.id)
        room.to_store[place.id] = None


def wait_on(room: WaitingRoom, line: WaitingLine, place: Place) -> None:
    """A caller who could not be connected is back at the place, unless the wait ended meanwhile."""
    if line.gone:
        room.overflow(place, OverflowCause.QUEUE_GONE)
    elif place.limit is not None and place.limit <= room.now and line.longest_wait_holds(place.limit):
        room.overflow(place, OverflowCause.MAX_WAIT)
    else:
        line.stand(place)
        line.open_offer(place)
        if place.notice is not None:
            place.notice = max(place.notice, room.now)
            room.agenda.add(place.notice, NOTICE, place.id)
        if place.quiet_until is None:
            room.tell_or_listen(line, place)
        room.attend(line)


def conversation_ended(room: WaitingRoom, event: ConversationEnded) -> None:
    place = room.places.get(event.place)
    if place is not None:
        finish(room, place)


def finish(room: WaitingRoom, place: Place) -> None:
    """The conversation is over."""
    place.step(standing.FINISH)
    line, agent = room.lines[place.queue], room.staff.agents.get(place.agent or "")
    wrap_up = line.rules.wrap_up
    line.handled(room.now - place.answered_at + wrap_up)
    room.handling[place.queue] = None
    if agent is not None:
        agent.place = ""
        agent.idle_since = room.now
        if wrap_up > 0.0:
            agent.step(duty.WRAP_UP, room.now + wrap_up)
            room.agenda.add(room.now + wrap_up, AGENT, agent.name)
        else:
            agent.step(duty.FREE)
        room.changed(agent)
    room.forget(place, Ended.ANSWERED, place.waited(room.now))
