"""What is compiled keeps to what the compiler gets right (docs/adr/0009)."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("router/sip", "router/policy", "router/calls")
WAITING = ast.Await | ast.AsyncWith | ast.AsyncFor | ast.Yield | ast.YieldFrom


def compiled() -> list[Path]:
    modules = re.findall(r'"(router/\S+\.py)"', (ROOT / "setup.py").read_text())
    return [*(path for room in ROOMS for path in (ROOT / room).glob("*.py")), *(ROOT / module for module in modules)]


def test_nothing_is_awaited_in_a_finally() -> None:
    """mypyc 2.4: such a coroutine raises the exception of an earlier call after it has ended well. `async with` is a
    `finally` inside."""
    assert len(compiled()) > 60
    wrong = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in compiled()
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AsyncWith)
        or (
            isinstance(node, ast.Try)
            and any(isinstance(inner, WAITING) for statement in node.finalbody for inner in ast.walk(statement))
        )
    ]
    assert wrong == []
