"""Attended transfer: REFER with Replaces, for a party that was consulted first (RFC 3891, RFC 5589 §7)."""

from __future__ import annotations

import pytest

from router.model.decision import LineState
from tests.calls.story import ANSWER, OFFER, Conversation, Phone, Story
from tests.calls.transferring import AGREED, OTHER, consulted, refers, talk, told

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


def consult(alice: Phone, bob: Phone, carol: Phone) -> tuple[Conversation, Conversation]:
    """Alice has called Bob, and Bob calls Carol to ask; returns Bob's two conversations."""
    talk(alice, bob, "201")
    first = bob.call
    return first, talk(bob, carol, "202")


def agree(carol: Phone, alice: Phone) -> None:
    """The consulted party makes the offer, the transferee answers it."""
    assert carol.waiting.body == b""
    carol.answers(body=OTHER)
    assert alice.waiting.body == OTHER
    assert not carol.received("ACK")
    alice.answers(body=AGREED)
    assert alice.received("ACK").body == b""
    assert carol.received("ACK").body == AGREED


def test_the_two_others_are_joined(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    first, second = consult(alice, bob, carol)
    refers(bob, consulted("202", second), conversation=first)
    assert bob.received(202, "REFER")
    agree(carol, alice)
    assert told(bob) == ["100 Trying", "200 OK"]
    assert {bye.call_id for bye in bob.all_received("BYE")} == {first.call_id, second.call_id}
    assert (alice.count("BYE"), carol.count("BYE")) == (0, 0)
    alice.reinvites()
    carol.answers()
    alice.acks()
    carol.hangs_up()
    assert alice.count("BYE") == 1


def test_the_refer_may_come_in_the_consultation(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    first, second = consult(alice, bob, carol)
    refers(bob, consulted("200", first), conversation=second)
    assert alice.waiting.body == b""
    alice.answers(body=OTHER)
    carol.answers(body=AGREED)
    assert alice.received("ACK").body == AGREED
    assert told(bob)[-1] == "200 OK"
    assert bob.count("BYE") == 2
    carol.hangs_up()
    assert alice.count("BYE") == 1


def test_an_outside_caller_and_a_colleague_are_joined(story: Story, bob: Phone, carol: Phone) -> None:
    outside = story.trunk()
    talk(outside, bob, "+3242200121")
    first = bob.call
    second = talk(bob, carol, "202")
    refers(bob, consulted("202", second), conversation=first)
    carol.answers(body=OTHER)
    outside.answers(body=AGREED)
    assert told(bob)[-1] == "200 OK"
    outside.sends_in_call("REFER", "Refer-To: <sip:200@192.0.2.1>")
    assert outside.received(403, "REFER")
    outside.hangs_up()
    assert carol.count("BYE") == 1


def test_both_calls_of_one_desk_and_one_mobile(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    """One person's two phones are one party."""
    mobile = story.phone("201-gsm")
    talk(alice, bob, "201")
    first = bob.call
    second = talk(mobile, carol, "202")
    refers(bob, consulted("202", second), conversation=first)
    agree(carol, alice)
    assert told(bob)[-1] == "200 OK"
    assert (bob.count("BYE"), mobile.count("BYE")) == (1, 1)
    alice.hangs_up()


# --------------------------------------------------------------------------------------------------- what refuses


def outcome(bob: Phone, uri: str, first: Conversation) -> str:
    """What Bob is told of a transfer that nothing comes of; both calls are ended then."""
    refers(bob, uri, conversation=first)
    assert bob.received(202, "REFER")
    last = told(bob)[-1]
    assert not bob.received("BYE")
    for conversation in bob.conversations:
        bob.hangs_up(conversation=conversation)
    return last


def test_an_unknown_dialog(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    first, _ = consult(alice, bob, carol)
    uri = "sip:202@192.0.2.1?Replaces=nothing%40nowhere%3Bto-tag%3Da%3Bfrom-tag%3Db"
    assert outcome(bob, uri, first).startswith("481")


def test_the_right_tags_under_another_call_id(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    first, second = consult(alice, bob, carol)
    assert outcome(bob, consulted("202", second).replace(second.call_id, "another"), first).startswith("481")


def test_somebody_elses_call_cannot_be_given_away(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    reception = story.reception()
    theirs = talk(carol, reception, "+3242200100")
    talk(alice, bob, "201")
    assert outcome(bob, consulted("202", theirs), bob.call).startswith("403")
    carol.hangs_up()


def test_a_call_is_not_joined_to_itself(story: Story, alice: Phone, bob: Phone) -> None:
    talk(alice, bob, "201")
    assert outcome(bob, consulted("200", bob.call), bob.call).startswith("482")


def test_early_only_does_not_take_a_call_that_is_up(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    first, second = consult(alice, bob, carol)
    assert outcome(bob, consulted("202", second, ";early-only"), first).startswith("486")


def test_a_call_that_still_rings_is_not_taken_over(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    talk(alice, bob, "201")
    first = bob.call
    second = bob.invites("202")
    carol.rings()
    refers(bob, consulted("202", second), conversation=first)
    assert told(bob)[-1].startswith("481")
    bob.cancels()
    bob.hangs_up(conversation=first)


def test_the_consulted_party_refuses(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    first, second = consult(alice, bob, carol)
    refers(bob, consulted("202", second), conversation=first)
    carol.refuses(488, reason="Not Acceptable Here")
    assert told(bob)[-1] == "488 Not Acceptable Here"
    assert not alice.received("INVITE")
    bob.hangs_up(conversation=first)
    bob.hangs_up(conversation=second)
    assert (alice.count("BYE"), carol.count("BYE")) == (1, 1)


def test_the_transferee_refuses_and_carol_hangs_up_before_her_media_is_back(
    story: Story, alice: Phone, bob: Phone, carol: Phone
) -> None:
    first, second = consult(alice, bob, carol)
    refers(bob, consulted("202", second), conversation=first)
    carol.answers(body=OTHER)
    alice.refuses(488)
    bob.responds(bob.received("INVITE"), 200, body=OFFER)
    carol.refuses(491)
    carol.hangs_up()
    carol.forgets()
    assert bob.received("BYE").call_id == second.call_id
    story.advance(10.0)
    assert not carol.received("INVITE")
    bob.hangs_up(conversation=first)


def test_the_transferee_refuses(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    first, second = consult(alice, bob, carol)
    refers(bob, consulted("202", second), conversation=first)
    carol.answers(body=OTHER)
    alice.refuses(488, reason="Not Acceptable Here")
    assert b"m=audio 0 " in carol.received("ACK").body
    assert told(bob)[-1] == "488 Not Acceptable Here"
    assert (alice.count("BYE"), carol.count("BYE")) == (0, 0)
    bob.responds(bob.received("INVITE"), 200, body=OFFER)
    assert carol.waiting.body == OFFER
    carol.answers(body=ANSWER)
    assert bob.received("ACK").body == ANSWER
    bob.hangs_up(conversation=first)
    bob.hangs_up(conversation=second)


# --------------------------------------------------------------------------------------------------------- races


def test_the_transferor_hangs_up_both_at_once(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    first, second = consult(alice, bob, carol)
    refers(bob, consulted("202", second), conversation=first)
    bob.hangs_up(conversation=first)
    bob.hangs_up(conversation=second)
    agree(carol, alice)
    assert not bob.received("BYE")
    assert told(bob)[-1] == "200 OK"
    alice.hangs_up()
    assert carol.count("BYE") == 1


def test_the_transferor_is_gone_and_the_transferee_refuses(
    story: Story, alice: Phone, bob: Phone, carol: Phone
) -> None:
    first, second = consult(alice, bob, carol)
    refers(bob, consulted("202", second), conversation=first)
    bob.hangs_up(conversation=first)
    bob.hangs_up(conversation=second)
    carol.answers(body=OTHER)
    alice.refuses(488)
    assert (alice.count("BYE"), carol.count("BYE")) == (1, 1)


@pytest.mark.parametrize("answered", [False, True])
def test_the_consulted_party_hangs_up(story: Story, alice: Phone, bob: Phone, carol: Phone, answered: bool) -> None:
    first, second = consult(alice, bob, carol)
    refers(bob, consulted("202", second), conversation=first)
    if answered:
        carol.answers(body=OTHER)
    carol.hangs_up()
    assert told(bob)[-1].startswith("487")
    assert [bye.call_id for bye in bob.all_received("BYE")] == [second.call_id]
    bob.hangs_up(conversation=first)
    assert alice.count("BYE") == 1


@pytest.mark.parametrize("answered", [False, True])
def test_the_transferee_hangs_up(story: Story, alice: Phone, bob: Phone, carol: Phone, answered: bool) -> None:
    first, second = consult(alice, bob, carol)
    refers(bob, consulted("202", second), conversation=first)
    if answered:
        carol.answers(body=OTHER)
    alice.hangs_up()
    assert [bye.call_id for bye in bob.all_received("BYE")] == [first.call_id]
    bob.hangs_up(conversation=second)
    assert carol.count("BYE") == 1


def test_the_transferee_hangs_up_and_nobody_is_left_for_the_other(
    story: Story, alice: Phone, bob: Phone, carol: Phone
) -> None:
    first, second = consult(alice, bob, carol)
    refers(bob, consulted("202", second), conversation=first)
    bob.hangs_up(conversation=first)
    bob.hangs_up(conversation=second)
    alice.hangs_up()
    assert carol.count("BYE") == 1


def test_glare_is_waited_out(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    first, second = consult(alice, bob, carol)
    refers(bob, consulted("202", second), conversation=first)
    carol.refuses(491)
    carol.forgets()
    story.advance(2.09)
    assert not carol.received("INVITE")
    story.advance(2.0)
    agree(carol, alice)
    assert told(bob)[-1] == "200 OK"
    alice.hangs_up()


def test_the_transferor_may_still_hold_while_the_two_are_joined(
    story: Story, alice: Phone, bob: Phone, carol: Phone
) -> None:
    """A re-INVITE that comes between meets 491, and nobody is hurt."""
    first, second = consult(alice, bob, carol)
    refers(bob, consulted("202", second), conversation=first)
    bob.reinvites(conversation=second)
    assert bob.received(491, "INVITE")
    agree(carol, alice)
    told(bob)
    alice.hangs_up()


def test_lines_and_records(story: Story, alice: Phone, bob: Phone, carol: Phone) -> None:
    first, second = consult(alice, bob, carol)
    story.advance(10.0)
    refers(bob, consulted("202", second), conversation=first)
    agree(carol, alice)
    told(bob)
    assert [story.lines.get(person) for person in ("alice", "bob", "carol")] == [
        LineState.ON_CALL,
        None,
        LineState.ON_CALL,
    ]
    story.advance(20.0)
    alice.hangs_up()
    old, consultation = story.records
    assert (old.dialled, old.status, old.ended_after, old.ended_by) == ("201", 200, 10.0, "router")
    assert (consultation.call_id, consultation.dialled, consultation.ended_after) == (second.call_id, "202", 30.0)
    assert [(leg.peer, leg.status, leg.ended_after) for leg in consultation.legs] == [
        ("201", 200, 10.0),
        ("202", 200, 30.0),
    ]
