"""What happens to waiting lines (events), what is to be done about it (commands), and what is told of it (notices).

`calls` turns what it sees into events and carries the commands out, in their order; `waiting.Floor` decides.
"""

from __future__ import annotations

from dataclasses import dataclass

from router.model.decision import LineState, Outcome
from router.model.queue import USUAL_TIER, AgentState, Ended, OverflowCause, ReleaseCause, Side, Skills

# --------------------------------------------------------------------------------------------------------- events
# What concerns a place that is over, or an agent who is no longer rung, crossed a command on its way: it changes
# nothing, except that an `AgentAnswered` that came too late is met with `ReleaseAgent`.


@dataclass(frozen=True, slots=True)
class CallerEntered:
    """Somebody is to wait, and can be connected from now on; what they hear meanwhile must be interruptible.

    Args:
        place: id.
        queue: name.
        arrived: instant of the INVITE, which the order goes by (Q9, Q13, G8). Whoever comes back from an overflow, or
            from another queue, keeps the first one.
        caller: number, always in the same spelling; None where it is withheld. By it a place is held for somebody who
            was cut off, and called back.
        tier: `FIRST_TIER` before `USUAL_TIER`, and so on.
        needs: least level of each skill that the agent must have.
    """

    place: str
    queue: str
    arrived: float
    caller: str | None = None
    tier: int = USUAL_TIER
    needs: Skills = ()


@dataclass(frozen=True, slots=True)
class CallerHungUp:
    """The caller hung up, at whatever moment.

    `cut_off`: it was not their doing (lost media, a broken connection): the place is held for `HELD_FOR`.
    """

    place: str
    cut_off: bool = False


@dataclass(frozen=True, slots=True)
class CallerLeft:
    """The caller chose something else by key (Q5), or was sent on by somebody."""

    place: str


@dataclass(frozen=True, slots=True)
class CallbackWanted:
    """The caller wants to be called back, and keeps the place (P3). Before it is promised, wait until it is stored."""

    place: str
    number: str  # to be called


@dataclass(frozen=True, slots=True)
class CallbackCancelled:
    """Somebody took a callback back."""

    place: str


@dataclass(frozen=True, slots=True)
class CallerMoved:
    """Somebody put a caller into another tier."""

    place: str
    tier: int


@dataclass(frozen=True, slots=True)
class AgentAnswered:
    """An agent answered the ringing for a place."""

    agent: str
    place: str


@dataclass(frozen=True, slots=True)
class RingFailed:
    """An agent's devices did not answer: `REJECTED`, `BUSY`, `UNREACHABLE` or (by a device's own doing) `NO_ANSWER`."""

    agent: str
    place: str
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class Connected:
    """The two hear each other."""

    place: str


@dataclass(frozen=True, slots=True)
class ConnectionFailed:
    """The two could not be connected. A caller keeps the place.

    `side`: who is missing: the agent hung up, or who was to be called back did not answer. (Of a caller who hung up
    meanwhile tell `CallerHungUp`.)
    """

    place: str
    side: Side


@dataclass(frozen=True, slots=True)
class ConversationEnded:
    """The agent's call with the caller is over, or passed on to somebody else."""

    place: str


@dataclass(frozen=True, slots=True)
class AgentLoggedIn:
    """An agent takes calls; a pause ends."""

    agent: str


@dataclass(frozen=True, slots=True)
class AgentLoggedOut:
    """After the conversation that they are in, if they are."""

    agent: str


@dataclass(frozen=True, slots=True)
class AgentPaused:
    """After the conversation that they are in, if they are. `until`: automatic return, or None."""

    agent: str
    reason: str = ""
    until: float | None = None


@dataclass(frozen=True, slots=True)
class AgentResumed:
    """Ends a pause, a rest and the wrap-up."""

    agent: str


@dataclass(frozen=True, slots=True)
class LineChanged:
    """The line state of an agent changed. To be told of every change, including those that a queue's own ringing makes:
    an agent who is let go of is rung for somebody else only when their line is idle."""

    agent: str
    line: LineState


