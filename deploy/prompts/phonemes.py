"""Phonemes of a text, by eSpeak NG, as the Kokoro voices were trained on them."""

from __future__ import annotations

import ctypes
import re
from typing import Final

import espeakng_loader

VOICES: Final = {"fr": "fr", "en": "en-us"}
_SYNCHRONOUS: Final = 2  # AUDIO_OUTPUT_SYNCHRONOUS: no sound device is opened
_UTF8: Final = 1  # espeakCHARS_UTF8
_IPA: Final = 0x02
_MARKS: Final = re.compile(r"\([a-z-]+\)|-")  # "(en)" where the language changes, and hyphens between words
_PUNCTUATION: Final = re.compile(r"\s*([.,;:!?])\s*")


class Phonemes:
    """Turns text into IPA."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        data = espeakng_loader.get_data_path().encode()
        if self._library.espeak_Initialize(_SYNCHRONOUS, 0, data, 0) <= 0:
            raise RuntimeError("eSpeak NG could not be initialised")
        self._library.espeak_TextToPhonemes.restype = ctypes.c_char_p
        self._library.espeak_TextToPhonemes.argtypes = [ctypes.POINTER(ctypes.c_char_p), ctypes.c_int, ctypes.c_int]

    def of(self, text: str, code: str) -> str:
        """Give the IPA of a text in a language, with its punctuation, which carries the intonation."""
        if self._library.espeak_SetVoiceByName(VOICES[code].encode()) != 0:
            raise RuntimeError(f"eSpeak NG has no voice {VOICES[code]!r}")
        pieces = _PUNCTUATION.split(text)
        spoken = ""
        for index, piece in enumerate(pieces):
            if index % 2:
                spoken += piece
            elif piece:
                spoken += f" {self._clause(piece)}" if spoken else self._clause(piece)
        return spoken

    def _clause(self, text: str) -> str:
        rest = ctypes.c_char_p(text.encode())
        found = []
        while rest.value is not None:
            spoken = self._library.espeak_TextToPhonemes(ctypes.byref(rest), _UTF8, _IPA)
            if spoken:
                found.append(_MARKS.sub("", spoken.decode()))
        return " ".join(found).strip()
