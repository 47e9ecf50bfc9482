"""French: its words, and how they go together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from types import MappingProxyType
from typing import Final

from router.prompts.parts import Recorded

SEPTANTE: Final = frozenset({"BE", "CH"})  # countries that count septante, nonante

_UNITS: Final = (
    "zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize "
    "dix-sept dix-huit dix-neuf"
).split()
_TENS: Final = {20: "vingt", 30: "trente", 40: "quarante", 50: "cinquante", 60: "soixante"}
_LAST_POSITION: Final = 20


def cardinal(number: int, *, septante: bool = False, feminine: bool = False) -> str:
    """Write a number from 0 to 999 in words. Raises `ValueError` beyond."""
    if not 0 <= number <= 999:
        raise ValueError(f"{number} is not between 0 and 999")
    if number >= 100:
        hundreds, rest = divmod(number, 100)
        start = "" if hundreds == 1 else f"{_UNITS[hundreds]} "
        if not rest:
            return f"{start}cent{'s' if hundreds > 1 else ''}"
        return f"{start}cent {cardinal(rest, septante=septante, feminine=feminine)}"
    one = "une" if feminine else "un"
    if number < 20:
        return one if number == 1 else _UNITS[number]
    tens, unit = number // 10 * 10, number % 10
    if septante and tens in (70, 90):
        start = "septante" if tens == 70 else "nonante"
    elif tens in (70, 90):
        start, unit = "soixante" if tens == 70 else "quatre-vingt", unit + 10
    elif tens == 80:
        return "quatre-vingts" if not unit else f"quatre-vingt-{one if unit == 1 else _UNITS[unit]}"
    else:
        start = _TENS[tens]
    if not unit:
        return start
    if unit == 1:
        return f"{start} et {one}"
    if unit == 11 and tens == 70:
        return "soixante et onze"
    return f"{start}-{_UNITS[unit]}"


def ordinal(number: int, *, septante: bool = False, feminine: bool = False) -> str:
    """Write the place of a number from 1 to 999: « première », « vingt et unième »."""
    if number == 1:
        return "première" if feminine else "premier"
    words = cardinal(number, septante=septante)
    if words.endswith("cinq"):
        return f"{words}uième"
    if words.endswith("neuf"):
        return f"{words[:-1]}vième"
    if words.endswith("quatre-vingts") or words.endswith("cents"):
        words = words[:-1]
    return f"{words.removesuffix('e')}ième"


def _numbers() -> dict[str, str]:
    words = {f"number.{number}": cardinal(number) for number in [*range(100), *range(100, 1000, 100)]}
    for number in [*range(70, 80), *range(90, 100)]:
        words[f"number.{number}.septante"] = cardinal(number, septante=True)
    for number in (1, 21, 31, 41, 51):
        words[f"number.{number}.feminine"] = cardinal(number, feminine=True)
    for number in (6, 8, 10, 18, 26, 28, 36, 38, 46, 48, 56, 58):
        words[f"number.{number}.short"] = cardinal(number)  # before a consonant: « six minutes »
    return words


def _hours() -> dict[str, str]:
    words = {
        f"time.hour.{hour}": f"{cardinal(hour, feminine=True)} heure{'s' if hour > 1 else ''}" for hour in range(1, 24)
    }
    return words | {"time.noon": "midi", "time.midnight": "minuit"}


def _positions() -> dict[str, str]:
    return {
        f"position.{place}": f"Vous êtes en {ordinal(place, feminine=True)} position."
        for place in range(1, _LAST_POSITION + 1)
    }


def _calendar() -> dict[str, str]:
    months = "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split()
    weekdays = "lundi mardi mercredi jeudi vendredi samedi dimanche".split()
    words = {f"month.{number}": name for number, name in enumerate(months, 1)}
    words |= {f"weekday.{number}": name for number, name in enumerate(weekdays)}
    return words | {"day.1": "premier"}


def _keys() -> dict[str, str]:
    words = {f"key.{digit}": f"tapez {_UNITS[digit]}." for digit in range(10)}
    return words | {"key.star": "tapez étoile.", "key.hash": "tapez dièse."}


_OTHERS: Final = {
    "telephone.plus": "plus",
    "unit.second": "seconde",
    "unit.seconds": "secondes",
    "unit.minute": "minute",
    "unit.minutes": "minutes",
}


class French:
    """French as it is spoken in a country.

    Args:
        country: ISO 3166 code; decides between « soixante-dix » and « septante ».
    """

    code: Final = "fr"
    words: Final[Mapping[str, str]] = MappingProxyType(
        _numbers() | _hours() | _positions() | _calendar() | _keys() | _OTHERS
    )

    def __init__(self, country: str = "FR") -> None:
        self.country = country
        self._septante = country in SEPTANTE

    def number(self, number: int) -> tuple[Recorded, ...]:
        """Say a number from 0 to 999, for itself."""
        if not 0 <= number <= 999:
            raise ValueError(f"{number} is not between 0 and 999")
        hundreds, rest = divmod(number, 100)
        parts = (Recorded(f"number.{hundreds * 100}"),) if hundreds else ()
        if hundreds and not rest:
            return parts
        if self._septante and rest // 10 in (7, 9):
            return (*parts, Recorded(f"number.{rest}.septante"))
        return (*parts, Recorded(f"number.{rest}"))

    def ordinal(self, number: int, *, feminine: bool = False) -> str:
        """Write the place of a number: « vingt et unième »."""
        return ordinal(number, septante=self._septante, feminine=feminine)

    def position(self, place: int) -> str:
        """Write the sentence that tells a caller's place."""
        return f"Vous êtes en {self.ordinal(place, feminine=True)} position."

    def clock(self, at: time) -> tuple[Recorded, ...]:
        """Say a time of day by 24 hours: « quinze heures trente », « midi », « minuit cinq »."""
        if at.hour == 12:
            hour = Recorded("time.noon")
        elif at.hour == 0:
            hour = Recorded("time.midnight")
        else:
            hour = Recorded(f"time.hour.{at.hour}")
        return (hour, _feminine(at.minute)) if at.minute else (hour,)

    def day(self, day: date) -> tuple[Recorded, ...]:
        """Say a date without its year: « lundi quatre janvier »."""
        if day.day == 1:
            number = Recorded("day.1")
        elif day.month in (4, 8, 10):  # avril, août, octobre: « six avril » keeps its consonant
            number = Recorded(f"number.{day.day}")
        else:
            number = _before_consonant(day.day)
        return (Recorded(f"weekday.{day.weekday()}"), number, Recorded(f"month.{day.month}"))

    def back_on(self, day: date, *, this_week: bool) -> tuple[Recorded, ...]:
        """Say on which day somebody is back, by the weekday alone within a week."""
        if this_week:
            return (Recorded("return.back"), Recorded(f"weekday.{day.weekday()}"))
        return (Recorded("return.back_on"), *self.day(day))

    def until_day(self, day: date, *, this_week: bool) -> tuple[Recorded, ...]:
        """Say until which day, by the weekday alone within a week."""
        if this_week:
            return (Recorded("return.until"), Recorded(f"weekday.{day.weekday()}"))
        return (Recorded("return.until_the"), *self.day(day))

    def received_on(self, day: date) -> tuple[Recorded, ...]:
        """Say on which day a message came: « Message reçu le lundi quatre janvier »."""
        return (Recorded("message.received_on"), *self.day(day))

    def duration(self, hours: int, minutes: int, seconds: int) -> tuple[Recorded, ...]:
        """Say how long: « une heure vingt minutes ». Hours beyond 23 are said as 23."""
        parts: list[Recorded] = []
        if hours:
            parts.append(Recorded(f"time.hour.{min(hours, 23)}"))
        for count, unit in ((minutes, "minute"), (seconds, "second")):
            if count:
                spoken = _feminine(count) if count % 10 == 1 and count != 11 else _before_consonant(count)
                parts += [spoken, Recorded(f"unit.{unit}{'s' if count > 1 else ''}")]
        return tuple(parts)

    def telephone_group(self, digits: str) -> tuple[Recorded, ...]:
        """Say one group of a telephone number as a number, its leading zeros one by one."""
        zeros = len(digits) - len(digits.lstrip("0"))
        parts = (Recorded("number.0"),) * zeros
        return parts if zeros == len(digits) else (*parts, *self.number(int(digits)))


def _feminine(number: int) -> Recorded:
    return Recorded(f"number.{number}.feminine" if number % 10 == 1 and number != 11 else f"number.{number}")


def _before_consonant(number: int) -> Recorded:
    shortened = f"number.{number}.short"
    return Recorded(shortened if shortened in French.words else f"number.{number}")
