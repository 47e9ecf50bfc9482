"""Whoever chose to be called back keeps the place in the queue (P3): at their turn an agent is rung, and then they are.

The agent hears what the call is about; the caller is dialled as from that agent, for the queue. A script looks after
one attempt, as the `Desk` of the place.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

from router.calls.agent_call import RELEASED
from router.calls.call import OVER
from router.calls.keypad import BETWEEN
from router.calls.originate import Originated
from router.calls.outgoing_script import OutgoingScript
from router.calls.script import HungUp
from router.calls.talking_back import TalkingBack
from router.model.decision import Action, Decision, Facts, Origin, Outcome, Reason
from router.model.queue import OverflowCause, ReleaseCause, Side
from router.model.queue_events import AgentAnswered, Connected, ConnectionFailed, ConversationEnded, RingFailed
from router.model.queue_service import QueueService
from router.policy.calling_back import may_be_promised, their_call
from router.prompts.compose import say
from router.prompts.parts import Recorded

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.exchange import Exchange
    from router.calls.queue_floor import QueueFloor

QUEUE: Final = "queue"  # stands for the peer of a call that a queue makes


class QueueCallback(OutgoingScript):
    """One attempt to let an agent call somebody back. The first one of a place is the `Desk` of it.

    Args:
        attempts: those for this place, by agent: where everybody is rung there are several.
    """

    def __init__(
        self,
        attendant: Attendant,
        call: Originated,
        service: QueueService,
        floor: QueueFloor,
        place: str,
        agent: str,
        attempts: dict[str, QueueCallback],
    ) -> None:
        OutgoingScript.__init__(self, attendant, call)
        self._service = service
        self._floor = floor
        self._place = place
        self._agent = agent
        self._attempts = attempts
        self._number: asyncio.Future[str] = attendant.loop.create_future()
        self._rings = True
        self._answered = False  # and not talked yet
        self._talks = False

    async def run(self) -> None:
        await self.reach()
        self._rings, self._answered = False, True
        self._floor.tell(AgentAnswered(self._agent, self._place))
        number = await self._number
        voice = self.attendant.voice
        parts = say("whisper", {"queue": self._service.title, "own": f"queue.{self._service.name}"}, voice.language)
        await self.say(*parts, BETWEEN, Recorded("callback.wanted"))
        exchange = self.attendant.exchange
        facts = their_call(self.call.facts, self._agent, number)
        decision = exchange.decide(facts, exchange.policy)
        if may_be_promised(decision):
            line = exchange.policy.queues[self._service.name].forwards_as
            await self._talk(decision._replace(shown_number=line.number, shown_name=line.name), facts)
        self._failed()
        await self.say(Recorded("callback.impossible"))

    async def _talk(self, decision: Decision, facts: Facts) -> None:
        """Dial the caller; this returns when they cannot be had. Raises `HungUp` once the two talk."""
        outcome, told = self._awaited()
        now = self.attendant.now()
        call = TalkingBack(self.attendant.exchange, self.call, facts, told, self._conversation_over, now)
        call.begin(decision, now)
        await self._ringing(outcome)

    def _conversation_over(self) -> None:
        if self._talks:
            self._talks = False
            self._floor.tell(ConversationEnded(self._place))
            self._leave()

    def _failed(self) -> None:
        if self._answered:
            self._answered = False
            self._leave()
            self._floor.tell(ConnectionFailed(self._place, Side.CALLER))

    def _leave(self) -> None:
        """This attempt is over; nobody looks after the place when it was the last one."""
        if self._attempts.get(self._agent) is self:
            del self._attempts[self._agent]
        if not self._attempts:
            self._floor.leave(self._place)

    # ------------------------------------------------------------------------------- what the queue wants (`Desk`)

    def ring(self, agent: str, waited: float) -> None:
        begin_callback(self._floor, self.attendant.exchange, self._service, self._place, agent, self._attempts)

    def release(self, agent: str, cause: ReleaseCause) -> None:
        attempt = self._attempts.pop(agent, None)
        if attempt is not None:
            attempt.give_up(cause)

    def give_up(self, cause: ReleaseCause) -> None:
        """The agent is rung no longer, or hung up."""
        call = self._call
        self._rings = self._answered = False
        if call is not None and call.state != OVER:
            call.end(None, RELEASED[cause], self.attendant.now())

    def connect(self, agent: str, waited: float) -> None:
        """Nobody waits on the line."""

    def call_back(self, agent: str, number: str) -> None:
        attempt = self._attempts.get(agent)
        if attempt is not None:
            attempt.dial(number)

    def dial(self, number: str) -> None:
        """Call the one who is to be called back."""
        if not self._number.done():
            self._number.set_result(number)

    def announce(self, position: int, first: bool) -> None:
        """Nobody listens."""

    def give_notice(self, seconds: float) -> None:
        """Nobody listens."""

    def overflow(self, cause: OverflowCause) -> None:
        """Whoever is called back waits as long as it takes."""

    def refuse(self) -> None:
        """The place is there already."""

    # --------------------------------------------------------------------------------------------- how it ends

    def call_over(self) -> None:
        OutgoingScript.call_over(self)
        if self.connected:
            self._talks, self._answered = True, False
            self._floor.tell(Connected(self._place))
            return
        if not self._number.done():
            self._number.set_exception(HungUp())
            self._number.exception()  # it is known, whether anybody waits or not
        rings, answered = self._rings, self._answered
        self._rings = self._answered = False
        self._leave()
        if rings:
            self._floor.tell(RingFailed(self._agent, self._place, self.outcome or Outcome.UNREACHABLE))
        elif answered:
            self._floor.tell(ConnectionFailed(self._place, Side.AGENT))


def begin_callback(
    floor: QueueFloor,
    exchange: Exchange,
    service: QueueService,
    place: str,
    agent: str,
    attempts: dict[str, QueueCallback],
) -> None:
    """Ring an agent who is to call somebody back.

    Args:
        attempts: for the same place, by agent; this one is put among them.
    """
    attendant = exchange.attendant
    person = exchange.policy.people.get(agent)
    phone = None if person is None else person.phone
    if person is None or phone is None or attendant.engine is None:
        floor.tell(RingFailed(agent, place, Outcome.UNREACHABLE))
        return
    line = exchange.policy.queues[service.name].forwards_as
    reason = Reason(
        "P3",
        f"{service.title}: somebody is to be called back, and it is their turn → {person.name}",
        "",
        f"{service.title} : quelqu'un doit être rappelé, et c'est son tour → {person.name}",
        "queue",
    )
    facts = Facts(
        Origin.ROUTER,
        QUEUE,
        person.extension or person.diverts_as,
        lines=exchange.lines,
        selections=exchange.selections,
        usage=exchange.usage,
    )
    decision = Decision(Action.RING, phone, (reason,), line.number, line.name, person=agent)

    def script(attendant: Attendant, call: Originated) -> QueueCallback:
        return QueueCallback(attendant, call, service, floor, place, agent, attempts)

    first = not attempts
    attempts[agent] = attempt = attendant.originate(facts, decision, script)
    if first:
        floor.take_up(place, attempt)
