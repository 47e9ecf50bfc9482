"""Sources that somebody else keeps, and that the router fetches again and again: lists of prefixes, calendars."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class GreylistFeed:
    """A list of prefixes (REQUIREMENTS X2).

    Args:
        name: how it is called in metrics, logs and reasons: never more of the URL than its host or file.
        url: "https:", "http:" or "file:"; may hold credentials, so it is shown nowhere.
        country: ISO 3166-1 alpha-2; whose way of writing numbers is understood.
        every: seconds between two looks; stale_after: seconds without one that succeeded until it is reported.
        sha256: what the list must agree with: 64 hexadecimal digits, or the URL of a file that begins with them.
        signature: URL of its Ed25519 signature (RFC 8032) in base64; signed_by: the public key, 32 bytes.
        inbound: its prefixes block callers as well (G9).
    """

    name: str
    url: str = field(repr=False)
    country: str
    every: float
    stale_after: float
    sha256: str = field(default="", repr=False)
    signature: str = field(default="", repr=False)
    signed_by: bytes = b""
    inbound: bool = False


@dataclass(frozen=True, slots=True)
class CalendarFeed:
    """A person's calendar (RFC 5545). `url`, `every` and `stale_after` are as in `GreylistFeed`."""

    person: str
    url: str = field(repr=False)
    every: float
    stale_after: float


@dataclass(frozen=True, slots=True)
class CalendarRules:
    """Which event of a calendar sets which profile.

    Args:
        words: (word in title or category, profile), in the order in which they are tried; words are lower case.
        otherwise: profile of all other events, private ones among them; "" for none.
        strength: of each profile that is named here; of two events at the same time the one with more of it counts.
    """

    words: tuple[tuple[str, str], ...] = ()
    otherwise: str = ""
    strength: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Feeds:
    """All sources of one configuration."""

    greylists: tuple[GreylistFeed, ...] = ()
    calendars: tuple[CalendarFeed, ...] = ()
    calendar_rules: CalendarRules = CalendarRules()
