"""The HTTP API under `/api/v1`; its description at `/api/openapi.json`."""

from __future__ import annotations

from aiohttp import web

from router import __version__
from router.web.api.callbacks import CallbacksApi
from router.web.api.mailboxes import MailboxesApi
from router.web.api.operation import OperationApi
from router.web.api.people import PeopleApi
from router.web.api.policy import PolicyApi
from router.web.api.queues import QueuesApi
from router.web.api.recordings import RecordingsApi
from router.web.endpoint import describe, serve
from router.web.office import Office
from router.web.problems import Problem
from router.web.queue_events import PATH, QueueEvents
from router.web.tokens import Tokens

__all__ = ["add_api"]


def add_api(app: web.Application, office: Office, tokens: Tokens) -> None:
    """Add the API to a web application."""
    parts = (PeopleApi, CallbacksApi, MailboxesApi, PolicyApi, QueuesApi, RecordingsApi, OperationApi)
    endpoints = [endpoint for part in parts for endpoint in part(office).endpoints()]
    for endpoint in endpoints:
        serve(app, endpoint, tokens)
    events = QueueEvents(office, tokens)
    events.watch()
    app.router.add_get(PATH, events.serve)

    async def let_go(_app: web.Application) -> None:
        events.close()

    app.on_shutdown.append(let_go)
    description = describe(endpoints, __version__)

    async def openapi(_request: web.Request) -> web.Response:
        return web.json_response(description)  # it says nothing about the company, so nobody needs a token for it

    async def nowhere(request: web.Request) -> web.Response:
        return Problem(404, f"there is no {request.method} {request.path}; see /api/openapi.json").response()

    app.router.add_get("/api/openapi.json", openapi)
    app.router.add_route("*", "/api/{rest:.*}", nowhere)
