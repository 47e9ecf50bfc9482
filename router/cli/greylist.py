"""`renvoi greylist show`: whether a number may be called, and let in, and which entry says so."""

from __future__ import annotations

import time
from datetime import datetime, tzinfo
from typing import Annotated, Any, Final, NamedTuple

import typer

from router.cli.findings import ConfigOption, JsonOption, Language, LanguageOption, load_or_exit, print_json
from router.feeds.copies import FOLDER
from router.feeds.greylists import compile_copies, with_lists
from router.model.decision import Reason
from router.policy import Policy
from router.policy.greylist import GreylistException, not_let_in, not_to_be_called
from router.policy.prefixes import Entry
from router.proof.simulation import WrongInput, moment

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "called": ("may be called", "peut être appelé"),
    "not_called": ("must not be called", "ne peut pas être appelé"),
    "let_in": ("its calls are let in", "ses appels sont admis"),
    "not_let_in": ("its calls are refused", "ses appels sont refusés"),
    "not_listed": ("not listed", "sur aucune liste"),
    "because": ("because", "car"),
    "not": ("not", "écarté"),
    "fetched": (", fetched {time}", ", reçue le {time}"),
    "ended": ("{text} (ended)", "{text} (terminé)"),
    "emergency": ("an emergency number, which no list touches", "un numéro d'urgence, qu'aucune liste ne touche"),
    "own": ("a number of the company: calls to it stay inside", "un numéro de l'entreprise : l'appel reste interne"),
    "short": ("a short number, which no list touches", "un numéro court, qu'aucune liste ne touche"),
    "without": ("  without {name}: no copy in {directory}", "  sans {name} : pas de copie dans {directory}"),
    "limits": ("counts to the limit {names}", "compte pour la limite {names}"),
}


class Standing(NamedTuple):
    """What the lists say of one number at one moment.

    Args:
        number: E.164 with "+", or as dialled for `special`.
        special: "emergency", "own" or "short" for a number that no list keeps from being called; "" for the others.
        entry: what keeps it from being called, or would without `exception`.
        caller_entry: what keeps its calls out, or would without `caller_exception`.
        ended: exceptions that fit the number and are over.
        limits: groups to which a call to it counts.
    """

    number: str
    special: str = ""
    entry: Entry | None = None
    exception: GreylistException | None = None
    caller_entry: Entry | None = None
    caller_exception: GreylistException | None = None
    ended: tuple[GreylistException, ...] = ()
    limits: tuple[str, ...] = ()

    @property
    def may_be_called(self) -> bool:
        return bool(self.special) or self.entry is None or self.exception is not None

    @property
    def is_let_in(self) -> bool:
        return self.caller_entry is None or self.caller_exception is not None


def standing_of(written: str, policy: Policy, now: float) -> Standing | None:
    """Return what the lists say of a number in any spelling of the country; None: it is no number."""
    if written in policy.emergency:
        return Standing(written, "emergency")
    if written in policy.short_numbers:
        return Standing(written, "short")
    number = policy.plan.normalise(written)
    if number is None:
        return None
    greylist = policy.greylist
    entry, caller_entry = greylist.entry(number), greylist.caller_entry(number)
    return Standing(
        number,
        "own" if policy.owned.owns(number) else "",
        entry,
        greylist.exception(number, entry, now) if entry else None,
        caller_entry,
        greylist.exception(number, caller_entry, now) if caller_entry else None,
        tuple(e for e in greylist.exceptions.values() if number.startswith(e.prefix) and e.until <= now),
        tuple(group.name for group in policy.limits.of_number(number)),
    )


def show(
    number: Annotated[str, typer.Argument(help="A telephone number, in any spelling of the company's country.")],
    config: ConfigOption,
    at: Annotated[
        str | None,
        typer.Option(help="When: a date and time (ISO 8601; without an offset: company time), or a time of today."),
    ] = None,
    lang: LanguageOption = Language.ENGLISH,
    json: JsonOption = False,
) -> None:
    """Say whether a number may be called, and which entry of which list says so.

    Lists that somebody else keeps are read from the copies that the router made of them.

    Exit code 0: it may be called; 1: it must not; 2: wrong command line.
    """
    configuration = load_or_exit(config, json=json).configuration
    zone = configuration.policy.zone
    try:
        now = moment(at, zone, time.time())
    except WrongInput as error:
        raise typer.BadParameter(str(error), param_hint=f"--{error.option}") from None
    feeds = configuration.feeds.greylists
    copies = compile_copies(configuration.data_directory, feeds)
    missing = [feed.name for feed in feeds if feed not in copies]
    standing = standing_of(number, with_lists(configuration, copies.values()).policy, now)
    if standing is None:
        raise typer.BadParameter(f"{number!r} is no telephone number; write it as it is dialled, or with +")
    if json:
        print_json({**_as_dict(standing, zone, lang), "without": missing})
    else:
        print(_as_text(standing, zone, lang))
        for name in missing:
            print(_word("without", lang, name=name, directory=str(configuration.data_directory / FOLDER)))
    raise typer.Exit(0 if standing.may_be_called else 1)


