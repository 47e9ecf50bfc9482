"""Recordings of calls (REQUIREMENTS X3, X4, G12, G13): why there is one or none, and what is kept of it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from router.model.decision import Reason


class Direction(StrEnum):
    """Which way a call went, as seen from the company."""

    INBOUND = "inbound"
    OUTBOUND = "outbound"
    INTERNAL = "internal"


class RecordingResult(StrEnum):
    """What became of an answered call that there are rules of recording for."""

    RECORDED = "recorded"
    REFUSED = "refused"  # by the rules
    NOT_WANTED = "not_wanted"  # it could have been recorded, and nobody asked for it
    DECLINED = "declined"  # one of the two did not want it, by key
    UNANNOUNCED = "unannounced"  # the announcement was not heard to its end by both
    FAILED = "failed"  # no sound of the router's own, disk full, engine died


class RecordingNote(NamedTuple):
    """What a call record says of recording.

    Args:
        result: a value of `RecordingResult`.
        because: why, in the order in which it was weighed.
        id: of the recording; "" where there is none.
        seconds: its length.
    """

    result: str
    because: tuple[Reason, ...]
    id: str = ""
    seconds: float = 0.0


class RecordingDraft(NamedTuple):
    """A recording that may come: nothing is heard of it until it is confirmed.

    Args:
        id: of the recording that it becomes; nobody guesses it.
        path: absolute path at which its sound will be. What is beside it under a temporary name of it is swept away by
            the next start.
        began_at: POSIX seconds on the policy's clock at which its sound begins.
    """

    id: str
    path: str
    began_at: float


class KeptRecording(NamedTuple):
    """A recording of a call.

    Args:
        id: nobody guesses it.
        call_id: as in the call record.
        began_at: POSIX seconds on the policy's clock at which its sound begins.
        seconds: its length, pauses included.
        caller: number of the caller, with "+" or as received; None when withheld. On the left channel.
        called: number or extension that was called. On the right channel.
        people: ids of our people in the call, on whose account it is recorded first.
        direction: see there.
        because: why it was recorded.
        legal_basis: the ground that was declared, or "".
        keep_until: POSIX seconds from which on it is deleted.
    """

    id: str
    call_id: str
    began_at: float
    seconds: float
    caller: str | None
    called: str
    people: tuple[str, ...]
    direction: Direction
    because: tuple[Reason, ...]
    legal_basis: str
    keep_until: float


class RecordedPart(NamedTuple):
    """A piece of a recording between two pauses.

    Args:
        temporary: a complete WAV file of two channels, synchronised to the disk.
        after: seconds from the beginning of the recording to that of this piece.
    """

    temporary: str
    after: float
