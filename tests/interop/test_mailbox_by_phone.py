"""A mailbox opened from a real phone, with keys pressed in the call (V1)."""

from __future__ import annotations

from pathlib import Path

import numpy
import pytest

from .company import OUTSIDE, Company
from .conftest import StartPhone, StartRouter, needs_baresip
from .processes import Ports, eventually
from .tones import HEADER_BYTES, SAMPLE_RATE, seconds_recorded

pytestmark = [needs_baresip, pytest.mark.timeout(120)]
SPOKEN = 440  # hertz
PIN = "2468"


@pytest.fixture
def company(ports: Ports, tmp_path: Path) -> Company:
    company = Company(ports, tmp_path)
    first = ports.free(200)
    company.document["targets"]["voicemail"] = {"mailbox": "{person}"}
    company.document["media"] = {"ports": f"{first}-{first + 199}"}
    company.document["codes"] = {"mailbox": "*97"}
    company.document["people"]["benoit"]["pin"] = PIN
    return company


def messages(company: Company) -> list[Path]:
    folder = Path(company.document["storage"]["directory"]) / "voicemail"
    return sorted(path for path in folder.rglob("*.wav") if not path.name.startswith("."))


def seconds_of_tone(path: Path) -> float:
    """How long a recording, which may still be growing, is the tone that was spoken and nothing else."""
    data = path.read_bytes()[HEADER_BYTES:]
    samples = numpy.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(float)
    size = SAMPLE_RATE // 10
    pieces = samples[: len(samples) // size * size].reshape(-1, size)
    wave = numpy.exp(-2j * numpy.pi * SPOKEN * numpy.arange(size) / SAMPLE_RATE)
    strength = numpy.abs(pieces @ wave) * numpy.sqrt(2) / size
    power = numpy.sqrt(numpy.mean(pieces**2, axis=1))
    return float(numpy.count_nonzero((power > 100) & (strength > 0.9 * power))) / 10


def test_a_message_is_heard_and_deleted(company: Company, start_router: StartRouter, start_phone: StartPhone) -> None:
    router = start_router()
    outside = start_phone(OUTSIDE, speaks=SPOKEN, port=company.trunk_port)
    outside.command("dial", f"sip:+3242200122@{router.address}")
    outside.waits_for("CALL_ESTABLISHED")
    greeting = eventually("the caller hears something", lambda: next(iter(outside.heard()), None))
    eventually("the caller listens for 16 s", lambda: seconds_recorded(greeting) > 16, seconds=25)
    outside.command("hangup")
    [message] = eventually("a message is there", lambda: messages(company))
    said = seconds_of_tone(message)
    assert said > 1

    benoit = start_phone("202", router.address, speaks=1000).is_registered()
    benoit.command("dial", f"sip:*97@{router.address}")
    benoit.waits_for("CALL_ESTABLISHED")
    benoit.command("sndcode", f"{PIN}#")
    heard = eventually("the owner hears something", lambda: next(iter(benoit.heard()), None))
    eventually("the owner hears the message", lambda: seconds_of_tone(heard) > said - 0.5, seconds=40)
    benoit.command("sndcode", "3")
    eventually("the message is deleted", lambda: not messages(company))
    benoit.command("sndcode", "0")
    benoit.waits_for("CALL_CLOSED", 20)
    record = router.records(2)[-1]
    assert (record["action"], record["target"], record["owner"], record["ended_by"]) == (
        "feature",
        "benoit",
        "benoit",
        "router",
    )
