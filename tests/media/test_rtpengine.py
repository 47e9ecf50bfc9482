"""Calls relayed by real rtpengines: who hears whom, how it is protected, and what happens when one dies."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from ipaddress import ip_network
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import pytest_asyncio

from router.media.rtpengine import Rtpengines
from router.media.rtpengine_call import RtpengineCall
from router.media.rtpengine_control import Control, UnknownCallError
from router.media.rtpengine_wishes import DTLS, SDES
from router.model.sound import MediaParty, RtpengineSettings
from router.ports import EngineError, OfferError
from tests.interop.processes import Ports
from tests.media.peer import EVENT_TYPE, Peer
from tests.media.rtpengine_process import RtpengineProcess
from tests.media.tone_code import heard, spoken

CALLER = MediaParty("caller", "127.0.0.1")
CALLEE = MediaParty("callee", "127.0.0.1")


class Farm(NamedTuple):
    """Two rtpengines, and a router's side of them."""

    relay: Rtpengines
    first: RtpengineProcess
    second: RtpengineProcess
    told: list[tuple[str, bool]]

    def carrying(self) -> RtpengineProcess:
        """The one that has calls."""
        return self.first if self.relay.calls[self.first.address,] else self.second

    def other(self, process: RtpengineProcess) -> RtpengineProcess:
        return self.second if process is self.first else self.first


@pytest.fixture(scope="module")
def ports() -> Ports:
    return Ports()


@pytest.fixture(scope="module")
def processes(ports: Ports, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RtpengineProcess, ...]]:
    folder = tmp_path_factory.mktemp("rtpengine")
    both = tuple(RtpengineProcess(ports, folder, name, "127.0.0.1 ::1").start() for name in ("first", "second"))
    yield both
    for process in both:
        process.end()


@pytest_asyncio.fixture(loop_scope="module")
async def farm(processes: tuple[RtpengineProcess, ...]) -> AsyncIterator[Farm]:
    for process in processes:
        process.start()
    told: list[tuple[str, bool]] = []
    addresses = tuple((process.host, process.port) for process in processes)
    relay = Rtpengines(lambda name, up, _why: told.append((name, up)))
    await relay.follow(RtpengineSettings(addresses))
    first, second = processes
    yield Farm(relay, first, second, told)
    await relay.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def peers() -> AsyncIterator[tuple[Peer, Peer]]:
    both = (Peer(ssrc=0x1111), Peer(ssrc=0x2222))
    yield both
    for peer in both:
        peer.close()


def not_lost(why: str) -> None:
    raise AssertionError(f"lost: {why}")


async def connected(call: RtpengineCall, caller: Peer, callee: Peer) -> None:
    """Let two agree with each other."""
    offer = await call.offer(caller.sdp(), CALLER, CALLEE)
    callee.heed(offer)
    caller.heed(await call.answer(callee.sdp(), CALLEE, CALLER))


async def until(what: str, condition: Callable[[], bool], seconds: float = 10.0) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"in {seconds:g} s this did not happen: {what}") from None


async def hear_each_other(caller: Peer, callee: Peer) -> None:
    """Let both say something at once, and see that the other one heard it."""
    caller.packets.clear()
    callee.packets.clear()
    await asyncio.gather(
        caller.say(np.concatenate([spoken(number) for number in (17, 18, 19)])),
        callee.say(np.concatenate([spoken(number) for number in (204, 205, 206)])),
    )
    await until("the callee hears the caller", lambda: heard(callee.heard())[-2:] == [18, 19])
    await until("the caller hears the callee", lambda: heard(caller.heard())[-2:] == [205, 206])


async def known(process: RtpengineProcess, call: RtpengineCall) -> bool:
    control = Control(process.host, process.port)
    await control.open()
    try:
        await control.ask("query", call.identity)
    except UnknownCallError:
        return False
    finally:
        control.close()
    return True


# ------------------------------------------------------------------------------------------------ who hears whom


async def test_two_parties_hear_each_other_and_see_only_the_relay(farm: Farm, peers: tuple[Peer, Peer]) -> None:
    caller, callee = peers
    call = farm.relay.open("plain", not_lost)
    await connected(call, caller, callee)
    ports = range(farm.carrying().first_port, farm.carrying().first_port + 100)
    assert caller.target[1] in ports
    assert callee.target[1] in ports
    await hear_each_other(caller, callee)
    caller.press(5)
    await until("the key arrives", lambda: any(packet.payload_type == EVENT_TYPE for packet in callee.packets))
    call.close()


