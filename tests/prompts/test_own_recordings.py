"""A company's own recordings: what is taken, what is refused with which words, and what is heard then."""

from __future__ import annotations

import math
import wave
from array import array
from collections.abc import Callable
from pathlib import Path

import pytest

from router.prompts import wav
from router.prompts.catalogue import language
from router.prompts.compose import say
from router.prompts.parts import Recorded
from router.prompts.recordings import OwnRecordings, Player
from router.prompts.wav import BadRecording, Recording


def tone(frequency: float, seconds: float = 0.5, rate: int = 16000, amplitude: float = 4600) -> Recording:
    samples = (round(amplitude * math.sin(2 * math.pi * frequency * n / rate)) for n in range(round(seconds * rate)))
    return Recording(rate, array("h", samples))


def strength(samples: array[int], rate: int, frequency: float) -> float:
    """How much of a frequency there is, in dBFS of a sine."""
    turn = 2 * math.pi * frequency / rate
    real = sum(sample * math.cos(turn * n) for n, sample in enumerate(samples))
    imaginary = sum(sample * math.sin(turn * n) for n, sample in enumerate(samples))
    return 20 * math.log10(max(2 * math.hypot(real, imaginary) / len(samples) / 32768, 1e-9))


@pytest.fixture
def company(tmp_path: Path) -> Path:
    (tmp_path / "fr").mkdir()
    return tmp_path


def test_a_company_s_recording_is_heard_in_place_of_ours(company: Path) -> None:
    wav.write(company / "fr" / "queue.hold.wav", tone(1000))
    own = OwnRecordings(company)
    french, english = (Player(code, 16000, own).samples([Recorded("queue.hold")]) for code in ("fr", "en"))
    assert french == tone(1000).samples
    assert english == Player("en", 16000).samples([Recorded("queue.hold")])


def test_a_recording_beside_the_languages_is_heard_in_both(company: Path) -> None:
    wav.write(company / "name.claire.wav", tone(1000))
    own = OwnRecordings(company)
    for code in ("fr", "en"):
        player = Player(code, 16000, own)
        parts = say("greeting", {"name": "Claire Dubois", "own": "name.claire"}, language(code, "BE"))
        before = Player(code, 16000).samples([Recorded("greeting.hello"), parts[1], Recorded("greeting.at")])
        assert player.samples(parts) == before + tone(1000).samples


def test_a_name_that_nobody_recorded_is_left_out(company: Path) -> None:
    """V1."""
    player = Player("fr", 8000)
    with_name = player.samples(say("greeting", {"name": "Claire Dubois"}, language("fr", "BE")))
    assert with_name == player.samples(say("greeting", {}, language("fr", "BE")))


@pytest.mark.parametrize("rate", [8000, 16000])
def test_a_recording_at_either_rate_serves_both(company: Path, rate: int) -> None:
    wav.write(company / "fr" / "queue.hold.wav", tone(1000, rate=rate))
    own = OwnRecordings(company)
    for wanted in (8000, 16000):
        heard = Player("fr", wanted, own).samples([Recorded("queue.hold")])
        assert len(heard) == wanted // 2
        middle = heard[wanted // 8 : -wanted // 8]
        assert strength(middle, wanted, 1000) == pytest.approx(strength(tone(1000).samples, 16000, 1000), abs=0.1)


def test_going_down_to_the_telephone_s_rate_lets_nothing_alias() -> None:
    high = tone(5000).at(8000).samples  # unfiltered, it would be heard at 3000 Hz
    assert strength(high[1000:-1000], 8000, 3000) < -70


def test_going_up_adds_no_image() -> None:
    low = tone(3000, rate=8000).at(16000).samples
    assert strength(low[1000:-1000], 16000, 5000) < -65
    assert strength(low[1000:-1000], 16000, 3000) == pytest.approx(strength(tone(3000).samples, 16000, 3000), abs=0.1)


def write(path: Path, *, channels: int = 1, width: int = 2, rate: int = 16000, data: bytes = bytes(32000)) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(width)
        file.setframerate(rate)
        file.writeframes(data)


@pytest.mark.parametrize(
    ("prepare", "problem"),
    [
        (lambda path: path.write_bytes(b"ID3\x03 an MP3 file"), "no WAV file with PCM samples"),
        (lambda path: path.write_bytes(b""), "no WAV file with PCM samples"),
        (lambda path: write(path, channels=2), "2 channels where one is wanted.*sox IN.wav"),
        (lambda path: write(path, width=1), "8 bits where 16 are wanted"),
        (lambda path: write(path, rate=44100), "44100 samples a second where 8000 or 16000 are wanted"),
        (lambda path: write(path, data=bytes(3000)), "lasts 0.09 s; at least 0.1 s"),
        (lambda path: write(path, data=bytes(2 * 16000 * 121)), "lasts 121 s; 120 s are allowed"),
        (lambda path: write(path), "silent"),
        (lambda path: wav.write(path, tone(1000, amplitude=300)), "too quiet .-44 dBFS"),
        (lambda path: wav.write(path, tone(1000, amplitude=32000)), "too loud .-3 dBFS"),
        (lambda path: write(path, data=(b"\xff\x7f" * 8 + bytes(400)) * 40), "distorted"),
        (lambda path: path.write_bytes(_cut_short()), "promises 16000 samples and holds 50"),
    ],
)
def test_what_cannot_be_played_is_refused_with_its_reason(
    company: Path, prepare: Callable[[Path], object], problem: str
) -> None:
    path = company / "fr" / "queue.hold.wav"
    prepare(path)
    with pytest.raises(BadRecording, match=problem) as refused:
        OwnRecordings(company)
    assert str(refused.value).startswith(str(path))


def _cut_short() -> bytes:
    header = b"RIFF" + (36 + 32000).to_bytes(4, "little") + b"WAVEfmt " + (16).to_bytes(4, "little")
    header += b"\x01\x00\x01\x00" + (16000).to_bytes(4, "little") + (32000).to_bytes(4, "little") + b"\x02\x00\x10\x00"
    return header + b"data" + (32000).to_bytes(4, "little") + bytes(100)


def test_a_recording_that_replaces_nothing_is_refused(company: Path) -> None:
    wav.write(company / "fr" / "queue.hodl.wav", tone(1000))
    with pytest.raises(BadRecording, match=r"no prompt 'queue.hodl'"):
        OwnRecordings(company)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    wav.write(tmp_path / "x.wav", tone(440))
    assert wav.read(tmp_path / "x.wav") == tone(440)
    assert tone(440).level() == pytest.approx(20 * math.log10(4600 / 32768 / math.sqrt(2)), abs=0.1)
