"""What the API answers when it cannot do what was asked: problem details (RFC 9457)."""

from __future__ import annotations

import json
from http import HTTPStatus

from aiohttp import web

PROBLEM_JSON = "application/problem+json"


class Problem(Exception):
    """Answers the request. A new one is made each time.

    Args:
        status: HTTP status.
        detail: what is wrong with this request, and what to do about it.
        errors: single faults of a body, each with `where` and `what`.
        headers: further header fields of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: list[dict[str, str]] | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors
        self.headers = headers

    def response(self) -> web.Response:
        """Return the answer."""
        body: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            body["errors"] = self.errors
        text = json.dumps(body, ensure_ascii=False)
        return web.Response(text=text, status=self.status, content_type=PROBLEM_JSON, headers=self.headers)
