"""What the core needs from the outside, as Protocols. Rooms above implement them; `app` plugs them in."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from router.model.audit import AuditEntry
from router.model.binding import Binding
from router.model.decision import Selection


class Flow(Protocol):
    """Where bytes come from and go to: one UDP peer of one listener, or one TCP connection (RFC 5626's word).

    The same object is handed in for every message of that peer, so identity and attribute look-ups are cheap.
    `send` never blocks, never raises for a network fault (that is reported by `FlowFailed`), and keeps order.
    """

    transport: str  # as in Via: "UDP", "TCP"
    reliable: bool
    source: tuple[str, int]  # the peer's address: IP literal without brackets, port
    local: tuple[str, int]  # our address on this listener
    via: str  # how our Via begins: "SIP/2.0/UDP 127.0.0.1:5060", IPv6 in brackets, advertised address applied
    contact: str  # host part of our Contact: "127.0.0.1:5060" or "127.0.0.1:5060;transport=tcp"

    def send(self, data: bytes) -> None: ...


class FlowDirectory(Protocol):
    """Gives the flow to a destination at once, without waiting (the transports' side of RFC 3261 §18.1)."""

    def flow_to(self, transport: str, host: str, port: int) -> Flow:
        """Return a flow to `host` (IP literal or name) over `transport` ("udp", "tcp").

        A name is resolved, and a connection opened, behind this: the flow keeps what is sent meanwhile, within
        a bound, and reports a failure like any other. Raises `LookupError` when no listener of that transport and
        address family exists.
        """
        ...


# Called by a transport for each complete message. `data` is one datagram, or one message framed from a stream.
MessageReceiver = Callable[[bytes, Flow], None]

# Called when a flow is broken: a TCP connection failed or closed, or an ICMP error came back for a datagram. `data`
# is the beginning of the datagram that could not be delivered, or b"" when the whole flow is gone.
FlowFailed = Callable[[Flow, bytes], None]


class Clock(Protocol):
    """The policy's clock: POSIX seconds. SIP timers never use it."""

    def __call__(self) -> float: ...


class BindingStore(Protocol):
    """Keeps the registrar's bindings over a restart. The registrar works in memory and writes behind."""

    async def load(self) -> list[Binding]:
        """Return everything that was saved, expired bindings included. Raises `StoreError` when it cannot be read."""
        ...

    def save(self, user: str, bindings: Sequence[Binding]) -> None:
        """Make `bindings` all that is kept of an account, within a second. Never waits, never raises for a fault of the
        medium: that is logged, and tried again."""
        ...

    async def close(self) -> None:
        """Write what is still to be written. Raises `StoreError` when that fails."""
        ...


class StateStore(Protocol):
    """Keeps what people and administrators selected, and who changed what."""

    async def load(self) -> list[Selection]:
        """Return every selection that was saved, those that are over included. Raises `StoreError`."""
        ...

    async def change(self, person: str, selections: Sequence[Selection], entry: AuditEntry) -> None:
        """Make `selections` all that is kept of a person, together with the audit entry, before it returns: what was
        confirmed survives a power cut. Raises `StoreError`; then neither was saved."""
        ...

    async def record(self, entry: AuditEntry) -> None:
        """Keep an audit entry that belongs to no selection. Raises `StoreError`."""
        ...

    async def keep_configuration(self, texts: bytes, entry: AuditEntry) -> None:
        """Keep the texts of a configuration that came into force (see `configuration.texts`), together with the audit
        entry, whose subject is its hash; `entry.before` becomes the hash of the one before. One that is in force
        already is not kept again. Raises `StoreError`."""
        ...

    async def audit(self, *, since: float, until: float, subject: str, limit: int) -> list[AuditEntry]:
        """Return the newest entries in [since, until), newest first; `subject` "" for all. Raises `StoreError`."""
        ...

    async def close(self) -> None: ...


class StoreError(Exception):
    """A store cannot be read or written; the text says which one, why, and what to do."""


class StateJournal(Protocol):
    """Takes changes at once and hands them to a `StateStore` one after the other, behind the calls."""

    def change(self, person: str, selections: Sequence[Selection], entry: AuditEntry) -> None:
        """See `StateStore.change`; never waits, never raises for a fault of the medium: that is logged, and tried
        again."""
        ...

    def record(self, entry: AuditEntry) -> None:
        """See `StateStore.record`, in the same manner."""
        ...

    def keep_configuration(self, texts: bytes, entry: AuditEntry) -> None:
        """See `StateStore.keep_configuration`, in the same manner."""
        ...

    def when_written(self, told: Callable[[StoreError | None], None]) -> None:
        """Call `told` once everything taken so far is kept (perhaps at once), or with what the store says of the
        first that it refuses."""
        ...

    async def written(self) -> None:
        """Wait for the same. Raises `StoreError`."""
        ...
