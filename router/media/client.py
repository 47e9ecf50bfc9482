"""The router's side of the media engine: keeps its process running, makes sessions (`ports.MediaEngine`)."""

from __future__ import annotations

import asyncio
import errno
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Final

from router.media import sdp
from router.media.connection import Connection
from router.media.control import Message
from router.media.figures import FREE, RESTING, USED, Figures
from router.media.session import TEMPORARY_SUFFIX, Session, complete, record, temporary_name
from router.model.sound import STOPPED, Recorded, StreamStatistics
from router.ports import DiskFullError, EngineError, MediaError, MediaListener, MediaSession, OfferError

BACK_OFF: Final = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0)  # seconds until it is started again, by how often in a row it died
STEADY_SECONDS: Final = 30.0  # an engine that lived so long begins a new row
MEDIA_TIMEOUT: Final = 30.0  # seconds without RTP
FIRST_PORT, LAST_PORT = 16_384, 32_767


class Engine:
    """Runs the engine's process, again when it dies.

    Args:
        hosts: our IP literals for RTP, one per family, no wildcards; the first is used where nothing says which.
        first_port, last_port: range for RTP and RTCP.
        timeout: seconds without RTP until a session tells; 0: never.
        codecs: what is offered and taken, best first.
        advertised: what SDP says instead of one of `hosts`: the public address of a router behind NAT.
        died: called each time the process is gone unasked, with the seconds until the next one starts; for the log.
        figures: what is counted.
    """

    def __init__(
        self,
        hosts: Sequence[str],
        *,
        first_port: int = FIRST_PORT,
        last_port: int = LAST_PORT,
        timeout: float = MEDIA_TIMEOUT,
        codecs: Sequence[str] = sdp.CODECS,
        advertised: Mapping[str, str] | None = None,
        died: Callable[[float], None] | None = None,
        figures: Figures | None = None,
    ) -> None:
        self._hosts = tuple(hosts)
        self._ports = (first_port, last_port)
        self._timeout = timeout
        self._codecs = tuple(codecs)
        self._advertised = dict(advertised or {})
        self._on_death = died
        self.figures = figures or Figures()
        self._connection: Connection | None = None
        self._sessions: dict[int, Session] = {}
        self._numbers = 0
        self._deaths = 0
        self._started = 0.0
        self._restart: asyncio.Task[None] | None = None
        self._ended: set[asyncio.Task[int]] = set()
        self._stopping = False

    @property
    def process_id(self) -> int:
        """Of the engine; 0 while there is none."""
        return self._connection.process_id if self._connection is not None and self._connection.alive else 0

    @property
    def open_sessions(self) -> int:
        return len(self._sessions)

    @property
    def ready(self) -> bool:
        """Whether sessions can be made now."""
        return self._connection is not None and self._connection.ready

    async def start(self) -> None:
        """Start the process. Raises `EngineError`."""
        connection = Connection(self._event, self._died)
        self._connection = connection
        self._started = asyncio.get_running_loop().time()
        await connection.start(*self._ports)

    async def stop(self) -> None:
        """End the process; sessions that are left hear nothing more."""
        self._stopping = True
        if self._restart is not None:
            self._restart.cancel()
            with suppress(asyncio.CancelledError):
                await self._restart
        if self._connection is not None:
            await self._connection.close()
        for ended in list(self._ended):
            await ended

    # ------------------------------------------------------------------------------------------------ sessions

    async def answer(
        self, offer: bytes, told: MediaListener, *, host: str = "", trusted: Sequence[str] = ()
    ) -> Session:
        _, agreed = sdp.agree(sdp.read(offer), self._codecs)  # before a port is taken
        session = await self.open(host or self._host_towards(agreed.host), told, trusted)
        try:
            await session.take_offer(offer)
        except MediaError:
            session.close()
            raise
        return session

    async def offer(self, told: MediaListener, *, host: str = "", trusted: Sequence[str] = ()) -> Session:
        session = await self.open(host, told, trusted)
        session.offer()
        return session

    async def open(
        self, host: str, told: MediaListener, trusted: Sequence[str], kind: type[Session] = Session
    ) -> Session:
        """Make a session that has neither offered nor answered anything; `host` and the others as in `offer`. Raises
        `EngineError`."""
        host = host or self._hosts[0]
        connection = self._connection
        if connection is None or not connection.ready:
            raise EngineError("the media engine is not running; it is being started again")
        self._numbers += 1
        number = self._numbers
        port: int = await connection.request("open", endpoint=number, host=host, timeout=self._timeout)
        ours = sdp.Ours(secrets.randbits(31), 1, self._advertised.get(host, host), port)
        session = kind(connection, number, ours, self._codecs, trusted, told, self._closed, self.figures)
        self._sessions[number] = session
        self.figures.streams = len(self._sessions)
        return session

    def _host_towards(self, host: str) -> str:
        for ours in self._hosts:
            if (":" in ours) == (":" in host):
                return ours
        raise OfferError(f"the stream's address {host} is of another family than ours, {', '.join(self._hosts)}")

    def _closed(self, number: int) -> None:
        self._sessions.pop(number, None)
        self.figures.streams = len(self._sessions)

    async def bridge(self, left: MediaSession, right: MediaSession) -> Bridge:
        if not isinstance(left, Session) or not isinstance(right, Session) or left.connection is not right.connection:
            raise MediaError("the two sessions are not of the same engine")
        await left.connection.request("bridge", left=left.number, right=right.number)
        return Bridge(left, right)

    # ---------------------------------------------------------------------------------------------- recordings

    async def keep(self, recorded: Recorded) -> None:
        try:
            await asyncio.to_thread(_rename, recorded.temporary, recorded.path)
        except OSError as error:
            kind = DiskFullError if error.errno in (errno.ENOSPC, errno.EDQUOT) else MediaError
            raise kind(f"{recorded.path}: the recording cannot be kept: {error.strerror}") from error

    async def discard(self, recorded: Recorded) -> None:
        await asyncio.to_thread(_unlink, recorded.temporary)

    # -------------------------------------------------------------------------------------------- life and death

    def _event(self, message: Message) -> None:
        """Take what the engine tells, of sessions or of itself."""
        event = message["event"]
        if event == "passed":
            for number, *counted in message["of"]:
                session = self._sessions.get(number)
                if session is not None:
                    session.second_passed(StreamStatistics(*counted))
        elif event == "second":
            self.figures.beaten(message["late"], message["late_seconds"], message["skipped"])
            self.figures.ports = dict(zip(((USED,), (RESTING,), (FREE,)), message["ports"], strict=True))
        else:
            session = self._sessions.get(message["endpoint"])
            if session is not None:
                session.event(message)

    def _died(self) -> None:
        connection = self._connection
        loop = asyncio.get_running_loop()
        if connection is not None:
            # Its status is taken, so that it does not stay as a zombie.
            ended = loop.create_task(connection.close())
            self._ended.add(ended)
            ended.add_done_callback(self._ended.discard)
        sessions, self._sessions = list(self._sessions.values()), {}
        if self._stopping:
            for session in sessions:
                session.close()
            return
        if loop.time() - self._started > STEADY_SECONDS:
            self._deaths = 0
        self.figures.died()
        delay = BACK_OFF[min(self._deaths, len(BACK_OFF) - 1)]
        self._deaths += 1
        if self._on_death is not None:
            self._on_death(delay)
        if self._restart is None or self._restart.done():
            self._restart = loop.create_task(self._start_again(delay))
        for session in sessions:
            session.died()

    async def _start_again(self, delay: float) -> None:
        await asyncio.sleep(delay)
        while not self._stopping:
            try:
                await self.start()
            except EngineError:
                self._deaths += 1
                await asyncio.sleep(BACK_OFF[min(self._deaths, len(BACK_OFF) - 1)])
            else:
                return


