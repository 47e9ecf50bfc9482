"""The JSON Schema for editors: it takes what the router takes, file by file, and refuses what it refuses."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
import yaml
from typer.testing import CliRunner

from router.cli.main import app
from router.configuration.json_schema import json_schema
from router.configuration.key_descriptions import DESCRIPTIONS, EXAMPLES
from router.configuration.section import Section
from router.configuration.sources import Sources
from router.configuration.validation import validate
from tests.policy.company import COMPANY

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted([*(ROOT / "config").glob("*.yaml"), *(ROOT / "bench" / "config").glob("*.yaml")])
SCHEMA = json_schema()


class EditorLoader(yaml.SafeLoader):
    """Reads scalars as an editor does (YAML 1.2 core): no dates, no sexagesimal numbers, no "yes"."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 (PyYAML's own attribute)


for tag, pattern, first in (
    ("bool", r"^(?:true|True|TRUE|false|False|FALSE)$", "tTfF"),
    ("null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("int", r"^[-+]?[0-9]+$", "-+0123456789"),
    ("float", r"^[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?$", "-+.0123456789"),
):
    EditorLoader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(pattern), list(first))


def problems(text: str) -> list[str]:
    """What an editor underlines in a file."""
    written = yaml.load(text, EditorLoader)
    return [error.message for error in jsonschema.Draft202012Validator(SCHEMA).iter_errors(written)]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.parent.name}/{file.name}")
def test_the_sample_files_are_right_each_for_itself(file: Path) -> None:
    assert problems(file.read_text()) == []


def test_every_short_form_is_taken() -> None:
    assert problems(COMPANY) == []
    assert (
        problems(
            """
        sip: {listen: "udp:127.0.0.1:5060", digest: sha-256}
        people:
          claire: {name: Claire, role: sales, extension: 201, rings: [desk, {gsm: 10s}], when: {on_call: reception}}
          marc: {name: Marc, role: sales, shows: direct_number, when: , left: 2026-09-30, rings: all}
        profiles: {lunch: {kind: absent, says: À table, offers: [message, {transfer: reception}], ends_after: 2h}}
        hours: {office: [{calendar: days, from: "8:00", to: "12:00"}, {calendar: days, from: "13:00", to: "24:00"}]}
        calendars: {days: {days: [mon-thu, fri], except: public_holidays}}
        trunks: {one: {address: "[2001:db8::1]:5060", from: 203.0.113.0/24, options_interval: 0}}
        """
        )
        == []
    )


@pytest.mark.parametrize(
    ("written", "wrong"),
    [
        ("people: {claire: {name: C, role: r, direct_nummer: x}}", "direct_nummer"),
        ("compny: {}", "compny"),
        ("profiles: {p: {kind: away}}", "away"),
        ("people: {claire: {role: r}}", "name"),
        ("roles: {r: {when: {no_answer: {after: soon, then: voicemail}}}}", ""),
        ("hours: {h: {calendar: c, from: '25:00', to: '17:00'}}", ""),
        ("numbers: [{number: '042200100'}]", ""),
        ("people: [claire]", ""),
    ],
)
def test_what_is_wrong_is_underlined(written: str, wrong: str) -> None:
    found = problems(written)
    assert found
    assert any(wrong in message for message in found)


def test_every_key_is_described_and_no_other() -> None:
    sections = {section.__name__: section for section in Section.__subclasses__()}
    assert sections
    for name, section in sections.items():
        keys = {field.alias or key for key, field in section.model_fields.items()}
        assert keys == set(DESCRIPTIONS.get(name, {})), name
        assert keys >= set(EXAMPLES.get(name, {})), name


def test_durations_are_taken_by_the_editor_and_by_the_router(tmp_path: Path) -> None:
    """An editor must not underline what works, nor pass what does not."""
    for text in ("20s", "3min", "90"):
        (tmp_path / "company.yaml").write_text(COMPANY.replace("after: 20s", f"after: {text}"))
        sources = Sources(tmp_path)
        validate(sources)
        assert sources.findings == []
        assert problems((tmp_path / "company.yaml").read_text()) == []


def test_the_command_prints_it_and_writes_it(tmp_path: Path) -> None:
    printed = CliRunner().invoke(app, ["schema"])
    assert json.loads(printed.stdout) == SCHEMA
    file = tmp_path / "renvoi.schema.json"
    written = CliRunner().invoke(app, ["schema", "--output", str(file)])
    assert (written.exit_code, written.stdout) == (0, "")
    assert json.loads(file.read_text()) == SCHEMA
    assert CliRunner().invoke(app, ["schema", "--output", str(tmp_path / "no" / "where")]).exit_code == 2
