"""Messages as they come from the wire: what is understood, what is carried, what is refused and how."""

from __future__ import annotations

import pytest

from router.sip.errors import RemoteError
from router.sip.message import MAX_CSEQ, MAX_HEADER_LINES, Message, Request, Response, parse

HEAD = (
    "INVITE sip:201@192.0.2.1 SIP/2.0\n"
    "Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKa\n"
    "From: <sip:200@192.0.2.7>;tag=from\n"
    "To: <sip:201@192.0.2.1>\n"
    "Call-ID: call@192.0.2.7\n"
    "CSeq: 1 INVITE\n"
)


def read(text: str, body: bytes = b"") -> Message:
    return parse(text.replace("\n", "\r\n").encode("utf-8", "surrogateescape") + b"\r\n" + body)


def fault(text: str, body: bytes = b"") -> RemoteError:
    with pytest.raises(RemoteError) as caught:
        read(text, body)
    return caught.value


# ------------------------------------------------------------------------------------------ what is understood


def test_a_request() -> None:
    request = read(HEAD + "Content-Length: 4\n", b"v=0\n")
    assert isinstance(request, Request)
    assert (request.method, request.uri, request.cseq) == ("INVITE", "sip:201@192.0.2.1", 1)
    assert (request.call_id, request.from_tag, request.to_tag) == ("call@192.0.2.7", "from", None)
    assert request.body == b"v=0\n"


def test_a_response() -> None:
    response = read("SIP/2.0 486 Busy Here" + HEAD[HEAD.index("\n") :])
    assert isinstance(response, Response)
    assert (response.status, response.reason, response.method) == (486, "Busy Here", "INVITE")


@pytest.mark.parametrize(
    ("line", "reason"), [("SIP/2.0 200 ", ""), ("SIP/2.0 200", ""), ("SIP/2.0 200 Très bien", "Très bien")]
)
def test_a_reason_phrase_may_be_empty_or_any_text(line: str, reason: str) -> None:
    response = read(line + HEAD[HEAD.index("\n") :])
    assert isinstance(response, Response)
    assert (response.status, response.reason) == (200, reason)


def test_compact_forms_are_the_headers_they_stand_for() -> None:
    request = read(
        "MESSAGE sip:201@192.0.2.1 SIP/2.0\nv: SIP/2.0/UDP a;branch=z9hG4bKa\nf: <sip:a@b>;tag=1\nt: <sip:b@c>\ni: x\n"
        "CSeq: 1 MESSAGE\nm: <sip:a@b>\nc: text/plain\nk: replaces\n"
        "s: Hi\ne: gzip\no: presence\nr: <sip:c@d>\nb: <sip:e@f>\n"
        "u: refer\nl: 2\n",
        b"ok",
    )
    values = [request.get(key) for key in ("contact", "content-type", "supported", "subject", "content-encoding")]
    assert values == ["<sip:a@b>", "text/plain", "replaces", "Hi", "gzip"]
    assert [request.get(key) for key in ("event", "refer-to", "referred-by", "allow-events")] == [
        "presence",
        "<sip:c@d>",
        "<sip:e@f>",
        "refer",
    ]
    assert request.body == b"ok"


def test_a_header_is_found_however_it_is_spelled() -> None:
    request = read(HEAD + "SUBJECT: one\nx-Own : two\nuser-AGENT:three\n")
    assert [request.get(key) for key in ("subject", "x-own", "user-agent")] == ["one", "two", "three"]
    assert "subject" in request
    assert "organization" not in request
    assert request.get("organization") is None
    assert request.list("organization") == []


def test_folded_lines_are_one_line() -> None:
    request = read(HEAD + "Subject: a long\n  story\n\tin three lines\nOrganization:\n only here\n")
    assert request.get("subject") == "a long story in three lines"
    assert request.get("organization") == "only here"


def test_lists_are_split_over_lines_and_commas_but_not_within_quotes_or_brackets() -> None:
    request = read(
        HEAD + 'Contact: "Dupont, Jean" <sip:j@a;x=1,2>;q=0.5 , <sip:b@c>\nSupported: replaces,  100rel\nm: sip:d@e\n'
    )
    assert request.list("contact") == ['"Dupont, Jean" <sip:j@a;x=1,2>;q=0.5', "<sip:b@c>", "sip:d@e"]
    assert request.lines("contact") == ['"Dupont, Jean" <sip:j@a;x=1,2>;q=0.5 , <sip:b@c>', "sip:d@e"]
    assert request.tokens("supported") == ["replaces", "100rel"]


def test_an_escaped_quote_does_not_end_a_quoted_string() -> None:
    request = read(HEAD + 'Contact: "a \\"b, c\\" \\\\" <sip:x@y>, <sip:z@y>\n')
    assert request.list("contact") == ['"a \\"b, c\\" \\\\" <sip:x@y>', "<sip:z@y>"]


