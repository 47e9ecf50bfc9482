"""The stack against what strangers send: it never raises, answers at most once, and keeps nothing for ever."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.sip.message import MAX_HEADER_LINES, Response, parse
from router.sip.stack import METHODS

from .messages import mutations, requests
from .peer import Far


class Answering(Far):
    """Answers every request with 200, as the dullest of transaction users."""

    def request_received(self, transaction, request, now) -> None:  # type: ignore[no-untyped-def]
        super().request_received(transaction, request, now)
        transaction.respond(200, now)


@settings(max_examples=300)
@given(mutations() | st.binary(max_size=300) | requests().map(lambda made: made.data))
def test_receive_never_raises_and_answers_at_most_once(data: bytes) -> None:
    far = Answering()
    far.receive(data)
    assert len(far.sent) <= 1
    for answer in far.bytes_sent:  # what is malformed may be repeated in it, but it never breaks its lines
        head, end, body = answer.partition(b"\r\n\r\n")
        start, *lines = head.split(b"\r\n")
        assert (start[:8], end, body) == (b"SIP/2.0 ", b"\r\n\r\n", b"")
        assert all(b":" in line and b"\n" not in line and b"\r" not in line for line in lines)
    far.advance(40)
    assert far.stack.transactions == 0
    assert far.stack.deadline == float("inf")


@settings(max_examples=100)
@given(st.lists(mutations() | requests().map(lambda made: made.data), min_size=2, max_size=6))
def test_messages_that_follow_each_other_never_raise_either(messages: list[bytes]) -> None:
    far = Answering()
    invite = far.send("INVITE")
    for data in messages:
        far.receive(data)
        far.receive(data.replace(b"INVITE", b"ACK"))
        far.receive(data.replace(b"INVITE", b"CANCEL"))
        far.receive(data.replace(b"branch=z9hG4bK", b"branch=" + invite.key.encode()))
    far.advance(300)
    assert far.stack.transactions == 0


def test_what_is_malformed_is_answered_without_keeping_state() -> None:
    far = Far()
    told: list[str] = []
    far.stack.on_malformed = lambda flow, text: told.append(text)
    far.receive(far.request("INVITE").replace("CSeq: 1 INVITE", "CSeq: 1 BYE"))
    answer = far.last()
    assert isinstance(answer, Response)
    assert (answer.status, answer.get("cseq"), answer.call_id) == (400, "1 BYE", "call@192.0.2.7")
    assert answer.to_tag
    assert far.stack.transactions == 0
    assert far.stack.malformed["answered",] == 1
    assert len(told) == 1


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"\0",
        b"GET / HTTP/1.1\r\n\r\n",
        b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\n\r\n",
        b"INVITE sip:a@b SIP/2.0\r\n\r\n",
        b"ACK sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a;branch=z9hG4bKa\r\n\r\n",
    ],
)
def test_what_cannot_be_answered_is_dropped_and_counted(data: bytes) -> None:
    far = Far()
    far.receive(data)
    assert (far.sent, far.served) == ([], [])
    assert far.stack.malformed["dropped",] == 1


def test_the_answer_to_a_malformed_request_cannot_be_made_to_hold_more_than_it_repeats() -> None:
    far = Far()
    far.receive(far.request("INVITE").replace("CSeq: 1 INVITE", "CSeq: 1 BYE\nX-Big: " + "x" * 5000))
    assert len(far.wire.sent[0]) < 600


def test_a_request_with_too_many_headers_is_not_served() -> None:
    far = Far()
    far.receive(far.request("OPTIONS").replace("Max-Forwards", "X-A: b\n" * MAX_HEADER_LINES + "Max-Forwards"))
    assert far.served == []
    assert [line for _, line in far.sent] in ([], ["SIP/2.0 513 Message Too Large"])


def test_counters_know_only_methods_that_exist() -> None:
    """A label set is closed, whatever strangers make up."""
    far = Answering()
    far.receive(far.request("X-INVENTED"))
    far.receive(far.request("INVITE", "z9hG4bKb").replace("CSeq: 1 INVITE", "CSeq: x"))
    labels = {label for counts in (far.stack.requests, far.stack.responses) for key in counts for label in key}
    assert {label for label in labels if label.isupper()} <= METHODS
    assert far.stack.requests["other", "in"] == 1


def test_a_stray_response_is_dropped() -> None:
    far = Far()
    far.receive(
        "SIP/2.0 200 OK\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKnobody\nFrom: <sip:a@b>;tag=1\n"
        "To: <sip:b@c>;tag=2\nCall-ID: x\nCSeq: 1 INVITE\nContent-Length: 0\n\n"
    )
    assert far.sent == []
    assert far.stack.malformed["stray response",] == 1


def test_the_requests_of_a_flood_are_forgotten() -> None:
    far = Answering()
    for number in range(200):
        far.receive(far.request("OPTIONS", f"z9hG4bK{number}", number))
    assert far.stack.transactions == 200
    far.advance(32)
    assert far.stack.transactions == 0


def test_an_answer_is_a_message_that_can_be_read_again() -> None:
    far = Far()
    far.receive(far.request("OPTIONS").replace("<sip:200@192.0.2.7>", '"Été \\" <" <sip:200@192.0.2.7>'))
    far.served[0][0].respond(200, far.now, headers="X-A: b\r\n", body=b"\r\n\r\n")
    far.flush()
    answer = parse(far.wire.sent[0])
    assert (answer.body, answer.get("x-a"), answer.from_tag) == (b"\r\n\r\n", "b", "peer")
