"""`renvoi serve`: run the router in the foreground."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer


class LogLevel(StrEnum):
    """How much is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def parse_clock(text: str) -> str:
    """Return `text` unchanged when it is a date and time of ISO 8601; raise `typer.BadParameter` otherwise.

    A time without an offset is one in the company's zone, which only the configuration knows, so it stays text here.
    """
    try:
        datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(
            f"{text!r} is not a date and time of ISO 8601; write for example 2026-11-24T16:59:50+01:00"
        ) from None
    return text


def serve(
    config: Annotated[
        Path,
        typer.Option(
            help="Directory of the configuration.", exists=True, file_okay=False, readable=True, metavar="DIRECTORY"
        ),
    ],
    clock: Annotated[
        str | None,
        typer.Option(
            help="Start the policy's clock at this time (ISO 8601) instead of now; it runs on at the normal pace. "
            "SIP timers do not depend on it.",
            parser=parse_clock,
            metavar="TIME",
        ),
    ] = None,
    log_level: Annotated[LogLevel, typer.Option(help="Log this level and above.")] = LogLevel.INFO,
) -> None:
    """Run the router in the foreground until SIGTERM or SIGINT; SIGHUP reloads the configuration."""
    # Imported here so that `check`, `simulate` and `version` start without the network rooms.
    from router.app import serve as run

    raise typer.Exit(run(config, clock, log_level.value))


def register(app: typer.Typer) -> None:
    """Add `serve` to the command line."""
    app.command()(serve)
