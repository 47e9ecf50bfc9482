"""An announcement: the caller hears it, and the router hangs up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.calls.script import Script
from router.model.decision import PlayAnnouncement

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.call import Call


class Announcement(Script):
    """Answers, plays one sound to its end, and is over."""

    def __init__(self, attendant: Attendant, call: Call, target: PlayAnnouncement) -> None:
        Script.__init__(self, attendant, call)
        self._announcement = target.announcement

    async def run(self) -> None:
        await self.answer()
        await self.play(self.attendant.voice.announcement(self._announcement))
