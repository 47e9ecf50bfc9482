"""Calls that are answered, refused or not answered (REQUIREMENTS S3, F4, G5; RFC 3261 §13, §15)."""

from __future__ import annotations

import pytest

from .company import OUTSIDE
from .conftest import needs_sipp
from .peers import Peers
from .processes import eventually
from .router_process import Router
from .wire import Wire

pytestmark = needs_sipp


def test_outside_caller_reaches_a_phone_and_hangs_up(router: Router, peers: Peers) -> None:
    phone = peers.phone("202", hold=0.2)
    caller = peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.5).succeeds()
    phone.succeeds()
    assert caller.responses(180)
    record = router.records()[0]
    assert (record["status"], record["owner"], record["ended_by"]) == (200, "benoit", "caller")
    eventually("the router forgets the call", router.has_no_calls)


def test_callee_hangs_up(router: Router, peers: Peers) -> None:
    phone = peers.phone("202", "callee_answers_and_hangs_up", hold=0.3)
    peers.call("caller_talks_until_hung_up_on", "+3242200122").succeeds()
    phone.succeeds()
    assert router.records()[0]["ended_by"] == "callee"


@pytest.mark.parametrize(
    ("caller", "callee"),
    [
        ("caller_hangs_up_right_after_ack", "callee_answers"),
        ("caller_talks_until_hung_up_on", "callee_answers_and_hangs_up"),
        ("caller_hangs_up_right_after_ack", "callee_answers_at_once"),
    ],
)
def test_hanging_up_in_the_moment_of_the_ack(router: Router, peers: Peers, caller: str, callee: str) -> None:
    phone = peers.phone("202", callee, hold=0)
    peers.call(caller, "+3242200122").succeeds()
    phone.succeeds()
    eventually("the router forgets the call", router.has_no_calls)


def test_phone_with_digest_calls_a_colleague_by_extension(peers: Peers) -> None:
    colleague = peers.phone("202")
    peers.phone_calls("201", "phone_talks_then_hangs_up", "202", hold=0.2).succeeds()
    colleague.succeeds()


def test_phone_calls_out_by_the_trunk(router: Router, peers: Peers) -> None:
    trunk = peers.trunk("callee_answers")
    peers.phone_calls("201", "phone_talks_then_hangs_up", "0475111222", hold=0.2).succeeds()
    trunk.succeeds()
    assert trunk.request("INVITE").request_uri.startswith(f"sip:{OUTSIDE}@")
    assert router.records()[0]["action"] == "dial"


def test_callee_over_tcp_port_is_reached_from_a_tcp_caller(peers: Peers) -> None:
    colleague = peers.phone("202")
    peers.phone_calls("201", "phone_talks_then_hangs_up", "202", hold=0.2, transport="tcp").succeeds()
    colleague.succeeds()


@pytest.mark.parametrize("scenario", ["callee_is_not_found", "callee_declines", "callee_is_busy"])
def test_refusal_of_the_far_end_comes_back_as_it_is(peers: Peers, scenario: str) -> None:
    wanted = {"callee_is_not_found": 404, "callee_declines": 603, "callee_is_busy": 486}[scenario]
    trunk = peers.trunk(scenario)
    caller = peers.phone_calls("201", "phone_is_refused", OUTSIDE).succeeds()
    trunk.succeeds()
    assert caller.received[-1].status == wanted


def test_nobody_answers_and_voicemail_takes_the_call(router: Router, peers: Peers) -> None:
    """G5: after no_answer (2 s) the phone gets CANCEL and the caller reaches the voicemail."""
    phone = peers.phone("202", "callee_rings_until_cancelled")
    voicemail = peers.target("voicemail")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.2).succeeds()
    phone.succeeds()
    voicemail.succeeds()
    invite = voicemail.request("INVITE")
    assert "reason=no-answer" in invite["Diversion"]
    assert "+3242200122" in invite["Diversion"]
    assert "3242200122" in invite["History-Info"]
    assert [leg["status"] for leg in router.records()[0]["legs"]][-1] == 200


def test_unregistered_phone_leads_to_voicemail(peers: Peers) -> None:
    """G5, S3: an outside caller never just gets 480."""
    voicemail = peers.target("voicemail")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.2).succeeds()
    voicemail.succeeds()


def test_person_without_a_phone_leads_to_the_target(peers: Peers) -> None:
    """F5: Luc has no device at all."""
    voicemail = peers.target("voicemail")
    peers.call("caller_talks_then_hangs_up", "+3242200126", hold=0.2).succeeds()
    voicemail.succeeds()


def test_busy_phone_leads_to_voicemail(peers: Peers) -> None:
    """M2, F2: 486 of the only device counts as on a call."""
    phone = peers.phone("202", "callee_rings_then_is_busy", hold=0.2)
    voicemail = peers.target("voicemail")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.2).succeeds()
    phone.succeeds()
    voicemail.succeeds()
    assert "reason=user-busy" in voicemail.request("INVITE")["Diversion"]


