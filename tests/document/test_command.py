"""`renvoi document` as its users call it."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.configuration import load
from tests.document.company import COMPANY


@pytest.fixture
def config(tmp_path: Path) -> Path:
    directory = tmp_path / "config"
    directory.mkdir()
    (directory / "company.yaml").write_text(COMPANY)
    return directory


def run(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["document", *arguments])


def test_it_prints_markdown_in_the_company_s_first_language(config: Path) -> None:
    result = run("--config", str(config), "--at", "2026-11-24T10:00")
    assert result.exit_code == 0
    assert result.stdout.startswith("# Politique téléphonique\n\n**Atelier de la Meuse**\n\nÉcrite le 24 novembre 2026")


@pytest.mark.parametrize(("name", "begins"), [("p.html", b"<!doctype html>"), ("p.pdf", b"%PDF-"), ("p.md", b"# Tele")])
def test_the_name_of_the_output_says_the_format(config: Path, tmp_path: Path, name: str, begins: bytes) -> None:
    result = run("--config", str(config), "--lang", "en", "--output", str(tmp_path / name))
    assert (result.exit_code, result.stdout) == (0, "")
    assert (tmp_path / name).read_bytes().startswith(begins)


def test_the_format_can_be_said(config: Path) -> None:
    result = run("--config", str(config), "--lang", "en", "--format", "html")
    assert result.stdout.startswith('<!doctype html>\n<html lang="en">')


def test_the_hash_of_the_configuration_stands_on_top(config: Path) -> None:
    assert load(config).hash[:12] in run("--config", str(config)).stdout


def test_a_faulty_configuration_is_told_as_check_tells_it(config: Path) -> None:
    (config / "company.yaml").write_text(COMPANY.replace("role: sales,", "role: sale,"))
    result = run("--config", str(config))
    assert result.exit_code == 1
    assert "company.yaml:" in result.stdout
    assert "there is no role 'sale'" in result.stdout
    assert (
        result.stdout
        == CliRunner().invoke(app, ["simulate", "--config", str(config), "--from", "1", "--to", "2"]).stdout
    )


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--at", "yesterday"), "yesterday"),
        (("--lang", "de"), "de"),
        (("--format", "doc"), "doc"),
        (("--output", "/nowhere/at/all.pdf"), "cannot be written"),
    ],
)
def test_a_wrong_command_line_exits_with_2(config: Path, arguments: tuple[str, ...], told: str) -> None:
    result = run("--config", str(config), *arguments)
    assert result.exit_code == 2
    assert told in result.output
