"""A mailbox by phone (V1): its owner dials a code, gives the PIN, and hears what callers said.

A message counts as heard once its owner heard it to its end or pressed a key meanwhile; who hangs up finds it new.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Final

from router.calls.greeting_script import GreetingDesk
from router.calls.keypad import BETWEEN, KEYS, MAX_ROUNDS, NotUnderstoodError, choice, number
from router.calls.pin_attempts import MAX_WRONG
from router.calls.script import Script
from router.model.audit import AuditEntry
from router.model.decision import Action, Origin
from router.model.mailbox import Mailbox, pin_fits
from router.model.message import Message, MessageKind, MessageState
from router.policy.codes import CODE_STARTS
from router.ports import MailboxFullError, MailboxStore, MediaError, StoreError
from router.prompts.compose import Option, say
from router.prompts.parts import Parts, PromptPart
from router.prompts.parts import Recorded as Prompt

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.call import Call

LONGEST_PIN: Final = 10  # digits
LONGEST_EXTENSION: Final = 12

AGAIN, SAVE, DELETE, CALL_BACK, FORWARD, NEXT, PREVIOUS, GREETINGS = "1", "2", "3", "4", "5", "6", "7", "9"
LEAVE: Final = "0*"

_PREVIOUS: Final = Option(PREVIOUS, "message.previous")
_GREETINGS: Final = Option(GREETINGS, "mailbox.change_greeting")
_ABOUT_A_MESSAGE: Final = (
    Option(AGAIN, "message.again"),
    Option(SAVE, "message.save"),
    Option(DELETE, "record.cancel"),
    Option(CALL_BACK, "message.call_back"),
    Option(FORWARD, "message.forward"),
    Option(NEXT, "message.next"),
    _PREVIOUS,
    _GREETINGS,
)


class MailboxByPhone(Script):
    """Opens a mailbox to one of its people."""

    def __init__(self, attendant: Attendant, call: Call, mailbox: Mailbox, mailboxes: MailboxStore) -> None:
        Script.__init__(self, attendant, call)
        self._mailbox = mailbox
        self._mailboxes = mailboxes
        self._messages: list[Message] = []  # as they were when the call began, without those that were deleted
        self._at = 0  # which of them is being heard; beyond the last one: none any more

    async def run(self) -> None:
        await self.answer()
        try:
            if not await self._let_in():
                return
            await self._serve()
        except NotUnderstoodError:
            pass
        except StoreError as error:
            self.attendant.complain("mailbox by phone", error)
            await self.say(Prompt("system.error"), BETWEEN, Prompt("system.later"), BETWEEN)
        await self.say(Prompt("menu.goodbye"))

    # ------------------------------------------------------------------------------------------------ the door

    async def _let_in(self) -> bool:
        """Ask for the PIN. Only one's own phone opens a mailbox that has none."""
        mailbox, attendant = self._mailbox, self.attendant
        if not mailbox.pin:
            if self.call.facts.origin is Origin.PERSON:
                return True
            await self.say(Prompt("refused.contact"))
            return False
        attempts = attendant.pin_attempts
        for _ in range(MAX_ROUNDS):
            shut = attempts.shut_for(mailbox.name, attendant.clock())
            if shut:
                break
            pin = await number(self, [Prompt("mailbox.pin")], LONGEST_PIN)
            if not pin:
                await self.say(Prompt("menu.nothing"), BETWEEN)
                continue
            if attempts.may_try(mailbox.name, attendant.clock()):
                if await asyncio.to_thread(pin_fits, pin, mailbox.pin):
                    attempts.right(mailbox.name)
                    return True
                self._note_wrong_pin()
                await self.say(Prompt("mailbox.pin_wrong"), BETWEEN)
        if attempts.shut_for(mailbox.name, attendant.clock()):
            await self.say(Prompt("mailbox.pin_blocked"))
        return False

    def _note_wrong_pin(self) -> None:
        attendant, name, now = self.attendant, self._mailbox.name, self.attendant.clock()
        shut = attendant.pin_attempts.shut_for(name, now)
        if shut:
            outcome = f"refused: {MAX_WRONG} wrong PINs in a row; shut for {shut:.0f} s"
            attendant.audit(AuditEntry(now, f"phone {self._phone()}", "open mailbox", name, after=outcome))

    def _phone(self) -> str:
        facts = self.call.facts
        return facts.peer if facts.origin is Origin.PERSON else f"{facts.caller_number} at {facts.peer}"

    # -------------------------------------------------------------------------------------------- the messages

    async def _serve(self) -> None:
        name = self._mailbox.name
        self._messages = await self._mailboxes.messages(name)
        counts = self._mailboxes.counts(name)
        key = await self.say(
            *(Prompt("mailbox.welcome"), BETWEEN),
            *(*self._composed("mailbox", new=counts.new, saved=counts.old), BETWEEN),
            interruptible=KEYS,
        )
        if not key and self._messages:
            key = await self._present()
        elif key and key not in LEAVE + GREETINGS:
            key = await self._present()  # what is not heard yet cannot be meant
        while True:
            message = self._message()
            options = _ABOUT_A_MESSAGE if message else (*((_PREVIOUS,) if self._messages else ()), _GREETINGS)
            keys = "".join(option.key for option in options) + LEAVE
            key = await choice(self, self._composed("options", options=options), keys, key)
            if key in LEAVE:
                return
            key = await self._do(key, message)

    def _message(self) -> Message | None:
        return self._messages[self._at] if self._at < len(self._messages) else None

    async def _present(self, *before: PromptPart) -> str:
        """Say which message it is, and play it; returns the key that was pressed meanwhile, or ""."""
        message = self._message()
        if message is None:
            return await self.say(*before, Prompt("message.end"), BETWEEN, interruptible=KEYS)
        zone, now = self.call.policy.zone, self.attendant.clock()
        intro = self._composed(
            "message",
            number=self._at + 1,
            received=datetime.fromtimestamp(message.received_at, zone),
            now=datetime.fromtimestamp(now, zone),
            caller=message.caller or "",
            urgent=message.urgent,
        )
        wish = (Prompt("callback.wanted"), BETWEEN) if message.kind is MessageKind.CALLBACK else ()
        sounds = self.voice.sounds((*before, *intro, BETWEEN, *wish))
        if message.has_sound:
            sounds.append(self._mailboxes.sound(message))
        try:
            key = await self.play(sounds, interruptible=KEYS)
        except MediaError as error:
            self.attendant.complain("mailbox by phone", error)
            return await self.say(*before, *intro, BETWEEN, Prompt("system.error"), BETWEEN, interruptible=KEYS)
        if message.state is MessageState.NEW:
            await self._mark(message, MessageState.HEARD)
        return key

    async def _mark(self, message: Message, state: MessageState) -> None:
        await self._mailboxes.mark(message.id, state)
        self._messages[self._at] = message._replace(state=state)

    async def _do(self, key: str, message: Message | None) -> str:
        """Do what a key asks for; returns a key that was pressed meanwhile, or ""."""
        if key == GREETINGS:
            return await self._greetings()
        if key == PREVIOUS:
            self._at = max(0, self._at - 1)
            return await self._present()
        assert message is not None  # the other keys are offered with a message only
        if key == CALL_BACK:
            return await self._call_back(message)
        if key == FORWARD:
            return await self._forward(message)
        if key == SAVE:
            await self._mark(message, MessageState.SAVED)
            self._at += 1
            return await self._present(Prompt("message.saved"), BETWEEN)
        if key == DELETE:
            await self._mailboxes.delete(message.id)
            del self._messages[self._at]
            return await self._present(Prompt("message.deleted"), BETWEEN)
        if key == NEXT:
            self._at += 1
        return await self._present()

    async def _call_back(self, message: Message) -> str:
        """Call whoever left the message, as an ordinary call of this person: the policy decides."""
        call, attendant = self.call, self.attendant
        to = message.caller or ""
        # A caller says what their number is: it must never be taken for a code, nor raise an alarm.
        if not to or to[0] in CODE_STARTS:
            return await self.say(Prompt("callback.impossible"), BETWEEN, interruptible=KEYS)
        facts = call.facts._replace(dialled=to, attempts=())
        decision = attendant.exchange.decide(facts, call.policy)
        if decision.action in (Action.REFUSE, Action.FEATURE, Action.EMERGENCY):
            refusal = attendant.spoken_refusal(decision) or "callback.impossible"
            return await self.say(Prompt(refusal), BETWEEN, interruptible=KEYS)
        await self.say(Prompt("menu.one_moment"))
        await self.put_through(decision, facts)
        return await self.say(Prompt("transfer.failed"), BETWEEN, interruptible=KEYS)

    async def _forward(self, message: Message) -> str:
        """Put a copy of the message into the mailbox of a colleague."""
        extension = await number(self, [Prompt("message.forward_to")], LONGEST_EXTENSION)
        if not extension:
            return ""
        person = self.call.policy.extensions.get(extension)
        mailbox = None if person is None else self.attendant.boxes.get(person.id)
        if mailbox is None or mailbox.person is None or mailbox.name == self._mailbox.name:
            return await self.say(Prompt("refused.number"), BETWEEN, interruptible=KEYS)
        try:
            await self._mailboxes.forward(message.id, mailbox.name)
        except MailboxFullError:
            return await self.say(Prompt("record.mailbox_full"), BETWEEN, interruptible=KEYS)
        return await self.say(Prompt("message.forwarded"), BETWEEN, interruptible=KEYS)

    async def _greetings(self) -> str:
        try:
            await GreetingDesk(self, self._mailboxes, self._mailbox.name).serve()
        except MediaError as error:
            self.attendant.complain("greeting by phone", error)
            return await self.say(Prompt("system.error"), BETWEEN, interruptible=KEYS)
        return ""

    def _composed(self, kind: str, **values: object) -> Parts:
        return say(kind, values, self.voice.language)
