"""INVITE with Replaces: a phone takes over a call of its own person, and nobody else's (RFC 3891)."""

from __future__ import annotations

import pytest

from router.model.decision import LineState
from tests.calls.story import Actor, Conversation, Phone, Story
from tests.calls.transferring import AGREED, OTHER, talk

TOLD_RELAYED_TOO = True


@pytest.fixture
def alice(story: Story) -> Phone:
    return story.phone("200")


@pytest.fixture
def bob(story: Story) -> Phone:
    return story.phone("201")


@pytest.fixture
def mobile(story: Story) -> Phone:
    """Bob's other phone, which is not registered and so does not ring."""
    return story.phone("201-gsm", registers=False)


def replaces(conversation: Conversation, parameters: str = "") -> str:
    return f"Replaces: {conversation.call_id};to-tag={conversation.remote_tag};from-tag={conversation.tag}{parameters}"


def takes_over(newcomer: Actor, conversation: Conversation, *headers: str, body: bytes = OTHER) -> None:
    newcomer.invites("200", replaces(conversation), "Require: replaces", *headers, body=body)


def test_a_call_moves_from_the_desk_to_the_mobile(story: Story, alice: Phone, bob: Phone, mobile: Phone) -> None:
    talk(alice, bob, "201")
    takes_over(mobile, bob.call)
    assert alice.waiting.body == OTHER
    assert not mobile.received(200, "INVITE")
    alice.answers(body=AGREED)
    assert mobile.received(200, "INVITE").body == AGREED
    assert not alice.received("ACK")
    assert "completed elsewhere" in bob.received("BYE").get("reason")
    mobile.acks()
    assert alice.received("ACK").body == b""
    mobile.reinvites()
    alice.answers()
    mobile.acks()
    mobile.hangs_up()
    assert alice.count("BYE") == 1


def test_the_callers_place_is_taken(story: Story, alice: Phone, bob: Phone, mobile: Phone) -> None:
    first = talk(bob, alice, "200")
    takes_over(mobile, first)
    alice.answers(body=AGREED)
    mobile.acks()
    assert bob.count("BYE") == 1
    alice.hangs_up()
    assert mobile.count("BYE") == 1


def test_a_newcomer_without_offer_is_made_one(story: Story, alice: Phone, bob: Phone, mobile: Phone) -> None:
    talk(alice, bob, "201")
    takes_over(mobile, bob.call, body=b"")
    assert alice.waiting.body == b""
    alice.answers(body=OTHER)
    assert mobile.received(200, "INVITE").body == OTHER
    mobile.acks(body=AGREED)
    assert alice.received("ACK").body == AGREED
    mobile.hangs_up()


def test_a_pbx_replaces_a_call_of_its_own(story: Story, alice: Phone) -> None:
    pbx = story.pbx()
    talk(pbx, alice, "200")
    first = pbx.call
    takes_over(pbx, first)
    alice.answers(body=AGREED)
    pbx.acks()
    assert [bye.call_id for bye in pbx.all_received("BYE")] == [first.call_id]
    alice.hangs_up()


def test_lines_and_record(story: Story, alice: Phone, bob: Phone, mobile: Phone) -> None:
    talk(alice, bob, "201")
    story.advance(10.0)
    takes_over(mobile, bob.call)
    alice.answers(body=AGREED)
    mobile.acks()
    assert story.lines.get("bob") is LineState.ON_CALL
    story.advance(5.0)
    alice.hangs_up()
    assert "bob" not in story.lines
    (record,) = story.records
    assert (record.status, record.ended_by, record.ended_after) == (200, "caller", 15.0)
    assert [(leg.peer, leg.status, leg.ended_after) for leg in record.legs] == [
        ("201", 200, 10.0),
        ("201-gsm", 200, 15.0),
    ]


# --------------------------------------------------------------------------------------------------- what refuses


def is_refused(newcomer: Actor, header: str, status: int) -> None:
    newcomer.invites("200", header)
    assert newcomer.received(status, "INVITE")


def test_no_dialog_matches(story: Story, alice: Phone, bob: Phone, mobile: Phone) -> None:
    talk(alice, bob, "201")
    call = bob.call
    is_refused(mobile, "Replaces: nothing@nowhere;to-tag=a;from-tag=b", 481)
    is_refused(mobile, replaces(call).replace(call.call_id, "other"), 481)
    is_refused(mobile, f"Replaces: {call.call_id};to-tag={call.remote_tag};from-tag=other", 481)
    is_refused(mobile, f"Replaces: {call.call_id};to-tag={call.tag};from-tag={call.remote_tag}", 481)
    is_refused(mobile, f"Replaces: {call.call_id};to-tag={call.remote_tag}", 400)
    is_refused(mobile, replaces(call, ";early-only"), 486)
    bob.hangs_up()
    is_refused(mobile, replaces(call), 481)


