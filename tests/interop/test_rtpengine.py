"""Calls whose sound passes through real rtpengines: plain phones, phones that want SRTP, and one like a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.media.rtpengine_process import RtpengineProcess

from .baresip import Phone
from .company import OUTSIDE, Company
from .conftest import StartPhone, StartRouter, needs_baresip
from .processes import Ports, eventually
from .router_process import Router
from .test_relayed_calls import hears
from .test_voicemail import messages
from .tones import heard_hertz, seconds_recorded

pytestmark = [
    needs_baresip,
    pytest.mark.skipif(shutil.which("rtpengine") is None, reason="rtpengine is not installed (rtpengine-daemon)"),
    pytest.mark.timeout(90),
]


@pytest.fixture(scope="module")
def running(ports: Ports, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[RtpengineProcess]]:
    folder = tmp_path_factory.mktemp("rtpengine")
    made = [RtpengineProcess(ports, folder, name) for name in ("first", "second")]
    yield made
    for one in made:
        one.end()


@pytest.fixture
def rtpengines(running: list[RtpengineProcess]) -> list[RtpengineProcess]:
    """Two, both of which run."""
    return [one.start() for one in running]


@pytest.fixture
def company(ports: Ports, tmp_path: Path, rtpengines: list[RtpengineProcess]) -> Company:
    """A company whose trunk has its sound relayed by rtpengine."""
    company = Company(ports, tmp_path)
    company.document["media"] = {"rtpengine": [one.address for one in rtpengines]}
    company.document["trunks"]["first"]["media"] = "rtpengine"
    return company


def relayed(router: Router) -> float:
    return router.metric("rtpengine_calls")


def hear_each_other(outside: Phone, inside: Phone) -> None:
    for phone in (outside, inside):
        phone.waits_for("CALL_ESTABLISHED")
    eventually("the outside hears the inside", lambda: hears(outside.heard(), 1000), seconds=20)
    eventually("the inside hears the outside", lambda: hears(inside.heard(), 440), seconds=20)


@pytest.mark.parametrize("protects", ["", "sdes", "dtls"])
def test_whoever_is_called_hears_the_caller_however_their_phone_protects_it(
    company: Company, start_router: StartRouter, start_phone: StartPhone, protects: str
) -> None:
    if protects:
        company.document["people"]["benoit"]["devices"]["desk"]["srtp"] = protects
    router = start_router()
    benoit = start_phone("202", router.address, speaks=1000, answers=True, protects=protects).is_registered()
    outside = start_phone(OUTSIDE, speaks=440, port=company.trunk_port)
    outside.command("dial", f"sip:+3242200122@{router.address}")
    hear_each_other(outside, benoit)
    assert relayed(router) == 1
    outside.command("hangup")
    benoit.waits_for("CALL_CLOSED")
    eventually("its ports are given back", lambda: relayed(router) == 0)
    assert router.metric("rtpengine_commands_total", command="delete", result="ok") == 1


@pytest.mark.parametrize("protects", ["sdes", "dtls"])
def test_whoever_calls_is_answered_as_their_phone_protects_it(
    company: Company, start_router: StartRouter, start_phone: StartPhone, protects: str
) -> None:
    """What a caller speaks is told by the offer, whatever the configuration says."""
    router = start_router()
    outside = start_phone(OUTSIDE, speaks=440, port=company.trunk_port, answers=True)
    benoit = start_phone("202", router.address, speaks=1000, protects=protects).is_registered()
    benoit.command("dial", f"sip:+32475111222@{router.address}")
    hear_each_other(outside, benoit)
    outside.command("hangup")
    benoit.waits_for("CALL_CLOSED")


def test_a_phone_that_holds_and_resumes_is_heard_again(
    company: Company, start_router: StartRouter, start_phone: StartPhone, rtpengines: list[RtpengineProcess]
) -> None:
    company.document["people"]["benoit"]["devices"]["desk"]["srtp"] = "sdes"
    router = start_router()
    benoit = start_phone("202", router.address, speaks=1000, answers=True, protects="sdes").is_registered()
    outside = start_phone(OUTSIDE, speaks=440, port=company.trunk_port)
    outside.command("dial", f"sip:+3242200122@{router.address}")
    hear_each_other(outside, benoit)
    for phone in (benoit, outside):
        phone.command("hold")
        eventually("the hold is agreed", lambda: answered(router, "answer") in (2, 4))
        phone.command("resume")
        eventually("the call is resumed", lambda: answered(router, "answer") in (3, 5))
    [carrying] = [one for one in rtpengines if router.metric("rtpengine_calls", address=one.address)]
    before = carrying.packets()  # not what the phones recorded: baresip records nothing more after the first hold
    eventually("sound flows both ways", lambda: all(carrying.packets()[name] > before[name] + 50 for name in before))
    outside.command("hangup")
    benoit.waits_for("CALL_CLOSED")


def answered(router: Router, command: str) -> float:
    return router.metric("rtpengine_commands_total", command=command, result="ok")


def test_an_rtpengine_is_configured_while_the_router_runs(
    company: Company, start_router: StartRouter, rtpengines: list[RtpengineProcess]
) -> None:
    media = company.document["media"]
    company.document["media"] = {"rtpengine": rtpengines[0].address}
    router = start_router()
    assert router.metric("rtpengine_up") == 1
    company.document["media"] = media
    company.write()
    router.reload()
    eventually("the other is known as well", lambda: router.metric("rtpengine_up") == 2)
    assert '"rtpengine": true' in router.get("/readyz")[1]
    company.document["media"] = {}
    company.write()
    router.reload()
    eventually("none is known any more", lambda: "rtpengine_up{" not in router.get("/metrics")[1])
    assert "rtpengine" not in router.get("/readyz")[1]


def test_an_rtpengine_is_killed_in_the_middle_of_a_call(
    company: Company, start_router: StartRouter, start_phone: StartPhone, rtpengines: list[RtpengineProcess]
) -> None:
    """Its call ends; the next one is relayed by the other, and once that is gone as well, it goes direct."""
    router = start_router()
    benoit = start_phone("202", router.address, speaks=1000, answers=True).is_registered()
    outside = start_phone(OUTSIDE, speaks=440, port=company.trunk_port)
    dial = f"sip:+3242200122@{router.address}"
    outside.command("dial", dial)
    hear_each_other(outside, benoit)
    [carrying] = [one for one in rtpengines if router.metric("rtpengine_calls", address=one.address)]
    [other] = [one for one in rtpengines if one is not carrying]
    carrying.kill()
    for phone in (outside, benoit):
        phone.waits_for("CALL_CLOSED")
        phone.forgets()
    [record] = router.records()
    assert record["ended_by"] == "router"
    assert router.metric("rtpengine_lost_calls_total", why="engine") == 1

    outside.command("dial", dial)
    hear_each_other(outside, benoit)
    assert router.metric("rtpengine_calls", address=other.address) == 1
    assert router.get("/readyz")[0] == 200
    other.kill()
    for phone in (outside, benoit):
        phone.waits_for("CALL_CLOSED")
        phone.forgets()
    assert router.get("/readyz")[0] == 503

    outside.command("dial", dial)
    hear_each_other(outside, benoit)
    assert relayed(router) == 0
    outside.command("hangup")
    benoit.waits_for("CALL_CLOSED").forgets()
    outside.forgets()

    other.start()
    eventually("it is found again", lambda: router.metric("rtpengine_up", address=other.address) == 1)
    outside.command("dial", dial)
    hear_each_other(outside, benoit)
    assert relayed(router) == 1
    outside.command("hangup")
    benoit.waits_for("CALL_CLOSED")


def test_a_protected_phone_hears_the_router_itself_and_is_heard(
    company: Company, ports: Ports, start_router: StartRouter, start_phone: StartPhone
) -> None:
    """V1: the router's own engine speaks no SRTP; an rtpengine stands before it."""
    first = ports.free(200)
    company.document["media"]["ports"] = f"{first}-{first + 199}"
    company.document["targets"]["voicemail"] = {"mailbox": "{person}"}
    company.document["people"]["claire"]["devices"]["desk"]["media"] = "rtpengine"
    router = start_router()
    claire = start_phone("203", router.address, speaks=1000, protects="sdes").is_registered()
    claire.command("dial", f"sip:202@{router.address}")  # whose phone is not registered
    claire.waits_for("CALL_ESTABLISHED")
    heard = eventually("she hears something", lambda: next(iter(claire.heard()), None))
    eventually("she listens for 14 s", lambda: seconds_recorded(heard) > 14, seconds=40)
    assert relayed(router) == 1
    claire.command("hangup")
    [message] = eventually("her message is there", lambda: messages(company))
    assert heard_hertz(message) == pytest.approx(1000, abs=5)
    eventually("all ports are given back", lambda: relayed(router) == router.metric("media_streams") == 0)
