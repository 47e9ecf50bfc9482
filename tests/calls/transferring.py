"""What the stories of transfers have in common."""

from __future__ import annotations

from urllib.parse import quote

from tests.calls.story import Actor, Conversation

OTHER = b"v=0\r\no=- 9 9 IN IP4 192.0.2.209\r\ns=-\r\nc=IN IP4 192.0.2.209\r\nt=0 0\r\nm=audio 9000 RTP/AVP 8\r\n"
AGREED = b"v=0\r\no=- 8 8 IN IP4 192.0.2.208\r\ns=-\r\nc=IN IP4 192.0.2.208\r\nt=0 0\r\nm=audio 8000 RTP/AVP 8\r\n"


def talk(caller: Actor, callee: Actor, number: str) -> Conversation:
    """Let the one call the other and be answered; returns the caller's side of it."""
    conversation = caller.invites(number)
    callee.answers()
    caller.acks()
    for actor in (caller, callee):
        actor.forgets()
    return conversation


def refers(actor: Actor, number: str, *headers: str, conversation: Conversation | None = None) -> None:
    """Ask for a transfer to a number, or to a URI."""
    uri = number if ":" in number else f"sip:{number}@192.0.2.1"
    actor.sends_in_call("REFER", f"Refer-To: <{uri}>", *headers, conversation=conversation)


def consulted(number: str, conversation: Conversation, parameters: str = "") -> str:
    """The URI that a transferor puts into Refer-To for a party that it consulted (RFC 5589 §7.1)."""
    value = f"{conversation.call_id};to-tag={conversation.remote_tag};from-tag={conversation.tag}{parameters}"
    return f"sip:{number}@192.0.2.1?Replaces={quote(value, safe='')}"


def told(transferor: Actor) -> list[str]:
    """What the NOTIFYs say, in order; each is answered, so that the next one comes."""
    answered = 0
    while answered < len(notifies := transferor.all_received("NOTIFY")):
        transferor.responds(notifies[answered], 200)
        answered += 1
    return [notify.body.decode().split("\r\n")[0].removeprefix("SIP/2.0 ") for notify in notifies]
