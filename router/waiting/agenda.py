"""What is to be done at which instant."""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Final

# What is due.
ANNOUNCE: Final = "announce"  # to a caller: the least gap between two announcements is over
NOTICE: Final = "notice"  # to a caller: the longest wait is almost over
LIMIT: Final = "limit"  # of a caller's wait
DUE: Final = "callback due"
EXPIRE: Final = "expire"  # a held place or a callback
AGENT: Final = "agent"  # an agent's ringing, wrap-up, rest or pause is over
CLOSE: Final = "close"  # a queue
ALONE: Final = "alone"  # nobody has been there for a queue's callers for long enough


class Agenda:
    """A heap. An entry stays when it is no longer wanted: whoever is told of it looks, by its instant, whether it still
    holds. Entries name their subjects, so that none keeps alive what is over."""

    __slots__ = ("_entries", "_number")

    def __init__(self) -> None:
        self._entries: list[tuple[float, int, str, str]] = []
        self._number = 0  # entries of one instant are due in the order in which they were added

    @property
    def next(self) -> float | None:
        """The earliest instant of all, or None. It may turn out that nothing is to be done then."""
        return self._entries[0][0] if self._entries else None

    def add(self, due: float, what: str, subject: str) -> None:
        """Note something. `subject`: id of the place, name of the agent or of the queue."""
        self._number += 1
        heappush(self._entries, (due, self._number, what, subject))

    def take(self, now: float) -> tuple[float, str, str] | None:
        """Take out the next entry that is due, or return None: instant, what, subject."""
        if not self._entries or self._entries[0][0] > now:
            return None
        due, _, what, subject = heappop(self._entries)
        return due, what, subject
