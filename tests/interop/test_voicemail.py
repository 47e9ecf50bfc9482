"""The router's own voicemail, heard and spoken to by real phones (V1, M2, G5)."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from .company import OUTSIDE, Company
from .conftest import StartPhone, StartRouter, needs_baresip
from .processes import Ports, eventually
from .tones import heard_hertz, seconds_recorded

pytestmark = [needs_baresip, pytest.mark.timeout(90)]


@pytest.fixture
def company(ports: Ports, tmp_path: Path) -> Company:
    """A company whose voicemail is the router's own."""
    company = Company(ports, tmp_path)
    first = ports.free(200)
    company.document["targets"]["voicemail"] = {"mailbox": "{person}"}
    company.document["media"] = {"ports": f"{first}-{first + 199}"}
    return company


def messages(company: Company) -> list[Path]:
    folder = Path(company.document["storage"]["directory"]) / "voicemail"
    return sorted(path for path in folder.rglob("*.wav") if not path.name.startswith("."))


def test_what_is_spoken_to_the_voicemail_is_in_the_file(
    company: Company, start_router: StartRouter, start_phone: StartPhone
) -> None:
    """V1, G5: nobody's phone is registered, so the caller hears a greeting and leaves a message by hanging up."""
    router = start_router()
    outside = start_phone(OUTSIDE, speaks=440, port=company.trunk_port)
    outside.command("dial", f"sip:+3242200122@{router.address}")
    outside.waits_for("CALL_ESTABLISHED")
    heard = eventually("the caller hears something", lambda: next(iter(outside.heard()), None))
    eventually("the caller listens for 14 s", lambda: seconds_recorded(heard) > 14, seconds=25)
    outside.command("hangup")
    [message] = eventually("a message is there", lambda: messages(company))
    assert heard_hertz(message) == pytest.approx(440, abs=3)
    [record] = router.records()
    assert (record["owner"], record["target"], record["status"], record["ended_by"]) == (
        "benoit",
        "voicemail",
        200,
        "caller",
    )


def test_whoever_rejects_a_call_leaves_the_caller_to_the_voicemail(
    company: Company, start_router: StartRouter, start_phone: StartPhone
) -> None:
    """S3, G5: the attempt stands in the record, and the caller is asked for a message."""
    router = start_router()
    benoit = start_phone("202", router.address, speaks=1000).is_registered()
    outside = start_phone(OUTSIDE, speaks=440, port=company.trunk_port)
    outside.command("dial", f"sip:+3242200122@{router.address}")
    benoit.waits_for("CALL_INCOMING")
    benoit.command("hangup")
    outside.waits_for("CALL_ESTABLISHED")
    heard = eventually("the caller hears something", lambda: next(iter(outside.heard()), None))
    eventually("the caller listens for 3 s", lambda: seconds_recorded(heard) > 3, seconds=15)
    outside.command("hangup")
    [record] = router.records()
    assert [leg["peer"] for leg in record["legs"]] == ["202"]
    assert (record["target"], record["status"], record["ended_by"]) == ("voicemail", 200, "caller")
    assert not messages(company), "whoever hangs up during the greeting leaves no message"


def test_the_media_engine_is_killed_while_a_caller_listens(
    company: Company, start_router: StartRouter, start_phone: StartPhone
) -> None:
    """The caller is hung up on, the next one is served."""
    router = start_router()
    outside = start_phone(OUTSIDE, speaks=440, port=company.trunk_port)
    outside.command("dial", f"sip:+3242200122@{router.address}")
    outside.waits_for("CALL_ESTABLISHED")
    engine = eventually("the engine is found", lambda: engine_of(router.process.pid))
    os.kill(engine, signal.SIGKILL)
    outside.waits_for("CALL_CLOSED")
    assert router.records()[0]["ended_by"] == "router"

    def is_served() -> bool:
        outside.forgets()
        outside.command("dial", f"sip:+3242200122@{router.address}")
        eventually("a call is answered or not", lambda: any(map(outside.happened, ("CALL_ESTABLISHED", "CALL_CLOSED"))))
        return outside.happened("CALL_ESTABLISHED")

    eventually("the next caller is served", is_served, seconds=20)
    outside.command("hangup")
    outside.waits_for("CALL_CLOSED")
    assert router.records(2)[-1]["target"] == "voicemail"


def engine_of(router: int) -> int:
    """The process of a router's media engine; 0 while there is none."""
    for thread in Path(f"/proc/{router}/task").iterdir():  # whichever started it
        for child in (thread / "children").read_text().split():
            if b"router.media.engine" in Path(f"/proc/{child}/cmdline").read_bytes():
                return int(child)
    return 0
