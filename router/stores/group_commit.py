"""Durable writes that come at once share one transaction: two hundred callers who hang up together wait for the disk
once, not two hundred times."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection

from router.ports import StoreError
from router.stores.database import Database

_Result = TypeVar("_Result")


class GroupCommit:
    """Writes to the durable side of a database, in the order in which they are asked for.

    Args:
        database: stays open when this closes.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Callable[[AsyncConnection], Awaitable[Any]], asyncio.Future[Any]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[AsyncConnection], Awaitable[_Result]]) -> _Result:
        """Return what `work` returns, once its transaction is on the disk.

        Args:
            work: executes statements and awaits nothing else. It is done even if whoever waits is cancelled.

        Raises `StoreError` for the whole transaction; then nothing of it was written.
        """
        answer: asyncio.Future[_Result] = asyncio.get_running_loop().create_future()
        self._waiting.append((work, answer))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write(), name="write messages")
        return await answer

    async def close(self) -> None:
        """Wait until everything is written."""
        if self._writer is not None:
            await self._writer

    async def _write(self) -> None:
        while self._waiting:
            taken, self._waiting = self._waiting, []
            try:
                with self._database.faults():
                    async with self._database.durable.begin() as connection:
                        results = [await work(connection) for work, _ in taken]
            except Exception as error:  # belongs to those who wait, each of whom raises it
                for _, answer in taken:
                    if not answer.done():
                        answer.set_exception(_again(error))
            else:
                for (_, answer), result in zip(taken, results, strict=True):
                    if not answer.done():  # who waited may have been cancelled
                        answer.set_result(result)


def _again(error: Exception) -> Exception:
    """One instance for each who raises it, so that none carries the other's traceback."""
    if not isinstance(error, StoreError):
        return error
    one = type(error)(*error.args)
    one.__cause__ = error
    return one
