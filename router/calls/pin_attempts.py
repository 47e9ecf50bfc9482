"""Wrong PINs of mailboxes, so that nobody finds one by trying."""

from __future__ import annotations

from typing import Final, NamedTuple

MAX_WRONG: Final = 3  # in a row, over all calls: then the mailbox is shut for a while
FIRST_PAUSE: Final = 60.0  # seconds; each further time twice as long
LONGEST_PAUSE: Final = 3600.0  # seconds: whoever forgot a PIN, or is teased by somebody, gets in again the same day
FORGOTTEN_AFTER: Final = 86400.0  # seconds without an attempt


class _Wrong(NamedTuple):
    times: int
    last: float
    shut_until: float


class PinAttempts:
    """Counts wrong PINs by mailbox. Times are POSIX seconds."""

    def __init__(self) -> None:
        self._wrong: dict[str, _Wrong] = {}

    def may_try(self, mailbox: str, now: float) -> bool:
        """Take one attempt; False: the mailbox is shut.

        It counts as wrong until `right` says otherwise: those that are made at the same time cannot hide behind each
        other while a PIN is computed.
        """
        before = self._wrong.get(mailbox, _Wrong(0, now, 0.0))
        if now < before.shut_until:
            return False
        times = 1 if now - before.last > FORGOTTEN_AFTER else before.times + 1
        rounds, left = divmod(times, MAX_WRONG)
        pause = 0.0 if left else min(FIRST_PAUSE * 2.0 ** min(rounds - 1, 16), LONGEST_PAUSE)
        self._wrong[mailbox] = _Wrong(times, now, now + pause)
        return True

    def right(self, mailbox: str) -> None:
        """The attempt was right: all is forgotten."""
        self._wrong.pop(mailbox, None)

    def shut_for(self, mailbox: str, now: float) -> float:
        """Return for how many seconds the mailbox stays shut; 0.0 where it is not."""
        wrong = self._wrong.get(mailbox)
        return 0.0 if wrong is None else max(0.0, wrong.shut_until - now)