async def test_codecs_and_events_pass_as_they_are(farm: Farm, peers: tuple[Peer, Peer]) -> None:
    caller, callee = peers
    call = farm.relay.open("codecs", not_lost)
    offer = await call.offer(caller.sdp(["G722", "PCMU", "PCMA"]), CALLER, CALLEE)
    assert b" RTP/AVP 9 0 8 101\r\n" in offer
    assert b"a=rtpmap:101 telephone-event/8000\r\n" in offer
    answer = await call.answer(callee.sdp(["PCMU"]), CALLEE, CALLER)
    assert b" RTP/AVP 0 101\r\n" in answer
    call.close()


async def test_hold_passes_in_both_directions_and_the_ports_stay(farm: Farm, peers: tuple[Peer, Peer]) -> None:
    caller, callee = peers
    call = farm.relay.open("hold", not_lost)
    await connected(call, caller, callee)
    towards_caller, towards_callee = callee.target, caller.target
    held = await call.offer(callee.sdp(direction="sendonly"), CALLEE, CALLER)
    assert b"a=sendonly" in held
    caller.heed(held)
    answer = await call.answer(caller.sdp(direction="recvonly"), CALLER, CALLEE)
    assert b"a=recvonly" in answer
    callee.heed(answer)
    assert (callee.target, caller.target) == (towards_caller, towards_callee)
    caller.heed(await call.offer(callee.sdp(), CALLEE, CALLER))
    callee.heed(await call.answer(caller.sdp(), CALLER, CALLEE))
    await hear_each_other(caller, callee)
    call.close()


async def test_an_early_answer_may_be_followed_by_another(farm: Farm, peers: tuple[Peer, Peer]) -> None:
    caller, callee = peers
    announcement = Peer()
    call = farm.relay.open("early", not_lost)
    announcement.heed(await call.offer(caller.sdp(), CALLER, CALLEE))
    caller.heed(await call.answer(announcement.sdp(), CALLEE, CALLER))
    await hear_each_other(caller, announcement)
    callee.target = announcement.target
    caller.heed(await call.answer(callee.sdp(), CALLEE, CALLER))
    announcement.close()
    await hear_each_other(caller, callee)
    call.close()


@pytest.mark.parametrize(("keys", "profile", "sign"), [(SDES, b"RTP/SAVP ", b"a=crypto:"), (DTLS, b"SAVPF", b"a=ice-")])
async def test_protected_sound_passes_from_phone_to_phone(
    farm: Farm, peers: tuple[Peer, Peer], keys: str, profile: bytes, sign: bytes
) -> None:
    """The protected side of one call is the caller of another, so that both roles are played by something real."""
    caller, callee = peers
    ours, theirs = farm.relay.open(f"{keys}-out", not_lost), farm.relay.open(f"{keys}-in", not_lost)
    protected = await ours.offer(caller.sdp(), CALLER, CALLEE._replace(keys=keys))
    assert profile in protected
    assert sign in protected
    assert b"NULL" not in protected
    plain = await theirs.offer(protected, CALLER, CALLEE)
    assert b" RTP/AVP 8 101\r\n" in plain
    assert b"crypto" not in plain
    assert b"ice-" not in plain
    assert b"fingerprint" not in plain
    callee.heed(plain)
    protected = await theirs.answer(callee.sdp(), CALLEE, CALLER)
    assert profile in protected
    assert sign in protected
    plain = await ours.answer(protected, CALLEE, CALLER)
    assert b" RTP/AVP 8 101\r\n" in plain
    caller.heed(plain)
    await until_connected(caller, callee)
    await hear_each_other(caller, callee)
    # A change that comes from the plain side reaches a phone that made the offer as it speaks.
    assert profile in await theirs.offer(callee.sdp(direction="sendonly"), CALLEE, CALLER)
    ours.close()
    theirs.close()


