"""What the API asks of the router: `app.Router` is such an office, and so is whatever a test puts there."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from typing import Protocol

from router.calls.call import Call
from router.calls.callbacks import Callbacks
from router.calls.queue_floor import QueueFloor
from router.calls.states import States
from router.configuration import Configuration, Finding
from router.model.decision import LineState
from router.ports import Clock, MailboxStore, RecordingStore, StateStore


class Office(Protocol):
    """The router, as far as the API sees it."""

    @property
    def configuration(self) -> Configuration:
        """The one in force."""
        ...

    @property
    def clock(self) -> Clock:
        """The policy's clock."""
        ...

    @property
    def states(self) -> States:
        """What people and administrators selected."""
        ...

    @property
    def state_store(self) -> StateStore:
        """Where the audit is."""
        ...

    @property
    def mailboxes(self) -> MailboxStore:
        """What callers said."""
        ...

    @property
    def recordings(self) -> RecordingStore:
        """Calls that were recorded."""
        ...

    @property
    def callbacks(self) -> Callbacks:
        """Whoever is to be called back."""
        ...

    @property
    def queues(self) -> QueueFloor:
        """Who waits, and who answers."""
        ...

    @property
    def lines(self) -> Mapping[str, LineState]:
        """Line state by person; absent means idle."""
        ...

    def calls_in_progress(self) -> Iterable[Call]:
        """The calls of this moment."""
        ...

    def trunks_up(self) -> Mapping[str, tuple[bool, str]]:
        """By trunk: whether it can be used, and why not."""
        ...

    def registered(self, account: str) -> bool:
        """Say whether a device is registered."""
        ...

    def reload(self, actor: str) -> Awaitable[tuple[Finding, ...]]:
        """Take the configuration over anew; the findings say why not, where some are errors, and the old one stays."""
        ...
