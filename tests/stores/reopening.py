"""A store that a test closes and opens again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from router.stores.database import Database


class Closable(Protocol):
    async def close(self) -> None: ...


Store = TypeVar("Store", bound=Closable)


class Reopening(Generic[Store]):
    """Called, it closes the store, if it is open, and opens it again with what it kept.

    Args:
        kind: "sqlite" or "memory".
    """

    def __init__(
        self, kind: str, folder: Path, sqlite: Callable[[Database], Store], memory: Callable[[], Store]
    ) -> None:
        self._in_memory = kind == "memory"
        self._file = folder / "renvoi.sqlite"
        self._sqlite, self._memory = sqlite, memory
        self._store: Store | None = None
        self._database: Database | None = None

    async def __call__(self) -> Store:
        await self.close()
        if not self._in_memory:
            self._database = await Database.open(self._file)
            self._store = self._sqlite(self._database)
        elif self._store is None:
            self._store = self._memory()
        return self._store

    async def close(self) -> None:
        if self._store is not None:
            await self._store.close()
        if self._database is not None:
            await self._database.close()
