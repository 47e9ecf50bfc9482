"""Limits on what is called (X2), as the calls themselves use them up."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.calls.story import COMPANY, Phone, Story

LIMITED = (
    COMPANY
    + """
limits:
  premium: {prefixes: ["+32900"], calls_per_minute: 2, cost_per_minute: 1, cost_per_day: 10, minutes: 1}
"""
)
PREMIUM = "+3290012345"

Tell = Callable[[str], Story]


@pytest.fixture
def story(tell: Tell) -> Story:
    return tell(LIMITED)


@pytest.fixture
def alice(story: Story) -> Phone:
    return story.phone("200")


def talks(story: Story, phone: Phone, seconds: float) -> None:
    trunk = story.trunk()
    phone.invites(PREMIUM)
    trunk.answers()
    phone.acks()
    story.advance(seconds)
    phone.hangs_up()


def test_one_call_more_than_a_minute_allows_is_refused_until_the_minute_is_over(story: Story, alice: Phone) -> None:
    for _ in range(2):
        talks(story, alice, 1)
    alice.invites(PREMIUM)
    assert alice.received(403, "INVITE")
    assert (story.records[-1].because[-1].clause, story.records[-1].because[-1].rule) == ("X2", "limit")
    bob = story.phone("201")
    talks(story, bob, 1)  # per person
    story.advance(60)
    talks(story, alice, 1)


def test_a_long_call_uses_up_what_a_day_may_cost(story: Story, alice: Phone) -> None:
    talks(story, alice, 9.5 * 60)
    story.advance(60)
    alice.invites(PREMIUM)
    assert alice.received(403, "INVITE")
    assert "cost" in story.records[-1].because[-1].text


def test_what_nobody_answered_counts_no_more_than_its_beginning(story: Story, alice: Phone) -> None:
    trunk = story.trunk()
    alice.invites(PREMIUM)
    story.advance(170)
    trunk.refuses(486)
    assert story.exchange.usage[("premium", "alice")].cost == 1.0


def test_a_transfer_counts_as_a_call_of_who_transfers(story: Story, alice: Phone) -> None:
    bob = story.phone("201")
    bob.invites("200")
    alice.answers()
    bob.acks()
    alice.sends_in_call("REFER", f"Refer-To: <sip:{PREMIUM}@story.example>", "Refer-Sub: false")
    assert story.exchange.usage[("premium", "alice")].in_day == 1
    alice.hangs_up()
    bob.hangs_up()


def test_other_destinations_are_not_counted(story: Story, alice: Phone) -> None:
    alice.invites("+3225550000")
    alice.cancels()
    assert story.exchange.usage == {}
