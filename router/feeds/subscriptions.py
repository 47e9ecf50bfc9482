"""All sources of the configuration in force, and how they stand."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import chain

from router.feeds.calendars import Calendars, SetCalendar
from router.feeds.greylists import Greylists, Reading
from router.feeds.refresh import Standing
from router.feeds.source import open_session
from router.model.tally import Counts
from router.policy.prefixes import PrefixTable
from router.ports import Clock


class Subscriptions:
    """Fetches what the configuration names, and says how that goes. To be made in the running loop, and closed.

    Args:
        greylist_changed: told when a list has changed, to take `tables` over.
        set_calendar: is given what a person's calendar selects, whenever that changes.
        clock: the policy's.

    Attributes:
        failures: looks that failed, by (feed,).
    """

    def __init__(self, greylist_changed: Callable[[], None], set_calendar: SetCalendar, clock: Clock) -> None:
        self._session = open_session()
        self.failures = Counts()
        self.greylists = Greylists(greylist_changed, self.failures)
        self.calendars = Calendars(set_calendar, clock, self.failures)

    @property
    def tables(self) -> list[PrefixTable]:
        """The lists of prefixes to be in force."""
        return self.greylists.tables

    def follow(self, reading: Reading) -> None:
        """Take over the sources of a configuration; those that stay as they are go on undisturbed."""
        self.greylists.follow(reading, self._session)
        self.calendars.follow(reading.configuration, self._session)

    async def close(self) -> None:
        """Look at no source any more."""
        await self.greylists.close()
        await self.calendars.close()
        await self._session.close()

    # ----------------------------------------------------------------------------------------------- watching

    def age_seconds(self) -> Mapping[tuple[str], float]:
        """By feed: seconds since its last look that succeeded; of all calendars the longest."""
        ages: dict[tuple[str], float] = {}
        for standing in self._standings():
            ages[(standing.group,)] = max(standing.age, ages.get((standing.group,), 0.0))
        return ages

    def ok(self) -> Mapping[tuple[str], float]:
        """By feed: 0 if its last look failed, else 1; of all calendars if one of them did."""
        ok: dict[tuple[str], float] = {}
        for standing in self._standings():
            ok[(standing.group,)] = min(0.0 if standing.fault else 1.0, ok.get((standing.group,), 1.0))
        return ok

    def checks(self) -> dict[str, bool]:
        """By "feed NAME": whether it is not stale. Of calendars only the stale ones are named."""
        checks = {f"feed {standing.name}": not standing.stale for standing in self.greylists.standings.values()}
        for standing in self.calendars.standings.values():
            if standing.stale:
                checks[f"feed {standing.name}"] = False
        return checks

    def _standings(self) -> Iterator[Standing]:
        return chain(self.greylists.standings.values(), self.calendars.standings.values())
