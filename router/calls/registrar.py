"""The registrar (RFC 3261 §10): where each account can be reached.

All bindings live in memory; every change is handed to the store, which writes it behind. Whoever registers was
authenticated before; here it is only decided whether this account may register this, and what follows.

Requests go where the REGISTER came from: the Contact's own address is used when it names the very host that the
REGISTER came from, and in every other case the source address and, over TCP, the connection itself. So a phone behind
NAT is reached, and no account can turn calls into packets for somebody else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from email.utils import formatdate
from heapq import heappop, heappush
from ipaddress import ip_address
from typing import Final

from router.model.binding import Binding
from router.model.peers import Account
from router.ports import BindingStore, Flow, FlowDirectory
from router.sip.errors import RemoteError
from router.sip.message import Request
from router.sip.name_addr import NameAddr
from router.sip.uri import SipUri

MAX_EXPIRES: Final = 2**32 - 1  # RFC 3261 §20.19
MALFORMED_EXPIRES: Final = 3600  # RFC 3261 §10.2.1.1: what an expiry that cannot be read stands for
_log = logging.getLogger(__name__)

_PERSONAL_PARAMS = frozenset({"expires", "q"})


@dataclass(frozen=True, slots=True)
class Bounds:
    """What a registration may ask for.

    Args:
        minimum: seconds; less (but not 0) is answered 423 with Min-Expires.
        default: seconds, where a REGISTER names none.
        maximum: seconds; more is shortened to it without complaint (RFC 3261 §10.3 step 7).
        contacts: how many one account may have at a time; one more is answered 403.
    """

    minimum: int = 60
    default: int = 3600
    maximum: int = 7200
    contacts: int = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What to answer, for `ServerTransaction.respond`. `headers` are lines without CRLF."""

    status: int
    phrase: str = ""
    headers: tuple[str, ...] = ()
    body: bytes = b""


class _Registration:
    """One binding with what is known of it only while we run."""

    __slots__ = ("binding", "device", "flow", "uri")

    def __init__(self, binding: Binding, uri: SipUri, device: tuple[str, str] | None, flow: Flow | None) -> None:
        self.binding = binding
        self.uri = uri
        self.device = device  # see `_device`
        self.flow = flow  # what its REGISTER came by, where requests can go back by it

    def is_same(self, uri: SipUri, device: tuple[str, str] | None) -> bool:
        """Whether a Contact renews this binding: by its URI, or as the same device under another address."""
        return self.uri.matches(uri) or (device is not None and device == self.device)


# (person, whether any of the person's devices is registered now)
PersonChanged = Callable[[str, bool], None]


