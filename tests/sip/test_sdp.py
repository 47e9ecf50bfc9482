"""What the router itself says in SDP."""

from __future__ import annotations

from router.sip.sdp import declined, held


def test_every_stream_of_an_offer_is_declined_and_none_added() -> None:
    offer = (
        b"v=0\r\no=a 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n"
        b"m=audio 40000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\nm=video 40002 RTP/AVP 96\r\n"
    )
    answer = declined(offer)
    assert [line for line in answer.splitlines() if line.startswith(b"m=")] == [
        b"m=audio 0 RTP/AVP 0 8",
        b"m=video 0 RTP/AVP 96",
    ]
    assert answer.startswith(b"v=0\r\no=")
    assert answer.endswith(b"\r\n")


def test_the_first_plain_audio_stream_is_taken_on_hold_and_every_other_declined() -> None:
    """RFC 3264 §6: as many m-lines as the offer has, in its order."""
    offer = (
        b"v=0\r\no=a 1 1 IN IP6 2001:db8::1\r\ns=-\r\nc=IN IP6 2001:db8::1\r\nt=0 0\r\n"
        b"m=audio 40000 RTP/SAVP 8\r\nm=audio 40002 RTP/AVP 111 0\r\na=rtpmap:111 opus/48000/2\r\n"
        b"a=rtpmap:0 PCMU/8000\r\na=sendrecv\r\nm=audio 40004 RTP/AVP 0\r\na=rtpmap:111 other/8000\r\nm=audio\r\n"
    )
    assert held(offer, "2001:db8::7").decode().splitlines()[3:] == [
        "c=IN IP6 2001:db8::7",
        "t=0 0",
        "m=audio 0 RTP/SAVP 8",
        "m=audio 9 RTP/AVP 111",
        "a=inactive",
        "a=rtpmap:111 opus/48000/2",
        "m=audio 0 RTP/AVP 0",
        "m=audio 0 ",
    ]
