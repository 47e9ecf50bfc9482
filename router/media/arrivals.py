"""Reading the sockets of all sessions.

What is only played to or recorded can wait for the next 20 ms, so those sockets are read together, in one go; sessions
that are bridged are read as soon as something comes. Both kinds stand in an `epoll` set of their own (docs/adr/0011).
"""

from __future__ import annotations

import asyncio
import select
import socket
from collections.abc import Callable
from typing import Final

MAX_ROUNDS: Final = 8  # packets of one socket in one go: a burst is taken at once, a flood does not starve the others
MAX_READY: Final = 1024

# Reads one datagram, at that time in units of the RTP clock; raises OSError when there is none.
Reader = Callable[[int], None]


class Arrivals:
    """All sockets, each with who reads what comes there.

    Args:
        clock: units of the RTP clock since the engine started.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, clock: Callable[[], int]) -> None:
        self._loop = loop
        self._clock = clock
        self._calm = select.epoll()
        self._prompt = select.epoll()
        self._readers: dict[int, Reader] = {}
        self._is_prompt: set[int] = set()
        loop.add_reader(self._prompt.fileno(), self._wake)

    def add(self, bound: socket.socket, reader: Reader) -> None:
        descriptor = bound.fileno()
        self._readers[descriptor] = reader
        self._calm.register(descriptor, select.EPOLLIN)

    def remove(self, bound: socket.socket) -> None:
        """To be called before the socket is closed."""
        self.hasten(bound, False)
        self._calm.unregister(bound.fileno())
        del self._readers[bound.fileno()]

    def hasten(self, bound: socket.socket, prompt: bool) -> None:
        """Read a socket as soon as something comes, or with the others."""
        descriptor = bound.fileno()
        if prompt == (descriptor in self._is_prompt):
            return
        leaves, enters = (self._calm, self._prompt) if prompt else (self._prompt, self._calm)
        leaves.unregister(descriptor)
        enters.register(descriptor, select.EPOLLIN)
        (self._is_prompt.add if prompt else self._is_prompt.discard)(descriptor)

    def read(self, now: int) -> None:
        """Read one packet of each calm socket that has one, and again: that spares the call that finds nothing."""
        for _ in range(MAX_ROUNDS):
            if not self._read(self._calm, now):
                return

    def _wake(self) -> None:
        """Read one packet of each prompt socket that has one; where there are more, the loop calls again."""
        self._read(self._prompt, self._clock())

    def _read(self, ready: select.epoll, now: int) -> bool:
        events = ready.poll(0, MAX_READY)
        for descriptor, _ in events:
            read = self._readers.get(descriptor)
            if read is not None:
                try:
                    read(now)
                except OSError:
                    continue  # an ICMP error of something sent before; reading it cleared it
        return bool(events)

    def close(self) -> None:
        self._loop.remove_reader(self._prompt.fileno())
        self._prompt.close()
        self._calm.close()
