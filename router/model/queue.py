"""Queues: the rules of each, the states of callers and agents, and what is stored of them.

Everybody who stands in a line has a place, with an id that `calls` gives and never uses again (the Call-ID of the
caller's leg does). Instants are POSIX seconds of one clock that never runs backwards; durations are seconds.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

FIRST_TIER: Final = 0  # VIP and corporate numbers (Q16)
USUAL_TIER: Final = 1
HELD_FOR: Final = 120.0  # seconds that a place is kept for somebody who was cut off
SERVICE_LEVELS: Final = (20.0, 180.0)  # seconds; how many were answered within each is counted

Skills = tuple[tuple[str, int], ...]  # level by skill, the higher the better


class Strategy(StrEnum):
    """Whom of the free agents a caller is offered to."""

    RING_ALL = "ring_all"  # everybody at once (Q10)
    LONGEST_IDLE = "longest_idle"  # one at a time, whose last call is over for the longest time (Q14)
    ROUND_ROBIN = "round_robin"  # one at a time, the next after the one who was rung last
    FEWEST_CALLS = "fewest_calls"  # one at a time, who took the fewest calls of all queues today
    SKILLS = "skills"  # one at a time, who knows best what the caller needs


class Member(NamedTuple):
    """An agent of a queue.

    Args:
        agent: id of the person.
        penalty: 0 for most; agents of a higher one are rung only when nobody of a lower one is free (remote agents, by
            mobile).
    """

    agent: str
    penalty: int = 0


@dataclass(frozen=True, slots=True)
class QueueRules:
    """One queue, as configured.

    Args:
        name: of the queue; no other one has it.
        members: in the order of the configuration, which is that of `ROUND_ROBIN` and breaks ties.
        ageing: a caller counts as having come so much later for each tier below the first; None: a lower tier waits
            until nobody of a higher one does (Q16).
        max_length: how many may wait; whoever comes then is refused.
        max_wait: the longest wait (Q2); None: no limit. notice: so long before its end the caller is told (G3); 0: not.
        limit_after_closing: whether `max_wait` holds for those who wait when the queue closes, too (G8).
        unattended: how long callers wait on when no agent is there (all are logged out, paused or cannot be reached);
            None: no limit but `max_wait`. After closing it is a minute at most, for nobody would ever come.
        announce_gap: least time between two announcements of the position to one caller (Q3).
        ring_for: how long an agent is rung for one caller.
        wrap_up: after a conversation.
        rest_missed, rest_rejected, rest_unreachable: an agent who did not answer, rejected the call, or could not be
            reached is not rung for so long, by no queue. At least one second.
        pause_after_missed: an agent who missed so many calls in a row, of any queue, is paused; 0: never.
        callback_retry: time until somebody to be called back, who was busy or did not answer, is tried again.
        callback_tries: how often at most. `callback_keep`: how long a callback is kept.
        usual_handling: how long a conversation and its wrap-up take, before enough of them were seen.
    """

    name: str
    members: tuple[Member, ...] = ()
    strategy: Strategy = Strategy.RING_ALL
    ageing: float | None = None
    max_length: int = 100
    max_wait: float | None = 180.0
    notice: float = 30.0
    limit_after_closing: bool = False
    unattended: float | None = None
    announce_gap: float = 30.0
    ring_for: float = 20.0
    wrap_up: float = 0.0
    rest_missed: float = 15.0
    rest_rejected: float = 30.0
    rest_unreachable: float = 60.0
    pause_after_missed: int = 3
    callback_retry: float = 600.0
    callback_tries: int = 3
    callback_keep: float = 7 * 86_400.0
    usual_handling: float = 180.0


@dataclass(frozen=True, slots=True)
class AgentRules:
    """One agent, as configured.

    Args:
        name: id of the person.
        skills: what the agent knows.
        starts_in: whether an agent of whom nothing is stored is logged in.
    """

    name: str
    skills: Skills = ()
    starts_in: bool = True


class AgentState(StrEnum):
    """What an agent does, as a wallboard shows it."""

    LOGGED_OUT = "logged_out"
    IDLE = "idle"  # can be rung
    RINGING = "ringing"  # a queue rings them, or somebody else does
    ON_CALL = "on_call"  # any call: of a queue or not
    WRAP_UP = "wrap_up"
    PAUSED = "paused"
    RESTED = "rested"  # did not answer, rejected or was not reached just now
    UNREACHABLE = "unreachable"  # no registered device, or not available by their profile


class PlaceState(StrEnum):
    """Where somebody stands who has, or had, a place in a line."""

    WAITING = "waiting"
    OFFERED = "offered"  # at least one agent is rung for them
    CONNECTING = "connecting"  # an agent has answered
    SERVED = "served"  # they speak with each other
    CALLBACK = "callback"  # hung up, keeps the place, and will be called back
    CALLBACK_OFFERED = "callback_offered"
    CALLING_BACK = "calling_back"  # an agent has answered; they are being called
    HELD = "held"  # cut off: the place is theirs again if they call soon
    ENDED = "ended"


class Ended(StrEnum):
    """How a place came to its end."""

    ANSWERED = "answered"  # the conversation is over
    ABANDONED = "abandoned"  # hung up while waiting
    LEFT = "left"  # by key, to a mailbox or elsewhere (Q5)
    OVERFLOWED = "overflowed"
    CANCELLED = "cancelled"  # a callback that somebody took back
    CAME_BACK = "came_back"  # called again: the new call has the place
    UNREACHED = "unreached"  # a callback whose tries are used up
    EXPIRED = "expired"  # a callback, or a held place, that was kept too long


class OverflowCause(StrEnum):
    """Why somebody does not wait on."""

    MAX_WAIT = "max_wait"  # Q2, G3
    UNATTENDED = "unattended"  # no agent is there
    QUEUE_GONE = "queue_gone"  # the queue is no longer configured


class ReleaseCause(StrEnum):
    """Why an agent is no longer rung, or is to be let go of after having answered."""

    ELSEWHERE = "elsewhere"  # completed elsewhere: another agent was first (Q10)
    CALLER_GONE = "caller_gone"  # hung up, left by key, overflowed
    TIMED_OUT = "timed_out"  # rung for `ring_for`
    WITHDRAWN = "withdrawn"  # logged out or paused meanwhile, or no longer an agent


class Side(StrEnum):
    """One of the two who are to be connected."""

    CALLER = "caller"
    AGENT = "agent"


class StoredPlace(NamedTuple):
    """A place, as it outlives the process: somebody who waits, whose place is held, or who is to be called back.

    Args:
        place, queue, arrived, caller, tier, needs: see `CallerEntered`.
        entered: instant at which they entered the line.
        callback: number to be called; "" for a caller who waits.
        tries: calls that did not reach them.
        due: callback: not to be called before; a held place: kept until then; 0 for none.
    """

    place: str
    queue: str
    arrived: float
    caller: str | None
    tier: int
    needs: Skills
    entered: float
    callback: str = ""
    tries: int = 0
    due: float = 0.0


class StoredAgent(NamedTuple):
    """An agent, as they outlive the process.

    Args:
        logged_in, paused: neither a call nor a rest outlives it.
        reason, until: of the pause.
        missed: calls missed in a row.
        calls: conversations since `DayBegan`.
        idle_since: instant at which the last one ended.
    """

    agent: str
    logged_in: bool
    paused: bool = False
    reason: str = ""
    until: float | None = None
    missed: int = 0
    calls: int = 0
    idle_since: float = 0.0


class HourCounts(NamedTuple):
    """What came of those who wanted to be served by a queue, by the hour in which it was decided.

    Args:
        queue: name.
        hour: POSIX seconds of its beginning, a multiple of 3600.
        entered: callers who got a place, `refused`: who did not.
        answered: by an agent, who was connected; of these `within` the times of `SERVICE_LEVELS`.
        abandoned, left, overflowed: see `Ended`. callbacks: who chose to be called back.
        waited: seconds that those who were answered waited, together; longest: the longest wait of anybody.
        called_back: callbacks that came about.
    """

    queue: str
    hour: int
    entered: int = 0
    refused: int = 0
    answered: int = 0
    within: tuple[int, ...] = (0,) * len(SERVICE_LEVELS)
    abandoned: int = 0
    left: int = 0
    overflowed: int = 0
    callbacks: int = 0
    waited: float = 0.0
    longest: float = 0.0
    called_back: int = 0

    def service_level(self, number: int) -> float | None:
        """Return the share that was answered within `SERVICE_LEVELS[number]`, of all who were answered, abandoned,
        overflowed or refused; None when there were none. Who left by key chose so, and does not count."""
        wanted = self.answered + self.abandoned + self.overflowed + self.refused
        return self.within[number] / wanted if wanted else None


class FloorChanges(NamedTuple):
    """What is to be written, each in place of what was stored of it before.

    Args:
        places, agents, hours: as they are now. gone: ids of places that are over.
        handling: seconds that a conversation of a queue takes, by queue.
    """

    places: tuple[StoredPlace, ...] = ()
    gone: tuple[str, ...] = ()
    agents: tuple[StoredAgent, ...] = ()
    hours: tuple[HourCounts, ...] = ()
    handling: tuple[tuple[str, float], ...] = ()


class StoredFloor(NamedTuple):
    """All that a store kept."""

    places: tuple[StoredPlace, ...] = ()
    agents: tuple[StoredAgent, ...] = ()
    hours: tuple[HourCounts, ...] = ()
    handling: tuple[tuple[str, float], ...] = ()
