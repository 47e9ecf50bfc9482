"""What holds for every message: what was put in comes out, and nothing else than RemoteError is ever raised."""

from __future__ import annotations

import pytest
import sipmessage
from hypothesis import given, settings
from hypothesis import strategies as st

from router.sip.errors import RemoteError
from router.sip.message import Message, Request, parse

from .messages import Made, mutations, requests


@given(requests())
def test_what_was_put_in_comes_out(made: Made) -> None:
    request = parse(made.data)
    assert isinstance(request, Request)
    assert (request.method, request.uri, request.cseq) == (made.method, made.uri, made.cseq)
    assert (request.call_id, request.from_tag, request.to_tag) == (made.call_id, made.from_tag, made.to_tag)
    assert (request.via.sent_by, request.via.branch) == (made.via_host, made.branch)
    assert request.body == made.body
    carried = [line for key, line in request.fields if key.startswith("x-")]
    assert carried == [f"{name}: {value}" for name, value in made.others]


@given(requests())
def test_another_reader_reads_the_same(made: Made) -> None:
    """`sipmessage` is an independent parser; where it accepts a message, both must agree."""
    request = parse(made.data)
    try:
        other = sipmessage.Message.parse(made.data)
        read = (other.call_id, other.cseq.sequence, other.from_address.parameters["tag"], other.via[0].host)
    except (ValueError, LookupError):
        return  # it is stricter with display names and odd spacing
    assert read[:3] == (request.call_id, request.cseq, request.from_tag)
    assert read[3].strip("[]") == request.via.host
    assert bytes(other.body) == request.body


def look_at_everything(message: Message) -> None:
    """Read every part that is read lazily."""
    for read in (
        lambda: message.via,
        lambda: message.call_id,
        lambda: message.from_tag,
        lambda: message.to_tag,
        lambda: [message.list(key) for key, _ in message.fields],
        lambda: [message.tokens(key) for key, _ in message.fields],
    ):
        try:
            read()
        except RemoteError:
            continue


@settings(max_examples=300)
@given(mutations() | st.binary(max_size=200))
def test_garbage_raises_only_remote_error(data: bytes) -> None:
    try:
        message = parse(data)
    except RemoteError as error:
        assert error.status in (400, 505, 513)
        return
    look_at_everything(message)


@given(mutations())
def test_a_line_that_is_carried_never_holds_a_line_end(data: bytes) -> None:
    """What passes to the other leg cannot begin a header of its own there."""
    try:
        message = parse(data)
    except RemoteError:
        return
    for _, line in message.fields:
        assert "\r" not in line
        assert "\n" not in line


@pytest.mark.parametrize("size", [1, 2, 3])
def test_leading_line_ends_do_not_change_what_is_read(size: int) -> None:
    data = b"OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP a\r\nf: sip:a@b\r\nt: sip:b@c\r\ni: x\r\nCSeq: 1 OPTIONS\r\n\r\n"
    assert list(parse(b"\r\n" * size + data).fields) == list(parse(data).fields)
