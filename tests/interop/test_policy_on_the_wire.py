"""The written policy as callers and callees see it, clause by clause (REQUIREMENTS)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .company import IN_A_MEETING, MAIN_NUMBER, OUTSIDE, Company
from .conftest import StartRouter, needs_sipp
from .messages import Message
from .peers import Peers
from .router_process import Router
from .sipp import Sipp

pytestmark = needs_sipp

PeersOf = Callable[..., Peers]


def shown_number(invite: Message) -> str:
    """The number that a trunk's subscriber will see."""
    return invite.user("P-Asserted-Identity")


@pytest.mark.parametrize(
    ("clause", "account", "number"),
    [
        ("M1", "201m", MAIN_NUMBER),
        ("F1", "201", "+3242200121"),
        ("R1", "203", "+32470555012"),
        ("R5", "205", "+3242200160"),
    ],
)
def test_number_shown_outside(router: Router, peers: Peers, clause: str, account: str, number: str) -> None:
    trunk = peers.trunk("callee_answers")
    peers.phone_calls(account, "phone_talks_then_hangs_up", OUTSIDE, hold=0.1).succeeds()
    trunk.succeeds()
    assert shown_number(trunk.request("INVITE")) == number
    record = router.records()[0]
    assert record["shown_number"] == number
    assert clause in [reason["clause"] for reason in record["because"]]


def test_mobile_number_that_nobody_verified_is_never_shown(router: Router, peers: Peers) -> None:
    """R1, S4: Carl's mobile is not among the company's verified numbers."""
    trunk = peers.trunk("callee_answers")
    peers.phone_calls("204", "phone_talks_then_hangs_up", OUTSIDE, hold=0.1).succeeds()
    trunk.succeeds()
    invite = trunk.request("INVITE")
    assert "+32470999999" not in str(invite)
    assert shown_number(invite).startswith("+32422001")


@pytest.mark.parametrize(
    ("clause", "number", "account", "target"),
    [
        ("M2", "+3242200122", "202", "voicemail"),
        ("R2", "+3242200123", "203", "reception"),
        ("R6", "+3242200125", "205", "queue:technical"),
    ],
)
def test_somebody_on_a_call(router: Router, peers: Peers, clause: str, number: str, account: str, target: str) -> None:
    """M2, F2, R2, R6: the second call does not ring the phone, it goes where the role says."""
    phone = peers.phone(account, "callee_answers")
    first = peers.call_by_second_trunk("caller_talks_then_hangs_up", number, hold=3.0)
    phone.request("ACK")
    second_target = peers.target(target)
    peers.call("caller_talks_then_hangs_up", number, hold=0.1).succeeds()
    second_target.succeeds()
    assert "reason=user-busy" in second_target.request("INVITE")["Diversion"]
    first.succeeds()
    phone.succeeds()
    assert len(phone.requests("INVITE")) == 1
    reasons = [reason["clause"] for record in router.records(2) for reason in record["because"]]
    assert clause in reasons or clause.replace("M", "F") in reasons


@pytest.mark.parametrize(
    ("number", "account", "target"),
    [
        ("+3242200122", "202", "reception"),
        ("+3242200123", "203", "queue:sales"),
        ("+3242200125", "205", "reception"),
    ],
    ids=["M3 F3", "R3", "R7"],
)
def test_somebody_in_a_meeting(
    start_router: StartRouter, peers_of: PeersOf, number: str, account: str, target: str
) -> None:
    peers = peers_of(start_router(clock=IN_A_MEETING))
    phone = peers.phone(account)
    instead = peers.target(target)
    peers.call("caller_talks_then_hangs_up", number, hold=0.1).succeeds()
    instead.succeeds()
    phone.never_called()


@pytest.mark.parametrize(
    ("time", "rings"),
    [
        ("07:59:50", False),
        ("08:00:00", True),
        ("11:59:50", True),
        ("12:00:00", False),
        ("12:59:50", False),
        ("13:00:00", True),
        ("16:59:30", True),
        ("17:00:00", False),
    ],
)
def test_profile_by_time_of_day(start_router: StartRouter, peers_of: PeersOf, time: str, rings: bool) -> None:
    """M4, M5, R4, G6: lunch [12:00, 13:00), gone for the day [17:00, 08:00)."""
    router = start_router(clock=f"2026-11-24T{time}+01:00")
    peers = peers_of(router)
    phone = peers.phone("202")
    voicemail = peers.target("voicemail")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.1).succeeds()
    expected, other = (phone, voicemail) if rings else (voicemail, phone)
    expected.succeeds()
    other.never_called()


