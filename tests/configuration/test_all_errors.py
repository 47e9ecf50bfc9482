"""A bad configuration is answered with all its errors, each where it is written, and nothing that merely follows.

Each mistake is made in a copy of the sample company, alone and together with others.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from router.configuration import ConfigurationError, Finding, load

SAMPLE = Path(__file__).resolve().parents[2] / "config"


class Mistake(NamedTuple):
    """`old`, which stands in a file once, becomes `new`; the finding is at the line that then holds `at`."""

    file: str
    old: str
    new: str
    at: str
    message: str


MISTAKES = [
    Mistake("company.yaml", "  languages: [fr", "  langages: [fr", "langages", "unknown key 'langages' in company"),
    Mistake(
        "company.yaml", "time_zone: Europe/Brussels", "time_zone: Brussels", "time_zone", "no time zone 'Brussels'"
    ),
    Mistake("company.yaml", "hours: bureau", "hours: bureaux", "bureaux", "no set of hours 'bureaux'"),
    Mistake("company.yaml", 'from: "08:00"', 'from: "8 h"', "8 h", "from: '8 h' cannot be used"),
    Mistake("company.yaml", "holder: nadia", "holder: nadja", "nadja", "holder 'nadja' is nobody"),
    Mistake(
        "company.yaml",
        '"sip:reception@127.0.0.1:5090"}',
        '"sip:reception@127.0.0.1:5090}',
        "sip:reception",
        "not YAML: ",
    ),
    Mistake(
        "company.yaml",
        '"tcp:127.0.0.1:5060"',
        '"tcp:localhost:5060"',
        "localhost",
        "'tcp:localhost:5060' cannot be used",
    ),
    Mistake("company.yaml", "country: BE", "country: XX", "country", "the country 'XX' is not known"),
    Mistake("company.yaml", "verified: false, ", "verified: perhaps, ", "perhaps", "verified: 'perhaps'"),
    Mistake("company.yaml", "..+3242200199", "..+3242200099", "200099", "range: "),
    Mistake("company.yaml", "\nteams:", "\ntems:", "tems:", "unknown key 'tems'"),
    Mistake("people.yaml", 'direct_number: "+3242200120"', "direct_nummer: x", "nummer", "unknown key 'direct_nummer'"),
    Mistake(
        "people.yaml",
        'technical\n    extension: "302"',
        'captain\n    extension: "302"',
        "captain",
        "no role 'captain'",
    ),
    Mistake("people.yaml", 'role: standard\n    extension: "204"', 'extension: "204"', "  paul:", "'role' is missing"),
    Mistake(
        "people.yaml", 'extension: "303"', "extension: 302", "extension: 302", "302 is already the extension of luc"
    ),
    Mistake("people.yaml", "then: claire}", "then: clare}", "clare}", "'clare' is neither a target nor a person"),
    Mistake("people.yaml", ", until: 2027-06-30", ", untill: 2027-06-30", "untill", "unknown key 'untill'"),
    Mistake("people.yaml", "left: 2026-09-30", "left: septembre", "septembre", "left: 'septembre'"),
    Mistake("people.yaml", "name: Thomas Hardy", 'name: "Thomas Hardy', "Thomas", "not YAML: "),
    Mistake("people.yaml", "secret: demo-204", "secret: 'demo-204", "'demo", "not YAML: "),
    Mistake(
        "profiles.yaml", "meeting:          {kind: busy_other", "meeting: {kind: busy", "  meeting", "kind is 'busy'"
    ),
    Mistake("profiles.yaml", "offers: [message, callback]}", "offers: [message, callback}", "  lunch", "not YAML: "),
    Mistake(
        "roles.yaml", "busy_other: queue:sales", "busy_other: queue:sale", "queue:sale}", "'queue:sale' is neither"
    ),
    Mistake("roles.yaml", 'en_semaine, from: "17:00"', 'semaine, from: "17:00"', "17:00", "no calendar 'semaine'"),
    Mistake("roles.yaml", "profile: ferie", "profile: férié", "férié", "no profile 'férié'"),
    Mistake("roles.yaml", "  sales:\n", "   sales:\n", "sales:", "not YAML: "),
    Mistake("roles.yaml", "    team: technical", "\tteam: technical", "\tteam", "not YAML: "),
    Mistake("roles.yaml", "rings_within: bureau", "rings_within: bureaux", "rings_within", "no set of hours 'bureaux'"),
    Mistake("people.yaml", "[desk, {gsm: 10s}]", "[desk, {gms: 10s}]", "gms", "no device 'gms'"),
    Mistake("callers.yaml", '"+32475999000"', '"0475999000"', '"0475999000"', "'0475999000' is no caller"),
    Mistake("trunks.yaml", '"127.0.0.1:5080"', '"127.0.0.1:508000"', "508000", "cannot be used"),
    Mistake("greylist.yaml", '"+3290"', '"3290"', '"3290"', "'3290' is no prefix"),
    Mistake("greylist.yaml", "approved_by: paul, ", "", "+224621", "'approved_by' is missing"),
    Mistake("greylist.txt", "+252 ", "252 ", "252 ", "'252' is no prefix"),
]


def found(directory: Path, mistakes: tuple[Mistake, ...]) -> list[Finding]:
    """Make the mistakes in a copy of the sample, and return what loading says about it."""
    shutil.copytree(SAMPLE, directory)
    for mistake in mistakes:
        file = directory / mistake.file
        text = file.read_text()
        assert text.count(mistake.old) == 1, mistake
        file.write_text(text.replace(mistake.old, mistake.new))
    with pytest.raises(ConfigurationError) as raised:
        load(directory)
    return list(raised.value.findings)


def place(directory: Path, mistake: Mistake) -> tuple[str, int]:
    """Where the finding about a mistake has to point."""
    lines = (directory / mistake.file).read_text().split("\n")
    return mistake.file, next(number for number, line in enumerate(lines, start=1) if mistake.at in line)


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: f"{mistake.file} {mistake.at.strip()}")
def test_a_mistake_is_one_finding(tmp_path: Path, mistake: Mistake) -> None:
    """Where the fault leaves a hole, what would have been there is not missed a second time."""
    directory = tmp_path / "config"
    findings = found(directory, (mistake,))
    assert [((f.mark.file, f.mark.line), mistake.message in f.message) for f in findings] == [
        (place(directory, mistake), True)
    ], findings


@pytest.mark.parametrize("first", range(len(MISTAKES)), ids=lambda first: MISTAKES[first].at.strip())
def test_mistakes_do_not_hide_each_other(tmp_path: Path, first: int) -> None:
    mistakes = tuple(MISTAKES[(first + step) % len(MISTAKES)] for step in (0, 7, 15))
    directory = tmp_path / "config"
    findings = found(directory, mistakes)
    assert sorted((f.mark.file, f.mark.line) for f in findings) == sorted(place(directory, m) for m in mistakes)
    for mistake in mistakes:
        where = place(directory, mistake)
        assert any(mistake.message in f.message for f in findings if (f.mark.file, f.mark.line) == where), findings


def test_every_mistake_at_once(tmp_path: Path) -> None:
    """Two of them lie within what another makes unreadable; all others are found."""
    within_others = ("queue:sale}", "\tteam")
    mistakes = tuple(mistake for mistake in MISTAKES if mistake.at not in within_others)
    directory = tmp_path / "config"
    findings = found(directory, mistakes)
    assert {(f.mark.file, f.mark.line) for f in findings} == {place(directory, mistake) for mistake in mistakes}


def test_a_file_that_cannot_be_read_is_one_finding(tmp_path: Path) -> None:
    """Everything may be defined in it, so nothing is missed; what is written elsewhere is still checked."""
    directory = tmp_path / "config"
    shutil.copytree(SAMPLE, directory)
    (directory / "roles.yaml").unlink()
    (directory / "roles.yaml").mkdir()
    people = directory / "people.yaml"
    people.write_text(people.read_text().replace(", secret: demo-204", ""))
    with pytest.raises(ConfigurationError) as raised:
        load(directory)
    messages = [finding.message for finding in raised.value.findings]
    assert messages == ["a device needs a secret", "roles.yaml cannot be read: Is a directory"]


def test_a_file_that_is_not_utf_8_is_checked_all_the_same(tmp_path: Path) -> None:
    directory = tmp_path / "config"
    shutil.copytree(SAMPLE, directory)
    people = directory / "people.yaml"
    text = people.read_text().replace('direct_number: "+3242200126"', 'direct_number: "+3242299126"')
    people.write_bytes(text.encode("latin-1", errors="replace"))
    with pytest.raises(ConfigurationError) as raised:
        load(directory)
    messages = [finding.message for finding in raised.value.findings]
    assert messages == ["this is not UTF-8", "+3242299126 is not a number of the company"]


def test_rules_of_a_person_are_checked_even_without_a_role(tmp_path: Path) -> None:
    directory = tmp_path / "config"
    mistakes = (
        Mistake("people.yaml", 'role: sales\n    extension: "203"', 'extension: "203"', "nadia:", "'role' is missing"),
        Mistake("people.yaml", 'direct_number: "+3242200123"', 'direct_number: "+3242299123"', "99123", "not a number"),
        Mistake("people.yaml", "then: claire}", "then: clare}", "clare}", "'clare' is neither"),
    )
    findings = found(directory, mistakes)
    assert [f.mark.line for f in findings] == [place(directory, mistake)[1] for mistake in mistakes]
