"""Limits of what is called (X2), as callers meet them: what counts is what was dialled, and how long was talked."""

from __future__ import annotations

from collections.abc import Callable

from router.calls.limits import LimitedCalls
from tests.calls.story import COMPANY, Actor, Phone, Story

AFRICA = "+22112345678"
PER_DAY = COMPANY + 'limits: {africa: {prefixes: ["+221"], calls_per_day: 1}}\n'
COST = COMPANY + 'limits: {africa: {prefixes: ["+221"], cost_per_minute: 1, cost_per_day: 10, minutes: 3}}\n'


def talks(story: Story, caller: Phone, trunk: Actor, seconds: float) -> None:
    """Call Africa, talk, and hang up."""
    caller.forgets()
    trunk.forgets()
    caller.invites(AFRICA)
    trunk.answers()
    caller.acks()
    story.advance(seconds)
    caller.hangs_up()


def is_refused(story: Story, caller: Phone, trunk: Actor) -> bool:
    caller.forgets()
    trunk.forgets()
    caller.invites(AFRICA)
    refused = not trunk.was_called
    if refused:
        assert caller.received(403, "INVITE")
        assert story.records[-1].because[-1].rule == "limit"
    else:
        caller.cancels()
    return refused


def test_a_call_that_nobody_answered_counts_too(tell: Callable[[str], Story]) -> None:
    story = tell(PER_DAY)
    alice, bob, trunk = story.phone("200"), story.phone("201"), story.trunk()
    alice.invites(AFRICA)
    trunk.refuses(486)
    assert alice.received(486, "INVITE")
    assert is_refused(story, alice, trunk)
    assert not is_refused(story, bob, trunk), "his own limit"
    story.advance(86_400)
    alice.registers()
    assert not is_refused(story, alice, trunk)


def test_a_call_that_nobody_could_dial_does_not_count(tell: Callable[[str], Story]) -> None:
    story = tell(PER_DAY)
    alice, trunk = story.phone("200"), story.trunk()
    alice.invites("0022412345678")  # on the greylist
    assert alice.received(403, "INVITE")
    assert not is_refused(story, alice, trunk)


def test_a_long_call_costs_what_it_lasted(tell: Callable[[str], Story]) -> None:
    """10 a day at 1 a minute: 8 minutes leave too little for the 3 minutes that the next call counts in advance."""
    story = tell(COST)
    alice, trunk = story.phone("200"), story.trunk()
    talks(story, alice, trunk, 7 * 60)
    assert not is_refused(story, alice, trunk), "3 + 4, and 3 for this one, which is paid though nobody answers"
    assert is_refused(story, alice, trunk)


def test_who_transfers_a_call_to_a_limited_number_is_counted(tell: Callable[[str], Story]) -> None:
    """P3, X2."""
    story = tell(PER_DAY)
    alice, bob, trunk = story.phone("200"), story.phone("201"), story.trunk()
    alice.invites("201")
    bob.answers()
    alice.acks()
    bob.sends_in_call("REFER", f"Refer-To: <sip:{AFRICA}@192.0.2.1>", "Contact: <sip:201@192.0.2.201>")
    assert trunk.was_called
    trunk.refuses(486)
    bob.hangs_up()
    assert is_refused(story, bob, trunk)
    assert not is_refused(story, alice, trunk)


def test_after_a_restart_the_calls_of_the_day_are_counted_again(tell: Callable[[str], Story]) -> None:
    """From their records: those of yesterday, of other destinations and of no limit are not among them."""
    story = tell(
        COST.replace("limits: {", 'limits: {calls: {prefixes: ["+221"], calls_per_minute: 9, calls_per_day: 9}, ')
    )
    alice, bob, trunk = story.phone("200"), story.phone("201"), story.trunk()
    counted, policy = story.exchange.limited_calls, story.configuration.policy
    talks(story, alice, trunk, 4 * 60)  # yesterday, seen from the end
    assert counted.usage[("africa", "alice")].cost == 4
    story.advance(86_400)
    alice.registers()
    bob.registers()
    talks(story, alice, trunk, 90)
    talks(story, alice, trunk, 5 * 60)
    talks(story, bob, trunk, 30)
    bob.forgets()
    bob.invites(AFRICA)
    trunk.refuses(486)
    alice.forgets()
    alice.invites("+32475111222")
    trunk.refuses(486)
    alice.forgets()
    alice.invites("0022412345678")  # on the greylist
    assert len(story.records) == 7

    again = LimitedCalls()
    again.recall(policy, reversed(story.records), story.clock())
    assert again.usage == counted.usage
    assert (again.usage["africa", "alice"].cost, again.usage["calls", "alice"].in_day) == (3 + 5, 2)
    assert (again.usage["africa", "bob"].cost, again.usage["calls", "bob"].in_day) == (3 + 3, 2)


def test_a_call_that_began_yesterday_is_paid_today(tell: Callable[[str], Story]) -> None:
    story = tell(COST)
    alice, trunk = story.phone("200"), story.trunk()
    story.advance(13.9 * 3600)  # to 23:54
    alice.registers()
    talks(story, alice, trunk, 10 * 60)
    again = LimitedCalls()
    again.recall(story.configuration.policy, story.records, story.clock())
    assert again.usage["africa", "alice"].cost == 10 - 3
    assert again.usage["africa", "alice"].in_day == 0
