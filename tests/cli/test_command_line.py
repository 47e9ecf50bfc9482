"""The command `renvoi` as an administrator types it, each time in a process of its own."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from router import __version__

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "config"


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", "NO_COLOR": "1"}


def renvoi(*arguments: str | Path, directory: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command to its end."""
    return subprocess.run(
        [sys.executable, "-m", "router", *map(str, arguments)],
        cwd=directory,
        env=environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def company(tmp_path: Path) -> Path:
    """The sample company on ports of its own."""
    directory = tmp_path / "company"
    shutil.copytree(SAMPLE, directory)
    file = directory / "company.yaml"
    text = file.read_text()
    assert "127.0.0.1:5060" in text
    assert "127.0.0.1:8080" in text
    file.write_text(
        text.replace("127.0.0.1:5060", f"127.0.0.1:{free_port()}").replace("127.0.0.1:8080", f"127.0.0.1:{free_port()}")
    )
    return directory


class Served:
    """`renvoi serve` in a process of its own, once it has said that it is ready."""

    def __init__(self, configuration: Path, directory: Path, *options: str) -> None:
        self.log = directory / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "router", "serve", "--config", str(configuration), *options],
                cwd=directory,
                env=environment(),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.said: list[str] = []
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.rstrip())
            if self.said[-1] == "renvoi ready":
                break
        else:
            pytest.fail(f"it ended before it was ready: {self.log.read_text()}")
        self.web = next(line.split()[1].removesuffix("/metrics") for line in self.said if line.split()[0] == "http")

    def get(self, path: str) -> tuple[int, str]:
        with urllib.request.urlopen(self.web + path, timeout=10) as response:
            return response.status, response.read().decode()

    def ends_with(self, number: signal.Signals) -> int:
        """Send a signal and return the exit code."""
        self.process.send_signal(number)
        return self.process.wait(timeout=20)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def start(configuration: Path, *options: str) -> Served:
        started.append(Served(configuration, tmp_path, *options))
        return started[-1]

    yield start
    for served in started:
        served.close()
        assert "Traceback" not in served.log.read_text()


def test_the_version_is_the_package_s() -> None:
    finished = renvoi("version")
    assert (finished.returncode, finished.stdout) == (0, f"renvoi {__version__}\n")


def test_help_names_every_command() -> None:
    finished = renvoi("--help")
    assert finished.returncode == 0
    for command in (
        "serve", "init", "check", "simulate", "explain", "replay", "diff", "document", "greylist", "schema", "secret",
        "version",
    ):  # fmt: skip
        assert f" {command} " in finished.stdout


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["fly"], "No such command 'fly'"),
        (["serve"], "--config"),
        (["serve", "--config", "no-such-directory"], "'no-such-directory' does not exist"),
        (["serve", "--config", SAMPLE / "company.yaml"], "is a file"),
        (["serve", "--config", SAMPLE, "--clock", "yesterday"], "2026-11-24T16:59:50+01:00"),
        (["serve", "--config", SAMPLE, "--log-level", "loud"], "'loud' is not one of"),
    ],
)
def test_a_wrong_command_line_is_explained_and_exits_2(arguments: list[str | Path], complaint: str) -> None:
    finished = renvoi(*arguments)
    assert finished.returncode == 2
    assert complaint in finished.stderr
    assert "Traceback" not in finished.stderr


def test_a_bad_configuration_starts_nothing_and_says_where_it_is_wrong(company: Path, tmp_path: Path) -> None:
    (company / "trunks.yaml").write_text("trunks:\n  provider: {adress: sip.provider.example}\n")
    finished = renvoi("serve", "--config", company, directory=tmp_path)
    assert finished.returncode == 1
    assert "trunks.yaml:2" in finished.stderr
    assert "renvoi ready" not in finished.stdout
    assert "Traceback" not in finished.stderr
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_a_taken_port_is_named(kind: socket.SocketKind, company: Path, tmp_path: Path) -> None:
    with socket.socket(type=kind) as taken:
        taken.bind(("127.0.0.1", 0))
        if kind is socket.SOCK_STREAM:
            taken.listen()
        port = taken.getsockname()[1]
        scheme = "udp" if kind is socket.SOCK_DGRAM else "tcp"
        file = company / "company.yaml"
        lines = [
            f'  listen: ["{scheme}:127.0.0.1:{port}"]' if line.startswith('  listen: ["udp') else line
            for line in file.read_text().splitlines()
        ]
        file.write_text("\n".join(lines))
        finished = renvoi("serve", "--config", company, directory=tmp_path)
    assert finished.returncode == 1
    assert f"127.0.0.1:{port}" in finished.stderr
    assert "Traceback" not in finished.stderr


