"""A thousand random calls: what `renvoi simulate` says and what callers and callees see is the same."""

from __future__ import annotations

import json
import random
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from router.configuration import Configuration, load
from router.configuration.tokens import new_token
from router.model.decision import Action, Decision, DialNumber, Facts, LineState, Outcome, RingPerson
from router.policy import decide
from router.proof.simulation import Inputs, facts_after, facts_of

from .company import OUTSIDE, SECRET, Company
from .conftest import StartRouter, needs_sipp
from .messages import Message
from .peers import Peers
from .processes import eventually
from .router_process import Router
from .sipp import Sipp

pytestmark = [needs_sipp, pytest.mark.timeout(240)]

CALLS = 1000
CLOCKS = (
    "2026-11-24T10:00:00+01:00",  # Tuesday, at work
    "2026-11-24T12:20:00+01:00",  # lunch
    "2026-11-24T14:20:00+01:00",  # everybody meets
    "2026-11-24T20:00:00+01:00",  # gone for the day
    "2026-11-28T11:00:00+01:00",  # Saturday
)
BATCHES = 4  # for each clock, with other states
BUSY = "202"  # account of a phone that answers 486
SILENT = ("203", "207")  # not registered: one has not been switched on, the other is not let in any more (D1)
ANSWERING = ("201", "201m", "204", "205")
VIP = "+32475999888"
CALLERS = (OUTSIDE, VIP, "+32470555012", "+225070707", "0475111222", "anonymous")
DIALLED = (
    *("+3242200100", "+3242200121", "+3242200122", "+3242200123", "+3242200124", "+3242200125", "+3242200126"),
    *("+3242200127", "+3242200160", "+3242200177", "042200121", "003242200123", "+32475222333", "0475222333"),
    *("+22507070707", "+88161234567", "201", "202", "203", "204", "205", "206", "112", "100", "999", "*31+32475222333"),
)
PROFILES = ("available", "busy_other", "absent", "meeting", "lunch", "gone_for_the_day")
PEOPLE = ("anna", "benoit", "claire", "carl", "marc", "luc")


@dataclass(frozen=True)
class RandomCall:
    """A call of the list: who calls by which way, and what is dialled."""

    number: int
    origin: str  # "trunk", "pbx" or an account
    caller: str
    dialled: str
    withhold: bool

    def row(self) -> str:
        """Return the call as a line for SIPp."""
        sender = (
            '"Anonymous" <sip:anonymous@anonymous.invalid>'
            if self.caller == "anonymous"
            else (f'"Caller {self.number}" <sip:{self.caller}@caller.example>')
        )
        header = "Privacy: id" if self.withhold else "X-Privacy: none"
        fields = [self.dialled, sender, header, f"call-{self.number}"]
        if self.origin in (*ANSWERING, BUSY, SILENT[0]):
            fields.append(f"[authentication username={self.origin} password={SECRET.format(self.origin)}]")
        return ";".join(fields)

    def inputs(self, states: tuple[str, ...]) -> Inputs:
        """Return the call as `renvoi simulate` is told of it."""
        ways = {"trunk": f"trunk:first:{self.caller}", "pbx": f"pbx:central:{self.caller}"}
        return Inputs(
            ways.get(self.origin, self.origin),
            self.dialled,
            states,
            caller_name=None if self.caller == "anonymous" else f"Caller {self.number}",
            withhold=self.withhold,
        )


def random_call(chance: random.Random, number: int) -> RandomCall:
    origin = chance.choice(("trunk", "trunk", "pbx", *ANSWERING, BUSY, SILENT[0]))
    numbers = (*CALLERS, "201", "204") if origin == "pbx" else CALLERS
    caller = chance.choice(numbers) if origin in ("trunk", "pbx") else origin
    return RandomCall(number, origin, caller, chance.choice(DIALLED), chance.random() < 0.15)


