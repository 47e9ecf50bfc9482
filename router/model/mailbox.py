"""Mailboxes, as the configuration says: whose they are, what fits into them, and who is told by e-mail."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Final

PIN_PREFIX: Final = "$PIN$"
# What one check costs: 16 MB and some 40 ms. A PIN has so few digits that nothing protects it for long from whoever
# reads the configuration; this makes a list of them expensive.
_COST: Final = 2**14


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox.

    Args:
        name: a person's id, or the name of a shared mailbox.
        title: what people call it: "Claire Dubois", "Service Commercial".
        person: whose own it is; None for a shared one.
        people: ids of those who may open it.
        language: in which its owner is written to, "fr" or "en".
        pin: digits, or what `stored_pin` makes of them; "" where it cannot be opened by phone without one's own device.
        email: addresses that hear of new messages.
    """

    name: str
    title: str
    person: str | None = None
    people: frozenset[str] = frozenset()
    language: str = "fr"
    pin: str = field(default="", repr=False)
    email: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class VoicemailRules:
    """What holds for every mailbox.

    Args:
        keep_days: after so many days a message is deleted, whether it was heard or not.
        max_messages: that a mailbox holds; max_total_seconds: how long they may be together.
        max_seconds, silence_seconds: length of one message, and the silence that ends it.
        shortest_seconds: of speech; less is a caller who thought better of it.
    """

    keep_days: float = 90.0
    max_messages: int = 100
    max_total_seconds: float = 3600.0
    max_seconds: float = 180.0
    silence_seconds: float = 5.0
    shortest_seconds: float = 1.0


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where e-mail is handed in (RFC 6409).

    Args:
        sender: address of the sender.
        host, port: of the server.
        security: "starttls", "tls" or "none".
        user, password: for AUTH; "" without.
        attach: whether the message's sound goes with the e-mail.
        certificates: PEM texts of the authorities that are trusted; "": those of the system.
    """

    sender: str
    host: str
    port: int = 587
    security: str = "starttls"
    user: str = ""
    password: str = field(default="", repr=False)
    attach: bool = True
    certificates: str = field(default="", repr=False)


def stored_pin(pin: str, salt: bytes) -> str:
    """Return what stands for a PIN in the configuration. It takes some 40 ms.

    Args:
        pin: its digits.
        salt: 8 octets of chance or more.
    """
    made = hashlib.scrypt(pin.encode(), salt=salt, n=_COST, r=8, p=1, dklen=32)
    return f"{PIN_PREFIX}{salt.hex()}:{made.hex()}"


def pin_fits(pin: str, stored: str) -> bool:
    """Say whether `pin` is the one of a mailbox whose `pin` is `stored`; "" fits nothing. It may take some 40 ms."""
    if not stored.startswith(PIN_PREFIX):
        return bool(stored) and hmac.compare_digest(pin.encode(), stored.encode())
    salt, _, _ = stored.removeprefix(PIN_PREFIX).partition(":")
    return hmac.compare_digest(stored_pin(pin, bytes.fromhex(salt)), stored)
