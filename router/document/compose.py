"""Writes the whole document: the chapters in the order in which a telephone policy is usually read."""

from __future__ import annotations

from router.configuration.load import Loaded
from router.document.author import Author
from router.document.language import Language
from router.document.policy_document import Labels, PolicyDocument, Section
from router.document.sections import connections, details, lines, personal, profiles, purpose, roles


def write_policy(loaded: Loaded, language: str, now: float) -> PolicyDocument:
    """Write the telephone policy of a company.

    Args:
        loaded: the configuration.
        language: "fr" or "en".
        now: POSIX seconds; exceptions and departures are judged by this day, in the company's time zone.

    Returns:
        The document. The same arguments give the same document.

    Raises:
        ValueError: the language is neither of the two.
    """
    author = Author(loaded, Language(language), now)
    say = author.say
    day, time = author.language.day(author.written_at.date()), author.written_at.strftime("%H:%M")
    mark = author.hash[:12]
    return PolicyDocument(
        language=language,
        title=say(fr="Politique téléphonique", en="Telephone policy"),
        company=author.document.company.name,
        stamp=say(
            fr=f"Écrite le {day} à {time} d'après la configuration {mark}.",
            en=f"Written on {day} at {time} from the configuration {mark}.",
        ),
        written_at=author.written_at,
        sections=_chapters(author),
        labels=Labels(say(fr="Sommaire", en="Contents"), "Page", say(fr="sur", en="of")),
    )


def _chapters(author: Author) -> tuple[Section, ...]:
    say = author.say
    return (
        Section(
            "objective",
            say(fr="L'objectif et la stratégie", en="Objective and strategy"),
            (),
            (purpose.context(author), purpose.strategy(author)),
        ),
        Section(
            "tools",
            say(fr="Les outils", en="Tools"),
            (),
            (purpose.dictionary(author), purpose.contacts(author), purpose.emergency(author)),
        ),
        Section(
            "methods",
            say(fr="Les méthodes", en="Methods"),
            (),
            (
                connections.mobile(author),
                connections.voicemail(author),
                roles.roles(author),
                personal.personal(author),
                connections.data_packs(author),
                connections.phones(author),
                connections.private_phones(author),
                connections.fixed(author),
                lines.departures(author),
            ),
        ),
        Section(
            "routines",
            say(fr="Les routines", en="Routines"),
            (),
            (lines.shared_numbers(author), lines.opening_hours(author), profiles.profiles(author)),
        ),
        Section(
            "details",
            say(fr="Les détails", en="Details"),
            (),
            (
                details.text_messages(author),
                details.blocked(author),
                details.callers(author),
                details.recording(author),
                details.numbers(author),
            ),
        ),
    )
