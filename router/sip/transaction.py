"""The four transaction machines of RFC 3261 §17, with RFC 6026 (2xx and its ACK) and RFC 4320 (non-INVITE), as tables.

A row reads: in this state, on this event, go to that state and do this, in this order. An event that has no row
raises LocalError and changes nothing. What a transaction sends goes to the stack's outbox; what it learns goes to its
owner, at once and in order.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Final, Protocol

from router.ports import Flow
from router.sip.errors import LocalError
from router.sip.timers import T1, T2, T4, TIMEOUT, TRYING_AFTER, Timer, cancel

if TYPE_CHECKING:
    from router.sip.message import Request, Response
    from router.sip.stack import Stack

# States (RFC 3261 figures 5 to 8, RFC 6026 figures 1 and 2)
CALLING: Final = "calling"
TRYING: Final = "trying"
PROCEEDING: Final = "proceeding"
COMPLETED: Final = "completed"
ACCEPTED: Final = "accepted"
CONFIRMED: Final = "confirmed"
TERMINATED: Final = "terminated"

# Events
PROVISIONAL: Final = "1xx"
SUCCESS: Final = "2xx"
FAILURE: Final = "3xx-6xx"
RETRANSMISSION: Final = "request again"
ACK: Final = "ACK"
BROKEN: Final = "transport error"

REASONS: Final = {
    100: "Trying",
    180: "Ringing",
    181: "Call Is Being Forwarded",
    183: "Session Progress",
    200: "OK",
    202: "Accepted",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    406: "Not Acceptable",
    407: "Proxy Authentication Required",
    408: "Request Timeout",
    413: "Request Entity Too Large",
    415: "Unsupported Media Type",
    416: "Unsupported URI Scheme",
    420: "Bad Extension",
    423: "Interval Too Brief",
    480: "Temporarily Unavailable",
    481: "Call/Transaction Does Not Exist",
    482: "Loop Detected",
    483: "Too Many Hops",
    486: "Busy Here",
    487: "Request Terminated",
    488: "Not Acceptable Here",
    489: "Bad Event",
    491: "Request Pending",
    500: "Server Internal Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    504: "Server Time-out",
    505: "Version Not Supported",
    513: "Message Too Large",
    603: "Decline",
}


class ClientOwner(Protocol):
    """Who sent a request and hears of its fate."""

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None: ...

    def transaction_failed(self, transaction: ClientTransaction, cause: str, now: float) -> None:
        """No final response came. `cause` is "timeout" (as if 408) or "transport" (as if 503), RFC 3261 §8.1.3.1."""
        ...


class ServerOwner(Protocol):
    """Who answers an INVITE and hears that the caller gave up."""

    def cancel_received(self, transaction: ServerTransaction, request: Request, now: float) -> None: ...

    def answer_unacknowledged(self, transaction: ServerTransaction, now: float) -> None:
        """Timer H: no ACK came for a final refusal. Nothing is left to do but to forget."""
        ...


Action = Callable[[Any, Any, float], None]
Row = tuple[str, tuple[Action, ...]]
Table = dict[str, dict[str, Row]]


class Transaction:
    """What all four have in common. `key` is the entry in the stack's table."""

    __slots__ = ("flow", "interval", "key", "lifetime", "method", "retransmit", "stack", "state")

    TABLE: ClassVar[Table] = {}

    def __init__(self, stack: Stack, key: str, method: str, flow: Flow, state: str) -> None:
        self.stack = stack
        self.key = key
        self.method = method
        self.flow = flow
        self.state = state
        self.interval = T1
        self.retransmit: Timer | None = None  # timers A, E, G
        self.lifetime: Timer | None = None  # timers B, D, F, H, I, J, K, L, M

    def fire(self, event: str, message: Request | Response | None, now: float) -> None:
        """Let one event happen. Raises LocalError when the table knows no such event in this state."""
        row = self.TABLE[self.state].get(event)
        if row is None:
            raise LocalError(f"{type(self).__name__} in state {self.state} has no row for {event}")
        self.state = row[0]
        for action in row[1]:
            action(self, message, now)

    def timer_expired(self, name: str, now: float) -> None:
        self.fire(name, None, now)


