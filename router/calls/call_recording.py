"""The recording of one call, from the announcement to the file (X3, X4, G12, G13).

Both sides hear the announcement to its end before anything is recorded; where one of them did not, nothing is, and the
call goes on. A pause ends one piece of the recording, and what follows begins another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

from router.calls.script import pressed
from router.model.decision import DialNumber, Reason
from router.model.record import CallRecord
from router.model.recording import (
    Direction,
    KeptRecording,
    RecordedPart,
    RecordingDraft,
    RecordingNote,
    RecordingResult,
)
from router.model.sound import FINISHED, KEY
from router.model.tally import Counts
from router.policy.recording import MayRecord, Parties, absence, may_record, parties_of
from router.policy.recording_rules import RecordingRules
from router.policy.snapshot import Policy
from router.ports import MediaBridge, MediaError, MediaSession, RecordingStore, StoreError
from router.prompts.compose import Option, say
from router.prompts.parts import Parts, Pause, Spoken
from router.prompts.parts import Recorded as Prompt
from router.sip.errors import RemoteError
from router.sip.message import Request
from router.sip.name_addr import NameAddr
from router.sip.uri import SipUri, TelUri, parse_uri

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.call import Call
    from router.calls.leg import Leg
    from router.calls.media_path import MediaPath
    from router.calls.voice import Voice

LEAD_IN: Final = Pause(0.3)  # whoever has just picked up has the telephone not at their ear yet
LONGEST: Final = 8 * 3600.0  # seconds of one piece; a call that lasts longer was forgotten
KEY_SECONDS: Final = 4.0  # between two keys of one code
WAIT_SECONDS: Final = 3600.0  # for a key, before it is waited for anew
HEARD: Final = 0.5  # of the packets that playing should take must have gone out: a party on hold hears nothing

_COMPANY_OWN: Final = "recording.announcement"  # a company's recording of its own words
_SOUND: Final = ".wav"

# What is asked of a recording: by key, over HTTP, or by the clock.
START, PAUSE, RESUME, TOGGLE, CLOSE = "start", "pause", "resume", "toggle", "close"

# Where it stands.
OFF, ANNOUNCING, RECORDING, PAUSED, OVER = "off", "announcing", "recording", "paused", "over"


def _reason(clause: str, text: str, french: str) -> Reason:
    return Reason(clause, text, "", french, "recording")


_NOT_WANTED: Final = _reason("X3", "nobody asked for it", "personne ne l'a demandé")
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


class Recordings:
    """What all recordings share.

    Attributes:
        store: keeps them; None: nothing is recorded.
        results: of answered calls, by (result, clause of the last reason).
    """

    def __init__(self, attendant: Attendant) -> None:
        self.attendant = attendant
        self.store: RecordingStore | None = None
        self.results = Counts()

    def begin(self, call: Call, caller: Leg, callee: Leg) -> CallRecording | None:
        """Decide whether two who begin to talk are recorded; None where there are no rules about that."""
        policy, facts, decision = call.policy, call.facts, call.decision
        if not call.recordings and caller.peer == facts.peer:
            parties = parties_of(facts, decision, callee.person, policy)
            number = facts.caller_number
            called = decision.target.number if isinstance(decision.target, DialNumber) else facts.dialled
        else:  # somebody was handed over, for whom the policy was not asked
            way = Direction.INBOUND if caller.outside else Direction.OUTBOUND if callee.outside else Direction.INTERNAL
            parties = Parties(caller.person, callee.person, way)
            number, called = _user(caller), _user(callee)
        verdict = may_record(parties, facts, decision, policy, self.attendant.clock())
        if verdict is None:
            return None
        numbers = (_number(policy, parties.caller, number), _number(policy, parties.called, called) or callee.peer)
        return CallRecording(self, verdict, call, caller, callee, numbers)

    def conclude(
        self, recordings: Sequence[CallRecording], record: CallRecord, recorded: Callable[[CallRecord], None]
    ) -> None:
        """A call is over: let `recorded` take its record, once all is kept that was recorded."""

        def noted() -> None:
            notes = tuple([recording.note for recording in recordings if recording.note is not None])
            if len(notes) == len(recordings):
                recorded(record._replace(recordings=notes))

        open_ = [recording for recording in recordings if not recording.finish(noted)]
        if not open_:
            noted()


class CallRecording:
    """See the module. Made when two begin to talk, and told of all that concerns it.

    Args:
        verdict: of the policy, at that moment.
        numbers: of the caller (None: withheld) and of who was called.
    Attributes:
        state: `OFF`, `ANNOUNCING`, `RECORDING`, `PAUSED` or `OVER`.
        note: for the call's record, once it is certain.
    """

    __slots__ = (
        "_asked",
        "_attendant",
        "_because",
        "_bridge",
        "_call_id",
        "_callee",
        "_caller",
        "_closing",
        "_counted",
        "_draft",
        "_facts",
        "_language",
        "_listening",
        "_noted",
        "_numbers",
        "_part",
        "_parts",
        "_path",
        "_policy",
        "_result",
        "_rules",
        "_shared",
        "_started_at",
        "_task",
        "_wanted",
        "note",
        "state",
        "verdict",
    )

    def __init__(
        self,
        shared: Recordings,
        verdict: MayRecord,
        call: Call,
        caller: Leg,
        callee: Leg,
        numbers: tuple[str | None, str],
    ) -> None:
        rules = call.policy.recording
        assert rules is not None
        self.state = OFF
        self.note: RecordingNote | None = None
        self.verdict = verdict
        self._shared = shared
        self._attendant = shared.attendant
        self._rules: RecordingRules = rules
        self._policy = call.policy
        self._facts = call.facts
        self._language = call.decision.language
        self._call_id = call.call_id
        self._numbers = numbers
        self._caller: Leg | None = caller
        self._callee: Leg | None = callee
        self._path: MediaPath | None = None
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
        self._started_at = 0.0
        self._noted: Callable[[], None] | None = None
        self._counted = False

    # ------------------------------------------------------------------------------------- what the call tells it

    def talk(self, path: MediaPath) -> None:
        """The two talk by this path, now or as soon as it is agreed on."""
        if self.verdict.allowed and self._path is None and self._shared.store is not None:
            self._path = path
            path.when_bridged(self._bridged)

    def ask(self, what: str) -> bool:
        """Ask for `START`, `PAUSE` or `RESUME`; it is done in its turn. False: it makes no sense now.

        `TOGGLE` is whichever of them makes sense.
        """
        fits = {OFF: START, RECORDING: PAUSE, PAUSED: RESUME}.get(self.state)
        if self._bridge is None or self._wanted or fits is None or what not in (fits, TOGGLE):
            return False
        self._want(fits)
        return True

    def info_received(self, leg: Leg, request: Request) -> None:
        """Something came by SIP INFO; it may be a key."""
        key = pressed(request)
        session = None if self._path is None or not key else self._path.session(leg)
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
        if self.state != OFF or self._task is not None:
            return
        self._bridge = bridge
        if self.verdict.at_once:
            self._wanted.append(START)
        self._task = self._attendant.start(self._run(), "call recording")
        if self._rules.key:
            parties = self.verdict.parties
            for leg, person in ((self._caller, parties.caller), (self._callee, parties.called)):
                session = None if leg is None or self._path is None else self._path.session(leg)
                if session is not None and person in self.verdict.licensed:
                    self._listening.append(self._attendant.start(self._listen(session), "recording key"))
        until = self.verdict.until
        if until is not None:
            wait = max(0.0, until - self._attendant.clock())
            self._closing = self._attendant.loop.call_later(wait, self._hours_end)

    async def _run(self) -> None:
        try:
            await self._do_what_is_asked()
            await self._end_part()
            await self._keep()
        except Exception as error:  # whatever is wrong with a recording, the record of its call is written
            self._attendant.complain("call recording", error)
            self._fail(_FAILED)
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
            except StoreError:
                self._fail(_FAILED)
            except MediaError as error:
                error.__traceback__ = None  # it would hold the frames, which hold what waits, in a circle
                self._fail(_FAILED)

    async def _start(self) -> None:
        if not self.verdict.at_once:
            absent = absence(self._facts, self.verdict.parties.people, self._policy, self._attendant.clock())
            if absent is not None:
                self._because = (absent,)
                self._result = RecordingResult.REFUSED
                await self._say_to_both(_prompt("recording.not_recorded"))
                return
        store = self._shared.store
        assert store is not None
        self._to(ANNOUNCING)
        if not await self._announced() or self.state != ANNOUNCING:
            self._to(OFF)
            return
        self._draft = await store.begin(self._attendant.clock())
        self._started_at = self._attendant.loop.time()
        self._begin_part()

    async def _announced(self) -> bool:
        """Let both hear that they are recorded. False: one of them did not hear it to its end, or declines."""
        self._result, self._because = RecordingResult.UNANNOUNCED, (_UNSPEAKABLE,)
        theirs = []
        for voice in self._voices():
            theirs.append(await self._announcement(voice))
        if not all(theirs):
            return False
        self._because = (_UNHEARD,)
        decline = self._rules.decline
        sessions = self._sessions()
        if len(sessions) < 2:
            return False
        playing = [
            asyncio.ensure_future(_heard(session, files, decline))
            for session, files in zip(sessions, theirs, strict=True)
        ]
        heard: list[str] = []
        for task in asyncio.as_completed(playing):
            reason = await task
            heard.append(reason)
            if reason == KEY:
                for session in sessions:
                    session.stop()
        if KEY in heard:
            self._result, self._because = RecordingResult.DECLINED, (_DECLINED,)
            await self._say_to_both(_prompt("recording.not_recorded"))
            return False
        if heard != [FINISHED, FINISHED]:
            return False
        self._result, self._because = RecordingResult.RECORDED, self.verdict.because
        return True

    async def _pause(self) -> None:
        self._to(PAUSED)
        await self._end_part()
        await self._say_to_both(_prompt("recording.paused"))

    async def _resume(self) -> None:
        if await self._say_to_both(_prompt("recording.resumed")) and self.state == PAUSED:
            self._begin_part()

    # ---------------------------------------------------------------------------------------------- its pieces

    def _begin_part(self) -> None:
        bridge, draft = self._bridge, self._draft
        if bridge is None or draft is None:
            return
        self._to(RECORDING)
        after = self._attendant.loop.time() - self._started_at
        self._part = asyncio.ensure_future(self._record(bridge, draft.path, after))
        self._part.add_done_callback(self._part_ended)

    async def _record(self, bridge: MediaBridge, path: str, after: float) -> RecordedPart | None:
        """Record until somebody ends it; None where nothing of it is left."""
        try:
            recorded = await bridge.record(path, max_seconds=LONGEST)
        except MediaError as error:
            error.__traceback__ = None
            self._fail(_FAILED)
            return None
        return RecordedPart(recorded.temporary, after)

    def _part_ended(self, _part: asyncio.Task[RecordedPart | None]) -> None:
        if self.state == RECORDING:  # by itself: it has its greatest length, or failed
            self.state = PAUSED

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
        draft, store, parts = self._draft, self._shared.store, self._parts
        self._draft = None
        if draft is None or store is None:
            return
        if self._result is not RecordingResult.RECORDED or not parts:
            await store.discard(draft, parts)
            return
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
            self._fail(_FAILED)
            await store.discard(draft, parts)
            return
        self.note = RecordingNote(self._result, self._because, draft.id, kept.seconds)

    # ------------------------------------------------------------------------------------------ hearing, speaking

    async def _listen(self, session: MediaSession) -> None:
        """Wait for the code of keys by which one of our people records, pauses and goes on."""
        code = self._rules.key
        session.keys()  # what was pressed before is not meant
        typed = ""
        while self.state != OVER:
            waited, since = (KEY_SECONDS if typed else WAIT_SECONDS), self._attendant.loop.time()
            key = await session.key(waited)
            if not key and self._attendant.loop.time() - since < waited / 2:
                return  # the session is over
            typed = (typed + key)[-len(code) :] if key else ""
            if typed == code:
                typed = ""
                self.ask(TOGGLE)

    async def _announcement(self, voice: Voice) -> list[str]:
        """Return the files of what is said before anything is recorded, in one language."""
        written = self._rules.announcement.get(voice.language.code) or self._rules.announcement.get("") or ""
        lead_in = voice.sounds((LEAD_IN,))
        files = voice.announcement(written) if written else []
        if files == [written] and not written.endswith(_SOUND):  # words
            parts: Parts = (Spoken(written, _COMPANY_OWN, (), (Prompt("recording.consent"),)),)
            await voice.prepare(parts)
            files = voice.sounds(parts)
        elif not written:
            files = voice.sounds((Prompt("recording.consent"),))
        if files and self._rules.decline:
            option = Option(self._rules.decline, "recording.decline")
            files = files + voice.sounds(say("options", {"options": [option]}, voice.language))
        return lead_in + files if files else []

    async def _say_to_both(self, parts: Parts) -> bool:
        """Say something to both; False where one of them did not hear it to its end."""
        voices = self._voices()
        heard = await asyncio.gather(
            *[
                _heard(session, voice.sounds(parts), "")
                for session, voice in zip(self._sessions(), voices, strict=False)
            ]
        )
        return heard == [FINISHED, FINISHED]

    def _sessions(self) -> list[MediaSession]:
        """Our side of the two, the caller's first; fewer where there are not two any more."""
        path = self._path
        if path is None:
            return []
        legs = [leg for leg in (self._caller, self._callee) if leg is not None]
        return [session for session in map(path.session, legs) if session is not None]

    def _voices(self) -> tuple[Voice, Voice]:
        """The caller is spoken to in their language, the other in the company's."""
        return self._attendant.voice_for(self._language), self._attendant.voice

    # ------------------------------------------------------------------------------------------------- in parts

    def _to(self, state: str) -> None:
        if self.state != OVER:
            self.state = state

    def _want(self, what: str) -> None:
        self._wanted.append(what)
        asked = self._asked
        if asked is not None and not asked.done():
            asked.set_result(None)

    def _fail(self, reason: Reason) -> None:
        self._result, self._because = RecordingResult.FAILED, (reason,)
        self._to(OFF)

    def _hours_end(self) -> None:
        """G12, where the rules say so: what is recorded ends, and nothing begins any more."""
        self._closing = None
        if self._result is RecordingResult.RECORDED:
            self._because = (*self._because, _CLOSED)
        self.state = OVER
        self._want(CLOSE)

    def _conclude(self) -> None:
        """What became of it is certain."""
        bridged = self._bridge is not None
        self._cut()
        self._bridge = None
        if self.note is None:
            result, because = self._result, self._because
            if result is RecordingResult.NOT_WANTED and not bridged:
                result, because = RecordingResult.FAILED, (_NO_SOUND,)
            elif result is RecordingResult.NOT_WANTED:
                because = (*because, _NOT_WANTED)
            self.note = RecordingNote(result, because)
        if not self._counted:
            self._counted = True
            self._shared.results[self.note.result, self.note.because[-1].clause] += 1
        noted, self._noted = self._noted, None
        if noted is not None:
            noted()

    def _cut(self) -> None:
        """Let go of everything that is over with the call."""
        self._caller = self._callee = self._path = None
        if self._closing is not None:
            self._closing.cancel()
            self._closing = None
        for task in self._listening:
            task.cancel()
        self._listening.clear()


