"""Destinations that must not be called (REQUIREMENTS X2)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from router.model.decision import Reason


@dataclass(frozen=True, slots=True)
class GreylistException:
    """A prefix allowed again until a moment (POSIX seconds; it has no effect from then on, S8); why, and by whom."""

    prefix: str
    until: float
    reason: Reason


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

    def find(self, number: str, now: float) -> Reason | GreylistException | None:
        """Say what the list holds about `number` (E.164 with "+") at `now`.

        Returns:
            Why it must not be called; the exception by which it may be called although it is listed; None where it is
            not listed.
        """
        exception: GreylistException | None = None
        for length in self.lengths:
            prefix = number[:length]
            if exception is None:
                exception = self.exceptions.get(prefix)
                if exception is not None and now >= exception.until:
                    exception = None
            source = self.blocked.get(prefix)
            if source is not None:
                return exception or Reason("X2", f"{prefix} is on the greylist", source)
        return None

    def match(self, number: str, now: float) -> Reason | None:
        """Return why `number` (E.164 with "+") must not be called at `now`, or None when it may be."""
        found = self.find(number, now)
        return found if isinstance(found, Reason) else None
