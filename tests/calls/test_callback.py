"""Being called back (P3), as both sides live it: a real media engine, a real database, real RTP, fake SIP time."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from router.calls.callbacks import BREATH, LOOK_EVERY, Callbacks
from router.configuration import Configuration
from router.media.client import Engine
from router.model.decision import SelectedBy
from router.model.message import Message, MessageKind, MessageState
from router.proof.replay import replay
from router.stores.callbacks import SqliteCallbacks
from tests.calls.story import COMPANY, Actor, Phone, configuration_of
from tests.calls.voice_story import Tale, eventually, write_coded_prompts
from tests.media.peer import Peer

TEXT = (
    COMPANY.replace('voicemail: {sip: "sip:{extension}@192.0.2.91:5091"}', 'voicemail: {mailbox: "{person}"}').replace(
        "country: BE", "country: BE\n  languages: [fr]"
    )
    + """
hours: {office: {calendar: weekdays, from: "08:00", to: "17:00"}}
profiles:
  lunch: {kind: absent, says: {fr: En pause déjeuner}, offers: [message, callback]}
limits: {premium: {prefixes: ["+32900"], calls_per_day: 1}}
callbacks: {tries: 2, every: 10min, keep_days: 7}
"""
).replace(
    "unreachable: voicemail}",
    "unreachable: voicemail}\n    rings_within: office",
)
BOB, CALLER, OTHER = "+3242200121", "+32475111222", "+32475333444"
EVERY = 600.0

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="session")
def callback_company(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return configuration_of(TEXT, tmp_path_factory.mktemp("callback company"))


@pytest.fixture(scope="session")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_coded_prompts(tmp_path_factory.mktemp("prompts"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[Engine]:
    made = Engine(["127.0.0.1"])
    await made.start()
    yield made
    await made.stop()


@dataclass
class Wish:
    """A tale in which Bob is at lunch, and callers wish to be called back.

    Attributes:
        bob: his desk phone; trunk: where the outside world is.
    """

    tale: Tale
    store: SqliteCallbacks
    bob: Phone
    trunk: Actor
    _rung: int = 0

    @property
    def callbacks(self) -> Callbacks:
        return self.tale.story.exchange.callbacks

    async def taken(self, number: str = CALLER) -> Message:
        """A callback that was promised earlier."""
        draft = await self.tale.mailboxes.begin("bob", number, "Paul", self.tale.story.clock())
        message = await self.tale.mailboxes.confirm(draft, 0.0, kind=MessageKind.CALLBACK)
        await self.callbacks.take(number, message)
        return message

    def bob_is_back(self) -> None:
        story = self.tale.story
        story.exchange.states.take_back("bob", SelectedBy.PERSON, "phone 201", story.clock())
        story.advance(BREATH)

    async def bobs_phone_rings(self) -> None:
        await eventually("Bob's phone rings", lambda: self.calls_to_bob > self._rung)
        self._rung = self.calls_to_bob
        self.bob.rings()

    async def does_not_ring(self, seconds: float = LOOK_EVERY + BREATH) -> None:
        """Let time pass, and see that Bob is left in peace."""
        self.tale.story.advance(seconds)
        await self.is_quiet()
        assert self.calls_to_bob == self._rung

    @property
    def calls_to_bob(self) -> int:
        return sum(conversation.sent is None for conversation in self.bob.conversations)

    async def is_quiet(self) -> None:
        """Nothing that was begun goes on."""
        await self.tale.story.exchange.attendant.settled()

    async def bob_answers(self) -> None:
        await self.bobs_phone_rings()
        self.tale.caller = self.bob
        self.tale.turns_to(self.tale.peer)
        self.tale.peer.heed(self.bob.waiting.body)
        self.bob.answers(body=self.tale.peer.sdp())
        assert self.bob.received("ACK")

    async def bob_calls(self, number: str = CALLER) -> None:
        """Bob answers, and presses the key; the caller's phone rings."""
        await self.bob_answers()
        await self.tale.hears("callback.wanted", "callback.call_now", "key.1")
        self.tale.presses("1")
        self.trunk.forgets()
        await eventually("the caller is dialled", lambda: self.trunk.received("INVITE"))
        assert self.trunk.waiting.uri == f"sip:{number}@198.51.100.1"

    async def bob_is_busy(self) -> None:
        self.bob.refuses(486)
        await self.is_quiet()

    async def left(self) -> list[str]:
        """Who is still to be called back, as it would be after a restart."""
        return [callback.number for callback in await self.store.load()]

    def outcomes(self) -> dict[str, int]:
        return {outcome: count for (outcome,), count in self.callbacks.outcomes.items()}


