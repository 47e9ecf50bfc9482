"""Who is shown to whom: caller-ID rules on the wire, privacy, Diversion and History-Info."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from router.calls.identity import ANONYMOUS, asserted, diverted, from_value, user_part
from router.model.decision import Action, Decision, Diversion
from router.sip.name_addr import NameAddr
from tests.calls.story import COMPANY, Actor, Story


def seen(actor: Actor) -> tuple[str, str, str | None, str | None]:
    """Name and URI in From, P-Asserted-Identity and Privacy of the INVITE that an actor got."""
    invite = actor.received("INVITE")
    shown = NameAddr.parse(invite.get("from"))
    return shown.display, shown.uri, invite.get("p-asserted-identity"), invite.get("privacy")


def end(caller: Actor, callee: Actor) -> None:
    callee.answers()
    caller.acks()
    caller.hangs_up()


# ------------------------------------------------------------------------------------------------- to the outside


@pytest.mark.parametrize(
    ("user", "number"),
    [("200", "+3242200120"), ("201", "+3242200121"), ("201-gsm", "+3242200100"), ("202", "+32470555012")],
    ids=["F1 fixed", "F1 fixed of two", "M1 mobile", "R1 verified mobile"],
)
def test_the_number_of_the_role_and_connection_is_shown(story: Story, user: str, number: str) -> None:
    phone, trunk = story.phone(user), story.trunk()
    phone.invites("+3225551234")
    _, uri, identity, privacy = seen(trunk)
    assert uri == f"sip:{number}@198.51.100.1"
    assert identity is not None
    assert f"<sip:{number}@198.51.100.1>" in identity
    assert privacy is None
    end(phone, trunk)
    assert story.records[0].shown_number == number


def test_what_a_phone_claims_to_be_is_not_believed(story: Story) -> None:
    """No call leaves with a number that the company does not own."""
    alice, trunk = story.phone("200"), story.trunk()
    alice.invites(
        "+3225551234",
        "P-Asserted-Identity: <sip:+15551234567@evil.example>",
        "Remote-Party-ID: <sip:+15551234567@evil.example>",
        sender='"Bank" <sip:200@story.example>',
    )
    assert all(
        "+15551234567" not in text and "Bank" not in text
        for address, text in story.wire_log
        if address == trunk.address
    )
    end(alice, trunk)


def test_a_withheld_number_is_asserted_to_the_trunk_and_shown_to_nobody(story: Story) -> None:
    """RFC 3323, RFC 3325 §9."""
    alice, trunk = story.phone("200"), story.trunk()
    alice.invites("+3225551234", "Privacy: id")
    assert seen(trunk) == (
        "Anonymous",
        "sip:anonymous@anonymous.invalid",
        seen(trunk)[2],
        "id",
    )
    assert "+3242200120" in (seen(trunk)[2] or "")
    end(alice, trunk)


def test_a_caller_who_calls_anonymously_is_still_itself_to_the_policy(story: Story) -> None:
    alice, trunk = story.phone("200"), story.trunk()
    alice.invites("+3225551234", "Privacy: id", sender='"Anonymous" <sip:anonymous@anonymous.invalid>')
    assert seen(trunk)[1] == "sip:anonymous@anonymous.invalid"
    end(alice, trunk)
    assert story.records[0].owner == "alice"


@pytest.mark.parametrize(
    ("settings", "request_uri", "shown", "identity"),
    [
        ("number_format: e164_without_plus", "sip:3225551234@198.51.100.1", "sip:3242200120@198.51.100.1", True),
        ("number_format: national", "sip:025551234@198.51.100.1", "sip:042200120@198.51.100.1", True),
        ("identity: from", "sip:+3225551234@198.51.100.1", "sip:+3242200120@198.51.100.1", False),
        ("identity: both", "sip:+3225551234@198.51.100.1", "sip:+3242200120@198.51.100.1", True),
        ("domain: provider.example", "sip:+3225551234@provider.example", "sip:+3242200120@provider.example", True),
    ],
)
def test_each_trunk_is_written_to_in_its_own_way(
    tell: Callable[[str], Story], settings: str, request_uri: str, shown: str, identity: bool
) -> None:
    story = tell(COMPANY.replace("priority: 1,", f"priority: 1, {settings},"))
    alice, trunk = story.phone("200"), story.trunk()
    alice.invites("+3225551234")
    invite = trunk.received("INVITE")
    assert invite.uri == request_uri
    assert seen(trunk)[1] == shown
    assert (seen(trunk)[2] is not None) is identity
    end(alice, trunk)


def test_the_next_trunk_is_written_to_in_its_own_way_too(tell: Callable[[str], Story]) -> None:
    story = tell(COMPANY.replace("priority: 2,", "priority: 2, number_format: national,"))
    alice, first, second = story.phone("200"), story.trunk("first"), story.trunk("second")
    alice.invites("+3225551234")
    first.refuses(503)
    assert second.received("INVITE").uri == "sip:025551234@198.51.100.2"
    assert seen(second)[1] == "sip:042200120@198.51.100.2"
    end(alice, second)


# -------------------------------------------------------------------------------------------------- to the inside


def test_a_colleague_sees_name_and_extension(story: Story) -> None:
    alice, bob = story.phone("200"), story.phone("201")
    alice.invites("201")
    name, uri, identity, _ = seen(bob)
    assert (name, uri.partition("@")[0]) == ("Alice Martin", "sip:200")
    assert identity is None  # phones are told in From alone
    end(alice, bob)


def test_a_caller_from_outside_is_shown_as_the_trunk_asserts(story: Story) -> None:
    """RFC 3325: what a trusted peer asserts goes before its From."""
    trunk, bob = story.trunk(), story.phone("201")
    trunk.invites(
        "+3242200121",
        'P-Asserted-Identity: "Client, Jean" <sip:0475111222@198.51.100.1>, <tel:+32475111222>',
        sender="<sip:anonymous@anonymous.invalid>",
    )
    name, uri, _, _ = seen(bob)
    assert (name, uri.partition("@")[0]) == ("Client, Jean", "sip:+32475111222")
    end(trunk, bob)


def test_a_caller_from_outside_with_a_tel_uri(story: Story) -> None:
    trunk, bob = story.trunk(), story.phone("201")
    trunk.invites("+3242200121", sender="<tel:+32475111222>")
    assert seen(bob)[1].partition("@")[0] == "sip:+32475111222"
    end(trunk, bob)


@pytest.mark.parametrize(
    ("sender", "headers"),
    [
        ("<sip:anonymous@anonymous.invalid>", ()),
        ('"Bob" <sip:+32475111222@198.51.100.1>', ("Privacy: id",)),
        ('"Bob" <sip:+32475111222@198.51.100.1>', ("Privacy: critical;header",)),
        ("<sip:Restricted@198.51.100.1>", ()),
        ("<sip:198.51.100.1>", ()),
    ],
)
def test_a_withheld_caller_is_anonymous_inside_too(story: Story, sender: str, headers: tuple[str, ...]) -> None:
    trunk, bob = story.trunk(), story.phone("201")
    trunk.invites("+3242200121", *headers, sender=sender)
    assert seen(bob)[:2] == ("Anonymous", "sip:anonymous@anonymous.invalid")
    assert all("32475111222" not in text for address, text in story.wire_log if address == bob.address)
    end(trunk, bob)


def test_a_name_from_outside_cannot_write_headers(story: Story) -> None:
    trunk, bob = story.trunk(), story.phone("201")
    trunk.invites("+3242200121", sender='"a\\" <sip:evil@x>;tag=1 \\\\" <sip:+32475111222@198.51.100.1>')
    name, uri, _, _ = seen(bob)
    assert (name, uri.partition("@")[0]) == ('a" <sip:evil@x>;tag=1 \\', "sip:+32475111222")
    end(trunk, bob)


def test_a_user_part_from_outside_is_escaped(story: Story) -> None:
    trunk, bob = story.trunk(), story.phone("201")
    trunk.invites("+3242200121", sender="<sip:a%3Eb%40c%22@198.51.100.1>")
    uri = seen(bob)[1]
    assert uri.partition("@")[0] == "sip:a%3Eb%40c%22"
    end(trunk, bob)


# ------------------------------------------------------------------------------------------------ forwarded calls


def test_a_forwarded_call_says_from_whom_and_why(story: Story) -> None:
    """M2: RFC 5806 and RFC 7044."""
    trunk, voicemail = story.trunk(), story.voicemail()
    story.phone("201")
    bob = story.actors["192.0.2.200", 5060]
    trunk.invites("+3242200121", sender="<sip:+32475111222@198.51.100.1>")
    bob.refuses(486)
    invite = voicemail.received("INVITE")
    assert invite.lines("diversion") == ["<sip:+3242200121@192.0.2.91:5091>;reason=user-busy;counter=1"]
    assert invite.lines("history-info") == [
        "<sip:+3242200121@192.0.2.91:5091>;index=1",
        "<sip:201@192.0.2.91:5091;cause=486>;index=1.1;mp=1",
    ]
    assert NameAddr.parse(invite.get("from")).uri.startswith("sip:+32475111222@")
    end(trunk, voicemail)


def test_a_call_forwarded_outside_shows_the_companys_number(tell: Callable[[str], Story]) -> None:
    """No call leaves with a number that the company does not own: the one who forwards shows theirs."""
    story = tell(
        COMPANY.replace('voicemail: {sip: "sip:{extension}@192.0.2.91:5091"}', 'voicemail: {number: "+3225559999"}')
    )
    first, second = story.trunk("first"), story.trunk("second")
    second.invites("+3242200121", sender="<sip:+32475111222@198.51.100.2>")
    invite = first.received("INVITE")
    assert invite.uri == "sip:+3225559999@198.51.100.1"
    assert seen(first)[1] == "sip:+3242200121@198.51.100.1"
    assert invite.lines("diversion") == ["<sip:+3242200121@198.51.100.1>;reason=unavailable;counter=1"]
    end(second, first)


# ------------------------------------------------------------------------------------------------- the functions


def decision(number: str | None = "+3242200121", name: str | None = None, withhold: bool = False) -> Decision:
    return Decision(Action.DIAL, None, (), shown_number=number, shown_name=name, withhold=withhold)


def test_from_without_number_or_withheld_is_anonymous() -> None:
    assert from_value(decision(None), None, "h", False) == ANONYMOUS
    assert from_value(decision(withhold=True), "1", "h", True) == ANONYMOUS
    assert from_value(decision(name='A "B"'), "1", "h", True) == '"A \\"B\\"" <sip:1@h>'


def test_asserted_identity_and_privacy() -> None:
    assert asserted(decision(), "1", "h") == "P-Asserted-Identity: <sip:1@h>\r\n"
    assert asserted(decision(withhold=True), "1", "h") == "P-Asserted-Identity: <sip:1@h>\r\nPrivacy: id\r\n"
    assert asserted(decision(None, withhold=True), None, "h") == "Privacy: id\r\n"
    assert asserted(decision(None), None, "h") == ""


def test_several_diversions_stand_latest_first_and_history_oldest_first() -> None:
    lines = diverted(
        (Diversion("1", "no-answer"), Diversion("2", "user-busy")), ["1", "2"], "h", "sip:3@h"
    ).splitlines()
    assert lines == [
        "Diversion: <sip:2@h>;reason=user-busy;counter=1",
        "Diversion: <sip:1@h>;reason=no-answer;counter=1",
        "History-Info: <sip:1@h>;index=1",
        "History-Info: <sip:2@h;cause=408>;index=1.1;mp=1",
        "History-Info: <sip:3@h;cause=486>;index=1.1.1;mp=1.1",
    ]
    assert diverted((), [], "h", "sip:3@h") == ""


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("+3242200121", "+3242200121"),
        ("201", "201"),
        ("a b", "a%20b"),
        ("a@b>", "a%40b%3E"),
        ("é", "%C3%A9"),
        ("#31#", "%2331%23"),
    ],
)
def test_a_user_part_is_escaped_as_it_must_be(text: str, escaped: str) -> None:
    assert user_part(text) == escaped


def test_no_line_of_an_invite_can_be_broken_by_a_name() -> None:
    value = from_value(decision(name="a\r\nRoute: <sip:evil>\r\n"), "1\r\nX: y", "h", False)
    assert "\r" not in value
    assert "\n" not in value
