"""Transfer: one party of a call hands the other over to somebody else by REFER (RFC 3515, RFC 5589).

The router does it all itself. *Blind*: the new target is called, without an offer, as if the one who transfers called
it, so the policy decides; until it answers, the old call stays as it is. *Attended* (Refer-To with Replaces): the
transferor is in two calls, and their other parties are joined. Either way the two who remain exchange offer and answer
(see `join.py`), and the third is told by NOTIFY and hung up. What goes wrong before that leaves the old call up.

The rule on rights: **the outside may not transfer our people**. A REFER from a trunk is refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.calls.call import UP, Call
from router.calls.join import Join
from router.calls.leg import Farewell, Leg
from router.calls.onward import Onward
from router.calls.replaces import Replaces, party_of
from router.model.decision import Action, Facts, Origin
from router.sip.errors import RemoteError
from router.sip.message import Request, Response
from router.sip.name_addr import NameAddr
from router.sip.transaction import REASONS, ClientTransaction, ServerTransaction
from router.sip.uri import SipUri, TelUri, parse_uri

if TYPE_CHECKING:
    from router.calls.exchange import Exchange

# How long the one who transfers may expect NOTIFYs: longer than any target may ring (timer C) and the re-INVITE after
# that may take, so that no phone lets its subscription lapse before the outcome.
SUBSCRIPTION_SECONDS: Final = 300


def serve_refer(
    exchange: Exchange, call: Call, leg: Leg, transaction: ServerTransaction, request: Request, now: float
) -> None:
    """Serve a REFER within a call. Raises RemoteError for what is malformed or not allowed."""
    if not _may_transfer(leg):
        raise RemoteError("the outside may not transfer our people", 403)
    target = _refer_to(request)
    if call.state != UP or call.transfer is not None:
        raise RemoteError("the call is being set up or transferred already", 491)
    if exchange.draining:
        raise RemoteError("the router stops", 503, ("Retry-After: 30",))
    replaces = None
    if isinstance(target, SipUri):
        value = target.header("Replaces")
        replaces = None if value is None else Replaces.parse(value)
    wanted = (request.get("refer-sub") or "").partition(";")[0].strip().lower() != "false"
    referral = Referral(leg, request.cseq, wanted)
    contact = f"Contact: <sip:{leg.dialog.flow.contact}>\r\n"
    transaction.respond(202, now, headers=contact if wanted else f"{contact}Refer-Sub: false\r\n")
    referral.tell(100, REASONS[100], now)
    if replaces is not None:
        _attended(exchange, call, leg, referral, replaces, now)
        return
    dialled = target.username if isinstance(target, SipUri) else target.number
    facts = _facts(exchange, call, leg, request, dialled)
    decision = exchange.decide(facts, exchange.policy)
    if decision.action is Action.FEATURE:  # a feature code is dialled for oneself; nobody is put through to it
        referral.finish(403, REASONS[403], now)
        return
    BlindTransfer(exchange, call, leg, referral, facts, now).begin(decision, now)


def _may_transfer(leg: Leg) -> bool:
    """Phones, PBXs and the addresses of the configuration (the reception's console) may; the outside may not."""
    return not leg.outside


def _refer_to(request: Request) -> SipUri | TelUri:
    """The one target of a REFER (RFC 3515 §2.4.2). Raises RemoteError."""
    values = request.list("refer-to")
    if len(values) != 1:
        raise RemoteError("a REFER needs exactly one Refer-To")
    uri = NameAddr.parse(values[0]).parsed_uri()
    if not isinstance(uri, SipUri | TelUri):
        raise RemoteError("a call can be transferred to a SIP or tel URI only", 416)
    if (uri.param("method") or "INVITE").upper() != "INVITE":
        raise RemoteError("a REFER can ask for a call only", 501)
    return uri


def _facts(exchange: Exchange, call: Call, leg: Leg, request: Request, dialled: str) -> Facts:
    """The call to the target is one that the transferring party makes."""
    withhold = any(value in ("id", "user", "header") for line in request.tokens("privacy") for value in line.split(";"))
    if leg.person is not None:
        account = exchange.gate.accounts.get(leg.peer)
        return Facts(
            Origin.PERSON,
            leg.peer,
            dialled,
            leg.person,
            None if account is None else account.connection,
            withhold=withhold,
            lines=exchange.lines,
            selections=exchange.selections,
            usage=exchange.usage,
        )
    number, name = None, None
    if leg.target:  # a PBX extension or a console that was called is known by what was called
        uri = parse_uri(leg.target)
        number = uri.username if isinstance(uri, SipUri) else None
    elif leg is call.caller and call.facts.origin is Origin.PBX:
        number, name = call.facts.caller_number, call.facts.caller_name
    return Facts(
        Origin.PBX,
        leg.peer,
        dialled,
        caller_number=number or None,
        caller_name=name,
        withhold=withhold,
        lines=exchange.lines,
        selections=exchange.selections,
        usage=exchange.usage,
    )


# ------------------------------------------------------------------------------------- what the transferor hears


class Referral:
    """The subscription that a REFER implies (RFC 3515 §2.4.4): how the transfer goes, told by NOTIFY.

    One NOTIFY is sent when the last one is answered, so that they arrive in order over UDP too; of what happens
    meanwhile only the latest is told. The subscription outlives a BYE of the one who transfers (RFC 5057 §4.1); who
    does not want it any more answers with a refusal.

    Args:
        cseq: of the REFER.
        wanted: False where no NOTIFY is wanted (`Refer-Sub: false`, RFC 4488).
    """

    __slots__ = ("_dialog", "_dismissal", "_event", "_news", "_stack", "_telling", "_wanted")

    def __init__(self, leg: Leg, cseq: int, wanted: bool) -> None:
        self._stack = leg.stack
        self._dialog = leg.dialog
        self._event = f"refer;id={cseq}" if leg.refers else "refer"
        self._wanted = wanted
        self._telling = False
        self._news: tuple[int, str, str] | None = None
        self._dismissal: Dismissal | None = None
        leg.refers += 1

    def tell(self, status: int, reason: str, now: float) -> None:
        """Say how far it has come."""
        self._news = (status, reason, f"active;expires={SUBSCRIPTION_SECONDS}")
        self._next(now)

    def finish(self, status: int, reason: str, now: float, dismissal: Dismissal | None = None) -> None:
        """Say how it ended.

        Args:
            dismissal: who waits until that is heard.
        """
        self._news = (status, reason, "terminated;reason=noresource")
        self._dismissal = dismissal
        self._next(now)

    def _next(self, now: float) -> None:
        if self._telling:
            return
        news, self._news = self._news, None
        if news is not None and self._wanted:
            self._notify(*news, now)
        elif self._dismissal is not None:
            self._dismissal.told(now)
            self._dismissal = None

    def _notify(self, status: int, reason: str, state: str, now: float) -> None:
        self._telling = True
        dialog = self._dialog
        branch = self._stack.ids.branch()
        headers = (
            f"Contact: <sip:{dialog.flow.contact}>\r\n"
            f"Event: {self._event}\r\n"
            f"Subscription-State: {state}\r\n"
            "Content-Type: message/sipfrag;version=2.0\r\n"
        )
        body = f"SIP/2.0 {status} {reason}\r\n".encode("utf-8", "surrogateescape")
        data = dialog.request("NOTIFY", branch, headers, body)
        self._stack.send_request(dialog.flow, "NOTIFY", data, branch, self, now)

    def response_received(self, _transaction: ClientTransaction, response: Response, now: float) -> None:
        if response.status >= 200:
            self._answered(response.status < 300, now)

    def transaction_failed(self, _transaction: ClientTransaction, _cause: str, now: float) -> None:
        self._answered(False, now)

    def _answered(self, wanted: bool, now: float) -> None:
        """A NOTIFY was answered; a refusal ends the subscription (RFC 6665 §4.2.2)."""
        self._telling = False
        self._wanted = self._wanted and wanted
        self._next(now)


class Dismissal(Farewell):
    """The end of the one who transferred: told how it went, then hung up, unless they do so first (RFC 5589 §6.1)."""

    __slots__ = ("_gone",)

    def __init__(self, leg: Leg) -> None:
        Farewell.__init__(self, leg.stack, leg.dialog, leg.line, "")
        self._gone = False

    def told(self, now: float) -> None:
        """The last NOTIFY was answered, or is not wanted."""
        if not self._gone:
            self.send("", now)

    def request_received(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        Farewell.request_received(self, transaction, request, now)
        if request.method == "BYE":
            self._gone = True
            self._done()


def _dismiss(leg: Leg, referral: Referral, now: float) -> None:
    """Tell the transferring party that it worked, and hang up what is left of its call."""
    dismissal = None
    if leg.call is not None:
        dismissal = Dismissal(leg)
        leg.leave_to(dismissal, now)
    referral.finish(200, REASONS[200], now, dismissal)


# ------------------------------------------------------------------------------------------------------- blind


class BlindTransfer(Onward):
    """A call whose caller is a party of another call, until its target answers and they are joined.

    Its record bears the Call-ID of that other call's, which ends with a record of its own when the transfer has worked.

    Args:
        call: the one that is transferred. transferor: its leg that asked for it.
    """

    __slots__ = ("_referral", "_transferor")

    def __init__(
        self, exchange: Exchange, call: Call, transferor: Leg, referral: Referral, facts: Facts, now: float
    ) -> None:
        transferee = call.other(transferor)
        assert transferee is not None
        Onward.__init__(self, exchange, call, transferee, facts, now)
        self._transferor: Leg | None = transferor
        self._referral: Referral | None = referral

    def leg_rings(self, leg: Leg, response: Response, now: float) -> None:
        first = leg.rang_at is None
        Call.leg_rings(self, leg, response, now)
        if first and self._referral is not None:
            self._referral.tell(response.status, response.reason, now)

    def keeps(self, call: Call, by: Leg | None, now: float) -> bool:
        """The transferor may hang up; without the transferee there is nobody to be transferred."""
        if by is not None and by is self._transferor:
            call.leave(by, now)
            return True
        return Onward.keeps(self, call, by, now)

    def _succeeded(self, now: float) -> None:
        transferor, referral = self._transferor, self._referral
        assert transferor is not None and referral is not None
        self._transferor = self._referral = None
        _dismiss(transferor, referral, now)

    def _refuse(self, status: int, reason: str, headers: str, now: float, ended_by: str = "router") -> None:
        call, transferor = self._call, self._transferor
        assert call is not None and transferor is not None
        Onward._refuse(self, status, reason, headers, now, ended_by)
        if transferor.call is None:
            call.end(None, f'Reason: SIP;cause={status};text="Transfer failed"\r\n', now)

    def _failed(self, status: int, reason: str, now: float) -> None:
        referral = self._referral
        assert referral is not None
        self._transferor = self._referral = None
        referral.finish(status, reason, now)


# ---------------------------------------------------------------------------------------------------- attended


def _attended(
    exchange: Exchange, call: Call, transferor: Leg, referral: Referral, replaces: Replaces, now: float
) -> None:
    """Find the consulted call, and join its other party with the transferee."""
    found = replaces.find(exchange.stack)
    status = 481
    if found is not None:
        consulted, leg = found
        if consulted is call:
            status = 482
        elif party_of(leg, exchange.peers) != party_of(transferor, exchange.peers):
            status = 403  # one may give away a place of one's own only
        else:
            status = replaces.obstacle(consulted)
        if not status:
            AttendedTransfer(call, transferor, consulted, leg, referral).begin(now)
            return
    referral.finish(status, REASONS[status], now)


class AttendedTransfer:
    """The transferee on the way into the consulted call, in the place that its transferor has there.

    Args:
        call, transferor: the call that is transferred, and the leg there that asked for it.
        consulted, place: the other call of the same party, and its leg there.
    """

    __slots__ = ("_call", "_consulted", "_join", "_path", "_place", "_referral", "_transferee", "_transferor")

    def __init__(self, call: Call, transferor: Leg, consulted: Call, place: Leg, referral: Referral) -> None:
        transferee, other = call.other(transferor), consulted.other(place)
        assert transferee is not None and other is not None
        self._call = call
        self._transferor = transferor
        self._transferee = transferee
        self._consulted = consulted
        self._place = place
        self._referral = referral
        pair = (transferee, other) if place is consulted.caller else (other, transferee)
        self._path = consulted.path_between(*pair)
        self._join: Join | None = Join(self, other, transferee, self._path)
        call.transfer = consulted.transfer = self

    def begin(self, now: float) -> None:
        assert self._join is not None
        self._join.begin(now)

    def joined(self, now: float) -> None:
        """They talk: the consulted call goes on with the transferee, the other is over."""
        path, self._path = self._path, None
        self._part()
        place = self._place
        self._consulted.relay_by(path)
        self._consulted.replace(place, self._transferee, now)
        if place.call is not None:
            place.hang_up("", now)
        _dismiss(self._transferor, self._referral, now)
        self._call.end(None, "", now)

    def join_failed(self, status: int, reason: str, now: float) -> None:
        """Both calls go on as they were, except one whose transferring party has hung up meanwhile."""
        assert self._join is not None
        offered = self._join.offered
        self._part()
        self._referral.finish(status, reason, now)
        self._end_deserted(None, now)
        other = self._consulted.other(self._place)
        if offered and other is not None and other.call is not None:
            # Its offer was declined, so it has no media any more: let it and its old partner agree anew.
            Join(None, self._place, other, self._consulted.media).begin(now)

    def keeps(self, call: Call, by: Leg | None, now: float) -> bool:
        """The transferor may hang up in both calls; without either of the others there is nothing to join."""
        if by is not None and (by is self._transferor or by is self._place):
            call.leave(by, now)
            return True
        if self._join is not None:
            self._join.abandon(now)
        self._part()
        self._referral.finish(487, REASONS[487], now)
        self._end_deserted(call, now)
        return False

    def _end_deserted(self, ending: Call | None, now: float) -> None:
        for call, leg in ((self._call, self._transferor), (self._consulted, self._place)):
            if leg.call is None and call is not ending:
                call.end(None, "", now)

    def _part(self) -> None:
        self._call.transfer = self._consulted.transfer = None
        self._join = None
        if self._path is not None:
            self._path.close()
            self._path = None