async def test_keys_that_may_be_declined_are_taken_and_offered_again(farm: Farm, peers: tuple[Peer, Peer]) -> None:
    """RFC 8643: RTP/AVP with keys. A change that comes from the other side does not lay the sound open."""
    caller, callee = peers
    key = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:0G0hyaZIwpdop5fQ5g2KuHoJOUU5VUUHj/+IM7ph\r\n"
    call = farm.relay.open("optional", not_lost)
    assert b"crypto" not in await call.offer(caller.sdp(more=key), CALLER, CALLEE)
    assert b"a=crypto:1 AES_CM_128_HMAC_SHA1_80" in await call.answer(callee.sdp(), CALLEE, CALLER)
    offer = await call.offer(callee.sdp(direction="sendonly"), CALLEE, CALLER)
    assert b" RTP/AVP " in offer
    assert b" AES_CM_128_HMAC_SHA1_80 " in offer
    assert b"NULL" not in offer
    call.close()


async def until_connected(caller: Peer, callee: Peer) -> None:
    """Send until something comes through both ways: handshakes and checks of connectivity take their time."""
    async with asyncio.timeout(20):
        while not (caller.packets and callee.packets):
            caller.send(b"\xd5" * 160)
            callee.send(b"\xd5" * 160)
            await asyncio.sleep(0.02)


async def test_sound_goes_back_to_where_it_comes_from_and_a_stranger_is_not_heard(
    farm: Farm, peers: tuple[Peer, Peer]
) -> None:
    """A phone behind NAT names a port that is not the one that its sound comes from. Once it is known, nobody else is
    taken for it."""
    caller, callee = peers
    nowhere = callee.sdp().replace(b"m=audio %d " % callee.port, b"m=audio 9 ")
    call = farm.relay.open("nat", not_lost)
    callee.heed(await call.offer(caller.sdp(), CALLER, CALLEE))
    caller.heed(await call.answer(nowhere, CALLEE, CALLER))
    async with asyncio.timeout(20):  # rtpengine looks for a while before it believes
        while not callee.packets:
            caller.send(b"\xd5" * 160)
            callee.send(b"\xd5" * 160)
            await asyncio.sleep(0.02)
    await hear_each_other(caller, callee)
    known_as = f"Confirmed peer address as 127.0.0.1:{callee.port}\n"
    async with asyncio.timeout(20):  # three seconds after the answer it commits itself
        while known_as not in farm.carrying().output:
            callee.send(b"\xd5" * 160)
            await asyncio.sleep(0.02)
    stranger = Peer(ssrc=0x3333)
    stranger.target = callee.target
    caller.packets.clear()
    for _ in range(50):
        stranger.send(b"\x00" * 160)
    await hear_each_other(caller, callee)
    assert {packet.ssrc for packet in caller.packets} == {callee.ssrc}
    assert not stranger.packets
    stranger.close()
    call.close()


async def test_parties_of_two_address_families_hear_each_other(farm: Farm) -> None:
    caller, callee = Peer(ssrc=0x1111), Peer("::1", ssrc=0x2222)
    party = CALLEE._replace(host="::1")
    call = farm.relay.open("families", not_lost)
    offer = await call.offer(caller.sdp(), CALLER, party)
    assert b"c=IN IP6 ::1\r\n" in offer
    callee.heed(offer)
    answer = await call.answer(callee.sdp(), party, CALLER)
    assert b"c=IN IP4 127.0.0.1\r\n" in answer
    caller.heed(answer)
    await hear_each_other(caller, callee)
    call.close()
    caller.close()
    callee.close()


async def test_each_network_is_met_at_its_own_interface(tmp_path: Path, peers: tuple[Peer, Peer], ports: Ports) -> None:
    process = RtpengineProcess(ports, tmp_path, interfaces="inside/127.0.0.1 outside/127.0.0.2").start()
    relay = Rtpengines(lambda *_: None)
    networks = ((ip_network("127.0.0.0/24"), "inside"), (ip_network("0.0.0.0/0"), "outside"))
    await relay.follow(RtpengineSettings(((process.host, process.port),), networks))
    caller, callee = peers
    provider = CALLEE._replace(host="203.0.113.5")
    call = relay.open("interfaces", not_lost)
    offer = await call.offer(caller.sdp(), CALLER, provider)
    assert b"c=IN IP4 127.0.0.2\r\n" in offer
    callee.heed(offer)
    answer = await call.answer(callee.sdp(), provider, CALLER)
    assert b"c=IN IP4 127.0.0.1\r\n" in answer
    caller.heed(answer)
    await hear_each_other(caller, callee)
    call.close()
    await relay.stop()
    process.end()


