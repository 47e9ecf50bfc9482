"""What happens inside a call: hold, re-INVITE, INFO, lost ACK (RFC 3261 §12.2, §13.2.2.4, §14; RFC 6086)."""

from __future__ import annotations

from .conftest import needs_sipp
from .peers import Peers

pytestmark = needs_sipp


def test_caller_holds_and_resumes(peers: Peers) -> None:
    phone = peers.phone("202", "callee_is_held_and_resumed")
    caller = peers.call("caller_holds_and_resumes", "+3242200122", hold=0.2).succeeds()
    phone.succeeds()
    offers = [message.body for message in caller.sent if message.method == "INVITE"]
    assert [message.body for message in phone.requests("INVITE")] == offers


def test_callee_holds_and_resumes(peers: Peers) -> None:
    phone = peers.phone("202", "callee_holds_and_resumes", hold=0.2)
    peers.call("caller_is_held_and_resumed", "+3242200122").succeeds()
    phone.succeeds()


def test_info_of_the_caller(peers: Peers) -> None:
    phone = peers.phone("202", "callee_receives_info")
    peers.call("caller_sends_info", "+3242200122", hold=0.2).succeeds()
    phone.succeeds()
    assert phone.request("INFO")["Content-Type"] == "application/dtmf-relay"


def test_info_of_the_callee(peers: Peers) -> None:
    phone = peers.phone("202", "callee_sends_info", hold=0.2)
    peers.call("caller_receives_info", "+3242200122").succeeds()
    phone.succeeds()


def test_every_200_that_comes_again_is_acknowledged_again(peers: Peers) -> None:
    """The callee behaves as if the ACK was lost."""
    # -nr: SIPp would take our second ACK for a retransmission and answer it with its 200, for ever.
    phone = peers.phone("202", "callee_misses_the_ack", extra=("-nr",))
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=1.0).succeeds()
    phone.succeeds()
    assert len(phone.requests("ACK")) == 2


def test_200_is_sent_again_until_the_callers_ack_comes(peers: Peers) -> None:
    phone = peers.phone("202")
    caller = peers.call("caller_acknowledges_late", "+3242200122", hold=1.8).succeeds()
    phone.succeeds()
    assert len(caller.responses(200, "INVITE")) >= 3  # at 0, 0.5 and 1.5 s (T1, 2·T1)
