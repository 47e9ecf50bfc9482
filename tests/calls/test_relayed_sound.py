"""Relayed calls as both sides hear them: a real media engine, real RTP, fake SIP time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from functools import partial

import pytest
import pytest_asyncio

from router.configuration import Configuration
from router.media.client import Engine
from router.media.relay import EngineRelay
from router.model.sound import MediaWay
from tests.calls.conftest import finish
from tests.calls.story import Actor, Story
from tests.calls.transferring import refers, told
from tests.calls.voice_story import eventually, seconds_of, tone
from tests.media.conftest import running_engine
from tests.media.peer import EVENT_TYPE, Peer

pytestmark = pytest.mark.asyncio(loop_scope="module")

shared_engine = pytest_asyncio.fixture(running_engine, scope="module", loop_scope="module")


@pytest.fixture
def story(relayed_company: Configuration, shared_engine: Engine) -> Iterator[Story]:
    """A story whose sound is relayed by a real engine."""
    story = Story(relayed_company)
    exchange = story.exchange
    exchange.relays.by_way[MediaWay.RELAY] = EngineRelay(shared_engine, ["127.0.0.1"])
    exchange.attendant.now = lambda: story.now
    exchange.attendant.flush = story.flush
    yield story
    assert not shared_engine.open_sessions, "every port is given back"
    finish(story)


class Party:
    """Somebody with a phone and an ear.

    Attributes:
        actor: what they say in SIP. peer: what they say and hear in RTP.
    """

    def __init__(self, actor: Actor, hertz: float, codec: str = "PCMA") -> None:
        self.actor = actor
        self.peer = Peer(codec=codec)
        self.hertz = hertz

    async def speaks(self, seconds: float = 0.4) -> None:
        await self.peer.say(tone(self.hertz, seconds))

    def hears(self, other: Party) -> float:
        """For how many seconds they heard the other one."""
        return seconds_of(self.peer.heard(), other.hertz)

    def is_asked(self, direction: str = "sendrecv") -> None:
        """The INVITE that came last shows the router's address and this direction, and is heeded."""
        body = self.actor.waiting.body
        assert f"a={direction}".encode() in body, body
        self.peer.heed(body)


@pytest_asyncio.fixture(loop_scope="module")
async def parties(story: Story) -> AsyncIterator[tuple[Party, Party, Party]]:
    """Alice, Bob and Carol."""
    phones = story.phone("200"), story.phone("201"), story.phone("202")
    found = Party(phones[0], 440), Party(phones[1], 1000), Party(phones[2], 1500)
    yield found
    for party in found:
        party.peer.close()


async def talk(caller: Party, callee: Party, number: str) -> None:
    """Let one call the other, and be answered."""
    caller.actor.invites(number, body=caller.peer.sdp())
    await eventually("the callee is called", lambda: callee.actor.was_called)
    callee.is_asked()
    callee.actor.answers(body=callee.peer.sdp())
    await agreed(caller)
    assert caller.peer.target != ("127.0.0.1", callee.peer.port)
    for party in (caller, callee):
        party.actor.forgets()


async def agreed(party: Party) -> None:
    """Wait for the 2xx, heed and acknowledge it."""
    answer = await eventually("it is agreed on", lambda: party.actor.received(200, "INVITE"))
    party.peer.heed(answer.body)
    party.actor.acks()


async def hear_each_other(one: Party, other: Party) -> None:
    """Both speak at once, and each hears the other."""
    for party in (one, other):
        party.peer.packets.clear()
    await asyncio.gather(one.speaks(), other.speaks())
    await eventually("the one is heard", lambda: other.hears(one) > 0.2)
    await eventually("the other is heard", lambda: one.hears(other) > 0.2)


async def test_both_hear_each_other_and_nothing_is_left(
    story: Story, shared_engine: Engine, parties: tuple[Party, Party, Party]
) -> None:
    alice, bob, _ = parties
    await talk(alice, bob, "201")
    await hear_each_other(alice, bob)
    assert shared_engine.open_sessions == 2
    bob.actor.hangs_up()
    assert alice.actor.received("BYE")
    assert [quality.side for quality in story.records[0].quality] == ["caller", "callee"]


