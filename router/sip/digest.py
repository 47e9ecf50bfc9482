"""Digest authentication, both sides (RFC 3261 §22, RFC 7616, RFC 8760), without clock, chance or memory of passwords.

The server keeps nothing for a nonce until a right answer came with it: a nonce carries its own time and signature. Only
then does it remember, within bounds, which nonce counts were used, so that nobody can send what was overheard again.

The client answers one challenge at a time; how often it does is the caller's affair: once, and once more when the
second challenge says `stale`.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from router.sip.errors import LocalError, RemoteError
from router.sip.name_addr import TOKEN, end_of_quoted, quote, unquote
from router.sip.uri import SipUri, parse_uri

NONCE_LIFETIME: Final = 300  # seconds; a phone that answers later gets `stale` and tries again unseen by its user
MAX_NONCES: Final = 10_000  # nonces whose counts are remembered; see `DigestServer`
COUNT_WINDOW: Final = 64  # nonce counts below the highest that may still arrive, when UDP reorders requests

# Strongest first: the order in which challenges are sent and chosen (RFC 8760 §2.3, §2.4).
ALGORITHMS: Final = ("SHA-256", "MD5")
# Nearly every parameter is one of these, and need not be looked at letter by letter.
_USUAL_PARAMS = frozenset(
    ("username", "realm", "nonce", "uri", "response", "algorithm", "cnonce", "opaque", "qop", "nc", "stale")
)
_TIME_DIGITS, _SALT_DIGITS, _SIGNATURE_DIGITS = 10, 16, 32
_NONCE_LENGTH = _TIME_DIGITS + _SALT_DIGITS + _SIGNATURE_DIGITS

# (user name, algorithm) -> HA1 in hexadecimal, or None when there is no such user
LookUpHa1 = Callable[[str, str], str | None]


class Verdict(StrEnum):
    """What a server thinks of credentials. Everything but `OK` is answered with a new challenge."""

    OK = "ok"
    STALE = "stale"  # right password, but the nonce is too old, unknown or used up: challenge with stale=true
    REFUSED = "refused"


def ha1(user: str, realm: str, password: str, algorithm: str = "MD5") -> str:
    """H(user:realm:password) in hexadecimal (RFC 7616 §3.4.2): all that has to be kept of a password.

    Raises `LocalError` for an algorithm not in `ALGORITHMS`.
    """
    if algorithm not in ALGORITHMS:
        raise LocalError(f"digest algorithm {algorithm} is not one of {', '.join(ALGORITHMS)}")
    return _hash(algorithm, f"{user}:{realm}:{password}")


@dataclass(frozen=True, slots=True)
class Credentials:
    """An Authorization or Proxy-Authorization value of scheme Digest, quotes undone.

    `algorithm` is in upper case ("MD5" when absent); `qop` is "" for a client of RFC 2069, which then sends neither
    `cnonce` nor `count`. `count` is nc as eight hexadecimal digits.
    """

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    qop: str = ""
    cnonce: str = ""
    count: str = ""

    @classmethod
    def parse(cls, value: str) -> Credentials:
        """Read the value of one header. Raises `RemoteError` (400) when it is no Digest, malformed or incomplete."""
        params = _auth_params(value)
        try:
            credentials = cls(
                params["username"],
                params["realm"],
                params["nonce"],
                params["uri"],
                params["response"].lower(),
                params.get("algorithm", "MD5").upper(),
                params.get("qop", "").lower(),
                params.get("cnonce", ""),
                params.get("nc", ""),
            )
        except KeyError as missing:
            raise RemoteError(f"Digest credentials have no {missing.args[0]}") from None
        if credentials.qop:
            if not credentials.cnonce:
                raise RemoteError("Digest credentials have qop but no cnonce")
            if len(credentials.count) != 8 or _hexadecimal(credentials.count) < 1:
                raise RemoteError("Digest credentials have an nc that is not eight hexadecimal digits from 00000001")
        return credentials


def find_credentials(values: Iterable[str], realm: str) -> Credentials | None:
    """The credentials for `realm` among the values of a request's Authorization (or Proxy-Authorization) headers.

    Other schemes and realms are somebody else's and passed over (RFC 3261 §22.3). Raises `RemoteError` (400) when
    Digest credentials cannot be read.
    """
    for value in values:
        if value[:7].lower() == "digest ":
            credentials = Credentials.parse(value)
            if credentials.realm == realm:
                return credentials
    return None


class DigestServer:
    """Challenges, and checks the answers.

    What overheard credentials are worth: nothing once their nonce count was used, and nothing after `lifetime`.
    Counts of at most `max_nonces` nonces are remembered; when one has to be forgotten, no nonce as old as it is
    accepted any more (those clients get `stale`), so forgetting never opens a gap.

    Args:
        realm: as in the challenges; every account's HA1 was made with it.
        key: secret that signs nonces, at least 16 bytes. A new key makes every client answer one challenge more.
        random_bytes: gives that many random bytes, such as `os.urandom`.
        algorithms: what is offered, strongest first. Offer SHA-256 only when every account has an HA1 for it: a client
            that knows it will choose it (RFC 8760 §2.4).
        lifetime: seconds for which a nonce is good.
        max_nonces: see above.
    """

    __slots__ = (
        "_algorithms",
        "_decoys",
        "_floor",
        "_key",
        "_lifetime",
        "_max_nonces",
        "_random_bytes",
        "_used",
        "realm",
    )

    def __init__(
        self,
        realm: str,
        key: bytes,
        random_bytes: Callable[[int], bytes],
        algorithms: Sequence[str] = ALGORITHMS,
        lifetime: int = NONCE_LIFETIME,
        max_nonces: int = MAX_NONCES,
    ) -> None:
        if len(key) < 16:
            raise LocalError("the key that signs nonces must have at least 16 bytes")
        self.realm = realm
        self._key = key
        self._random_bytes = random_bytes
        self._algorithms = tuple(algorithms)
        self._lifetime = lifetime
        self._max_nonces = max_nonces
        # An unknown user is checked against these, so that the answer takes as long as for a known one.
        self._decoys = {name: ha1("", realm, key.hex(), name) for name in self._algorithms}
        self._used: dict[str, tuple[int, int]] = {}  # nonce -> highest count, bits of the counts seen below it
        self._floor = -1  # issue time (seconds) up to which a nonce that is not in `_used` is too old

    def challenges(self, now: float, stale: bool = False) -> list[str]:
        """Values for WWW-Authenticate or Proxy-Authenticate, one header each, to be sent in this order (RFC 8760 §2.3).

        Args:
            now: seconds of a clock that runs on for as long as the key lives.
            stale: the last answer was right, only its nonce was not (`Verdict.STALE`).
        """
        issued = f"{int(now):0{_TIME_DIGITS}x}{self._random_bytes(_SALT_DIGITS // 2).hex()}"
        nonce = issued + self._signature(issued)
        tail = ',stale=true,qop="auth"' if stale else ',qop="auth"'
        realm = quote(self.realm)
        return [f'Digest realm={realm},nonce="{nonce}",algorithm={name}{tail}' for name in self._algorithms]

    def check(self, credentials: Credentials, method: str, request_uri: str, look_up: LookUpHa1, now: float) -> Verdict:
        """Judge credentials for a request. An unknown user and a wrong password are the same: `REFUSED`.

        A right answer uses up its nonce count: checking the same credentials again gives `STALE`.

        Args:
            method: of the request.
            request_uri: as received. The digest-uri may differ from it in port and parameters, and may leave the user
                out, but not name somebody else (RFC 3261 §22.4 item 5, RFC 7616 §3.4.6).
            look_up: finds the HA1 of a user. Called once.
            now: as for `challenges`.
        """
        algorithm = credentials.algorithm
        if algorithm not in self._decoys or credentials.qop not in ("auth", ""):
            return Verdict.REFUSED
        known = look_up(credentials.username, algorithm)
        expected = _response(
            algorithm, known or self._decoys[algorithm], method, credentials.uri, credentials.nonce,
            credentials.qop, credentials.cnonce, credentials.count,
        )  # fmt: skip
        right = hmac.compare_digest(expected.encode(), _encoded(credentials.response))
        issued = self._issued(credentials.nonce)
        if not right or known is None or credentials.realm != self.realm:
            return Verdict.REFUSED
        if credentials.uri != request_uri and not _stands_for(credentials.uri, request_uri):
            return Verdict.REFUSED
        # Only now: a client must learn that its nonce is stale only when its password was right (RFC 7616 §3.3).
        if issued is None or not 0 <= now - issued <= self._lifetime:
            return Verdict.STALE
        return Verdict.OK if self._use(credentials, issued, now) else Verdict.STALE

    def _signature(self, issued: str) -> str:
        return hmac.digest(self._key, issued.encode("ascii"), "sha256").hex()[:_SIGNATURE_DIGITS]

    def _issued(self, nonce: str) -> int | None:
        """When a nonce was issued, in seconds; None when it is not one of ours."""
        if len(nonce) != _NONCE_LENGTH or not nonce.isascii():
            return None
        issued = nonce[:-_SIGNATURE_DIGITS]
        if not hmac.compare_digest(nonce[-_SIGNATURE_DIGITS:], self._signature(issued)):
            return None
        return int(issued[:_TIME_DIGITS], 16)

    def _use(self, credentials: Credentials, issued: int, now: float) -> bool:
        """Use up one count of a nonce. False when it was used before, or might have been.

        Without qop there is no count, and the nonce serves once.
        """
        count = int(credentials.count, 16) if credentials.qop else 0
        used = self._used.get(credentials.nonce)
        if used is None:
            if issued <= self._floor:
                return False
            self._forget(now)
            self._used[credentials.nonce] = (count, 1)
            return True
        highest, seen = used
        if not count or not highest:
            return False
        if count > highest:
            # A leap clears the window: a count from far below would be refused in any case.
            seen = seen << (count - highest) if count - highest < COUNT_WINDOW else 0
            self._used[credentials.nonce] = (count, (seen | 1) & ((1 << COUNT_WINDOW) - 1))
            return True
        bit = 1 << (highest - count) if highest - count < COUNT_WINDOW else 0
        if not bit or seen & bit:
            return False
        self._used[credentials.nonce] = (highest, seen | bit)
        return True

    def _forget(self, now: float) -> None:
        """Make room for one nonce: drop the oldest while they are expired or there is no room."""
        while self._used:
            oldest = next(iter(self._used))
            issued = int(oldest[:_TIME_DIGITS], 16)
            if len(self._used) < self._max_nonces and now - issued <= self._lifetime:
                return
            self._floor = max(self._floor, issued)
            del self._used[oldest]


@dataclass(frozen=True, slots=True)
class Challenge:
    """A WWW-Authenticate or Proxy-Authenticate value that the client side can answer.

    `algorithm` is as the peer spelled it, "" when it named none; `qop` whether it offers quality of protection "auth".
    """

    realm: str
    nonce: str
    algorithm: str = ""
    qop: bool = False
    opaque: str | None = None
    stale: bool = False

    def answer(self, user: str, password: str, method: str, uri: str, cnonce: str, count: int = 1) -> str:
        """The value for Authorization after 401, or Proxy-Authorization after 407 (RFC 3261 §22.2, §22.3).

        Args:
            user, password: for exactly this realm; that it may be told them was decided by `strongest`.
            uri: Request-URI of the request that will carry the value.
            cnonce: fresh and unguessable.
            count: how often this nonce was answered, this time included.
        """
        algorithm = self.algorithm.upper() or "MD5"
        qop, nc = ("auth", f"{count:08x}") if self.qop else ("", "")
        response = _response(
            algorithm, ha1(user, self.realm, password, algorithm), method, uri, self.nonce, qop, cnonce, nc
        )
        value = (
            f"Digest username={quote(user)},realm={quote(self.realm)},nonce={quote(self.nonce)},uri={quote(uri)}"
            f',response="{response}"'
        )
        if self.algorithm:
            value += f",algorithm={self.algorithm}"
        if self.opaque is not None:
            value += f",opaque={quote(self.opaque)}"
        if qop:
            value += f",qop=auth,nc={nc},cnonce={quote(cnonce)}"
        return value


def strongest(values: Iterable[str], realm: str | None = None) -> Challenge | None:
    """The challenge to answer: the strongest algorithm we know, the first of equals (RFC 8760 §2.4).

    Args:
        values: of all WWW-Authenticate (or Proxy-Authenticate) headers of one response.
        realm: the realm that the credentials belong to; challenges of another realm are passed over, so that a password
            goes nowhere else. None accepts any, for the first challenge of a trunk whose realm is not yet known.

    Returns None when there is nothing that may be answered. Raises `RemoteError` when a Digest challenge cannot be
    read.
    """
    best: Challenge | None = None
    best_rank = len(ALGORITHMS)
    for value in values:
        if value[:7].lower() != "digest ":
            continue
        params = _auth_params(value)
        if "realm" not in params or "nonce" not in params:
            raise RemoteError("a Digest challenge has no realm or no nonce")
        algorithm = params.get("algorithm", "")
        qop = [option.strip().lower() for option in params["qop"].split(",")] if "qop" in params else None
        if (algorithm.upper() or "MD5") not in ALGORITHMS or (qop is not None and "auth" not in qop):
            continue
        if realm is not None and params["realm"] != realm:
            continue
        rank = ALGORITHMS.index(algorithm.upper() or "MD5")
        if rank < best_rank:
            best_rank = rank
            stale = params.get("stale", "").lower() == "true"
            best = Challenge(params["realm"], params["nonce"], algorithm, qop is not None, params.get("opaque"), stale)
    return best


def _auth_params(value: str) -> dict[str, str]:
    """Parameters of a Digest value by name in lower case, quotes undone (RFC 3261 §25.1, dig-resp and digest-cln)."""
    if value[:7].lower() != "digest ":
        raise RemoteError("credentials are not of scheme Digest")
    params: dict[str, str] = {}
    position, length = 7, len(value)
    while position < length:
        equals = value.find("=", position)
        if equals < 0:
            raise RemoteError("a Digest parameter has no value")
        name = value[position:equals].strip().lower()
        if name in params or (name not in _USUAL_PARAMS and not (name and TOKEN.issuperset(name))):
            raise RemoteError("a Digest parameter has no valid name, or appears twice")
        start = equals + 1
        while value[start : start + 1] in (" ", "\t"):
            start += 1
        if value[start : start + 1] == '"':
            end = end_of_quoted(value, start)
            params[name] = unquote(value[start:end])
            comma = value.find(",", end)
            if comma != end and value[end : comma if comma >= 0 else length].strip():
                raise RemoteError("a Digest parameter goes on after its closing quote")
        else:
            comma = value.find(",", start)
            params[name] = value[start : comma if comma >= 0 else length].strip()
        if comma < 0:
            break
        position = comma + 1
    return params


def _response(
    algorithm: str, ha1_text: str, method: str, uri: str, nonce: str, qop: str, cnonce: str, count: str
) -> str:
    """The request-digest (RFC 7616 §3.4.1; without qop, RFC 2069's)."""
    ha2 = _hash(algorithm, f"{method}:{uri}")
    if qop:
        return _hash(algorithm, f"{ha1_text}:{nonce}:{count}:{cnonce}:{qop}:{ha2}")
    return _hash(algorithm, f"{ha1_text}:{nonce}:{ha2}")


def _hash(algorithm: str, text: str) -> str:
    data = _encoded(text)
    if algorithm == "MD5":
        return hashlib.md5(data, usedforsecurity=False).hexdigest()
    return hashlib.sha256(data).hexdigest()


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")  # gives back the very bytes that the peer hashed


def _hexadecimal(text: str) -> int:
    """The number, or -1 when `text` has anything but hexadecimal digits."""
    try:
        return int(text, 16) if text.isalnum() and text.isascii() else -1
    except ValueError:
        return -1


def _stands_for(digest_uri: str, request_uri: str) -> bool:
    """Whether a digest-uri means a request to `request_uri`: same host and user, whatever the port and parameters.

    Some clients leave the user out and name the server alone; what they signed is no less spent after one use.
    """
    try:
        signed, requested = parse_uri(digest_uri), parse_uri(request_uri)
    except RemoteError:
        return False
    if isinstance(signed, SipUri) and isinstance(requested, SipUri):
        return signed.address == requested.address and (not signed.user or signed.username == requested.username)
    return signed.matches(requested)
