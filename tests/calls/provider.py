"""The router's trunks with the provider's side of the wire in memory, on fake time."""

from __future__ import annotations

import random

from router.calls.trunk import TrunkLine, Trunks
from router.model.peers import Trunk, TrunkRegistration
from router.sip.digest import Credentials, DigestServer, Verdict, ha1
from router.sip.ids import Ids
from router.sip.message import Request, parse
from router.sip.stack import Stack

PASSWORD = "s3cret-of-the-company"
REALM = "provider.example"


def registering(name: str = "provider", port: int = 5080, **account: object) -> Trunk:
    """A trunk that is reached by REGISTER, without health checks."""
    fields: dict[str, object] = {
        "uri": f"sip:{REALM}",
        "user": "32042200100",
        "auth_user": "account7",
        "password": PASSWORD,
    }
    return Trunk(name, "192.0.2.1", port, options_interval=0, registration=TrunkRegistration(**(fields | account)))  # type: ignore[arg-type]


class Wire:
    """A flow that keeps what is sent, for the provider to read."""

    def __init__(self, transport: str, host: str, port: int) -> None:
        self.transport = transport.upper()
        self.reliable = transport != "udp"
        self.source = (host, port)
        self.local = ("192.0.2.100", 5060)
        self.via = f"SIP/2.0/{self.transport} 192.0.2.100:5060"
        self.contact = "192.0.2.100:5060" + (";transport=tcp" if self.reliable else "")
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)


class Router:
    """The real stack and the real trunks; `advance` is the only clock.

    Attributes:
        wires: every flow that was opened, oldest first.
        events: (trunk, up, cause) as reported by `on_change`.
        unreachable: hosts to which no listener fits.
    """

    def __init__(self, *configured: Trunk) -> None:
        self.now = 1000.0
        self.wires: list[Wire] = []
        self.events: list[tuple[str, bool, str]] = []
        self.unreachable: set[str] = set()
        self._unread: list[tuple[Wire, Request]] = []
        self._branches: set[str] = set()
        self.stack = Stack(Ids(random.Random(7).randbytes), self)
        self.trunks = Trunks(configured, self.stack, self, self.stack.ids.token, self._note)

    def _note(self, line: TrunkLine) -> None:
        self.events.append((line.trunk.name, line.up, line.cause))

    def flow_to(self, transport: str, host: str, port: int) -> Wire:
        """`FlowDirectory`: a new wire each time, so that a renewed flow can be told from the old one."""
        if host in self.unreachable:
            raise LookupError(f"no {transport} listener for {host}")
        self.wires.append(Wire(transport, host, port))
        return self.wires[-1]

    def line(self, name: str = "provider") -> TrunkLine:
        return self.trunks.lines[name]

    def settled(self) -> bool:
        return self.trunks.settled

    # ------------------------------------------------------------------------------------------------ time

    def start(self) -> None:
        self.trunks.start(self.now)

    def advance(self, seconds: float) -> None:
        """Let time pass, every timer expiring when it is due."""
        end = self.now + seconds
        while self.stack.deadline <= end:
            self.now = max(self.now, self.stack.deadline)
            self.stack.advance(self.now)
        self.now = end

    # ---------------------------------------------------------------------------------------- the provider

    def received(self, method: str) -> list[Request]:
        """New requests of that method since the last look, retransmissions left out."""
        for flow, data in self.stack.take_outbox():
            assert isinstance(flow, Wire)
            flow.send(data)
            request = parse(data)
            assert isinstance(request, Request)
            if request.via.branch not in self._branches:
                self._branches.add(request.via.branch)
                self._unread.append((flow, request))
        found = [request for _, request in self._unread if request.method == method]
        self._unread = [entry for entry in self._unread if entry[1].method != method]
        return found

    def next(self, method: str) -> Request:
        """The one new request of that method."""
        (request,) = self.received(method)
        return request

    def answer(self, request: Request, status: int, *headers: str) -> None:
        """Answer as the far end of whatever wire the request came by."""
        lines = [
            f"SIP/2.0 {status} Whatever",
            f"Via: {request.via.text}",
            f"From: {request.get('from')}",
            f"To: {request.get('to')};tag=far",
            f"Call-ID: {request.call_id}",
            f"CSeq: {request.cseq} {request.method}",
            *headers,
            "Content-Length: 0",
        ]
        self.stack.receive(("\r\n".join(lines) + "\r\n\r\n").encode(), self.wires[-1], self.now)

    def accept(self, request: Request, expires: int = 300) -> None:
        self.answer(request, 200, f"Contact: {request.get('contact')};expires={expires}")

    def lose(self, wire: Wire) -> None:
        """A connection is gone, told as the app tells it."""
        self.stack.flow_failed(wire, b"", self.now)
        self.trunks.flow_failed(wire, b"", self.now)

    def refuse_to_deliver(self, request: Request) -> None:
        """An ICMP error comes back for the datagram with this request."""
        data = next(data for wire in self.wires for data in wire.sent if request.via.branch.encode() in data)
        self.stack.flow_failed(self.wires[-1], data, self.now)


class Gatekeeper:
    """Digest at the provider, by the server side of the project's own digest."""

    def __init__(self, router: Router, realm: str = REALM, password: str = PASSWORD, lifetime: int = 100_000) -> None:
        self._router = router
        self._server = DigestServer(realm, b"k" * 16, random.Random(8).randbytes, lifetime=lifetime)
        self._realm = realm
        self._password = password

    def challenge(self, request: Request, status: int = 401, stale: bool = False) -> None:
        header = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
        self._router.answer(request, status, *(f"{header}: {value}" for value in self.challenges(stale)))

    def challenges(self, stale: bool = False) -> list[str]:
        return self._server.challenges(self._router.now, stale)

    def verdict(self, request: Request) -> Verdict:
        """What the server says of the credentials in a request."""
        return self.judge(request.get("authorization") or "", request.method, request.uri)

    def judge(self, value: str, method: str, uri: str) -> Verdict:
        credentials = Credentials.parse(value)
        return self._server.check(credentials, method, uri, self._look_up, self._router.now)

    def _look_up(self, user: str, algorithm: str) -> str | None:
        return ha1(user, self._realm, self._password, algorithm) if user == "account7" else None
