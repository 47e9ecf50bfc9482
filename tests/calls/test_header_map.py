"""What passes from one leg to the other, and what does not (docs/supported-sip.md)."""

from __future__ import annotations

import pytest

from router.calls.header_map import DROPPED, DROPPED_FROM_REFUSALS, only, passed
from router.sip.message import Message, parse
from tests.calls.story import ANSWER, OFFER, Phone, Story

UNKNOWN = [
    "X-First:  two  spaces",
    "x-second: Ümläut ÿ",
    "Subject: lunch",
    "s2-odd : spelled oddly",
    "Session-ID: ab30317f1a784dc48ff824d0d3715d86;remote=00000000000000000000000000000000",
    "User-to-User: 56a390f3d2b7310023a2;encoding=hex",
    "Alert-Info: <urn:alert:service:call-waiting>",
    "X-First: again",
    "Priority: urgent",
]
IDENTIFYING = [
    "User-Agent: Secret Phone 1.0",
    "Organization: Inside Ltd",
    "P-Asserted-Identity: <sip:999@inside.example>",
    "P-Preferred-Identity: <sip:999@inside.example>",
    "Remote-Party-ID: <sip:999@inside.example>;party=calling",
    "P-Access-Network-Info: 3GPP-UTRAN; utran-cell-id-3gpp=inside",
    "P-Charging-Vector: icid-value=inside;icid-generated-at=192.0.2.200",
    "Diversion: <sip:999@inside.example>;reason=user-busy",
    "History-Info: <sip:999@inside.example>;index=1",
    "Reply-To: <sip:999@inside.example>",
    "Geolocation: <sips:inside@location.example>",
    'Warning: 399 inside "x"',
]
ONE_LEG = [
    "Route: <sip:192.0.2.1;lr>",
    "Supported: timer, path",
    "Allow: INVITE, LEVITATE",
    "Session-Expires: 1800",
    "Min-SE: 90",
    "Timestamp: 1",
    "Expires: 120",
    "Referred-By: <sip:999@inside.example>",
    "Identity: abc;info=<https://inside.example>",
]


@pytest.fixture
def alice(story: Story) -> Phone:
    return story.phone("200")


def lines_of(message: Message) -> list[str]:
    return [line for _, line in message.fields]


def carried(message: Message) -> list[str]:
    """Those lines of a message that are written like one of `UNKNOWN`."""
    names = tuple(line.partition(":")[0].strip().lower() for line in UNKNOWN)
    return [line for key, line in message.fields if key in names]


def test_unknown_headers_pass_in_order_and_spelling_both_ways(story: Story, alice: Phone) -> None:
    bob = story.phone("201")
    alice.invites("201", *UNKNOWN)
    assert carried(bob.received("INVITE")) == UNKNOWN
    bob.rings(180, *UNKNOWN)
    assert carried(alice.received(180)) == UNKNOWN
    bob.answers(*UNKNOWN)
    assert carried(alice.received(200, "INVITE")) == UNKNOWN
    alice.acks()
    alice.hangs_up()


def test_stray_bytes_pass_unchanged(story: Story, alice: Phone) -> None:
    bob = story.phone("201")
    alice.invites("201", b"X-Bytes: \xff\xfe\xc3".decode("utf-8", "surrogateescape"))
    line = next(line for key, line in bob.received("INVITE").fields if key == "x-bytes")
    assert line.encode("utf-8", "surrogateescape") == b"X-Bytes: \xff\xfe\xc3"
    alice.cancels()
    bob.rings()


@pytest.mark.parametrize("line", [*IDENTIFYING, *ONE_LEG], ids=lambda line: line.partition(":")[0])
def test_what_identifies_or_belongs_to_one_leg_does_not_pass(story: Story, alice: Phone, line: str) -> None:
    trunk = story.trunk()
    alice.invites("+3225551234", line)
    invite = trunk.received("INVITE")
    assert line not in lines_of(invite)
    trunk.rings(180, line)
    assert line not in lines_of(alice.received(180))
    trunk.answers(line)
    assert line not in lines_of(alice.received(200, "INVITE"))
    alice.acks()
    alice.hangs_up()


def test_credentials_never_leave_the_router(story: Story, alice: Phone) -> None:
    trunk = story.trunk()
    alice.invites("+3225551234")
    invite = trunk.received("INVITE")
    assert "proxy-authorization" not in invite
    assert "authorization" not in invite
    trunk.answers()
    alice.acks()
    alice.hangs_up()
    assert all("authorization" not in text.lower() for address, text in story.wire_log if address == trunk.address)


