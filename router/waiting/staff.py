"""The agents of all queues: whom each can ring, and what is told of them."""

from __future__ import annotations

from collections.abc import Iterable

from router.model.queue import AgentRules
from router.model.queue_events import AgentChanged
from router.waiting.agent import Agent
from router.waiting.errors import LineError
from router.waiting.line import WaitingLine


class Staff:
    """Agents by name, and the lines that they serve.

    Attributes:
        agents, lines_of: by name of the agent.
        free: how many can be rung, of all queues.
        to_store: agents of whom something may have changed that is stored.
    """

    __slots__ = ("agents", "free", "lines_of", "to_store")

    def __init__(self) -> None:
        self.agents: dict[str, Agent] = {}
        self.lines_of: dict[str, list[WaitingLine]] = {}
        self.free = 0
        self.to_store: dict[str, None] = {}

    def agent(self, name: str) -> Agent:
        """Return an agent. Raises `LineError` for somebody who is none."""
        found = self.agents.get(name)
        if found is None:
            raise LineError(f"{name} is no agent of any queue")
        return found

    def configure(self, rules: Iterable[AgentRules], lines: Iterable[WaitingLine], now: float) -> None:
        """Take other agents, and the memberships that the lines' rules say. Of those who are none any more nothing is
        left: nobody may be ringing them."""
        before, self.agents, self.lines_of, self.free = self.agents, {}, {}, 0
        for one in rules:
            agent = before.get(one.name)
            if agent is None:
                agent = Agent(one.name, one.skills, one.starts_in, now)
                self.to_store[one.name] = None
            agent.skills = dict(one.skills)
            agent.counted_free = agent.counted_here = False
            self.agents[one.name] = agent
            self.lines_of[one.name] = []
        for line in lines:
            line.free.clear()
            line.here = 0
            for member in line.rules.members:
                if member.agent not in self.agents:
                    raise LineError(f"queue {line.rules.name}: its member {member.agent} is no agent")
                self.lines_of[member.agent].append(line)

    def changed(self, agent: Agent) -> AgentChanged | None:
        """Something of an agent changed. Return what is to be told, or None."""
        self.to_store[agent.name] = None
        free, here = agent.is_free(), agent.is_here()
        if free is not agent.counted_free:
            agent.counted_free = free
            self.free += 1 if free else -1
            for line in self.lines_of[agent.name]:
                if free:
                    line.free[agent.name] = agent
                else:
                    del line.free[agent.name]
        if here is not agent.counted_here:
            agent.counted_here = here
            for line in self.lines_of[agent.name]:
                line.here += 1 if here else -1
        state, reason = agent.state(), agent.reason
        if (state, reason) == agent.shown:
            return None
        agent.shown = (state, reason)
        return AgentChanged(agent.name, state, reason)
