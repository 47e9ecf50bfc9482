"""`renvoi simulate` as its users call it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.feeds.copies import copy_path, keep_copy
from router.feeds.source import Version
from tests.policy.company import COMPANY


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "company.yaml").write_text(COMPANY)
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def simulated(config: Path, *arguments: str) -> dict[str, Any]:
    result = run("simulate", "--config", str(config), "--json", *arguments)
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_simulate_answers_in_json(config: Path) -> None:
    answer = simulated(config, "--from", "+32475111222", "--to", "+3242200121", "--at", "2026-11-24T17:00")
    assert (answer["action"], answer["target"], answer["shown_number"]) == ("forward", "voicemail", "+32475111222")
    assert answer["shown_name"] is None
    assert answer["because"][0]["clause"] == "R4"
    assert answer["because"][0]["source"].startswith("company.yaml:")
    assert answer["says"] == {"fr": "Parti pour la journée"}


@pytest.mark.parametrize(
    ("caller", "shown"),
    [
        ("paul", "+3242200124"),  # a person: by the first of their devices
        ("204", "+3242200124"),  # an extension
        ("204-gsm", "+3242200100"),  # an account
        ("+3242200124", "+3242200124"),
        ("+32470555012", "+32470555012"),
        ("301", "+3242200160"),
    ],
)
def test_simulate_knows_people_by_many_names(config: Path, caller: str, shown: str) -> None:
    assert simulated(config, "--from", caller, "--to", "0475111222")["shown_number"] == shown


def test_simulate_takes_states(config: Path) -> None:
    common = ("--from", "anonymous", "--to", "claire", "--at", "2026-11-24T10:00:00+01:00")
    assert simulated(config, *common)["action"] == "ring"
    assert simulated(config, *common)["shown_number"] is None
    assert simulated(config, *common, "--state", "claire=on_call")["target"] == "reception"
    assert simulated(config, *common, "--state", "claire=busy_other")["target"] == "queue:sales"
    assert simulated(config, *common, "--state", "claire=lunch")["profile"] == "lunch"
    assert simulated(config, *common, "--state", "claire=no_answer")["target"] == "voicemail"
    both = ("--state", "claire=on_call", "--state", "claire=meeting")
    assert simulated(config, *common, *both)["target"] == "queue:sales"


def test_simulate_reads_like_the_policy(config: Path) -> None:
    arguments = ("--from", "+32475111222", "--to", "+3242200124", "--at", "2026-11-24T12:15")
    lines = run("simulate", "--config", str(config), *arguments).stdout.splitlines()
    assert lines[0] == "Paul Servais (standard) · lunch since 12:00, by schedule"
    assert lines[1].startswith("→ voicemail of Paul Servais")
    assert "« En pause déjeuner »" in lines[1]
    assert lines[2].split()[:2] == ["because", "M4"]
    assert "company.yaml:" in lines[2]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--from", "nobody!", "--to", "201"), "no caller"),
        (("--from", "201", "--to", "202", "--at", "yesterday"), "ISO"),
        (("--from", "201", "--to", "202", "--state", "clare=on_call"), "claire"),
        (("--from", "201", "--to", "202", "--state", "claire=asleep"), "no state"),
        (("--from", "201"), "--to"),
    ],
)
def test_a_wrong_command_line_is_a_usage_error(config: Path, arguments: tuple[str, ...], message: str) -> None:
    result = run("simulate", "--config", str(config), *arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_a_broken_configuration_is_listed_and_not_simulated(config: Path) -> None:
    (config / "company.yaml").write_text(COMPANY.replace("role: technical", "role: technicl"))
    result = run("simulate", "--config", str(config), "--from", "201", "--to", "202")
    assert result.exit_code == 1
    assert "there is no role 'technicl'" in result.stdout


def test_lists_that_somebody_else_keeps_count(config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """X2: as the router last fetched them; `check` proves with them, too."""
    monkeypatch.chdir(tmp_path)
    url = "https://fraud.example/list"
    sources = f"greylist:\n  sources:\n    - {{url: '{url}', sha256: '{'0' * 64}'}}\n"
    assert COMPANY.count("greylist:\n") == 1
    (config / "company.yaml").write_text(COMPANY.replace("greylist:\n", sources))
    call = ("--from", "paul", "--to", "+88212345678")
    assert simulated(config, *call)["action"] == "dial"
    before = json.loads(run("check", "--config", str(config), "--json").stdout)["greylist_prefixes"]
    keep_copy(copy_path(Path("var"), "greylist", url), b"+882\n+883\n", Version(), 1_795_510_800.0)
    answer = simulated(config, *call)
    assert (answer["action"], answer["because"][-1]["clause"]) == ("refuse", "X2")
    assert json.loads(run("check", "--config", str(config), "--json").stdout)["greylist_prefixes"] == before + 2
