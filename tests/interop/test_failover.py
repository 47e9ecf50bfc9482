"""From one trunk to the next, and never after a callee's own answer (Stage 1: 408, 503, ICMP; not 486, 603)."""

from __future__ import annotations

import pytest

from .company import OUTSIDE
from .conftest import needs_sipp
from .peers import Peers
from .router_process import Router

pytestmark = needs_sipp


@pytest.mark.parametrize("scenario", ["trunk_is_out_of_service", "trunk_times_out"])
def test_second_trunk_takes_the_call(router: Router, peers: Peers, scenario: str) -> None:
    first = peers.trunk(scenario)
    second = peers.second_trunk("callee_answers")
    peers.phone_calls("201", "phone_talks_then_hangs_up", OUTSIDE, hold=0.2).succeeds()
    first.succeeds()
    second.succeeds()
    record = router.records()[0]
    assert record["status"] == 200
    assert [leg["peer"] for leg in record["legs"]] == ["first", "second"]


def test_second_trunk_takes_the_call_when_nobody_listens_at_the_first(peers: Peers) -> None:
    """The kernel reports the closed port (ICMP), so the caller does not wait for a timer."""
    second = peers.second_trunk("callee_answers")
    peers.phone_calls("201", "phone_talks_then_hangs_up", OUTSIDE, hold=0.2, seconds=8).succeeds()
    second.succeeds()


@pytest.mark.parametrize(("scenario", "status"), [("callee_is_busy", 486), ("callee_declines", 603)])
def test_answer_of_the_callee_is_not_tried_again_elsewhere(peers: Peers, scenario: str, status: int) -> None:
    first = peers.trunk(scenario)
    second = peers.second_trunk("callee_answers")
    caller = peers.phone_calls("201", "phone_is_refused", OUTSIDE).succeeds()
    first.succeeds()
    assert caller.received[-1].status == status
    second.never_called()


def test_every_trunk_out_of_service_gives_the_caller_a_final_answer(peers: Peers) -> None:
    first = peers.trunk("trunk_is_out_of_service")
    second = peers.second_trunk("trunk_is_out_of_service")
    caller = peers.phone_calls("201", "phone_is_refused", OUTSIDE).succeeds()
    first.succeeds()
    second.succeeds()
    assert caller.received[-1].status == 503
