"""URIs as phones, trunks and the torture tests of RFC 4475 write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.sip.errors import RemoteError
from router.sip.uri import OtherUri, SipUri, TelUri, parse_uri


def sip(text: str) -> SipUri:
    uri = parse_uri(text)
    assert isinstance(uri, SipUri)
    return uri


@pytest.mark.parametrize(
    "text",
    [
        "sip:+3242200121@127.0.0.1:5060;transport=tcp",
        "sip:example.com",
        "sip:example.com;lr",
        "sips:claire:secret@example.com:5061;transport=tls;lr?Subject=a%20b&Priority=urgent",
        "sip:[2001:db8::1]:5060",
        "sip:201@[::1];transport=udp",
        "sip:user;par=u%40example.net@example.com",
        "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com",
        "sip:null-%00-null@example.com",
        "sip:h%C3%A9l%C3%A8ne@example.com",
        "sip:hélène@example.com",
        "sip:#21*@example.com",
        "sip:example.com:0",
        "sip:a@b?Route=%3Csip:example.com%3E",
        "tel:+32-4-220.01(21)",
        "tel:201;phone-context=example.com",
        "soap.beep://192.0.2.103:3002",
        "urn:service:sos",
    ],
)
def test_a_uri_prints_what_it_was_read_from(text: str) -> None:
    assert str(parse_uri(text)) == text


def test_the_parts_of_a_sip_uri() -> None:
    uri = sip("SIP:h%C3%A9l%C3%A8ne:pw@Example.COM:05070;Transport=TCP;lr;x=a%20b?Replaces=a%3Bb&Subject=s")
    assert (uri.scheme, uri.username, uri.password, uri.host, uri.port) == ("sip", "hélène", "pw", "Example.COM", 5070)
    assert (uri.address, uri.transport, uri.param("LR"), uri.param("x"), uri.param("y")) == (
        "example.com", "tcp", "", "a b", None,
    )  # fmt: skip
    assert (uri.header("replaces"), uri.header("Route")) == ("a;b", None)
    assert str(uri.bare()).endswith("x=a%20b")


def test_a_parameter_in_the_user_part_belongs_to_the_user() -> None:
    # RFC 4475 §3.1.1.13
    uri = sip("sip:user;par=u%40example.net@example.com")
    assert (uri.user, uri.username, uri.params) == ("user;par=u%40example.net", "user;par=u@example.net", "")


def test_an_ipv6_reference_is_not_split_at_its_colons() -> None:
    uri = sip("sip:[2001:DB8::1]:5070;lr")
    assert (uri.host, uri.address, uri.port, uri.params) == ("[2001:DB8::1]", "2001:db8::1", 5070, "lr")
    assert sip("sip:[2001:db8::10]").port is None


def test_an_escaped_nul_stays_escaped_on_the_wire() -> None:
    uri = sip("sip:null-%00-null@example.com")
    assert uri.username == "null-\0-null"
    assert "\0" not in str(uri)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "201",
        "sip:",
        "sip:@example.com",
        "sip:a@",
        "sip:a@b@c",
        "sip:a b@example.com",
        "<sip:a@example.com>",
        'sip:a"b@example.com',
        "sip:a@example.com;lr\r\nX: y",
        "sip:a@example.com\0",
        "sip:a%4@example.com",
        "sip:a%zz@example.com",
        "sip:a@example.com:",
        "sip:a@example.com:65536",
        "sip:a@example.com:0000005060",
        "sip:a@example.com:99999999999999999999",
        "sip:a@example.com:5o60",
        "sip:a@example.com:-1",
        "sip:a@example.com:\u0665",
        "sip:[2001:db8::1",
        "sip:[2001:db8::1]x",
        "sip:[::g]",
        "sip:[fe80::1%25eth0]",
        "sip:2001:db8::1",
        "sip:1.2.3",
        "sip:1.2.3.256",
        "sip:a..b",
        "sip:a@exa_mple.c(m",
        "sip:a@example.com;",
        "sip:a@example.com;;lr",
        "sip:a@example.com;=x",
        "tel:",
        "tel:+",
        "tel:+32x",
        "tel:claire",
        "tel:+32;=x",
        "1sip:a@b",
        "s p:a@b",
    ],
)
def test_what_is_not_a_uri_is_refused_with_400(text: str) -> None:
    with pytest.raises(RemoteError) as refused:
        parse_uri(text)
    assert refused.value.status == 400


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:%61lice@atlanta.com;transport=TCP", "sip:alice@AtLanTa.CoM;Transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com;newparam=5"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;newparam=5"),
        (
            "sip:biloxi.com;transport=tcp;method=REGISTER?to=sip:bob%40biloxi.com",
            "sip:biloxi.com;method=REGISTER;transport=tcp?to=sip:bob%40biloxi.com",
        ),
        (
            "sip:alice@atlanta.com?subject=project%20x&priority=urgent",
            "sip:alice@atlanta.com?priority=urgent&subject=project%20x",
        ),
        ("tel:+32-4-2200121", "tel:+3242200121"),
        ("urn:service:sos", "urn:service:sos"),
    ],
)
def test_uris_that_are_equivalent(one: str, other: str) -> None:
    # RFC 3261 §19.1.4 (its own examples), RFC 3966 §4
    assert parse_uri(one).matches(parse_uri(other))
    assert parse_uri(other).matches(parse_uri(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("SIP:ALICE@AtLanTa.CoM;Transport=udp", "sip:alice@AtLanTa.CoM;Transport=UDP"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:5060"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com;transport=udp"),
        ("sip:bob@biloxi.com", "sip:bob@biloxi.com:6000;transport=tcp"),
        ("sip:carol@chicago.com", "sip:carol@chicago.com?Subject=next%20meeting"),
        ("sip:carol@chicago.com;security=on", "sip:carol@chicago.com;security=off"),
        ("sip:bob@phone21.boxesbybob.com", "sip:bob@192.0.2.4"),
        ("sip:a%3Bb@example.com", "sip:a;b@example.com"),
        ("sip:bob@biloxi.com", "sips:bob@biloxi.com"),
        ("sip:bob@biloxi.com", "sip:bob:@biloxi.com"),
        ("tel:+3242200121", "tel:3242200121"),
        ("tel:201;phone-context=a.example", "tel:201;phone-context=b.example"),
        ("tel:+3242200121", "sip:+3242200121@example.com"),
    ],
)
def test_uris_that_are_not_equivalent(one: str, other: str) -> None:
    assert not parse_uri(one).matches(parse_uri(other))
    assert not parse_uri(other).matches(parse_uri(one))


def test_a_telephone_number_without_its_separators() -> None:
    uri = parse_uri("tel:+32-(4)-220.01.21;ext=12")
    assert isinstance(uri, TelUri)
    assert (uri.digits, uri.param("EXT"), uri.phone_context) == ("+3242200121", "12", None)


def test_an_unknown_scheme_is_a_uri_that_we_do_not_speak() -> None:
    # RFC 4475 §3.3.4: to be answered 416, not 400
    assert parse_uri("soap.beep://192.0.2.103:3002") == OtherUri("soap.beep", "//192.0.2.103:3002")


def test_an_error_does_not_carry_a_line_break_or_a_novel() -> None:
    with pytest.raises(RemoteError) as refused:
        parse_uri("sip:a@b\r\nInjected: header" + "x" * 10_000)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 200


@given(st.text(alphabet='sip:tel@;?=&%4a0[]<>" .-+é\0\r\n', max_size=40))
def test_garbage_is_refused_or_survives_a_round_trip(garbage: str) -> None:
    try:
        uri = parse_uri("sip:" + garbage)
    except RemoteError:
        return
    assert parse_uri(str(uri)) == uri
    assert uri.matches(uri)
    assert not {"\r", "\n", "\0", " ", "<", ">", '"'} & set(str(uri))
