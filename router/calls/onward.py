"""A call that takes somebody over from another one: its caller is a party there, until its target answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from router.calls.call import ATTENDED, JOINING, OVER, SETUP, UP, Call, Refusal
from router.calls.join import Join, Renegotiation
from router.calls.leg import AckDue, Leg
from router.model.decision import AttendedTarget, Decision, Facts, Outcome
from router.sip.dialog import MAX_FORWARDS
from router.sip.message import Request, Response
from router.sip.transaction import REASONS, ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from router.calls.exchange import Exchange


class Onward(Call):
    """See the module. The target, which may be the router itself, is called without an offer; its own goes to the
    caller by re-INVITE (see `join.py`). Until that has worked the other call stays as it is.

    The record bears the Call-ID of the other call's, which ends with a record of its own.

    Args:
        call: the one that somebody is taken over from. caller: who.
    """

    __slots__ = ("_call", "_change", "_due", "_join")

    def __init__(self, exchange: Exchange, call: Call, caller: Leg, facts: Facts, now: float) -> None:
        Call.__init__(self, exchange, facts, MAX_FORWARDS, now)
        self.call_id = call.call_id
        self.caller = caller
        self._call: Call | None = call
        self._join: Join | None = None
        self._change: Renegotiation | None = None  # by which the router itself comes to the caller
        self._due: AckDue | None = None
        call.transfer = self

    # ------------------------------------------------------------------------------------ what the target says

    def leg_answers(self, leg: Leg, transaction: ClientTransaction, response: Response, now: float) -> None:
        if self.state != SETUP:
            if leg is not self.callee or response.to_tag != leg.dialog.remote_tag:
                self._exchange.strays.response_received(transaction, response, now)
            return  # the same answer again: its ACK waits for the caller's
        if self._settle_on(leg, transaction, response, now):
            self.state = JOINING
            self._join = Join(self, leg, self.caller, self.media)
            self._join.begin_with(AckDue(leg, transaction, leg.dialog.local_cseq), response, now)

    def joined(self, now: float) -> None:
        """The caller and the target talk: the other call is over."""
        self._take_over(UP, now)

    def join_failed(self, status: int, reason: str, now: float) -> None:
        callee = self.callee
        assert callee is not None
        callee.hang_up(f'Reason: SIP;cause={status};text="Transfer failed"\r\n', now)
        self._refuse(status, reason, "", now)

    # --------------------------------------------------------------------- when the router itself is the target

    def answer_with(self, body: bytes, due: AckDue | None, now: float) -> None:
        self._due = due
        self._change = Renegotiation(self, self.caller)
        self._change.begin("Content-Type: application/sdp\r\n", body, now)

    def accepted(self, change: Renegotiation, response: Response, now: float) -> None:
        """The caller listens to the router from now on."""
        if not response.body:  # neither an offer nor an answer, though one was owed (RFC 3261 §13.2.1)
            change.decline(now)
            self.refused(change, 488, REASONS[488], now)
            return
        due, self._due = self._due, None
        self._change = None
        change.acknowledge(now)
        self._answered_at = now
        self._take_over(ATTENDED, now)
        if due is not None:
            due.send(now, "", response.body)

    def refused(self, _change: Renegotiation, status: int, reason: str, now: float) -> None:
        self._change = self._due = None
        if self.state != OVER:
            self._refuse(status, reason, "", now)

    # --------------------------------------------------------------------------------------------- how it ends

    def request_received(self, leg: Leg, transaction: ServerTransaction, request: Request, now: float) -> None:
        if self.state == JOINING and request.method == "BYE":
            transaction.respond(200, now)
            self.end(leg, "", now)
        else:
            Call.request_received(self, leg, transaction, request, now)

    def keeps(self, call: Call, by: Leg | None, now: float) -> bool:
        """The other call ends: there is nobody to be taken over any more."""
        self._drop_callees(None, now)
        self._fail(487, REASONS[487], "router" if by is None else "caller", now)
        return False

    def end(self, by: Leg | None, headers: str, now: float) -> None:
        if self.state in (SETUP, JOINING):
            self._drop_callees(by, now)
            self._refuse(480 if by is not None else 503, "", "", now, "router" if by is None else "callee")
        else:
            Call.end(self, by, headers, now)

    def _take_over(self, state: str, now: float) -> None:
        call = self._part()
        self.status = 200
        self.state = state
        self.caller.call = self
        self._succeeded(now)
        call.end(None, "", now)

    def _refuse(self, status: int, reason: str, headers: str, now: float, ended_by: str = "router") -> None:
        """The target cannot be had: the other call goes on, if there is still anybody to go on with."""
        self._fail(status, reason or REASONS.get(status, "Unknown"), ended_by, now)

    def _fail(self, status: int, reason: str, ended_by: str, now: float) -> None:
        self._part()
        self.status = status
        self._over(ended_by, now)
        self._failed(status, reason, now)

    def _drop_callees(self, by: Leg | None, now: float) -> None:
        """Cancel what rings; hang up what has answered, unless it is `by` who did."""
        if self._join is not None:
            self._join.abandon(now)
        change, self._change = self._change, None
        if change is not None:
            change.withdraw(now)
        callee = self.callee
        if callee is None:
            self._withdraw_all("", now)
        elif callee is by:
            callee.close(now)
        else:
            callee.hang_up("", now)

    def _part(self) -> Call:
        """Part from the other call, so that nothing refers in a circle."""
        call = self._call
        assert call is not None
        call.transfer = None
        self._call = self._join = self._change = self._due = None
        return call

    # ---------------------------------------------------------------------------------- for those who wanted it

    def _succeeded(self, now: float) -> None:
        """The caller is here now."""

    def _failed(self, status: int, reason: str, now: float) -> None:
        """The caller stays where they are."""


class PutThrough(Onward):
    """A call to what a caller chose whom the router itself speaks to (P3). When it fails, they go on talking.

    Args:
        told: hears whether it worked, unless the caller has hung up.
    """

    __slots__ = ("_told",)

    def __init__(self, exchange: Exchange, call: Call, facts: Facts, told: Callable[[bool], None], now: float) -> None:
        Onward.__init__(self, exchange, call, call.caller, facts, now)
        self._told: Callable[[bool], None] | None = told

    def _succeeded(self, now: float) -> None:
        self._tell(True)

    def _failed(self, status: int, reason: str, now: float) -> None:
        self._tell(False)

    def _gone_wrong(self, outcome: Outcome, refusal: Refusal, now: float) -> None:
        """What was offered cannot be had: the policy was asked about that, not about what was dialled."""
        self._refuse(refusal.status, refusal.reason, refusal.headers, now, refusal.by)

    def _tell(self, worked: bool) -> None:
        told, self._told = self._told, None
        if told is not None:
            told(worked)


class Following(PutThrough):
    """A call of somebody whom the router speaks to, that goes where the policy sends it, and on from there as often as
    nobody answers. It ends where the router itself is to speak again, which it does in the sound that there is.

    Attributes:
        following: the decision that the router itself is to speak, made with `facts`; None: nothing is left.
    """

    __slots__ = ("following",)

    def __init__(self, exchange: Exchange, call: Call, facts: Facts, told: Callable[[bool], None], now: float) -> None:
        PutThrough.__init__(self, exchange, call, facts, told, now)
        self._policy = call._policy
        self._configuration = call._configuration
        self.following: Decision | None = None

    def follow(self, decision: Decision, now: float) -> None:
        if isinstance(decision.target, AttendedTarget):
            self.following = decision
            self._refuse(480, "", "", now)
        else:
            PutThrough.follow(self, decision, now)

    def _gone_wrong(self, outcome: Outcome, refusal: Refusal, now: float) -> None:
        Call._gone_wrong(self, outcome, refusal, now)
