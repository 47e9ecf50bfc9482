"""An operation of the API: declared once, and from that served, guarded, validated and described."""

from __future__ import annotations

import json
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
MAX_BODY = 64 * 1024  # octets; nothing here takes a body worth more


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


Handler = Callable[[Asked], Awaitable[Resource]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One operation.

    Args:
        method, path: "GET", "/api/v1/people/{person}".
        summary: one line for the description; the rest is the handler's docstring.
        roles: whose tokens open it.
        handler: does it; raises `Problem`.
        answer: shape of its answer; query, body: what it takes.
        status: of its answer.
    """

    method: str
    path: str
    summary: str
    roles: frozenset[ApiRole]
    handler: Handler
    answer: type[Resource]
    query: type[Resource] | None = None
    body: type[Resource] | None = None
    status: int = 200


def serve(app: web.Application, endpoint: Endpoint, tokens: Tokens) -> None:
    """Add an operation to a web application."""

    async def handle(request: web.Request) -> web.Response:
        try:
            token = tokens.admit(request.headers.get("Authorization"), endpoint.roles)
            query = _validated(endpoint.query, dict(request.query), "query") if endpoint.query else None
            body = _validated(endpoint.body, await _json(request), "body") if endpoint.body else None
            answer = await endpoint.handler(Asked(token, dict(request.match_info), query, body))
        except Problem as problem:
            return problem.response()
        return web.Response(
            body=answer.model_dump_json(by_alias=True).encode(),
            status=endpoint.status,
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )

    app.router.add_route(endpoint.method, endpoint.path, handle)


async def _json(request: web.Request) -> Any:
    if request.content_type != "application/json":
        raise Problem(415, "the body is JSON: Content-Type: application/json")
    try:
        return json.loads(await request.text())
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
                    "content": {"application/json": {"schema": _schema(endpoint.answer, schemas, "serialization")}},
                },
                "default": {
                    "description": "what was wrong",
                    "content": {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}},
                },
            },
        }
        if endpoint.body is not None:
            content = {"application/json": {"schema": _schema(endpoint.body, schemas, "validation")}}
            operation["requestBody"] = {"required": True, "content": content}
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
