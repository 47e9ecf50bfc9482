"""Relays calls by rtpengine: for phones behind NAT, SRTP, browsers, and more calls than our own engine can take."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import suppress

from router.media.rtpengine_call import RtpengineCall
from router.media.rtpengine_control import Control
from router.media.rtpengine_station import Station, StationChanged
from router.media.rtpengine_wishes import Interfaces
from router.model.sound import RtpengineSettings
from router.model.tally import Counts
from router.ports import RelayLost


class Rtpengines:
    """All rtpengines of a router (`ports.MediaRelay`). A call goes to the one that has least to do.

    Args:
        changed: called when one begins to answer, or ceases to: its name, whether it answers, and what is wrong.
    Attributes:
        commands: what was said to them, by name, command and result ("ok", "refused", "unanswered").
        lost: calls whose sound was lost, by why ("engine", "silence").
    """

    def __init__(self, changed: StationChanged) -> None:
        self.commands = Counts()
        self.lost = Counts()
        self._interfaces: Interfaces = ()
        self._changed = changed
        self._series = secrets.token_hex(4)  # an rtpengine may serve several routers
        self._stations: dict[tuple[str, int], Station] = {}
        self._watching: dict[Station, asyncio.Task[None]] = {}

    async def follow(self, settings: RtpengineSettings) -> None:
        """Relay calls by these from now on; there are none before. Returns when all have answered, or do not within two
        seconds; they are asked again and again. Calls of one that is no more among them stay with it."""
        self._interfaces = settings.interfaces
        for address in self._stations.keys() - set(settings.addresses):
            del self._stations[address]
        made = {
            address: Station(Control(*address), self._changed, self.commands, self.lost)
            for address in settings.addresses
            if address not in self._stations
        }
        self._stations.update(made)
        await self.check()
        for station in made.values():
            self._watching[station] = asyncio.create_task(self._watch(station))

    async def check(self) -> None:
        """Look at the health of each now; otherwise that is done every two seconds."""
        await asyncio.gather(*(station.check() for station in self._stations.values()))

    async def stop(self) -> None:
        """End looking after them. Calls are over already."""
        watching, self._watching = self._watching, {}
        for station, task in watching.items():
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
            station.control.close()

    async def _watch(self, station: Station) -> None:
        await station.watch(lambda: station in self._stations.values() or bool(station.calls))
        station.control.close()
        self._watching.pop(station, None)

    @property
    def ready(self) -> bool:
        return any(station.up for station in self._stations.values())

    @property
    def up(self) -> dict[tuple[str], float]:
        """Which of them answers (1) and which does not (0), by name."""
        return {(station.name,): float(station.up) for station in self._stations.values()}

    @property
    def calls(self) -> dict[tuple[str], int]:
        """How many calls each of them relays for us, by name."""
        return {(station.name,): len(station.calls) for station in self._stations.values()}

    def open(self, call_id: str, lost: RelayLost) -> RtpengineCall:
        return RtpengineCall(f"{self._series}-{call_id}", self._idlest, self._interfaces, lost)

    def _idlest(self) -> Iterator[Station]:
        """Those that answer, whoever has least to do first."""
        for station in sorted(self._stations.values(), key=lambda station: len(station.calls)):
            if station.up:  # asked when it is its turn
                yield station
