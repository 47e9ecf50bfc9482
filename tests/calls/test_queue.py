"""Queues as callers and agents know them (Q2 to Q7, Q9, Q10): real sound, fake SIP time."""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.configuration import Configuration
from router.media.client import Engine
from router.model.decision import FeatureKind, SelectedBy
from tests.calls.queue_story import MUSIC_HERTZ, QUEUE, Agent, begin, close_ears, ear, queue_company
from tests.calls.voice_story import Tale, eventually, tone, write_coded_prompts

_ranges = itertools.cycle(range(31_000, 36_000, 1000))
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


@pytest.fixture(scope="session")
def staffed_company(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return queue_company(tmp_path_factory.mktemp("queues") / "company")


@pytest.fixture(scope="session")
def prompts(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_coded_prompts(tmp_path_factory.mktemp("prompts"))


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    first = next(_ranges) + 200 * (os.getpid() % 5)
    made = Engine(["127.0.0.1"], first_port=first, last_port=first + 198)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def tale(staffed_company: Configuration, engine: Engine, prompts: Path, tmp_path: Path) -> AsyncIterator[Tale]:
    tale = await begin(staffed_company, engine, tmp_path, prompts)
    yield tale
    try:
        await tale.end()
        close_ears()
        tale.story.exchange.queues.stop()
        tale.story.check_nothing_is_left()
        assert not tale.complaints
    finally:
        tale.story.close()


async def test_everybody_is_rung_and_whoever_answers_is_heard(tale: Tale) -> None:
    """Q3, Q4, Q10, Q7: place and thanks, music; all phones ring with the queue's name; one answers, the others stop."""
    bob, carol = Agent(tale.story, tale.story.phone("201")), Agent(tale.story, tale.story.phone("202"))
    caller = await tale.calls(QUEUE)
    await tale.hears("queue.hold", "position.1", "queue.thanks")
    await tale.hears_tone(MUSIC_HERTZ, 0.5)
    invite = await carol.is_rung()
    carol.phone.rings()
    assert '"Service Commercial: Paul"' in (invite.get("from") or "")
    assert "Bonjour%20et%20bienvenue%20%C3%A0%20Story%20Company" in (invite.get("call-info") or "")
    assert "Carol%20Petit" in (invite.get("call-info") or "")
    await bob.answers()
    cancelled = await eventually("carol's phone stops", lambda: carol.phone.received("CANCEL"))
    assert cancelled.get("reason") == ELSEWHERE
    await tale.speaks(600, 0.6)
    await bob.hears_tone(600)
    await bob.peer.say(tone(900, 0.6))
    await tale.hears_tone(900, 0.3)
    tale.story.advance(30)
    bob.phone.hangs_up()
    await tale.is_hung_up()
    waited, talked = tale.story.records
    assert (waited.target, talked.target) == ("queue:sales", "queue:sales")
    assert [leg.peer for leg in talked.legs if leg.status == 200] == ["201"]
    assert talked.ended_by == "callee"
    noted = [(moment.what, moment.detail) for moment in talked.queue]
    assert noted[0] == ("entered", "sales") and noted[-1] == ("answered", "bob")
    assert set(noted) >= {("position", "1"), ("rings", "bob"), ("rings", "carol")}
    assert caller.received("BYE")


async def test_who_hangs_up_while_waiting_stops_the_phones(tale: Tale) -> None:
    """Q10: nobody is rung for a caller who is gone."""
    bob = Agent(tale.story, tale.story.phone("201"))
    caller = await tale.calls(QUEUE)
    await bob.is_rung()
    bob.phone.rings()
    caller.hangs_up()
    await eventually("bob's phone stops", lambda: bob.phone.received("CANCEL"))
    assert tale.story.exchange.queues.ended["sales", "abandoned"] == 1


async def test_after_three_minutes_a_message_can_be_left(tale: Tale) -> None:
    """Q2, G3: a notice half a minute before, and then the mailbox."""
    await tale.calls(QUEUE)
    await tale.hears("position.1")
    tale.story.advance(151)
    await tale.hears("queue.notice_message")
    tale.story.advance(30)
    await tale.hears("greeting.hello", "record.after_tone")
    tale.caller_hangs_up()


async def test_a_key_leads_to_the_mailbox_at_once(tale: Tale) -> None:
    """Q5: at any moment."""
    await tale.calls(QUEUE)
    await tale.hears("queue.hold")
    tale.presses("1")
    await tale.hears("greeting.hello", "record.after_tone")
    assert "position.1" not in tale.said()
    tale.caller_hangs_up()
    assert tale.story.exchange.queues.ended["sales", "left"] == 1


async def test_who_moves_up_is_told(tale: Tale) -> None:
    """Q3, Q9: the second caller becomes the first."""
    first = await tale.calls(QUEUE)
    await tale.hears("position.1")
    second = tale.story.trunk("second")
    tale.peer = ear()
    await tale.calls(QUEUE, actor=second)
    await tale.hears("position.2")
    tale.story.advance(31)
    first.hangs_up()
    await tale.hears("position.1", "queue.thanks")
    second.hangs_up()


async def test_who_rejects_is_left_in_peace_and_the_caller_waits_on(tale: Tale) -> None:
    """Q14: a call that was rejected is not offered again at once."""
    bob = Agent(tale.story, tale.story.phone("201"))
    caller = await tale.calls(QUEUE)
    await bob.is_rung()
    bob.phone.refuses(603)
    tale.story.advance(5)
    await tale.hears("position.1")
    assert len(bob.phone.all_received("INVITE")) == 1
    caller.hangs_up()


async def test_whoever_is_called_back_keeps_the_place(tale: Tale) -> None:
    """P3, Q8: promised once it is stored; at their turn an agent is rung, hears why, and then they are called."""
    await tale.calls(QUEUE)
    await tale.hears("position.1")
    tale.presses("2")
    await tale.hears("callback.noted", "callback.keeps_place")
    await tale.is_hung_up()
    bob = Agent(tale.story, tale.story.phone("201"))
    invite = await bob.is_rung()
    assert "Service Commercial" in (invite.get("from") or "")
    bob.phone.rings()
    tale.turns_to(bob.peer)
    bob.peer.heed(invite.body)
    bob.phone.answers(body=bob.peer.sdp())
    await tale.hears("whisper.queue_call", "callback.wanted")
    outside = tale.story.trunk()
    called = await eventually("the caller is called", lambda: outside.received("INVITE"))
    assert called.uri.startswith("sip:+32475111222@")
    assert "+3242200150" in (called.get("p-asserted-identity") or "")
    outside.rings()
    outside.answers(body=bob.peer.sdp())
    await eventually("the agent is told", lambda: bob.phone.count("INVITE") == 2)
    bob.phone.answers(body=bob.peer.sdp())
    await eventually("they talk", lambda: tale.story.exchange.queues.floor.staff.agents["bob"].place)
    await eventually("the answer is acknowledged", lambda: outside.received("ACK"))
    outside.hangs_up()
    await eventually("the agent is hung up", lambda: bob.phone.received("BYE"))
    assert not tale.story.exchange.queues.floor.places


@pytest.mark.parametrize("answer", [b"", b"v=0\r\nm=video 4000 RTP/AVP 34\r\n"])
async def test_an_answer_that_is_of_no_use_leaves_the_caller_in_the_line(tale: Tale, answer: bytes) -> None:
    """Q9: the place is kept, and the next agent is rung."""
    bob = Agent(tale.story, tale.story.phone("201"))
    caller = await tale.calls(QUEUE)
    await bob.is_rung()
    bob.phone.answers(body=answer)
    await eventually("bob is hung up", lambda: bob.phone.received("BYE"))
    carol = Agent(tale.story, tale.story.phone("202"))
    await carol.answers()
    await carol.peer.say(tone(900, 0.5))
    await tale.hears_tone(900, 0.3)
    caller.hangs_up()
    await eventually("carol is hung up", lambda: carol.phone.received("BYE"))


async def test_an_agent_who_hangs_up_at_once_leaves_the_caller_in_the_line(tale: Tale) -> None:
    """Q9, Q14: the next agent is rung; the caller has their place."""
    bob, carol = Agent(tale.story, tale.story.phone("201")), Agent(tale.story, tale.story.phone("202"))
    caller = await tale.calls(QUEUE)
    await bob.is_rung()
    bob.phone.answers(body=bob.peer.sdp())
    bob.phone.hangs_up()
    carol.phone.forgets()
    await eventually("carol is rung again", lambda: carol.phone.received("INVITE"))
    caller.hangs_up()
    tale.story.flush()


async def test_a_caller_who_gives_up_as_an_agent_answers(tale: Tale) -> None:
    """Whoever answers for nobody is hung up at once."""
    bob = Agent(tale.story, tale.story.phone("201"))
    caller = await tale.calls(QUEUE)
    await bob.is_rung()
    bob.phone.answers(body=bob.peer.sdp())
    caller.hangs_up()
    await eventually("bob is hung up", lambda: bob.phone.received("BYE"))
    assert not tale.story.exchange.queues.floor.places


async def test_an_agent_logs_out_by_code_while_ringing(tale: Tale) -> None:
    """Q10: the phone stops ringing for who logs out over the API, and the caller waits on."""
    floor = tale.story.exchange.queues
    bob = Agent(tale.story, tale.story.phone("201"))
    caller = await tale.calls(QUEUE)
    await bob.is_rung()
    bob.phone.rings()
    floor.agent_says("bob", FeatureKind.AGENT_OUT, "token desk")
    tale.story.flush()
    assert bob.phone.received("CANCEL")
    floor.agent_says("bob", FeatureKind.AGENT_IN, "token desk")
    tale.story.flush()
    await eventually("bob is rung again", lambda: bob.phone.count("INVITE") == 2)
    caller.hangs_up()


async def test_who_is_in_a_meeting_is_not_rung(tale: Tale) -> None:
    """M3: the profile in force keeps queues away."""
    bob = Agent(tale.story, tale.story.phone("201"))
    tale.selects("bob", "busy_other", lasting=60)
    caller = await tale.calls(QUEUE)
    await tale.hears("position.1")
    assert not bob.phone.received("INVITE")
    tale.story.exchange.states.take_back("bob", SelectedBy.PERSON, "phone 201", tale.story.clock())
    tale.story.flush()
    await bob.is_rung()
    caller.hangs_up()