@pytest_asyncio.fixture(loop_scope="module")
async def wish(callback_company: Configuration, engine: Engine, prompts: Path, tmp_path: Path) -> AsyncIterator[Wish]:
    peer = Peer()
    tale = await Tale.begin(callback_company, engine, peer, tmp_path, prompts)
    story = tale.story
    story.exchange.attendant.boxes = callback_company.mailboxes
    store = SqliteCallbacks(tale._database)
    story.exchange.callbacks.rules = callback_company.callbacks
    await story.exchange.callbacks.resume(store)
    trunk = story.trunk()
    wish = Wish(tale, store, story.phone("201"), trunk)
    tale.selects("bob", "lunch", lasting=4 * 3600)
    yield wish
    peer.close()
    try:
        for callback in story.exchange.callbacks.everybody():
            await story.exchange.callbacks.cancel(callback.person, callback.id)
        await store.close()
        await tale.end()
        story.exchange.states.selections.clear()
        story.check_nothing_is_left()
        assert not tale.complaints
    finally:
        story.close()


# ------------------------------------------------------------------------------------------------- when all goes well


async def test_who_wished_it_is_called_back_when_the_person_is_back(wish: Wish) -> None:
    """P3, G1: Bob's phone rings with the caller's number; he presses a key, and the caller sees Bob's number."""
    tale, bob, trunk = wish.tale, wish.bob, wish.trunk
    await tale.calls(BOB, actor=trunk)
    await tale.hears("reason.lunch")
    tale.presses("2")
    await tale.hears("callback.noted")
    assert await wish.left() == [CALLER]
    await tale.is_hung_up()
    tale.story.advance(10 * LOOK_EVERY)
    assert not bob.was_called, "he is at lunch"
    trunk.forgets()
    wish.bob_is_back()
    await wish.bob_calls()
    assert "+32475111222" in bob.received("INVITE").get("from")
    assert "+3242200121" in trunk.received("INVITE").get("p-asserted-identity")
    trunk.rings()
    await tale.hears_ringing()
    bob.forgets()
    trunk.answers(body=b"v=0\r\nc=IN IP4 198.51.100.9\r\nm=audio 6000 RTP/AVP 8\r\n")
    invite = bob.received("INVITE")
    assert b"198.51.100.9" in invite.body
    bob.responds(invite, 200, body=tale.peer.sdp())
    assert bob.received("ACK") and trunk.received("ACK")
    await wish.is_quiet()
    assert await wish.left() == []
    [message] = await tale.mailboxes.messages("bob")
    assert (message.kind, message.state) == (MessageKind.CALLBACK, MessageState.HEARD)
    bob.hangs_up()
    assert trunk.received("BYE")
    left, rang, called = tale.story.records
    assert (left.target, left.status) == ("voicemail", 200)
    assert (rang.origin, rang.peer, rang.caller, rang.action, rang.owner) == (
        "router", "callback", CALLER, "ring", "bob",
    )  # fmt: skip
    assert (rang.status, [leg.status for leg in rang.legs]) == (200, [200])
    assert (called.origin, called.caller_person, called.target, called.shown_number) == ("person", "bob", CALLER, BOB)
    assert (called.status, called.ended_by) == (200, "caller")
    assert [record.because[0].clause for record in (rang, called)] == ["P3", "P3"]
    assert wish.outcomes() == {"taken": 1, "connected": 1}
    assert replay(tale.story.records, tale.story.exchange.policy).different == 0, "each is decided again alike"


async def test_a_colleague_is_called_back_inside(wish: Wish) -> None:
    """P3: by extension; while she is on the phone herself she is tried later, and her mailbox is not what he wanted."""
    tale, alice = wish.tale, wish.tale.story.phone("200")
    await tale.calls(BOB, actor=alice)
    await tale.hears("reason.lunch")
    tale.presses("2")
    await tale.hears("callback.noted")
    await tale.is_hung_up()
    assert await wish.left() == ["200"]
    carol = tale.story.phone("202")
    alice.invites("202")
    carol.answers()
    alice.acks()
    wish.bob_is_back()
    await wish.bob_answers()
    await tale.hears("key.1")
    tale.presses("1")
    await tale.hears("transfer.failed")
    await tale.is_hung_up()
    await wish.is_quiet()
    alice.hangs_up()
    tale.story.advance(EVERY + LOOK_EVERY)
    await wish.bob_answers()
    await tale.hears("key.1")
    tale.presses("1")
    await eventually("Alice's phone rings", lambda: alice.was_called)
    assert "<sip:201@" in (alice.waiting.get("from") or "")
    alice.refuses(486)
    await tale.is_hung_up()
    await wish.is_quiet()
    assert wish.outcomes()["caller not reached"] == 2


