"""What the engineer who runs the router relies on: reload, drain, readiness, metrics, records, clear errors."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import yaml

from .company import OUTSIDE, Company
from .conftest import needs_sipp
from .peers import Peers
from .processes import eventually, listens
from .router_process import ROOT, Router

pytestmark = needs_sipp

METRICS = (
    "sip_requests_total",
    "sip_responses_total",
    "sip_retransmissions_total",
    "sip_dialogs_active",
    "sip_setup_seconds_bucket",
    "policy_decisions_total",
    "policy_decision_seconds_bucket",
    "trunk_up",
)


def test_probes_say_that_it_serves(router: Router) -> None:
    assert router.get("/healthz")[0] == 200
    assert router.get("/readyz")[0] == 200


def test_metrics_count_a_call_and_name_nobody(router: Router, peers: Peers) -> None:
    phone = peers.phone("202")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.1).succeeds()
    phone.succeeds()
    page = router.get("/metrics")[1]
    samples = [line for line in page.splitlines() if not line.startswith("#")]
    for name in METRICS:
        assert re.search(rf"^# TYPE {name.removesuffix('_bucket').removesuffix('_total')}", page, re.MULTILINE), name
    assert router.metric("sip_requests_total", method="INVITE", direction="in") == 1
    assert router.metric("sip_requests_total", method="INVITE", direction="out") == 1
    assert router.metric("policy_decisions_total", action="ring") == 1
    assert router.metric("sip_setup_seconds_count") == 1
    for number in ("3242200122", OUTSIDE.lstrip("+")):
        assert not [line for line in samples if number in line]


def test_record_of_a_call_explains_itself(router: Router, peers: Peers) -> None:
    trunk = peers.trunk("callee_answers")
    peers.phone_calls("203", "phone_talks_then_hangs_up", OUTSIDE, hold=0.1).succeeds()
    trunk.succeeds()
    record = router.records()[0]
    assert record["dialled"] == OUTSIDE
    assert record["shown_number"] == "+32470555012"
    assert record["action"] == "dial"
    reason = next(reason for reason in record["because"] if reason["clause"] == "R1")
    assert reason["source"].startswith("company.yaml:")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", record["started"])


def test_reload_changes_the_policy_and_leaves_the_call_in_progress(router: Router, peers: Peers) -> None:
    phone = peers.phone("202")
    talking = peers.call("caller_talks_then_hangs_up", "+3242200122", hold=2.5)
    phone.request("ACK")
    router.company.document["people"]["luc"]["when"] = {"unreachable": "reception"}
    router.company.write()
    before = router.get("/metrics")[1]
    router.reload()
    eventually(
        "the new configuration is in force", lambda: _configuration(router.get("/metrics")[1]) != _configuration(before)
    )
    reception = peers.target("reception")
    peers.call_by_second_trunk("caller_talks_then_hangs_up", "+3242200126", hold=0).succeeds()
    reception.succeeds()
    talking.succeeds()
    phone.succeeds()


def _configuration(page: str) -> str:
    return next(line for line in page.splitlines() if line.startswith("renvoi_configuration"))


def test_bad_configuration_is_refused_and_the_old_one_stays(router: Router, peers: Peers) -> None:
    before = _configuration(router.get("/metrics")[1])
    router.company.document["people"]["luc"]["role"] = "captain"
    router.company.write()
    router.reload()
    eventually("the log says what is wrong", lambda: "captain" in router.log)
    assert _configuration(router.get("/metrics")[1]) == before
    voicemail = peers.target("voicemail")
    peers.call("caller_talks_then_hangs_up", "+3242200126", hold=0).succeeds()
    voicemail.succeeds()


def test_bad_configuration_starts_nothing_and_lists_every_error(company: Company) -> None:
    company.document["people"]["luc"]["role"] = "captain"
    company.document["people"]["anna"]["direct_nummer"] = "+3242200121"
    directory = company.write()
    command = [sys.executable, "-m", "router", "serve", "--config", str(directory)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    said = run.stdout + run.stderr
    assert run.returncode != 0
    assert "renvoi ready" not in said
    assert "Traceback" not in said
    lines = (directory / "company.yaml").read_text().splitlines()
    for wrong in ("captain", "direct_nummer"):
        line = next(number for number, text in enumerate(lines, start=1) if wrong in text)
        assert re.search(rf"company\.yaml:{line}\b.*", said), said
        assert wrong in said
    assert yaml.safe_load((directory / "company.yaml").read_text())["people"]["luc"]["role"] == "captain"


def test_port_that_is_taken_is_said_clearly(router: Router) -> None:
    command = [sys.executable, "-m", "router", "serve", "--config", str(router.company.folder / "config")]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=20)
    assert run.returncode != 0
    assert f"127.0.0.1:{router.port}" in run.stdout + run.stderr
    assert "Traceback" not in run.stdout + run.stderr


def test_stopping_lets_the_call_in_progress_end_and_takes_no_new_one(router: Router, peers: Peers) -> None:
    phone = peers.phone("202")
    talking = peers.call("caller_talks_then_hangs_up", "+3242200122", hold=2.0)
    phone.request("ACK")
    router.process.send_signal(signal.SIGTERM)
    eventually("it says that it is not ready", lambda: router.get("/readyz")[0] == 503)
    refused = peers.call_by_second_trunk("caller_is_refused", "+3242200126").succeeds()
    assert refused.received[-1].status == 503
    talking.succeeds()
    phone.succeeds()
    assert router.end() == 0
    assert not listens(os.getpid(), "udp", "127.0.0.1", router.port)
    assert 200 in [record["status"] for record in router.records()]
