"""One call that is relayed by an rtpengine (`ports.RelayedCall`)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping

from router.media.bencode import Encodable
from router.media.rtpengine_control import Answer, UnreachableError
from router.media.rtpengine_station import Station
from router.media.rtpengine_wishes import Interfaces, Manner, answer_wishes, offer_wishes, spoken
from router.model.sound import MediaParty
from router.ports import EngineError, MediaBridge, MediaSession, OfferError, RelayLost


class RtpengineCall:
    """Two parties between whom an rtpengine stands. It neither plays nor listens for us: there are no sessions, and no
    bridge.

    Args:
        call_id: by what rtpengine knows it; no other call there has it, of any router.
        stations: gives those that it may be tried with, in order; the first that takes the first offer keeps the call.
        interfaces: see `RtpengineSettings`.
    Attributes:
        begun: an rtpengine has taken the first offer.
        looked_at: when it was last known to be there; made_at: when it was made; on the loop's clock.
    """

    bridge: MediaBridge | None = None

    def __init__(
        self, call_id: str, stations: Callable[[], Iterable[Station]], interfaces: Interfaces, lost: RelayLost
    ) -> None:
        self.identity: Mapping[str, Encodable] = {"call-id": call_id}
        self.made_at = self.looked_at = asyncio.get_running_loop().time()
        self.begun = False
        self._stations = stations
        self._interfaces = interfaces
        self._lost = lost
        self._station: Station | None = None
        self._manners: dict[str, Manner] = {}  # of each party, as its own descriptions say
        self._under_way = 0
        self._over = False

    async def offer(self, sdp: bytes, giver: MediaParty, taker: MediaParty) -> bytes:
        manner = self._manners.get(taker.name) or Manner(taker.keys)
        details: dict[str, Encodable] = {
            **offer_wishes(sdp, giver, taker, manner, self._interfaces),
            "sdp": sdp,
            "from-tag": giver.name,
            "to-tag": taker.name,
        }
        if self._station is not None and self.begun:
            offer = await self._say(self._station, "offer", details)
        else:
            offer = await self._begin(details)
            self.begun = True
        self._manners[giver.name] = spoken(sdp)
        return offer

    async def answer(self, sdp: bytes, giver: MediaParty, taker: MediaParty) -> bytes:
        if self._station is None or not self.begun:
            raise EngineError("an answer without an offer")
        # The tags are those of the offer, whichever way the answer goes.
        details = {**answer_wishes(sdp, giver), "sdp": sdp, "from-tag": taker.name, "to-tag": giver.name}
        answer = await self._say(self._station, "answer", details)
        self._manners[giver.name] = spoken(sdp)
        return answer

    def session(self, name: str) -> MediaSession | None:
        return None

    def close(self) -> None:
        if not self._over:
            self._end()
            if not self._under_way:
                self._delete()  # else when it is done, which would make the call anew

    def lose(self, why: str) -> None:
        """rtpengine knows it no more."""
        if not self._over:
            self._end()
            self._lost(why)

    # ------------------------------------------------------------------------------------------------- inside

    async def _begin(self, details: Mapping[str, Encodable]) -> bytes:
        """Make the first offer, at the first rtpengine that takes it."""
        failure = EngineError("no rtpengine answers")
        for station in self._stations():
            self._station = station
            station.calls.add(self)
            try:
                return await self._say(station, "offer", details)
            except OfferError:
                self._leave(station)
                raise
            except EngineError as error:
                if self._over:
                    raise
                self._leave(station)
                failure = error
        raise failure

    def _leave(self, station: Station) -> None:
        """An offer that was refused may have left something there all the same."""
        station.calls.discard(self)
        self._delete()
        self._station = None

    async def _say(self, station: Station, command: str, details: Mapping[str, Encodable]) -> bytes:
        if self._over:
            raise EngineError("the call is over")
        answer = station.ask(command, {**details, **self.identity})
        self._under_way += 1
        answer.add_done_callback(self._done)
        try:
            sdp = (await asyncio.shield(answer)).get("sdp")
        except UnreachableError as error:
            station.failed(error, told=self)
            raise
        if self._over:
            raise EngineError("the call is over")
        if not isinstance(sdp, bytes):
            raise EngineError(f"rtpengine at {station.name} answers {command} without a session description")
        return sdp

    def _done(self, _answer: asyncio.Future[Answer]) -> None:
        self._under_way -= 1
        if self._over and not self._under_way:
            self._delete()

    def _end(self) -> None:
        self._over = True
        if self._station is not None:
            self._station.calls.discard(self)

    def _delete(self) -> None:
        if self._station is not None and self._station.up:
            self._station.ask("delete", {**self.identity, "delete-delay": 0})
