"""What came of the callers, by queue and hour."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from router.model.queue import SERVICE_LEVELS, Ended, HourCounts

HOUR: Final = 3600
KEPT_HOURS: Final = 8 * 24  # that memory keeps, so that a week compares with the one before; stores keep more


class Statistics:
    """Counts of each queue and hour. `changed` holds those that differ from what was taken last."""

    __slots__ = ("changed", "hours")

    def __init__(self) -> None:
        self.hours: dict[tuple[str, int], HourCounts] = {}
        self.changed: dict[tuple[str, int], None] = {}

    def restore(self, hours: Iterable[HourCounts]) -> None:
        self.hours.update(((counts.queue, counts.hour), counts) for counts in hours)

    def of(self, queue: str, now: float) -> HourCounts:
        """Return the counts of the hour of an instant; zeros where there are none."""
        hour = int(now // HOUR) * HOUR
        return self.hours.get((queue, hour)) or HourCounts(queue, hour)

    def entered(self, queue: str, now: float) -> None:
        counts = self.of(queue, now)
        self._put(counts._replace(entered=counts.entered + 1))

    def refused(self, queue: str, now: float) -> None:
        counts = self.of(queue, now)
        self._put(counts._replace(refused=counts.refused + 1))

    def wants_callback(self, queue: str, waited: float, now: float) -> None:
        counts = self.of(queue, now)
        self._put(counts._replace(callbacks=counts.callbacks + 1, longest=max(counts.longest, waited)))

    def answered(self, queue: str, waited: float, now: float) -> None:
        """Somebody who waited on the line was connected with an agent."""
        counts = self.of(queue, now)
        within = tuple(before + (waited <= level) for before, level in zip(counts.within, SERVICE_LEVELS, strict=True))
        self._put(
            counts._replace(
                answered=counts.answered + 1,
                within=within,
                waited=counts.waited + waited,
                longest=max(counts.longest, waited),
            )
        )

    def called_back(self, queue: str, now: float) -> None:
        """Somebody who wanted to be called back was connected with an agent."""
        counts = self.of(queue, now)
        self._put(counts._replace(called_back=counts.called_back + 1))

    def gave_up(self, queue: str, ended: Ended, waited: float, now: float) -> None:
        """Somebody who waited on the line was not connected: `ABANDONED`, `LEFT`, `OVERFLOWED`; others do not count."""
        counts = self.of(queue, now)
        longest = max(counts.longest, waited)
        if ended is Ended.ABANDONED:
            self._put(counts._replace(abandoned=counts.abandoned + 1, longest=longest))
        elif ended is Ended.LEFT:
            self._put(counts._replace(left=counts.left + 1, longest=longest))
        elif ended is Ended.OVERFLOWED:
            self._put(counts._replace(overflowed=counts.overflowed + 1, longest=longest))

    def forget(self, now: float) -> None:
        """Let go of what is older than memory keeps."""
        oldest = now - KEPT_HOURS * HOUR
        for key in [key for key in self.hours if key[1] < oldest and key not in self.changed]:
            del self.hours[key]

    def _put(self, counts: HourCounts) -> None:
        key = (counts.queue, counts.hour)
        self.hours[key] = counts
        self.changed[key] = None
