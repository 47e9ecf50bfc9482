"""Compiles a validated document into the policy."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from router.configuration.calendars import compile_calendars, compile_hours
from router.configuration.choices import check_choices
from router.configuration.codes import compile_codes
from router.configuration.compilation import Compilation
from router.configuration.findings import Mark, has_errors
from router.configuration.gaps import UNKNOWN, Location
from router.configuration.greylist import compile_greylist
from router.configuration.identities import check_shows, company_identity
from router.configuration.limits import compile_limits
from router.configuration.people import People
from router.configuration.profiles import compile_profiles
from router.configuration.roles import resolve_roles
from router.configuration.schema import Document
from router.configuration.sources import Sources
from router.configuration.targets import TargetBook
from router.model.decision import Connection, Reason
from router.policy.emergency import PACKS
from router.policy.schedule import Window
from router.policy.snapshot import (
    USUAL_PROFILE_ORDER,
    KnownCaller,
    Person,
    Policy,
    SharedLine,
    ShownIdentity,
    Treatment,
    frozen_mapping,
)

_UNASSIGNED = "an owned number that nobody has"


def compile_policy(document: Document, sources: Sources, zone: ZoneInfo) -> Policy | None:
    """Compile the policy.

    Returns:
        The policy; None where `sources` has got findings that are errors.
    """
    compilation = Compilation(document, sources, zone)
    company = company_identity(compilation)
    calendars = compile_calendars(compilation)
    hours = compile_hours(compilation, calendars)
    targets = TargetBook(compilation)
    profiles = compile_profiles(compilation, targets)
    roles = resolve_roles(compilation)
    check_shows(compilation)
    check_choices(compilation)
    people = People(compilation, roles, targets, calendars, hours, profiles).compile()
    greylist = compile_greylist(compilation)
    limits = compile_limits(compilation)
    lines = _Lines(compilation, targets, hours)
    main, unassigned = lines.main(), lines.unassigned()
    teams = lines.teams()
    emergency = _emergency(compilation)
    codes = compile_codes(compilation, profiles)
    extensions, numbers, callers = _directory(compilation, people, emergency)
    numbers.update((line.number, line) for line in (main, *teams) if line is not None)
    if main is None or unassigned is None or has_errors(sources.findings):
        return None
    return Policy(
        plan=compilation.plan,
        zone=zone,
        emergency=frozen_mapping(emergency),
        greylist=greylist,
        owned=compilation.owned,
        people=frozen_mapping(people),
        extensions=frozen_mapping(extensions),
        numbers=frozen_mapping(numbers),
        callers=frozen_mapping(callers),
        unassigned=unassigned,
        company=company,
        profiles=frozen_mapping(profiles),
        short_numbers=frozenset(document.company.short_numbers),
        target_names=frozenset(document.targets),
        targets=frozen_mapping(targets.named()),
        profile_order=_profile_order(compilation),
        codes=codes,
        limits=limits,
    )


def _profile_order(compilation: Compilation) -> tuple[str, ...]:
    order = compilation.document.company.profile_order
    if len(set(order)) < len(order):
        mark = compilation.mark("company", "profile_order")
        compilation.error(
            mark, "somebody is named twice here", f"name each once: {', '.join(USUAL_PROFILE_ORDER)}", "G4"
        )
    return tuple(order)


class _Lines:
    """Numbers that belong to no person."""

    def __init__(self, compilation: Compilation, targets: TargetBook, hours: Mapping[str, tuple[Window, ...]]) -> None:
        self._compilation = compilation
        self._targets = targets
        self._hours = hours

    def main(self) -> SharedLine | None:
        company = self._compilation.document.company
        section = company.main_line
        location = ("company", "main_line")
        return self._line(company.main_number, company.name, self._then(), section.hours, section.closed, location)

    def unassigned(self) -> SharedLine | None:
        company = self._compilation.document.company
        mark = self._compilation.mark("company", "main_line", "then")
        treatment = self._treatment(self._then(), mark, company.main_number, "S5", _UNASSIGNED, "unconditional")
        if treatment is None:
            return None
        identity = self._identity(company.main_number, company.name)
        return SharedLine("", _UNASSIGNED, treatment, identity, last_resort=self._last_resort(""))

    def teams(self) -> list[SharedLine | None]:
        compilation = self._compilation
        lines = []
        seen: dict[str, str] = {compilation.document.company.main_number: "the main number"}
        for name, team in compilation.document.teams.items():
            mark = compilation.mark("teams", name, "number")
            if not compilation.gaps.covers("teams", name, "number"):
                if not compilation.may_show(team.number):
                    message = f"{team.number} is not a verified number of the company"
                    compilation.error(mark, message, "list it below numbers:", "R5")
                if team.number in seen:
                    compilation.error(mark, f"{team.number} is already {seen[team.number]}", "give the team its own")
                seen[team.number] = f"the number of {name}"
            lines.append(self._line(team.number, team.name, team.then, team.hours, team.closed, ("teams", name)))
        return lines

    def _then(self) -> str:
        known = not self._compilation.gaps.covers("company", "main_line", "then")
        return self._compilation.document.company.main_line.then if known else UNKNOWN

    def _line(
        self, number: str, name: str, then: str, hours: str | None, closed: str | None, location: tuple[str, ...]
    ) -> SharedLine | None:
        mark = self._compilation.mark(*location, "then")
        opened = self._treatment(then, mark, number, "F5", name, "unconditional")
        treatment = None
        windows: tuple[Window, ...] = ()
        gaps = self._compilation.gaps
        known = not gaps.covers(*location, "hours") and not gaps.covers(*location, "closed")
        if (hours is None) != (closed is None) and known:
            self._compilation.error(mark, f"{name}: hours and closed belong together", "write both, or neither")
        if hours is not None and closed is not None:
            if hours not in self._hours:
                where = self._compilation.mark(*location, "hours")
                self._compilation.unknown("set of hours", hours, where, "hours", self._hours)
            windows = self._hours.get(hours, ())
            where = self._compilation.mark(*location, "closed")
            treatment = self._treatment(closed, where, number, "Q12", f"{name} is closed", "time-of-day")
        if opened is None:
            return None
        return SharedLine(
            number, name, opened, self._identity(number, name), windows, treatment, self._last_resort(number)
        )

    def _identity(self, number: str, name: str) -> ShownIdentity:
        reason = Reason("", f"a forwarded call shows the number that was called: {number}")
        return ShownIdentity(number, name, (reason,))

    def _treatment(
        self, name: str, mark: Mark, number: str, clause: str, text: str, diversion: str
    ) -> Treatment | None:
        target = self._targets.find(name, mark, extension=number[1:])
        return Treatment(target, Reason(clause, f"{text} → {name}", str(mark)), diversion) if target else None

    def _last_resort(self, number: str) -> tuple[Treatment, ...]:
        treatments = []
        for name in ("reception", "voicemail"):
            if name in self._targets:
                mark = self._compilation.mark("targets", name)
                treatment = self._treatment(name, mark, number, "S3", "what should answer cannot", "unavailable")
                if treatment is not None:
                    treatments.append(treatment)
        return tuple(treatments)


def _emergency(compilation: Compilation) -> dict[str, Reason]:
    pack = PACKS[compilation.document.company.country]
    source = f"{pack.source} (in force since {pack.valid_from.isoformat()} at the latest)"
    return {
        number: Reason(
            "G1",
            f"{number} is an emergency number ({service}): it goes out first and unmodified",
            source,
            f"{number} est un numéro d'urgence ({service}) : il sort en premier, tel quel",
            "emergency",
        )
        for number, service in pack.numbers.items()
    }


def _directory(
    compilation: Compilation, people: dict[str, Person], emergency: Mapping[str, Reason]
) -> tuple[dict[str, Person], dict[str, Person | SharedLine], dict[str, KnownCaller]]:
    """Return people by extension and by number, and the callers whom a PBX names by either.

    Whoever could not be compiled is missing there, but their numbers are taken all the same.
    """
    extensions: dict[str, Person] = {}
    numbers: dict[str, Person | SharedLine] = {}
    callers: dict[str, KnownCaller] = {}
    taken: dict[str, str] = {}
    for name, section in compilation.document.people.items():
        person = people.get(name)
        for key, value, connection in (
            ("extension", section.extension, Connection.FIXED),
            ("direct_number", section.direct_number, Connection.FIXED),
            ("mobile", section.mobile, Connection.MOBILE),
        ):
            if value is None:
                continue
            mark = compilation.mark("people", name, key)
            if value in taken:
                compilation.error(mark, f"{value} is already {taken[value]}", "give each person their own")
                continue
            taken[value] = f"the {key.replace('_', ' ')} of {name} ({mark})"
            if key == "extension" and value in emergency and not compilation.gaps.covers("company", "country"):
                compilation.error(mark, f"{value} is an emergency number", "choose another extension", "G1")
            if person is None:
                continue
            callers[value] = KnownCaller(person, connection)
            if key == "extension":
                extensions[value] = person
            elif compilation.owned.owns(value):
                numbers[value] = person
    company, teams = compilation.document.company, compilation.document.teams
    shared: list[tuple[str, Location]] = [(company.main_number, ("company", "main_number"))]
    shared.extend((team.number, ("teams", name, "number")) for name, team in teams.items())
    for number, location in shared:
        if number in taken and not compilation.gaps.covers(*location):
            mark = compilation.mark(*location)
            compilation.error(mark, f"{number} already belongs to a person", "give each their own number")
    return extensions, numbers, callers
