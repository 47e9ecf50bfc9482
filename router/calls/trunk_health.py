"""Whether a trunk is alive, asked by OPTIONS (RFC 3261 §11)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from router.calls.trunk_registration import fraction
from router.sip.dialog import MAX_FORWARDS
from router.sip.message import Response
from router.sip.stack import ALLOW, Stack
from router.sip.timers import Timer, cancel
from router.sip.transaction import REASONS, ClientTransaction

if TYPE_CHECKING:
    from router.calls.trunk import TrunkLine

MISSES_UNTIL_DOWN = 3  # in a row: one lost answer is no outage
ANSWER_WITHIN = 8.0  # seconds; four retransmissions over UDP. Timer F (32 s) would tell too late to save anybody's call
RECHECK_AFTER = 10.0  # seconds after a miss: a doubt is settled sooner than a routine check comes round

# Whoever answers lives, also with 403, 405 or 500. These say that nobody stands behind the answer, or nobody with time.
_NOT_ALIVE = frozenset((408, 502, 503, 504))


class HealthCheck:
    """Asks one trunk again and again.

    Args:
        line: the trunk; it is told by `checked`.
    Attributes:
        misses: checks in a row that were not answered.
    """

    __slots__ = ("_interval", "_line", "_random_token", "_stack", "_timer", "_transaction", "misses")

    def __init__(self, line: TrunkLine, stack: Stack, random_token: Callable[[], str]) -> None:
        self.misses = 0
        self._line = line
        self._stack = stack
        self._random_token = random_token
        self._interval = 0.0
        self._timer: Timer | None = None
        self._transaction: ClientTransaction | None = None  # while its answer is awaited

    def start(self, interval: float, now: float) -> None:
        """Check every `interval` seconds (0: never), first after a random part of it, so that trunks take turns."""
        self.stop()
        self.misses = 0
        self._interval = interval
        if interval > 0:
            self._wait(interval * fraction(self._random_token()), now)

    def stop(self) -> None:
        """Ask no more, and listen to no answer."""
        cancel(self._timer)
        self._timer = None
        if self._transaction is not None:
            self._transaction.owner = None
            self._transaction = None

    def timer_expired(self, name: str, now: float) -> None:
        self._timer = None
        if name == "check":
            self._ask(now)
        else:
            self._missed("no answer", now)

    def response_received(self, _transaction: ClientTransaction, response: Response, now: float) -> None:
        status = response.status
        if status < 200:
            return
        if status in _NOT_ALIVE:
            self._missed(f"{status} {REASONS.get(status, '')}".rstrip(), now)
            return
        self.stop()
        self.misses = 0
        self._wait(self._interval, now)
        self._line.checked("", now)

    def transaction_failed(self, _transaction: ClientTransaction, cause: str, now: float) -> None:
        self._missed("no answer" if cause == "timeout" else "it cannot be reached", now)

    def _ask(self, now: float) -> None:
        line = self._line
        try:
            flow = line.flow
        except LookupError as error:
            self._missed(str(error), now)
            return
        branch = self._stack.ids.branch()
        data = (
            f"OPTIONS sip:{line.host} SIP/2.0\r\n"
            f"Via: {flow.via};branch={branch};rport\r\n"
            f"Max-Forwards: {MAX_FORWARDS}\r\n"
            f"From: <{line.address_of_record}>;tag={self._random_token()}\r\n"
            f"To: <sip:{line.host}>\r\n"
            f"Call-ID: {self._random_token()}\r\n"
            "CSeq: 1 OPTIONS\r\n"
            f"Contact: <sip:{flow.contact}>\r\n"
            "Accept: application/sdp\r\n"
            f"{ALLOW}{self._stack.user_agent}"
            "Content-Length: 0\r\n\r\n"
        )
        self._transaction = self._stack.send_request(flow, "OPTIONS", data.encode(), branch, self, now)
        self._timer = self._stack.timers.start(ANSWER_WITHIN, self, "unanswered", now)

    def _missed(self, cause: str, now: float) -> None:
        self.stop()
        self.misses += 1
        self._line.renew_flow()
        self._wait(min(self._interval, RECHECK_AFTER), now)
        if self.misses == MISSES_UNTIL_DOWN:
            self._line.checked(f"{self.misses} OPTIONS in a row failed: {cause}", now)

    def _wait(self, delay: float, now: float) -> None:
        self._timer = self._stack.timers.start(delay, self, "check", now)
