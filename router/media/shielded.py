"""Our engine behind a relay: how the router speaks to callers whose sound it does not speak itself (SRTP, browsers)."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Final

from router.media import sdp
from router.media.client import Engine
from router.media.session import Session
from router.model.sound import EngineDied, MediaParty, MediaTimedOut, Recorded
from router.ports import EngineError, MediaBridge, MediaError, MediaListener, MediaRelay, MediaSession, RelayedCall

_LONG: Final = 60.0  # seconds for which whoever shields a session waited for sound, about


class ShieldedEngine:
    """See the module; implements `ports.MediaEngine`.

    Args:
        relay: through which the sound of its sessions goes.
    """

    def __init__(self, engine: Engine, relay: MediaRelay) -> None:
        self._engine = engine
        self._relay = relay

    async def answer(
        self, offer: bytes, told: MediaListener, *, host: str = "", trusted: Sequence[str] = ()
    ) -> ShieldedSession:
        session = await self._open(told, host, trusted)
        try:
            await session.take_offer(offer)
        except MediaError:
            session.close()
            raise
        return session

    async def offer(self, told: MediaListener, *, host: str = "", trusted: Sequence[str] = ()) -> ShieldedSession:
        session = await self._open(told, host, trusted)
        try:
            await session.offer_again()
        except MediaError:
            session.close()
            raise
        return session

    async def bridge(self, left: MediaSession, right: MediaSession) -> MediaBridge:
        return await self._engine.bridge(left, right)

    async def keep(self, recorded: Recorded) -> None:
        await self._engine.keep(recorded)

    async def discard(self, recorded: Recorded) -> None:
        await self._engine.discard(recorded)

    async def _open(self, told: MediaListener, host: str, trusted: Sequence[str]) -> ShieldedSession:
        session = await self._engine.open(host, told, trusted, ShieldedSession)
        assert isinstance(session, ShieldedSession)
        session.shield_by(self._relay)
        return session


class ShieldedSession(Session):
    """A session whose descriptions pass a relay on their way: it is the relay's callee, and plain for us."""

    _shield: RelayedCall | None = None

    def shield_by(self, relay: MediaRelay) -> None:
        self._shield = relay.open(secrets.token_hex(8), self._lost)

    async def take_offer(self, offer: bytes) -> bytes:
        caller, us = self._parties()
        plain = await self._shielding().offer(offer, caller, us)
        answer = await Session.take_offer(self, plain)
        self.description = await self._shielding().answer(answer, us, caller)
        return self.description

    async def offer_again(self, direction: str = sdp.SENDRECV, best: str = "") -> bytes:
        caller, us = self._parties()
        self.description = await self._shielding().offer(self.offer(direction, best), us, caller)
        return self.description

    async def accept(self, answer: bytes) -> None:
        caller, us = self._parties()
        await Session.accept(self, await self._shielding().answer(answer, caller, us))

    def close(self) -> None:
        self._unshield()
        Session.close(self)

    def died(self) -> None:
        self._unshield()
        Session.died(self)

    def _parties(self) -> tuple[MediaParty, MediaParty]:
        """The caller, and we."""
        host = self._ours.host
        return MediaParty("caller", next(iter(self._trusted), host)), MediaParty("callee", host)

    def _shielding(self) -> RelayedCall:
        if self._shield is None:
            raise EngineError("the session is closed")
        return self._shield

    def _unshield(self) -> None:
        shield, self._shield = self._shield, None
        if shield is not None:
            shield.close()

    def _lost(self, why: str) -> None:
        self._told(MediaTimedOut(_LONG) if why == "silence" else EngineDied())
