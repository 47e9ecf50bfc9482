"""What is answered to an offer, and what is refused (RFC 3264)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.media import sdp
from router.media.sdp import Ours
from router.ports import OfferError

OURS = Ours(7, 1, "192.0.2.1", 20_000)


def offer(*media: str, session: str = "c=IN IP4 198.51.100.7") -> bytes:
    return (
        "v=0\r\no=- 1 1 IN IP4 198.51.100.7\r\ns=-\r\n" + "".join(f"{line}\r\n" for line in (session, "t=0 0", *media))
    ).encode()


def answered(text: bytes) -> list[str]:
    """Return the answer to an offer, from its m-lines on."""
    streams = sdp.read(text)
    place, agreed = sdp.agree(streams)
    answer = sdp.answer(streams, place, agreed, OURS)
    assert answer.endswith(b"\r\n")
    lines = answer.decode().splitlines()
    assert lines[:5] == ["v=0", "o=- 7 1 IN IP4 192.0.2.1", "s=-", "c=IN IP4 192.0.2.1", "t=0 0"]
    return lines[5:]


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        pytest.param(
            ["m=audio 4000 RTP/AVP 8"],
            ["m=audio 20000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=ptime:20", "a=sendrecv"],
            id="a static payload type needs no rtpmap",
        ),
        pytest.param(
            ["m=audio 4000 RTP/AVP 0 8 96", "a=rtpmap:96 telephone-event/8000"],
            [
                "m=audio 20000 RTP/AVP 0 96",
                "a=rtpmap:0 PCMU/8000",
                "a=rtpmap:96 telephone-event/8000",
                "a=fmtp:96 0-15",
                "a=ptime:20",
                "a=sendrecv",
            ],
            id="their order of codecs, and their number for telephone-event",
        ),
        pytest.param(
            [
                "m=audio 4000 RTP/AVP 111 97 98",
                "a=rtpmap:111 opus/48000/2",
                "a=rtpmap:97 g722/8000",
                "a=rtpmap:98 telephone-event/48000",
            ],
            ["m=audio 20000 RTP/AVP 97", "a=rtpmap:97 G722/8000", "a=ptime:20", "a=sendrecv"],
            id="a dynamic number, small letters, an event of another clock",
        ),
        pytest.param(
            ["m=audio 4000 RTP/AVP 8", "a=sendonly"],
            ["m=audio 20000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=ptime:20", "a=recvonly"],
            id="on hold with music of theirs",
        ),
        pytest.param(
            ["a=recvonly", "m=audio 4000 RTP/AVP 8"],
            ["m=audio 20000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=ptime:20", "a=sendonly"],
            id="a direction for all streams",
        ),
        pytest.param(
            ["a=recvonly", "m=audio 4000 RTP/AVP 8", "a=inactive"],
            ["m=audio 20000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=ptime:20", "a=inactive"],
            id="a stream's own direction counts",
        ),
        pytest.param(
            ["m=video 5000 RTP/AVP 31", "m=audio 0 RTP/AVP 8", "m=audio 4000 RTP/AVP 8", "m=audio 6000 RTP/AVP 8"],
            [
                "m=video 0 RTP/AVP 31",
                "m=audio 0 RTP/AVP 8",
                "m=audio 20000 RTP/AVP 8",
                "a=rtpmap:8 PCMA/8000",
                "a=ptime:20",
                "a=sendrecv",
                "m=audio 0 RTP/AVP 8",
            ],
            id="one audio stream is taken, the others are declined in their places",
        ),
        pytest.param(
            ["m=audio 4000 RTP/SAVP 8", "m=audio 4002 RTP/AVP 8"],
            ["m=audio 0 RTP/SAVP 8", "m=audio 20000 RTP/AVP 8", "a=rtpmap:8 PCMA/8000", "a=ptime:20", "a=sendrecv"],
            id="what needs keys is declined where there is a choice",
        ),
    ],
)
def test_answers(media: list[str], expected: list[str]) -> None:
    assert answered(offer(*media)) == expected


@pytest.mark.parametrize(
    ("media", "complaint"),
    [
        (["m=audio 4000 RTP/AVP 18 111", "a=rtpmap:111 opus/48000/2"],
         "no common codec: they have 18, opus, we have PCMA, PCMU, G722"),
        (["m=audio 4000 RTP/SAVP 8"], "RTP/SAVP needs keys or is unknown"),
        (["m=video 4000 RTP/AVP 31"], "there is no audio stream"),
        ([], "there is no audio stream"),
        (["m=audio 0 RTP/AVP 8"], "there is no audio stream"),
        (["m=audio 4000 RTP/AVP 8", "c=IN IP4 phone.example"], "address 'phone.example' is not an IP address"),
        (["m=audio 4000 RTP/AVP 8", "c=nonsense"], "address '' is not an IP address"),
        (["m=audio 99999 RTP/AVP 8"], "has no port"),
        (["m=audio -1 RTP/AVP 8"], "has no port"),
        (["m=audio 4000"], "lacks something"),
        (["m=audio 4000 RTP/AVP 8"] * 17, "17 streams, and no more than 16"),
    ],
)  # fmt: skip
def test_refusals_say_why(media: list[str], complaint: str) -> None:
    with pytest.raises(OfferError, match=complaint):
        sdp.agree(sdp.read(offer(*media)))


@pytest.mark.parametrize("text", [b"", b"hello", b"\xff\xfe\x00", b"m=audio 4000 RTP/AVP 8"])
def test_what_is_no_sdp_is_refused(text: bytes) -> None:
    with pytest.raises(OfferError, match="does not begin with v=0"):
        sdp.read(text)


def test_an_endless_sdp_is_refused_unread() -> None:
    with pytest.raises(OfferError, match="no more than 16384 are read"):
        sdp.read(offer("a=x" * 10_000))


@pytest.mark.parametrize(
    ("media", "sending", "receiving", "rtcp"),
    [
        (["m=audio 4000 RTP/AVP 8"], True, True, 4001),
        (["m=audio 4000 RTP/AVP 8", "a=rtcp:5001"], True, True, 5001),
        (["m=audio 4000 RTP/AVP 8", "c=IN IP4 0.0.0.0"], False, True, 4001),
        (["m=audio 4000 RTP/AVP 8", "a=sendonly"], False, True, 4001),
        (["m=audio 4000 RTP/AVP 8", "a=recvonly"], True, False, 4001),
        (["m=audio 4000 RTP/AVP 8", "a=inactive"], False, False, 4001),
        (["m=audio 65535 RTP/AVP 8"], True, True, 65535),
    ],
)
def test_who_sends_and_where_to(media: list[str], sending: bool, receiving: bool, rtcp: int) -> None:
    _, agreed = sdp.agree(sdp.read(offer(*media)))
    assert (agreed.sending, agreed.receiving, agreed.rtcp_port) == (sending, receiving, rtcp)


def test_an_offer_of_ours_and_its_answer() -> None:
    ours = Ours(7, 1, "2001:db8::1", 20_000)
    text = sdp.offer(ours, sdp.CODECS, "sendrecv")
    assert b"c=IN IP6 2001:db8::1\r\n" in text
    assert b"m=audio 20000 RTP/AVP 8 0 9 101\r\n" in text
    agreed = sdp.accept(
        offer("m=audio 4000 RTP/AVP 9 0 101", "a=rtpmap:101 telephone-event/8000", session="c=IN IP6 2001:db8::2"),
        sdp.CODECS,
        "sendrecv",
    )
    assert (agreed.codec, agreed.others, agreed.event_type) == ("G722", ((0, "PCMU"),), 101)
    assert agreed.host == "2001:db8::2"


def test_an_answer_cannot_widen_an_offer() -> None:
    agreed = sdp.accept(offer("m=audio 4000 RTP/AVP 8"), sdp.CODECS, "sendonly")
    assert (agreed.sending, agreed.receiving) == (True, False)


_WORDS = st.one_of(
    st.sampled_from(
        "v=0 m=audio m=video 0 8 9 4000 65535 65536 RTP/AVP RTP/SAVP c=IN IP4 IP6 127.0.0.1 :: a=rtpmap:8 PCMA/8000 "
        "a=rtcp: a=maxptime:5 a=maxptime:x a=rtpmap: a=rtpmap:999999999999 telephone-event/8000 a=sendonly "
        "/ : =".split()
    ),
    st.text(max_size=8),
)


@given(
    st.lists(st.lists(_WORDS, max_size=6).map(" ".join), max_size=20).map(lambda lines: "\r\n".join(["v=0", *lines]))
)
def test_garbage_is_answered_or_refused(text: str) -> None:
    try:
        streams = sdp.read(text.encode("utf-8", "surrogatepass"))
        place, agreed = sdp.agree(streams)
    except OfferError:
        return
    answer = sdp.answer(streams, place, agreed, OURS)
    # The answer is an SDP itself, with as many streams, of which one is taken.
    again = sdp.read(answer)
    assert [stream.port for stream in again].count(OURS.port) == 1
    assert len(again) == len(streams)


@given(st.binary(max_size=300))
def test_bytes_are_answered_or_refused(data: bytes) -> None:
    try:
        sdp.agree(sdp.read(data))
    except OfferError:
        return
