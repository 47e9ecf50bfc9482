"""The engine's process: `python -m router.media.engine`, started by `client.py` (docs/adr/0011).

It knows numbered endpoints and what to do with them; SDP, keys that end something, and names of recordings are the
router's. It ends when the router does.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import random
import signal
import socket
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import numpy as np
import uvloop

from router.media.arrivals import Arrivals
from router.media.clips import Clips, coded
from router.media.codecs import RATES, SILENCE
from router.media.control import Channel, Message, kind_of
from router.media.endpoint import TICKS_PER_SECOND, Endpoint, Told
from router.media.figures import LATE_BOUNDS
from router.media.pacer import Pacer
from router.media.port_pairs import PortPairs
from router.media.recording import LOOK_TICKS, Disk, Recording
from router.media.rtp import CLOCK, TICK_UNITS
from router.media.tones import tone
from router.media.track import Track
from router.model.sound import CLOSED, FINISHED, STOPPED
from router.model.tally import Histogram
from router.ports import EngineError, MediaError

MAX_ENDPOINTS: Final = 4000  # what a processor core could ever carry; bounds memory and descriptors
_GARBAGE_THRESHOLD: Final = 50_000  # objects; nothing here leaves cycles behind by habit


@dataclass(eq=False, slots=True)
class _Written:
    """A recording and who waits for it."""

    request: int
    recording: Recording
    endpoints: tuple[Endpoint, ...]
    before: int  # packets that were lost before it began


class Engine:
    """All endpoints, and the requests that are not answered yet."""

    def __init__(self, ports: PortPairs, random_source: random.Random) -> None:
        self._loop = asyncio.get_running_loop()
        self._ports = ports
        self._random = random_source
        self._pacer = Pacer(self._beat, self._skipped)
        self._arrivals = Arrivals(self._loop, self._pacer.units)
        self._clips = Clips()
        self._disk = Disk()
        self._loader = ThreadPoolExecutor(2, "sounds")
        self._endpoints: dict[int, Endpoint] = {}
        self._order: tuple[Endpoint, ...] = ()
        self._seconds: list[list[Endpoint]] = [[] for _ in range(TICKS_PER_SECOND)]
        self._playing: dict[int, int] = {}  # endpoint -> request that plays
        self._recordings: dict[int, _Written] = {}  # by request
        self._tasks: set[asyncio.Task[None]] = set()
        self._skipped_ticks = 0  # since the last second
        self._told = Told(self._key_pressed, self._timed_out)
        self._channel = Channel(self._taken, self._lost)
        self.over: asyncio.Future[None] = self._loop.create_future()
        self._requests: dict[str, Callable[[Message], object]] = {
            "open": self._open,
            "configure": self._configure,
            "play": self._play,
            "stop": self._stop,
            "keys": self._send_keys,
            "record": self._record,
            "finish": self._finish,
            "bridge": self._bridge,
            "part": self._part,
            "statistics": self._statistics,
            "close": self._close,
            "ping": lambda message: None,
        }

    async def run(self, control: socket.socket) -> None:
        """Serve until the other end of the control connection is gone."""
        self._loop.set_exception_handler(self._failed)
        await self._loop.create_unix_connection(lambda: self._channel, sock=control)
        self._channel.send({"event": "ready"})
        self._pacer.start()
        await self.over
        self._pacer.stop()
        for written in self._recordings.values():
            written.recording.abandon()
        for endpoint in self._order:
            endpoint.close()
        self._arrivals.close()
        self._loader.shutdown(wait=False, cancel_futures=True)
        self._disk.close()

    def _lost(self) -> None:
        if not self.over.done():
            self.over.set_result(None)

    # -------------------------------------------------------------------------------------------- every 20 ms

    def _beat(self, tick: int) -> None:
        units = tick * TICK_UNITS
        self._arrivals.read(units)
        for endpoint in self._order:
            endpoint.sender.tick(units)
        second = tick % TICKS_PER_SECOND
        passed = [endpoint.counted() for endpoint in self._seconds[second] if endpoint.second_passed(tick)]
        if passed:
            self._channel.send({"event": "passed", "of": passed})
        if second == 0:
            self._tell_of_itself()
        for written in list(self._recordings.values()):
            if (tick + written.request) % LOOK_TICKS == 0:
                reason = written.recording.look(tick)
                if reason:
                    self._end_recording(written, reason)

    def _tell_of_itself(self) -> None:
        """Tell once a second how punctual the engine is, and what ports it has left."""
        late, self._pacer.late = self._pacer.late, Histogram(LATE_BOUNDS)
        skipped, self._skipped_ticks = self._skipped_ticks, 0
        self._channel.send(
            {
                "event": "second",
                "late": late.cells,
                "late_seconds": late.total,
                "skipped": skipped,
                "ports": [len(self._endpoints), self._ports.resting, self._ports.free],
            }
        )

    def _skipped(self, ticks: int) -> None:
        self._skipped_ticks += ticks
        for endpoint in self._order:
            endpoint.sender.skip()

    # ----------------------------------------------------------------------------------------------- requests

    def _taken(self, message: Message) -> None:
        """Do what the router asks. Those that take time return `_LATER` and answer themselves."""
        request = message["id"]
        try:
            result = self._requests[message["do"]](message)
        except MediaError as error:
            self._refuse(request, error)
        else:
            if result is not _LATER:
                self._answer(request, result)

    def _answer(self, request: int, result: object) -> None:
        self._channel.send({"id": request, "ok": result})

    def _refuse(self, request: int, error: MediaError) -> None:
        self._channel.send({"id": request, "error": kind_of(error), "text": str(error)})

    def _endpoint(self, message: Message) -> Endpoint:
        return self._known(message["endpoint"])

    def _known(self, number: int) -> Endpoint:
        try:
            return self._endpoints[number]
        except KeyError:
            raise MediaError("the session is closed") from None

    def _open(self, message: Message) -> object:
        if len(self._endpoints) >= MAX_ENDPOINTS:
            raise EngineError(f"{MAX_ENDPOINTS} sessions are open; the engine carries no more")
        tick = self._pacer.tick
        line = self._ports.take(message["host"], tick)
        seeds = (self._random.getrandbits(32), self._random.getrandbits(15), self._random.getrandbits(32))
        number: int = message["endpoint"]
        endpoint = Endpoint(number, line, seeds, message["timeout"], tick, self._told)
        self._endpoints[number] = endpoint
        self._order = tuple(self._endpoints.values())
        self._seconds[number % TICKS_PER_SECOND].append(endpoint)
        self._arrivals.add(line.direct, endpoint.receiver.read)
        self._arrivals.add(line.wide, endpoint.receiver.read_strange)
        self._arrivals.add(line.rtcp, endpoint.read_rtcp)
        return line.port

    def _configure(self, message: Message) -> object:
        endpoint = self._endpoint(message)
        if message["codec"] != endpoint.codec:
            self._end_playing(endpoint, STOPPED)  # it is coded for another one
        codecs = {int(payload_type): codec for payload_type, codec in message["codecs"].items()}
        endpoint.configure(
            codec=message["codec"],
            payload_type=message["payload_type"],
            codecs=codecs,
            event_type=message["event_type"],
            remote=(message["host"], message["port"]),
            rtcp_port=message["rtcp_port"],
            sending=message["sending"],
            receiving=message["receiving"],
            halved=message["halved"],
            trusted=message["trusted"],
            tick=self._pacer.tick,
        )
        if endpoint.peer is not None:
            self._connect(endpoint, endpoint.peer)
        return None

    def _close(self, message: Message) -> object:
        endpoint = self._endpoints.pop(message["endpoint"], None)
        if endpoint is None:
            return None
        self._unbridge(endpoint)
        self._end_playing(endpoint, CLOSED)
        endpoint.sender.end_keys()
        for written in list(self._recordings.values()):
            if endpoint in written.endpoints:
                self._end_recording(written, CLOSED)
        self._order = tuple(self._endpoints.values())
        self._seconds[endpoint.number % TICKS_PER_SECOND].remove(endpoint)
        for bound in (endpoint.line.direct, endpoint.line.wide, endpoint.line.rtcp):
            self._arrivals.remove(bound)
        endpoint.close()
        self._ports.give_back(endpoint.line.port, self._pacer.tick)
        return endpoint.statistics()

    def _statistics(self, message: Message) -> object:
        return self._endpoint(message).statistics()

    # ------------------------------------------------------------------------------------------------ playing

    def _play(self, message: Message) -> object:
        endpoint = self._endpoint(message)
        if not endpoint.codec:
            raise MediaError("nothing is agreed on yet that could be played in")
        self._end_playing(endpoint, STOPPED)
        self._playing[endpoint.number] = message["id"]
        clips = self._clips.known(message["clips"], endpoint.codec)
        if clips is not None:
            self._begin_playing(endpoint, message, clips)
        else:
            self._in_background(self._load_and_play(endpoint, message))
        return _LATER

    async def _load_and_play(self, endpoint: Endpoint, message: Message) -> None:
        try:
            clips = await self._clips.load(message["clips"], endpoint.codec, self._loader)
        except MediaError as error:
            if self._playing.get(endpoint.number) == message["id"]:
                del self._playing[endpoint.number]
                self._refuse(message["id"], error)
        else:
            if self._playing.get(endpoint.number) == message["id"]:
                self._begin_playing(endpoint, message, clips)

    def _begin_playing(self, endpoint: Endpoint, message: Message, clips: Sequence[bytes]) -> None:
        endpoint.sender.play(clips, message["loop"], partial(self._played, endpoint, message["id"]))

    def _played(self, endpoint: Endpoint, request: int) -> None:
        if self._playing.get(endpoint.number) == request:
            del self._playing[endpoint.number]
            self._answer(request, FINISHED)

    def _end_playing(self, endpoint: Endpoint, reason: str) -> None:
        endpoint.sender.stop()
        request = self._playing.pop(endpoint.number, None)
        if request is not None:
            self._answer(request, reason)

    def _stop(self, message: Message) -> object:
        endpoint = self._endpoint(message)
        self._end_playing(endpoint, STOPPED)
        return None

    def _send_keys(self, message: Message) -> object:
        endpoint = self._endpoint(message)
        keys: str = message["keys"]
        if endpoint.sender.event_type is not None:
            endpoint.sender.send_keys(keys, partial(self._answer, message["id"], None))
        elif endpoint.codec:
            self._end_playing(endpoint, STOPPED)
            self._playing[endpoint.number] = message["id"]
            tones = np.concatenate([tone(key) for key in keys])
            played = partial(self._played, endpoint, message["id"])
            endpoint.sender.play([coded(tones, CLOCK, endpoint.codec)], False, played)
        else:
            raise MediaError("nothing is agreed on yet that keys could be sent in")
        return _LATER

    # ---------------------------------------------------------------------------------------------- recording

    def _record(self, message: Message) -> object:
        endpoints = tuple(self._known(number) for number in message["endpoints"])
        if any(endpoint.receiver.listener is not None for endpoint in endpoints):
            raise MediaError("the session is being recorded already")
        if any(endpoint.codec not in SILENCE for endpoint in endpoints):
            raise MediaError("nothing is agreed on yet that could be recorded")
        tick = self._pacer.tick
        rate = min(RATES[endpoint.codec] for endpoint in endpoints)
        tracks = [Track(endpoint.codec, rate, tick * TICK_UNITS) for endpoint in endpoints]
        recording = Recording(
            tracks,
            rate,
            tick,
            message["max_seconds"],
            message["silence_seconds"],
            message["temporary"],
            self._disk.thread(),
        )
        for endpoint, track in zip(endpoints, tracks, strict=True):
            endpoint.receiver.listener = track
        lost = sum(endpoint.receiver.lost for endpoint in endpoints)
        self._recordings[message["id"]] = _Written(message["id"], recording, endpoints, lost)
        return _LATER

    def _finish(self, message: Message) -> object:
        written = self._recordings.get(message["recording"])
        if written is not None:
            self._end_recording(written, message["reason"])
        return None

    def _end_recording(self, written: _Written, reason: str) -> None:
        del self._recordings[written.request]
        for endpoint in written.endpoints:
            endpoint.receiver.listener = None
        self._in_background(self._complete(written, reason))

    async def _complete(self, written: _Written, reason: str) -> None:
        lost = sum(endpoint.receiver.lost for endpoint in written.endpoints) - written.before
        try:
            summary = await asyncio.wrap_future(written.recording.finish(self._pacer.tick, reason))
        except MediaError as error:
            self._refuse(written.request, error)
        else:
            self._answer(written.request, [*summary, max(0, lost)])

    # ----------------------------------------------------------------------------------------------- bridging

    def _bridge(self, message: Message) -> object:
        left, right = self._known(message["left"]), self._known(message["right"])
        if left is right:
            raise MediaError("a session cannot be bridged with itself")
        for endpoint in (left, right):
            self._unbridge(endpoint)
        left.peer, right.peer = right, left
        self._connect(left, right)
        for endpoint in (left, right):
            self._arrivals.hasten(endpoint.line.direct, True)
        return None

    def _connect(self, left: Endpoint, right: Endpoint) -> None:
        for one, other in ((left, right), (right, left)):
            one.receiver.connect(other.sender, other.codec)
            other.sender.relay_instead(True)

    def _part(self, message: Message) -> object:
        endpoint = self._endpoints.get(message["left"])
        if endpoint is not None and endpoint.peer is self._endpoints.get(message["right"]):
            self._unbridge(endpoint)
        return None

    def _unbridge(self, endpoint: Endpoint) -> None:
        peer = endpoint.peer
        if peer is None:
            return
        for written in list(self._recordings.values()):
            if set(written.endpoints) == {endpoint, peer}:
                self._end_recording(written, CLOSED)
        for one in (endpoint, peer):
            one.peer = None
            one.receiver.connect(None, "")
            one.sender.relay_instead(False)
            self._arrivals.hasten(one.line.direct, False)

    # ------------------------------------------------------------------------------------------------- events

    def _key_pressed(self, number: int, key: str) -> None:
        self._channel.send({"event": "key", "endpoint": number, "key": key})

    def _timed_out(self, number: int, seconds: float) -> None:
        self._channel.send({"event": "timeout", "endpoint": number, "seconds": seconds})

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _failed(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        self._fail(context.get("exception") or EngineError(context["message"]))

    def _fail(self, error: BaseException) -> None:
        """A mistake of ours: end loudly, and be started again, rather than go on without a timer or half a session."""
        if not self.over.done():
            self.over.set_exception(error)


_LATER: Final = object()


async def _serve(arguments: argparse.Namespace) -> None:
    source = random.SystemRandom()
    engine = Engine(PortPairs(arguments.first_port, arguments.last_port, source.random()), source)
    gc.collect()
    gc.freeze()
    gc.set_threshold(_GARBAGE_THRESHOLD)
    await engine.run(socket.socket(fileno=arguments.control))


def main() -> None:
    parser = argparse.ArgumentParser(prog="router.media.engine", description="Started by renvoi, not by hand.")
    parser.add_argument("--control", type=int, required=True, help="descriptor of the control connection")
    parser.add_argument("--first-port", type=int, required=True)
    parser.add_argument("--last-port", type=int, required=True)
    arguments = parser.parse_args()
    # Whoever ends the router ends the whole group of processes; the engine serves until its calls are over.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    uvloop.run(_serve(arguments))


if __name__ == "__main__":
    main()
