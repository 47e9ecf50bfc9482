"""Menus as callers hear them (Q1, Q5, S3): a real media engine, real RTP, fake SIP time."""

from __future__ import annotations

import itertools
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from router.configuration import Configuration
from router.media.client import Engine
from tests.calls.story import ANSWER, COMPANY, configuration_of
from tests.calls.voice_story import Tale, eventually, write_coded_prompts
from tests.media.peer import Peer

MAIN = "+3242200100"
MENU_COMPANY = (
    COMPANY.replace('{sip: "sip:{extension}@192.0.2.91:5091"}', '{mailbox: "{person}"}')
    .replace("country: BE", "country: BE\n  languages: [fr, en]")
    .replace("main_line: {then: reception}", "main_line: {then: menu:accueil, hours: day, closed: reception}")
    .replace("alice: {", "alice: {when: {unreachable: menu:help}, ")
    + """
hours: {day: {calendar: weekdays, from: "08:00", to: "10:01"}}
menus:
  accueil:
    keys: {"1": bob, "2": reception, "3": menu:help}
    languages: {"9": en}
    timeout: 0.5s
  help:
    says: menu.choose
    keys: {"1": carol, "2": voicemail, "*": menu:accueil}
    message: "0"
    timeout: 0.5s
    on_wrong: reception
    repeats: 0
profiles:
  lunch: {kind: absent, says: {fr: En pause déjeuner}, offers: [message, {transfer: "menu:help"}]}
"""
)

_ranges = itertools.cycle(range(36_000, 41_000, 1000))