async def test_a_description_of_no_use_is_refused_and_leaves_nothing(farm: Farm, peers: tuple[Peer, Peer]) -> None:
    caller, callee = peers
    call = farm.relay.open("absurd", not_lost)
    for absurd in (b"hello", b"v=0\r\n", b"v=0\r\no=- 0 0 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n", b"\xff" * 100):
        with pytest.raises(OfferError):
            await call.offer(absurd, CALLER, CALLEE)
    assert sum(farm.relay.calls.values()) == 0
    for process in (farm.first, farm.second):
        assert not await known(process, call)
    await connected(call, caller, callee)  # a better one may follow
    with pytest.raises(OfferError):
        await call.offer(b"hello", CALLEE, CALLER)
    await hear_each_other(caller, callee)
    call.close()


async def test_an_answer_without_an_offer_is_refused(farm: Farm, peers: tuple[Peer, Peer]) -> None:
    with pytest.raises(EngineError, match="without an offer"):
        await farm.relay.open("answer", not_lost).answer(peers[1].sdp(), CALLEE, CALLER)


# ------------------------------------------------------------------------------------------------ giving back


async def test_what_is_closed_is_forgotten_there(farm: Farm, peers: tuple[Peer, Peer]) -> None:
    call = farm.relay.open("closed", not_lost)
    await connected(call, *peers)
    process = farm.carrying()
    assert await known(process, call)
    call.close()
    call.close()
    assert not await known(process, call)
    with pytest.raises(EngineError, match="over"):
        await call.offer(peers[0].sdp(), CALLER, CALLEE)


async def test_a_call_that_ends_while_its_offer_is_on_the_way_leaves_nothing(
    farm: Farm, peers: tuple[Peer, Peer]
) -> None:
    call = farm.relay.open("overtaken", not_lost)
    process = min((farm.first, farm.second), key=lambda one: farm.relay.calls[one.address,])
    offer = asyncio.create_task(call.offer(peers[0].sdp(), CALLER, CALLEE))
    await asyncio.sleep(0)  # it is sent
    call.close()
    with pytest.raises(EngineError, match="over"):
        await offer
    assert not await known(process, call)
    cancelled = farm.relay.open("cancelled", not_lost)
    offer = asyncio.create_task(cancelled.offer(peers[0].sdp(), CALLER, CALLEE))
    await asyncio.sleep(0)
    offer.cancel()
    cancelled.close()
    await asyncio.gather(offer, return_exceptions=True)
    await farm.relay.check()  # said after what the cancelled offer made was deleted
    for one in (farm.first, farm.second):
        assert not await known(one, cancelled)


# ------------------------------------------------------------------------------------------------ when one dies


async def test_the_idlest_gets_the_next_call(farm: Farm, peers: tuple[Peer, Peer]) -> None:
    calls = [farm.relay.open(f"even-{number}", not_lost) for number in range(4)]
    for call in calls:
        await call.offer(peers[0].sdp(), CALLER, CALLEE)
    assert farm.relay.calls == {(farm.first.address,): 2, (farm.second.address,): 2}
    for call in calls:
        call.close()
    assert farm.relay.calls == {(farm.first.address,): 0, (farm.second.address,): 0}


async def test_one_that_is_full_is_passed_over(
    tmp_path: Path, farm: Farm, peers: tuple[Peer, Peer], ports: Ports
) -> None:
    full = RtpengineProcess(ports, tmp_path, options=["--max-sessions=1"]).start()
    relay = Rtpengines(lambda *_: None)
    await relay.follow(RtpengineSettings(((full.host, full.port), (farm.first.host, farm.first.port))))
    calls = [relay.open(f"many-{number}", not_lost) for number in range(4)]
    for call in calls:
        await call.offer(peers[0].sdp(), CALLER, CALLEE)
    assert relay.calls == {(full.address,): 1, (farm.first.address,): 3}
    assert relay.commands[full.address, "offer", "refused"] == 2
    assert relay.up[full.address,] == 1
    for call in calls:
        call.close()
    await relay.stop()
    full.end()


