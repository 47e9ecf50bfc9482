"""Recordings of calls are deleted when their time is over (X3)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final

import structlog

from router.ports import Clock, StoreError
from router.stores.recordings import SqliteRecordings

PRUNE_INTERVAL: Final = 3600.0  # seconds between looks

_log = structlog.get_logger("router.app")


class Retention:
    """To be made in the running loop, and closed.

    Args:
        clock: the policy's.
    """

    def __init__(self, recordings: SqliteRecordings, clock: Clock) -> None:
        self._recordings = recordings
        self._clock = clock
        self._pruning = asyncio.create_task(self._prune(), name="delete old recordings")

    async def close(self) -> None:
        self._pruning.cancel()
        with suppress(asyncio.CancelledError):
            await self._pruning

    async def _prune(self) -> None:
        while True:
            try:
                count = await self._recordings.prune(self._clock())
                if count:
                    _log.info("old recordings deleted", recordings=count)
            except StoreError as error:
                _log.error("old recordings cannot be deleted", fault=str(error))
            await asyncio.sleep(PRUNE_INTERVAL)
