"""What the router reads out of session descriptions."""

from __future__ import annotations

import pytest

from router.sip.sdp import Media, describes_media, on_hold, read_media

HEAD = b"v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"
SESSION = HEAD + b"c=IN IP4 192.0.2.1\r\nt=0 0\r\n"
AUDIO = b"m=audio 49170 RTP/AVP 0 8\r\n"


def test_each_stream_has_its_own_direction_and_address_or_those_of_the_session() -> None:
    body = (
        SESSION + b"a=sendonly\r\n" + AUDIO + b"m=video 51372/2 RTP/AVP 31\r\nc=IN IP6 2001:db8::1\r\na=inactive\r\n"
        b"m=application 0 TCP/BFCP *\r\n"
    )
    assert read_media(body) == (
        Media("audio", 49170, "sendonly", "192.0.2.1"),
        Media("video", 51372, "inactive", "2001:db8::1"),
        Media("application", 0, "sendonly", "192.0.2.1"),
    )


@pytest.mark.parametrize(
    ("body", "held"),
    [
        (SESSION + AUDIO, False),
        (SESSION + AUDIO + b"a=recvonly\r\n", False),
        (SESSION + AUDIO + b"a=sendonly\r\n", True),
        (SESSION + AUDIO + b"a=inactive\n", True),
        (SESSION + b"a=sendonly\r\n" + AUDIO + b"a=sendrecv\r\n", False),
        (HEAD + b"c=IN IP4 0.0.0.0\r\nt=0 0\r\n" + AUDIO, True),
        (SESSION + AUDIO + b"a=sendonly\r\nm=video 5004 RTP/AVP 31\r\n", False),
        (SESSION + AUDIO + b"a=sendonly\r\nm=video 0 RTP/AVP 31\r\n", True),
        (SESSION + b"m=audio 0 RTP/AVP 0\r\n", False),
        (SESSION, False),
    ],
)
def test_a_call_is_on_hold_when_every_active_stream_is(body: bytes, held: bool) -> None:
    assert on_hold(body) is held


def test_a_body_without_media_is_neither_offer_nor_answer() -> None:
    assert not describes_media(b"")
    assert not describes_media(SESSION)
    assert not describes_media(HEAD + b"i=m=audio\r\n")
    assert describes_media(SESSION + AUDIO)


@pytest.mark.parametrize(
    "body", [b"m=", b"m=audio\r\n", b"m=audio x RTP/AVP\r\n", b"m=\xff\xfe 9999999 x\r\nc=\r\nc=IN"]
)
def test_a_broken_description_is_read_as_far_as_it_goes(body: bytes) -> None:
    (stream,) = read_media(body)
    assert (stream.port, stream.direction, stream.address) == (-1, "sendrecv", "")
