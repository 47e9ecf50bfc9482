"""Unauthenticated requests of unknown sources reach nobody (Stage 1, bad input)."""

from __future__ import annotations

import pytest

from .company import OUTSIDE
from .conftest import needs_sipp
from .peers import Peers
from .processes import eventually
from .router_process import Router
from .wire import Wire

pytestmark = needs_sipp

EXTRA = {
    "SUBSCRIBE": (("Event", "presence"), ("Expires", "600")),
    "NOTIFY": (("Event", "message-summary"), ("Subscription-State", "active")),
    "REFER": (("Refer-To", "<sip:+22507070707@127.0.0.1>"),),
    "PUBLISH": (("Event", "presence"), ("Expires", "600")),
}


@pytest.mark.parametrize("dial", ["202", "+3242200122", OUTSIDE, "112"])
def test_call_of_a_stranger_rings_nobody(router: Router, peers: Peers, dial: str) -> None:
    phone, trunk = peers.phone("202"), peers.trunk("callee_answers")
    caller = peers.stranger("caller_is_refused", dial).succeeds()
    assert caller.received[-1].status in (401, 403, 404, 407)
    phone.never_called()
    trunk.never_called()
    eventually("the router forgets the call", router.has_no_calls)


@pytest.mark.parametrize("method", ["MESSAGE", "SUBSCRIBE", "REFER", "NOTIFY", "PUBLISH", "INFO", "UPDATE", "BYE"])
def test_other_requests_of_a_stranger_reach_nobody(router: Router, peers: Peers, method: str) -> None:
    phone, trunk = peers.phone("202"), peers.trunk("callee_answers")
    with Wire(router.address) as stranger:
        for user in ("202", "+3242200122", OUTSIDE):
            answer = stranger.asks(
                stranger.request(method, f"sip:{user}@{router.address}", headers=EXTRA.get(method, ()))
            )
            assert 400 <= answer.status < 500, str(answer)
    for peer in (phone, trunk):
        peer.stop()
        assert not peer.received


def test_request_within_somebody_elses_dialog_is_481(router: Router, peers: Peers) -> None:
    """A stranger who guesses Call-ID and one tag does not end a call."""
    phone = peers.phone("202")
    caller = peers.call("caller_talks_then_hangs_up", "+3242200122", hold=1.5)
    caller.response(200, "INVITE")
    answer_200 = caller.responses(200, "INVITE")[0]
    with Wire(router.address) as stranger:
        to = f"<sip:+3242200122@{router.address}>;tag={answer_200.tag('To')}"
        bye = stranger.request("BYE", f"sip:{router.address}", to=to, call_id=answer_200["Call-ID"], cseq=2)
        assert stranger.asks(bye).status == 481
    caller.succeeds()
    phone.succeeds()


def test_trunks_address_spoofed_in_headers_opens_nothing(router: Router, peers: Peers) -> None:
    """Who somebody is follows from where the datagram came from, never from what it says."""
    phone = peers.phone("202")
    keys = {"header": f"P-Asserted-Identity: <sip:+3242200121@127.0.0.1:{router.company.trunk_port}>", "caller": "201"}
    caller = peers.stranger("caller_is_refused", "202", keys=keys).succeeds()
    assert caller.received[-1].status in (401, 403, 407)
    phone.never_called()
