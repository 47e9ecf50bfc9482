"""The router's voice: what is said, as the files that are played."""

from __future__ import annotations

import array
import math
import wave
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from router.prompts.catalogue import recording
from router.prompts.parts import Pause, PromptPart, Recorded

RATE: Final = 16_000  # Hz
BEEP: Final = "beep"
BEEP_HERTZ: Final = 1000.0
BEEP_SECONDS: Final = 0.4
BEEP_PEAK: Final = 8000  # of 32767; as loud as speech
_RAMP_SECONDS: Final = 0.01  # at both ends, so that nothing clicks
_PAUSES_PER_SECOND: Final = 10  # pauses are made in steps of a tenth of a second


class Voice:
    """Finds the recording of each part of a sentence, in one language.

    Args:
        language: "fr" or "en"; country: ISO 3166-1 alpha-2, for how numbers are said there.
        folder: where the few sounds are put that are made here: the beep, pauses.
    """

    def __init__(self, language: str, country: str, folder: Path) -> None:
        self.language = language
        self.country = country
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.beep = str(folder / f"{BEEP}.wav")
        _write(self.beep, _beep())

    def sounds(self, parts: Iterable[PromptPart]) -> list[str]:
        """Return the files that say it, in order; what nobody recorded is left out."""
        found: list[str] = []
        for part in parts:
            if isinstance(part, Recorded):
                found += self._recorded(part.id)
            elif isinstance(part, Pause):
                found.append(self._pause(part.seconds))
            else:
                found += self._recorded(part.own) if part.own else []
                for other in part.otherwise:
                    found += self._recorded(other.id)
        return found

    def announcement(self, written: str) -> list[str]:
        """Return the files of an announcement of the configuration: the id of a prompt, or a WAV file."""
        return self._recorded(written) or [written]

    def _recorded(self, name: str) -> list[str]:
        path = recording(self.language, name, RATE)
        return [str(path)] if path.exists() else []

    def _pause(self, seconds: float) -> str:
        steps = max(1, round(seconds * _PAUSES_PER_SECOND))
        path = self._folder / f"pause-{steps}.wav"
        if not path.exists():
            _write(str(path), array.array("h", bytes(2 * RATE * steps // _PAUSES_PER_SECOND)))
        return str(path)


def _beep() -> array.array[int]:
    count, ramp = round(BEEP_SECONDS * RATE), round(_RAMP_SECONDS * RATE)
    samples = array.array("h")
    for place in range(count):
        swell = min(1.0, place / ramp, (count - place) / ramp)
        samples.append(round(BEEP_PEAK * swell * math.sin(2 * math.pi * BEEP_HERTZ * place / RATE)))
    return samples


def _write(path: str, samples: array.array[int]) -> None:
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(samples.tobytes())
