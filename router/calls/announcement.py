"""Announcements: the caller hears one, and the call is over."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.calls.script import Script
from router.model.decision import PlayAnnouncement
from router.prompts.parts import Pause, Recorded

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.call import Call

LEAD_IN: Final = 0.3  # seconds: early media begins at the far end a little after the 183 has come


class Announcement(Script):
    """Answers, plays one sound to its end, and is over."""

    def __init__(self, attendant: Attendant, call: Call, target: PlayAnnouncement) -> None:
        Script.__init__(self, attendant, call)
        self._announcement = target.announcement

    async def run(self) -> None:
        await self.answer()
        await self.play(self.voice.announcement(self._announcement))


class SpokenRefusal(Script):
    """Says before the answer why there will be none (X2), and refuses then. Whoever cannot hear it is refused at
    once."""

    def __init__(self, attendant: Attendant, call: Call, prompt: str) -> None:
        Script.__init__(self, attendant, call)
        self._prompt = prompt

    async def run(self) -> None:
        self.progress()
        await self.say(Pause(LEAD_IN), Recorded(self._prompt))
        self.call.refuse(self.attendant.now())
        self.attendant.flush()

    def unheard(self, call: Call, status: int) -> None:
        call.refuse(self.attendant.now())
