"""The ways to the outside world: which are up, in which order they are tried, and how each wants to be spoken to."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

from router.calls.identity import user_part
from router.calls.trunk_health import HealthCheck
from router.calls.trunk_registration import Registration
from router.model.peers import Trunk
from router.policy.dialling import PLANS, DiallingPlan
from router.ports import Flow, FlowDirectory
from router.sip.errors import LocalError, RemoteError
from router.sip.message import Response
from router.sip.stack import Stack
from router.sip.timers import Timer, cancel
from router.sip.uri import SipUri, bracketed, parse_uri

HOLD_DOWN = 30.0  # seconds for which a trunk that failed a call is tried last
LONGEST_HOLD_DOWN = 300.0  # bounds what a Retry-After can make of them


class TrunkLine:
    """One trunk as it is now. Made by `Trunks`; lives on through a reload that leaves its address of record as it is.

    Attributes:
        trunk: its configuration.
        up: nothing speaks against using it: registered where it has to be, answering OPTIONS, no call failed lately.
        host: host part of From, To and Request-URI.
        address_of_record: our URI on it.
        waiting: it has not begun yet to register and to be checked.
    """

    __slots__ = (
        "_changed",
        "_faults",
        "_flow",
        "_flows",
        "_health",
        "_hold",
        "_patient",
        "_plan",
        "_random_token",
        "_registration",
        "_stack",
        "address_of_record",
        "host",
        "trunk",
        "up",
        "waiting",
    )

    def __init__(
        self,
        trunk: Trunk,
        stack: Stack,
        flows: FlowDirectory,
        random_token: Callable[[], str],
        changed: Callable[[TrunkLine], None],
    ) -> None:
        """Raises `LocalError` for what the configuration should have refused: unknown country, impossible registrar."""
        self.up = True
        self.waiting = True
        self._stack = stack
        self._flows = flows
        self._random_token = random_token
        self._changed = changed
        self._flow: Flow | None = None
        self._hold: Timer | None = None
        self._patient = False  # held down because the trunk asked for time, which no sign of life cuts short
        self._faults: dict[str, str] = {}  # what speaks against using it: "registration", "options", "call" -> cause
        self._configure(trunk)
        self._health = HealthCheck(self, stack, random_token)
        self._registration: Registration | None = None
        if trunk.registration is not None:
            self._registration = Registration(self, trunk.registration, stack, random_token)
            self._faults["registration"] = self._registration.cause
            self.up = False

    def __repr__(self) -> str:
        return f"<trunk {self.trunk.name} {'up' if self.up else f'down: {self.cause}'}>"

    # ------------------------------------------------------------------------------------- how to speak to it

    @property
    def cause(self) -> str:
        """Why it is not up, in words; "" when it is."""
        return next(iter(self._faults.values()), "")

    @property
    def flow(self) -> Flow:
        """The way to it; a new one after the last has failed. Raises `LookupError` when no listener can reach it."""
        flow = self._flow
        if flow is None:
            trunk = self.trunk
            flow = self._flow = self._flows.flow_to(trunk.transport, trunk.host, trunk.port)
        return flow

    def is_reached_by(self, flow: Flow) -> bool:
        """Whether `flow` leads to this trunk: the same connection, or over UDP the same address and port."""
        own = self._flow
        if own is None:
            return False
        return own is flow or (not flow.reliable and not own.reliable and own.source == flow.source)

    @property
    def routes(self) -> str:
        """Route lines, each with CRLF, that new calls begin with: the Service-Route (RFC 3608); usually ""."""
        return "" if self._registration is None else self._registration.service_routes

    def written(self, number: str) -> str:
        """A number as this trunk wants it. What is not E.164 with "+" (emergency, short numbers) stays as it is."""
        if number[:1] != "+":
            return number
        if self._plan is not None:
            return self._plan.national(number)
        return number[1:] if self.trunk.number_format == "e164_without_plus" else number

    def credentials(self, response: Response, method: str, uri: str, answered: int = 0) -> str | None:
        """The header line, with CRLF, that answers this trunk's 401 or 407; None when it cannot or must not be.

        Args:
            method, uri: method and Request-URI of the request that is to be sent again.
            answered: how many challenges to this request were answered already: the first is answered, one more when it
                says that the nonce was stale, none after that.
        """
        registration = self._registration
        return None if registration is None else registration.credentials.answer(response, method, uri, answered)

    def preemptive(self, method: str, uri: str) -> str:
        """The header line, with CRLF, that spares a new request its challenge; "" when nothing usable is known."""
        registration = self._registration
        return "" if registration is None else registration.credentials.preemptive(method, uri)

    # ------------------------------------------------------------------------------------- what calls have seen

    def failed(self, now: float, cause: str, retry_after: int = 0) -> None:
        """A call could not be handed over: try this trunk last for `HOLD_DOWN` seconds or until a sign of life.

        Args:
            cause: "408", "503", "timeout", "transport".
            retry_after: seconds from the Retry-After of a 503. A trunk that answered 503 lives and wants to be left
                alone, so there only time ends the wait.
        """
        if cause == "transport":
            self._flow = None
        if self._hold is not None:
            return
        self._patient = cause == "503"
        delay = min(max(HOLD_DOWN, float(retry_after)), LONGEST_HOLD_DOWN)
        self._hold = self._stack.timers.start(delay, self, "hold", now)
        self._fault("call", f"a call failed: {cause}")

    def answered(self, now: float) -> None:
        """A call got an answer of its own, be it a refusal: the trunk works."""
        if self._faults:
            self._lives(now, despite_503=True)

    # -------------------------------------------------------------------- for Trunks, Registration, HealthCheck

    def start(self, now: float) -> None:
        """Find the way to it, register, and begin to check."""
        self.waiting = False
        try:
            self._flow = self.flow  # at once, so that its calls are recognised by it
        except LookupError:
            self._flow = None  # no listener reaches it; whoever wants to use it is told so
        self._health.start(self.trunk.options_interval, now)
        if self._registration is not None:
            self._registration.register(now)

    def continues(self, trunk: Trunk) -> bool:
        """Whether `trunk` reaches the same place under the same address of record, so that all state stays true."""
        mine = self.trunk
        return (mine.name, mine.transport, mine.host, mine.port, _binding(mine)) == (
            trunk.name, trunk.transport, trunk.host, trunk.port, _binding(trunk)
        )  # fmt: skip

    def adopt(self, trunk: Trunk, now: float) -> None:
        """Go on under a changed configuration that `continues` this one."""
        before = self.trunk
        if trunk == before:
            return
        self._configure(trunk)
        if trunk.options_interval != before.options_interval:
            if trunk.options_interval <= 0:
                self._mend("options")
            self._health.start(trunk.options_interval, now)
        account = trunk.registration
        if self._registration is not None and account is not None and account != before.registration:
            self._registration.change_account(account, now)

    def leave(self, gone: Callable[[float], None], now: float) -> None:
        """Stop, and take the registration back; `gone` is called with the time once that is settled."""
        waiting, self.waiting = self.waiting, False
        self._health.stop()
        cancel(self._hold)
        self._hold = None
        self._changed = _nobody
        if self._registration is None or waiting:
            gone(now)
        else:
            self._registration.withdraw(gone, now)

    def holds(self, binding: tuple[str, str] | None) -> bool:
        """Whether its registration is for this registrar and user."""
        return binding is not None and binding == _binding(self.trunk)

    def renew_flow(self) -> None:
        """The way to it failed: ask for a new one when it is next needed."""
        self._flow = None

    def flow_failed(self, flow: Flow, now: float) -> None:
        """A connection is gone."""
        if self._flow is flow:
            self._flow = None
        if self._registration is not None:
            self._registration.flow_lost(flow, now)

    def registration_changed(self) -> None:
        """Registered, not registered any more, or still not for another reason."""
        registration = self._registration
        assert registration is not None
        if registration.registered:
            self._mend("registration")
        else:
            self._fault("registration", registration.cause)

    def checked(self, fault: str, now: float) -> None:
        """OPTIONS was answered ("") or went unanswered for too long."""
        if fault:
            self._fault("options", fault)
        elif self._faults:
            self._lives(now, despite_503=False)

    def timer_expired(self, _name: str, _now: float) -> None:
        self._hold = None
        self._mend("call")

    # ---------------------------------------------------------------------------------------------------- inside

    def _configure(self, trunk: Trunk) -> None:
        plan: DiallingPlan | None = None
        if trunk.number_format == "national":
            plan = PLANS.get(trunk.country)
            if plan is None:
                raise LocalError(f"trunk {trunk.name}: no dialling plan of country {trunk.country} is known")
        host = bracketed(trunk.host)
        self.host = trunk.domain or (host if trunk.port == 5060 else f"{host}:{trunk.port}")
        self.address_of_record = f"sip:{self.host}"
        account = trunk.registration
        if account is not None:
            try:
                registrar = parse_uri(account.uri)
            except RemoteError as error:
                raise LocalError(f"trunk {trunk.name}: registrar {error.text}") from error
            if not isinstance(registrar, SipUri):
                raise LocalError(f"trunk {trunk.name}: registrar {account.uri} is not a SIP URI")
            self.address_of_record = f"sip:{user_part(account.user)}@{registrar.host}"
        self.trunk = trunk
        self._plan = plan

    def _lives(self, now: float, despite_503: bool) -> None:
        self._health.misses = 0
        revived = "options" in self._faults
        self._mend("options")
        if self._hold is not None and (despite_503 or not self._patient):
            cancel(self._hold)
            self._hold = None
            self._mend("call")
        if revived and self._registration is not None:
            self._registration.hasten(now)

    def _fault(self, what: str, cause: str) -> None:
        if self._faults.get(what) != cause:
            self._faults[what] = cause
            self.up = False
            self._changed(self)

    def _mend(self, what: str) -> None:
        if self._faults.pop(what, None) is not None:
            self.up = not self._faults
            self._changed(self)


class Trunks:
    """All trunks. Nothing happens by itself: time comes with the calls and by the stack's timers.

    Args:
        configured: the trunks, in an order that decides between equal priorities.
        random_token: gives 16 random hexadecimal digits, such as `Ids.token`.
    Attributes:
        lines: by name.
        on_change: told when a line went up or down, or is down for another cause (`TrunkLine.up`, `TrunkLine.cause`).
    """

    def __init__(
        self,
        configured: Iterable[Trunk],
        stack: Stack,
        flows: FlowDirectory,
        random_token: Callable[[], str],
        on_change: Callable[[TrunkLine], None] | None = None,
    ) -> None:
        """Raises `LocalError` for what the configuration should have refused."""
        self.on_change = on_change
        self._stack = stack
        self._flows = flows
        self._random_token = random_token
        self.lines: dict[str, TrunkLine] = {trunk.name: self._line(trunk) for trunk in configured}
        self._leaving: list[TrunkLine] = []
        self._orders: dict[tuple[str, ...], list[TrunkLine]] = {}  # by restriction; emptied by every change

    @property
    def settled(self) -> bool:
        """No registration waits to be taken back, so that after `stop` the process may end."""
        return not self._leaving

    def candidates(self, names: tuple[str, ...] = ()) -> list[TrunkLine]:
        """The lines to try, in order: those that are up by priority, then the others, as a last resort, by priority.

        Args:
            names: only these trunks; empty: all.
        """
        order = self._orders.get(names)
        if order is None:
            lines = [line for line in self.lines.values() if not names or line.trunk.name in names]
            order = self._orders[names] = sorted(lines, key=lambda line: (not line.up, line.trunk.priority))
        return order.copy()

    def recognise(self, flow: Flow) -> Trunk | None:
        """The trunk that a message came from where no address of it is configured: by what its name resolves to, or by
        the connection that we keep with it."""
        for line in self.lines.values():
            if line.is_reached_by(flow):
                return line.trunk
        return None

    def start(self, now: float) -> None:
        """Register where that is configured, and begin with the health checks."""
        for line in self.lines.values():
            line.start(now)

    def replace(self, configured: Iterable[Trunk], now: float) -> None:
        """Follow a new configuration.

        A trunk that keeps name, place and address of record keeps its state. One that is gone unregisters; one that is
        new starts, after the old one has unregistered where both have the same address of record (the late Expires: 0
        of the one would else take away the binding of the other).

        Raises `LocalError` for what the configuration should have refused, with everything left as it was.
        """
        lines: dict[str, TrunkLine] = {}
        kept: list[tuple[TrunkLine, Trunk]] = []
        for trunk in configured:
            fresh = self._line(trunk)
            line = self.lines.get(trunk.name)
            if line is not None and line.continues(trunk):
                kept.append((line, trunk))
                fresh = line
            lines[trunk.name] = fresh
        gone = [line for line in self.lines.values() if lines.get(line.trunk.name) is not line]
        self.lines = lines
        self._orders.clear()
        for line, trunk in kept:
            line.adopt(trunk, now)
        self._leave(gone, now)
        self._start_waiting(now)

    def stop(self, now: float) -> None:
        """Take all registrations back and check no more; see `settled`. Calls in progress go on."""
        self._leave([line for line in self.lines.values() if line not in self._leaving], now)

    def flow_failed(self, flow: Flow, data: bytes, now: float) -> None:
        """A connection is gone (`data` is b""); to be told after the stack. A lost datagram is the stack's affair."""
        if not data:
            for line in self.lines.values():
                line.flow_failed(flow, now)

    def _line(self, trunk: Trunk) -> TrunkLine:
        return TrunkLine(trunk, self._stack, self._flows, self._random_token, self._changed)

    def _changed(self, line: TrunkLine) -> None:
        self._orders.clear()
        if self.on_change is not None:
            self.on_change(line)

    def _leave(self, lines: list[TrunkLine], now: float) -> None:
        self._leaving += lines  # all of them before any is gone and lets another start
        for line in lines:
            line.leave(partial(self._gone, line), now)

    def _gone(self, line: TrunkLine, now: float) -> None:
        self._leaving.remove(line)
        self._start_waiting(now)

    def _start_waiting(self, now: float) -> None:
        """Start the lines that are new, except those whose address of record is still being unregistered."""
        for line in self.lines.values():
            if line.waiting and not any(old.holds(_binding(line.trunk)) for old in self._leaving):
                line.start(now)


def _binding(trunk: Trunk) -> tuple[str, str] | None:
    """What is one registration and no other: registrar and user."""
    account = trunk.registration
    return None if account is None else (account.uri, account.user)


def _nobody(_line: TrunkLine) -> None:
    """A line that has left is nobody's concern any more."""
