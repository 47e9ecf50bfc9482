"""Somebody's place in a line: its states as one table."""

from __future__ import annotations

from typing import Final

from router.model.queue import PlaceState, Skills, StoredPlace
from router.waiting.errors import LineError

# What happens to a place.
OFFER: Final = "an agent is rung"
UNANSWERED: Final = "no agent is rung any more"
ANSWER: Final = "an agent answers"
CONNECT: Final = "the two are connected"
FAIL: Final = "the two could not be connected"
FINISH: Final = "the conversation is over"
CALL_BACK: Final = "a callback is wanted"
CUT_OFF: Final = "the caller was cut off"
END: Final = "the place is given up"

_WAITING, _OFFERED, _CONNECTING = PlaceState.WAITING, PlaceState.OFFERED, PlaceState.CONNECTING
_CALLBACK, _CALLBACK_OFFERED, _CALLING_BACK = (
    PlaceState.CALLBACK,
    PlaceState.CALLBACK_OFFERED,
    PlaceState.CALLING_BACK,
)
_SERVED, _HELD, _ENDED = PlaceState.SERVED, PlaceState.HELD, PlaceState.ENDED

# What is not in a row cannot happen in that state.
TRANSITIONS: Final[dict[PlaceState, dict[str, PlaceState]]] = {
    _WAITING: {OFFER: _OFFERED, CALL_BACK: _CALLBACK, CUT_OFF: _HELD, END: _ENDED},
    _OFFERED: {
        OFFER: _OFFERED,
        UNANSWERED: _WAITING,
        ANSWER: _CONNECTING,
        CALL_BACK: _CALLBACK,
        CUT_OFF: _HELD,
        END: _ENDED,
    },
    _CONNECTING: {CONNECT: _SERVED, FAIL: _WAITING, CALL_BACK: _CALLBACK, CUT_OFF: _HELD, END: _ENDED},
    _CALLBACK: {OFFER: _CALLBACK_OFFERED, END: _ENDED},
    _CALLBACK_OFFERED: {OFFER: _CALLBACK_OFFERED, UNANSWERED: _CALLBACK, ANSWER: _CALLING_BACK, END: _ENDED},
    _CALLING_BACK: {CONNECT: _SERVED, FAIL: _CALLBACK, END: _ENDED},
    _SERVED: {FINISH: _ENDED},
    _HELD: {END: _ENDED},
    _ENDED: {},
}

WAITS: Final = frozenset((_WAITING, _OFFERED))  # on the line
OPEN_TO_CALLER: Final = frozenset((_WAITING, _OFFERED, _CONNECTING))  # can hang up, or choose something else
RUNG: Final = frozenset((_OFFERED, _CALLBACK_OFFERED))
ANSWERED: Final = frozenset((_CONNECTING, _CALLING_BACK))

Turn = tuple[float, int, str]


class Place:
    """Made by the floor, and changed by it alone.

    Attributes:
        id, queue, arrived, caller, tier, needs: see `CallerEntered`.
        entered: instant at which the caller entered the line.
        turn: what the line is sorted by.
        agent: who answered; answered_at: when.
        ringing: agents who are rung for it. refusals: how often each agent was rung in vain.
        callback: number to be called back; "" for a caller who waits. tries: calls that did not reach them.
        due: a callback is not to be offered before. expires: the place is kept until then.
        limit: end of the longest wait, None for no limit. notice: instant of the notice before, until it was given.
        announced: position that the caller was told last. quiet_until: no other one is told before.
        listening: that time is over, so an improvement is to be told at once.
        callback_kept: a callback of the same caller, which stands aside for this place.
        aside: this is such a callback.
    """

    __slots__ = (
        "agent",
        "announced",
        "answered_at",
        "arrived",
        "aside",
        "callback",
        "callback_kept",
        "caller",
        "due",
        "entered",
        "expires",
        "id",
        "limit",
        "listening",
        "needs",
        "notice",
        "queue",
        "quiet_until",
        "refusals",
        "ringing",
        "state",
        "tier",
        "tries",
        "turn",
    )

    def __init__(
        self,
        identity: str,
        queue: str,
        arrived: float,
        caller: str | None,
        tier: int,
        needs: Skills,
        entered: float,
    ) -> None:
        self.id = identity
        self.queue = queue
        self.arrived = arrived
        self.caller = caller
        self.tier = tier
        self.needs = needs
        self.entered = entered
        self.state = PlaceState.WAITING
        self.turn: Turn = (arrived, 0, identity)
        self.agent: str | None = None
        self.answered_at = 0.0
        self.ringing: dict[str, None] = {}
        self.refusals: dict[str, int] = {}
        self.callback = ""
        self.tries = 0
        self.due = 0.0
        self.expires: float | None = None
        self.limit: float | None = None
        self.notice: float | None = None
        self.announced = 0
        self.quiet_until: float | None = None
        self.listening = False
        self.callback_kept = ""
        self.aside = False

    def step(self, event: str) -> None:
        """Let something happen. Raises `LineError` when it cannot in this state."""
        following = TRANSITIONS[self.state].get(event)
        if following is None:
            raise LineError(f"place {self.id} is {self.state}: not possible: {event}")
        self.state = following

    def waited(self, now: float) -> float:
        """Return the seconds of waiting: until an agent answered, or until now."""
        return max(0.0, (self.answered_at if self.agent is not None else now) - self.entered)

    def stored(self) -> StoredPlace:
        kept = self.due if self.callback else self.expires or 0.0
        return StoredPlace(
            self.id,
            self.queue,
            self.arrived,
            self.caller,
            self.tier,
            self.needs,
            self.entered,
            self.callback,
            self.tries,
            kept,
        )