class Bridge:
    """See `ports.MediaBridge`."""

    def __init__(self, left: Session, right: Session) -> None:
        self._left = left
        self._right = right
        self._connection = left.connection
        self._recording = 0  # request that records, or 0

    async def record(self, path: str, *, max_seconds: float) -> Recorded:
        if self._recording:
            raise MediaError("the bridge is being recorded already")
        temporary = temporary_name(path)
        ended = record(self._connection, [self._left.number, self._right.number], temporary, max_seconds, 0.0)
        self._recording = request = self._connection.last_request
        try:
            return await complete(self._connection, request, ended, temporary, path, str)
        finally:
            self._recording = 0

    def stop(self) -> None:
        if self._recording:
            self._connection.request("finish", recording=self._recording, reason=STOPPED)

    def close(self) -> None:
        self._connection.request("part", left=self._left.number, right=self._right.number)


def sweep(folder: str, older_than: float) -> int:
    """Remove the recordings that a killed router left unfinished in a folder; blocks.

    Args:
        older_than: POSIX time; only what was last written before it, that is before this router started.

    Returns:
        How many there were. Raises `OSError`.
    """
    count = 0
    with os.scandir(folder) as entries:
        for entry in entries:
            ours = entry.name.startswith(".") and entry.name.endswith(TEMPORARY_SUFFIX)
            if ours and entry.stat().st_mtime < older_than:
                _unlink(entry.path)
                count += 1
    return count


def _rename(temporary: str, path: str) -> None:
    os.rename(temporary, path)
    folder = os.open(os.path.dirname(os.path.abspath(path)), os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # the name, too
    finally:
        os.close(folder)


def _unlink(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
