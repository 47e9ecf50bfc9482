"""Blind transfer by REFER, as the three parties and their phones see it (RFC 3515, RFC 5589 §6)."""

from __future__ import annotations

from tests.calls.story import Actor, Phone, Story

OTHER = b"v=0\r\no=- 9 9 IN IP4 192.0.2.209\r\ns=-\r\nc=IN IP4 192.0.2.209\r\nt=0 0\r\nm=audio 9000 RTP/AVP 8\r\n"
AGREED = b"v=0\r\no=- 8 8 IN IP4 192.0.2.208\r\ns=-\r\nc=IN IP4 192.0.2.208\r\nt=0 0\r\nm=audio 8000 RTP/AVP 8\r\n"


def talk(caller: Actor, callee: Actor, number: str) -> None:
    caller.invites(number)
    callee.answers()
    caller.acks()
    for actor in (caller, callee):
        actor.forgets()


def told(transferor: Actor) -> list[str]:
    """What the NOTIFYs said, in order."""
    return [notify.body.decode().split("\r\n")[0] for notify in transferor.all_received("NOTIFY")]


def confirms(transferor: Actor) -> None:
    """Answer every NOTIFY that came."""
    for notify in transferor.all_received("NOTIFY"):
        transferor.responds(notify, 200)


def test_the_target_answers_and_talks_to_the_transferee(story: Story) -> None:
    alice, bob, carol = story.phone("200"), story.phone("201"), story.phone("202")
    talk(alice, bob, "201")
    bob.sends_in_call("REFER", "Refer-To: <sip:202@192.0.2.1>")
    assert bob.received(202, "REFER")
    assert told(bob) == ["SIP/2.0 100 Trying"]
    invite = carol.received("INVITE")
    assert invite.body == b""
    carol.rings()
    assert told(bob)[1:] == ["SIP/2.0 180 Ringing"]
    assert not alice.received("INVITE")
    carol.answers(body=OTHER)
    assert alice.received("INVITE").body == OTHER
    assert not carol.received("ACK")
    alice.answers(body=AGREED)
    assert alice.received("ACK").body == b""
    assert carol.received("ACK").body == AGREED
    assert told(bob)[2:] == ["SIP/2.0 200 OK"]
    assert not bob.received("BYE")
    confirms(bob)
    assert bob.count("BYE") == 1
    assert (alice.count("BYE"), carol.count("BYE")) == (0, 0)
    story.advance(60)
    carol.hangs_up()
    assert alice.count("BYE") == 1
