"""A phone that comes from another address in the middle of a call must show that it is the phone."""

from __future__ import annotations

import pytest

from tests.calls.story import Phone, Story


@pytest.fixture
def alice(story: Story) -> Phone:
    return story.phone("200")


@pytest.fixture
def bob(story: Story) -> Phone:
    phone = story.phone("201")
    return phone


@pytest.fixture(autouse=True)
def talking(alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    bob.answers()
    alice.acks()


@pytest.mark.parametrize("method", ["BYE", "INVITE", "INFO", "REFER"])
def test_whoever_knows_the_tags_cannot_speak_for_the_phone(story: Story, alice: Phone, bob: Phone, method: str) -> None:
    stranger = story.stranger()
    stranger.sends_in_call(method, "Refer-To: <sip:112@story.example>", conversation=alice.call)
    assert stranger.received(407)
    assert bob.count(method) == (1 if method == "INVITE" else 0)  # the one that began the call
    assert story.records == []
    alice.hangs_up()
    assert bob.received("BYE")


def test_another_account_cannot_speak_for_the_phone_either(story: Story, alice: Phone, bob: Phone) -> None:
    other = Phone(story, "202", ("198.51.100.4", 5060), "udp")
    other.sends_in_call("BYE", conversation=alice.call)
    challenge = other.received(407)
    sender = "<sip:202@story.example>"
    alice.call.local, mine = sender, alice.call.local
    value = other.credentials(challenge, "BYE", alice.call.target)
    other.sends_in_call("BYE", f"Proxy-Authorization: {value}", conversation=alice.call)
    alice.call.local = mine
    assert other.received(403)
    assert not bob.received("BYE")
    alice.hangs_up()


def test_a_phone_moves_to_another_network_and_is_reached_there(story: Story, alice: Phone, bob: Phone) -> None:
    moved = Phone(story, "200", ("198.51.100.4", 5060), "udp")
    moved.sends_in_call("INFO", conversation=alice.call)
    value = moved.credentials(moved.received(407), "INFO", alice.call.target)
    moved.sends_in_call("INFO", f"Proxy-Authorization: {value}", conversation=alice.call)
    assert bob.received("INFO")
    moved.forgets()
    bob.hangs_up()
    assert moved.received("BYE")
    assert not alice.received("BYE")