async def test_the_oldest_wish_comes_first_and_one_at_a_time(wish: Wish) -> None:
    await wish.taken(CALLER)
    await wish.taken(OTHER)
    wish.bob_is_back()
    await wish.bobs_phone_rings()
    assert CALLER in (wish.bob.waiting.get("from") or "")
    wish.tale.story.advance(BREATH)
    assert len(wish.bob.conversations) == 1
    await wish.bob_is_busy()
    await wish.does_not_ring()
    wish.tale.story.advance(EVERY)
    await wish.bobs_phone_rings()
    assert CALLER in (wish.bob.waiting.get("from") or "")
    await wish.bob_is_busy()


async def test_all_his_phones_ring_and_one_is_answered(wish: Wish) -> None:
    """F4: the others learn that it was answered elsewhere."""
    gsm = wish.tale.story.phone("201-gsm")
    await wish.taken()
    wish.bob_is_back()
    await eventually("both ring", lambda: gsm.received("INVITE"))
    gsm.rings()
    await wish.bob_answers()
    assert 'text="Call completed elsewhere"' in gsm.received("CANCEL").get("reason")
    await wish.tale.hears("callback.wanted")
    wish.bob.hangs_up()
    await wish.is_quiet()


# ------------------------------------------------------------------------------------------ when somebody is back


async def test_not_while_he_is_on_the_phone(wish: Wish) -> None:
    """M2: his phone rings when the call he is in has ended."""
    story, alice = wish.tale.story, wish.tale.story.phone("200")
    await wish.taken()
    wish.bob.invites("200")
    alice.rings()
    alice.answers()
    wish.bob.acks()
    wish.bob_is_back()
    await wish.does_not_ring()
    alice.hangs_up()
    story.advance(BREATH)
    await wish.bobs_phone_rings()
    await wish.bob_is_busy()


async def test_when_his_phone_registers(wish: Wish) -> None:
    story, bob = wish.tale.story, wish.bob
    bob.registers(expires=0)
    await wish.taken()
    wish.bob_is_back()
    await wish.does_not_ring()
    bob.registers()
    story.advance(BREATH)
    await wish.bobs_phone_rings()
    await wish.bob_is_busy()


async def test_when_his_lunch_is_over_without_anybody_doing_anything(wish: Wish) -> None:
    """P2: the selection ends by itself, four hours after it began."""
    await wish.taken()
    await wish.does_not_ring(4 * 3600 - LOOK_EVERY)
    wish.bob.registers()
    wish.tale.story.advance(2 * LOOK_EVERY)
    await wish.bobs_phone_rings()
    await wish.bob_is_busy()


async def test_not_after_work_but_the_next_morning(wish: Wish) -> None:
    """S6: back at 17:30, he is called at 08:00."""
    story = wish.tale.story
    await wish.taken()
    story.advance(7.5 * 3600)
    wish.bob.registers()
    wish.bob_is_back()
    await wish.does_not_ring(14.5 * 3600 - 2 * LOOK_EVERY)
    wish.bob.registers()
    await wish.does_not_ring(LOOK_EVERY)
    story.advance(2 * LOOK_EVERY)
    await wish.bobs_phone_rings()
    await wish.bob_is_busy()


async def test_not_when_the_router_stops(wish: Wish) -> None:
    await wish.taken()
    wish.tale.story.exchange.draining = True
    wish.bob_is_back()
    await wish.does_not_ring()
    assert await wish.left() == [CALLER]


# ----------------------------------------------------------------------------------------------- when it goes wrong


async def test_after_the_last_try_the_wish_is_left_to_the_person(wish: Wish) -> None:
    """P3: he did not answer twice; the wish is a new message, although he had heard it."""
    tale = wish.tale
    message = await wish.taken()
    await tale.mailboxes.mark(message.id, MessageState.HEARD)
    wish.bob_is_back()
    await wish.bobs_phone_rings()
    tale.story.advance(21)
    assert wish.bob.received("CANCEL")
    await wish.is_quiet()
    assert await wish.left() == [CALLER]
    tale.story.advance(EVERY + LOOK_EVERY)
    await wish.bobs_phone_rings()
    await wish.bob_is_busy()
    assert await wish.left() == []
    [message] = await tale.messages("bob")
    assert message.state is MessageState.NEW
    assert wish.outcomes() == {"taken": 1, "person not reached": 2, "given up": 1}
    await wish.does_not_ring(EVERY * 2)


