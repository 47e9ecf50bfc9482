"""`renvoi schema`: the JSON Schema of the configuration, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from router.cli.findings import print_json


def schema(
    output: Annotated[
        Path | None, typer.Option(help="Write it to this file instead of printing it.", dir_okay=False, metavar="FILE")
    ] = None,
) -> None:
    """Print the JSON Schema of the configuration. An editor that knows it completes keys and underlines mistakes.

    With the YAML language server (VS Code, Neovim, Emacs …): renvoi schema --output renvoi.schema.json, and as the
    first line of each file: # yaml-language-server: $schema=renvoi.schema.json
    """
    # Imported here, as only this command needs pydantic's schema generator.
    from router.configuration.json_schema import json_schema

    if output is None:
        print_json(json_schema())
        return
    try:
        output.write_text(json.dumps(json_schema(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    except OSError as error:
        raise typer.BadParameter(f"{output} cannot be written: {error.strerror}", param_hint="--output") from None


def register(app: typer.Typer) -> None:
    """Add `schema` to the command line."""
    app.command()(schema)
