"""Calls that are recorded, between real phones (X3, X4, G12, G13)."""

from __future__ import annotations

import json
import signal
import sqlite3
import urllib.request
import wave
from pathlib import Path
from typing import Any

import numpy
import pytest

from router.configuration.tokens import new_token

from .company import OUTSIDE, Company
from .conftest import StartPhone, StartRouter, needs_baresip
from .processes import Ports, eventually
from .router_process import Router
from .test_relayed_calls import hears
from .tones import AUDIBLE, HEADER_BYTES, SAMPLE_RATE, seconds_recorded

pytestmark = [needs_baresip, pytest.mark.timeout(90)]

LUNCH = "2026-11-24T12:30:00+01:00"  # a Tuesday; everybody of this company is absent
CONSENT_SECONDS = 2.5  # the announcement lasts longer


@pytest.fixture
def company(ports: Ports, tmp_path: Path) -> Company:
    """A company that records all calls of Benoît's; nothing else is relayed."""
    company = Company(ports, tmp_path)
    first = ports.free(100)
    company.document["media"] = {"ports": f"{first}-{first + 99}"}
    company.document["recording"] = {
        "who": ["benoit"],
        "calls": "all",
        "hours": "office",
        "announcement": {"fr": "recording.consent"},
        "legal_basis": "le contrat",
    }
    token, hashed = new_token()
    company.document["api"] = {"tokens": {"boss": {"hash": hashed, "role": "administrator"}}}
    company.token = token  # type: ignore[attr-defined]
    return company


def kept(company: Company) -> list[Path]:
    return sorted(folder_of(company).glob("*.wav"))


def parts(company: Company) -> list[Path]:
    return sorted(folder_of(company).glob(".*.part"))


def folder_of(company: Company) -> Path:
    return Path(company.document["storage"]["directory"]) / "recordings"


def channel(path: Path, number: int) -> numpy.ndarray[Any, numpy.dtype[numpy.float64]]:
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate()) == (2, SAMPLE_RATE)
        samples = numpy.frombuffer(file.readframes(file.getnframes()), "<i2").reshape(-1, 2)
    return samples[:, number].astype(float)


def hertz_of(samples: numpy.ndarray[Any, numpy.dtype[numpy.float64]]) -> float:
    """The strongest frequency; 0.0 for silence."""
    if numpy.sqrt(numpy.mean(samples**2)) < AUDIBLE:
        return 0.0
    spectrum = numpy.abs(numpy.fft.rfft(samples * numpy.hanning(len(samples))))
    return float(int(numpy.argmax(spectrum)) * SAMPLE_RATE / len(samples))


