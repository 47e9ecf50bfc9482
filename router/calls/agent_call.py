"""The call of somebody who waits in a queue to the agents who are rung for them: several people, of whom one answers.

Everybody rung gets the router's own offer, so that the caller hears whoever answers at once, without a word of SIP on
their own side. Who is rung and who is let go of is decided by the queue (`queue_floor.py`), not by what a phone says.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final, Protocol

from router.calls.call import ELSEWHERE, JOINING, OVER, SETUP, UP, Call
from router.calls.leg import AckDue, Leg
from router.calls.media_path import MediaPath
from router.calls.onward import Onward
from router.model.decision import Outcome
from router.model.queue import ReleaseCause
from router.model.sound import MediaWay
from router.ports import MediaBridge, MediaSession
from router.sip.dialog import MAX_FORWARDS
from router.sip.message import Response
from router.sip.reason import q850_cause
from router.sip.transaction import ClientTransaction

if TYPE_CHECKING:
    from router.calls.destination import Destination
    from router.calls.exchange import Exchange
    from router.model.decision import Decision

_DESCRIBED: Final = "Content-Type: application/sdp\r\n"
RELEASED: Final = {
    ReleaseCause.ELSEWHERE: ELSEWHERE,  # Q10
    ReleaseCause.CALLER_GONE: 'Reason: SIP;cause=487;text="Caller gone"\r\n',
    ReleaseCause.TIMED_OUT: 'Reason: SIP;cause=480;text="No answer"\r\n',
    ReleaseCause.WITHDRAWN: 'Reason: SIP;cause=480;text="Withdrawn"\r\n',
}
_UNREACHABLE: Final = frozenset((404, 408, 410, 480, 500, 502, 503, 504))


class RingingDesk(Protocol):
    """Who has agents rung."""

    def agent_answered(self, agent: str) -> bool:
        """An agent has answered. False: too late, somebody else has; that answer is undone."""
        ...

    def ring_failed(self, agent: str, outcome: Outcome) -> None:
        """None of an agent's phones rings any more."""
        ...

    def agent_lost(self) -> None:
        """The agent who answered is gone before the two could talk."""
        ...

    def conversation_over(self) -> None:
        """The agent does not talk with the caller any more."""
        ...


