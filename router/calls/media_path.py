"""The way of a call's sound through the router: offers and answers are changed on their way from leg to leg.

A direct call has none of this; its legs carry each other's session descriptions byte for byte. Where one of the two
wants to be relayed, a `MediaPath` stands between them, and whoever carries a description across asks it first. It takes
a few milliseconds, in which everything else may happen: what was carried goes on when the path gives it back, in the
order in which it came, or never, once the path is closed.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Final, Protocol

from router.model.record import Quality
from router.model.sound import MediaParty, MediaWay
from router.model.tally import Counts
from router.ports import (
    EngineError,
    MediaBridge,
    MediaError,
    MediaRelay,
    MediaSession,
    OfferError,
    RelayedCall,
    SessionRelay,
)
from router.sip.message import Response
from router.sip.sdp import located, protection

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.leg import Leg

# A caller who hears nothing gives up, and an emergency does not wait for an engine that hangs.
PATIENCE: Final = 1.5  # seconds for a first offer

NO_RELAY: Final = 'Reason: SIP;cause=500;text="Media relay failed"\r\n'
SILENT: Final = 'Reason: SIP;cause=408;text="No media"\r\n'

RELAYED, DIRECT, FAILED, LOST = "relayed", "direct", "failed", "lost"  # what became of a call that was to be relayed

# Take a description as it goes on, and the time; or the status that says why it does not. Methods, not functions within
# functions: compiled, two of these and what they share hold each other, and the garbage collector alone would end that.
Carried = Callable[[bytes, float], None]
NotCarried = Callable[[int, float], None]


class Relays:
    """What calls can be relayed by, and what holds where they cannot.

    Attributes:
        by_way: the relays that there are; sessions: that of our own engine, which speaks to callers as well.
        falls_back: a call that should be relayed and cannot goes direct; else it fails. Emergency calls always go.
        outcomes: by (way that was wanted, "relayed", "direct" (it goes without), "failed" (it goes nowhere), or "lost"
            (the sound ended before the call)).
    """

    def __init__(self, attendant: Attendant) -> None:
        self.attendant = attendant
        self.by_way: dict[MediaWay, MediaRelay] = {}
        self.sessions: SessionRelay | None = None
        self.falls_back = True
        self.outcomes = Counts()

    def strongest(self, way: int) -> MediaWay:
        """The way that can be gone now: the wanted one, or the next weaker one whose relay is ready."""
        ready = [each for each, relay in self.by_way.items() if each <= way and relay.ready]
        return max(ready, default=MediaWay.DIRECT)

    def count(self, wanted: int, outcome: str) -> None:
        self.outcomes[MediaWay(wanted).name.lower(), outcome] += 1


class PathOwner(Protocol):
    """Who has a path: a call."""

    def path_lost(self, path: MediaPath, headers: str, now: float) -> None:
        """Its sound is gone for good.

        Args:
            headers: a Reason line for whoever is hung up, with CRLF.
        """
        ...


class _Description:
    """A session description on its way from one leg to the other.

    Not a named tuple, whose fields mypyc would look up when it loads this module, before there is a `Leg`.
    """

    __slots__ = ("body", "giver", "is_first", "is_offer", "otherwise", "then")

    def __init__(
        self, is_offer: bool, is_first: bool, body: bytes, giver: Leg, then: Carried, otherwise: NotCarried
    ) -> None:
        self.is_offer = is_offer
        self.is_first = is_first
        self.body = body
        self.giver = giver
        self.then = then
        self.otherwise = otherwise


class MediaPath:
    """See the module.

    Args:
        owner: hears when the sound is lost.
        caller, callee: whose sound it is; what is recorded has the caller left, the callee right.
        way: how it should go; weaker ones are tried where that cannot be. It is an error of whatever is carried where
            none can.
    Attributes:
        wanted: how it should go.
        way: how it goes.
        offered: the body of the callee's INVITE; b"" before it is sent. has_offer: an offer is in it.
        answered: the 2xx of the callee to that INVITE, while it is on its way to the caller.
    """

    __slots__ = (
        "_answer",
        "_bridged",
        "_callee",
        "_caller",
        "_carrying",
        "_owner",
        "_relayed",
        "_relays",
        "_under_way",
        "_working",
        "answered",
        "has_offer",
        "offered",
        "wanted",
        "way",
    )

    def __init__(self, relays: Relays, owner: PathOwner, caller: Leg, callee: Leg, way: int) -> None:
        self._relays = relays
        self._owner: PathOwner | None = owner
        self._caller: Leg | None = caller
        self._callee: Leg | None = callee
        self._under_way: deque[_Description] = deque()
        self._working = False  # the task that carries is there
        self._carrying = False  # and waits for the relay
        self._answer: tuple[bytes, bytes] | None = None  # the latest one, as it came and as it went on
        self._relayed: RelayedCall | None = None
        self._bridged: Callable[[MediaBridge], None] | None = None
        self.offered = b""
        self.has_offer = False
        self.answered: Response | None = None
        self.wanted = way
        self.way = MediaWay.DIRECT
        self._take(way)

    def take_over(self, caller: MediaSession, callee: MediaSession, bridge: MediaBridge) -> None:
        """Go on with two who hear each other already. Raises `MediaError` where no relay can do that."""
        relay = self._relays.sessions
        if relay is None:
            raise EngineError("there is no relay")
        self._relayed = relay.take_over(caller, callee, bridge, self._lost)
        self.way = self.wanted = MediaWay.RELAY

    # ------------------------------------------------------------------------------------------ what is carried

    def first_offer(self, body: bytes, then: Carried, otherwise: NotCarried) -> None:
        """Carry the caller's first offer to the callee, by whatever relay takes it."""
        assert self._caller is not None
        self._carry(_Description(True, True, body, self._caller, then, otherwise))

    def offer(self, giver: Leg, body: bytes, then: Carried, otherwise: NotCarried) -> None:
        """Carry an offer of one leg to the other.

        Args:
            then: takes the offer for the other one. otherwise: takes the status by which the giver is refused.
        """
        self._carry(_Description(True, False, body, giver, then, otherwise))

    def answer(self, giver: Leg, body: bytes, then: Carried, otherwise: NotCarried, now: float) -> None:
        """Carry an answer of one leg to the other. One that comes again (2xx after 18x) goes on at once."""
        known = self._answer
        if known is not None and known[0] == body and self.idle:
            then(known[1], now)
        else:
            self._carry(_Description(False, False, body, giver, then, otherwise))

    @property
    def idle(self) -> bool:
        """Whether nothing is on its way."""
        return not (self._carrying or self._under_way)

    # ------------------------------------------------------------------------------------- the sound on its way

    @property
    def bridge(self) -> MediaBridge | None:
        """The two, to record them; None before they hear each other, and where the relay has no such thing."""
        return None if self._relayed is None else self._relayed.bridge

    def when_bridged(self, told: Callable[[MediaBridge], None]) -> None:
        """Call `told` once the two hear each other by a relay that bridges them; perhaps at once, perhaps never."""
        self._bridged = told
        self._tell_bridged()

    def session(self, leg: Leg) -> MediaSession | None:
        """Our side of a leg's sound, to play to it and hear its keys; None where there is none."""
        return None if self._relayed is None else self._relayed.session(self._name(leg))

    def quality(self) -> tuple[Quality, ...]:
        """What passed so far, of each party."""
        found = []
        if self._relayed is not None:
            for name in ("caller", "callee"):
                session = self._relayed.session(name)
                if session is not None and session.codec:
                    passed = session.passed
                    found.append(Quality(name, session.codec, passed.sent, passed.received, passed.lost, passed.jitter))
        return tuple(found)

    def close(self) -> None:
        """Give everything back; what is on its way is forgotten. Idempotent."""
        relayed, self._relayed = self._relayed, None
        self._bridged = None
        self._owner = self._caller = self._callee = self._answer = self.answered = None
        self._under_way.clear()
        if relayed is not None:
            relayed.close()

    # ------------------------------------------------------------------------------------------------- inside

    def _take(self, way: int) -> None:
        """Begin with the strongest relay that is ready, up to a way."""
        assert self._caller is not None
        self.way = self._relays.strongest(way)
        self._relayed = None
        if self.way:
            call_id = self._caller.stack.ids.token()
            self._relayed = self._relays.by_way[self.way].open(call_id, self._lost)

    def _carry(self, description: _Description) -> None:
        self._under_way.append(description)
        if not self._working:
            self._working = True
            self._relays.attendant.start(self._work())

    async def _work(self) -> None:
        """Carry what is on its way, one after the other, and let each go on."""
        attendant = self._relays.attendant
        while self._under_way:
            description = self._under_way.popleft()
            status, body = 0, b""
            self._carrying = True
            try:
                if description.is_first:
                    body = await self._carried_first(description)
                else:
                    body = await self._carried(description)
            except MediaError as error:
                error.__traceback__ = None  # it would hold the frames, which hold what waits, in a circle
                status = 488 if isinstance(error, OfferError) else 500
            except Exception:  # nothing would end this call any more: it ends, and the fault is told
                self._lost("fault")
                raise
            self._carrying = False
            if self._owner is None:
                return  # it was closed meanwhile
            try:
                if status:
                    description.otherwise(status, attendant.now())
                else:
                    description.then(body, attendant.now())
            except Exception:
                self._lost("fault")
                raise
            self._tell_bridged()
            attendant.flush()
        self._working = False

    def _tell_bridged(self) -> None:
        told, bridge = self._bridged, self.bridge
        if told is not None and bridge is not None:
            self._bridged = None
            told(bridge)

    async def _carried_first(self, description: _Description) -> bytes:
        """Ask one relay after the other, each for a limited time. Raises what the last one says."""
        while True:
            try:
                return await _in_time(self._carried(description))
            except MediaError:
                relayed = self._relayed
                if relayed is None or self.way <= MediaWay.RELAY:
                    raise
                relayed.close()
                self._take(self.way - 1)
                if self._relayed is None:
                    raise

    async def _carried(self, description: _Description) -> bytes:
        """Return a body with its session description as it goes on. Raises `OfferError`, `EngineError`."""
        relayed, giver = self._relayed, description.giver
        taker = self._callee if giver is self._caller else self._caller
        if relayed is None or taker is None:
            raise EngineError("there is no relay")
        body = description.body
        start, end = located(body)
        if description.is_first:
            self.offered, self.has_offer = body, start < end
        if start == end:
            return body
        carry = relayed.offer if description.is_offer else relayed.answer
        giver.keys = protection(body[start:end])
        carried = await carry(body[start:end], self._party(giver, taker), self._party(taker, giver))
        if relayed is not self._relayed:
            raise EngineError("it came too late")
        whole = body[:start] + carried + body[end:]
        if description.is_first:
            self.offered = whole
        self._answer = None if description.is_offer else (body, whole)
        return whole

    def _party(self, leg: Leg, other: Leg) -> MediaParty:
        dialog = getattr(leg, "dialog", None)  # the router itself has none where it calls somebody
        host = other.dialog.flow.local[0] if dialog is None else dialog.flow.source[0]
        return MediaParty(self._name(leg), host, leg.keys)

    def _name(self, leg: Leg) -> str:
        return "caller" if leg is self._caller else "callee"

    def _lost(self, why: str) -> None:
        owner = self._owner
        if owner is not None:
            attendant = self._relays.attendant
            owner.path_lost(self, SILENT if why == "silence" else NO_RELAY, attendant.now())
            attendant.flush()


async def _in_time(carrying: Coroutine[None, None, bytes]) -> bytes:
    """Wait for what is carried for a limited time; what comes too late is given back by whoever closes the relay."""
    asked = asyncio.ensure_future(carrying)
    await asyncio.wait((asked,), timeout=PATIENCE)
    if not asked.done():
        asked.add_done_callback(_heeded)
        raise EngineError("the relay did not answer in time")
    return asked.result()


def _heeded(asked: asyncio.Future[bytes]) -> None:
    """What comes too late, whatever it is, is of no use."""
    if not asked.cancelled():
        asked.exception()
