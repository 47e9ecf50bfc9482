"""The HTTP side: what a monitoring system asks, and the API.

- `/metrics`: the metrics, in Prometheus' text format.
- `/healthz`: 200 as long as the process answers.
- `/api`: see `router.web.api`.
- `/readyz`: 200 when every readiness check holds, otherwise 503; the body says which check fails.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest

from router.web.api import add_api
from router.web.endpoint import MAX_BODY
from router.web.office import Office
from router.web.tokens import Tokens

# Gives each readiness check by name, True when it holds: {"serving": True, "draining": …}.
Readiness = Callable[[], Mapping[str, bool]]


def create_app(
    metrics_registry: CollectorRegistry,
    readiness: Readiness,
    office: Office | None = None,
    tokens: Tokens | None = None,
) -> web.Application:
    """Return the web application.

    Args:
        metrics_registry: what `/metrics` exposes; it is read in the loop that serves the request.
        readiness: asked at each request of `/readyz`; the router is ready when every check is True, and there is one.
        office, tokens: what the API works on, and who may use it; without them there is no API.
    """

    async def metrics(_request: web.Request) -> web.Response:
        # One format for everybody: every Prometheus reads it, and no Accept header needs to be parsed.
        return web.Response(body=generate_latest(metrics_registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    async def healthz(_request: web.Request) -> web.Response:
        return web.json_response({"status": "alive"})

    async def readyz(_request: web.Request) -> web.Response:
        checks = dict(readiness())
        ready = bool(checks) and all(checks.values())
        return web.json_response(
            {
                "status": "ready" if ready else "not ready",
                "checks": checks,
                "failing": [name for name, holds in checks.items() if not holds],
            },
            status=200 if ready else 503,
        )

    app = web.Application(client_max_size=MAX_BODY)
    app.router.add_get("/metrics", metrics)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    if office is not None and tokens is not None:
        add_api(app, office, tokens)
    return app
