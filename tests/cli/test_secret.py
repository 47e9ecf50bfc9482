"""`renvoi secret`: the value that an administrator pastes into people.yaml is the one with which a phone gets in."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from router.configuration import load

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "config"
REALM = "atelier-meuse.example"


def secret(*arguments: str, typed: bytes, locale: str = "C.UTF-8") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "router", "secret", *arguments]
    environment = {**os.environ, "LC_ALL": locale, "PYTHONPATH": str(ROOT), "NO_COLOR": "1", "COLUMNS": "200"}
    result = subprocess.run(command, env=environment, input=typed, capture_output=True, timeout=30, check=False)
    return subprocess.CompletedProcess(command, result.returncode, result.stdout.decode(), result.stderr.decode())


@pytest.mark.parametrize(
    ("typed", "locale"), [(b"demo-204\n", "C.UTF-8"), (b"demo-204", "C.UTF-8"), (b"demo-204\r\nmore\n", "C")]
)
def test_the_secret_is_as_good_as_the_password(tmp_path: Path, typed: bytes, locale: str) -> None:
    """RFC 7616 §3.4.2: the same account comes out of the configuration, whether it holds the one or the other."""
    result = secret("204", "--realm", REALM, typed=typed, locale=locale)
    assert (result.returncode, result.stderr) == (0, "")
    assert "demo-204" not in result.stdout
    document: dict[str, Any] = {}
    for file in SAMPLE.glob("*.yaml"):
        document |= yaml.load(file.read_text(), yaml.BaseLoader)
    document["people"]["paul"]["devices"]["desk"]["secret"] = result.stdout.strip()
    (tmp_path / "company.yaml").write_text(yaml.safe_dump(document, allow_unicode=True))
    (tmp_path / "greylist.txt").write_text("")
    assert load(tmp_path).accounts["204"] == load(SAMPLE).accounts["204"]


def test_a_password_in_any_language_is_hashed_as_utf_8() -> None:
    """RFC 7616 §4: whatever the locale of the shell is."""
    results = {
        secret("204", "--realm", REALM, typed="été\n".encode(), locale=locale).stdout for locale in ("C", "C.UTF-8")
    }
    assert len(results) == 1
    assert results.pop().startswith("$HA1$md5:")


def test_at_a_terminal_the_password_is_asked_for_twice_and_never_shown() -> None:
    terminal, side = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "router", "secret", "204", "--realm", REALM],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdin=side,
            stdout=subprocess.PIPE,
            stderr=side,
            start_new_session=True,
        )
        shown = _until(terminal, b"Password: ")
        os.write(terminal, b"demo-204\n")
        shown += _until(terminal, b": ")
        os.write(terminal, b"demo-204\n")
        printed, _ = process.communicate(timeout=30)
    finally:
        os.close(terminal)
        os.close(side)
    assert process.returncode == 0
    assert printed.decode() == secret("204", "--realm", REALM, typed=b"demo-204\n").stdout
    assert b"demo-204" not in shown


def _until(terminal: int, ending: bytes) -> bytes:
    shown = b""
    while not shown.endswith(ending):
        shown += os.read(terminal, 1)
    return shown


@pytest.mark.parametrize(
    ("arguments", "typed", "message"),
    [
        (("204", "--realm", REALM), b"", "holds no password"),
        (("204", "--realm", REALM), b"\n", "holds no password"),
        (("204", "--realm", REALM), b"caf\xe9\n", "not UTF-8"),
        (("20:4", "--realm", REALM), b"x\n", "is no account"),
        (("204", "--realm", ""), b"x\n", "is no realm"),
        (("204",), b"x\n", "--realm"),
        (("204", "x", "--realm", REALM), b"x\n", "unexpected extra argument"),
    ],
)
def test_a_wrong_call_is_a_usage_error(arguments: tuple[str, ...], typed: bytes, message: str) -> None:
    result = secret(*arguments, typed=typed)
    assert result.returncode == 2
    assert result.stdout == ""
    assert message in result.stderr
    assert "Traceback" not in result.stderr
