"""Stores that forget at exit: for tests, and for a router that is told to keep nothing."""

from __future__ import annotations

from collections.abc import Sequence

from router.model.binding import Binding


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
