"""Registration with a provider (RFC 3261 §10): made, refreshed, tried again after a failure, taken back at the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from router.calls.identity import user_part
from router.calls.trunk_credentials import TrunkCredentials
from router.model.peers import TrunkRegistration
from router.ports import Flow
from router.sip.dialog import MAX_FORWARDS
from router.sip.errors import RemoteError
from router.sip.message import Response
from router.sip.name_addr import NameAddr
from router.sip.stack import ALLOW, Stack
from router.sip.timers import Timer, cancel
from router.sip.transaction import REASONS, ClientTransaction
from router.sip.uri import Uri, parse_uri

if TYPE_CHECKING:
    from router.calls.trunk import TrunkLine

# A refresh waits for 80 to 90 % of the granted time: enough is left to try a lost one again before the binding lapses.
REFRESH_AT = 0.80
REFRESH_SPREAD = 0.10

# RFC 5626 §4.5: wait a random half to whole of base · 2^failures. Its cap is 30 minutes; five suit a company better
# that has no other way to the outside, and burden the registrar of one account little.
RETRY_BASE = 30.0  # seconds
LONGEST_RETRY = 300.0
# A registrar that knows us and says no (wrong password, account closed) will not change its mind soon, and many lock
# out whoever keeps trying. A changed configuration is tried at once.
REFUSED_RETRY = 1800.0
LONGEST_RETRY_AFTER = 3600.0  # bounds what a Retry-After can make us wait

LONGEST_EXPIRES = 86_400  # seconds; a Min-Expires beyond it (423) is not followed

_REFUSALS = frozenset((401, 403, 404, 407, 604))


class Registration:
    """Keeps one binding of this router at a provider's registrar.

    Requests go by the trunk's flow, all with one Call-ID and a rising CSeq (RFC 3261 §10.2).

    Args:
        line: the trunk; it is told by `registration_changed`.
        account: where and as whom.
    Attributes:
        registered: a binding exists that has not lapsed.
        cause: why there is none, or why the last refresh failed; "" after a success.
        service_routes: Route lines, each with CRLF, for later requests (RFC 3608); "" when the registrar wants none.
    """

    __slots__ = (
        "_account",
        "_answered",
        "_call_id",
        "_contact",
        "_cseq",
        "_expires",
        "_failures",
        "_flow",
        "_gone",
        "_lapse",
        "_lengthened",
        "_line",
        "_next",
        "_overtaken",
        "_random_token",
        "_refused",
        "_registered_at",
        "_stack",
        "_tag",
        "_transaction",
        "_withdrawing",
        "cause",
        "credentials",
        "registered",
        "service_routes",
    )

    def __init__(
        self, line: TrunkLine, account: TrunkRegistration, stack: Stack, random_token: Callable[[], str]
    ) -> None:
        self.credentials = TrunkCredentials(account, random_token)
        self.registered = False
        self.cause = "not registered yet"
        self.service_routes = ""
        self._line = line
        self._account = account
        self._stack = stack
        self._random_token = random_token
        self._call_id = random_token()
        self._tag = random_token()
        self._cseq = 0
        self._contact = ""
        self._expires = account.expires
        self._failures = 0
        self._answered = 0  # challenges answered since the last request that began afresh
        self._lengthened = False  # a 423 was followed since then; a second one would begin a loop
        self._refused = False
        self._overtaken = False  # the request under way was made for an account that has changed since
        self._registered_at = float("-inf")
        self._flow: Flow | None = None  # by which the last request went
        self._transaction: ClientTransaction | None = None
        self._withdrawing = False  # the request under way takes the binding back
        self._next: Timer | None = None  # the next refresh or attempt
        self._lapse: Timer | None = None  # the end of the granted time
        self._gone: Callable[[float], None] | None = None  # set once the binding is to be taken back

    # ------------------------------------------------------------------------------------------------ commands

    def register(self, now: float) -> None:
        """Register or refresh now, unless a request is under way already (RFC 3261 §10.2 allows one at a time)."""
        if self._transaction is not None or self._gone is not None:
            return
        cancel(self._next)
        self._next = None
        self._answered = 0
        self._lengthened = False
        self._send(self._preemptive(), now)

    def change_account(self, account: TrunkRegistration, now: float) -> None:
        """Go on with another password, realm or expiry for the same address of record, and register with it at once."""
        self._account = account
        self._expires = account.expires
        self.credentials = TrunkCredentials(account, self._random_token)
        self._failures = 0
        self._refused = False
        self._overtaken = self._transaction is not None
        self.register(now)

    def hasten(self, now: float) -> None:
        """The trunk gives signs of life: end the wait after a failure, but not after a refusal."""
        if not self.registered and self._next is not None and not self._refused:
            self.register(now)

    def flow_lost(self, flow: Flow, now: float) -> None:
        """A connection is gone: register over a new one if the registrar reached us by it (RFC 5626 §4.5)."""
        if flow is not self._flow or not self.registered or self._transaction is not None:
            return  # a request under way hears of it itself
        if now - self._registered_at >= RETRY_BASE:
            self._lapsed("the connection was lost")
            self.register(now)
        else:  # a peer that accepts and closes again must not set our pace
            self._failed("the connection was lost", now, keeps=False)

    def withdraw(self, gone: Callable[[float], None], now: float) -> None:
        """Take the binding back (Expires: 0), if there is one. `gone` is called with the time once that is settled."""
        self._gone = gone
        for timer in (self._next, self._lapse):
            cancel(timer)
        self._next = self._lapse = None
        if self._transaction is None:
            self._withdraw(now)

    # --------------------------------------------------------------------------------------- what happens to it

    def timer_expired(self, name: str, now: float) -> None:
        if name == "lapse":
            self._lapse = None
            self._lapsed(f"the registration lapsed: {self.cause}")
        else:
            self._next = None
            self.register(now)

    def response_received(self, _transaction: ClientTransaction, response: Response, now: float) -> None:
        status = response.status
        if status < 200:
            return
        self._transaction = None
        if self._gone is not None and not self._withdrawing:
            if status < 300:
                self.registered = True
            self._withdraw(now)
            return
        if self._overtaken:
            self._overtaken = False
            self.register(now)
            return
        if status in (401, 407):
            authorization = self.credentials.answer(response, "REGISTER", self._account.uri, self._answered)
            if authorization is not None:
                self._answered += 1
                self._send(authorization, now)
                return
        if self._withdrawing:
            self._left(now)
        elif status < 300:
            self._accepted(response, now)
        elif status == 423 and self._lengthen(response):
            self._lengthened = True
            self._answered = 0
            self._send(self._preemptive(), now)
        else:
            self._failed(
                self._explain(status), now, keeps=status not in _REFUSALS, refused=status in _REFUSALS,
                retry_after=_seconds(response.get("retry-after")),
            )  # fmt: skip

    def transaction_failed(self, _transaction: ClientTransaction, cause: str, now: float) -> None:
        self._transaction = None
        self._line.renew_flow()
        if self._gone is not None:
            self._left(now)
        elif self._overtaken:
            self._overtaken = False
            self.register(now)
        elif cause == "timeout":
            self._failed("the registrar does not answer", now)
        else:
            self._failed("the registrar cannot be reached", now, keeps=False)

    # -------------------------------------------------------------------------------------------------- inside

    def _send(self, authorization: str, now: float) -> None:
        line = self._line
        try:
            flow = line.flow
        except LookupError as error:
            if self._gone is not None:
                self._left(now)
            else:
                self._failed(str(error), now, keeps=False)
            return
        account = self._account
        branch = self._stack.ids.branch()
        self._flow = flow
        self._cseq += 1
        self._contact = f"sip:{user_part(account.user)}@{flow.contact}"
        data = (
            f"REGISTER {account.uri} SIP/2.0\r\n"
            f"Via: {flow.via};branch={branch};rport\r\n"
            f"Max-Forwards: {MAX_FORWARDS}\r\n"
            f"From: <{line.address_of_record}>;tag={self._tag}\r\n"
            f"To: <{line.address_of_record}>\r\n"
            f"Call-ID: {self._call_id}\r\n"
            f"CSeq: {self._cseq} REGISTER\r\n"
            f"Contact: <{self._contact}>\r\n"
            f"Expires: {0 if self._withdrawing else self._expires}\r\n"
            f"{authorization}"
            f"{ALLOW}{self._stack.user_agent}"
            "Content-Length: 0\r\n\r\n"
        )
        self._transaction = self._stack.send_request(flow, "REGISTER", data.encode(), branch, self, now)

    def _preemptive(self) -> str:
        return self.credentials.preemptive("REGISTER", self._account.uri)

    def _accepted(self, response: Response, now: float) -> None:
        granted = self._granted(response)
        if granted <= 0:
            self._failed("the registrar accepted the registration for no time at all", now, keeps=False)
            return
        self._failures = 0
        self._refused = False
        self.registered = True
        self.cause = ""
        self._registered_at = now
        self.service_routes = _service_routes(response)
        timers = self._stack.timers
        cancel(self._lapse)
        self._lapse = timers.start(float(granted), self, "lapse", now)
        # Whole seconds: every delay that is in use has a queue of its own in `Timers`.
        delay = max(1, int(granted * (REFRESH_AT + REFRESH_SPREAD * fraction(self._random_token()))))
        self._next = timers.start(float(delay), self, "refresh", now)
        self._line.registration_changed()

    def _granted(self, response: Response) -> int:
        """Seconds that the registrar gave (RFC 3261 §10.2.4): to our Contact, else in Expires, else as we asked."""
        ours = parse_uri(self._contact)
        contacts = _contacts(response)
        if len(contacts) > 1:  # a Contact that stands alone is ours, though a border controller may have rewritten it
            contacts = [contact for contact in contacts if contact[0].matches(ours)]
        expires = contacts[0][1] if contacts else None
        if expires is None:
            expires = _seconds(response.get("expires"))
        return min(self._expires if expires is None else expires, LONGEST_EXPIRES)

    def _lengthen(self, response: Response) -> bool:
        """RFC 3261 §10.2.8: ask for the registrar's minimum from now on. False when there is nothing to follow."""
        least = _seconds(response.get("min-expires"))
        if self._lengthened or least is None or not self._expires < least <= LONGEST_EXPIRES:
            return False
        self._expires = least
        return True

    def _explain(self, status: int) -> str:
        if status in (401, 407):
            realm = self.credentials.realm
            if self._answered:
                return f"{status}: the registrar refuses user and password; check auth_user, password and realm"
            return f"{status}: no challenge can be answered" + (f" for realm {realm}" if realm is not None else "")
        return f"{status} {REASONS.get(status, '')}".rstrip()

    def _failed(
        self, cause: str, now: float, keeps: bool = True, refused: bool = False, retry_after: int | None = None
    ) -> None:
        """Try again later.

        Args:
            keeps: the binding of an earlier success, if any, is still there until it lapses.
            refused: see `REFUSED_RETRY`. retry_after: seconds that the registrar asked for.
        """
        self._failures += 1
        self._refused = refused
        self.cause = cause
        keeps = keeps and self.registered
        upper = REFUSED_RETRY if refused else min(LONGEST_RETRY, RETRY_BASE * 2 ** min(self._failures, 8))
        delay = upper * (0.5 + 0.5 * fraction(self._random_token()))
        if keeps and self._failures == 1 and self._lapse is not None:
            delay = min(delay, max(1.0, (self._lapse.deadline - now) / 2))
        if retry_after is not None:
            delay = max(delay, min(retry_after, LONGEST_RETRY_AFTER))
        cancel(self._next)
        self._next = self._stack.timers.start(float(round(delay)), self, "retry", now)
        if not keeps:
            self._lapsed(cause)

    def _lapsed(self, cause: str) -> None:
        """There is no binding any more."""
        cancel(self._lapse)
        self._lapse = None
        self.registered = False
        self.cause = cause
        self._line.registration_changed()

    def _withdraw(self, now: float) -> None:
        if not self.registered:
            self._left(now)
            return
        self._withdrawing = True
        self._answered = 0
        self._send(self._preemptive(), now)

    def _left(self, now: float) -> None:
        self.registered = False
        self.cause = "unregistered"
        gone = self._gone
        assert gone is not None
        gone(now)


def fraction(token: str) -> float:
    """A number from 0 up to, not including, 1 out of a random hexadecimal token: chance is handed in as tokens only."""
    return int(token[:8], 16) / 0x1_0000_0000


def _contacts(response: Response) -> list[tuple[Uri, int | None]]:
    """URI and seconds of each Contact of a registrar's answer; none where they cannot be read."""
    try:
        addresses = [NameAddr.parse(value) for value in response.list("contact")]
        return [(address.parsed_uri(), _seconds(address.param("expires"))) for address in addresses]
    except RemoteError:
        return []


def _service_routes(response: Response) -> str:
    """RFC 3608 §6.1. Values that cannot be read are no route that a request could take."""
    routes = []
    try:
        for value in response.list("service-route"):
            routes.append(f"Route: {NameAddr.parse(value)}\r\n")
    except RemoteError:
        return ""
    return "".join(routes)


def _seconds(text: str | None) -> int | None:
    """delta-seconds of Expires, Min-Expires or Retry-After, less comment and parameters; None where there are none."""
    digits = "" if text is None else text.partition(";")[0].partition("(")[0].strip()
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) <= 10 else None
