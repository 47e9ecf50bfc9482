"""docs/policy-by-example.md: every command prints what the document says, and every clause has its example."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.configuration.examples import DOCUMENT, Example, examples, make_configurations, run

CLAUSES = "M1 M2 M3 M4 M5 F1 F2 F3 F4 F5 R1 R2 R3 R4 R5 R6 R7 R8 P2 P4 S3 S5 S6 X2 G1 G4 G5 G6".split()
TEXT = DOCUMENT.read_text()


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("examples")
    make_configurations(made)
    return made


@pytest.mark.parametrize("example", examples(TEXT), ids=lambda example: example.command.removeprefix("renvoi "))
def test_the_command_prints_what_the_document_says(directory: Path, example: Example) -> None:
    """After a change of config/: python -m tests.configuration.examples."""
    assert run(example.command, directory) == example.output


@pytest.mark.parametrize("clause", CLAUSES)
def test_the_clause_has_an_example(clause: str) -> None:
    section = re.search(rf"^### {clause}\b.*?(?=^##|\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert section is not None
    assert any(example.command.startswith("renvoi simulate --config config ") for example in examples(section[0]))


@pytest.mark.parametrize(
    ("command", "heading"),
    [
        (
            "renvoi simulate --config config --from +32475111222 --to +3242200121 --at 2026-11-24T12:15 --json",
            "renvoi simulate --json",
        ),
        ("renvoi check --config faulty --json", "renvoi check --json"),
    ],
)
def test_every_key_of_the_json_is_described(directory: Path, command: str, heading: str) -> None:
    answer = json.loads(run(command, directory))
    keys = set(answer) | {key for finding in answer.get("findings", ()) for key in finding}
    section = TEXT.split(f"## `{heading}`", 1)[1].split("\n## ", 1)[0]
    first_cells = " ".join(re.findall(r"^\| (.*?) \|", section, re.MULTILINE))
    assert keys == set(re.findall(r"`(\w+)`", first_cells))
