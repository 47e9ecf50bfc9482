"""The one answer that the router writes itself."""

from __future__ import annotations

from router.sip.sdp import declined


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
