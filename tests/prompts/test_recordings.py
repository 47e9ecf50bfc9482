"""The recordings that the product brings: complete, as their manifest says, clean and equally loud."""

from __future__ import annotations

import hashlib
import json
from functools import cache
from itertools import pairwise
from typing import Any, Final

import numpy as np
import pytest
from numpy.typing import NDArray

from router.prompts import wav
from router.prompts.catalogue import (
    DATA,
    LANGUAGES,
    MANIFEST,
    MUSIC_MANIFEST,
    MUSIC_RATE,
    PROMPTS,
    RATES,
    music,
    recording,
)
from router.prompts.parts import Pause, Recorded
from router.prompts.recordings import Player
from router.prompts.sentences import SENTENCES

EVERY: Final = [(code, rate) for code in LANGUAGES for rate in RATES]


@cache
def manifest() -> dict[tuple[str, str], dict[str, Any]]:
    return {(entry["language"], entry["id"]): entry for entry in json.loads(MANIFEST.read_text())}


def pieces() -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = json.loads(MUSIC_MANIFEST.read_text())
    return entries


def heard(entry: dict[str, Any]) -> NDArray[np.float64]:
    return np.array(wav.read(music(entry["id"])).samples) / 32768


def samples(code: str, name: str, rate: int) -> NDArray[np.float64]:
    return np.array(wav.read(recording(code, name, rate)).samples) / 32768


def decibels(amplitude: float) -> float:
    return float(20 * np.log10(max(amplitude, 1e-9)))


def rms(piece: NDArray[np.float64]) -> float:
    return decibels(float(np.sqrt(np.mean(piece**2))))


@pytest.mark.parametrize(("code", "rate"), EVERY)
def test_every_prompt_is_recorded_and_nothing_else(code: str, rate: int) -> None:
    files = {path.stem for path in (DATA / code / str(rate)).glob("*.wav")}
    assert files == PROMPTS[code].keys()
    assert SENTENCES.keys() <= files
    assert files == {name for language, name in manifest() if language == code}


@pytest.mark.parametrize(("code", "rate"), EVERY)
def test_a_recording_is_the_one_of_the_manifest_and_says_the_text_of_the_catalogue(code: str, rate: int) -> None:
    for name, text in PROMPTS[code].items():
        entry = manifest()[code, name]
        path = recording(code, name, rate)
        assert entry["text"] == text, name
        assert entry["sha256"][str(rate)] == hashlib.sha256(path.read_bytes()).hexdigest(), name
        assert wav.read(path).rate == rate, name
        assert wav.read(path).duration == pytest.approx(entry["duration"], abs=0.002), name
        assert entry["licence"] and entry["voice"] and entry["phonemes"], name


@pytest.mark.parametrize(("code", "rate"), EVERY)
def test_all_recordings_are_equally_loud_and_none_is_distorted(code: str, rate: int) -> None:
    for name in PROMPTS[code]:
        found = wav.read(recording(code, name, rate))
        assert found.level() == pytest.approx(-20, abs=1.5), name
        assert found.peak() < -3, name


@pytest.mark.parametrize(("code", "rate"), EVERY)
def test_a_recording_begins_and_ends_without_a_click_and_with_nothing_cut_off(code: str, rate: int) -> None:
    for name in PROMPTS[code]:
        piece = samples(code, name, rate)
        assert abs(piece[0]) < 0.002 and abs(piece[-1]) < 0.002, name
        edge = rate // 100  # 10 ms
        assert rms(piece[:edge]) < -30, name
        assert rms(piece[-edge:]) < -45, name


@pytest.mark.parametrize("code", LANGUAGES)
def test_a_recording_lasts_as_long_as_its_words_take(code: str) -> None:
    for name, text in PROMPTS[code].items():
        seconds = manifest()[code, name]["duration"]
        assert 0.18 <= seconds <= 0.75 + len(text) / 9, name  # nine letters a second is slow speech


@pytest.mark.parametrize("code", LANGUAGES)
def test_both_rates_hold_the_same_words(code: str) -> None:
    for name in PROMPTS[code]:
        narrow, wide = wav.read(recording(code, name, 8000)), wav.read(recording(code, name, 16000))
        assert narrow.duration == pytest.approx(wide.duration, abs=0.001), name


def test_parts_follow_each_other_with_the_pauses_between_them() -> None:
    player = Player("fr", 8000)
    one, two = (player.samples([Recorded(name)]) for name in ("offer.message", "key.1"))
    assert (
        player.samples([Recorded("offer.message"), Pause(0.15), Recorded("key.1")])
        == one + player.samples([Pause(0.15)]) + two
    )
    assert len(player.samples([Pause(0.15)])) == 1200


def test_an_unknown_prompt_is_refused() -> None:
    with pytest.raises(ValueError, match=r"no prompt 'queue\.hodl' in 'fr'"):
        Player("fr", 8000).samples([Recorded("queue.hodl")])
    with pytest.raises(ValueError, match="no prompts in 'nl'"):
        Player("nl", 8000)


def test_there_are_at_least_three_pieces_of_instrumental_music_that_anybody_may_play() -> None:
    """Q6."""
    assert len(pieces()) >= 3
    for piece in pieces():
        assert piece["instrumental"] is True
        assert piece["licence"] == "CC0-1.0"
        assert 60 <= piece["duration"] <= 90


def test_music_is_as_its_manifest_says_softer_than_speech_and_never_distorted() -> None:
    """Q6."""
    for entry in pieces():
        path = music(entry["id"])
        assert entry["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        piece = heard(entry)
        assert len(piece) / MUSIC_RATE == pytest.approx(entry["duration"], abs=0.001)
        assert rms(piece) == pytest.approx(-23, abs=0.5)
        assert decibels(float(np.abs(piece).max())) < -3


def test_music_begins_again_without_a_click() -> None:
    """Q6."""
    for entry in pieces():
        piece = heard(entry)
        around = np.concatenate([piece[-MUSIC_RATE // 10 :], piece[: MUSIC_RATE // 10]])
        assert np.abs(np.diff(around)).max() <= np.abs(np.diff(piece)).max()
        assert abs(piece[0] - piece[-1]) < 0.002


def test_music_is_never_silent_for_long_and_sounds_in_the_telephone_s_band() -> None:
    """Q6: who hears nothing thinks the call is lost."""
    half = MUSIC_RATE // 2
    for entry in pieces():
        piece = heard(entry)
        silent = [rms(part) < -50 for part in piece[: len(piece) // half * half].reshape(-1, half)]
        assert not any(first and second for first, second in pairwise(silent)), entry["id"]
        spectrum = np.abs(np.fft.rfft(piece)) ** 2
        frequencies = np.fft.rfftfreq(len(piece), 1 / MUSIC_RATE)
        assert spectrum[(frequencies > 300) & (frequencies < 3400)].sum() > 0.5 * spectrum.sum()
