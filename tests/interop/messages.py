"""SIP messages as the peers' logs show them.

Deliberately not the router's own parser: what judges the router must not share its mistakes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

COMPACT = {
    "v": "via", "f": "from", "t": "to", "i": "call-id", "m": "contact", "l": "content-length", "c": "content-type",
    "s": "subject", "k": "supported", "r": "refer-to", "b": "referred-by", "o": "event", "u": "allow-events",
    "e": "content-encoding", "x": "session-expires",
}  # fmt: skip

# SIPp writes "UDP message sent (277 bytes):" and "TCP message received [307] bytes :", an empty line, then the bytes.
_LOG_ENTRY = re.compile(rb"^(?:UDP|TCP) message (sent|received) [(\[](\d+)[\])]? ?bytes\)? ?:\r?\n\r?\n", re.MULTILINE)


@dataclass(frozen=True)
class Message:
    """One SIP message. Names of header fields are looked up without regard to case and compact form."""

    sent: bool  # by the peer whose log this is
    start_line: str
    fields: tuple[tuple[str, str], ...]
    body: str

    @classmethod
    def parse(cls, text: str, *, sent: bool = False) -> Message:
        head, _, body = text.replace("\r\n", "\n").partition("\n\n")
        start_line, *lines = head.split("\n")
        fields: list[tuple[str, str]] = []
        for line in lines:
            if line[:1] in " \t" and fields:
                fields[-1] = (fields[-1][0], f"{fields[-1][1]} {line.strip()}")
            else:
                name, _, value = line.partition(":")
                fields.append((name.strip(), value.strip()))
        return cls(sent, start_line, tuple(fields), body)

    @property
    def is_request(self) -> bool:
        return not self.start_line.startswith("SIP/2.0 ")

    @property
    def method(self) -> str:
        """Method of the request, or of the request that this response answers."""
        return self.start_line.split(" ")[0] if self.is_request else self["CSeq"].split()[1]

    @property
    def status(self) -> int:
        """Status code, 0 for a request."""
        return 0 if self.is_request else int(self.start_line.split(" ")[1])

    @property
    def request_uri(self) -> str:
        return self.start_line.split(" ")[1] if self.is_request else ""

    def all(self, name: str) -> list[str]:
        """Every value of a header field, in order, one for each line."""
        wanted = COMPACT.get(name.lower(), name.lower())
        return [value for field, value in self.fields if COMPACT.get(field.lower(), field.lower()) == wanted]

    def get(self, name: str) -> str | None:
        """First value of a header field, or None."""
        values = self.all(name)
        return values[0] if values else None

    def __getitem__(self, name: str) -> str:
        """First value of a header field; raises `KeyError` with the message when there is none."""
        value = self.get(name)
        if value is None:
            raise KeyError(f"no {name} in\n{self}")
        return value

    def user(self, name: str) -> str:
        """User part of the first sip: or tel: URI in a header field."""
        match = re.search(r"(?:sips?|tel):([^@;>\s]+)", self[name])
        assert match, f"no URI in {name}: {self[name]}"
        return match.group(1)

    def tag(self, name: str) -> str | None:
        """Tag of From or To."""
        match = re.search(r";\s*tag=([^;>\s]+)", self[name])
        return match.group(1) if match else None

    def __contains__(self, text: object) -> bool:
        return str(text) in str(self)

    def __str__(self) -> str:
        return "\n".join([self.start_line, *(f"{name}: {value}" for name, value in self.fields), "", self.body])


def read_sipp_log(path: Path) -> list[Message]:
    """The messages in a SIPp message log, in order; empty when there is no log yet."""
    if not path.exists():
        return []
    log = path.read_bytes()
    messages = []
    for entry in _LOG_ENTRY.finditer(log):
        raw = log[entry.end() : entry.end() + int(entry.group(2))]
        if raw.strip():
            messages.append(Message.parse(raw.decode(errors="replace"), sent=entry.group(1) == b"sent"))
    return messages
