"""English numbers, places, times and dates, by example."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, time

import pytest

from router.prompts.catalogue import PROMPTS
from router.prompts.english import English, cardinal, ordinal
from router.prompts.parts import Recorded


def words(parts: Iterable[Recorded]) -> str:
    return " ".join(PROMPTS["en"][part.id] for part in parts)


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (0, "zero"),
        (13, "thirteen"),
        (42, "forty-two"),
        (60, "sixty"),
        (71, "seventy one"),
        (100, "one hundred"),
        (217, "two hundred and seventeen"),
    ],
)
def test_numbers(number: int, said: str) -> None:
    assert words(English().number(number)) == said
    assert cardinal(number).replace("-", " ") == said.replace("-", " ")


@pytest.mark.parametrize(
    ("place", "written"),
    [
        (1, "first"),
        (2, "second"),
        (3, "third"),
        (5, "fifth"),
        (9, "ninth"),
        (12, "twelfth"),
        (20, "twentieth"),
        (21, "twenty-first"),
        (90, "ninetieth"),
        (100, "one hundredth"),
        (111, "one hundred and eleventh"),
    ],
)
def test_places(place: int, written: str) -> None:
    assert ordinal(place) == written


@pytest.mark.parametrize(
    ("at", "said"),
    [
        (time(0, 0), "midnight"),
        (time(0, 15), "twelve fifteen a.m."),
        (time(8, 0), "eight a.m."),
        (time(8, 5), "eight oh five a.m."),
        (time(12, 0), "noon"),
        (time(12, 30), "twelve thirty p.m."),
        (time(15, 30), "three thirty p.m."),
    ],
)
def test_times_say_which_half_of_the_day(at: time, said: str) -> None:
    assert words(English().clock(at)) == said


def test_dates() -> None:
    assert words(English().day(date(2027, 1, 4))) == "Monday January fourth"


@pytest.mark.parametrize(
    ("hours", "minutes", "seconds", "said"),
    [(0, 1, 1, "one minute one second"), (2, 0, 0, "two hours"), (0, 0, 30, "thirty seconds")],
)
def test_durations_agree_in_number(hours: int, minutes: int, seconds: int, said: str) -> None:
    assert words(English().duration(hours, minutes, seconds)) == said
