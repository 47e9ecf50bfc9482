"""Compiles which calls are recorded (X3, G12, G13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from router.configuration.compilation import Compilation
from router.configuration.mailboxes import members
from router.configuration.schema import RecordingSection
from router.model.decision import Reason
from router.model.recording import Direction
from router.policy.recording_law import recording_law
from router.policy.recording_rules import RecordingRules
from router.policy.schedule import Window
from router.policy.snapshot import frozen_mapping

DAY: Final = 86400.0
_FRENCH: Final = {"inbound": "reçus", "outbound": "émis", "internal": "internes"}
_SOUND: Final = ".wav"  # ends what names a file


def compile_recording(compilation: Compilation, hours: Mapping[str, tuple[Window, ...]]) -> RecordingRules | None:
    """Return the rules of recording; None where there is no such section. What is wrong becomes a finding."""
    section = compilation.document.recording
    if section is None:
        return None
    _check_names(compilation, section, hours)
    windows = hours.get(section.hours, ()) if section.hours is not None else ()
    return RecordingRules(
        licensed=frozen_mapping(_licensed(compilation, section)),
        every_call=section.calls == "all",
        directions=frozenset(map(Direction, section.directions)),
        hours=windows,
        open=_within(compilation, section),
        closed=Reason(
            "X3",
            f"outside the hours of recording, {section.hours}",
            _where(compilation, "hours"),
            f"hors de l'horaire d'enregistrement « {section.hours} »",
            "recording",
        ),
        stops_at_closing=section.at_closing == "stop",
        announcement=frozen_mapping(_announcement(compilation, section)),
        key=section.key or "",
        decline=section.decline or "",
        keep_seconds=section.keep_days * DAY,
        legal_basis=section.legal_basis or "",
        unlawful=_unlawful(compilation, section),
        nobody=Reason(
            "X3",
            "nobody in this call is recorded",
            _where(compilation, "who"),
            "personne dans cet appel n'est enregistré",
            "recording",
        ),
        other_direction=Reason(
            "X3",
            f"only {_listed(section.directions)} calls are recorded",
            _where(compilation, "directions"),
            f"seuls les appels {_listed([_FRENCH[each] for each in section.directions], 'et')} sont enregistrés",
            "recording",
        ),
    )


def _check_names(compilation: Compilation, section: RecordingSection, hours: Mapping[str, object]) -> None:
    document = compilation.document
    for index, name in enumerate(section.who):
        mark = compilation.mark("recording", "who", index)
        kind, colon, role = name.partition(":")
        if not colon:
            if name not in document.people:
                compilation.unknown("person", name, mark, "people", document.people, "X3")
        elif kind != "role" or role not in document.roles:
            compilation.unknown("role", role, mark, "roles", document.roles, "X3")
    if section.hours is not None and section.hours not in hours:
        mark = compilation.mark("recording", "hours")
        compilation.unknown("set of hours", section.hours, mark, "hours", hours, "X3")
    decline = section.decline or ""
    if len(decline) > 1 and not compilation.gaps.covers("recording", "decline"):
        mark = compilation.mark("recording", "decline")
        compilation.error(mark, f"to decline takes one key, and {decline!r} is more", 'write decline: "9"', "G13")


def _licensed(compilation: Compilation, section: RecordingSection) -> dict[str, Reason]:
    people = compilation.document.people
    source = _where(compilation, "who")
    found = {}
    for person in sorted(members(compilation.document, section.who)):
        name = people[person].name
        if section.calls == "all":
            text, french = f"calls of {name} are recorded", f"les appels de {name} sont enregistrés"
        else:
            text = f"calls of {name} are recorded on demand"
            french = f"les appels de {name} sont enregistrés à la demande"
        found[person] = Reason("X3", text, source, french, "recording")
    return found


def _within(compilation: Compilation, section: RecordingSection) -> Reason | None:
    if section.hours is None:
        return None
    text, french = f"within the hours {section.hours}", f"pendant l'horaire « {section.hours} »"
    return Reason("X3", text, _where(compilation, "hours"), french, "recording")


def _announcement(compilation: Compilation, section: RecordingSection) -> dict[str, str]:
    """What is said before, by language; files by their absolute paths."""
    found = {}
    for code, written in section.announcement.items():
        if written.endswith(_SOUND):
            path = compilation.sources.directory.absolute() / written
            if not path.is_file():
                mark = compilation.mark("recording", "announcement", code)
                compilation.error(mark, f"there is no file {written}", "put it beside this one", "G13")
            written = str(path)
        found[code] = written
    return found


def _unlawful(compilation: Compilation, section: RecordingSection) -> Reason | None:
    """Why nothing is recorded although the configuration asks for it, which `renvoi check` reports as an error."""
    if not section.announcement:
        return Reason(
            "G13",
            "nothing announces recording",
            _where(compilation),
            "rien n'annonce l'enregistrement",
            "recording",
        )
    law = recording_law(compilation.document.company.country)
    if section.calls == "all" and section.legal_basis is None and law.systematic_needs_basis:
        return Reason(
            "G13",
            f"no ground is declared on which all calls may be recorded ({law.source})",
            _where(compilation, "calls"),
            f"aucun fondement n'est déclaré pour l'enregistrement de tous les appels ({law.source})",
            "recording",
        )
    return None


def _where(compilation: Compilation, *key: str) -> str:
    return str(compilation.mark("recording", *key))


def _listed(words: Sequence[str], conjunction: str = "and") -> str:
    return f" {conjunction} ".join(filter(None, [", ".join(words[:-1]), words[-1]]))
