"""The exchange: what becomes of a request that belongs to no call yet.

It finds out who speaks (a trunk or PBX by address, a phone by digest), turns the request into facts, asks the policy,
and lets a `Call` do what was decided. It owns what all calls share.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import Final

from router.calls.attendant import Attendant
from router.calls.authentication import Gate
from router.calls.call import Call
from router.calls.callbacks import Callbacks
from router.calls.destination import Directory
from router.calls.feature import begin_feature
from router.calls.leg import Leg, Strays
from router.calls.limits import LimitedCalls
from router.calls.lines import Lines
from router.calls.media_path import Relays
from router.calls.message_summary import ALLOW_EVENTS, MessageSummary
from router.calls.peers import Peers
from router.calls.private_phones import PrivatePhones
from router.calls.queue_floor import QueueFloor
from router.calls.recordings import Recordings
from router.calls.registrar import Registrar
from router.calls.replaces import serve_replaces
from router.calls.states import States
from router.calls.text_message import TextMessages
from router.calls.transfer import serve_refer
from router.calls.trunk import Trunks
from router.model.decision import Action, Connection, Decision, Facts, Origin
from router.model.peers import Account, Pbx, Trunk
from router.model.record import CallRecord
from router.model.tally import Counts, Histogram
from router.policy import Policy, decide
from router.ports import Clock
from router.sip.dialog import MAX_FORWARDS
from router.sip.errors import RemoteError
from router.sip.message import Request
from router.sip.name_addr import NameAddr, split_list
from router.sip.stack import ALLOW, METHODS, Stack
from router.sip.transaction import ServerTransaction
from router.sip.uri import OtherUri, SipUri, TelUri, Uri, parse_uri

ACCEPT: Final = "Accept: application/sdp\r\n"
# Bodies of an INVITE that pass; the media types themselves are the phones' business (RFC 3261 §8.2.3).
BODIES: Final = frozenset(("application/sdp", "multipart/mixed", "multipart/related", "multipart/alternative"))
WITHHELD: Final = frozenset(("anonymous", "unknown", "restricted", "unavailable"))  # user parts that name nobody
UNDERSTOOD: Final = frozenset(("replaces", "norefersub"))  # option tags that may stand in Require (RFC 3261 §8.2.2.3)

Served = Callable[[ServerTransaction, Request, "Account | None", float], None]


class Exchange:
    """See the module.

    Args:
        policy: the snapshot for calls that begin from now on; replace it to reload, and with it `configuration`.
        clock: POSIX seconds by which the policy decides and registrations expire.
        recorded: takes the record of each ended call.
        states: what people selected; None: they select nothing that outlives this exchange.
        private_phones: hears of each registration of one.
    Attributes:
        calls: those in progress.
        configuration: hash of the configuration that the policy was compiled from, for the records.
        queues: who waits in them, and who answers.
        attendant: speaks to callers; without an engine, until somebody gives it one.
        relays: what the sound of calls can be relayed by, likewise.
        callbacks: calls back whoever wished it; nobody, until it is given a store.
        decisions: by (action, rule); decision_seconds, setup_seconds: histograms.
        draining: no new calls are accepted any more.
    """

    def __init__(
        self,
        stack: Stack,
        policy: Policy,
        peers: Peers,
        gate: Gate,
        registrar: Registrar,
        trunks: Trunks,
        lines: Lines,
        clock: Clock,
        recorded: Callable[[CallRecord], None],
        setup_seconds: Histogram,
        decision_seconds: Histogram,
        states: States | None = None,
        private_phones: PrivatePhones | None = None,
    ) -> None:
        self.stack = stack
        self.policy = policy
        self.configuration = ""
        self.peers = peers
        self.gate = gate
        self.registrar = registrar
        self.trunks = trunks
        self.lines = lines
        self.clock = clock
        self.recorded = recorded
        self.setup_seconds = setup_seconds
        self.decision_seconds = decision_seconds
        self.decisions = Counts()
        self.attendant = Attendant(self)
        self.relays = Relays(self.attendant)
        self.recordings = Recordings(self.attendant)
        self.directory = Directory(stack.flows, trunks, registrar, clock)
        self.strays = Strays(stack)
        self.message_summary = MessageSummary(stack)
        self.text_messages = TextMessages(self)
        self.calls: set[Call] = set()
        self.states = states or States()
        self.selections = self.states.selections
        self.private_phones = private_phones or PrivatePhones(gate.accounts)
        self.limited_calls = LimitedCalls()
        self.queues = QueueFloor(self)
        self.usage = self.limited_calls.usage
        self.callbacks = Callbacks(self)
        self.draining = False
        self._served: dict[str, Served] = {
            "REGISTER": self._register,
            "SUBSCRIBE": self._subscribe,
        }
        stack.user = self

    # ---------------------------------------------------------------------------------------- new requests

    def request_received(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """A request outside any dialog."""
        method = request.method
        uri = parse_uri(request.uri)
        if isinstance(uri, OtherUri):
            raise RemoteError("the Request-URI has a scheme that is not served", 416)
        if "require" in request and method != "CANCEL":
            self._check_require(request)
        peer: Trunk | Pbx | None = None
        if method != "REGISTER":
            flow = transaction.flow
            peer = self.peers.recognise(flow.source) or self.trunks.recognise(flow)
        if method == "INVITE":
            self._invite(transaction, request, uri, peer, now)
        elif method == "OPTIONS":
            headers = f"{ALLOW}{ACCEPT}Supported: replaces, norefersub\r\n{ALLOW_EVENTS}{self.stack.server}"
            transaction.respond(200, now, headers=headers)
        elif method not in METHODS:
            transaction.respond(501, now, headers=ALLOW)
        else:
            account: Account | None = None
            if peer is None:
                account = self.gate.admit(transaction, request, now)
                if account is None:
                    return
            if method == "MESSAGE":
                hops = self._hops_left(request) - 1
                facts = self._facts(request, uri, peer, account)
                self.text_messages.serve(transaction, request, facts, hops, peer, now)
                return
            served = self._served.get(method)
            if served is None:
                transaction.respond(
                    481 if method in ("BYE", "NOTIFY", "INFO", "PRACK", "UPDATE") else 405, now, headers=ALLOW
                )
            else:
                served(transaction, request, account, now)

    def _check_require(self, request: Request) -> None:
        unknown = [tag for tag in request.list("require") if tag.lower() not in UNDERSTOOD]
        if unknown:
            raise RemoteError(
                "an extension is required that is not supported", 420, (f"Unsupported: {', '.join(unknown)}",)
            )

    def _register(self, transaction: ServerTransaction, request: Request, account: Account | None, now: float) -> None:
        assert account is not None
        at = self.clock()
        answer = self.registrar.register(request, account, transaction.flow, at)
        if account.connection is Connection.PRIVATE and self.registrar.contacts(account.user, at):
            self.private_phones.registered(account, at)
        transaction.respond(answer.status, now, answer.phrase, "".join(f"{line}\r\n" for line in answer.headers))

    def _subscribe(self, transaction: ServerTransaction, request: Request, account: Account | None, now: float) -> None:
        if account is None:
            transaction.respond(489, now, headers=ALLOW_EVENTS)
        else:
            self.message_summary.subscribe(transaction, request, account, now)

    # --------------------------------------------------------------------------------------------- new calls

    def _invite(
        self, transaction: ServerTransaction, request: Request, uri: Uri, peer: Trunk | Pbx | None, now: float
    ) -> None:
        max_forwards = self._hops_left(request)
        account: Account | None = None
        if peer is None:
            account = self.gate.admit(transaction, request, now)
            if account is None:
                return
        if request.body:
            content_type = (request.get("content-type") or "application/sdp").partition(";")[0].strip().lower()
            if content_type not in BODIES:
                raise RemoteError("the body is of a type that no phone here takes", 415, ("Accept: application/sdp",))
        if "accept" in request and not any(
            value.partition(";")[0].strip() in ("application/sdp", "application/*", "*/*")
            for value in request.tokens("accept")
        ):
            raise RemoteError("the caller accepts no session description", 406)
        if self.draining:
            transaction.respond(503, now, headers="Retry-After: 30\r\n")
            return
        if "replaces" in request:
            serve_replaces(self, transaction, request, peer, account, now)
            return
        transaction.start_trying(now)
        facts = self._facts(request, uri, peer, account)
        decision = self.decide(facts, self.policy)
        if decision.action is Action.FEATURE and decision.target is None:
            begin_feature(self, transaction, request, facts, decision, account is not None, now)
            return
        call = Call.incoming(self, transaction, request, facts, max_forwards - 1, account is not None, now)
        if account is not None:
            call.caller.way = account.media
            call.caller.keys = account.srtp
        elif peer is not None:
            call.caller.way = peer.media
        call.begin(decision, now)

    def _hops_left(self, request: Request) -> int:
        value = request.get("max-forwards")
        if value is None:
            return MAX_FORWARDS  # RFC 2543 peers do not send it
        if not (value.isdigit() and value.isascii()) or len(value) > 3 or int(value) > 255:
            raise RemoteError("Max-Forwards is not a number up to 255")
        hops = int(value)
        if hops == 0:
            raise RemoteError("Max-Forwards is used up", 483)
        return hops

    def _facts(self, request: Request, uri: Uri, peer: Trunk | Pbx | None, account: Account | None) -> Facts:
        dialled = _dialled(uri)
        withhold = "privacy" in request and any(value in ("id", "user", "header") for value in _privacy(request))
        if account is not None:
            return Facts(
                Origin.PERSON,
                account.user,
                dialled,
                account.person,
                account.connection,
                withhold=withhold,
                lines=self.lines,
                selections=self.selections,
                usage=self.usage,
            )
        assert peer is not None
        number, name = _caller(request)
        return Facts(
            Origin.TRUNK if isinstance(peer, Trunk) else Origin.PBX,
            peer.name,
            dialled,
            caller_number=number,
            caller_name=name,
            withhold=withhold,
            lines=self.lines,
            selections=self.selections,
            usage=self.usage,
        )

    def decide(self, facts: Facts, policy: Policy) -> Decision:
        """Ask the policy, on its clock, and count the answer."""
        began = perf_counter()
        decision = decide(facts, policy, self.clock())
        self.decision_seconds.observe(perf_counter() - began)
        because = decision.because
        self.decisions[decision.action, because[-1].clause if because else ""] += 1
        return decision

    # --------------------------------------------------------------------------------------------- in dialogs

    def follows_phone(self, leg: Leg, transaction: ServerTransaction, request: Request, now: float) -> bool:
        """Whether a request from another address than the phone's is the phone's all the same: by digest, once.

        So a phone may move from one network to another in a call, and nobody else who knows the dialog's tags may speak
        for it. False: a challenge or a refusal was sent.
        """
        account = self.gate.admit(transaction, request, now)
        if account is None:
            return False
        if account.user != leg.peer:
            transaction.refuse(403, now)
            return False
        leg.dialog.flow = transaction.flow
        return True

    def serve_in_dialog(
        self, call: Call, leg: Leg, transaction: ServerTransaction, request: Request, now: float
    ) -> bool:
        """Serve what the router answers itself within a call; False for what goes on to the other side."""
        method = request.method
        if "require" in request:
            self._check_require(request)
        if method == "OPTIONS":
            transaction.respond(200, now, headers=f"{ALLOW}{ACCEPT}Supported: replaces, norefersub\r\n")
        elif method == "REFER":
            serve_refer(self, call, leg, transaction, request, now)
        elif method not in METHODS:
            transaction.respond(501, now, headers=ALLOW)
        else:
            return False
        return True

    def end_all(self, now: float) -> None:
        """Hang up every call: the router stops."""
        for call in list(self.calls):
            call.end(None, 'Reason: SIP;cause=503;text="Router stops"\r\n', now)


def _dialled(uri: Uri) -> str:
    return uri.number if isinstance(uri, TelUri) else uri.username if isinstance(uri, SipUri) else ""


def _privacy(request: Request) -> list[str]:
    return [value.strip() for line in request.tokens("privacy") for value in line.split(";")]


def _caller(request: Request) -> tuple[str | None, str | None]:
    """Number and name of the caller as a trusted peer asserts them (RFC 3325), else as From says."""
    return _number_and_name(request.get("p-asserted-identity") or request.get("from") or "")


@lru_cache(maxsize=4096)  # a PBX's people and a company's customers call again
def _number_and_name(line: str) -> tuple[str | None, str | None]:
    """What a From or P-Asserted-Identity says; of several identities the first that is a SIP or tel URI."""
    for value in split_list(line):
        address = NameAddr.parse(value)
        uri = address.parsed_uri()
        if isinstance(uri, SipUri):
            number = uri.username
        elif isinstance(uri, TelUri):
            number = uri.number
        else:
            continue
        if number and number.lower() not in WITHHELD:
            return number, address.display or None
    return None, None
