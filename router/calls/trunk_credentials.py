"""The password of one trunk: used for that trunk and its own realm alone, as a digest (RFC 3261 §22, RFC 7616)."""

from __future__ import annotations

from collections.abc import Callable

from router.model.peers import TrunkRegistration
from router.sip.digest import Challenge, strongest
from router.sip.errors import RemoteError
from router.sip.message import Response

MAX_ANSWERS = 2  # to the challenges of one request: one for a new nonce, one more where that was stale already

# Status of a challenge: the header it stands in, and the one that answers it (RFC 3261 §22.2, §22.3).
_HEADERS = {401: ("www-authenticate", "Authorization"), 407: ("proxy-authenticate", "Proxy-Authorization")}


class TrunkCredentials:
    """Answers challenges, and remembers the last ones so that the next request need not wait for another.

    Args:
        account: user, password and, where configured, realm.
        random_token: gives an unguessable token, for cnonce.
    Attributes:
        realm: the only realm that is answered; None until the first challenge has shown it.
    """

    __slots__ = ("_account", "_nonces", "_random_token", "realm")

    def __init__(self, account: TrunkRegistration, random_token: Callable[[], str]) -> None:
        self.realm = account.realm
        self._account = account
        self._random_token = random_token
        # One for the registrar and one for calls: they may be different servers, with nonces of their own.
        self._nonces: dict[bool, _Nonce] = {}

    def answer(self, response: Response, method: str, uri: str, answered: int = 0) -> str | None:
        """The header line, with CRLF, that answers the 401 or 407 to a request.

        Args:
            method, uri: of the request that was challenged and will be sent again.
            answered: how many challenges to this very request were answered before this one.

        Returns None when there is no use in answering: not a challenge, another realm, an algorithm we do not speak, a
        challenge that cannot be read, or credentials refused without the nonce being stale.
        """
        if response.status not in _HEADERS or answered >= MAX_ANSWERS:
            return None
        challenge_header, header = _HEADERS[response.status]
        try:
            challenge = strongest(response.lines(challenge_header), self.realm)
        except RemoteError:  # unreadable is unanswerable; the refusal itself is what the caller reports
            return None
        if challenge is None or (answered and not challenge.stale):
            return None
        self.realm = challenge.realm
        known = self._nonces.get(method == "REGISTER")
        if known is None or known.header != header or known.challenge.nonce != challenge.nonce:
            known = self._nonces[method == "REGISTER"] = _Nonce(header, challenge)
        return self._line(known, method, uri)

    def preemptive(self, method: str, uri: str) -> str:
        """The header line, with CRLF, that spares a request its challenge; "" when no nonce can be used again."""
        known = self._nonces.get(method == "REGISTER")
        # Without qop there is no nonce count, and a server that minds replays refuses a nonce it has seen.
        return self._line(known, method, uri) if known is not None and known.challenge.qop else ""

    def _line(self, nonce: _Nonce, method: str, uri: str) -> str:
        nonce.count += 1
        account = self._account
        user = account.auth_user or account.user
        value = nonce.challenge.answer(user, account.password, method, uri, self._random_token(), nonce.count)
        return f"{nonce.header}: {value}\r\n"


class _Nonce:
    """A challenge, the header that answers it, and how often it was answered (nc)."""

    __slots__ = ("challenge", "count", "header")

    def __init__(self, header: str, challenge: Challenge) -> None:
        self.header = header
        self.challenge = challenge
        self.count = 0
