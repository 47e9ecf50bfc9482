"""Line states: counted right through every ending of a call, so that nobody stays busy for ever."""

from __future__ import annotations

import pytest

from router.calls.lines import Lines
from router.model.decision import LineState
from tests.calls.story import Story

IDLE, RINGING, ON_CALL, UNREGISTERED = None, LineState.RINGING, LineState.ON_CALL, LineState.UNREGISTERED


# ------------------------------------------------------------------------------------------------ the counting


def test_everybody_begins_unregistered_and_a_registration_makes_idle() -> None:
    lines = Lines(["alice", "bob"])
    assert lines == {"alice": UNREGISTERED, "bob": UNREGISTERED}
    lines.registration_changed("alice", True)
    assert lines == {"bob": UNREGISTERED}
    lines.registration_changed("alice", False)
    assert lines["alice"] is UNREGISTERED


def test_a_call_counts_more_than_ringing_and_ringing_more_than_registration() -> None:
    lines = Lines(["alice"])
    lines.ringing_began("alice")
    assert lines["alice"] is RINGING
    lines.call_began("alice")
    assert lines["alice"] is ON_CALL
    lines.ringing_ended("alice")
    assert lines["alice"] is ON_CALL
    lines.call_ended("alice")
    assert lines["alice"] is UNREGISTERED


def test_several_calls_and_rings_are_counted() -> None:
    lines = Lines()
    for _ in range(3):
        lines.call_began("alice")
        lines.ringing_began("alice")
    for _ in range(2):
        lines.call_ended("alice")
        lines.ringing_ended("alice")
    assert lines["alice"] is ON_CALL
    lines.call_ended("alice")
    assert lines["alice"] is RINGING
    lines.ringing_ended("alice")
    assert lines == {}


def test_a_reload_keeps_who_is_on_a_call_and_forgets_who_is_gone() -> None:
    lines = Lines(["alice", "bob", "gone"])
    lines.call_began("alice")
    lines.replace_people(["alice", "bob", "new"], ["bob"])
    assert lines == {"alice": ON_CALL, "new": UNREGISTERED}
    lines.call_ended("alice")
    assert lines == {"alice": UNREGISTERED, "new": UNREGISTERED}


# ------------------------------------------------------------------------------------------- in every ending


def states(story: Story) -> tuple[LineState | None, LineState | None]:
    return story.lines.get("alice"), story.lines.get("bob")


@pytest.mark.parametrize(
    "ending",
    ["caller hangs up", "callee hangs up", "both hang up", "ACK missing", "router stops", "peer is gone"],
)
def test_both_are_on_a_call_until_it_ends(story: Story, ending: str) -> None:
    alice, bob, gsm = story.phone("200"), story.phone("201"), story.phone("201-gsm")
    alice.invites("201")
    assert states(story) == (ON_CALL, IDLE)
    bob.rings()
    assert states(story) == (ON_CALL, RINGING)
    gsm.rings()
    bob.rings()
    bob.answers()
    assert states(story) == (ON_CALL, ON_CALL)
    if ending != "ACK missing":
        alice.acks()
    match ending:
        case "caller hangs up":
            alice.hangs_up()
        case "callee hangs up":
            bob.hangs_up()
        case "both hang up":
            bob.automatic.discard("BYE")
            alice.hangs_up()
            bob.hangs_up()
        case "ACK missing":
            story.advance(32)
        case "router stops":
            story.exchange.end_all(story.now)
            story.flush()
        case "peer is gone":
            alice.sends_in_call("INFO")
            bob.responds(bob.received("INFO"), 481)
    assert states(story) == (IDLE, IDLE)


@pytest.mark.parametrize(
    "ending", ["cancel", "early bye", "busy", "decline", "no answer", "nothing at all", "unreachable"]
)
def test_nobody_stays_ringing_when_a_call_is_not_answered(story: Story, ending: str) -> None:
    alice, bob, voicemail = story.phone("200"), story.phone("201"), story.voicemail()
    if ending == "unreachable":
        story.unreachable.add(bob.address)
    alice.invites("201")
    if ending not in ("nothing at all", "unreachable"):
        bob.rings()
        bob.rings()
        assert states(story)[1] is RINGING
    match ending:
        case "cancel":
            alice.cancels()
        case "early bye":
            alice.hangs_up()
        case "busy":
            bob.refuses(486)
        case "decline":
            bob.refuses(603)
        case "no answer" | "nothing at all":
            story.advance(20)
    assert states(story)[1] is IDLE
    if ending not in ("cancel", "early bye"):
        assert states(story)[0] is ON_CALL
        voicemail.answers()
        alice.acks()
        alice.hangs_up()
    assert states(story) == (IDLE, IDLE)


def test_a_call_that_is_refused_at_once_leaves_the_caller_idle(story: Story) -> None:
    alice = story.phone("200")
    alice.invites("00224123456")
    assert alice.received(403)
    assert states(story)[0] is IDLE


def test_a_phone_that_unregisters_during_its_call_is_unregistered_afterwards(story: Story) -> None:
    alice, bob = story.phone("200"), story.phone("201")
    alice.invites("201")
    bob.answers()
    alice.acks()
    bob.registers(expires=0)
    assert states(story)[1] is ON_CALL
    alice.hangs_up()
    assert states(story)[1] is UNREGISTERED


def test_a_person_with_two_calls_is_on_a_call_until_the_last_ends(story: Story) -> None:
    alice, trunk = story.phone("200"), story.trunk()
    first, second = alice.invites("+3225551234"), alice.invites("+3225551235")
    for conversation in trunk.conversations:
        trunk.responds(conversation.invite or trunk.waiting, 200)
    alice.acks(conversation=first)
    alice.acks(conversation=second)
    alice.hangs_up(conversation=first)
    assert states(story)[0] is ON_CALL
    alice.hangs_up(conversation=second)
    assert states(story)[0] is IDLE