def test_a_call_that_rings_is_not_taken_over(story: Story, alice: Phone, bob: Phone, mobile: Phone) -> None:
    bob.invites("200")
    alice.rings()
    is_refused(mobile, replaces(bob.call), 481)
    bob.cancels()


def test_nobody_takes_somebody_elses_place(story: Story, alice: Phone, bob: Phone) -> None:
    carol, outside, pbx, stranger = story.phone("202"), story.trunk(), story.pbx(), story.stranger()
    first = talk(alice, bob, "201")
    is_refused(carol, replaces(bob.call), 403)
    is_refused(alice, replaces(bob.call), 403)
    is_refused(outside, replaces(bob.call), 403)
    is_refused(pbx, replaces(bob.call), 403)
    is_refused(stranger, replaces(bob.call), 407)
    assert (alice.count("INVITE"), bob.count("INVITE"), bob.count("BYE")) == (0, 0, 0)
    alice.hangs_up(conversation=first)


def test_the_outside_is_nobodys_own(story: Story, alice: Phone) -> None:
    outside, pbx = story.trunk(), story.pbx()
    first = talk(alice, outside, "+32475111222")
    is_refused(pbx, replaces(outside.call), 403)
    is_refused(alice, replaces(outside.call), 403)
    alice.hangs_up(conversation=first)


def test_the_other_side_refuses_the_newcomers_session(story: Story, alice: Phone, bob: Phone, mobile: Phone) -> None:
    talk(alice, bob, "201")
    takes_over(mobile, bob.call)
    alice.refuses(488)
    assert mobile.received(488, "INVITE")
    assert not bob.received("BYE")
    bob.reinvites()
    alice.answers()
    bob.acks()
    alice.hangs_up()


# --------------------------------------------------------------------------------------------------------- races


def test_the_newcomer_gives_up(story: Story, alice: Phone, bob: Phone, mobile: Phone) -> None:
    talk(alice, bob, "201")
    takes_over(mobile, bob.call)
    alice.responds(alice.waiting, 100)
    mobile.cancels()
    assert mobile.received(487, "INVITE")
    assert alice.received("CANCEL")
    assert not bob.received("BYE")
    bob.hangs_up()


def test_the_replaced_phone_hangs_up_first(story: Story, alice: Phone, bob: Phone, mobile: Phone) -> None:
    talk(alice, bob, "201")
    takes_over(mobile, bob.call)
    bob.hangs_up()
    assert not alice.received("BYE")
    alice.answers(body=AGREED)
    mobile.acks()
    assert alice.received("ACK")
    mobile.hangs_up()
    assert alice.count("BYE") == 1


def test_the_replaced_phone_hangs_up_and_the_newcomer_gives_up(
    story: Story, alice: Phone, bob: Phone, mobile: Phone
) -> None:
    talk(alice, bob, "201")
    takes_over(mobile, bob.call)
    bob.hangs_up()
    mobile.cancels()
    assert alice.count("BYE") == 1


def test_the_other_side_hangs_up(story: Story, alice: Phone, bob: Phone, mobile: Phone) -> None:
    talk(alice, bob, "201")
    takes_over(mobile, bob.call)
    alice.hangs_up()
    assert mobile.received(481, "INVITE")
    assert bob.count("BYE") == 1


def test_a_transfer_of_a_call_that_is_being_taken_over_waits(
    story: Story, alice: Phone, bob: Phone, mobile: Phone
) -> None:
    talk(alice, bob, "201")
    takes_over(mobile, bob.call)
    alice.sends_in_call("REFER", "Refer-To: <sip:202@192.0.2.1>")
    assert alice.received(491, "REFER")
    is_refused(bob, replaces(bob.call), 491)
    alice.answers(body=AGREED)
    mobile.acks()
    mobile.hangs_up()


def test_the_newcomer_vanishes_before_its_ack(story: Story, alice: Phone, bob: Phone, mobile: Phone) -> None:
    talk(alice, bob, "201")
    takes_over(mobile, bob.call)
    alice.answers(body=AGREED)
    story.advance(32.0)
    assert alice.received("ACK")
    assert alice.count("BYE") == 1
    assert mobile.received("BYE")
