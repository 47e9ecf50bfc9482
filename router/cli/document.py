"""`renvoi document`: the company's telephone policy in writing, as the configuration has it."""

from __future__ import annotations

import sys
import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from router.cli.findings import ConfigOption, Language, load_or_exit
from router.proof.simulation import WrongInput, moment


class Format(StrEnum):
    """Formats in which it can be had."""

    HTML = "html"
    MARKDOWN = "md"
    PDF = "pdf"


def document(
    config: ConfigOption,
    lang: Annotated[
        Language | None, typer.Option(help="Language. Default: the company's first that can be had.")
    ] = None,
    format: Annotated[
        Format | None, typer.Option(help="Format. Default: what the name of the output says, else Markdown.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write. Default: standard output.", dir_okay=False)
    ] = None,
    at: Annotated[
        str | None,
        typer.Option(
            help="For which moment (ISO 8601; without an offset: company time, or a time of today). Default: now."
        ),
    ] = None,
) -> None:
    """Write the telephone policy of the company from its configuration."""
    loaded = load_or_exit(config)
    try:
        now = moment(at, loaded.configuration.policy.zone, time.time())
    except WrongInput as error:
        raise typer.BadParameter(str(error), param_hint="--at") from None
    language = lang.value if lang is not None else _first_language(loaded.document.company.languages)
    # Only here, because the library that makes PDF takes a third of a second to import: the router starts without it.
    from router.document import html, markdown, pdf
    from router.document.compose import write_policy

    policy = write_policy(loaded, language, now)
    written = format or _format_of(output)
    if written is Format.PDF and output is None and sys.stdout.isatty():
        raise typer.BadParameter("a PDF is nothing for a terminal; name a file", param_hint="--output")
    match written:
        case Format.HTML:
            data = html.render(policy).encode()
        case Format.MARKDOWN:
            data = markdown.render(policy).encode()
        case Format.PDF:
            data = pdf.render(policy)
    if output is None:
        sys.stdout.buffer.write(data)
        return
    try:
        output.write_bytes(data)
    except OSError as error:
        raise typer.BadParameter(f"{output} cannot be written: {error.strerror}", param_hint="--output") from None


def register(app: typer.Typer) -> None:
    """Add `document` to the command line."""
    app.command()(document)


def _first_language(languages: list[str]) -> str:
    written = [language.value for language in Language]
    return next((language for language in languages if language in written), Language.ENGLISH.value)


def _format_of(output: Path | None) -> Format:
    suffix = output.suffix.lower().lstrip(".") if output is not None else ""
    return {"htm": Format.HTML, "html": Format.HTML, "pdf": Format.PDF}.get(suffix, Format.MARKDOWN)
