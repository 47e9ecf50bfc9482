"""Sounds that say a number in tones, so that a test knows what was played: each decimal digit is one tone of 60 ms.

A number begins with a mark of its own, has `DIGITS` digits and ends with a pause. Works through every codec at 8 kHz.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from router.media.codecs import Samples

DIGITS: Final = 3
TONE: Final = 0.06  # seconds
PAUSE: Final = 0.04
SECONDS: Final = (DIGITS + 1) * TONE + PAUSE  # of one number
AMPLITUDE: Final = 8000
LEVEL_OF_TONE: Final = 20 * np.log10(AMPLITUDE / 32768) - 3.01  # dBFS
_MARK: Final = 400.0
_DIGITS: Final = tuple(600.0 + 250.0 * digit for digit in range(10))  # to 2,850 Hz
_STEP: Final = 0.01  # seconds between two looks


def spoken(number: int, rate: int = 8000) -> Samples:
    """Return a number as sound."""
    place = np.arange(round(TONE * rate)) / rate
    fade = np.minimum(1.0, np.minimum(np.arange(len(place)), np.arange(len(place))[::-1]) / (0.004 * rate))
    waves = [
        np.sin(2 * np.pi * frequency * place) * fade
        for frequency in (_MARK, *(_DIGITS[int(digit)] for digit in f"{number:0{DIGITS}}"))
    ]
    sound = np.concatenate([*waves, np.zeros(round(PAUSE * rate))]) * AMPLITUDE
    return sound.astype(np.int16)


def heard(samples: Samples, rate: int = 8000) -> list[int]:
    """Return the numbers that sound says, in their order; what is no number is passed over."""
    window = round(0.03 * rate)
    place = np.arange(window)
    frequencies = np.array((_MARK, *_DIGITS))
    waves = np.exp(-2j * np.pi * np.outer(frequencies, place) / rate)
    step = round(_STEP * rate)
    tones: list[int] = []  # one per look: 0 the mark, 1 to 10 the digits, -1 nothing
    for start in range(0, len(samples) - window, step):
        piece = samples[start : start + window].astype(np.float64)
        strength = np.abs(waves @ piece) * 2 / window
        best = int(np.argmax(strength))
        power = float(np.sqrt(np.mean(piece**2)))
        tones.append(best if power > 500 and strength[best] > 0.8 * power else -1)
    numbers: list[int] = []
    at = 0
    per_tone = round(TONE / _STEP)
    while at < len(tones):
        if tones[at] != 0 or (at and tones[at - 1] == 0):
            at += 1
            continue
        # The looks in the middle of each digit decide.
        middles = [at + per_tone * digit + per_tone // 3 for digit in range(1, DIGITS + 1)]
        digits = [tones[middle] - 1 if middle < len(tones) else -1 for middle in middles]
        if all(digit >= 0 for digit in digits):
            numbers.append(int("".join(map(str, digits))))
            at = middles[-1]
        at += 1
    return numbers
