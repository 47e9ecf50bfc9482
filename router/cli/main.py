"""The command `renvoi`: one file per group of commands, put together here."""

from __future__ import annotations

import typer

from router import __version__
from router.cli import (
    check,
    diff,
    document,
    explain,
    greylist,
    init,
    pin,
    replay,
    schema,
    secret,
    serve,
    simulate,
    token,
)

app = typer.Typer(
    name="renvoi",
    help="A live SIP call router that makes a company's written telephone policy happen, call by call.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,  # a traceback in a log must be the plain one, without the values of local variables
)


@app.command()
def version() -> None:
    """Print the version."""
    print(f"renvoi {__version__}")


for commands in (serve, init, check, simulate, explain, replay, diff, document, greylist, schema, secret, pin, token):
    commands.register(app)


def main() -> None:
    """Run the command line. Exits 0 on success, 1 when the command found fault, 2 when it was called wrongly."""
    app()