class Registrar:
    """Bindings of all accounts.

    Args:
        accounts: by user name. Replace them with `set_accounts`.
        store: see `ports.BindingStore`; `restore` takes what it loaded.
        bounds: see `Bounds`.
        person_changed: told when the first device of a person appears, and when the last one vanishes.
    """

    def __init__(
        self,
        accounts: Mapping[str, Account],
        store: BindingStore,
        bounds: Bounds | None = None,
        person_changed: PersonChanged | None = None,
    ) -> None:
        self.bounds = bounds or Bounds()
        self._accounts = accounts
        self._store = store
        self._person_changed = person_changed
        self._by_user: dict[str, list[_Registration]] = {}  # never empty lists; best q first
        self._users_of: dict[str, set[str]] = {}  # person -> those of the person's accounts that are registered
        self._expiries: list[tuple[float, str]] = []  # heap of (when to look, account)
        self._watched: dict[str, float] = {}  # account -> the one entry of `_expiries` that counts

    # ------------------------------------------------------------------------------------------------- asking

    def contacts(self, user: str, now: float) -> list[Binding]:
        """Where an account can be reached at `now` (POSIX seconds), best q first, then the latest registered first."""
        registrations = self._by_user.get(user)
        if registrations is None:
            return []
        return [entry.binding for entry in registrations if entry.binding.expires_at > now]

    def registered(self, person: str) -> bool:
        """Whether any device of a person is registered; a person without is in line state `unregistered`."""
        return person in self._users_of

    def flow(self, binding: Binding, flows: FlowDirectory) -> Flow | None:
        """The way to a binding: the flow that its REGISTER came by while that lives, else one to its address.

        None when no listener reaches it any more (see `FlowDirectory.flow_to`).
        """
        for entry in self._by_user.get(binding.user, ()):
            if entry.binding.contact == binding.contact and entry.flow is not None:
                return entry.flow
        try:
            return flows.flow_to(binding.transport, binding.host, binding.port)
        except LookupError:
            return None

    def unlisted(self, models: tuple[str, ...]) -> list[tuple[str, str]]:
        """Registered phones that the inventory does not know (D3).

        Args:
            models: what the User-Agents of known ones begin with; none of them: there is no inventory to go by.

        Returns:
            Account and User-Agent ("" where a phone does not say), by account.
        """
        if not models:
            return []
        found = {
            (user, entry.binding.user_agent)
            for user, registrations in self._by_user.items()
            for entry in registrations
            if not entry.binding.user_agent.startswith(models)
        }
        return sorted(found)

    @property
    def size(self) -> int:
        """How many bindings there are, for gauges."""
        return sum(map(len, self._by_user.values()))

    @property
    def next_expiry(self) -> float:
        """POSIX seconds at which `expire` has perhaps something to do; infinity when there is nothing."""
        return self._expiries[0][0] if self._expiries else float("inf")

    # ----------------------------------------------------------------------------------------------- changing

    def register(self, request: Request, account: Account, flow: Flow, now: float) -> Answer:
        """Serve a REGISTER (RFC 3261 §10.3 steps 4 to 8): all of it takes effect, or nothing.

        Args:
            request: with its limits checked and its Require understood.
            account: whose credentials it carried.
            flow: what it came by.
            now: POSIX seconds, on the clock by which exceptions for private devices end (D1).
        """
        try:
            return self._register(request, account, flow, now)
        except RemoteError as error:
            return Answer(error.status, str(error) if error.status != 400 else f"Bad Request ({error})")

    def restore(self, bindings: Iterable[Binding], now: float) -> None:
        """Take up bindings of before a restart; the store forgets those that expired or whose account is gone.

        Nobody is told of a person who appears by this.
        """
        outdated: set[str] = set()
        for binding in bindings:
            user = binding.user
            if user not in self._accounts or binding.expires_at <= now:
                outdated.add(user)
                continue
            try:
                contact = NameAddr.parse(f"<{binding.contact}>{binding.params}")
                registration = _Registration(binding, _sip_uri(contact), _device(contact), None)
            except RemoteError as error:  # somebody else wrote into the database: the phone will register anew
                _log.warning("stored binding of account %s is forgotten: %s", user, error)
                outdated.add(user)
                continue
            self._by_user.setdefault(user, []).append(registration)
            self._users_of.setdefault(self._accounts[user].person, set()).add(user)
        for user, registrations in self._by_user.items():
            registrations.sort(key=_preference)
            self._watch(user)
        for user in outdated:
            self._save(user)

    def expire(self, now: float) -> None:
        """Drop the bindings whose time has come. Call it when `next_expiry` is reached, or every few seconds."""
        while self._expiries and self._expiries[0][0] <= now:
            due, user = heappop(self._expiries)
            if self._watched.get(user) != due:
                continue
            del self._watched[user]
            registrations = self._by_user.get(user)
            if registrations is None:
                continue
            left = [entry for entry in registrations if entry.binding.expires_at > now]
            if len(left) < len(registrations):
                self._replace(user, left)
            else:
                self._watch(user)

    def flow_failed(self, flow: Flow) -> None:
        """A connection is gone. Phones that nothing else reaches are unregistered (RFC 5626 §5.4)."""
        if not flow.reliable:
            return
        for user, registrations in list(self._by_user.items()):
            left: list[_Registration] = []
            for entry in registrations:
                if entry.flow is flow:
                    entry.flow = None
                    if not _names(entry.uri, entry.binding.host):
                        continue
                left.append(entry)
            if len(left) < len(registrations):
                self._replace(user, left)

    def way(self, user: str) -> int:
        """Which way the sound of an account's calls takes (a `MediaWay`)."""
        account = self._accounts.get(user)
        return 0 if account is None else account.media

    def keys(self, user: str) -> str:
        """How the sound of calls to an account is protected (see `MediaParty.keys`)."""
        account = self._accounts.get(user)
        return "" if account is None else account.srtp

    def set_accounts(self, accounts: Mapping[str, Account]) -> None:
        """Take the accounts of a new configuration. The bindings of those that are gone, or given to somebody else, go;
        those of a private device whose exception was shortened end with it (D1).
        """
        before, self._accounts = self._accounts, accounts
        for user, registrations in list(self._by_user.items()):
            if user not in accounts or accounts[user].person != before[user].person:
                self._replace(user, [], before[user].person)
                continue
            until = accounts[user].until
            late = [entry for entry in registrations if until is not None and entry.binding.expires_at > until]
            if until is not None and late:
                for entry in late:
                    entry.binding = replace(entry.binding, expires_at=until)
                self._replace(user, registrations)

    # ------------------------------------------------------------------------------------------------ inside

    def _register(self, request: Request, account: Account, flow: Flow, now: float) -> Answer:
        user = account.user
        address_of_record = NameAddr.parse(request.get("to") or "").parsed_uri()
        if not isinstance(address_of_record, SipUri) or address_of_record.username != user:
            return Answer(403, "Forbidden (To names another account than the credentials)")
        if account.until is not None and now >= account.until:
            return Answer(403, "Forbidden (the exception for this private device has ended)")

        values = request.list("contact")
        registrations = [entry for entry in self._by_user.get(user, ()) if entry.binding.expires_at > now]
        if not values:
            return self._accept(registrations, (), now)
        if "*" in values:
            if len(values) > 1 or (request.get("expires") or "").strip() != "0":
                raise RemoteError('Contact "*" must stand alone, with Expires 0 (RFC 3261 §10.2.2)')
            for entry in registrations:
                _check_order(entry.binding, request)
            self._replace(user, [])
            return self._accept([], (), now)

        default = _expires(request.get("expires"), self.bounds.default)
        renewed: list[_Registration] = []
        path = tuple(request.list("path")) if "path" in request.tokens("supported") else ()
        for value in values:
            contact = NameAddr.parse(value)
            uri, device = _sip_uri(contact), _device(contact)
            expires = _expires(contact.param("expires"), default)
            if 0 < expires < self.bounds.minimum:
                return Answer(423, "Interval Too Brief", (f"Min-Expires: {self.bounds.minimum}",))
            expires = min(expires, self.bounds.maximum)
            if account.until is not None:
                expires = min(expires, max(1, int(account.until - now))) if expires else 0
            for entry in registrations:
                if entry.is_same(uri, device):
                    _check_order(entry.binding, request)
            registrations = [entry for entry in registrations if not entry.is_same(uri, device)]
            renewed = [entry for entry in renewed if not entry.uri.matches(uri)]
            if expires:
                expires_at = now + expires if account.until is None else min(now + expires, account.until)
                renewed.append(_registration(request, user, contact, uri, device, flow, expires_at, path))
        registrations += renewed
        if len(registrations) > self.bounds.contacts:
            return Answer(403, f"Forbidden (more than {self.bounds.contacts} contacts)")
        registrations.sort(key=_preference)
        self._replace(user, registrations)
        return self._accept(registrations, path, now)

    def _accept(self, registrations: list[_Registration], path: tuple[str, ...], now: float) -> Answer:
        """The 200 with all bindings of the account (RFC 3261 §10.3 step 8, RFC 3327 §5.3)."""
        lines: list[str] = []
        for entry in registrations:
            binding = entry.binding
            q = f";q={binding.q:g}" if binding.q != 1.0 else ""
            seconds = round(binding.expires_at - now)
            lines.append(f"Contact: <{binding.contact}>;expires={seconds}{q}{binding.params}")
        if path:
            lines.append(f"Path: {', '.join(path)}")
        lines.append(f"Date: {formatdate(now, usegmt=True)}")
        return Answer(200, "OK", tuple(lines))

    def _replace(self, user: str, registrations: list[_Registration], person: str = "") -> None:
        """Make these all the bindings of an account, and tell whom it concerns."""
        if registrations:
            self._by_user[user] = registrations
            self._watch(user)
        else:
            self._by_user.pop(user, None)
        self._save(user)
        person = person or self._accounts[user].person
        users = self._users_of.get(person)
        if registrations and users is None:
            self._users_of[person] = {user}
        elif registrations and users is not None:
            users.add(user)
            return
        elif users is not None:
            users.discard(user)
            if users:
                return
            del self._users_of[person]
        else:
            return
        if self._person_changed is not None:
            self._person_changed(person, bool(registrations))

    def _watch(self, user: str) -> None:
        """Have `expire` look at an account when its next binding ends: one entry, however often it renews."""
        due = min(entry.binding.expires_at for entry in self._by_user[user])
        if due < self._watched.get(user, float("inf")):
            self._watched[user] = due
            heappush(self._expiries, (due, user))

    def _save(self, user: str) -> None:
        self._store.save(user, [entry.binding for entry in self._by_user.get(user, ())])


