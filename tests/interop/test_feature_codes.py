"""People choose how they are reached by dialling a code (P2): what the next caller meets, also after a power cut."""

from __future__ import annotations

import signal
from collections.abc import Callable

import pytest

from .company import Company
from .conftest import StartPhone, StartRouter, needs_baresip, needs_sipp
from .peers import Peers
from .processes import eventually
from .router_process import Router

pytestmark = needs_sipp


@pytest.fixture
def company(company: Company) -> Company:
    company.document["profiles"]["meeting"]["code"] = "*21"
    company.document["codes"] = {"back": "*20"}
    return company


def reaches(peers: Peers, who: str) -> None:
    """An outside call to Benoît ends at his phone or at the reception, and nowhere else."""
    reception = peers.target("reception")
    phone = peers.callee_at(peers.register_port("202"), "callee_answers")
    called, other = (phone, reception) if who == "phone" else (reception, phone)
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.1).succeeds()
    called.succeeds()
    other.never_called()


def test_a_choice_holds_over_a_crash_until_it_is_taken_back(
    company: Company, start_router: StartRouter, peers_of: Callable[[Router], Peers]
) -> None:
    """P2, M3. The router is killed as soon as it has confirmed: what it confirmed is stored."""
    router = Router(company, name="killed")
    try:
        peers = peers_of(router)
        peers.register("202")
        reaches(peers, "phone")
        peers.phone_calls("202", "phone_dials_a_code", "*21").succeeds()
    finally:
        router.process.end(signal.SIGKILL)
    assert not router.faults(), router.log[-4000:]
    restarted = peers.router = start_router(clock="2026-11-24T10:05:00+01:00")  # its clock does not go back
    reaches(peers, "reception")
    peers.phone_calls("202", "phone_dials_a_code", "*20").succeeds()
    reaches(peers, "phone")
    (back,) = eventually(
        "the code is recorded", lambda: [record for record in restarted.records() if record["dialled"] == "*20"]
    )
    assert (back["action"], back["status"], back["owner"]) == ("feature", 200, "benoit")


@needs_baresip
def test_a_real_phone_takes_the_confirmation_for_a_short_call(
    company: Company, start_router: StartRouter, peers_of: Callable[[Router], Peers], start_phone: StartPhone
) -> None:
    """P2."""
    router = start_router()
    phone = start_phone("202", router.address, speaks=440).is_registered()
    phone.command("dial", "*21")
    phone.waits_for("CALL_ESTABLISHED").waits_for("CALL_CLOSED")
    (record,) = router.records()
    assert (record["action"], record["status"], record["ended_by"]) == ("feature", 200, "router")
    peers = peers_of(router)
    reception = peers.target("reception")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.1).succeeds()
    reception.succeeds()