def register(app: typer.Typer) -> None:
    """Add `greylist show` to the command line."""
    commands = typer.Typer()
    commands.command()(show)
    commands.callback()(_group)
    app.add_typer(commands, name="greylist", no_args_is_help=True)


def _group() -> None:
    """Destinations that must not be called, and callers that are not let in."""
    # Without this, typer takes a group's only command for the group itself.


def _word(key: str, lang: Language, **values: str) -> str:
    return _WORDS[key][lang is Language.FRENCH].format(**values)


def _as_text(standing: Standing, zone: tzinfo, lang: Language) -> str:
    lines = [standing.number]
    details = [_word("called" if standing.may_be_called else "not_called", lang)]
    if standing.special in ("", "own"):  # nobody calls from the others
        details.append(_word("let_in" if standing.is_let_in else "not_let_in", lang))
    if standing.special:
        details.append(_word(standing.special, lang))
    elif standing.entry is None and standing.caller_entry is None:
        details.append(_word("not_listed", lang))
    if standing.limits:
        details.append(_word("limits", lang, names=", ".join(standing.limits)))
    lines.append(f"→ {' · '.join(details)}")
    rows: list[tuple[str, str, str, str]] = []
    for entry, reason_for in ((standing.entry, not_to_be_called), (standing.caller_entry, not_let_in)):
        if entry is not None:
            reason = reason_for(entry)
            rows.append(("because", reason.clause, _text(reason, lang), _place(entry, zone, lang)))
    exceptions = dict.fromkeys(e for e in (standing.exception, standing.caller_exception) if e is not None)
    rows.extend(("because", e.reason.clause, _text(e.reason, lang), e.reason.source) for e in exceptions)
    for exception in standing.ended:
        ended = _word("ended", lang, text=_text(exception.reason, lang))
        rows.append(("not", exception.reason.clause, ended, exception.reason.source))
    width = max((len(text) for _, _, text, _ in rows), default=0)
    before = ""
    for word, clause, text, place in rows:
        lines.append(f"  {_word(word, lang) if word != before else '':<7}  {clause:<3}  {text:<{width}}  {place}")
        before = word
    return "\n".join(lines)


def _as_dict(standing: Standing, zone: tzinfo, lang: Language) -> dict[str, Any]:
    return {
        "number": standing.number,
        "may_be_called": standing.may_be_called,
        "is_let_in": standing.is_let_in,
        "special": standing.special or None,
        "entry": _entry(standing.entry, zone),
        "exception": _exception(standing.exception, zone, lang),
        "caller_entry": _entry(standing.caller_entry, zone),
        "caller_exception": _exception(standing.caller_exception, zone, lang),
        "ended_exceptions": [_exception(exception, zone, lang) for exception in standing.ended],
        "limits": list(standing.limits),
    }


def _entry(entry: Entry | None, zone: tzinfo) -> dict[str, Any] | None:
    if entry is None:
        return None
    fetched = entry.source.fetched_at
    return {
        "prefix": entry.prefix,
        "source": entry.source.name,
        "line": entry.line,
        "inbound": entry.source.inbound,
        "fetched_at": None if fetched is None else datetime.fromtimestamp(fetched, zone).isoformat(),
    }


def _exception(exception: GreylistException | None, zone: tzinfo, lang: Language) -> dict[str, Any] | None:
    if exception is None:
        return None
    endless = exception.until == float("inf")
    return {
        "prefix": exception.prefix,
        "until": None if endless else datetime.fromtimestamp(exception.until, zone).isoformat(),
        "approved_by": exception.approved_by,
        "text": _text(exception.reason, lang),
        "source": exception.reason.source,
    }


def _text(reason: Reason, lang: Language) -> str:
    return reason.french if lang is Language.FRENCH and reason.french else reason.text


def _place(entry: Entry, zone: tzinfo, lang: Language) -> str:
    fetched = entry.source.fetched_at
    if fetched is None:
        return entry.place
    return entry.place + _word("fetched", lang, time=f"{datetime.fromtimestamp(fetched, zone):%Y-%m-%d %H:%M}")
