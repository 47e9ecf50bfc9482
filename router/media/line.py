"""The UDP sockets of one session: two share the RTP port, one is for RTCP.

`direct` is connected to the other side, and the kernel gives it what comes from there and nothing else; `wide` gets all
the rest. That keeps strangers away from the sound at no cost, lets them be counted, and a packet is sent and received
for a fifth less than with an address each time (docs/adr/0011).
"""

from __future__ import annotations

import socket
from typing import Final

Address = tuple[str, int] | tuple[str, int, int, int]

BUFFER_BYTES: Final = 256 * 1024  # two seconds of RTP, should the engine be held up


class Line:
    """Sockets for RTP on an even port and RTCP on the next, bound and non-blocking.

    Raises `OSError` when that cannot be had.
    """

    def __init__(self, host: str, port: int) -> None:
        self.port = port
        self._family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._sockets: list[socket.socket] = []
        try:
            self.wide = self._bound(host, port)
            # Alone on the port so far. The two share it, and nobody else does.
            self.wide.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self.direct = self._bound(host, port, reuse=True)
            for one in (self.wide, self.direct):
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)
            self.rtcp = self._bound(host, port + 1)
        except OSError:
            self.close()
            raise

    def _bound(self, host: str, port: int, reuse: bool = False) -> socket.socket:
        made = socket.socket(self._family, socket.SOCK_DGRAM)
        self._sockets.append(made)
        made.setblocking(False)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
        if reuse:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.bind((host, port))
        return made

    def aim(self, address: Address) -> bool:
        """Connect `direct`; returns whether there is a way to that address."""
        try:
            self.direct.connect(address)
        except OSError:
            return False
        return True

    def address(self, host: str, port: int) -> Address:
        """Return an address as the sockets want it."""
        return (host, port, 0, 0) if self._family == socket.AF_INET6 else (host, port)

    def close(self) -> None:
        for one in self._sockets:
            one.close()
