"""Calls that the router itself begins: it calls somebody, speaks to them, and may put them through to somebody else.

    class Reminder(OutgoingScript):
        async def run(self) -> None:
            await self.reach()
            await self.say(Recorded("callback.wanted"))

    script = attendant.originate(facts, decision, Reminder)
    await script.ended()
    script.outcome  # how it ended where nobody answered

Whoever answers is from then on the caller of the call, as if they had called the router: they are spoken to, and can be
put through (`Script.put_through`), like anybody whom a script serves. The policy is asked beforehand; what it decided
is followed once: where that ends without an answer, nobody else is tried.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from router.calls.call import ATTENDED, OVER, SETUP, Call, Refusal
from router.calls.leg import AckDue, Leg
from router.calls.script import HungUp, Script
from router.model.decision import Action, Decision, Facts, Outcome, RingPerson
from router.model.sound import MediaWay
from router.ports import MediaEngine, MediaSession
from router.sip.dialog import MAX_FORWARDS
from router.sip.message import Response
from router.sip.transaction import ClientTransaction

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
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


class OutgoingScript(Script):
    """A script for a call that the router itself begins. Its `run` begins with `reach`.

    Attributes:
        outcome: how the call ended where nobody answered; None while it goes on, and afterwards where somebody did.
    """

    def __init__(self, attendant: Attendant, call: Originated) -> None:
        Script.__init__(self, attendant, call)
        self._originated: Originated | None = call
        self.outcome: Outcome | None = None

    async def reach(self) -> None:
        """Call whom the call is for, and wait until they have answered.

        Raises `HungUp` where nobody answers, `MediaError` where the answer describes nothing of use.
        """
        call, session = self._originated, self.session
        if call is None or call.state == OVER:
            raise HungUp
        call.dial(session.description, self._ack_received, self.attendant.now())
        self.attendant.flush()
        answer = await self._acknowledged
        if self._call is None:
            raise HungUp
        await session.accept(answer)

    def call_over(self) -> None:
        if self._originated is not None:
            self.outcome = self._originated.outcome
            self._originated = None
        Script.call_over(self)

    async def _new_session(self, engine: MediaEngine) -> MediaSession:
        return await engine.offer(self._ears.told, trusted=self._sources())

    def _sources(self) -> list[str]:
        """The addresses of those who are going to be called, which their sound may come from."""
        target, directory = self.call.decision.target, self.attendant.exchange.directory
        if target is None:
            return []
        found, _ = directory.find(target)
        if isinstance(target, RingPerson):
            for _, accounts in target.later:
                found = [*found, *directory.devices(target.person, accounts)]
        return list({destination.flow.source[0] for destination in found})
