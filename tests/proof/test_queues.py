"""`check` on queues: a sound one has no finding, each fault is found where it is written (Q2 Q5 Q6 Q10 Q11 Q15 Q16)."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.configuration.findings import Finding
from router.proof.check import check
from tests.proof.sound_company import NOW, SOUND

QUEUE = """\
queues:
  help:
    name: Help desk
    number: "+3242200170"
    agents: [paul, claire]
    hours: office
    closed: {external: "+3243334455"}
    max_wait: {after: 3min, then: voicemail, notice: 30s before}
    unattended: 30s
    priority: ["+32475999000", "+324366*"]
    music: [canal, {file: own.wav, licence: CC0-1.0, instrumental: true}]
"""


def findings(directory: Path, text: str) -> list[Finding]:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "own.wav").touch()
    (directory / "company.yaml").write_text(SOUND)
    (directory / "queues.yaml").write_text(text)
    return [finding for finding in check(directory, NOW) if finding.mark.file == "queues.yaml"]


def test_a_sound_queue_has_no_finding(tmp_path: Path) -> None:
    assert findings(tmp_path, QUEUE) == []


@pytest.mark.parametrize(
    ("old", "new", "line", "clause", "says"),
    [
        ("[paul, claire]", "[paul, clare]", 5, "", "'clare' is nobody here"),
        ("[paul, claire]", "[jean]", 2, "Q10", "nobody answers Help desk"),
        ("[paul, claire]", "[isabelle]", 5, "F5", "none of those who answer Help desk has a phone"),
        ("[paul, claire]", "[paul, isabelle]", 5, "F5", "Isabelle Noël cannot answer"),
        ("    unattended: 30s\n", "", 6, "Q11", "from 12:00, but nobody may be rung until 13:00"),
        ("after: 3min", "after: 5min", 8, "Q2", "wait up to 300 s"),
        ("{after: 3min, then: voicemail, notice: 30s before}", "none", 8, "Q2", "wait without end"),
        ("then: voicemail", "then: queue:help", 8, "Q2", "go round: help → help"),
        ("then: voicemail", "then: queue:hlp", 8, "", "'queue:hlp' is neither a target nor a person"),
        ("+3243334455", "+8815550000", 7, "X2", "+8815550000, but"),
        ("closed: {external", "closed: {voicemail: claire, external", 7, "Q12", "closed: goes to one thing"),
        ("hours: office", "hours: offise", 6, "Q11", "no set of hours 'offise'"),
        ("licence: CC0-1.0, instrumental: true", "licence: CC0-1.0", 11, "Q6", "nothing says that it may be played"),
        ("file: own.wav", "file: none.wav", 11, "", "there is no file none.wav"),
        ("[canal,", "[kanal,", 11, "Q6", "there is no piece of music 'kanal'"),
        ('"+324366*"', '"024366*"', 10, "Q16", "is no number"),
        ('"+3242200170"', '"+32470555012"', 4, "", "belongs to a person"),
        ("    unattended: 30s\n", '    unattended: 30s\n    keys: {message: ""}\n', 10, "Q5", "cannot leave a message"),
        ("    unattended: 30s\n", "    unattended: 30s\n    needs: {russian: 1}\n", 10, "Q10", "has russian 1"),
        ("notice: 30s before", "notice: 4min before", 8, "", "the notice comes before the end"),
    ],
)
def test_a_fault_is_found_where_it_is_written(
    tmp_path: Path, old: str, new: str, line: int, clause: str, says: str
) -> None:
    assert old in QUEUE
    found = findings(tmp_path, QUEUE.replace(old, new))
    assert [(finding.mark.line, finding.clause) for finding in found if says in finding.message] == [(line, clause)], [
        str(finding) for finding in found
    ]
