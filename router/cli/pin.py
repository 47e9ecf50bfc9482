"""`renvoi pin`: what stands in people.yaml instead of the PIN of a mailbox."""

from __future__ import annotations

import os
import sys

import typer

from router.model.mailbox import stored_pin

SALT_BYTES = 8


def pin() -> None:
    """Print what stands for the PIN of a mailbox, so that no file has to show it.

    The PIN is asked for, or read as the first line of the standard input. It has so few digits that this only keeps it
    from the eyes of a reader; whoever may read the file can find it out with some hours of computing.
    """
    if sys.stdin.isatty():
        digits: str = typer.prompt("PIN", hide_input=True, confirmation_prompt=True, err=True)
    else:
        digits = sys.stdin.buffer.readline(64).decode(errors="replace").strip()
    if not (digits.isascii() and digits.isdigit() and 4 <= len(digits) <= 10):
        raise typer.BadParameter("a PIN has 4 to 10 digits")
    print(stored_pin(digits, os.urandom(SALT_BYTES)))


def register(app: typer.Typer) -> None:
    """Add `pin` to the command line."""
    app.command()(pin)
