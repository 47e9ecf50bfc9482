"""Start real programs, wait for what they do instead of for time to pass, and end them by their own process id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

POLL_SECONDS = 0.02
# Below the media engine's usual range, and so below the kernel's for outgoing connections: nobody else takes one
# between our look and its use. Test processes beside each other (pytest-xdist) share them out.
FIRST_PORT, LAST_PORT = 5_200, 16_384
WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


def eventually(what: str, condition: Callable[[], T | None], seconds: float = 10.0) -> T:
    """Return the first true value of `condition`, asked again and again for at most `seconds`.

    Raises `AssertionError` naming `what` when it never became true.
    """
    deadline = time.monotonic() + seconds
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"in {seconds:g} s this did not happen: {what}")
        time.sleep(POLL_SECONDS)


class Ports:
    """Hands out ports of one address that are free for UDP and for TCP, each only once."""

    def __init__(self, host: str = "127.0.0.1") -> None:
        share = (LAST_PORT - FIRST_PORT) // WORKERS
        self._host = host
        self._first = FIRST_PORT + WORKER * share
        self._last = self._first + share
        self._next = self._first + (os.getpid() * 97) % share

    def free(self, step: int = 2) -> int:
        """Return a free even port; the next call starts `step` ports further (RTP wants pairs, baresip SIP + 1)."""
        while True:
            port = self._next + self._next % 2
            self._next = port + step
            if self._next > self._last:
                self._next = self._first
                continue
            if self._is_free(port) and self._is_free(port + 1):
                return port

    def _is_free(self, port: int) -> bool:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self._host, port))
                except OSError:
                    return False
        return True


class Process:
    """One program that this test run started."""

    def __init__(
        self,
        name: str,
        command: Sequence[str | Path],
        folder: Path,
        *,
        environment: Mapping[str, str] | None = None,
        pin_to_cpu: int | None = None,
    ) -> None:
        """Start `command` in `folder`; its output goes to `folder`/`name`.out."""
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.folder = folder
        self.output_file = folder / f"{name}.out"
        arguments = [str(word) for word in command]
        if pin_to_cpu is not None:
            arguments = ["taskset", "-c", str(pin_to_cpu), *arguments]
        with self.output_file.open("wb") as output:
            self._process = subprocess.Popen(
                arguments,
                cwd=folder,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def output(self) -> str:
        """Everything it wrote so far."""
        return self.output_file.read_text(errors="replace")

    def wait(self, seconds: float) -> int:
        """Return its exit code; kill it and raise `AssertionError` when it does not end in `seconds`."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.end(signal.SIGKILL)
            raise AssertionError(f"{self.name} did not end in {seconds:g} s:\n{self.output[-2000:]}") from None

    def send_signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def end(self, first: signal.Signals = signal.SIGTERM, patience: float = 5.0) -> int:
        """Signal it and wait; SIGKILL after `patience` seconds.  Returns the exit code (negative: the signal)."""
        if self.running:
            self._process.send_signal(first)
            try:
                self._process.wait(patience)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait()


def listens(pid: int, transport: str, host: str, port: int) -> bool:
    """Whether an IPv4 socket waits on `host`:`port` in the network namespace of process `pid`."""
    address = f"{socket.inet_aton(host)[::-1].hex().upper()}:{port:04X}"
    wildcard = f"00000000:{port:04X}"
    state = {"udp": "07", "tcp": "0A"}[transport]
    for line in Path(f"/proc/{pid}/net/{transport}").read_text().splitlines()[1:]:
        fields = line.split()
        if fields[1] in (address, wildcard) and fields[3] == state:
            return True
    return False


def resident_kilobytes(pid: int) -> int:
    """Resident memory of a process, in kB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"process {pid} has no memory")