def _registration(
    request: Request,
    user: str,
    contact: NameAddr,
    uri: SipUri,
    device: tuple[str, str] | None,
    flow: Flow,
    expires_at: float,
    path: tuple[str, ...],
) -> _Registration:
    transport, (host, port) = flow.transport.lower(), flow.source
    by_flow = True
    if not path and _names(uri, host):
        # The Contact can be believed: it may name another port, or another transport, of the host it came from.
        wanted = uri.transport or transport
        named = uri.port or (5061 if wanted == "tls" else 5060)
        if wanted != transport or (named != port and not flow.reliable):
            transport, port, by_flow = wanted, named, False
        elif flow.reliable:
            port = named  # for when the connection is gone
    if (host, port) == flow.local:
        raise RemoteError("a Contact names this router itself")
    params = "".join(
        f";{name}" if value is None else f";{name}={value}"
        for name, value in contact.params
        if name.lower() not in _PERSONAL_PARAMS
    )
    binding = Binding(
        user=user,
        # RFC 3261 §19.1.1 lets a URI carry headers; what we write into a call is not for a phone to say.
        contact=str(uri.bare()) if uri.headers else contact.uri,
        expires_at=expires_at,
        call_id=request.call_id,
        cseq=request.cseq,
        transport=transport,
        host=host,
        port=port,
        q=_q(contact.param("q")),
        path=path,
        params=params,
        instance=device[0] if device is not None else "",
        user_agent=(request.get("user-agent") or "").encode("utf-8", "replace").decode(),
    )
    for text in (binding.contact, binding.call_id, binding.params, *path):
        _check_text(text)
    return _Registration(binding, uri, device, flow if by_flow else None)