@dataclass(frozen=True, slots=True)
class AvailabilityChanged:
    """Whether an agent may be disturbed, by the profile in force (M3, S6)."""

    agent: str
    available: bool


@dataclass(frozen=True, slots=True)
class QueueOpened:
    """A queue is open until then (exclusive; None: for good). One that nothing was said of is open for good. To be told
    again at each beginning of its hours, and when they change."""

    queue: str
    until: float | None = None


@dataclass(frozen=True, slots=True)
class QueueClosed:
    """A queue is closed (at the end that `QueueOpened` named it closes by itself). Who waits is served (Q13); callbacks
    stay until it opens."""

    queue: str


@dataclass(frozen=True, slots=True)
class DayBegan:
    """Midnight passed where the company is: calls of agents are counted anew."""


QueueEvent = (
    CallerEntered
    | CallerHungUp
    | CallerLeft
    | CallbackWanted
    | CallbackCancelled
    | CallerMoved
    | AgentAnswered
    | RingFailed
    | Connected
    | ConnectionFailed
    | ConversationEnded
    | AgentLoggedIn
    | AgentLoggedOut
    | AgentPaused
    | AgentResumed
    | LineChanged
    | AvailabilityChanged
    | QueueOpened
    | QueueClosed
    | DayBegan
)

# ------------------------------------------------------------------------------------------------------- commands


@dataclass(frozen=True, slots=True)
class RingAgent:
    """Ring an agent for a place; what comes of it is `AgentAnswered` or `RingFailed`.

    Args:
        waited: seconds since the caller entered.
        callback: nobody waits on the line: whoever answers hears that somebody is to be called back.
    """

    agent: str
    place: str
    queue: str
    waited: float
    callback: bool = False


@dataclass(frozen=True, slots=True)
class ReleaseAgent:
    """Stop ringing an agent, or hang up if they have answered. Nothing is to be told of it but `LineChanged`."""

    agent: str
    place: str
    cause: ReleaseCause


@dataclass(frozen=True, slots=True)
class Connect:
    """Thank the caller (Q4) and let them hear the agent, who has answered; then `Connected` or `ConnectionFailed`."""

    place: str
    agent: str
    waited: float


@dataclass(frozen=True, slots=True)
class CallBack:
    """Call this number for the agent, who has answered; then `Connected` or `ConnectionFailed`."""

    place: str
    agent: str
    number: str


@dataclass(frozen=True, slots=True)
class Announce:
    """Tell a caller the place in the line (Q3), with thanks for having waited (Q4).

    Args:
        position: 1 for the first.
        first: on entry; the others are improvements.
        estimate: seconds of the wait to be expected, or None where nothing can be said (see `waiting.line`).
    """

    place: str
    position: int
    first: bool
    estimate: float | None = None


@dataclass(frozen=True, slots=True)
class GiveNotice:
    """Tell a caller that the longest wait is almost over (G3)."""

    place: str
    seconds: float  # that are left


@dataclass(frozen=True, slots=True)
class Overflow:
    """Send a caller elsewhere, as the queue's configuration says; the place is given up."""

    place: str
    cause: OverflowCause


@dataclass(frozen=True, slots=True)
class Refuse:
    """Tell a caller that too many wait; there is no place."""

    place: str


# What is told to whoever counts and shows.


@dataclass(frozen=True, slots=True)
class PlaceEnded:
    """A place is over.

    `waited`: seconds from the entry until an agent answered, or until the end.
    """

    place: str
    queue: str
    ended: Ended
    waited: float
    agent: str | None = None  # who served them


@dataclass(frozen=True, slots=True)
class AgentChanged:
    """An agent's state changed. `reason`: of a pause."""

    agent: str
    state: AgentState
    reason: str = ""


QueueCommand = RingAgent | ReleaseAgent | Connect | CallBack | Announce | GiveNotice | Overflow | Refuse
QueueNotice = PlaceEnded | AgentChanged
