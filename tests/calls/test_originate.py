"""Calls that the router itself begins (P3): whoever answers is the caller, at every moment of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from router.calls.outgoing_script import OutgoingScript
from router.calls.script import HungUp
from router.configuration import Configuration
from router.media.client import Engine
from router.model.decision import Action, Decision, DialNumber, Facts, Origin, Outcome, Reason, RingPerson
from router.prompts.parts import Recorded
from tests.calls.story import COMPANY, configuration_of
from tests.calls.voice_story import Tale, eventually, write_coded_prompts
from tests.media.peer import Peer

CUSTOMER, MAIN = "+32475111222", "+3242200100"
FACTS = Facts(Origin.ROUTER, "callback", "201", caller_number=CUSTOMER)
BECAUSE = (Reason("P3", "the caller asked to be called back", "", "l'appelant a demandé à être rappelé", "profile"),)
DIALS = Decision(Action.DIAL, DialNumber(CUSTOMER), BECAUSE, shown_number=MAIN)
RINGS = Decision(
    Action.RING,
    RingPerson("bob", ("201",), ((5.0, ("201-gsm",)),)),
    BECAUSE,
    shown_number=CUSTOMER,
    no_answer_after=20.0,
    person="bob",
)

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Greets(OutgoingScript):
    """Says one sentence to whoever answers."""

    greeted = False

    async def run(self) -> None:
        await self.reach()
        await self.say(Recorded("callback.here"))
        self.greeted = True


class GreetsAndWaits(Greets):
    """Says one sentence, and listens until they hang up."""

    hung_up = False

    async def run(self) -> None:
        await self.reach()
        try:
            await self.say(Recorded("callback.here"))
            await self.key(60.0)
        except HungUp:
            self.hung_up = True
            raise


@pytest.fixture(scope="module")
def configuration(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return configuration_of(
        COMPANY.replace("country: BE", "country: BE\n  languages: [fr]"), tmp_path_factory.mktemp("originate")
    )


@pytest.fixture(scope="module")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_coded_prompts(tmp_path_factory.mktemp("prompts"))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine() -> AsyncIterator[Engine]:
    made = Engine(["127.0.0.1"])
    await made.start()
    yield made
    await made.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def tale(configuration: Configuration, engine: Engine, prompts: Path, tmp_path: Path) -> AsyncIterator[Tale]:
    peer = Peer()
    tale = await Tale.begin(configuration, engine, peer, tmp_path, prompts)
    yield tale
    peer.close()
    try:
        await tale.end()
        tale.story.check_nothing_is_left()
        assert not tale.complaints
    finally:
        tale.story.close()


def originates(tale: Tale, decision: Decision = DIALS, script: type[OutgoingScript] = Greets) -> OutgoingScript:
    return tale.story.exchange.attendant.originate(FACTS, decision, script)


async def test_a_number_outside_is_called_by_trunk_and_spoken_to(tale: Tale) -> None:
    """G1: with the number that was decided; the record tells what the router did, and who ended it."""
    trunk = tale.story.trunk()
    script = originates(tale)
    invite = await eventually("the number is dialled", lambda: trunk.received("INVITE"))
    assert invite.uri == f"sip:{CUSTOMER}@198.51.100.1"
    assert MAIN in invite.get("p-asserted-identity")
    trunk.rings()
    tale.caller = trunk
    tale.turns_to(tale.peer)
    tale.peer.heed(invite.body)
    trunk.answers(body=tale.peer.sdp())
    assert trunk.received("ACK")
    await tale.hears("callback.here")
    await tale.is_hung_up()
    await script.ended()
    assert (script.outcome, script.connected) == (None, False)
    [record] = tale.story.records
    assert (record.origin, record.action, record.target, record.status) == ("router", "dial", CUSTOMER, 200)
    assert (record.call_id, record.ended_by, record.shown_number) == (invite.call_id, "router", MAIN)
    assert [(leg.peer, leg.status) for leg in record.legs] == [("first", 200)]
    assert record.answered_after is not None


async def test_another_trunk_is_tried_where_the_first_one_fails(tale: Tale) -> None:
    first, second = tale.story.trunk("first"), tale.story.trunk("second")
    script = originates(tale)
    await eventually("the number is dialled", lambda: first.received("INVITE"))
    first.refuses(503)
    second.refuses(486)
    await script.ended()
    assert script.outcome is Outcome.BUSY
    [record] = tale.story.records
    assert (record.status, record.ended_by) == (486, "callee")
    assert [(leg.peer, leg.status) for leg in record.legs] == [("first", 503), ("second", 486)]


async def test_all_phones_of_a_person_ring_and_nobody_answers(tale: Tale) -> None:
    """F4, G5: the later one as well; both are given up after the person's time, and no mailbox is reached."""
    desk, gsm = tale.story.phone("201"), tale.story.phone("201-gsm")
    script = originates(tale, RINGS)
    await eventually("the desk phone rings", lambda: desk.received("INVITE"))
    desk.rings()
    assert not gsm.was_called
    tale.story.advance(5)
    gsm.rings()
    tale.story.advance(16)
    assert desk.received("CANCEL") and gsm.received("CANCEL")
    await script.ended()
    assert script.outcome is Outcome.NO_ANSWER
    [record] = tale.story.records
    assert (record.status, record.answered_after) == (480, None)


