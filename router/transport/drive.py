"""Drives the SIP stack: bytes in, bytes out, and a wake-up when its next timer is due."""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Final, Protocol

from router.ports import Flow
from router.sip.stack import Stack

TIMER_GRAIN: Final = 0.01  # seconds; SIP timers are served in one go this often at most, not one by one


class Handle(Protocol):
    """What `loop.call_later` returns."""

    def cancel(self) -> None: ...


CallLater = Callable[[float, Callable[[], None]], Handle]


class Drive:
    """Between the transports and the stack, in the loop's thread.

    Args:
        call_later: `loop.call_later`.
    Attributes:
        stack: to be set before anything is received.
    """

    def __init__(self, call_later: CallLater) -> None:
        self.stack: Stack
        self._call_later = call_later
        self._wake: Handle | None = None
        self._wake_at = float("inf")

    def receive(self, data: bytes, flow: Flow) -> None:
        """A `MessageReceiver` for the transports: serve a message, and send at once what comes of it."""
        stack = self.stack
        stack.receive(data, flow, monotonic())
        for to, message in stack.take_outbox():
            to.send(message)
        if stack.timers.deadline < self._wake_at:
            self._arm()

    def flush(self) -> None:
        """Send what was put into the stack from outside `receive`."""
        for to, message in self.stack.take_outbox():
            to.send(message)
        if self.stack.timers.deadline < self._wake_at:
            self._arm()

    def stop(self) -> None:
        """Wake up no more."""
        if self._wake is not None:
            self._wake.cancel()
            self._wake = None

    def _arm(self) -> None:
        """Wake up for the next timer, not sooner than a grain from now."""
        if self._wake is not None:
            self._wake.cancel()
        self._wake_at = self.stack.timers.deadline
        self._wake = self._call_later(max(self._wake_at - monotonic(), TIMER_GRAIN), self._advance)

    def _advance(self) -> None:
        self._wake = None
        self._wake_at = float("inf")
        self.stack.advance(monotonic())
        self.flush()
