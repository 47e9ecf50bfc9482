"""Queues and agents as a configuration says, while callers wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from router.model.queue import AgentRules, AgentState, Ended, OverflowCause, PlaceState, QueueRules
from router.waiting.errors import LineError
from router.waiting.line import WaitingLine
from router.waiting.place import WAITS
from router.waiting.room import WaitingRoom


def configure(room: WaitingRoom, queues: Iterable[QueueRules], agents: Iterable[AgentRules]) -> None:
    """Take queues and agents, in place of those before. Who waits keeps the place, except in a queue that is gone: they
    are sent elsewhere. Raises `LineError` for a member who is no agent; then nothing has changed."""
    rules = {one.name: one for one in queues}
    people = {one.name: one for one in agents}
    for one in rules.values():
        for member in one.members:
            if member.agent not in people:
                raise LineError(f"queue {one.name}: its member {member.agent} is no agent")
    _stop_ringing_strangers(room, rules, people)
    for name in [name for name, line in room.lines.items() if name not in rules]:
        _close_down(room, room.lines[name])
    for name, one in rules.items():
        line = room.lines.get(name)
        if line is None:
            room.lines[name] = WaitingLine(one)
        else:
            line.configure(one)
            _line_up_again(room, line)
    room.staff.configure(people.values(), room.lines.values(), room.now)
    for agent in room.staff.agents.values():  # all of them, before it is seen whether anybody is there
        notice = room.staff.changed(agent)
        if notice is not None:
            room.out.append(notice)
    for line in room.lines.values():
        room.attend(line)


def _stop_ringing_strangers(
    room: WaitingRoom, rules: Mapping[str, QueueRules], people: Mapping[str, AgentRules]
) -> None:
    """Stop ringing whoever is not to be rung for that queue under other rules."""
    for agent in [*room.staff.agents.values()]:
        if agent.duty is AgentState.RINGING:
            queue = rules.get(room.places[agent.place].queue)
            if agent.name not in people or queue is None or agent.name not in [one.agent for one in queue.members]:
                room.withdraw(agent)


def _close_down(room: WaitingRoom, line: WaitingLine) -> None:
    """A queue is not configured any more: who waits is sent elsewhere, and who speaks may finish."""
    line.gone = True
    for place in [*line.places.values()]:
        if place.state in WAITS:
            room.overflow(place, OverflowCause.QUEUE_GONE)
        elif place.state is PlaceState.HELD:
            room.end(place, Ended.EXPIRED)
        elif place.state in (PlaceState.CALLBACK, PlaceState.CALLBACK_OFFERED):
            room.end(place, Ended.CANCELLED)
    line.configure(replace(line.rules, members=()))
    if not line.places:
        del room.lines[line.rules.name]


def _line_up_again(room: WaitingRoom, line: WaitingLine) -> None:
    """The rules of a queue have changed, and perhaps its order."""
    line.gone = False
    places = [*line]
    listening = [place for place in places if place.listening]
    for place in places:
        line.step_out(place)
        line.set_turn(place, place.turn[1])
        room.stand_again(line, place)
    for place in listening:
        room.tell_or_listen(line, place)
