"""Two real phones (baresip), registered with digest, one over TCP: who calls is heard (Stage 1, real peers)."""

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
    """Wait until a phone has recorded enough of a call, and check the tone that it heard."""
    recording = eventually(
        f"{phone.account} records {HEARD_SECONDS} s",
        lambda: next((path for path in phone.heard() if seconds_recorded(path) > HEARD_SECONDS), None),
        seconds=15,
    )
    assert heard_hertz(recording) == pytest.approx(hertz, abs=3)


def test_two_phones_call_each_other_and_hear_each_other(router: Router, start_phone: StartPhone) -> None:
    anna = start_phone("201", router.address, speaks=440)
    benoit = start_phone("202", router.address, speaks=1000, transport="tcp", answers=True)
    anna.is_registered()
    benoit.is_registered()
    anna.command("dial", "202")
    anna.waits_for("CALL_ESTABLISHED")
    benoit.waits_for("CALL_ESTABLISHED")
    hears(anna, 1000)
    hears(benoit, 440)
    anna.command("hangup")
    benoit.waits_for("CALL_CLOSED")
    record = router.records()[0]
    assert (record["owner"], record["status"], record["ended_by"]) == ("benoit", 200, "caller")


def test_phone_over_tcp_calls_the_phone_over_udp(router: Router, start_phone: StartPhone) -> None:
    anna = start_phone("201", router.address, speaks=440, answers=True)
    benoit = start_phone("202", router.address, speaks=1000, transport="tcp")
    anna.is_registered()
    benoit.is_registered()
    benoit.command("dial", "201")
    benoit.waits_for("CALL_ESTABLISHED")
    hears(anna, 1000)
    hears(benoit, 440)
    benoit.command("hangup")
    anna.waits_for("CALL_CLOSED")


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_phone_calls_out_and_both_ends_hear(router: Router, start_phone: StartPhone, transport: str) -> None:
    """The far end of the trunk is a phone too, without registration."""
    outside = start_phone(OUTSIDE, speaks=700, answers=True, port=router.company.trunk_port)
    anna = start_phone("201", router.address, speaks=440, transport=transport).is_registered()
    anna.command("dial", OUTSIDE)
    anna.waits_for("CALL_ESTABLISHED")
    hears(anna, 700)
    hears(outside, 440)
    outside.command("hangup")
    anna.waits_for("CALL_CLOSED")
    record = router.records()[0]
    assert (record["shown_number"], record["ended_by"]) == ("+3242200121", "callee")


def test_trunk_calls_a_phone_over_tcp_and_both_ends_hear(router: Router, start_phone: StartPhone) -> None:
    benoit = start_phone("202", router.address, speaks=1000, transport="tcp", answers=True).is_registered()
    outside = start_phone(OUTSIDE, speaks=700, port=router.company.trunk_port)
    outside.command("dial", f"sip:+3242200122@{router.address}")
    outside.waits_for("CALL_ESTABLISHED")
    hears(benoit, 700)
    hears(outside, 1000)
    outside.command("hangup")
    benoit.waits_for("CALL_CLOSED")


def test_phone_that_rejects_leaves_the_caller_to_the_voicemail(router: Router, start_phone: StartPhone) -> None:
    """S3: "reject" on the phone is not an answer for an outside caller."""
    voicemail = start_phone("voicemail", speaks=1300, answers=True, port=router.company.target_ports["voicemail"])
    benoit = start_phone("202", router.address, speaks=1000).is_registered()
    outside = start_phone(OUTSIDE, speaks=700, port=router.company.trunk_port)
    outside.command("dial", f"sip:+3242200122@{router.address}")
    benoit.waits_for("CALL_INCOMING")
    benoit.command("hangup")
    outside.waits_for("CALL_ESTABLISHED")
    hears(outside, 1300)
    hears(voicemail, 700)
