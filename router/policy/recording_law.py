"""What the law of a country asks of whoever records calls (REQUIREMENTS G13): dated data, each pack with its source.

It says what `renvoi check` looks for, and is no legal advice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final


@dataclass(frozen=True, slots=True)
class RecordingLaw:
    """A country's rules.

    Args:
        country: ISO 3166-1 alpha-2; "" for the pack that holds where none is named.
        valid_from: the rules have been in force, as they stand here, at least since this date.
        source: where they are laid down.
        systematic_needs_basis: recording every call needs a declared legal basis; recording some, for a stated purpose
            and on demand, does not need one of its own.
    """

    country: str
    valid_from: date
    source: str
    systematic_needs_basis: bool


ELSEWHERE: Final = RecordingLaw("", date(2018, 5, 25), "Regulation (EU) 2016/679 (GDPR), articles 5, 6 and 13", False)

PACKS: Final[dict[str, RecordingLaw]] = {
    pack.country: pack
    for pack in (
        RecordingLaw(
            "BE",
            date(2018, 5, 25),
            "Loi du 13 juin 2005 relative aux communications électroniques, articles 124 et 125; Code pénal; GDPR",
            False,
        ),
        RecordingLaw(
            "FR",
            date(2018, 5, 25),
            "CNIL, guidance on listening to and recording calls at work; Code pénal, article 226-1; GDPR",
            True,
        ),
    )
}


def recording_law(country: str) -> RecordingLaw:
    """Return the rules of a country (ISO 3166-1 alpha-2)."""
    return PACKS.get(country, ELSEWHERE)
