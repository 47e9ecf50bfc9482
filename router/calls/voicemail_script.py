"""Voicemail (V1): a greeting, a beep, the caller's message, and what to do with it.

A message is saved when the caller hangs up after having said something, or presses the key for it, or presses none;
"your message has been saved" is said only once the store has confirmed it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from router.calls.callback_script import number_to_call_back
from router.calls.greeting import CALLBACK, MESSAGE, TRANSFER, Offer, choices, greeting, offers_of
from router.calls.script import HungUp, Script
from router.model.decision import LeaveMessage
from router.model.message import Message, MessageDraft, MessageKind
from router.model.sound import CLOSED, FULL, Recorded
from router.policy.offered import put_through
from router.policy.telling import Told, reason_in_words, what_is_told
from router.ports import DiskFullError, EngineError, MailboxFullError, MailboxStore, StoreError
from router.prompts.compose import Option, say
from router.prompts.parts import Pause
from router.prompts.parts import Recorded as Prompt

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.call import Call

MAX_ROUNDS: Final = 3  # that a caller is asked the same, before it is taken for an answer

SAVE, LISTEN, AGAIN, URGENT, END = "1", "2", "3", "*", "#"
_AFTERWARDS: Final = SAVE + LISTEN + AGAIN + URGENT + END

_CHOICES: Final = (
    Option(SAVE, "record.send"),
    Option(LISTEN, "record.listen"),
    Option(AGAIN, "record.again"),
    Option(URGENT, "record.urgent"),
)
_AFTER: Final = Pause(0.35)  # a sentence
_GOODBYE: Final = (_AFTER, Prompt("menu.goodbye"))
_NO_MESSAGE: Final = (Prompt("system.no_message"), _AFTER, Prompt("system.later"))


class Voicemail(Script):
    """Takes a message for a mailbox."""

    def __init__(self, attendant: Attendant, call: Call, target: LeaveMessage, mailboxes: MailboxStore) -> None:
        Script.__init__(self, attendant, call)
        self._mailbox = target.mailbox
        self._mailboxes = mailboxes
        self._caller: tuple[str | None, str | None] = (None, None)  # number and name, unless withheld
        self._draft: MessageDraft | None = None
        self._recorded: Recorded | None = None
        self._kind = MessageKind.MESSAGE
        self._urgent = False

    async def run(self) -> None:
        call = self.call
        now = self.attendant.clock()
        decision = call.decision
        if not decision.withhold:
            self._caller = decision.shown_number, decision.shown_name
        told = what_is_told(decision, call.facts.attempts, call.weighed, call.policy, self._mailbox, now)
        await self.answer()
        self._draft = await self._begin(call, told, now)
        if self._draft is None:
            return
        try:
            await self._speak_and_save(call, told, now)
        except BaseException:  # not a `finally`: what is compiled must not wait in one (docs/adr/0009)
            await self._let_go()
            raise
        await self._let_go()

    async def _speak_and_save(self, call: Call, told: Told, now: float) -> None:
        try:
            await self._speak(call, told, now)
        except HungUp:
            if self._recorded is not None:
                await self._save()
        except EngineError as error:
            error.__traceback__ = None  # as in `perform`; what it took with it cannot be saved, and ends the call

    # ------------------------------------------------------------------------------------------ up to the beep

    async def _begin(self, call: Call, told: Told, now: float) -> MessageDraft | None:
        """Keep a place for the message; None where there is none, and the caller was told so."""
        try:
            number, name = self._caller
            return await self._mailboxes.begin(self._mailbox, number, name, now, reason_in_words(told))
        except MailboxFullError:
            await self.say(Prompt("record.mailbox_full"), _AFTER, Prompt("system.later"))
        except (StoreError, LookupError) as error:
            self.attendant.complain("voicemail", error)
            await self.say(*_NO_MESSAGE)
        return None

    async def _speak(self, call: Call, told: Told, now: float) -> None:
        offers = offers_of(told)
        if all(offer.kind == MESSAGE for offer in offers):
            offers = ()  # that is what the beep is for
        chosen = await self._greet(told, offers, now, call)
        if chosen is not None and chosen.kind == TRANSFER:
            await self._put_through(call, told, chosen.target)
        elif chosen is not None and chosen.kind == CALLBACK:
            self._kind = MessageKind.CALLBACK
            if await self._note_callback(call, told, now):
                return
        await self._take_message()

    async def _greet(self, told: Told, offers: tuple[Offer, ...], now: float, call: Call) -> Offer | None:
        """Say the greeting and what is offered; returns what the caller chose, None for none."""
        voice = self.voice
        own = self._mailboxes.greeting(self._mailbox, told.kind)
        if own is not None:
            sounds = [own]
        else:
            title = self._mailbox if told.person is None else told.person.name
            parts = greeting(told, title, voice.company, voice.language, now, call.policy.zone)
            await voice.prepare(parts)
            sounds = voice.sounds(parts)
        keys = "".join(offer.key for offer in offers) + END
        key = await self.play(sounds, interruptible=keys)
        if offers:
            names = {person.id: person.name for person in call.policy.people.values()}
            options = choices(offers, names, voice.language)
            for _ in range(MAX_ROUNDS):
                key = key or await self.say(*options, interruptible=keys) or await self.key(self.attendant.patience)
                if key in keys:
                    break
                key = ""
        return next((offer for offer in offers if offer.key == key), None)

    async def _put_through(self, call: Call, told: Told, target: str) -> None:
        """P3: to another person or target, if the policy allows; this returns when that did not work."""
        person, profile = told.person, told.profile
        assert person is not None and profile is not None
        decision = put_through(call.facts, call.policy, person, target, profile.reason.source, self.attendant.clock())
        await self.say(Prompt("transfer.now"))
        await self.put_through(decision)
        await self.say(Prompt("transfer.failed"), _AFTER)

    async def _note_callback(self, call: Call, told: Told, now: float) -> bool:
        """P3: a wish in the mailbox of the person who is to call; where the router can, it will call both.

        False: there is no number to be called, so the caller may say one.
        """
        person, (number, _) = told.person, self._caller
        promised = ""
        if person is not None and self.attendant.exchange.callbacks.takes(person.id):
            promised = await number_to_call_back(self, person, number)
            if not promised:
                return False
            if number is None:
                await self._let_go()
                self._caller = promised, None
                self._draft = await self._begin(call, told, now)
                if self._draft is None:
                    return True
        elif number is None:
            return False
        message = await self._confirm(0.0)
        if message is None:
            await self.say(*_NO_MESSAGE)
            return True
        if promised:
            try:
                await self.attendant.exchange.callbacks.take(promised, message)
            except StoreError as error:  # the wish is in the mailbox all the same
                self.attendant.complain("callback", error)
        await self.say(Prompt("callback.noted"), *_GOODBYE)
        return True

    # -------------------------------------------------------------------------------------------- the message

    async def _take_message(self) -> None:
        for _ in range(MAX_ROUNDS):
            recorded = await self._record()
            if recorded is None:
                return
            if recorded.spoken_seconds < self.attendant.rules.shortest_seconds:
                await self._drop()
                await self.say(Prompt("record.silence"))
                continue
            if recorded.reason == FULL:
                await self.say(Prompt("record.limit"))
            if await self._approve(recorded):
                await self._confirm_to_caller()
                return
            await self._drop()
        await self.say(*_GOODBYE)

    async def _record(self) -> Recorded | None:
        """Record after the beep; None where the disk is full, which the caller was told."""
        draft, rules = self._draft, self.attendant.rules
        assert draft is not None
        await self.say(Prompt("record.after_tone"), interruptible=END)
        await self.play([self.voice.beep])
        seconds = min(draft.max_seconds, rules.max_seconds)
        try:
            self._recorded = await self.record(
                draft.path, max_seconds=seconds, silence_seconds=rules.silence_seconds, stop_keys=END
            )
        except DiskFullError as error:
            self.attendant.complain("voicemail", error)
            await self.say(*_NO_MESSAGE)
            return None
        if self._recorded.reason == CLOSED:
            raise HungUp
        return self._recorded

    async def _approve(self, recorded: Recorded) -> bool:
        """Let the caller decide; False: to record it again. Without an answer it is saved as it is."""
        options = say("options", {"options": _CHOICES}, self.voice.language)
        for _ in range(MAX_ROUNDS):
            key = await self.say(*options, interruptible=_AFTERWARDS) or await self.key(self.attendant.patience)
            while key == LISTEN:
                key = await self.play([recorded.temporary], interruptible=_AFTERWARDS)
            if key == AGAIN:
                return False
            if key == URGENT:
                self._urgent = True
            if key in (SAVE, URGENT, END):
                return True
        return True

    async def _confirm_to_caller(self) -> None:
        if await self._save():
            await self.say(Prompt("record.saved_urgent" if self._urgent else "record.saved"), *_GOODBYE)
        else:
            await self.say(*_NO_MESSAGE)

    # ------------------------------------------------------------------------------------------------- keeping

    async def _save(self) -> bool:
        """Save what was recorded, if anything was said; False where that was impossible."""
        recorded, engine = self._recorded, self.attendant.engine
        assert recorded is not None and engine is not None
        if recorded.spoken_seconds < self.attendant.rules.shortest_seconds:
            return False
        try:
            await engine.keep(recorded)
        except DiskFullError as error:
            self.attendant.complain("voicemail", error)
            return False
        self._recorded = None
        return await self._confirm(recorded.seconds) is not None

    async def _confirm(self, seconds: float) -> Message | None:
        """Make the draft a message, durably; None where that was impossible."""
        draft = self._draft
        assert draft is not None
        try:
            message = await self._mailboxes.confirm(draft, seconds, urgent=self._urgent, kind=self._kind)
        except StoreError as error:
            self.attendant.complain("voicemail", error)
            return None
        self._draft = None
        return message

    async def _drop(self) -> None:
        recorded, self._recorded = self._recorded, None
        if recorded is not None and self.attendant.engine is not None:
            await self.attendant.engine.discard(recorded)

    async def _let_go(self) -> None:
        """Leave nothing behind of what was not saved."""
        await self._drop()
        if self._draft is not None:
            await self._mailboxes.discard(self._draft)
