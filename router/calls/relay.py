"""Requests within a call: re-INVITE with its ACK, and everything else that one side says to the other."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from router.calls.header_map import DROPPED_FROM_REFUSALS, only, passed
from router.calls.join import Renegotiation
from router.calls.leg import CAPABILITIES, AckDue
from router.calls.media_path import NO_RELAY, MediaPath
from router.sip.dialog import Answer
from router.sip.errors import RemoteError
from router.sip.message import Request, Response
from router.sip.sdp import declined
from router.sip.stack import ALLOW
from router.sip.transaction import ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from router.calls.call import Call
    from router.calls.leg import Leg

# Passed through a call. What is neither this nor served by the router itself is answered 405 (docs/supported-sip.md).
RELAYED: Final = frozenset(("INFO", "MESSAGE", "NOTIFY"))

_GONE: Final = frozenset((408, 481))  # RFC 3261 §12.2.1.2: the dialog at the other end does not exist any more


def relay_request(call: Call, leg: Leg, transaction: ServerTransaction, request: Request, now: float) -> None:
    """Send INFO and its like on to the other side, and the answer back."""
    other = call.other(leg)
    if request.method not in RELAYED or other is None:
        transaction.respond(405, now, headers=ALLOW)
        return
    if call.recordings and request.method == "INFO":
        call.recordings[-1].info_received(leg, request)
    headers = only(request, "event", "subscription-state") + passed(request)
    Relay(call, other, transaction, headers, request.body).send(now)


def relay_reinvite(call: Call, leg: Leg, transaction: ServerTransaction, request: Request, now: float) -> None:
    """Send a re-INVITE (hold, resume, another codec) on to the other side (RFC 3261 §14).

    While one is under way on either leg, or its ACK is awaited, the answer is 491 (RFC 3261 §14.2).
    Raises RemoteError for a malformed Contact.
    """
    other = call.other(leg)
    assert other is not None
    if leg.changing or other.changing or leg.answer or other.answer:
        transaction.respond(491, now)
        return
    leg.dialog.learn_target(request)
    leg.dialog.choose_flow(leg.stack.flows)
    Reinvite(call, leg, other, transaction, passed(request), request.body).begin(now)


class Relay:
    """A request on its way to the other side, and its answer on the way back.

    Args:
        to: the leg it goes to. headers: lines with CRLF each.
    """

    __slots__ = ("_body", "_call", "_headers", "_to", "_transaction")

    def __init__(self, call: Call, to: Leg, transaction: ServerTransaction, headers: str, body: bytes) -> None:
        self._call = call
        self._to = to
        self._transaction = transaction
        self._headers = headers
        self._body = body
        to.tries = 0  # challenges are counted by request

    def send(self, now: float) -> ClientTransaction:
        to = self._to
        branch = to.stack.ids.branch()
        method = self._transaction.method
        data = to.dialog.request(method, branch, to.authorization + self._headers, self._body)
        return to.stack.send_request(to.dialog.flow, method, data, branch, self, now)

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if response.status < 200:
            return
        if self._to.call is not None and self._to.accept_challenge(response, self._transaction.method):
            self.send(now)
        else:
            self._answer(response, now)

    def transaction_failed(self, _transaction: ClientTransaction, cause: str, now: float) -> None:
        if not self._transaction.answered:
            # RFC 4320 §4.2: never 408 to a non-INVITE request.
            self._transaction.respond(504 if cause == "timeout" else 503, now)
        self._lose(now)

    def _answer(self, response: Response, now: float) -> None:
        status = response.status
        if not self._transaction.answered:
            if status < 300:
                self._transaction.respond(status, now, response.reason, passed(response), response.body)
            elif status in (401, 407):
                self._transaction.respond(503, now)
            elif status == 408 and self._transaction.method != "INVITE":
                self._transaction.respond(504, now)  # RFC 4320 §4.2, as above
            else:
                self._transaction.respond(status, now, response.reason, passed(response, DROPPED_FROM_REFUSALS))
        if status in _GONE:
            self._lose(now)

    def _lose(self, now: float) -> None:
        """The other side is not there any more. It may have said so itself, and the call go on by a transfer."""
        if self._to.call is not None:
            self._to.call.end(None, "", now)


class Reinvite(Relay):
    """A re-INVITE on its way to the other side."""

    __slots__ = ("_agreed", "_client", "_cseq", "_from", "_path")

    def __init__(
        self, call: Call, leg: Leg, to: Leg, transaction: ServerTransaction, headers: str, body: bytes
    ) -> None:
        Relay.__init__(self, call, to, transaction, headers, body)
        self._from = leg
        self._path = call.media
        self._agreed: Response | None = None  # of the other side, while its answer is on the path
        self._client: ClientTransaction | None = None
        self._cseq = 0
        leg.changing = to.changing = self
        transaction.owner = self

    def begin(self, now: float) -> None:
        """Send it, its offer by the path of the sound."""
        if self._path is None or not self._body:
            self.send(now)
        else:
            self._path.offer(self._from, self._body, self._send_with, self._give_up)

    def _send_with(self, body: bytes, now: float) -> None:
        if not self._transaction.answered:  # neither withdrawn nor over meanwhile
            self._body = body
            self.send(now)

    def _give_up(self, status: int, now: float) -> None:
        """Refuse it, and go on as before."""
        if not self._transaction.answered:
            self._transaction.respond(status, now)
            self._done()

    def send(self, now: float) -> ClientTransaction:
        to = self._to
        branch = to.stack.ids.branch()
        headers = f"Contact: <sip:{to.dialog.flow.contact}>\r\n{CAPABILITIES}{to.authorization}{self._headers}"
        data = to.dialog.request("INVITE", branch, headers, self._body)
        self._cseq = to.dialog.local_cseq
        self._client = to.stack.send_request(to.dialog.flow, "INVITE", data, branch, self, now)
        return self._client

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        status = response.status
        if status >= 300:
            Relay.response_received(self, transaction, response, now)
        elif self._transaction.answered or self._agreed is not None:
            return  # the same answer again: its ACK waits for the other side's
        elif status >= 200:
            if self._path is None or not response.body:
                self._succeed(transaction, response, now)
            else:
                self._succeed_by(self._path, transaction, response, now)
        elif status > 100:
            body = b"" if self._path is not None else response.body
            self._transaction.respond(status, now, response.reason, self._contact() + passed(response), body)

    def _succeed_by(self, path: MediaPath, transaction: ClientTransaction, response: Response, now: float) -> None:
        """Bring the other side's answer, or its offer where there was none, by the path of the sound."""
        self._agreed = response
        agree, disagree = partial(self._agree, transaction, response), partial(self._disagree, path)
        if self._body:
            path.answer(self._to, response.body, agree, disagree, now)
        else:
            path.offer(self._to, response.body, agree, disagree)

    def _agree(self, transaction: ClientTransaction, response: Response, body: bytes, now: float) -> None:
        if not self._transaction.answered:
            response.body = body
            self._succeed(transaction, response, now)

    def _disagree(self, path: MediaPath, _status: int, now: float) -> None:
        self._call.path_lost(path, NO_RELAY, now)

    def _succeed(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        leg, to = self._from, self._to
        try:
            to.dialog.learn_target(response)
            to.dialog.choose_flow(to.stack.flows)
        except RemoteError:
            to.strays.response_received(transaction, response, now)
            self._transaction.respond(500, now)
            self._call.end(None, "", now)
            return
        headers = self._contact() + passed(response)
        data = self._transaction.respond(200, now, response.reason, headers, response.body)
        leg.answer = Answer(leg.stack, leg.dialog, self._transaction.flow, data, now)
        leg.due = AckDue(to, transaction, self._cseq)
        self._done()

    def _contact(self) -> str:
        return f"Contact: <sip:{self._from.dialog.flow.contact}>\r\n{CAPABILITIES}"

    def _answer(self, response: Response, now: float) -> None:
        self._done()
        Relay._answer(self, response, now)

    def transaction_failed(self, transaction: ClientTransaction, cause: str, now: float) -> None:
        self._done()
        Relay.transaction_failed(self, transaction, cause, now)

    def cancel_received(self, _transaction: ServerTransaction, request: Request, now: float) -> None:
        """The side that wanted the change withdraws it; its final response comes from the other side."""
        if self._client is not None:
            self._client.cancel(only(request, "reason"), now)
        else:  # it has not even been sent
            self._give_up(487, now)

    def answer_unacknowledged(self, _transaction: ServerTransaction, _now: float) -> None:
        """The ACK of a refusal never came: the call goes on as it was."""

    def abandon(self, now: float) -> None:
        """The call ends while this is under way: the one who asked gets 487, whatever the other side still says is
        undone."""
        if not self._transaction.answered:
            self._transaction.respond(487, now)
        to, client, agreed = self._to, self._client, self._agreed
        self._done()
        if client is None:
            return
        if agreed is not None:
            self._acknowledge(AckDue(to, client, self._cseq), agreed, now)
        elif to.call is not None and to.call.alone:
            Renegotiation.see_through(to, client, self._cseq, self._body, now)
        else:
            client.owner = to.strays
            client.cancel("", now)

    def _acknowledge(self, due: AckDue, agreed: Response, now: float) -> None:
        """Nobody is left to answer what the other side agreed to."""
        if self._body:
            due.send(now)
        else:
            due.send(now, "Content-Type: application/sdp\r\n", declined(agreed.body))

    def _done(self) -> None:
        self._client = self._agreed = self._path = None
        self._transaction.owner = None
        self._from.changing = self._to.changing = None
