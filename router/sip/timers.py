"""Timers of the SIP core: no clock of their own, no heap.

SIP's timers run for a handful of fixed times (T1 doubled a few times, T4, 64·T1), so all timers of one delay expire
in the order in which they were started: a queue per delay replaces a heap, and starting or cancelling one costs next
to nothing.
"""

from __future__ import annotations

from collections import deque
from typing import Final, Protocol

T1: Final = 0.5  # seconds; RFC 3261 §17.1.1.1, estimate of the round trip
T2: Final = 4.0  # cap of the retransmission interval of non-INVITE requests and INVITE responses
T4: Final = 5.0  # longest time a message stays in the network
TIMEOUT: Final = 64 * T1  # timers B, F, H, J, L, M
TIMER_C: Final = 180.0  # RFC 3261 §16.6: longest wait for a final response to INVITE after the last provisional one
TRYING_AFTER: Final = 0.2  # RFC 3261 §17.2.1: 100 Trying is owed when no other answer comes within 200 ms
# Queues of these delays are kept when they are empty: the next call needs them.
_USUAL: Final = frozenset((TRYING_AFTER, T1, 2 * T1, 4 * T1, T2, T4, TIMEOUT))


class TimerOwner(Protocol):
    """What a timer calls when it expires."""

    def timer_expired(self, name: str, now: float) -> None: ...


class Timer:
    """A running timer; `owner` is None once it has expired or was cancelled."""

    __slots__ = ("deadline", "name", "owner")

    def __init__(self, deadline: float, owner: TimerOwner, name: str) -> None:
        self.deadline = deadline
        self.owner: TimerOwner | None = owner
        self.name = name


class Timers:
    """All running timers of one stack.

    Attributes:
        deadline: when `expire` is to be called next, never too late but perhaps too early; infinity when nothing runs.
    """

    __slots__ = ("_queues", "deadline")

    def __init__(self) -> None:
        # By name and delay: timers of one name tend to share their fate, so those that are nearly always cancelled
        # (B, C, F) do not wait behind those that nearly always run out (J, L, M).
        self._queues: dict[str, dict[float, deque[Timer]]] = {}
        self.deadline = float("inf")

    def start(self, delay: float, owner: TimerOwner, name: str, now: float) -> Timer:
        """Start a timer of `delay` seconds. Cancel it with `cancel(timer)`."""
        deadline = now + delay
        timer = Timer(deadline, owner, name)
        try:
            self._queues[name][delay].append(timer)
        except KeyError:
            self._queues.setdefault(name, {})[delay] = deque((timer,))
        if deadline < self.deadline:
            self.deadline = deadline
        return timer

    def expire(self, now: float) -> None:
        """Call the owners of all timers whose time has come, then set `deadline` afresh."""
        for queues in list(self._queues.values()):
            for delay, queue in list(queues.items()):
                while queue:
                    timer = queue[0]
                    owner = timer.owner
                    if owner is not None:
                        if timer.deadline > now:
                            break
                        timer.owner = None
                        queue.popleft()
                        owner.timer_expired(timer.name, now)
                    else:
                        queue.popleft()
                if not queue and delay not in _USUAL:
                    del queues[delay]
        heads = [queue[0].deadline for queues in self._queues.values() for queue in queues.values() if queue]
        self.deadline = min(heads, default=float("inf"))


def cancel(timer: Timer | None) -> None:
    """Cancel a timer; the owner is let go at once, so that nothing dead is kept until the time would have come."""
    if timer is not None:
        timer.owner = None