@pytest.mark.parametrize(
    ("value", "tag"),
    [
        ("<sip:a@b>;tag=x", "x"),
        ("<sip:a@b;tag=uri>;tag=x", "x"),
        ("<sip:a@b;tag=uri>", None),
        ("sip:a@b;tag=x", "x"),
        ("<sip:a@b> ; TAG = x ;y=z", "x"),
        ('"who;tag=fake" <sip:a@b>;tag=x', "x"),
        ('"who>;tag=fake" <sip:a@b>;tag=x', "x"),
        ('"who>;tag=fake" <sip:a@b>', None),
        ("<sip:a@b>;y=z;tag=x;w=1", "x"),
    ],
)
def test_a_tag_is_the_headers_parameter(value: str, tag: str | None) -> None:
    assert read(HEAD.replace("<sip:200@192.0.2.7>;tag=from", value)).from_tag == tag


@pytest.mark.parametrize(
    ("value", "sent_by", "host", "port", "branch"),
    [
        ("SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKa", "192.0.2.7", "192.0.2.7", None, "z9hG4bKa"),
        ("SIP/2.0/TCP Phone.Example:5070;Branch=z9hG4bKa", "phone.example:5070", "phone.example", 5070, "z9hG4bKa"),
        ("SIP/2.0/UDP [2001:DB8::7]:5070;branch=z9hG4bKa", "[2001:db8::7]:5070", "2001:db8::7", 5070, "z9hG4bKa"),
        ("SIP/2.0/UDP [::1];branch=z9hG4bKa", "[::1]", "::1", None, "z9hG4bKa"),
        ("SIP / 2.0 / UDP  a : 5070 ; branch = z9hG4bKa", "a:5070", "a", 5070, "z9hG4bKa"),
        ("SIP/2.0/UDP a, SIP/2.0/UDP b;branch=z9hG4bKb", "a", "a", None, ""),
        ("SIP/2.0/UDP a;keep;ttl=1;maddr=224.0.1.75;branch=z9hG4bKa;comp=sigcomp", "a", "a", None, "z9hG4bKa"),
    ],
)
def test_via(value: str, sent_by: str, host: str, port: int | None, branch: str) -> None:
    via = read(HEAD.replace("SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKa", value)).via
    assert (via.sent_by, via.host, via.port, via.branch) == (sent_by, host, port, branch)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "SIP/2.0/UDP",
        "SIP/3.0/UDP a",
        "HTTP/1.1/TCP a",
        "SIP/2.0/UDP a b",
        "SIP/2.0/UDP a:0",
        "SIP/2.0/UDP a:65536",
        "SIP/2.0/UDP a:x",
        "SIP/2.0/UDP :5060",
        "SIP/2.0/UDP [::1",
        "SIP/2.0/UDP [::1]x",
        "SIP/2.0/UDP a;;branch=z9hG4bKa",
        "SIP/2.0/UDP a;br anch=1",
    ],
)
def test_a_via_that_cannot_be_read_is_the_peers_fault(value: str) -> None:
    message = read(HEAD.replace("SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKa", value))
    with pytest.raises(RemoteError):
        _ = message.via


def test_a_quoted_via_parameter_may_hold_anything() -> None:
    """RFC 3261 §25.1: via-extension is a generic-param, whose value may be a quoted string."""
    via = read(HEAD.replace("branch=z9hG4bKa", 'x="a;b, c";branch=z9hG4bKa')).via
    assert via.branch == "z9hG4bKa"


# --------------------------------------------------------------------------------------------- what is carried


def test_order_and_spelling_are_kept() -> None:
    extra = ["x-ONE:  two  spaces ", "X-two : b", "s: Compact", "P-Name: ÿ", "x-ONE: again"]
    request = read(HEAD + "\n".join(extra) + "\n")
    assert [line for key, line in request.fields][-5:] == extra
    assert [key for key, line in request.fields][-5:] == ["x-one", "x-two", "subject", "p-name", "x-one"]


def test_utf_8_and_stray_bytes_survive() -> None:
    data = HEAD.replace("\n", "\r\n").encode() + b"Subject: \xc3\xa9 \xff\xfe \xed\xa0\x80\r\n\r\n"
    line = dict(parse(data).fields)["subject"]
    assert line.encode("utf-8", "surrogateescape") == b"Subject: \xc3\xa9 \xff\xfe \xed\xa0\x80"


def test_a_body_is_carried_byte_for_byte() -> None:
    body = bytes(range(256)) + b"\r\n\r\n"
    assert read(HEAD + f"Content-Length: {len(body)}\n", body).body == body


def test_what_follows_the_body_in_a_datagram_is_not_part_of_the_message() -> None:
    """RFC 3261 §18.3."""
    assert read(HEAD + "Content-Length: 3\n", b"abcdef").body == b"abc"


def test_without_content_length_the_body_is_the_rest_of_the_datagram() -> None:
    assert read(HEAD, b"abcdef").body == b"abcdef"


