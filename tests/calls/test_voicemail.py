"""Voicemail as callers hear it (V1, V2, M2, M4, R4, G5, P3): a real media engine, real RTP, fake SIP time."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest

from router.configuration import Configuration
from router.media.client import Engine
from router.model.message import MessageKind
from tests.calls.story import COMPANY, configuration_of
from tests.calls.voice_story import GREETING_HERTZ, RULES, Tale, eventually, samples_of, seconds_of, tone, write_wav
from tests.media.peer import Peer

HEARD_COMPANY = (
    COMPANY.replace('{sip: "sip:{extension}@192.0.2.91:5091"}', '{mailbox: "{person}"}').replace(
        "country: BE", "country: BE\n  languages: [fr]"
    )
    + """
profiles:
  lunch: {kind: absent, says: {fr: En pause déjeuner}, offers: [message, callback, {transfer: reception}]}
  abroad: {kind: absent, says: {fr: En vacances}, offers: [{transfer: "+224600000000"}, {transfer: carol}]}
"""
)
BOB, CAROL = "+3242200121", "+3242200122"

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="session")
def heard_company(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return configuration_of(HEARD_COMPANY, tmp_path_factory.mktemp("heard company"))


async def test_a_caller_leaves_a_message_by_hanging_up(tale: Tale) -> None:
    """V1, G5: greeting, reason, beep; what was said is in the file, and whose it is and from whom is known."""
    caller = await tale.calls(BOB)
    await tale.hears("greeting.hello", "greeting.mailbox", "reason.unreachable", "record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 0.6)
    caller.hangs_up()
    [message] = await tale.messages("bob")
    assert (message.caller, message.caller_name, message.kind) == ("+32475111222", "Paul", MessageKind.MESSAGE)
    assert not message.urgent
    samples = samples_of(tale.mailboxes.sound(message))
    assert seconds_of(samples, 440) == pytest.approx(0.6, abs=0.1)
    assert len(samples) / 8000 == pytest.approx(0.6, abs=0.3)
    [record] = tale.story.records
    assert (record.action, record.target, record.owner, record.status) == ("forward", "voicemail", "bob", 200)
    assert (record.ended_by, record.legs) == ("caller", ())
    assert record.answered_after is not None


async def test_after_hash_the_caller_chooses_and_hears_that_it_is_saved_once_it_is(tale: Tale) -> None:
    """V1: `#` ends the message; 2 plays it back, 3 records it again, * makes it urgent."""
    await tale.calls(BOB)
    await tale.hears("record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 0.4)
    tale.presses("#")
    await tale.hears("record.send", "key.1", "record.listen", "key.2", "record.again", "key.3", "record.urgent")
    tale.presses("2")
    await tale.hears_tone(440, 0.3)
    tale.presses("3")
    await tale.hears("record.after_tone")
    await tale.hears_the_beep(times=2)
    await tale.speaks(700, 0.4)
    tale.presses("#")
    await tale.hears("record.send")
    assert not tale.mailboxes.counts("bob").new
    tale.presses("*")
    await tale.hears("record.saved_urgent")
    [message] = await tale.messages("bob")
    assert message.urgent
    samples = samples_of(tale.mailboxes.sound(message))
    assert seconds_of(samples, 700) == pytest.approx(0.4, abs=0.1)
    assert seconds_of(samples, 440) == 0
    await tale.hears("menu.goodbye")
    await tale.is_hung_up()
    assert tale.story.records[0].ended_by == "router"


async def test_a_message_without_a_choice_is_saved_all_the_same(tale: Tale) -> None:
    tale.records_by(silence_seconds=0.8)
    tale.story.exchange.attendant.patience = 0.1
    await tale.calls(BOB)
    await tale.hears("record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 0.4)
    await tale.hears("record.send", "record.send", "record.send", "record.saved", "menu.goodbye")
    await tale.is_hung_up()
    [message] = await tale.messages("bob")
    assert message.seconds == pytest.approx(0.4 + 0.8, abs=0.3)  # the silence that ended it is part of it


async def test_hash_leads_from_the_greeting_to_the_beep_at_once(tale: Tale) -> None:
    await tale.greets_for(60)
    caller = await tale.calls(BOB)
    await tale.hears_tone(GREETING_HERTZ, 0.2)
    tale.presses("#")
    await tale.hears("record.after_tone")
    await tale.hears_the_beep()
    caller.hangs_up()


async def test_whoever_says_nothing_leaves_nothing(tale: Tale) -> None:
    """Silence is asked about again, and then the call ends; nothing is in the mailbox, no file is left."""
    tale.records_by(silence_seconds=0.4)
    await tale.calls(BOB)
    await tale.hears("record.after_tone", "record.silence", "record.after_tone", "record.silence", "menu.goodbye")
    await tale.is_hung_up()
    assert not tale.mailboxes.counts("bob").new
    await tale.story.exchange.attendant.settled()
    assert tale.files() == []


async def test_a_cough_is_no_message(tale: Tale) -> None:
    caller = await tale.calls(BOB)
    await tale.hears("record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 0.1)
    caller.hangs_up()
    await tale.story.exchange.attendant.settled()
    assert not tale.mailboxes.counts("bob").new
    assert tale.files() == []


async def test_the_longest_message_ends_by_itself(tale: Tale) -> None:
    tale.records_by(max_seconds=0.8)
    await tale.calls(BOB)
    await tale.hears("record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 1.0)
    await tale.hears("record.limit", "record.send")
    tale.presses("1")
    [message] = await tale.messages("bob")
    tale.caller_hangs_up()
    assert message.seconds == pytest.approx(0.8, abs=0.1)


# --------------------------------------------------------------------------------------------- what callers are told


async def test_a_caller_of_somebody_on_the_phone_hears_so(tale: Tale) -> None:
    """M2, F2: on a call → voicemail; the phone says busy."""
    bob = tale.story.phone("201")
    tale.dials(BOB)
    bob.rings()
    bob.refuses(486)
    tale.peer.heed((await tale.answered()).body)
    tale.caller_acks()
    await tale.hears("reason.on_call", "record.after_tone")
    tale.caller_hangs_up()
    await tale.story.exchange.attendant.settled()
    [record] = tale.story.records
    assert record.because[-1].clause in ("M2", "F2", "G4")
    assert [leg.status for leg in record.legs] == [486]


async def test_nobody_answers_in_time(tale: Tale) -> None:
    """G5: after 20 s of ringing the caller is asked for a message; the phone stops ringing."""
    bob = tale.story.phone("201")
    tale.dials(BOB)
    bob.rings()
    tale.story.advance(20.5)
    assert bob.received("CANCEL")
    tale.peer.heed((await tale.answered()).body)
    tale.caller_acks()
    await tale.hears("reason.no_answer", "record.after_tone")
    tale.caller_hangs_up()


async def test_a_profile_says_why_until_when_and_what_else_there_is(tale: Tale) -> None:
    """M4, P3: « En pause déjeuner », the time of return, and the options by key."""
    tale.selects("bob", "lunch", lasting=3600)
    await tale.calls(BOB)
    await tale.hears("greeting.mailbox", "reason.lunch", "return.back_at", "time.hour.11")
    await tale.hears("offer.message", "key.1", "offer.callback", "key.2", "offer.reception", "key.3")
    tale.presses("1")
    await tale.hears("record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 0.4)
    tale.caller_hangs_up()
    [message] = await tale.messages("bob")
    assert message.reason == "En pause déjeuner"


async def test_the_owners_own_greeting_goes_before_the_routers(tale: Tale, tmp_path: Path) -> None:
    """V1: the greeting for a profile of that kind; the options are the router's."""
    greeting = write_wav(tmp_path / "greeting.wav", tone(900, 0.6), 8000)
    await tale.mailboxes.set_greeting("bob", "absent", greeting.read_bytes())
    tale.selects("bob", "lunch", lasting=3600)
    await tale.calls(BOB)
    await tale.hears_tone(900, 0.5)
    await tale.hears("offer.message", "key.1")
    assert "greeting.hello" not in tale.said()
    tale.caller_hangs_up()


