"""`renvoi diff`: what a new configuration changes for whom, in words."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from router.cli.findings import JsonOption, Language, LanguageOption, load_or_exit, print_json
from router.proof.differences import differences, in_words
from router.proof.simulation import WrongInput, moment
from router.proof.wording import Wording


def diff(
    old: Annotated[
        Path, typer.Argument(help="Directory of the configuration as it was.", exists=True, file_okay=False)
    ],
    new: Annotated[
        Path, typer.Argument(help="Directory of the configuration as it shall be.", exists=True, file_okay=False)
    ],
    at: Annotated[
        str | None, typer.Option(help="Look at both at this time (ISO 8601): people leave, exceptions end.")
    ] = None,
    lang: LanguageOption = Language.ENGLISH,
    json: JsonOption = False,
) -> None:
    """Say in words what changes for whom between two configurations. Comments, order and files do not count."""
    before, after = load_or_exit(old, json=json), load_or_exit(new, json=json)
    words = Wording(lang)
    try:
        now = moment(at, after.configuration.policy.zone, time.time())
    except WrongInput as error:
        raise typer.BadParameter(str(error), param_hint="--at") from None
    found = differences(before, after, now, lang)
    if json:
        print_json({"differences": [difference._asdict() for difference in found]})
        return
    for difference in found:
        print(in_words(difference, words))
    print(words("changes" if len(found) != 1 else "one_change", count=len(found)))


def register(app: typer.Typer) -> None:
    """Add `diff` to the command line."""
    app.command()(diff)