class AgentCall(Onward):
    """See the module. Until somebody answers, what was tried is added to the record of the caller's own call.

    Args:
        call: of the caller, whom a script speaks to.
        decision: that led to the queue; what it shows is what agents see.
        desk: hears what comes of it.
    Attributes:
        description: what the agent answered to our offer.
    """

    __slots__ = ("_desk", "_refused", "description")

    def __init__(self, exchange: Exchange, call: Call, decision: Decision, desk: RingingDesk, now: float) -> None:
        Onward.__init__(self, exchange, call, call.caller, call.facts, now)
        self._policy = call.policy
        self._desk: RingingDesk | None = desk
        self._refused = ""  # the agent whose answer is not wanted
        self.decision = decision
        self.description = b""
        exchange.calls.add(self)
        if self.caller.person is not None:
            exchange.lines.call_began(self.caller.person)

    # ------------------------------------------------------------------------------------------- whom it rings

    def ring(self, agent: str, destinations: Iterable[Destination], offer: bytes, extra: str, now: float) -> None:
        """Ring an agent's phones with the router's own offer.

        Args:
            extra: header lines for them, with CRLF each.
        """
        exchange = self._exchange
        for destination in destinations:
            leg = Leg(self, exchange.stack, exchange.strays, destination.peer, agent, now)
            self.legs.append(leg)
            who, identity = destination.identity(self.decision)
            headers = f"{identity}{_DESCRIBED}{extra}"
            leg.open(destination, who, headers, offer, MAX_FORWARDS, now)

    def release(self, agent: str, cause: ReleaseCause, now: float) -> None:
        """Stop ringing an agent; hang up where they have answered."""
        headers = RELEASED[cause]
        self._refused = agent
        callee = self.callee
        if callee is not None and callee.person == agent and self.state == JOINING:
            self._drop_callees(None, now)
            self._fail(480, "", "router", now)
            return
        self._withdraw(agent, headers, now)

    def rings(self, agent: str) -> bool:
        """Say whether any phone of an agent is being called."""
        return any(leg.person == agent for leg in self.legs)

    def _withdraw(self, agent: str, headers: str, now: float) -> None:
        for leg in [leg for leg in self.legs if leg.person == agent]:
            self.legs.remove(leg)
            leg.status = leg.status or 487
            self._finish(leg, now)
            leg.withdraw(headers, now)

    # ------------------------------------------------------------------------------------ what their phones say

    def leg_answers(self, leg: Leg, transaction: ClientTransaction, response: Response, now: float) -> None:
        desk, agent = self._desk, leg.person or ""
        if self.state != SETUP or desk is None:
            if leg is not self.callee or response.to_tag != leg.dialog.remote_tag:
                self._exchange.strays.response_received(transaction, response, now)
            return  # the same answer again: the stack repeats our ACK
        self._refused = ""
        self.legs.remove(leg)  # so that nobody cancels what has been answered
        if not desk.agent_answered(agent) or self._refused == agent or self.state != SETUP:
            leg.invite = None
            transaction.owner = self._exchange.strays
            transaction.owner.response_received(transaction, response, now)
            leg.status = 487
            self._finish(leg, now)
            leg.close(now)
            return
        self.legs.append(leg)
        self.description = response.body
        if self._settle_on(leg, transaction, response, now):
            self.state = JOINING
            AckDue(leg, transaction, leg.dialog.local_cseq).send(now)

    def leg_refuses(self, leg: Leg, response: Response, now: float) -> None:
        leg.invite = None
        status = response.status
        leg.cause = q850_cause(response)
        if status in (486, 600):
            outcome = Outcome.BUSY
        elif status == 487:
            outcome = Outcome.NO_ANSWER
        elif status in _UNREACHABLE:
            outcome = Outcome.UNREACHABLE
        else:
            outcome = Outcome.REJECTED
        self._lost(leg, status, outcome, now)

    def leg_fails(self, leg: Leg, cause: str, now: float) -> None:
        leg.invite = None
        self._lost(leg, 408 if cause == "timeout" else 503, Outcome.UNREACHABLE, now)

    def _lost(self, leg: Leg, status: int, outcome: Outcome, now: float) -> None:
        agent = leg.person or ""
        self._leg_ends(leg, status, now)
        if outcome in (Outcome.BUSY, Outcome.REJECTED):
            self._withdraw(agent, ELSEWHERE, now)  # one hand declines for all phones of a person
        if self._desk is not None and not self.rings(agent):
            self._desk.ring_failed(agent, outcome)

    def _next_leg(self, outcome: Outcome, refusal: object, now: float) -> None:
        """An answer was of no use: nobody else rings any more, as it was given."""
        desk = self._desk
        self.give_up(now)
        if desk is not None:
            desk.agent_lost()

    # ---------------------------------------------------------------------------------------------- connecting

    @property
    def agent_is_there(self) -> bool:
        """Whether an agent has answered, and neither hung up nor talks yet."""
        return self.state == JOINING

    @property
    def talks(self) -> bool:
        """Whether the two talk."""
        return self.state == UP

    def joined_by(self, caller: MediaSession, agent: MediaSession, bridge: MediaBridge, now: float) -> None:
        """The two hear each other: the caller's own call is over, and this one goes on. Raises `MediaError`, with
        everything left as it was."""
        callee = self.callee
        assert callee is not None
        path = MediaPath(self._exchange.relays, self, self.caller, callee, MediaWay.DIRECT)
        path.take_over(caller, agent, bridge)
        self.relay_by(path)
        if self._call is not None:
            self.queue = self._call.queue
        self._take_over(UP, now)

    # --------------------------------------------------------------------------------------------- how it ends

    def _fail(self, status: int, reason: str, ended_by: str, now: float) -> None:
        """Nobody is connected: the caller goes on waiting, or is gone."""
        call = self._part()
        exchange, callee = self._exchange, self.callee
        answered = callee is not None
        if callee is not None:
            self._finished.append(callee)
            if callee.person is not None:
                exchange.lines.call_ended(callee.person)
            self.callee = None
        call.tried(self._finished)
        self._finished = []
        self.state = OVER
        exchange.calls.discard(self)
        if self.caller.person is not None:
            exchange.lines.call_ended(self.caller.person)
        desk, self._desk = self._desk, None
        if desk is not None and answered:
            desk.agent_lost()

    def _over(self, ended_by: str, now: float) -> None:
        desk, self._desk = self._desk, None
        Call._over(self, ended_by, now)
        if desk is not None:
            desk.conversation_over()

    def give_up(self, now: float) -> None:
        """Nobody is to be rung any more."""
        if self.state in (SETUP, JOINING):
            self._drop_callees(None, now)
            self._desk = None
            self._fail(487, "", "router", now)

    def leave(self, leg: Leg, now: float) -> None:
        Call.leave(self, leg, now)
        self._passed_on(leg)

    def replace(self, old: Leg, new: Leg, now: float) -> None:
        Call.replace(self, old, new, now)
        self._passed_on(old)

    def _passed_on(self, leg: Leg) -> None:
        """Somebody who talked is no longer part of it: the queue's conversation is over."""
        desk, self._desk = self._desk, None
        if desk is not None:
            desk.conversation_over()