class ClientTransaction(Transaction):
    """A request on its way (RFC 3261 §17.1). Made by `Stack.send_request`.

    Attributes:
        data: the request as sent, None once no retransmission or CANCEL can need it.
        owner: hears of responses; None once nobody cares.
    """

    __slots__ = ("acknowledged_tag", "acknowledgement", "cancelled", "data", "owner", "timer_c")

    def __init__(
        self, stack: Stack, key: str, method: str, flow: Flow, state: str, data: bytes, owner: ClientOwner | None
    ) -> None:
        Transaction.__init__(self, stack, key, method, flow, state)
        self.data: bytes | None = data
        self.owner = owner
        self.acknowledgement: bytes | None = None  # the ACK sent, and sent again when its response comes again
        self.acknowledged_tag: str | None = None  # To tag of the 2xx which that ACK answered
        self.cancelled: str | None = None  # header lines of the CANCEL that was asked for
        self.timer_c: Timer | None = None

    def timer_expired(self, name: str, now: float) -> None:
        if name == "C":  # never rung out: give it up as RFC 3261 §16.8 does
            self.timer_c = None
            self.cancel("", now)
        elif name == "cancelled":
            self.timer_c = None
            if self.state in (CALLING, PROCEEDING):
                self.fire("B", None, now)
        else:
            self.fire(name, None, now)

    def cancel(self, headers: str, now: float) -> None:
        """Withdraw an INVITE (RFC 3261 §9.1): at once when a provisional response has come, else as soon as one comes.

        Args:
            headers: header lines for the CANCEL, each ended by CRLF, such as a Reason (RFC 3326).
        """
        if self.cancelled is not None or self.state not in (CALLING, PROCEEDING):
            return
        self.cancelled = headers
        if self.state == PROCEEDING:
            self._send_cancel(now)

    def _send_cancel(self, now: float) -> None:
        assert self.data is not None and self.cancelled is not None
        self.stack.send_cancel(self, self.data, self.cancelled, now)
        cancel(self.timer_c)
        self.timer_c = self.stack.timers.start(TIMEOUT, self, "cancelled", now)


class ServerTransaction(Transaction):
    """A request to be answered (RFC 3261 §17.2).

    Attributes:
        head: the lines that every response repeats: Via, From, Call-ID, CSeq, each with CRLF; "" once answered for
            good.
        to: To value as received.
        tag: our To tag, chosen when the first response beyond 100 needs one; the request's own when it had one.
        owner: who hears of CANCEL, for INVITE.
    """

    __slots__ = ("_merge_key", "_tagged", "head", "owner", "response", "tag", "to", "trying")

    def __init__(
        self, stack: Stack, key: str, method: str, flow: Flow, state: str, head: str, to: str, tag: str | None
    ) -> None:
        Transaction.__init__(self, stack, key, method, flow, state)
        self.head = head
        self.to = to
        self.tag = tag
        self._tagged = tag is not None
        self.response: bytes | None = None  # the latest one, for retransmissions of the request
        self.owner: ServerOwner | None = None
        self.trying: Timer | None = None
        self._merge_key: str | None = None

    @property
    def answered(self) -> bool:
        """A final response was sent."""
        return self.state not in (TRYING, PROCEEDING)

    def respond(
        self, status: int, now: float, reason: str = "", headers: str = "", body: bytes = b"", tag: str | None = None
    ) -> bytes:
        """Send a response and return it as sent.

        Args:
            status: 100 to 699. reason: phrase, by default RFC 3261's.
            headers: header lines, each ended by CRLF.
            tag: the To tag of this response where it is not `self.tag` (early dialogs of a forked call).
        Raises:
            LocalError: a final response was sent already.
        """
        if status == 100 or self._tagged:
            to = f"To:{self.to}\r\n"
        else:
            if tag is None:
                tag = self.tag or self.stack.ids.token()
            if self.tag is None:
                self.tag = tag
            to = f"To:{self.to};tag={tag}\r\n"
        text = (
            f"SIP/2.0 {status} {reason or REASONS.get(status, 'Unknown')}\r\n"
            f"{self.head}{to}{headers}Content-Length: {len(body)}\r\n\r\n"
        )
        response = text.encode("utf-8", "surrogateescape") + body
        # The response is in place before the machine runs, as its actions send it.
        before, self.response = self.response, response
        event = PROVISIONAL if status < 200 else SUCCESS if status < 300 else FAILURE
        if event not in self.TABLE[self.state]:
            self.response = before
            raise LocalError(f"{status} to {self.method} in state {self.state}")
        self.stack.count_response(self.method, status)
        self.fire(event, None, now)
        return response

    def refuse(self, status: int, now: float, headers: str = "") -> None:
        """Refuse a request before anything came of it, and forget it (a stateless UAS, RFC 3261 §8.2.7).

        Nothing is lost by it: a client repeats an INVITE until it hears an answer, and hears the same one again, To tag
        included. So a stranger who is challenged or sent away leaves nothing behind.
        """
        if self.method != "INVITE" or self.answered:
            self.respond(status, now, headers=headers)
            return
        if self.tag is None:
            self.tag = f"{hash(self.key) & 0xFFFFFFFFFFFFFFFF:016x}"
        self.respond(status, now, headers=headers)
        stop_timers(self, None, now)
        self.stack.forget(self)

    def timer_expired(self, name: str, now: float) -> None:
        if name == "100":
            self.trying = None
            if self.state == PROCEEDING and self.response is None:
                self.respond(100, now)
        else:
            self.fire(name, None, now)

    def start_trying(self, now: float) -> None:
        """Owe the caller a 100 Trying if nothing else is answered within 200 ms (RFC 3261 §17.2.1)."""
        self.trying = self.stack.timers.start(TRYING_AFTER, self, "100", now)


