"""The policy's clock."""

from __future__ import annotations

from time import time


class PolicyClock:
    """POSIX seconds, started where `--clock` says and running on at the normal pace; implements `ports.Clock`.

    Args:
        start: POSIX seconds that it shows now; None for the time that it is.
    """

    def __init__(self, start: float | None = None) -> None:
        self._offset = 0.0 if start is None else start - time()

    def __call__(self) -> float:
        return time() + self._offset
