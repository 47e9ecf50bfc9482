"""`renvoi simulate`: what would happen to a call, and why."""

from __future__ import annotations

import time
from typing import Annotated

import typer

from router.cli.findings import (
    ConfigOption,
    JsonOption,
    Language,
    LanguageOption,
    load_or_exit,
    print_json,
    with_fetched_lists,
)
from router.proof.explanation import as_dict, describe
from router.proof.simulation import Inputs, WrongInput, course, facts_of, moment, press


def simulate(
    config: ConfigOption,
    caller: Annotated[
        str,
        typer.Option(
            "--from",
            help="Who calls: a number, a person, an extension, a device's account, anonymous, trunk:NAME:NUMBER or "
            "pbx:NAME:NUMBER.",
        ),
    ],
    dialled: Annotated[
        str,
        typer.Option("--to", help="What is dialled: a number, an extension, a feature code; or a person."),
    ],
    at: Annotated[
        str | None,
        typer.Option(help="When: a date and time (ISO 8601; without an offset: company time), or a time of today."),
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            help="State of a person, as PERSON=STATE: idle, ringing, on_call, unregistered; a profile or its kind "
            "(available, busy_other, absent), which may be followed by @calendar, @person or @administrator for who "
            "selected it, “until TIME”, and “forward TARGET”; or how trying them ended (no_answer, busy, rejected, "
            "unreachable), in the order in which they were tried."
        ),
    ] = None,
    connection: Annotated[
        str | None,
        typer.Option(help="Phone that the person calls with: fixed, mobile, softphone or private."),
    ] = None,
    name: Annotated[str | None, typer.Option(help="Name that comes with the caller's number.")] = None,
    withhold: Annotated[bool, typer.Option(help="The caller withholds their number.")] = False,
    used: Annotated[
        list[str] | None,
        typer.Option(
            help="What was used of a limit, as GROUP:CALLS or GROUP=PERSON:CALLS, in this minute and on this day; "
            "CALLS/minute, CALLS/day or AMOUNT/cost for one of them."
        ),
    ] = None,
    keys: Annotated[
        str | None,
        typer.Option(
            help="Keys that the caller presses in menus, such as 1,2; timeout and wrong for who presses none, or one "
            "that the menu does not have."
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Go on as if nobody ever answered, to the end.")] = False,
    lang: LanguageOption = Language.ENGLISH,
    json: JsonOption = False,
) -> None:
    """Say what would happen to a call, and why: asked of the code that decides real calls."""
    configuration = with_fetched_lists(load_or_exit(config, json=json).configuration)
    policy = configuration.policy
    inputs = Inputs(caller, dialled, tuple(state or ()), connection, name, withhold, tuple(used or ()))
    try:
        now = moment(at, policy.zone, time.time())
        pressed = press(facts_of(inputs, configuration, now), policy, now, keys.split(",") if keys else ())
    except WrongInput as error:
        raise typer.BadParameter(str(error), param_hint=f"--{error.option}") from None
    steps = course(pressed[-1].facts, policy, now) if all_ else pressed[-1:]
    if json:
        first, *then = (as_dict(step.decision, step.facts, configuration, step.at, lang) for step in steps)
        print_json({**first, "then": then} if all_ else first)
        return
    described = [describe(step.decision, step.facts, configuration, step.at, lang) for step in steps]
    print(described[0])
    for description in described[1:]:
        print(description.later())


def register(app: typer.Typer) -> None:
    """Add `simulate` to the command line."""
    app.command()(simulate)
