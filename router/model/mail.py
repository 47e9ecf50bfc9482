"""E-mails about messages: what waits to be sent, what is written, and how that went."""

from __future__ import annotations

from typing import NamedTuple

from router.model.message import Message


class QueuedMail(NamedTuple):
    """An e-mail that waits.

    Args:
        id: of the entry in the queue.
        message: what it tells of.
        recipient: an e-mail address.
        attempts: how often it was tried.
    """

    id: int
    message: Message
    recipient: str
    attempts: int


class Letter(NamedTuple):
    """All that an e-mail is written from.

    Args:
        recipient: an e-mail address.
        language: "fr" or "en".
        company: name of the company; mailbox: what people call the mailbox.
        message: what it tells of.
        zone: IANA name of the time zone in which times are meant.
        sound: path of the WAV file that goes with it, or "".
    """

    recipient: str
    language: str
    company: str
    mailbox: str
    message: Message
    zone: str
    sound: str


class Posted(NamedTuple):
    """What became of a letter.

    Args:
        fault: why it was not taken; "" when it was.
        final: whether trying again is of no use.
    """

    fault: str = ""
    final: bool = False
