"""The test's own tool: what was played is known from its sound, whatever a call did to it."""

from __future__ import annotations

import random
from array import array

import pytest

from router.prompts.catalogue import PROMPTS
from router.prompts.parts import Pause, Recorded
from router.prompts.recordings import OwnRecordings, Player
from tests.prompts.tone_coded import spoken, tone_coded

NAMES = [name for name in PROMPTS["en"] if name in PROMPTS["fr"]][:216]


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> OwnRecordings:
    directory = tmp_path_factory.mktemp("tones")
    tone_coded(directory, NAMES)
    return OwnRecordings(directory)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_each_prompt_is_told_from_all_others(own: OwnRecordings, rate: int) -> None:
    player = Player("fr", rate, own)
    chosen = random.Random(4).sample(NAMES, 12)
    parts = [part for name in chosen for part in (Recorded(name), Pause(0.1))]
    assert spoken(player.samples(parts), rate, NAMES) == chosen


def test_it_survives_a_quiet_noisy_line_that_begins_in_the_middle(own: OwnRecordings) -> None:
    noise = random.Random(5)
    samples = Player("fr", 8000, own).samples([Recorded("queue.thanks"), Recorded("record.saved")])
    line = array("h", (round(sample * 0.3 + noise.gauss(0, 150)) for sample in samples[37:]))
    assert spoken(line, 8000, NAMES) == ["queue.thanks", "record.saved"]


def test_a_prompt_that_was_interrupted_is_not_counted(own: OwnRecordings) -> None:
    samples = Player("fr", 8000, own).samples([Recorded("queue.thanks"), Recorded("queue.hold")])
    assert spoken(samples[: len(samples) * 8 // 10], 8000, NAMES) == ["queue.thanks"]


def test_speech_and_music_are_no_tones() -> None:
    assert spoken(Player("fr", 8000).samples([Recorded("queue.hold"), Recorded("queue.closing")]), 8000, NAMES) == []
