"""What is compiled keeps to what the compiler gets right (docs/adr/0009)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("router/sip", "router/policy", "router/calls")
NAMED = re.findall(r'"(router/\S+\.py)"', (ROOT / "setup.py").read_text())
COROUTINES = ast.AsyncFunctionDef | ast.Await | ast.AsyncWith | ast.AsyncFor


def trees(*paths: Path) -> dict[str, ast.Module]:
    return {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text()) for path in paths}


def awaits(tree: ast.Module) -> bool:
    return any(isinstance(node, COROUTINES) for node in ast.walk(tree))


@pytest.mark.parametrize("name", NAMED)
def test_what_is_named_to_be_compiled_never_awaits_in_a_finally(name: str) -> None:
    """`async with` is a `finally` inside."""
    for node in ast.walk(ast.parse((ROOT / name).read_text())):
        assert not isinstance(node, ast.AsyncWith)
        if isinstance(node, ast.Try):
            ending = [inner for statement in node.finalbody for inner in ast.walk(statement)]
            assert not any(isinstance(inner, COROUTINES) for inner in ending)


def test_what_awaits_extends_no_class_that_is_compiled() -> None:
    """An interpreted class cannot: it would be found out only where there is a compiler."""
    rooms = trees(*(path for room in ROOMS for path in (ROOT / room).glob("*.py")))
    native = {
        node.name
        for tree in rooms.values()
        if not awaits(tree)
        for node in tree.body
        if isinstance(node, ast.ClassDef) and not any(ast.unparse(base) == "Protocol" for base in node.bases)
    }
    assert len(native) > 100
    wrong = [
        f"{name}:{node.lineno} {node.name}"
        for name, tree in rooms.items()
        if awaits(tree)
        for node in tree.body
        if isinstance(node, ast.ClassDef) and any(ast.unparse(base) in native for base in node.bases)
    ]
    assert wrong == []
