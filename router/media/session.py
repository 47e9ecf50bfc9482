"""One session as the router sees it: implements `ports.MediaSession`."""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final

from router.media import sdp
from router.media.connection import Connection
from router.media.control import Message
from router.media.figures import Figures
from router.model.sound import (
    CLOSED,
    KEY,
    KEYS,
    NOTHING_PASSED,
    STOPPED,
    EngineDied,
    KeyPressed,
    MediaEvent,
    MediaTimedOut,
    Played,
    Recorded,
    StreamStatistics,
)
from router.ports import EngineError, MediaError, OfferError

JITTER_SECONDS: Final = 5  # between two looks at a stream's jitter, which changes slowly
MAX_KEYS_WAITING: Final = 64  # more than anybody types ahead; what a flood adds is lost


@dataclass(eq=False, slots=True)
class _Awaited:
    """Something that goes on, and the keys that end it."""

    ended: asyncio.Future[Any]
    keys: str
    key: str = ""  # that ended it


class Session:
    """See `ports.MediaSession`. Made by `client.Engine`.

    Args:
        connection: the engine that has it.
        number: of it, there.
        ours: how we name ourselves in SDP.
        codecs: what we offer and take, best first.
        trusted: see `ports.MediaEngine.answer`.
        told: hears what happens.
        closed: called when it is closed.
        figures: what is counted.
    """

    def __init__(
        self,
        connection: Connection,
        number: int,
        ours: sdp.Ours,
        codecs: Sequence[str],
        trusted: Sequence[str],
        told: Callable[[MediaEvent], None],
        closed: Callable[[int], None],
        figures: Figures,
    ) -> None:
        self.connection = connection
        self.number = number
        self.codec = ""
        self.description = b""
        self.passed = NOTHING_PASSED
        self._figures = figures
        self._seconds = 0
        self._way = "event"  # in which keys come
        self._ours = ours
        self._codecs = codecs
        self._trusted = tuple(trusted)
        self._told = told
        self._on_close = closed
        self._closed = False
        self._direction = sdp.SENDRECV
        self._waiting: deque[str] = deque(maxlen=MAX_KEYS_WAITING)
        self._key_waiter: asyncio.Future[str] | None = None
        self._playing: _Awaited | None = None
        self._recording: _Awaited | None = None
        self._recording_request = 0

    def __repr__(self) -> str:
        return f"<Session {self.number} {self.codec} port {self._ours.port}>"

    # --------------------------------------------------------------------------------------------------- SDP

    async def take_offer(self, offer: bytes) -> bytes:
        """Agree on an offer, and return the answer. Raises `OfferError`, `EngineError`."""
        streams = sdp.read(offer)
        place, agreed = sdp.agree(streams, self._codecs)
        if (":" in agreed.host) != (":" in self._ours.host):
            raise OfferError(f"the stream's address {agreed.host} is of another family than ours, {self._ours.host}")
        await self._configure(agreed)
        self._say(lambda ours: sdp.answer(streams, place, agreed, ours))
        return self.description

    async def renegotiate(self, offer: bytes) -> bytes:
        return await self.take_offer(offer)

    def offer(self, direction: str = sdp.SENDRECV, best: str = "") -> bytes:
        """Return an offer of all that we can do, to be followed by `accept`; first or later.

        Args:
            direction: "sendrecv", "sendonly", "recvonly" or "inactive".
            best: the codec that is offered before the others.
        """
        self._direction = direction
        codecs = sorted(self._codecs, key=lambda codec: codec != best)
        self._say(lambda ours: sdp.offer(ours, codecs, direction))
        return self.description

    async def offer_again(self, direction: str = sdp.SENDRECV, best: str = "") -> bytes:
        """Return a later offer as it is to be made, see `offer`. Raises `EngineError`."""
        return self.offer(direction, best)

    async def accept(self, answer: bytes) -> None:
        await self._configure(sdp.accept(answer, self._codecs, self._direction))

    def _say(self, write: Callable[[sdp.Ours], bytes]) -> None:
        """RFC 3264 §8: a description that differs has the next version."""
        if write(self._ours) != self.description:
            if self.description:
                self._ours = replace(self._ours, version=self._ours.version + 1)
            self.description = write(self._ours)

    async def _configure(self, agreed: sdp.Agreed) -> None:
        await self.connection.request(
            "configure",
            endpoint=self.number,
            codec=agreed.codec,
            payload_type=agreed.payload_type,
            codecs=dict([(agreed.payload_type, agreed.codec), *agreed.others]),
            event_type=agreed.event_type,
            host=agreed.host,
            port=agreed.port,
            rtcp_port=agreed.rtcp_port,
            sending=agreed.sending,
            receiving=agreed.receiving,
            halved=agreed.max_milliseconds < sdp.PACKET_MILLISECONDS,
            trusted=self._trusted,
        )
        self.codec = agreed.codec
        self._way = "tone" if agreed.event_type is None else "event"

    # ----------------------------------------------------------------------------------------------- playing

    async def play(self, sources: Sequence[str], *, interruptible: str = "", loop: bool = False) -> Played:
        for key in self._waiting:
            if key in interruptible:
                self._waiting.remove(key)
                return Played(KEY, key)
        if self._closed:
            return Played(CLOSED)
        ended = self.connection.request("play", endpoint=self.number, clips=[*map(str, sources)], loop=loop)
        mine = _Awaited(ended, interruptible)
        self._playing = mine
        try:
            reason: str = await ended
        except asyncio.CancelledError:
            if self._playing is mine:
                self._tell("stop")
            raise
        finally:
            if self._playing is mine:
                self._playing = None
        return Played(reason, mine.key)

    def stop(self) -> None:
        self._end_playing(STOPPED, "")
        if self._recording is not None:
            self._end_recording(STOPPED, "")

    def _end_playing(self, reason: str, key: str) -> None:
        playing, self._playing = self._playing, None
        if playing is not None and not playing.ended.done():
            self._tell("stop")
            playing.key = key
            playing.ended.set_result(reason)

    async def send_keys(self, keys: str) -> None:
        wrong = set(keys) - set(KEYS)
        if wrong:
            raise MediaError(f"there are no keys {', '.join(sorted(wrong))}; a telephone has {KEYS}")
        if keys:
            await self.connection.request("keys", endpoint=self.number, keys=keys)

    # -------------------------------------------------------------------------------------------------- keys

    async def key(self, seconds: float) -> str:
        if self._waiting:
            return self._waiting.popleft()
        if self._closed:
            return ""
        waiter: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._key_waiter = waiter
        try:
            async with asyncio.timeout(seconds):
                return await waiter
        except TimeoutError:
            # The key may have come in the very turn of the loop in which the time was over.
            return waiter.result() if waiter.done() and not waiter.cancelled() else ""
        finally:
            if self._key_waiter is waiter:
                self._key_waiter = None

    def keys(self) -> str:
        keys = "".join(self._waiting)
        self._waiting.clear()
        return keys

    def press(self, key: str) -> None:
        if key in KEYS and len(key) == 1:
            self._pressed(key, "info")

    def _pressed(self, key: str, way: str) -> None:
        if self._closed:
            return
        self._figures.keys[(way,)] += 1
        recording, playing, waiter = self._recording, self._playing, self._key_waiter
        if recording is not None and key in recording.keys and not (recording.key or recording.ended.done()):
            self._end_recording(KEY, key)
        elif playing is not None and key in playing.keys and not playing.ended.done():
            self._end_playing(KEY, key)
        elif waiter is not None and not waiter.done():
            waiter.set_result(key)
        elif len(self._waiting) < MAX_KEYS_WAITING:
            self._waiting.append(key)
            self._told(KeyPressed(key))

    # --------------------------------------------------------------------------------------------- recording

    async def record(
        self, path: str, *, max_seconds: float, silence_seconds: float = 0.0, stop_keys: str = ""
    ) -> Recorded:
        if self._recording is not None:
            raise MediaError("the session is being recorded already")
        temporary = temporary_name(path)
        ended = record(self.connection, [self.number], temporary, max_seconds, silence_seconds)
        self._recording_request = self.connection.last_request
        mine = _Awaited(ended, stop_keys)
        self._recording = mine
        for key in self._waiting:
            if key in stop_keys:
                self._waiting.remove(key)
                self._end_recording(KEY, key)
                break
        try:
            return await complete(self.connection, self._recording_request, ended, temporary, path, lambda: mine.key)
        finally:
            self._recording = None

    def _end_recording(self, reason: str, key: str) -> None:
        assert self._recording is not None
        self._recording.key = key
        self.connection.request("finish", recording=self._recording_request, reason=reason)

    # --------------------------------------------------------------------------------------------------- end

    def hand_over(self, told: Callable[[MediaEvent], None]) -> None:
        """Somebody else has it from now on, and hears what happens."""
        self._told = told

    async def statistics(self) -> StreamStatistics:
        sent, received, lost, foreign, invalid, jitter = await self.connection.request(
            "statistics", endpoint=self.number
        )
        return StreamStatistics(sent, received, lost, foreign, invalid, jitter)

    def close(self) -> None:
        if self._closed:
            return
        self._closed = True
        self.connection.request("close", endpoint=self.number).add_done_callback(self._count_the_rest)
        self._silence_waiter()
        self._on_close(self.number)

    def event(self, message: Message) -> None:
        """Take what the engine tells."""
        if self._closed:
            return
        if message["event"] == "key":
            self._pressed(message["key"], self._way)
        elif message["event"] == "timeout":
            self._told(MediaTimedOut(message["seconds"]))

    def second_passed(self, counted: StreamStatistics) -> None:
        """Take what passed so far."""
        self._count(counted)
        self._seconds += 1
        if self._seconds % JITTER_SECONDS == 0 and counted.received:
            self._figures.jitter.observe(counted.jitter)

    def _count(self, counted: StreamStatistics) -> None:
        self._figures.passed(self.passed, counted)
        self.passed = counted

    def _count_the_rest(self, answer: asyncio.Future[Any]) -> None:
        """Take what passed in all; nothing more is known where the engine died."""
        if answer.exception() is None and answer.result() is not None:
            self._count(StreamStatistics(*answer.result()))

    def died(self) -> None:
        """The engine is gone; what is awaited has failed already."""
        if not self._closed:
            self._closed = True
            self._silence_waiter()
            self._told(EngineDied())

    def _silence_waiter(self) -> None:
        if self._key_waiter is not None and not self._key_waiter.done():
            self._key_waiter.set_result("")

    def _tell(self, do: str) -> None:
        self.connection.request(do, endpoint=self.number)


