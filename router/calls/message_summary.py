"""Message waiting (RFC 3842 over RFC 6665): phones subscribe to their lamp, and the router answers them itself.

An account watches the mailbox of its person, or, by its name, one that is shared with them: `sip:sales@…`. Where the
router keeps no mailboxes every lamp stays dark.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from router.calls.leg import NOBODY
from router.model.mailbox import Mailbox
from router.model.message import MessageCounts
from router.model.peers import Account
from router.sip.dialog import Dialog
from router.sip.errors import RemoteError
from router.sip.message import Request, Response
from router.sip.name_addr import TOKEN, NameAddr
from router.sip.stack import Stack
from router.sip.timers import Timer
from router.sip.transaction import ClientTransaction, ServerTransaction
from router.sip.uri import SipUri

EVENT: Final = "message-summary"
ALLOW_EVENTS: Final = f"Allow-Events: {EVENT}\r\n"
BODY_TYPE: Final = "application/simple-message-summary"
DEFAULT_EXPIRES: Final = 3600  # seconds (RFC 3842 §4.4)
MIN_EXPIRES: Final = 60
MAX_EXPIRES: Final = 3600
MAX_SUBSCRIPTIONS: Final = 10  # of one account; a phone that restarts leaves its old one behind until it expires
SWEEP_INTERVAL: Final = 5.0  # seconds by which a subscription may outlive its expiry

_NO_MAILBOX: Final = b"Messages-Waiting: no\r\n"


class MessageSummary:
    """All subscriptions. Nothing of one survives its end.

    Args:
        stack: whose dialogs and timers it uses.

    Attributes:
        counts: gives how many messages a mailbox has.
    """

    def __init__(self, stack: Stack) -> None:
        self.counts: Callable[[str], MessageCounts] = _no_messages
        self._mailboxes: Mapping[str, Mailbox] = {}
        self._stack = stack
        self._by_user: dict[str, list[Subscription]] = {}  # never empty lists; oldest first
        self._sweep: Timer | None = None

    @property
    def size(self) -> int:
        """How many subscriptions there are, for gauges."""
        return sum(map(len, self._by_user.values()))

    def set_mailboxes(self, mailboxes: Mapping[str, Mailbox], now: float) -> None:
        """Go by these mailboxes from now on, by name; a subscription to one that its account may not watch ends."""
        self._mailboxes = mailboxes
        for subscription in self._all():
            if self._may_watch(subscription.person, subscription.mailbox):
                subscription.tell(now)
            else:
                subscription.end("rejected", now)

    def changed(self, mailbox: str, now: float) -> None:
        """Tell those who watch a mailbox how many messages it has now."""
        for subscription in self._all():
            if subscription.mailbox == mailbox:
                subscription.tell(now)

    def body(self, mailbox: str) -> bytes:
        """Return what the lamp of a mailbox is told (RFC 3842 §3.5, §5.2): new and old messages, and of each how many
        are urgent."""
        if mailbox not in self._mailboxes:
            return _NO_MAILBOX
        new, old, urgent_new, urgent_old = self.counts(mailbox)
        waiting = "yes" if new else "no"
        text = f"Messages-Waiting: {waiting}\r\nVoice-Message: {new}/{old} ({urgent_new}/{urgent_old})\r\n"
        return text.encode()

    def subscribe(self, transaction: ServerTransaction, request: Request, account: Account, now: float) -> None:
        """Answer a SUBSCRIBE outside any dialog: 200 and a NOTIFY at once, or a refusal.

        Raises `RemoteError` for what the exchange is to answer, before anything was sent.
        """
        identity = _event_id(request)
        resource = NameAddr.parse(request.get("to") or "").parsed_uri()
        name = resource.username if isinstance(resource, SipUri) else ""
        mailbox = account.person if name == account.user else name
        if not self._may_watch(account.person, mailbox):
            raise RemoteError("an account may watch its own messages, and those that are shared with it", 403)
        if "contact" not in request:
            raise RemoteError("a SUBSCRIBE has no Contact to send the NOTIFY to")
        expires = _expires(request)
        stack = self._stack
        tag = stack.ids.token()
        subscription = Subscription(self, stack, account, mailbox, identity)
        dialog = Dialog.incoming(request, tag, transaction.flow, subscription, stack.flows, sticky=True)
        if len(self._by_user.get(account.user, ())) >= MAX_SUBSCRIPTIONS:
            self._by_user[account.user][0].end("deactivated", now)
        transaction.tag = tag
        subscription.dialog = dialog
        stack.dialogs[tag] = dialog
        self._by_user.setdefault(account.user, []).append(subscription)
        record_routes = "".join(f"Record-Route: {value}\r\n" for value in request.lines("record-route"))
        subscription.accept(transaction, expires, record_routes, now)
        if self._sweep is None and self._by_user:
            self._sweep = stack.timers.start(SWEEP_INTERVAL, self, "sweep", now)

    def timer_expired(self, _name: str, now: float) -> None:
        """End what was not refreshed."""
        for subscription in self._all():
            if subscription.expires_at <= now:
                subscription.end("timeout", now)
        self._sweep = self._stack.timers.start(SWEEP_INTERVAL, self, "sweep", now) if self._by_user else None

    def forget(self, subscription: Subscription) -> None:
        """Called by a subscription that ended."""
        subscriptions = self._by_user[subscription.user]
        subscriptions.remove(subscription)
        if not subscriptions:
            del self._by_user[subscription.user]

    def _all(self) -> list[Subscription]:
        """Those of this moment; each may end meanwhile."""
        return [subscription for subscriptions in self._by_user.values() for subscription in subscriptions]

    def _may_watch(self, person: str, mailbox: str) -> bool:
        if mailbox == person:
            return True
        shared = self._mailboxes.get(mailbox)
        return shared is not None and person in shared.people


class Subscription:
    """One subscription: owner of its dialog and of its NOTIFYs.

    One NOTIFY at a time is under way: two could overtake each other, and the phone would refuse the second.

    Attributes:
        user: the account; person: whose it is.
        mailbox: what it watches.
        expires_at: on the stack's clock.
        dialog: None once it ended.
    """

    __slots__ = (
        "_identity", "_stack", "_subscriptions", "_told", "_unanswered", "dialog", "expires_at", "mailbox", "person",
        "user",
    )  # fmt: skip

    def __init__(
        self, subscriptions: MessageSummary, stack: Stack, account: Account, mailbox: str, identity: str
    ) -> None:
        self.user = account.user
        self.person = account.person
        self.mailbox = mailbox
        self.expires_at = 0.0
        self.dialog: Dialog | None = None
        self._subscriptions = subscriptions
        self._stack = stack
        self._identity = identity
        self._told = b""
        self._unanswered = 0

    def accept(self, transaction: ServerTransaction, expires: int, headers: str, now: float) -> None:
        """Send the 200 and the NOTIFY that each SUBSCRIBE is owed (RFC 6665 §4.2.1.2); 0 seconds ends it."""
        dialog = self.dialog
        if dialog is None:
            return
        contact = f"Contact: <sip:{dialog.flow.contact}>\r\n"
        transaction.respond(200, now, headers=f"{headers}{contact}Expires: {expires}\r\n{ALLOW_EVENTS}")
        if expires:
            self.expires_at = now + expires
            self._notify(f"active;expires={expires}", now)
        else:
            self.end("timeout", now)

    def tell(self, now: float) -> None:
        """Send a NOTIFY if there is news, or as soon as the one before is answered."""
        if not self._unanswered and self._told != self._subscriptions.body(self.mailbox):
            self._notify(f"active;expires={max(int(self.expires_at - now), 0)}", now)

    def end(self, reason: str, now: float) -> None:
        """Tell the phone that the subscription is over, and why (RFC 6665 §4.1.3)."""
        self._notify(f"terminated;reason={reason}", now)
        self._close()

    def request_received(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """A refresh, or the end, of this subscription."""
        if self.dialog is None:
            transaction.respond(481, now)
        elif request.method != "SUBSCRIBE":
            transaction.respond(405, now, headers="Allow: SUBSCRIBE\r\n")
        else:
            try:
                if _event_id(request) != self._identity:
                    raise RemoteError("a subscription cannot change its event", 489, (ALLOW_EVENTS.rstrip(),))
                expires = _expires(request)
                self.dialog.learn_target(request)
            except RemoteError as error:
                transaction.respond(error.status, now, headers="".join(f"{line}\r\n" for line in error.headers))
            else:
                self.accept(transaction, expires, "", now)

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """What the phone says to a NOTIFY: a refusal means that it has forgotten (RFC 6665 §4.2.2)."""
        if response.status >= 200:
            transaction.owner = None
            if response.status >= 300:
                self._close()
            elif self.dialog is not None:
                self._unanswered -= 1
                self.tell(now)

    def transaction_failed(self, _transaction: ClientTransaction, _cause: str, _now: float) -> None:
        """The phone is gone."""
        self._close()

    def ack_received(self, _request: Request, _now: float) -> None:
        """There is no INVITE here to be acknowledged."""

    def ack_missing(self, _now: float) -> None:
        """There is no INVITE here to be acknowledged."""

    def _notify(self, state: str, now: float) -> None:
        dialog = self.dialog
        if dialog is None:
            return
        stack = self._stack
        branch = stack.ids.branch()
        headers = (
            f"Contact: <sip:{dialog.flow.contact}>\r\nEvent: {EVENT}{self._identity}\r\nSubscription-State: {state}\r\n"
            f"{ALLOW_EVENTS}Content-Type: {BODY_TYPE}\r\n"
        )
        self._told = self._subscriptions.body(self.mailbox)
        data = dialog.request("NOTIFY", branch, headers, self._told)
        # The last NOTIFY has no owner: whatever is answered to it changes nothing.
        owner = self if state.startswith("active") else None
        if owner is not None:
            self._unanswered += 1
        stack.send_request(dialog.flow, "NOTIFY", data, branch, owner, now)

    def _close(self) -> None:
        dialog = self.dialog
        if dialog is not None:
            self.dialog = None
            dialog.owner = NOBODY
            self._stack.dialogs.pop(dialog.local_tag, None)
            self._subscriptions.forget(self)


def _event_id(request: Request) -> str:
    """The Event's `id` as it is to be repeated, ";id=7", or "" (RFC 6665 §8.2.1).

    Raises `RemoteError` 489 for another event, 406 for a phone that takes no summary, 400 for a broken id.
    """
    package, *params = (request.get("event") or "").split(";")
    if package.strip().lower() != EVENT:
        raise RemoteError("an event is not supported", 489, (ALLOW_EVENTS.rstrip(),))
    accepted = [value.partition(";")[0].strip() for value in request.tokens("accept")]
    if accepted and not {BODY_TYPE, "application/*", "*/*"} & set(accepted):
        raise RemoteError("only a simple message summary can be sent", 406, (f"Accept: {BODY_TYPE}",))
    for param in params:
        name, _, value = param.partition("=")
        if name.strip().lower() == "id":
            value = value.strip()
            if not value or not TOKEN.issuperset(value):
                raise RemoteError("Event has an id that is no token")
            return f";id={value}"
    return ""


def _expires(request: Request) -> int:
    """Seconds to grant (RFC 6665 §4.2.1.1). Raises `RemoteError` 423 for too short a time, 400 for none."""
    text = request.get("expires")
    if text is None:
        return DEFAULT_EXPIRES
    if not text.isascii() or not text.isdecimal():
        raise RemoteError("Expires is not a number of seconds")
    expires = int(text.lstrip("0")[:11] or "0")
    if 0 < expires < MIN_EXPIRES:
        raise RemoteError("Interval Too Brief", 423, (f"Min-Expires: {MIN_EXPIRES}",))
    return min(expires, MAX_EXPIRES)


def _no_messages(_mailbox: str) -> MessageCounts:
    """There are no mailboxes."""
    return MessageCounts()
