"""What is not known of a configuration because it is faulty, so that one fault is not reported as several.

A faulty value is replaced by a stand-in and everything else is still checked; whoever looks something up, or misses
something, asks here whether an earlier fault explains it. A gap is only ever added together with an error.
"""

from __future__ import annotations

from collections.abc import Iterable

Location = tuple[str | int, ...]

UNKNOWN = "?"  # stands in for a word that is missing or wrong; refers to nothing


class Gaps:
    """Places of which nothing is known, and words that unreadable text may have defined."""

    def __init__(self) -> None:
        self._locations: set[Location] = set()
        self._words: set[str] = set()

    def add(self, *location: str | int) -> None:
        """Remember that what belongs at `location` is not known; without one: sections, and entries of any section."""
        self._locations.add(location)

    def add_words(self, words: Iterable[str]) -> None:
        """Remember keys that stand in unreadable text: each may name a section, or an entry of one."""
        self._words.update(words)

    def __contains__(self, location: Location) -> bool:
        """Say whether exactly this location is a gap."""
        return location in self._locations

    def covers(self, *location: str | int) -> bool:
        """Say whether `location` lies in a gap: what is missing there may have been written."""
        if any(location[:length] in self._locations for length in range(1, len(location) + 1)):
            return True
        # An entry stands in one file as a whole, so another one that cannot be read holds no part of it.
        return len(location) <= 2 and (() in self._locations or location[-1] in self._words)

    def excuse(self, name: str, *sections: str) -> bool:
        """Say whether `name`, found in none of these sections, may be defined in one of them all the same."""
        if not self._locations and not self._words:
            return False
        return name == UNKNOWN or any(self.covers(section, name) for section in sections)
