"""Calls over a network that loses datagrams (RFC 3261 §17: retransmission over UDP)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from subprocess import CalledProcessError

import pytest

from .conftest import StartRouter, needs_sipp
from .loss_box import LossBox, why_not
from .peers import Peers

pytestmark = [needs_sipp, pytest.mark.skipif(why_not() is not None, reason=str(why_not())), pytest.mark.timeout(120)]

CALLS = 20


@pytest.fixture
def loss() -> Iterator[LossBox]:
    try:
        box = LossBox(every=10)
    except CalledProcessError as refused:  # root, but in a sandbox without the right to make namespaces
        pytest.skip(f"no loss box can be had here: {refused}")
    yield box
    box.close()


def test_every_call_survives_the_loss_of_every_tenth_datagram(
    loss: LossBox, start_router: StartRouter, peers_of: Callable[..., Peers]
) -> None:
    router = start_router(prefix=loss.prefix)
    peers = peers_of(router, prefix=loss.prefix)
    # SIPp counts what comes late for a call that it has forgotten as one more call, and stops after `calls` of them.
    voicemail = peers.target("voicemail", calls=10 * CALLS, seconds=60)
    peers.call("caller_talks_then_hangs_up", "+3242200126", calls=CALLS, rate=5, hold=0.5, seconds=60).succeeds()
    voicemail.stop()
    assert loss.lost > 0
    records = router.records(CALLS, seconds=40)
    assert {record["status"] for record in records} == {200}
    assert len(voicemail.requests("INVITE")) >= CALLS
