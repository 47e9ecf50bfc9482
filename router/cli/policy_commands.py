"""`renvoi simulate`: what a policy would do with a call.

`simulate` asks the very `decide` that decides calls.
"""

from __future__ import annotations

import json as json_format
import time
from datetime import datetime
from typing import Annotated, Any

import typer

from router.cli.findings import ConfigOption, JsonOption, print_findings
from router.configuration import Configuration, ConfigurationError, load
from router.configuration.findings import closest
from router.model.decision import (
    Action,
    Attempt,
    Connection,
    Decision,
    DialAddress,
    DialNumber,
    Facts,
    LineState,
    Origin,
    Outcome,
    Reason,
    RingPerson,
    SelectedBy,
    Selection,
)
from router.policy import decide
from router.policy.schedule import clock, local_time
from router.policy.snapshot import Person

ANONYMOUS = "anonymous"


def simulate(
    config: ConfigOption,
    caller: Annotated[
        str,
        typer.Option("--from", help="Who calls: a number, a person, an extension, a device's account, or anonymous."),
    ],
    dialled: Annotated[str, typer.Option("--to", help="What is dialled: a number or an extension; or a person.")],
    at: Annotated[
        str | None, typer.Option(help="When (ISO 8601; without an offset: company time). Default: now.")
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            help="State of a person, as PERSON=STATE: idle, ringing, on_call, unregistered; a profile or its kind "
            "(available, busy_other, absent); or how trying them ended (no_answer, busy, rejected, unreachable)."
        ),
    ] = None,
    withhold: Annotated[bool, typer.Option(help="The caller withholds their number.")] = False,
    json: JsonOption = False,
) -> None:
    """Say what would happen to a call, and why."""
    try:
        configuration = load(config)
    except ConfigurationError as error:
        if json:
            print(
                json_format.dumps({"findings": [finding.as_dict() for finding in error.findings]}, ensure_ascii=False)
            )
        else:
            print_findings(error.findings)
        raise typer.Exit(1) from None
    now = _moment(at, configuration)
    facts = _facts(configuration, caller, dialled, state or [], withhold)
    decision = decide(facts, configuration.policy, now)
    if json:
        print(json_format.dumps(_as_dict(decision, configuration), ensure_ascii=False, indent=2))
    else:
        print(_as_text(decision, facts, configuration, now))


def register(app: typer.Typer) -> None:
    """Add `simulate` to the command line."""
    app.command()(simulate)


def _moment(at: str | None, configuration: Configuration) -> float:
    if at is None:
        return time.time()
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise typer.BadParameter(f"{at!r} is not a date and time of ISO 8601, such as 2026-11-24T12:15") from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=configuration.policy.zone)
    return moment.timestamp()


def _facts(configuration: Configuration, caller: str, dialled: str, states: list[str], withhold: bool) -> Facts:
    policy = configuration.policy
    lines: dict[str, LineState] = {}
    selections: dict[str, tuple[Selection, ...]] = {}
    attempts: list[Attempt] = []
    for written in states:
        person, _, state = written.partition("=")
        if person not in policy.people:
            raise typer.BadParameter(_unknown("person", person, list(policy.people)), param_hint="--state")
        if state in {outcome.value for outcome in Outcome}:
            attempts.append(Attempt(person, Outcome(state)))
        elif state in {line.value for line in LineState}:
            lines[person] = LineState(state)
        elif state in policy.profiles:
            selections[person] = (Selection(person, state, SelectedBy.PERSON, 0.0),)
        else:
            known = [*(line.value for line in LineState), *(outcome.value for outcome in Outcome), *policy.profiles]
            raise typer.BadParameter(_unknown("state", state, known), param_hint="--state")
    origin, peer, person_id, connection, number = _caller(configuration, caller)
    called = policy.people.get(dialled)
    if called is not None:
        section_number = called.diverts_as if called.diverts_as in policy.numbers else None
        dialled = section_number or next((e for e, p in policy.extensions.items() if p is called), dialled)
    return Facts(
        origin,
        peer,
        dialled,
        person_id,
        connection,
        number,
        withhold=withhold or caller == ANONYMOUS,
        lines=lines,
        selections=selections,
        attempts=tuple(attempts),
    )


def _caller(configuration: Configuration, caller: str) -> tuple[Origin, str, str | None, Connection | None, str | None]:
    """Return origin, peer, person, connection and number of the caller that was named."""
    policy = configuration.policy
    trunk = configuration.trunks[0].name if configuration.trunks else "trunk"
    if caller == ANONYMOUS:
        return Origin.TRUNK, trunk, None, None, None
    account = configuration.accounts.get(caller)
    if account is not None:
        return Origin.PERSON, account.user, account.person, account.connection, None
    person = policy.people.get(caller) or policy.extensions.get(caller)
    if person is not None:
        device = _first_device(configuration, person)
        return Origin.PERSON, device[0], person.id, device[1], None
    number = policy.plan.normalise(caller)
    if number is None:
        known = [*configuration.accounts, *policy.people]
        raise typer.BadParameter(_unknown("caller", caller, known), param_hint="--from")
    known_caller = policy.callers.get(number)
    if known_caller is not None:
        return Origin.PERSON, known_caller.person.id, known_caller.person.id, known_caller.connection, number
    return Origin.TRUNK, trunk, None, None, number


