"""`renvoi token`: what it prints is what the configuration takes and the API accepts."""

from __future__ import annotations

import hashlib
import re

from typer.testing import CliRunner

from router.cli.main import app


def made(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["token", *arguments])
    assert result.exit_code == 0, result.output
    return result.output


def test_the_token_is_shown_once_and_kept_as_a_hash() -> None:
    output = made("wallboard", "--role", "reader")
    token = re.search(r"^ {4}(renvoi_\S{40,})$", output, re.MULTILINE)
    assert token is not None
    digest = hashlib.sha256(token[1].encode()).hexdigest()
    assert f'      wallboard: {{hash: "sha256:{digest}", role: reader}}' in output
    assert made("wallboard") != output, "each is another"


def test_a_persons_token_names_the_person() -> None:
    assert "role: person, person: claire}" in made("claire", "--role", "person", "--person", "claire")
    for arguments in (["x", "--role", "person"], ["x", "--role", "reader", "--person", "claire"]):
        assert CliRunner().invoke(app, ["token", *arguments]).exit_code == 2
