"""Sound on its way through the router, told in fake time: what happens while a relay is asked, and when it is lost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from router.calls import media_path
from router.calls.originate import Originated
from router.configuration import Configuration
from router.model.decision import Action, Decision, Facts, Origin, RingPerson
from router.model.sound import MediaWay
from router.ports import EngineError, OfferError
from tests.calls.conftest import finish
from tests.calls.relay_in_hand import HOST, RelayInHand, relayed, turns
from tests.calls.story import ANSWER, OFFER, Actor, Phone, Story
from tests.calls.transferring import AGREED, OTHER, refers, told
from tests.calls.voice_story import eventually

HOLD = OFFER.replace(b"RTP/AVP 8 0\r\n", b"RTP/AVP 8 0\r\na=sendonly\r\n")
RELAYED, DIRECT, FAILED, LOST = (("relay", outcome) for outcome in ("relayed", "direct", "failed", "lost"))


@pytest.fixture
def story(relayed_company: Configuration) -> Iterator[Story]:
    story = Story(relayed_company)
    story.exchange.directory.way = relayed_company.relaying.way
    yield story
    finish(story)


@pytest.fixture
def relay(story: Story) -> Iterator[RelayInHand]:
    relay = RelayInHand(story).serve()
    yield relay
    assert not relay.open_calls


@pytest.fixture
def alice(story: Story) -> Phone:
    return story.phone("200")


@pytest.fixture
def bob(story: Story) -> Phone:
    return story.phone("201")


async def talk(caller: Actor, callee: Actor, number: str) -> None:
    caller.invites(number)
    await turns()
    callee.answers()
    await turns()
    caller.acks()
    for actor in (caller, callee):
        actor.forgets()


def outcomes(story: Story) -> dict[tuple[str, ...], int]:
    return dict(story.exchange.relays.outcomes.items())


# ------------------------------------------------------------------------------------------------ the plain call


async def test_each_side_sees_the_routers_address_only(
    story: Story, relay: RelayInHand, alice: Phone, bob: Phone
) -> None:
    alice.invites("201")
    await turns()
    assert bob.waiting.body == relayed(OFFER)
    bob.rings()
    assert alice.received(180).body == b""
    bob.rings(183, body=ANSWER)
    await turns()
    assert alice.received(183).body == relayed(ANSWER)
    bob.answers()
    assert alice.received(200, "INVITE").body == relayed(ANSWER)  # known already, so it goes on at once
    alice.acks()
    assert bob.received("ACK").body == b""
    assert relay.log == [("offer", "caller"), ("answer", "callee")]
    assert len(relay.open_calls) == 1
    alice.hangs_up()
    assert not relay.open_calls
    assert outcomes(story) == {RELAYED: 1}
    for address, text in story.wire_log:
        assert "c=IN" not in text or HOST in text, (address, text)


async def test_an_offer_in_the_answer_is_answered_in_the_ack(relay: RelayInHand, alice: Phone, bob: Phone) -> None:
    alice.invites("201", body=b"")
    assert bob.waiting.body == b""
    bob.answers(body=OTHER)
    await turns()
    assert alice.received(200, "INVITE").body == relayed(OTHER)
    alice.acks(body=AGREED)
    assert not bob.received("ACK")
    await turns()
    assert bob.received("ACK").body == relayed(AGREED)
    assert relay.log == [("offer", "callee"), ("answer", "caller")]
    bob.hangs_up()


async def test_who_hangs_up_while_the_ack_is_on_its_way_is_acknowledged_first(
    relay: RelayInHand, alice: Phone, bob: Phone
) -> None:
    alice.invites("201", body=b"")
    bob.answers(body=OTHER)
    await turns()
    relay.hold()
    alice.acks(body=AGREED)
    alice.hangs_up()
    assert bob.heard()[-2:] == ["ACK", "BYE"]
    await relay.let_go()
    assert bob.count("ACK") == 1


async def test_the_next_trunk_gets_an_offer_of_its_own(story: Story, relay: RelayInHand, alice: Phone) -> None:
    first, second = story.trunk("first"), story.trunk("second")
    alice.invites("+32475111222")
    await turns()
    first.refuses(503)
    await turns()
    assert second.waiting.body == relayed(OFFER)
    assert len(relay.open_calls) == 1
    alice.cancels()


async def test_what_describes_other_things_than_sound_goes_along(relay: RelayInHand, alice: Phone, bob: Phone) -> None:
    """RFC 2046 §5.1: the description is one part of several, such as with a location."""
    kind = "Content-Type: multipart/mixed;boundary=xx"
    place = b"--xx\r\nContent-Type: application/pidf+xml\r\n\r\n<presence/>\r\n"
    before = place + b"--xx\r\nContent-Type: application/sdp\r\n\r\n"
    alice.invites("201", kind, body=before + OFFER + b"\r\n--xx--\r\n")
    await turns()
    assert bob.waiting.body == before + relayed(OFFER) + b"\r\n--xx--\r\n"
    assert bob.waiting.get("content-type") == "multipart/mixed;boundary=xx"
    alice.cancels()


# ------------------------------------------------------------------------------- while the relay is being asked


async def test_a_caller_cancels_before_the_offer_is_there(relay: RelayInHand, alice: Phone, bob: Phone) -> None:
    relay.hold()
    alice.invites("201")
    await turns()
    alice.cancels()
    assert alice.received(487, "INVITE")
    await relay.let_go()
    assert not bob.was_called
    assert not relay.open_calls


async def test_a_caller_cancels_while_the_answer_is_on_its_way(
    story: Story, relay: RelayInHand, alice: Phone, bob: Phone
) -> None:
    alice.invites("201")
    await turns()
    relay.hold()
    bob.answers()
    await turns()
    alice.cancels()
    assert alice.received(487, "INVITE")
    assert bob.heard()[-2:] == ["ACK", "BYE"]
    await relay.let_go()
    assert not alice.received(200, "INVITE")


async def test_an_answer_that_comes_again_meanwhile_is_the_same(
    story: Story, relay: RelayInHand, alice: Phone, bob: Phone
) -> None:
    alice.invites("201")
    await turns()
    relay.hold()
    invite = bob.waiting
    bob.answers()
    bob.responds(invite, 200, body=ANSWER)
    assert not bob.heard()[1:]
    await relay.let_go()
    assert alice.count(200, "INVITE") == 1
    assert relay.log.count(("answer", "callee")) == 1
    alice.acks()
    assert bob.count("ACK") == 1
    alice.hangs_up()


async def test_of_two_phones_that_answer_at_once_one_is_let_go(
    story: Story, relay: RelayInHand, alice: Phone, bob: Phone
) -> None:
    """F4: the first wins, the other is acknowledged and hung up; its ports are given back."""
    mobile = story.phone("201-gsm")
    alice.invites("201")
    await turns()
    assert len(relay.open_calls) == 2
    relay.hold()
    bob.answers()
    mobile.answers()
    await relay.let_go()
    assert alice.count(200, "INVITE") == 1
    assert mobile.heard()[-2:] == ["ACK", "BYE"]
    assert len(relay.open_calls) == 1
    alice.acks()
    assert not bob.received("BYE")
    alice.hangs_up()


async def test_who_does_not_win_gives_everything_back_at_once(
    story: Story, relay: RelayInHand, alice: Phone, bob: Phone
) -> None:
    mobile = story.phone("201-gsm")
    alice.invites("201")
    await turns()
    mobile.rings()
    bob.answers()
    await turns()
    assert mobile.received("CANCEL")
    assert len(relay.open_calls) == 1
    alice.acks()
    alice.hangs_up()


async def test_nobody_answers_in_time_while_an_answer_is_on_its_way(
    story: Story, relay: RelayInHand, alice: Phone, bob: Phone
) -> None:
    """G5: the time is over; the late answer is undone, and the voicemail is called."""
    voicemail = story.voicemail()
    alice.invites("201")
    await turns()
    bob.rings()
    story.advance(19.9)
    relay.hold()
    bob.answers()
    await turns()
    story.advance(0.2)
    assert bob.heard()[-2:] == ["ACK", "BYE"]
    await relay.let_go()
    assert not alice.received(200, "INVITE")
    assert voicemail.waiting.body == relayed(OFFER)
    alice.cancels()


async def test_ringing_and_answer_keep_their_order(relay: RelayInHand, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    await turns()
    relay.hold()
    bob.rings(183, body=OTHER)
    bob.answers()
    await relay.let_go()
    assert [kind for kind in alice.heard() if kind in (183, 200)] == [183, 200]
    assert alice.received(200, "INVITE").body == relayed(ANSWER)
    alice.acks()
    alice.hangs_up()


# ------------------------------------------------------------------------------------------------------ changes


async def test_hold_and_resume_pass_with_their_direction(relay: RelayInHand, alice: Phone, bob: Phone) -> None:
    await talk(alice, bob, "201")
    for near, far in ((alice, bob), (bob, alice)):
        near.reinvites(body=HOLD)
        await turns()
        assert far.waiting.body == relayed(HOLD)
        far.answers(body=AGREED)
        await turns()
        assert near.received(200, "INVITE").body == relayed(AGREED)
        near.acks()
        near.forgets()
        far.forgets()
    alice.hangs_up()


async def test_changes_that_cross_on_the_path_meet_491(relay: RelayInHand, alice: Phone, bob: Phone) -> None:
    """RFC 3261 §14.2"""
    await talk(alice, bob, "201")
    relay.hold()
    alice.reinvites(body=HOLD)
    bob.reinvites(body=HOLD)
    assert bob.received(491, "INVITE")
    await relay.let_go()
    bob.answers(body=AGREED)
    await turns()
    alice.acks()
    alice.hangs_up()


async def test_a_change_is_withdrawn_before_it_is_sent(relay: RelayInHand, alice: Phone, bob: Phone) -> None:
    await talk(alice, bob, "201")
    relay.hold()
    alice.reinvites(body=HOLD)
    await turns()
    alice.cancels()
    assert alice.received(487, "INVITE")
    await relay.let_go()
    assert not bob.received("INVITE")
    alice.reinvites(body=HOLD)
    await turns()
    assert bob.received("INVITE")
    bob.refuses(488)
    alice.hangs_up()


@pytest.mark.parametrize("offered", [True, False])
async def test_a_call_ends_while_the_answer_to_a_change_is_on_its_way(
    relay: RelayInHand, alice: Phone, bob: Phone, offered: bool
) -> None:
    await talk(alice, bob, "201")
    alice.reinvites(body=HOLD if offered else b"")
    await turns()
    relay.hold()
    bob.answers(body=AGREED)
    await turns()
    alice.hangs_up()
    assert alice.received(487, "INVITE")
    assert bob.heard()[-2:] == ["ACK", "BYE"]
    assert bool(bob.received("ACK").body) is not offered
    await relay.let_go()


async def test_a_change_that_is_of_no_use_is_refused_and_the_call_goes_on(
    relay: RelayInHand, alice: Phone, bob: Phone
) -> None:
    await talk(alice, bob, "201")
    relay.fails = OfferError("no common codec")
    alice.reinvites(body=HOLD)
    await turns()
    assert alice.received(488, "INVITE")
    relay.fails = None
    bob.reinvites(body=HOLD)
    await turns()
    assert alice.waiting.body == relayed(HOLD)
    alice.refuses(488)
    bob.hangs_up()


# ----------------------------------------------------------------------------------------- no relay, or no longer


async def test_without_a_relay_a_call_goes_direct_and_is_counted(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    assert bob.waiting.body == OFFER
    bob.answers()
    alice.acks()
    alice.hangs_up()
    assert outcomes(story) == {DIRECT: 1}


async def test_a_relay_that_fails_is_done_without(story: Story, relay: RelayInHand, alice: Phone, bob: Phone) -> None:
    relay.fails = EngineError("no port is left")
    alice.invites("201")
    await turns()
    assert bob.waiting.body == OFFER
    assert not relay.open_calls
    bob.answers()
    assert alice.received(200, "INVITE").body == ANSWER
    alice.acks()
    alice.hangs_up()
    assert outcomes(story) == {DIRECT: 1}


async def test_where_it_must_not_go_direct_the_policy_goes_on(
    story: Story, relay: RelayInHand, alice: Phone, bob: Phone
) -> None:
    """G5: whose phone cannot be relayed is not reached; nor are the voicemail and the reception, so it is refused."""
    story.exchange.relays.falls_back = False
    relay.fails = EngineError("no port is left")
    alice.invites("201")
    await turns()
    assert not bob.was_called
    assert alice.received(480, "INVITE")
    assert outcomes(story) == {FAILED: 3}


async def test_an_offer_of_no_use_is_refused_488(story: Story, relay: RelayInHand, alice: Phone, bob: Phone) -> None:
    story.exchange.relays.falls_back = False
    relay.fails = OfferError("no common codec")
    alice.invites("201")
    await turns()
    assert alice.received(488, "INVITE")


@pytest.mark.parametrize("way", ["absent", "failing", "hanging", "dying"])
async def test_an_emergency_call_goes_out_whatever_the_relay_does(
    story: Story, relay: RelayInHand, alice: Phone, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The invariant of emergency calls: even where others must not go direct."""
    story.exchange.relays.falls_back = False
    monkeypatch.setattr(media_path, "PATIENCE", 0.02)
    first = story.trunk("first")
    if way == "absent":
        relay.ready = False
    elif way == "failing":
        relay.fails = OfferError("no common codec")
    elif way == "hanging":
        relay.hold()
    alice.invites("112")
    await turns()
    if way == "hanging":
        await eventually("the call goes out", lambda: first.was_called)
    if way == "dying":
        first.rings()
        await relay.dies()
        assert first.received("CANCEL")
    assert first.waiting.body == OFFER
    first.answers()
    assert alice.received(200, "INVITE").body == ANSWER
    alice.acks()
    assert not relay.open_calls
    if way == "hanging":
        await relay.let_go()
    alice.hangs_up()


