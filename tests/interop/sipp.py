"""SIPp (3.6) as phone, trunk and stranger: a process for each end of a call, running a scenario of `sipp_scenarios`."""

from __future__ import annotations

import csv
import signal
from collections.abc import Mapping
from pathlib import Path

from .messages import Message, read_sipp_log
from .processes import Process, eventually, listens

SCENARIOS = Path(__file__).resolve().parents[2] / "sipp_scenarios"


class Sipp:
    """One SIPp process.  `received` and `sent` read its message log, also while it runs."""

    def __init__(
        self,
        scenario: str,
        folder: Path,
        *,
        port: int,
        media_port: int,
        remote: str,
        host: str = "127.0.0.1",
        transport: str = "udp",
        dial: str = "service",
        user: str | None = None,
        password: str | None = None,
        keys: Mapping[str, str] | None = None,
        calls: int = 1,
        rate: int = 10,
        hold: float = 0.0,
        seconds: float = 12.0,
        extra: tuple[str, ...] = (),
        prefix: tuple[str, ...] = (),
    ) -> None:
        """Start `scenario` (a file name in `sipp_scenarios` without `.xml`) on `host`:`port`.

        Args:
            remote: "host:port" of the router.
            dial: what the scenario calls `[service]`: the dialled number, or the user that registers.
            user, password: for `[authentication]`.
            keys: further keywords of the scenario, as `[name]`.
            hold: seconds of a `<pause/>` without a length.
            extra: further options of SIPp.
            prefix: a command that runs SIPp, such as one that enters a network namespace.
            seconds: bound on its whole life; SIPp fails the scenario when it is reached.
        """
        path = SCENARIOS / f"{scenario}.xml"
        assert path.exists(), f"no scenario {path.name} in {SCENARIOS}"
        self.scenario, self.host, self.port, self.transport = scenario, host, port, transport
        self.media_port = media_port
        self._seconds = seconds
        stem = f"{scenario}-{port}"
        folder.mkdir(parents=True, exist_ok=True)
        while (folder / f"{stem}.out").exists():
            stem += "+"
        self._messages = folder / f"{stem}.messages"
        self._statistics = folder / f"{stem}.csv"
        self._errors = folder / f"{stem}.errors"
        command: list[str | Path] = [*prefix, "sipp", remote, "-sf", path, "-i", host, "-p", str(port)]
        command += ["-mi", host, "-mp", str(media_port), "-t", {"udp": "u1", "tcp": "t1"}[transport]]
        command += ["-s", dial, "-m", str(calls), "-r", str(rate), "-l", str(calls + 1), "-d", str(round(hold * 1000))]
        command += ["-nostdin", "-timeout", f"{seconds:g}s", "-timeout_error"]
        command += ["-trace_msg", "-message_file", self._messages, "-trace_err", "-error_file", self._errors]
        command += ["-trace_stat", "-stf", self._statistics, "-fd", "1"]
        if user is not None:
            command += ["-au", user, "-ap", password or ""]
        for name, value in (keys or {}).items():
            command += ["-key", name, value]
        self.process = Process(stem, [*command, *extra], folder)

    def listening(self) -> Sipp:
        """Wait until its socket is open."""
        eventually(
            f"{self.scenario} listens on port {self.port}: {self.process.output[-500:]}",
            lambda: not self.process.running or listens(self.process.pid, self.transport, self.host, self.port),
        )
        assert self.process.running, f"{self.scenario} ended at once:\n{self.process.output[-2000:]}"
        return self

    @property
    def messages(self) -> list[Message]:
        return read_sipp_log(self._messages)

    @property
    def received(self) -> list[Message]:
        return [message for message in self.messages if not message.sent]

    @property
    def sent(self) -> list[Message]:
        return [message for message in self.messages if message.sent]

    def requests(self, method: str) -> list[Message]:
        """Requests of `method` that it received, retransmissions included."""
        return [message for message in self.received if message.is_request and message.method == method]

    def request(self, method: str, seconds: float = 10.0) -> Message:
        """The first request of `method` that it receives, waited for."""
        return eventually(f"{self.scenario} receives {method}", lambda: self.requests(method), seconds)[0]

    def responses(self, status: int, method: str | None = None) -> list[Message]:
        """Responses with `status` that it received."""
        return [
            message
            for message in self.received
            if message.status == status and (method is None or message.method == method)
        ]

    def response(self, status: int, method: str | None = None, seconds: float = 10.0) -> Message:
        """The first response with `status` that it receives, waited for."""
        return eventually(
            f"{self.scenario} receives {status} {method or ''}", lambda: self.responses(status, method), seconds
        )[0]

    def count(self, column: str) -> int:
        """A cumulative figure of SIPp's statistics: "SuccessfulCall", "FailedCall", "IncomingCall"…"""
        if not self._statistics.exists():
            return 0
        with self._statistics.open() as file:
            rows = list(csv.DictReader(file, delimiter=";"))
        return int(rows[-1][f"{column}(C)"] or 0) if rows else 0

    def succeeds(self) -> Sipp:
        """Wait for its end and fail, with its log, unless every call went through the whole scenario."""
        code = self.process.wait(self._seconds + 10)
        if code != 0 or self.count("FailedCall"):
            raise AssertionError(f"{self.scenario} failed (exit {code}):\n{self._story()}")
        return self

    def never_called(self) -> Sipp:
        """End it and fail if any INVITE reached it.  (SIPp's own exit code does not tell in every case.)"""
        self.stop()
        assert not self.requests("INVITE"), f"{self.scenario} must not be called:\n{self._story()}"
        return self

    def stop(self) -> None:
        """End it, whatever it is doing."""
        self.process.end(signal.SIGTERM, patience=1.0)

    def _story(self) -> str:
        errors = self._errors.read_text(errors="replace") if self._errors.exists() else ""
        lines = [f"{'->' if m.sent else '<-'} {m.start_line}   ({m.get('CSeq')})" for m in self.messages]
        return "\n".join([errors.strip()[-1500:], *lines, self.process.output[-300:] if not lines else ""])
