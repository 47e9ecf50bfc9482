"""Tags, branches and Call-IDs out of random bytes that are handed in."""

from __future__ import annotations

from collections.abc import Callable

BRANCH_COOKIE = "z9hG4bK"  # RFC 3261 §8.1.1.7
_POOL_BYTES = 4096


class Ids:
    """Unguessable identifiers (RFC 3261 §19.3 wants 32 random bits in a tag; these have 64).

    Args:
        random_bytes: gives that many random bytes, such as `os.urandom`. Asked for a few kilobytes at a time.
    """

    __slots__ = ("_at", "_pool", "_random_bytes")

    def __init__(self, random_bytes: Callable[[int], bytes]) -> None:
        self._random_bytes = random_bytes
        self._pool = ""
        self._at = 0

    def token(self) -> str:
        """16 hexadecimal digits: a tag, the unique part of a branch, a Call-ID."""
        at = self._at
        if at >= len(self._pool):
            self._pool = self._random_bytes(_POOL_BYTES).hex()
            at = 0
        self._at = at + 16
        return self._pool[at : at + 16]

    def branch(self) -> str:
        return BRANCH_COOKIE + self.token()
