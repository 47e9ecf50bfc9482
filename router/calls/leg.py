"""One side of a call: a dialog of ours with a phone, a trunk or an address, and the INVITE that makes or changes it."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from router.calls.header_map import passed
from router.calls.media_path import NO_RELAY, MediaPath
from router.model.record import LegRecord
from router.sip.dialog import Answer, Dialog, DialogOwner
from router.sip.errors import RemoteError
from router.sip.message import Request, Response
from router.sip.name_addr import NameAddr
from router.sip.stack import ALLOW, Stack
from router.sip.transaction import ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from router.calls.call import Call
    from router.calls.destination import Destination
    from router.calls.trunk import TrunkLine

CAPABILITIES: Final = f"{ALLOW}Supported: replaces, norefersub\r\n"


class Change(Protocol):
    """A re-INVITE under way on a leg."""

    def abandon(self, now: float) -> None:
        """The leg is over: let go of it."""
        ...


class AckDue:
    """An INVITE of ours that was answered and whose ACK waits for the ACK of the other side (it may carry the SDP
    answer)."""

    __slots__ = ("cseq", "leg", "transaction")

    def __init__(self, leg: Leg, transaction: ClientTransaction, cseq: int) -> None:
        self.leg = leg
        self.transaction = transaction
        self.cseq = cseq

    def send(self, now: float, headers: str = "", body: bytes = b"") -> None:
        """Acknowledge; from now on the stack repeats this ACK whenever that answer comes again."""
        leg = self.leg
        dialog = leg.dialog
        stack = leg.stack
        data = dialog.request("ACK", stack.ids.branch(), leg.authorization + headers, body, cseq=self.cseq)
        transaction = self.transaction
        transaction.acknowledgement = data
        transaction.acknowledged_tag = dialog.remote_tag
        transaction.owner = leg.strays
        stack.send_ack(dialog.flow, data)


class AcknowledgedHere(AckDue):
    """The ACK of our 200, where the router itself is the other side: nothing is to be acknowledged elsewhere."""

    __slots__ = ("_told",)

    def __init__(self, told: Callable[[bytes], None]) -> None:
        self._told = told

    def send(self, now: float, headers: str = "", body: bytes = b"") -> None:
        self._told(body)


class Leg:
    """One side of a call.

    Attributes:
        call: None once the call is over or has let go of this leg.
        dialog: see `Dialog`; this leg is its owner.
        invite: the client transaction of the INVITE that is to make this leg, while nothing final has come.
        answer: our 2xx on this leg, while its ACK is awaited; due: what is to be acknowledged on the other leg then.
        changing: the re-INVITE that is under way on this leg, in either direction.
        outside: the leg leads over a trunk, out of the company.
        refers: how many REFERs were accepted on it (RFC 3515 §2.4.6 tells their subscriptions apart).
        authorization: header line that this trunk wanted, with CRLF, or "".
        way: which way its sound wants to take, at least (a `MediaWay`).
        keys: how its sound is protected, as far as is known (see `MediaParty.keys`).
        path: that of its sound to the caller, where it is relayed, until the leg has answered.
        peer: trunk, PBX, account or address, for the record; line: the trunk.
    """

    __slots__ = (
        "answer",
        "authorization",
        "call",
        "cause",
        "changing",
        "destination",
        "dialog",
        "due",
        "ended_at",
        "invite",
        "keys",
        "line",
        "outside",
        "path",
        "peer",
        "person",
        "rang_at",
        "refers",
        "stack",
        "started_at",
        "status",
        "strays",
        "target",
        "tries",
        "way",
    )

    def __init__(
        self, call: Call | None, stack: Stack, strays: Strays, peer: str, person: str | None, started_at: float
    ) -> None:
        self.call: Call | None = call
        self.stack = stack
        self.strays = strays
        self.peer = peer
        self.person = person
        self.line: TrunkLine | None = None
        self.destination: Destination | None = None
        self.dialog: Dialog
        self.invite: ClientTransaction | None = None
        self.answer: Answer | None = None
        self.due: AckDue | None = None
        self.changing: Change | None = None
        self.outside = False
        self.refers = 0
        self.authorization = ""
        self.target = ""
        self.way = 0
        self.keys = ""
        self.path: MediaPath | None = None
        self.tries = 0
        self.status = 0
        self.cause: int | None = None
        self.started_at = started_at
        self.rang_at: float | None = None
        self.ended_at: float | None = None

    # ------------------------------------------------------------------------------------ making the leg

    def open(
        self, destination: Destination, who: str, headers: str, body: bytes, max_forwards: int, now: float
    ) -> None:
        """Send the first INVITE of an outgoing leg.

        Args:
            who: From value without tag. headers: identity lines and whatever passes from the caller, with CRLF each.
        """
        self.prepare(destination, who)
        self._invite(headers, body, max_forwards, now)

    def prepare(self, destination: Destination, who: str) -> None:
        """Make the dialog of an outgoing leg, whose INVITE is sent by `open_again`."""
        stack = self.stack
        ids = stack.ids
        flow = destination.flow
        self.destination = destination
        self.line = destination.line
        self.outside = destination.line is not None
        self.target = destination.uri
        self.way = destination.way
        self.keys = destination.keys
        uri = destination.uri
        dialog = Dialog(ids.token(), ids.token(), None, who, f"<{uri}>", uri, flow, self, destination.sticky)
        dialog.routes = destination.routes
        self.dialog = dialog
        stack.dialogs[dialog.local_tag] = dialog
        if self.line is not None and self.line.trunk.registration is not None:
            self.authorization = self.line.preemptive("INVITE", uri)

    def open_again(self, headers: str, body: bytes, max_forwards: int, now: float) -> None:
        """The INVITE of a leg that is prepared; or the same with credentials (RFC 3261 §22.2): a new transaction, the
        next CSeq, the same Call-ID and tag."""
        self._invite(headers, body, max_forwards, now)

    def _invite(self, headers: str, body: bytes, max_forwards: int, now: float) -> None:
        stack = self.stack
        dialog = self.dialog
        branch = stack.ids.branch()
        contact = (
            f"Contact: <sip:{dialog.flow.contact}>\r\n{CAPABILITIES}{stack.user_agent}{self.authorization}{headers}"
        )
        data = dialog.request("INVITE", branch, contact, body, max_forwards=max_forwards)
        self.invite = stack.send_request(dialog.flow, "INVITE", data, branch, self, now)

    def accept_challenge(self, response: Response, method: str) -> bool:
        """Whether this trunk's 401 or 407 can be answered; if so `authorization` holds the line to send."""
        if self.line is None or response.status not in (401, 407):
            return False
        line = self.line.credentials(response, method, self.dialog.target, self.tries)
        if line is None:
            return False
        self.tries += 1
        self.authorization = line
        return True

    # ----------------------------------------------------------------------------------- letting go of it

    def withdraw(self, headers: str, now: float) -> None:
        """Cancel the INVITE of this leg and forget it; should it be answered all the same, that answer is undone."""
        invite = self.invite
        if invite is not None:
            self.invite = None
            invite.owner = self.strays
            answered = None if self.path is None else self.path.answered
            if answered is None:
                invite.cancel(headers, now)
            else:  # its answer was on the way to the caller
                self.strays.response_received(invite, answered, now)
        self.close(now)

    def hang_up(self, headers: str, now: float) -> None:
        """End the dialog with BYE: at once, or when the ACK of our 2xx has come or is waited for no longer."""
        answer, self.answer = self.answer, None
        farewell = Farewell(self.stack, self.dialog, self.line, headers, answer)
        if answer is None:
            farewell.send("", now)
        self.leave_to(farewell, now)

    def leave_to(self, owner: DialogOwner, now: float) -> None:
        """Leave the dialog to somebody who ends it; this leg is over."""
        self.dialog.owner = owner
        self._detach(now)

    def close(self, now: float) -> None:
        """The dialog is over without a BYE of ours."""
        self.stack.dialogs.pop(self.dialog.local_tag, None)
        self.dialog.owner = NOBODY
        self._detach(now)

    def _detach(self, now: float) -> None:
        if self.changing is not None:
            self.changing.abandon(now)
        if self.path is not None:
            self.path.close()
            self.path = None
        if self.answer is not None:
            self.answer.stop()
            self.answer = None
        self.due = None
        self.call = None
        self.destination = None
        if self.ended_at is None:
            self.ended_at = now

    def record(self, began: float, now: float) -> LegRecord:
        """What became of this leg, with times relative to the call's beginning."""
        ended = self.ended_at if self.ended_at is not None else now  # it goes on in another call
        rang = None if self.rang_at is None else self.rang_at - began
        return LegRecord(
            self.peer, self.target, self.status, self.cause, "", self.started_at - began, rang, ended - began
        )

    # ------------------------------------------------------------------- what the stack tells (the owner)

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        call = self.call
        if call is None:
            self.strays.response_received(transaction, response, now)
            return
        status = response.status
        if status >= 300:
            transaction.owner = None
            call.leg_refuses(self, response, now)
        elif self.path is not None:
            self._heard_through(self.path, call, transaction, response, now)
        elif status >= 200:
            call.leg_answers(self, transaction, response, now)
        elif status > 100:
            call.leg_rings(self, response, now)

    def _heard_through(
        self, path: MediaPath, call: Call, transaction: ClientTransaction, response: Response, now: float
    ) -> None:
        """Let what the callee says of its sound go by the path, and the call hear of it then."""
        status = response.status
        if status == 100:
            return
        if status >= 200:
            if path.answered is not None:
                if response.to_tag != path.answered.to_tag:
                    self.strays.response_received(transaction, response, now)
                return  # else the same again
            path.answered = response
        heard = partial(self._heard, call, transaction, response)
        unheard = partial(self._unheard, call, transaction, response)
        if path.has_offer and (response.body or not path.idle):
            path.answer(self, response.body, heard, unheard, now)
        elif status >= 200 and response.body:
            path.offer(self, response.body, heard, unheard)
        else:
            self._heard(call, transaction, response, b"", now)

    def _heard(self, call: Call, transaction: ClientTransaction, response: Response, body: bytes, now: float) -> None:
        response.body = body
        if response.status < 200:
            call.leg_rings(self, response, now)
        else:
            call.leg_answers(self, transaction, response, now)

    def _unheard(self, call: Call, transaction: ClientTransaction, response: Response, status: int, now: float) -> None:
        if response.status < 200:
            self._heard(call, transaction, response, b"", now)
        else:
            call.leg_unheard(self, transaction, response, status, now)

    def transaction_failed(self, _transaction: ClientTransaction, cause: str, now: float) -> None:
        if self.call is not None:
            self.call.leg_fails(self, cause, now)

    def request_received(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        if self.call is None:
            transaction.respond(481, now)
            return
        self.call.request_received(self, transaction, request, now)

    def ack_received(self, request: Request, now: float) -> None:
        if self.answer is not None:
            self.answer.stop()
            self.answer = None
        due = self.due
        if due is not None:
            path = None if self.call is None or not request.body else self.call.media
            if path is not None:
                self._acknowledge_through(path, due, request, now)
                return
            self.due = None
            if request.body:
                due.send(now, passed(request), request.body)
            else:
                due.send(now)

    def _acknowledge_through(self, path: MediaPath, due: AckDue, request: Request, now: float) -> None:
        """An ACK that brings the answer goes by the path of the sound (RFC 3261 §13.2.2.4)."""
        acknowledge = partial(self._acknowledge, due, passed(request))
        path.answer(self, request.body, acknowledge, partial(self._cannot_acknowledge, path), now)

    def _acknowledge(self, due: AckDue, headers: str, body: bytes, now: float) -> None:
        if self.due is due:  # neither sent nor over meanwhile
            self.due = None
            due.send(now, headers, body)

    def _cannot_acknowledge(self, path: MediaPath, _status: int, now: float) -> None:
        if self.call is not None:
            self.call.path_lost(path, NO_RELAY, now)

    def ack_missing(self, now: float) -> None:
        self.answer = None
        if self.call is not None:
            self.call.ack_missing(self, now)

    def cancel_received(self, _transaction: ServerTransaction, request: Request, now: float) -> None:
        if self.call is not None:
            self.call.caller_cancels(request, now)

    def answer_unacknowledged(self, _transaction: ServerTransaction, _now: float) -> None:
        """The ACK of our refusal never came: nothing hangs on it."""

    def acknowledge_due(self, now: float) -> None:
        """Acknowledge on the other leg what waited for an ACK here that will not come any more."""
        if self.due is not None:
            self.due.send(now)
            self.due = None


class Nobody:
    """Owner of a dialog that is over, so that nothing refers back to the call that it belonged to."""

    __slots__ = ()

    def request_received(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        transaction.respond(481, now)

    def ack_received(self, request: Request, now: float) -> None:
        """Too late to mean anything."""

    def ack_missing(self, now: float) -> None:
        """There is no session left to end."""


NOBODY: Final = Nobody()


class Farewell:
    """A BYE on its way, and its dialog until it is answered, so that a BYE crossing it gets a 200.

    Args:
        answer: our 2xx whose ACK must come before the BYE may be sent (RFC 3261 §15), or None.
    """

    __slots__ = ("_answer", "_dialog", "_headers", "_line", "_stack", "_tries")

    def __init__(
        self, stack: Stack, dialog: Dialog, line: TrunkLine | None, headers: str, answer: Answer | None = None
    ) -> None:
        self._answer = answer
        self._stack = stack
        self._dialog = dialog
        self._line = line
        self._headers = headers
        self._tries = 0

    def send(self, authorization: str, now: float) -> None:
        dialog = self._dialog
        branch = self._stack.ids.branch()
        data = dialog.request("BYE", branch, authorization + self._headers)
        self._stack.send_request(dialog.flow, "BYE", data, branch, self, now)

    def response_received(self, _transaction: ClientTransaction, response: Response, now: float) -> None:
        if response.status < 200:
            return
        if response.status in (401, 407) and self._line is not None:
            authorization = self._line.credentials(response, "BYE", self._dialog.target, self._tries)
            self._tries += 1
            if authorization is not None:
                self.send(authorization, now)
                return
        self._done()

    def transaction_failed(self, _transaction: ClientTransaction, _cause: str, _now: float) -> None:
        self._done()

    def _done(self) -> None:
        self._stack.dialogs.pop(self._dialog.local_tag, None)
        self._dialog.owner = NOBODY

    def request_received(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        transaction.respond(200 if request.method == "BYE" else 481, now)
        if request.method == "BYE" and self._answer is not None:
            self._answer.stop()
            self._answer = None
            self._done()

    def ack_received(self, request: Request, now: float) -> None:
        if self._answer is not None:
            self._answer.stop()
            self.ack_missing(now)

    def ack_missing(self, now: float) -> None:
        """What the BYE waited for is over, one way or the other."""
        self._answer = None
        self.send("", now)


class Strays:
    """Answers that nobody waits for any more: acknowledged, as every 2xx must be, and ended at once with BYE.

    They come when a CANCEL crosses an answer, when two forks answer at the same instant, or when a proxy behind a trunk
    forks (RFC 3261 §13.2.2.4).
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if not 200 <= response.status < 300 or transaction.method != "INVITE":
            return
        try:
            dialog = self._dialog(transaction, response)
        except RemoteError as error:
            self._stack.malformed["answer without usable Contact",] += 1
            if self._stack.on_malformed is not None:
                self._stack.on_malformed(transaction.flow, error.text)
            return
        ids = self._stack.ids
        acknowledgement = dialog.request("ACK", ids.branch(), cseq=response.cseq)
        first = transaction.acknowledgement is None
        if first:
            transaction.acknowledgement = acknowledgement
            transaction.acknowledged_tag = dialog.remote_tag
        self._stack.send_ack(dialog.flow, acknowledgement)
        branch = ids.branch()
        self._stack.send_request(dialog.flow, "BYE", dialog.request("BYE", branch), branch, None, now)

    def transaction_failed(self, transaction: ClientTransaction, cause: str, now: float) -> None:
        """A withdrawn INVITE that nobody answered: that is what was wanted."""

    def _dialog(self, transaction: ClientTransaction, response: Response) -> Dialog:
        local = NameAddr.parse(response.get("from") or "")
        remote = NameAddr.parse(response.get("to") or "")
        dialog = Dialog(
            response.call_id,
            local.tag or "",
            remote.tag,
            str(local.without_param("tag")),
            str(remote.without_param("tag")),
            local.uri,
            transaction.flow,
            NOBODY,
        )
        dialog.local_cseq = response.cseq
        dialog.confirm(response, self._stack.flows)
        return dialog
