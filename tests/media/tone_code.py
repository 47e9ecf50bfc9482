"""Sounds that say a number in tones, so that a test knows what was played: a chord of 80 ms, and a short pause.

Each of the three digits is one of ten tones in a band of its own. Works through every codec at 8 kHz.
"""

from __future__ import annotations

from itertools import groupby
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from router.media.codecs import Samples

DIGITS: Final = 3
CHORD, PAUSE = 0.08, 0.02  # seconds
SECONDS: Final = CHORD + PAUSE  # of one number
AMPLITUDE: Final = 4000  # of each tone
LEVEL: Final = 20 * np.log10(AMPLITUDE / 32768 * np.sqrt(DIGITS / 2))  # of a chord, in dBFS
_FREQUENCIES: Final = 410.0 + 90.0 * np.arange(10 * DIGITS)  # to 3,020 Hz; hundreds, tens, units
_WINDOW: Final = 0.04  # seconds that are looked at together
_STEP: Final = 0.01  # between two looks
_FRAME: Final = 0.005  # a pause is at least two of these
_LOOKS: Final = 3  # in a row that see the same; a whole chord makes five, of which the first may be distorted
_QUIET: Final = 400.0  # root mean square under which it is a pause


def spoken(number: int, rate: int = 8000) -> Samples:
    """Return a number as sound."""
    place = np.arange(round(CHORD * rate)) / rate
    fade = np.minimum(1.0, np.minimum(np.arange(len(place)), np.arange(len(place))[::-1]) / (0.004 * rate))
    tones = [_FREQUENCIES[10 * band + int(digit)] for band, digit in enumerate(f"{number:0{DIGITS}}")]
    chord = sum(np.sin(2 * np.pi * tone * place) for tone in tones) * fade * AMPLITUDE
    return np.concatenate([chord, np.zeros(round(PAUSE * rate))]).astype(np.int16)


def heard(samples: Samples, rate: int = 8000) -> list[int]:
    """Return the numbers that sound says, in their order; what is no number is passed over."""
    window, step, frame = (round(seconds * rate) for seconds in (_WINDOW, _STEP, _FRAME))
    if len(samples) < window:
        return []
    sound = samples.astype(np.float32)
    looks = sliding_window_view(sound, window)[::step]
    loud = np.sqrt(np.mean(looks.reshape(len(looks), -1, frame) ** 2, axis=2)).min(axis=1) > _QUIET
    seen = np.full(len(looks), -1)
    seen[loud] = _numbers(looks[loud], rate)
    return [number for number, run in groupby(seen.tolist()) if number >= 0 and len(list(run)) >= _LOOKS]


def _numbers(
    looks: np.ndarray[tuple[int, ...], np.dtype[np.float32]], rate: int
) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the number that each look sees, or -1."""
    size = looks.shape[1]
    weight = np.hanning(size)
    waves = np.exp(-2j * np.pi * np.outer(np.arange(size) / rate, _FREQUENCIES)) * weight[:, None]
    strength = np.abs(looks @ waves) * 2 / weight.sum()
    power = (looks**2) @ weight / weight.sum()
    bands = strength.reshape(len(looks), DIGITS, 10)
    ordered = np.sort(bands, axis=2)
    clear = (ordered[:, :, -1] > 3 * ordered[:, :, -2]).all(axis=1)
    whole = (ordered[:, :, -1] ** 2).sum(axis=1) / 2 > 0.8 * power
    digits = bands.argmax(axis=2)
    return np.asarray(np.where(clear & whole, digits @ np.array([100, 10, 1]), -1))
