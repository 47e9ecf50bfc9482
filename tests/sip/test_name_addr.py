"""Addresses in headers as phones, trunks and the torture tests of RFC 4475 write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.sip.errors import LocalError, RemoteError
from router.sip.name_addr import NameAddr, quote, split_list, unquote


@pytest.mark.parametrize(
    ("value", "display", "uri", "written"),
    [
        ("<sip:201@a.example>", "", "sip:201@a.example", "<sip:201@a.example>"),
        ("sip:201@a.example;tag=x", "", "sip:201@a.example", "<sip:201@a.example>;tag=x"),
        (
            '"Claire Dubois" <sip:c@a.example>;tag=x',
            "Claire Dubois",
            "sip:c@a.example",
            '"Claire Dubois" <sip:c@a.example>;tag=x',
        ),
        ("Claire <sip:c@a.example>", "Claire", "sip:c@a.example", '"Claire" <sip:c@a.example>'),
        ('"J \\\\\\"" <sip:j@a.example>', 'J \\"', "sip:j@a.example", '"J \\\\\\"" <sip:j@a.example>'),
        ('"Jérôme" <sip:j@a.example>', "Jérôme", "sip:j@a.example", '"Jérôme" <sip:j@a.example>'),
        (
            "Jérôme, the 2nd <sip:j@a.example>",
            "Jérôme, the 2nd",
            "sip:j@a.example",
            '"Jérôme, the 2nd" <sip:j@a.example>',
        ),
        ('""<sip:j@a.example>', "", "sip:j@a.example", "<sip:j@a.example>"),
        ("<sip:a@b;lr?x=y>;q=0.5", "", "sip:a@b;lr?x=y", "<sip:a@b;lr?x=y>;q=0.5"),
        ("sip:a@b ;   tag    = 1918181833n", "", "sip:a@b", "<sip:a@b>;tag=1918181833n"),
        ('sip:a@b;x="<c;d>,"', "", "sip:a@b", '<sip:a@b>;x="<c;d>,"'),
        ("<tel:+3242200121>", "", "tel:+3242200121", "<tel:+3242200121>"),
    ],
)
def test_an_address_is_read_and_written(value: str, display: str, uri: str, written: str) -> None:
    address = NameAddr.parse(value)
    assert (address.display, address.uri, str(address)) == (display, uri, written)
    assert NameAddr.parse(str(address)) == address


def test_controls_in_a_quoted_name_are_read_but_never_written() -> None:
    # RFC 4475 §3.1.1.2: a quoted-pair may hide NUL, BEL and DEL
    address = NameAddr.parse('"BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:a@b>')
    assert address.display == "BEL:\x07 NUL:\x00 DEL:\x7f"
    assert str(address) == '"BEL:  NUL:  DEL: " <sip:a@b>'


def test_parameters_are_found_whatever_their_case_and_keep_their_order() -> None:
    address = NameAddr.parse('<sip:a@b>;Expires=60;+sip.instance="<urn:uuid:1>";ob;Q=0.5')
    assert [address.param(name) for name in ("expires", "+SIP.instance", "ob", "q", "tag")] == [
        "60", "<urn:uuid:1>", "", "0.5", None,
    ]  # fmt: skip
    changed = address.with_param("expires", "30").without_param("OB").with_param("tag", "x")
    assert str(changed) == '<sip:a@b>;Expires=30;+sip.instance="<urn:uuid:1>";Q=0.5;tag=x'
    assert changed.tag == "x"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "201",
        "*",
        '"Mr. J. User <sip:j.user@example.com>',  # RFC 4475 §3.1.2.6
        '"Watson, Thomas" < sip:t.watson@example.org >',  # RFC 4475 §3.1.2.14
        "sip:user@example.com?Route=%3Csip:sip.example.com%3E",  # RFC 4475 §3.1.2.11
        "sip:a,b@example.com",
        '"Joe" <sip:joe@example.org>;;;;',  # RFC 4475 §3.1.2.1
        "<sip:a@b>;",
        "<sip:a@b>;=x",
        "<sip:a@b>;x=",
        "<sip:a@b>;x=a b",
        "<sip:a@b>;x=<y>",
        '<sip:a@b>;x="y',
        '<sip:a@b>;x="y"z',
        "<sip:a@b> tag=x",
        "<sip:a@b",
        "sip:a@b>",
        "<>",
        "<<sip:a@b>>",
        'a "b" <sip:a@b>',
        '"a" sip:a@b',
        "<sip:a@b>;tag=x\r\nInjected: y",
        "<sip:a\0@b>",
        "<sip:a@b>;tag=\0",
        '<sip:a@b>;x="\\\0"',
    ],
)
def test_what_cannot_be_read_in_one_way_only_is_refused_with_400(value: str) -> None:
    with pytest.raises(RemoteError) as refused:
        NameAddr.parse(value)
    assert refused.value.status == 400


def test_a_list_is_split_at_its_own_commas_only() -> None:
    assert split_list('"Dubois, Claire" <sip:c@b>;q=1, <sip:a,b@c>;x="1,2" ,sip:d@e') == [
        '"Dubois, Claire" <sip:c@b>;q=1',
        '<sip:a,b@c>;x="1,2"',
        "sip:d@e",
    ]
    assert split_list(" <sip:a@b> ") == ["<sip:a@b>"]
    assert split_list('"a \\" , b" <sip:a@b>, <sip:c@d>') == ['"a \\" , b" <sip:a@b>', "<sip:c@d>"]


@pytest.mark.parametrize("value", ["a,,b", ",a", "a,", '"a, b', "<a, b", 'a, "b\\"'])
def test_a_list_with_a_hole_is_refused_with_400(value: str) -> None:
    with pytest.raises(RemoteError):
        split_list(value)


@pytest.mark.parametrize("address", [NameAddr("sip:a@b\r\nX: y"), NameAddr("sip:a@b", "", (("tag", "x\r\nX: y"),))])
def test_no_value_can_end_the_header_it_is_written_into(address: NameAddr) -> None:
    with pytest.raises(LocalError):
        str(address)


@given(st.text(max_size=30))
def test_any_display_name_is_written_on_one_line_and_read_back(name: str) -> None:
    written = quote(name)
    assert not {"\r", "\n", "\0"} & set(written)
    read = NameAddr.parse(f"{written} <sip:a@b>").display
    assert read == unquote(written)
    assert len(read) == len(name)
    assert all(got == given or (got == " " and not given.isprintable()) for got, given in zip(read, name, strict=True))


@given(st.text(alphabet='ab<>";=, \\:@?sip*\r\n\0\t\x7fé\udcff', max_size=30))
def test_garbage_is_refused_or_survives_a_round_trip(garbage: str) -> None:
    try:
        address = NameAddr.parse(garbage)
    except RemoteError:
        return
    # Whatever could be read can be written, and means the same; only controls in a name become spaces.
    written = str(address)
    assert not {"\r", "\n", "\0"} & set(written)
    again = NameAddr.parse(written)
    assert (again.uri, again.params) == (address.uri, address.params)
    assert str(again) == written
