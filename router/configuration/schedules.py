"""Compiles what a role lays down by time: profiles by schedule (M4, M5, G6), and when phones ring at all (S6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router.configuration.calendars import compile_window
from router.configuration.compilation import Compilation
from router.configuration.profiles import in_french
from router.configuration.roles import ResolvedRole
from router.configuration.schema import Document, ScheduleEntry
from router.model.decision import Reason
from router.policy.schedule import Calendar, Window
from router.policy.snapshot import Profile, ScheduledProfile, frozen_mapping

_EVENING = 15 * 60  # a scheduled absence from here on is "gone for the day" (M5), before it a break (M4)


@dataclass(frozen=True, slots=True)
class RoleTimes:
    """What holds for all people of a role; see `Person` for `profiles`, `says`, `rings_within` and `silence`."""

    profiles: tuple[ScheduledProfile, ...]
    says: Mapping[str, Mapping[str, str]]
    rings_within: tuple[Window, ...] = ()
    silence: Reason | None = None


def compile_times(
    compilation: Compilation,
    role: ResolvedRole,
    calendars: Mapping[str, Calendar],
    hours: Mapping[str, tuple[Window, ...]],
    profiles: Mapping[str, Profile],
) -> RoleTimes:
    """Return a role's times; what refers to nothing is a finding."""
    for profile in role.says:
        if profile not in profiles:
            mark = compilation.mark("roles", role.name, "says", profile)
            compilation.unknown("profile", profile, mark, "profiles", profiles, "R4")
    scheduled = _scheduled(compilation, role, calendars, profiles)
    says = frozen_mapping({profile: frozen_mapping(words) for profile, words in role.says.items()})
    if role.rings_within is None:
        return RoleTimes(scheduled, says)
    name, mark, source = role.rings_within
    if name not in hours:
        compilation.unknown("set of hours", name, mark, "hours", hours, "S6")
        return RoleTimes(scheduled, says)
    silence = Reason(
        "S6",
        f"outside {name} no phone rings",
        source,
        f"hors de « {name} », aucun téléphone ne sonne",
        "hours",
    )
    return RoleTimes(scheduled, says, hours[name], silence)


def _scheduled(
    compilation: Compilation,
    role: ResolvedRole,
    calendars: Mapping[str, Calendar],
    profiles: Mapping[str, Profile],
) -> tuple[ScheduledProfile, ...]:
    scheduled = []
    for rule in role.schedule:
        window = compile_window(compilation, rule.entry, calendars, rule.mark)
        profile = profiles.get(rule.entry.profile)
        if profile is None:
            compilation.unknown("profile", rule.entry.profile, rule.mark, "profiles", profiles)
        elif window is not None:
            clause = schedule_clause(compilation.document, role, rule.entry)
            french = in_french(compilation, role.says.get(profile.name, {}), profile.french)
            text, in_words = f"{profile.name} {window}", f"« {french} » {window}"
            scheduled.append(ScheduledProfile(window, profile, Reason(clause, text, rule.source, in_words, "profile")))
    return tuple(scheduled)


def schedule_clause(document: Document, role: ResolvedRole, entry: ScheduleEntry) -> str:
    """Return the clause that an entry of a role's schedule keeps, where it names none itself by its profile."""
    profile = document.profiles.get(entry.profile)
    if entry.clause:
        return entry.clause
    if entry.profile in role.says:
        return "R4"
    if profile is not None and profile.clause:
        return profile.clause
    return "M5" if entry.start >= _EVENING else "M4"