async def test_an_answering_machine_is_no_person(wish: Wish) -> None:
    """Whoever answers has to press a key before a caller is dialled."""
    await wish.taken()
    wish.bob_is_back()
    await wish.bob_answers()
    await wish.tale.hears("key.1", "menu.nothing", "key.1", "menu.nothing", "key.1")
    await wish.tale.is_hung_up()
    await wish.is_quiet()
    assert not wish.trunk.received("INVITE")
    assert wish.outcomes()["person not reached"] == 1


async def test_a_caller_who_is_busy_is_called_later(wish: Wish) -> None:
    tale = wish.tale
    await wish.taken()
    wish.bob_is_back()
    await wish.bob_calls()
    wish.trunk.refuses(486)
    await tale.hears("transfer.failed")
    await tale.is_hung_up()
    await wish.is_quiet()
    [callback] = await wish.store.load()
    assert (callback.caller_tries, callback.person_tries, callback.dialled) == (1, 0, False)
    await wish.does_not_ring(EVERY - BREATH)
    tale.story.advance(2 * LOOK_EVERY)
    await wish.bob_calls()
    wish.trunk.refuses(480)
    await tale.is_hung_up()
    await wish.is_quiet()
    assert await wish.left() == []
    assert wish.outcomes() == {"taken": 1, "caller not reached": 2, "given up": 1}
    [message] = await tale.messages("bob")
    assert message.state is MessageState.NEW


async def test_he_hangs_up_while_the_caller_is_called(wish: Wish) -> None:
    await wish.taken()
    wish.bob_is_back()
    await wish.bob_calls()
    wish.trunk.rings()
    wish.bob.hangs_up()
    assert wish.trunk.received("CANCEL")
    await wish.is_quiet()
    assert await wish.left() == [CALLER]


async def test_he_does_not_want_to_call(wish: Wish) -> None:
    """The key that deletes a message deletes the wish."""
    await wish.taken()
    wish.bob_is_back()
    await wish.bob_answers()
    await wish.tale.hears("record.cancel", "key.3")
    wish.tale.presses("3")
    await wish.tale.hears("message.deleted")
    await wish.tale.is_hung_up()
    await wish.is_quiet()
    assert await wish.left() == []
    assert await wish.tale.mailboxes.messages("bob") == []


async def test_whoever_deletes_the_message_is_not_called(wish: Wish) -> None:
    message = await wish.taken()
    await wish.tale.mailboxes.delete(message.id)
    wish.bob_is_back()
    await wish.does_not_ring()
    assert await wish.left() == []


async def test_what_is_cancelled_while_he_is_called_is_not_dialled(wish: Wish) -> None:
    await wish.taken()
    wish.bob_is_back()
    await wish.bob_answers()
    await wish.tale.hears("key.1")
    [callback] = wish.callbacks.of("bob")
    assert await wish.callbacks.cancel("bob", callback.id) == callback
    wish.tale.presses("1")
    await wish.tale.hears("transfer.failed")
    await wish.tale.is_hung_up()
    await wish.is_quiet()
    assert not wish.trunk.received("INVITE")
    assert await wish.left() == []


async def test_a_wish_that_is_too_old_is_left_to_the_person(wish: Wish) -> None:
    await wish.taken()
    wish.callbacks.rules = wish.callbacks.rules._replace(keep_seconds=1800.0)
    await wish.does_not_ring(1800 + LOOK_EVERY)
    assert await wish.left() == []
    assert wish.outcomes() == {"taken": 1, "expired": 1}


async def test_that_a_caller_is_dialled_is_on_the_disk_before_they_are(wish: Wish) -> None:
    """After a kill at that moment nobody is dialled twice: the wish is left to the person."""
    await wish.taken(CALLER)
    wish.tale.story.advance(1)
    await wish.taken(OTHER)
    wish.bob_is_back()
    await wish.bob_calls()
    assert [callback.dialled for callback in await wish.store.load()] == [True, False]
    after = Callbacks(wish.tale.story.exchange)
    recorded = wish.tale.story.exchange.recorded
    await after.resume(wish.store)
    assert [callback.number for callback in after.everybody()] == [OTHER]
    assert after.outcomes["interrupted",] == 1
    wish.tale.story.exchange.recorded = recorded
    for callback in after.everybody():
        await after.cancel(callback.person, callback.id)
    wish.bob.hangs_up()
    await wish.is_quiet()


