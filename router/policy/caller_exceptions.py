"""Callers who are treated in their own way (REQUIREMENTS S8), such as a customer who always rings through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from router.model.decision import Reason, Target


@dataclass(frozen=True, slots=True)
class CallerException:
    """How one number, or the numbers with one prefix, are treated.

    Args:
        rings_through: what the caller gets past: "busy_other", "absent" (kinds of profile), "on_call".
        then: where the caller goes whatever the state, an address not yet filled in; exactly one of both is given.
        until: POSIX seconds; it has no effect from then on.
        reason: says who is treated how, who approved it and until when; `over` the same after that.
    """

    rings_through: frozenset[str]
    then: Target | None
    until: float
    reason: Reason
    over: Reason


@dataclass(frozen=True, slots=True)
class CallerExceptions:
    """Exceptions of one level, the person's or the company's.

    Args:
        numbers: by whole E.164 number; prefixes: by prefix, each in the order in which they are written.
        lengths: of the prefixes in use, longest first.
    """

    numbers: Mapping[str, tuple[CallerException, ...]]
    prefixes: Mapping[str, tuple[CallerException, ...]]
    lengths: tuple[int, ...]

    def matching(self, number: str) -> Iterator[CallerException]:
        """Yield what is written for `number` (E.164 with "+"), the most specific first, that which is over included."""
        yield from self.numbers.get(number, ())
        for length in self.lengths:
            yield from self.prefixes.get(number[:length], ())
