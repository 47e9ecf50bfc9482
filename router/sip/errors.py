"""Whose fault it is, and what to answer (STYLE 6). Always a new instance: these carry their own story."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from router.sip.message import Request


class RemoteError(Exception):
    """The peer sent something that cannot be served.

    Args:
        text: what is wrong, fit for a reason phrase or a log line.
        status: what to answer, where an answer is possible.
        headers: header lines that the answer must carry ("Accept: application/sdp").
    """

    def __init__(self, text: str, status: int = 400, headers: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.status = status
        self.headers = headers
        self.request: Request | None = None  # as far as it could be read, when it can be answered


class LocalError(Exception):
    """The router asked its own SIP core for something impossible: a bug on this side, never the peer's."""
