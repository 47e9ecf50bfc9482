"""`renvoi replay`: what a new configuration would have done with the calls of a day."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Annotated

import typer

from router.cli.explain import record_file
from router.cli.findings import ConfigOption, JsonOption, Language, LanguageOption, load_or_exit, print_json
from router.model.decision import Action
from router.model.record import CallRecord
from router.observe.past_calls import read_records
from router.policy.snapshot import Person
from router.proof.explanation import rows, table
from router.proof.recorded_call import summary
from router.proof.replay import Change, Treated, as_dict, differing_reasons
from router.proof.replay import replay as replayed
from router.proof.wording import Wording, printable

MOST_SHOWN = 3  # calls that are named of each group; --json names all


def replay(
    config: ConfigOption,
    from_: Annotated[str, typer.Option("--from", help="First day, such as 2026-11-24 (company time).", metavar="DAY")],
    to: Annotated[str | None, typer.Option(help="Last day, included. Default: the first day.", metavar="DAY")] = None,
    records: Annotated[
        list[Path] | None,
        typer.Option(
            help="File of the call records, also one that was rotated away; may be repeated. Default: the one of the "
            "configuration.",
            exists=True,
            dir_okay=False,
            metavar="FILE",
        ),
    ] = None,
    lang: LanguageOption = Language.ENGLISH,
    json: JsonOption = False,
) -> None:
    """Decide the calls of a day again under a new configuration, and list those that it would treat differently."""
    began = time.perf_counter()
    configuration = load_or_exit(config, json=json).configuration
    policy, words = configuration.policy, Wording(lang)
    since = _day(from_, "--from")
    until = _day(to, "--to") if to is not None else since
    if until < since:
        raise typer.BadParameter("the last day comes before the first", param_hint="--to")
    files = records or [record_file(configuration, None)]
    bounds = _midnight(since, policy.zone), _midnight(until + timedelta(days=1), policy.zone)
    result = replayed(_read(files, *bounds), policy)
    if json:
        print_json(as_dict(result))
        return
    for _, changes in result.groups():
        print(*map(printable, _group(changes, policy.people, policy.zone, words)), "", sep="\n")
    total = words("replayed", different=result.different, calls=result.calls, seconds=time.perf_counter() - began)
    notes = [words(note, count=count) for note in ("limited", "stateless") if (count := getattr(result, note))]
    print(" · ".join([total, *notes]))


def register(app: typer.Typer) -> None:
    """Add `replay` to the command line."""
    app.command()(replay)


def _day(written: str, option: str) -> date:
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter(f"{written!r} is no day, such as 2026-11-24", param_hint=option) from None


def _midnight(day: date, zone: tzinfo) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=zone).timestamp()


def _read(files: list[Path], since: float, until: float) -> Iterator[CallRecord]:
    for file in files:
        yield from read_records(file, since=since, until=until)


def _group(changes: list[Change], people: Mapping[str, Person], zone: tzinfo, words: Wording) -> list[str]:
    """Say what the calls of a group were, what they would be and why, and name some of them."""
    first = changes[0]
    shows = first.before.shown_number != first.after.shown_number
    gone, new = differing_reasons(first)
    count = words("one_call" if len(changes) == 1 else "calls", count=len(changes))
    lines = [
        f"{count} · {_treated([change.before for change in changes], people, words, shows=shows)}",
        f"  → {_treated([change.after for change in changes], people, words, shows=shows)}",
    ]
    lines += table(
        [
            (words("because"), rows([new] if new else [], words)),
            (words("before"), rows([gone] if gone else [], words)),
        ]
    )
    lines += [f"    {summary(change.record, zone, words)}" for change in changes[:MOST_SHOWN]]
    if len(changes) > MOST_SHOWN:
        lines.append(words("more_calls", count=len(changes) - MOST_SHOWN))
    return lines


def _treated(calls: list[Treated], people: Mapping[str, Person], words: Wording, *, shows: bool) -> str:
    """Say how the calls of a group are treated; what they do not have in common is said in general words."""
    first = calls[0]
    in_general = words("the_number" if first.action == Action.DIAL else "the_person")
    tried = [
        _one_of({call.tried[index] for call in calls}, people, words("the_person")) for index in range(len(first.tried))
    ]
    target = _one_of({call.target or "" for call in calls}, people, in_general)
    steps = [*(words("in_vain", target=name) for name in tried), words(f"did_{first.action}", target=target)]
    if shows:
        shown = {call.shown_number or words("no_number") for call in calls}
        steps.append(words("shows", shown=shown.pop() if len(shown) == 1 else words("their_number")))
    return ", ".join(steps)


def _one_of(names: set[str], people: Mapping[str, Person], in_general: str) -> str:
    """Return the one name there is, a person's in words; else what it is in general."""
    if len(names) > 1:
        return in_general
    name = names.pop()
    return people[name].name if name in people else name
