"""Blind transfer by REFER, as the three parties and their phones see it (RFC 3515, RFC 5589 §6)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from router.model.decision import LineState
from tests.calls.story import COMPANY, Phone, Story
from tests.calls.transferring import AGREED, OTHER, refers, talk, told

TOLD_RELAYED_TOO = True


@pytest.fixture
def alice(story: Story) -> Phone:
    return story.phone("200")


@pytest.fixture
def bob(story: Story) -> Phone:
    return story.phone("201")


@pytest.fixture
def carol(story: Story) -> Phone:
    return story.phone("202")


def is_transferred(transferee: Phone, target: Phone) -> None:
    """The target answers and the transferee agrees."""
    target.answers(body=OTHER)
    transferee.answers(body=AGREED)
    assert target.received("ACK").body == AGREED


# ----------------------------------------------------------------------------------------------- how it goes well


def test_the_target_answers_and_talks_to_the_transferee(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    assert bob.received(202, "REFER")
    assert told(bob) == ["100 Trying"]
    assert carol.received("INVITE").body == b""
    carol.rings()
    assert told(bob) == ["100 Trying", "180 Ringing"]
    assert not alice.received("INVITE")
    carol.answers(body=OTHER)
    assert alice.received("INVITE").body == OTHER
    assert not carol.received("ACK")
    alice.answers(body=AGREED)
    assert alice.received("ACK").body == b""
    assert carol.received("ACK").body == AGREED
    assert told(bob)[2:] == ["200 OK"]
    assert bob.count("BYE") == 1
    assert (alice.count("BYE"), carol.count("BYE")) == (0, 0)
    story.advance(60)
    carol.hangs_up()
    assert alice.count("BYE") == 1


def test_the_caller_can_transfer_the_callee(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(alice, "202")
    is_transferred(bob, carol)
    assert told(alice)[-1] == "200 OK"
    assert alice.count("BYE") == 1
    bob.hangs_up()
    assert carol.count("BYE") == 1


def test_notify_says_which_refer_it_is_about(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "+22412345678")
    told(bob)
    first, last = bob.all_received("NOTIFY")
    assert first.get("event") == last.get("event") == "refer"
    assert first.get("content-type") == "message/sipfrag;version=2.0"
    assert first.get("subscription-state").startswith("active;expires=")
    assert last.get("subscription-state") == "terminated;reason=noresource"
    bob.forgets()
    refers(bob, "202")
    assert bob.received("NOTIFY").get("event") == f"refer;id={bob.call.cseq}"
    is_transferred(alice, carol)
    told(bob)
    alice.hangs_up()


def test_notifies_come_one_after_the_other(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    """Over UDP they could overtake each other, and the later one would make the earlier one be refused."""
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.rings()
    is_transferred(alice, carol)
    assert bob.count("NOTIFY") == 1
    assert not bob.received("BYE")
    assert told(bob) == ["100 Trying", "200 OK"]
    assert bob.count("BYE") == 1
    carol.hangs_up()


def test_no_notify_where_none_is_wanted(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    """RFC 4488."""
    talk(alice, bob, "201")
    refers(bob, "202", "Refer-Sub: false", "Require: norefersub")
    assert bob.received(202).get("refer-sub") == "false"
    is_transferred(alice, carol)
    assert bob.count("BYE") == 1
    assert not bob.received("NOTIFY")
    alice.hangs_up()


def test_a_transferor_that_does_not_know_notify_is_hung_up(
    story: Story, alice: Phone, bob: Phone, carol: Phone
) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    bob.responds(bob.received("NOTIFY"), 481)
    is_transferred(alice, carol)
    assert bob.count("NOTIFY") == 1
    assert bob.count("BYE") == 1
    alice.hangs_up()


def test_a_transferor_that_hangs_up_at_the_last_notify(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    is_transferred(alice, carol)
    bob.responds(bob.received("NOTIFY"), 200)
    bob.hangs_up()
    assert bob.received(200, "BYE")
    assert told(bob)[-1] == "200 OK"
    assert not bob.received("BYE")
    alice.hangs_up()


def test_all_phones_of_the_target_ring_and_one_is_answered(
    story: Story, alice: Phone, bob: Phone, carol: Phone
) -> None:
    mobile = story.phone("201-gsm")
    talk(carol, alice, "200")
    refers(alice, "201")
    bob.rings()
    mobile.rings()
    is_transferred(carol, mobile)
    assert "completed elsewhere" in bob.received("CANCEL").get("reason")
    told(alice)
    carol.hangs_up()


def test_an_unanswered_target_is_followed_by_the_policys_next(
    story: Story, alice: Phone, bob: Phone, carol: Phone
) -> None:
    voicemail = story.voicemail()
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.rings()
    story.advance(20.0)
    assert carol.received("CANCEL")
    assert voicemail.received("INVITE").get("diversion").endswith("reason=no-answer;counter=1")
    voicemail.answers(body=OTHER)
    alice.answers(body=AGREED)
    assert told(bob)[-1] == "200 OK"
    alice.hangs_up()
    assert voicemail.count("BYE") == 1


def test_a_transfer_to_the_outside_goes_by_a_trunk_with_the_transferors_number(
    story: Story, alice: Phone, bob: Phone
) -> None:
    outside = story.trunk()
    talk(alice, bob, "201")
    refers(bob, "tel:+32475111222")
    invite = outside.received("INVITE")
    assert invite.uri == "sip:+32475111222@198.51.100.1"
    assert "+3242200121" in invite.get("p-asserted-identity")
    outside.answers(body=OTHER)
    alice.answers(body=AGREED)
    told(bob)
    outside.hangs_up()
    assert alice.count("BYE") == 1


def test_an_outside_caller_is_transferred_to_a_colleague(story: Story, bob: Phone, carol: Phone) -> None:
    outside = story.trunk()
    talk(outside, bob, "+3242200121")
    refers(bob, "202")
    carol.answers(body=OTHER)
    outside.answers(body=AGREED)
    assert told(bob)[-1] == "200 OK"
    outside.sends_in_call("REFER", "Refer-To: <sip:201@192.0.2.1>")
    assert outside.received(403, "REFER")
    carol.hangs_up()


def test_the_reception_transfers_a_caller(story: Story, bob: Phone) -> None:
    """The console is a SIP address of the configuration, not a device of a person."""
    outside, reception = story.trunk(), story.reception()
    talk(outside, reception, "+3242200100")
    refers(reception, "201")
    assert "<sip:reception@" in bob.received("INVITE").get("from")
    bob.answers(body=OTHER)
    outside.answers(body=AGREED)
    assert told(reception)[-1] == "200 OK"
    outside.hangs_up()
    assert bob.count("BYE") == 1


def test_the_reception_transfers_a_caller_to_a_mobile_outside(story: Story) -> None:
    """Outside the company a console has no number of its own to show: it shows the company's."""
    caller, reception, mobile = story.trunk(), story.reception(), story.trunk("second")
    talk(caller, reception, "+3242200100")
    story.unreachable.add(caller.address)
    refers(reception, "+32475999888")
    assert "+3242200100" in mobile.received("INVITE").get("p-asserted-identity")
    story.unreachable.clear()
    mobile.answers(body=OTHER)
    caller.answers(body=AGREED)
    assert told(reception)[-1] == "200 OK"
    caller.hangs_up()


