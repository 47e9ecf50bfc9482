"""What a calendar (RFC 5545) says about a person's profile. Runs aside: a recurrence rule can be made to never end.

Of an event we keep when it is, how it recurs, and the words by which a profile is chosen; of a private one not even
those. Descriptions, places and guests are kept nowhere.
"""

from __future__ import annotations

import hashlib
import signal
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date, datetime, timedelta, tzinfo
from itertools import pairwise
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from router.feeds.copies import keep_copy, read_copy
from router.feeds.source import Version
from router.model.decision import SelectedBy, Selection
from router.model.feeds import CalendarRules

if TYPE_CHECKING:  # they take 0.3 s and 20 MB, which only the child has to spend
    from icalendar import Calendar, Component

DAYS_AHEAD: Final = 14
READ_SECONDS: Final = 5.0  # for one calendar; beyond it somebody means harm, or has made a mistake
MOST_SELECTIONS: Final = 500  # of one person in `DAYS_AHEAD`
_KEPT: Final = (
    "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE",
    "STATUS", "TRANSP", "CLASS",
)  # fmt: skip
_WORDS: Final = ("SUMMARY", "CATEGORIES")
_PRIVATE: Final = frozenset({"PRIVATE", "CONFIDENTIAL"})


class CalendarText(NamedTuple):
    """A person's calendar to be read: what was fetched, or, without `chunks`, the copy at `path`."""

    person: str
    path: Path
    chunks: tuple[bytes, ...] | None = None
    version: Version = Version()
    fetched_at: float = 0.0


class _TooLongError(BaseException):
    """Not an `Exception`: whoever catches those in a library must not catch this one."""


def read_calendars(
    texts: Iterable[CalendarText], rules: CalendarRules, zone: tzinfo, now: float
) -> dict[str, tuple[Selection, ...] | str]:
    """Read calendars for the next `DAYS_AHEAD` days; what was fetched and can be read becomes the last good copy.

    Args:
        zone: of the company; for whole days, and for times without a zone.
        now: POSIX seconds on the policy's clock.

    Returns:
        By person: the selections, one after the other; or, as a text without anything of the calendar in it, why it
        cannot be read. A person whose copy is missing is left out.
    """
    found: dict[str, tuple[Selection, ...] | str] = {}
    for text in texts:
        data = _data(text)
        if data is None:
            continue
        try:
            with _time_limit(READ_SECONDS):
                calendar = _reduced(data)
                selections = _selections(calendar, text.person, rules, zone, now)
        except _TooLongError:
            found[text.person] = f"it takes more than {READ_SECONDS:g} seconds to read"
        except Exception as error:  # libraries raise what they like; and quote what they read
            found[text.person] = f"it cannot be read as a calendar ({type(error).__name__})"
        else:
            if len(selections) > MOST_SELECTIONS:
                found[text.person] = f"it has more than {MOST_SELECTIONS} different stretches in {DAYS_AHEAD} days"
                continue
            if text.chunks is not None:
                keep_copy(text.path, calendar.to_ical(), text.version, text.fetched_at)
            found[text.person] = selections
    return found


def _data(text: CalendarText) -> bytes | None:
    if text.chunks is not None:
        return b"".join(text.chunks)
    copy = read_copy(text.path)
    return None if copy is None else copy.data


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    def expired(_number: int, _frame: FrameType | None) -> None:
        raise _TooLongError

    signal.signal(signal.SIGALRM, expired)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def _reduced(data: bytes) -> Calendar:
    """Parse a calendar and drop everything that is not needed. Raises whatever the parser does."""
    from icalendar import Calendar, Event

    given = Calendar.from_ical(data)
    if given.name != "VCALENDAR":
        raise ValueError(given.name)
    calendar = Calendar()
    calendar.add("prodid", "-//Renvoi//")
    calendar.add("version", "2.0")
    for part in given.subcomponents:
        if part.name == "VTIMEZONE":
            calendar.add_component(part)
        elif part.name == "VEVENT":
            event = Event()
            event.add("uid", hashlib.sha256(str(part.get("UID", "")).encode()).hexdigest()[:32])
            for name in _KEPT if _is_private(part) else (*_KEPT, *_WORDS):
                if name in part:
                    event[name] = part[name]
            calendar.add_component(event)
    return calendar


def _is_private(event: Component) -> bool:
    return str(event.get("CLASS", "")).upper() in _PRIVATE


class _Stretch(NamedTuple):
    since: float
    until: float
    profile: str


def _selections(
    calendar: Calendar, person: str, rules: CalendarRules, zone: tzinfo, now: float
) -> tuple[Selection, ...]:
    import recurring_ical_events  # type: ignore[import-untyped]

    begin = datetime.fromtimestamp(now, zone)
    occurrences = recurring_ical_events.of(calendar).between(begin, begin + timedelta(days=DAYS_AHEAD))
    stretches = []
    for event in occurrences:
        if str(event.get("STATUS", "")).upper() == "CANCELLED" or str(event.get("TRANSP", "")).upper() == "TRANSPARENT":
            continue
        profile = _profile(event, rules)
        since, until = _moment(event.start, zone), _moment(event.end, zone)
        if profile and until > max(since, now):
            stretches.append(_Stretch(since, until, profile))
    strength = dict(rules.strength)
    return tuple(
        Selection(person, stretch.profile, SelectedBy.CALENDAR, stretch.since, stretch.until, actor="calendar")
        for stretch in _side_by_side(stretches, strength)
    )


def _profile(event: Component, rules: CalendarRules) -> str:
    """The profile that an event sets; "" for none."""
    if not _is_private(event):
        said = _said(event)
        for word, profile in rules.words:
            if f" {_plain(word)} " in said:
                return profile
    return rules.otherwise


def _said(event: Component) -> str:
    """Title and categories of an event, one space around each word."""
    categories: Any = event.get("CATEGORIES", ())
    said = [str(event.get("SUMMARY", ""))]
    for entry in categories if isinstance(categories, list) else [categories]:
        said.extend(map(str, getattr(entry, "cats", ())))
    return f" {_plain(' '.join(said))} "


def _plain(text: str) -> str:
    """Write a text as lower-case words, without what stands between them."""
    letters = (character if character.isalnum() else " " for character in text.casefold())
    return " ".join("".join(letters).split())


def _moment(value: date, zone: tzinfo) -> float:
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    return (value if value.tzinfo is not None else value.replace(tzinfo=zone)).timestamp()


def _side_by_side(stretches: list[_Stretch], strength: Mapping[str, int]) -> list[_Stretch]:
    """Lay overlapping stretches side by side: of two at the same time the stronger profile counts, and stretches of one
    profile that touch are one."""

    def rank(stretch: _Stretch) -> tuple[int, float]:
        return strength[stretch.profile], stretch.since

    edges = sorted({edge for stretch in stretches for edge in (stretch.since, stretch.until)})
    starting = sorted(stretches)
    current: list[_Stretch] = []
    laid: list[_Stretch] = []
    for since, until in pairwise(edges):
        while starting and starting[0].since <= since:
            current.append(starting.pop(0))
        current = [stretch for stretch in current if stretch.until > since]
        if not current:
            continue
        profile = max(current, key=rank).profile
        if laid and laid[-1].until == since and laid[-1].profile == profile:
            laid[-1] = laid[-1]._replace(until=until)
        else:
            laid.append(_Stretch(since, until, profile))
    return laid
