"""The record of a finished call: what was asked, what was decided and why, who was tried, how it ended."""

from __future__ import annotations

from typing import NamedTuple

from router.model.decision import Attempt, Reason, Weighed
from router.model.recording import RecordingNote


class LegRecord(NamedTuple):
    """One attempt to reach somebody.

    Args:
        peer: trunk, PBX or account that was tried.
        target: number or SIP address that was called.
        status: final SIP status of the attempt; 200 for the leg that answered, 0 where none came.
        cause: Q.850 cause of its end, from a Reason header (RFC 3326), or None.
        reason: why it ended, in words; "" where there is nothing to add to the status.
        started_after: seconds from the start of the call to this attempt.
        rang_after: seconds from the start of the call to its first 18x, or None.
        ended_after: seconds from the start of the call to its end.
    """

    peer: str
    target: str
    status: int
    cause: int | None
    reason: str
    started_after: float
    rang_after: float | None
    ended_after: float


class Quality(NamedTuple):
    """What passed between the router and one party of a call, in RTP packets, as last counted: within the last second.

    Args:
        side: "caller" or "callee".
        codec: "PCMA", "PCMU", "G722".
        sent, received: to that party, and from it.
        lost: that should have come from it and did not, by their sequence numbers (RFC 3550 §6.4.1).
        jitter: of what came from it, in seconds (RFC 3550 §6.4.1).
    """

    side: str
    codec: str
    sent: int
    received: int
    lost: int
    jitter: float


class QueueMoment(NamedTuple):
    """Something that happened to a caller in a queue.

    Args:
        after: seconds from the start of the call.
        what: "entered", "position", "rings", "refused" (an agent did not answer), "answered", "failed" (the two could
            not be connected), "notice", "left" or "callback".
        detail: name of the queue, the position, id of the agent, or how it ended (an `Outcome`).
    """

    after: float
    what: str
    detail: str


class CallRecord(NamedTuple):
    """A finished call. Durations are monotonic: a clock that is set during the call does not bend them.

    Args:
        call_id: Call-ID of the caller's leg.
        started: POSIX time at which its INVITE came.
        answered_after: seconds from there to the answer, or None for a call that nobody answered.
        ended_after: seconds from there to the end.
        origin: `Origin` of the caller.
        peer: trunk, PBX or account that the call came from.
        caller: calling number as received, or None when withheld.
        dialled: what was dialled, as received.
        owner: the person whose rules decided, or None.
        profile: the profile in force for that person, or None.
        action: `Action` of the last decision.
        target: target of the last decision, as a text; None where there is none.
        shown_number: number that the callee saw, or None.
        because: reasons of the last decision.
        legs: who was tried, oldest first.
        status: final SIP status that the caller got.
        cause: Q.850 cause with which the call ended, or None.
        ended_by: "caller", "callee" or "router".
        caller_person, connection, caller_name, withhold: who called, as `Facts` says it.
        rejected: alternatives that the last decision weighed and did not apply.
        weighed: people's states on which the decisions rest, as the first decision that asked for each found them.
        attempts: who was tried without an answer, oldest first. With `weighed` and the facts above the call can be
            decided again (`renvoi replay`).
        configuration: SHA-256 of the configuration that decided, hexadecimal.
        quality: of each party's sound, where it passed through the router.
        recordings: what became of the recording of those who talked, where there are rules about that.
        chosen: what the caller chose in menus, see `Facts`.
        queue: what happened while the caller waited, oldest first.
    """

    call_id: str
    started: float
    answered_after: float | None
    ended_after: float
    origin: str
    peer: str
    caller: str | None
    dialled: str
    owner: str | None
    profile: str | None
    action: str
    target: str | None
    shown_number: str | None
    because: tuple[Reason, ...]
    legs: tuple[LegRecord, ...]
    status: int
    cause: int | None
    ended_by: str
    caller_person: str | None = None
    connection: str | None = None
    caller_name: str | None = None
    withhold: bool = False
    rejected: tuple[Reason, ...] = ()
    weighed: tuple[Weighed, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    configuration: str = ""
    quality: tuple[Quality, ...] = ()
    recordings: tuple[RecordingNote, ...] = ()
    chosen: tuple[str, ...] = ()
    queue: tuple[QueueMoment, ...] = ()
