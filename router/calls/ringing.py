"""The devices of a person that ring later than the first ones: `rings: [desk, {gsm: 10s}]` (F4)."""

from __future__ import annotations

from router.calls.destination import Destination, Directory
from router.model.decision import RingPerson
from router.sip.timers import Timer, TimerOwner, Timers, cancel


class Stages:
    """What is still to ring of one person, stage by stage.

    Each stage has a timer of its own, named "stage", whose owner then takes `next`. Who takes it sooner, because nobody
    is left to wait for, ends that timer.
    """

    __slots__ = ("_directory", "_person", "_stages")

    def __init__(self, target: RingPerson, directory: Directory, timers: Timers, owner: TimerOwner, now: float) -> None:
        self._person = target.person
        self._directory = directory
        self._stages: list[tuple[Timer, tuple[str, ...]]] = [
            (timers.start(after, owner, "stage", now), accounts) for after, accounts in target.later
        ]
        self._stages.reverse()  # the next one stands last

    def next(self) -> list[Destination]:
        """The registered devices of the next stage."""
        timer, accounts = self._stages.pop()
        cancel(timer)
        return self._directory.devices(self._person, accounts)

    def next_registered(self) -> list[Destination]:
        """The devices of the next stage in which any is registered; none when there is no such stage."""
        found: list[Destination] = []
        while self._stages and not found:
            found = self.next()
        return found

    def drop(self) -> None:
        """Nobody else is to ring."""
        for timer, _ in self._stages:
            cancel(timer)
        self._stages.clear()
