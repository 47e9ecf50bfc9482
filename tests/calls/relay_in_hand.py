"""A relay that stories have in hand: it answers when they let it, and shows what passed through it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from router.model.sound import MediaParty, MediaWay
from router.ports import EngineError, MediaBridge, MediaError, MediaSession, RelayLost
from tests.calls.story import Story

HOST = "192.0.2.1"  # where the router itself hears and speaks


@dataclass(eq=False)
class RelayInHand:
    """See the module.

    Attributes:
        ready: what it says of itself.
        changes: it puts its own address into what passes; else that stays as it is.
        fails: what everything raises that is asked of it.
        log: what passed: (kind, by whom), such as ("offer", "caller").
        open_calls: what is relayed now; opened: how many there were.
    """

    story: Story
    changes: bool = True
    ready: bool = True
    fails: MediaError | None = None
    log: list[tuple[str, str]] = field(default_factory=list)
    open_calls: list[CallInHand] = field(default_factory=list)
    opened: int = 0
    _gate: asyncio.Event | None = None

    def serve(self, way: MediaWay = MediaWay.RELAY) -> RelayInHand:
        """Let the story's router relay by it, in the story's time."""
        exchange = self.story.exchange
        exchange.relays.by_way[way] = self
        exchange.attendant.now = lambda: self.story.now
        exchange.attendant.flush = self.story.flush
        return self

    def open(self, call_id: str, lost: RelayLost) -> CallInHand:
        self.opened += 1
        call = CallInHand(self, lost, self.opened)
        self.open_calls.append(call)
        return call

    def hold(self) -> None:
        """Let everything that is asked wait."""
        self._gate = asyncio.Event()

    async def let_go(self) -> None:
        """Answer what waits, and what comes."""
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.set()
        await turns()

    async def dies(self, why: str = "engine") -> None:
        """Lose the sound of all calls. It serves no more."""
        self.ready = False
        self.fails = EngineError("dead")
        for call in list(self.open_calls):
            if call.lost is not None:
                call.lost(why)
        await turns()

    async def answer(self) -> None:
        if self._gate is not None:
            await self._gate.wait()
        if self.fails is not None:
            raise self.fails


@dataclass(eq=False)
class CallInHand:
    relay: RelayInHand
    lost: RelayLost | None
    number: int

    async def offer(self, sdp: bytes, giver: MediaParty, taker: MediaParty) -> bytes:
        return await self._pass("offer", sdp, giver)

    async def answer(self, sdp: bytes, giver: MediaParty, taker: MediaParty) -> bytes:
        return await self._pass("answer", sdp, giver)

    async def _pass(self, kind: str, sdp: bytes, giver: MediaParty) -> bytes:
        await self.relay.answer()
        if self.lost is None:
            raise EngineError("it is over")
        self.relay.log.append((kind, giver.name))
        return relayed(sdp) if self.relay.changes else sdp

    @property
    def bridge(self) -> MediaBridge | None:
        return None

    def session(self, name: str) -> MediaSession | None:
        return None

    def close(self) -> None:
        if self.lost is not None:
            self.lost = None
            self.relay.open_calls.remove(self)


def relayed(sdp: bytes) -> bytes:
    """What comes of a description on its way through the relay."""
    lines = [b"c=IN IP4 " + HOST.encode() if line.startswith(b"c=") else line for line in sdp.splitlines()]
    return b"\r\n".join([*lines, b"a=relayed", b""])


async def turns(count: int = 20) -> None:
    """Let the loop do what is due."""
    for _ in range(count):
        await asyncio.sleep(0)
