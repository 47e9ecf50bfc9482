"""Many callers leave a message at the same time, with SIPp, which sends real sound (V1)."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import numpy
import pytest

from router.media.codecs import encoder
from router.media.sdp import PCMA

from .company import Company
from .conftest import StartRouter, needs_sipp
from .peers import Peers
from .processes import Ports, eventually
from .router_process import Router
from .sipp import Sipp
from .test_voicemail import messages
from .tones import heard_hertz

pytestmark = [needs_sipp, pytest.mark.timeout(120)]
SPOKEN = 440  # hertz
MakePeers = Callable[..., Peers]


@pytest.fixture
def company(ports: Ports, tmp_path: Path) -> Company:
    """A company whose voicemail is the router's own, and the sound of its callers."""
    company = Company(ports, tmp_path)
    first = ports.free(400)
    company.document["targets"]["voicemail"] = {"mailbox": "{person}"}
    company.document["media"] = {"ports": f"{first}-{first + 399}"}
    (tmp_path / "sipp").mkdir()
    wave = 8000 * numpy.sin(2 * numpy.pi * SPOKEN * numpy.arange(8000) / 8000)
    (tmp_path / "sipp" / "speech.alaw").write_bytes(encoder(PCMA).encode(wave.astype(numpy.int16)))
    return company


def callers(peers: Peers, ports: Ports, count: int, *, hold: float, seconds: float = 60.0) -> Sipp:
    return peers.call(
        "caller_leaves_a_message",
        "+3242200122",
        calls=count,
        rate=20,
        hold=hold,
        seconds=seconds,
        extra=("-mp", str(ports.free(4 * count + 4))),  # each call takes the next ports from there on
    )


def test_forty_messages_at_once(company: Company, start_router: StartRouter, peers_of: MakePeers, ports: Ports) -> None:
    """Each is there, and no packet of any was lost."""
    router = start_router()
    caller = callers(peers_of(router), ports, 40, hold=5.0)
    caller.succeeds()
    eventually("forty messages", lambda: len(messages(company)) == 40, seconds=20)
    for message in messages(company):
        assert heard_hertz(message) == pytest.approx(SPOKEN, abs=3)
    records = router.records(40)
    qualities = [quality for record in records for quality in record["quality"]]
    assert len(qualities) == 40
    assert [quality["lost"] for quality in qualities] == [0] * 40
    assert all(quality["received"] > 200 for quality in qualities)
    assert router.metric("media_packets_total", what="lost") == 0
    assert router.metric("media_keys_total", way="info") == 40
    eventually("all ports are given back", lambda: router.metric("media_port_pairs", state="used") == 0)


def test_the_router_is_killed_while_twenty_speak(
    company: Company, start_router: StartRouter, peers_of: MakePeers, ports: Ports
) -> None:
    """Of what was not confirmed nothing is left after the restart, and the next caller is served."""
    router = Router(company)  # whose end is no good one
    caller = callers(peers_of(router), ports, 20, hold=40.0)
    folder = Path(company.document["storage"]["directory"]) / "voicemail"
    eventually("all are being recorded", lambda: len(list(folder.rglob(".*.part"))) == 20, seconds=30)
    router.process.end(signal.SIGKILL)
    caller.stop()
    again = start_router(name="again")
    assert not messages(company)
    eventually("nothing is left", lambda: not [path for path in folder.rglob("*") if path.is_file()])
    callers(peers_of(again), ports, 1, hold=5.0).succeeds()
    eventually("a message is there", lambda: len(messages(company)) == 1)
