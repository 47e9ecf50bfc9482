"""Compiles the limits on what is called (X2)."""

from __future__ import annotations

from router.configuration.compilation import Compilation
from router.configuration.greylist import HOW_TO_WRITE, read_prefix
from router.configuration.schema import Limit
from router.policy.limits import LimitedGroup, Limits

_EVERY_NUMBER = "+"
_BOUNDS = ("calls_per_minute", "calls_per_day", "cost_per_day")


def compile_limits(compilation: Compilation) -> Limits:
    """Return the limits; one that bounds nothing, or that no call could keep, is a finding."""
    groups = []
    for name, section in compilation.document.limits.items():
        group = LimitedGroup(
            name=name,
            per_person=section.per == "person",
            calls_per_minute=section.calls_per_minute,
            calls_per_day=section.calls_per_day,
            cost_per_minute=section.cost_per_minute,
            cost_per_day=section.cost_per_day,
            minutes=section.minutes,
            source=str(compilation.mark("limits", name)),
        )
        _check_bounds(compilation, name, section, group)
        prefixes = _prefixes(compilation, name, "prefixes", section.prefixes)
        without = _prefixes(compilation, name, "except", section.without)
        groups.append((group, prefixes, without))
    return Limits.of(groups)


def _check_bounds(compilation: Compilation, name: str, section: Limit, group: LimitedGroup) -> None:
    gaps = compilation.gaps
    unknown = any(gaps.covers("limits", name, key) for key in (*_BOUNDS, "cost_per_minute", "minutes"))
    if unknown:
        return
    mark = compilation.mark("limits", name)
    if all(getattr(section, bound) is None for bound in _BOUNDS):
        advice = "write calls_per_minute:, calls_per_day: or cost_per_day:"
        compilation.error(mark, f"the limit {name!r} bounds nothing", advice, "X2")
    if section.cost_per_day is None:
        return
    mark = compilation.mark("limits", name, "cost_per_day")
    if section.cost_per_minute == 0:
        message = f"the limit {name!r} bounds a cost, but a minute costs nothing"
        compilation.error(mark, message, "write cost_per_minute: as well", "X2")
    elif group.advance > section.cost_per_day:
        message = f"the limit {name!r} allows no call: each counts {group.advance:g} when it begins"
        compilation.error(mark, message, "raise cost_per_day:, or lower minutes:", "X2")


def _prefixes(compilation: Compilation, name: str, key: str, words: list[str]) -> list[str]:
    prefixes = []
    for index, written in enumerate(words):
        digits = "" if written.strip() == _EVERY_NUMBER else read_prefix(written, compilation.plan)
        if digits is not None:
            prefixes.append("+" + digits)
        elif not compilation.gaps.excuse(written):
            mark = compilation.mark("limits", name, key, index)
            compilation.error(mark, f"{written!r} is no prefix", HOW_TO_WRITE, "X2")
    return prefixes
