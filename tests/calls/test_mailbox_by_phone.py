"""Mailboxes as their owners hear them by phone (V1): a real media engine, real mailboxes, real RTP, fake SIP time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from router.calls.pin_attempts import FIRST_PAUSE, MAX_WRONG
from router.configuration import Configuration
from router.model.message import Message, MessageKind, MessageState
from tests.calls.story import COMPANY, Actor, Phone, configuration_of
from tests.calls.voice_story import Tale, eventually, samples_of, seconds_of, write_wav
from tests.media.peer import Peer
from tests.media.tone_code import spoken

PIN = "2468"
TEXT = (
    (
        COMPANY.replace('voicemail: {sip: "sip:{extension}@192.0.2.91:5091"}', 'voicemail: {mailbox: "{person}"}')
        .replace("country: BE", "country: BE\n  languages: [fr]")
        .replace("{name: Bob Durand,", f'{{name: Bob Durand, pin: "{PIN}",')
    )
    + """
codes: {mailbox: "*97"}
mailboxes: {sales: {name: Service Commercial, people: [role:sales], code: "*98"}}
"""
)
OUTSIDE, CAROL = "+32475111222", "202"
FIRST_SAID, SECOND_SAID = 901, 902  # what callers said, as tones that say a number
REST = ("message.again", "message.save", "record.cancel", "message.call_back", "message.forward")

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.fixture(scope="session")
def heard_company(tmp_path_factory: pytest.TempPathFactory) -> Configuration:
    return configuration_of(TEXT, tmp_path_factory.mktemp("mailbox company"))


async def left(
    tale: Tale, said: int, mailbox: str = "bob", caller: str | None = CAROL, kind: MessageKind = MessageKind.MESSAGE
) -> Message:
    """A message that somebody left an hour ago; the silence at its end is there to press a key in."""
    draft = await tale.mailboxes.begin(mailbox, caller, None, tale.story.clock() - 3600 + said)
    write_wav(Path(draft.path), np.concatenate([spoken(said), np.zeros(4000, np.int16)]))
    return await tale.mailboxes.confirm(draft, 1.0, kind=kind)


async def dials(tale: Tale, phone: Actor, code: str, sender: str | None = None) -> None:
    """One of our people dials a code, and the router answers."""
    phone.invites(code, body=tale.peer.sdp(), sender=sender)
    tale.caller = phone
    tale.peer.heed((await tale.answered()).body)
    phone.acks()


async def opened(tale: Tale, phone: Phone | None = None) -> Phone:
    """Bob dials *97 and gives his PIN."""
    phone = phone or tale.story.phone("201")
    await dials(tale, phone, "*97")
    await tale.hears("mailbox.pin")
    dial(tale, f"{PIN}#")
    await tale.hears("mailbox.welcome")
    return phone


async def hears_message(tale: Tale, said: int) -> None:
    await tale.hears("message.number")
    await tale.hears("time.at")
    await tale.hears(f"?{said}")


def dial(tale: Tale, keys: str) -> None:
    for key in keys:
        tale.presses(key)


async def state_of(tale: Tale, message: Message, state: MessageState) -> None:
    await eventually(f"{message.id} is {state}", lambda: tale.mailboxes.counts(message.mailbox).new == 0)
    found = await tale.mailboxes.message(message.id)
    assert found is not None
    assert found.state is state


# ------------------------------------------------------------------------------------------------------ the door


async def test_with_the_pin_one_hears_ones_messages(tale: Tale) -> None:
    """V1: how many, when, from whom, what was said; and heard it is, which the lamp is told."""
    message = await left(tale, FIRST_SAID)
    told: list[str] = []
    tale.mailboxes.watch(told.append)
    bob = await opened(tale)
    await tale.hears("mailbox.one_new", "message.number", "number.1", "message.received", "time.today", "time.at")
    await tale.hears("message.from")
    await tale.hears(f"?{FIRST_SAID}")
    await tale.hears(*REST)
    await state_of(tale, message, MessageState.HEARD)
    assert told == ["bob"]
    tale.presses("*")
    await tale.hears("menu.goodbye")
    await eventually("the router hangs up", lambda: bob.received("BYE"))
    [record] = tale.story.records
    assert (record.action, record.target, record.owner, record.status) == ("feature", "bob", "bob", 200)
    assert [(reason.clause, reason.text) for reason in record.because] == [
        ("V1", "*97: Bob Durand opens their own mailbox")
    ]


async def test_three_wrong_pins_end_the_call_and_shut_the_mailbox(tale: Tale) -> None:
    await left(tale, FIRST_SAID)
    bob = tale.story.phone("201")
    await dials(tale, bob, "*97")
    for wrong in ("1111", "13579", "246"):
        await tale.hears("mailbox.pin")
        dial(tale, f"{wrong}#")
        await tale.hears("mailbox.pin_wrong")
    await tale.hears("mailbox.pin_blocked")
    await eventually("the router hangs up", lambda: bob.received("BYE"))
    [entry] = tale.audited
    assert (entry.actor, entry.action, entry.subject) == ("phone 201", "open mailbox", "bob")
    assert "3 wrong PINs" in entry.after
    assert "246" not in str(entry)


async def test_a_shut_mailbox_opens_again(tale: Tale) -> None:
    """For a minute at first; not even the right PIN is asked for until then."""
    attempts = tale.story.exchange.attendant.pin_attempts
    for _ in range(MAX_WRONG):
        assert attempts.may_try("bob", tale.story.clock())
    bob = tale.story.phone("201")
    await dials(tale, bob, "*97")
    await tale.hears("mailbox.pin_blocked")
    await eventually("the router hangs up", lambda: bob.received("BYE"))
    assert "mailbox.pin" not in tale.said()
    tale.story.advance(FIRST_PAUSE)
    first, second = tale.peer, Peer()
    tale.turns_to(second)
    await opened(tale, bob)
    bob.hangs_up()
    second.close()
    tale.turns_to(first)


async def test_who_has_no_pin_opens_it_from_their_own_phone_only(tale: Tale) -> None:
    alice = tale.story.phone("200")
    await dials(tale, alice, "*97")
    await tale.hears("mailbox.nothing_new")
    alice.hangs_up()
    pbx = tale.story.pbx()
    tale.dials("*97", actor=pbx)  # says that it is nobody in particular
    assert pbx.received(403)


async def test_a_pbx_that_names_a_person_needs_the_pin(tale: Tale) -> None:
    pbx = tale.story.pbx()
    await dials(tale, pbx, "*97", sender="<sip:200@pbx.example>;tag=a")
    await tale.hears("refused.contact")  # alice has none
    await eventually("the router hangs up", lambda: pbx.received("BYE"))


async def test_a_shared_mailbox_opens_to_its_people_only(tale: Tale) -> None:
    await left(tale, SECOND_SAID, "sales")
    carol, alice = tale.story.phone("202"), tale.story.phone("200")
    alice.invites("*98")
    assert alice.received(403)
    await dials(tale, carol, "*98")
    await tale.hears("mailbox.one_new", f"?{SECOND_SAID}")
    carol.hangs_up()


# -------------------------------------------------------------------------------------------------- the messages


async def test_messages_are_saved_deleted_and_gone_back_to(tale: Tale) -> None:
    first, second = await left(tale, FIRST_SAID), await left(tale, SECOND_SAID)
    bob = await opened(tale)
    await tale.hears("mailbox.new", "number.2")
    await hears_message(tale, FIRST_SAID)
    tale.presses("6")
    await hears_message(tale, SECOND_SAID)
    tale.presses("7")
    await hears_message(tale, FIRST_SAID)
    tale.presses("1")
    await hears_message(tale, FIRST_SAID)
    tale.presses("2")
    await tale.hears("message.saved")
    await hears_message(tale, SECOND_SAID)
    path = tale.mailboxes.sound(second)
    assert path in tale.files()
    tale.presses("3")
    await tale.hears("message.deleted", "message.end")
    tale.presses("0")
    await tale.hears("menu.goodbye")
    await eventually("the router hangs up", lambda: bob.received("BYE"))
    assert path not in tale.files()
    assert await tale.mailboxes.message(second.id) is None
    await state_of(tale, first, MessageState.SAVED)


async def test_a_key_before_anything_was_heard_deletes_nothing(tale: Tale) -> None:
    message = await left(tale, FIRST_SAID)
    bob = tale.story.phone("201")
    await dials(tale, bob, "*97")
    await tale.hears("mailbox.pin")
    dial(tale, f"{PIN}#")
    await tale.hears("mailbox.welcome")
    tale.presses("3")
    await hears_message(tale, FIRST_SAID)
    bob.hangs_up()
    assert await tale.mailboxes.message(message.id) is not None


async def test_who_hangs_up_before_the_end_finds_the_message_new(tale: Tale) -> None:
    await left(tale, FIRST_SAID)
    bob = await opened(tale)
    await tale.hears("message.number")
    bob.hangs_up()
    await tale.story.exchange.attendant.settled()
    assert tale.mailboxes.counts("bob").new == 1


async def test_nobody_who_only_listens_is_kept_for_ever(tale: Tale) -> None:
    await left(tale, FIRST_SAID)
    bob = await opened(tale)
    await hears_message(tale, FIRST_SAID)
    tale.presses("8")  # is offered nowhere
    for heard in ("menu.wrong", "message.again", "menu.nothing", "message.again", "menu.nothing", "menu.goodbye"):
        await tale.hears(heard)
    await eventually("the router hangs up", lambda: bob.received("BYE"))


async def test_a_message_goes_on_to_a_colleague(tale: Tale) -> None:
    await left(tale, FIRST_SAID)
    bob = await opened(tale)
    await hears_message(tale, FIRST_SAID)
    for extension, answer in (("999", "refused.number"), ("201", "refused.number"), ("202", "message.forwarded")):
        tale.presses("5")
        await tale.hears("message.forward_to")
        dial(tale, f"{extension}#")
        await tale.hears(answer)
    bob.hangs_up()
    [copy] = await tale.messages("carol")
    assert copy.caller == CAROL
    assert samples_of(tale.mailboxes.sound(copy)).any()


# ------------------------------------------------------------------------------------------------------ calling back


async def test_a_caller_is_called_back_as_an_ordinary_call_of_the_person(tale: Tale) -> None:
    """F1: bob shows his direct number, and the two talk to each other."""
    await left(tale, FIRST_SAID, caller=OUTSIDE, kind=MessageKind.CALLBACK)
    trunk = tale.story.trunk()
    bob = await opened(tale)
    await tale.hears("message.from")
    await tale.hears("callback.wanted", f"?{FIRST_SAID}")
    tale.presses("4")
    await tale.hears("menu.one_moment")
    invite = await eventually("the caller is called", lambda: trunk.received("INVITE"))
    assert invite.uri.startswith("sip:+32475111222@")
    assert "+3242200121" in (invite.get("from") or "")
    trunk.rings()
    await tale.hears_ringing()
    bob.forgets()
    trunk.answers(body=b"v=0\r\nc=IN IP4 198.51.100.1\r\nm=audio 6000 RTP/AVP 8\r\n")
    again = bob.received("INVITE")
    assert b"198.51.100.1" in again.body
    bob.responds(again, 200, body=tale.peer.sdp())
    assert tale.peer.sdp() in trunk.received("ACK").body
    bob.hangs_up()
    assert trunk.received("BYE")
    first, second = tale.story.records
    assert (first.action, first.status) == ("feature", 200)
    assert (second.action, second.dialled, second.owner, second.status) == ("dial", OUTSIDE, "bob", 200)


@pytest.mark.parametrize(
    ("caller", "answer"),
    [
        ("+22501020304", "transfer.failed"),
        ("+22461234567", "refused.destination"),
        (None, "callback.impossible"),
        ("112", "callback.impossible"),
        ("*31112", "callback.impossible"),
    ],
)
async def test_who_cannot_be_called_back(tale: Tale, caller: str | None, answer: str) -> None:
    """X2: the greylist holds; a caller who says that their number is a code, or 112, does not make bob dial it."""
    await left(tale, FIRST_SAID, caller=caller)
    trunk = tale.story.trunk()
    bob = await opened(tale)
    await hears_message(tale, FIRST_SAID)
    tale.presses("4")
    if answer == "transfer.failed":
        await eventually("the caller is called", lambda: trunk.received("INVITE"))
        trunk.refuses(486)
    await tale.hears(answer, "message.again")
    assert bool(trunk.received("INVITE")) is (answer == "transfer.failed")
    bob.hangs_up()


# --------------------------------------------------------------------------------------------------------- greetings


async def test_a_greeting_is_recorded_heard_and_removed(tale: Tale) -> None:
    """V1: one's own, by phone, for each kind of profile."""
    bob = await opened(tale)
    await tale.hears("mailbox.nothing_new")
    tale.presses("9")
    await tale.hears("reason.no_answer", "reason.busy_other", "reason.absent", "key.0")
    tale.presses("3")
    await tale.hears("mailbox.change_greeting", "key.0")
    tale.presses("1")
    await tale.hears("greeting.record")
    await tale.hears_the_beep()
    await tale.speaks(440, 0.6)
    tale.presses("#")
    await tale.hears("greeting.current")
    await tale.hears("record.again", "greeting.saved")
    greeting = tale.mailboxes.greeting("bob", "absent")
    assert greeting is not None
    assert seconds_of(samples_of(greeting), 440) == pytest.approx(0.6, abs=0.1)
    assert tale.mailboxes.greeting("bob", "available") is None
    await tale.hears("reason.absent", "key.0")
    tale.presses("3")
    await tale.hears("greeting.current")
    await tale.hears("mailbox.remove_greeting", "key.0")
    tale.presses("3")
    await tale.hears("greeting.removed")
    assert tale.mailboxes.greeting("bob", "absent") is None
    bob.hangs_up()


async def test_a_greeting_that_does_not_please_is_recorded_again(tale: Tale) -> None:
    bob = await opened(tale)
    await tale.hears("mailbox.nothing_new")
    tale.presses("9")
    await tale.hears("reason.no_answer", "key.0")
    tale.presses("1")
    await tale.hears("mailbox.change_greeting", "key.0")
    tale.presses("1")
    await tale.hears("greeting.record")
    await tale.hears_the_beep()
    await tale.speaks(440, 0.4)
    tale.presses("#")
    await tale.hears("greeting.current")
    await tale.hears("record.again", "key.1")
    tale.presses("1")
    await tale.hears("greeting.record")
    await tale.hears_the_beep(times=2)
    await tale.speaks(660, 0.4)
    bob.hangs_up()  # not approved: nothing is kept
    await tale.story.exchange.attendant.settled()
    assert tale.mailboxes.greeting("bob", "available") is None
    assert not tale.files()