# ----------------------------------------------------------------------------------------------- actions


def send_again(transaction: ClientTransaction, _message: None, now: float) -> None:
    """Timers A and E: retransmit, and wait twice as long (E: up to T2; RFC 3261 §17.1.1.2, §17.1.2.2)."""
    data = transaction.data
    assert data is not None
    transaction.stack.retransmit(transaction.flow, data, transaction.method)
    if transaction.method == "INVITE":
        transaction.interval *= 2
        name = "A"
    else:
        transaction.interval = T2 if transaction.state == PROCEEDING else min(transaction.interval * 2, T2)
        name = "E"
    transaction.retransmit = transaction.stack.timers.start(transaction.interval, transaction, name, now)


def pass_response(transaction: ClientTransaction, response: Response, now: float) -> None:
    owner = transaction.owner
    if owner is not None:
        owner.response_received(transaction, response, now)


def first_provisional(transaction: ClientTransaction, response: Response, now: float) -> None:
    """INVITE rings: stop timers A and B, start timer C, and send the CANCEL that waited for this."""
    cancel(transaction.retransmit)
    cancel(transaction.lifetime)
    if transaction.cancelled is not None:
        transaction._send_cancel(now)
    else:
        any_provisional(transaction, response, now)


def any_provisional(transaction: ClientTransaction, response: Response, now: float) -> None:
    """RFC 3261 §16.7 step 2: every provisional response but 100 starts timer C afresh."""
    if transaction.cancelled is None and (response.status != 100 or transaction.timer_c is None):
        cancel(transaction.timer_c)
        transaction.timer_c = transaction.stack.timers.start(transaction.stack.timer_c, transaction, "C", now)


def accepted(transaction: ClientTransaction, _response: Response, now: float) -> None:
    """RFC 6026 §7.2: stay Accepted for timer M, so that answers of other forks and again-sent ones reach the owner."""
    stop_timers(transaction, None, now)
    transaction.data = None
    transaction.lifetime = transaction.stack.timers.start(TIMEOUT, transaction, "M", now)


def answered_again(transaction: ClientTransaction, response: Response, now: float) -> None:
    """RFC 3261 §13.2.2.4: repeat the ACK of an answer that comes again; another fork's answer is news for the owner."""
    if transaction.acknowledgement is None or response.to_tag != transaction.acknowledged_tag:
        pass_response(transaction, response, now)
    else:
        transaction.stack.retransmit(transaction.flow, transaction.acknowledgement, "ACK")


def refused(transaction: ClientTransaction, response: Response, now: float) -> None:
    """Acknowledge a refusal hop by hop (RFC 3261 §17.1.1.3) and start timer D (0 s over a reliable transport)."""
    stop_timers(transaction, None, now)
    assert transaction.data is not None
    transaction.acknowledgement = transaction.stack.acknowledge_refusal(transaction, transaction.data, response)
    transaction.data = None
    linger(transaction, TIMEOUT, "D", now)


def acknowledge_again(transaction: ClientTransaction, _response: Response, _now: float) -> None:
    assert transaction.acknowledgement is not None
    transaction.stack.retransmit(transaction.flow, transaction.acknowledgement, "ACK")


