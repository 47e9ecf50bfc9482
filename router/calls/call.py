"""One call through the router: a caller's leg, the legs that are tried for it, and the one that answered.

The call is driven by what its legs tell it; it has no task and never waits. Its beginning asks the policy where it
goes (`follow`); every failure asks again, with what was tried as a further fact. When it is over, everything that
refers to it is cut, so that nothing is left for the garbage collector.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from router.calls.header_map import DROPPED_FROM_REFUSALS, only, passed
from router.calls.leg import CAPABILITIES, AckDue, Leg
from router.calls.media_path import DIRECT, FAILED, LOST, RELAYED, MediaPath
from router.calls.relay import relay_reinvite, relay_request
from router.calls.ringing import Stages
from router.model.decision import (
    Action,
    Attempt,
    AttendedTarget,
    Decision,
    Facts,
    Origin,
    Outcome,
    RingPerson,
    Weighed,
)
from router.model.record import CallRecord, Quality, QueueMoment
from router.model.sound import MediaWay
from router.policy.recording import could_be_recorded, licensed
from router.sip.dialog import Answer, Dialog
from router.sip.errors import RemoteError
from router.sip.message import Request, Response
from router.sip.reason import q850_cause
from router.sip.timers import Timer, cancel
from router.sip.transaction import ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from router.calls.call_recording import CallRecording
    from router.calls.destination import Destination
    from router.calls.exchange import Exchange
    from router.policy import Policy

MAX_ATTEMPTS: Final = 8  # policy questions in one call; a policy without loops needs three or four
ELSEWHERE: Final = 'Reason: SIP;cause=200;text="Call completed elsewhere"\r\n'  # RFC 3326 §2, Q10, F4
NO_ANSWER: Final = 'Reason: SIP;cause=480;text="No answer"\r\n'

# A callee's own answer is final; these say that the way to it failed, and another trunk may do better.
_WAY_FAILED: Final = frozenset((408, 503))

# JOINING: the target of a transfer has answered and is being brought together with the transferee.
# ALONE: one party hung up while a transfer finds the other a new one.
# ATTENDED: the router itself has answered, and a script speaks to the caller.
SETUP, JOINING, UP, ALONE, ATTENDED, OVER = "setup", "joining", "up", "alone", "attended", "over"


class Speaker(Protocol):
    """What speaks to the caller of a call (see `script.py`)."""

    def request_received(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """A request of the caller, within the dialog, other than BYE. A RemoteError that this raises is the answer."""
        ...

    def call_over(self) -> None:
        """The call is over, or goes on without it."""
        ...

    def quality(self) -> tuple[Quality, ...]:
        """What passed of the caller's sound so far."""
        ...


class TransferUnderWay(Protocol):
    """What a call that is being transferred asks about its end."""

    def keeps(self, call: Call, by: Leg | None, now: float) -> bool:
        """Hear that `call` is to end because `by` hung up (None: the router ends it).

        True: it goes on without `by`. False: the transfer is given up.
        """
        ...


class Refusal(NamedTuple):
    """What the caller hears when nobody else is left to try.

    `reason` "" is the usual phrase; `headers` are lines with CRLF each; `by` is who refused, "callee" or "router";
    `cause` is Q.850's.
    """

    status: int
    reason: str = ""
    headers: str = ""
    by: str = "router"
    cause: int | None = None


