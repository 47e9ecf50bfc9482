"""The recording of one call, from the announcement to the file (X3, X4, G12, G13).

Both sides hear the announcement to its end before anything is recorded; where one of them did not, nothing is, and the
call goes on. A pause ends one piece of the recording, and what follows begins another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from router.calls.both_sides import SILENT, BothSides
from router.calls.script import pressed
from router.model.decision import Reason
from router.model.recording import KeptRecording, RecordedPart, RecordingDraft, RecordingNote, RecordingResult
from router.model.sound import FINISHED, KEY
from router.model.tally import Counts
from router.policy.recording import MayRecord, absence
from router.policy.recording_rules import RecordingRules
from router.ports import MediaBridge, MediaError, MediaSession, RecordingStore, StoreError
from router.sip.message import Request

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.call import Call
    from router.calls.leg import Leg
    from router.calls.media_path import MediaPath

LONGEST: Final = 8 * 3600.0  # seconds of one piece; a call that lasts longer was forgotten
KEY_SECONDS: Final = 4.0  # between two keys of one code
WAIT_SECONDS: Final = 3600.0  # for a key, before it is waited for anew

# What is asked of a recording: by key, over HTTP, or by the clock.
START, PAUSE, RESUME, TOGGLE, CLOSE = "start", "pause", "resume", "toggle", "close"

# Where it stands.
OFF, ANNOUNCING, RECORDING, PAUSED, OVER = "off", "announcing", "recording", "paused", "over"

_NEXT: Final = {OFF: START, RECORDING: PAUSE, PAUSED: RESUME}


def _reason(clause: str, text: str, french: str) -> Reason:
    return Reason(clause, text, "", french, "recording")


_NOT_WANTED: Final = _reason("X3", "nobody asked for it", "personne ne l'a demandé")
_NO_TIME: Final = _reason(
    "X3", "it was over before anything was recorded", "l'appel a pris fin avant tout enregistrement"
)
_UNHEARD: Final = _reason(
    "G13",
    "the announcement was not heard to its end by both sides",
    "l'annonce n'a pas été entendue en entier par les deux parties",
)
_UNSPEAKABLE: Final = _reason(
    "G13", "there is no announcement that could be played", "aucune annonce ne peut être diffusée"
)
_DECLINED: Final = _reason("G13", "one of them declined by key", "l'un des deux l'a refusé par une touche")
_NO_SOUND: Final = _reason(
    "G13",
    "the sound does not pass through the router's own engine",
    "le son ne passe pas par le moteur du routeur",
)
_FAILED: Final = _reason("", "it could not be written", "l'écriture a échoué")
_CLOSED: Final = _reason("G12", "it ended with the hours of recording", "il a pris fin avec l'horaire d'enregistrement")


class CallRecording:
    """See the module. Made when two begin to talk (see `recordings.py`), and told of all that concerns it.

    Args:
        store: keeps it; None: nothing is recorded. results: counts what becomes of it.
        verdict: of the policy, at that moment.
        legs: the caller's and that of who was called; numbers: of the two (None: withheld).
    Attributes:
        state: `OFF`, `ANNOUNCING`, `RECORDING`, `PAUSED` or `OVER`.
        note: for the call's record, once it is certain.
    """

    __slots__ = (
        "_asked",
        "_attendant",
        "_because",
        "_both",
        "_bridge",
        "_call_id",
        "_closing",
        "_concluded",
        "_draft",
        "_facts",
        "_language",
        "_legs",
        "_listening",
        "_noted",
        "_numbers",
        "_part",
        "_parts",
        "_policy",
        "_result",
        "_results",
        "_rules",
        "_started_at",
        "_store",
        "_task",
        "_wanted",
        "note",
        "state",
        "verdict",
    )

    def __init__(
        self,
        attendant: Attendant,
        store: RecordingStore | None,
        results: Counts,
        verdict: MayRecord,
        call: Call,
        legs: tuple[Leg, Leg],
        numbers: tuple[str | None, str],
    ) -> None:
        rules = call.policy.recording
        assert rules is not None
        self.state = OFF
        self.note: RecordingNote | None = None
        self.verdict = verdict
        self._attendant = attendant
        self._store = store
        self._results = results
        self._rules: RecordingRules = rules
        self._policy = call.policy
        self._facts = call.facts
        self._language = call.decision.language
        self._call_id = call.call_id
        self._numbers = numbers
        self._legs: tuple[Leg, ...] = legs
        self._both: BothSides | None = None
        self._bridge: MediaBridge | None = None
        self._result = RecordingResult.NOT_WANTED if verdict.allowed else RecordingResult.REFUSED
        self._because = verdict.because
        self._wanted: list[str] = []  # what is asked for and was not done yet
        self._asked: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None
        self._listening: list[asyncio.Task[None]] = []
        self._closing: asyncio.TimerHandle | None = None
        self._draft: RecordingDraft | None = None
        self._part: asyncio.Task[RecordedPart | None] | None = None
        self._parts: list[RecordedPart] = []
        self._started_at = 0.0  # on the loop's clock
        self._noted: Callable[[], None] | None = None
        self._concluded = False

    # ------------------------------------------------------------------------------------- what the call tells it

    def talk(self, path: MediaPath) -> None:
        """The two talk by this path, now or as soon as it is agreed on."""
        if self.verdict.allowed and self._both is None and self._store is not None:
            attendant = self._attendant
            # The caller is spoken to in their language, the other in the company's.
            self._both = BothSides(path, self._legs, (attendant.voice_for(self._language), attendant.voice))
            path.when_bridged(self._bridged)

    def ask(self, what: str) -> bool:
        """Ask for `START`, `PAUSE` or `RESUME`; it is done in its turn. False: it makes no sense now.

        `TOGGLE` is whichever of them makes sense.
        """
        fits = _NEXT.get(self.state)
        if self._bridge is None or self._wanted or fits is None or what not in (fits, TOGGLE):
            return False
        self._want(fits)
        return True

    def info_received(self, leg: Leg, request: Request) -> None:
        """Something came by SIP INFO; it may be a key."""
        key = pressed(request)
        session = None if self._both is None or not key else self._both.session(leg)
        if session is not None:
            session.press(key)

    def finish(self, noted: Callable[[], None] | None = None) -> bool:
        """The two talk no more. Idempotent.

        Args:
            noted: called when `note` is there, if it is not yet.

        Returns whether it is there.
        """
        self.state = OVER
        if self._task is None:
            self._conclude()
            return True
        self._cut()
        self._noted = noted
        self._want(CLOSE)
        return False

    # ------------------------------------------------------------------------------------------------- its course

    def _bridged(self, bridge: MediaBridge) -> None:
        """The two hear each other."""
        both = self._both
        if self.state != OFF or self._task is not None or both is None:
            return
        self._bridge = bridge
        if self.verdict.at_once:
            self._wanted.append(START)
        attendant, parties = self._attendant, self.verdict.parties
        self._task = attendant.start(self._run(), "call recording")
        if self._rules.key:
            for leg, person in zip(self._legs, (parties.caller, parties.called), strict=False):
                session = both.session(leg)
                if session is not None and person in self.verdict.licensed:
                    self._listening.append(attendant.start(self._listen(session), "recording key"))
        until = self.verdict.until
        if until is not None:
            self._closing = attendant.loop.call_later(max(0.0, until - attendant.clock()), self._hours_end)

    async def _run(self) -> None:
        try:
            await self._do_what_is_asked()
            await self._end_part()
            await self._keep()
        except Exception as error:  # whatever is wrong with a recording, the record of its call is written
            self._attendant.complain("call recording", error)
            self._fail()
        self._task = None
        self._conclude()

    async def _do_what_is_asked(self) -> None:
        """One after the other, until the call is over."""
        while True:
            if not self._wanted:
                self._asked = self._attendant.loop.create_future()
                await self._asked
                self._asked = None
            wanted = self._wanted.pop(0)
            if wanted == CLOSE:
                return
            try:
                if wanted == START:
                    await self._start()
                elif wanted == PAUSE:
                    await self._pause()
                elif wanted == RESUME:
                    await self._resume()
            except StoreError:  # which the store counts, and tells of
                self._fail()

    async def _start(self) -> None:
        both, store = self._both, self._store
        if both is None or store is None:
            return
        if not self.verdict.at_once:
            absent = absence(self._facts, self.verdict.parties.people, self._policy, self._attendant.clock())
            if absent is not None:
                self._result, self._because = RecordingResult.REFUSED, (absent,)
                await both.say("recording.not_recorded")
                return
        await self._discard()  # what an attempt left that failed
        self._to(ANNOUNCING)
        if not await self._announced(both):
            self._to(OFF)
            return
        self._result, self._because = RecordingResult.RECORDED, self.verdict.because
        if self.state == ANNOUNCING:
            self._draft = await store.begin(self._attendant.clock())
            self._started_at = self._attendant.loop.time()
            self._begin_part()

    async def _announced(self, both: BothSides) -> bool:
        """Let both hear that they are recorded. False: one of them did not hear it to its end, or declines."""
        self._result, self._because = RecordingResult.UNANNOUNCED, (_UNHEARD,)
        heard = await both.announce(self._rules.announcement, self._rules.decline)
        if heard == SILENT:
            self._because = (_UNSPEAKABLE,)
        elif heard == KEY:
            self._result, self._because = RecordingResult.DECLINED, (_DECLINED,)
            await both.say("recording.not_recorded")
        return heard == FINISHED

    async def _pause(self) -> None:
        self._to(PAUSED)
        await self._end_part()
        if self._both is not None:
            await self._both.say("recording.paused")

    async def _resume(self) -> None:
        await self._end_part()  # one that ended by itself
        if self._both is not None and await self._both.say("recording.resumed") and self.state == PAUSED:
            self._begin_part()

    async def _listen(self, session: MediaSession) -> None:
        """Wait for the code of keys by which one of our people records, pauses and goes on."""
        code, loop = self._rules.key, self._attendant.loop
        session.keys()  # what was pressed before is not meant
        typed = ""
        while self.state != OVER:
            waited, since = (KEY_SECONDS if typed else WAIT_SECONDS), loop.time()
            key = await session.key(waited)
            if not key and loop.time() - since < waited / 2:
                return  # the session is over
            typed = (typed + key)[-len(code) :] if key else ""
            if typed == code:
                typed = ""
                self.ask(TOGGLE)

    def _hours_end(self) -> None:
        """G12, where the rules say so: what is recorded ends, and nothing begins any more."""
        self._closing = None
        if self._result is RecordingResult.RECORDED:
            self._because = (*self._because, _CLOSED)
        self.state = OVER
        self._want(CLOSE)

    # ---------------------------------------------------------------------------------------------- its pieces

    def _begin_part(self) -> None:
        bridge, draft = self._bridge, self._draft
        if bridge is None or draft is None or self.state == OVER:
            return
        self.state = RECORDING
        after = self._attendant.loop.time() - self._started_at
        self._part = asyncio.ensure_future(self._record(bridge, draft.path, after))

    async def _record(self, bridge: MediaBridge, path: str, after: float) -> RecordedPart | None:
        """Record until somebody ends it; None where nothing of it is left."""
        try:
            recorded = await bridge.record(path, max_seconds=LONGEST)
        except MediaError as error:
            error.__traceback__ = None  # it would hold the frames, which hold what waits, in a circle
            self._fail()
            return None
        if self.state == RECORDING:  # nobody ended it: it has its greatest length
            self.state = PAUSED
        return RecordedPart(recorded.temporary, after)

    async def _end_part(self) -> None:
        part, self._part = self._part, None
        if part is None:
            return
        if self._bridge is not None:
            self._bridge.stop()
        recorded = await part
        if recorded is not None:
            self._parts.append(recorded)

    async def _keep(self) -> None:
        """Keep what was recorded, or leave nothing of it."""
        draft, store, parts = self._draft, self._store, self._parts
        if draft is None or store is None or not parts or self._result is not RecordingResult.RECORDED:
            await self._discard()
            return
        self._draft = None
        parties = self.verdict.parties
        caller, called = self._numbers
        kept = KeptRecording(
            draft.id,
            self._call_id,
            draft.began_at,
            0.0,
            caller,
            called,
            parties.people,
            parties.direction,
            self._because,
            self._rules.legal_basis,
            draft.began_at + self._rules.keep_seconds,
        )
        try:
            kept = await store.confirm(kept, parts)
        except StoreError:
            self._fail()
            await store.discard(draft, parts)
            return
        self.note = RecordingNote(self._result, self._because, draft.id, kept.seconds)

    async def _discard(self) -> None:
        draft, self._draft = self._draft, None
        parts, self._parts = self._parts, []
        if draft is not None and self._store is not None:
            await self._store.discard(draft, parts)

    # ------------------------------------------------------------------------------------------------- in parts

    def _to(self, state: str) -> None:
        if self.state != OVER:
            self.state = state

    def _want(self, what: str) -> None:
        self._wanted.append(what)
        asked = self._asked
        if asked is not None and not asked.done():
            asked.set_result(None)

    def _fail(self) -> None:
        self._result, self._because = RecordingResult.FAILED, (_FAILED,)
        self._to(OFF)

    def _conclude(self) -> None:
        """What became of it is certain. Idempotent."""
        if self._concluded:
            return
        self._concluded = True
        bridged = self._bridge is not None
        self._cut()
        self._bridge = None
        result, because = self._result, self._because
        if self.note is None:
            if result is RecordingResult.NOT_WANTED and not bridged:
                result, because = RecordingResult.FAILED, (_NO_SOUND,)
            elif result is RecordingResult.NOT_WANTED:
                because = (*because, _NOT_WANTED)
            elif result is RecordingResult.RECORDED:
                result, because = RecordingResult.FAILED, (_NO_TIME,)
            self.note = RecordingNote(result, because)
        self._results[self.note.result, self.note.because[-1].clause] += 1
        noted, self._noted = self._noted, None
        if noted is not None:
            noted()

    def _cut(self) -> None:
        """Let go of everything that is over with the call."""
        self._legs = ()
        if self._both is not None:
            self._both.leave()
            self._both = None
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        for task in self._listening:
            task.cancel()
        self._listening.clear()
