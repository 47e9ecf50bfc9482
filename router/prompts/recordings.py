"""Finds the recording of a prompt: a company's own first, then the one that the product brings."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Protocol

from router.prompts import wav
from router.prompts.catalogue import LANGUAGES, PROMPTS, RATES, recording
from router.prompts.compose import OWN_COMPANY
from router.prompts.parts import Pause, PromptPart, Recorded, Spoken
from router.prompts.wav import BadRecording, Recording

# What only a company can record: its name, those of its people and services, its own profiles' words, and how it says
# that a call is recorded.
_ONLY_OWN: Final = ("name.", "reason.", "profile.", "recording.announcement")


class Speaker(Protocol):
    """Speaks what nobody recorded; see `espeak`."""

    def speak(self, text: str, code: str) -> Recording | None:
        """Give what it says in a language, or None where it cannot."""


class OwnRecordings:
    """A company's recordings: `DIRECTORY/fr/queue.hold.wav` for one language, `DIRECTORY/name.claire.wav` for all.

    Args:
        directory: where they lie.

    Raises:
        BadRecording: a file is no recording that can be played, or replaces nothing.
        OSError: the directory cannot be read.
    """

    def __init__(self, directory: Path) -> None:
        self._recordings: dict[tuple[str, str], Recording] = {}
        for path in sorted(directory.glob("*.wav")):
            self._add(path, LANGUAGES)
        for code in LANGUAGES:
            for path in sorted((directory / code).glob("*.wav")):
                self._add(path, (code,))

    def find(self, name: str, code: str) -> Recording | None:
        """Give a company's recording of a prompt in a language."""
        return self._recordings.get((code, name))

    def _add(self, path: Path, codes: Iterable[str]) -> None:
        name = path.stem
        if name != OWN_COMPANY and not name.startswith(_ONLY_OWN) and not any(name in PROMPTS[code] for code in codes):
            raise BadRecording(path, f"there is no prompt {name!r}; `name.PERSON.wav` holds a person's name")
        found = wav.check(path)
        for code in codes:
            self._recordings[code, name] = found


class Player:
    """Turns composed sentences into samples, in one language at one rate.

    Each recording is read once and kept: all of a language at 16 kHz take 12 MB.

    Args:
        code: one of `LANGUAGES`; rate: one of `RATES`.
        own: a company's recordings; speaker: says what nobody recorded; None: the wording that does without is said.
    """

    def __init__(self, code: str, rate: int, own: OwnRecordings | None = None, speaker: Speaker | None = None) -> None:
        if code not in LANGUAGES or rate not in RATES:
            raise ValueError(f"there are no prompts in {code!r} at {rate} Hz")
        self.code = code
        self.rate = rate
        self._own = own
        self._speaker = speaker
        self._kept: dict[str, array[int]] = {}

    def samples(self, parts: Iterable[PromptPart]) -> array[int]:
        """Give what is heard.

        Raises:
            ValueError: a part names a prompt that does not exist.
        """
        whole = array("h")
        for part in parts:
            if isinstance(part, Pause):
                whole.frombytes(bytes(2 * round(part.seconds * self.rate)))
            elif isinstance(part, Spoken):
                whole += self._spoken(part)
            else:
                whole += self._recorded(part)
        return whole

    def _recorded(self, part: Recorded) -> array[int]:
        kept = self._kept.get(part.id)
        if kept is None:
            own = self._own.find(part.id, self.code) if self._own else None
            if own is None and part.id not in PROMPTS[self.code]:
                raise ValueError(f"there is no prompt {part.id!r} in {self.code!r}")
            found = own or wav.read(recording(self.code, part.id, self.rate))
            kept = self._kept[part.id] = found.at(self.rate).samples
        return kept

    def _spoken(self, part: Spoken) -> array[int]:
        own = self._own.find(part.own, self.code) if self._own else None
        if own is None and self._speaker is not None:
            own = self._speaker.speak(part.text, self.code)
        if own is None:
            return self.samples(part.otherwise)
        return self.samples(part.before) + own.at(self.rate).samples
