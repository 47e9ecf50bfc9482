"""What the two sides say to each other while the call is up."""

from __future__ import annotations

import pytest

from tests.calls.story import ANSWER, OFFER, Phone, Story

TOLD_RELAYED_TOO = True

HOLD = OFFER + b"a=sendonly\r\n"
HELD = ANSWER + b"a=recvonly\r\n"


@pytest.fixture
def alice(story: Story) -> Phone:
    return story.phone("200")


@pytest.fixture
def bob(story: Story, alice: Phone) -> Phone:
    """Bob's phone, on which alice has called him."""
    bob = story.phone("201")
    alice.invites("201")
    bob.rings()
    bob.answers()
    alice.acks()
    alice.forgets()
    bob.forgets()
    return bob


def sides(alice: Phone, bob: Phone, by_caller: bool) -> tuple[Phone, Phone]:
    return (alice, bob) if by_caller else (bob, alice)


both_ways = pytest.mark.parametrize("by_caller", [True, False], ids=["caller", "callee"])


# ------------------------------------------------------------------------------------------------- re-INVITE


@both_ways
def test_a_change_passes_with_its_answer_and_its_ack(alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.reinvites("X-Why: hold", body=HOLD)
    request = far.received("INVITE")
    assert (request.body, request.get("x-why")) == (HOLD, "hold")
    assert request.to_tag
    far.answers(body=HELD)
    assert near.received(200, "INVITE").body == HELD
    assert not far.received("ACK")
    near.acks()
    assert far.received("ACK").cseq == request.cseq
    near.reinvites()
    far.answers()
    near.acks()
    near.hangs_up()
    assert far.received("BYE").cseq > request.cseq


@both_ways
def test_a_change_without_offer_carries_its_answer_in_the_ack(alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.reinvites(body=b"")
    assert far.received("INVITE").body == b""
    far.answers(body=OFFER)
    assert near.received(200, "INVITE").body == OFFER
    near.acks(body=ANSWER)
    assert far.received("ACK").body == ANSWER
    alice.hangs_up()


@both_ways
@pytest.mark.parametrize("status", [488, 491, 500, 603])
def test_a_refused_change_leaves_the_call_as_it_was(
    story: Story, alice: Phone, bob: Phone, by_caller: bool, status: int
) -> None:
    near, far = sides(alice, bob, by_caller)
    near.reinvites()
    far.refuses(status, "Retry-After: 3", reason="Not now")
    refusal = near.received(status, "INVITE")
    assert (refusal.reason, refusal.get("retry-after")) == ("Not now", "3")
    assert far.received("ACK")
    story.advance(60)
    assert len(story.exchange.calls) == 1
    near.reinvites()
    far.answers()
    near.acks()
    alice.hangs_up()


@both_ways
@pytest.mark.parametrize("status", [481, 408])
def test_a_change_to_a_dialog_that_is_gone_ends_the_call(
    story: Story, alice: Phone, bob: Phone, by_caller: bool, status: int
) -> None:
    """RFC 3261 §12.2.1.2 and §14.1."""
    near, far = sides(alice, bob, by_caller)
    near.reinvites()
    far.refuses(status)
    assert near.received(status, "INVITE")
    assert near.received("BYE")
    assert far.received("BYE")
    assert (story.records[0].status, story.records[0].ended_by) == (200, "router")


@both_ways
def test_a_change_that_nobody_answers_ends_the_call(story: Story, alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    story.silent.add(far.address)
    near.reinvites()
    story.advance(32)
    assert near.received("BYE")
    assert story.exchange.calls == set()


def test_changes_that_cross_meet_491_on_both_sides(alice: Phone, bob: Phone) -> None:
    """RFC 3261 §14.2."""
    alice.reinvites()
    crossing = bob.waiting
    bob.reinvites()
    assert bob.received(491, "INVITE")
    bob.responds(crossing, 200, body=ANSWER)
    alice.acks()
    bob.reinvites()
    alice.answers()
    bob.acks()
    alice.hangs_up()


@both_ways
def test_a_change_before_the_last_ones_ack_meets_491(alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.reinvites()
    far.answers()
    far.reinvites()
    assert far.received(491, "INVITE")
    near.acks()
    alice.hangs_up()


@both_ways
def test_a_change_may_be_withdrawn(alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.reinvites()
    far.rings(180)
    assert near.received(180)
    near.cancels("Reason: SIP;cause=487")
    assert near.received(200, "CANCEL")
    assert far.received("CANCEL").get("reason") == "SIP;cause=487"
    assert near.received(487, "INVITE")
    near.reinvites()
    far.answers()
    near.acks()
    alice.hangs_up()


@both_ways
def test_hanging_up_during_ones_own_change(alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.reinvites()
    far.rings(100)
    near.hangs_up()
    assert near.received(200, "BYE")
    assert near.received(487, "INVITE")
    assert far.received("CANCEL")
    assert far.received("BYE")


@both_ways
def test_hanging_up_during_the_others_change(alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.reinvites()
    far.hangs_up()
    assert far.received(200, "BYE")
    assert near.received(487, "INVITE")
    assert near.received("BYE")
    far.refuses(487)


@both_ways
def test_an_answer_to_a_change_after_the_call_is_over_is_acknowledged(
    alice: Phone, bob: Phone, by_caller: bool
) -> None:
    near, far = sides(alice, bob, by_caller)
    near.reinvites()
    far.automatic.discard("BYE")
    near.hangs_up()
    far.answers()
    assert far.received("ACK")
    for bye in far.all_received("BYE"):
        far.responds(bye, 200)


@both_ways
def test_a_new_contact_is_followed(story: Story, alice: Phone, bob: Phone, by_caller: bool) -> None:
    """Target refresh (RFC 3261 §12.2.1.2): what comes next goes to the new Contact."""
    near, far = sides(alice, bob, by_caller)
    old_contact = near.contact
    near.user = "moved"
    near.reinvites()
    far.answers()
    near.acks()
    far.hangs_up()
    assert near.received("BYE").uri == f"sip:moved@{near.host_port}"
    assert near.received("BYE").uri not in old_contact


@both_ways
def test_a_change_whose_ack_never_comes_ends_the_call(story: Story, alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.reinvites()
    far.answers()
    story.advance(32)
    assert near.received("BYE")
    assert far.received("ACK")
    assert far.received("BYE")


@both_ways
def test_a_lost_answer_to_a_change_is_repeated(story: Story, alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.reinvites()
    story.drop_next(200, near)
    far.answers()
    story.advance(0.5)
    assert near.count(200, "INVITE") == 1
    near.acks()
    alice.hangs_up()


def test_a_change_that_requires_what_nobody_knows_is_refused(alice: Phone, bob: Phone) -> None:
    alice.reinvites("Require: levitation")
    assert alice.received(420, "INVITE").get("unsupported") == "levitation"
    assert not bob.received("INVITE")
    alice.hangs_up()


# ------------------------------------------------------------------------------------------------- INFO and others


@both_ways
@pytest.mark.parametrize("method", ["INFO", "MESSAGE"])
def test_info_and_message_pass_with_their_answers(alice: Phone, bob: Phone, by_caller: bool, method: str) -> None:
    near, far = sides(alice, bob, by_caller)
    near.sends_in_call(method, "Content-Type: application/dtmf-relay", "X-Key: 1", body=b"Signal=5\r\nDuration=160\r\n")
    request = far.received(method)
    assert (request.body, request.get("content-type"), request.get("x-key")) == (
        b"Signal=5\r\nDuration=160\r\n",
        "application/dtmf-relay",
        "1",
    )
    far.responds(request, 200, "X-Heard: yes", body=b"")
    assert near.received(200, method).get("x-heard") == "yes"
    alice.hangs_up()


@both_ways
def test_a_refused_info_leaves_the_call_up(story: Story, alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.sends_in_call("INFO", body=b"x")
    far.responds(far.received("INFO"), 415, reason="No such thing")
    assert near.received(415, "INFO").reason == "No such thing"
    assert len(story.exchange.calls) == 1
    alice.hangs_up()


@both_ways
def test_an_info_to_a_dialog_that_is_gone_ends_the_call(
    story: Story, alice: Phone, bob: Phone, by_caller: bool
) -> None:
    near, far = sides(alice, bob, by_caller)
    near.sends_in_call("INFO")
    far.responds(far.received("INFO"), 481)
    assert near.received(481, "INFO")
    assert near.received("BYE")
    assert story.exchange.calls == set()


@both_ways
def test_an_info_that_nobody_answers_is_never_answered_with_408(
    story: Story, alice: Phone, bob: Phone, by_caller: bool
) -> None:
    """RFC 4320 §4.2: a late 408 to a non-INVITE request says nothing that its sender does not know."""
    near, far = sides(alice, bob, by_caller)
    story.silent.add(far.address)
    near.sends_in_call("INFO")
    story.advance(32)
    assert near.count(408) == 0
    assert near.received("BYE")


@both_ways
def test_a_408_to_an_info_is_not_passed_on(alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.sends_in_call("INFO")
    far.responds(far.received("INFO"), 408)
    assert near.received(504, "INFO")
    assert near.count(408) == 0
    assert near.received("BYE")


@both_ways
def test_an_info_on_its_way_when_the_call_ends_is_still_answered(alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.sends_in_call("INFO")
    request = far.received("INFO")
    far.hangs_up()
    far.responds(request, 200)
    assert near.received(200, "INFO")


@both_ways
@pytest.mark.parametrize("method", ["UPDATE", "PRACK", "SUBSCRIBE", "PUBLISH"])
def test_what_is_not_served_in_a_call_is_405_with_allow(alice: Phone, bob: Phone, by_caller: bool, method: str) -> None:
    near, far = sides(alice, bob, by_caller)
    near.sends_in_call(method)
    assert "INVITE" in near.received(405, method).get("allow")
    assert not far.received(method)
    alice.hangs_up()


@both_ways
def test_an_unknown_method_in_a_call_is_501(alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.sends_in_call("LEVITATE")
    assert near.received(501)
    assert far.heard() == []
    alice.hangs_up()


@both_ways
def test_options_in_a_call_is_answered_here(alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.sends_in_call("OPTIONS")
    assert "INFO" in near.received(200, "OPTIONS").get("allow")
    assert far.heard() == []
    alice.hangs_up()


@both_ways
def test_a_request_out_of_order_gets_500(alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    near.sends_in_call("INFO", cseq=10)
    far.responds(far.received("INFO"), 200)
    near.sends_in_call("INFO", cseq=9)
    assert near.received(500, "INFO")
    assert far.count("INFO") == 1
    near.call.cseq = 10
    near.hangs_up()


def test_info_before_the_answer_is_not_lost_in_silence(story: Story, alice: Phone) -> None:
    carol = story.phone("202")
    alice.invites("202")
    carol.rings()
    alice.sends_in_call("INFO")
    assert alice.received(500, "INFO").get("retry-after")
    alice.cancels()


@both_ways
def test_retransmissions_of_a_request_are_answered_once_known(alice: Phone, bob: Phone, by_caller: bool) -> None:
    near, far = sides(alice, bob, by_caller)
    sent = near.sends_in_call("INFO")
    near.repeats(sent)
    assert far.count("INFO") == 1
    far.responds(far.received("INFO"), 200)
    near.repeats(sent)
    assert near.count(200, "INFO") == 2
    alice.hangs_up()
