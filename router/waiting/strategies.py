"""Who of the free agents is rung for a caller (Q10, Q14)."""

from __future__ import annotations

from typing import Final

from router.model.queue import Strategy
from router.waiting.agent import Agent
from router.waiting.line import WaitingLine
from router.waiting.place import Place

_NOBODY: Final[list[Agent]] = []


def choose(line: WaitingLine, place: Place) -> list[Agent]:
    """Return the free agents to be rung for a place now; none where nobody fits.

    Whatever the strategy, an agent lacks none of the skills that the caller needs, and one of a higher penalty is rung
    only when nobody of a lower one is free, or already rung for this caller. Where one is rung at a time, whoever was
    rung for this caller in vain comes after those who were not.
    """
    able = [agent for agent in line.free.values() if agent.can(place.needs)] if place.needs else [*line.free.values()]
    if not able:
        return _NOBODY
    penalties = line.penalties
    if line.rules.strategy is Strategy.RING_ALL:
        lowest = min(penalties.get(name, 0) for name in [*[agent.name for agent in able], *place.ringing])
        return [agent for agent in able if penalties[agent.name] == lowest]
    first = able[0]
    best = _order(line, place, first)
    for agent in able[1:]:
        other = _order(line, place, agent)
        if other < best:
            first, best = agent, other
    return [first]


def _order(line: WaitingLine, place: Place, agent: Agent) -> tuple[int, int, float, float, int]:
    """What agents are compared by; the least is rung."""
    strategy = line.rules.strategy
    name = agent.name
    rank = line.ranks[name]
    by, then = agent.idle_since, 0.0
    if strategy is Strategy.ROUND_ROBIN:
        last = line.ranks.get(line.rung_last, -1)
        by = float((rank - last - 1) % len(line.ranks))
    elif strategy is Strategy.FEWEST_CALLS:
        by, then = float(agent.calls), agent.idle_since
    elif strategy is Strategy.SKILLS:
        by, then = -float(sum(agent.skills[skill] for skill, _ in place.needs)), agent.idle_since
    return place.refusals.get(name, 0), line.penalties[name], by, then, rank
