"""Line states of people, kept up to date by registrations and calls, read by the policy in place."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable

from router.model.decision import LineState


class Lines(dict[str, LineState]):
    """Line state by person; a person that is missing is idle.

    A person on a call is `ON_CALL` whatever else; one whose phone rings is `RINGING`; one without any registered device
    is `UNREGISTERED`. The policy reads this very mapping, so it is never copied.

    Attributes:
        watched: people for whom somebody waits; returned: hears of each whose line has become idle.
        agents: people whom queues ring; agent_changed: hears of each change of their lines.
    """

    def __init__(self, people: Iterable[str] = ()) -> None:
        super().__init__((person, LineState.UNREGISTERED) for person in people)
        self._calls: dict[str, int] = {}
        self._ringing: dict[str, int] = {}
        self._unregistered = set(self)
        self.watched: Container[str] = ()
        self.returned: Callable[[str], None] = _nobody_waits
        self.agents: Container[str] = ()
        self.agent_changed: Callable[[str, LineState], None] = _no_queue_rings

    def replace_people(self, people: Iterable[str], registered: Iterable[str]) -> None:
        """A new configuration: who exists now, and who of them has a registered device."""
        self._unregistered = set(people) - set(registered)
        for person in set(self) | self._unregistered:
            self._set(person)

    def registration_changed(self, person: str, registered: bool) -> None:
        if registered:
            self._unregistered.discard(person)
        else:
            self._unregistered.add(person)
        self._set(person)

    def call_began(self, person: str) -> None:
        self._calls[person] = self._calls.get(person, 0) + 1
        self[person] = LineState.ON_CALL
        if person in self.agents:
            self.agent_changed(person, LineState.ON_CALL)

    def call_ended(self, person: str) -> None:
        _less(self._calls, person)
        self._set(person)

    def ringing_began(self, person: str) -> None:
        self._ringing[person] = self._ringing.get(person, 0) + 1
        self._set(person)

    def ringing_ended(self, person: str) -> None:
        _less(self._ringing, person)
        self._set(person)

    def _set(self, person: str) -> None:
        if person in self._calls:
            self[person] = LineState.ON_CALL
        elif person in self._ringing:
            self[person] = LineState.RINGING
        elif person in self._unregistered:
            self[person] = LineState.UNREGISTERED
        else:
            self.pop(person, None)
            if person in self.watched:
                self.returned(person)
        if person in self.agents:
            self.agent_changed(person, self.get(person, LineState.IDLE))


def _nobody_waits(_person: str) -> None:
    """Nobody waits for anybody."""


def _no_queue_rings(_person: str, _line: LineState) -> None:
    """There are no queues."""


def _less(counts: dict[str, int], person: str) -> None:
    left = counts[person] - 1
    if left:
        counts[person] = left
    else:
        del counts[person]