async def test_nobody_is_registered(tale: Tale) -> None:
    script = originates(tale, RINGS)
    await script.ended()
    assert script.outcome is Outcome.UNREACHABLE
    [record] = tale.story.records
    assert record.legs == () and record.call_id


async def test_an_answer_without_a_description_is_hung_up_on(tale: Tale) -> None:
    """RFC 3261 §13.2.1: an answer to our offer was owed."""
    trunk = tale.story.trunk()
    script = originates(tale)
    await eventually("the number is dialled", lambda: trunk.received("INVITE"))
    trunk.answers(body=b"")
    await eventually("the router hangs up", lambda: trunk.received("BYE"))
    await script.ended()
    assert script.outcome is None


async def test_whoever_was_called_hangs_up_while_they_are_spoken_to(tale: Tale) -> None:
    bob = tale.story.phone("201")
    script = originates(tale, RINGS, GreetsAndWaits)
    await eventually("the phone rings", lambda: bob.received("INVITE"))
    tale.turns_to(tale.peer)
    tale.peer.heed(bob.waiting.body)
    bob.answers(body=tale.peer.sdp())
    assert tale.story.lines["bob"] == "on_call"
    await tale.hears("callback.here")
    bob.hangs_up()
    await script.ended()
    assert isinstance(script, GreetsAndWaits) and script.hung_up
    assert tale.story.records[0].ended_by == "caller"
    assert "bob" not in tale.story.lines


async def test_an_answer_that_crosses_the_end_is_undone(tale: Tale) -> None:
    """RFC 3261 §9.1: the phone answered before our CANCEL came; it is acknowledged, and hung up on."""
    bob = tale.story.phone("201")
    bob.automatic.discard("CANCEL")
    script = originates(tale, RINGS)
    await eventually("the phone rings", lambda: bob.received("INVITE"))
    bob.rings()
    tale.story.advance(21)
    bob.answers(body=tale.peer.sdp())
    assert bob.received("ACK") and bob.received("BYE")
    bob.responds(bob.received("CANCEL"), 200)
    await script.ended()
    assert script.outcome is Outcome.NO_ANSWER


@pytest.mark.parametrize("answered", [False, True])
async def test_the_router_stops_meanwhile(tale: Tale, answered: bool) -> None:
    bob = tale.story.phone("201")
    script = originates(tale, RINGS, GreetsAndWaits)
    await eventually("the phone rings", lambda: bob.received("INVITE"))
    bob.rings()
    if answered:
        bob.answers(body=tale.peer.sdp())
    tale.story.exchange.end_all(tale.story.now)
    tale.story.flush()
    await script.ended()
    assert bob.received("BYE" if answered else "CANCEL")
    assert script.outcome is None


async def test_without_an_engine_nobody_is_called(tale: Tale) -> None:
    bob = tale.story.phone("201")
    attendant = tale.story.exchange.attendant
    attendant.engine = None
    script = originates(tale, RINGS)
    await script.ended()
    assert not bob.was_called
    assert tale.story.records[0].status == 480


async def test_a_call_that_the_policy_refuses_is_not_made(tale: Tale) -> None:
    because = (Reason("X2", "on the greylist", "", "sur la liste grise", "greylist"),)
    script = originates(tale, Decision(Action.REFUSE, None, because, status=403, phrase="Forbidden"))
    await script.ended()
    assert tale.story.records[0].status == 403
