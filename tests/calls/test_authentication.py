"""The gate: nobody unknown reaches a phone or a trunk, and a stranger learns nothing about who exists."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from tests.calls.story import COMPANY, OFFER, Phone, Story

METHODS = ["INVITE", "MESSAGE", "SUBSCRIBE", "REFER", "NOTIFY", "PUBLISH", "INFO", "UPDATE", "PRACK", "BYE"]


@pytest.fixture
def bob(story: Story) -> Phone:
    return story.phone("201")


def shape(text: str) -> str:
    """An answer without what is random or repeated in it."""
    return re.sub(r'nonce="[0-9a-f]+"|tag=[\w-]+|branch=[\w-]+|(?m:^(From|To|Call-ID): .*$)', "", text)


def last_answer(story: Story) -> str:
    return story.wire_log[-1][1]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("uri", ["sip:201@192.0.2.1", "sip:+3225551234@192.0.2.1", "sip:201@192.0.2.201:5060"])
def test_a_strangers_request_never_causes_a_byte_to_anybody_else(
    story: Story, bob: Phone, method: str, uri: str
) -> None:
    story.trunk()
    stranger = story.stranger()
    before = len(story.wire_log)
    stranger.sends(method, uri, "Event: presence", "Refer-To: <sip:202@story.example>", body=OFFER)
    story.advance(40)
    assert {address for address, _ in story.wire_log[before:]} == {stranger.address}
    assert stranger.received(407)


def test_a_stranger_gets_one_answer_and_no_state_for_ever(story: Story) -> None:
    stranger = story.stranger()
    for number in range(50):
        stranger.sends("MESSAGE", "sip:201@192.0.2.1", call_id=f"flood-{number}")
    assert stranger.count(407) == 50
    story.advance(40)
    assert story.stack.transactions == 0


@pytest.mark.parametrize("method", ["REGISTER", "INVITE", "MESSAGE"])
def test_known_and_unknown_users_get_the_same_challenge(story: Story, bob: Phone, method: str) -> None:
    stranger = story.stranger()
    answers = []
    for user in ("201", "200", "nobody"):
        who = f"<sip:{user}@story.example>"
        stranger.sends(method, "sip:192.0.2.1", sender=f"{who};tag=a", to=who, call_id=f"a-{user}")
        answers.append(shape(last_answer(story)))
    assert len(set(answers)) == 1
    assert 'realm="story.example"' in answers[0]


@pytest.mark.parametrize("method", ["REGISTER", "INVITE"])
def test_wrong_passwords_of_known_and_unknown_users_get_the_same_answer(story: Story, bob: Phone, method: str) -> None:
    answers = []
    for user in ("201", "nobody"):
        phone = Phone(story, user, ("203.0.113.7", 5060), "udp")
        phone.password = "guess"
        who = f"<sip:{user}@story.example>"
        uri = "sip:192.0.2.1"
        phone.sends(method, uri, sender=f"{who};tag=a", to=who, call_id=f"b-{user}")
        challenge = phone.received(401) or phone.received(407)
        header = "Authorization" if method == "REGISTER" else "Proxy-Authorization"
        credentials = phone.credentials(challenge, method, uri)
        phone.sends(method, uri, f"{header}: {credentials}", sender=f"{who};tag=a", to=who, call_id=f"b-{user}", cseq=2)
        answers.append(shape(last_answer(story)))
    assert len(set(answers)) == 1
    assert re.match(r"SIP/2\.0 40[17] ", answers[0])
    assert "stale" not in answers[0]


def test_a_phone_may_speak_only_for_itself(story: Story, bob: Phone) -> None:
    alice = story.phone("200")
    alice.invites("201", sender='"Boss" <sip:202@story.example>')
    assert alice.received(403, "INVITE")
    assert not bob.was_called


def test_credentials_are_good_for_one_use(story: Story, bob: Phone) -> None:
    """An overheard INVITE cannot be sent again by somebody else."""
    alice = story.phone("200")
    conversation = alice.invites("201")
    assert conversation.sent is not None
    replayed = conversation.sent.text.replace(b"Call-ID: ", b"Call-ID: again-").replace(b"z9hG4bK-", b"z9hG4bK-again-")
    stranger = story.stranger()
    stranger.says(replayed)
    assert bob.count("INVITE") == 1
    challenge = story.wire_log[-1]
    assert challenge[1].startswith("SIP/2.0 407")
    assert "stale=true" in challenge[1]
    alice.cancels()
    bob.rings()


def test_credentials_of_another_method_or_target_are_refused(story: Story, bob: Phone) -> None:
    alice = story.phone("200")
    alice.answers_challenges = False
    alice.invites("202")
    credentials = alice.credentials(alice.received(407), "MESSAGE", "sip:202@192.0.2.1")
    alice.sends(
        "INVITE",
        "sip:201@192.0.2.1",
        f"Proxy-Authorization: {credentials}",
        sender="<sip:200@story.example>;tag=x",
        body=OFFER,
    )
    assert alice.received(407)
    assert not bob.was_called


def test_a_malformed_authorization_is_400_and_reaches_nobody(story: Story, bob: Phone) -> None:
    stranger = story.stranger()
    stranger.sends("INVITE", "sip:201@192.0.2.1", "Proxy-Authorization: Digest nonsense", body=OFFER)
    assert stranger.received(400)
    assert not bob.was_called


def test_a_private_phone_whose_exception_has_ended_may_not_call(tell: Callable[[str], Story]) -> None:
    """D1."""
    story = tell(
        COMPANY.replace(
            "devices: {desk: {kind: fixed, secret: secret-200}}",
            "devices: {own: {kind: private, secret: secret-200, until: 2026-11-24, approved_by: bob}}",
        )
    )
    alice, bob = story.phone("200"), story.phone("201")
    alice.invites("201")
    bob.refuses(486)
    alice.cancels()
    story.advance(14 * 3600)
    alice.invites("201")
    assert alice.received(403, "INVITE")
    assert bob.count("INVITE") == 1


def test_nobody_may_speak_within_a_dialog_that_it_does_not_know(story: Story, bob: Phone) -> None:
    """Tags are the key to a dialog: 64 random bits, which a stranger cannot guess."""
    alice = story.phone("200")
    alice.invites("201")
    bob.answers()
    alice.acks()
    stranger = story.stranger()
    call = alice.call
    stranger.sends(
        "BYE", "sip:192.0.2.1", to="<sip:201@192.0.2.1>;tag=guess", sender=call.local, call_id=call.call_id, cseq=99
    )
    assert stranger.received(481)
    assert story.exchange.calls
    alice.hangs_up()


def test_options_are_answered_for_everybody(story: Story) -> None:
    stranger = story.stranger()
    stranger.sends("OPTIONS", "sip:192.0.2.1")
    answer = stranger.received(200, "OPTIONS")
    assert "INVITE" in answer.get("allow")
    assert answer.get("accept") == "application/sdp"


def test_unknown_methods_are_501_without_asking_who_it_is(story: Story) -> None:
    stranger = story.stranger()
    stranger.sends("LEVITATE", "sip:192.0.2.1")
    assert "INVITE" in stranger.received(501).get("allow")


@pytest.mark.parametrize("uri", ["mailto:a@b", "nobodyKnowsThisScheme:totallyopaquecontent"])
def test_a_scheme_that_is_not_served_is_416(story: Story, uri: str) -> None:
    stranger = story.stranger()
    stranger.sends("INVITE", uri, to="<sip:a@b>")
    assert stranger.received(416)


@pytest.mark.parametrize("method", ["NOTIFY", "BYE", "INFO", "UPDATE", "PRACK"])
def test_a_trunks_request_of_no_dialog_is_481(story: Story, method: str) -> None:
    trunk = story.trunk()
    trunk.sends(method, "sip:201@192.0.2.1", "Event: refer")
    assert trunk.received(481)


@pytest.mark.parametrize("method", ["REFER", "PUBLISH"])
def test_a_trunk_may_not_send_what_is_not_served(story: Story, bob: Phone, method: str) -> None:
    trunk = story.trunk()
    trunk.sends(method, "sip:201@192.0.2.1", "Refer-To: <sip:202@story.example>")
    assert trunk.received(405).get("allow")
    assert bob.heard() == []


def test_the_verdicts_are_counted(story: Story, bob: Phone) -> None:
    before = dict(story.gate.verdicts)
    alice = story.phone("200")
    alice.invites("201")
    alice.cancels()
    bob.rings()
    counted = {key: value - before.get(key, 0) for key, value in story.gate.verdicts.items()}
    assert counted["challenged",] == 2  # REGISTER and INVITE
    assert counted["ok",] == 2
