"""Whatever is written, loading gives a configuration or a list of findings, never a traceback."""

from __future__ import annotations

import copy
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from router.proof.check import check
from tests.policy.company import COMPANY, moment

DOCUMENT = yaml.load(COMPANY, Loader=yaml.BaseLoader)
NOW = moment("2026-11-24T10:00")


def _paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    paths = [path] if path else []
    for key, value in entries:
        paths.extend(_paths(value, (*path, key)))
    return paths


PATHS = _paths(DOCUMENT)
WORDS = [
    "",
    "x",
    "claire",
    "reception",
    "queue:sales",
    "+32",
    "+3242200121",
    "08:00",
    "-1",
    "sip:",
    "mon-",
    "{",
    "$HA1$",
]
VALUES = st.one_of(
    st.none(),
    st.sampled_from(WORDS),
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12),
    st.just([]),
    st.just({}),
    st.just({"then": "claire"}),
    st.just(["a", {"b": None}]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PATHS), VALUES), min_size=1, max_size=3))
def test_a_changed_configuration_is_good_or_explained(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    document = copy.deepcopy(DOCUMENT)
    for path, value in changes:
        node = document
        for key in path[:-1]:
            node = node[key] if isinstance(node, dict | list) and _has(node, key) else None
        if isinstance(node, dict) or (isinstance(node, list) and _has(node, path[-1])):
            node[path[-1]] = value
    with TemporaryDirectory() as temporary:
        directory = Path(temporary)
        (directory / "company.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
        for finding in check(directory, NOW):
            assert finding.message
            assert finding.mark.file


def _has(node: Any, key: Any) -> bool:
    return key in node if isinstance(node, dict) else isinstance(key, int) and key < len(node)


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=60) | st.text(st.sampled_from("[]{}:,-&*!|>'\"# \n\tcompany"), max_size=60).map(str.encode))
def test_any_bytes_are_explained(data: bytes) -> None:
    with TemporaryDirectory() as temporary:
        directory = Path(temporary)
        (directory / "company.yaml").write_bytes(data)
        assert check(directory, NOW)


LINES = COMPANY.split("\n")


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from(["cut", "indent", "dedent", "quote", "open", "tab"])),
        min_size=1,
        max_size=3,
    )
)
def test_slips_of_an_editor_are_explained(slips: list[tuple[int, str]]) -> None:
    """Text that is not YAML any more is read as far as it can be, and what it lacks then is never a traceback."""
    lines = list(LINES)
    for number, slip in slips:
        line = lines[number]
        lines[number] = {
            "cut": line[: len(line) // 2],
            "indent": " " + line,
            "dedent": line[1:],
            "quote": line + ' "',
            "open": line + " {",
            "tab": "\t" + line,
        }[slip]
    with TemporaryDirectory() as temporary:
        directory = Path(temporary)
        (directory / "company.yaml").write_text("\n".join(lines))
        for finding in check(directory, NOW):
            assert finding.message
            assert finding.mark.line <= len(lines)
