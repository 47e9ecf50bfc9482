"""UDP ports for RTP and RTCP: an even one, and the odd one above it (RFC 3550 §11)."""

from __future__ import annotations

import errno
import socket
from collections import deque
from typing import Final

from router.ports import EngineError

QUARANTINE_TICKS: Final = 500  # 10 s that a port is not used again: what an earlier call still sends disturbs nobody
BUFFER_BYTES: Final = 256 * 1024  # two seconds of RTP, should the engine be held up
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

    def take(self, host: str, tick: int) -> tuple[socket.socket, socket.socket, int]:
        """Return the sockets for RTP and RTCP, bound and non-blocking, and the port of the first.

        Raises `EngineError` when no pair is free.
        """
        while self._resting and self._resting[0][0] <= tick:
            self._free.append(self._resting.popleft()[1])
        for _ in range(len(self._free)):
            port = self._free.popleft()
            try:
                return *_bound_pair(host, port), port
            except OSError as error:
                self._free.append(port)  # somebody else has it; perhaps not for ever
                if error.errno not in _TAKEN:
                    raise EngineError(f"no RTP on {host}: {error.strerror}") from error
        raise EngineError(f"all RTP ports from {self.range[0]} to {self.range[1]} are in use; widen the range")

    def give_back(self, port: int, tick: int) -> None:
        """Let a pair rest, and then be used again. Its sockets are closed already."""
        self._resting.append((tick + QUARANTINE_TICKS, port))


def _bound_pair(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    rtp = _bound(host, port)
    try:
        return rtp, _bound(host, port + 1)
    except OSError:
        rtp.close()
        raise


def _bound(host: str, port: int) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        made.bind((host, port))
    except OSError:
        made.close()
        raise
    return made