@pytest.fixture(scope="module")
def company_with_menus(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return configuration_of(MENU_COMPANY, tmp_path_factory.mktemp("menus"))


@pytest.fixture(scope="module")
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
async def tale(company_with_menus: Configuration, engine: Engine, prompts: Path, tmp_path: Path) -> AsyncIterator[Tale]:
    peer = Peer()
    tale = await Tale.begin(company_with_menus, engine, peer, tmp_path, prompts)
    yield tale
    peer.close()
    try:
        await tale.end()
        tale.story.check_nothing_is_left()
        assert not tale.complaints
    finally:
        tale.story.close()


async def test_a_key_leads_to_somebody_while_the_menu_is_heard(tale: Tale) -> None:
    """Q1: the key interrupts at once, the phone rings, both talk; the record tells what was pressed."""
    bob = tale.story.phone("201")
    caller = await tale.calls(MAIN)
    await tale.hears("greeting.welcome")
    tale.presses("1")
    invite = await eventually("bob's phone rings", lambda: bob.received("INVITE"))
    assert invite.get("diversion") == "<sip:+3242200100@192.0.2.1:5060>;reason=unconditional;counter=1"
    bob.rings()
    await tale.hears_ringing()
    assert "key.2" not in tale.said()
    caller.forgets()
    bob.answers(body=ANSWER)
    offer = caller.received("INVITE")
    caller.responds(offer, 200, "Content-Type: application/sdp", body=tale.peer.sdp())
    assert caller.received("ACK")
    assert bob.received("ACK").body == tale.peer.sdp()
    caller.hangs_up()
    assert bob.received("BYE")
    menu, talk = tale.story.records
    assert (menu.target, menu.chosen) == ("menu:accueil", ())
    assert (talk.target, talk.chosen, talk.status) == ("bob", ("accueil:1",), 200)
    assert [str(reason) for reason in talk.because[:2]] == [
        "F5  Story Company → menu:accueil",
        "Q1  key 1 of menu accueil → bob",
    ]


async def test_whoever_does_not_answer_has_a_voicemail(tale: Tale) -> None:
    """G5: the policy goes on from the choice, and the caller hears the greeting in the same sound: no new offer."""
    bob = tale.story.phone("201")
    caller = await tale.calls(MAIN)
    await tale.hears("greeting.welcome")
    tale.presses("1")
    await eventually("bob's phone rings", lambda: bob.received("INVITE"))
    bob.rings()
    caller.forgets()
    tale.story.advance(21)
    await tale.hears("greeting.hello", "reason.no_answer", "record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 1.0)
    caller.hangs_up()
    await tale.messages("bob")
    assert not caller.received("INVITE")
    voicemail = tale.story.records[-1]
    assert (voicemail.target, voicemail.chosen) == ("voicemail", ("accueil:1",))
    assert [attempt.outcome for attempt in voicemail.attempts] == ["no_answer"]


async def test_wrong_keys_and_silence_lead_to_the_reception_in_the_end(tale: Tale) -> None:
    """S3: an apology and the menu again, twice; then somebody answers all the same."""
    reception = tale.story.reception()
    await tale.calls(MAIN)
    await tale.hears("greeting.welcome")
    tale.presses("7")
    await tale.hears("menu.wrong", "greeting.welcome", "menu.nothing", "greeting.welcome")
    tale.presses("7")
    await eventually("the reception is called", lambda: reception.received("INVITE"))
    reception.refuses(486)
    await tale.hears("greeting.hello", "record.after_tone")
    tale.caller_hangs_up()
    await eventually("the call is over", lambda: not tale.story.exchange.calls)
    assert tale.story.records[-1].chosen == ("accueil:wrong",)


async def test_a_message_can_be_left_and_is_the_main_numbers(tale: Tale) -> None:
    """Q5: `#`, though nobody has written it into the menu."""
    caller = await tale.calls(MAIN)
    await tale.hears("offer.message", "key.hash")
    tale.presses("#")
    await tale.hears("greeting.hello", "greeting.team", "record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 1.0)
    caller.hangs_up()
    await tale.messages(MAIN[1:])


async def test_the_language_is_chosen_and_stays(tale: Tale) -> None:
    """It is offered in its own words; afterwards the menu, and the voicemail behind it, speak it."""
    await tale.calls(MAIN)
    await tale.hears("greeting.welcome", "en:offer.language", "en:key.9")
    tale.presses("9")
    await tale.hears("en:offer.transfer", "en:key.1")
    tale.presses("#")
    await tale.hears("en:greeting.hello", "en:record.after_tone")
    tale.caller_hangs_up()
    await eventually("the call is over", lambda: not tale.story.exchange.calls)
    assert tale.story.records[-1].chosen == ("accueil:9", "accueil:#")


async def test_keys_may_be_pressed_ahead_through_menus(tale: Tale) -> None:
    """Whoever knows the way hears nothing of it; `*` leads back."""
    carol = tale.story.phone("202")
    caller = await tale.calls(MAIN)
    for key in "3*31":
        tale.presses(key)
    await eventually("carol's phone rings", lambda: carol.received("INVITE"))
    carol.rings()
    caller.hangs_up()
    assert carol.received("CANCEL")
    await eventually("the call is over", lambda: not tale.story.exchange.calls)
    by_chosen = {record.chosen: record.target for record in tale.story.records}
    choices = ("accueil:3", "help:*", "accueil:3", "help:1")
    assert by_chosen == {choices[:-1]: "menu:help", choices: "carol"}


async def test_a_menu_may_lead_elsewhere_at_the_first_wrong_key(tale: Tale) -> None:
    reception = tale.story.reception()
    await tale.calls(MAIN)
    tale.presses("3")
    await tale.hears("menu.choose")
    tale.presses("7")
    await eventually("the reception is called", lambda: reception.received("INVITE"))
    tale.caller_hangs_up()


async def test_who_goes_round_for_ever_is_sent_to_somebody(tale: Tale) -> None:
    """S3."""
    reception = tale.story.reception()
    await tale.calls(MAIN)
    for _ in range(10):
        tale.presses("3")
        tale.presses("*")
    await eventually("the reception is called", lambda: reception.received("INVITE"))
    tale.caller_hangs_up()


async def test_who_is_in_a_menu_stays_when_the_number_closes(tale: Tale) -> None:
    """G8: at 10:01 the main number closes; the key that is pressed afterwards counts."""
    bob = tale.story.phone("201")
    await tale.calls(MAIN)
    await tale.hears("greeting.welcome")
    tale.story.advance(61)
    tale.presses("1")
    await eventually("bob's phone rings", lambda: bob.received("INVITE"))
    tale.caller_hangs_up()
    await eventually("the call is over", lambda: not tale.story.exchange.calls)
    [choice] = [record for record in tale.story.records if record.chosen]
    assert str(choice.because[0]) == "G8  the caller is in the menu accueil already"


async def test_a_profile_may_offer_a_menu(tale: Tale) -> None:
    """P3: the caller comes to it from a voicemail, by re-INVITE, and chooses there."""
    carol = tale.story.phone("202")
    tale.selects("bob", "lunch", lasting=3600)
    caller = await tale.calls("+3242200121")
    await tale.hears("reason.lunch")
    caller.forgets()
    tale.presses("2")
    invite = await eventually("the caller is offered new sound", lambda: caller.received("INVITE"))
    other = Peer()
    try:
        caller.responds(invite, 200, "Content-Type: application/sdp", body=other.sdp())
        tale.turns_to(other)
        other.heed(invite.body)
        await tale.hears("menu.choose")
        tale.presses("1")
        await eventually("carol's phone rings", lambda: carol.received("INVITE"))
        carol.rings()
        caller.hangs_up()
        assert carol.received("CANCEL")
    finally:
        other.close()


async def test_a_person_whose_phone_is_off_may_have_a_menu(tale: Tale) -> None:
    """Q1, R8: a menu stands wherever a target may; its voicemail is then that of the person."""
    await tale.calls("+3242200120")
    await tale.hears("menu.choose")
    tale.presses("2")
    await tale.hears("greeting.hello", "record.after_tone")
    await tale.hears_the_beep()
    await tale.speaks(440, 1.0)
    tale.caller_hangs_up()
    await tale.messages("alice")


async def test_hanging_up_in_a_menu_leaves_nothing(tale: Tale) -> None:
    caller = await tale.calls(MAIN)
    await tale.hears("greeting.welcome")
    caller.hangs_up()
    await eventually("the call is over", lambda: not tale.story.exchange.calls)
    assert tale.story.records[-1].ended_by == "caller"


async def test_an_engine_that_dies_after_the_menu_ends_the_call(tale: Tale) -> None:
    """What speaks by then hears of it, though another script opened the sound."""
    await tale.calls(MAIN)
    await tale.hears("greeting.welcome")
    tale.presses("#")
    await tale.hears("record.after_tone")
    os.kill(tale.engine.process_id, signal.SIGKILL)
    await tale.is_hung_up()
    await tale.engine_is_back()


async def test_a_call_on_hold_comes_back_to_what_follows_the_menu(tale: Tale) -> None:
    """A re-INVITE is answered by whoever speaks by then."""
    caller = await tale.calls(MAIN)
    await tale.hears("greeting.welcome")
    tale.presses("#")
    await tale.hears("record.after_tone")
    caller.forgets()
    caller.sends_in_call("INVITE", "Content-Type: application/sdp", body=tale.peer.sdp())
    answer = await eventually("the new offer is answered", lambda: caller.received(200, "INVITE"))
    assert b"m=audio" in answer.body
    caller.acks()
    caller.hangs_up()
