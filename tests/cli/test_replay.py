"""`renvoi replay` as its users call it: calls of a day, decided again under a changed configuration."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.configuration import load
from router.observe.records import serialise
from router.proof.simulation import Inputs
from tests.cli.test_explain import recorded
from tests.policy.company import COMPANY

CUSTOMER = "+32475111222"
CALLS = (
    Inputs(CUSTOMER, "claire", ("claire=no_answer",)),
    Inputs(CUSTOMER, "paul", ("paul=meeting@administrator",)),
    Inputs(CUSTOMER, "thomas", ("thomas=meeting",)),
    Inputs("paul", "0475111222"),
    Inputs("isabelle", "+32475111222"),
    Inputs("pbx:central:501", "00881612345678"),
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    directory = tmp_path / "old"
    directory.mkdir()
    (directory / "company.yaml").write_text(COMPANY)
    return directory


@pytest.fixture
def records(old: Path, tmp_path: Path) -> Path:
    configuration = load(old)
    path = tmp_path / "calls.jsonl"
    lines = [
        serialise(recorded(configuration, f"call-{number}", inputs, ()), configuration.policy.zone)
        for number, inputs in enumerate(CALLS)
    ]
    path.write_bytes(b"".join(lines))
    return path


def new(tmp_path: Path, *changes: tuple[str, str]) -> Path:
    """A copy of the configuration with some changes."""
    directory = tmp_path / "new"
    directory.mkdir()
    text = COMPANY
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    (directory / "company.yaml").write_text(text)
    return directory


def run(config: Path, records: Path, *arguments: str) -> Result:
    result = CliRunner().invoke(
        app, ["replay", "--config", str(config), "--records", str(records), "--from", "2026-11-24", *arguments]
    )
    assert result.exit_code == 0, result.output
    return result


def answer(config: Path, records: Path, *arguments: str) -> dict[str, Any]:
    told: dict[str, Any] = json.loads(run(config, records, "--json", *arguments).stdout)
    return told


def test_the_same_configuration_treats_every_call_alike(old: Path, records: Path) -> None:
    assert re.fullmatch(r"0 of 6 calls would be treated differently · \d+\.\d s\n", run(old, records).stdout)


def test_a_changed_rule_is_told_once_for_all_its_calls(tmp_path: Path, records: Path) -> None:
    config = new(tmp_path, ("busy_other: reception", "busy_other: voicemail"))
    told = run(config, records).stdout
    assert "2 of 6 calls would be treated differently" in told
    assert "forwarded to reception\n  → forwarded to voicemail\n" in told
    assert "call-1" in told
    assert "call-2" in told
    before = next(line for line in told.splitlines() if line.startswith("  before"))
    assert "→ reception" in before
    assert "company.yaml:" in before


def test_attempts_count_as_they_happened(tmp_path: Path, records: Path) -> None:
    config = new(tmp_path, ("    name: Claire Dubois\n", "    name: Claire Dubois\n    when: {no_answer: marc}\n"))
    (group,) = answer(config, records)["groups"]
    (call,) = group["calls"]
    assert call["call_id"] == "call-0"
    assert (call["before"]["tried"], call["before"]["target"]) == (["claire"], "voicemail")
    assert (call["after"]["tried"], call["after"]["action"], call["after"]["target"]) == (["claire"], "forward", "marc")
    assert call["after"]["because"][0]["source"].startswith("company.yaml:")


def test_another_number_shown_is_a_difference(tmp_path: Path, records: Path) -> None:
    config = new(tmp_path, ("fixed: direct_number, mobile", "fixed: main_number, mobile"))
    told = run(config, records).stdout
    assert "2 calls · goes out to +32475111222, shows a number of their own" in told
    assert "→ goes out to +32475111222, shows +3242200100" in told
    assert "a number of their own" not in run(config, records, "--lang", "fr").stdout


def test_the_greylist_of_the_new_configuration_counts(tmp_path: Path, records: Path) -> None:
    config = new(
        tmp_path,
        ('"+881", "+224"', '"+224"'),
        ("satellite: {number", "satellite_: {number"),
        ("busy_other: satellite", "busy_other: satellite_"),
    )
    groups = answer(config, records)["groups"]
    assert [(g["calls"][0]["before"]["action"], g["calls"][0]["after"]["action"]) for g in groups] == [
        ("refuse", "dial")
    ]


def test_only_the_days_that_were_asked_for(old: Path, records: Path) -> None:
    assert answer(old, records, "--from", "2026-11-25")["calls"] == 0
    assert answer(old, records, "--from", "2026-11-01", "--to", "2026-11-23")["calls"] == 0
    assert answer(old, records, "--from", "2026-11-01", "--to", "2026-11-24")["calls"] == 6


def test_what_cannot_be_compared_is_counted_apart(old: Path, records: Path) -> None:
    lines = [json.loads(line) for line in records.read_text().splitlines()]
    lines[5]["because"][-1]["rule"] = "limit"
    del lines[1]["configuration"], lines[1]["weighed"]
    records.write_text("".join(json.dumps(line) + "\n" for line in lines))
    told = run(old, records).stdout
    assert "1 of 5 calls would be treated differently" in told
    assert "1 not compared: a limit refused them" in told
    assert "1 of an older router" in told


@pytest.mark.parametrize("arguments", [("--from", "yesterday"), ("--from", "2026-11-24", "--to", "2026-11-23")])
def test_a_wrong_day_is_a_usage_error(old: Path, records: Path, arguments: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, ["replay", "--config", str(old), "--records", str(records), *arguments])
    assert result.exit_code == 2
