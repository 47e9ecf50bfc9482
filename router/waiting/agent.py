"""An agent: what they do, as one table, and whether they can be rung."""

from __future__ import annotations

from typing import Final

from router.model.decision import LineState
from router.model.queue import AgentState, Skills, StoredAgent
from router.waiting.errors import LineError

# What happens to an agent.
LOG_IN: Final = "logs in"
LOG_OUT: Final = "logs out"
PAUSE: Final = "pauses"
RESUME: Final = "resumes"
RING: Final = "is rung"
ANSWER: Final = "answers"
FREE: Final = "is free again"
WRAP_UP: Final = "ends a conversation"
REST: Final = "is to be left alone"
RESTED: Final = "the time is over"

_OUT, _IDLE, _RINGING, _ON_CALL = AgentState.LOGGED_OUT, AgentState.IDLE, AgentState.RINGING, AgentState.ON_CALL
_WRAP_UP, _PAUSED, _RESTED = AgentState.WRAP_UP, AgentState.PAUSED, AgentState.RESTED

# What is not in a row cannot happen in that state. Here `RINGING` and `ON_CALL` are a queue's doing; what an agent does
# besides is their line state. Who is on a call pauses and logs out afterwards (`Agent.afterwards`).
TRANSITIONS: Final[dict[AgentState, dict[str, AgentState]]] = {
    _OUT: {LOG_IN: _IDLE, LOG_OUT: _OUT, PAUSE: _OUT, RESUME: _OUT},
    _IDLE: {RING: _RINGING, LOG_IN: _IDLE, LOG_OUT: _OUT, PAUSE: _PAUSED, RESUME: _IDLE},
    _RINGING: {ANSWER: _ON_CALL, FREE: _IDLE, REST: _RESTED, LOG_IN: _RINGING, RESUME: _RINGING},
    _ON_CALL: {
        FREE: _IDLE,
        WRAP_UP: _WRAP_UP,
        REST: _RESTED,
        LOG_IN: _ON_CALL,
        LOG_OUT: _ON_CALL,
        PAUSE: _ON_CALL,
        RESUME: _ON_CALL,
    },
    _WRAP_UP: {RESTED: _IDLE, LOG_IN: _WRAP_UP, LOG_OUT: _OUT, PAUSE: _PAUSED, RESUME: _IDLE},
    _PAUSED: {RESTED: _IDLE, LOG_IN: _IDLE, LOG_OUT: _OUT, PAUSE: _PAUSED, RESUME: _IDLE},
    _RESTED: {RESTED: _IDLE, LOG_IN: _RESTED, LOG_OUT: _OUT, PAUSE: _PAUSED, RESUME: _IDLE},
}

_HERE: Final = frozenset((_IDLE, _RINGING, _ON_CALL, _WRAP_UP, _RESTED))
# An agent in one of these who is on a call that no queue knows of shows as on a call.
_CALLS_SHOW: Final = frozenset((_IDLE, _WRAP_UP, _RESTED))


class Agent:
    """Made by the floor, and changed by it alone.

    Attributes:
        name: id of the person. skills: level by skill.
        duty: state in the table. until: instant at which it ends by itself, or None.
        reason: of the pause.
        line, available: what the rest of the router knows of them (`LineChanged`, `AvailabilityChanged`).
        place: id of the place that they are rung for, or speak with; "" for none.
        missed: calls missed in a row. calls: conversations since `DayBegan`.
        idle_since: instant at which the last call ended, or they came.
        afterwards: `LOG_OUT` or `PAUSE`, to be done after the conversation; "" for none.
        shown: state that was told last, with the reason; None: none yet.
        counted_free, counted_here: what the lines know of them.
    """

    __slots__ = (
        "_afterwards_reason",
        "_afterwards_until",
        "afterwards",
        "available",
        "calls",
        "counted_free",
        "counted_here",
        "duty",
        "idle_since",
        "line",
        "missed",
        "name",
        "place",
        "reason",
        "shown",
        "skills",
        "until",
    )

    def __init__(self, name: str, skills: Skills, logged_in: bool, now: float) -> None:
        self.name = name
        self.skills = dict(skills)
        self.duty = AgentState.IDLE if logged_in else AgentState.LOGGED_OUT
        self.until: float | None = None
        self.reason = ""
        self.line = LineState.IDLE
        self.available = True
        self.place = ""
        self.missed = 0
        self.calls = 0
        self.idle_since = now
        self.afterwards = ""
        self._afterwards_reason = ""
        self._afterwards_until: float | None = None
        self.shown: tuple[AgentState, str] | None = None
        self.counted_free = False
        self.counted_here = False

    def step(self, event: str, until: float | None = None, reason: str = "") -> None:
        """Let something happen.

        Args:
            until: instant at which the following state ends by itself; None for one that does not.
            reason: of a pause.

        Raises `LineError` when it cannot in this state.
        """
        following = TRANSITIONS[self.duty].get(event)
        if following is None:
            raise LineError(f"agent {self.name} is {self.duty}: not possible: {event}")
        if self.duty is AgentState.ON_CALL and following is AgentState.ON_CALL:
            self.afterwards = event if event in (PAUSE, LOG_OUT) else ""
            self._afterwards_reason, self._afterwards_until = reason, until
            return
        if following is not self.duty or following is AgentState.PAUSED:
            self.until = until
            self.reason = reason
        self.duty = following
        if self.afterwards:  # only a call postpones anything, so it is over now
            event, self.afterwards = self.afterwards, ""
            self.step(event, self._afterwards_until, self._afterwards_reason)

    def is_free(self) -> bool:
        """Say whether the agent can be rung."""
        return self.duty is AgentState.IDLE and self.line is LineState.IDLE and self.available

    def is_here(self) -> bool:
        """Say whether the agent takes calls, now or soon."""
        return self.duty in _HERE and (
            self.duty is not AgentState.IDLE or (self.available and self.line is not LineState.UNREGISTERED)
        )

    def state(self) -> AgentState:
        """Return what the agent does, as a wallboard shows it."""
        if self.duty in _CALLS_SHOW and self.line is LineState.ON_CALL:
            return AgentState.ON_CALL
        if self.duty is AgentState.IDLE:
            if not self.available or self.line is LineState.UNREGISTERED:
                return AgentState.UNREACHABLE
            if self.line is LineState.RINGING:
                return AgentState.RINGING
        return self.duty

    def can(self, needs: Skills) -> bool:
        """Say whether the agent has the skills that a caller needs."""
        return all(self.skills.get(skill, 0) >= level for skill, level in needs)

    def restore(self, stored: StoredAgent) -> None:
        """Take up what was stored."""
        self.duty = AgentState.IDLE
        if not stored.logged_in:
            self.duty = AgentState.LOGGED_OUT
        elif stored.paused:
            self.duty, self.reason, self.until = AgentState.PAUSED, stored.reason, stored.until
        self.missed, self.calls, self.idle_since = stored.missed, stored.calls, stored.idle_since

    def stored(self) -> StoredAgent:
        paused = self.duty is AgentState.PAUSED
        logged_in = self.duty is not AgentState.LOGGED_OUT
        reason, until = (self.reason, self.until) if paused else ("", None)
        if self.afterwards == LOG_OUT:
            logged_in = False
        elif self.afterwards == PAUSE:
            paused, reason, until = True, self._afterwards_reason, self._afterwards_until
        return StoredAgent(self.name, logged_in, paused, reason, until, self.missed, self.calls, self.idle_since)