def test_empty_lines_before_the_start_line_are_passed_over() -> None:
    """RFC 3261 §7.5."""
    data = HEAD.replace("\n", "\r\n").encode() + b"\r\n"
    for before in (b"\r\n", b"\r\n\r\n", b"\r\n\r\n\r\n"):
        message = parse(before + data)
        assert isinstance(message, Request)
        assert message.method == "INVITE"


# -------------------------------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("key", ["Via", "From", "To", "Call-ID", "CSeq"])
def test_a_request_without_a_mandatory_header_is_refused(key: str) -> None:
    lines = [line for line in HEAD.split("\n") if not line.startswith(f"{key}:")]
    error = fault("\n".join(lines))
    assert (error.status, key.lower() in error.text) == (400, True)
    assert (error.request is None) == (key == "Via")  # without Via nobody knows where an answer would go


@pytest.mark.parametrize(
    "line",
    [
        "From: <sip:x@y>;tag=2",
        "t: <sip:x@y>",
        "i: other",
        "CSeq: 2 INVITE",
        "Content-Length: 0\nContent-Length: 0",
        "Max-Forwards: 1\nMax-Forwards: 70",
        "Content-Length: 1",
        "Content-Length: -1",
        "Content-Length: 0x0",
        "Content-Length: ٣",
        "Content-Length: 99999999999",
        "Content-Length:",
        "No colon here",
        "Bad name: x",
        ": empty name",
        "Bäd: x",
    ],
)
def test_a_contradiction_is_refused_with_400(line: str) -> None:
    error = fault(HEAD + line + "\n")
    assert error.status == 400
    assert error.request is not None


@pytest.mark.parametrize(
    "cseq", ["INVITE", "1", "-1 INVITE", "1 BYE", f"{MAX_CSEQ + 1} INVITE", "1.5 INVITE", "1 INVITE x", "٣ INVITE", ""]
)
def test_a_cseq_that_is_none_is_refused(cseq: str) -> None:
    assert fault(HEAD.replace("CSeq: 1 INVITE", f"CSeq: {cseq}")).status == 400


@pytest.mark.parametrize("cseq", ["0 INVITE", f"{MAX_CSEQ} INVITE", " 0001 \t INVITE ", "1\tINVITE"])
def test_a_cseq_may_be_written_with_any_space(cseq: str) -> None:
    assert read(HEAD.replace("CSeq: 1 INVITE", f"CSeq: {cseq}")).cseq in (0, 1, MAX_CSEQ)


@pytest.mark.parametrize("inside", ["\r", "\n"])
def test_a_bare_line_end_is_refused_so_that_no_header_can_be_smuggled(inside: str) -> None:
    data = HEAD.replace("\n", "\r\n") + f"Subject: a{inside}Route: <sip:evil.example;lr>\r\n\r\n"
    with pytest.raises(RemoteError):
        parse(data.encode())


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ("INVITE  sip:201@192.0.2.1 SIP/2.0", 400),
        ("INVITE sip:201@192.0.2.1  SIP/2.0", 400),
        ("INVITE sip:201 @192.0.2.1 SIP/2.0", 400),
        ("INVITE sip:201@192.0.2.1 SIP/2.0 ", 400),
        ("INVITE sip:201@192.0.2.1 SIP/7.0", 505),
        ("INVITE sip:201@192.0.2.1 sip/2.1", 505),
    ],
)
def test_a_malformed_request_line_is_answered(line: str, status: int) -> None:
    error = fault(line + HEAD[HEAD.index("\n") :])
    assert error.status == status
    assert error.request is not None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n\r\n",
        b"\0\0\0\0",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"SIP/2.0\r\n\r\n",
        b"SIP/2.0 abc Foo\r\n\r\n",
        b"SIP/2.0 20 OK\r\n\r\n",
        b"SIP/2.0 099 Low\r\n\r\n",
        b"SIP/2.0 700 High\r\n\r\n",
        b"SIP/2.0 4294967301 Big\r\n\r\n",
        b"\xff\xfe\xfd",
        b"INVITE",
    ],
)
def test_bytes_that_are_no_sip_are_dropped(data: bytes) -> None:
    with pytest.raises(RemoteError) as caught:
        parse(data)
    assert caught.value.request is None


def test_a_malformed_response_or_ack_is_never_answered() -> None:
    assert fault("SIP/2.0 200 OK" + HEAD[HEAD.index("\n") :] + "Content-Length: 9\n").request is None
    assert fault(HEAD.replace("INVITE", "ACK") + "Content-Length: 9\n").request is None


def test_header_lines_are_bounded() -> None:
    read(HEAD + "X-A: y\n" * (MAX_HEADER_LINES - 5))
    assert fault(HEAD + "X-A: y\n" * (MAX_HEADER_LINES + 1)).status == 513


def test_a_message_cut_off_within_its_headers_is_refused() -> None:
    data = HEAD.replace("\n", "\r\n").encode()
    for end in range(len(data)):
        with pytest.raises(RemoteError):
            parse(data[:end])
