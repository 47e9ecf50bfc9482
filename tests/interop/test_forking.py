"""All devices of a person ring, one answers (REQUIREMENTS F4, Q10; RFC 3326)."""

from __future__ import annotations

from .conftest import needs_sipp
from .peers import Peers
from .processes import eventually
from .router_process import Router

pytestmark = needs_sipp

ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


def test_first_answer_wins_and_the_other_device_is_told(router: Router, peers: Peers) -> None:
    desk = peers.phone("201", "callee_answers", hold=0.5)
    mobile = peers.phone("201m", "callee_rings_until_cancelled")
    peers.call("caller_talks_then_hangs_up", "+3242200121", hold=0.3).succeeds()
    desk.succeeds()
    mobile.succeeds()
    assert mobile.request("CANCEL")["Reason"].replace("; ", ";") == ELSEWHERE
    records = router.records()
    assert len(records) == 1  # F4: one record
    assert records[0]["status"] == 200
    eventually("the router forgets the call", router.has_no_calls)


def test_one_busy_device_does_not_silence_the_other(peers: Peers) -> None:
    desk = peers.phone("201", "callee_is_busy")
    mobile = peers.phone("201m", "callee_answers", hold=0.5)
    peers.call("caller_talks_then_hangs_up", "+3242200121", hold=0.2).succeeds()
    desk.succeeds()
    mobile.succeeds()


def test_caller_gives_up_and_every_device_stops_ringing(router: Router, peers: Peers) -> None:
    desk = peers.phone("201", "callee_rings_until_cancelled")
    mobile = peers.phone("201m", "callee_rings_until_cancelled")
    # Each device's ringing reaches the caller; SIPp would end the call at the second 180 in its pause.
    peers.call("caller_cancels_while_ringing", "+3242200121", hold=0.4, extra=("-pause_msg_ign",)).succeeds()
    desk.succeeds()
    mobile.succeeds()
    assert "Call completed elsewhere" not in desk.request("CANCEL")
    eventually("the router forgets the call", router.has_no_calls)


def test_two_answers_at_once_leave_one_call(router: Router, peers: Peers) -> None:
    """The second 200 crosses our CANCEL: acknowledged, then ended with BYE."""
    desk = peers.phone("201", "callee_answers", hold=0.5)
    mobile = peers.phone("201m", "callee_answers_across_the_cancel")
    peers.call("caller_talks_then_hangs_up", "+3242200121", hold=0.5).succeeds()
    desk.succeeds()
    mobile.succeeds()
    eventually("the router forgets the call", router.has_no_calls)
