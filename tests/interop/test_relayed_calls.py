"""Calls whose sound passes through the router's own engine, with real phones."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from .company import OUTSIDE, Company
from .conftest import StartPhone, StartRouter, needs_baresip, needs_sipp
from .peers import Peers
from .processes import Ports, eventually
from .router_process import Router
from .test_voicemail import engine_of
from .tones import heard_hertz, seconds_recorded

pytestmark = pytest.mark.timeout(90)


@pytest.fixture
def company(ports: Ports, tmp_path: Path) -> Company:
    """A company whose trunk wants the sound of its calls relayed."""
    company = Company(ports, tmp_path)
    first = ports.free(100)
    company.document["media"] = {"ports": f"{first}-{first + 99}"}
    company.document["trunks"]["first"]["media"] = "relay"
    return company


@needs_baresip
def test_two_phones_hear_each_other_through_the_router(
    company: Company, start_router: StartRouter, start_phone: StartPhone
) -> None:
    router = start_router()
    benoit = start_phone("202", router.address, speaks=1000, answers=True).is_registered()
    outside = start_phone(OUTSIDE, speaks=440, port=company.trunk_port)
    outside.command("dial", f"sip:+3242200122@{router.address}")
    for phone in (outside, benoit):
        phone.waits_for("CALL_ESTABLISHED")
    eventually("the caller hears the callee", lambda: hears(outside.heard(), 1000))
    eventually("the callee hears the caller", lambda: hears(benoit.heard(), 440))
    assert router.metric("media_streams") == 2
    outside.command("hangup")
    benoit.waits_for("CALL_CLOSED")
    [record] = router.records()
    assert [(quality["side"], quality["lost"]) for quality in record["quality"]] == [("caller", 0), ("callee", 0)]
    eventually("the ports are given back", lambda: router.metric("media_streams") == 0)


@needs_baresip
def test_the_engine_is_killed_in_a_call(company: Company, start_router: StartRouter, start_phone: StartPhone) -> None:
    """Both are hung up, and the next call is relayed again once there is an engine."""
    router = start_router()
    benoit = start_phone("202", router.address, speaks=1000, answers=True).is_registered()
    outside = start_phone(OUTSIDE, speaks=440, port=company.trunk_port)
    outside.command("dial", f"sip:+3242200122@{router.address}")
    for phone in (outside, benoit):
        phone.waits_for("CALL_ESTABLISHED")
    os.kill(eventually("the engine is found", lambda: engine_of(router.process.pid)), signal.SIGKILL)
    for phone in (outside, benoit):
        phone.waits_for("CALL_CLOSED").forgets()
    assert router.records()[0]["ended_by"] == "router"
    assert router.metric("media_relays_total", way="relay", outcome="lost") == 1
    eventually("there is another engine", lambda: engine_of(router.process.pid))

    def is_relayed() -> bool:
        outside.command("dial", f"sip:+3242200122@{router.address}")
        outside.waits_for("CALL_ESTABLISHED")
        relayed = router.metric("media_streams") == 2
        if not relayed:  # direct, as the engine was not ready yet
            outside.command("hangup")
            outside.waits_for("CALL_CLOSED").forgets()
        return relayed

    eventually("the next call is relayed", is_relayed, seconds=20)
    eventually("the caller hears the callee", lambda: hears(outside.heard(), 1000))
    outside.command("hangup")
    benoit.waits_for("CALL_CLOSED")


@needs_sipp
def test_hold_and_resume_of_either_side_show_the_routers_ports_only(
    company: Company, router: Router, peers: Peers
) -> None:
    """RFC 3264 §8.4: the direction passes, the address of the other side never does."""
    phone = peers.phone("202", "callee_is_held_and_resumed")
    caller = peers.call("caller_holds_and_resumes", "+3242200122", hold=0.2).succeeds()
    phone.succeeds()
    offers = [message.body for message in phone.requests("INVITE")]
    assert [direction(body) for body in offers] == ["sendrecv", "sendonly", "sendrecv"]
    answers = [message.body for message in caller.responses(200, "INVITE")]
    first, _, last = company.document["media"]["ports"].partition("-")
    for body in offers + answers:
        assert int(first) <= sound_port(body) <= int(last), body
    assert len({sound_port(body) for body in offers}) == 1, "its port is the same throughout"
    assert router.metric("media_streams") == 0

    phone = peers.phone("205", "callee_holds_and_resumes", hold=0.2)
    caller = peers.call("caller_is_held_and_resumed", "+3242200125").succeeds()
    phone.succeeds()
    assert [direction(message.body) for message in caller.requests("INVITE")] == ["sendonly", "sendrecv"]
    for message in caller.requests("INVITE"):
        assert int(first) <= sound_port(message.body) <= int(last)


def direction(body: str) -> str:
    return next(line[2:] for line in body.splitlines() if line[2:] in ("sendrecv", "sendonly", "recvonly", "inactive"))


def sound_port(body: str) -> int:
    return next(int(line.split()[1]) for line in body.splitlines() if line.startswith("m=audio"))


def hears(recordings: list[Path], hertz: int) -> bool:
    """Whether the latest recording of a phone holds this tone."""
    return bool(recordings) and seconds_recorded(recordings[-1]) > 1.5 and abs(heard_hertz(recordings[-1]) - hertz) < 5
