"""Wishes to be called back, which the router fulfils (REQUIREMENTS P3)."""

from __future__ import annotations

from typing import NamedTuple


class Callback(NamedTuple):
    """A caller who is to be called back.

    Args:
        id: nobody guesses it.
        person: id of whom the caller wanted.
        number: of the caller: E.164 with "+", or a number inside; caller_name: as presented, None without.
        taken_at: POSIX seconds on the policy's clock.
        message: id of the message in the person's mailbox that tells of the wish, too.
        not_before: POSIX seconds before which it is not tried again.
        person_tries, caller_tries: how often the person was called in vain, and the caller.
        dialled: the caller is being called. After a restart nobody knows how that ended.
    """

    id: str
    person: str
    number: str
    caller_name: str | None
    taken_at: float
    message: str
    not_before: float = 0.0
    person_tries: int = 0
    caller_tries: int = 0
    dialled: bool = False


class CallbackRules(NamedTuple):
    """What holds for all callbacks.

    Args:
        tries: how often either side is called in vain before the wish is left to the person; 0: the router calls nobody
            back by itself.
        every_seconds: between two tries.
        keep_seconds: for so long the router tries.
        max_waiting: for one person; further callers leave a message alone.
    """

    tries: int = 3
    every_seconds: float = 900.0
    keep_seconds: float = 7 * 86400.0
    max_waiting: int = 20
