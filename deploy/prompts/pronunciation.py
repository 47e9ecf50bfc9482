# ruff: noqa: RUF001
"""IPA of the prompts that eSpeak NG would read wrongly."""

from __future__ import annotations

from typing import Final

_UNITS: Final = {
    2: "dˈø",
    3: "tʁwˈa",
    4: "kˈatʁ",
    5: "sˈɛ̃k",
    6: "sˈis",
    7: "sˈɛt",
    8: "yˈit",
    9: "nˈœf",
    11: "ˈɔ̃z",
}
_TENS: Final = {0: "", 1: "dˈi", 2: "vˈɛ̃t", 3: "tʁˈɑ̃t", 4: "kaʁˈɑ̃t", 5: "sɛ̃kˈɑ̃t"}


def _before_consonant(number: int) -> str:
    # « six minutes », « dix mars »: the last consonant of the number is silent.
    tens, unit = number // 10, number % 10
    link = "z" if number == 18 else ""
    return f"{_TENS[tens]}{link}{_UNITS[unit][:-1]}" if unit else _TENS[tens]


_FRENCH: Final = (
    # « quatre-vingt-deux » has a silent t, which the usual reading speaks
    {f"number.{80 + unit}": f"kˈatʁəvˈɛ̃{phonemes}" for unit, phonemes in _UNITS.items()}
    | {f"number.{number}.short": _before_consonant(number) for number in (6, 8, 10, 18, 26, 28, 36, 38, 46, 48, 56, 58)}
    | {
        "time.hour.20": "vˈɛ̃t ˈœʁ",  # a liaison that the usual reading forgets
        "key.1": "tapˈe ˈœ̃.",  # and none before a figure, which it makes
        "key.star": "tapˈe etwˈal.",
        "return.until": "ʒyskˈa,",  # stressed at its end
        "return.until_the": "ʒyskˈo,",
        "telephone.plus": "plˈys",  # the sign, not the adverb
    }
)
_ENGLISH: Final = {
    "number.1": "wˈʌn",  # by itself it carries the stress
    "time.am": "ˌeɪˈɛm",
    "time.pm": "pˌiːˈɛm",
}

PRONUNCIATION: Final = {"fr": _FRENCH, "en": _ENGLISH}
