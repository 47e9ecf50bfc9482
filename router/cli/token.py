"""`renvoi token`: a bearer token for the API."""

from __future__ import annotations

from typing import Annotated

import typer

from router.configuration.tokens import new_token
from router.model.access import ApiRole


def token(
    name: Annotated[str, typer.Argument(help="What the token is called; it stands in the audit.", metavar="NAME")],
    role: Annotated[ApiRole, typer.Option(help="What it opens.")] = ApiRole.READER,
    person: Annotated[str | None, typer.Option(help="Whose profile it opens, for the role person.")] = None,
) -> None:
    """Make a token for the API. It is shown this once; the configuration keeps its hash only."""
    if (role is ApiRole.PERSON) != (person is not None):
        raise typer.BadParameter("the role person goes with --person ID, and no other role does", param_hint="--role")
    secret, kept = new_token()
    print(f"Token, to be given to whoever uses it (it cannot be shown again):\n\n    {secret}\n")
    print("Below api: in the configuration:\n\n    tokens:")
    owner = f", person: {person}" if person else ""
    print(f'      {name}: {{hash: "{kept}", role: {role}{owner}}}')


def register(app: typer.Typer) -> None:
    """Add `token` to the command line."""
    app.command()(token)