def _first_device(configuration: Configuration, person: Person) -> tuple[str, Connection | None]:
    if isinstance(person.phone, RingPerson) and person.phone.accounts:
        account = configuration.accounts[person.phone.accounts[0]]
        return account.user, account.connection
    return person.id, None


def _unknown(what: str, word: str, known: list[str]) -> str:
    return f"there is no {what} {word!r}; {closest(word, known) or 'see the configuration'}"


def _as_dict(decision: Decision, configuration: Configuration) -> dict[str, Any]:
    target = decision.target
    return {
        "action": decision.action.value,
        "target": None if target is None else str(target),
        "address": target.uri if isinstance(target, DialAddress) else None,
        "accounts": list(target.accounts) if isinstance(target, RingPerson) else [],
        "trunks": _trunks(target, configuration),
        "shown_number": decision.shown_number,
        "shown_name": decision.shown_name,
        "withhold": decision.withhold,
        "person": decision.person,
        "profile": decision.profile,
        "says": _says(decision, configuration),
        "no_answer_after": decision.no_answer_after,
        "diversions": [{"number": d.number, "reason": d.reason} for d in decision.diversions],
        "status": decision.status or None,
        "phrase": decision.phrase or None,
        "because": [_reason(reason) for reason in decision.because],
        "rejected": [_reason(reason) for reason in decision.rejected],
    }


def _reason(reason: Reason) -> dict[str, str]:
    return {"clause": reason.clause, "text": reason.text, "source": reason.source}


def _trunks(target: object, configuration: Configuration) -> list[str]:
    if not isinstance(target, DialNumber):
        return []
    return [trunk.name for trunk in configuration.trunks if not target.trunks or trunk.name in target.trunks]


def _says(decision: Decision, configuration: Configuration) -> dict[str, str]:
    """Return what the caller is told about the person's profile, by language; empty where nothing is said."""
    if decision.person is None or decision.profile is None or decision.action is not Action.FORWARD:
        return {}
    policy = configuration.policy
    own = policy.people[decision.person].says.get(decision.profile)
    return dict(own if own is not None else policy.profiles[decision.profile].says)


def _as_text(decision: Decision, facts: Facts, configuration: Configuration, now: float) -> str:
    policy = configuration.policy
    lines = []
    if decision.person is not None:
        person = policy.people[decision.person]
        profile = ""
        if decision.profile is not None:
            profile = f" · {decision.profile}"
            if person.id in facts.selections:
                profile += ", selected"
            else:
                scheduled = person.profile_at(local_time(now, policy.zone))
                profile += f" since {clock(scheduled.window.start)}, by schedule" if scheduled else ""
        lines.append(f"{person.name} ({person.role}){profile}")
    lines.append(" · ".join([f"→ {_action(decision, configuration)}", *_details(decision, configuration)]))
    rows = [("because", reason) for reason in decision.because] + [("not", reason) for reason in decision.rejected]
    width = max((len(reason.text) for _, reason in rows), default=0)
    before = ""
    for word, reason in rows:
        shown = word if word != before else ""
        before = word
        lines.append(f"  {shown:<7}  {reason.clause:<3}  {reason.text:<{width}}  {reason.source}".rstrip())
    return "\n".join(lines)


def _action(decision: Decision, configuration: Configuration) -> str:
    target = decision.target
    people = configuration.policy.people
    match decision.action, target:
        case Action.REFUSE, _:
            return f"refused: {decision.status} {decision.phrase}"
        case Action.EMERGENCY, DialNumber():
            return (
                f"emergency call to {target}, unmodified, by {', '.join(_trunks(target, configuration)) or 'no trunk'}"
            )
        case Action.DIAL, DialNumber():
            return f"{target} by {', '.join(_trunks(target, configuration)) or 'no trunk'}"
        case _, RingPerson():
            verb = "rings" if decision.action is Action.RING else "forwarded to"
            return f"{verb} {people[target.person].name} ({', '.join(target.accounts)})"
        case _, DialAddress():
            owner = people.get(decision.person or "")
            return f"{target}{f' of {owner.name}' if owner and target.name == 'voicemail' else ''} ({target.uri})"
    return f"forwarded to {target}"


def _details(decision: Decision, configuration: Configuration) -> list[str]:
    details = []
    if decision.action is not Action.REFUSE:
        shown = decision.shown_number or "no number"
        name = f" “{decision.shown_name}”" if decision.shown_name else ""
        details.append(f"shows {shown}{name}{', withheld' if decision.withhold and decision.shown_number else ''}")
    says = _says(decision, configuration)
    if says:
        details.append(f"says « {next(iter(says.values()))} »")
    if decision.no_answer_after is not None:
        details.append(f"for {decision.no_answer_after:g} s")
    return details
