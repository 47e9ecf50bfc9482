"""Which calls are recorded, compiled (REQUIREMENTS X3, G13)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router.model.decision import Reason
from router.model.recording import Direction
from router.policy.schedule import Window


@dataclass(frozen=True, slots=True)
class RecordingRules:
    """The rules of recording; see `policy.recording`, which applies them.

    Args:
        licensed: why a person's calls are recorded, by their id: whoever is not in here is not recorded.
        every_call: they are recorded without being asked for; else when one of those people presses `key`.
        directions: of calls that may be recorded.
        hours: outside of which no recording begins; () at any hour. `open`, `closed`: why, or why not.
        stops_at_closing: what is being recorded ends with the hours; else with the call (G12).
        announcement: what both sides hear before, by language ("" for all): words, the id of a prompt, or the absolute
            path of a WAV file.
        key: what one of those people presses to record, to pause, and to go on: "*1"; "" for nothing.
        decline: the key by which either side declines while the announcement is heard; "" for none.
        keep_seconds: after so many a recording is deleted.
        legal_basis: the ground that is declared, or "".
        unlawful: why nothing may be recorded whatever else holds (G13), or None.
        nobody, other_direction: why a call is not recorded.
    """

    licensed: Mapping[str, Reason]
    every_call: bool
    directions: frozenset[Direction]
    hours: tuple[Window, ...]
    open: Reason | None
    closed: Reason
    stops_at_closing: bool
    announcement: Mapping[str, str]
    key: str
    decline: str
    keep_seconds: float
    legal_basis: str
    unlawful: Reason | None
    nobody: Reason
    other_direction: Reason
