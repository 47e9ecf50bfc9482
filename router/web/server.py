"""Serves a web application on one address, in the running loop."""

from __future__ import annotations

import os

from aiohttp import web

from router.transport.address import host_port

SHUTDOWN_TIMEOUT = 2.0  # seconds that a request in progress may take when the server closes


class WebServer:
    """An HTTP server. `await WebServer.start(app, host, port)` makes one that listens."""

    def __init__(self, runner: web.AppRunner, host: str, port: int) -> None:
        self._runner = runner
        self.host = host
        self.port = port

    @classmethod
    async def start(cls, app: web.Application, host: str, port: int) -> WebServer:
        """Listen on `host` (an IP literal without brackets) and `port`; 0 takes a free port, which `port` then says.

        Raises:
            OSError: the address cannot be listened on; the text names it.
        """
        runner = web.AppRunner(app, access_log=None, handle_signals=False, shutdown_timeout=SHUTDOWN_TIMEOUT)
        await runner.setup()
        try:
            await web.TCPSite(runner, host, port).start()
        except OSError as error:
            await runner.cleanup()
            # asyncio and uvloop put the address into `strerror`, each in its own words.
            reason = os.strerror(error.errno) if error.errno else str(error)
            raise OSError(error.errno, f"HTTP cannot listen on {host_port(host, port)}: {reason}") from error
        return cls(runner, host, runner.addresses[0][1])

    @property
    def url(self) -> str:
        """How a browser on this machine would name the server: "http://127.0.0.1:8080"."""
        return f"http://{host_port(self.host, self.port)}"

    async def close(self) -> None:
        """Stop listening, let requests in progress finish within `SHUTDOWN_TIMEOUT`, and close every connection."""
        await self._runner.cleanup()
