"""Scripts for calls that the router itself begins: they call somebody, speak to them, and may put them through.

    class Reminder(OutgoingScript):
        async def run(self) -> None:
            await self.reach()
            await self.say(Recorded("callback.wanted"))

    script = attendant.originate(facts, decision, Reminder)
    await script.ended()
    script.outcome  # how it ended where nobody answered

Whoever answers is from then on spoken to, and can be put through (`Script.put_through`), like anybody whom a script
serves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.calls.call import OVER
from router.calls.script import HungUp, Script
from router.model.decision import Outcome, RingPerson
from router.ports import MediaEngine, MediaSession

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.originate import Originated


class OutgoingScript(Script):
    """A script for a call that the router itself begins. Its `run` begins with `reach`.

    Attributes:
        outcome: how the call ended where nobody answered; None while it goes on, and afterwards where somebody did.
    """

    def __init__(self, attendant: Attendant, call: Originated) -> None:
        Script.__init__(self, attendant, call)
        self._originated: Originated | None = call
        self.outcome: Outcome | None = None

    async def reach(self) -> None:
        """Call whom the call is for, and wait until they have answered.

        Raises `HungUp` where nobody answers, `MediaError` where the answer describes nothing of use.
        """
        call, session = self._originated, self.session
        if call is None or call.state == OVER:
            raise HungUp
        call.dial(session.description, self._ack_received, self.attendant.now())
        self.attendant.flush()
        answer = await self._acknowledged
        if self._call is None:
            raise HungUp
        await session.accept(answer)

    def call_over(self) -> None:
        if self._originated is not None:
            self.outcome = self._originated.outcome
            self._originated = None
        Script.call_over(self)

    async def _new_session(self, engine: MediaEngine) -> MediaSession:
        return await engine.offer(self._ears.told, trusted=self._sources())

    def _sources(self) -> list[str]:
        """The addresses of those who are going to be called, which their sound may come from."""
        target, directory = self.call.decision.target, self.attendant.exchange.directory
        if target is None:
            return []
        found, _ = directory.find(target)
        if isinstance(target, RingPerson):
            for _, accounts in target.later:
                found = [*found, *directory.devices(target.person, accounts)]
        return list({destination.flow.source[0] for destination in found})
