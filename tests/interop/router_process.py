"""The router as its operator runs it: a process, a configuration directory, signals, a log, records, metrics."""

from __future__ import annotations

import json
import re
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from .company import WORKING_HOURS, Company
from .processes import Process, eventually, resident_kilobytes

ROOT = Path(__file__).resolve().parents[2]


class Router:
    """`renvoi serve` with the configuration of one company."""

    def __init__(
        self, company: Company, *, clock: str | None = WORKING_HOURS, prefix: tuple[str, ...] = (), name: str = "router"
    ) -> None:
        """Start it and wait for `renvoi ready`.

        Args:
            clock: where the policy's clock starts (ISO 8601), None for the real time.
            prefix: a command that runs the router, such as one that enters a network namespace.
        """
        self.company = company
        self.host, self.port = "127.0.0.1", company.sip_port
        command = [*prefix, sys.executable, "-m", "router", "serve", "--config", str(company.write())]
        if clock is not None:
            command += ["--clock", clock]
        environment = {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1"}
        self.process = Process(name, command, company.folder, environment=environment)
        eventually("the router says that it is ready", self._is_ready, seconds=20)

    def _is_ready(self) -> bool:
        assert self.process.running, f"the router ended at once:\n{self.log[-4000:]}"
        return "renvoi ready" in self.log

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def log(self) -> str:
        return self.process.output

    @property
    def resident_kilobytes(self) -> int:
        return resident_kilobytes(self.process.pid)

    def records(self, count: int = 1, seconds: float = 5.0) -> list[dict[str, Any]]:
        """The call records, once there are at least `count`."""

        def read() -> list[dict[str, Any]] | None:
            path = Path(self.company.document["storage"]["records"])
            lines = path.read_text().splitlines() if path.exists() else []
            return [json.loads(line) for line in lines] if len(lines) >= count else None

        return eventually(f"{count} call records are written", read, seconds)

    def get(self, path: str) -> tuple[int, str]:
        """Status and body of a GET on the router's HTTP port."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.company.http_port}{path}", timeout=5) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def metric(self, name: str, **labels: str) -> float:
        """Sum of the samples of a metric that carry at least these labels; 0.0 when there are none."""
        total = 0.0
        for line in self.get("/metrics")[1].splitlines():
            match = re.fullmatch(rf"{re.escape(name)}(?:\{{(.*)\}})? ([0-9.e+-]+)", line)
            if match:
                found = dict(re.findall(r'(\w+)="([^"]*)"', match.group(1) or ""))
                if labels.items() <= found.items():
                    total += float(match.group(2))
        return total

    def has_no_calls(self) -> bool:
        """Whether the router holds no dialog any more."""
        return self.metric("sip_dialogs_active") == 0

    def reload(self) -> None:
        """Ask for a reload of the configuration."""
        self.process.send_signal(signal.SIGHUP)

    def end(self, patience: float = 20.0) -> int:
        """SIGTERM, as an operator stops it; returns the exit code."""
        return self.process.end(signal.SIGTERM, patience)

    def faults(self) -> list[str]:
        """Lines of the log that no input may ever cause."""
        marks = ("Traceback", "Task exception was never retrieved", "was never awaited", "Exception in callback")
        return [line for line in self.log.splitlines() if any(mark in line for mark in marks)]
