"""The line of one queue: its order, who is to be offered next, and who is to be told of an improvement.

Order. Each place has a turn: the instant of the INVITE, and later by `QueueRules.ageing` for each tier below the first
(by thirty years where a queue has no ageing). So the order never changes by the passing of time, one list keeps it, and
turns of different queues compare.

Estimate. Whoever stands at position p waits for p agents to become free. A queue's agents, when n of them are there and
a conversation with its wrap-up takes h seconds (a moving average), become free every h/n seconds: p·h/n. Agents who
serve other queues too, or who are idle, make it wrong in either direction; it is a figure for orientation.

Announcements. Whenever one caller leaves, everybody behind has improved. Nobody is looked at then: a sweep goes through
the line in steps (`STEP`), as long as something has changed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from router.model.queue import FIRST_TIER, QueueRules, Skills
from router.waiting.agent import Agent
from router.waiting.place import Place, Turn

STEP: Final = 16  # places that one step of a sweep looks at: some 50 µs when every one of them is to be told
WEIGHT: Final = 0.1  # of the newest conversation in the moving average: some twenty of them count
_NEVER: Final = 1e9  # seconds; a tier below waits for ever


class WaitingLine:
    """Made by the floor, and changed by it alone; anybody may look.

    Attributes:
        rules: of the queue. penalties: by agent. ranks: place of each agent in the configuration.
        places: everybody who has a place, in whatever state.
        unoffered: turns of those that agents, or further agents, are to be rung for, by what they need.
        free: agents who can be rung. here: how many take calls, now or soon.
        rung_last: agent.
        closes: instant from which the queue is closed; None: open for good.
        alone_since: instant since which no agent is there; None: one is. alone_until: when that has lasted too long.
        gone: the queue is not configured any more.
        handling: seconds that a conversation takes with its wrap-up.
        sweeping: places that the sweep has still to look at.
    """

    __slots__ = (
        "_next",
        "_order",
        "alone_since",
        "alone_until",
        "closes",
        "free",
        "gone",
        "handling",
        "here",
        "listening",
        "penalties",
        "places",
        "ranks",
        "rules",
        "rung_last",
        "sweeping",
        "unoffered",
    )

    def __init__(self, rules: QueueRules) -> None:
        self.places: dict[str, Place] = {}
        self.free: dict[str, Agent] = {}
        self.here = 0
        self.rung_last = ""
        self.closes: float | None = None
        self.alone_since: float | None = None
        self.alone_until: float | None = None
        self.gone = False
        self.handling = rules.usual_handling
        self.listening = 0  # how many places are to be told of an improvement at once
        self.sweeping = 0
        self._next = 0  # index at which the sweep goes on
        self._order: list[Turn] = []
        self.unoffered: dict[Skills, list[Turn]] = {}
        self.rules = rules
        self.penalties: dict[str, int] = {}
        self.ranks: dict[str, int] = {}
        self.configure(rules)

    def configure(self, rules: QueueRules) -> None:
        """Take other rules. Who waits keeps the place, and the longest wait that was in force on entry."""
        self.rules = rules
        self.penalties = {member.agent: member.penalty for member in rules.members}
        self.ranks = {member.agent: rank for rank, member in enumerate(rules.members)}

    # ------------------------------------------------------------------------------------------------- looking

    def __len__(self) -> int:
        """How many stand in the line, callbacks whose time it is included."""
        return len(self._order)

    def __iter__(self) -> Iterator[Place]:
        """Those who stand in the line, the first one first."""
        return iter([self.places[turn[2]] for turn in self._order])

    def position(self, place: Place) -> int:
        """Return the position of a place in the line: 1 for the first, 0 for one that does not stand in it."""
        index = bisect_left(self._order, place.turn)
        return index + 1 if index < len(self._order) and self._order[index] == place.turn else 0

    def estimate(self, position: int) -> float | None:
        """Return the wait to be expected in seconds, or None when no agent is there (see above)."""
        return position * self.handling / self.here if self.here else None

    def is_closed(self, at: float) -> bool:
        return self.closes is not None and at >= self.closes

    def longest_wait_holds(self, at: float) -> bool:
        """Say whether somebody whose longest wait ends at that instant is sent elsewhere then (G8)."""
        return self.rules.limit_after_closing or not self.is_closed(at)

    # ------------------------------------------------------------------------------------------------ changing

    def set_turn(self, place: Place, number: int) -> None:
        """Work out the turn of a place that does not stand in the line. `number` decides among equals."""
        ageing = _NEVER if self.rules.ageing is None else self.rules.ageing
        place.turn = (place.arrived + (place.tier - FIRST_TIER) * ageing, number, place.id)

    def stand(self, place: Place) -> None:
        """Put a place into the line, at its turn."""
        index = bisect_left(self._order, place.turn)
        self._order.insert(index, place.turn)
        if self.sweeping:  # those still to be looked at are others now, or one more
            self.sweeping += 1
            if index < self._next:
                self._next += 1

    def step_out(self, place: Place) -> None:
        """Take a place out of the line, if it stands in it."""
        self.close_offer(place)
        index = bisect_left(self._order, place.turn)
        if index < len(self._order) and self._order[index] == place.turn:
            del self._order[index]
            self._improved(index)
        self.hush(place)

    def open_offer(self, place: Place) -> None:
        """Let agents be rung for a place."""
        turns = self.unoffered.setdefault(place.needs, [])
        index = bisect_left(turns, place.turn)
        if index == len(turns) or turns[index] != place.turn:
            turns.insert(index, place.turn)

    def close_offer(self, place: Place) -> None:
        """Let no further agents be rung for a place."""
        turns = self.unoffered.get(place.needs)
        if turns is None:
            return
        index = bisect_left(turns, place.turn)
        if index < len(turns) and turns[index] == place.turn:
            del turns[index]
            if not turns:
                del self.unoffered[place.needs]

    def handled(self, seconds: float) -> None:
        """A conversation, with its wrap-up, has taken so long."""
        self.handling += WEIGHT * (seconds - self.handling)

    # ----------------------------------------------------------------------------------------------- announcing

    def listens(self, place: Place) -> None:
        """A place is to be told of its next improvement at once."""
        if not place.listening:
            place.listening = True
            self.listening += 1

    def hush(self, place: Place) -> None:
        """A place is not to be told of an improvement."""
        if place.listening:
            place.listening = False
            self.listening -= 1

    def sweep(self) -> list[tuple[Place, int]]:
        """Look at the next few places; return those of them that have improved and are to be told, with their
        positions."""
        improved: list[tuple[Place, int]] = []
        for _ in range(min(STEP, self.sweeping, len(self._order))):
            if self._next >= len(self._order):
                self._next = 0
            place = self.places[self._order[self._next][2]]
            self._next += 1
            self.sweeping -= 1
            if place.listening and self._next < place.announced:
                improved.append((place, self._next))
                self.hush(place)
        if not self._order or not self.listening:
            self.sweeping = 0
        return improved

    def _improved(self, index: int) -> None:
        """Everybody from that index on has come forward."""
        if not self.listening or index >= len(self._order):
            return
        if self.sweeping:  # it goes round, or a busy line would never have its end looked at
            self.sweeping = len(self._order)
        else:
            self._next = index
            self.sweeping = len(self._order) - index
