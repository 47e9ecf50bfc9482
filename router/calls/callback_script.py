"""Being called back (P3), as both sides hear it: the caller who wishes it, the person whose phone rings for it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Final

from router.calls.keypad import BETWEEN, NotUnderstoodError, choice, number
from router.calls.originate import Originated
from router.calls.outgoing_script import OutgoingScript
from router.calls.script import Script
from router.model.callback import Callback
from router.policy import decide
from router.policy.calling_back import may_be_promised, number_of, reaches_the_caller, their_call, wished
from router.policy.snapshot import Person
from router.prompts.compose import Option, say
from router.prompts.parts import Recorded as Prompt

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.callbacks import Callbacks

LONGEST_NUMBER: Final = 18  # digits: an international prefix, and E.164's fifteen

CALL, DELETE = "1", "3"  # the latter as when listening to a mailbox
_CHOICES: Final = (Option(CALL, "callback.call_now"), Option(DELETE, "record.cancel"))


async def number_to_call_back(script: Script, person: Person, caller: str | None) -> str:
    """Return the number at which a caller is to be called back; "" where there is none, which they were told.

    Whoever withholds their number enters it by keys. It has to be one that the person could call now (X2): a list of
    expensive destinations is not to be got round by letting the company call them.

    Args:
        person: who is to call them. caller: the number that they call from, None when withheld.

    Raises `HungUp`.
    """
    call = script.call
    policy = call.policy
    given = caller or await number(script, [Prompt("callback.dial")], LONGEST_NUMBER)
    if not given:
        return ""
    spelled = number_of(given, policy)
    refusal: str | None = None
    if spelled:
        decision = decide(their_call(call.facts, person.id, spelled), policy, script.attendant.clock())
        if may_be_promised(decision):
            if caller is None:
                await script.say(*say("callback_number", {"number": spelled}, script.voice.language), BETWEEN)
            return spelled
        refusal = script.attendant.spoken_refusal(decision)
    await script.say(Prompt(refusal or "callback.impossible"), BETWEEN)
    return ""


class Result(StrEnum):
    """How an attempt to call somebody back ended."""

    CONNECTED = "connected"
    PERSON = "person not reached"  # or they did not want to call now
    CALLER = "caller not reached"
    DELETED = "deleted"  # the person does not want to call at all
    FAILED = "failed"  # nothing that either side did


class CallingBack(OutgoingScript):
    """Calls the person, and puts them through to the caller once they have pressed a key: an answering machine, which
    presses none, is no person.

    Attributes:
        result: how it ended.
    """

    def __init__(self, attendant: Attendant, call: Originated, callbacks: Callbacks, callback: Callback) -> None:
        OutgoingScript.__init__(self, attendant, call)
        self.result = Result.FAILED
        self._callbacks = callbacks
        self._callback = callback

    async def run(self) -> None:
        await self.reach()
        self.result = Result.PERSON
        language = self.voice.language
        question = (
            *(Prompt("callback.wanted"), BETWEEN),
            *(*say("telephone", {"number": self._callback.number}, language), BETWEEN),
            *say("options", {"options": _CHOICES}, language),
        )
        try:
            key = await choice(self, question, CALL + DELETE)
        except NotUnderstoodError:
            return
        if key == DELETE:
            self.result = Result.DELETED
            await self.say(Prompt("message.deleted"))
        else:
            await self._call_the_caller()

    async def _call_the_caller(self) -> None:
        """Call the caller, as an ordinary call of the person whose phone has rung."""
        call, callback, exchange = self.call, self._callback, self.attendant.exchange
        await self.say(Prompt("menu.one_moment"))
        phone = call.caller.peer
        account = exchange.gate.accounts.get(phone)
        connection = None if account is None else account.connection
        facts = their_call(call.facts, callback.person, callback.number, phone, connection)
        decision = exchange.decide(facts, call.policy)
        if not reaches_the_caller(decision):
            self.result = Result.CALLER
            await self.say(Prompt(self.attendant.spoken_refusal(decision) or "transfer.failed"))
        elif not await self._callbacks.dials(callback):
            self.result = Result.FAILED
            await self.say(Prompt("transfer.failed"))
        else:
            self.result = Result.CALLER
            reason = wished(callback.taken_at, call.policy.zone)
            await self.put_through(decision._replace(because=(reason, *decision.because)), facts)
            await self.say(Prompt("transfer.failed"))

    def call_over(self) -> None:
        OutgoingScript.call_over(self)
        if self.connected:
            self.result = Result.CONNECTED
        elif self.outcome is not None:
            self.result = Result.PERSON
