"""One life of the engine's process, as the router sees it: it is started, asked, and found dead."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from router.media.control import ERRORS, Channel, Message
from router.ports import EngineError, MediaError

_ROOT: Final = str(Path(__file__).resolve().parents[2])  # where the package is, however it was found
START_SECONDS: Final = 20.0  # it takes a fraction of one; a machine that swaps takes longer
PING_SECONDS: Final = 2.0
HANGING_SECONDS: Final = 6.0  # without an answer it counts as dead, and is killed: its calls hear nothing anyway


class Connection:
    """A running engine.

    Args:
        told: called for each event.
        died: called once, when it is gone, after all that was awaited has failed.
    """

    def __init__(self, told: Callable[[Message], None], died: Callable[[], None]) -> None:
        self._told = told
        self._died = died
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[int, asyncio.Future[Any]] = {}
        self._requests = 0
        self._channel = Channel(self._taken, self._lost)
        self._process: subprocess.Popen[bytes] | None = None
        self._started: asyncio.Future[None] = self._loop.create_future()
        self._heard = 0.0
        self._watch: asyncio.TimerHandle | None = None
        self.alive = False

    @property
    def ready(self) -> bool:
        """Whether it serves."""
        return self.alive and self._started.done()

    @property
    def process_id(self) -> int:
        return self._process.pid if self._process is not None else 0

    async def start(self, first_port: int, last_port: int) -> None:
        """Start the process and wait until it serves. Raises `EngineError`."""
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        command = [
            sys.executable,
            "-P",
            "-m",
            "router.media.engine",
            f"--control={theirs.fileno()}",
            f"--first-port={first_port}",
            f"--last-port={last_port}",
        ]
        try:
            self._process = await asyncio.to_thread(
                subprocess.Popen,
                command,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (_ROOT, *sys.path)))},
            )
        except OSError as error:
            ours.close()
            raise EngineError(f"the media engine cannot be started: {error.strerror}") from error
        finally:
            theirs.close()
        self.alive = True
        await self._loop.create_unix_connection(lambda: self._channel, sock=ours)
        try:
            async with asyncio.timeout(START_SECONDS):
                await self._started
        except TimeoutError:
            self.kill()
            raise EngineError(f"the media engine did not start within {START_SECONDS:g} s") from None
        self._heard = self._loop.time()
        self._look()

    def request(self, do: str, **details: object) -> asyncio.Future[Any]:
        """Ask for something.

        Returns:
            A future of the answer; it raises the `MediaError` that the engine says, or `EngineError` when that dies.
        """
        self._requests += 1
        answer: asyncio.Future[Any] = self._loop.create_future()
        answer.add_done_callback(_heeded)
        if not self.alive:
            answer.set_exception(EngineError("the media engine is gone"))
            return answer
        self._waiting[self._requests] = answer
        self._channel.send({"id": self._requests, "do": do, **details})
        return answer

    @property
    def last_request(self) -> int:
        """Number of the newest request."""
        return self._requests

    def _taken(self, message: Message) -> None:
        self._heard = self._loop.time()
        if "event" in message:
            if message["event"] == "ready":
                if not self._started.done():
                    self._started.set_result(None)
            else:
                self._told(message)
            return
        answer = self._waiting.pop(message["id"], None)
        if answer is None or answer.done():
            return
        if "error" in message:
            answer.set_exception(ERRORS.get(message["error"], MediaError)(message["text"]))
        else:
            answer.set_result(message["ok"])

    def _lost(self) -> None:
        if not self.alive:
            return
        self.alive = False
        if self._watch is not None:
            self._watch.cancel()
        gone = EngineError("the media engine died")
        if not self._started.done():
            self._started.set_exception(gone)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(EngineError(str(gone)))
        self._waiting.clear()
        self._died()

    def _look(self) -> None:
        """A process that neither works nor ends has to be ended."""
        if not self.alive:
            return
        if self._loop.time() - self._heard > HANGING_SECONDS:
            self.kill()
            return
        self.request("ping")
        self._watch = self._loop.call_later(PING_SECONDS, self._look)

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None:
            self._process.kill()
        self._channel.close()

    async def close(self) -> int:
        """Let the process end, which it does when the connection is closed. Returns its exit status."""
        self._channel.close()
        if self._process is None:
            return 0
        with suppress(subprocess.TimeoutExpired):
            return await asyncio.to_thread(self._process.wait, 5.0)
        self._process.kill()
        return await asyncio.to_thread(self._process.wait)


def _heeded(answer: asyncio.Future[Any]) -> None:
    """An answer that nobody waits for any more is no fault."""
    if not answer.cancelled():
        answer.exception()