async def _heard(session: MediaSession, files: list[str], keys: str) -> str:
    """Play to one side; return how that ended, "" where not enough of it went out, or nothing could be played."""
    loop = asyncio.get_running_loop()
    try:
        before, began = (await session.statistics()).sent, loop.time()
        played = await session.play(files, interruptible=keys)
        if played.reason != FINISHED:
            return played.reason
        sent = (await session.statistics()).sent - before
        return FINISHED if sent >= (loop.time() - began) * 50 * HEARD else ""
    except MediaError as error:
        error.__traceback__ = None
        return ""


def _prompt(name: str) -> Parts:
    return (Prompt(name),)


def _number(policy: Policy, person: str | None, number: str | None) -> str | None:
    """The number under which somebody is found: ours by the extension, others in E.164 where that is possible."""
    known = policy.people.get(person) if person is not None else None
    if known is not None:
        return known.extension or known.diverts_as
    return (policy.plan.normalise(number) or number) if number else None


def _user(leg: Leg) -> str:
    """The user part of the address at the other end of a leg; "" for none."""
    try:
        uri = parse_uri(leg.target) if leg.target else NameAddr.parse(leg.dialog.remote).parsed_uri()
    except RemoteError:
        return ""
    return uri.username if isinstance(uri, SipUri) else uri.number if isinstance(uri, TelUri) else ""
