"""Makes the recordings of all prompts in both languages at both rates, and their manifest.

    PYTHONPATH=. python deploy/prompts/make.py --voices package/voices --work DIRECTORY

`--work` keeps what the voice said, so that a prompt is spoken again only when its words or its manner have changed. The
same words give the same bytes, with the versions of requirements.txt and on one kind of processor.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from phonemes import Phonemes
from pronunciation import PRONUNCIATION
from sound import Samples, active_level, after_lead, decibels, speech, write
from voice import MODEL, RATE, SPEAKERS, Voice

from router.prompts.catalogue import LANGUAGES, MANIFEST, PROMPTS, RATES, recording
from router.prompts.sentences import SENTENCES

LICENCE: Final = "MIT"  # of text and recording; the model and its voices are Apache-2.0, see LICENSES.md
_SHORT: Final = 24  # phonemes: the English voice's own style for shorter texts is unsteady
_STYLE_OF_WORDS: Final = 30
_LEAD: Final = "Voici le nombre suivant :"  # the French voice says a word clearly only after others


def spoken(phonemes: Phonemes, name: str, text: str, code: str) -> str:
    """IPA of a prompt. What goes on is spoken as what goes on; a word for itself ends like a sentence."""
    found = PRONUNCIATION[code].get(name) or phonemes.of(text, code)
    if found[-1] in ".,:?!":
        return found
    return f"{found}," if name in SENTENCES and len(text) > 8 else f"{found}."


def raw(voice: Voice, ipa: str, code: str, lead: str, work: Path) -> NDArray[np.float32]:
    """What the voice says, from `work` where it said it before."""
    style = _STYLE_OF_WORDS if len(lead) + len(ipa) < _SHORT else 0
    manner = f"{MODEL}|{SPEAKERS[code]}|{style}|{lead}|{ipa}"
    kept = work / f"{hashlib.sha256(manner.encode()).hexdigest()[:24]}.npy"
    if kept.exists():
        return np.asarray(np.load(kept), dtype=np.float32)
    samples = voice.say(f"{lead} {ipa}" if lead else ipa, code, style)
    np.save(kept, samples)
    return samples


def made(name: str, code: str, text: str, ipa: str, samples: Samples) -> dict[str, Any]:
    """Write one prompt at all rates. Returns its entry of the manifest."""
    entry: dict[str, Any] = {"id": name, "language": code, "text": text, "phonemes": ipa}
    files = {}
    for rate in RATES:
        sound = speech(samples, RATE, rate)
        path = recording(code, name, rate)
        write(path, sound, rate)
        entry["duration"] = round(len(sound) / rate, 3)
        entry["level"] = round(active_level(sound, rate), 1)
        entry["peak"] = round(decibels(float(np.abs(sound).max())), 1)
        files[str(rate)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return entry | {"sha256": files, "model": MODEL, "voice": SPEAKERS[code], "licence": LICENCE}


def main() -> None:
    """Make what the catalogue lists, and remove what it lists no more."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--voices", type=Path, required=True, help="folder with the voices of kokoro-js 1.2.1")
    arguments.add_argument("--work", type=Path, required=True, help="folder that keeps what was spoken before")
    given = arguments.parse_args()
    given.work.mkdir(parents=True, exist_ok=True)
    phonemes, voice = Phonemes(), Voice(given.voices)
    entries = []
    for code in LANGUAGES:
        for name, text in PROMPTS[code].items():
            ipa = spoken(phonemes, name, text, code)
            lead = phonemes.of(_LEAD, code) if code == "fr" and len(ipa) < _SHORT else ""
            samples = raw(voice, ipa, code, lead, given.work).astype(np.float64)
            entries.append(made(name, code, text, ipa, after_lead(samples, RATE) if lead else samples))
            sys.stderr.write(f"{code} {name} {entries[-1]['duration']} s\n")
        for rate in RATES:
            listed = {recording(code, name, rate) for name in PROMPTS[code]}
            for stale in set(recording(code, "x", rate).parent.glob("*.wav")) - listed:
                stale.unlink()
    MANIFEST.write_text(json.dumps(entries, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
