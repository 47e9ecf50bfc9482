"""Commands shown in a document, run again: `python -m tests.configuration.examples` writes what they print today.

An example is a fenced block "console": a line that begins with "$ renvoi", and below it what the command prints. The
commands run in a directory with three configurations: `config`, the sample company; `faulty`, a copy with mistakes; and
`changed`, a copy with other rules.
"""

from __future__ import annotations

import contextlib
import re
import shlex
import shutil
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import time_machine
from typer.testing import CliRunner

from router.cli.main import app

ROOT = Path(__file__).resolve().parents[2]
DOCUMENT = ROOT / "docs" / "policy-by-example.md"
WRITTEN_ON = "2026-11-24T10:00:00+01:00"  # `check` judges exceptions by the day
FAULTS = (
    ("people.yaml", "role: sales", "role: sale"),
    ("people.yaml", "direct_number:", "direct_nummer:"),
    ("profiles.yaml", "offers: [message, callback]", "offers: [message, callback"),
)
CHANGES = (
    ("roles.yaml", "busy_other: queue:sales", "busy_other: reception"),
    ("roles.yaml", 'from: "12:00", to: "13:00"', 'from: "12:00", to: "13:30"'),
    ("people.yaml", "successor: sophie", "successor: paul"),
)

_EXAMPLE = re.compile(r"^```console\n\$ (renvoi [^\n]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_DURATION = re.compile(r"\d+\.\d(?= s$)|(?<=\"seconds\": )\d+\.\d+$", re.MULTILINE)


class Example(NamedTuple):
    """A command, and what the document says that it prints."""

    command: str
    output: str


def examples(text: str) -> list[Example]:
    """Return the examples of a document."""
    return [Example(*found.groups()) for found in _EXAMPLE.finditer(text)]


def make_configurations(directory: Path) -> None:
    """Put `config`, `faulty` and `changed` into a directory."""
    shutil.copytree(ROOT / "config", directory / "config")
    for copy, replacements in (("faulty", FAULTS), ("changed", CHANGES)):
        shutil.copytree(ROOT / "config", directory / copy)
        for name, old, new in replacements:
            file = directory / copy / name
            text = file.read_text()
            assert old in text, (name, old)
            file.write_text(text.replace(old, new, 1))


def run(command: str, directory: Path) -> str:
    """Return what a command prints; how long it took is always 0.1 s."""
    with contextlib.chdir(directory), time_machine.travel(WRITTEN_ON, tick=False):
        result = CliRunner().invoke(app, shlex.split(command)[1:])
    assert result.exit_code in (0, 1), result.output
    return _DURATION.sub("0.1", result.output)


def rewritten(text: str, directory: Path) -> str:
    """Return a document with what its commands print now."""
    return _EXAMPLE.sub(lambda found: f"```console\n$ {found[1]}\n{run(found[1], directory)}```", text)


if __name__ == "__main__":
    with TemporaryDirectory() as temporary:
        make_configurations(Path(temporary))
        DOCUMENT.write_text(rewritten(DOCUMENT.read_text(), Path(temporary)))
