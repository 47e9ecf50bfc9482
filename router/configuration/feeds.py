"""Compiles the sources that somebody else keeps: lists of prefixes (X2) and people's calendars (P2)."""

from __future__ import annotations

import re
from base64 import b64decode
from collections import Counter
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from router.configuration.findings import Mark, closest
from router.configuration.operation import GreylistSource
from router.configuration.schema import Document
from router.configuration.sources import Sources
from router.model.feeds import CalendarFeed, CalendarRules, Feeds, GreylistFeed
from router.policy.snapshot import ProfileKind

SHORTEST_INTERVAL: Final = 10.0  # seconds; whoever keeps a source does not want to be asked more often
_DIGEST: Final = re.compile(r"[0-9a-fA-F]{64}")
_HOW_TO_WRITE: Final = 'write "https://lists.example/fraud.txt", or the path of a file'
_STRENGTH: Final = {ProfileKind.ABSENT: 3, ProfileKind.BUSY_OTHER: 2, ProfileKind.AVAILABLE: 1}


def compile_feeds(document: Document, sources: Sources) -> Feeds:
    """Return the sources that are to be fetched; what cannot be fetched, or not be trusted, is a finding."""
    compiler = _Compiler(document, sources)
    return Feeds(compiler.greylists(), compiler.calendars(), compiler.calendar_rules())


class _Compiler:
    def __init__(self, document: Document, sources: Sources) -> None:
        self._document = document
        self._sources = sources

    def greylists(self) -> tuple[GreylistFeed, ...]:
        feeds: list[GreylistFeed] = []
        names: Counter[str] = Counter()
        for index, section in enumerate(self._document.greylist.sources):
            url = self._url(section.url, "greylist", "sources", index, "url")
            if url is None:
                continue
            name = f"greylist {_shown(url)}"
            names[name] += 1
            sha256 = self._sha256(section, index, url)
            signature, signed_by = self._signature(section, index)
            feeds.append(
                GreylistFeed(
                    name=name if names[name] == 1 else f"{name} {names[name]}",
                    url=url,
                    country=self._document.company.country,
                    every=self._interval(section.every, "greylist", "sources", index),
                    stale_after=section.stale_after,
                    sha256=sha256,
                    signature=signature,
                    signed_by=signed_by,
                    inbound=section.inbound,
                )
            )
        return tuple(feeds)

    def calendars(self) -> tuple[CalendarFeed, ...]:
        section = self._document.calendar_feed
        feeds = []
        for name, person in self._document.people.items():
            if person.calendar is None or person.left is not None:
                continue
            url = self._url(person.calendar, "people", name, "calendar")
            if url is not None:
                every = self._interval(section.every, "calendar_feed")
                feeds.append(CalendarFeed(name, url, every, section.stale_after))
        usual = any(profile.from_calendar for profile in self._document.profiles.values())
        gaps = self._sources.gaps
        if feeds and not section.profiles and not usual and not gaps.covers("profiles"):
            mark = self._sources.mark("people", feeds[0].person, "calendar")
            advice = "write from_calendar: true at one, or calendar_feed: {profiles: …}"
            self._error(mark, "no profile is set by calendars", advice, "P2")
        return tuple(feeds)

    def calendar_rules(self) -> CalendarRules:
        profiles = self._document.profiles
        kinds = {kind.value: kind for kind in ProfileKind}
        kinds.update((name, ProfileKind(profile.kind)) for name, profile in profiles.items())
        usual = [name for name, profile in profiles.items() if profile.from_calendar]
        for name in usual[1:]:
            mark = self._sources.mark("profiles", name, "from_calendar")
            self._error(mark, f"{usual[0]} is the one that calendars set", "name the others in calendar_feed:", "P2")
        words = []
        otherwise = usual[0] if usual else ""
        for word, profile in self._document.calendar_feed.profiles.items():
            if profile not in kinds:
                if not self._sources.gaps.excuse(profile, "profiles"):
                    mark = self._sources.mark("calendar_feed", "profiles", word)
                    self._error(mark, f"there is no profile {profile!r}", closest(profile, kinds), "P2")
            elif word:
                words.append((word.casefold(), profile))
            else:
                otherwise = profile
        named = sorted({otherwise, *(profile for _, profile in words)} - {""})
        return CalendarRules(tuple(words), otherwise, tuple((name, _STRENGTH[kinds[name]]) for name in named))

    def _url(self, written: str, *location: str | int) -> str | None:
        """Return the URL of a source; None, with a finding, where nothing can be fetched from it."""
        mark = self._sources.mark(*location)
        try:
            parts = urlsplit(written)
            parts.port  # noqa: B018  (raises ValueError)
        except ValueError:
            self._error(mark, "this is no URL", _HOW_TO_WRITE)
            return None
        if parts.scheme in ("https", "http"):
            if not parts.hostname:
                self._error(mark, "this URL names no host", _HOW_TO_WRITE)
                return None
            return written
        if parts.scheme == "file":
            return written
        if parts.scheme:
            self._error(mark, f"nothing can be fetched by {parts.scheme!r}", _HOW_TO_WRITE)
            return None
        return (self._sources.directory / written).absolute().as_uri()

    def _sha256(self, section: GreylistSource, index: int, url: str) -> str:
        if section.sha256 is None:
            if section.signature is None and url.startswith("http"):
                mark = self._sources.mark("greylist", "sources", index)
                message = "a list from the network is signed or checksummed, and this one is neither"
                self._error(mark, message, "add sha256: or signature: with signed_by:", "X2")
            return ""
        if _DIGEST.fullmatch(section.sha256):
            return section.sha256.lower()
        if ":" not in section.sha256 and "/" not in section.sha256 and "." not in section.sha256:
            mark = self._sources.mark("greylist", "sources", index, "sha256")
            self._error(mark, "a SHA-256 has 64 hexadecimal digits", "or write the URL of a file that holds it", "X2")
            return ""
        return self._url(section.sha256, "greylist", "sources", index, "sha256") or ""

    def _signature(self, section: GreylistSource, index: int) -> tuple[str, bytes]:
        if (section.signature is None) != (section.signed_by is None):
            mark = self._sources.mark("greylist", "sources", index)
            self._error(mark, "signature and signed_by belong together", "write both, or neither", "X2")
        if section.signature is None or section.signed_by is None:
            return "", b""
        try:
            key = b64decode(section.signed_by, validate=True)
        except ValueError:
            key = b""
        if len(key) != 32:
            mark = self._sources.mark("greylist", "sources", index, "signed_by")
            self._error(mark, "this is no Ed25519 key", "write its 32 bytes in base64: 44 characters", "X2")
        return self._url(section.signature, "greylist", "sources", index, "signature") or "", key

    def _interval(self, every: float, *location: str | int) -> float:
        if every < SHORTEST_INTERVAL:
            mark = self._sources.mark(*location, "every")
            self._error(
                mark, f"a source is not fetched more often than every {SHORTEST_INTERVAL:g} s", "write every: 5min"
            )
        return every

    def _error(self, mark: Mark, message: str, suggestion: str = "", clause: str = "") -> None:
        if not any((known.mark, known.message) == (mark, message) for known in self._sources.findings):
            self._sources.error(mark, message, suggestion, clause)


def _shown(url: str) -> str:
    """What may be told of a URL: the host, or the name of the file. A path or query may be a secret in itself."""
    parts = urlsplit(url)
    return parts.hostname or Path(parts.path).name
