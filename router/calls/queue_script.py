"""What a caller hears who waits in a queue: a word of welcome, music, their place, and at last an agent (Q1 to Q5).

The queue decides when something is said and who is rung (`queue_floor.py`); this says it. Nothing that is said keeps
anybody from anything: an answer and a key end it at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import quote

from router.calls.agent_call import AgentCall
from router.calls.keypad import BETWEEN
from router.calls.script import HungUp, Script
from router.model.decision import DialAddress, Outcome, RingPerson
from router.model.queue import OverflowCause, ReleaseCause, Side
from router.model.queue_events import (
    AgentAnswered,
    CallbackWanted,
    CallerEntered,
    CallerHungUp,
    CallerLeft,
    Connected,
    ConnectionFailed,
    ConversationEnded,
    RingFailed,
)
from router.model.queue_service import QueueService
from router.model.sound import EngineDied, MediaEvent, MediaTimedOut
from router.policy import decide
from router.policy.agents import after_waiting
from router.policy.calling_back import may_be_promised, number_of, their_call
from router.ports import MediaError, MediaSession, StoreError
from router.prompts.compose import say
from router.prompts.parts import PromptPart, Recorded

if TYPE_CHECKING:
    from router.calls.attendant import Attendant
    from router.calls.call import Call
    from router.calls.destination import Destination
    from router.calls.queue_floor import QueueFloor

THANKED_AFTER: Final = 3.0  # seconds; whoever waited for less has not waited
_OUTCOMES: Final = {
    OverflowCause.MAX_WAIT: Outcome.MAX_WAIT,
    OverflowCause.UNATTENDED: Outcome.NO_AGENT,
    OverflowCause.QUEUE_GONE: Outcome.UNREACHABLE,
}
_THANKS: Final = Recorded("queue.thanks")
_HOLD: Final = Recorded("queue.hold")
_NOTICES: Final = {
    "message": Recorded("queue.notice_message"),
    "callback": Recorded("queue.notice_callback"),
    "transfer": Recorded("queue.notice_transfer"),
}


class Queueing(Script):
    """Looks after one caller in a queue; is the `Desk` of their place."""

    def __init__(self, attendant: Attendant, call: Call, service: QueueService, floor: QueueFloor) -> None:
        Script.__init__(self, attendant, call)
        self._service = service
        self._floor = floor
        self._place = attendant.exchange.stack.ids.token()
        self._arrived = call.started
        self._keys = service.message_key + service.callback_key
        # What is to be said or done next; the most urgent goes first.
        self._over: Outcome | None = None
        self._agent = ""  # who has answered
        self._notice = False
        self._position = 0
        self._thanks = False
        self._rounds = 0  # of music
        self._music = False  # is being played: whatever there is to say ends it
        self._waits = False  # has a place
        self._agents_call: AgentCall | None = None
        self._agents_session: MediaSession | None = None
        self._offering = False  # our offer to the agents is being made
        self._to_ring: list[str] = []
        self._cut_off = False

    # --------------------------------------------------------------------------------------------- what is heard

    async def run(self) -> None:
        await self.answer()
        call = self.call
        caller = None if call.decision.withhold else call.decision.shown_number
        event = CallerEntered(
            self._place,
            self._service.name,
            self._arrived,
            caller,
            self._service.tier(caller),
            self._service.needs,
        )
        self._waits = True
        self._note("entered", self._service.name)
        self._floor.enter(self, event)
        self.attendant.flush()
        await self._wait()

    async def _wait(self) -> None:
        key = "" if self._urgent else await self._welcome()
        while True:
            if self._over is not None:
                await self._go_elsewhere(self._over)
                return
            if self._agent:
                await self._connect()
            elif key and key == self._service.callback_key:
                if await self._promise_callback():
                    return
            elif key:
                self._pressed(key)
            elif self._notice:
                self._notice = False
                key = await self._tell(_NOTICES[self._service.then])
                continue
            elif self._position:
                key = await self._tell_position()
                continue
            elif self._thanks:
                self._thanks = False
                key = await self._tell(_THANKS)
                continue
            else:
                key = await self._wait_with_music()
                continue
            key = ""

    async def _welcome(self) -> str:
        """Whoever is served at once hears none of it."""
        written = self._service.welcome
        if written:
            return await self._hear(self.voice.announcement(written))
        return await self._tell(_HOLD)

    async def _tell_position(self) -> str:
        """Q3, Q4: the place, and thanks to whoever has waited."""
        place, self._position = self._position, 0
        parts = say("position", {"place": place}, self.voice.language)
        if not self._thanks:
            return await self._tell(*parts)
        self._thanks = False
        return await self._tell(*parts, BETWEEN, _THANKS)

    async def _tell(self, *parts: PromptPart) -> str:
        voice = self.voice
        await voice.prepare(parts)
        return await self._hear(voice.sounds(parts))

    async def _hear(self, sounds: list[str]) -> str:
        """Play something that nothing urgent waits for; returns the key that ended it, or ""."""
        return "" if self._urgent else await self.play(sounds, interruptible=self._keys)

    async def _wait_with_music(self) -> str:
        """Q6: until there is something to be said or done."""
        pieces = self._service.music
        first = self._rounds % len(pieces) if pieces else 0  # so that nobody hears one beginning again and again
        self._rounds += 1
        sounds = [sound for piece in (*pieces[first:], *pieces[:first]) for sound in self.voice.music(piece)]
        self._music = True
        played = await self.session.play(sounds or [self.voice.ringing], interruptible=self._keys, loop=True)
        self._music = False
        if self._call is None:
            raise HungUp
        return played.key

    @property
    def _urgent(self) -> bool:
        return self._over is not None or bool(self._agent)

    def _wake(self, *, urgent: bool = False) -> None:
        """There is something to be said or done: music ends for it, and for what is urgent everything."""
        if (urgent or self._music) and self._session is not None:
            self._session.stop()

    # ------------------------------------------------------------------------------------------ where it goes on

    def _pressed(self, key: str) -> None:
        """Q5: the caller leaves the line."""
        if key == self._service.message_key:
            self._over = Outcome.LEFT_QUEUE
            self._leave(CallerLeft(self._place))

    async def _promise_callback(self) -> bool:
        """P3: the caller hangs up, keeps the place, and is called at their turn. False: that cannot be promised, and
        they wait on."""
        exchange, call = self.attendant.exchange, self.call
        shown = None if call.decision.withhold else call.decision.shown_number
        number = number_of(shown or "", exchange.policy)
        agents = self._service.rules.members
        promised = bool(number and agents)
        if promised:
            facts = their_call(call.facts, agents[0].agent, number)
            promised = may_be_promised(decide(facts, exchange.policy, exchange.clock()))
        if not promised:
            await self._tell(Recorded("callback.impossible"))
            return False
        self._waits = False
        self._note("callback", number)
        self._floor.tell(CallbackWanted(self._place, number))
        self._give_up_ringing()
        self._floor.leave(self._place)
        self.attendant.flush()
        try:
            await self._floor.stored()
        except StoreError as error:
            self.attendant.complain("queue", error)
            await self.say(Recorded("callback.impossible"))
            return True
        await self.say(Recorded("callback.noted"), BETWEEN, Recorded("callback.keeps_place"))
        return True

    async def _go_elsewhere(self, outcome: Outcome) -> None:
        """Follow what the policy says of callers whom the queue did not serve; this returns when nothing is left."""
        self._note("left", outcome.value)
        self._give_up_ringing()
        self._floor.leave(self._place)
        self.attendant.flush()
        if outcome is Outcome.QUEUE_FULL:
            await self.say(Recorded("queue.full"), BETWEEN)
        elif outcome is Outcome.NO_AGENT:
            await self.say(Recorded("queue.no_agent"), BETWEEN)
        call = self.call
        decision, facts = after_waiting(call.facts, call.policy, self._service.name, outcome, self.attendant.clock())
        await self.follow(decision, facts)
        await self.say(Recorded("system.later"))

    def _note(self, what: str, detail: str) -> None:
        """Take note of it for the record."""
        if self._call is not None:
            self._call.note(what, detail, self.attendant.now())

    def _leave(self, event: CallerLeft | CallerHungUp) -> None:
        if self._waits:
            self._waits = False
            self._floor.tell(event)

    # --------------------------------------------------------------------------------------------- connecting them

    async def _connect(self) -> None:
        """Let the caller hear the agent who has answered. Returns when that failed, and they wait on."""
        ringing, agents = self._agents_call, self._agents_session
        engine = self.attendant.engine
        self._agent = ""
        if ringing is None or agents is None or engine is None:
            return
        self._agents_session = None  # whatever becomes of it, it is not offered to anybody else
        try:
            await agents.accept(ringing.description)
            await self._whisper(agents)
            bridge = await engine.bridge(self.session, agents)
            if self._call is None:
                raise HungUp
            if not ringing.agent_is_there:
                bridge.close()
                agents.close()
                return
            session, self._session = self._session, None
            assert session is not None
            self._ears.script = None
            ringing.joined_by(session, agents, bridge, self.attendant.now())
        except HungUp:
            agents.close()
            raise
        except MediaError as error:
            error.__traceback__ = None  # it would hold the frames, which hold what waits for the engine, in a circle
            agents.close()
            if self._call is None:
                raise HungUp from None
            self._forget_ringing()
            ringing.give_up(self.attendant.now())
            self._floor.tell(ConnectionFailed(self._place, Side.AGENT))
            self.attendant.flush()
            return
        self.attendant.flush()
        raise HungUp

    async def _whisper(self, agents: MediaSession) -> None:
        """Q7: the agent alone hears for which queue the call is."""
        if self._service.whisper:
            voice = self.attendant.voice
            parts = say("whisper", {"queue": self._service.title, "own": f"queue.{self._service.name}"}, voice.language)
            await voice.prepare(parts)
            await agents.play(voice.sounds(parts))

    # ------------------------------------------------------------------------------- what the queue wants (`Desk`)

    def ring(self, agent: str, waited: float) -> None:
        if waited >= THANKED_AFTER and self._agents_call is None:
            self._thanks = True  # Q4: before they are connected
            self._wake()
        self._note("rings", agent)
        self._to_ring.append(agent)
        if self._agents_session is not None:
            self._ring_now()
        elif not self._offering:
            self._offering = True
            self.attendant.start(self._offer())

    async def _offer(self) -> None:
        """Make the offer that agents get, and ring those who are to be rung by then."""
        engine = self.attendant.engine
        session: MediaSession | None = None
        try:
            if engine is not None:
                session = await engine.offer(self._agent_heard)
        except MediaError as error:
            error.__traceback__ = None
        self._offering = False
        if session is not None and (self._call is None or not self._waits):
            session.close()
            session = None
        self._agents_session = session
        self._ring_now()
        self.attendant.flush()

    def _ring_now(self) -> None:
        agents, self._to_ring = self._to_ring, []
        session, call = self._agents_session, self._call
        for agent in agents:
            destinations = self._phones(agent)
            if session is None or call is None or not destinations:
                self._floor.tell(RingFailed(agent, self._place, Outcome.UNREACHABLE))
                continue
            if self._agents_call is None:
                self._agents_call = self._new_call(call)
            headers = self._headers(agent)
            self._agents_call.ring(agent, destinations, session.description, headers, self.attendant.now())

    def _new_call(self, call: Call) -> AgentCall:
        service, decision = self._service, call.decision
        who = decision.shown_name or decision.shown_number or ""
        shown = decision._replace(shown_name=f"{service.title}: {who}" if who else service.title)
        return AgentCall(self.attendant.exchange, call, shown, self, self.attendant.now())

    def _headers(self, agent: str) -> str:
        """What an agent's phones show and how they ring: the queue, and what is to be said (Q7)."""
        service = self._service
        language = self.voice.language.code
        people = self.attendant.exchange.policy.people
        script = service.words(language, self.voice.company, people[agent].name if agent in people else agent)
        told = f"Call-Info: <data:text/plain;charset=utf-8,{quote(script)}>;purpose=info\r\n" if script else ""
        return f"Subject: {service.title}\r\nAlert-Info: <urn:alert:source:external>;info=queue\r\n{told}"

    def _phones(self, agent: str) -> list[Destination]:
        """Return where all phones of an agent can be reached now (F4)."""
        exchange = self.attendant.exchange
        person = exchange.policy.people.get(agent)
        phone = None if person is None else person.phone
        if isinstance(phone, RingPerson):
            accounts = (*phone.accounts, *(account for _, later in phone.later for account in later))
            return exchange.directory.devices(agent, accounts)
        return exchange.directory.find(phone)[0] if isinstance(phone, DialAddress) else []

    def release(self, agent: str, cause: ReleaseCause) -> None:
        if agent in self._to_ring:
            self._to_ring.remove(agent)
        elif self._agents_call is not None:
            if self._agent == agent:
                self._agent = ""
            self._agents_call.release(agent, cause, self.attendant.now())

    def connect(self, agent: str, waited: float) -> None:
        self._agent = agent
        self._note("answered", agent)
        self._wake(urgent=True)

    def call_back(self, agent: str, number: str) -> None:
        """Whoever is to be called back does not wait on the line."""
        self._floor.tell(ConnectionFailed(self._place, Side.CALLER))

    def announce(self, position: int, first: bool) -> None:
        self._position = position
        self._note("position", str(position))
        self._thanks = True
        self._wake()

    def give_notice(self, seconds: float) -> None:
        self._notice = True
        self._note("notice", "")
        self._wake()

    def overflow(self, cause: OverflowCause) -> None:
        self._end_wait(_OUTCOMES[cause])

    def refuse(self) -> None:
        self._end_wait(Outcome.QUEUE_FULL)

    def _end_wait(self, outcome: Outcome) -> None:
        self._waits = False
        self._over = outcome
        self._wake(urgent=True)

    # ------------------------------------------------------------------------- what comes of it (`RingingDesk`)

    def agent_answered(self, agent: str) -> bool:
        if not self._waits:
            return False
        self._floor.tell(AgentAnswered(agent, self._place))
        return self._agent == agent

    def ring_failed(self, agent: str, outcome: Outcome) -> None:
        self._note("refused", outcome.value)
        self._floor.tell(RingFailed(agent, self._place, outcome))

    def agent_lost(self) -> None:
        self._agent = ""
        self._forget_ringing()
        if self._waits:
            self._note("failed", "")
            self._floor.tell(ConnectionFailed(self._place, Side.AGENT))

    def conversation_over(self) -> None:
        self._floor.tell(ConversationEnded(self._place))
        self._floor.leave(self._place)

    def _agent_heard(self, event: MediaEvent) -> None:
        """What happens to the agents' session unasked, until they talk: the caller's hears of an engine that died."""

    # --------------------------------------------------------------------------------------------- how it ends

    def told(self, event: MediaEvent) -> None:
        if isinstance(event, MediaTimedOut | EngineDied):
            self._cut_off = True  # not their doing: the place is kept for a while
        Script.told(self, event)

    def call_over(self) -> None:
        Script.call_over(self)
        ringing = self._agents_call
        if ringing is not None and ringing.talks:
            self._waits = False
            self._agents_call = None
            self._floor.tell(Connected(self._place))
            return
        cut_off = self._cut_off or self.attendant.exchange.draining
        self._leave(CallerHungUp(self._place, cut_off))
        self._give_up_ringing()
        self._floor.leave(self._place)

    def _give_up_ringing(self) -> None:
        ringing = self._agents_call
        self._forget_ringing()
        if ringing is not None:
            ringing.give_up(self.attendant.now())

    def _forget_ringing(self) -> None:
        self._agents_call = None
        self._to_ring = []
        session, self._agents_session = self._agents_session, None
        if session is not None:
            session.close()
