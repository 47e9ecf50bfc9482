"""Who is rung for whom.

An agent who becomes free goes to the place whose turn is the earliest of all queues that they serve, if they can serve
it. So nobody is overtaken but by the tier (Q16), by a skill that the agent lacks, by a penalty, or because the agent
who is being rung for them has not answered yet.
"""

from __future__ import annotations

from router.model.queue import Skills, Strategy
from router.model.queue_events import RingAgent
from router.waiting import agent as duty
from router.waiting import place as standing
from router.waiting.agenda import AGENT
from router.waiting.agent import Agent
from router.waiting.line import WaitingLine
from router.waiting.place import Place, Turn
from router.waiting.room import WaitingRoom
from router.waiting.strategies import choose


def offer(room: WaitingRoom) -> None:
    """Ring agents for whoever is next, as long as some are free and fit."""
    passed: dict[tuple[str, Skills], int] = {}  # by queue and needs: so many from the front, for whom nobody is left
    while room.staff.free:
        best: tuple[Turn, WaitingLine, Skills] | None = None
        for name, line in room.lines.items():
            if line.free:
                for needs, turns in line.unoffered.items():
                    index = passed.get((name, needs), 0)
                    if index < len(turns) and (best is None or turns[index] < best[0]):
                        best = turns[index], line, needs
        if best is None:
            return
        turn, line, needs = best
        place = line.places[turn[2]]
        chosen = choose(line, place)
        if not chosen:
            # Whoever does not fit this place does not fit those behind, unless it has somebody already.
            key = line.rules.name, needs
            passed[key] = passed.get(key, 0) + 1 if place.ringing else len(line.unoffered[needs])
        for agent in chosen:
            _ring(room, line, place, agent)


def _ring(room: WaitingRoom, line: WaitingLine, place: Place, agent: Agent) -> None:
    rules = line.rules
    until = room.now + rules.ring_for
    agent.step(duty.RING, until)
    agent.place = place.id
    room.agenda.add(until, AGENT, agent.name)
    place.step(standing.OFFER)
    place.ringing[agent.name] = None
    if rules.strategy is not Strategy.RING_ALL:
        line.close_offer(place)
    line.rung_last = agent.name
    room.out.append(RingAgent(agent.name, place.id, rules.name, place.waited(room.now), callback=bool(place.callback)))
    room.changed(agent)