async def test_a_relay_is_lost_while_a_phone_rings(story: Story, relay: RelayInHand, alice: Phone, bob: Phone) -> None:
    """It was offered what is not there any more, so it is called again."""
    alice.invites("201")
    await turns()
    bob.rings()
    await relay.dies()
    assert bob.received("CANCEL")
    assert bob.waiting.body == OFFER
    bob.answers()
    assert alice.received(200, "INVITE").body == ANSWER
    alice.acks()
    alice.hangs_up()
    assert [leg.status for leg in story.records[0].legs] == [500, 200]


@pytest.mark.parametrize(("why", "cause"), [("engine", 500), ("silence", 408)])
async def test_a_relay_is_lost_while_two_talk(
    story: Story, relay: RelayInHand, alice: Phone, bob: Phone, why: str, cause: int
) -> None:
    await talk(alice, bob, "201")
    await relay.dies(why)
    for phone in (alice, bob):
        assert f"SIP;cause={cause}" in phone.received("BYE").get("reason")
    assert story.records[0].ended_by == "router"
    assert outcomes(story)[LOST] == 1


async def test_an_answer_of_no_use_hangs_the_callee_up(
    story: Story, relay: RelayInHand, alice: Phone, bob: Phone
) -> None:
    story.exchange.relays.falls_back = False
    alice.invites("201")
    await turns()
    relay.fails = OfferError("no common codec")
    bob.answers()
    await turns()
    assert bob.heard()[-2:] == ["ACK", "BYE"]
    assert alice.received(488, "INVITE")


