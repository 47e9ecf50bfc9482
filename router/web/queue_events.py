"""What happens to queues as server-sent events, for wallboards: `GET /api/v1/events`.

Whoever listens gets what happens from then on; the state to begin with stands at `/api/v1/queues`. A listener who does
not read is let go of, and comes back by itself.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict
from enum import StrEnum
from typing import Any, Final

from aiohttp import web

from router.calls.queue_floor import Notice
from router.model.queue_events import Announce, GiveNotice
from router.web.api import moments
from router.web.endpoint import STAFF
from router.web.office import Office
from router.web.problems import Problem
from router.web.tokens import Tokens

PATH: Final = "/api/v1/events"
MAX_BEHIND: Final = 1000  # events that a listener may be behind
ALIVE_EVERY: Final = 15.0  # seconds: proxies cut what is silent for longer
MAX_LISTENERS: Final = 50
_SAID: Final = (Announce, GiveNotice)  # what is said to a caller changes nothing that a board shows


class QueueEvents:
    """Sends events to whoever listens."""

    def __init__(self, office: Office, tokens: Tokens) -> None:
        self._office = office
        self._tokens = tokens
        self._listeners: set[asyncio.Queue[bytes]] = set()

    def watch(self) -> None:
        """Hear of what happens from now on."""
        self._office.queues.watchers.append(self._happened)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Answer with a stream that ends when the listener goes."""
        try:
            self._tokens.admit(request.headers.get("Authorization"), STAFF)
            if len(self._listeners) >= MAX_LISTENERS:
                raise Problem(503, f"{MAX_LISTENERS} listen already")
        except Problem as problem:
            return problem.response()
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        )
        await response.prepare(request)
        events: asyncio.Queue[bytes] = asyncio.Queue(MAX_BEHIND)
        self._listeners.add(events)
        try:
            await response.write(b": listening\n\n")
            while events in self._listeners:
                try:
                    data = await asyncio.wait_for(events.get(), ALIVE_EVERY)
                except TimeoutError:
                    data = b": alive\n\n"
                if data:  # else nobody is served any more
                    await response.write(data)
        except ConnectionResetError:
            return response  # whoever listened is gone
        finally:
            self._listeners.discard(events)
        return response

    def close(self) -> None:
        """Let go of everybody."""
        listeners, self._listeners = self._listeners, set()
        for listener in listeners:
            if not listener.full():
                listener.put_nowait(b"")  # so that none waits for what happens next

    def _happened(self, notice: Notice, now: float) -> None:
        if not self._listeners or isinstance(notice, _SAID):
            return
        data = written(notice, moments.written(now, self._office.configuration.policy.zone) or "")
        for listener in list(self._listeners):
            if listener.full():
                self._listeners.discard(listener)
            else:
                listener.put_nowait(data)


def written(notice: Notice, at: str) -> bytes:
    """Write one event (WHATWG HTML §9.2): its name is that of the class, its data JSON."""
    fields: dict[str, Any] = {key: _plain(value) for key, value in asdict(notice).items()}
    return f"event: {type(notice).__name__}\ndata: {json.dumps({'at': at, **fields})}\n\n".encode()


def _plain(value: Any) -> Any:
    return value.value if isinstance(value, StrEnum) else value
