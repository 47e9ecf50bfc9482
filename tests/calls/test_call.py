"""Calls between two people, as they and their phones see them."""

from __future__ import annotations

from tests.calls.story import ANSWER, OFFER, Story


def test_a_call_is_set_up_talked_over_and_ended_by_the_caller(story: Story) -> None:
    alice, bob = story.phone("200"), story.phone("201")
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
