"""Since when private phones have been connected (D2): what was meant as an exception is seen when it lasts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Final

from router.model.audit import AuditEntry
from router.model.decision import Connection
from router.model.peers import Account
from router.ports import StateJournal

CONNECTED: Final = "connect private phone"
GONE: Final = "end private phone"
DAY: Final = 86_400.0  # seconds


class PrivatePhones:
    """When each private phone registered for the first time since its exception was written.

    This is kept as two entries in the audit: one with the first registration, one when the exception is no longer in
    the configuration. A phone that is off for a while goes on counting.

    Args:
        accounts: see `Registrar`. Replace them with `set_accounts`.
        journal: takes the entries; None: nothing outlives the process.
    Attributes:
        since: POSIX seconds, by account.
    """

    def __init__(self, accounts: Mapping[str, Account], journal: StateJournal | None = None) -> None:
        self.since: dict[str, float] = {}
        self._accounts = accounts
        self._journal = journal

    def restore(self, entries: Iterable[AuditEntry], now: float) -> None:
        """Take up what the audit says, oldest entry first."""
        for entry in entries:
            if entry.action == CONNECTED:
                self.since.setdefault(entry.subject, entry.at)
            elif entry.action == GONE:
                self.since.pop(entry.subject, None)
        self.set_accounts(self._accounts, now)

    def registered(self, account: Account, now: float) -> None:
        """A private phone has registered."""
        if account.user not in self.since:
            self.since[account.user] = now
            end = "" if account.until is None else f"until {datetime.fromtimestamp(account.until, UTC).isoformat()}"
            self._record(AuditEntry(now, f"phone {account.user}", CONNECTED, account.user, "", end))

    def set_accounts(self, accounts: Mapping[str, Account], now: float) -> None:
        """Take the accounts of a new configuration."""
        self._accounts = accounts
        for user in list(self.since):
            account = accounts.get(user)
            if account is None or account.connection is not Connection.PRIVATE:
                del self.since[user]
                self._record(AuditEntry(now, "configuration", GONE, user))

    def days(self, now: float) -> list[float]:
        """For how many days each has been connected whose exception has not ended, longest first."""
        lasting = [
            (now - since) / DAY
            for user, since in self.since.items()
            if (until := self._accounts[user].until) is None or now < until
        ]
        return sorted(lasting, reverse=True)

    def _record(self, entry: AuditEntry) -> None:
        if self._journal is not None:
            self._journal.record(entry)
