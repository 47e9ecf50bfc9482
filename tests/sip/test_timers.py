"""Timers: each fires once, when its time has come and not before, and a cancelled one is let go at once."""

from __future__ import annotations

import gc
import weakref

from hypothesis import given
from hypothesis import strategies as st

from router.sip.timers import Timers, cancel


class Owner:
    """Notes what fires, and may start another timer when it does."""

    def __init__(self, timers: Timers, again: float = 0.0) -> None:
        self.timers = timers
        self.again = again
        self.fired: list[tuple[str, float]] = []

    def timer_expired(self, name: str, now: float) -> None:
        self.fired.append((name, now))
        if self.again:
            self.timers.start(self.again, self, name, now)


def test_a_timer_fires_once_when_its_time_has_come() -> None:
    timers = Timers()
    owner = Owner(timers)
    timers.start(0.5, owner, "A", 10.0)
    assert timers.deadline == 10.5
    timers.expire(10.4999)
    assert owner.fired == []
    timers.expire(10.5)
    timers.expire(11.0)
    assert owner.fired == [("A", 10.5)]
    assert timers.deadline == float("inf")


def test_the_deadline_is_that_of_the_nearest_timer_that_runs() -> None:
    timers = Timers()
    owner = Owner(timers)
    late = timers.start(32.0, owner, "B", 0.0)
    soon = timers.start(0.5, owner, "A", 0.0)
    assert timers.deadline == 0.5
    cancel(soon)
    timers.expire(0.5)
    assert (owner.fired, timers.deadline) == ([], 32.0)
    cancel(late)
    timers.expire(32.0)
    assert (owner.fired, timers.deadline) == ([], float("inf"))


def test_a_timer_may_start_the_next_one() -> None:
    timers = Timers()
    owner = Owner(timers, again=0.5)
    timers.start(0.5, owner, "E", 0.0)
    for step in range(1, 5):
        timers.expire(step * 0.5)
    assert [now for _, now in owner.fired] == [0.5, 1.0, 1.5, 2.0]


def test_a_timer_started_while_others_fire_does_not_fire_with_them() -> None:
    """However late `expire` comes, a timer runs its whole time from the moment it was started."""
    timers = Timers()
    owner = Owner(timers, again=0.5)
    timers.start(0.5, owner, "E", 0.0)
    timers.expire(10.0)
    assert owner.fired == [("E", 10.0)]
    assert timers.deadline == 10.5


def test_a_cancelled_timer_holds_nobody() -> None:
    timers = Timers()
    owner = Owner(timers)
    gone = weakref.ref(owner)
    timer = timers.start(180.0, owner, "C", 0.0)
    cancel(timer)
    del owner
    gc.collect()
    assert gone() is None


def test_cancelling_nothing_or_twice_is_nothing() -> None:
    timers = Timers()
    timer = timers.start(1.0, Owner(timers), "A", 0.0)
    cancel(None)
    cancel(timer)
    cancel(timer)
    timers.expire(2.0)


def test_one_timer_may_cancel_another_that_is_due_at_the_same_moment() -> None:
    timers = Timers()
    victim = Owner(timers)

    class Killer(Owner):
        def timer_expired(self, name: str, now: float) -> None:
            cancel(doomed)

    timers.start(1.0, Killer(timers), "A", 0.0)
    doomed = timers.start(1.0, victim, "A", 0.0)
    timers.expire(1.0)
    assert victim.fired == []


@given(st.lists(st.tuples(st.sampled_from([0.5, 1.0, 4.0, 32.0]), st.sampled_from("ABE"), st.booleans()), max_size=30))
def test_every_timer_that_was_not_cancelled_fires_exactly_at_its_deadline(
    started: list[tuple[float, str, bool]],
) -> None:
    timers = Timers()
    owner = Owner(timers)
    expected = []
    now = 0.0
    for delay, name, cancelled in started:
        timer = timers.start(delay, owner, name, now)
        if cancelled:
            cancel(timer)
        else:
            expected.append((name, now + delay))
        now += 0.25
    while timers.deadline < float("inf"):
        timers.expire(timers.deadline)
    assert sorted(owner.fired) == sorted(expected)
