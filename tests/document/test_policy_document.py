"""What the written policy says, in both languages, and what it never says."""

from __future__ import annotations

from datetime import date

import pytest

from router.document import html, markdown
from router.document.language import Language
from router.document.policy_document import printable
from tests.document.company import COMPANY, policy_of, text_of, the_policy


def typed(text: str) -> str:
    """Return French as a keyboard writes it, without its printer's signs."""
    return text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")


MINIMAL = """\
company: {name: Seul, country: FR, time_zone: Europe/Paris, main_number: "+33170000000", main_line: {then: anne}}
sip: {listen: "udp:127.0.0.1:5060"}
numbers: [{number: "+33170000000", verified: true}]
targets:
  voicemail: {sip: "sip:boite@127.0.0.1:5091"}
  reception: {person: anne}
roles: {tous: {}}
people: {anne: {name: Anne, role: tous, extension: "10", devices: {desk: {kind: fixed, secret: x}}}}
"""


@pytest.mark.parametrize(
    ("id", "french", "english"),
    [
        (
            "hours.office",
            "Office: Du lundi au vendredi, sauf les jours fériés, de 08:00 à 17:00.",
            "Office: Monday to Friday, except public holidays, from 08:00 to 17:00.",
        ),
        (
            "calendars.fermeture",
            "Fermeture: Le 24 décembre 2026 et du 28 au 31 décembre 2026.",
            "Fermeture: 24 December 2026 and 28 to 31 December 2026.",
        ),
        (
            "roles.standard.schedule.3",
            "Du lundi au vendredi, de 17:00 à 08:00 le lendemain: Profil « gone for the day ».",
            "Monday to Friday, from 17:00 to 08:00 the next day: Profile “gone for the day”.",
        ),
        (
            "roles.standard.no_answer",
            "Sans réponse après 20 secondes: L'appel est renvoyé vers la boîte vocale.",
            "No answer within 20 seconds: The call is forwarded to voicemail.",
        ),
        (
            "roles.sales.busy_other",
            "En réunion ou occupé ailleurs: L'appel est renvoyé vers la file d'attente « Service Commercial ».",
            "In a meeting or busy otherwise: The call is forwarded to the queue “Service Commercial”.",
        ),
        (
            "departures.jean",
            "Jean Collard | 30 septembre 2026 | 207, +3242200127 | Sophie Renard",
            "Jean Collard | 30 September 2026 | 207, +3242200127 | Sophie Renard",
        ),
        (
            "private_phones.emma.own",
            "Emma Wouters | own | Paul Servais | jusqu'au 30 juin 2027",
            "Emma Wouters | own | Paul Servais | until 30 June 2027",
        ),
        (
            "limits.amerique",
            "Limite « amerique »: +1, sauf +1808 : au plus 2 appels par minute et un coût de 20 par jour, à 0,5 la "
            "minute, avec une avance de 3 minutes, par personne.",
            "Limit “amerique”: +1, except +1808: at most 2 calls a minute and a cost of 20 a day, at 0.5 a minute "
            "with an advance of 3 minutes, per person.",
        ),
        (
            "callers.clinique",
            "« clinique »: Un appel de +3243667000 ou +32436671… fait sonner la personne même si elle est occupée "
            "ailleurs ou en communication ; pour le rôle « technical ». Accordé par Paul Servais, jusqu'au 31 "
            "décembre 2027.",
            "“clinique”: A call from +3243667000 or +32436671… rings the person even while they are busy otherwise or "
            "on a call; for the role “technical”. Approved by Paul Servais, until 31 December 2027.",
        ),
    ],
)
def test_it_says_in_words_what_is_configured(id: str, french: str, english: str) -> None:
    assert typed(text_of(id)) == french
    assert text_of(id, "en") == english


def test_both_languages_say_the_same_things_in_the_same_order() -> None:
    french, english = the_policy("fr"), the_policy("en")
    assert list(french.statements()) == list(english.statements())
    assert [section.id for _, _, section in french.numbered()] == [section.id for _, _, section in english.numbered()]


@pytest.mark.parametrize(
    ("id", "clauses"),
    [
        ("mobile.shown", ("M1", "G1")),
        ("roles.standard.on_call", ("M2", "F2")),
        ("roles.standard.busy_other", ("M3", "F3")),
        ("roles.standard.schedule.2", ("M4",)),
        ("roles.standard.schedule.3", ("M5",)),
        ("fixed.shown", ("F1", "G1")),
        ("fixed.without_phone.isabelle", ("F5",)),
        ("roles.sales.shows", ("R1",)),
        ("roles.sales.on_call", ("R2",)),
        ("roles.sales.busy_other", ("R3",)),
        ("roles.sales.says.gone_for_the_day", ("R4",)),
        ("roles.technical.shows", ("R5",)),
        ("roles.technical.on_call", ("R6",)),
        ("roles.technical.busy_other", ("R7",)),
        ("roles.technical.rings_within", ("S6",)),
        ("roles.standard.may.profiles", ("R8",)),
        ("profiles.bloc", ("R9", "P4", "P2")),
        ("greylist.inbound", ("X2", "G9")),
    ],
)
def test_a_paragraph_cites_the_clauses_that_it_states(id: str, clauses: tuple[str, ...]) -> None:
    statement = the_policy().statements()[id]
    assert getattr(statement, "clauses", None) == clauses


