"""Being called back (P3), with real phones: what was promised survives a kill, and the two hear each other."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from .baresip import Phone
from .company import OUTSIDE, Company
from .conftest import StartPhone, StartRouter, needs_baresip
from .processes import Ports, eventually
from .router_process import ROOT, Router
from .tones import heard_hertz, seconds_recorded

pytestmark = [needs_baresip, pytest.mark.timeout(120)]
SPEAKS, CALLER_SPEAKS = 1000, 440  # hertz


@pytest.fixture
def company(ports: Ports, tmp_path: Path) -> Company:
    company = Company(ports, tmp_path)
    first = ports.free(200)
    document = company.document
    document["targets"]["voicemail"] = {"mailbox": "{person}"}
    document["media"] = {"ports": f"{first}-{first + 199}"}
    document["profiles"]["meeting"] |= {"code": "*21", "then": "voicemail", "offers": ["message", "callback"]}
    document["codes"] = {"back": "*20"}
    return company


def dials_code(phone: Phone, code: str, router: Router) -> None:
    phone.forgets().command("dial", f"sip:{code}@{router.address}")
    phone.waits_for("CALL_ESTABLISHED").waits_for("CALL_CLOSED")
    phone.forgets()


def peer(phone: Phone, event: str) -> str:
    """Who calls, as the phone shows it with an event."""
    return next(str(seen["peeruri"]) for seen in phone.events if seen.get("type") == event)


def hears(phone: Phone, hertz: float) -> None:
    """Wait until what the phone recorded last is this tone."""
    eventually(
        f"{phone.account} hears {hertz:g} Hz",
        lambda: abs(heard_hertz(phone.heard()[-1]) - hertz) < 5,
        seconds=20,
    )


def recorded(router: Router, **wanted: str) -> dict[str, Any] | None:
    """The record of a call with these values, once it is there."""
    return next((record for record in router.records() if wanted.items() <= record.items()), None)


def explain(company: Company, call_id: str) -> str:
    """What `renvoi explain` says about a call."""
    command = [sys.executable, "-m", "router", "explain", call_id, "--config", str(company.folder / "config")]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_who_wished_it_in_a_meeting_is_called_back_after_it(
    company: Company, start_router: StartRouter, start_phone: StartPhone
) -> None:
    """P3, P2, G1. The router is killed as soon as it has promised; the next one keeps the promise, once."""
    killed = Router(company, name="killed")
    try:
        benoit = start_phone("202", killed.address, speaks=SPEAKS).is_registered()
        dials_code(benoit, "*21", killed)
        outside = start_phone(OUTSIDE, speaks=CALLER_SPEAKS, port=company.trunk_port)
        outside.command("dial", f"sip:+3242200122@{killed.address}")
        outside.waits_for("CALL_ESTABLISHED")
        greeting = eventually("the caller hears something", lambda: next(iter(outside.heard()), None))
        eventually("the caller listens for a second", lambda: seconds_recorded(greeting) > 1)
        outside.command("sndcode", "2")
        eventually("it is promised", lambda: killed.metric("callbacks_waiting") == 1)
    finally:
        killed.process.end(signal.SIGKILL)
    assert not killed.faults(), killed.log[-4000:]
    outside.command("hangup")
    outside.forgets()

    router = start_router(clock="2026-11-24T10:00:30+01:00")  # the phone's registration is still in force
    assert router.metric("callbacks_waiting") == 1
    dials_code(benoit, "*20", router)
    benoit.waits_for("CALL_INCOMING", 20)
    assert OUTSIDE in peer(benoit, "CALL_INCOMING")
    benoit.command("accept")
    benoit.waits_for("CALL_ESTABLISHED")
    heard = eventually("Benoît hears something", lambda: benoit.heard()[-1] if benoit.heard() else None)
    eventually("Benoît listens for a second", lambda: seconds_recorded(heard) > 1)
    assert not outside.happened("CALL_INCOMING"), "nobody is dialled before he has pressed the key"
    benoit.command("sndcode", "1")
    outside.waits_for("CALL_INCOMING", 20)
    assert "+3242200122" in peer(outside, "CALL_INCOMING")
    outside.command("accept")
    outside.waits_for("CALL_ESTABLISHED")
    hears(benoit, CALLER_SPEAKS)
    hears(outside, SPEAKS)
    benoit.command("hangup")
    outside.waits_for("CALL_CLOSED")
    called = eventually("the call is recorded", lambda: recorded(router, target=OUTSIDE))
    rang = recorded(router, origin="router")
    assert rang is not None
    assert (rang["caller"], rang["owner"], rang["action"], rang["status"]) == (OUTSIDE, "benoit", "ring", 200)
    assert (called["origin"], called["caller_person"], called["target"], called["shown_number"]) == (
        "person",
        "benoit",
        OUTSIDE,
        "+3242200122",
    )
    assert (called["status"], called["ended_by"]) == (200, "caller")
    assert router.metric("callbacks_total", outcome="connected") == 1
    assert router.metric("callbacks_waiting") == 0
    explained = explain(company, str(rang["call_id"]))
    assert "called back by the router" in explained
    assert "P3" in explained and "the caller asked to be called back" in explained
