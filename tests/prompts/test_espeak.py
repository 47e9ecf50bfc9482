"""What nobody recorded, spoken at run time where eSpeak NG is installed."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from router.prompts.catalogue import language
from router.prompts.compose import say
from router.prompts.espeak import PROGRAM, Espeak
from router.prompts.parts import Recorded
from router.prompts.recordings import Player

installed = pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed")
FRENCH = language("fr", "BE")
GREETING = say("greeting", {"name": "Claire Dubois"}, FRENCH)


def program(tmp_path: Path, script: str) -> str:
    path = tmp_path / "speaks"
    path.write_text(f"#!{sys.executable}\n{script}")
    path.chmod(0o755)
    return str(path)


@installed
def test_a_name_is_spoken_after_its_sentence_s_beginning(tmp_path: Path) -> None:
    """V1."""
    speaker = Espeak(tmp_path)
    said = speaker.speak("Claire Dubois.", "fr")
    assert said is not None
    assert said.duration > 0.5
    assert said.level() == pytest.approx(-20, abs=2.5)
    assert said.peak() < -3
    heard = Player("fr", 16000, speaker=speaker).samples(GREETING)
    before = Player("fr", 16000).samples([Recorded("greeting.hello"), GREETING[1], Recorded("greeting.at")])
    assert heard == before + said.samples


@installed
def test_what_was_said_once_is_kept(tmp_path: Path) -> None:
    said = Espeak(tmp_path).speak("Claire Dubois.", "fr")
    silent = Espeak(tmp_path, program(tmp_path, "raise SystemExit(1)"))
    assert silent.speak("Claire Dubois.", "fr") == said
    assert silent.speak("Marc Lambert.", "fr") is None


@installed
def test_a_text_is_never_an_option_of_the_program(tmp_path: Path) -> None:
    said = Espeak(tmp_path / "cache").speak(f"--path={tmp_path}\n-w {tmp_path}/stolen.wav", "fr")
    assert said is not None
    assert not (tmp_path / "stolen.wav").exists()


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        ("raise SystemExit(3)", "exit status 3"),
        ("pass", "No such file"),
        ("import sys; open(sys.argv[sys.argv.index('-w') + 1], 'w').write('no sound')", "no WAV file"),
    ],
)
def test_a_program_that_fails_leaves_the_wording_that_does_without(tmp_path: Path, script: str, problem: str) -> None:
    speaker = Espeak(tmp_path / "cache", program(tmp_path, script))
    heard = Player("fr", 8000, speaker=speaker).samples(GREETING)
    assert heard == Player("fr", 8000).samples(GREETING)
    assert problem in speaker.problem
    assert not list(tmp_path.glob("cache/*"))


def test_a_program_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("router.prompts.espeak._TIME_LIMIT", 0.3)
    speaker = Espeak(tmp_path / "cache", program(tmp_path, "import time; time.sleep(60)"))
    assert speaker.speak("Claire Dubois.", "fr") is None
    assert "timed out" in speaker.problem


@pytest.mark.parametrize("text", ["", " \n\t ", "a" * 301])
def test_what_is_no_sentence_is_not_spoken(tmp_path: Path, text: str) -> None:
    speaker = Espeak(tmp_path, program(tmp_path, "raise SystemExit(0)"))
    assert speaker.speak(text, "fr") is None
    assert "is not spoken" in speaker.problem


def test_without_the_program_everything_is_said_another_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    speaker = Espeak(tmp_path)
    assert not speaker.installed
    for kind, values in (
        ("greeting", {"name": "X"}),
        ("position", {"place": 30}),
        ("welcome", {"company": "X"}),
        ("transfer", {"to": "X"}),
        ("whisper", {"queue": "X"}),
        ("reason", {"kind": "absent", "says": "X"}),
        ("profile_set", {"says": "X", "profile": "x"}),
    ):
        heard = Player("fr", 8000, speaker=speaker).samples(say(kind, values, FRENCH))
        assert len(heard) > 4000, kind
    assert speaker.problem == "espeak-ng is not installed"
