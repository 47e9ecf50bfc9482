"""Destinations that must not be called (REQUIREMENTS X2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from router.model.decision import Reason


@dataclass(frozen=True, slots=True)
class GreylistException:
    """A prefix allowed again, by whom, until when (POSIX seconds; the exception has no effect from then on, S8)."""

    prefix: str
    approved_by: str
    until: float


@dataclass(frozen=True, slots=True)
class Greylist:
    """Prefixes of E.164 numbers (with "+") by longest match; `lengths` holds those in use, longest first.

    An exception wins over a blocked prefix that is not longer than itself.
    """

    blocked: Mapping[str, str]  # prefix -> where it is written
    exceptions: Mapping[str, GreylistException]
    lengths: tuple[int, ...]

    @classmethod
    def of(cls, blocked: Mapping[str, str], exceptions: tuple[GreylistException, ...] = ()) -> Greylist:
        """Build a greylist from prefixes (with "+") and the places where they are written."""
        by_prefix = {exception.prefix: exception for exception in exceptions}
        lengths = sorted({len(prefix) for prefix in (*blocked, *by_prefix)}, reverse=True)
        return cls(MappingProxyType(dict(blocked)), MappingProxyType(by_prefix), tuple(lengths))

    def match(self, number: str, now: float) -> Reason | None:
        """Return why `number` (E.164 with "+") must not be called at `now`, or None when it may be."""
        for length in self.lengths:
            prefix = number[:length]
            exception = self.exceptions.get(prefix)
            if exception is not None and now < exception.until:
                return None
            source = self.blocked.get(prefix)
            if source is not None:
                return Reason("X2", f"{prefix} is on the greylist", source)
        return None
