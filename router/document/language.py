"""The two languages of the document: how each writes dates, durations, lists and quotations.

A sentence stands in both languages side by side where it is used, `say(fr=…, en=…)`, so that neither can be forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from typing import Final

LANGUAGES: Final = ("fr", "en")

_MONTHS: Final = {
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre".split(),
    "en": "January February March April May June July August September October November December".split(),
}
_WEEKDAYS: Final = {
    "fr": "lundi mardi mercredi jeudi vendredi samedi dimanche".split(),
    "en": "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split(),
}
_COUNTRIES: Final = {
    "AT": ("l'Autriche", "Austria"),
    "BE": ("la Belgique", "Belgium"),
    "CH": ("la Suisse", "Switzerland"),
    "DE": ("l'Allemagne", "Germany"),
    "DK": ("le Danemark", "Denmark"),
    "ES": ("l'Espagne", "Spain"),
    "FR": ("la France", "France"),
    "GB": ("le Royaume-Uni", "the United Kingdom"),
    "IE": ("l'Irlande", "Ireland"),
    "LU": ("le Luxembourg", "Luxembourg"),
    "NL": ("les Pays-Bas", "the Netherlands"),
    "PT": ("le Portugal", "Portugal"),
}

# French sets a space that does not break before these signs and inside its quotation marks.
_BEFORE_SIGN = re.compile(" (?=[:;!?»%])")
_AFTER_QUOTE = re.compile("(?<=«) ")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])'(?=\w)")


class Language:
    """One of `LANGUAGES`."""

    def __init__(self, code: str) -> None:
        if code not in LANGUAGES:
            raise ValueError(f"{code!r} is none of the document's languages: {', '.join(LANGUAGES)}")
        self.code = code
        self._french = code == "fr"

    def say(self, *, fr: str, en: str) -> str:
        """Return the sentence of this language, set as its printers would."""
        text = _AFTER_QUOTE.sub("\u00a0", _BEFORE_SIGN.sub("\u00a0", fr)) if self._french else en
        return _APOSTROPHE.sub("\u2019", text)

    def quoted(self, text: str) -> str:
        """Quote: « text » or “text”."""
        return self.say(fr=f"« {text} »", en=f"\u201c{text}\u201d")

    def also(self, words: Iterable[str]) -> str:
        """Join: "a, b and c"."""
        return self._joined(list(words), self.say(fr="et", en="and"))

    def either(self, words: Iterable[str]) -> str:
        """Join: "a, b or c"."""
        return self._joined(list(words), self.say(fr="ou", en="or"))

    def series(self, parts: Iterable[str]) -> str:
        """Join parts of a sentence that hold commas themselves: "a, b; c"."""
        return self.say(fr=" ; ", en="; ").join(parts)

    def count(self, number: int, fr: tuple[str, str], en: tuple[str, str]) -> str:
        """Count something: singular and plural in both languages. French takes the singular for none."""
        plural = number > 1 if self._french else number != 1
        digits = f"{number:,}".replace(",", "\u00a0" if self._french else ",")
        return f"{digits} {(fr if self._french else en)[plural]}"

    def decimal(self, number: float) -> str:
        """Write a number with the sign of the language before its decimals."""
        return f"{number:g}".replace(".", "," if self._french else ".")

    def day(self, day: date) -> str:
        """Write a date: "1er mars 2027", "1 March 2027"."""
        return f"{self._ordinal(day)} {_MONTHS[self.code][day.month - 1]} {day.year}"

    def duration(self, seconds: float) -> str:
        """Write a duration in the largest unit that leaves no rest: "20 seconds", "3 minutes", "2 hours", "7 days"."""
        for length, fr, en in (
            (86400, ("jour", "jours"), ("day", "days")),
            (3600, ("heure", "heures"), ("hour", "hours")),
            (60, ("minute", "minutes"), ("minute", "minutes")),
        ):
            if seconds >= length and seconds % length == 0:
                return self.count(int(seconds // length), fr, en)
        plural = seconds >= 2 if self._french else seconds != 1
        return f"{self.decimal(seconds)} {self.say(fr='seconde', en='second')}{'s' if plural else ''}"

    def weekdays(self, days: frozenset[int]) -> str:
        """Write weekdays (Monday is 0): "du lundi au vendredi", "Saturday and Sunday"; "" for none."""
        names = _WEEKDAYS[self.code]
        if len(days) == 7:
            return self.say(fr="tous les jours", en="every day")
        words = []
        for first, last in _runs(days):
            if last - first >= 2:
                start, end = names[first], names[last]
                words.append(self.say(fr=f"du {start} au {end}", en=f"{start} to {end}"))
            else:
                words.extend(self.say(fr=f"le {names[day]}", en=names[day]) for day in range(first, last + 1))
        return self.also(words)

    def dates(self, days: Iterable[date]) -> str:
        """Write single dates, those that follow each other as a span; "" for none."""
        words = []
        for first, last in _runs({day.toordinal() for day in days}):
            start, end = date.fromordinal(first), date.fromordinal(last)
            if first == last:
                words.append(self.say(fr=f"le {self.day(start)}", en=self.day(start)))
            else:
                began = self._ordinal(start) if start.replace(day=1) == end.replace(day=1) else self.day(start)
                words.append(self.say(fr=f"du {began} au {self.day(end)}", en=f"{began} to {self.day(end)}"))
        return self.also(words)

    def country(self, code: str) -> str:
        """Name a country, in French with its article."""
        fr, en = _COUNTRIES.get(code, (code, code))
        return self.say(fr=fr, en=en)

    def _ordinal(self, day: date) -> str:
        return "1er" if self._french and day.day == 1 else str(day.day)

    def _joined(self, words: list[str], last: str) -> str:
        return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def capitalised(text: str) -> str:
    """Return a sentence with its first letter large; the rest stays as it is."""
    return text[:1].upper() + text[1:]


def _runs(numbers: Iterable[int]) -> list[tuple[int, int]]:
    """Return runs of numbers that follow each other, each as (first, last)."""
    runs: list[tuple[int, int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
