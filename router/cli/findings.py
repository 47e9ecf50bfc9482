"""What the commands about a policy share: options, and how a configuration that cannot be used is told."""

from __future__ import annotations

import json as json_format
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from router.configuration import Configuration, ConfigurationError, Finding
from router.configuration.load import Loaded, load_with_sources

ConfigOption = Annotated[
    Path,
    typer.Option(
        help="Directory of the configuration.", exists=True, file_okay=False, readable=True, metavar="DIRECTORY"
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Language(StrEnum):
    """A language of the output."""

    FRENCH = "fr"
    ENGLISH = "en"


LanguageOption = Annotated[Language, typer.Option("--lang", help="Language of the answer.")]


def load_or_exit(directory: Path, *, json: bool = False) -> Loaded:
    """Load a configuration. One that cannot be used is told as `check` tells it, and the command ends with 1."""
    try:
        return load_with_sources(directory)
    except ConfigurationError as error:
        if json:
            print_json({"findings": [finding.as_dict() for finding in error.findings]})
        else:
            print_findings(error.findings)
        raise typer.Exit(1) from None


def with_fetched_lists(configuration: Configuration) -> Configuration:
    """Return a configuration whose greylist holds lists that somebody else keeps, as the router last fetched them."""
    if not configuration.feeds.greylists:
        return configuration
    from router.feeds.greylists import with_copies  # it takes its time, which few commands need

    return with_copies(configuration)


def print_findings(findings: Sequence[Finding]) -> None:
    """Print findings as a table, each with its suggestion, and the shortest call that shows it, below it."""
    width = max((len(str(finding.mark)) for finding in findings), default=0)
    for finding in findings:
        print(f"{finding.mark!s:<{width}}  {finding.severity:<7}  {finding.clause:<3}  {finding.message}")
        if finding.suggestion:
            print(f"{'':<{width}}                {finding.suggestion}")
        if finding.call:
            print(f"{'':<{width}}                shortest call: {finding.call}")


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    print(json_format.dumps(value, ensure_ascii=False, indent=2))
