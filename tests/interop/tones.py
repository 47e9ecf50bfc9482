"""Tones to speak into a phone, and what tone a recording holds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy

SAMPLE_RATE = 8000
HEADER_BYTES = 44  # of a plain 16-bit WAV
AUDIBLE = 100  # root mean square of 16-bit samples


def write_tone(path: Path, hertz: int, seconds: int = 60) -> Path:
    """Write a sine of `hertz` as 16-bit mono WAV at 8 kHz, by sox; returns `path`."""
    command = ["sox", "-n", "-r", str(SAMPLE_RATE), "-c", "1", "-b", "16", str(path)]
    subprocess.run([*command, "synth", str(seconds), "sine", str(hertz)], check=True)
    return path


def seconds_recorded(path: Path) -> float:
    """Length of a recording that may still be growing, in seconds."""
    return max(0, path.stat().st_size - HEADER_BYTES) / (2 * SAMPLE_RATE)


def heard_hertz(path: Path) -> float:
    """The strongest frequency in a recording after its first half second, 0.0 when it is silent or too short.

    The recording may still be growing: its header, which says a length only at the end, is not read.
    """
    data = path.read_bytes()[HEADER_BYTES:]
    samples = numpy.frombuffer(data[: len(data) // 2 * 2], dtype="<i2").astype(float)
    steady = samples[SAMPLE_RATE // 2 :]
    if len(steady) < SAMPLE_RATE // 2 or numpy.sqrt(numpy.mean(steady**2)) < AUDIBLE:
        return 0.0
    spectrum = numpy.abs(numpy.fft.rfft(steady * numpy.hanning(len(steady))))
    loudest = int(numpy.argmax(spectrum))
    return float(loudest * SAMPLE_RATE / len(steady))
