"""`renvoi greylist show` as its users call it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.feeds.copies import copy_path, keep_copy
from router.feeds.source import Version
from tests.policy.company import COMPANY, moment

WHEN = "2026-11-24T10:00"
TEXT = (
    COMPANY.replace("greylist:\n", 'greylist:\n  files: [fraud.txt]\n  inbound: ["+4411"]\n')
    + 'limits: {abroad: {prefixes: ["+"], except: ["+32"], calls_per_day: 9}}\n'
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "company.yaml").write_text(TEXT)
    (tmp_path / "fraud.txt").write_text("# fraud\n+225\n")
    return tmp_path


def show(config: Path, number: str, *arguments: str, at: str = WHEN) -> Result:
    return CliRunner().invoke(app, ["greylist", "show", number, "--config", str(config), "--at", at, *arguments])


def line_of(part: str) -> int:
    return next(number for number, line in enumerate(TEXT.splitlines(), 1) if part in line)


@pytest.mark.parametrize(
    ("number", "code", "words"),
    [
        ("0022512345678", 1, ["+22512345678", "must not be called", "X2   +225 is on the greylist", "fraud.txt:2"]),
        ("+225 12 34 56 78", 1, ["+22512345678"]),
        ("+441112345678", 1, ["must not be called · its calls are refused", "G9   callers from +4411"]),
        ("+224621222333", 0, ["may be called", "+224 is on", "S8   +224621 is allowed until 2026-12-31", "by paul"]),
        ("0475 11 12 22", 0, ["+32475111222", "may be called · its calls are let in · not listed"]),
        ("+33142000000", 0, ["not listed · counts to the limit abroad"]),
        ("112", 0, ["112", "may be called · an emergency number"]),
        ("1733", 0, ["may be called · a short number"]),
        ("042200121", 0, ["+3242200121", "a number of the company"]),
    ],
)
def test_a_number_in_any_spelling(config: Path, number: str, code: int, words: list[str]) -> None:
    result = show(config, number)
    assert result.exit_code == code, result.output
    for word in words:
        assert word in result.stdout


def test_an_exception_that_is_over_is_named(config: Path) -> None:
    """S8."""
    result = show(config, "+224621222333", at="2027-01-01T00:00")
    assert result.exit_code == 1
    assert "not      S8   +224621 is allowed until 2026-12-31, approved by paul (ended)" in result.stdout


def test_in_french(config: Path) -> None:
    lines = show(config, "+224621222333", "--lang", "fr").stdout.splitlines()
    assert lines[0] == "+224621222333"
    assert lines[1] == "→ peut être appelé · ses appels sont admis · compte pour la limite abroad"
    assert lines[2].startswith("  car      X2   +224 est une destination sur liste grise")
    assert "jusqu'au 31/12/2026, avec l'accord de paul" in lines[3]


def test_in_json(config: Path) -> None:
    answer = json.loads(show(config, "+224621222333", "--json").stdout)
    exception = answer.pop("exception")
    assert answer == {
        "number": "+224621222333",
        "may_be_called": True,
        "is_let_in": True,
        "special": None,
        "entry": {
            "prefix": "+224",
            "source": "company.yaml",
            "line": line_of('"+2246211"'),
            "inbound": False,
            "fetched_at": None,
        },
        "caller_entry": None,
        "caller_exception": None,
        "ended_exceptions": [],
        "limits": ["abroad"],
        "without": [],
    }
    assert (exception["prefix"], exception["until"]) == ("+224621", "2027-01-01T00:00:00+01:00")
    assert (exception["approved_by"], exception["source"]) == ("paul", f"company.yaml:{line_of('prefix: ')}")


def test_a_list_of_somebody_else_is_read_from_the_routers_copy(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """X2: with its name and when it was fetched; without a copy, it says so."""
    monkeypatch.chdir(tmp_path)
    url = "https://fraud.example/list?key=s3cret"
    sources = f"greylist:\n  sources:\n    - {{url: '{url}', sha256: '{'0' * 64}', inbound: true}}\n"
    (config / "company.yaml").write_text(TEXT.replace("greylist:\n", sources))
    result = show(config, "+88212345678")
    assert result.exit_code == 0
    assert "not listed" in result.stdout
    assert "no copy in var/feeds" in result.stdout
    keep_copy(copy_path(Path("var"), "greylist", url), b"# list\n+882\n", Version(), moment("2026-11-24T09:12"))
    result = show(config, "+88212345678")
    assert result.exit_code == 1
    assert "must not be called · its calls are refused" in result.stdout
    assert "no copy" not in result.stdout
    assert ":2, fetched 2026-11-24 09:12" in result.stdout
    assert "s3cret" not in result.stdout
    entry = json.loads(show(config, "+88212345678", "--json").stdout)["caller_entry"]
    assert (entry["line"], entry["inbound"], entry["fetched_at"]) == (2, True, "2026-11-24T09:12:00+01:00")


@pytest.mark.parametrize("arguments", [["nobody"], ["+22512345678", "--at", "yesterday"], []])
def test_a_wrong_command_line_is_a_usage_error(config: Path, arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["greylist", "show", *arguments, "--config", str(config)])
    assert result.exit_code == 2


def test_a_configuration_that_cannot_be_used_is_told_as_check_does(config: Path) -> None:
    (config / "fraud.txt").write_text("225\n")
    result = show(config, "+22512345678")
    assert result.exit_code == 1
    assert "'225' is no prefix" in result.stdout
