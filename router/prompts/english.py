"""English: its words, and how they go together."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time
from types import MappingProxyType
from typing import Final

from router.prompts.parts import Recorded

_UNITS: Final = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
_TENS: Final = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_ORDINALS: Final = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
}
_WHOLE: Final = 60  # numbers below are recorded as a whole, those from here on by tens and units
_LAST_POSITION: Final = 20


def cardinal(number: int) -> str:
    """Write a number from 0 to 999 in words. Raises `ValueError` beyond."""
    if not 0 <= number <= 999:
        raise ValueError(f"{number} is not between 0 and 999")
    if number >= 100:
        hundreds, rest = divmod(number, 100)
        start = f"{_UNITS[hundreds]} hundred"
        return f"{start} and {cardinal(rest)}" if rest else start
    if number < 20:
        return _UNITS[number]
    tens, unit = _TENS[number // 10 - 2], number % 10
    return f"{tens}-{_UNITS[unit]}" if unit else tens


def ordinal(number: int) -> str:
    """Write the place of a number from 1 to 999: "twenty-first"."""
    words = cardinal(number)
    for separator in ("-", " "):
        start, found, last = words.rpartition(separator)
        if found:
            break
    else:
        start, found, last = "", "", words
    last = _ORDINALS.get(last) or (f"{last[:-1]}ieth" if last.endswith("y") else f"{last}th")
    return f"{start}{found}{last}"


def _numbers() -> dict[str, str]:
    recorded = [*range(_WHOLE), *range(_WHOLE, 100, 10), *range(100, 1000, 100)]
    words = {f"number.{number}": cardinal(number) for number in recorded}
    return words | {"number.1": "one"}  # by itself it carries the stress


def _calendar() -> dict[str, str]:
    months = "January February March April May June July August September October November December".split()
    weekdays = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
    words = {f"month.{number}": name for number, name in enumerate(months, 1)}
    words |= {f"weekday.{number}": name for number, name in enumerate(weekdays)}
    return words | {f"day.{number}": ordinal(number) for number in range(1, 32)}


def _positions() -> dict[str, str]:
    return {f"position.{place}": f"You are {ordinal(place)} in the queue." for place in range(1, _LAST_POSITION + 1)}


def _keys() -> dict[str, str]:
    words = {f"key.{digit}": f"press {_UNITS[digit]}." for digit in range(10)}
    return words | {"key.star": "press star.", "key.hash": "press hash."}


_OTHERS: Final = {
    "time.noon": "noon",
    "time.midnight": "midnight",
    "time.oh": "oh",
    "time.am": "a.m.",
    "time.pm": "p.m.",
    "telephone.plus": "plus",
    "unit.second": "second",
    "unit.seconds": "seconds",
    "unit.minute": "minute",
    "unit.minutes": "minutes",
    "unit.hour": "hour",
    "unit.hours": "hours",
    "and": "and",
}


class English:
    """English, the same in every country: times by twelve hours, dates with the month first, numbers digit by digit."""

    code: Final = "en"
    words: Final[Mapping[str, str]] = MappingProxyType(_numbers() | _calendar() | _positions() | _keys() | _OTHERS)

    def __init__(self, country: str = "GB") -> None:
        self.country = country

    def number(self, number: int) -> tuple[Recorded, ...]:
        """Say a number from 0 to 999."""
        if not 0 <= number <= 999:
            raise ValueError(f"{number} is not between 0 and 999")
        hundreds, rest = divmod(number, 100)
        if not hundreds:
            return _below_hundred(rest)
        start = Recorded(f"number.{hundreds * 100}")
        return (start, Recorded("and"), *_below_hundred(rest)) if rest else (start,)

    def ordinal(self, number: int, *, feminine: bool = False) -> str:
        """Write the place of a number: "twenty-first"."""
        return ordinal(number)

    def position(self, place: int) -> str:
        """Write the sentence that tells a caller's place."""
        return f"You are {ordinal(place)} in the queue."

    def clock(self, at: time) -> tuple[Recorded, ...]:
        """Say a time of day by 12 hours: "three thirty p.m.", "eight oh five a.m.", "noon"."""
        if not at.minute and at.hour in (0, 12):
            return (Recorded("time.noon" if at.hour else "time.midnight"),)
        half = Recorded("time.pm" if at.hour >= 12 else "time.am")
        hour = Recorded(f"number.{at.hour % 12 or 12}")
        if not at.minute:
            return (hour, half)
        oh = (Recorded("time.oh"),) if at.minute < 10 else ()
        return (hour, *oh, Recorded(f"number.{at.minute}"), half)

    def day(self, day: date) -> tuple[Recorded, ...]:
        """Say a date without its year: "Monday January fourth"."""
        return (Recorded(f"weekday.{day.weekday()}"), Recorded(f"month.{day.month}"), Recorded(f"day.{day.day}"))

    def back_on(self, day: date, *, this_week: bool) -> tuple[Recorded, ...]:
        """Say on which day somebody is back, by the weekday alone within a week."""
        return (Recorded("return.back_on"), *self._when(day, this_week))

    def until_day(self, day: date, *, this_week: bool) -> tuple[Recorded, ...]:
        """Say until which day, by the weekday alone within a week."""
        return (Recorded("return.until"), *self._when(day, this_week))

    def received_on(self, day: date) -> tuple[Recorded, ...]:
        """Say on which day a message came: "Message received on Monday January fourth"."""
        return (Recorded("message.received_on"), *self.day(day))

    def duration(self, hours: int, minutes: int, seconds: int) -> tuple[Recorded, ...]:
        """Say how long: "one hour twenty minutes"."""
        parts: list[Recorded] = []
        for count, unit in ((hours, "hour"), (minutes, "minute"), (seconds, "second")):
            if count:
                parts += [*self.number(count), Recorded(f"unit.{unit}{'' if count == 1 else 's'}")]
        return tuple(parts)

    def telephone_group(self, digits: str) -> tuple[Recorded, ...]:
        """Say one group of a telephone number digit by digit."""
        return tuple(Recorded(f"number.{digit}") for digit in digits)

    def _when(self, day: date, this_week: bool) -> tuple[Recorded, ...]:
        return (Recorded(f"weekday.{day.weekday()}"),) if this_week else self.day(day)


def _below_hundred(number: int) -> tuple[Recorded, ...]:
    if number < _WHOLE or not number % 10:
        return (Recorded(f"number.{number}"),)
    return (Recorded(f"number.{number // 10 * 10}"), Recorded(f"number.{number % 10}"))
