"""A feature code that was dialled (P2): the choice is made, confirmed by a short call, and the router hangs up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.calls.call import Call
from router.model.decision import Decision, Facts, Feature, FeatureKind, Origin, SelectedBy, Selection
from router.ports import StoreError
from router.sip.dialog import MAX_FORWARDS
from router.sip.errors import RemoteError
from router.sip.message import Request
from router.sip.sdp import held, held_offer
from router.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from router.calls.exchange import Exchange

_AGENT_EVENTS: Final = frozenset((FeatureKind.AGENT_IN, FeatureKind.AGENT_OUT, FeatureKind.AGENT_PAUSE))
SDP: Final = "application/sdp"

STORED_AFTER: Final = 0.02  # seconds between looks whether the choice is stored: a disk takes about that long
LONGEST_STORE: Final = 4.0  # seconds; longer than the store itself waits for a locked file


def begin_feature(
    exchange: Exchange,
    transaction: ServerTransaction,
    request: Request,
    facts: Facts,
    decision: Decision,
    sticky: bool,
    now: float,
) -> None:
    """Serve an INVITE that dialled a feature code. Raises RemoteError for what is malformed."""
    content_type = (request.get("content-type") or SDP).partition(";")[0].strip().lower()
    if request.body and content_type != SDP:
        raise RemoteError("a feature code is answered with plain SDP only", 488)
    FeatureCall.incoming(exchange, transaction, request, facts, MAX_FORWARDS, sticky, now).begin(decision, now)


class FeatureCall(Call):
    """A call to a feature code.

    The choice is in force before the call is answered, and stored: what the caller was told survives a power cut. The
    answer takes the media on hold, as nothing is said yet, and BYE follows the ACK at once (RFC 3261 §15).
    """

    __slots__ = ("_fault", "_stored")

    def __init__(self, exchange: Exchange, facts: Facts, max_forwards: int, now: float) -> None:
        Call.__init__(self, exchange, facts, max_forwards, now)
        self._stored = False
        self._fault: StoreError | None = None

    def follow(self, decision: Decision, now: float) -> None:
        """Make the choice; answer once it is stored."""
        self.decision = decision
        self._weighed = decision.weighed
        feature = decision.feature
        assert feature is not None
        self._choose(feature)
        if feature.kind in _AGENT_EVENTS:
            self._exchange.queues.when_stored(self._told)
        else:
            self._exchange.states.when_stored(self._told)
        self._look(now)

    def timer_expired(self, name: str, now: float) -> None:
        self._no_answer = None
        self._look(now)

    def _choose(self, feature: Feature) -> None:
        exchange = self._exchange
        facts = self.facts
        person = feature.person
        at = exchange.clock()
        phone = facts.peer if facts.origin is Origin.PERSON else f"{facts.caller_number} at {facts.peer}"
        actor = f"phone {phone}"
        if feature.kind in _AGENT_EVENTS:
            exchange.queues.agent_says(feature.person, feature.kind, actor)
        elif feature.kind is FeatureKind.RETURN:
            exchange.states.take_back(person, SelectedBy.PERSON, actor, at)
        else:
            exchange.states.select(
                Selection(person, feature.profile, SelectedBy.PERSON, at, feature.until, feature.forward, actor), at
            )

    def _told(self, fault: StoreError | None) -> None:
        # The store answers outside the stack's time, so this only takes note; a timer looks.
        self._stored = True
        self._fault = fault

    def _look(self, now: float) -> None:
        if not self._stored and now - self._began < LONGEST_STORE:
            self._no_answer = self._exchange.stack.timers.start(STORED_AFTER, self, "stored", now)
        elif not self._stored or self._fault is not None:
            # The choice holds for now, but might be gone tomorrow: not what a 200 says.
            self._refuse(500, "Not stored", "", now)
        else:
            self._answer(now)

    def _answer(self, now: float) -> None:
        """200 with a session description: an answer to the caller's offer, or an offer where there was none (RFC 3261
        §13.3.1.4)."""
        invite = self._invite
        assert invite is not None
        host = invite.flow.local[0]
        self.answer_with(held(self._body, host) if self._body else held_offer(host), None, now)
        self.caller.hang_up("", now)
        self._over("router", now)
