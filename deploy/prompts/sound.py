"""Samples made fit for the telephone: filtered, trimmed, faded, levelled, written."""

from __future__ import annotations

import wave
from pathlib import Path
from typing import Final

import numpy as np
import soxr
from numpy.typing import NDArray

Samples = NDArray[np.float64]

SPEECH_LEVEL: Final = -20.0  # dBFS, RMS of what is spoken
PEAK: Final = -3.2  # dBFS: the limit is -3, and resampling may overshoot a little
_FADE: Final = 0.005  # seconds
_FRAME: Final = 0.01  # seconds
_ACTIVE: Final = 35.0  # dB below the loudest frame: what is quieter is a pause
_EDGE: Final = 42.0  # dB below the loudest frame: what is quieter at the ends is cut off
_BEFORE: Final = 0.02  # seconds kept before the first sound, where a consonant begins softly
_AFTER: Final = 0.04  # seconds kept after the last one, where it fades away
_SOFT: Final = 0.03  # seconds before a word is clearly there, in which a v or an m begins
_LEAD: Final = (118, 146)  # frames after which « Voici le nombre suivant : » is over and what follows has not begun
_STEP: Final = 32  # samples are multiples of this: noise of -71 dBFS, below that of G.711, and files that pack to half


def decibels(value: float) -> float:
    """Level of an amplitude, 1.0 being full scale, in dBFS."""
    return 20 * float(np.log10(max(value, 1e-9)))


def frames(samples: Samples, rate: int) -> Samples:
    """RMS of each 10 ms."""
    size = round(rate * _FRAME)
    whole = samples[: len(samples) // size * size].reshape(-1, size)
    return np.sqrt(np.mean(whole**2, axis=1))


def active_level(samples: Samples, rate: int) -> float:
    """RMS level of what is spoken, pauses left out, in dBFS."""
    levels = frames(samples, rate)
    spoken = levels[levels > levels.max() * 10 ** (-_ACTIVE / 20)]
    return decibels(float(np.sqrt(np.mean(spoken**2))))


def trim(samples: Samples, rate: int) -> Samples:
    """Cut off what is silent before and after."""
    levels = frames(samples, rate)
    loud = np.flatnonzero(levels > levels.max() * 10 ** (-_EDGE / 20))
    start = max(0, round((loud[0] * _FRAME - _BEFORE) * rate))
    end = min(len(samples), round(((loud[-1] + 1) * _FRAME + _AFTER) * rate))
    return samples[start:end]


def after_lead(samples: Samples, rate: int) -> Samples:
    """Cut off the words of the lead, which take as long each time, in the pause that follows them."""
    cut = trim(samples, rate)
    levels = frames(cut, rate)
    first, last = _LEAD
    quietest = first + int(np.argmin(levels[first:last]))
    bound = max(levels[quietest] * 2, levels.max() * 10 ** (-_ACTIVE / 20))
    end = quietest
    while end + 1 < len(levels) and levels[end + 1] < bound:
        end += 1
    return cut[round(max(quietest, end + 1 - _SOFT / _FRAME) * _FRAME * rate) :]


def fade(samples: Samples, rate: int) -> Samples:
    """Let both ends rise from and fall to nothing, so that no click is heard."""
    faded = samples.copy()
    size = min(round(rate * _FADE), len(faded) // 2)
    slope = 0.5 - 0.5 * np.cos(np.linspace(0, np.pi, size))
    faded[:size] *= slope
    faded[-size:] *= slope[::-1]
    return faded


def limit(samples: Samples, peak: float) -> Samples:
    """Bring down what exceeds a peak (dBFS), within 5 ms around it, and leave everything else as it is."""
    bound = 10 ** (peak / 20)
    gain = np.minimum(1.0, bound / np.maximum(np.abs(samples), 1e-9))
    reach = 120
    lowest = np.lib.stride_tricks.sliding_window_view(np.pad(gain, reach, constant_values=1.0), 2 * reach + 1).min(
        axis=1
    )
    window = np.hanning(2 * reach + 1)
    smooth = np.convolve(np.pad(lowest, reach, mode="edge"), window / window.sum(), mode="valid")
    return samples * np.minimum(smooth, gain)


def speech(samples: Samples, rate: int, wanted: int) -> Samples:
    """Make a prompt of raw speech: band-limited for `wanted` Hz, trimmed, levelled, faded."""
    cut = trim(samples, rate)
    cut = cut - cut.mean()
    resampled = np.asarray(soxr.resample(cut, rate, wanted, quality="VHQ"), dtype=np.float64)
    for _ in range(3):  # limiting takes a little of the level
        resampled = limit(resampled * 10 ** ((SPEECH_LEVEL - active_level(resampled, wanted)) / 20), PEAK)
    return fade(resampled, wanted)


def write(path: Path, samples: Samples, rate: int) -> None:
    """Write 16-bit mono PCM."""
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = np.clip(np.round(samples * 32768 / _STEP) * _STEP, -32768, 32767).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(whole.tobytes())
