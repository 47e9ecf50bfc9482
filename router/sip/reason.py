"""Reason header (RFC 3326): why a request was sent, or why a call was refused."""

from __future__ import annotations

from router.sip.message import Message


def q850_cause(message: Message) -> int | None:
    """The Q.850 cause that a message gives, 1 to 127; None when it gives none that can be read."""
    if "reason" not in message:
        return None
    for line in message.lines("reason"):
        for value in line.split(","):
            protocol, *parameters = value.split(";")
            if protocol.strip().upper() != "Q.850":
                continue
            for parameter in parameters:
                name, _, cause = parameter.partition("=")
                cause = cause.strip()
                if name.strip().lower() == "cause" and cause.isascii() and cause.isdigit() and 0 < int(cause[:4]) < 128:
                    return int(cause)
    return None
