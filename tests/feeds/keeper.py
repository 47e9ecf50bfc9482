"""Whoever keeps a list or a calendar: a real HTTP server that does what a test tells it to do."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from aiohttp import web

NO_HEADERS: Mapping[str, str] = MappingProxyType({})
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Keeper:
    """A server on a free port of 127.0.0.1. `answers` are by path; `asked` are the requests that came."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.asked: list[web.Request] = []
        self._releasing = asyncio.Event()

    async def start(self, tls: ssl.SSLContext | None = None) -> Keeper:
        app = web.Application()
        app.router.add_get("/{path:.*}", self._answer)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=tls).start()
        self.port: int = self._runner.addresses[0][1]
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"
        return self

    async def close(self) -> None:
        self._releasing.set()
        await self._runner.cleanup()

    def gives(self, path: str, body: bytes | str, status: int = 200, headers: Mapping[str, str] = NO_HEADERS) -> None:
        """Answer with a body; with 304 where the request knows the ETag."""
        data = body.encode() if isinstance(body, str) else body

        async def answer(request: web.Request) -> web.StreamResponse:
            if "ETag" in headers and request.headers.get("If-None-Match") == headers["ETag"]:
                return web.Response(status=304)
            return web.Response(body=data, status=status, headers=headers)

        self.answers[path] = answer

    def hangs(self, path: str) -> None:
        async def answer(_request: web.Request) -> web.StreamResponse:
            await self._releasing.wait()
            return web.Response()

        self.answers[path] = answer

    def breaks_off(self, path: str, body: bytes) -> None:
        """Promise twice as much as is given."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse(headers={"Content-Length": str(2 * len(body))})
            await response.prepare(request)
            await response.write(body)
            assert request.transport is not None
            request.transport.close()
            return response

        self.answers[path] = answer

    def pours(self, path: str, megabytes: int) -> None:
        """Give more and more, without saying how much it will be."""

        async def answer(request: web.Request) -> web.StreamResponse:
            response = web.StreamResponse()
            response.enable_chunked_encoding()
            await response.prepare(request)
            for _ in range(megabytes):
                await response.write(b"+881\n" * 200_000)
            return response

        self.answers[path] = answer

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        answer = self.answers.get(request.path)
        return web.Response(status=404) if answer is None else await answer(request)
