"""Dates and times as people write them: ISO 8601."""

from __future__ import annotations

from datetime import datetime, tzinfo


def read_moment(written: str, zone: tzinfo) -> float:
    """Return POSIX seconds for a date and time; without an offset it is one of `zone`.

    Raises:
        ValueError: it is none.
    """
    moment = datetime.fromisoformat(written)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
