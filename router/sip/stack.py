"""The SIP core as one sans-IO object: bytes and the time go in; bytes to send, calls to owners and the next deadline
come out.

    stack.receive(data, flow, now)      # one datagram, or one message cut out of a stream
    stack.advance(now)                  # not later than stack.deadline
    for flow, data in stack.take_outbox(): flow.send(data)

Requests outside a dialog go to `stack.user`; requests inside one to the owner of the dialog; responses to the owner
of their transaction.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from router.model.tally import Counts
from router.ports import Flow, FlowDirectory
from router.sip.counting import MessageCounter
from router.sip.dialog import Dialog
from router.sip.errors import RemoteError
from router.sip.ids import BRANCH_COOKIE, BRANCH_LENGTH, Ids
from router.sip.message import Message, Request, Response, Via, parse, tag_of
from router.sip.name_addr import split_parameters
from router.sip.timers import TIMEOUT, TIMER_C, Timers
from router.sip.transaction import (
    ACCEPTED,
    ACK,
    BROKEN,
    CALLING,
    FAILURE,
    PROCEEDING,
    PROVISIONAL,
    REASONS,
    RETRANSMISSION,
    SUCCESS,
    TRYING,
    ClientOwner,
    ClientTransaction,
    InviteClient,
    InviteServer,
    NonInviteClient,
    NonInviteServer,
    ServerTransaction,
    Transaction,
)

METHODS: Final = frozenset(
    "INVITE ACK BYE CANCEL OPTIONS REGISTER INFO REFER NOTIFY SUBSCRIBE MESSAGE PUBLISH UPDATE PRACK".split()
)
# What the router serves; the Allow of everything it sends itself.
ALLOW: Final = "Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, REGISTER, INFO, REFER, NOTIFY, SUBSCRIBE, MESSAGE\r\n"


class TransactionUser(Protocol):
    """Who serves what belongs to no dialog yet."""

    def request_received(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """A new request without To tag. A RemoteError that this raises becomes the answer."""
        ...


class Stack:
    """Transactions and dialogs of one router.

    Args:
        ids: identifiers.
        flows: where to send what does not simply go back (RFC 3261 §18.2.2, §12.2.1.1).
        timer_c: seconds after which an INVITE that only rings is given up (RFC 3261 §16.8; more than three minutes).
    Attributes:
        user: see `TransactionUser`; set before the first `receive`.
        dialogs: by our own tag, which is unique.
        user_agent, server: header lines that say which product speaks, with CRLF, or ""; see `introduce`.
        requests, responses, retransmissions, malformed: counters with closed label sets.
        on_malformed: told of bytes that could not be served, for a bounded log: (flow, text).
    """

    def __init__(self, ids: Ids, flows: FlowDirectory, timer_c: float = TIMER_C) -> None:
        self.ids = ids
        self.flows = flows
        self.timer_c = timer_c + 1.0
        self.timers = Timers()
        self.user: TransactionUser
        self.dialogs: dict[str, Dialog] = {}
        self.requests = Counts()  # method, direction
        self.responses = Counts()  # method, code, direction
        self.retransmissions = Counts()  # method, direction
        self.malformed = Counts()  # reason
        self._received = MessageCounter(self.requests, self.responses, METHODS, "in")
        self._sent = MessageCounter(self.requests, self.responses, METHODS, "out")
        self.on_malformed: Callable[[Flow, str], None] | None = None
        self.user_agent = ""
        self.server = ""
        self._outbox: list[tuple[Flow, bytes]] = []
        self._clients: dict[str, ClientTransaction] = {}
        self._servers: dict[str, ServerTransaction] = {}
        self._merging: dict[str, ServerTransaction] = {}

    # ------------------------------------------------------------------------------------------ time and bytes

    @property
    def deadline(self) -> float:
        """When `advance` must be called; infinity when nothing waits."""
        return self.timers.deadline

    @property
    def transactions(self) -> int:
        """How many transactions live, for gauges and for tests of leaks."""
        return len(self._clients) + len(self._servers)

    def introduce(self, product: str) -> None:
        """Say in what begins something, and in what answers it, which product this is (RFC 3261 §20.35, §20.41); "":
        say nothing. Refusals say nothing either, so that a stranger who probes learns nothing."""
        self.user_agent = f"User-Agent: {product}\r\n" if product else ""
        self.server = f"Server: {product}\r\n" if product else ""

    def advance(self, now: float) -> None:
        """Let the timers expire whose time has come."""
        self.timers.expire(now)

    def take_outbox(self) -> list[tuple[Flow, bytes]]:
        """What is to be sent, in order. The caller sends it; the stack keeps nothing of it."""
        outbox, self._outbox = self._outbox, []
        return outbox

    def send(self, flow: Flow, data: bytes) -> None:
        self._outbox.append((flow, data))

    def retransmit(self, flow: Flow, data: bytes, method: str) -> None:
        self.retransmissions[method if method in METHODS else "other", "out"] += 1
        self._outbox.append((flow, data))

    def count_response(self, method: str, status: int) -> None:
        self._sent.response(method, status)

    # ---------------------------------------------------------------------------------------------- receiving

    def receive(self, data: bytes, flow: Flow, now: float) -> None:
        """Serve one message. Bytes of a stranger never raise: they are answered, or dropped and counted."""
        try:
            message = parse(data)
            if type(message) is Response:
                self._response_received(message, now)
            elif type(message) is Request:
                self._request_received(message, flow, now)
        except RemoteError as error:
            self._refuse(error, flow)

    def flow_failed(self, flow: Flow, data: bytes, now: float) -> None:
        """A transport could not deliver: `data` is the datagram (or its beginning), or b"" for a whole connection."""
        if data:
            start = data.find(b";branch=")
            if start < 0:
                return
            branch = data[start + 8 : start + 8 + BRANCH_LENGTH].decode("ascii", "replace")
            key = branch + "CANCEL" if data.startswith(b"CANCEL ") else branch
            transaction = self._clients.get(key)
            if transaction is not None and not data.startswith(b"ACK "):
                transaction.fire(BROKEN, None, now)
            return
        for transaction in [t for t in self._clients.values() if t.flow is flow]:
            if self._clients.get(transaction.key) is transaction:
                transaction.fire(BROKEN, None, now)

    def _response_received(self, response: Response, now: float) -> None:
        method = response.method
        branch = branch_of(response)
        transaction = self._clients.get(branch + "CANCEL" if method == "CANCEL" else branch)
        status = response.status
        self._received.response(method, status)
        if transaction is None or transaction.method != method:
            self.malformed["stray response",] += 1  # RFC 3261 §18.1.2: discarded silently
            return
        transaction.fire(PROVISIONAL if status < 200 else SUCCESS if status < 300 else FAILURE, response, now)

    def _request_received(self, request: Request, flow: Flow, now: float) -> None:
        method = request.method
        try:
            via = request.via
        except RemoteError as error:
            error.request = request if method != "ACK" else None
            raise
        # RFC 3261 §17.2.3: branch, sent-by and method, where ACK belongs to its INVITE; RFC 2543 peers have no branch
        # of use. The transport belongs to it too: what comes over another one is not a retransmission.
        branch = via.branch
        if len(branch) > 7 and branch.startswith(BRANCH_COOKIE):
            key = f"{branch}{via.sent_by}{flow.transport}"
        else:
            key = f"{request.uri} {request.call_id} {request.from_tag} {request.cseq} {via.text}{flow.transport}"
        if method == "INVITE":
            pass
        elif method == "ACK":
            self._ack_received(request, key, now)
            return
        else:
            key = f"{key} {method}"
        transaction = self._servers.get(key)
        if transaction is not None:
            self.retransmissions[method if method in METHODS else "other", "in"] += 1
            transaction.fire(RETRANSMISSION, request, now)
            return
        self._received.request(method)
        tag = request.to_tag
        transaction = self._serve(request, via, key, tag, flow)
        try:
            if method == "CANCEL":
                self._cancel_received(transaction, request, key[:-7], now)
            elif tag is not None:
                self._dialog_request_received(transaction, request, tag, now)
            elif method == "INVITE" and not self._remember_merge(transaction, request):
                transaction.respond(482, now)  # RFC 3261 §8.2.2.2: the same request by another path
            else:
                self.user.request_received(transaction, request, now)
        except RemoteError as error:
            if not transaction.answered:
                transaction.refuse(error.status, now, "".join(f"{line}\r\n" for line in error.headers))

    def _serve(self, request: Request, via: Via, key: str, tag: str | None, flow: Flow) -> ServerTransaction:
        """Make the server transaction, with the lines that its responses repeat (RFC 3261 §8.2.6.2)."""
        values = request._index
        head = (
            f"{via_lines(request, via, flow)}From:{values['from']}\r\n"
            f"Call-ID:{values['call-id']}\r\nCSeq:{values['cseq']}\r\n"
        )
        back = flow if flow.reliable else self._flow_back(via, flow)
        transaction: ServerTransaction
        if request.method == "INVITE":
            transaction = InviteServer(self, key, "INVITE", back, PROCEEDING, head, values["to"], tag)
        else:
            transaction = NonInviteServer(self, key, request.method, back, TRYING, head, values["to"], tag)
        self._servers[key] = transaction
        return transaction

    def _flow_back(self, via: Via, flow: Flow) -> Flow:
        """Where responses go over UDP: the source address, and the port of rport or sent-by (RFC 3581 §4, RFC 3261
        §18.2.2)."""
        if via.rport or (via.port or 5060) == flow.source[1]:
            return flow
        try:
            return self.flows.flow_to("udp", flow.source[0], via.port or 5060)
        except LookupError:
            return flow

    def _remember_merge(self, transaction: ServerTransaction, request: Request) -> bool:
        key = f"{request.cseq} {request.call_id} {request.from_tag}"
        if key in self._merging:
            return False
        self._merging[key] = transaction
        transaction._merge_key = key
        return True

    def _ack_received(self, request: Request, key: str, now: float) -> None:
        self._received.request("ACK")
        transaction = self._servers.get(key)
        if transaction is not None and transaction.method == "INVITE":  # a forged key could name another
            transaction.fire(ACK, request, now)
            if transaction.state != ACCEPTED:
                return
        tag = request.to_tag
        dialog = self.dialogs.get(tag) if tag is not None else None
        if dialog is not None and dialog.matches(request):
            dialog.owner.ack_received(request, now)

    def _cancel_received(self, transaction: ServerTransaction, request: Request, invite_key: str, now: float) -> None:
        """RFC 3261 §9.2: 200 to the CANCEL, whatever becomes of the INVITE; 481 when there is none."""
        invite = self._servers.get(invite_key)
        if invite is None:
            transaction.respond(481, now)
            return
        transaction.respond(200, now, tag=invite.tag)
        if invite.state == PROCEEDING:
            if invite.owner is not None:
                invite.owner.cancel_received(invite, request, now)
            else:
                invite.respond(487, now)

    def _dialog_request_received(self, transaction: ServerTransaction, request: Request, tag: str, now: float) -> None:
        dialog = self.dialogs.get(tag)
        if dialog is None or not dialog.matches(request):
            transaction.respond(481, now)
        elif not dialog.in_order(request):
            transaction.respond(500, now, headers="Retry-After: 1\r\n")  # RFC 3261 §12.2.2
        else:
            dialog.owner.request_received(transaction, request, now)

    def _refuse(self, error: RemoteError, flow: Flow) -> None:
        """Answer what could not be parsed without keeping state, or drop it."""
        request = error.request
        self.malformed["answered" if request is not None else "dropped",] += 1
        if self.on_malformed is not None:
            self.on_malformed(flow, error.text)
        if request is None:
            return
        lines: list[str] = []
        try:
            via = request.via
            lines.extend(via_lines(request, via, flow).rstrip().split("\r\n"))
            back = flow if flow.reliable else self._flow_back(via, flow)
        except RemoteError:  # the Via itself is what cannot be read: repeat it and answer to where it came from
            lines.extend(line for key, line in request.fields if key == "via")
            back = flow
        for key in ("from", "to", "call-id", "cseq"):
            line = next((line for name, line in request.fields if name == key), None)
            if line is not None:
                lines.append(f"{line};tag={self.ids.token()}" if key == "to" and tag_of(line) is None else line)
        # What is malformed is repeated, but cannot break the lines of the answer.
        headers = "".join(f"{line.translate(_NO_BREAKS)}\r\n" for line in (*lines, *error.headers))
        reason = REASONS.get(error.status, "Bad Request")
        phrase = f"{reason} ({error.text})" if error.status == 400 else reason
        text = f"SIP/2.0 {error.status} {phrase}\r\n{headers}Content-Length: 0\r\n\r\n"
        self.count_response(request.method, error.status)
        self._outbox.append((back, text.encode("utf-8", "surrogateescape")))

    # ------------------------------------------------------------------------------------------------ sending

    def send_request(
        self, flow: Flow, method: str, data: bytes, branch: str, owner: ClientOwner | None, now: float
    ) -> ClientTransaction:
        """Send a request in a client transaction of its own.

        Args:
            data: the whole request, whose topmost Via carries `branch` (from `ids.branch()`).
            owner: hears of responses and failures.
        """
        self._sent.request(method)
        timers = self.timers
        transaction: ClientTransaction
        if method == "INVITE":
            transaction = InviteClient(self, branch, method, flow, CALLING, data, owner)
            if not flow.reliable:
                transaction.retransmit = timers.start(transaction.interval, transaction, "A", now)
            transaction.lifetime = timers.start(TIMEOUT, transaction, "B", now)
        else:
            key = branch + "CANCEL" if method == "CANCEL" else branch
            transaction = NonInviteClient(self, key, method, flow, TRYING, data, owner)
            if not flow.reliable:
                transaction.retransmit = timers.start(transaction.interval, transaction, "E", now)
            transaction.lifetime = timers.start(TIMEOUT, transaction, "F", now)
        self._clients[transaction.key] = transaction
        self._outbox.append((flow, data))
        return transaction

    def send_ack(self, flow: Flow, data: bytes) -> None:
        """Send the ACK of a 2xx, which is a transaction of its own without an answer (RFC 3261 §13.2.2.4)."""
        self._sent.request("ACK")
        self._outbox.append((flow, data))

    def send_cancel(self, invite: ClientTransaction, data: bytes, headers: str, now: float) -> None:
        """CANCEL an INVITE: same Request-URI, Via, From, To, Call-ID, Route, and CSeq number (RFC 3261 §9.1)."""
        text = hop_by_hop(data, "CANCEL", None, headers)
        self.send_request(invite.flow, "CANCEL", text, invite.key, None, now)

    def acknowledge_refusal(self, invite: ClientTransaction, data: bytes, response: Response) -> bytes:
        """ACK of a non-2xx, in the transaction (RFC 3261 §17.1.1.3)."""
        text = hop_by_hop(data, "ACK", response._index["to"], "")
        self._sent.request("ACK")
        self._outbox.append((invite.flow, text))
        return text

    def forget(self, transaction: Transaction) -> None:
        """Take a terminated transaction out of the tables."""
        if isinstance(transaction, ServerTransaction):
            self._servers.pop(transaction.key, None)
            if transaction._merge_key is not None:
                self._merging.pop(transaction._merge_key, None)
        else:
            self._clients.pop(transaction.key, None)


def hop_by_hop(invite: bytes, method: str, to: str | None, headers: str) -> bytes:
    """The CANCEL or the ACK that belongs to an INVITE's transaction, made from the INVITE as sent."""
    head = invite.partition(b"\r\n\r\n")[0].decode("utf-8", "surrogateescape")
    lines = head.split("\r\n")
    kept = [f"{method} {lines[0].partition(' ')[2]}"]
    via_seen = False
    for line in lines[1:]:
        name, _, value = line.partition(":")
        if name == "Via":
            if not via_seen:
                kept.append(line)
            via_seen = True
        elif name == "CSeq":
            kept.append(f"CSeq: {value.split()[0]} {method}")
        elif name == "To":
            kept.append(line if to is None else f"To:{to}")
        elif name in ("From", "Call-ID", "Max-Forwards", "Route"):
            kept.append(line)
    return ("\r\n".join(kept) + f"\r\n{headers}Content-Length: 0\r\n\r\n").encode("utf-8", "surrogateescape")