# ---------------------------------------------------------------------------------------------------- transfers


async def test_a_transferred_call_has_a_relay_of_its_own(
    story: Story, relay: RelayInHand, alice: Phone, bob: Phone
) -> None:
    carol = story.phone("202")
    await talk(alice, bob, "201")
    refers(bob, "202")
    assert carol.waiting.body == b""
    carol.answers(body=OTHER)
    await turns()
    assert alice.waiting.body == relayed(OTHER)
    assert len(relay.open_calls) == 2
    alice.answers(body=AGREED)
    await turns()
    assert carol.received("ACK").body == relayed(AGREED)
    assert told(bob)[-1] == "200 OK"
    assert len(relay.open_calls) == 1
    alice.hangs_up()
    assert carol.received("BYE")


async def test_a_party_that_goes_during_a_transfer_leaves_nothing_behind(
    story: Story, relay: RelayInHand, alice: Phone, bob: Phone
) -> None:
    carol = story.phone("202")
    await talk(alice, bob, "201")
    refers(bob, "202")
    relay.hold()
    carol.answers(body=OTHER)
    await turns()
    alice.hangs_up()
    assert carol.heard()[-2:] == ["ACK", "BYE"]
    assert bob.received("BYE")
    told(bob)
    await relay.let_go()


# ---------------------------------------------------------------------------------- calls of the router's own


@pytest.mark.parametrize("way", [MediaWay.RELAY, MediaWay.RTPENGINE])
async def test_whom_the_router_calls_itself_is_relayed_only_by_what_it_cannot_do(
    story: Story, relay: RelayInHand, bob: Phone, way: MediaWay
) -> None:
    """P3: its own engine is the other party already; an rtpengine stands before a phone that speaks SRTP."""
    relay.serve(way)
    phone = replace(story.gate.accounts["201"], media=way)
    story.registrar.set_accounts({**story.gate.accounts, "201": phone})
    facts = Facts(Origin.ROUTER, "callback", "201")
    decision = Decision(Action.RING, RingPerson("bob", ("201",)), ())
    answered: list[bytes] = []
    call = Originated(story.exchange, facts, decision, story.now)
    call.begin(decision, story.now)
    call.dial(OFFER, answered.append, story.now)
    story.flush()
    await turns()
    passes = relayed if way is MediaWay.RTPENGINE else bytes
    assert bob.waiting.body == passes(OFFER)
    bob.answers()
    await turns()
    assert answered == [passes(ANSWER)]
    assert bob.received("ACK")
    bob.hangs_up()
