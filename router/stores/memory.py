"""Stores that forget at exit: for tests, and for a router that is told to keep nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from router.model.audit import AuditEntry
from router.model.binding import Binding
from router.model.decision import Selection
from router.model.queue import FloorChanges, HourCounts, StoredAgent, StoredFloor, StoredPlace
from router.ports import StoreError


class MemoryBindings:
    """Bindings in a dictionary; implements `ports.BindingStore`."""

    def __init__(self) -> None:
        self._bindings: dict[str, tuple[Binding, ...]] = {}

    async def load(self) -> list[Binding]:
        return [binding for bindings in self._bindings.values() for binding in bindings]

    def save(self, user: str, bindings: Sequence[Binding]) -> None:
        if bindings:
            self._bindings[user] = tuple(bindings)
        else:
            self._bindings.pop(user, None)

    async def close(self) -> None:
        """Nothing is left to write."""


class MemoryStates:
    """Selections and audit in memory; implements `ports.StateStore`."""

    def __init__(self) -> None:
        self._selections: dict[str, tuple[Selection, ...]] = {}
        self._audit: list[AuditEntry] = []
        self._configuration = ""  # hash of the one in force

    async def load(self) -> list[Selection]:
        return [selection for selections in self._selections.values() for selection in selections]

    async def change(self, person: str, selections: Sequence[Selection], entry: AuditEntry) -> None:
        self._selections[person] = tuple(selections)
        self._audit.append(entry)

    async def record(self, entry: AuditEntry) -> None:
        self._audit.append(entry)

    async def keep_configuration(self, texts: bytes, entry: AuditEntry) -> None:
        if entry.subject != self._configuration:
            self._audit.append(entry._replace(before=self._configuration))
            self._configuration = entry.subject

    async def audit(self, *, since: float, until: float, subject: str, limit: int) -> list[AuditEntry]:
        wanted = [entry for entry in self._audit if since <= entry.at < until and subject in ("", entry.subject)]
        return sorted(reversed(wanted), key=lambda entry: -entry.at)[:limit]

    async def close(self) -> None:
        """Nothing is left to write."""


class MemoryQueues:
    """Waiting lines in memory; implements `ports.QueueStore`."""

    def __init__(self) -> None:
        self._places: dict[str, StoredPlace] = {}
        self._agents: dict[str, StoredAgent] = {}
        self._hours: dict[tuple[str, int], HourCounts] = {}
        self._handling: dict[str, float] = {}

    async def load(self, hours_since: float) -> StoredFloor:
        hours = [counts for counts in self._hours.values() if counts.hour >= hours_since]
        return StoredFloor(
            tuple(self._places.values()), tuple(self._agents.values()), tuple(hours), tuple(self._handling.items())
        )

    def save(self, changes: FloorChanges) -> None:
        self._places.update((place.place, place) for place in changes.places)
        for identity in changes.gone:
            self._places.pop(identity, None)
        self._agents.update((agent.agent, agent) for agent in changes.agents)
        self._hours.update(((counts.queue, counts.hour), counts) for counts in changes.hours)
        self._handling.update(changes.handling)

    def when_written(self, told: Callable[[StoreError | None], None]) -> None:
        told(None)

    async def written(self) -> None:
        """Nothing is left to write."""

    async def close(self) -> None:
        """Nothing is left to write."""