def test_a_pbx_transfers_with_its_callers_number(story: Story, alice: Phone, bob: Phone) -> None:
    pbx, outside = story.pbx(), story.trunk()
    pbx.invites("200", sender="<sip:+3242200150@192.0.2.50>")
    alice.answers()
    pbx.acks()
    refers(pbx, "+32475111222")
    assert "+3242200150" in outside.received("INVITE").get("p-asserted-identity")
    outside.answers(body=OTHER)
    alice.answers(body=AGREED)
    told(pbx)
    alice.hangs_up()


def test_who_was_transferred_can_be_transferred_again(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    voicemail, outside = story.voicemail(), story.trunk()
    talk(outside, bob, "+3242200121")
    refers(bob, "202")
    carol.answers(body=OTHER)
    outside.answers(body=AGREED)
    told(bob)
    refers(carol, "200")
    alice.answers(body=OTHER)
    outside.answers(body=AGREED)
    assert told(carol)[-1] == "200 OK"
    assert carol.count("BYE") == 1
    outside.hangs_up()
    assert alice.count("BYE") == 1
    assert not voicemail.was_called


def test_a_second_transferor_hangs_up_right_after_the_202(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    outside = story.trunk()
    talk(outside, bob, "+3242200121")
    refers(bob, "202")
    carol.answers(body=OTHER)
    outside.answers(body=AGREED)
    told(bob)
    refers(carol, "200")
    carol.hangs_up()
    alice.answers(body=OTHER)
    outside.answers(body=AGREED)
    outside.hangs_up()
    assert alice.count("BYE") == 1


def test_hold_and_resume_pass_after_a_transfer(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    is_transferred(alice, carol)
    told(bob)
    alice.reinvites()
    carol.answers()
    alice.acks()
    assert carol.count("ACK") == 2
    alice.hangs_up()


# --------------------------------------------------------------------------------------------------- what refuses


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ((), 400),
        (("Refer-To: <sip:202@192.0.2.1>, <sip:201@192.0.2.1>",), 400),
        (("Refer-To: <sip:202@192.0.2.1>", "Refer-To: <sip:201@192.0.2.1>"), 400),
        (("Refer-To: nobody",), 400),
        (("Refer-To: <http://example.com/>",), 416),
        (("Refer-To: <sip:202@192.0.2.1;method=BYE>",), 501),
        (("Refer-To: <sip:202@192.0.2.1?Replaces=abc>",), 400),
        (("Refer-To: <sip:202@192.0.2.1>", "Require: telepathy"), 420),
    ],
)
def test_a_refer_that_cannot_be_served(
    story: Story, alice: Phone, bob: Phone, carol: Phone, headers: tuple[str, ...], status: int
) -> None:
    talk(alice, bob, "201")
    bob.sends_in_call("REFER", *headers)
    assert bob.received(status, "REFER")
    assert not carol.was_called
    assert not bob.received("NOTIFY")
    bob.hangs_up()


def test_the_outside_may_not_transfer_our_people(story: Story, alice: Phone, bob: Phone) -> None:
    outside = story.trunk()
    talk(alice, outside, "+32475111222")
    refers(outside, "201")
    assert outside.received(403, "REFER")
    assert not bob.was_called
    alice.hangs_up()
    talk(outside, alice, "+3242200120")
    refers(outside, "+32475333444")
    assert outside.received(403, "REFER")
    assert outside.count("INVITE") == 0
    alice.hangs_up()


def test_a_greylisted_target_is_refused_and_the_call_stays(story: Story, alice: Phone, bob: Phone) -> None:
    """X2, P3."""
    outside = story.trunk()
    talk(alice, bob, "201")
    refers(bob, "+22412345678")
    assert told(bob) == ["100 Trying", "403 Forbidden"]
    assert not outside.was_called
    bob.reinvites()
    alice.answers()
    bob.acks()
    bob.hangs_up()
    assert alice.count("BYE") == 1


def test_an_emergency_number_goes_out_unmodified(story: Story, alice: Phone, bob: Phone) -> None:
    outside = story.trunk()
    talk(alice, bob, "201")
    refers(bob, "112")
    assert outside.received("INVITE").uri.startswith("sip:112@")
    outside.answers(body=OTHER)
    alice.answers(body=AGREED)
    told(bob)
    alice.hangs_up()


def test_the_target_is_busy_and_the_call_stays(story: Story, alice: Phone, bob: Phone) -> None:
    outside = story.trunk()
    talk(alice, bob, "201")
    refers(bob, "+32475111222")
    outside.refuses(486, reason="Busy Here")
    assert told(bob)[-1] == "486 Busy Here"
    assert not alice.received("INVITE")
    assert (alice.count("BYE"), bob.count("BYE")) == (0, 0)
    bob.forgets()
    refers(bob, "+32475333444")
    outside.answers(body=OTHER)
    alice.answers(body=AGREED)
    assert told(bob)[-1] == "200 OK"
    alice.hangs_up()


def test_the_transferee_refuses_the_new_session(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.answers(body=OTHER)
    alice.refuses(488, reason="Not Acceptable Here")
    assert b"m=audio 0 " in carol.received("ACK").body
    assert carol.count("BYE") == 1
    assert told(bob)[-1] == "488 Not Acceptable Here"
    assert (alice.count("BYE"), bob.count("BYE")) == (0, 0)
    bob.hangs_up()


def test_a_target_that_answers_without_an_offer_is_let_go(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.answers(body=b"")
    assert carol.received("ACK")
    assert carol.count("BYE") == 1
    assert told(bob)[-1].startswith("488")
    assert not alice.received("INVITE")
    bob.hangs_up()


def test_a_second_transfer_waits_for_the_first(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    refers(bob, "+32475111222")
    assert bob.received(491, "REFER")
    refers(alice, "+32475111222")
    assert alice.received(491, "REFER")
    is_transferred(alice, carol)
    assert told(bob)[-1] == "200 OK"
    alice.hangs_up()


# --------------------------------------------------------------------------------------------------------- races


def test_the_transferor_hangs_up_right_after_the_202(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    bob.hangs_up()
    assert bob.received(200, "BYE")
    assert not alice.received("BYE")
    assert story.lines.get("bob") is None
    carol.rings()
    is_transferred(alice, carol)
    assert not bob.received("BYE")
    assert told(bob)[-1] == "200 OK"
    alice.hangs_up()
    assert carol.count("BYE") == 1


def test_without_the_transferor_the_policys_last_word_ends_the_call(
    story: Story, alice: Phone, bob: Phone, carol: Phone
) -> None:
    voicemail, reception = story.voicemail(), story.reception()
    talk(alice, bob, "201")
    refers(bob, "202")
    bob.hangs_up()
    carol.refuses(486)
    assert not alice.received("BYE")
    voicemail.refuses(480)
    reception.refuses(480)
    assert alice.count("BYE") == 1
    assert told(bob)[-1].startswith("480")


def test_the_transferee_hangs_up_while_the_target_rings(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.rings()
    alice.hangs_up()
    assert carol.count("CANCEL") == 1
    assert bob.count("BYE") == 1
    assert told(bob)[-1] == "487 Request Terminated"


def test_the_transferee_hangs_up_after_the_transferor(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.rings()
    bob.hangs_up()
    alice.hangs_up()
    assert alice.received(200, "BYE")
    assert carol.count("CANCEL") == 1
    assert not bob.received("BYE")


def test_a_transferee_alone_cannot_change_a_session_with_nobody(
    story: Story, alice: Phone, bob: Phone, carol: Phone
) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    bob.hangs_up()
    alice.reinvites()
    assert alice.received(491, "INVITE")
    alice.sends_in_call("INFO")
    assert alice.received(500, "INFO")
    is_transferred(alice, carol)
    alice.hangs_up()


def test_the_transferee_hangs_up_before_agreeing(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.answers(body=OTHER)
    alice.hangs_up()
    assert alice.received(200, "BYE")
    assert carol.received("ACK")
    assert carol.count("BYE") == 1
    assert bob.count("BYE") == 1


def test_the_target_hangs_up_before_the_transferee_agrees(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.answers(body=OTHER)
    invite = alice.waiting
    carol.hangs_up()
    assert carol.received(200, "BYE")
    assert told(bob)[-1].startswith("480")
    alice.responds(invite, 100)
    assert alice.received("CANCEL")
    bob.hangs_up()
    assert alice.count("BYE") == 1


def test_the_transferee_agrees_though_the_target_is_gone(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    """The transferor's next re-INVITE brings their media together again."""
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.answers(body=OTHER)
    carol.hangs_up()
    alice.answers(body=AGREED)
    assert alice.received("ACK")
    told(bob)
    bob.reinvites()
    alice.answers()
    bob.acks()
    assert alice.count("ACK") == 2
    bob.hangs_up()


def test_the_transferor_hangs_up_before_the_transferee_agrees(
    story: Story, alice: Phone, bob: Phone, carol: Phone
) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.answers(body=OTHER)
    bob.hangs_up()
    alice.answers(body=AGREED)
    assert carol.received("ACK").body == AGREED
    assert told(bob)[-1] == "200 OK"
    carol.hangs_up()
    assert alice.count("BYE") == 1


def test_glare_is_waited_out(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    """RFC 3261 §14.1: the one who made the Call-ID waits 2.1 to 4 seconds, the other less than 2."""
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.answers(body=OTHER)
    alice.refuses(491)
    alice.forgets()
    story.advance(2.0)
    assert alice.received("INVITE").body == OTHER
    alice.answers(body=AGREED)
    assert carol.received("ACK").body == AGREED
    told(bob)
    alice.hangs_up()


def test_glare_on_a_leg_that_the_router_called(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(alice, "202")
    carol.answers(body=OTHER)
    bob.refuses(491)
    bob.forgets()
    story.advance(2.09)
    assert not bob.received("INVITE")
    story.advance(2.0)
    bob.answers(body=AGREED)
    assert carol.received("ACK").body == AGREED
    told(alice)
    bob.hangs_up()


def test_glare_twice_ends_the_transfer(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.answers(body=OTHER)
    alice.refuses(491)
    story.advance(2.0)
    alice.refuses(491)
    assert carol.count("BYE") == 1
    assert told(bob)[-1].startswith("491")
    bob.hangs_up()


def test_a_reinvite_under_way_is_let_through_first(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    bob.reinvites()
    hold = alice.waiting
    carol.answers(body=OTHER)
    assert alice.waiting is hold
    alice.answers()
    bob.acks()
    story.advance(2.0)
    assert alice.waiting.body == OTHER
    alice.answers(body=AGREED)
    assert carol.received("ACK").body == AGREED
    told(bob)
    alice.hangs_up()


@pytest.mark.parametrize("agrees", [True, False])
def test_the_transferor_hangs_up_in_the_middle_of_a_reinvite(
    story: Story, alice: Phone, bob: Phone, carol: Phone, agrees: bool
) -> None:
    """The transferee, who answers it, is not hung up for that."""
    talk(alice, bob, "201")
    refers(bob, "202")
    bob.reinvites()
    bob.hangs_up()
    assert bob.received(487, "INVITE")
    if agrees:
        alice.answers()
        assert alice.received("ACK")
    else:
        alice.refuses(487)
    assert not alice.received("BYE")
    is_transferred(alice, carol)
    alice.hangs_up()


def test_the_transferor_hangs_up_in_the_middle_of_a_reinvite_without_offer(
    story: Story, alice: Phone, bob: Phone, carol: Phone
) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    bob.reinvites(body=b"")
    bob.hangs_up()
    alice.answers(body=OTHER)
    assert b"m=audio 0 " in alice.received("ACK").body
    is_transferred(alice, carol)
    alice.hangs_up()


def test_the_transferor_hangs_up_before_it_answers_an_info(
    story: Story, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """Its 481 says nothing about the call, which goes on without it."""
    talk(alice, bob, "201")
    refers(bob, "202")
    alice.sends_in_call("INFO")
    info = bob.received("INFO")
    bob.hangs_up()
    bob.responds(info, 481)
    assert alice.received(481, "INFO")
    is_transferred(alice, carol)
    alice.hangs_up()


def test_a_reinvite_meets_491_while_the_two_are_joined(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.answers(body=OTHER)
    invite = alice.waiting
    for phone in (bob, carol):
        phone.reinvites()
        assert phone.received(491, "INVITE")
    alice.responds(invite, 200, body=AGREED)
    told(bob)
    alice.hangs_up()


def test_a_transferee_that_does_not_answer_is_given_up(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    """RFC 3261 §12.2.1.2: the dialog of an INVITE that times out is over, and the call with it."""
    talk(alice, bob, "201")
    refers(bob, "202")
    assert told(bob) == ["100 Trying"]
    story.silent.add(alice.address)
    carol.answers(body=OTHER)
    story.advance(32.0)
    assert carol.count("BYE") >= 1
    assert bob.count("BYE") == 1
    assert told(bob)[-1].startswith("408")


def test_the_answer_of_the_target_again_and_the_ack_lost(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    invite = carol.waiting
    carol.answers(body=OTHER)
    carol.responds(invite, 200, body=OTHER)
    assert alice.count("INVITE") == 1
    story.drop_next("ACK", towards=carol)
    alice.answers(body=AGREED)
    assert not carol.received("ACK")
    carol.responds(invite, 200, body=OTHER)
    assert carol.received("ACK").body == AGREED
    told(bob)
    alice.hangs_up()


def test_a_lost_notify_is_sent_again(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    story.drop_next("NOTIFY", towards=bob)
    refers(bob, "202")
    assert not bob.received("NOTIFY")
    is_transferred(alice, carol)
    story.advance(0.5)
    assert told(bob) == ["100 Trying", "200 OK"]
    alice.hangs_up()


def test_the_router_stops_during_a_transfer(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "202")
    carol.rings()
    story.exchange.end_all(story.now)
    story.flush()
    assert carol.count("CANCEL") == 1
    assert (alice.count("BYE"), bob.count("BYE")) == (1, 1)
    told(bob)


def test_no_transfer_begins_while_the_router_stops(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    story.exchange.draining = True
    refers(bob, "202")
    assert bob.received(503, "REFER").get("retry-after")
    bob.hangs_up()


# ------------------------------------------------------------------------------------- line states and records


def test_lines_and_records_of_a_transfer(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    story.advance(10.0)
    refers(bob, "202")
    carol.rings()
    assert [story.lines.get(person) for person in ("alice", "bob", "carol")] == [
        LineState.ON_CALL,
        LineState.ON_CALL,
        LineState.RINGING,
    ]
    story.advance(5.0)
    is_transferred(alice, carol)
    told(bob)
    assert [story.lines.get(person) for person in ("alice", "bob", "carol")] == [
        LineState.ON_CALL,
        None,
        LineState.ON_CALL,
    ]
    (first,) = story.records
    assert (first.dialled, first.status, first.ended_after) == ("201", 200, 15.0)
    story.advance(30.0)
    alice.hangs_up()
    assert not {"alice", "bob", "carol"} & story.lines.keys()
    second = story.records[-1]
    assert len(story.records) == 2
    assert second.call_id == first.call_id
    assert (second.peer, second.dialled, second.status, second.ended_by) == ("201", "202", 200, "caller")
    assert (second.answered_after, second.ended_after) == (5.0, 35.0)
    assert [(leg.peer, leg.status, leg.ended_after) for leg in second.legs] == [("202", 200, 35.0)]


def test_the_record_of_a_transfer_that_failed(story: Story, alice: Phone, bob: Phone) -> None:
    talk(alice, bob, "201")
    refers(bob, "+22412345678")
    told(bob)
    (attempt,) = story.records
    assert (attempt.dialled, attempt.status, attempt.action) == ("+22412345678", 403, "refuse")
    assert story.lines.get("alice") is LineState.ON_CALL
    bob.hangs_up()
    assert [(record.dialled, record.status) for record in story.records[1:]] == [("201", 200)]


def test_a_transfer_over_a_trunk_that_is_down_goes_by_the_next(tell: Callable[[str], Story]) -> None:
    story = tell(COMPANY)
    alice, bob = story.phone("200"), story.phone("201")
    first, second = story.trunk("first"), story.trunk("second")
    talk(alice, bob, "201")
    refers(bob, "+32475111222")
    first.refuses(503)
    second.answers(body=OTHER)
    alice.answers(body=AGREED)
    assert told(bob)[-1] == "200 OK"
    alice.hangs_up()