# ------------------------------------------------------------------------------------- recording, of one or two


def temporary_name(path: str) -> str:
    """Where a recording is until it is kept: beside its place, so that renaming is one step of the file system."""
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(folder, f".{name}.{os.urandom(4).hex()}{TEMPORARY_SUFFIX}")


TEMPORARY_SUFFIX: Final = ".part"


def record(
    connection: Connection, endpoints: Sequence[int], temporary: str, max_seconds: float, silence_seconds: float
) -> asyncio.Future[Any]:
    """Ask the engine for a recording; the future is for `complete`."""
    return connection.request(
        "record",
        endpoints=list(endpoints),
        temporary=temporary,
        max_seconds=max_seconds,
        silence_seconds=silence_seconds,
    )


async def complete(
    connection: Connection,
    request: int,
    ended: asyncio.Future[Any],
    temporary: str,
    path: str,
    key: Callable[[], str],
) -> Recorded:
    """Wait for the end of a recording; see `ports.MediaSession.record`."""
    try:
        reason, seconds, spoken, level, lost = await asyncio.shield(ended)
    except asyncio.CancelledError:
        connection.request("finish", recording=request, reason=STOPPED)
        ended.add_done_callback(lambda answer: _remove(temporary))
        raise
    except EngineError:
        await asyncio.to_thread(_remove, temporary)
        raise
    return Recorded(reason, key() if reason == KEY else "", seconds, spoken, level, lost, temporary, path)


def _remove(path: str) -> None:
    with suppress(FileNotFoundError):
        os.unlink(path)
