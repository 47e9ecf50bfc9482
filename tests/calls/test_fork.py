"""Devices that ring one after the other (F4, fork rules): `rings: [desk, {gsm: 10s}]`, race by race."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.calls.story import COMPANY, Phone, Story

STAGED = COMPANY.replace(
    "bob:   {name: Bob Durand,", "bob:   {name: Bob Durand, rings: [desk, {gsm: 10s}, {soft: 15s}],"
).replace(
    "gsm: {kind: mobile, user: 201-gsm, secret: secret-201-gsm}",
    "gsm: {kind: mobile, user: 201-gsm, secret: secret-201-gsm},\n"
    "                    soft: {kind: softphone, user: 201-soft, secret: secret-201-soft}",
)
ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'

Tell = Callable[[str], Story]


@pytest.fixture
def story(tell: Tell) -> Story:
    return tell(STAGED)


@pytest.fixture
def alice(story: Story) -> Phone:
    return story.phone("200")


@pytest.fixture
def desk(story: Story) -> Phone:
    return story.phone("201")


@pytest.fixture
def gsm(story: Story) -> Phone:
    return story.phone("201-gsm")


def calls_bob(alice: Phone) -> None:
    alice.invites("201")


def is_over(story: Story, alice: Phone) -> None:
    alice.acks()
    alice.hangs_up()
    assert len(story.records) == 1  # F4: one record, however many rang


def test_each_device_rings_when_its_time_has_come(story: Story, alice: Phone, desk: Phone, gsm: Phone) -> None:
    soft = story.phone("201-soft")
    calls_bob(alice)
    desk.rings()
    story.advance(9.9)
    assert not gsm.received("INVITE")
    story.advance(0.2)
    assert gsm.was_called
    gsm.rings()
    story.advance(4.8)
    assert not soft.received("INVITE")
    story.advance(0.2)
    soft.answers()
    for other in (desk, gsm):
        assert other.received("CANCEL").get("reason").strip() == ELSEWHERE
    is_over(story, alice)
    assert [(leg.peer, leg.status) for leg in story.records[0].legs] == [
        ("201", 487),
        ("201-gsm", 487),
        ("201-soft", 200),
    ]


def test_who_answers_in_time_leaves_the_others_alone(story: Story, alice: Phone, desk: Phone, gsm: Phone) -> None:
    calls_bob(alice)
    desk.rings()
    story.advance(9)
    desk.answers()
    story.advance(30)
    assert not gsm.received("INVITE")
    is_over(story, alice)


def test_the_earlier_device_may_still_answer(story: Story, alice: Phone, desk: Phone, gsm: Phone) -> None:
    calls_bob(alice)
    desk.rings()
    story.advance(11)
    gsm.rings()
    desk.answers()
    assert gsm.received("CANCEL").get("reason").strip() == ELSEWHERE
    is_over(story, alice)


def test_two_answers_at_once_give_one_call(story: Story, alice: Phone, desk: Phone, gsm: Phone) -> None:
    """RFC 3261 §13.2.2.4: the later answer is acknowledged and ended."""
    gsm.automatic.remove("CANCEL")
    calls_bob(alice)
    desk.rings()
    story.advance(11)
    gsm.rings()
    invite = gsm.waiting
    desk.answers()
    gsm.responds(invite, 200)
    assert gsm.received("ACK")
    assert gsm.received("BYE")
    assert desk.received("BYE") is None
    is_over(story, alice)


def test_where_the_first_device_is_not_registered_the_next_rings_at_once(story: Story, alice: Phone) -> None:
    gsm = story.phone("201-gsm")
    calls_bob(alice)
    gsm.answers()
    is_over(story, alice)


def test_where_only_the_last_is_registered_it_rings_at_once(story: Story, alice: Phone) -> None:
    soft = story.phone("201-soft")
    calls_bob(alice)
    soft.answers()
    is_over(story, alice)


def test_where_none_is_registered_the_policy_is_asked(story: Story, alice: Phone, desk: Phone) -> None:
    """G5: unreachable → voicemail."""
    desk.registers(expires=0)
    voicemail = story.voicemail()
    calls_bob(alice)
    voicemail.answers()
    is_over(story, alice)


@pytest.mark.parametrize("status", [404, 480, 488, 503])
def test_where_the_first_device_fails_the_next_rings_at_once(
    story: Story, alice: Phone, desk: Phone, gsm: Phone, status: int
) -> None:
    calls_bob(alice)
    desk.refuses(status)
    assert gsm.was_called
    story.advance(11)
    gsm.answers()
    is_over(story, alice)


def test_a_silent_first_device_does_not_delay_the_next(story: Story, alice: Phone, desk: Phone, gsm: Phone) -> None:
    story.silent.add(desk.address)
    calls_bob(alice)
    story.advance(10.1)
    gsm.answers()
    is_over(story, alice)


@pytest.mark.parametrize("status", [486, 600, 603])
def test_who_is_busy_or_declines_is_not_rung_elsewhere(
    story: Story, alice: Phone, desk: Phone, gsm: Phone, status: int
) -> None:
    """M2: on a call → voicemail; and who pressed "reject" does not want to hear it ring in the pocket."""
    voicemail = story.voicemail()
    calls_bob(alice)
    desk.rings()
    desk.refuses(status)
    assert voicemail.was_called
    story.advance(30)
    assert not gsm.received("INVITE")
    voicemail.answers()
    is_over(story, alice)


def test_a_decline_after_both_ring_silences_both(story: Story, alice: Phone, desk: Phone, gsm: Phone) -> None:
    voicemail = story.voicemail()
    calls_bob(alice)
    desk.rings()
    story.advance(11)
    gsm.rings()
    gsm.refuses(603)
    assert desk.received("CANCEL")
    assert voicemail.was_called
    voicemail.answers()
    is_over(story, alice)


def test_one_busy_device_lets_the_other_ring_on_but_no_third_begin(
    story: Story, alice: Phone, desk: Phone, gsm: Phone
) -> None:
    soft = story.phone("201-soft")
    calls_bob(alice)
    desk.rings()
    story.advance(11)
    gsm.rings()
    gsm.refuses(486)
    story.advance(6)
    assert not soft.received("INVITE")
    assert not desk.received("CANCEL")
    desk.answers()
    is_over(story, alice)


def test_the_time_without_an_answer_counts_from_the_first_ring(
    story: Story, alice: Phone, desk: Phone, gsm: Phone
) -> None:
    voicemail = story.voicemail()
    calls_bob(alice)
    desk.rings()
    story.advance(12)
    gsm.rings()
    story.advance(7.9)
    assert not voicemail.received("INVITE")
    story.advance(0.2)
    assert desk.received("CANCEL")
    assert gsm.received("CANCEL")
    voicemail.answers()
    is_over(story, alice)
    assert [(attempt.person, attempt.outcome) for attempt in story.records[0].attempts] == [("bob", "no_answer")]


def test_a_caller_who_gives_up_rings_nobody_later(story: Story, alice: Phone, desk: Phone, gsm: Phone) -> None:
    calls_bob(alice)
    desk.rings()
    story.advance(5)
    alice.cancels()
    assert desk.received("CANCEL")
    story.advance(30)
    assert not gsm.received("INVITE")


def test_a_call_that_is_transferred_rings_in_stages_as_well(
    story: Story, alice: Phone, desk: Phone, gsm: Phone
) -> None:
    trunk = story.trunk()
    trunk.invites("+3242200120")
    alice.answers()
    trunk.acks()
    alice.sends_in_call("REFER", "Refer-To: <sip:201@story.example>", "Refer-Sub: false")
    desk.rings()
    story.advance(11)
    gsm.rings()
    trunk.hangs_up()
    assert desk.received("CANCEL")
    assert gsm.received("CANCEL")
