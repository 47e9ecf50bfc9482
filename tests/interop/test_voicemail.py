"""The router's own voicemail, heard and spoken to by real phones (V1, M2, G5)."""

from __future__ import annotations

import json
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
    print(json.dumps(record, indent=1), seconds_recorded(message))
    assert (record["owner"], record["target"], record["status"], record["ended_by"]) == (
        "benoit", "voicemail", 200, "caller")