def test_a_refusal_passes_its_reason_but_no_other_place_to_call(story: Story, alice: Phone) -> None:
    trunk = story.trunk()
    alice.invites("+3225551234")
    trunk.refuses(
        486,
        "Reason: Q.850;cause=17",
        "Retry-After: 60",
        "Contact: <sip:inside@198.51.100.77>",
        "Error-Info: <sip:announcement@198.51.100.77>",
        "X-Why: busy",
        "Server: Secret 1.0",
    )
    refusal = alice.received(486, "INVITE")
    assert (refusal.get("reason"), refusal.get("retry-after"), refusal.get("x-why")) == ("Q.850;cause=17", "60", "busy")
    assert [key for key in ("contact", "error-info", "server") if key in refusal] == []


def test_what_the_router_says_of_itself_stands_on_every_leg(story: Story, alice: Phone) -> None:
    bob = story.phone("201")
    alice.invites("201")
    bob.answers()
    alice.acks()
    alice.hangs_up()
    for message in (bob.received("INVITE"), alice.received(200, "INVITE")):
        assert "REFER" in message.get("allow")
        assert "replaces" in message.tokens("supported")
        assert message.get("contact") == "<sip:192.0.2.1:5060>"
        assert len(message.lines("contact")) == 1


def test_the_type_and_disposition_of_a_body_pass_with_it(story: Story, alice: Phone) -> None:
    bob = story.phone("201")
    alice.invites(
        "201",
        "Content-Type: multipart/mixed;boundary=b",
        "MIME-Version: 1.0",
        "Content-Disposition: session",
        body=b"--b\r\nContent-Type: application/sdp\r\n\r\n" + OFFER + b"\r\n--b--\r\n",
    )
    invite = bob.received("INVITE")
    assert invite.get("content-type") == "multipart/mixed;boundary=b"
    assert (invite.get("mime-version"), invite.get("content-disposition")) == ("1.0", "session")
    assert OFFER in invite.body
    bob.answers(body=ANSWER)
    alice.acks()
    alice.hangs_up()


def test_an_emergency_call_keeps_its_location(story: Story, alice: Phone) -> None:
    """RFC 6442: who answers an emergency call is the one who must know where it comes from."""
    trunk = story.trunk()
    location = ["Geolocation: <cid:target123@example>", "Geolocation-Routing: yes"]
    alice.invites("112", *location)
    assert [line for key, line in trunk.received("INVITE").fields if key.startswith("geo")] == location
    trunk.answers()
    alice.acks()
    alice.hangs_up()


# ------------------------------------------------------------------------------------------------- the functions


def test_a_compact_form_is_dropped_like_its_long_form() -> None:
    request = parse(
        b"INVITE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP a\r\nf: <sip:a@b>\r\nt: <sip:b@c>\r\ni: x\r\nCSeq: 1 INVITE\r\n"
        b"m: <sip:a@inside>\r\nk: timer\r\nx: 1800\r\ny: identity\r\nb: <sip:inside@b>\r\n"
        b"r: <sip:c@d>\r\ns: kept\r\nc: text/x\r\n\r\n"
    )
    assert passed(request) == "s: kept\r\nc: text/x\r\n"
    assert passed(request, DROPPED_FROM_REFUSALS) == "s: kept\r\n"


def test_chosen_lines_come_in_their_order_and_no_line_is_an_empty_text() -> None:
    request = parse(
        b"BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a@b>\r\nTo: <sip:b@c>\r\nCall-ID: x\r\n"
        b"Reason: a\r\nCSeq: 1 BYE\r\nReason: c\r\n\r\n"
    )
    assert only(request, "reason") == "Reason: a\r\nReason: c\r\n"
    assert only(request, "subject") == ""
    assert passed(request, DROPPED | {"reason"}) == ""


def test_all_names_in_the_map_are_keys() -> None:
    assert all(name == name.lower() and ":" not in name for name in DROPPED_FROM_REFUSALS | DROPPED)


def test_the_product_is_named_to_whom_is_served_and_to_no_stranger(story: Story) -> None:
    """`sip.user_agent`: in what begins a call and what answers it; a refusal tells a prober nothing."""
    story.stack.introduce("Atelier/1.0")
    alice, trunk, stranger = story.phone("200"), story.trunk(), story.stranger()
    alice.invites("+3225550000", "User-Agent: Secret Phone 1.0")
    assert trunk.received("INVITE").lines("user-agent") == ["Atelier/1.0"]
    trunk.rings()
    trunk.answers("Server: Secret Switch")
    for answer in (alice.received(180), alice.received(200, "INVITE")):
        assert answer.lines("server") == ["Atelier/1.0"]
    alice.acks()
    alice.hangs_up()
    stranger.invites("200")
    assert "server" not in stranger.received(407)
    assert "Server" not in str(stranger.received(407).fields)
