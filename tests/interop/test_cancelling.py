"""CANCEL in every state of a call (RFC 3261 §9)."""

from __future__ import annotations

from .conftest import needs_sipp
from .peers import Peers
from .processes import eventually
from .router_process import Router

pytestmark = needs_sipp


def test_before_anything_was_answered(router: Router, peers: Peers) -> None:
    """Whether the phone was called already or not: the caller gets 487, and the phone, if it rang, a CANCEL."""
    phone = peers.phone("202", "callee_is_cancelled_before_ringing")
    caller = peers.call("caller_cancels_at_once", "+3242200122").succeeds()
    assert caller.responses(487, "INVITE")
    if phone.requests("INVITE"):
        phone.succeeds()
    eventually("the router forgets the call", router.has_no_calls)


def test_before_ringing(router: Router, peers: Peers) -> None:
    phone = peers.phone("202", "callee_is_cancelled_before_ringing")
    peers.call("caller_cancels_before_ringing", "+3242200122", hold=0.3).succeeds()
    phone.succeeds()
    eventually("the router forgets the call", router.has_no_calls)
    assert router.records()[0]["status"] == 487


def test_while_ringing(router: Router, peers: Peers) -> None:
    phone = peers.phone("202", "callee_rings_until_cancelled")
    peers.call("caller_cancels_while_ringing", "+3242200122", hold=0.3).succeeds()
    phone.succeeds()
    record = router.records()[0]
    assert (record["status"], record["ended_by"]) == (487, "caller")


def test_answer_that_crosses_the_cancel_is_acknowledged_and_ended(router: Router, peers: Peers) -> None:
    phone = peers.phone("202", "callee_answers_across_the_cancel")
    peers.call("caller_cancels_while_ringing", "+3242200122", hold=0.3).succeeds()
    phone.succeeds()
    eventually("the router forgets the call", router.has_no_calls)


def test_cancel_after_the_answer_changes_nothing(router: Router, peers: Peers) -> None:
    phone = peers.phone("202")
    peers.call("caller_cancels_after_the_answer", "+3242200122", hold=0.3).succeeds()
    phone.succeeds()
    assert not phone.requests("CANCEL")
    assert router.records()[0]["status"] == 200


def test_callers_reason_reaches_the_callee(peers: Peers) -> None:
    """RFC 3326: a phone that is no longer wanted because its caller gave up must not show "answered elsewhere"."""
    phone = peers.phone("202", "callee_rings_until_cancelled")
    peers.call("caller_cancels_while_ringing", "+3242200122", hold=0.3).succeeds()
    phone.succeeds()
    assert "Call completed elsewhere" not in phone.request("CANCEL")