async def test_a_call_back_is_noted(tale: Tale) -> None:
    """P3: by a key, without a word."""
    tale.selects("bob", "lunch", lasting=3600)
    await tale.calls(BOB)
    await tale.hears("reason.lunch")
    tale.presses("2")  # while the greeting is still being said
    await tale.hears("callback.noted", "menu.goodbye")
    await tale.is_hung_up()
    [message] = await tale.messages("bob")
    assert (message.kind, message.has_sound, message.caller) == (MessageKind.CALLBACK, False, "+32475111222")


async def test_whoever_withholds_their_number_says_where_to_call(tale: Tale) -> None:
    tale.selects("bob", "lunch", lasting=3600)
    await tale.calls(BOB, "Privacy: id")
    await tale.hears("reason.lunch")
    tale.presses("2")
    await tale.hears("record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 0.4)
    tale.caller_hangs_up()
    [message] = await tale.messages("bob")
    assert (message.kind, message.has_sound, message.caller) == (MessageKind.CALLBACK, True, None)


# ------------------------------------------------------------------------------------------------- being put through


async def test_a_caller_is_put_through(tale: Tale) -> None:
    """P3: the reception rings; its offer goes to the caller by re-INVITE, and the router is out of the sound."""
    reception = tale.story.reception()
    tale.selects("bob", "lunch", lasting=3600)
    caller = await tale.calls(BOB)
    await tale.hears("reason.lunch")
    tale.presses("3")
    await tale.hears("transfer.now")
    await eventually("the reception is called", lambda: reception.received("INVITE"))
    reception.rings()
    await tale.hears_ringing()
    caller.forgets()
    reception.answers(body=b"v=0\r\nc=IN IP4 192.0.2.90\r\nm=audio 6000 RTP/AVP 8\r\n")
    invite = caller.received("INVITE")
    assert b"192.0.2.90" in invite.body
    caller.responds(invite, 200, "Content-Type: application/sdp", body=tale.peer.sdp())
    assert caller.received("ACK")
    assert tale.peer.sdp() in reception.received("ACK").body
    caller.hangs_up()
    assert reception.received("BYE")
    first, second = tale.story.records
    assert (first.target, first.status) == ("voicemail", 200)
    assert (second.target, second.status, second.ended_by) == ("reception", 200, "caller")
    assert second.because[0].clause == "P3"


async def test_a_transfer_that_fails_leads_back_to_the_message(tale: Tale) -> None:
    reception = tale.story.reception()
    tale.selects("bob", "lunch", lasting=3600)
    await tale.calls(BOB)
    await tale.hears("reason.lunch")
    tale.presses("3")
    await eventually("the reception is called", lambda: reception.received("INVITE"))
    reception.refuses(486)
    await tale.hears("transfer.failed", "record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 0.4)
    tale.caller_hangs_up()
    await tale.messages("bob")


async def test_nobody_is_put_through_to_what_must_not_be_called(tale: Tale) -> None:
    """X2: the greylist holds for what a profile offers, too."""
    trunk = tale.story.trunk()
    tale.selects("bob", "abroad", lasting=3600)
    await tale.calls(BOB, actor=trunk)
    await tale.hears("reason.holiday")
    trunk.forgets()
    tale.presses("1")
    await tale.hears("transfer.failed", "record.after_tone")
    assert not trunk.received("INVITE")
    trunk.hangs_up()


async def test_a_caller_who_hangs_up_while_it_rings_leaves_nobody_ringing(tale: Tale) -> None:
    reception = tale.story.reception()
    tale.selects("bob", "lunch", lasting=3600)
    caller = await tale.calls(BOB)
    await tale.hears("reason.lunch")
    tale.presses("3")
    await eventually("the reception is called", lambda: reception.received("INVITE"))
    reception.rings()
    caller.hangs_up()
    assert reception.received("CANCEL")


async def test_from_one_voicemail_to_another(tale: Tale) -> None:
    """P3, G5: whoever is put through to somebody without a phone reaches their voicemail, by re-INVITE."""
    tale.selects("bob", "abroad", lasting=3600)
    caller = await tale.calls(BOB)
    await tale.hears("reason.holiday")
    caller.forgets()
    tale.presses("2")
    invite = await eventually("the caller is offered new sound", lambda: caller.received("INVITE"))
    other = Peer()
    try:
        caller.responds(invite, 200, "Content-Type: application/sdp", body=other.sdp())
        tale.turns_to(other)
        other.heed(invite.body)
        await tale.hears("reason.unreachable", "record.after_tone")
        await tale.hears_the_beep()
        await tale.speaks(440, 0.4)
        caller.hangs_up()
        await tale.messages("carol")
    finally:
        other.close()


# ---------------------------------------------------------------------------------------------- SIP, at every moment


@pytest.mark.parametrize("turns", [0, 1, 2, 3, 5])
async def test_a_caller_cancels_before_the_router_has_answered(tale: Tale, turns: int) -> None:
    caller = tale.dials(BOB)
    for _ in range(turns):
        await asyncio.sleep(0)
    if caller.received(200, "INVITE"):
        caller.acks()
        caller.hangs_up()
    else:
        caller.cancels()
        assert caller.received(487)
    await tale.story.exchange.attendant.settled()


@pytest.mark.parametrize("said", ["greeting.hello", "reason.unreachable", "record.after_tone"])
async def test_a_caller_hangs_up_while_something_is_said(tale: Tale, said: str) -> None:
    caller = await tale.calls(BOB)
    await tale.hears(said)
    caller.hangs_up()
    assert caller.received(200, "BYE")
    await tale.story.exchange.attendant.settled()
    assert tale.files() == []


async def test_nothing_is_said_before_the_acknowledgement(tale: Tale) -> None:
    """RFC 3261 §13.3.1.4: an answer that nobody acknowledges ends with BYE."""
    caller = tale.dials(BOB)
    answer = await tale.answered()
    tale.peer.heed(answer.body)
    await asyncio.sleep(0.2)
    assert abs(tale.peer.heard()).max(initial=0) < 50, "there is something else than silence"
    caller.forgets()
    tale.story.advance(33)
    assert caller.count(200, "INVITE") >= 6
    assert caller.received("BYE")


async def test_a_caller_who_acknowledges_and_hangs_up_in_one_breath(tale: Tale) -> None:
    caller = tale.dials(BOB)
    await tale.answered()
    caller.acks()
    caller.hangs_up()
    assert caller.received(200, "BYE")


async def test_the_answer_makes_the_offer_where_the_caller_made_none(tale: Tale) -> None:
    """RFC 3261 §13.3.1.4: INVITE without SDP, the answer comes in the ACK."""
    caller = tale.dials(BOB, body=b"")
    tale.peer.heed((await tale.answered()).body)
    caller.acks(body=tale.peer.sdp())
    await tale.hears("greeting.hello", "record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 0.4)
    caller.hangs_up()
    await tale.messages("bob")


async def test_hold_and_resume(tale: Tale) -> None:
    """RFC 3264 §8.4: the caller's re-INVITE is answered by the router, which is silent meanwhile."""
    caller = await tale.calls(BOB)
    await tale.hears("greeting.hello")
    caller.reinvites(body=tale.peer.sdp(direction="sendonly"))
    answer = await eventually("hold is answered", lambda: caller.call.answer)
    assert b"a=recvonly" in answer.body
    caller.sends_in_call("INVITE", body=tale.peer.sdp())
    assert caller.received(491), "the ACK of the first one has not come"
    caller.call.answer = answer
    caller.acks()
    caller.reinvites(body=tale.peer.sdp())
    answer = await eventually("resuming is answered", lambda: caller.call.answer)
    caller.acks()
    assert b"a=recvonly" not in answer.body
    await tale.hears("record.after_tone")
    caller.hangs_up()


async def test_a_change_that_makes_no_sense_is_refused_and_the_call_goes_on(tale: Tale) -> None:
    caller = await tale.calls(BOB)
    caller.reinvites(body=b"v=0\r\nm=video 1 RTP/AVP 96\r\n")
    await eventually("it is refused", lambda: caller.received(488))
    caller.reinvites(body=b"")
    await eventually("an offer is made", lambda: caller.call.answer)
    caller.acks(body=tale.peer.sdp())
    await tale.hears("record.after_tone")
    caller.hangs_up()


async def test_keys_come_by_info_as_well(tale: Tale) -> None:
    await tale.greets_for(60)
    caller = await tale.calls(BOB)
    await tale.hears_tone(GREETING_HERTZ, 0.2)
    caller.sends_in_call("INFO", "Content-Type: application/dtmf-relay", body=b"Signal=11\r\nDuration=160\r\n")
    assert caller.received(200, "INFO")
    await tale.hears("record.after_tone")
    caller.hangs_up()


async def test_other_requests_in_the_call(tale: Tale) -> None:
    caller = await tale.calls(BOB)
    caller.sends_in_call("OPTIONS")
    assert caller.received(200, "OPTIONS")
    caller.sends_in_call("MESSAGE", "Content-Type: text/plain", body=b"hello")
    assert caller.received(405, "MESSAGE")
    caller.hangs_up()


async def test_without_a_common_codec_somebody_else_answers(tale: Tale) -> None:
    """S3: the reception may understand what the router does not."""
    reception = tale.story.reception()
    tale.dials(BOB, body=b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 96\r\na=rtpmap:96 opus/48000/2\r\n")
    await eventually("the reception is called", lambda: reception.received("INVITE"))
    reception.refuses(480)
    [record] = tale.story.records
    assert [str(attempt.person) for attempt in record.attempts] == ["voicemail", "reception"]


async def test_without_a_common_codec_and_without_anybody_else_the_caller_hears_why(
    engine: Engine, prompts: Path, tmp_path: Path
) -> None:
    """RFC 3261 §21.4.26: 488 says that another offer might do."""
    text = HEARD_COMPANY.replace('  reception: {sip: "sip:reception@192.0.2.90:5090"}\n', "")
    text = text.replace("busy_other: reception", "busy_other: voicemail").replace(
        "{then: reception}", "{then: voicemail}"
    )
    text = text.replace(", {transfer: reception}", "")
    peer = Peer()
    tale = await Tale.begin(configuration_of(text, tmp_path / "alone"), engine, peer, tmp_path, prompts)
    caller = tale.dials(BOB, body=b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 96\r\n")
    await eventually("it is refused", lambda: caller.received(488))
    peer.close()
    await tale.end()
    tale.story.check_nothing_is_left()
    tale.story.close()


async def test_an_announcement_is_heard_and_the_router_hangs_up(engine: Engine, prompts: Path, tmp_path: Path) -> None:
    """S3: where nobody is to answer, something is said."""
    text = HEARD_COMPANY.replace('{sip: "sip:reception@192.0.2.90:5090"}', "{announcement: system.lines_closed}")
    peer = Peer()
    tale = await Tale.begin(configuration_of(text, tmp_path / "closed"), engine, peer, tmp_path, prompts)
    await tale.calls("+3242200100")
    await tale.hears("system.lines_closed")
    await tale.is_hung_up()
    peer.close()
    await tale.end()
    [record] = tale.story.records
    assert (record.target, record.status, record.ended_by) == ("reception", 200, "router")
    tale.story.check_nothing_is_left()
    tale.story.close()


# ------------------------------------------------------------------------------------------------- when things break


async def test_the_engine_dies_while_somebody_listens(mortal_tale: Tale) -> None:
    """The caller gets BYE, the next call works."""
    caller = await mortal_tale.calls(BOB)
    await mortal_tale.hears("greeting.hello")
    os.kill(mortal_tale.engine.process_id, signal.SIGKILL)
    await eventually("the caller gets BYE", lambda: caller.received("BYE"))
    assert "Media engine" in caller.received("BYE").get("reason")
    await mortal_tale.engine_is_back()
    again = await mortal_tale.calls(BOB)
    await mortal_tale.hears("greeting.hello", "record.after_tone")
    again.hangs_up()


async def test_the_engine_dies_while_somebody_speaks(mortal_tale: Tale) -> None:
    """No half message, no file."""
    caller = await mortal_tale.calls(BOB)
    await mortal_tale.hears("record.after_tone")
    await mortal_tale.hears_the_beep()
    await mortal_tale.speaks(440, 0.4)
    os.kill(mortal_tale.engine.process_id, signal.SIGKILL)
    await eventually("the caller gets BYE", lambda: caller.received("BYE"))
    await mortal_tale.story.exchange.attendant.settled()
    assert not mortal_tale.mailboxes.counts("bob").new
    assert mortal_tale.files() == []


async def test_without_an_engine_the_policy_goes_on(tale: Tale) -> None:
    """S3: a mailbox that cannot answer counts as unreachable."""
    reception = tale.story.reception()
    tale.story.exchange.attendant.engine = None
    caller = tale.dials(BOB)
    assert reception.received("INVITE")
    reception.refuses(480)
    assert caller.received(480)
    [record] = tale.story.records
    assert [attempt.outcome.value for attempt in record.attempts] == ["unreachable", "unreachable"]


async def test_the_router_stops_while_somebody_speaks(tale: Tale) -> None:
    """What was said so far is saved."""
    caller = await tale.calls(BOB)
    await tale.hears("record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 0.4)
    tale.story.exchange.end_all(tale.story.now)
    tale.story.flush()
    assert caller.received("BYE")
    await tale.story.exchange.attendant.settled()
    [message] = await tale.messages("bob")
    assert seconds_of(samples_of(tale.mailboxes.sound(message)), 440) == pytest.approx(0.4, abs=0.1)


async def test_a_full_mailbox_says_so(tale: Tale) -> None:
    tale.mailboxes.follow(tale.story.configuration.mailboxes, replace(RULES, max_messages=0))
    await tale.calls(BOB)
    await tale.hears("record.mailbox_full", "system.later")
    await tale.is_hung_up()


async def test_a_full_disk_is_told_to_the_caller(tale: Tale, monkeypatch: pytest.MonkeyPatch) -> None:
    """The call ends well, and is complained of once."""
    monkeypatch.setattr("router.stores.sound_files.MIN_FREE_BYTES", 2**60)
    await tale.calls(BOB)
    await tale.hears("system.no_message", "system.later")
    await tale.is_hung_up()
    assert len(tale.complaints) == 1


async def test_a_script_that_is_wrong_ends_its_own_call_only(tale: Tale, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> str | None:
        raise RuntimeError("nobody thought of that")

    monkeypatch.setattr(tale.mailboxes, "greeting", broken)
    caller = await tale.calls(BOB)
    await eventually("the caller gets BYE", lambda: caller.received("BYE"))
    assert [str(error) for _, error in tale.complaints] == ["nobody thought of that"]
    monkeypatch.undo()
    caller.forgets()
    again = await tale.calls(BOB)
    await tale.hears("record.after_tone")
    again.hangs_up()


# ---------------------------------------------------------------------------------------------------- spoken refusals


async def test_a_refused_destination_is_explained_before_the_refusal(tale: Tale) -> None:
    """X2: early media, then 403."""
    alice = tale.story.phone("200")
    tale.dials("+224600000000", actor=alice)
    progress = await eventually("early media comes", lambda: alice.received(183))
    tale.peer.heed(progress.body)
    assert not alice.received(403)
    await tale.hears("refused.destination")
    await eventually("the refusal comes", lambda: alice.received(403))
    [record] = tale.story.records
    assert (record.action, record.status, record.answered_after) == ("refuse", 403, None)


async def test_who_does_not_want_to_hear_why_hangs_up(tale: Tale) -> None:
    alice = tale.story.phone("200")
    tale.dials("+224600000000", actor=alice)
    await eventually("early media comes", lambda: alice.received(183))
    alice.cancels()
    assert alice.received(487)


@pytest.mark.parametrize("body", [b"", b"v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 4000 RTP/AVP 96\r\n"])
async def test_who_cannot_hear_why_is_refused_at_once(tale: Tale, body: bytes) -> None:
    alice = tale.story.phone("200")
    tale.dials("+224600000000", actor=alice, body=body)
    await eventually("the refusal comes", lambda: alice.received(403))
    assert not alice.received(183)


# -------------------------------------------------------------------------------------------------- blind transfer


async def test_a_caller_is_transferred_to_a_voicemail(tale: Tale) -> None:
    """RFC 5589: the one who transfers goes, the caller gets the router's sound by re-INVITE."""
    alice = tale.story.phone("200")
    caller = tale.dials("+3242200120")
    alice.rings()
    alice.answers()
    caller.acks()
    caller.forgets()
    alice.sends_in_call("REFER", "Refer-To: <sip:201@192.0.2.1>")
    assert alice.received(202)
    invite = await eventually("the caller is offered new sound", lambda: caller.received("INVITE"))
    caller.responds(invite, 200, "Content-Type: application/sdp", body=tale.peer.sdp())
    tale.peer.heed(invite.body)
    await tale.hears("reason.unreachable", "record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 0.4)
    assert alice.received("NOTIFY")
    for notify in alice.all_received("NOTIFY"):
        alice.responds(notify, 200)
    caller.hangs_up()
    await tale.messages("bob")
