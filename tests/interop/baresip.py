"""Headless baresip (1.0.0) phones: real SIP and RTP, spoken to over baresip's control socket."""

from __future__ import annotations

import json
import signal
import socket
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .processes import Process, eventually

MODULES = ("g711", "aufile", "sndfile")
# How a phone can protect its sound: what its account says, and the modules that do it.
PROTECTIONS = {
    "": ("", ()),
    "sdes": (";mediaenc=srtp-mand", ("srtp",)),
    "dtls": (";mediaenc=dtls_srtp;medianat=ice", ("srtp", "dtls_srtp", "ice")),
}
APPLICATIONS = ("account", "menu", "debug_cmd", "ctrl_tcp")


@dataclass
class Phone:
    """One phone with one account.  `speaks` is the WAV that its microphone plays, `protects` one of `PROTECTIONS`."""

    account: str
    folder: Path
    sip_port: int
    control_port: int
    media_port: int
    speaks: Path
    registrar: str | None = None  # "host:port", or None for a phone that registers nowhere
    password: str = ""
    transport: str = "udp"
    answers: bool = False
    protects: str = ""
    host: str = "127.0.0.1"
    events: list[dict[str, Any]] = field(default_factory=list)

    def start(self) -> Phone:
        """Start baresip and connect to its control socket."""
        recordings = self.folder / "recordings"
        recordings.mkdir(parents=True, exist_ok=True)
        (self.folder / "contacts").touch()
        mode = "auto" if self.answers else "manual"
        # baresip 1.0.0 sends a SUBSCRIBE of its own back to a server that sends it one: message waiting stays off.
        protection, modules = PROTECTIONS[self.protects]
        common = f";answermode={mode};audio_codecs=PCMU,PCMA;ptime=20;mwi=no{protection}"
        if self.registrar is None:
            line = f"<sip:{self.account}@{self.host}:{self.sip_port};transport={self.transport}>;regint=0{common}"
        else:
            server = f"{self.registrar};transport={self.transport}"
            line = f'"{self.account}" <sip:{self.account}@{server}>;auth_user={self.account};auth_pass={self.password}'
            line += f';regint=60{common};outbound="sip:{server}"'
        (self.folder / "accounts").write_text(line + "\n")
        settings = {
            "poll_method": "epoll",
            "sip_listen": f"{self.host}:{self.sip_port}",
            "call_local_timeout": "120",
            "call_max_calls": "8",
            "audio_path": "/usr/share/baresip",
            "audio_player": f"aufile,{recordings}/play.wav",
            "audio_source": f"aufile,{self.speaks}",
            "audio_alert": f"aufile,{recordings}/alert.wav",
            "audio_level": "no",
            "ausrc_format": "s16",
            "auplay_format": "s16",
            "auenc_format": "s16",
            "audec_format": "s16",
            "audio_buffer": "20-160",
            "rtp_ports": f"{self.media_port}-{self.media_port + 18}",
            "rtcp_mux": "yes" if self.protects == "dtls" else "no",
            "jitter_buffer_delay": "1-4",
            "rtp_timeout": "0",
            "net_interface": self.host,
            "module_path": "/usr/lib/baresip/modules",
            "ctrl_tcp_listen": f"{self.host}:{self.control_port}",
            "snd_path": str(recordings),
        }
        lines = [f"{name}\t{value}" for name, value in settings.items()]
        lines += [f"module\t{name}.so" for name in (*MODULES, *modules)]
        lines += ["module_tmp\tuuid.so", *(f"module_app\t{name}.so" for name in APPLICATIONS)]
        (self.folder / "config").write_text("\n".join(lines) + "\n")
        self.process = Process(f"baresip-{self.account}", ["baresip", "-4", "-f", self.folder], self.folder)
        self._buffer = b""
        self._control = eventually(f"baresip {self.account} opens its control socket", self._connect)
        return self

    def _connect(self) -> socket.socket | None:
        assert self.process.running, f"baresip ended:\n{self.process.output}"
        try:
            connection = socket.create_connection((self.host, self.control_port), timeout=1)
        except OSError:
            return None
        connection.setblocking(False)
        return connection

    def command(self, name: str, parameters: str = "") -> str:
        """Run a command such as "dial", "accept" or "hangup"; returns what baresip says, raises when it refuses."""
        request = {"command": name, "params": parameters, "token": f"{name}-{time.monotonic_ns()}"}
        frame = json.dumps(request).encode()
        self._control.sendall(b"%d:%s," % (len(frame), frame))
        answer = eventually(f"baresip {self.account} answers {name}", lambda: self._answer(request["token"]))
        assert answer["ok"], f"{name} {parameters}: {answer}"
        return str(answer["data"])

    def _answer(self, token: str) -> dict[str, Any] | None:
        self._read()
        return next((event for event in self.events if event.get("token") == token), None)

    def happened(self, event: str) -> bool:
        """Whether an event such as "CALL_ESTABLISHED", "CALL_CLOSED" was reported."""
        self._read()
        return any(seen.get("type") == event for seen in self.events)

    def is_registered(self) -> Phone:
        """Wait until its REGISTER was answered 200."""
        # Asked for, not awaited as an event: it may have happened before we were connected.
        eventually(f"{self.account} is registered", lambda: "scode:  200" in self.command("uastat"))
        return self

    def waits_for(self, event: str, seconds: float = 10.0) -> Phone:
        """Wait until `event` was reported."""
        eventually(
            f"{event} at {self.account}; events {[seen.get('type') for seen in self.events]}",
            lambda: self.happened(event),
            seconds,
        )
        return self

    def forgets(self) -> Phone:
        """Forget the events so far, before the next act of a test."""
        self._read()
        self.events.clear()
        return self

    def heard(self) -> list[Path]:
        """Recordings of what this phone decoded, oldest first, one for each call (and each change of its media)."""
        return sorted((self.folder / "recordings").glob("dump-*-dec.wav"), key=lambda path: path.stat().st_mtime)

    def _read(self) -> None:
        while True:
            try:
                data = self._control.recv(65536)
            except BlockingIOError:
                break
            if not data:
                break
            self._buffer += data
        while b":" in self._buffer:
            length, _, rest = self._buffer.partition(b":")
            if len(rest) <= int(length):
                break
            self.events.append(json.loads(rest[: int(length)]))
            self._buffer = rest[int(length) + 1 :]

    def end(self) -> None:
        """Hang up, unregister and end the process."""
        self._control.close()
        self.process.end(signal.SIGTERM, patience=3.0)
