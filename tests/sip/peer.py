"""A stack with the far side of its wire in memory, on fake time."""

from __future__ import annotations

import random

from router.ports import Flow
from router.sip.ids import Ids
from router.sip.message import Request, Response, parse
from router.sip.stack import Stack
from router.sip.transaction import ClientTransaction, InviteServer, ServerTransaction

PEER = ("192.0.2.7", 5060)


class Wire:
    """A flow that keeps what is sent on it."""

    def __init__(self, transport: str = "UDP", source: tuple[str, int] = PEER) -> None:
        self.transport = transport
        self.reliable = transport != "UDP"
        self.source = source
        self.local = ("192.0.2.1", 5060)
        self.via = f"SIP/2.0/{transport} 192.0.2.1:5060"
        self.contact = "192.0.2.1:5060"
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)


class Far:
    """The stack under test, and whoever speaks to it.

    Attributes:
        now: seconds; `advance` moves it.
        wire: what the peer uses.
        sent: (time, first line) of everything the stack sent, in order.
        served: transactions handed to the transaction user, with their requests.
        heard: what owners were told: a status, or the cause of a failure.
    """

    def __init__(self, transport: str = "UDP", timer_c: float = 180.0) -> None:
        self.now = 0.0
        self.wire = Wire(transport)
        self.wires: dict[tuple[str, str, int], Wire] = {(transport.lower(), *PEER): self.wire}
        self.sent: list[tuple[float, str]] = []
        self.bytes_sent: list[bytes] = []
        self.served: list[tuple[ServerTransaction, Request]] = []
        self.heard: list[str | int] = []
        self.stack = Stack(Ids(random.Random(5).randbytes), self, timer_c)
        self.stack.user = self

    # what the stack needs

    def flow_to(self, transport: str, host: str, port: int) -> Flow:
        return self.wires.setdefault((transport, host, port), Wire(transport.upper(), (host, port)))

    def request_received(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        if isinstance(transaction, InviteServer):
            transaction.owner = self
        self.served.append((transaction, request))

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        self.heard.append(response.status)

    def transaction_failed(self, transaction: ClientTransaction, cause: str, now: float) -> None:
        self.heard.append(cause)

    def cancel_received(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        self.heard.append("CANCEL")
        transaction.respond(487, now)

    def answer_unacknowledged(self, transaction: ServerTransaction, now: float) -> None:
        self.heard.append("unacknowledged")

    # the wire and the clock

    def receive(self, text: str | bytes, wire: Wire | None = None) -> None:
        """Hand in a message, a text with plain line ends."""
        data = text if isinstance(text, bytes) else text.replace("\n", "\r\n").encode("utf-8", "surrogateescape")
        self.stack.receive(data, wire or self.wire, self.now)
        self.flush()

    def flush(self) -> None:
        for flow, data in self.stack.take_outbox():
            flow.send(data)
            self.sent.append((self.now, data.partition(b"\r\n")[0].decode()))
            self.bytes_sent.append(data)

    def advance(self, seconds: float) -> None:
        """Let time pass, every timer expiring when it is due."""
        end = self.now + seconds
        while self.stack.deadline <= end:
            self.now = max(self.now, self.stack.deadline)
            self.stack.advance(self.now)
            self.flush()
        self.now = end

    def times(self, beginning: str) -> list[float]:
        """When messages whose first line begins so were sent."""
        return [time for time, line in self.sent if line.startswith(beginning)]

    @property
    def messages(self) -> list[Request | Response]:
        return [parse(data) for data in self.bytes_sent]

    def last(self) -> Request | Response:
        return parse(self.bytes_sent[-1])

    # messages

    def request(self, method: str, branch: str = "z9hG4bKpeer1", cseq: int = 1, *headers: str, to_tag: str = "") -> str:
        """A request from the peer."""
        to = f"<sip:201@192.0.2.1>{';tag=' + to_tag if to_tag else ''}"
        cseq_method = method
        lines = [
            f"{method} sip:201@192.0.2.1 SIP/2.0",
            f"Via: SIP/2.0/{self.wire.transport} 192.0.2.7:5060;branch={branch}",
            "Max-Forwards: 70",
            "From: <sip:200@192.0.2.7>;tag=peer",
            f"To: {to}",
            "Call-ID: call@192.0.2.7",
            f"CSeq: {cseq} {cseq_method}",
            *headers,
            "Content-Length: 0",
        ]
        return "\n".join(lines) + "\n\n"

    def send(self, method: str, *headers: str) -> ClientTransaction:
        """The stack sends a request to the peer."""
        branch = self.stack.ids.branch()
        lines = [
            f"{method} sip:7@192.0.2.7 SIP/2.0",
            f"Via: {self.wire.via};branch={branch};rport",
            *headers,
            "Max-Forwards: 68",
            "From: <sip:us@192.0.2.1>;tag=ours",
            "To: <sip:7@192.0.2.7>",
            "Call-ID: ours",
            f"CSeq: 3 {method}",
            "Contact: <sip:192.0.2.1:5060>",
            "Content-Length: 0",
        ]
        data = ("\r\n".join(lines) + "\r\n\r\n").encode()
        transaction = self.stack.send_request(self.wire, method, data, branch, self, self.now)
        self.flush()
        return transaction

    def answer(self, transaction: ClientTransaction, status: int, method: str = "", tag: str = "far") -> None:
        """The peer answers a request of the stack."""
        branch = transaction.key.removesuffix("CANCEL")
        to_tag = f";tag={tag}" if status > 100 else ""
        self.receive(
            f"SIP/2.0 {status} Whatever\n"
            f"Via: {self.wire.via};branch={branch};rport=5060;received=192.0.2.1\n"
            "From: <sip:us@192.0.2.1>;tag=ours\n"
            f"To: <sip:7@192.0.2.7>{to_tag}\n"
            "Call-ID: ours\n"
            f"CSeq: 3 {method or transaction.method}\n"
            "Content-Length: 0\n\n"
        )
