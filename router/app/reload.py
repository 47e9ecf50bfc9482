"""Another configuration comes into force while calls go on."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final, TypeVar

import structlog

from router import aside
from router.configuration import ConfigurationError, Finding
from router.configuration.findings import Mark
from router.feeds.greylists import read_configuration
from router.ports import StoreError
from router.sip.errors import LocalError

if TYPE_CHECKING:
    from router.app.router import Router

RETIRE_INTERVAL: Final = 5.0  # seconds between looks whether a call still follows the configuration before the last one

_Result = TypeVar("_Result")
_log = structlog.get_logger("router.app")


class Reloading:
    """Reads the configuration again, aside, and swaps it for the one in force in a single step.

    A bad one is refused and the old one stays; calls in progress keep the one that they began with. There is one
    reading at a time, and whoever asks while it is under way shares the next one.
    """

    def __init__(self, router: Router) -> None:
        self.tasks: set[asyncio.Task[Any]] = set()  # end with the router
        self._router = router
        self._turn = asyncio.Lock()
        self._next: asyncio.Task[tuple[Finding, ...]] | None = None  # not begun yet

    def soon(self, actor: str) -> asyncio.Task[tuple[Finding, ...]]:
        """See `Router.reload`; this is for those who do not wait."""
        if self._next is None:
            self._next = self._begin(self._reload(actor), "reload")
        return self._next

    async def close(self) -> None:
        """Read no more."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _reload(self, actor: str) -> tuple[Finding, ...]:
        router = self._router
        async with self._turn:
            self._next = None
            router.records.reopen()
            old = [router.configuration]
            directory = router.configuration.directory
            try:
                reading = await aside.run(read_configuration, directory, router.subscriptions.greylists.compiled)
                router.follow(reading)
            except ConfigurationError as error:
                findings = error.findings
            except (LocalError, aside.AsideError, OSError) as error:
                findings = (Finding(Mark(str(directory), 0), str(error)),)
            else:
                new = reading.configuration
                gc.freeze()
                self._begin(self._retire(old), "retire configuration")
                router.keep_configuration(actor)
                _log.info("configuration reloaded", hash=new.hash[:12], actor=actor)
                with suppress(StoreError):  # which the journal has logged, and tries again
                    await router.journal.written()
                return new.warnings
            for finding in findings:
                _log.error("configuration refused", finding=str(finding))
            return findings

    async def _retire(self, old: list[Any]) -> None:
        """Let go of a configuration, once no call follows it any more. `old` holds the last reference to it."""
        calls = set(self._router.exchange.calls)
        while calls:
            await asyncio.sleep(RETIRE_INTERVAL)
            calls &= self._router.exchange.calls
        await aside.dismantle(old)

    def _begin(self, work: Coroutine[Any, Any, _Result], name: str) -> asyncio.Task[_Result]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return task
