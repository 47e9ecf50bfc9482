"""Where a leg can go: what a decision's target means in SIP at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.calls.identity import asserted, diverted, from_value, user_part
from router.model.decision import (
    AttendedTarget,
    Decision,
    DialAddress,
    DialNumber,
    RingPerson,
    Target,
)
from router.ports import Clock, Flow, FlowDirectory
from router.sip.errors import LocalError, RemoteError
from router.sip.uri import SipUri, parse_uri

if TYPE_CHECKING:
    from router.calls.registrar import Registrar
    from router.calls.trunk import TrunkLine, Trunks


class Destination:
    """One place to send an INVITE to.

    Attributes:
        flow, uri: by which way, and the Request-URI.
        host: host part of From and of asserted identities, as this far end wants it.
        routes: Route lines, each with CRLF.
        peer: trunk, PBX, account or name of an address, for the record.
        line: the trunk, when it is one.
        sticky: see `Dialog.sticky`.
        person: whose device this is, or None.
        way: which way its sound wants to take (a `MediaWay`).
        keys: see `MediaParty.keys`.
    """

    __slots__ = ("flow", "host", "keys", "line", "peer", "person", "routes", "sticky", "uri", "way")

    def __init__(
        self,
        flow: Flow,
        uri: str,
        host: str,
        peer: str,
        *,
        line: TrunkLine | None = None,
        person: str | None = None,
        routes: str = "",
        sticky: bool = False,
        way: int = 0,
        keys: str = "",
    ) -> None:
        self.flow = flow
        self.uri = uri
        self.host = host
        self.peer = peer
        self.line = line
        self.person = person
        self.routes = routes
        self.sticky = sticky
        self.way = way
        self.keys = keys

    def written(self, number: str) -> str:
        """A number as this far end wants to read it."""
        return number if self.line is None else self.line.written(number)

    def identity(self, decision: Decision) -> tuple[str, str]:
        """From value (without tag) and the further identity lines of a leg to this place."""
        shown = decision.shown_number
        line = self.line
        if line is None:
            extra = (
                diverted(decision.diversions, [d.number for d in decision.diversions], self.host, self.uri)
                if decision.diversions
                else ""
            )
            return from_value(decision, shown, self.host, True), extra
        number = line.written(shown) if shown is not None else None
        form = line.trunk.identity
        who = from_value(decision, number, self.host, False)
        if form == "p_asserted_identity" and line.trunk.registration is not None and not decision.withhold:
            # The provider knows this trunk by its account; who calls stands in P-Asserted-Identity.
            who = f"<sip:{user_part(line.trunk.registration.user)}@{self.host}>"
        extra = (
            asserted(decision, number, self.host) if form != "from" else "Privacy: id\r\n" if decision.withhold else ""
        )
        if decision.diversions:
            extra += diverted(
                decision.diversions, [line.written(d.number) for d in decision.diversions], self.host, self.uri
            )
        return who, extra


class Directory:
    """Turns targets into destinations.

    Attributes:
        way: which way the sound of an address of the configuration takes, such as the reception's (a `MediaWay`).
    """

    def __init__(self, flows: FlowDirectory, trunks: Trunks, registrar: Registrar, clock: Clock) -> None:
        self._flows = flows
        self._trunks = trunks
        self._registrar = registrar
        self._clock = clock
        self.way = 0

    def find(self, target: Target | None) -> tuple[list[Destination], bool]:
        """The destinations of a target, and whether they are to be rung all at once (else one after the other).

        A person's devices that ring later are not among them (see `ringing.py`); the router itself, which speaks to
        callers (see `attendant.py`), is none.
        """
        if type(target) is DialNumber:
            return self._by_trunk(target), False
        if type(target) is RingPerson:
            return self.devices(target.person, target.accounts), True
        if type(target) is DialAddress:
            return self._address(target), False
        if isinstance(target, AttendedTarget):
            return [], False  # the router itself answers
        raise LocalError(f"no call can be sent to {target!r}")

    def _by_trunk(self, target: DialNumber) -> list[Destination]:
        found = []
        for line in self._trunks.candidates(target.trunks):
            try:
                flow = line.flow
            except LookupError:  # no listener of that transport: the trunk is down, the next one may do
                continue
            host = line.host
            found.append(
                Destination(
                    flow,
                    f"sip:{user_part(line.written(target.number))}@{host}",
                    host,
                    line.trunk.name,
                    line=line,
                    routes=line.routes,
                    way=line.trunk.media,
                )
            )
        return found

    def devices(self, person: str, accounts: tuple[str, ...]) -> list[Destination]:
        """Where those of a person's accounts can be reached that are registered now."""
        found = []
        now = self._clock()
        for account in accounts:
            for binding in self._registrar.contacts(account, now):
                flow = self._registrar.flow(binding, self._flows)
                if flow is None:  # it registered over a transport that is not listened on any more
                    continue
                routes = "".join(f"Route: {route}\r\n" for route in binding.path)
                host = flow.via.rpartition(" ")[2]
                found.append(
                    Destination(
                        flow,
                        binding.contact,
                        host,
                        account,
                        person=person,
                        routes=routes,
                        sticky=True,
                        way=self._registrar.way(account),
                        keys=self._registrar.keys(account),
                    )
                )
        return found

    def _address(self, target: DialAddress) -> list[Destination]:
        try:
            uri = parse_uri(target.uri)
        except RemoteError as error:
            raise LocalError(f"the configuration lets {target.uri} through as an address: {error.text}") from error
        if not isinstance(uri, SipUri):
            raise LocalError(f"{target.uri} is not a SIP address")
        try:
            flow = self._flows.flow_to(uri.transport or "udp", uri.address, uri.port or 5060)
        except LookupError:
            return []
        return [
            Destination(
                flow,
                str(uri.bare()),
                uri.host if uri.port is None else f"{uri.host}:{uri.port}",
                target.name or target.uri,
                way=self.way,
            )
        ]
