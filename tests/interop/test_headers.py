"""What crosses the B2BUA and what does not (Stage 1: unknown headers pass, what identifies the inside does not)."""

from __future__ import annotations

import pytest

from .company import OUTSIDE
from .conftest import needs_sipp
from .peers import Peers
from .router_process import Router

pytestmark = needs_sipp


def test_unknown_header_passes_with_its_spelling(peers: Peers) -> None:
    trunk = peers.trunk("callee_answers")
    header = 'X-cUstomer-ReF: 42; note="a,b"'
    peers.phone_calls("201", "phone_talks_then_hangs_up", OUTSIDE, hold=0.1, keys={"header": header}).succeeds()
    trunk.succeeds()
    assert ("X-cUstomer-ReF", '42; note="a,b"') in trunk.request("INVITE").fields


def test_nothing_of_the_inside_shows_outside(router: Router, peers: Peers) -> None:
    """Topology hiding: own dialog, own Via, own Contact, no credentials, no product of the phone, no extension."""
    trunk = peers.trunk("callee_answers")
    caller = peers.phone_calls("201", "phone_talks_then_hangs_up", OUTSIDE, hold=0.1).succeeds()
    trunk.succeeds()
    inside = next(message for message in caller.sent if message.method == "INVITE")
    invite = trunk.request("INVITE")
    assert len(invite.all("Via")) == 1
    assert invite["Call-ID"] != inside["Call-ID"]
    assert invite.tag("From") != inside.tag("From")
    assert f":{caller.port}" not in "\n".join(value for _, value in invite.fields)
    assert str(router.port) in invite["Contact"]
    for secret in ("Proxy-Authorization", "Authorization"):
        assert invite.get(secret) is None
    assert "interop-inside" not in invite


def test_nothing_of_the_trunk_shows_inside(peers: Peers) -> None:
    trunk = peers.trunk("callee_answers")
    caller = peers.phone_calls("201", "phone_talks_then_hangs_up", OUTSIDE, hold=0.1).succeeds()
    trunk.succeeds()
    answer = caller.response(200, "INVITE")
    assert str(trunk.port) not in answer["Contact"]
    assert "interop-callee" not in answer
    assert answer.tag("To") not in {message.tag("To") for message in trunk.sent}


def test_max_forwards_is_carried_and_counted_down(peers: Peers) -> None:
    trunk = peers.trunk("callee_answers")
    keys = {"max_forwards": "17"}
    peers.phone_calls("201", "phone_talks_then_hangs_up", OUTSIDE, hold=0.1, keys=keys).succeeds()
    trunk.succeeds()
    assert trunk.request("INVITE")["Max-Forwards"] == "16"


def test_max_forwards_0_is_answered_483(peers: Peers) -> None:
    phone = peers.phone("202")
    caller = peers.call("caller_is_refused", "+3242200122", keys={"max_forwards": "0"}).succeeds()
    assert caller.received[-1].status == 483
    phone.never_called()


def test_unknown_extension_that_is_required_is_answered_420(peers: Peers) -> None:
    phone = peers.phone("202")
    caller = peers.call("caller_is_refused", "+3242200122", keys={"header": "Require: bananas"}).succeeds()
    refusal = caller.received[-1]
    assert refusal.status == 420
    assert refusal["Unsupported"] == "bananas"
    phone.never_called()


def test_options_is_answered_with_what_the_router_can_do(peers: Peers) -> None:
    answer = peers.stranger("asks_options", "").succeeds().responses(200)[0]
    methods = {method.strip() for method in answer["Allow"].split(",")}
    assert {"INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "REGISTER", "REFER", "INFO"} <= methods


@pytest.mark.parametrize("privacy", ["id", "user;id"])
def test_caller_who_withholds_the_number_stays_unknown_inside(peers: Peers, privacy: str) -> None:
    phone = peers.phone("202")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.1, keys={"header": f"Privacy: {privacy}"}).succeeds()
    phone.succeeds()
    assert OUTSIDE.lstrip("+") not in phone.request("INVITE")
