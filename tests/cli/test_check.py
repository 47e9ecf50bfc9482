"""`renvoi check` as its users call it."""

from __future__ import annotations

import json
from pathlib import Path

import time_machine
from typer.testing import CliRunner, Result

from router.cli.main import app
from tests.policy.company import COMPANY


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, arguments)


def test_check_exits_with_0_1_or_2(tmp_path: Path) -> None:
    config = tmp_path / "config"
    config.mkdir()
    (config / "company.yaml").write_text(COMPANY)
    result = run("check", "--config", str(config))
    assert result.exit_code == 1
    assert "calls go round: ada → bob → ada" in result.stdout
    result = run("check", "--config", str(config), "--json")
    assert result.exit_code == 1
    answer = json.loads(result.stdout)
    assert set(answer["findings"][0]) == {
        *("file", "line", "severity", "clause", "message", "suggestion", "call", "command")
    }
    assert answer["people"] == 13
    assert answer["cases"] > 1000
    assert run("check", "--config", str(tmp_path / "nowhere")).exit_code == 2
    with time_machine.travel("2026-11-24T10:00:00+01:00", tick=False):  # its exceptions end some day
        assert run("check", "--config", "config").exit_code == 0
