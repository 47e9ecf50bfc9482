"""Tones to speak into a phone, and what tone a recording holds."""

from __future__ import annotations

import subprocess
import wave
from pathlib import Path

import numpy

SAMPLE_RATE = 8000


def write_tone(path: Path, hertz: int, seconds: int = 60) -> Path:
    """Write a sine of `hertz` as 16-bit mono WAV at 8 kHz, by sox; returns `path`."""
    command = ["sox", "-n", "-r", str(SAMPLE_RATE), "-c", "1", "-b", "16", str(path)]
    subprocess.run([*command, "synth", str(seconds), "sine", str(hertz)], check=True)
    return path


def seconds_recorded(path: Path) -> float:
    """Length of a WAV file that may still be growing, in seconds."""
    return max(0, path.stat().st_size - 44) / (2 * SAMPLE_RATE)


def heard_hertz(path: Path) -> float:
    """The strongest frequency in a recording after its first half second, 0.0 when it is silent or too short."""
    with wave.open(str(path)) as recording:
        rate = recording.getframerate()
        samples = numpy.frombuffer(recording.readframes(recording.getnframes()), dtype="<i2").astype(float)
    steady = samples[rate // 2 :]
    if len(steady) < rate // 2 or numpy.sqrt(numpy.mean(steady**2)) < 100:
        return 0.0
    spectrum = numpy.abs(numpy.fft.rfft(steady * numpy.hanning(len(steady))))
    loudest = int(numpy.argmax(spectrum))
    return float(loudest * rate / len(steady))