def test_profile_changes_while_the_router_runs(start_router: StartRouter, peers_of: PeersOf) -> None:
    """M5: the clock passes 17:00; the same call goes elsewhere, without a reload."""
    router = start_router(clock="2026-11-24T16:59:56+01:00")
    peers = peers_of(router)
    phone = peers.phone("202")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0).succeeds()
    phone.succeeds()
    voicemail = peers.target("voicemail")

    def voicemail_answers() -> bool:
        evening = peers.callee_at(peers.register_port("202"), "callee_answers")
        peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0).succeeds()
        evening.stop()
        return bool(voicemail.requests("INVITE"))

    for _ in range(40):
        if voicemail_answers():
            break
    else:
        pytest.fail("the profile never changed")
    voicemail.succeeds()


def test_greylisted_destination_is_refused(router: Router, peers: Peers) -> None:
    """X2."""
    trunk = peers.trunk("callee_answers")
    caller = peers.phone_calls("201", "phone_is_refused", "+22507070707").succeeds()
    assert caller.received[-1].status == 403
    trunk.never_called()
    record = router.records()[0]
    assert record["action"] == "refuse"
    assert "X2" in [reason["clause"] for reason in record["because"]]


@pytest.mark.parametrize("account", ["201", "201m", "203"])
@pytest.mark.parametrize("number", ["112", "101"])
def test_emergency_call_goes_out_unmodified(peers: Peers, account: str, number: str) -> None:
    trunk = peers.trunk("callee_answers")
    peers.phone_calls(account, "phone_talks_then_hangs_up", number, hold=0.1).succeeds()
    trunk.succeeds()
    invite = trunk.request("INVITE")
    assert invite.request_uri.startswith(f"sip:{number}@")
    assert invite.user("To") == number
    assert shown_number(invite).startswith("+32")


def test_emergency_call_goes_out_although_the_greylist_names_it(
    company: Company, start_router: StartRouter, peers_of: PeersOf
) -> None:
    company.document["greylist"]["prefixes"] += ["+32"]
    peers = peers_of(start_router())
    trunk = peers.trunk("callee_answers")
    peers.phone_calls("201", "phone_talks_then_hangs_up", "112", hold=0.1).succeeds()
    trunk.succeeds()


def test_outside_caller_cannot_use_the_company_as_a_relay(peers: Peers) -> None:
    trunk = peers.trunk("callee_answers")
    caller = peers.call("caller_is_refused", "+33123456789").succeeds()
    assert caller.received[-1].status in (403, 404)
    trunk.never_called()


def test_colleagues_see_name_and_number(peers: Peers) -> None:
    colleague = peers.phone("202")
    peers.phone_calls("201", "phone_talks_then_hangs_up", "202", hold=0.1, keys={"caller_name": "Somebody"}).succeeds()
    colleague.succeeds()
    shown = colleague.request("INVITE")["From"]
    assert "Anna Petit" in shown
    assert "Somebody" not in shown


def test_phone_sees_the_outside_caller(peers: Peers) -> None:
    phone = peers.phone("202")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.1).succeeds()
    phone.succeeds()
    assert phone.request("INVITE").user("From").endswith(OUTSIDE.lstrip("+"))


def test_call_forwarded_to_the_outside_shows_a_number_of_the_company(
    company: Company, start_router: StartRouter, peers_of: PeersOf
) -> None:
    """G1, S4: never a number that the company does not own; Diversion says who forwarded."""
    company.document["targets"]["voicemail"] = {"number": "+3225550000"}
    peers = peers_of(start_router())
    trunk: Sipp = peers.trunk("callee_answers")
    peers.call("caller_talks_then_hangs_up", "+3242200126", hold=0.1).succeeds()
    trunk.succeeds()
    invite = trunk.request("INVITE")
    assert shown_number(invite).startswith("+32422001")
    assert "+3242200126" in invite["Diversion"]