def completed(transaction: ClientTransaction, _response: Response, now: float) -> None:
    """Non-INVITE answered: absorb repeated answers for timer K (0 s over a reliable transport)."""
    stop_timers(transaction, None, now)
    transaction.data = None
    linger(transaction, T4, "K", now)


def timed_out(transaction: ClientTransaction, _message: None, now: float) -> None:
    fail(transaction, "timeout", now)


def broken(transaction: ClientTransaction, _message: None, now: float) -> None:
    fail(transaction, "transport", now)


def fail(transaction: ClientTransaction, cause: str, now: float) -> None:
    """No final response will come: forget the transaction, then tell its owner."""
    terminate(transaction, None, now)
    owner = transaction.owner
    if owner is not None:
        transaction.owner = None
        owner.transaction_failed(transaction, cause, now)


def stop_timers(transaction: Transaction, _message: None, _now: float) -> None:
    cancel(transaction.retransmit)
    cancel(transaction.lifetime)
    transaction.retransmit = transaction.lifetime = None
    if isinstance(transaction, ClientTransaction):
        cancel(transaction.timer_c)
        transaction.timer_c = None


def terminate(transaction: Transaction, _message: None, now: float) -> None:
    stop_timers(transaction, None, now)
    transaction.stack.forget(transaction)


def linger(transaction: Transaction, delay: float, name: str, now: float) -> None:
    """Stay to absorb what comes again, for `delay` seconds; over a reliable transport nothing does (RFC 3261 §17)."""
    if transaction.flow.reliable:
        terminate(transaction, None, now)
        transaction.state = TERMINATED
    else:
        transaction.lifetime = transaction.stack.timers.start(delay, transaction, name, now)


def send_response(transaction: ServerTransaction, _message: None, _now: float) -> None:
    if transaction.trying is not None:
        cancel(transaction.trying)
        transaction.trying = None
    assert transaction.response is not None
    transaction.stack.send(transaction.flow, transaction.response)


def send_response_again(transaction: ServerTransaction, _message: Request | None, _now: float) -> None:
    if transaction.response is not None:
        transaction.stack.retransmit(transaction.flow, transaction.response, transaction.method)


def absorb(transaction: ServerTransaction, _message: Request | None, _now: float) -> None:
    """A retransmission that needs no answer now."""


def start_h(transaction: ServerTransaction, _message: None, now: float) -> None:
    """A refusal is repeated by timer G until its ACK comes or timer H ends the wait."""
    transaction.head = ""
    timers = transaction.stack.timers
    if not transaction.flow.reliable:
        transaction.retransmit = timers.start(T1, transaction, "G", now)
    transaction.lifetime = timers.start(TIMEOUT, transaction, "H", now)


def refuse_again(transaction: ServerTransaction, _message: None, now: float) -> None:
    assert transaction.response is not None
    transaction.stack.retransmit(transaction.flow, transaction.response, transaction.method)
    transaction.interval = min(transaction.interval * 2, T2)
    transaction.retransmit = transaction.stack.timers.start(transaction.interval, transaction, "G", now)


def start_i(transaction: ServerTransaction, _message: Request, now: float) -> None:
    stop_timers(transaction, None, now)
    transaction.response = None
    linger(transaction, T4, "I", now)


def start_j(transaction: ServerTransaction, _message: None, now: float) -> None:
    transaction.head = ""
    linger(transaction, TIMEOUT, "J", now)


def start_l(transaction: ServerTransaction, _message: None, now: float) -> None:
    """RFC 6026 §7.1: stay Accepted so that the INVITE's retransmissions are absorbed; the dialog repeats the 2xx."""
    transaction.head = ""
    transaction.response = None
    transaction.lifetime = transaction.stack.timers.start(TIMEOUT, transaction, "L", now)


def unacknowledged(transaction: ServerTransaction, _message: None, now: float) -> None:
    terminate(transaction, None, now)
    owner = transaction.owner
    if owner is not None:
        transaction.owner = None
        owner.answer_unacknowledged(transaction, now)


# ------------------------------------------------------------------------------------------------ tables

