"""A real rtpengine in user space, for tests: no kernel module, nothing outside the loopback."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from router.media.bencode import decode, encode
from tests.interop.processes import Ports, Process, eventually

FEWEST_PORTS = 60  # a call takes eight, four of them only until it is answered


class RtpengineProcess:
    """One rtpengine, which can be killed and started again at the same place."""

    def __init__(
        self,
        ports: Ports,
        folder: Path,
        name: str = "rtpengine",
        interfaces: str = "127.0.0.1",
        options: Sequence[str] = (),
    ) -> None:
        self.host = "127.0.0.1"
        self.port = ports.free()
        self.first_port = ports.free(FEWEST_PORTS)
        self._folder = folder
        self._name = name
        self._interfaces = interfaces
        self._options = options
        self._started = 0.0
        self._asked = 0
        self._process: Process | None = None

    @property
    def address(self) -> str:
        return f"{self.host}:{self.port}"

    @property
    def output(self) -> str:
        return self._process.output if self._process is not None else ""

    @property
    def seconds(self) -> float:
        """For how long it has been running."""
        return time.monotonic() - self._started

    def start(self) -> RtpengineProcess:
        """Start it, unless it runs, and wait until it answers."""
        if self._process is not None and self._process.running:
            return self
        program = shutil.which("rtpengine", path="/usr/bin:/usr/sbin:/usr/local/bin")
        assert program, "rtpengine is not installed (`make test-packages` does that)"
        command = [
            program,
            "--config-file=none",
            "--table=-1",
            *(f"--interface={interface}" for interface in self._interfaces.split()),
            f"--listen-ng={self.address}",
            f"--port-min={self.first_port}",
            f"--port-max={self.first_port + FEWEST_PORTS - 1}",
            "--num-threads=2",
            *self._options,
            "--foreground",
            "--log-stderr",
            "--log-level=6",
            f"--pidfile={self._folder / self._name}.pid",
        ]
        self._started = time.monotonic()
        self._process = Process(self._name, command, self._folder)
        eventually(f"rtpengine answers; it says\n{self.output}", self._answers, 20.0)
        return self

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.running, f"rtpengine ended:\n{self.output}"
        try:
            return bool(self._ask(command="ping")["result"] == b"pong")
        except OSError:
            return False

    def packets(self) -> dict[str, int]:
        """How many RTP packets have come from each party of the one call that it has."""
        [call_id] = self._ask(command="list")["calls"]
        tags = self._ask(command="query", **{"call-id": call_id})["tags"]
        return {name: tag["medias"][0]["streams"][0]["stats"]["packets"] for name, tag in tags.items()}

    def _ask(self, **command: str | bytes) -> dict[str, Any]:
        """Say a command and return the answer, which must come at once. Raises OSError."""
        self._asked += 1
        cookie = b"test-%d-%d" % (os.getpid(), self._asked)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.5)
            probe.connect((self.host, self.port))
            probe.send(cookie + b" " + encode(command))
            answer = decode(probe.recv(65536).removeprefix(cookie + b" "))
        assert isinstance(answer, dict)
        return answer

    def kill(self) -> None:
        """kill -9; the port answers with an ICMP error from now on."""
        assert self._process is not None
        self._process.end(signal.SIGKILL)

    def freeze(self, frozen: bool) -> None:
        """Let it neither answer nor forward, or go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def end(self) -> None:
        if self._process is not None and self._process.running:
            self.freeze(False)
            self._process.end()
