"""Replaces (RFC 3891): one party takes the place of another in a call that is up.

The rule on rights: **one may take the place of oneself only**. A phone may take over a call of its own person (from the
desk to the mobile, say), a PBX one of its own; nobody may take somebody else's place, and the outside nobody's at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from router.calls.call import UP, Call
from router.calls.header_map import only, passed
from router.calls.join import DESCRIPTION, Renegotiation
from router.calls.leg import CAPABILITIES, Leg
from router.calls.peers import Peers
from router.model.peers import Account, Pbx, Trunk
from router.sip.dialog import Answer, Dialog
from router.sip.errors import RemoteError
from router.sip.message import Request, Response
from router.sip.stack import Stack
from router.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from router.calls.exchange import Exchange
    from router.calls.media_path import MediaPath

# A person, a PBX, or an address: whose place is meant.
Party = tuple[str, object]


@dataclass(frozen=True, slots=True)
class Replaces:
    """The value of a Replaces header (RFC 3891 §6.1), tags as the one who is asked to do it sees them."""

    call_id: str
    to_tag: str
    from_tag: str
    early_only: bool

    @classmethod
    def parse(cls, value: str) -> Replaces:
        """Raises RemoteError (400) for a value without Call-ID or tags."""
        call_id, *parameters = (part.strip() for part in value.split(";"))
        found: dict[str, str] = {}
        for parameter in parameters:
            name, _, content = parameter.partition("=")
            found[name.strip().lower()] = content.strip()
        to_tag, from_tag = found.get("to-tag", ""), found.get("from-tag", "")
        if not (call_id and to_tag and from_tag):
            raise RemoteError("Replaces needs a Call-ID, a to-tag and a from-tag")
        return cls(call_id, to_tag, from_tag, "early-only" in found)

    def find(self, stack: Stack) -> tuple[Call, Leg] | None:
        """The call and the leg that are meant, or None (RFC 3891 §3: Call-ID and both tags must match)."""
        dialog = stack.dialogs.get(self.to_tag)
        if dialog is None or dialog.call_id != self.call_id or dialog.remote_tag != self.from_tag:
            return None
        leg = dialog.owner
        if not isinstance(leg, Leg) or leg.call is None:
            return None
        return leg.call, leg

    def obstacle(self, call: Call) -> int:
        """Why nobody can take a place in that call now, as a status; 0 when somebody can.

        481 for an early dialog, which only the UA that initiated it could let be replaced (RFC 3891 §3).
        """
        if call.transfer is not None:
            return 491
        if call.state != UP:
            return 481
        return 486 if self.early_only else 0


def party_of(leg: Leg, peers: Peers) -> Party | None:
    """Whose leg this is; None for the outside, which is nobody's own."""
    if leg.outside:
        return None
    if leg.person is not None:
        return "person", leg.person
    source = leg.dialog.flow.source
    peer = peers.recognise(source)
    return ("pbx", peer.name) if isinstance(peer, Pbx) else ("address", source)


def serve_replaces(
    exchange: Exchange,
    transaction: ServerTransaction,
    request: Request,
    peer: Trunk | Pbx | None,
    account: Account | None,
    now: float,
) -> None:
    """Serve an INVITE with Replaces. Raises RemoteError for what is malformed or not allowed."""
    if isinstance(peer, Trunk):
        raise RemoteError("the outside takes nobody's place", 403)
    replaces = Replaces.parse(request.get("replaces") or "")
    found = replaces.find(exchange.stack)
    if found is None:
        transaction.respond(481, now)
        return
    call, old = found
    if account is not None:
        newcomer: Party = ("person", account.person)
        name, person, way = account.user, account.person, account.media
    else:
        assert peer is not None
        newcomer = ("pbx", peer.name)
        name, person, way = peer.name, None, peer.media
    if party_of(old, exchange.peers) != newcomer:
        raise RemoteError("one may take the place of oneself only", 403)
    obstacle = replaces.obstacle(call)
    if obstacle:
        transaction.respond(obstacle, now)
        return
    leg = Leg(None, exchange.stack, exchange.strays, name, person, now)
    leg.way = way
    tag = exchange.stack.ids.token()
    leg.dialog = Dialog.incoming(request, tag, transaction.flow, leg, exchange.stack.flows, account is not None)
    exchange.stack.dialogs[tag] = leg.dialog
    transaction.tag = tag
    transaction.start_trying(now)
    Replacement(call, old, leg, transaction, request).begin(request, now)


