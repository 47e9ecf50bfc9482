"""The gate: a phone is let in by digest (RFC 3261 §22), and every stranger gets the same answer."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from router.model.peers import Account
from router.model.tally import Counts
from router.sip.digest import DigestServer, Verdict, find_credentials
from router.sip.message import Request
from router.sip.name_addr import NameAddr
from router.sip.transaction import ServerTransaction
from router.sip.uri import SipUri


class Gate:
    """Admits the accounts of one configuration.

    Args:
        accounts: by user name.
        digest: challenges and checks.
        wall_clock: POSIX seconds, for accounts that expire.
    Attributes:
        verdicts: how often, by (verdict,): "ok", "stale", "refused", "challenged", "expired".
    """

    def __init__(self, accounts: Mapping[str, Account], digest: DigestServer, wall_clock: Callable[[], float]) -> None:
        self.accounts = accounts
        self.digest = digest
        self.verdicts = Counts()
        self._wall_clock = wall_clock

    def admit(self, transaction: ServerTransaction, request: Request, now: float) -> Account | None:
        """The account whose credentials the request carries. None: a challenge or a refusal was sent.

        REGISTER is asked with 401, everything else with 407 (RFC 3261 §22.1: the router is the phones' outbound proxy).
        A caller may only speak for itself: From must name the account (403 otherwise).
        """
        registers = request.method == "REGISTER"
        header = "authorization" if registers else "proxy-authorization"
        stale = False
        if header in request or "authorization" in request:
            values = request.lines(header) or request.lines("authorization")
            credentials = find_credentials(values, self.digest.realm)
            if credentials is not None:
                verdict = self.digest.check(credentials, request.method, request.uri, self._ha1, now)
                self.verdicts[verdict,] += 1
                if verdict is Verdict.OK:
                    return self._allowed(self.accounts[credentials.username], transaction, request, now)
                stale = verdict is Verdict.STALE
        else:
            self.verdicts["challenged",] += 1
        status, name = (401, "WWW-Authenticate") if registers else (407, "Proxy-Authenticate")
        challenges = "".join(f"{name}: {value}\r\n" for value in self.digest.challenges(now, stale))
        transaction.refuse(status, now, challenges)
        return None

    def _allowed(
        self, account: Account, transaction: ServerTransaction, request: Request, now: float
    ) -> Account | None:
        if request.method == "REGISTER":
            return account  # the registrar checks the AOR and the end of a private device's exception
        if account.until is not None and self._wall_clock() >= account.until:
            self.verdicts["expired",] += 1
            transaction.refuse(403, now)  # D1
            return None
        speaker = NameAddr.parse(request.get("from") or "").parsed_uri()
        if not isinstance(speaker, SipUri) or speaker.username not in (account.user, "anonymous"):
            transaction.refuse(403, now)
            return None
        return account

    def _ha1(self, user: str, algorithm: str) -> str | None:
        account = self.accounts.get(user)
        if account is None:
            return None
        return account.ha1_sha256 if algorithm == "SHA-256" else account.ha1_md5
