"""OPTIONS health checks, as the trunk and the calls see them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from router.model.peers import Trunk
from tests.calls.provider import Router, registering

CHECKED = Trunk("provider", "192.0.2.1", 5080, options_interval=30.0)


def answer_checks(router: Router, seconds: float, *statuses: int) -> None:
    """Let time pass; each OPTIONS gets the next status, the last one for ever, 0 none at all."""
    pending = list(statuses)
    end = router.now + seconds
    while router.now < end:
        router.advance(0.5)
        for request in router.received("OPTIONS"):
            status = pending.pop(0) if len(pending) > 1 else pending[0]
            if status:
                router.answer(request, status)


def test_a_healthy_trunk_is_asked_once_every_interval() -> None:
    router = Router(CHECKED)
    router.start()
    checks = []
    for second in range(300):
        router.advance(1.0)
        for request in router.received("OPTIONS"):
            checks.append(second)
            assert request.uri == "sip:192.0.2.1:5080"
            router.answer(request, 200)
    assert len(checks) == 10
    assert {later - earlier for earlier, later in pairwise(checks)} == {30}
    assert router.events == []


def test_trunks_take_turns() -> None:
    router = Router(*(replace(CHECKED, name=f"provider{n}", port=5080 + n) for n in range(4)))
    router.start()
    seconds: set[int] = set()
    for second in range(30):
        router.advance(1.0)
        seconds.update(second for _ in router.received("OPTIONS"))
    assert len(seconds) > 1


def test_interval_0_asks_never() -> None:
    router = Router(replace(CHECKED, options_interval=0))
    router.start()
    router.advance(3600)
    assert router.received("OPTIONS") == []
    assert router.line().up


def test_two_lost_answers_are_no_outage_three_are_and_one_answer_ends_it() -> None:
    router = Router(CHECKED)
    router.start()
    answer_checks(router, 600, 200, 0, 0, 200, 0, 0, 200)
    assert router.events == []
    answer_checks(router, 120, 0)
    assert router.events == [("provider", False, "3 OPTIONS in a row failed: no answer")]
    assert not router.line().up
    answer_checks(router, 30, 200)
    assert router.events[1:] == [("provider", True, "")]


def test_an_outage_is_noticed_within_a_minute_and_a_half() -> None:
    router = Router(CHECKED)
    router.start()
    answer_checks(router, 90, 200)
    answer_checks(router, 90, 0)
    assert not router.line().up


@pytest.mark.parametrize("status", [401, 403, 404, 405, 407, 483, 486, 500, 501, 603])
def test_whoever_answers_lives(status: int) -> None:
    router = Router(CHECKED)
    router.start()
    answer_checks(router, 300, status)
    assert router.events == []


@pytest.mark.parametrize("status", [408, 502, 503, 504])
def test_an_answer_that_nobody_stands_behind_is_none(status: int) -> None:
    router = Router(CHECKED)
    router.start()
    answer_checks(router, 300, status)
    assert [(up, cause.startswith("3 OPTIONS in a row failed")) for _, up, cause in router.events] == [(False, True)]


def test_icmp_errors_count_as_misses() -> None:
    router = Router(CHECKED)
    router.start()
    while router.line().up:
        router.advance(0.5)
        for request in router.received("OPTIONS"):
            router.refuse_to_deliver(request)
        assert router.now < 1100
    assert router.line().cause == "3 OPTIONS in a row failed: it cannot be reached"


def test_an_answer_that_comes_too_late_is_a_miss_and_nothing_worse() -> None:
    router = Router(CHECKED)
    router.start()
    for _ in range(3):
        while not (late := router.received("OPTIONS")):
            router.advance(0.5)
        router.advance(9.0)
        router.answer(late[0], 200)
    assert router.events == [("provider", False, "3 OPTIONS in a row failed: no answer")]
    answer_checks(router, 30, 200)
    assert router.line().up


def test_a_trunk_that_comes_back_is_registered_with_at_once() -> None:
    router = Router(replace(registering(), options_interval=30.0))
    router.start()
    for _ in range(4):  # with four failures behind it, the next attempt is at least 150 s away
        while not (attempt := router.received("REGISTER")):
            answer_checks(router, 1, 0)
        router.answer(attempt[0], 500)
    answer_checks(router, 20, 200)
    (request,) = router.received("REGISTER")
    router.accept(request)
    assert router.line().up


def test_a_trunk_that_comes_back_is_not_asked_again_soon_for_what_it_refused() -> None:
    router = Router(replace(registering(), options_interval=30.0))
    router.start()
    router.answer(router.next("REGISTER"), 403)
    answer_checks(router, 120, 0)
    answer_checks(router, 120, 200)
    assert router.events[-1][2] == "403 Forbidden"
    assert router.received("REGISTER") == []


def test_routine_checks_do_not_hurry_a_registrar_that_fails() -> None:
    router = Router(replace(registering(), options_interval=5.0))
    router.start()
    attempts = 0
    for _ in range(600):
        answer_checks(router, 1, 200)
        for request in router.received("REGISTER"):
            attempts += 1
            router.answer(request, 500)
    assert 3 <= attempts <= 6
