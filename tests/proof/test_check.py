"""What `check` finds in a configuration that can be loaded."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.configuration import Finding
from router.proof.check import check
from tests.policy.company import COMPANY, moment

NOW = moment("2026-11-24T10:00")

# The company of the tests has faults on purpose; a sound one is what remains when they are taken away.
SOUND = (
    COMPANY.replace(
        "when: {on_call: bob, no_answer: {after: 5s, then: bob}}", "when: {no_answer: {after: 5s, then: bob}}"
    )
    .replace("when: {on_call: ada, no_answer: ada}", "when: {no_answer: {after: 30s, then: voicemail}}")
    .replace("roles:\n  standard:\n", "roles:\n  standard:\n    rings_within: office\n")
    .replace("precedence: line}", "precedence: line, when: {on_call: voicemail}}")
    .replace('  - {range: "+3242200190..+3242200199"}', '  - {range: "+3242200190..+3242200199", verified: true}')
    .replace('mobile: "+32470999999"', 'mobile: "+32470555099"')
    .replace("numbers:\n", 'numbers:\n  - {number: "+32470555099", verified: true, holder: marc}\n')
    .replace('  satellite: {number: "+88161234567"}\n', "")
    .replace("busy_other: satellite", "busy_other: reception")
    .replace('    extension: "401"', '    extension: "401"\n    direct_number: "+3242200141"')
    .replace('    extension: "402"', '    extension: "402"\n    direct_number: "+3242200142"')
    .replace('    extension: "403"', '    extension: "403"\n    direct_number: "+3242200143"')
)


def found(directory: Path, text: str, now: float = NOW) -> list[Finding]:
    (directory / "company.yaml").write_text(text)
    return list(check(directory, now))


def test_a_sound_configuration_has_no_findings(tmp_path: Path) -> None:
    assert [str(finding) for finding in found(tmp_path, SOUND)] == []


@pytest.mark.parametrize(
    ("old", "new", "clause", "message"),
    [
        ('trunks:\n  first: {address: "127.0.0.1:5080"}\n', "", "G1", "emergency calls cannot go out"),
        ('number: "+3243334455"', 'number: "+88161234567"', "X2", "service_externe goes to +88161234567"),
        ('reception: {sip: "sip:reception@127.0.0.1:5090"}', "reception: {person: isabelle}", "F5", "has no phone"),
        ('reception: {sip: "sip:reception@127.0.0.1:5090"}', "reception: {person: jean}", "S5", "who has left"),
        ("successor: paul", "successor: lea", "S5", "Léa Petit, the successor of Jean Collard, has left too"),
        (
            "when: {no_answer: {after: 30s, then: voicemail}}",
            "when: {no_answer: ada}",
            "S3",
            "calls go round: ada → bob → ada",
        ),
        ('{number: "+32470555012", verified: true, holder: claire}', '{number: "+32470555013"}', "R1", "Claire Dubois"),
        ("secret: x}}\n  lu", "secret: x, until: 2026-11-30}}\n  lu", "D1", "refused in 6 days"),
        ("secret: x}}\n  lu", "secret: x, until: 2026-11-23}}\n  lu", "D1", "is refused since 2026-11-23"),
        ("until: 2026-12-31}", "until: 2026-11-23}", "S8", "the exception for +224621 ended"),
    ],
)
def test_a_fault_is_found(tmp_path: Path, old: str, new: str, clause: str, message: str) -> None:
    assert old in SOUND
    findings = found(tmp_path, SOUND.replace(old, new, 1))
    assert [finding.clause for finding in findings if message in finding.message] == [clause], findings


def test_a_company_without_mailboxes(tmp_path: Path) -> None:
    """V2."""
    text = SOUND.replace('  voicemail: {sip: "sip:{extension}@127.0.0.1:5091"}\n', "").replace("voicemail", "reception")
    text = text.replace("{on_call: reception,", "{on_call: reception, absent: reception, unreachable: reception,")
    assert [finding.clause for finding in found(tmp_path, text)] == ["V2"]


OWN = SOUND.replace('{sip: "sip:{extension}@127.0.0.1:5091"}', '{mailbox: "{person}"}')
MAIN_BOX = 'mailboxes: {"3242200100": {name: Accueil, people: [paul]}}\n'


def test_mailboxes_of_the_routers_own_are_as_good_as_others(tmp_path: Path) -> None:
    """V2, by whatever name the target goes."""
    assert found(tmp_path, OWN + MAIN_BOX) == []
    text = OWN.replace("voicemail", "machine")
    text = text.replace("{on_call: machine,", "{on_call: machine, absent: machine, unreachable: machine,")
    assert found(tmp_path, text + MAIN_BOX) == []


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("", ["nobody hears the messages that callers of Atelier de la Meuse leave"]),
        (MAIN_BOX.replace(", people: [paul]", ""), ["nobody hears the messages in 3242200100"]),
        (MAIN_BOX.replace("people: [paul]", 'pin: "4711"'), []),
    ],
)
def test_somebody_hears_what_callers_of_the_main_number_say(tmp_path: Path, more: str, expected: list[str]) -> None:
    """V1: calls to the main number, and to numbers that nobody has, have a mailbox, too."""
    assert [finding.message for finding in found(tmp_path, OWN + more)] == expected


def test_a_recorded_but_unverified_mobile_is_no_finding(tmp_path: Path) -> None:
    """R1 itself says what happens until it is verified."""
    text = SOUND.replace(
        '{number: "+32470555012", verified: true, holder: claire}', '{number: "+32470555012", holder: claire}'
    )
    assert found(tmp_path, text) == []


def test_errors_of_loading_are_findings(tmp_path: Path) -> None:
    assert any("unknown key" in finding.message for finding in found(tmp_path, SOUND + "peeple: {}\n"))
