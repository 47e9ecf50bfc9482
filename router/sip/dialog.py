"""Dialogs (RFC 3261 §12): who talks to whom, in which order, and by which way; and the 2xx that is repeated until its
ACK comes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

from router.ports import Flow, FlowDirectory
from router.sip.errors import RemoteError
from router.sip.name_addr import NameAddr
from router.sip.timers import T1, T2, TIMEOUT, Timer, cancel
from router.sip.uri import SipUri, parse_uri

if TYPE_CHECKING:
    from router.sip.message import Message, Request
    from router.sip.stack import Stack
    from router.sip.transaction import ServerTransaction

MAX_FORWARDS: Final = 70  # RFC 3261 §8.1.1.6


class DialogOwner(Protocol):
    """Who serves the requests of a dialog."""

    def request_received(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """A request of the dialog, in order. A RemoteError that this raises becomes the answer."""
        ...

    def ack_received(self, request: Request, now: float) -> None:
        """The ACK of a 2xx."""
        ...

    def ack_missing(self, now: float) -> None:
        """64·T1 passed without the ACK of a 2xx: the session is to be ended (RFC 3261 §13.3.1.4)."""
        ...


class Dialog:
    """One dialog, from its first request on; early until `remote_tag` is known.

    Attributes:
        local_tag: unique in the stack, its key in `stack.dialogs`.
        local, remote: From and To values of our requests, without tags.
        target: the peer's Contact URI.
        routes: Route lines, each with CRLF; "" when there are none.
        strict: URI of the next hop where that is a strict router of RFC 2543, else "".
        sticky: requests go where the peer's own came from, because its Contact cannot be trusted (a phone behind NAT).
    """

    __slots__ = (
        "call_id",
        "flow",
        "local",
        "local_cseq",
        "local_tag",
        "owner",
        "remote",
        "remote_cseq",
        "remote_tag",
        "routes",
        "sticky",
        "strict",
        "target",
    )

    def __init__(
        self,
        call_id: str,
        local_tag: str,
        remote_tag: str | None,
        local: str,
        remote: str,
        target: str,
        flow: Flow,
        owner: DialogOwner,
        sticky: bool = False,
    ) -> None:
        self.call_id = call_id
        self.local_tag = local_tag
        self.remote_tag = remote_tag
        self.local = local
        self.remote = remote
        self.target = target
        self.routes = ""
        self.strict = ""
        self.local_cseq = 0
        self.remote_cseq = -1
        self.flow = flow
        self.owner = owner
        self.sticky = sticky

    @classmethod
    def incoming(
        cls, request: Request, local_tag: str, flow: Flow, owner: DialogOwner, flows: FlowDirectory, sticky: bool
    ) -> Dialog:
        """The dialog that answering `request` creates (RFC 3261 §12.1.1). Raises RemoteError for a malformed Contact
        or Record-Route."""
        remote = request.get("from") or ""
        tag = request.from_tag
        dialog = Dialog(
            request.call_id, local_tag, tag, request.get("to") or "", _untagged(remote, tag), "", flow, owner, sticky
        )
        dialog.remote_cseq = request.cseq
        if "contact" in request:
            dialog.learn_target(request)
        else:  # RFC 2543 let a caller leave it out
            dialog.target = NameAddr.parse(remote).uri
        if "record-route" in request:
            dialog._route(request.list("record-route"))
        dialog.choose_flow(flows)
        return dialog

    def confirm(self, response: Message, flows: FlowDirectory) -> None:
        """Take tag, target and route set from the 2xx to our request (RFC 3261 §12.1.2). Raises RemoteError."""
        self.remote_tag = response.to_tag
        self.learn_target(response)
        if "record-route" in response:
            self._route(response.list("record-route")[::-1])
        elif self.routes:  # those that the request began with served it alone
            self._route([])
        self.choose_flow(flows)

    def learn_target(self, message: Message) -> None:
        """Target refresh (RFC 3261 §12.2): a Contact replaces the remote target. Raises RemoteError when it is
        malformed."""
        contact = message._index.get("contact")
        if contact is None:
            return
        before, _, rest = contact.partition("<sip:")
        uri, closed, after = rest.partition(">")
        if (
            closed and '"' not in before and "," not in after and uri.isprintable()
            and " " not in uri and "?" not in uri and "<" not in uri
        ):  # fmt: skip
            self.target = "sip:" + uri
            return
        contacts = message.list("contact")
        parsed = NameAddr.parse(contacts[0]).parsed_uri() if len(contacts) == 1 else None
        if not isinstance(parsed, SipUri):
            raise RemoteError("Contact must be one SIP URI")
        self.target = str(parsed.bare())

    def choose_flow(self, flows: FlowDirectory) -> None:
        """Decide where requests of this dialog go (RFC 3261 §12.2.1.1 and §8.1.2): first Route, else the target."""
        flow = self.flow
        if self.strict:
            text = self.strict
        elif self.routes:
            text = self.routes.partition("<")[2].partition(">")[0]
        else:
            if self.sticky or flow.reliable or not self.target:
                return
            host, port = flow.source
            if self.target.endswith(f"@{host}:{port}") or self.target == f"sip:{host}:{port}":
                return
            text = self.target
        uri = parse_uri(text)
        if not isinstance(uri, SipUri):
            raise RemoteError("the next hop is not a SIP URI")
        host = uri.param("maddr") or uri.address
        port = uri.port or 5060
        transport = uri.transport or "udp"
        if (host, port) == flow.source and transport == flow.transport.lower():
            return
        if self.sticky and flow.reliable:
            return
        try:
            self.flow = flows.flow_to(transport, host, port)
        except LookupError as error:
            raise RemoteError(f"no listener reaches {transport}") from error

    def matches(self, request: Request) -> bool:
        """Whether an in-dialog request is of this dialog (its To tag was the key already)."""
        return request.call_id == self.call_id and (self.remote_tag is None or request.from_tag == self.remote_tag)

    def in_order(self, request: Request) -> bool:
        """Check and take the CSeq of a new request (RFC 3261 §12.2.2): lower than the last one is out of order."""
        if request.cseq < self.remote_cseq:
            return False
        self.remote_cseq = request.cseq
        return True

    def request(
        self,
        method: str,
        branch: str,
        headers: str = "",
        body: bytes = b"",
        cseq: int | None = None,
        max_forwards: int = MAX_FORWARDS,
    ) -> bytes:
        """Write a request of this dialog (RFC 3261 §12.2.1.1).

        Args:
            branch: of the new transaction. headers: lines with CRLF each.
            cseq: for ACK, the CSeq of its INVITE; None takes the next one.
        """
        if cseq is None:
            cseq = self.local_cseq = self.local_cseq + 1
        remote_tag = f";tag={self.remote_tag}" if self.remote_tag else ""
        uri, routes = self.target, self.routes
        if self.strict:
            uri, routes = self.strict, f"{routes}Route: <{uri}>\r\n"
        text = (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: {self.flow.via};branch={branch};rport\r\n"
            f"{routes}"
            f"Max-Forwards: {max_forwards}\r\n"
            f"From: {self.local};tag={self.local_tag}\r\n"
            f"To: {self.remote}{remote_tag}\r\n"
            f"Call-ID: {self.call_id}\r\n"
            f"CSeq: {cseq} {method}\r\n"
            f"{headers}"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return text.encode("utf-8", "surrogateescape") + body

    def _route(self, routes: list[str]) -> None:
        self.strict = ""
        if routes:
            first = NameAddr.parse(routes[0]).parsed_uri()
            if isinstance(first, SipUri) and first.param("lr") is None:
                # RFC 3261 §12.2.1.1: it becomes the Request-URI, the target the last route.
                self.strict = str(first.bare())
                del routes[0]
        self.routes = "".join(f"Route: {route}\r\n" for route in routes)


class Answer:
    """A 2xx to INVITE that is sent again until its ACK comes (RFC 3261 §13.3.1.4), over whatever transport."""

    __slots__ = ("_data", "_dialog", "_flow", "_interval", "_stack", "_timer", "_waited")

    def __init__(self, stack: Stack, dialog: Dialog, flow: Flow, data: bytes, now: float) -> None:
        """`flow` is the INVITE transaction's: an answer goes back by the Via, whatever the route of the dialog."""
        self._stack = stack
        self._dialog: Dialog | None = dialog
        self._flow = flow
        self._data = data
        self._interval = T1
        self._waited = 0.0
        self._timer: Timer | None = stack.timers.start(T1, self, "2xx", now)

    def stop(self) -> None:
        """The ACK is here, or the dialog is over."""
        cancel(self._timer)
        self._timer = self._dialog = None

    def timer_expired(self, _name: str, now: float) -> None:
        dialog = self._dialog
        if dialog is None:
            return
        self._waited += self._interval
        if self._waited >= TIMEOUT:
            self.stop()
            dialog.owner.ack_missing(now)
            return
        self._stack.retransmit(self._flow, self._data, "INVITE")
        self._interval = min(self._interval * 2, T2, TIMEOUT - self._waited)
        self._timer = self._stack.timers.start(self._interval, self, "2xx", now)


def _untagged(value: str, tag: str | None) -> str:
    """A From or To value without its tag parameter."""
    if tag is None:
        return value
    end = value.rfind(">") + 1
    start = value.find(f";tag={tag}", end)
    if start >= 0:
        return value[:start] + value[start + 5 + len(tag) :]
    return str(NameAddr.parse(value).without_param("tag"))
