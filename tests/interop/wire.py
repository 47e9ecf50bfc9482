"""A peer that writes its own bytes: for what no well-behaved SIP program would send, or sends only at its own time."""

from __future__ import annotations

import hashlib
import re
import select
import socket
import time
from collections.abc import Iterator
from types import TracebackType

from .messages import Message

Headers = tuple[tuple[str, str], ...]


class Wire:
    """A UDP socket, or one TCP connection, to the router; keeps every message that came."""

    def __init__(self, remote: str, *, transport: str = "udp", host: str = "127.0.0.1", port: int = 0) -> None:
        address, _, remote_port = remote.rpartition(":")
        kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
        self.transport = transport
        self.remote = remote
        self.received: list[Message] = []
        self._socket = socket.socket(socket.AF_INET, kind)
        self._socket.bind((host, port))
        self._socket.settimeout(5)
        self._socket.connect((address, int(remote_port)))
        self._buffer = b""
        self._serial = 0
        self.closed = False
        self.host, self.port = self._socket.getsockname()

    def __enter__(self) -> Wire:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def send(self, data: bytes | str) -> None:
        """Send exactly these bytes."""
        self._socket.sendall(data.encode() if isinstance(data, str) else data)

    def request(
        self,
        method: str,
        uri: str,
        *,
        sender: str = "stranger",
        headers: Headers = (),
        body: str = "",
        call_id: str | None = None,
        cseq: int = 1,
        to: str | None = None,
    ) -> str:
        """Return the text of a well-formed request from this peer, with a new branch; not sent yet."""
        self._serial += 1
        identity = call_id or f"{self._serial}-{time.monotonic_ns()}@wire"
        lines = [
            f"{method} {uri} SIP/2.0",
            f"Via: SIP/2.0/{self.transport.upper()} {self.host}:{self.port};rport;branch=z9hG4bK{time.monotonic_ns()}",
            "Max-Forwards: 70",
            f"From: <sip:{sender}@{self.remote}>;tag=wire{self.port}",
            f"To: {to or f'<{uri}>'}",
            f"Call-ID: {identity}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:{sender}@{self.host}:{self.port};transport={self.transport}>",
            *(f"{name}: {value}" for name, value in headers),
            f"Content-Length: {len(body.encode())}",
        ]
        return "\r\n".join(lines) + "\r\n\r\n" + body

    def asks(self, request: str, seconds: float = 5.0) -> Message:
        """Send a request, over UDP again every half second (RFC 3261 §17.1.2), and return its final response."""
        sent = Message.parse(request, sent=True)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.send(request)
            pause = 0.5 if self.transport == "udp" else seconds
            for answer in self.arrivals(min(pause, deadline - time.monotonic())):
                if answer.status >= 200 and answer["Call-ID"] == sent["Call-ID"] and answer["CSeq"] == sent["CSeq"]:
                    return answer
        raise AssertionError(f"no final response in {seconds:g} s to\n{request}")

    def asks_with_digest(
        self, method: str, uri: str, user: str, password: str, *, headers: Headers = (), body: str = ""
    ) -> Message:
        """Send a request, answer the challenge that must come, and return the response to that."""
        call_id = f"digest-{time.monotonic_ns()}@wire"
        challenge = self.asks(self.request(method, uri, sender=user, call_id=call_id, headers=headers, body=body))
        assert challenge.status in (401, 407), str(challenge)
        answer = credentials(challenge, method, uri, user, password)
        again = self.request(method, uri, sender=user, call_id=call_id, cseq=2, headers=(*headers, answer), body=body)
        return self.asks(again)

    def arrivals(self, seconds: float) -> Iterator[Message]:
        """Yield each message that comes in the next `seconds`."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self.closed:
            readable, _, _ = select.select([self._socket], [], [], left)
            if not readable:
                return
            try:
                data = self._socket.recv(65536)
            except ConnectionError:  # ICMP port unreachable, or a reset
                self.closed = self.transport == "tcp"
                continue
            if self.transport == "udp":
                messages = [data]
            else:
                self.closed = not data
                messages = self._frames(data)
            for raw in messages:
                if raw.strip():
                    self.received.append(Message.parse(raw.decode(errors="replace")))
                    yield self.received[-1]

    def _frames(self, data: bytes) -> list[bytes]:
        self._buffer = (self._buffer + data).lstrip(b"\r\n")
        frames = []
        while b"\r\n\r\n" in self._buffer:
            head, _, rest = self._buffer.partition(b"\r\n\r\n")
            length = re.search(rb"(?im)^(?:content-length|l)\s*:\s*(\d+)", head)
            size = int(length.group(1)) if length else 0
            if len(rest) < size:
                break
            frames.append(head + b"\r\n\r\n" + rest[:size])
            self._buffer = rest[size:].lstrip(b"\r\n")
        return frames


def parameters(value: str) -> dict[str, str]:
    """The parameters of a Digest challenge or of credentials, names in lower case, without quotes."""
    pairs = re.findall(r'(\w+)\s*=\s*("[^"]*"|[^,\s]+)', value.partition(" ")[2])
    return {name.lower(): text.strip('"') for name, text in pairs}


def digest(user: str, realm: str, password: str, method: str, uri: str, fields: dict[str, str]) -> str:
    """RFC 2617 §3.2.2 with MD5: the response for these credentials' nonce, nc, cnonce and qop."""

    def md5(text: str) -> str:
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    middle = f"{fields['nc']}:{fields['cnonce']}:{fields['qop']}:" if "qop" in fields else ""
    return md5(f"{md5(f'{user}:{realm}:{password}')}:{fields['nonce']}:{middle}{md5(f'{method}:{uri}')}")


def credentials(
    challenge: Message, method: str, uri: str, user: str, password: str, *, count: int = 1
) -> tuple[str, str]:
    """The header that answers the MD5 challenge of a 401 or 407."""
    asked, answer = {401: ("WWW-Authenticate", "Authorization"), 407: ("Proxy-Authenticate", "Proxy-Authorization")}[
        challenge.status
    ]
    offered = [parameters(value) for value in challenge.all(asked)]
    fields = next(item for item in offered if item.get("algorithm", "MD5").upper() == "MD5")
    realm, nonce = fields["realm"], fields["nonce"]
    used = {"nonce": nonce, "nc": f"{count:08x}", "cnonce": "0123456789abcdef", "qop": "auth"}
    response = digest(user, realm, password, method, uri, used)
    return answer, (
        f'Digest username="{user}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{response}", '
        f'algorithm=MD5, qop=auth, nc={used["nc"]}, cnonce="{used["cnonce"]}"'
    )