def test_only_the_differences_of_a_role_are_written() -> None:
    roles = {id for id in the_policy().statements() if id.startswith("roles.sales.")}
    assert roles == {
        "roles.sales.based_on",
        "roles.sales.team",
        "roles.sales.shows",
        "roles.sales.on_call",
        "roles.sales.busy_other",
        "roles.sales.says.gone_for_the_day",
        "roles.sales.may.forward_to",
    }
    assert text_of("roles.apprentice.based_on", "en") == "As for the role “technical”."


def test_an_exception_that_is_over_is_said_to_be_over() -> None:
    id = "greylist.exception.+88162"
    assert policy_of(language="en", at="2027-03-31T23:59").statements()[id] == the_policy("en").statements()[id]
    expired = policy_of(language="en", at="2027-04-01T00:00").statements()[id]
    assert "until 31 March 2027 (expired, without effect)" in repr(expired)


def test_a_departure_to_come_is_not_one_yet() -> None:
    text = COMPANY.replace("left: 2026-09-30", "left: 2026-11-24")
    assert "30 September" not in text_of("departures.jean", "en", text)
    assert "24 November 2026 (to come)" in text_of("departures.jean", "en", text)
    assert "concerns 8 people" in text_of("context.scope", "en", text)


@pytest.mark.parametrize("language", ["fr", "en"])
def test_a_company_that_lays_down_little_gets_a_document_that_says_so(language: str) -> None:
    document = policy_of(MINIMAL, language)
    nothing = {"fr": "Rien n'est fixé à ce jour", "en": "So far nothing is laid down"}[language]
    for id in ("contacts.none", "data_packs.none", "phones.none", "recording.none", "text_messages.none", "hours.none"):
        assert typed(getattr(document.statements()[id], "text", "")).startswith(nothing)
    assert "greylist.none" in document.statements()
    assert "personal.none" in document.statements()
    assert "callers.none" in document.statements()


def test_no_secret_and_no_address_of_a_machine_is_written() -> None:
    text = COMPANY + (
        'trunks: {operator: {address: "sip.operator.example", '
        'register: {registrar: "sip:sip.operator.example", user: "u", password: "motdepasse"}}}\n'
        f'api: {{tokens: {{desk: {{hash: "sha256:{"ab" * 32}", role: reader}}}}}}\n'
    )
    document = policy_of(text.replace("secret: x", "secret: telephone-secret"))
    for written in (html.render(document), markdown.render(document), repr(document)):
        for secret in ("motdepasse", "telephone-secret", "abab", "geheim", "127.0.0.1", "operator.example"):
            assert secret not in written


def test_every_statement_has_a_name_of_its_own() -> None:
    document = the_policy()
    twice = document.sections + document.sections
    with pytest.raises(ValueError, match=r"context\.scope"):
        type(document)(document.language, "", "", "", document.written_at, twice, document.labels).statements()


def test_what_cannot_be_seen_is_not_printed() -> None:
    assert printable("Anne\N{RIGHT-TO-LEFT OVERRIDE}\x07\n\tB\N{LINE SEPARATOR}C") == "Anne   B C"


@pytest.mark.parametrize(
    ("seconds", "french", "english"),
    [
        (1, "1 seconde", "1 second"),
        (1.5, "1,5 seconde", "1.5 seconds"),
        (20, "20 secondes", "20 seconds"),
        (60, "1 minute", "1 minute"),
        (90, "90 secondes", "90 seconds"),
        (7200, "2 heures", "2 hours"),
        (86400 * 14, "14 jours", "14 days"),
    ],
)
def test_durations_are_written_in_words(seconds: float, french: str, english: str) -> None:
    assert (Language("fr").duration(seconds), Language("en").duration(seconds)) == (french, english)


def test_weekdays_and_dates_are_written_in_words() -> None:
    french, english = Language("fr"), Language("en")
    assert french.weekdays(frozenset({0, 2, 3})) == "le lundi, le mercredi et le jeudi"
    assert english.weekdays(frozenset({0, 1, 2, 5})) == "Monday to Wednesday and Saturday"
    assert french.weekdays(frozenset(range(7))) == "tous les jours"
    assert french.day(date(2027, 3, 1)) == "1er mars 2027"
    assert french.dates([date(2027, 1, 1), date(2026, 12, 31)]) == "du 31 décembre 2026 au 1er janvier 2027"
    assert french.count(0, ("appel", "appels"), ("call", "calls")) == "0 appel"
    assert english.count(10000, ("appel", "appels"), ("call", "calls")) == "10,000 calls"
    with pytest.raises(ValueError, match="'de' is none of the document's languages"):
        Language("de")
