"""French numbers, places, times and dates, by example."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time

import pytest

from router.prompts.catalogue import PROMPTS
from router.prompts.french import French, cardinal, ordinal
from router.prompts.parts import Recorded


def words(parts: Iterable[Recorded]) -> str:
    return " ".join(PROMPTS["fr"][part.id] for part in parts)


@pytest.mark.parametrize(
    ("number", "france", "belgium"),
    [
        (0, "zéro", "zéro"),
        (1, "un", "un"),
        (17, "dix-sept", "dix-sept"),
        (21, "vingt et un", "vingt et un"),
        (60, "soixante", "soixante"),
        (70, "soixante-dix", "septante"),
        (71, "soixante et onze", "septante et un"),
        (77, "soixante-dix-sept", "septante-sept"),
        (80, "quatre-vingts", "quatre-vingts"),
        (81, "quatre-vingt-un", "quatre-vingt-un"),
        (90, "quatre-vingt-dix", "nonante"),
        (91, "quatre-vingt-onze", "nonante et un"),
        (99, "quatre-vingt-dix-neuf", "nonante-neuf"),
    ],
)
def test_seventy_and_ninety_are_counted_as_the_country_counts(number: int, france: str, belgium: str) -> None:
    assert words(French("FR").number(number)) == france == cardinal(number)
    assert words(French("BE").number(number)) == belgium == cardinal(number, septante=True)


@pytest.mark.parametrize(
    ("number", "written", "said"),
    [
        (100, "cent", "cent"),
        (200, "deux cents", "deux cents"),
        (171, "cent soixante et onze", "cent soixante et onze"),
        (280, "deux cent quatre-vingts", "deux cents quatre-vingts"),
    ],
)
def test_hundreds(number: int, written: str, said: str) -> None:
    assert cardinal(number) == written
    assert words(French("FR").number(number)) == said  # the s of « cents » is written alone, and silent


@pytest.mark.parametrize(
    ("place", "france", "belgium"),
    [
        (1, "première", "première"),
        (2, "deuxième", "deuxième"),
        (4, "quatrième", "quatrième"),
        (5, "cinquième", "cinquième"),
        (9, "neuvième", "neuvième"),
        (11, "onzième", "onzième"),
        (20, "vingtième", "vingtième"),
        (21, "vingt et unième", "vingt et unième"),
        (71, "soixante et onzième", "septante et unième"),
        (80, "quatre-vingtième", "quatre-vingtième"),
        (95, "quatre-vingt-quinzième", "nonante-cinquième"),
        (200, "deux centième", "deux centième"),
    ],
)
def test_places_in_the_feminine(place: int, france: str, belgium: str) -> None:
    assert French("FR").ordinal(place, feminine=True) == france
    assert French("BE").ordinal(place, feminine=True) == belgium


def test_only_the_first_place_has_a_gender() -> None:
    assert (ordinal(1), ordinal(1, feminine=True)) == ("premier", "première")
    assert (ordinal(2), ordinal(2, feminine=True)) == ("deuxième", "deuxième")


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (time(0, 0), "minuit"),
        (time(0, 5), "minuit cinq"),
        (time(1, 0), "une heure"),
        (time(8, 0), "huit heures"),
        (time(12, 0), "midi"),
        (time(12, 30), "midi trente"),
        (time(15, 30), "quinze heures trente"),
        (time(15, 1), "quinze heures une"),
        (time(21, 21), "vingt et une heures vingt et une"),
        (time(23, 11), "vingt-trois heures onze"),
    ],
)
def test_times_count_to_twenty_four_and_minutes_are_feminine(at: time, said: str) -> None:
    assert words(French().clock(at)) == said


@pytest.mark.parametrize(
    ("day", "said"),
    [
        (date(2026, 11, 1), "dimanche premier novembre"),
        (date(2026, 11, 24), "mardi vingt-quatre novembre"),
        (date(2027, 1, 4), "lundi quatre janvier"),
    ],
)
def test_dates(day: date, said: str) -> None:
    assert words(French().day(day)) == said


@pytest.mark.parametrize(
    ("parts", "number"),
    [
        (French().day(date(2026, 11, 6)), "number.6.short"),  # « le si(x) novembre »
        (French().day(date(2026, 8, 6)), "number.6"),  # « le six août »
        (French().day(date(2026, 11, 10)), "number.10.short"),
        (French().duration(0, 8, 0), "number.8.short"),  # « hui(t) minutes »
        (French().duration(0, 26, 0), "number.26.short"),
        (French().number(6), "number.6"),  # « Nouveaux messages : six »
    ],
)
def test_the_last_consonant_of_six_eight_and_ten_is_silent_before_another_one(
    parts: tuple[Recorded, ...], number: str
) -> None:
    assert Recorded(number) in parts


@pytest.mark.parametrize(
    ("hours", "minutes", "seconds", "said"),
    [
        (0, 1, 0, "une minute"),
        (0, 2, 1, "deux minutes une seconde"),
        (0, 21, 0, "vingt et une minutes"),
        (1, 0, 0, "une heure"),
        (2, 30, 0, "deux heures trente minutes"),
    ],
)
def test_durations_agree_in_number_and_gender(hours: int, minutes: int, seconds: int, said: str) -> None:
    assert words(French().duration(hours, minutes, seconds)) == said