def beginning(path: Path) -> tuple[float, float]:
    """What a phone heard between 0.6 and 2.5 s: root mean square, and the part of its strongest tone in that."""
    data = path.read_bytes()[HEADER_BYTES:]
    samples = numpy.frombuffer(data[: len(data) // 2 * 2], "<i2").astype(float)
    samples = samples[int(0.6 * SAMPLE_RATE) : int(CONSENT_SECONDS * SAMPLE_RATE)]
    spectrum = numpy.abs(numpy.fft.rfft(samples * numpy.hanning(len(samples)))) ** 2
    peak = int(numpy.argmax(spectrum))
    return float(numpy.sqrt(numpy.mean(samples**2))), float(spectrum[peak - 3 : peak + 4].sum() / spectrum.sum())


def ask(company: Company, what: str, call_id: str) -> int:
    """Ask for something of the recording of a call, over HTTP; returns the status."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{company.http_port}/api/v1/calls/recording",
        json.dumps({"do": what, "call_id": call_id}).encode(),
        {"Authorization": f"Bearer {company.token}", "Content-Type": "application/json"},  # type: ignore[attr-defined]
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        return int(answer.status)


def calls(company: Company) -> list[dict[str, Any]]:
    request = urllib.request.Request(
        f"http://127.0.0.1:{company.http_port}/api/v1/calls",
        headers={"Authorization": f"Bearer {company.token}"},  # type: ignore[attr-defined]
    )
    with urllib.request.urlopen(request, timeout=5) as answer:
        found: list[dict[str, Any]] = json.load(answer)["calls"]
        return found


def test_a_call_is_announced_and_recorded_one_side_a_channel_with_a_gap(
    company: Company, start_router: StartRouter, start_phone: StartPhone
) -> None:
    """X3, G13: the caller left, the called right; both heard the announcement before; a pause is silent."""
    router = start_router()
    benoit = start_phone("202", router.address, speaks=1000, answers=True).is_registered()
    outside = start_phone(OUTSIDE, speaks=440, port=company.trunk_port)
    outside.command("dial", f"sip:+3242200122@{router.address}")
    for phone in (outside, benoit):
        phone.waits_for("CALL_ESTABLISHED")
    eventually("it is recorded", lambda: parts(company), 20)
    [first] = parts(company)
    eventually("it is recorded for 1.5 s", lambda: first.stat().st_size > 1.5 * 4 * SAMPLE_RATE, 20)
    [call] = calls(company)
    assert ask(company, "pause", call["call_id"]) == 202
    heard = outside.heard()[-1]
    before = seconds_recorded(heard)
    eventually("they talk on for 2.5 s", lambda: seconds_recorded(heard) > before + 2.5, 20)
    assert ask(company, "resume", call["call_id"]) == 202
    eventually("it is recorded again", lambda: len(parts(company)) == 2, 20)
    second = next(part for part in parts(company) if part != first)
    eventually("it is recorded for 1.5 s more", lambda: second.stat().st_size > 1.5 * 4 * SAMPLE_RATE, 20)
    outside.command("hangup")
    [record] = router.records(seconds=10)
    [path] = kept(company)
    assert parts(company) == []
    [note] = record["recordings"]
    assert (note["result"], note["because"][0]["clause"], note["id"]) == ("recorded", "X3", path.stem)
    for number, hertz in ((0, 440), (1, 1000)):
        samples = channel(path, number)
        assert hertz_of(samples[:SAMPLE_RATE]) == pytest.approx(hertz, abs=3)
        assert hertz_of(samples[-SAMPLE_RATE:]) == pytest.approx(hertz, abs=3)
        windows = samples[: len(samples) // 1600 * 1600].reshape(-1, 1600)
        silent = int(numpy.count_nonzero(numpy.abs(windows).max(axis=1) == 0))
        assert silent * 0.2 > 1.5, "what was said in the pause is not in the file"
    for phone in (outside, benoit):
        level, tone = beginning(phone.heard()[-1])
        assert level > AUDIBLE and tone < 0.5, "somebody spoke, and it was not the other side's tone"
        assert hears(phone.heard(), 1000 if phone is outside else 440), "afterwards they heard each other"
    assert router.metric("recordings_total", result="recorded") == 1


def test_who_hangs_up_during_the_announcement_leaves_no_file(
    company: Company, start_router: StartRouter, start_phone: StartPhone
) -> None:
    """G13"""
    router = start_router()
    benoit = start_phone("202", router.address, speaks=1000, answers=True).is_registered()
    outside = start_phone(OUTSIDE, speaks=440, port=company.trunk_port)
    outside.command("dial", f"sip:+3242200122@{router.address}")
    outside.waits_for("CALL_ESTABLISHED")
    outside.command("hangup")
    benoit.waits_for("CALL_CLOSED")
    [record] = router.records()
    assert [note["result"] for note in record["recordings"]] == ["unannounced"]
    assert not kept(company) and not parts(company)


def test_who_is_absent_is_not_recorded(company: Company, start_router: StartRouter, start_phone: StartPhone) -> None:
    """X4: at lunch, by schedule; the reason stands in the record."""
    router = start_router(clock=LUNCH)
    outside = start_phone(OUTSIDE, speaks=440, port=company.trunk_port, answers=True)
    benoit = start_phone("202", router.address, speaks=1000).is_registered()
    benoit.command("dial", f"sip:0475111222@{router.address}")
    benoit.waits_for("CALL_ESTABLISHED")
    eventually("they hear each other", lambda: hears(benoit.heard(), 440))
    benoit.command("hangup")
    outside.waits_for("CALL_CLOSED")
    [record] = router.records()
    [note] = record["recordings"]
    assert (note["result"], note["because"][0]["clause"]) == ("refused", "X4")
    assert "pendant une absence" in note["because"][0]["french"]
    assert not kept(company) and not parts(company)


def test_the_router_is_killed_while_it_records(company: Company, start_phone: StartPhone) -> None:
    """After the next start nothing half is left, neither in the folder nor in the database."""
    router = Router(company)
    benoit = start_phone("202", router.address, speaks=1000, answers=True).is_registered()
    outside = start_phone(OUTSIDE, speaks=440, port=company.trunk_port)
    outside.command("dial", f"sip:+3242200122@{router.address}")
    benoit.waits_for("CALL_ESTABLISHED")
    [part] = eventually("it is recorded", lambda: parts(company), 20)
    eventually("something of it is on the disk", lambda: part.stat().st_size > 4 * SAMPLE_RATE)
    router.process.end(signal.SIGKILL)
    again = Router(company, name="again")
    assert not kept(company) and not parts(company)
    with sqlite3.connect(Path(company.document["storage"]["directory"]) / "renvoi.sqlite") as connection:
        assert connection.execute("select count(*) from recording").fetchone() == (0,)
    assert again.end() == 0
