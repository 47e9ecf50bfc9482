"""Times as the API writes and reads them: ISO 8601, in the company's time zone."""

from __future__ import annotations

from datetime import datetime, tzinfo

from router.model.iso_time import read_moment
from router.web.problems import Problem


def written(moment: float | None, zone: tzinfo) -> str | None:
    """Write POSIX seconds with the offset of `zone`, to the second."""
    return None if moment is None else datetime.fromtimestamp(moment, zone).isoformat(timespec="seconds")


def read(text: str, zone: tzinfo, where: str) -> float:
    """Return POSIX seconds. Raises `Problem` (422) naming `where` for what is no time of ISO 8601."""
    try:
        return read_moment(text, zone)
    except ValueError as error:
        what = f"{text!r} is not a date and time of ISO 8601, such as 2026-11-24T15:30"
        raise Problem(422, what, [{"where": where, "what": what}]) from error
