"""The two who talk, spoken to at once: each hears the same, in their own language, instead of the other one."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Final

from router.model.sound import FINISHED, KEY
from router.ports import MediaError, MediaSession
from router.prompts.compose import Option, say
from router.prompts.parts import Parts, Pause, Recorded, Spoken

if TYPE_CHECKING:
    from router.calls.leg import Leg
    from router.calls.media_path import MediaPath
    from router.calls.voice import Voice

LEAD_IN: Final = Pause(0.3)  # whoever has just picked up has the telephone not at their ear yet
HEARD: Final = 0.5  # of the packets that playing should take must have gone out: a party on hold hears nothing
PACKETS_PER_SECOND: Final = 50

CONSENT: Final = "recording.consent"
_COMPANY_OWN: Final = "recording.announcement"  # a company's recording of its own words
_SOUND: Final = ".wav"

SILENT: Final = "silent"  # there is nothing that could be played


class BothSides:
    """See the module.

    Args:
        path: of their sound. legs: the two, the caller first. voices: in whose words each is spoken to.
    """

    __slots__ = ("_legs", "_path", "_voices")

    def __init__(self, path: MediaPath, legs: Sequence[Leg], voices: Sequence[Voice]) -> None:
        self._path: MediaPath | None = path
        self._legs = tuple(legs)
        self._voices = tuple(voices)

    def session(self, leg: Leg) -> MediaSession | None:
        """Our side of a leg's sound; None once they are let go of."""
        return None if self._path is None else self._path.session(leg)

    def sessions(self) -> list[MediaSession]:
        """Our sides of both, the caller's first; none once they are let go of."""
        return [session for session in map(self.session, self._legs) if session is not None]

    def leave(self) -> None:
        """Let go of them."""
        self._path = None
        self._legs = ()

    async def say(self, name: str) -> bool:
        """Say a prompt to both. False: one of them did not hear it to its end."""
        return await self._play([voice.sounds((Recorded(name),)) for voice in self._voices], "") == FINISHED

    async def announce(self, announcement: Mapping[str, str], decline: str) -> str:
        """Let both hear that they are recorded.

        Args:
            announcement: by language, as `RecordingRules` has it.
            decline: the key by which either side declines; "" for none.

        Returns `FINISHED` where both heard it to its end; `KEY` where one declined; `SILENT` where there is no sound
        for one of them; else "".
        """
        theirs: list[list[str]] = []
        for voice in self._voices:
            theirs.append(await _announcement(voice, announcement, decline))
        if not all(theirs):
            return SILENT
        for session in self.sessions():
            session.keys()  # what was pressed before is no answer to this
        return await self._play(theirs, decline)

    async def _play(self, theirs: Sequence[list[str]], keys: str) -> str:
        """Play to both at once; a key pressed by one ends it for both."""
        sessions = self.sessions()
        if len(sessions) < len(theirs):
            return ""
        playing = [
            asyncio.ensure_future(_heard(session, files, keys)) for session, files in zip(sessions, theirs, strict=True)
        ]
        heard: list[str] = []
        for each in asyncio.as_completed(playing):
            reason = await each
            heard.append(reason)
            if reason == KEY:
                for session in sessions:
                    session.stop()
        if KEY in heard:
            return KEY
        return FINISHED if all(reason == FINISHED for reason in heard) else ""


async def _announcement(voice: Voice, announcement: Mapping[str, str], decline: str) -> list[str]:
    """Return the files of what is said before anything is recorded, in one language; [] for nothing."""
    written = announcement.get(voice.language.code) or announcement.get("") or CONSENT
    files = voice.announcement(written)
    if files == [written] and not written.endswith(_SOUND):  # words
        parts: Parts = (Spoken(written, _COMPANY_OWN, (), (Recorded(CONSENT),)),)
        await voice.prepare(parts)
        files = voice.sounds(parts)
    if not files:
        return []
    if decline:
        option = Option(decline, "recording.decline")
        files = files + voice.sounds(say("options", {"options": [option]}, voice.language))
    return voice.sounds((LEAD_IN,)) + files


async def _heard(session: MediaSession, files: list[str], keys: str) -> str:
    """Play to one side; return how that ended, "" where not enough of it went out, or nothing could be played."""
    loop = asyncio.get_running_loop()
    try:
        before, began = (await session.statistics()).sent, loop.time()
        played = await session.play(files, interruptible=keys)
        if played.reason != FINISHED:
            return played.reason
        sent = (await session.statistics()).sent - before
        return FINISHED if sent >= (loop.time() - began) * PACKETS_PER_SECOND * HEARD else ""
    except MediaError as error:
        error.__traceback__ = None  # it would hold the frames, which hold what waits, in a circle
        return ""