def _sip_uri(contact: NameAddr) -> SipUri:
    uri = contact.parsed_uri()
    if not isinstance(uri, SipUri):
        raise RemoteError("a Contact is not a SIP URI, so no call could reach it")
    return uri


def _device(contact: NameAddr) -> tuple[str, str] | None:
    """`+sip.instance` and `reg-id`: the same when a device comes back under another address (RFC 5626 §6)."""
    instance = contact.param("+sip.instance")
    return (instance, contact.param("reg-id") or "") if instance else None


def _names(uri: SipUri, host: str) -> bool:
    """Whether the host of a Contact is, as an address, `host`."""
    named = uri.address
    if named == host:
        return True
    if ":" not in named:  # only IPv6 addresses have several spellings
        return False
    return ip_address(named) == ip_address(host.partition("%")[0])


def _check_text(text: str) -> None:
    """Raise `RemoteError` (400) for what may neither be repeated in an answer nor stored."""
    if not text.isprintable():
        for character in text:
            if character < " " or character == "\x7f" or 0xD800 <= ord(character) <= 0xDFFF:
                raise RemoteError("Contact, Call-ID or Path holds a control character, or is not UTF-8")


def _check_order(known: Binding, request: Request) -> None:
    """RFC 3261 §10.3 step 7: of one Call-ID, only a higher CSeq may change a binding."""
    if known.call_id == request.call_id and request.cseq <= known.cseq:
        raise RemoteError("Server Internal Error (REGISTER out of order)", 500)


def _expires(text: str | None, default: int) -> int:
    if text is None:
        return default
    text = text.strip()
    if not text.isascii() or not text.isdecimal():
        return MALFORMED_EXPIRES
    return min(
        int(text.lstrip("0")[:11] or "0"), MAX_EXPIRES
    )  # cut, because a peer may write a number of 60,000 digits


def _q(text: str | None) -> float:
    """A qvalue (RFC 3261 §25.1): 0 to 1 with at most three decimals."""
    if text is None:
        return 1.0
    whole, _, decimals = text.partition(".")
    if whole not in ("0", "1") or len(decimals) > 3 or not (decimals or "0").isdecimal() or not text.isascii():
        raise RemoteError("a Contact has a q that is not between 0 and 1 with at most three decimals")
    q = float(text)
    if q > 1.0:
        raise RemoteError("a Contact has a q above 1")
    return q


def _preference(entry: _Registration) -> tuple[float, float]:
    return -entry.binding.q, -entry.binding.expires_at
