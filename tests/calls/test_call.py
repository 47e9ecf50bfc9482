"""Calls between two people: set up, ended from either side at any moment, and every race between the two."""

from __future__ import annotations

import pytest

from router.model.decision import LineState
from router.sip.message import Request
from tests.calls.story import ANSWER, OFFER, Actor, Phone, Story

TOLD_RELAYED_TOO = True


@pytest.fixture
def alice(story: Story) -> Phone:
    return story.phone("200")


@pytest.fixture
def bob(story: Story) -> Phone:
    return story.phone("201")


def talk(alice: Actor, bob: Actor, number: str = "201") -> None:
    """Bring a call up."""
    alice.invites(number)
    bob.rings()
    bob.answers()
    alice.acks()
    alice.forgets()
    bob.forgets()


# ------------------------------------------------------------------------------------------------- the plain call


def test_a_call_is_set_up_talked_over_and_ended_by_the_caller(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    assert bob.received("INVITE").body == OFFER
    assert bob.rings()
    assert alice.received(180)
    bob.answers()
    assert alice.received(200, "INVITE").body == ANSWER
    assert not bob.received("ACK")
    alice.acks()
    assert bob.received("ACK")
    story.advance(60)
    alice.hangs_up()
    assert alice.received(200, "BYE")
    assert bob.count("BYE") == 1
    (record,) = story.records
    assert (record.status, record.ended_by, record.answered_after, record.ended_after) == (200, "caller", 0.0, 60.0)
    assert [(leg.peer, leg.status) for leg in record.legs] == [("201", 200)]


def test_the_callee_hangs_up(story: Story, alice: Phone, bob: Phone) -> None:
    talk(alice, bob)
    bob.hangs_up()
    assert bob.received(200, "BYE")
    assert alice.count("BYE") == 1
    assert (story.records[0].status, story.records[0].ended_by) == (200, "callee")


def test_the_offer_may_come_in_the_answer_and_the_answer_in_the_ack(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201", body=b"")
    assert bob.received("INVITE").body == b""
    bob.answers(body=OFFER)
    assert alice.received(200, "INVITE").body == OFFER
    alice.acks(body=ANSWER)
    ack = bob.received("ACK")
    assert (ack.body, ack.get("content-type")) == (ANSWER, "application/sdp")
    alice.hangs_up()


def test_early_media_passes_with_its_description(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    bob.rings(183, body=ANSWER, reason="Session Progress")
    progress = alice.received(183)
    assert (progress.body, progress.reason, progress.get("content-type")) == (
        ANSWER,
        "Session Progress",
        "application/sdp",
    )
    bob.rings(180)
    assert alice.received(180).to_tag == progress.to_tag
    bob.answers()
    assert alice.received(200, "INVITE").to_tag == progress.to_tag
    alice.acks()
    alice.hangs_up()


def test_100_trying_comes_when_nobody_else_says_anything(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    assert alice.heard() == []
    story.advance(0.25)
    assert alice.heard() == [100]
    bob.rings(100)
    assert alice.heard() == [100]
    bob.answers()
    alice.acks()
    alice.hangs_up()


def test_a_call_over_tcp(story: Story) -> None:
    alice, bob = story.phone("200", transport="tcp"), story.phone("201", transport="tcp")
    talk(alice, bob)
    bob.hangs_up()
    assert alice.received("BYE")


def test_each_leg_shows_only_the_router(story: Story, alice: Phone, bob: Phone) -> None:
    """Topology hiding: no address, Call-ID or tag of one side reaches the other, outside the SDP."""
    alice.invites("201", "X-Mine: yes", body=b"")
    bob.rings()
    bob.answers(body=b"")
    alice.acks()
    bob.hangs_up()
    alice_knows = {alice.address[0], alice.call.call_id, alice.call.tag}
    bob_knows = {bob.address[0], bob.call.call_id, bob.call.tag}
    for address, text in story.wire_log:
        secrets = bob_knows if address == alice.address else alice_knows
        assert not any(secret in text for secret in secrets), text


def test_max_forwards_is_carried_and_counted_down(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201", max_forwards="17")
    assert bob.received("INVITE").get("max-forwards") == "16"
    alice.cancels()
    bob.rings()


@pytest.mark.parametrize(("value", "status"), [("0", 483), ("256", 400), ("-1", 400), ("ten", 400)])
def test_a_call_that_went_round_too_often_or_cannot_count_is_refused(
    story: Story, alice: Phone, bob: Phone, value: str, status: int
) -> None:
    alice.invites("201", max_forwards=value)
    assert alice.received(status, "INVITE")
    assert not bob.was_called


# ----------------------------------------------------------------------------------------------------- CANCEL


def test_the_caller_gives_up_before_anybody_said_anything(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    alice.cancels()
    assert alice.received(200, "CANCEL")
    assert alice.received(487, "INVITE")
    assert not bob.received("CANCEL")  # which may only be sent once something provisional has come
    bob.rings()
    assert bob.received("CANCEL")
    assert alice.count(180) == 0
    assert (story.records[0].status, story.records[0].ended_by) == (487, "caller")


def test_the_caller_gives_up_while_it_rings_and_says_why(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    bob.rings()
    assert story.lines["bob"] is LineState.RINGING
    alice.cancels('Reason: SIP;cause=200;text="Call completed elsewhere"')
    assert bob.received("CANCEL").get("reason") == 'SIP;cause=200;text="Call completed elsewhere"'
    assert alice.received(487)
    assert bob.received("ACK")  # of bob's 487
    assert "bob" not in story.lines


def test_an_answer_that_crosses_the_cancel_is_acknowledged_and_ended(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    bob.rings()
    bob.automatic.discard("CANCEL")
    alice.cancels()
    cancel = bob.received("CANCEL")
    bob.answers()
    bob.responds(cancel, 481)
    assert bob.received("ACK")
    assert bob.received("BYE")
    assert not alice.received(200, "INVITE")
    assert alice.received(487, "INVITE")
    assert [record.status for record in story.records] == [487]


def test_a_refusal_that_crosses_the_cancel_changes_nothing(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    bob.rings()
    bob.automatic.discard("CANCEL")
    alice.cancels()
    cancel = bob.received("CANCEL")
    bob.refuses(486)
    bob.responds(cancel, 481)
    assert bob.received("ACK")
    assert alice.received(487, "INVITE")


def test_a_cancel_that_crosses_the_answer_changes_nothing(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    bob.answers()
    alice.cancels()
    assert alice.received(200, "CANCEL")
    assert not alice.received(487)
    alice.acks()
    assert bob.received("ACK")
    alice.hangs_up()


# ------------------------------------------------------------------------------------------------------- BYE


def test_byes_that_cross_are_both_answered(story: Story, alice: Phone, bob: Phone) -> None:
    talk(alice, bob)
    bob.automatic.discard("BYE")
    alice.hangs_up()
    crossing = bob.received("BYE")
    bob.hangs_up()
    assert bob.received(200, "BYE")
    bob.responds(crossing, 200)
    assert alice.count("BYE") == 0
    assert story.records[0].ended_by == "caller"


def test_a_bye_that_nobody_answers_is_given_up(story: Story, alice: Phone, bob: Phone) -> None:
    talk(alice, bob)
    story.silent.add(bob.address)
    alice.hangs_up()
    assert alice.received(200, "BYE")
    assert story.exchange.calls == set()


def test_the_caller_hangs_up_before_it_has_acknowledged(story: Story, alice: Phone, bob: Phone) -> None:
    """RFC 3261 §15: a caller may; the callee still gets its ACK before the BYE."""
    alice.invites("201")
    bob.answers()
    bob.forgets()
    alice.hangs_up()
    assert bob.heard() == ["ACK", "BYE"]
    assert alice.received(200, "BYE")
    story.advance(10)
    assert alice.count(200, "INVITE") == 1  # the 200 is not repeated for a dialog that is over


def test_the_caller_hangs_up_on_a_call_that_only_rings(story: Story, alice: Phone, bob: Phone) -> None:
    """RFC 3261 §15: a BYE may end an early dialog, and then ends the INVITE too."""
    alice.invites("201")
    bob.rings()
    alice.hangs_up()
    assert alice.received(200, "BYE")
    assert alice.received(487, "INVITE")
    assert bob.received("CANCEL")
    assert story.records[0].ended_by == "caller"


def test_a_callee_that_hangs_up_before_the_ack_is_not_passed_on_before_it(
    story: Story, alice: Phone, bob: Phone
) -> None:
    """RFC 3261 §15: who answered must not send BYE until the ACK has come."""
    alice.invites("201")
    bob.answers()
    bob.hangs_up()
    assert bob.received(200, "BYE")
    assert bob.received("ACK")
    assert not alice.received("BYE")
    story.advance(0.6)
    assert alice.count(200, "INVITE") == 2  # still repeated, as alice may not have got it
    alice.acks()
    assert alice.received("BYE")
    assert story.records[0].ended_by == "callee"


def test_a_callee_that_hangs_up_on_a_caller_who_never_acknowledges(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    bob.answers()
    bob.hangs_up()
    story.advance(31.9)
    assert not alice.received("BYE")
    story.advance(0.2)
    assert alice.received("BYE")


def test_the_reason_of_a_bye_passes(story: Story, alice: Phone, bob: Phone) -> None:
    """RFC 3326."""
    talk(alice, bob)
    alice.hangs_up('Reason: Q.850;cause=16;text="Terminated"', "Reason: SIP;cause=200")
    assert bob.received("BYE").lines("reason") == ['Q.850;cause=16;text="Terminated"', "SIP;cause=200"]


def test_a_bye_to_a_call_that_is_over_gets_481(story: Story, alice: Phone, bob: Phone) -> None:
    talk(alice, bob)
    alice.hangs_up()
    story.advance(1)
    alice.hangs_up()
    assert alice.received(481, "BYE")


# -------------------------------------------------------------------------------------- the 2xx and its ACK


def test_a_lost_200_is_repeated_until_it_is_acknowledged(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    story.drop_next(200, alice)
    bob.answers()
    assert not alice.received(200, "INVITE")
    story.advance(0.5)
    assert alice.received(200, "INVITE")
    alice.acks()
    story.advance(60)
    assert alice.count(200, "INVITE") == 1
    alice.hangs_up()


def test_a_lost_ack_is_sent_again_when_the_200_comes_again(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    request = bob.waiting
    bob.answers()
    story.drop_next("ACK", bob)
    alice.acks()
    assert bob.count("ACK") == 0
    bob.responds(request, 200, body=ANSWER)
    assert bob.count("ACK") == 1
    assert alice.count(200, "INVITE") == 1
    alice.hangs_up()


def test_a_200_that_comes_again_before_the_callers_ack_is_not_news(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    request = bob.waiting
    bob.answers()
    bob.responds(request, 200, body=ANSWER)
    assert (alice.count(200, "INVITE"), bob.count("ACK"), bob.count("BYE")) == (1, 0, 0)
    alice.acks()
    assert bob.count("ACK") == 1
    alice.hangs_up()


def test_a_caller_that_never_acknowledges_is_hung_up_on_and_so_is_the_callee(
    story: Story, alice: Phone, bob: Phone
) -> None:
    """RFC 3261 §13.3.1.4."""
    alice.invites("201")
    bob.answers()
    story.advance(31.9)
    assert alice.count(200, "INVITE") == 11
    assert not alice.received("BYE")
    story.advance(0.2)
    assert alice.received("BYE")
    assert bob.received("ACK")
    assert bob.received("BYE")
    assert (story.records[0].status, story.records[0].ended_by) == (200, "router")


def test_every_invite_of_the_caller_is_answered_once(story: Story, alice: Phone, bob: Phone) -> None:
    conversation = alice.invites("201")
    assert conversation.sent is not None
    bob.answers()
    alice.forgets()
    alice.repeats(conversation.sent)
    assert alice.heard() == []
    assert bob.count("INVITE") == 1
    alice.acks()
    alice.hangs_up()


# ---------------------------------------------------------------------------------------------------- routes


def test_the_route_set_of_the_caller_is_used_in_the_call_and_repeated_in_answers(story: Story, bob: Phone) -> None:
    """RFC 3261 §12.1.1: the trunk's proxies stand between, in the order in which they recorded themselves."""
    trunk = story.trunk()
    proxy = story.place("198.51.100.21", 5060)
    trunk.invites("+3242200121", routes=("<sip:198.51.100.21;lr>", "<sip:198.51.100.22;lr>"))
    bob.rings()
    assert trunk.received(180).list("record-route") == ["<sip:198.51.100.21;lr>", "<sip:198.51.100.22;lr>"]
    bob.answers()
    assert trunk.received(200, "INVITE").list("record-route") == ["<sip:198.51.100.21;lr>", "<sip:198.51.100.22;lr>"]
    trunk.acks()
    bob.hangs_up()
    bye = proxy.received("BYE")
    assert bye.list("route") == ["<sip:198.51.100.21;lr>", "<sip:198.51.100.22;lr>"]
    assert bye.uri == "sip:first@198.51.100.1:5060"


def test_the_route_set_of_the_callee_is_reversed(story: Story, alice: Phone) -> None:
    trunk = story.trunk()
    near = story.place("198.51.100.32", 5060)
    alice.invites("+3225551234")
    request = trunk.waiting
    trunk.responds(
        request,
        200,
        "Record-Route: <sip:198.51.100.31;lr>",
        "Record-Route: <sip:198.51.100.32;lr>",
        f"Contact: {trunk.contact}",
        body=ANSWER,
    )
    alice.acks()
    ack = near.received("ACK")
    assert ack.list("route") == ["<sip:198.51.100.32;lr>", "<sip:198.51.100.31;lr>"]
    alice.hangs_up()
    assert near.received("BYE").list("route") == ["<sip:198.51.100.32;lr>", "<sip:198.51.100.31;lr>"]
    assert not trunk.received("BYE")


def test_an_answer_whose_contact_is_unusable_ends_the_attempt(story: Story, alice: Phone) -> None:
    trunk = story.trunk()
    alice.invites("+3225551234")
    trunk.answers("Contact: <tel:+3225551234>")
    assert alice.received(500, "INVITE")
    assert trunk.count("ACK") == 0  # nobody can say where it would have to go


def test_a_malformed_contact_of_the_caller_is_refused_and_leaves_nothing(story: Story, bob: Phone) -> None:
    trunk = story.trunk()
    trunk.sends("INVITE", "sip:+3242200121@192.0.2.1", contact="<tel:+3242200100>", body=OFFER)
    assert trunk.received(400)
    assert not bob.was_called


# ----------------------------------------------------------------------------- several answers of one INVITE


def test_early_dialogs_of_a_fork_each_have_their_tag_and_the_second_may_answer(story: Story, alice: Phone) -> None:
    """RFC 3261 §12.1 and §13.2.2.4: a proxy behind the trunk rings two phones."""
    trunk = story.trunk()
    alice.invites("+3225551234")
    trunk.rings(180, tag="one")
    trunk.rings(183, tag="two", body=ANSWER)
    first, second = alice.received(180), alice.received(183)
    assert first.to_tag != second.to_tag
    trunk.rings(180, tag="one")
    assert {answer.to_tag for answer in alice.all_received(180)} == {first.to_tag}
    trunk.answers(tag="two")
    assert alice.received(200, "INVITE").to_tag == second.to_tag
    alice.acks()
    assert trunk.received("ACK").to_tag == "two"
    trunk.hangs_up()
    assert alice.received("BYE").from_tag == second.to_tag


def test_a_second_answer_of_a_fork_is_acknowledged_and_ended(story: Story, alice: Phone) -> None:
    trunk = story.trunk()
    alice.invites("+3225551234")
    request = trunk.waiting
    trunk.responds(request, 200, body=ANSWER, tag="one")
    trunk.responds(request, 200, body=ANSWER, tag="two")
    assert [message.to_tag for message in trunk.all_received("ACK")] == ["two"]
    assert [message.to_tag for message in trunk.all_received("BYE")] == ["two"]
    alice.acks()
    assert [message.to_tag for message in trunk.all_received("ACK")] == ["two", "one"]
    trunk.forgets()
    trunk.responds(request, 200, body=ANSWER, tag="three")
    assert trunk.heard() == ["ACK", "BYE"]
    assert story.exchange.calls
    trunk.call.tag, trunk.call.remote_tag = "one", trunk.waiting.from_tag
    alice.hangs_up()
    assert [message.to_tag for message in trunk.all_received("BYE")] == ["three", "one"]


def test_an_answer_that_comes_after_the_call_is_over_is_ended(story: Story, alice: Phone) -> None:
    trunk = story.trunk()
    alice.invites("+3225551234")
    request = trunk.waiting
    trunk.responds(request, 200, body=ANSWER, tag="one")
    alice.acks()
    alice.hangs_up()
    trunk.forgets()
    trunk.responds(request, 200, body=ANSWER, tag="two")
    assert [(message.method, message.to_tag) for message in trunk.inbox[-2:] if isinstance(message, Request)] == [
        ("ACK", "two"),
        ("BYE", "two"),
    ]


# ------------------------------------------------------------------------------------------- the router stops


def test_a_draining_router_takes_no_new_calls_and_hangs_up_the_others(story: Story, alice: Phone, bob: Phone) -> None:
    talk(alice, bob)
    carol = story.phone("202")
    story.exchange.draining = True
    carol.invites("200")
    assert carol.received(503, "INVITE").get("retry-after")
    story.exchange.end_all(story.now)
    story.flush()
    assert alice.received("BYE").get("reason") == 'SIP;cause=503;text="Router stops"'
    assert bob.received("BYE")
    assert story.records[0].ended_by == "router"


def test_a_draining_router_gives_up_calls_that_only_ring(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    bob.rings()
    story.exchange.end_all(story.now)
    story.flush()
    assert bob.received("CANCEL")
    assert alice.received(503, "INVITE")
