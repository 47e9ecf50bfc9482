"""An operation of the API: declared once, and from that served, guarded, validated and described."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from pydantic import BaseModel, ConfigDict, ValidationError

from router.model.access import ApiRole, ApiToken
from router.web.problems import PROBLEM_JSON, Problem
from router.web.tokens import Tokens

EVERYBODY = frozenset(ApiRole)
ADMINISTRATORS = frozenset((ApiRole.ADMINISTRATOR,))
DESK = frozenset((ApiRole.ADMINISTRATOR, ApiRole.RECEPTION))
STAFF = frozenset((ApiRole.ADMINISTRATOR, ApiRole.RECEPTION, ApiRole.READER))
MAX_BODY = 64 * 1024  # octets; more than any JSON that is taken here is worth


class Resource(BaseModel):
    """What the API takes or gives: the keys it knows and no others."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Asked:
    """A request that was admitted and understood.

    Args:
        token: who asks.
        path: the variables of the path.
        query: validated parameters, or None where there are none.
        body: validated body, or None where none is taken.
    """

    token: ApiToken
    path: dict[str, str]
    query: Any
    body: Any

    @property
    def actor(self) -> str:
        """Who asks, for the audit."""
        return f"token {self.token.name}"


@dataclass(frozen=True, slots=True)
class SentFile:
    """An answer that is a file.

    Args:
        path: where it is. It may be gone already: that is answered 404.
        name: what a browser calls it when it is saved.
    """

    path: str
    name: str


Handler = Callable[[Asked], Awaitable[Resource | SentFile | None]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation.

    Args:
        method, path: "GET", "/api/v1/people/{person}".
        summary: one line for the description; the rest is the handler's docstring.
        roles: whose tokens open it.
        handler: does it; raises `Problem`.
        answer: shape of its answer; the media type of a `SentFile`; None where there is nothing to say (status 204).
        query, body: what it takes; a body that is no JSON is given by its media type, and handed over as octets.
        status: of its answer.
        max_body: octets of a body.
    """

    method: str
    path: str
    summary: str
    roles: frozenset[ApiRole]
    handler: Handler
    answer: type[Resource] | str | None
    query: type[Resource] | None = None
    body: type[Resource] | str | None = None
    status: int = 200
    max_body: int = MAX_BODY


def serve(app: web.Application, endpoint: Endpoint, tokens: Tokens) -> None:
    """Add an operation to a web application."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            token = tokens.admit(request.headers.get("Authorization"), endpoint.roles)
            query = _validated(endpoint.query, dict(request.query), "query") if endpoint.query else None
            body = await _body(request, endpoint)
            answer = await endpoint.handler(Asked(token, dict(request.match_info), query, body))
            return _response(endpoint, answer)
        except Problem as problem:
            return problem.response()

    app.router.add_route(endpoint.method, endpoint.path, handle)


def _response(endpoint: Endpoint, answer: Resource | SentFile | None) -> web.StreamResponse:
    headers = {"Cache-Control": "no-store"}
    if answer is None:
        return web.Response(status=204, headers=headers)
    if isinstance(answer, SentFile):
        if not os.path.isfile(answer.path):
            raise Problem(404, "its file is gone")
        assert isinstance(endpoint.answer, str)
        headers |= {"Content-Type": endpoint.answer, "Content-Disposition": f'inline; filename="{answer.name}"'}
        return web.FileResponse(answer.path, headers=headers)
    return web.Response(
        body=answer.model_dump_json(by_alias=True).encode(),
        status=endpoint.status,
        content_type="application/json",
        headers=headers,
    )


async def _body(request: web.Request, endpoint: Endpoint) -> Any:
    wanted = endpoint.body
    if wanted is None:
        return None
    media_type = wanted if isinstance(wanted, str) else "application/json"
    if request.content_type != media_type:
        what = "JSON" if media_type == "application/json" else f"a file of the type {media_type}"
        raise Problem(415, f"the body is {what}: Content-Type: {media_type}")
    octets = await _octets(request, endpoint.max_body)
    return octets if isinstance(wanted, str) else _validated(wanted, _json(octets, request.charset), "body")


async def _octets(request: web.Request, limit: int) -> bytes:
    """Read a body, and no more of it than may be kept."""
    parts = bytearray()
    async for part in request.content.iter_any():
        parts += part
        if len(parts) > limit:
            raise Problem(413, f"the body has more than {limit} octets")
    return bytes(parts)


def _json(octets: bytes, charset: str | None) -> Any:
    try:
        return json.loads(octets.decode(charset or "utf-8"))
    except (ValueError, LookupError, RecursionError) as error:  # no JSON, an unknown charset, nested without end
        raise Problem(400, f"the body is no JSON: {error}") from error


def _validated(shape: type[Resource], value: Any, where: str) -> Resource:
    try:
        return shape.model_validate(value)
    except ValidationError as error:
        faults = [
            {"where": ".".join(map(str, (where, *fault["loc"]))), "what": fault["msg"]}
            for fault in error.errors(include_input=False, include_url=False, include_context=False)
        ]
        raise Problem(422, f"the {where} cannot be used: {faults[0]['what']} ({faults[0]['where']})", faults) from error


def describe(endpoints: list[Endpoint], version: str) -> dict[str, Any]:
    """Return the OpenAPI 3.1 description of the API."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {"Problem": _PROBLEM}
    for endpoint in endpoints:
        operation: dict[str, Any] = {
            "operationId": endpoint.handler.__name__,
            "summary": endpoint.summary,
            "description": f"{endpoint.handler.__doc__ or ''}\n\nRoles: {', '.join(sorted(endpoint.roles))}.".strip(),
            "parameters": _parameters(endpoint, schemas),
            "responses": {
                str(endpoint.status): {
                    "description": "done",
                    **({} if endpoint.answer is None else _content(endpoint.answer, schemas, "serialization")),
                },
                "default": {
                    "description": "what was wrong",
                    "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                },
            },
        }
        if endpoint.body is not None:
            operation["requestBody"] = {"required": True, **_content(endpoint.body, schemas, "validation")}
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Renvoi", "version": version, "description": _DESCRIPTION},
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
    }


def _parameters(endpoint: Endpoint, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in endpoint.path.split("/") if part.startswith("{")]
    found: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names
    ]
    if endpoint.query is not None:
        schema = endpoint.query.model_json_schema(ref_template="#/components/schemas/{model}")
        schemas.update(schema.pop("$defs", {}))
        required = schema.get("required", [])
        for name, shape in schema["properties"].items():
            found.append({"name": name, "in": "query", "required": name in required, "schema": shape})
    return found


def _content(shape: type[Resource] | str, schemas: dict[str, Any], mode: Any) -> dict[str, Any]:
    if isinstance(shape, str):
        return {"content": {shape: {"schema": {"type": "string", "format": "binary"}}}}
    return {"content": {"application/json": {"schema": _schema(shape, schemas, mode)}}}


def _schema(shape: type[Resource], schemas: dict[str, Any], mode: Any) -> dict[str, str]:
    schema = shape.model_json_schema(ref_template="#/components/schemas/{model}", mode=mode)
    schemas.update(schema.pop("$defs", {}))
    schemas[shape.__name__] = schema
    return {"$ref": f"#/components/schemas/{shape.__name__}"}


_DESCRIPTION = (
    "What people are doing, what the router would do with a call, and what was changed by whom. Every operation needs "
    "a bearer token (`renvoi token`). Times are ISO 8601; without an offset they are meant in the company's time zone."
)
_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457",
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"where": {"type": "string"}, "what": {"type": "string"}},
            },
        },
    },
    "required": ["title", "status", "detail"],
}
