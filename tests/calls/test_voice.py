"""The router's voice: the few sounds that it makes itself."""

from __future__ import annotations

from pathlib import Path

from router.calls.voice import Voice
from router.prompts.catalogue import language


def test_a_reload_leaves_alone_what_somebody_may_be_listening_to(tmp_path: Path) -> None:
    before = Voice(language("fr", "BE"), "Atelier", tmp_path)
    written = {path: Path(path).stat().st_mtime_ns for path in (before.beep, before.ringing)}
    after = Voice(language("fr", "BE"), "Atelier", tmp_path)
    assert {path: Path(path).stat().st_mtime_ns for path in (after.beep, after.ringing)} == written
    assert sorted(path.name for path in tmp_path.iterdir()) == ["beep.wav", "ringing.wav"]