class Replacement:
    """A newcomer on the way into a call: the other side is offered the newcomer's media first."""

    __slots__ = ("_call", "_change", "_new", "_offered", "_old", "_path", "_record_routes", "_transaction")

    def __init__(self, call: Call, old: Leg, new: Leg, transaction: ServerTransaction, request: Request) -> None:
        other = call.other(old)
        assert other is not None
        self._call = call
        self._old = old
        self._new = new
        self._transaction = transaction
        self._record_routes = only(request, "record-route")
        self._offered = bool(request.body)
        self._change = Renegotiation(self, other)
        self._path = call.path_between(*((new, other) if old is call.caller else (other, new)))
        transaction.owner = self
        call.transfer = self

    def begin(self, request: Request, now: float) -> None:
        description = only(request, *DESCRIPTION)
        if self._path is None or not request.body:
            self._change.begin(description, request.body, now)
            return
        self._path.offer(self._new, request.body, partial(self._offer, description), self._give_up)

    def _offer(self, description: str, body: bytes, now: float) -> None:
        self._change.begin(description, body, now)

    def accepted(self, change: Renegotiation, response: Response, now: float) -> None:
        if not response.body:
            change.decline(now)
            self._give_up(488, now)
        elif self._path is None:
            self._take_place(response, now)
        else:
            self._accepted_by(self._path, change, response, now)

    def _accepted_by(self, path: MediaPath, change: Renegotiation, response: Response, now: float) -> None:
        """Bring the other side's answer, or its offer where the newcomer made none, by the path of the sound."""
        agree, disagree = partial(self._agree, response), partial(self._disagree, change)
        if self._offered:
            path.answer(change.leg, response.body, agree, disagree, now)
        else:
            path.offer(change.leg, response.body, agree, disagree)

    def _agree(self, response: Response, body: bytes, now: float) -> None:
        response.body = body
        self._take_place(response, now)

    def _disagree(self, change: Renegotiation, status: int, now: float) -> None:
        change.decline(now)
        self._give_up(status, now)

    def _take_place(self, response: Response, now: float) -> None:
        call, old, new, change = self._call, self._old, self._new, self._change
        contact = f"Contact: <sip:{new.dialog.flow.contact}>\r\n{CAPABILITIES}"
        headers = self._record_routes + contact + passed(response)
        data = self._transaction.respond(200, now, response.reason, headers, response.body)
        self._transaction.owner = None
        new.answer = Answer(new.stack, new.dialog, self._transaction.flow, data, now)
        new.due = change.release()
        new.status = 200
        path, self._path = self._path, None
        call.relay_by(path)
        call.replace(old, new, now)
        if old.call is not None:
            old.hang_up('Reason: SIP;cause=200;text="Call completed elsewhere"\r\n', now)

    def refused(self, _change: Renegotiation, status: int, _reason: str, now: float) -> None:
        self._give_up(503 if status in (401, 407, 408, 481) else status, now)

    def keeps(self, call: Call, by: Leg | None, now: float) -> bool:
        if by is self._old:  # as the phone that hands over does, rather than wait for the router's BYE
            call.leave(by, now)
            return True
        self._change.withdraw(now)
        self._end(481, now)
        return False

    def cancel_received(self, _transaction: ServerTransaction, _request: Request, now: float) -> None:
        self._change.withdraw(now)
        self._give_up(487, now)

    def answer_unacknowledged(self, _transaction: ServerTransaction, _now: float) -> None:
        """The ACK of our refusal never came: nothing hangs on it."""

    def _give_up(self, status: int, now: float) -> None:
        self._end(status, now)
        if self._old.call is None:  # nobody is left whom the other side could talk to
            self._call.end(None, "", now)

    def _end(self, status: int, now: float) -> None:
        self._call.transfer = None
        self._transaction.owner = None
        self._transaction.respond(status, now)
        if self._path is not None:
            self._path.close()
            self._path = None
        self._new.close(now)
