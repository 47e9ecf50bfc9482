"""Calls back whoever wished it (P3), as soon as the person whom they wanted is back.

A person is back when an ordinary call would make their phone ring and their line is idle: that is looked at whenever
their line becomes idle (a call ends, a phone registers), whenever a profile is selected or ends, and once a minute for
what the clock alone changes. First their phone rings; when they answer and press the key for it, the caller is called,
as an ordinary call of theirs. For each person one caller at a time is called back, the oldest first.

What is promised is on the disk before it is said. That a caller is being dialled is on the disk before they are: after
a kill at any moment nobody is dialled a second time. Whoever may have been dialled then is left to the person, in whose
mailbox the wish stands from the beginning.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from router.calls.callback_script import CallingBack, Result
from router.model.callback import Callback, CallbackRules
from router.model.decision import Action, Decision, Facts, Origin
from router.model.message import Message, MessageKind, MessageState
from router.model.record import CallRecord
from router.model.tally import Counts
from router.policy.calling_back import CALLBACK, can_be_called_for, number_of, rings_for, wished
from router.ports import CallbackStore, StoreError
from router.sip.timers import Timer

if TYPE_CHECKING:
    from router.calls.exchange import Exchange

BREATH: Final = 3.0  # seconds that somebody gets who has just hung up, or come back
LOOK_EVERY: Final = 60.0  # seconds; how late a schedule's window, or the next try, may be noticed
MAX_AT_ONCE: Final = 10  # people whose phones ring for a callback, so that 08:00 is no storm


class Callbacks:
    """See the module.

    Attributes:
        rules: how often and for how long is tried.
        outcomes: by ("taken" | "connected" | "person not reached" | "caller not reached" | "deleted" | "failed" |
            "given up" | "expired" | "cancelled" | "talked" | "interrupted" | "erased",).
    """

    def __init__(self, exchange: Exchange) -> None:
        self.rules = CallbackRules()
        self.outcomes = Counts()
        self._exchange = exchange
        self._store: CallbackStore | None = None
        self._waiting: dict[str, list[Callback]] = {}  # by person, the oldest first
        self._calling: set[str] = set()  # people who are being called
        self._soon: Timer | None = None
        self._later: Timer | None = None
        self._recorded: Callable[[CallRecord], None] = exchange.recorded

    async def resume(self, store: CallbackStore) -> None:
        """Take up what was promised before a restart, and promise from now on. Raises `StoreError`."""
        exchange = self._exchange
        for callback in await store.load():
            if callback.dialled:
                await store.remove(callback.id)
                self.outcomes["interrupted",] += 1
            else:
                self._waiting.setdefault(callback.person, []).append(callback)
        self._store = store
        exchange.lines.watched = self._waiting
        exchange.lines.returned = self._person_changed
        exchange.states.changed = self._person_changed
        self._recorded, exchange.recorded = exchange.recorded, self._call_ended
        self._look_later()
        self._look_soon()

    # ------------------------------------------------------------------------------------------- what is promised

    def of(self, person: str) -> list[Callback]:
        """Return who waits to be called back by a person, the oldest first."""
        return list(self._waiting.get(person, ()))

    def everybody(self) -> list[Callback]:
        """Return all who wait."""
        return [callback for waiting in self._waiting.values() for callback in waiting]

    def takes(self, person: str) -> bool:
        """Say whether the router itself will call back for a person; else a wish is left in their mailbox alone."""
        known = self._exchange.policy.people.get(person)
        return (
            self._store is not None
            and self.rules.tries > 0
            and known is not None
            and bool(can_be_called_for(known, self._exchange.policy))
            and len(self.of(person)) < self.rules.max_waiting
        )

    async def take(self, number: str, message: Message) -> None:
        """Promise a caller that they are called back by the owner of a mailbox; it is on the disk when this returns.

        Whoever is promised it already by the same person keeps their place.

        Args:
            number: as `number_to_call_back` returned it. message: the wish in the mailbox of the person.

        Raises `StoreError`; then nothing is promised beyond that message.
        """
        store, person = self._store, message.mailbox
        if store is None or any(known.number == number for known in self.of(person)):
            return
        identity = secrets.token_hex(16)
        callback = Callback(identity, person, number, message.caller_name, message.received_at, message.id)
        await store.add(callback)
        self._waiting.setdefault(person, []).append(callback)
        self.outcomes["taken",] += 1
        self._look_later()
        self._look_soon()

    async def cancel(self, person: str, identity: str) -> Callback | None:
        """Promise it no more; None where there is no such callback. Raises `StoreError`."""
        callback = next((one for one in self.of(person) if one.id == identity), None)
        if callback is not None:
            await self._forget(callback, "cancelled")
        return callback

    async def erase(self, number: str) -> int:
        """Forget every wish of a caller; return how many. Raises `StoreError`."""
        found = [callback for callback in self.everybody() if callback.number == number]
        for callback in found:
            await self._forget(callback, "erased")
        return len(found)

    async def dials(self, callback: Callback) -> bool:
        """Note that the caller is dialled from now on. False: they must not be, as it was cancelled or not noted."""
        store = self._store
        assert store is not None
        dialled = callback._replace(dialled=True)
        try:
            return self._replaces(dialled) and await store.change(dialled)
        except StoreError as error:
            self._exchange.attendant.complain("callback", error)
            return False

    # --------------------------------------------------------------------------------------- when somebody is back

    def _person_changed(self, person: str) -> None:
        if person in self._waiting:
            self._look_soon()

    def _look_soon(self) -> None:
        if self._soon is None and self._waiting:
            self._soon = self._start(BREATH, "callbacks soon")

    def _look_later(self) -> None:
        if self._later is None and self._waiting:
            self._later = self._start(LOOK_EVERY, "callbacks later")

    def _start(self, delay: float, name: str) -> Timer:
        attendant = self._exchange.attendant
        timer = self._exchange.stack.timers.start(delay, self, name, attendant.now())
        attendant.loop.call_soon(attendant.flush)  # not at once: the stack may be in the middle of a message
        return timer

    def timer_expired(self, name: str, now: float) -> None:
        """It is time to look who is back."""
        if name == "callbacks soon":
            self._soon = None
        else:
            self._later = None
            self._look_later()
        self._look()

    def _look(self) -> None:
        exchange = self._exchange
        attendant, now = exchange.attendant, exchange.clock()
        for person, waiting in list(self._waiting.items()):
            for callback in list(waiting):
                if callback.taken_at + self.rules.keep_seconds <= now and person not in self._calling:
                    self._drop(callback, "expired")
                    attendant.start(self._leave_to_the_person(callback))
            due = next((callback for callback in waiting if callback.not_before <= now), None)
            if due is None or person in self._calling or len(self._calling) >= MAX_AT_ONCE:
                continue
            if self._rings(due) is not None:
                self._calling.add(person)
                self._replaces(due._replace(not_before=now + LOOK_EVERY))  # whatever goes wrong, not at once again
                attendant.start(self._call_back(due))

    def _rings(self, callback: Callback) -> tuple[Facts, Decision] | None:
        """Return by which call the person is told now, None while they must not be."""
        exchange = self._exchange
        policy = exchange.policy
        person = policy.people.get(callback.person)
        if person is None or exchange.draining or exchange.attendant.engine is None:
            return None
        facts = Facts(
            Origin.ROUTER,
            CALLBACK,
            can_be_called_for(person, policy),
            caller_number=callback.number,
            caller_name=callback.caller_name,
            lines=exchange.lines,
            selections=exchange.selections,
            usage=exchange.usage,
        )
        decision = rings_for(facts, person, policy, exchange.clock())
        if decision is None:
            return None
        reason = wished(callback.taken_at, policy.zone)
        return facts, decision._replace(because=(reason, *decision.because))

    # ------------------------------------------------------------------------------------------------- calling back

    async def _call_back(self, callback: Callback) -> None:
        """One attempt, and what follows from it."""
        try:
            await self._settle(callback, await self._attempt(callback))
        except StoreError as error:
            self._exchange.attendant.complain("callback", error)
        finally:
            self._calling.discard(callback.person)
            self._look_soon()

    async def _attempt(self, callback: Callback) -> Result:
        attendant = self._exchange.attendant
        assert attendant.mailboxes is not None
        if await attendant.mailboxes.message(callback.message) is None:
            return Result.DELETED  # with their mailbox open, the person did away with the wish
        rings = self._rings(callback)
        if rings is None:  # something came between
            return Result.FAILED
        script = attendant.originate(*rings, partial(CallingBack, callbacks=self, callback=callback))
        await script.ended()
        return script.result

    async def _settle(self, callback: Callback, result: Result) -> None:
        rules, now = self.rules, self._exchange.clock()
        again = callback._replace(not_before=now + rules.every_seconds)
        if result is Result.PERSON:
            again = again._replace(person_tries=callback.person_tries + 1)
            # Whoever does not answer now is not called for the next caller either.
            for other in self.of(callback.person):
                self._replaces(other._replace(not_before=max(other.not_before, again.not_before)))
        elif result is Result.CALLER:
            again = again._replace(caller_tries=callback.caller_tries + 1)
        elif result is Result.FAILED:
            again = callback._replace(not_before=now + LOOK_EVERY)
        else:
            await self._fulfilled(callback, result)
            return
        self.outcomes[result,] += 1
        if max(again.person_tries, again.caller_tries) >= rules.tries:
            self._drop(callback, "given up")
            await self._leave_to_the_person(callback)
        elif self._replaces(again) and self._store is not None:
            await self._store.change(again)

    async def _fulfilled(self, callback: Callback, result: Result) -> None:
        await self._forget(callback, result)
        if result is Result.CONNECTED:
            await self._hear_wishes(callback)
        elif self._exchange.attendant.mailboxes is not None:
            await self._exchange.attendant.mailboxes.delete(callback.message)

    async def _hear_wishes(self, callback: Callback) -> None:
        """The two have talked: every such wish of the caller in the person's mailbox counts as heard."""
        attendant, policy = self._exchange.attendant, self._exchange.policy
        if attendant.mailboxes is None or callback.person not in attendant.boxes:
            return
        for message in await attendant.mailboxes.messages(callback.person):
            wish = message.kind is MessageKind.CALLBACK and message.state is MessageState.NEW
            if wish and number_of(message.caller or "", policy) == callback.number:
                await attendant.mailboxes.mark(message.id, MessageState.HEARD)

    async def _leave_to_the_person(self, callback: Callback) -> None:
        """Nobody tries any more: the wish is a new message in the person's mailbox, whatever it was before."""
        try:
            await self._remove(callback)
            mailboxes = self._exchange.attendant.mailboxes
            if mailboxes is not None:
                await mailboxes.mark(callback.message, MessageState.NEW)
        except StoreError as error:
            self._exchange.attendant.complain("callback", error)

    # ------------------------------------------------------------------------------- when they talk without the router

    def _call_ended(self, record: CallRecord) -> None:
        """A call is over: whoever talked to a caller who waits for it need not call them back."""
        self._recorded(record)
        if record.answered_after is None or not self._waiting or record.origin == Origin.ROUTER:
            return
        if record.caller_person in self._waiting:
            self._talked(record.caller_person, record.target or "")
        elif record.owner in self._waiting and record.action == Action.RING:
            self._talked(record.owner, record.caller or "")

    def _talked(self, person: str, number: str) -> None:
        spelled = number_of(number, self._exchange.policy)
        for callback in self.of(person):
            if callback.number == spelled and person not in self._calling:
                self._drop(callback, "talked")
                self._exchange.attendant.start(self._they_talked(callback))

    async def _they_talked(self, callback: Callback) -> None:
        try:
            await self._remove(callback)
            await self._hear_wishes(callback)
        except StoreError as error:
            self._exchange.attendant.complain("callback", error)

    # ------------------------------------------------------------------------------------------------------- in parts

    def _replaces(self, callback: Callback) -> bool:
        """Put what became of a callback in its place; False where it is gone."""
        waiting = self._waiting.get(callback.person, [])
        for place, known in enumerate(waiting):
            if known.id == callback.id:
                waiting[place] = callback
                return True
        return False

    def _drop(self, callback: Callback, outcome: str) -> None:
        """Nobody is called any more for a callback; to be followed by `_remove`."""
        waiting = self._waiting.get(callback.person, [])
        waiting[:] = [known for known in waiting if known.id != callback.id]
        if not waiting:
            self._waiting.pop(callback.person, None)
        self.outcomes[outcome,] += 1

    async def _remove(self, callback: Callback) -> None:
        if self._store is not None:
            await self._store.remove(callback.id)

    async def _forget(self, callback: Callback, outcome: str) -> None:
        self._drop(callback, outcome)
        await self._remove(callback)
