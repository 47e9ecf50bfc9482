"""Text messages (RFC 3428): out by a trunk under the company's name, never under a person's number (REQUIREMENTS X1).

Whoever gets one cannot answer it: what a trunk sends in is refused. Colleagues write to each other's devices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from router.calls.identity import user_part
from router.model.decision import DialNumber, Facts, Reason, RingPerson
from router.model.peers import Pbx, Trunk
from router.policy.identity import inside_identity, known_caller
from router.policy.snapshot import Person
from router.sip.errors import RemoteError
from router.sip.message import Request, Response
from router.sip.name_addr import quote
from router.sip.stack import ALLOW
from router.sip.transaction import ClientTransaction, ServerTransaction

if TYPE_CHECKING:
    from router.calls.destination import Destination
    from router.calls.exchange import Exchange

MAX_TEXT_BYTES: Final = 1300  # RFC 3428 §8: a MESSAGE outside a session is not larger
NO_REPLIES: Final = "Replies are not taken"

# The way failed and not the message: the next trunk may do better.
_WAY_FAILED: Final = frozenset((408, 503))


class TextMessages:
    """Serves MESSAGE outside dialogs.

    Attributes:
        reply_refused: told of each reply that was refused, by the name of its trunk.
    """

    __slots__ = ("_exchange", "reply_refused")

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.reply_refused: Callable[[str], None] = _nobody

    def serve(
        self,
        transaction: ServerTransaction,
        request: Request,
        facts: Facts,
        max_forwards: int,
        peer: Trunk | Pbx | None,
        now: float,
    ) -> None:
        """Pass a message on, and answer it as it is answered there.

        Args:
            facts: as of a call: who writes to whom.

        Raises `RemoteError` for what is no short text.
        """
        exchange, policy = self._exchange, self._exchange.policy
        if isinstance(peer, Trunk):
            self.reply_refused(peer.name)
            transaction.respond(403, now, NO_REPLIES)
            return
        kind = (request.get("content-type") or "text/plain").partition(";")[0].strip().lower()
        if kind != "text/plain":
            raise RemoteError("a text message is plain text", 415, ("Accept: text/plain",))
        if len(request.body) > MAX_TEXT_BYTES:
            raise RemoteError("a text message is too long for one outside a session", 413)
        dialled = facts.dialled
        number = policy.plan.normalise(dialled)
        called = policy.extensions.get(dialled) or (policy.numbers.get(number) if number else None)
        if isinstance(called, Person) and isinstance(called.phone, RingPerson):
            writer = inside_identity(facts, policy, known_caller(facts, policy))
            sender = writer.number or "unknown"
            self._deliver(transaction, request, called.phone, sender, writer.name, max_forwards, now)
        elif called is not None or number is None or policy.owned.owns(number):
            transaction.respond(404, now)
        elif not policy.text_sender:
            transaction.respond(405, now, headers=ALLOW)
        elif isinstance(policy.greylist.find(number, exchange.clock()), Reason):
            transaction.respond(403, now)
        else:
            self._deliver(transaction, request, DialNumber(number), policy.text_sender, None, max_forwards, now)

    def _deliver(
        self,
        transaction: ServerTransaction,
        request: Request,
        target: DialNumber | RingPerson,
        sender: str,
        name: str | None,
        max_forwards: int,
        now: float,
    ) -> None:
        found, together = self._exchange.directory.find(target)
        if not found:
            transaction.respond(480, now)
            return
        address = f"<sip:{user_part(sender)}@"
        who = f"{quote(name)} {address}" if name else address
        content = request.get("content-type") or "text/plain"
        delivery = Delivery(self._exchange, transaction, who, content, request.body, max_forwards)
        if together:
            for destination in found:
                delivery.send(destination, now)
        else:
            found.reverse()
            first = found.pop()
            delivery.waiting = found
            delivery.send(first, now)


class Delivery:
    """One message under way: to all devices of a person, or by one trunk after the other.

    Attributes:
        waiting: trunks that are still to be tried, the next one last.
    """

    __slots__ = (
        "_content",
        "_exchange",
        "_open",
        "_refusal",
        "_text",
        "_transaction",
        "_who",
        "max_forwards",
        "waiting",
    )

    def __init__(
        self,
        exchange: Exchange,
        transaction: ServerTransaction,
        who: str,
        content: str,
        text: bytes,
        max_forwards: int,
    ) -> None:
        self._exchange = exchange
        self._transaction: ServerTransaction | None = transaction
        self._who = who
        self._content = content
        self._text = text
        self._open = 0
        self._refusal = 0
        self.max_forwards = max_forwards
        self.waiting: list[Destination] = []

    def send(self, destination: Destination, now: float) -> None:
        """Send a copy of the message to one place."""
        self._open += 1
        stack = self._exchange.stack
        Copy(self, destination, stack.ids.token(), stack.ids.token()).send("", now)

    def write(self, copy: Copy, branch: str, authorization: str) -> bytes:
        """Return the request that carries a copy."""
        destination = copy.destination
        head = (
            f"MESSAGE {destination.uri} SIP/2.0\r\n"
            f"Via: {destination.flow.via};branch={branch};rport\r\n"
            f"{destination.routes}Max-Forwards: {self.max_forwards}\r\n"
            f"From: {self._who}{destination.host}>;tag={copy.tag}\r\n"
            f"To: <{destination.uri}>\r\n"
            f"Call-ID: {copy.call_id}\r\n"
            f"CSeq: {copy.tries} MESSAGE\r\n"
            f"{authorization}{self._exchange.stack.user_agent}"
            f"Content-Type: {self._content}\r\n"
            f"Content-Length: {len(self._text)}\r\n\r\n"
        )
        return head.encode("utf-8", "surrogateescape") + self._text

    def request(self, copy: Copy, authorization: str, now: float) -> None:
        """Put a copy on the wire."""
        stack = self._exchange.stack
        branch = stack.ids.branch()
        stack.send_request(copy.destination.flow, "MESSAGE", self.write(copy, branch, authorization), branch, copy, now)

    def ended(self, status: int, now: float) -> None:
        """Hear how a copy was answered; the first that arrives answers the message, else the first refusal does."""
        self._open -= 1
        transaction = self._transaction
        if transaction is None:
            return
        if status < 300:
            self._answer(transaction, 200, now)
            return
        if status in _WAY_FAILED and self.waiting:
            self.send(self.waiting.pop(), now)
            return
        self._refusal = self._refusal or status
        if not self._open:
            refusal = 480 if self._refusal == 408 else self._refusal  # RFC 4320 §4.2: never 408 to such a request
            self._answer(transaction, 503 if refusal in (401, 407) else refusal, now)

    def _answer(self, transaction: ServerTransaction, status: int, now: float) -> None:
        self._transaction = None
        self.waiting = []
        transaction.respond(status, now)


class Copy:
    """A message on its way to one place: owner of its client transaction."""

    __slots__ = ("_delivery", "call_id", "destination", "tag", "tries")

    def __init__(self, delivery: Delivery, destination: Destination, tag: str, call_id: str) -> None:
        self._delivery = delivery
        self.destination = destination
        self.tag = tag
        self.call_id = call_id
        self.tries = 0

    def send(self, authorization: str, now: float) -> None:
        self.tries += 1
        self._delivery.request(self, authorization, now)

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        status = response.status
        if status < 200:
            return
        transaction.owner = None
        line = self.destination.line
        if line is not None and status in (401, 407):
            authorization = line.credentials(response, "MESSAGE", self.destination.uri, self.tries - 1)
            if authorization is not None:
                self.send(authorization, now)
                return
        self._delivery.ended(status, now)

    def transaction_failed(self, _transaction: ClientTransaction, cause: str, now: float) -> None:
        self._delivery.ended(408 if cause == "timeout" else 503, now)


def _nobody(_trunk: str) -> None:
    """Nobody wants to hear of it."""
