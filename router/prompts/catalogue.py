"""Every prompt there is: its id, its words in each language, and its recordings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

from router.prompts.english import English
from router.prompts.french import French
from router.prompts.sentences import SENTENCES

LANGUAGES: Final = ("fr", "en")
RATES: Final = (8000, 16000)  # Hz: G.711 and G.722
DATA: Final = Path(__file__).parent / "data"
MANIFEST: Final = DATA / "manifest.json"
MUSIC_RATE: Final = 8000  # Hz: music on hold is made for the telephone's band
MUSIC_MANIFEST: Final = DATA / "music" / "manifest.json"

Language = French | English


def language(code: str, country: str) -> Language:
    """Give a language as it is spoken in a country.

    Args:
        code: one of `LANGUAGES`; country: ISO 3166 code.

    Raises:
        ValueError: there are no recordings in this language.
    """
    if code == "fr":
        return French(country)
    if code == "en":
        return English(country)
    raise ValueError(f"there are no prompts in {code!r}; there are some in {' and '.join(LANGUAGES)}")


def _prompts(code: str) -> Mapping[str, str]:
    if code == "fr":
        sentences = {name: sentence.french for name, sentence in SENTENCES.items()}
        return MappingProxyType(sentences | dict(French.words))
    sentences = {name: sentence.english for name, sentence in SENTENCES.items()}
    return MappingProxyType(sentences | dict(English.words))


PROMPTS: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType({code: _prompts(code) for code in LANGUAGES})


def recording(code: str, name: str, rate: int) -> Path:
    """Where the recording of a prompt lies that the product brings."""
    return DATA / code / str(rate) / f"{name}.wav"


def music(name: str) -> Path:
    """Where a piece of music on hold lies (Q6)."""
    return DATA / "music" / f"{name}.wav"
