"""WAV files as the telephone wants them: read, checked, written, and converted from one rate to another.

Written for 16-bit mono PCM at 8 or 16 kHz, which is what is played and what a company's own recordings must be.
"""

from __future__ import annotations

import math
import sys
import wave
from array import array
from operator import mul
from pathlib import Path
from typing import Final, NamedTuple

from router.prompts.catalogue import RATES

LONGEST: Final = 120.0  # seconds: bounds what one file can make us hold
SHORTEST: Final = 0.1
QUIETEST: Final = -35.0  # dBFS: quieter than this, a caller on the street hears nothing
LOUDEST: Final = -9.0  # dBFS: louder than this, it is distorted or will be
_FULL: Final = 32768
_CLIPPED: Final = 32767
_CLIPPED_RUN: Final = 4  # so many samples at full scale in a row were cut off by the recording
_FRAMES_PER_SECOND: Final = 50
_ACTIVE: Final = 35.0  # dB below the loudest 20 ms: quieter ones are pauses
_CUTOFF: Final = 0.92  # of the lower of the two bandwidths
_CROSSINGS: Final = 16  # of the sinc, on each side: what lies beyond the band is 60 dB down
_ADVICE: Final = "convert it, for example with: sox IN.wav -r 16000 -c 1 -b 16 OUT.wav"


class BadRecording(ValueError):
    """A file that cannot be played; says which one, why, and what to do."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class Recording(NamedTuple):
    """What a file holds: samples per second, and the samples."""

    rate: int
    samples: array[int]

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.samples) / self.rate

    def level(self) -> float:
        """RMS level of what is spoken, pauses left out, in dBFS."""
        size = self.rate // _FRAMES_PER_SECOND
        powers = [
            sum(map(mul, frame, frame)) / size
            for start in range(0, len(self.samples) - size + 1, size)
            for frame in (self.samples[start : start + size],)
        ]
        loudest = max(powers, default=0.0)
        spoken = [power for power in powers if power and power >= loudest * 10 ** (-_ACTIVE / 10)]
        return 10 * math.log10(sum(spoken) / len(spoken) / _FULL**2) if spoken else -math.inf

    def peak(self) -> float:
        """Level of the loudest sample, in dBFS."""
        loudest = max(map(abs, self.samples), default=0)
        return 20 * math.log10(loudest / _FULL) if loudest else -math.inf

    def at(self, rate: int) -> Recording:
        """The same at another rate, properly filtered."""
        if rate == self.rate:
            return self
        return Recording(rate, resampled(self.samples, self.rate, rate))


def read(path: Path, rates: tuple[int, ...] = RATES) -> Recording:
    """Read a file.

    Args:
        path: the file; rates: the rates that it may have, in Hz.

    Raises:
        BadRecording: it is no WAV file, or not 16-bit mono PCM at one of the rates, or too long.
        OSError: it cannot be read at all.
    """
    try:
        with wave.open(str(path), "rb") as file:
            channels, width, rate, count = file.getparams()[:4]
            if channels != 1:
                raise BadRecording(path, f"it has {channels} channels where one is wanted; {_ADVICE}")
            if width != 2:
                raise BadRecording(path, f"its samples have {8 * width} bits where 16 are wanted; {_ADVICE}")
            if rate not in rates:
                wanted = " or ".join(map(str, rates))
                raise BadRecording(path, f"it has {rate} samples a second where {wanted} are wanted; {_ADVICE}")
            if count > LONGEST * rate:
                raise BadRecording(path, f"it lasts {count / rate:.0f} s; {LONGEST:.0f} s are allowed")
            data = file.readframes(count)
    except (wave.Error, EOFError) as error:
        problem = str(error) or "it ends too soon"
        raise BadRecording(path, f"it is no WAV file with PCM samples ({problem}); {_ADVICE}") from error
    if len(data) != 2 * count:
        raise BadRecording(path, f"it promises {count} samples and holds {len(data) // 2}; record it again")
    samples = array("h", data)
    if sys.byteorder == "big":
        samples.byteswap()
    return Recording(rate, samples)


def write(path: Path, recording: Recording) -> None:
    """Write a file. Raises `OSError`."""
    samples = recording.samples
    if sys.byteorder == "big":
        samples = array("h", samples)
        samples.byteswap()
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(recording.rate)
        file.writeframes(samples.tobytes())


def check(path: Path) -> Recording:
    """Read a company's own recording, and hold it to what can be played well.

    Raises:
        BadRecording: also for a file that is too short, silent, too quiet, too loud or distorted.
        OSError: it cannot be read at all.
    """
    recording = read(path)
    if recording.duration < SHORTEST:
        raise BadRecording(path, f"it lasts {recording.duration:.2f} s; at least {SHORTEST} s are wanted")
    level = recording.level()
    if level == -math.inf:
        raise BadRecording(path, "it is silent; record it again")
    if level < QUIETEST:
        raise BadRecording(path, f"it is too quiet ({level:.0f} dBFS); about -20 is right: sox IN.wav OUT.wav norm -3")
    if level > LOUDEST:
        raise BadRecording(path, f"it is too loud ({level:.0f} dBFS); about -20 is right: sox -v 0.3 IN.wav OUT.wav")
    if _distorted(recording.samples):
        raise BadRecording(path, "it is distorted: its peaks are cut off; record it again, farther from the microphone")
    return recording


def _distorted(samples: array[int]) -> bool:
    run = 0
    for sample in samples:
        run = run + 1 if sample >= _CLIPPED or sample <= -_CLIPPED else 0
        if run >= _CLIPPED_RUN:
            return True
    return False


def resampled(samples: array[int], rate: int, wanted: int) -> array[int]:
    """Convert samples from one rate to another by a windowed sinc for each fraction of a sample (polyphase filter)."""
    divisor = math.gcd(rate, wanted)
    up, down = wanted // divisor, rate // divisor
    cutoff = min(1.0, wanted / rate) * _CUTOFF
    reach = math.ceil(_CROSSINGS / cutoff)
    phases = [_taps(phase / up, cutoff, reach) for phase in range(up)]
    silence = array("h", bytes(2 * reach))
    around = silence + samples + silence
    converted = array("h")
    for place in range(len(samples) * up // down):
        whole, phase = divmod(place * down, up)
        value = sum(map(mul, phases[phase], around[whole + 1 : whole + 1 + 2 * reach]))
        converted.append(max(-_FULL, min(_FULL - 1, round(value))))
    return converted


def _taps(offset: float, cutoff: float, reach: int) -> tuple[float, ...]:
    taps = []
    for place in range(1 - reach, reach + 1):
        distance = place - offset
        angle = math.pi * cutoff * distance
        window = 0.5 + 0.5 * math.cos(math.pi * max(-1.0, min(1.0, distance / reach)))
        taps.append((math.sin(angle) / angle if angle else 1.0) * window)
    scale = 1 / sum(taps)
    return tuple(tap * scale for tap in taps)
