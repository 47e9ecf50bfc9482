"""Whole sentences as callers and people hear them, in both languages."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.prompts.catalogue import LANGUAGES, PROMPTS, language
from router.prompts.compose import KINDS, Option, say, transcript
from router.prompts.parts import Parts, Pause, Recorded, Spoken
from router.prompts.sentences import SENTENCES

BELGIAN = language("fr", "BE")
ENGLISH = language("en", "BE")
NOON = datetime(2026, 11, 24, 12, 15)  # a Tuesday


def french(kind: str, /, **values: object) -> str:
    return transcript(say(kind, values, BELGIAN), BELGIAN)


def english(kind: str, /, **values: object) -> str:
    return transcript(say(kind, values, ENGLISH), ENGLISH)


def recorded(parts: Parts) -> list[str]:
    """Ids of all recordings that may be needed."""
    ids: list[str] = []
    for part in parts:
        if isinstance(part, Recorded):
            ids.append(part.id)
        elif isinstance(part, Spoken):
            ids += [other.id for other in (*part.before, *part.otherwise)]
    return ids


def test_the_place_in_the_waiting_line_is_told() -> None:
    """Q3."""
    assert french("position", place=1) == "Vous êtes en première position."
    assert english("position", place=2) == "You are second in the queue."


def test_beyond_the_twentieth_place_a_wording_does_without_the_number() -> None:
    """Q3: exactly where it can be spoken, roughly where it cannot."""
    (part,) = say("position", {"place": 71}, BELGIAN)
    assert part == Spoken("Vous êtes en septante et unième position.", otherwise=(Recorded("queue.more_than_twenty"),))


def test_thanks_for_having_waited() -> None:
    """Q4."""
    assert french("queue.thanks") == "Merci d'avoir attendu."


def test_a_greeting_from_the_template_says_who_why_until_when_and_what_one_can_do() -> None:
    """V1 M4 P3."""
    values: dict[str, object] = {
        "name": "Claire Dubois",
        "own": "name.claire",
        "company": "Atelier de la Meuse",
        "kind": "absent",
        "says": "En pause déjeuner",
        "profile": "lunch",
        "until": NOON.replace(hour=13, minute=0),
        "now": NOON,
        "offers": [
            Option("1", "offer.message"),
            Option("2", "offer.callback"),
            Option("3", "offer.transfer_to", "Service Commercial"),
        ],
    }
    assert french("greeting", **values) == (
        "Bonjour. Vous êtes bien chez Claire Dubois. Atelier de la Meuse. La personne demandée est en pause déjeuner. "
        "Retour prévu à treize heures. Pour laisser un message, tapez un. Pour que l'on vous rappelle, tapez deux. "
        "Pour joindre Service Commercial, tapez trois."
    )
    assert english("greeting", **(values | {"says": "At lunch"})) == (
        "Hello. You have reached Claire Dubois. Atelier de la Meuse. The person you are calling is at lunch. "
        "Expected back at one p.m. To leave a message, press one. To be called back, press two. "
        "To reach Service Commercial, press three."
    )


def test_a_greeting_without_a_name_is_whole_as_well() -> None:
    """V1."""
    assert french("greeting") == "Bonjour. Vous êtes sur la messagerie de la personne demandée."
    assert french("greeting", team=True, name="Service Commercial") == (
        "Bonjour. Service Commercial. Vous êtes sur la messagerie de notre service."
    )


def test_a_name_that_nobody_can_say_is_left_out() -> None:
    name = say("greeting", {"name": "Claire Dubois", "own": "name.claire"}, BELGIAN)[2]
    assert isinstance(name, Spoken)
    assert name.own == "name.claire"
    assert name.otherwise == (Recorded("greeting.mailbox"),)


@pytest.mark.parametrize(
    ("says", "said"),
    [
        ("En pause déjeuner", "La personne demandée est en pause déjeuner."),  # M4
        ("Absent pour la journée", "La personne demandée est absente pour la journée."),  # M5
        ("Parti pour la journée", "La personne demandée est partie pour la journée."),  # R4
        ("en congé.", "La personne demandée est en congé."),
        ("Fermé ce jour férié", "C'est un jour férié : nos bureaux sont fermés."),
        ("", "La personne demandée est absente."),
    ],
)
def test_what_a_profile_says_is_recorded_for_the_usual_ones(says: str, said: str) -> None:
    """M4 M5 R4."""
    parts = say("reason", {"kind": "absent", "says": says}, BELGIAN)
    assert transcript(parts, BELGIAN) == said
    assert all(isinstance(part, Recorded) for part in parts)


def test_a_profile_of_a_group_is_spoken_or_told_by_its_kind() -> None:
    """R9."""
    (part,) = say("reason", {"kind": "busy_other", "says": "Au bloc opératoire", "profile": "bloc"}, BELGIAN)
    assert part == Spoken("Au bloc opératoire.", own="reason.bloc", otherwise=(Recorded("reason.busy_other"),))


@pytest.mark.parametrize(
    ("until", "in_french", "in_english"),
    [
        (datetime(2026, 11, 24, 15, 30), "Retour prévu à quinze heures trente.", "Expected back at three thirty p.m."),
        (datetime(2026, 11, 25, 8, 0), "Retour prévu demain à huit heures.", "Expected back tomorrow at eight a.m."),
        (datetime(2026, 11, 30, 8, 0), "Retour prévu lundi à huit heures.", "Expected back on Monday at eight a.m."),
        (
            datetime(2027, 1, 4, 0, 0),
            "Retour prévu le lundi quatre janvier.",
            "Expected back on Monday January fourth.",
        ),
        (datetime(2026, 11, 24, 12, 15), "", ""),
    ],
)
def test_when_somebody_is_back(until: datetime, in_french: str, in_english: str) -> None:
    assert french("back", until=until, now=NOON) == in_french
    assert english("back", until=until, now=NOON) == in_english


@pytest.mark.parametrize(
    ("until", "in_french", "in_english"),
    [
        (datetime(2026, 11, 24, 15, 30), "Jusqu'à quinze heures trente.", "Until three thirty p.m."),
        (datetime(2026, 11, 25, 0, 0), "Jusqu'à demain.", "Until tomorrow."),
        (datetime(2026, 11, 27, 0, 0), "Jusqu'à vendredi.", "Until Friday."),
        (datetime(2026, 12, 1, 0, 0), "Jusqu'au mardi premier décembre.", "Until Tuesday December first."),
    ],
)
def test_until_when_a_profile_holds(until: datetime, in_french: str, in_english: str) -> None:
    assert french("until", until=until, now=NOON) == in_french
    assert english("until", until=until, now=NOON) == in_english


@pytest.mark.parametrize(
    ("number", "country", "said"),
    [
        ("+3242200100", "BE", "zéro quatre / deux cents vingt / zéro un / zéro zéro"),
        ("+32475123471", "BE", "zéro quatre cents septante-cinq / douze / trente-quatre / septante et un"),
        ("+3281223344", "BE", "zéro quatre-vingt-un / vingt-deux / trente-trois / quarante-quatre"),
        ("+33123456771", "FR", "zéro un / vingt-trois / quarante-cinq / soixante-sept / soixante et onze"),
        (
            "+33123456771",
            "BE",
            "plus / trente-trois / un / vingt-trois / quarante-cinq / soixante-sept / septante et un",
        ),
        ("+41446681800", "CH", "zéro quarante-quatre / six cents soixante-huit / dix-huit / zéro zéro"),
        ("201", "BE", "deux cents un"),
        ("anonymous", "BE", ""),
    ],
)
def test_a_telephone_number_is_grouped_as_the_country_groups_it(number: str, country: str, said: str) -> None:
    spoken = language("fr", country)
    groups: list[list[str]] = [[]]
    for part in say("telephone", {"number": number}, spoken):
        if isinstance(part, Pause):
            groups.append([])
        elif isinstance(part, Recorded):
            groups[-1].append(PROMPTS["fr"][part.id])
    assert " / ".join(" ".join(group) for group in groups) == said


def test_english_reads_numbers_digit_by_digit() -> None:
    assert english("telephone", number="+3242200100") == "zero four, two two zero, zero one, zero zero."


def test_a_mailbox_tells_how_much_it_holds() -> None:
    assert french("mailbox", new=0, saved=0) == "Vous n'avez pas de nouveau message."
    assert french("mailbox", new=1, saved=3) == "Vous avez un nouveau message. Messages sauvegardés : trois."
    assert english("mailbox", new=6, saved=0) == "New messages: six."


def test_a_message_is_introduced() -> None:
    yesterday = NOON.replace(hour=15, minute=5) - timedelta(days=1)
    assert french("message", number=1, received=yesterday, now=NOON, caller="+3242200100", urgent=True) == (
        "Message un. Message urgent. Message reçu hier à quinze heures cinq. "
        "Numéro de l'appelant : zéro quatre, deux cents vingt, zéro un, zéro zéro."
    )
    assert english("message", number=2, received=datetime(2026, 11, 2, 9), now=NOON) == (
        "Message two. Message received on Monday November second at nine a.m. Number withheld."
    )


def test_a_chosen_profile_is_confirmed_with_its_end() -> None:
    """P2."""
    until = NOON.replace(hour=14, minute=0)
    assert french("profile_set", says="En réunion", profile="meeting", until=until, now=NOON) == (
        "Votre profil est activé : En réunion. Jusqu'à quatorze heures."
    )


def test_an_agent_hears_for_which_queue_a_call_is() -> None:
    """Q7."""
    assert french("whisper", queue="Service Commercial", waited=75) == (
        "Appel pour Service Commercial. Temps d'attente : une minute quinze secondes."
    )


def test_the_voice_breathes_between_sentences() -> None:
    parts = say("options", {"options": [Option("1", "offer.message"), Option("*", "offer.again")]}, BELGIAN)
    assert parts == (
        Recorded("offer.message"),
        Pause(0.15),
        Recorded("key.1"),
        Pause(0.35),
        Recorded("offer.again"),
        Pause(0.15),
        Recorded("key.star"),
    )


@pytest.mark.parametrize(
    ("kind", "values", "problem"),
    [
        ("positoin", {}, "no sentence 'positoin'"),
        ("position", {}, "position needs place"),
        ("position", {"place": 1, "of": 2}, "position needs place"),
        ("position", {"place": 0}, "1 or more"),
        ("queue.thanks", {"place": 1}, "takes no values"),
        ("number", {"number": 1000}, "not between 0 and 999"),
        ("reason", {"kind": "asleep"}, "no reason 'asleep'"),
        ("options", {"options": [Option("12", "offer.message")]}, "no key of a telephone"),
        ("options", {"options": [Option("1", "offer.coffee")]}, "no sentence 'offer.coffee'"),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_reason(kind: str, values: dict[str, object], problem: str) -> None:
    for spoken in (BELGIAN, ENGLISH):
        with pytest.raises(ValueError, match=problem):
            say(kind, values, spoken)


def test_a_language_without_recordings_is_refused() -> None:
    with pytest.raises(ValueError, match="fr and en"):
        language("nl", "BE")


MOMENTS = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2028, 12, 31))


@given(
    code=st.sampled_from(LANGUAGES),
    country=st.sampled_from(["BE", "FR", "CH", "LU", "GB", "US"]),
    number=st.integers(0, 999),
    seconds=st.floats(0, 86400),
    digits=st.from_regex(r"\+?[0-9]{0,15}", fullmatch=True),
    until=MOMENTS,
    now=MOMENTS,
)
def test_every_composed_sentence_has_all_its_recordings(
    code: str, country: str, number: int, seconds: float, digits: str, until: datetime, now: datetime
) -> None:
    spoken = language(code, country)
    sentences: dict[str, dict[str, object]] = {
        "number": {"number": number},
        "telephone": {"number": digits},
        "time": {"at": until.time()},
        "date": {"on": until.date()},
        "duration": {"seconds": seconds},
        "position": {"place": number + 1},
        "back": {"until": until, "now": now},
        "until": {"until": until, "now": now},
        "reason": {"kind": "absent", "says": digits, "profile": "x"},
        "options": {"options": [Option(key, "offer.transfer_to", "X") for key in "0123456789*#"]},
        "greeting": {"name": "X", "company": "Y", "kind": "absent", "until": until, "now": now},
        "welcome": {"company": "X"},
        "transfer": {"to": "X"},
        "whisper": {"queue": "X", "waited": seconds},
        "callback_number": {"number": digits},
        "profile_set": {"says": "X", "profile": "x", "until": until, "now": now},
        "mailbox": {"new": number, "saved": number},
        "message": {"number": number, "received": now, "now": until, "caller": digits, "urgent": True},
    }
    assert sentences.keys() == KINDS.keys()
    for kind, values in sentences.items():
        missing = [name for name in recorded(say(kind, values, spoken)) if name not in PROMPTS[code]]
        assert not missing, kind


def test_every_sentence_stands_in_both_languages_and_can_be_said() -> None:
    for name, sentence in SENTENCES.items():
        assert sentence.french.strip() and sentence.english.strip(), name
        assert say(name, {}, BELGIAN) == say(name, {}, ENGLISH) == (Recorded(name),)
