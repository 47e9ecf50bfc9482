"""Compiles a validated document into the policy."""

from __future__ import annotations

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from router.configuration.calendars import compile_calendars, compile_hours
from router.configuration.choices import check_choices
from router.configuration.codes import compile_codes
from router.configuration.compilation import Compilation
from router.configuration.findings import has_errors
from router.configuration.gaps import Location
from router.configuration.greylist import compile_greylist
from router.configuration.identities import check_shows, company_identity
from router.configuration.languages import compile_caller_languages
from router.configuration.limits import compile_limits
from router.configuration.menus import compile_menus
from router.configuration.people import People
from router.configuration.profiles import compile_profiles
from router.configuration.queues import QueueLines
from router.configuration.recording import compile_recording
from router.configuration.roles import resolve_roles
from router.configuration.schema import Document
from router.configuration.shared_lines import SharedLines
from router.configuration.sources import Sources
from router.configuration.targets import TargetBook
from router.configuration.text_messages import compile_text_sender
from router.model.decision import Connection, Reason
from router.policy.emergency import PACKS
from router.policy.snapshot import (
    USUAL_PROFILE_ORDER,
    KnownCaller,
    Person,
    Policy,
    SharedLine,
    frozen_mapping,
)


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
    recording = compile_recording(compilation, hours)
    text_sender = compile_text_sender(compilation)
    limits = compile_limits(compilation)
    lines = SharedLines(compilation, targets, hours)
    main = lines.main()
    shared = lines.shared()
    queues = QueueLines(compilation, targets, hours, lines).compile()
    menus = compile_menus(compilation, targets)
    caller_languages = compile_caller_languages(compilation)
    emergency = _emergency(compilation)
    codes = compile_codes(compilation, profiles)
    extensions, numbers, callers = _directory(compilation, people, emergency)
    numbers.update((line.number, line) for line in (main, *shared, *queues.values()) if line and line.number)
    if main is None or has_errors(sources.findings):
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
        unassigned=lines.unassigned(main),
        company=company,
        profiles=frozen_mapping(profiles),
        text_sender=text_sender,
        queues=frozen_mapping(queues),
        menus=frozen_mapping(menus),
        caller_languages=caller_languages,
        short_numbers=frozenset(document.company.short_numbers),
        target_names=frozenset(targets.templates()),
        targets=frozen_mapping(targets.templates()),
        profile_order=_profile_order(compilation),
        codes=codes,
        limits=limits,
        recording=recording,
    )


def _profile_order(compilation: Compilation) -> tuple[str, ...]:
    order = compilation.document.company.profile_order
    if len(set(order)) < len(order):
        mark = compilation.mark("company", "profile_order")
        compilation.error(
            mark, "somebody is named twice here", f"name each once: {', '.join(USUAL_PROFILE_ORDER)}", "G4"
        )
    return tuple(order)


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
    document = compilation.document
    shared: list[tuple[str, Location]] = [(document.company.main_number, ("company", "main_number"))]
    shared.extend((site.main_number, ("sites", name, "main_number")) for name, site in document.sites.items())
    shared.extend((team.number, ("teams", name, "number")) for name, team in document.teams.items())
    shared.extend((queue.number, ("queues", name, "number")) for name, queue in document.queues.items() if queue.number)
    for number, location in shared:
        if number in taken and not compilation.gaps.covers(*location):
            mark = compilation.mark(*location)
            compilation.error(mark, f"{number} already belongs to a person", "give each their own number")
    return extensions, numbers, callers
