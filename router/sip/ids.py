"""Tags, branches and Call-IDs out of random bytes that are handed in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

BRANCH_COOKIE: Final = "z9hG4bK"  # RFC 3261 §8.1.1.7
_POOL_BYTES: Final = 4096
TOKEN_LENGTH: Final = 16
BRANCH_LENGTH: Final = len(BRANCH_COOKIE) + TOKEN_LENGTH


class Ids:
    """Unguessable identifiers (RFC 3261 §19.3 wants 32 random bits in a tag; these have 64).

    Args:
        random_bytes: gives that many random bytes, such as `os.urandom`. Asked for a few kilobytes at a time.
    """

    __slots__ = ("_made", "_random_bytes")

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._made: list[str] = []

    def token(self) -> str:
        """16 hexadecimal digits: a tag, the unique part of a branch, a Call-ID."""
        try:
            return self._made.pop()
        except IndexError:
            digits = self._random_bytes(_POOL_BYTES).hex()
            self._made = [digits[at : at + TOKEN_LENGTH] for at in range(0, len(digits), TOKEN_LENGTH)]
            self._made.reverse()
            return self._made.pop()

    def branch(self) -> str:
        return BRANCH_COOKIE + self.token()
