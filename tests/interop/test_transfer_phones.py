"""Transfer by a real phone (baresip): the two who remain hear each other (RFC 3515)."""

from __future__ import annotations

import pytest

from .baresip import Phone
from .company import OUTSIDE
from .conftest import StartPhone, needs_baresip
from .processes import eventually
from .router_process import Router
from .tones import heard_hertz, seconds_recorded

pytestmark = [needs_baresip, pytest.mark.timeout(90)]

HEARD_SECONDS = 1.5


def hears(phone: Phone, hertz: int) -> None:
    """Wait until the newest recording of a phone holds that tone and no other."""

    def heard() -> bool:
        recordings = phone.heard()
        return bool(recordings) and seconds_recorded(recordings[-1]) > HEARD_SECONDS

    eventually(f"{phone.account} records {HEARD_SECONDS} s", heard, seconds=15)
    assert heard_hertz(phone.heard()[-1]) == pytest.approx(hertz, abs=3)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_a_colleague_is_transferred_to_another(router: Router, start_phone: StartPhone, transport: str) -> None:
    anna = start_phone("201", router.address, speaks=440, transport=transport).is_registered()
    benoit = start_phone("202", router.address, speaks=1000, answers=True).is_registered()
    claire = start_phone("203", router.address, speaks=1700, transport="tcp", answers=True).is_registered()
    anna.command("dial", "202")
    anna.waits_for("CALL_ESTABLISHED")
    benoit.waits_for("CALL_ESTABLISHED")
    anna.command("transfer", "203")
    claire.waits_for("CALL_ESTABLISHED")
    anna.waits_for("CALL_CLOSED")
    hears(claire, 1000)
    hears(benoit, 1700)
    claire.command("hangup")
    benoit.waits_for("CALL_CLOSED")
    eventually("the router forgets the calls", router.has_no_calls)
    assert [record["dialled"] for record in router.records(2)] == ["202", "203"]


def test_an_outside_caller_is_transferred_to_a_colleague(router: Router, start_phone: StartPhone) -> None:
    outside = start_phone(OUTSIDE, speaks=700, port=router.company.trunk_port)
    benoit = start_phone("202", router.address, speaks=1000, answers=True).is_registered()
    claire = start_phone("203", router.address, speaks=1700, answers=True).is_registered()
    outside.command("dial", f"sip:+3242200122@{router.address}")
    benoit.waits_for("CALL_ESTABLISHED")
    benoit.command("transfer", "203")
    claire.waits_for("CALL_ESTABLISHED")
    benoit.waits_for("CALL_CLOSED")
    hears(claire, 700)
    hears(outside, 1700)
    outside.command("hangup")
    claire.waits_for("CALL_CLOSED")
    eventually("the router forgets the calls", router.has_no_calls)