INVITE_CLIENT: Table = {
    CALLING: {
        "A": (CALLING, (send_again,)),
        "B": (TERMINATED, (timed_out,)),
        BROKEN: (TERMINATED, (broken,)),
        PROVISIONAL: (PROCEEDING, (first_provisional, pass_response)),
        SUCCESS: (ACCEPTED, (accepted, pass_response)),
        FAILURE: (COMPLETED, (refused, pass_response)),
    },
    PROCEEDING: {
        "B": (TERMINATED, (timed_out,)),  # fired 64·T1 after a CANCEL that nobody followed up (RFC 3261 §9.1)
        BROKEN: (PROCEEDING, ()),  # the far end was there; timer C or a response will tell
        PROVISIONAL: (PROCEEDING, (any_provisional, pass_response)),
        SUCCESS: (ACCEPTED, (accepted, pass_response)),
        FAILURE: (COMPLETED, (refused, pass_response)),
    },
    COMPLETED: {
        "D": (TERMINATED, (terminate,)),
        BROKEN: (TERMINATED, (terminate,)),
        PROVISIONAL: (COMPLETED, ()),
        SUCCESS: (COMPLETED, ()),
        FAILURE: (COMPLETED, (acknowledge_again,)),
    },
    ACCEPTED: {
        "M": (TERMINATED, (terminate,)),
        BROKEN: (ACCEPTED, ()),
        PROVISIONAL: (ACCEPTED, ()),
        SUCCESS: (ACCEPTED, (answered_again,)),
        FAILURE: (ACCEPTED, ()),
    },
}

CLIENT: Table = {
    TRYING: {
        "E": (TRYING, (send_again,)),
        "F": (TERMINATED, (timed_out,)),
        BROKEN: (TERMINATED, (broken,)),
        PROVISIONAL: (PROCEEDING, (pass_response,)),
        SUCCESS: (COMPLETED, (completed, pass_response)),
        FAILURE: (COMPLETED, (completed, pass_response)),
    },
    PROCEEDING: {
        "E": (PROCEEDING, (send_again,)),
        "F": (TERMINATED, (timed_out,)),
        BROKEN: (TERMINATED, (broken,)),
        PROVISIONAL: (PROCEEDING, (pass_response,)),
        SUCCESS: (COMPLETED, (completed, pass_response)),
        FAILURE: (COMPLETED, (completed, pass_response)),
    },
    COMPLETED: {
        "K": (TERMINATED, (terminate,)),
        BROKEN: (COMPLETED, ()),
        PROVISIONAL: (COMPLETED, ()),
        SUCCESS: (COMPLETED, ()),
        FAILURE: (COMPLETED, ()),
    },
}

INVITE_SERVER: Table = {
    PROCEEDING: {
        RETRANSMISSION: (PROCEEDING, (send_response_again,)),
        PROVISIONAL: (PROCEEDING, (send_response,)),
        SUCCESS: (ACCEPTED, (send_response, start_l)),
        FAILURE: (COMPLETED, (send_response, start_h)),
        ACK: (PROCEEDING, (absorb,)),
    },
    COMPLETED: {
        RETRANSMISSION: (COMPLETED, (send_response_again,)),
        "G": (COMPLETED, (refuse_again,)),
        "H": (TERMINATED, (unacknowledged,)),
        ACK: (CONFIRMED, (start_i,)),
    },
    CONFIRMED: {
        RETRANSMISSION: (CONFIRMED, (absorb,)),
        "I": (TERMINATED, (terminate,)),
        ACK: (CONFIRMED, (absorb,)),
    },
    ACCEPTED: {
        RETRANSMISSION: (ACCEPTED, (absorb,)),
        "L": (TERMINATED, (terminate,)),
        ACK: (ACCEPTED, (absorb,)),  # the stack hands it to the dialog
    },
}

SERVER: Table = {
    TRYING: {
        RETRANSMISSION: (TRYING, (absorb,)),
        SUCCESS: (COMPLETED, (send_response, start_j)),
        FAILURE: (COMPLETED, (send_response, start_j)),
        # RFC 4320 §4.1: no provisional response to a non-INVITE request, so none has a row.
    },
    COMPLETED: {
        RETRANSMISSION: (COMPLETED, (send_response_again,)),
        "J": (TERMINATED, (terminate,)),
    },
}


class InviteClient(ClientTransaction):
    __slots__ = ()
    TABLE = INVITE_CLIENT


class NonInviteClient(ClientTransaction):
    __slots__ = ()
    TABLE = CLIENT


class InviteServer(ServerTransaction):
    __slots__ = ()
    TABLE = INVITE_SERVER


class NonInviteServer(ServerTransaction):
    __slots__ = ()
    TABLE = SERVER