def test_several_provisional_responses_and_early_media_reach_the_caller(peers: Peers) -> None:
    trunk = peers.trunk("callee_sends_early_media", hold=0.2)
    caller = peers.phone_calls("201", "phone_talks_then_hangs_up", OUTSIDE, hold=0.2).succeeds()
    trunk.succeeds()
    provisional = [message.status for message in caller.received if 100 < message.status < 200]
    assert provisional == [183, 180, 183]
    early = caller.responses(183)[0]
    assert "m=audio" in early.body
    assert early.body == next(message.body for message in trunk.sent if message.status == 183)


def test_offer_and_answer_are_carried_byte_for_byte(peers: Peers) -> None:
    trunk = peers.trunk("callee_answers")
    caller = peers.phone_calls("201", "phone_talks_then_hangs_up", OUTSIDE, hold=0.1).succeeds()
    trunk.succeeds()
    offers = [message.body for message in caller.sent if message.method == "INVITE" and message.body]
    assert trunk.request("INVITE").body == offers[-1]
    answer = next(message.body for message in trunk.sent if message.status == 200 and message.method == "INVITE")
    assert caller.response(200, "INVITE").body == answer


def test_offer_in_the_200_and_answer_in_the_ack(peers: Peers) -> None:
    phone = peers.phone("202", "callee_makes_the_offer")
    caller = peers.call("caller_without_offer", "+3242200122", hold=0.2).succeeds()
    phone.succeeds()
    assert not phone.request("INVITE").body
    answer = next(message.body for message in caller.sent if message.method == "ACK")
    assert phone.request("ACK").body == answer


def test_many_calls_leave_nothing_behind(router: Router, peers: Peers) -> None:
    calls = 300
    voicemail = peers.target("voicemail", calls=calls, seconds=40)
    peers.call("caller_talks_then_hangs_up", "+3242200126", calls=calls, rate=100, hold=0.2, seconds=40).succeeds()
    voicemail.succeeds()
    records = router.records(calls)
    assert len(records) == len({record["call_id"] for record in records}) == calls
    assert {record["status"] for record in records} == {200}
    eventually("the router forgets the calls", router.has_no_calls)
    assert router.metric("sip_calls_active") == 0


def test_invite_that_comes_again_is_one_call(router: Router, peers: Peers) -> None:
    """RFC 3261 §17.2.1: the same INVITE, sent again before any answer, is absorbed."""
    phone = peers.phone("202", "callee_rings_until_cancelled")
    with Wire(router.address, port=router.company.callers_port) as trunk:
        invite = trunk.request("INVITE", f"sip:+3242200122@{router.address}", sender=OUTSIDE)
        for _ in range(3):
            trunk.send(invite)
        phone.request("INVITE")
        assert trunk.asks(invite.replace("INVITE", "CANCEL")).status == 200
        phone.succeeds()
    assert len(phone.requests("INVITE")) == 1
    assert len(router.records()) == 1


def test_reason_of_a_hang_up_reaches_the_other_side(router: Router, peers: Peers) -> None:
    """RFC 3326."""
    phone = peers.phone("202")
    with Wire(router.address, port=router.company.callers_port) as trunk:
        uri = f"sip:+3242200122@{router.address}"
        answer = trunk.asks(trunk.request("INVITE", uri, sender=OUTSIDE, call_id="reason@wire"))
        assert answer.status == 200
        trunk.send(trunk.request("ACK", uri, sender=OUTSIDE, call_id="reason@wire", to=answer["To"]))
        reason = 'Q.850;cause=31;text="Normal, unspecified"'
        bye = trunk.request(
            "BYE", uri, sender=OUTSIDE, call_id="reason@wire", to=answer["To"], cseq=2, headers=(("Reason", reason),)
        )
        assert trunk.asks(bye).status == 200
    phone.succeeds()
    assert phone.request("BYE")["Reason"] == reason


def test_phone_that_answers_480_leads_to_voicemail(peers: Peers) -> None:
    """G5, S3."""
    phone = peers.phone("202", "callee_is_unavailable")
    voicemail = peers.target("voicemail")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.1).succeeds()
    phone.succeeds()
    voicemail.succeeds()


def test_phone_that_says_nothing_at_all_leads_to_voicemail(peers: Peers) -> None:
    """G5: the caller does not wait for a device that lost its power, and RFC 3261 §9.1: no CANCEL before a 1xx."""
    phone = peers.phone("202", "callee_is_silent", hold=6.0)
    voicemail = peers.target("voicemail")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.1).succeeds()
    voicemail.succeeds()
    phone.stop()
    assert len(phone.requests("INVITE")) > 1  # sent again, as the phone gave no sign
    assert not phone.requests("CANCEL")
