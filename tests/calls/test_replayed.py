"""Calls as they were served, written down, read back and decided again: by the same policy, nothing changes."""

from __future__ import annotations

import random

import pytest

from router.model.decision import LineState
from router.observe.past_calls import read_record
from router.observe.records import serialise
from router.proof.replay import as_recorded, decided_again, replay
from tests.calls.story import Story

DIALLED = ("201", "200", "+3225551234", "112", "00224123456", "999", "204")


@pytest.mark.parametrize("seed", range(6))
def test_calls_that_end_in_every_way_are_decided_again_alike(story: Story, seed: int) -> None:
    chance = random.Random(seed)
    trunk, voicemail, reception = story.trunk(), story.voicemail(), story.reception()
    alice, bob = story.phone("200"), story.phone("201", registers=chance.random() < 0.7)
    for _ in range(8):
        dialled = chance.choice(DIALLED)
        for actor in (alice, bob, voicemail, reception, trunk):
            actor.forgets()
        alice.invites(dialled)
        for callee in (bob, voicemail, reception, trunk):
            if not callee.conversations or callee.call.invite is None:
                continue
            match chance.choice(("busy", "declines", "silent", "answers")):
                case "busy":
                    callee.refuses(486)
                case "declines":
                    callee.refuses(603)
                case "silent":
                    callee.rings()
                    story.advance(200)
                case "answers":
                    callee.answers()
                    if alice.call.answer is not None:
                        alice.acks()
                        callee.hangs_up()
        story.advance(200)
    assert len(story.records) == 8
    policy = story.exchange.policy
    read = [read_record(serialise(record)) for record in story.records]
    for record in read:
        assert record is not None
        assert not as_recorded(record).differs(decided_again(record, policy)), record


def test_what_somebody_was_doing_is_known_again(story: Story) -> None:
    alice, bob, carol, voicemail = story.phone("200"), story.phone("201"), story.phone("202"), story.voicemail()
    bob.invites("202")
    carol.answers()
    bob.acks()
    alice.invites("201")
    voicemail.answers()
    alice.acks()
    alice.hangs_up()
    carol.hangs_up()
    (record,) = [record for record in story.records if record.peer == "200"]
    read = read_record(serialise(record))
    assert read is not None
    assert [(weighed.person, weighed.line) for weighed in read.weighed] == [("bob", LineState.ON_CALL)]
    again = replay([read], story.exchange.policy)
    assert (again.calls, again.different) == (1, 0)


def test_an_attempt_that_failed_fails_again(story: Story) -> None:
    alice, bob, voicemail = story.phone("200"), story.phone("201"), story.voicemail()
    alice.invites("201")
    bob.refuses(486)
    voicemail.answers()
    alice.acks()
    alice.hangs_up()
    (record,) = story.records
    read = read_record(serialise(record))
    assert read is not None
    again = decided_again(read, story.exchange.policy)
    assert (again.tried, again.target) == (("bob",), "voicemail")
    assert as_recorded(read).tried == ("bob",)