async def test_when_one_is_killed_its_calls_are_lost_and_the_other_takes_the_next(
    farm: Farm, peers: tuple[Peer, Peer]
) -> None:
    lost: list[str] = []
    call = farm.relay.open("killed", lost.append)
    await connected(call, *peers)
    dead = farm.carrying()
    alive = farm.other(dead)
    dead.kill()
    lost_later: list[str] = []
    following = farm.relay.open("after", lost_later.append)
    await connected(following, *peers)  # whichever was asked first
    await hear_each_other(*peers)
    await until("the call on the dead one is lost", lambda: lost == ["engine"])
    assert farm.relay.up == {(dead.address,): 0, (alive.address,): 1}
    assert farm.relay.calls == {(dead.address,): 0, (alive.address,): 1}
    assert farm.relay.lost["engine",] == 1
    alive.kill()
    with pytest.raises(EngineError):
        await farm.relay.open("nobody", not_lost).offer(peers[0].sdp(), CALLER, CALLEE)
    assert farm.relay.ready is False
    assert lost_later == ["engine"]
    dead.start()
    await farm.relay.check()
    assert farm.relay.up[dead.address,]
    again = farm.relay.open("again", not_lost)
    await connected(again, *peers)
    await hear_each_other(*peers)
    again.close()
    assert farm.told[2:] == [(dead.address, False), (alive.address, False), (dead.address, True)]


async def test_one_that_was_started_anew_unseen_has_lost_its_calls(farm: Farm, peers: tuple[Peer, Peer]) -> None:
    lost: list[str] = []
    call = farm.relay.open("restarted", lost.append)
    await call.offer(peers[0].sdp(), CALLER, CALLEE)
    process = farm.carrying()
    await until("it has run for a while", lambda: process.seconds > 3)
    await farm.relay.check()
    process.kill()
    process.start()
    await farm.relay.check()
    assert lost == ["engine"]
    assert (process.address, False) not in farm.told


async def test_a_call_that_rtpengine_gave_up_is_lost_in_silence(farm: Farm, peers: tuple[Peer, Peer]) -> None:
    lost: list[str] = []
    call = farm.relay.open("silent", lost.append)
    await connected(call, *peers)
    process = farm.carrying()
    control = Control(process.host, process.port)
    await control.open()
    await control.ask("delete", {**call.identity, "delete-delay": 0})  # as it does when nobody sends for a minute
    control.close()
    await farm.relay.check()
    assert lost == []  # it was seen a moment ago
    call.looked_at -= 60
    await farm.relay.check()
    assert lost == ["silence"]


async def test_one_that_hangs_is_passed_over_and_its_calls_go_on_for_a_while(
    farm: Farm, peers: tuple[Peer, Peer]
) -> None:
    call = farm.relay.open("hanging", not_lost)
    await connected(call, *peers)
    hanging = farm.carrying()
    hanging.freeze(True)
    try:
        others = [farm.relay.open(f"beside-{number}", not_lost) for number in range(3)]
        for other in others:  # the second or the third meets the one that hangs, which has fewer calls
            await other.offer(peers[0].sdp(), CALLER, CALLEE)
        assert farm.relay.up[hanging.address,] == 0
        assert farm.relay.calls[farm.other(hanging).address,] == 3
    finally:
        hanging.freeze(False)
    await farm.relay.check()
    assert farm.relay.up[hanging.address,] == 1
    await hear_each_other(*peers)
    for one in (call, *others):
        one.close()


async def test_what_was_said_is_counted(farm: Farm, peers: tuple[Peer, Peer]) -> None:
    call = farm.relay.open("counted", not_lost)
    with pytest.raises(OfferError):
        await call.offer(b"hello", CALLER, CALLEE)
    await connected(call, *peers)
    counts = farm.relay.commands
    names = (farm.first.address, farm.second.address)
    assert sum(counts[name, "offer", "refused"] for name in names) == 1
    assert sum(counts[name, "offer", "ok"] for name in names) == 1
    assert sum(counts[name, "answer", "ok"] for name in names) == 1
    call.close()


async def test_other_settings_hold_from_the_next_call_on(farm: Farm, peers: tuple[Peer, Peer]) -> None:
    call = farm.relay.open("before", not_lost)
    await connected(call, *peers)
    left, kept = farm.carrying(), farm.other(farm.carrying())
    await farm.relay.follow(RtpengineSettings(((kept.host, kept.port),)))
    assert farm.relay.up == {(kept.address,): 1}
    following = farm.relay.open("behind", not_lost)
    await following.offer(peers[0].sdp(), CALLER, CALLEE)
    assert farm.relay.calls == {(kept.address,): 1}
    await hear_each_other(*peers)
    call.close()
    following.close()
    assert not await known(left, call)