class Watchers:
    """Everybody who can be called: the trunk, the targets, the phones."""

    def __init__(self, peers: Peers) -> None:
        options: dict[str, Any] = {"calls": 5000, "seconds": 200}
        self.callees: dict[str, Sipp] = {
            "trunk": peers.trunk("callee_answers", **options),
            **{
                name: peers.target(name, "callee_answers", **options)
                for name in ("reception", "voicemail", "queue:sales", "queue:technical")
            },
            **{account: peers.phone(account, "callee_answers", **options) for account in ANSWERING},
            BUSY: peers.phone(BUSY, "callee_is_busy", **options),
        }

    def invites(self) -> dict[int, dict[str, Message]]:
        """The INVITE that each callee got of a call, by number of the call and callee."""
        found: dict[int, dict[str, Message]] = {}
        for name, callee in self.callees.items():
            for invite in callee.requests("INVITE"):
                found.setdefault(int(invite["Subject"].removeprefix("call-")), {})[name] = invite
        return found


class Course:
    """What is decided about a call, given who answers what: the last decision, and whose phones rang before."""

    def __init__(self, facts: Facts, configuration: Configuration, now: float) -> None:
        self.tried: set[str] = set()
        while True:
            self.decision = decision = decide(facts, configuration.policy, now)
            rung = accounts(decision)
            if not isinstance(decision.target, RingPerson):
                return
            self.tried |= rung - set(SILENT)
            if rung & set(ANSWERING):
                return
            outcome = Outcome.BUSY if BUSY in rung else Outcome.UNREACHABLE
            facts = facts_after(facts, decision, outcome)


def accounts(decision: Decision) -> set[str]:
    return set(decision.target.accounts) if isinstance(decision.target, RingPerson) else set()


def differences(call: RandomCall, course: Course, seen: dict[str, Message], status: int) -> Iterator[str]:
    """Say what a caller and callees saw of a call that the simulation did not say."""
    decision = course.decision
    if decision.action is Action.REFUSE:
        if status != decision.status:
            yield f"answered {status} instead of {decision.status}"
        expected: set[str] = course.tried
    elif isinstance(decision.target, RingPerson):
        expected = course.tried
    elif isinstance(decision.target, DialNumber):
        expected = {*course.tried, "trunk"}
    else:
        expected = {*course.tried, str(decision.target)}
    if set(seen) != expected:
        yield f"rang {sorted(seen)} instead of {sorted(expected)}"
        return
    if decision.action is Action.REFUSE:
        return
    if status != 200:
        yield f"answered {status} instead of 200"
    shown = seen[sorted(expected - {BUSY} or expected)[0]]
    if isinstance(decision.target, DialNumber):
        if shown.start_line.split()[1].partition("@")[0] != f"sip:{decision.target.number}":
            yield f"dialled {shown.start_line} instead of {decision.target.number}"
        if shown.user("P-Asserted-Identity") != decision.shown_number:
            yield f"showed {shown['P-Asserted-Identity']} instead of {decision.shown_number}"
        if (shown.get("Privacy") == "id") != decision.withhold:
            yield f"Privacy is {shown.get('Privacy')}, withhold is {decision.withhold}"
    elif shown.user("From") != (decision.shown_number or "anonymous"):
        yield f"showed {shown['From']} instead of {decision.shown_number}"
    diverted = [value.split("reason=")[1].partition(";")[0] for value in reversed(shown.all("Diversion"))]
    if diverted != [diversion.reason for diversion in decision.diversions]:
        yield f"diverted {diverted} instead of {decision.diversions}"


@pytest.fixture
def token(company: Company) -> str:
    """A policy with everything in it that a call can meet; returns an administrator's token."""
    token, kept = new_token()
    document = company.document
    document["api"] = {"tokens": {"test": {"hash": kept, "role": "administrator"}}}
    document["codes"] = {"hide_number": "*31"}
    document["callers"] = {
        "important": {
            "numbers": [VIP],
            "rings_through": ["busy_other", "absent"],
            "people": ["anna", "role:technical"],
            "approved_by": "anna",
            "until": "2027-06-30",
        }
    }
    document["profiles"]["meeting"]["shows"] = "main_number"
    document["people"]["benoit"]["when"] = {"on_call": "anna"}
    return token


