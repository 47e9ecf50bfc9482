"""UDP ports for RTP and RTCP: an even one, and the odd one above it (RFC 3550 §11)."""

from __future__ import annotations

import errno
from collections import deque
from typing import Final

from router.media.line import Line
from router.ports import EngineError

QUARANTINE_TICKS: Final = 500  # 10 s that a port is not used again: what an earlier call still sends disturbs nobody
_TAKEN: Final = (errno.EADDRINUSE, errno.EACCES)


class PortPairs:
    """Gives and takes back pairs of bound sockets.

    Args:
        first, last: the range; RTP uses its even ports.
        start: where in the range to begin, 0 to 1: another place after a restart, as the old ports may still be
            sent to.
    """

    def __init__(self, first: int, last: int, start: float) -> None:
        pairs = range(first + first % 2, last, 2)
        begin = int(len(pairs) * start)
        self._free = deque([*pairs[begin:], *pairs[:begin]])
        self._resting: deque[tuple[int, int]] = deque()
        self.range = (first, last)

    def take(self, host: str, tick: int) -> Line:
        """Return the sockets on the next free pair. Raises `EngineError` when there is none."""
        while self._resting and self._resting[0][0] <= tick:
            self._free.append(self._resting.popleft()[1])
        for _ in range(len(self._free)):
            port = self._free.popleft()
            try:
                return Line(host, port)
            except OSError as error:
                self._free.append(port)  # somebody else has it; perhaps not for ever
                if error.errno not in _TAKEN:
                    raise EngineError(f"no RTP on {host}: {error.strerror}") from error
        raise EngineError(f"all RTP ports from {self.range[0]} to {self.range[1]} are in use; widen the range")

    @property
    def resting(self) -> int:
        """Pairs that are not used again yet."""
        return len(self._resting)

    @property
    def free(self) -> int:
        return len(self._free)

    def give_back(self, port: int, tick: int) -> None:
        """Let a pair rest, and then be used again. Its sockets are closed already."""
        self._resting.append((tick + QUARANTINE_TICKS, port))
