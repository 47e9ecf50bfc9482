"""The router's own engine as a relay: implements `ports.MediaRelay` by two sessions that are bridged."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import Final

from router.media import sdp
from router.media.client import Engine
from router.media.session import Session
from router.model.sound import EngineDied, MediaEvent, MediaParty, MediaTimedOut
from router.ports import EngineError, MediaBridge, MediaError, MediaSession, RelayLost

# How one party is offered what the other offered, by whether that one sends, and whether it listens.
_DIRECTIONS: Final = {
    (True, True): sdp.SENDRECV,
    (True, False): sdp.SENDONLY,
    (False, True): sdp.RECVONLY,
    (False, False): sdp.INACTIVE,
}


class EngineRelay:
    """See the module and `ports.SessionRelay`.

    Args:
        hosts: our IP literals for RTP, as the engine has them.
    """

    def __init__(self, engine: Engine, hosts: Sequence[str]) -> None:
        self._engine = engine
        self._hosts = tuple(hosts)

    @property
    def ready(self) -> bool:
        return self._engine.ready

    def open(self, call_id: str, lost: RelayLost) -> RelayedByEngine:
        return RelayedByEngine(self._engine, self._hosts, lost)

    def take_over(
        self, caller: MediaSession, callee: MediaSession, bridge: MediaBridge, lost: RelayLost
    ) -> RelayedByEngine:
        relayed = self.open("", lost)
        relayed.take("caller", caller)
        relayed.take("callee", callee)
        relayed.bridge = bridge
        return relayed


class RelayedByEngine:
    """See `ports.RelayedCall`. The caller's is the left one of the two bridged sessions."""

    def __init__(self, engine: Engine, hosts: Sequence[str], lost: RelayLost) -> None:
        self._engine = engine
        self._hosts = hosts
        self._lost: RelayLost | None = lost  # None: it is over
        self._sessions: dict[str, Session] = {}
        self._offer: bytes | None = None  # not answered yet, of a party whom we have a session with already
        self._silent: dict[str, int] = {}  # how much had come from a party when it was found to be silent
        self.bridge: MediaBridge | None = None

    def take(self, name: str, session: MediaSession) -> None:
        """Begin with a party who hears us already. Raises `MediaError`."""
        if not isinstance(session, Session):
            raise MediaError("the session is not of this engine")
        session.hand_over(partial(self._told, name))
        self._sessions[name] = session

    async def offer(self, sdp_offer: bytes, giver: MediaParty, taker: MediaParty) -> bytes:
        _, agreed = sdp.agree(sdp.read(sdp_offer))  # before anything is changed
        if giver.name in self._sessions:
            self._offer = sdp_offer
        else:
            told = partial(self._told, giver.name)
            await self._take_in(giver.name, self._engine.answer(sdp_offer, told, trusted=(giver.host,)))
        if taker.name not in self._sessions:
            told = partial(self._told, taker.name)
            host = self._host_towards(taker.host)
            await self._take_in(taker.name, self._engine.offer(told, host=host, trusted=(taker.host,)))
        direction = _DIRECTIONS[agreed.receiving, agreed.sending]
        # What the giver would take is offered first: where both have it, nothing needs to be converted.
        return await self._session(taker.name).offer_again(direction, agreed.codec)

    async def answer(self, sdp_answer: bytes, giver: MediaParty, taker: MediaParty) -> bytes:
        theirs = self._session(taker.name)
        await self._session(giver.name).accept(sdp_answer)
        offer, self._offer = self._offer, None
        if offer is not None:
            await theirs.renegotiate(offer)
        if self.bridge is None:
            bridge = await self._engine.bridge(self._session("caller"), self._session("callee"))
            self._session("caller")  # still
            self.bridge = bridge
        return theirs.description

    def session(self, name: str) -> Session | None:
        return self._sessions.get(name)

    def close(self) -> None:
        self._lost = self._offer = self.bridge = None
        sessions, self._sessions = self._sessions, {}
        for session in sessions.values():
            session.close()  # which parts the two, and ends a recording of them

    # ------------------------------------------------------------------------------------------------- inside

    def _session(self, name: str) -> Session:
        session = self._sessions.get(name)
        if session is None:
            raise EngineError("the call is over")
        return session

    async def _take_in(self, name: str, making: Awaitable[Session]) -> None:
        session = await making
        if self._lost is None:
            session.close()
            raise EngineError("the call is over")
        self._sessions[name] = session

    def _host_towards(self, host: str) -> str:
        """Return our address of the family in which a party is spoken to."""
        return next((ours for ours in self._hosts if (":" in ours) == (":" in host)), self._hosts[0])

    def _told(self, name: str, event: MediaEvent) -> None:
        if isinstance(event, EngineDied):
            self._lose("engine")
        elif isinstance(event, MediaTimedOut) and name in self._sessions:
            self._silent[name] = self._sessions[name].passed.received
            if all(self._silent.get(name) == session.passed.received for name, session in self._sessions.items()):
                self._lose("silence")

    def _lose(self, why: str) -> None:
        lost, self._lost = self._lost, None
        if lost is not None:
            lost(why)