def test_serving_says_what_listens_is_ready_and_ends_well(serve: Callable[..., Served], company: Path) -> None:
    served = serve(company)
    said = " ".join(served.said)
    assert "Atelier de la Meuse" in said
    assert "udp" in said
    assert "tcp" in said

    assert served.get("/healthz")[0] == 200
    status, ready = served.get("/readyz")
    assert (status, json.loads(ready)["status"]) == (200, "ready")
    metrics = served.get("/metrics")[1]
    for name in ("sip_dialogs_active 0.0", "trunk_up{", "policy_decision_seconds_bucket", "sip_setup_seconds_bucket"):
        assert name in metrics

    assert served.ends_with(signal.SIGTERM) == 0


def test_a_call_that_was_served_is_explained_and_decided_again_alike(
    serve: Callable[..., Served], company: Path, tmp_path: Path
) -> None:
    """S3: Isabelle has no phone, and neither her voicemail nor the reception answers here."""
    with socket.socket(type=socket.SOCK_DGRAM) as provider:
        provider.bind(("127.0.0.1", 0))
        provider.settimeout(20)
        port = provider.getsockname()[1]
        trunks = company / "trunks.yaml"
        trunks.write_text(trunks.read_text().replace("127.0.0.1:5080", f"127.0.0.1:{port}"))
        targets = company / "company.yaml"
        text = targets.read_text()
        elsewhere = f'voicemail: {{sip: "sip:{{extension}}@127.0.0.1:{port}"}}'
        targets.write_text(
            re.sub(r'voicemail: +{mailbox: "[^"]*"}', elsewhere, text).replace("127.0.0.1:5090", f"127.0.0.1:{port}")
        )
        served = serve(company, "--clock", "2026-11-24T10:15:00+01:00")
        router_at = "127.0.0.1", next(int(line.rpartition(":")[2]) for line in served.said if " udp " in line)
        invite = (
            "INVITE sip:+3242200126@127.0.0.1 SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bKexplain\r\n"
            "From: <sip:+32475111222@127.0.0.1>;tag=a\r\nTo: <sip:+3242200126@127.0.0.1>\r\n"
            f"Call-ID: explained@127.0.0.1\r\nCSeq: 1 INVITE\r\nContact: <sip:127.0.0.1:{port}>\r\n"
            "Max-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        )
        provider.sendto(invite.encode(), router_at)
        while True:
            heard = provider.recv(65536).decode()
            lines = heard.split("\r\n")
            if heard.startswith("INVITE"):  # to the voicemail, then to the reception
                kept = [line for line in lines if line.split(":")[0] in ("Via", "From", "Call-ID", "CSeq")]
                to = next(line for line in lines if line.startswith("To:"))
                answer = ["SIP/2.0 480 Not Here", *kept, f"{to};tag=b", "Content-Length: 0", "", ""]
                provider.sendto("\r\n".join(answer).encode(), router_at)
            elif heard.startswith("SIP/2.0 480"):
                break
        assert served.ends_with(signal.SIGTERM) == 0

    told = renvoi("explain", "last", "--config", company, directory=tmp_path)
    assert told.returncode == 0, told.stderr
    assert told.stdout.startswith("call explained@127.0.0.1 · 2026-11-24 10:15:0")
    assert "Isabelle Noël: idle · no profile" in told.stdout
    assert "+32475111222 · from outside, by placeholder" in told.stdout
    assert "→ refused" in told.stdout
    assert "voicemail: cannot be reached" in told.stdout
    assert "lines may have moved" not in told.stdout
    again = renvoi("replay", "--config", company, "--from", "2026-11-24", directory=tmp_path)
    assert again.stdout.startswith("0 of 1 calls would be treated differently"), again.stdout


def configuration_hash(served: Served) -> str:
    return next(line for line in served.get("/metrics")[1].splitlines() if line.startswith("renvoi_configuration_info"))


async def test_reloading_takes_a_good_configuration_and_refuses_a_bad_one(
    serve: Callable[..., Served], company: Path, eventually: Any
) -> None:
    served = serve(company)
    before = configuration_hash(served)

    people = company / "people.yaml"
    good = people.read_text()
    people.write_text(good.replace("Brigitte Lambert", "Brigitte Lambert-Noël"))
    served.process.send_signal(signal.SIGHUP)
    await eventually(lambda: configuration_hash(served) != before, "the new configuration is in force")
    after = configuration_hash(served)

    people.write_text(good + "\n  nobody: {}\n")
    served.process.send_signal(signal.SIGHUP)
    await eventually(lambda: "people.yaml" in served.log.read_text(), "the bad one is refused with a reason")
    assert configuration_hash(served) == after
    assert served.get("/readyz")[0] == 200
    assert served.ends_with(signal.SIGINT) == 0


def test_a_clock_started_elsewhere_does_not_keep_the_router_from_serving(
    serve: Callable[..., Served], company: Path
) -> None:
    served = serve(company, "--clock", "2031-01-01T00:00:00+01:00", "--log-level", "warning")
    assert served.get("/readyz")[0] == 200
