"""Messages that callers leave in a mailbox (REQUIREMENTS V1, Q5)."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class MessageKind(StrEnum):
    """What the caller wants."""

    MESSAGE = "message"  # to be heard
    CALLBACK = "callback"  # to be called back (P3); such a wish may come without a sound


class MessageState(StrEnum):
    """What its owner did with it."""

    NEW = "new"
    HEARD = "heard"
    SAVED = "saved"


class MessageDraft(NamedTuple):
    """A message that may come: its place is kept, and nothing is heard of it until it is confirmed.

    Args:
        id: of the message that it becomes; nobody guesses it.
        mailbox: whose.
        path: absolute path at which its sound is to be when it is confirmed (`MediaSession.record`,
            `MediaEngine.keep`).
        max_seconds: how long it may be, so that it still fits into the mailbox.
    """

    id: str
    mailbox: str
    path: str
    max_seconds: float


class Message(NamedTuple):
    """A message that was confirmed.

    Args:
        id: nobody guesses it.
        mailbox: a person's id, or the name of a shared mailbox.
        caller: calling number with "+" or as received, None when withheld; caller_name: as presented, None without.
        received_at: POSIX seconds on the policy's clock at which the draft was begun.
        seconds: length of its sound; 0 without one.
        urgent: as the caller marked it.
        kind, state: see there.
        reason: why the caller got here, in words: "En réunion".
        has_sound: whether there is something to hear.
    """

    id: str
    mailbox: str
    caller: str | None
    caller_name: str | None
    received_at: float
    seconds: float
    urgent: bool
    kind: MessageKind
    state: MessageState
    reason: str
    has_sound: bool


class MessageCounts(NamedTuple):
    """How many messages a mailbox has, as RFC 3842 counts: `old` are those that were heard or saved; the urgent ones
    are counted among all, too."""

    new: int = 0
    old: int = 0
    urgent_new: int = 0
    urgent_old: int = 0
