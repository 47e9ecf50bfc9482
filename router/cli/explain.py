"""`renvoi explain`: why a real call went where it went, from its record."""

from __future__ import annotations

import json as json_format
from collections.abc import Iterator, Mapping
from datetime import UTC, tzinfo
from itertools import islice
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from router.cli.findings import JsonOption, Language, LanguageOption, load_or_exit, print_json
from router.configuration import Configuration
from router.model.record import CallRecord
from router.observe.past_calls import latest_records, read_records
from router.observe.records import serialise
from router.policy.snapshot import Person
from router.proof.recorded_call import explain as explained
from router.proof.recorded_call import involves, summary
from router.proof.wording import Wording

LAST = "last"
MOST_LISTED = 10  # calls that are named where several fit


def explain(
    call: Annotated[
        list[str],
        typer.Argument(
            help="A Call-ID or its beginning; or: last; or: last WHO, the last call of a number, a person, an "
            "extension or an account.",
            metavar="CALL",
        ),
    ],
    config: Annotated[
        Path | None,
        typer.Option(
            help="Directory of the configuration: it says where the records are, and what people are called.",
            exists=True,
            file_okay=False,
            metavar="DIRECTORY",
        ),
    ] = None,
    records: Annotated[
        Path | None, typer.Option(help="File of the call records.", exists=True, dir_okay=False, metavar="FILE")
    ] = None,
    lang: LanguageOption = Language.ENGLISH,
    json: JsonOption = False,
) -> None:
    """Say why a call that has ended went where it went: exit code 1 where there is no such call."""
    configuration = None if config is None else load_or_exit(config, json=json).configuration
    path = record_file(configuration, records)
    words = Wording(lang)
    people: Mapping[str, Person] = {} if configuration is None else configuration.policy.people
    zone: tzinfo = UTC if configuration is None else configuration.policy.zone
    found = list(islice(_find(call, path, configuration), MOST_LISTED + 1))
    if len({record.call_id for record in found}) != 1:
        _complain(call, path, found, zone, words)
    if json:
        print_json(json_format.loads(serialise(found[-1], zone)))
    else:
        current = "" if configuration is None else configuration.hash
        # A call that was put through has a record for each part.
        print("\n\n".join([explained(record, people, zone, words, current) for record in found]))


def record_file(configuration: Configuration | None, records: Path | None) -> Path:
    """Return the file of the call records: the one that is named, else that of the configuration."""
    if records is not None:
        return records
    if configuration is None:
        raise typer.BadParameter("one of them is needed", param_hint="--config, --records")
    if not configuration.record_path.is_file():
        where = "the records of this configuration; relative paths start where the router runs"
        raise typer.BadParameter(f"there is no file {configuration.record_path} ({where})", param_hint="--records")
    return configuration.record_path


def register(app: typer.Typer) -> None:
    """Add `explain` to the command line."""
    app.command()(explain)


def _find(call: list[str], path: Path, configuration: Configuration | None) -> Iterator[CallRecord]:
    """Yield the calls that are meant: more than one where the words fit several, or one has several parts."""
    if call[0] != LAST:
        if len(call) > 1:
            raise typer.BadParameter("write one Call-ID, or: last WHO", param_hint="CALL")
        # A Call-ID can stand in other fields too, hence the second look.
        fitting = [record for record in read_records(path, containing=call[0]) if record.call_id.startswith(call[0])]
        exact = [record for record in fitting if record.call_id == call[0]]
        yield from exact or fitting
        return
    if len(call) > 2:
        raise typer.BadParameter("write: last, or: last WHO", param_hint="CALL")
    calls = latest_records(path)
    if len(call) == 1:
        yield from islice(calls, 1)
        return
    who, person = _person(call[1], configuration)
    yield from islice((record for record in calls if involves(record, who, person)), 1)


def _person(written: str, configuration: Configuration | None) -> tuple[str, str | None]:
    """Return a number in its one spelling, and the person whom it stands for."""
    if configuration is None:
        return written, None
    policy = configuration.policy
    person = policy.people.get(written) or policy.extensions.get(written)
    if person is not None:
        return written, person.id
    account = configuration.accounts.get(written)
    number = policy.plan.normalise(written)
    known = policy.callers.get(number) if number else None
    if known is not None:
        return number or written, known.person.id
    return (written if account is not None else number or written), None


def _complain(call: list[str], path: Path, found: list[CallRecord], zone: tzinfo, words: Wording) -> NoReturn:
    """Say what there is in place of the one call that was meant, and end with 1."""
    wanted = " ".join(call)
    if not found:
        nearest = list(islice(latest_records(path), MOST_LISTED))
        print(words("no_such_call", call=wanted, path=path), *_listed(nearest, zone, words), sep="\n")
    else:
        more = [words("and_more")] if len(found) > MOST_LISTED else []
        print(words("several_calls", call=wanted), *_listed(found[:MOST_LISTED], zone, words), *more, sep="\n")
    raise typer.Exit(1)


def _listed(calls: list[CallRecord], zone: tzinfo, words: Wording) -> list[str]:
    return [f"  {summary(record, zone, words)}" for record in calls]
