"""Recordings that say their own name in tones, so that a test knows from the sound what was played.

    names = tone_coded(directory, ["queue.thanks", "position.1"])    # to be used as the company's own recordings
    spoken(samples, 8000, names)                                     # ["queue.thanks", "position.1"]

A recording is a start tone, then three digits to the base of six, each a tone of its own; all in the band of the
telephone and far enough from each other to survive any codec.
"""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path
from typing import Final

from router.prompts import wav
from router.prompts.wav import Recording

_RATE: Final = 16000
_START: Final = 2700  # Hz
_DIGITS: Final = (500, 800, 1100, 1400, 1800, 2200)  # Hz
_LENGTH: Final = 0.07  # seconds of one tone
_GAP: Final = 0.04  # seconds of silence after it
_WINDOW: Final = 0.02  # seconds that are looked at together
_AMPLITUDE: Final = 6000
_LASTING: Final = 4  # windows, half over each other, that a tone lasts at least
_QUIET: Final = 200  # RMS of a window: below, it is a gap
_DOMINANT: Final = 0.6  # share of the energy that makes a window a tone


def tone_coded(directory: Path, names: Sequence[str]) -> list[str]:
    """Write a recording for each prompt, and return the names, which `spoken` needs. At most 216."""
    if len(names) > len(_DIGITS) ** 3:
        raise ValueError(f"{len(names)} prompts are more than {len(_DIGITS) ** 3}")
    for number, name in enumerate(names):
        tones = (_START, *(_DIGITS[digit] for digit in _digits(number)))
        samples = array("h")
        for frequency in tones:
            turn = 2 * math.pi * frequency / _RATE
            samples.extend(round(_AMPLITUDE * math.sin(turn * n)) for n in range(round(_LENGTH * _RATE)))
            samples.extend([0] * round(_GAP * _RATE))
        wav.write(directory / f"{name}.wav", Recording(_RATE, samples))
    return list(names)


def spoken(samples: Sequence[int], rate: int, names: Sequence[str]) -> list[str]:
    """Tell which recordings are heard to their end, in their order. What is no tone is passed over."""
    heard: list[str] = []
    digits: list[int] | None = None
    for frequency in _tones(samples, rate):
        if frequency == _START:
            digits = []
        elif digits is not None:
            digits.append(_DIGITS.index(frequency))
            if len(digits) == 3:
                number = digits[0] * 36 + digits[1] * 6 + digits[2]
                if number < len(names):
                    heard.append(names[number])
                digits = None
    return heard


def _digits(number: int) -> tuple[int, int, int]:
    return number // 36, number // 6 % 6, number % 6


def _tones(samples: Sequence[int], rate: int) -> list[int]:
    size = round(_WINDOW * rate)
    windows = [_tone(samples[start : start + size], rate) for start in range(0, len(samples) - size + 1, size // 2)]
    return [tone for tone, group in groupby(windows) if tone is not None and len(list(group)) >= _LASTING]


def _tone(window: Sequence[int], rate: int) -> int | None:
    energy = sum(sample * sample for sample in window)
    if energy < len(window) * _QUIET**2:
        return None
    for frequency in (_START, *_DIGITS):
        turn = 2 * math.pi * frequency / rate
        real = sum(sample * math.cos(turn * n) for n, sample in enumerate(window))
        imaginary = sum(sample * math.sin(turn * n) for n, sample in enumerate(window))
        if 2 * (real * real + imaginary * imaginary) / len(window) > _DOMINANT * energy:
            return frequency
    return None
