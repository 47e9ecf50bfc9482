"""Calls that the router itself begins: it calls somebody, and whoever answers is the caller of the call from then on,
as if they had called the router.

A script speaks to them (see `outgoing_script.py`). The policy is asked beforehand; what it decided is followed once:
where that ends without an answer, nobody else is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from router.calls.call import ATTENDED, SETUP, Call, Refusal
from router.calls.leg import AckDue, Leg
from router.model.decision import Action, Decision, Facts, Outcome
from router.model.sound import MediaWay
from router.sip.dialog import MAX_FORWARDS
from router.sip.message import Response
from router.sip.transaction import ClientTransaction

if TYPE_CHECKING:
    from router.calls.destination import Destination
    from router.calls.exchange import Exchange

_DESCRIBED: Final = "Content-Type: application/sdp\r\n"


class Originated(Call):
    """See the module.

    Until somebody answers, its `caller` is nobody: a leg without a dialog.

    Args:
        facts: of the call that the policy was asked about: origin `ROUTER`.
        decision: what it said; where it refuses, nobody is called.
    Attributes:
        outcome: how it ended where nobody answered.
    """

    __slots__ = ("_told", "outcome")

    def __init__(self, exchange: Exchange, facts: Facts, decision: Decision, now: float) -> None:
        Call.__init__(self, exchange, facts, MAX_FORWARDS, now)
        self.decision = decision
        self.caller = Leg(None, exchange.stack, exchange.strays, facts.peer, None, now)
        self.outcome: Outcome | None = None
        self._told: Callable[[bytes], None] | None = None

    def begin(self, decision: Decision, now: float) -> None:
        """Count from here on; `dial` follows the decision."""
        self._exchange.calls.add(self)

    def dial(self, offer: bytes, told: Callable[[bytes], None], now: float) -> None:
        """Call whom the decision names.

        Args:
            offer: our session description.
            told: hears of the answer, with the description in it (b"" without one). Where nobody answers, the call is
                over, which its speaker hears.
        """
        self._headers = _DESCRIBED
        self._body = offer
        self._told = told
        decision = self.decision
        if decision.action is Action.REFUSE:  # `follow` would explain it to the caller, whom there is not
            self._refuse(decision.status, decision.phrase, "", now)
        else:
            self.follow(decision, now)

    def leg_answers(self, leg: Leg, transaction: ClientTransaction, response: Response, now: float) -> None:
        """The first answer wins, and its leg is the caller."""
        if self.state != SETUP:
            self._exchange.strays.response_received(transaction, response, now)
            return
        if not self._settle_on(leg, transaction, response, now):
            return
        self.caller, self.callee = leg, None
        self.call_id = leg.dialog.call_id
        self.state = ATTENDED
        self.status = 200
        self._headers = ""
        self._body = b""
        AckDue(leg, transaction, leg.dialog.local_cseq).send(now)
        told, self._told = self._told, None
        if told is not None:
            told(response.body)

    def _way(self, destination: Destination) -> int:
        """The router itself is the other party, and needs a relay only for what it does not speak (SRTP)."""
        return destination.way if destination.way > MediaWay.RELAY else MediaWay.DIRECT

    def _dial(self, destination: Destination, now: float) -> None:
        Call._dial(self, destination, now)
        if not self.call_id:
            self.call_id = self.legs[-1].dialog.call_id

    def _gone_wrong(self, outcome: Outcome, refusal: Refusal, now: float) -> None:
        """Nobody answered: what is to be done then is for whoever wanted the call to say."""
        self.outcome = outcome
        self._cause = refusal.cause
        self._refuse(refusal.status, refusal.reason, refusal.headers, now, refusal.by)

    def _refuse(self, status: int, reason: str, headers: str, now: float, ended_by: str = "router") -> None:
        self.status = status
        self._over(ended_by, now)

    def _over(self, ended_by: str, now: float) -> None:
        self._told = None
        if self.status == 200:
            self._finished.append(self.caller)
        self.call_id = self.call_id or self._exchange.stack.ids.token()  # nobody could be called at all
        Call._over(self, ended_by, now)
