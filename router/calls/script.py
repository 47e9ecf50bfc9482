"""What speaks to a caller: one coroutine owned by its call, written like a script, that ends with it.

    class Farewell(Script):
        async def run(self) -> None:
            await self.answer()
            await self.play([goodbye])

The router itself is the other side of the call then: it has answered the caller's INVITE with the session description
of its media engine, and serves what the caller asks for within the dialog.

A script never outlives its call by more than what it has to save: once the caller is gone, whatever it says next raises
`HungUp`, and `LONGEST_FAREWELL` seconds later it is cancelled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from router.calls.call import ATTENDED
from router.calls.leg import CAPABILITIES, AcknowledgedHere
from router.model.decision import Action, Attempt, AttendedTarget, Decision, Facts, Outcome
from router.model.record import Quality
from router.model.sound import CLOSED, KEYS, EngineDied, MediaEvent, MediaTimedOut, Played, Recorded
from router.ports import EngineError, MediaEngine, MediaError, MediaSession, OfferError
from router.prompts.parts import PromptPart
from router.sip.dialog import Answer
from router.sip.message import Request
from router.sip.stack import ALLOW
from router.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.call import Call
    from router.calls.voice import Voice

LONGEST_FAREWELL: Final = 10.0  # seconds to save what was said, after the call is over

NO_MEDIA: Final = 'Reason: SIP;cause=500;text="Media engine failed"\r\n'
SILENT: Final = 'Reason: SIP;cause=408;text="No media"\r\n'


class HungUp(Exception):
    """The caller is gone, or the call is over for another reason: nobody hears the script any more."""


class Ears:
    """Hears what happens to a session unasked, for the script that speaks there now."""

    __slots__ = ("script",)

    def __init__(self, script: Script) -> None:
        self.script: Script | None = script

    def told(self, event: MediaEvent) -> None:
        if self.script is not None:
            self.script.told(event)


class Script:
    """See the module. A script is written as a subclass whose `run` uses the methods of the first part.

    Attributes:
        session: the caller's sound; closed when the call is over.
        connected: whoever the caller was put through to has answered.
    """

    def __init__(self, attendant: Attendant, call: Call) -> None:
        self.attendant = attendant
        self.connected = False
        self._call: Call | None = call
        self._session: MediaSession | None = None
        self._ears = Ears(self)
        self._acknowledged: asyncio.Future[bytes] = attendant.loop.create_future()
        self._renegotiating = False
        self._task: asyncio.Task[None] | None = None
        self._limit: asyncio.TimerHandle | None = None

    async def run(self) -> None:
        """Speak to the caller. When this returns, the call is hung up."""
        raise NotImplementedError

    # -------------------------------------------------------------------------------------- to write scripts with

    @property
    def call(self) -> Call:
        """The call. Raises `HungUp` once it is over."""
        if self._call is None:
            raise HungUp
        return self._call

    @property
    def session(self) -> MediaSession:
        if self._session is None:
            raise HungUp
        return self._session

    @property
    def voice(self) -> Voice:
        """Speaks the caller's language."""
        return self.attendant.voice_for(self.call.decision.language)

    async def answer(self) -> None:
        """Answer the call, and wait until the caller has acknowledged that; nothing, where another script has done so.

        Raises `HungUp`; `MediaError` where the caller's session description answers ours and is of no use.
        """
        call, session = self.call, self.session
        if call.state == ATTENDED:
            return
        offered = bool(call.offer)
        call.answer_with(session.description, AcknowledgedHere(self._ack_received), self.attendant.now())
        self.attendant.flush()
        body = await self._acknowledged
        if self._call is None:
            raise HungUp
        if not offered:
            await session.accept(body)

    def progress(self) -> None:
        """Let the caller hear the script before the call is answered (early media)."""
        self.call.progress_with(self.session.description, self.attendant.now())
        self.attendant.flush()

    async def play(self, sources: Sequence[str], *, interruptible: str = "") -> str:
        """Play sounds one after the other; returns the key that ended them, or "". See `MediaSession.play`."""
        if not sources:
            return ""
        played: Played = await self.session.play(sources, interruptible=interruptible)
        if played.reason == CLOSED:
            raise HungUp
        return played.key

    async def say(self, *parts: PromptPart, interruptible: str = "") -> str:
        """Say a sentence in the caller's language; returns the key that ended it, or ""."""
        voice = self.voice
        await voice.prepare(parts)
        return await self.play(voice.sounds(parts), interruptible=interruptible)

    async def key(self, seconds: float) -> str:
        """Return the next key, or "" after so many seconds."""
        key = await self.session.key(seconds)
        if self._call is None:
            raise HungUp
        return key

    async def record(
        self, path: str, *, max_seconds: float, silence_seconds: float = 0.0, stop_keys: str = ""
    ) -> Recorded:
        """Record the caller. Where they hang up meanwhile, this returns what was said (`CLOSED`)."""
        return await self.session.record(
            path, max_seconds=max_seconds, silence_seconds=silence_seconds, stop_keys=stop_keys
        )

    async def put_through(self, decision: Decision, facts: Facts | None = None) -> bool:
        """Call what the caller chose, who hears it ring; False when that cannot be had, and the script goes on.

        Args:
            facts: of a call of their own that this is; None: it is still the call that came.

        Raises `HungUp` once it worked: the call goes on without the script.
        """
        outcome, told = self._awaited()
        self.attendant.put_through(self.call, decision, facts or self.call.facts, told)
        return await self._ringing(outcome)

    async def follow(self, decision: Decision, facts: Facts) -> None:
        """Do what the policy decided anew about this call: another script goes on in the same sound, or the caller is
        put through. Where nobody answers, the policy is asked again, as with any call.

        Returns when there is nothing left that could answer. Raises `HungUp` once the call goes on without this script.

        Args:
            facts: that the decision was made with.
        """
        policy = self.call.policy
        while decision.action is not Action.REFUSE:
            if isinstance(decision.target, AttendedTarget):
                if self.attendant.hand_over(self, decision, facts):
                    raise HungUp
                attempt = Attempt(str(decision.target), Outcome.UNREACHABLE)
                facts = facts._replace(attempts=(*facts.attempts, attempt))
                decision = self.attendant.exchange.decide(facts, policy)
                continue
            outcome, told = self._awaited()
            onward = self.attendant.follow(self.call, decision, facts, told)
            await self._ringing(outcome)
            if onward.following is None:
                return
            decision, facts = onward.following, onward.facts

    def _awaited(self) -> tuple[asyncio.Future[bool], Callable[[bool], None]]:
        """Return what becomes True when the caller was put through, False when not, and who is to be told."""
        session = self.session
        outcome: asyncio.Future[bool] = self.attendant.loop.create_future()

        def told(worked: bool) -> None:
            self.connected = worked
            if not outcome.done():
                outcome.set_result(worked)
            session.stop()

        return outcome, told

    async def _ringing(self, outcome: asyncio.Future[bool]) -> bool:
        """Let the caller hear it ring until the outcome is known. Raises `HungUp` once they were put through."""
        self.attendant.flush()
        if not outcome.done():
            await self.session.play([self.voice.ringing], loop=True)
        if self._call is None:
            raise HungUp
        return await outcome

    # --------------------------------------------------------------------------------------------- how it goes

    async def perform(self) -> None:
        """Open the session, run, and end the call: what the attendant starts as a task."""
        try:
            if self._session is None:
                await self._open()
            await self.run()
        except HungUp:
            pass
        except OfferError:
            self._fail(488)
        except EngineError as error:
            self._fail(480)
            error.__traceback__ = None  # it would hold the frames, which hold what waits for the engine, in a circle
        except Exception as error:  # whatever is wrong with one script, its caller hears how it ends, and others go on
            self.attendant.complain(type(self).__name__, error)
            self._fail(500)
        finally:
            self._end()

    def begin(self) -> asyncio.Task[None]:
        self._task = self.attendant.loop.create_task(self.perform(), name=type(self).__name__)
        return self._task

    async def ended(self) -> None:
        """Wait until it has run, however that ended."""
        if self._task is not None:
            await asyncio.wait((self._task,))

    async def _open(self) -> None:
        engine = self.attendant.engine_for(self.call.caller)
        if engine is None:
            raise EngineError("there is no media engine")
        session = await self._new_session(engine)
        if self._call is None:  # it was cancelled meanwhile
            session.close()
            raise HungUp
        self._session = session

    async def _new_session(self, engine: MediaEngine) -> MediaSession:
        call = self.call
        trusted = (call.caller.dialog.flow.source[0],)
        if call.offer:
            return await engine.answer(call.offer, self._ears.told, trusted=trusted)
        return await engine.offer(self._ears.told, trusted=trusted)

    def take_over(self, other: Script) -> None:
        """Go on where another script ends, with its caller and its session. It is not to say anything more."""
        self._session, other._session = other._session, None
        self._ears.script = None
        self._ears, other._ears = other._ears, self._ears
        self._ears.script = self
        other._call = None

    def _ack_received(self, body: bytes) -> None:
        if not self._acknowledged.done():
            self._acknowledged.set_result(body)

    def told(self, event: MediaEvent) -> None:
        """Take what happens to the session unasked."""
        call = self._call
        if call is None:
            return
        if isinstance(event, MediaTimedOut):
            self._hang_up(call, SILENT)
        elif isinstance(event, EngineDied):
            self._fail(480)

    def _hang_up(self, call: Call, headers: str) -> None:
        call.end(None, headers, self.attendant.now())
        self.attendant.flush()

    def _fail(self, status: int) -> None:
        """Sound failed: before the answer, the policy finds another way; after it, the call is over."""
        call = self._call
        if call is None:
            return
        if call.state == ATTENDED:
            self._hang_up(call, NO_MEDIA)
        else:
            self.unheard(call, status)
            self.attendant.flush()

    def unheard(self, call: Call, status: int) -> None:
        """The caller could not be spoken to at all, which would be answered with `status`."""
        call.cannot_be_attended(status, self.attendant.now())

    def _end(self) -> None:
        call = self._call
        if call is not None:
            self._hang_up(call, "")
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None
        self._task = None

    # ------------------------------------------------------------------------------------- what the call tells it

    def call_over(self) -> None:
        """Nobody hears it any more: what is awaited returns, and what is said next raises `HungUp`."""
        self._call = None
        self._ears.script = None
        session, self._session = self._session, None
        if session is not None:
            session.close()
        if not self._acknowledged.done():
            self._acknowledged.set_result(b"")
        task = self._task
        if task is not None and task is not asyncio.current_task(self.attendant.loop):
            self._limit = self.attendant.loop.call_later(LONGEST_FAREWELL, task.cancel)

    def quality(self) -> tuple[Quality, ...]:
        """What passed of the caller's sound so far; nothing where the router never spoke to them."""
        session = self._session
        if session is None or not session.codec:
            return ()
        passed = session.passed
        return (Quality("caller", session.codec, passed.sent, passed.received, passed.lost, passed.jitter),)

    def request_received(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """What the caller asks for within the dialog: a change of the session, or keys by SIP INFO."""
        method = request.method
        if method == "INVITE":
            self._renegotiate(transaction, request, now)
        elif method == "INFO":
            key = pressed(request)
            if key and self._session is not None:
                self._session.press(key)
            transaction.respond(200, now)
        else:
            transaction.respond(405, now, headers=ALLOW)

    def _renegotiate(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """Take a re-INVITE: hold, resume, another codec or address (RFC 3261 §14.2)."""
        call, session = self.call, self.session
        caller = call.caller
        if self._renegotiating or caller.answer is not None or caller.changing is not None:
            transaction.respond(491, now)
            return
        caller.dialog.learn_target(request)
        caller.dialog.choose_flow(caller.stack.flows)
        transaction.owner = caller
        if request.body:
            self._renegotiating = True
            self.attendant.start(self._agree(call, transaction, request.body, session))
        else:
            self._accept(call, transaction, session.description, now)  # an offer then; the ACK brings the answer
            caller.due = AcknowledgedHere(self._answered_again)

    def _answered_again(self, answer: bytes) -> None:
        if answer and self._session is not None:
            self.attendant.start(self._take(answer, self._session))

    async def _take(self, answer: bytes, session: MediaSession) -> None:
        with suppress(MediaError):  # what cannot be used leaves everything as it was
            await session.accept(answer)

    async def _agree(self, call: Call, transaction: ServerTransaction, offer: bytes, session: MediaSession) -> None:
        body, status = b"", 488
        try:
            body = await session.renegotiate(offer)
        except OfferError:
            pass
        except MediaError:
            status = 500
        finally:
            self._renegotiating = False
        now = self.attendant.now()
        if call.speaker is None:  # it is over; it may be another script that speaks by now
            if not transaction.answered:
                transaction.respond(487, now)
        elif body:
            self._accept(call, transaction, body, now)
        else:
            transaction.respond(status, now)
        self.attendant.flush()

    def _accept(self, call: Call, transaction: ServerTransaction, body: bytes, now: float) -> None:
        caller = call.caller
        contact = f"Contact: <sip:{caller.dialog.flow.contact}>\r\n"
        headers = f"{contact}{CAPABILITIES}Content-Type: application/sdp\r\n"
        data = transaction.respond(200, now, "", headers, body)
        transaction.owner = None
        caller.answer = Answer(caller.stack, caller.dialog, transaction.flow, data, now)


def pressed(request: Request) -> str:
    """Return the key that an INFO says was pressed, or "" for one about something else.

    Two forms are in use: `application/dtmf-relay` with a line "Signal=5", and `application/dtmf` with "5".
    """
    kind = (request.get("content-type") or "").partition(";")[0].strip().lower()
    text = request.body.decode("utf-8", "replace").strip()
    if kind == "application/dtmf-relay":
        for line in text.splitlines():
            name, _, value = line.partition("=")
            if name.strip().lower() == "signal":
                return _key(value.strip())
        return ""
    return _key(text) if kind == "application/dtmf" else ""


def _key(signal: str) -> str:
    """Return the key of a signal; some phones number the keys as RFC 4733 §3.2 does."""
    if len(signal) == 1 and signal in KEYS:
        return signal
    number = int(signal) if len(signal) == 2 and signal.isascii() and signal.isdigit() else 0
    return KEYS[number] if 10 <= number < len(KEYS) else ""
