"""Counts messages by method and status, the labels found once for each pair rather than for each message."""

from __future__ import annotations

from router.model.tally import Cell, Counts


class MessageCounter:
    """Counts the messages of one direction.

    Args:
        requests: counter by (method, direction); responses: by (method, status, direction).
        methods: those that have a count of their own; the label of all others is "other", so that a stranger cannot
            make up labels.
        direction: "in" or "out".
    """

    __slots__ = ("_direction", "_request_counts", "_requests", "_response_counts", "_responses")

    def __init__(self, requests: Counts, responses: Counts, methods: frozenset[str], direction: str) -> None:
        self._request_counts = requests
        self._response_counts = responses
        self._direction = direction
        self._requests: dict[str, Cell | None] = dict.fromkeys((*methods, "other"))
        self._responses: dict[str, dict[int, Cell]] = {method: {} for method in self._requests}

    def request(self, method: str) -> None:
        cell = self._requests.get(method)
        if cell is None:
            label = method if method in self._requests else "other"
            cell = self._requests[label] = self._request_counts.cell((label, self._direction))
        cell.value += 1

    def response(self, method: str, status: int) -> None:
        cells = self._responses.get(method)
        if cells is None:
            method = "other"
            cells = self._responses[method]
        cell = cells.get(status)
        if cell is None:
            cell = cells[status] = self._response_counts.cell((method, str(status), self._direction))
        cell.value += 1
