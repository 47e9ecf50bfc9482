"""Keys as tones in the sound itself (ITU-T Q.23, Q.24): the fallback where RFC 4733 was not agreed on."""

from __future__ import annotations

from typing import Final

import numpy as np

from router.media.codecs import Samples
from router.media.rtp import CLOCK

_LOW: Final = (697, 770, 852, 941)
_HIGH: Final = (1209, 1336, 1477, 1633)
_PAD: Final = ("123A", "456B", "789C", "*0#D")
BLOCK: Final = 160  # samples that are judged together: 20 ms at 8 kHz
TONE_MILLISECONDS: Final = 100
PAUSE_MILLISECONDS: Final = 100
_AMPLITUDE: Final = 6500.0  # each of the two: together about -14 dBFS

# Thresholds, after Q.24. Speech has its power spread, a key has it in two lines.
_WEAKEST: Final = 1e-4  # mean square of full scale: about -40 dBFS
_SHARE: Final = 0.7  # of the whole power that the two lines must have
_TWIST: Final = 10.0  # how much stronger one line may be than the other: 10 dB
_NEIGHBOUR: Final = 4.0  # how much stronger a line must be than any other of its group: 6 dB

_place = np.arange(BLOCK)
_WAVES: Final = np.exp(-2j * np.pi * np.outer((*_LOW, *_HIGH), _place) / CLOCK).astype(np.complex64)


def tone(key: str) -> Samples:
    """Return a key as sound of 8 kHz, with a pause after it."""
    row = next(number for number, keys in enumerate(_PAD) if key in keys)
    place = np.arange(TONE_MILLISECONDS * CLOCK // 1000)
    angle = 2 * np.pi * place / CLOCK
    wave = np.sin(_LOW[row] * angle) + np.sin(_HIGH[_PAD[row].index(key)] * angle)
    sound = np.concatenate((wave * _AMPLITUDE, np.zeros(PAUSE_MILLISECONDS * CLOCK // 1000)))
    return sound.astype(np.int16)


class ToneReader:
    """Finds keys in the sound of one stream. Two blocks of 20 ms in a row begin a key, and two end it: so a lost packet
    in the middle does not make two of it."""

    __slots__ = ("_before", "_rest", "_told")

    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.int16)
        self._before = ""  # what the last block had
        self._told = ""  # the key that lasts and was told

    def read(self, samples: Samples) -> str:
        """Take sound of 8 kHz; return the keys that begin in it."""
        if len(self._rest):
            samples = np.concatenate((self._rest, samples))
        keys = ""
        whole = len(samples) - len(samples) % BLOCK
        for start in range(0, whole, BLOCK):
            key = _key(samples[start : start + BLOCK])
            if key != self._before:
                self._before = key
            elif key != self._told:
                self._told = key
                keys += key
        self._rest = samples[whole:].copy()
        return keys


def _key(samples: Samples) -> str:
    """Return the key that a block holds, or ""."""
    scaled = samples.astype(np.float32) / 32768.0
    power = float(np.dot(scaled, scaled)) / BLOCK
    if power < _WEAKEST:
        return ""
    lines = np.abs(_WAVES @ scaled) ** 2 * (2 / BLOCK**2)  # mean square of each line
    low, high = int(np.argmax(lines[:4])), int(np.argmax(lines[4:])) + 4
    strong, weak = max(lines[low], lines[high]), min(lines[low], lines[high])
    if strong + weak < _SHARE * power or strong > _TWIST * weak:
        return ""
    for group, best in ((lines[:4], lines[low]), (lines[4:], lines[high])):
        if np.sort(group)[-2] * _NEIGHBOUR > best:
            return ""
    return _PAD[low][high - 4]