def branch_of(response: Message) -> str:
    """Branch of the topmost Via, the quick way where it is one of ours."""
    before, found, after = response._index["via"].partition(";branch=")
    if found and after[BRANCH_LENGTH : BRANCH_LENGTH + 1] in _ENDS and '"' not in before:
        return after[:BRANCH_LENGTH]
    return response.via.branch


def via_lines(request: Request, via: Via, flow: Flow) -> str:
    """The Via lines for the responses, the topmost with `received` and `rport` filled in (RFC 3581 §4, RFC 3261
    §18.2.1)."""
    host, port = flow.source
    text = via.text
    if via.received is not None:  # what the peer itself wrote there is not to be believed
        text = _stamped(via, f"{host};rport={port}" if via.rport else host)
    elif via.rport:
        at = len(text) - 6 if text.endswith(";rport") else text.find(";rport;")
        if at > 0:
            text = f"{text[:at]};rport={port};received={host}{text[at + 6 :]}"
        else:
            text = _stamped(via, f"{host};rport={port}")
    elif via.host != host:
        text = f"{text};received={host}"
    rest = request.lines("via")
    if len(rest[0]) > len(via.text):  # more than one value in the first line
        text += rest[0][len(via.text) :]
    if len(rest) == 1:
        return f"Via: {text}\r\n"
    return "".join(f"Via: {value}\r\n" for value in (text, *rest[1:]))


def _stamped(via: Via, received: str) -> str:
    """A Via value with `received` (and `rport`, written behind it) in place of what the peer wrote of these two."""
    head, *parameters = split_parameters(via.text)
    others = [p for p in parameters if p.partition("=")[0].strip().lower() not in ("received", "rport")]
    return ";".join((head.rstrip(), *others, f"received={received}"))


_ENDS: Final = frozenset((";", "", ","))  # what may follow a branch of ours
_NO_BREAKS: Final = str.maketrans("\r\n\0", "   ")
