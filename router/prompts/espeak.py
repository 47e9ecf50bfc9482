"""What nobody recorded, spoken by eSpeak NG where it is installed.

It is a program of its own (GPL-3) that the product neither brings nor needs: where it is missing, the wording that does
without is said. Whoever asks it waits, so an event loop asks it in a thread.
"""

from __future__ import annotations

import hashlib
import math
import os
import shutil
import subprocess
import tempfile
from array import array
from pathlib import Path
from typing import Final

from router.prompts import wav
from router.prompts.wav import BadRecording, Recording

PROGRAM: Final = "espeak-ng"
_TIME_LIMIT: Final = 5.0  # seconds; a name takes 20 ms
_LONGEST: Final = 300  # characters: bounds what one text can make us wait for
_WORDS_PER_MINUTE: Final = "150"
_VOICES: Final = {"fr": "fr", "en": "en-us"}
_LEVEL: Final = -20.0  # dBFS, as the recorded prompts
_PEAK: Final = -3.2
_RATE: Final = 16000
_OWN_RATE: Final = 22050  # of eSpeak NG


class Espeak:
    """Speaks by `espeak-ng`, and keeps what it said in a folder.

    Args:
        cache: folder for what was said before; made where it is missing.
        program: path of the program; None looks for it.
    """

    def __init__(self, cache: Path, program: str | None = None) -> None:
        self._program = program or shutil.which(PROGRAM)
        self._cache = cache
        self.problem = ""  # why the last text could not be said

    @property
    def installed(self) -> bool:
        """Whether anything can be said at all."""
        return self._program is not None

    def speak(self, text: str, code: str) -> Recording | None:
        """Say a text. Blocks until it is said.

        Args:
            text: one sentence or name; code: "fr" or "en".

        Returns:
            the recording, at 16 kHz, or None where the program is missing, fails, takes too long or says nothing; then
            `problem` tells why.
        """
        kept = self.file(text, code)
        return None if kept is None else wav.read(kept)

    def file(self, text: str, code: str) -> Path | None:
        """As `speak`, but give the file in which it is kept."""
        self.problem = ""
        words = " ".join("".join(sign if sign.isprintable() else " " for sign in text).split())
        if self._program is None:
            self.problem = f"{PROGRAM} is not installed"
        elif not words or len(words) > _LONGEST or code not in _VOICES:
            self.problem = f"a text of {len(words)} characters in {code!r} is not spoken"
        else:
            kept = self._cache / f"{hashlib.sha256(f'{code} {words}'.encode()).hexdigest()[:32]}.wav"
            try:
                if not kept.exists():
                    self._keep(kept, self._said(self._program, words, code))
                wav.read(kept)
                return kept
            except (OSError, subprocess.SubprocessError, BadRecording) as error:
                self.problem = f"{self._program}: {error}"
        return None

    def _said(self, program: str, words: str, code: str) -> Recording:
        with tempfile.TemporaryDirectory() as folder:
            written = Path(folder) / "said.wav"
            # The text goes in by standard input: a name that begins with "-" is no option of the program.
            command = [program, "-v", _VOICES[code], "-s", _WORDS_PER_MINUTE, "-w", str(written), "--stdin"]
            subprocess.run(
                command, input=words.encode(), capture_output=True, timeout=_TIME_LIMIT, check=True, cwd=folder
            )
            said = wav.read(written, (_OWN_RATE,)).at(_RATE)
        level = said.level()
        if level == -math.inf:
            raise BadRecording(written, "nothing was said")
        gain = 10 ** (min(_LEVEL - level, _PEAK - said.peak()) / 20)
        return Recording(_RATE, array("h", (round(sample * gain) for sample in said.samples)))

    def _keep(self, path: Path, said: Recording) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(f"{path.name}.{os.getpid()}")
        wav.write(unfinished, said)
        unfinished.replace(path)
