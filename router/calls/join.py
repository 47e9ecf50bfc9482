"""Bringing two parties together who are both in calls of the router (third party call control, RFC 3725).

One of them makes an offer, the other answers it, and each is acknowledged; media then flows between the two.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from router.calls.header_map import only
from router.calls.leg import CAPABILITIES, AckDue
from router.calls.trunk_registration import fraction
from router.sip.errors import RemoteError
from router.sip.message import Response
from router.sip.sdp import declined
from router.sip.timers import Timer, cancel
from router.sip.transaction import REASONS, ClientTransaction

if TYPE_CHECKING:
    from router.calls.leg import Leg
    from router.calls.media_path import MediaPath

# What describes a body, and must travel with it.
DESCRIPTION: Final = ("content-type", "content-disposition", "content-encoding", "content-language", "mime-version")

_GONE = frozenset((408, 481))  # RFC 3261 §12.2.1.2: the dialog does not exist any more


class Negotiator(Protocol):
    """Who wants a session changed."""

    def accepted(self, change: Renegotiation, response: Response, now: float) -> None:
        """The leg agreed; to be followed by `acknowledge`, `release` or `decline`."""
        ...

    def refused(self, change: Renegotiation, status: int, reason: str, now: float) -> None:
        """The leg keeps the session that it had."""
        ...


class Renegotiation:
    """A re-INVITE of the router's own on one leg (RFC 3261 §14).

    Where another one is under way, or crosses it (491), it waits once and tries again.
    """

    __slots__ = (
        "_body",
        "_client",
        "_cseq",
        "_due",
        "_headers",
        "_negotiator",
        "_response",
        "_timer",
        "_waited",
        "leg",
    )

    def __init__(self, negotiator: Negotiator | None, leg: Leg) -> None:
        self.leg = leg
        self._negotiator = negotiator
        self._headers = ""
        self._body = b""
        self._client: ClientTransaction | None = None
        self._cseq = 0
        self._due: AckDue | None = None
        self._response: Response | None = None
        self._timer: Timer | None = None
        self._waited = False

    @classmethod
    def see_through(cls, leg: Leg, client: ClientTransaction, cseq: int, body: bytes, now: float) -> None:
        """Withdraw a re-INVITE to a leg that stays, as its sender is gone; an answer is acknowledged all the same."""
        change = cls(None, leg)
        change._client = client
        change._cseq = cseq
        change._body = body
        client.owner = change
        leg.changing = change
        change.withdraw(now)

    def begin(self, headers: str, body: bytes, now: float) -> None:
        """Offer `body` to the leg; an empty one asks the leg for its offer.

        Args:
            headers: the lines that describe the body, with CRLF each.
        """
        self._headers = headers
        self._body = body
        self._attempt(now)

    def take(self, due: AckDue, response: Response) -> None:
        """Begin with an offer that the leg has made already, in the answer to the first INVITE."""
        self._due = due
        self._response = response
        self.leg.changing = self

    def acknowledge(self, now: float, headers: str = "", body: bytes = b"") -> None:
        """Send the ACK, with the answer where the leg made the offer. This change is over."""
        self.release().send(now, headers, body)

    def release(self) -> AckDue:
        """Give away the ACK that is due, to be sent once the other side's has come. This change is over."""
        due = self._due
        assert due is not None
        self._let_go()
        return due

    def decline(self, now: float) -> None:
        """Acknowledge without agreeing on anything: an offer is answered, but no stream of it taken (RFC 3264 §6)."""
        offer = b"" if self._body or self._response is None else self._response.body
        if offer:
            self.acknowledge(now, "Content-Type: application/sdp\r\n", declined(offer))
        else:
            self.acknowledge(now)

    def withdraw(self, now: float) -> None:
        """Nobody wants the change any more, and the leg goes on."""
        self._negotiator = None
        cancel(self._timer)
        self._timer = None
        if self._due is not None:
            self.decline(now)
        elif self._client is not None:
            self._client.cancel("", now)

    def abandon(self, now: float) -> None:
        """The leg is over; whoever still wants the change hears of it."""
        negotiator = self._negotiator
        self.withdraw(now)
        if self._client is not None:
            self._client.owner = self.leg.strays
            self._let_go()
        if negotiator is not None:
            negotiator.refused(self, 481, REASONS[481], now)

    # ------------------------------------------------------------------------------------------------- inside

    def _attempt(self, now: float) -> None:
        leg = self.leg
        if leg.call is None:  # it hung up while this waited
            self._refuse(481, REASONS[481], now)
        elif self._is_busy():
            self._wait(now)
        else:
            leg.changing = self
            leg.tries = 0
            self._send(now)

    def _is_busy(self) -> bool:
        """Whether a re-INVITE is under way on this leg, or its ACK on the way from the other side of the call."""
        leg = self.leg
        other = None if leg.call is None else leg.call.other(leg)
        if leg.changing or leg.answer or (other is not None and other.answer):
            return True
        change = None if other is None else other.changing
        ours = isinstance(change, Renegotiation) and change._negotiator is self._negotiator
        return change is not None and not ours

    def _send(self, now: float) -> None:
        leg = self.leg
        dialog = leg.dialog
        branch = leg.stack.ids.branch()
        headers = f"Contact: <sip:{dialog.flow.contact}>\r\n{CAPABILITIES}{leg.authorization}{self._headers}"
        data = dialog.request("INVITE", branch, headers, self._body)
        self._cseq = dialog.local_cseq
        self._client = leg.stack.send_request(dialog.flow, "INVITE", data, branch, self, now)

    def _wait(self, now: float) -> None:
        """RFC 3261 §14.1: whoever made the Call-ID waits 2.1 to 4 seconds, the other 0 to 2, in steps of 10 ms."""
        if self._waited:
            self._refuse(491, REASONS[491], now)
            return
        self._waited = True
        leg = self.leg
        chance = fraction(leg.stack.ids.token())
        delay = round(2.1 + 1.9 * chance if leg.target else 2.0 * chance, 2)
        self._timer = leg.stack.timers.start(delay, self, "glare", now)

    def timer_expired(self, _name: str, now: float) -> None:
        self._timer = None
        self._attempt(now)

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        status = response.status
        if status < 200:
            return
        if status < 300:
            if self._due is None:
                self._accept(transaction, response, now)
            return  # else the same answer again: its ACK waits for the other side
        leg = self.leg
        transaction.owner = None
        if leg.call is not None and leg.accept_challenge(response, "INVITE"):
            self._send(now)
        elif status == 491 and self._negotiator is not None and not self._waited:
            self._client = None
            leg.changing = None  # what crossed it must get through meanwhile
            self._wait(now)
        else:
            self._refuse(status, response.reason, now, status in _GONE)

    def transaction_failed(self, _transaction: ClientTransaction, cause: str, now: float) -> None:
        status = 408 if cause == "timeout" else 503
        self._refuse(status, REASONS[status], now, True)

    def _accept(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        leg = self.leg
        try:
            leg.dialog.learn_target(response)
            leg.dialog.choose_flow(leg.stack.flows)
        except RemoteError:
            leg.strays.response_received(transaction, response, now)
            self._refuse(500, REASONS[500], now, True)
            return
        self._due = AckDue(leg, transaction, self._cseq)
        self._response = response
        if self._negotiator is None:
            self.decline(now)
        else:
            self._negotiator.accepted(self, response, now)

    def _refuse(self, status: int, reason: str, now: float, gone: bool = False) -> None:
        negotiator = self._negotiator
        leg = self.leg
        if leg.changing is self:
            leg.changing = None
        self._client = self._negotiator = None
        if negotiator is not None:
            negotiator.refused(self, status, reason, now)
        if gone and leg.call is not None:
            leg.call.end(None, "", now)

    def _let_go(self) -> None:
        if self.leg.changing is self:
            self.leg.changing = None
        self._client = self._due = self._response = self._negotiator = None


class JoinOwner(Protocol):
    """Who wants two legs joined."""

    def joined(self, now: float) -> None:
        """Their media flows between them."""
        ...

    def join_failed(self, status: int, reason: str, now: float) -> None:
        """One of them refused, or did not answer; every ACK that was due has been sent."""
        ...


class Join:
    """Two legs on their way to each other (RFC 3725 §4.1, flow I).

    Args:
        offering: the leg that makes the offer.
        answering: the one that answers it; its session stays as it is until it agrees.
        path: of the sound between the two, where that is relayed; whoever wants them joined has it.
    Attributes:
        offered: the offer was made, so that the session of the leg that made it is not what it was.
    """

    __slots__ = ("_answering", "_offering", "_over", "_owner", "_path", "offered")

    def __init__(self, owner: JoinOwner | None, offering: Leg, answering: Leg, path: MediaPath | None = None) -> None:
        self._owner = owner
        self._path = path
        self._over = False
        self.offered = False
        self._offering = Renegotiation(self, offering)
        self._answering = Renegotiation(self, answering)

    def begin(self, now: float) -> None:
        """Ask for the offer by a re-INVITE."""
        self._offering.begin("", b"", now)

    def begin_with(self, due: AckDue, response: Response, now: float) -> None:
        """Begin with the offer in the answer to the first INVITE, which had none; `due` is its ACK. It has come by the
        path already."""
        self._offering.take(due, response)
        if response.body:
            self._go_on(self._offering, only(response, *DESCRIPTION), response.body, now)
        else:
            self._fail(488, REASONS[488], now)

    def abandon(self, now: float) -> None:
        """Give it up; the owner hears nothing any more."""
        self._owner = self._path = None
        self._over = True
        self._offering.withdraw(now)
        self._answering.withdraw(now)

    def accepted(self, change: Renegotiation, response: Response, now: float) -> None:
        if not response.body:
            self._fail(488, REASONS[488], now)  # neither an offer nor an answer, though one was owed (RFC 3261 §13.2.1)
            return
        description = only(response, *DESCRIPTION)
        path = self._path
        if path is None:
            self._go_on(change, description, response.body, now)
            return
        cross = partial(self._cross, change, description)
        if change is self._offering:
            path.offer(change.leg, response.body, cross, self._cannot_cross)
        else:
            path.answer(change.leg, response.body, cross, self._cannot_cross, now)

    def _cross(self, change: Renegotiation, description: str, body: bytes, now: float) -> None:
        if not self._over:
            self._go_on(change, description, body, now)

    def _cannot_cross(self, status: int, now: float) -> None:
        if not self._over:
            self._fail(status, REASONS[status], now)

    def _go_on(self, change: Renegotiation, description: str, body: bytes, now: float) -> None:
        """Let the other one hear what one has offered, or answered."""
        if change is self._offering:
            self.offered = True
            self._answering.begin(description, body, now)
            return
        self._over = True
        self._path = None
        self._answering.acknowledge(now)
        self._offering.acknowledge(now, description, body)
        owner, self._owner = self._owner, None
        if owner is not None:
            owner.joined(now)

    def refused(self, _change: Renegotiation, status: int, reason: str, now: float) -> None:
        self._fail(status, reason, now)

    def _fail(self, status: int, reason: str, now: float) -> None:
        owner = self._owner
        self.abandon(now)
        if owner is not None:
            owner.join_failed(status, reason, now)
