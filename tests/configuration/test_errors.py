"""A bad configuration: every error at once, each with file, line and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.configuration import ConfigurationError, Finding, load
from tests.policy.company import COMPANY


def findings(directory: Path, text: str) -> tuple[Finding, ...]:
    """What is wrong with a configuration of one file."""
    (directory / "company.yaml").write_text(text)
    with pytest.raises(ConfigurationError) as raised:
        load(directory)
    return raised.value.findings


def line_of(text: str, part: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), start=1) if part in line)


# What is replaced, by what, a part of the line that the finding points at, what it says and what it advises.
MISTAKES = [
    ("name: Claire Dubois", "nmae: Claire", "nmae", "unknown key 'nmae' in people.claire", "did you mean 'name'?"),
    ('    role: sales\n    extension: "201"', '    extension: "201"', "  claire:", "'role' is missing", "role: …"),
    (
        'role: sales\n    extension: "201"',
        'role: sale\n    extension: "201"',
        "role: sale",
        "no role 'sale'",
        "'sales'",
    ),
    ("country: BE", "country: XX", "country: XX", "'XX' is not known", "BE"),
    ("Europe/Brussels", "Europe/Bruxelles", "time_zone", "no time zone", "Europe/Brussels"),
    ("on_call: reception", "on_call: recepton", "recepton", "'recepton' is neither", "did you mean 'reception'?"),
    ("after: 20s", "after: soon", "after: soon", "'soon' cannot be used", '"20s"'),
    ('from: "12:00", to: "13:00"', 'from: "12:00", to: "25:00"', "25:00", "'25:00' cannot be used", '"08:00"'),
    (
        "calendar: jours_ouvrables",
        "calendar: jours_ouvrable",
        "  office:",
        "no calendar",
        "did you mean 'jours_ouvrables'?",
    ),
    ("profile: lunch", "profile: lunsh", "lunsh", "no profile 'lunsh'", "did you mean 'lunch'?"),
    ("kind: mobile", "kind: mobil", "kind: mobil", "kind is 'mobil'", "did you mean 'mobile'?"),
    ('main_number: "+3242200100"', 'main_number: "+3242200195"', "200195", "not a verified number", "numbers:"),
    (
        'main_number: "+3242200100"',
        "main_number: 042200100",
        "042200100",
        "'042200100' cannot be used",
        '"+3242200100"',
    ),
    (
        'direct_number: "+3242200131"',
        'direct_number: "+3242200231"',
        "200231",
        "not a number of the company",
        "numbers:",
    ),
    ('extension: "202"', 'extension: "201"', None, "201 is already the extension of claire", "their own"),
    ('extension: "202"', 'extension: "101"', '"101"', "101 is an emergency number", "another extension"),
    ("based_on: sales", "based_on: line_first", "based_on: line_first", "inherits from itself", "based_on"),
    ("shows: team_number", "shows: team", "shows: team", "'team' is nothing that can be shown", "'team_number'"),
    (
        'number: "+3242200160"',
        'number: "+3242200131"',
        "200131",
        "+3242200131 already belongs to a person",
        "own number",
    ),
    ("    team: technical\n", "", "  thomas:", "belongs to no team", "team:"),
    ("pbx: central", "pbx: centrl", "pbx: centrl", "no PBX 'centrl'", "did you mean 'central'?"),
    ("successor: paul", "successor: pol", "successor", "'pol' is neither", "did you mean 'paul'?"),
    ('"127.0.0.1:5080"', '"127.0.0.1:50800000"', "50800000", "cannot be used", "65535"),
    ('"127.0.0.1:5080"', '"127.0.0.1:5070"', None, "both recognised by 127.0.0.1/32 port 5070", "its own address"),
    ("udp:127.0.0.1:5060", "udp:router.example:5060", "listen", "cannot be used", "needs an IP address"),
    ("sip:reception@127.0.0.1:5090", "reception", "  reception:", "'reception'", "sip:reception@"),
    ('"+881", "+224"', '"+881", "-224"', "-224", "'-224' is no prefix", '"+881"'),
    ("{soft: {kind: softphone, secret: x}}", "{soft: {kind: softphone}}", "soft:", "needs a secret", "secret:"),
    ("kind: softphone", "kind: private", "soft:", "temporary exception", "until:"),
    ("secret: x}}\n  luc", "secret: $HA1$md5:12}}\n  luc", "soft:", "secret cannot be used", "32 hexadecimal"),
    ("  claire:\n", "  claire:\n    name: X\n", "name: Claire", "'name' is written twice", "keep one"),
    ('range: "+3242200190..', 'range: "+3242200180..', None, "already in the range", "once"),
]


@pytest.mark.parametrize(("old", "new", "at", "message", "suggestion"), MISTAKES)
def test_a_mistake_is_found_where_it_is_written(
    tmp_path: Path, old: str, new: str, at: str | None, message: str, suggestion: str
) -> None:
    assert old in COMPANY
    text = COMPANY.replace(old, new, 1)
    found = [finding for finding in findings(tmp_path, text) if message in finding.message]
    assert found, [str(finding) for finding in findings(tmp_path, text)]
    assert found[0].mark.file == "company.yaml"
    if at is not None:
        assert found[0].mark.line == line_of(text, at)
    assert suggestion in found[0].suggestion


def test_all_mistakes_are_listed_at_once(tmp_path: Path) -> None:
    text = COMPANY.replace("role: technical", "role: technicl").replace("pbx: central", "pbx: centrl")
    text = text.replace("on_call: reception", "on_call: recepton")
    messages = " ".join(finding.message for finding in findings(tmp_path, text))
    assert "technicl" in messages
    assert "centrl" in messages
    assert "recepton" in messages


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("company: [", 1, "not YAML"),
        ("- company\n", 0, "holds sections"),
        ("company:\n\tname: x\n", 2, "not YAML"),
        ("people: &a {x: 1}\nteams: *a\n", 1, "anchors"),
        ("", 0, ""),
    ],
)
def test_what_is_not_a_configuration_at_all(tmp_path: Path, text: str, line: int, message: str) -> None:
    found = findings(tmp_path, text) if text else ()
    if not text:
        with pytest.raises(ConfigurationError):
            load(tmp_path / "nowhere")
        with pytest.raises(ConfigurationError, match=r"no \.yaml file"):
            load(tmp_path)
        return
    assert any(message in finding.message and finding.mark.line == line for finding in found), found


def test_sections_may_be_spread_over_files_but_not_repeated(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("people:\n  # a remark\n  claire: {name: Another, role: sales}\n")
    found = findings(tmp_path, COMPANY)
    assert [
        (str(finding.mark), "'claire' is written twice, first in company.yaml" in finding.message) for finding in found
    ] == [("more.yaml:3", True)]


def test_a_greylist_file_that_is_wrong_says_where(tmp_path: Path) -> None:
    (tmp_path / "fraud.txt").write_text("# list\n+881  # satellites\n\nxyz\n")
    text = COMPANY.replace("greylist:\n", "greylist:\n  files: [fraud.txt, missing.txt]\n")
    found = findings(tmp_path, text)
    assert [(finding.mark.file, "xyz" in finding.message, "missing.txt" in finding.message) for finding in found] == [
        ("company.yaml", False, True),
        ("fraud.txt", True, False),
    ]
    assert [finding.mark.line for finding in found if finding.mark.file == "fraud.txt"] == [4]


def test_a_password_from_the_environment_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRUNK_PASSWORD", raising=False)
    register = ', register: {registrar: "sip:provider.example", user: "3242200100", password: "${TRUNK_PASSWORD}"}}'
    text = COMPANY.replace('"127.0.0.1:5080"}', '"127.0.0.1:5080"' + register)
    found = findings(tmp_path, text)
    assert ["TRUNK_PASSWORD is not set" in finding.message for finding in found] == [True]
    monkeypatch.setenv("TRUNK_PASSWORD", "s3cret")
    registration = load(tmp_path).trunks[0].registration
    assert registration is not None
    assert registration.password == "s3cret"
    assert "s3cret" not in repr(registration)


def test_a_registration_has_one_password_and_a_sip_registrar(tmp_path: Path) -> None:
    register = ', register: {registrar: "provider.example", user: "3242200100", password: x}}'
    found = findings(tmp_path, COMPANY.replace('"127.0.0.1:5080"}', '"127.0.0.1:5080"' + register))
    assert "sip:provider.example" in found[0].suggestion
    register = ', register: {registrar: "sip:provider.example", user: "3242200100"}}'
    found = findings(tmp_path, COMPANY.replace('"127.0.0.1:5080"}', '"127.0.0.1:5080"' + register))
    assert "needs one password" in found[0].message
