"""Codes before a number, on the wire (G1): what the provider and a colleague see of who calls."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.calls.story import COMPANY, Actor, Phone, Story
from tests.calls.test_identity import end, seen

WITH_CODES = (
    COMPANY
    + """
codes:
  hide_number: "*31"
  show: {"*32": main_number, "#33": personal_mobile}
"""
)


@pytest.fixture
def story(tell: Callable[[str], Story]) -> Story:
    return tell(WITH_CODES)


@pytest.fixture
def alice(story: Story) -> Phone:
    return story.phone("200")


def request_uri(actor: Actor) -> str:
    uri: str = actor.received("INVITE").uri
    return uri


def test_a_number_hidden_for_one_call(story: Story, alice: Phone) -> None:
    """RFC 3323, RFC 3325 §9: the provider gets our number and the wish; the code itself stays inside."""
    trunk = story.trunk()
    alice.invites("*31025551234")
    name, uri, identity, privacy = seen(trunk)
    assert (name, uri, privacy) == ("Anonymous", "sip:anonymous@anonymous.invalid", "id")
    assert "<sip:+3242200120@198.51.100.1>" in (identity or "")
    assert request_uri(trunk) == "sip:+3225551234@198.51.100.1"
    end(alice, trunk)
    trunk.forgets()
    alice.invites("025551234")
    assert seen(trunk)[1] == "sip:+3242200120@198.51.100.1"
    end(alice, trunk)
    assert [record.dialled for record in story.records] == ["*31025551234", "025551234"]


def test_another_number_for_one_call(story: Story, alice: Phone) -> None:
    trunk = story.trunk()
    alice.invites("*32025551234")
    _, uri, identity, privacy = seen(trunk)
    assert (uri, privacy) == ("sip:+3242200100@198.51.100.1", None)
    assert "<sip:+3242200100@198.51.100.1>" in (identity or "")
    end(alice, trunk)


def test_a_number_that_may_not_be_shown(story: Story, alice: Phone) -> None:
    """S4: Alice has no mobile; "#" comes escaped (RFC 3261 §25.1)."""
    trunk = story.trunk()
    alice.invites("%2333025551234")
    assert seen(trunk)[1] == "sip:+3242200120@198.51.100.1"
    end(alice, trunk)
    assert story.records[0].rejected[0].text == "#33: this call shows personal mobile: there is none"


@pytest.mark.parametrize("code", ["*31", "*32", "%2333"])
def test_an_emergency_call_behind_a_code(story: Story, alice: Phone, code: str) -> None:
    """Unmodified digits, own number, no privacy."""
    trunk = story.trunk()
    alice.invites(f"{code}112")
    assert request_uri(trunk) == "sip:112@198.51.100.1"
    _, uri, _, privacy = seen(trunk)
    assert (uri, privacy) == ("sip:+3242200120@198.51.100.1", None)
    end(alice, trunk)
    assert story.records[0].action == "emergency"


def test_a_number_hidden_from_a_colleague(story: Story, alice: Phone) -> None:
    bob = story.phone("202")
    alice.invites("*31202")
    assert seen(bob)[:2] == ("Anonymous", "sip:anonymous@anonymous.invalid")
    end(alice, bob)


def test_nobody_outside_dials_codes(story: Story) -> None:
    trunk = story.trunk()
    trunk.invites("*31+3242200120")
    assert trunk.received(404)