def select(router: Router, token: str, person: str, profile: str | None) -> None:
    """Set a person's profile over the API, or take it back."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{router.company.http_port}/api/v1/people/{person}/profile",
        method="PUT" if profile else "DELETE",
        data=json.dumps({"profile": profile}).encode() if profile else None,
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.status == 200


def place(peers: Peers, calls: list[RandomCall], folder: Path) -> dict[int, int]:
    """Make the calls, one after the other; returns the final status of each."""
    statuses: dict[int, int] = {}
    for kind in ("trunk", "pbx", "phone"):
        group = [call for call in calls if (call.origin if call.origin in ("trunk", "pbx") else "phone") == kind]
        if not group:
            continue
        rows = folder / f"{kind}-{group[0].number}.csv"
        rows.write_text("SEQUENTIAL\n" + "".join(f"{call.row()}\n" for call in group))
        options: dict[str, Any] = {
            "calls": len(group),
            "rate": 400,
            "seconds": 60,
            "extra": ("-inf", str(rows), "-l", "1"),
        }
        if kind == "trunk":
            caller = peers.call("caller_by_list", "list", **options)
        elif kind == "pbx":
            caller = peers.pbx_calls("caller_by_list", "list", **options)
        else:
            caller = peers.stranger("phone_by_list", "list", **options)
        caller.succeeds()
        numbers = {
            message["Call-ID"]: int(message["Subject"].removeprefix("call-"))
            for message in caller.sent
            if message.start_line.startswith("INVITE")
        }
        for message in caller.received:
            if message.status >= 200 and message.method == "INVITE" and message.status not in (401, 407):
                statuses[numbers[message["Call-ID"]]] = message.status
    return statuses


@pytest.mark.parametrize("clock", CLOCKS)
def test_what_is_simulated_happens(
    clock: str, company: Company, start_router: StartRouter, peers_of: Callable[..., Peers], token: str, tmp_path: Path
) -> None:
    """S3 to S6, M1 to M5, F1 to F5, R1 to R7, G1 G4 G5 X2: two hundred calls at each time of day."""
    chance = random.Random(f"20261124 {clock}")
    router = start_router(clock=clock)
    configuration = load(company.folder / "config")
    now = datetime.fromisoformat(clock).timestamp() + 60
    peers = peers_of(router)
    watchers = Watchers(peers)
    lines = {"claire": LineState.UNREGISTERED, "eva": LineState.UNREGISTERED}
    number = 0
    expected: dict[int, tuple[RandomCall, Course]] = {}
    statuses: dict[int, int] = {}
    for _ in range(BATCHES):
        chosen = {person: chance.choice(PROFILES) for person in PEOPLE if chance.random() < 0.3}
        for person in PEOPLE:
            select(router, token, person, chosen.get(person))
        states = tuple(f"{person}={profile}@administrator" for person, profile in chosen.items())
        calls = []
        for _ in range(CALLS // len(CLOCKS) // BATCHES):
            number += 1
            calls.append(random_call(chance, number))
        for call in calls:
            facts = facts_of(call.inputs(states), configuration, now)
            expected[call.number] = (call, Course(facts._replace(lines={**lines, **facts.lines}), configuration, now))
        statuses |= place(peers, calls, tmp_path)
    assert len(statuses) == number
    eventually("the router holds no call any more", router.has_no_calls)
    seen = watchers.invites()
    wrong = {
        number: (call, found)
        for number, (call, course) in expected.items()
        if (found := list(differences(call, course, seen.get(number, {}), statuses[number])))
    }
    assert not wrong, "\n".join(f"{call}: {'; '.join(found)}" for call, found in wrong.values())
