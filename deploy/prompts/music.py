"""Makes the music on hold: three instrumental pieces, composed for this project and given to the public (CC0) (Q6).

    PYTHONPATH=. python deploy/prompts/music.py

Each ends where it begins, so that it can be repeated for as long as somebody waits. They are made for the band of the
telephone, at 8 kHz alone: most who wait hear no other.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

import numpy as np
import soxr
from sound import Samples, decibels, limit, write

from router.prompts.catalogue import MUSIC_MANIFEST, MUSIC_RATE, music

_RATE: Final = 32000
_LEVEL: Final = -23.0  # dBFS, RMS of the whole piece: music lies below the announcements
_PEAK: Final = -6.0
_EDGE: Final = 0.02  # seconds of fade at both ends
_SEED: Final = 20261124
_STEPS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_NOTE: Final = re.compile(r"([A-G])([#b]?)(\d)")

# Chords as notes from the bass upwards.
_CHORDS: Final = {
    "G": "G2 D3 G3 B3 D4",
    "D/F#": "F#2 D3 A3 D4 F#4",
    "Em": "E2 B2 G3 B3 E4",
    "C": "C3 G3 C4 E4 G4",
    "Am7": "A2 E3 G3 C4 E4",
    "D7": "D3 A3 C4 F#4 A4",
    "Bm": "B2 F#3 B3 D4 F#4",
    "Fmaj7": "F2 C3 A3 C4 E4",
    "Dm9": "D2 A2 F3 C4 E4",
    "Bbmaj7": "Bb2 F3 A3 D4 F4",
    "C9": "C3 G3 Bb3 D4 E4",
    "Am7/A": "A2 E3 G3 C4 E4",
    "Gm7": "G2 D3 F3 Bb3 D4",
    "C7": "C3 G3 Bb3 E4 G4",
    "Dm7": "D2 A2 F3 C4 F4",
    "C/E": "E3 C4 E4 G4 C5",
    "F": "F2 C3 F3 A3 C4",
    "Dm": "D3 A3 D4 F4 A4",
    "G7": "G2 D3 F3 B3 F4",
    "Am": "A2 E3 A3 C4 E4",
    "E7": "E2 B2 D3 G#3 B3",
    "A7": "A2 E3 G3 C#4 E4",
}


class Note(NamedTuple):
    """One note: when it begins and for how long it is held (seconds), its frequency (Hz) and its strength."""

    start: float
    length: float
    frequency: float
    strength: float


class Piece(NamedTuple):
    """A composition: its chords (one a bar), its melody as "NOTE:BEATS", and how it is played."""

    name: str
    title: str
    beats_per_minute: float
    beats: int
    chords: str
    melody: str
    accompaniment: Callable[[Piece], Iterator[Note]]
    instruments: tuple[Callable[[Note], Samples], Callable[[Note], Samples]]  # of melody and accompaniment

    @property
    def beat(self) -> float:
        """Seconds of one beat."""
        return 60 / self.beats_per_minute

    @property
    def duration(self) -> float:
        """Seconds of the whole piece."""
        return len(self.chords.split()) * self.beats * self.beat


def frequency(note: str) -> float:
    """Frequency of a note such as "F#4", in Hz."""
    found = _NOTE.fullmatch(note)
    if found is None:
        raise ValueError(f"{note!r} is no note")
    step = _STEPS[found[1]] + {"#": 1, "b": -1, "": 0}[found[2]] + 12 * (int(found[3]) + 1)
    return float(440 * 2 ** ((step - 69) / 12))


def _time(seconds: float) -> Samples:
    return np.arange(round(seconds * _RATE)) / _RATE


def _partials(frequency: float, stiffness: float) -> Iterator[tuple[int, float]]:
    for number in range(1, 30):
        partial = number * frequency * np.sqrt(1 + stiffness * number**2)
        if partial > 7000:
            return
        yield number, partial


def _released(tone: Samples, held: float, release: float) -> Samples:
    end = round(held * _RATE)
    if end < len(tone):
        tone[end:] *= np.exp(-np.arange(len(tone) - end) / _RATE / release)
    attack = round(0.004 * _RATE)
    tone[:attack] *= np.linspace(0, 1, attack)
    return tone


def guitar(note: Note) -> Samples:
    """A nylon string, plucked at a fifth of its length."""
    time = _time(3.0)
    tone = np.zeros_like(time)
    for number, partial in _partials(note.frequency, 0.00004):
        weight = abs(np.sin(np.pi * number / 5.3)) / number**1.5
        decay = (0.9 + note.frequency / 500) * (1 + 0.35 * (number - 1))
        tone += weight * np.sin(2 * np.pi * partial * time) * np.exp(-time * decay)
    return note.strength * _released(tone, note.length * 1.6, 0.15)


def piano(note: Note) -> Samples:
    """A soft piano: two strings a little apart, darker the softer the stroke."""
    time = _time(4.0)
    tone = np.zeros_like(time)
    for number, partial in _partials(note.frequency, 0.0003):
        weight = np.exp(-0.55 * (number - 1) / (0.6 + note.strength)) / number**0.6
        decay = (0.5 + note.frequency / 420) * (1 + 0.22 * (number - 1))
        for detuned in (partial * 0.9997, partial * 1.0004):
            tone += 0.5 * weight * np.sin(2 * np.pi * detuned * time) * np.exp(-time * decay)
    return note.strength * _released(tone, note.length * 1.1, 0.18)


def electric_piano(note: Note) -> Samples:
    """A tine: a pure tone whose bell dies away at once."""
    time = _time(4.0)
    body = np.exp(-time * (0.7 + note.frequency / 700))
    bell = 1.1 * note.strength * np.exp(-time * 6.0)
    tone = body * np.sin(2 * np.pi * note.frequency * time + bell * np.sin(2 * np.pi * 2 * note.frequency * time))
    tone += 0.18 * body**1.5 * np.sin(2 * np.pi * 3 * note.frequency * time)
    return note.strength * (1 + 0.12 * np.sin(2 * np.pi * 4.2 * time)) * _released(tone, note.length * 1.1, 0.25)


def pad(note: Note) -> Samples:
    """Strings from afar: three voices, slow to come and slow to go."""
    time = _time(note.length + 1.2)
    tone = np.zeros_like(time)
    for detuned in (0.9975, 1.0, 1.0027):
        for number in range(1, 6):
            if number * note.frequency < 6000:
                tone += np.sin(2 * np.pi * number * detuned * note.frequency * time + number) / number**1.6
    swell = np.minimum(1, time / 0.9) * np.minimum(1, np.maximum(0, (note.length + 1.2 - time) / 1.2))
    return note.strength * 0.35 * tone * swell


def _bars(piece: Piece) -> Iterator[tuple[float, list[float]]]:
    for number, chord in enumerate(piece.chords.split()):
        yield number * piece.beats * piece.beat, [frequency(note) for note in _CHORDS[chord].split()]


def _last(piece: Piece, start: float) -> bool:
    return start > piece.duration - piece.beats * piece.beat - 0.01


def picked(piece: Piece) -> Iterator[Note]:
    """Finger-picking in quavers; the last bar is one spread chord."""
    for start, notes in _bars(piece):
        if _last(piece, start):
            yield from (Note(start + 0.06 * index, 2.0, note, 0.4) for index, note in enumerate(notes))
            continue
        for index, string in enumerate((0, 2, 3, 4, 1, 3, 4, 2)):
            strength = 0.62 if string < 2 else 0.34
            yield Note(start + index * piece.beat / 2, piece.beat * 1.5, notes[string], strength)


def spread(piece: Piece) -> Iterator[Note]:
    """Held chords, and the bass once more in the middle of the bar."""
    for start, notes in _bars(piece):
        length = piece.beats * piece.beat * (0.6 if _last(piece, start) else 1.0)
        yield from (Note(start, length, note, 0.3 if index else 0.42) for index, note in enumerate(notes))


def waltz(piece: Piece) -> Iterator[Note]:
    """Bass on one, the chord on two and three; the last bar is the chord alone."""
    for start, notes in _bars(piece):
        yield Note(start, piece.beat * 2.6, notes[0], 0.5)
        if _last(piece, start):
            yield from (Note(start, 1.2, note, 0.28) for note in notes[2:])
            continue
        for index in (1, 2):
            yield from (Note(start + index * piece.beat, piece.beat * 0.8, note, 0.2) for note in notes[2:])


def sung(piece: Piece) -> Iterator[Note]:
    """The melody; the first note of each bar is a little stronger."""
    beat = 0.0
    for written in piece.melody.replace("|", " ").split():
        note, _, beats = written.partition(":")
        length = float(beats)
        if note != "r":
            strength = 0.95 if beat % piece.beats == 0 else 0.8
            yield Note(beat * piece.beat, length * piece.beat, frequency(note), strength)
        beat += length
    bars = len(piece.chords.split())
    if round(beat) != bars * piece.beats:
        raise ValueError(f"{piece.name}: the melody has {beat} beats, the chords {bars * piece.beats}")


_THEME: Final = "B4:1 D5:1 G5:1.5 F#5:.5 | F#5:1 D5:1 A4:2 | G4:1 B4:1 E5:1.5 D5:.5 | C5:2 E5:1 D5:1 | "
_TOWPATH: Final = (
    "E4:1 G4:1 C5:1 | B4:2 G4:1 | A4:1 C5:1 F5:1 | E5:2 C5:1 | D5:1 F5:1 E5:1 | D5:2 B4:1 | C5:1 E5:1 D5:1 | C5:3 | "
)

PIECES: Final = (
    Piece(
        "promenade",
        "Promenade",
        92,
        4,
        "G D/F# Em C G Am7 D7 G  Em Bm C G Am7 D7 C D7  G D/F# Em C Am7 D7 G G",
        _THEME
        + "B4:1 D5:1 G5:1.5 A5:.5 | G5:1 E5:1 C5:2 | D5:1 C5:.5 B4:.5 A4:1 F#4:1 | G4:3 r:1 | "
        + "E5:1.5 F#5:.5 G5:1 B5:1 | A5:1 F#5:1 D5:2 | E5:1.5 D5:.5 C5:1 E5:1 | D5:3 r:1 | "
        + "C5:1 E5:1 A5:1 G5:1 | F#5:1.5 E5:.5 D5:1 C5:1 | E5:1 D5:1 C5:1 B4:1 | A4:2 D5:2 | "
        + _THEME
        + "C5:1 E5:1 G5:1 E5:1 | D5:1 F#5:.5 E5:.5 D5:1 C5:1 | B4:2 A4:1 B4:1 | G4:2 r:2",
        picked,
        (guitar, guitar),
    ),
    Piece(
        "quays",
        "Lumières sur les quais",
        74,
        4,
        "Fmaj7 Dm9 Bbmaj7 C9 Fmaj7 Am7/A Gm7 C7  Bbmaj7 C7 Am7/A Dm7 Gm7 C7 Fmaj7 Dm9  Bbmaj7 Am7/A Gm7 Fmaj7",
        "A4:2 C5:2 | F5:3 E5:1 | D5:2 F5:1 D5:1 | C5:4 | A4:2 C5:2 | E5:3 D5:1 | Bb4:2 D5:1 F5:1 | E5:2 r:2 | "
        "D5:2 F5:1 A5:1 | G5:3 E5:1 | C5:2 E5:1 G5:1 | F5:3 A4:1 | Bb4:1 D5:1 F5:2 | E5:1 D5:1 C5:1 Bb4:1 | "
        "A4:3 C5:1 | A4:4 | D5:2 C5:2 | C5:2 A4:2 | Bb4:1 A4:1 G4:2 | F4:2 r:2",
        spread,
        (electric_piano, pad),
    ),
    Piece(
        "canal",
        "Valse du canal",
        116,
        3,
        "C C/E F F Dm G7 C C  Am Am Dm Dm D7 D7 G7 G7  Am E7 Am Am F C Dm E7  Am E7 Am A7 Dm G7 C G7 "
        "C C/E F F Dm G7 C C",
        _TOWPATH
        + "A4:1 C5:1 E5:1 | A5:2 E5:1 | F5:1 E5:1 D5:1 | A4:3 | F#4:1 A4:1 D5:1 | C5:2 A4:1 | B4:1 C5:1 D5:1 | G4:3 | "
        + "E5:2 C5:1 | D5:1 B4:1 G#4:1 | A4:1 B4:1 C5:1 | E5:3 | F5:2 A5:1 | G5:2 E5:1 | F5:1 D5:1 A4:1 | B4:3 | "
        + "C5:1 E5:1 A5:1 | G#5:2 E5:1 | A5:1 G5:1 E5:1 | C#5:1 E5:1 G5:1 | F5:2 D5:1 | B4:1 D5:1 F5:1 | E5:2 C5:1 | "
        + "D5:3 | "
        + _TOWPATH.removesuffix("C5:3 | ")
        + "C5:2 r:1",
        waltz,
        (piano, piano),
    ),
)


def played(piece: Piece) -> Samples:
    """Render a piece. What sounds beyond its end sounds on at its beginning, as it will when it is repeated."""
    size = round(piece.duration * _RATE)
    whole = np.zeros(size)
    melody, accompaniment = piece.instruments
    for notes, instrument in ((sung(piece), melody), (piece.accompaniment(piece), accompaniment)):
        for note in notes:
            tone = instrument(note)
            places = (round(note.start * _RATE) + np.arange(len(tone))) % size
            whole[places] += tone
    return whole + 0.25 * _echo(whole)


def _echo(whole: Samples) -> Samples:
    # A small hall: noise that dies away within a second, darker than what it answers.
    noise = np.random.default_rng(_SEED).standard_normal(round(1.1 * _RATE))
    noise *= np.exp(-np.arange(len(noise)) / _RATE * 5.5)
    noise = np.convolve(noise, np.hanning(24) / 12, mode="same")
    noise /= np.sqrt(np.sum(noise**2))
    spectrum = np.fft.rfft(whole) * np.fft.rfft(noise, len(whole))
    return np.asarray(np.fft.irfft(spectrum, len(whole)), dtype=np.float64)


def finished(whole: Samples, rate: int) -> Samples:
    """Bring a piece down to a rate, to its level, and to silence at both ends."""
    margin = round(_RATE * 0.1)
    around = np.concatenate([whole[-margin:], whole, whole[:margin]])  # the filter hears the piece as it is repeated
    resampled = np.asarray(soxr.resample(around, _RATE, rate, quality="VHQ"), dtype=np.float64)
    edge = margin * rate // _RATE
    piece = resampled[edge : edge + round(len(whole) * rate / _RATE)]
    for _ in range(3):
        piece = limit(piece * 10 ** ((_LEVEL - decibels(float(np.sqrt(np.mean(piece**2))))) / 20), _PEAK)
    slope = np.linspace(0, 1, round(_EDGE * rate))
    piece[: len(slope)] *= slope
    piece[-len(slope) :] *= slope[::-1]
    return piece


def main() -> None:
    """Make all pieces, and their manifest."""
    entries = []
    for piece in PIECES:
        sound = finished(played(piece), MUSIC_RATE)
        path = music(piece.name)
        write(path, sound, MUSIC_RATE)
        entries.append(
            {
                "id": piece.name,
                "title": piece.title,
                "instrumental": True,
                "licence": "CC0-1.0",
                "duration": round(len(sound) / MUSIC_RATE, 3),
                "level": round(decibels(float(np.sqrt(np.mean(sound**2)))), 1),
                "peak": round(decibels(float(np.abs(sound).max())), 1),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
        )
    MUSIC_MANIFEST.write_text(json.dumps(entries, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    main()
