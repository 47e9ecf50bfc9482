"""A stream becomes the same messages however it was cut (RFC 3261 §18.3)."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.transport.framing import MAX_BODY_BYTES, MAX_HEAD_BYTES, PING, Framer

from .peer import request


def test_pipelined_messages_come_out_one_by_one() -> None:
    messages = [request(1), request(2, "v=0"), request(3, "x" * 5_000)]
    assert Framer().feed(b"".join(messages)) == messages


def test_content_length_counts_bytes_not_characters() -> None:
    greeting = request(1, "« Merci d'avoir attendu » à bientôt")
    assert Framer().feed(greeting + request(2)) == [greeting, request(2)]


@pytest.mark.parametrize(
    "line",
    [
        "Content-Length: 4",
        "l:4",
        "L : 4",
        "CONTENT-LENGTH\t:\t4  ",
        "Content-Length:\r\n 4",
        "Content-Length: 4\r\nContent-Length: 4",
        "Content-Length: 4\r\nl: 0004",
        "Subject: folded\r\n l: 9\r\nLanguage: fr\r\nContent-Length: 4",
    ],
)
def test_every_spelling_of_content_length_is_understood(line: str) -> None:
    message = f"INFO sip:201@a SIP/2.0\r\n{line}\r\nCSeq: 1 INFO\r\n\r\nbody".encode()
    framer = Framer()
    assert framer.feed(message + request(2)) == [message, request(2)]
    assert framer.fault == ""


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        ("CSeq: 1 INFO", "no Content-Length"),
        ("Language: 4", "no Content-Length"),
        ("Content-Length: 4\r\nl: 5", "two different Content-Length"),
        ("Content-Length: four", "Content-Length is no number"),
        ("Content-Length: -4", "Content-Length is no number"),
        ("Content-Length: 4, 4", "Content-Length is no number"),
        ("Content-Length: 4\r\n 0", "Content-Length is no number"),
        ("Content-Length:", "Content-Length is no number"),
        ("Content-Length: " + "9" * 5_000, "Content-Length is no number"),
        (f"Content-Length: {MAX_BODY_BYTES + 1}", "body too large"),
    ],
)
def test_a_message_without_a_certain_end_gives_its_head_and_ends_the_stream(lines: str, fault: str) -> None:
    head = f"INFO sip:201@a SIP/2.0\r\n{lines}\r\n\r\n".encode()
    framer = Framer()
    assert framer.feed(request(1) + head + b"body" + request(2)) == [request(1), head]
    assert framer.fault == fault
    assert framer.feed(request(3)) == []


def test_headers_without_end_are_given_up_at_the_limit() -> None:
    framer = Framer()
    assert framer.feed(b"INFO sip:201@a SIP/2.0\r\nX: ") == []
    (head,) = framer.feed(b"x" * MAX_HEAD_BYTES)
    assert len(head) == MAX_HEAD_BYTES
    assert framer.fault == "headers too large"


def test_the_largest_message_fits() -> None:
    body = "x" * MAX_BODY_BYTES
    start = request(1, body)
    padding = b"X: " + b"x" * (MAX_HEAD_BYTES - (len(start) - MAX_BODY_BYTES) - 5) + b"\r\n"
    message = start.replace(b"CSeq", padding + b"CSeq")
    framer = Framer()
    assert framer.feed(message) == [message]
    assert len(message) == MAX_HEAD_BYTES + MAX_BODY_BYTES


@pytest.mark.parametrize("split", [1, 2, 3, 5])
def test_keep_alives_are_told_and_other_line_ends_ignored(split: int) -> None:
    stream = PING + request(1) + b"\r\n" + request(2) + PING + PING + b"\n\r" + request(3) + b"\r\n"
    framer = Framer()
    taken = [item for at in range(0, len(stream), split) for item in framer.feed(stream[at : at + split])]
    assert taken == [PING, request(1), request(2), PING, PING, request(3)]
    assert not framer.mid_message


def test_mid_message_from_first_to_last_byte() -> None:
    framer = Framer()
    message = request(1, "v=0")
    framer.feed(message[:1])
    assert framer.mid_message
    framer.feed(message[1:-1])
    assert framer.mid_message
    framer.feed(message[-1:])
    assert not framer.mid_message


_pieces = st.one_of(
    st.integers(0, 99).map(request),
    st.text(max_size=40).map(lambda body: request(7, body)),
    st.sampled_from([PING, b"\r\n", b"\r", b"\n", b"\r\n\r", b"INFO a SIP/2.0\r\nl: x\r\n\r\n", b"garbage\r\n"]),
    st.binary(max_size=12),
)


@given(st.lists(_pieces, max_size=8).map(b"".join), st.data())
def test_the_cut_does_not_matter(stream: bytes, data: st.DataObject) -> None:
    whole = Framer()
    expected = whole.feed(stream)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=12)))
    for bounds in ([0, *cuts, len(stream)], range(len(stream) + 1)):
        framer = Framer()
        taken = [item for a, b in pairwise(bounds) for item in framer.feed(stream[a:b])]
        assert taken == expected
        assert (framer.fault, framer.mid_message) == (whole.fault, whole.mid_message)
