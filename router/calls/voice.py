"""The router's voice: what is said, as the files that are played."""

from __future__ import annotations

import array
import asyncio
import math
import os
import wave
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from router.prompts.catalogue import Language, music, recording
from router.prompts.espeak import Espeak
from router.prompts.parts import Pause, PromptPart, Recorded, Spoken

RATE: Final = 16_000  # Hz
BEEP: Final = "beep"
BEEP_HERTZ: Final = 1000.0
BEEP_SECONDS: Final = 0.4
RINGING_HERTZ: Final = 425.0  # ITU-T E.180: the ringing tone of most of Europe, one second in four
RINGING_SECONDS, RINGING_EVERY = 1.0, 4.0
PEAK: Final = 8000  # of 32767; as loud as speech
_RAMP_SECONDS: Final = 0.01  # at both ends, so that nothing clicks
_PAUSES_PER_SECOND: Final = 10  # pauses are made in steps of a tenth of a second


class Voice:
    """Finds the recording of each part of a sentence, in one language.

    What nobody recorded is said by a synthesiser, where there is one and `prepare` has asked it; else the wording that
    does without is used.

    Args:
        language: that callers are spoken to in; company: name of the company.
        folder: where the few sounds are put that are made here: the beep, the ringing tone, pauses.
        own: folder of the company's own recordings (see `OwnRecordings`), which go before the product's.
        synthesiser: blocks while it speaks.
    """

    def __init__(
        self, language: Language, company: str, folder: Path, own: Path | None = None, synthesiser: Espeak | None = None
    ) -> None:
        self.language = language
        self.company = company
        self._own = own
        self._synthesiser = synthesiser
        self._spoken: dict[str, str] = {}  # what was synthesised, by text: names, and profiles' own words
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.beep = _made(
            folder / f"{BEEP}.wav",
            lambda: _tone(BEEP_HERTZ, BEEP_SECONDS),
        )
        self.ringing = _made(
            folder / "ringing.wav",
            lambda: _tone(RINGING_HERTZ, RINGING_SECONDS) + _silence(RINGING_EVERY - RINGING_SECONDS),
        )

    async def prepare(self, parts: Iterable[PromptPart]) -> None:
        """Let the synthesiser say what nobody recorded, so that `sounds` finds it."""
        if self._synthesiser is None:
            return
        for part in parts:
            text = part.text if isinstance(part, Spoken) else ""
            if text and text not in self._spoken and not self._recorded(part.own if isinstance(part, Spoken) else ""):
                path = await asyncio.to_thread(self._synthesiser.file, text, self.language.code)
                self._spoken[text] = "" if path is None else str(path)

    def sounds(self, parts: Iterable[PromptPart]) -> list[str]:
        """Return the files that say it, in order; what nobody recorded is left out."""
        found: list[str] = []
        for part in parts:
            if isinstance(part, Recorded):
                found += self._recorded(part.id)
            elif isinstance(part, Pause):
                found.append(self._pause(part.seconds))
            else:
                words = self._recorded(part.own) or [path for path in (self._spoken.get(part.text),) if path]
                found += self.sounds(part.before) + words if words else self.sounds(part.otherwise)
        return found

    def announcement(self, written: str) -> list[str]:
        """Return the files of an announcement of the configuration: the id of a prompt, or a WAV file."""
        return self._recorded(written) or [written]

    def music(self, written: str) -> list[str]:
        """Return the files of a piece of music: one that comes with the product, by its id, or a WAV file (Q6)."""
        path = Path(written) if written.endswith(".wav") else music(written)
        return [str(path)] if path.exists() else []

    def _recorded(self, name: str) -> list[str]:
        if not name:
            return []
        code = self.language.code
        places = [recording(code, name, RATE)]
        if self._own is not None:
            places[:0] = [self._own / code / f"{name}.wav", self._own / f"{name}.wav"]
        return [str(path) for path in places if path.exists()][:1]

    def _pause(self, seconds: float) -> str:
        steps = max(1, round(seconds * _PAUSES_PER_SECOND))
        return _made(self._folder / f"pause-{steps}.wav", lambda: _silence(steps / _PAUSES_PER_SECOND))


def _tone(hertz: float, seconds: float) -> array.array[int]:
    count, ramp = round(seconds * RATE), round(_RAMP_SECONDS * RATE)
    samples = array.array("h")
    for place in range(count):
        swell = min(1.0, place / ramp, (count - place) / ramp)
        samples.append(round(PEAK * swell * math.sin(2 * math.pi * hertz * place / RATE)))
    return samples


def _silence(seconds: float) -> array.array[int]:
    return array.array("h", bytes(2 * round(RATE * seconds)))


def _made(path: Path, samples: Callable[[], array.array[int]]) -> str:
    """Return the path of a sound that is made once: a reload finds it, and somebody may be listening to it."""
    if not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        with wave.open(str(unfinished), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(RATE)
            file.writeframes(samples().tobytes())
        unfinished.replace(path)
    return str(path)