# --------------------------------------------------------------------------------------- when they talk all the same


async def test_his_own_call_to_that_number_fulfils_the_wish(wish: Wish) -> None:
    await wish.taken()
    wish.bob.invites("0475111222")
    wish.trunk.answers()
    wish.bob.acks()
    wish.bob.hangs_up()
    await wish.is_quiet()
    wish.bob_is_back()
    await wish.does_not_ring()
    assert await wish.left() == []
    [message] = await wish.tale.mailboxes.messages("bob")
    assert message.state is MessageState.HEARD
    assert wish.outcomes() == {"taken": 1, "talked": 1}


async def test_a_call_that_nobody_answered_does_not(wish: Wish) -> None:
    await wish.taken()
    wish.bob.invites("0475111222")
    wish.trunk.refuses(486)
    await wish.is_quiet()
    assert await wish.left() == [CALLER]


async def test_a_caller_who_calls_again_and_is_answered_is_not_called_back(wish: Wish) -> None:
    story = wish.tale.story
    await wish.taken()
    story.exchange.states.take_back("bob", SelectedBy.PERSON, "phone 201", story.clock())
    wish.trunk.invites(BOB, sender="<sip:+32475111222@trunk.example>")
    wish.bob.answers()
    wish.trunk.acks()
    wish.trunk.hangs_up()
    wish._rung = wish.calls_to_bob
    await wish.does_not_ring()
    assert await wish.left() == []


# ------------------------------------------------------------------------------------------------ what is promised


async def test_whoever_withholds_their_number_enters_it(wish: Wish) -> None:
    tale = wish.tale
    await tale.calls(BOB, "Privacy: id", actor=wish.trunk)
    await tale.hears("reason.lunch")
    tale.presses("2")
    await tale.hears("callback.dial")
    for key in "0475333444#":
        tale.presses(key)
    await tale.hears("callback.number", "callback.noted")
    await tale.is_hung_up()
    assert await wish.left() == [OTHER]
    [message] = await tale.messages("bob")
    assert (message.caller, message.kind) == (OTHER, MessageKind.CALLBACK)


async def test_an_alarm_is_never_raised_by_a_callback(wish: Wish) -> None:
    tale = wish.tale
    await tale.calls(BOB, "Privacy: id", actor=wish.trunk)
    await tale.hears("reason.lunch")
    tale.presses("2")
    await tale.hears("callback.dial")
    for key in "112#":
        tale.presses(key)
    await tale.hears("callback.impossible", "record.after_tone")
    wish.trunk.hangs_up()
    await wish.is_quiet()
    assert await wish.left() == []


async def test_what_the_greylist_blocks_is_not_promised(wish: Wish) -> None:
    """X2: whoever calls from an expensive number cannot make the company call it."""
    tale = wish.tale
    await tale.calls(BOB, "P-Asserted-Identity: <sip:+224600000000@trunk.example>", actor=wish.trunk)
    await tale.hears("reason.lunch")
    tale.presses("2")
    await tale.hears("refused.destination", "record.after_tone")
    wish.trunk.hangs_up()
    await wish.is_quiet()
    assert await wish.left() == []


async def test_limits_hold_for_a_callback_too(wish: Wish) -> None:
    """X2: what was used since the promise counts."""
    exchange = wish.tale.story.exchange
    await wish.taken("+32900123456")
    exchange.limited_calls.begun(exchange.policy, ("premium",), "bob", exchange.clock())
    wish.bob_is_back()
    await wish.bob_answers()
    await wish.tale.hears("key.1")
    wish.tale.presses("1")
    await wish.tale.hears("refused.limit")
    await wish.tale.is_hung_up()
    await wish.is_quiet()
    assert not wish.trunk.received("INVITE")


async def test_the_same_caller_waits_once(wish: Wish) -> None:
    await wish.taken()
    await wish.taken()
    assert await wish.left() == [CALLER]


async def test_a_mailbox_promises_only_so_many(wish: Wish) -> None:
    wish.callbacks.rules = wish.callbacks.rules._replace(max_waiting=1)
    assert wish.callbacks.takes("bob")
    await wish.taken()
    assert not wish.callbacks.takes("bob")
