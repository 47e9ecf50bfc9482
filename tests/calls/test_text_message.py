"""Text messages (X1, RFC 3428): out under the company's name, no reply, and between colleagues."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from router.configuration import ConfigurationError
from tests.calls.story import COMPANY, Actor, Phone, Story, configuration_of

OUTSIDE = "+32475111222"
WITH_SENDER = COMPANY + "text_messages: {sender: Atelier XYZ}\n"

Tell = Callable[[str], Story]


def writes(phone: Phone, to: str, text: bytes = b"Bonjour", kind: str = "text/plain;charset=UTF-8") -> None:
    """Send a MESSAGE as a phone does: again with its digest when it is challenged."""
    uri = f"sip:{to}@192.0.2.1"

    def send(cseq: int, *headers: str) -> None:
        sender = f"<sip:{phone.user}@story.example>;tag=text"
        content = f"Content-Type: {kind}"
        phone.sends("MESSAGE", uri, content, *headers, body=text, sender=sender, call_id=f"text-{to}", cseq=cseq)

    send(1)
    challenge = phone.received(407)
    if challenge is not None:
        send(2, f"Proxy-Authorization: {phone.credentials(challenge, 'MESSAGE', uri)}")


@pytest.fixture
def story(tell: Tell) -> Story:
    return tell(WITH_SENDER)


@pytest.fixture
def bob(story: Story) -> Phone:
    return story.phone("201")


def settled(story: Story) -> None:
    story.advance(40)  # timers J and K


def test_the_sender_is_the_company_and_no_number_of_anybody(story: Story, bob: Phone) -> None:
    trunk = story.trunk()
    writes(bob, "0475111222")
    message = trunk.received("MESSAGE")
    assert message.uri == f"sip:{OUTSIDE}@198.51.100.1:5060" or message.uri.startswith(f"sip:{OUTSIDE}@")
    assert message.body == b"Bonjour"
    assert message.get("content-type") == "text/plain;charset=UTF-8"
    assert (message.get("from") or "").startswith("<sip:Atelier%20XYZ@")
    text = story.wire_log[-1][1]
    for secret in ("201", "Bob", "+3242200121", "story.example", "P-Asserted"):
        assert secret not in text
    trunk.responds(message, 200)
    assert bob.received(200, "MESSAGE")
    settled(story)


def test_the_next_trunk_takes_what_the_first_cannot(story: Story, bob: Phone) -> None:
    first, second = story.trunk("first"), story.trunk("second")
    writes(bob, OUTSIDE)
    first.responds(first.received("MESSAGE"), 503)
    second.responds(second.received("MESSAGE"), 202)
    assert bob.received(200, "MESSAGE")
    settled(story)


@pytest.mark.parametrize(("answer", "heard"), [(404, 404), (486, 486), (503, 503), (401, 503)])
def test_what_nobody_takes_is_refused(story: Story, bob: Phone, answer: int, heard: int) -> None:
    trunks = story.trunk("first"), story.trunk("second")
    writes(bob, OUTSIDE)
    for trunk in trunks:
        message = trunk.received("MESSAGE")
        if message is not None:
            trunk.responds(message, answer)
    assert bob.received(heard, "MESSAGE")
    settled(story)


def test_a_reply_is_refused_and_told(story: Story, bob: Phone) -> None:
    told: list[str] = []
    story.exchange.text_messages.reply_refused = told.append
    trunk = story.trunk()
    trunk.sends("MESSAGE", "sip:Atelier%20XYZ@192.0.2.1", "Content-Type: text/plain", body=b"Merci")
    assert trunk.received(403)
    trunk.sends("MESSAGE", "sip:+3242200121@192.0.2.1", "Content-Type: text/plain", body=b"Merci", call_id="b")
    assert told == ["first", "first"]
    assert bob.received("MESSAGE") is None
    settled(story)


def test_colleagues_write_to_all_devices_of_each_other(story: Story, bob: Phone) -> None:
    mobile, alice = story.phone("201-gsm"), story.phone("200")
    writes(alice, "201")
    for phone in (bob, mobile):
        message = phone.received("MESSAGE")
        assert (message.get("from") or "").startswith('"Alice Martin" <sip:200@')
    mobile.responds(mobile.received("MESSAGE"), 200)
    assert alice.received(200, "MESSAGE")
    bob.responds(bob.received("MESSAGE"), 480)
    assert alice.count(480, "MESSAGE") == 0
    settled(story)


@pytest.mark.parametrize(
    ("to", "status"),
    [("+22461234567", 403), ("+3242200177", 404), ("nobody", 404), ("202", 480)],
)
def test_where_no_message_goes(story: Story, bob: Phone, to: str, status: int) -> None:
    """X2: the greylist holds; carol of 202 has no phone registered."""
    trunk = story.trunk()
    writes(bob, to)
    assert bob.received(status, "MESSAGE")
    assert trunk.received("MESSAGE") is None
    settled(story)


@pytest.mark.parametrize(
    ("text", "kind", "status"),
    [(b"x" * 1301, "text/plain", 413), (b"<a/>", "application/xml", 415)],
)
def test_only_short_plain_text_passes(story: Story, bob: Phone, text: bytes, kind: str, status: int) -> None:
    writes(bob, OUTSIDE, text, kind)
    assert bob.received(status, "MESSAGE")
    settled(story)


@pytest.mark.parametrize(
    ("named", "shown"),
    [
        ('"Alice" <sip:200@192.0.2.50>', '"Alice Martin" <sip:200@'),  # a colleague behind the PBX
        ('"Workshop" <sip:417@192.0.2.50>', '"Workshop" <sip:417@'),  # a phone of the PBX that is nobody's here
        ("<sip:anonymous@192.0.2.50>", "<sip:unknown@"),
    ],
)
def test_whoever_writes_behind_a_pbx_is_named(story: Story, bob: Phone, named: str, shown: str) -> None:
    pbx = story.pbx()
    pbx.sends("MESSAGE", "sip:201@192.0.2.1", "Content-Type: text/plain", body=b"Hello", sender=f"{named};tag=text")
    message = bob.received("MESSAGE")
    assert (message.get("from") or "").startswith(shown)
    bob.responds(message, 200)
    assert pbx.received(200, "MESSAGE")
    settled(story)


def test_without_a_sender_nothing_goes_outside(tell: Tell) -> None:
    story = tell(COMPANY)
    bob, trunk = story.phone("201"), story.trunk()
    writes(bob, OUTSIDE)
    assert bob.received(405, "MESSAGE")
    assert trunk.received("MESSAGE") is None
    settled(story)


def test_nobody_answers(story: Story, bob: Phone) -> None:
    """RFC 4320: a message that nobody answers is not answered 408."""
    actors: list[Actor] = [story.trunk("first"), story.trunk("second")]
    writes(bob, OUTSIDE)
    story.advance(80)
    assert all(actor.received("MESSAGE") for actor in actors)
    assert not bob.count(408, "MESSAGE")
    settled(story)


@pytest.mark.parametrize("sender", ["+3242200100", "12345", "Atelier de la Meuse", "Atelier!", "", " Atelier"])
def test_a_sender_that_could_be_answered_or_is_too_long_is_found(sender: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        configuration_of(COMPANY + f'text_messages: {{sender: "{sender}"}}\n', tmp_path)
    assert "X1" in str(error.value)