@pytest.mark.parametrize("by_caller", [True, False], ids=["caller", "callee"])
async def test_hold_and_resume(parties: tuple[Party, Party, Party], by_caller: bool) -> None:
    """RFC 3264 §8.4: whoever is on hold hears what the holder still sends, and is not heard; then all is as before."""
    alice, bob, _ = parties
    await talk(alice, bob, "201")
    holder, held = (alice, bob) if by_caller else (bob, alice)
    holder.actor.reinvites(body=holder.peer.sdp(direction="sendonly"))
    await eventually("the other side is asked", lambda: held.actor.received("INVITE"))
    held.is_asked("sendonly")
    held.actor.answers(body=held.peer.sdp(direction="recvonly"))
    await agreed(holder)
    for party in (holder, held):
        party.peer.packets.clear()
        party.actor.forgets()
    await asyncio.gather(holder.speaks(), held.speaks())
    await eventually("music of the holder's would be heard", lambda: held.hears(holder) > 0.2)
    assert not holder.hears(held)
    holder.actor.reinvites(body=holder.peer.sdp())
    await eventually("the other side is asked", lambda: held.actor.received("INVITE"))
    held.is_asked()
    held.actor.answers(body=held.peer.sdp())
    await agreed(holder)
    await hear_each_other(alice, bob)
    holder.actor.hangs_up()


async def test_two_who_share_no_codec_hear_each_other(story: Story, parties: tuple[Party, Party, Party]) -> None:
    """Each is answered in what it has; the router converts."""
    alice, bob, _ = parties
    alice.peer.codec, bob.peer.codec = "PCMU", "G722"
    await talk(alice, bob, "201")
    await hear_each_other(alice, bob)
    alice.actor.hangs_up()


async def test_what_the_caller_has_is_offered_first(story: Story, parties: tuple[Party, Party, Party]) -> None:
    """RFC 3264 §6.1: so that a callee who has it too takes it, and nothing needs to be converted."""
    alice, bob, _ = parties
    alice.actor.invites("201", body=alice.peer.sdp(["G722", "PCMA"]))
    await eventually("the callee is called", lambda: bob.actor.was_called)
    [audio] = [line for line in bob.actor.waiting.body.splitlines() if line.startswith(b"m=audio")]
    assert audio.split()[3:] == [b"9", b"8", b"0", b"101"]
    alice.actor.cancels()


async def test_keys_arrive_at_the_other_side(parties: tuple[Party, Party, Party]) -> None:
    """RFC 4733"""
    alice, bob, _ = parties
    await talk(alice, bob, "201")
    for presser, other in ((alice, bob), (bob, alice)):
        presser.peer.press(5)
        await eventually("the key arrives", partial(has_key, other.peer))
    alice.actor.hangs_up()


def has_key(peer: Peer) -> bool:
    return any(packet.payload_type == EVENT_TYPE for packet in peer.packets)


async def test_what_sounds_before_the_answer_is_heard(parties: tuple[Party, Party, Party]) -> None:
    alice, bob, _ = parties
    alice.actor.invites("201", body=alice.peer.sdp())
    await eventually("the callee is called", lambda: bob.actor.was_called)
    bob.is_asked()
    bob.actor.rings(183, body=bob.peer.sdp())
    progress = await eventually("the caller hears of it", lambda: alice.actor.received(183))
    alice.peer.heed(progress.body)
    await bob.speaks()
    await eventually("the caller hears the announcement", lambda: alice.hears(bob) > 0.2)
    alice.actor.cancels()


async def test_an_offer_in_the_answer_is_relayed(parties: tuple[Party, Party, Party]) -> None:
    alice, bob, _ = parties
    alice.actor.invites("201", body=b"")
    bob.actor.answers(body=bob.peer.sdp())
    answer = await eventually("the caller gets an offer", lambda: alice.actor.received(200, "INVITE"))
    alice.peer.heed(answer.body)
    alice.actor.acks(body=alice.peer.sdp())
    acknowledgement = await eventually("the callee gets the answer", lambda: bob.actor.received("ACK"))
    bob.peer.heed(acknowledgement.body)
    await hear_each_other(alice, bob)
    alice.actor.hangs_up()


async def test_who_is_transferred_hears_the_new_party(parties: tuple[Party, Party, Party]) -> None:
    alice, bob, carol = parties
    await talk(alice, bob, "201")
    refers(bob.actor, "202")
    carol.actor.answers(body=carol.peer.sdp())
    await eventually("alice is asked", lambda: alice.actor.received("INVITE"))
    alice.is_asked()
    alice.actor.answers(body=alice.peer.sdp())
    acknowledgement = await eventually("carol gets the answer", lambda: carol.actor.received("ACK"))
    carol.peer.heed(acknowledgement.body)
    assert told(bob.actor)[-1] == "200 OK"
    await hear_each_other(alice, carol)
    carol.actor.hangs_up()
    assert alice.actor.received("BYE")


async def test_nothing_common_is_refused_488(story: Story, parties: tuple[Party, Party, Party]) -> None:
    """RFC 3261 §21.4.26, where calls must not go without the relay."""
    alice, bob, _ = parties
    story.exchange.relays.falls_back = False
    alice.actor.invites("201", body=alice.peer.sdp().replace(b"RTP/AVP 8", b"RTP/AVP 18"))
    await eventually("it is refused", lambda: alice.actor.received(488, "INVITE"))
    assert not bob.actor.was_called