class Call:
    """See the module.

    Attributes:
        caller, callee: the legs; state, decision, facts: where it stands.
        started: POSIX seconds at which its INVITE came.
        call_id: of the caller's leg, for the record; of a transferred call that of the call it comes from.
        transfer: the transfer of one of its parties that is under way (see `transfer.py`, `replaces.py`).
        media: the path of its sound between the two who talk, where that is relayed.
        recordings: of those who talked, where there are rules about that; the last one is of those who talk now.
        speaker: what speaks to the caller, or prepares to.
        status: final status that the caller got.
    """

    __slots__ = (
        "_answered_at",
        "_attempts",
        "_began",
        "_body",
        "_busy",
        "_cause",
        "_configuration",
        "_early_tags",
        "_exchange",
        "_finished",
        "_headers",
        "_invite",
        "_location",
        "_max_forwards",
        "_no_answer",
        "_policy",
        "_record_routes",
        "_refusal",
        "_relayed_to_record",
        "_stages",
        "_waiting",
        "_weighed",
        "_without_relay",
        "call_id",
        "callee",
        "caller",
        "decision",
        "facts",
        "legs",
        "media",
        "queue",
        "recordings",
        "speaker",
        "started",
        "state",
        "status",
        "transfer",
    )

    def __init__(self, exchange: Exchange, facts: Facts, max_forwards: int, now: float) -> None:
        self._exchange = exchange
        self._policy = exchange.policy  # calls in progress keep the policy they began with
        self._configuration = exchange.configuration
        self._invite: ServerTransaction | None = None
        self._headers = ""
        self._location = ""  # goes with an emergency call only
        self._body = b""
        self._max_forwards = max_forwards
        self._record_routes = ""
        self._began = now
        self.started = exchange.clock()
        self._answered_at: float | None = None
        self._no_answer: Timer | None = None
        self._waiting: list[Destination] = []
        self._stages: Stages | None = None  # devices of the person who is being called that ring later
        self._weighed: tuple[Weighed, ...] = ()
        self._refusal: Refusal | None = None
        self._busy = False
        self._cause: int | None = None  # Q.850, as whoever ended the call gave it
        self._finished: list[Leg] = []
        self._early_tags: dict[str, str] | None = None
        self._without_relay = False  # one was lost, and it goes direct from then on
        self._relayed_to_record = False  # and for nothing else
        self._attempts = 0
        self.queue: tuple[QueueMoment, ...] = ()
        self.facts = facts
        self.decision: Decision
        self.state = SETUP
        self.legs: list[Leg] = []
        self.callee: Leg | None = None
        self.caller: Leg
        self.call_id = ""
        self.transfer: TransferUnderWay | None = None
        self.media: MediaPath | None = None
        self.recordings: tuple[CallRecording, ...] = ()
        self.speaker: Speaker | None = None
        self.status = 0

    @classmethod
    def incoming(
        cls,
        exchange: Exchange,
        transaction: ServerTransaction,
        request: Request,
        facts: Facts,
        max_forwards: int,
        sticky: bool,
        now: float,
    ) -> Call:
        """The call that an INVITE asks for. Raises RemoteError for a malformed Contact or Record-Route."""
        stack = exchange.stack
        call = cls(exchange, facts, max_forwards, now)
        call._invite = transaction
        call._headers = passed(request)
        if "geolocation" in request:
            call._location = only(request, "geolocation")
        call._body = request.body
        if "record-route" in request:
            call._record_routes = "".join(f"Record-Route: {value}\r\n" for value in request.lines("record-route"))
        caller = Leg(None, stack, exchange.strays, facts.peer, facts.person, now)
        caller.outside = facts.origin is Origin.TRUNK
        tag = stack.ids.token()
        caller.dialog = Dialog.incoming(request, tag, transaction.flow, caller, stack.flows, sticky)
        caller.call = call  # only now: a refused INVITE must not leave the two holding each other
        call.caller = caller
        call.call_id = request.call_id
        stack.dialogs[tag] = caller.dialog
        transaction.tag = tag
        transaction.owner = caller
        return call

    # ------------------------------------------------------------------------------------- where it goes

    def begin(self, decision: Decision, now: float) -> None:
        """Follow the first decision. The call counts from here on."""
        exchange = self._exchange
        exchange.calls.add(self)
        if self.caller.person is not None:
            exchange.lines.call_began(self.caller.person)
        self.follow(decision, now)

    def follow(self, decision: Decision, now: float) -> None:
        """Do what the policy decided."""
        self.decision = decision
        self._refusal = None  # what was said of an earlier target is not said of this one
        self._busy = False
        if decision.weighed:
            self._weigh(decision.weighed)
        exchange = self._exchange
        if decision.action is Action.REFUSE:
            if not exchange.attendant.explains(self):
                self._refuse(decision.status, decision.phrase, "", now)
            return
        target = decision.target
        found, together = exchange.directory.find(target)
        if type(target) is RingPerson and target.later:
            self._stages = Stages(target, exchange.directory, exchange.stack.timers, self, now)
            found = found or self._stages.next_registered()
        if not found:
            if isinstance(target, AttendedTarget) and exchange.attendant.attend(self, target):
                return
            self._gone_wrong(Outcome.UNREACHABLE, Refusal(480), now)
            return
        if decision.limits:
            exchange.limited_calls.begun(self._policy, decision.limits, decision.person, exchange.clock())
        if decision.no_answer_after is not None:
            self._no_answer = exchange.stack.timers.start(decision.no_answer_after, self, "no answer", now)
        if together:
            for destination in found:
                self._dial(destination, now)
        else:
            found.reverse()
            first = found.pop()
            self._waiting = found
            self._dial(first, now)

    def _weigh(self, weighed: tuple[Weighed, ...]) -> None:
        """Note whose states were weighed, each as the first decision that asked found them."""
        if self._weighed:
            known = {one.person for one in self._weighed}
            weighed = (*self._weighed, *[one for one in weighed if one.person not in known])
        self._weighed = weighed

    def _dial(self, destination: Destination, now: float) -> None:
        exchange = self._exchange
        leg = Leg(self, exchange.stack, exchange.strays, destination.peer, destination.person, now)
        self.legs.append(leg)
        who, identity = destination.identity(self.decision)
        if self._location and self.decision.action is Action.EMERGENCY:
            identity += self._location
        way = self._way(destination)
        if way and not self._without_relay:
            self._dial_relayed(leg, destination, who, identity, way, now)
        else:
            leg.open(destination, who, identity + self._headers, self._body, self._max_forwards, now)

    def _gone_wrong(self, outcome: Outcome, refusal: Refusal, now: float) -> None:
        """Nobody answered this decision: ask the policy what to do next, or tell the caller."""
        cancel(self._no_answer)
        self._no_answer = None
        self._drop_stages()
        decision = self.decision
        self._attempts += 1
        if self._attempts < MAX_ATTEMPTS and decision.action in (Action.RING, Action.FORWARD):
            attempt = Attempt(str(decision.target), outcome)
            self.facts = self.facts._replace(attempts=(*self.facts.attempts, attempt))
            following = self._exchange.decide(self.facts, self._policy)
            if following.action is Action.REFUSE and refusal.status == 488:
                following = following._replace(status=488, phrase="")  # with another offer there would be a way
            if following.action is Action.REFUSE or following.target != decision.target:
                self.follow(following, now)
                return
        self._cause = refusal.cause
        self._refuse(refusal.status, refusal.reason, refusal.headers, now, refusal.by)

    def _drop_stages(self) -> None:
        if self._stages is not None:
            self._stages.drop()
            self._stages = None

    def timer_expired(self, name: str, now: float) -> None:
        """It is time for more devices to ring, or nobody answered within the time that the policy gives."""
        if name == "stage":
            if self._stages is not None:
                for destination in self._stages.next():
                    self._dial(destination, now)
            return
        self._no_answer = None
        if self.state == SETUP:
            self._withdraw_all(NO_ANSWER, now)
            self._waiting.clear()
            self._gone_wrong(Outcome.NO_ANSWER, Refusal(480), now)

    # ------------------------------------------------------------------------------ what the callees say

    def leg_rings(self, leg: Leg, response: Response, now: float) -> None:
        """A provisional response beyond 100 passes to the caller, with its early media if it has any."""
        if leg.rang_at is None:
            leg.rang_at = now
            if leg.person is not None:
                self._exchange.lines.ringing_began(leg.person)
        invite = self._invite
        if invite is not None:
            tag = self._caller_tag(response.to_tag)
            invite.respond(response.status, now, response.reason, self._description(response), response.body, tag)

    def leg_answers(self, leg: Leg, transaction: ClientTransaction, response: Response, now: float) -> None:
        """The first answer wins; the caller gets it, every other phone stops ringing."""
        invite = self._invite
        if invite is None:
            if leg is not self.callee or response.to_tag != leg.dialog.remote_tag:
                self._exchange.strays.response_received(transaction, response, now)
            return  # the same answer again: its ACK waits for the caller's
        if self._settle_on(leg, transaction, response, now):
            self._answer_caller(invite, leg, transaction, response, now)

    def _settle_on(self, leg: Leg, transaction: ClientTransaction, response: Response, now: float) -> bool:
        """Make the leg that answers the callee and let go of all others; False when its answer is unusable."""
        try:
            leg.dialog.confirm(response, self._exchange.stack.flows)
        except RemoteError:
            leg.invite = None
            transaction.owner = self._exchange.strays
            transaction.owner.response_received(transaction, response, now)
            self._waiting.clear()  # it was answered: calling somebody else as well would be wrong
            self._drop_stages()
            self._leg_ends(leg, 500, now)
            self._next_leg(Outcome.UNREACHABLE, Refusal(500), now)
            return False
        cancel(self._no_answer)
        self._no_answer = None
        self._drop_stages()
        leg.invite = None
        leg.status = response.status
        if self._policy.recording is not None:
            self._decide_recording(self.caller, leg)
        if leg.path is not None:
            self.relay_by(leg.path)
            leg.path = None
        self.callee = leg
        self.state = UP
        self._answered_at = now
        if leg.line is not None:
            leg.line.answered(now)
        legs = self.legs
        if len(legs) > 1:
            legs.remove(leg)
            self._withdraw_all(ELSEWHERE, now)
        self.legs = []
        self._waiting = []
        exchange = self._exchange
        if leg.person is not None:
            if leg.rang_at is not None:
                exchange.lines.ringing_ended(leg.person)
            exchange.lines.call_began(leg.person)
        exchange.setup_seconds.observe(now - self._began)
        return True

    def _answer_caller(
        self, invite: ServerTransaction, leg: Leg, transaction: ClientTransaction, response: Response, now: float
    ) -> None:
        exchange = self._exchange
        caller = self.caller
        dialog = caller.dialog
        tag = self._caller_tag(response.to_tag)
        if tag != dialog.local_tag:
            dialogs = exchange.stack.dialogs
            del dialogs[dialog.local_tag]
            dialog.local_tag = tag
            dialogs[tag] = dialog
        headers = (
            f"{self._record_routes}Contact: <sip:{dialog.flow.contact}>\r\n{CAPABILITIES}{exchange.stack.server}"
            f"{passed(response)}"
        )
        data = invite.respond(200, now, response.reason, headers, response.body, tag)
        invite.owner = None
        self._invite = None
        self._early_tags = None
        self._headers = self._record_routes = ""
        self._body = b""
        caller.answer = Answer(exchange.stack, dialog, invite.flow, data, now)
        caller.due = AckDue(leg, transaction, leg.dialog.local_cseq)
        self.status = 200

    def _description(self, response: Response) -> str:
        """Header lines of a provisional answer or a 2xx to the caller, made from the callee's."""
        contact = self.caller.dialog.flow.contact
        server = self._exchange.stack.server
        return f"{self._record_routes}Contact: <sip:{contact}>\r\n{CAPABILITIES}{server}{passed(response)}"

    def leg_refuses(self, leg: Leg, response: Response, now: float) -> None:
        """A final refusal of one leg: credentials, the next trunk, the other phones, the policy, or the caller's
        answer."""
        leg.invite = None
        status = response.status
        if leg.accept_challenge(response, "INVITE"):
            destination = leg.destination
            assert destination is not None
            _, identity = destination.identity(self.decision)
            body = self._body if leg.path is None else leg.path.offered
            leg.open_again(identity + self._headers, body, self._max_forwards, now)
            return
        if leg.line is not None:
            if status in _WAY_FAILED:
                leg.line.failed(now, str(status), _seconds(response.get("retry-after")))
            else:
                leg.line.answered(now)
        leg.cause = q850_cause(response)
        self._leg_ends(leg, status, now)
        if status in (401, 407):  # never the trunk's challenge to the caller
            refusal = Refusal(503)
        elif status < 400:
            refusal = Refusal(480)  # where a callee wants to be reached instead is the policy's business
        elif status == 487:
            refusal = Refusal(480)  # timer C cancelled it (RFC 3261 §16.8), not the caller
        else:
            headers = passed(response, DROPPED_FROM_REFUSALS)
            refusal = Refusal(status, response.reason, headers, "callee", leg.cause)
        if status in (486, 600):
            outcome = Outcome.BUSY
            self._busy = leg.person is not None
        elif status == 487:
            outcome = Outcome.NO_ANSWER
        elif status in (404, 408, 410, 480, 500, 502, 503, 504):
            outcome = Outcome.UNREACHABLE
        else:
            outcome = Outcome.REJECTED
        if status not in _WAY_FAILED:
            self._waiting.clear()  # never fail over after a callee's own answer
        if status == 486 or status >= 600:
            self._drop_stages()  # who is on the phone, or has declined, is not rung elsewhere
        if status >= 600:
            self._withdraw_all("", now)  # RFC 3261 §16.7 step 5
        self._next_leg(outcome, refusal, now)

    def leg_fails(self, leg: Leg, cause: str, now: float) -> None:
        """No response at all: as 408, or as 503 where the transport said so (RFC 3261 §8.1.3.1)."""
        leg.invite = None
        status = 408 if cause == "timeout" else 503
        if leg.line is not None:
            leg.line.failed(now, cause)
        self._leg_ends(leg, status, now)
        self._next_leg(Outcome.UNREACHABLE, Refusal(status), now)

    # ------------------------------------------------------------------------------- sound through the router

    def _way(self, destination: Destination) -> int:
        """Which way the sound to somebody who is called is to take (a `MediaWay`)."""
        way = destination.way
        if self.caller.way > way:
            way = self.caller.way
        if not way and self._policy.recording is not None:
            way = self._way_to_record()
        return way

    def _dial_relayed(self, leg: Leg, destination: Destination, who: str, identity: str, way: int, now: float) -> None:
        """Call a leg whose sound is to be relayed: with the relay's offer, as soon as that is there."""
        leg.prepare(destination, who)
        headers = identity + self._headers
        path = leg.path = MediaPath(self._exchange.relays, self, self.caller, leg, way)
        if not path.way and self._may_go_direct:
            self._open_without(leg, way, headers, 500, now)
        elif self._body or not path.way:
            relayed, without = partial(self._open, leg, way, headers), partial(self._open_without, leg, way, headers)
            path.first_offer(self._body, relayed, without)
        else:
            self._open(leg, way, headers, b"", now)  # whoever is called makes the offer

    def _open(self, leg: Leg, way: int, headers: str, body: bytes, now: float) -> None:
        """Send the INVITE of a leg with the relay's offer."""
        self._exchange.relays.count(way, RELAYED)
        leg.open_again(headers, body, self._max_forwards, now)

    def _open_without(self, leg: Leg, way: int, headers: str, status: int, now: float) -> None:
        """There is no relay: the INVITE goes out without one where it may, or the leg has failed."""
        if leg.path is not None:
            leg.path.close()
            leg.path = None
        if self._may_go_direct:
            self._exchange.relays.count(way, DIRECT)
            leg.open_again(headers, self._body, self._max_forwards, now)
        else:
            self._exchange.relays.count(way, FAILED)
            self._leg_ends(leg, status, now)
            self._next_leg(Outcome.UNREACHABLE, Refusal(status), now)

    @property
    def _may_go_direct(self) -> bool:
        """Whether this call goes on without the relay that it should have: no emergency call fails for one, and none
        because it cannot be recorded."""
        relays = self._exchange.relays
        return relays.falls_back or self._relayed_to_record or self.decision.action is Action.EMERGENCY

    def _way_to_record(self) -> MediaWay:
        """The way of a sound that nobody wants to be relayed, but that may have to be recorded (X3)."""
        now = self._exchange.clock()
        if not could_be_recorded(self.facts, self.decision, self._policy, now):
            return MediaWay.DIRECT
        self._relayed_to_record = True
        return MediaWay.RELAY

    def _decide_recording(self, caller: Leg, callee: Leg) -> None:
        """Two begin to talk: decide whether they are recorded (X3, G12)."""
        recording = self._exchange.recordings.begin(self, caller, callee)
        if recording is not None:
            self.recordings = (*self.recordings, recording)

    def path_between(self, caller: Leg, callee: Leg) -> MediaPath | None:
        """A path for the sound of two legs that are to talk in this call; None where it goes direct.

        Whoever asks closes it, or gives it to `relay_by`.
        """
        way = max(caller.way, callee.way)
        if not way and self._policy.recording is not None and licensed(self._policy, caller.person, callee.person):
            way = MediaWay.RELAY
            self._relayed_to_record = True
        if not way:
            return None
        relays = self._exchange.relays
        path = MediaPath(relays, self, caller, callee, way)
        if path.way or not self._may_go_direct:
            relays.count(way, RELAYED)
            return path
        relays.count(way, DIRECT)
        path.close()
        return None

    def relay_by(self, path: MediaPath | None) -> None:
        """The two talk by this path from now on."""
        if self.media is not None:
            self.media.close()
        self.media = path
        if path is not None:
            path.answered = None
            if self.recordings:
                self.recordings[-1].talk(path)

    def path_lost(self, path: MediaPath, headers: str, now: float) -> None:
        """The relay is gone. Who talks is hung up; who rings is called again, without it where that is allowed."""
        if path is self.media:
            self._exchange.relays.count(path.wanted, LOST)
            self.end(None, headers, now)
            return
        for leg in self.legs:
            if leg.path is path:
                self._exchange.relays.count(path.wanted, LOST)
                self.legs.remove(leg)
                self._give_up(leg, headers, now)
                return

    def leg_unheard(
        self, leg: Leg, transaction: ClientTransaction, response: Response, status: int, now: float
    ) -> None:
        """A callee has answered whose sound cannot be brought to the caller: they are hung up."""
        self.legs.remove(leg)
        leg.status = status
        self._waiting.clear()  # it was answered: calling somebody else as well would be wrong
        self._drop_stages()
        self._give_up(leg, "", now)

    def _give_up(self, leg: Leg, headers: str, now: float) -> None:
        """Let go of a leg that cannot be relayed."""
        destination = leg.destination
        assert destination is not None
        leg.status = leg.status or 500
        self._finish(leg, now)
        leg.withdraw(headers, now)
        if self._may_go_direct and self.state == SETUP:
            self._without_relay = True
            self._dial(destination, now)
        else:
            self._next_leg(Outcome.UNREACHABLE, Refusal(leg.status), now)

    # ------------------------------------------------------------------------------------- when a leg is over

    def _leg_ends(self, leg: Leg, status: int, now: float) -> None:
        leg.status = status
        if leg in self.legs:
            self.legs.remove(leg)
        self._finish(leg, now)
        leg.close(now)

    def _finish(self, leg: Leg, _now: float) -> None:
        self._finished.append(leg)
        if leg.rang_at is not None and leg.person is not None:
            self._exchange.lines.ringing_ended(leg.person)

    def _next_leg(self, outcome: Outcome, refusal: Refusal, now: float) -> None:
        if self.state != SETUP:
            return
        if self._refusal is None or _rank(refusal.status) < _rank(self._refusal.status):
            self._refusal = refusal
        if self.legs:
            return
        if self._waiting:
            self._dial(self._waiting.pop(), now)
            return
        if self._stages is not None:
            found = self._stages.next_registered()
            for destination in found:
                self._dial(destination, now)
            if found:
                return
        best, self._refusal = self._refusal, None
        if self._busy and best.status < 600:  # one busy device makes a busy person, unless another was used to decline
            outcome = Outcome.BUSY
        self._gone_wrong(outcome, best, now)

    def _withdraw_all(self, headers: str, now: float) -> None:
        legs, self.legs = self.legs, []
        for leg in legs:
            leg.status = 487
            self._finish(leg, now)
            leg.withdraw(headers, now)

    def _caller_tag(self, callee_tag: str | None) -> str:
        """The tag that the caller sees for a callee's dialog: each early dialog of a forked call has its own (RFC 3261
        §12.1)."""
        tags = self._early_tags
        if tags is None:
            self._early_tags = {callee_tag or "": self.caller.dialog.local_tag}
            return self.caller.dialog.local_tag
        tag = tags.get(callee_tag or "")
        if tag is None:
            tag = tags[callee_tag or ""] = self._exchange.stack.ids.token()
        return tag

    # ----------------------------------------------------------------- when the router itself is the other side

    @property
    def offer(self) -> bytes:
        """The caller's session description; b"" where the INVITE had none."""
        return self._body

    @property
    def weighed(self) -> tuple[Weighed, ...]:
        """People's states on which the decisions rest."""
        return self._weighed

    @property
    def policy(self) -> Policy:
        """The policy that the call began with."""
        return self._policy

    def progress_with(self, body: bytes, now: float) -> None:
        """Let the caller hear something before the answer: 183 with the router's own session description."""
        assert self._invite is not None
        self._invite.respond(183, now, "", self._own_headers(), body)

    def answer_with(self, body: bytes, due: AckDue | None, now: float) -> None:
        """Answer the caller with the router's own session description.

        Args:
            body: an answer to the caller's offer, or an offer where there was none (RFC 3261 §13.3.1.4).
            due: hears of the ACK.
        """
        invite, self._invite = self._invite, None
        assert invite is not None
        exchange, caller = self._exchange, self.caller
        data = invite.respond(200, now, "", self._own_headers(), body)
        invite.owner = None
        self._headers = self._record_routes = ""
        caller.answer = Answer(exchange.stack, caller.dialog, invite.flow, data, now)
        caller.due = due
        self.status = 200
        self.state = ATTENDED
        self._answered_at = now
        exchange.setup_seconds.observe(now - self._began)

    def _own_headers(self) -> str:
        contact = f"Contact: <sip:{self.caller.dialog.flow.contact}>\r\n"
        server = self._exchange.stack.server
        return f"{self._record_routes}{contact}{CAPABILITIES}{server}Content-Type: application/sdp\r\n"

    def redirect(self, decision: Decision, facts: Facts) -> None:
        """Go on with another decision, which the router itself carries out for the caller whom it speaks to.

        Args:
            facts: that it was made with.
        """
        self.facts = facts
        self.decision = decision
        if decision.weighed:
            self._weigh(decision.weighed)

    def cannot_be_attended(self, status: int, now: float) -> None:
        """The router cannot speak to this caller after all: the policy goes on, as if that target did not answer."""
        self._stop_speaking()
        self._gone_wrong(Outcome.UNREACHABLE, Refusal(status), now)

    def refuse(self, now: float) -> None:
        """Give the caller the refusal that was decided, after it was spoken."""
        self._refuse(self.decision.status, self.decision.phrase, "", now)

    def _stop_speaking(self) -> None:
        speaker, self.speaker = self.speaker, None
        if speaker is not None:
            speaker.call_over()

    # -------------------------------------------------------------------------------- what the caller does

    def caller_cancels(self, request: Request, now: float) -> None:
        """CANCEL: every phone stops ringing, and learns why if the caller said so."""
        if self.state != SETUP:
            return
        self._cause = q850_cause(request)
        self._withdraw_all(only(request, "reason"), now)
        self._refuse(487, "", "", now, "caller")

    def _refuse(self, status: int, reason: str, headers: str, now: float, ended_by: str = "router") -> None:
        """Give the caller a final refusal and end the call."""
        invite, self._invite = self._invite, None
        self.status = status
        if invite is not None:
            invite.respond(status, now, reason, headers)
            invite.owner = None
        self.caller.close(now)
        self._over(ended_by, now)

    # ------------------------------------------------------------------------------------ while it is up

    def other(self, leg: Leg) -> Leg | None:
        """The leg at the other end, once there is one."""
        return self.callee if leg is self.caller else self.caller

    def request_received(self, leg: Leg, transaction: ServerTransaction, request: Request, now: float) -> None:
        """A request within one of the two dialogs."""
        method = request.method
        dialog = leg.dialog
        if (
            dialog.sticky
            and transaction.flow.source[0] != dialog.flow.source[0]
            and not self._exchange.follows_phone(leg, transaction, request, now)
        ):
            return
        if method == "BYE":
            transaction.respond(200, now)
            reason = only(request, "reason")
            if self.state != OVER:
                self._cause = q850_cause(request)
            if self.state == SETUP and leg is self.caller:
                self._withdraw_all(reason, now)
                self._refuse(487, "", "", now, "caller")
            elif self.state in (UP, ALONE, ATTENDED):
                self.end(leg, reason, now)
        elif self._exchange.serve_in_dialog(self, leg, transaction, request, now):
            pass
        elif self.state == ATTENDED and self.speaker is not None:
            self.speaker.request_received(transaction, request, now)
        elif self.state != UP:
            transaction.respond(
                491 if method == "INVITE" else 500, now, headers="Retry-After: 1\r\n" if method != "INVITE" else ""
            )
        elif method == "INVITE":
            relay_reinvite(self, leg, transaction, request, now)
        else:
            relay_request(self, leg, transaction, request, now)

    def ack_missing(self, leg: Leg, now: float) -> None:
        """The caller vanished between our 200 and its ACK (RFC 3261 §13.3.1.4)."""
        if self.state in (UP, ALONE, ATTENDED):
            self.end(None, 'Reason: SIP;cause=408;text="ACK missing"\r\n', now)

    def end(self, by: Leg | None, headers: str, now: float) -> None:
        """Hang up what is up.

        Args:
            by: the leg that hung up and whose dialog is over already, None when the router ends the call.
            headers: lines for the BYEs, such as a Reason, with CRLF each.
        """
        if self.state == OVER:
            return
        caller, callee = self.caller, self.callee
        if self.state == ATTENDED:
            if self.transfer is not None:
                self.transfer.keeps(self, by, now)
            if caller.call is self:  # no transfer took it over
                caller.due = None  # whom it would tell is gone
                if by is None:
                    caller.hang_up(headers, now)
                else:
                    caller.close(now)
            self._over("router" if by is None else "caller", now)
            return
        if self.state == SETUP or callee is None:
            self._withdraw_all(headers, now)
            self._refuse(503, "", headers, now)
            return
        caller.acknowledge_due(now)
        callee.acknowledge_due(now)
        if self.transfer is not None and self.transfer.keeps(self, by, now):
            return
        for leg in (caller, callee):
            if leg is by:
                leg.close(now)
            elif leg.call is self:  # it is not where a transfer took it over, or let it go before
                leg.hang_up(headers, now)
        self._over("router" if by is None else "caller" if by is caller else "callee", now)

    @property
    def alone(self) -> bool:
        """Whether only one party is left, for whom a transfer finds another."""
        return self.state == ALONE

    def leave(self, leg: Leg, now: float) -> None:
        """One party has hung up while a transfer finds the other a new one: the call goes on with that one alone."""
        if leg.person is not None:
            self._exchange.lines.call_ended(leg.person)
            leg.person = None
        self.state = ALONE
        leg.close(now)

    def replace(self, old: Leg, new: Leg, now: float) -> None:
        """Let an answered leg take the place of one of the two here (RFC 3891); `old` is hung up by whoever asks."""
        if old is self.caller:
            self.caller = new
        else:
            self.callee = new
        new.call = self
        self.state = UP
        self.transfer = None
        lines = self._exchange.lines
        if new.person is not None:
            lines.call_began(new.person)
        if old.person is not None:
            lines.call_ended(old.person)
        old.status = 200
        self._finished.append(old)
        if self._policy.recording is not None and self.callee is not None:
            self._record_anew(self.caller, self.callee)

    def _record_anew(self, caller: Leg, callee: Leg) -> None:
        """Others talk now than those whose recording was decided."""
        for recording in self.recordings:
            recording.finish()
        self._decide_recording(caller, callee)
        if self.media is not None and self.recordings:
            self.recordings[-1].talk(self.media)

    def note(self, what: str, detail: str, now: float) -> None:
        """Take note of something that happened while the caller waits in a queue; see `QueueMoment`."""
        self.queue = (*self.queue, QueueMoment(now - self._began, what, detail))

    def tried(self, legs: list[Leg]) -> None:
        """Take legs into the record of this call that were tried for its caller in another one."""
        self._finished += legs

    def _over(self, ended_by: str, now: float) -> None:
        """The last thing that happens to a call: it is counted, recorded and let go."""
        self.state = OVER
        cancel(self._no_answer)
        self._drop_stages()
        quality: tuple[Quality, ...] = ()
        if self.speaker is not None:
            quality = self.speaker.quality()
            self._stop_speaking()
        if self.media is not None:
            quality += self.media.quality()
            self.relay_by(None)
        exchange = self._exchange
        exchange.calls.discard(self)
        callee = self.callee
        lines = exchange.lines
        if self.caller.person is not None:
            lines.call_ended(self.caller.person)
        if callee is not None:
            self._finished.append(callee)
            if callee.person is not None:
                lines.call_ended(callee.person)
        began = self._began
        decision, facts = self.decision, self.facts
        answered = self._answered_at
        if decision.limits and answered is not None:  # an attempt that nobody answered costs no more than its advance
            talked = now - answered
            exchange.limited_calls.ended(self._policy, decision.limits, decision.person, talked, exchange.clock())
        record = CallRecord(
            self.call_id,
            self.started,
            None if answered is None else answered - began,
            now - began,
            facts.origin,
            facts.peer,
            facts.caller_number,
            facts.dialled,
            decision.person,
            decision.profile,
            decision.action,
            None if decision.target is None else str(decision.target),
            decision.shown_number,
            decision.because,
            tuple([leg.record(began, now) for leg in self._finished]),
            self.status,
            self._cause,
            ended_by,
            facts.person,
            facts.connection,
            facts.caller_name,
            facts.withhold,
            decision.rejected,
            self._weighed,
            facts.attempts,
            self._configuration,
            quality,
            (),
            facts.chosen,
            self.queue,
        )
        if self.recordings:
            recordings, self.recordings = self.recordings, ()
            exchange.recordings.conclude(recordings, record, exchange.recorded)
        else:
            exchange.recorded(record)
        self._finished = []
        self._waiting = []
        self.callee = None


def _seconds(retry_after: str | None) -> int:
    """The seconds of a Retry-After, without its comment and parameters (RFC 3261 §20.33); 0 where there are none."""
    digits = (retry_after or "").partition(";")[0].partition("(")[0].strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 7 else 0


def _rank(status: int) -> int:
    """Which of several refusals the caller should hear (RFC 3261 §16.7 step 6): 6xx, then what a person said, then the
    rest."""
    if status >= 600:
        return 0
    if status in (486, 480):
        return 1
    if status in (408, 503):
        return 3
    return 2
