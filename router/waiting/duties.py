"""Agents come and go, pause, and do other things than answering queues."""

from __future__ import annotations

from router.model.decision import LineState
from router.model.queue import AgentState, ReleaseCause
from router.model.queue_events import (
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentResumed,
    AvailabilityChanged,
    DayBegan,
    LineChanged,
    ReleaseAgent,
)
from router.waiting import agent as duty
from router.waiting.agenda import AGENT
from router.waiting.room import WaitingRoom


def agent_logged_in(room: WaitingRoom, event: AgentLoggedIn) -> None:
    agent = room.staff.agent(event.agent)
    if agent.duty in (AgentState.LOGGED_OUT, AgentState.PAUSED):
        agent.idle_since = room.now
        agent.missed = 0
    agent.step(duty.LOG_IN)
    room.changed(agent)


def agent_logged_out(room: WaitingRoom, event: AgentLoggedOut) -> None:
    agent = room.staff.agent(event.agent)
    room.withdraw(agent)
    agent.step(duty.LOG_OUT)
    room.changed(agent)


def agent_paused(room: WaitingRoom, event: AgentPaused) -> None:
    agent = room.staff.agent(event.agent)
    room.withdraw(agent)
    agent.step(duty.PAUSE, event.until, event.reason)
    if event.until is not None:
        room.agenda.add(event.until, AGENT, agent.name)
    room.changed(agent)


def agent_resumed(room: WaitingRoom, event: AgentResumed) -> None:
    agent = room.staff.agent(event.agent)
    if agent.duty is AgentState.PAUSED:
        agent.idle_since = room.now
        agent.missed = 0
    agent.step(duty.RESUME)
    room.changed(agent)


def line_changed(room: WaitingRoom, event: LineChanged) -> None:
    agent = room.staff.agents.get(event.agent)
    if agent is None:
        return
    if agent.line is LineState.ON_CALL and event.line is not LineState.ON_CALL:
        agent.idle_since = room.now
    agent.line = event.line
    room.changed(agent)


def availability_changed(room: WaitingRoom, event: AvailabilityChanged) -> None:
    agent = room.staff.agents.get(event.agent)
    if agent is None:
        return
    if not event.available:
        room.withdraw(agent)
    agent.available = event.available
    room.changed(agent)


def day_began(room: WaitingRoom, event: DayBegan) -> None:
    for agent in room.staff.agents.values():
        agent.calls = 0
        room.staff.to_store[agent.name] = None
    room.statistics.forget(room.now)


def agent_due(room: WaitingRoom, name: str, due: float) -> None:
    agent = room.staff.agents.get(name)
    if agent is None or agent.until != due:
        return
    if agent.duty is AgentState.RINGING:
        place = room.places[agent.place]
        room.out.append(ReleaseAgent(name, place.id, ReleaseCause.TIMED_OUT))
        room.leave_alone(agent, place, room.lines[place.queue].rules.rest_missed, missed=True)
        return
    if agent.duty is AgentState.PAUSED:
        agent.idle_since = room.now
    agent.step(duty.RESTED)
    room.changed(agent)
