"""`renvoi secret`: what stands in people.yaml instead of a password."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from router.configuration.credentials import to_stored


def secret(
    user: Annotated[str, typer.Argument(help="Account of the device: its user:, or its extension.", metavar="USER")],
    realm: Annotated[str, typer.Option(help="Realm of the accounts, as sip.realm has it.")],
) -> None:
    """Print the secret of a device, made from its password, so that no file has to hold the password.

    The password is asked for, or read as the first line of the standard input; never from the command line, which
    other users of the machine could see. The secret is valid for this account and this realm only.
    """
    if not user or not user.isascii() or not user.isprintable() or not {" ", ":", '"'}.isdisjoint(user):
        raise typer.BadParameter(f"{user!r} is no account; write for example 201 or 201-gsm", param_hint="USER")
    if not realm or not realm.isprintable():
        raise typer.BadParameter(f"{realm!r} is no realm; copy sip.realm of the configuration", param_hint="--realm")
    print(to_stored(user, realm, _password()))


def register(app: typer.Typer) -> None:
    """Add `secret` to the command line."""
    app.command()(secret)


def _password() -> str:
    if sys.stdin.isatty():
        password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
        return password
    try:
        password = sys.stdin.buffer.readline().decode().rstrip("\r\n")  # whatever the locale says
    except UnicodeDecodeError:
        raise typer.BadParameter("the password on the standard input is not UTF-8") from None
    if not password:
        raise typer.BadParameter("the standard input holds no password; write it as the first line")
    return password
