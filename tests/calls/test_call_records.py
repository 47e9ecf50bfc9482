"""The record of a call: what was asked, who was tried, how it ended and why."""

from __future__ import annotations

import pytest

from router.model.decision import Attempt, LineState, Outcome
from router.sip.message import parse
from router.sip.reason import q850_cause
from tests.calls.story import Phone, Story


@pytest.fixture
def alice(story: Story) -> Phone:
    return story.phone("200")


@pytest.fixture
def bob(story: Story) -> Phone:
    return story.phone("201")


def test_the_record_of_an_answered_call(story: Story, alice: Phone, bob: Phone) -> None:
    alice.invites("201")
    story.advance(1)
    bob.rings()
    story.advance(4)
    bob.answers()
    alice.acks()
    story.advance(10)
    alice.hangs_up("Reason: Q.850;cause=16")
    (record,) = story.records
    assert record.call_id == alice.call.call_id
    assert (record.origin, record.peer, record.dialled, record.owner) == ("person", "200", "201", "bob")
    assert (record.action, record.target, record.shown_number) == ("ring", "bob", "200")
    assert (record.answered_after, record.ended_after) == (5.0, 15.0)
    assert (record.status, record.cause, record.ended_by) == (200, 16, "caller")
    (leg,) = record.legs
    assert (leg.peer, leg.status, leg.started_after, leg.rang_after, leg.ended_after) == ("201", 200, 0.0, 1.0, 15.0)
    assert record.because
    assert record.started == story.clock() - 15


def test_one_record_per_call_however_many_are_tried(story: Story, alice: Phone, bob: Phone) -> None:
    gsm, voicemail = story.phone("201-gsm"), story.voicemail()
    alice.invites("201")
    bob.rings()
    gsm.refuses(486, "Reason: Q.850;cause=17")
    story.advance(20)
    voicemail.answers()
    alice.acks()
    voicemail.hangs_up()
    (record,) = story.records
    assert [(leg.peer, leg.status, leg.cause) for leg in record.legs] == [
        ("201-gsm", 486, 17),
        ("201", 487, None),
        ("voicemail", 200, None),
    ]
    assert (record.status, record.ended_by, record.target) == (200, "callee", "voicemail")


@pytest.mark.parametrize(
    ("ending", "expected"),
    [
        ("cancel", (487, "caller", 31)),
        ("refusal", (486, "callee", 17)),
        ("bye of the callee", (200, "callee", 16)),
        ("no way", (503, "router", None)),
        ("router", (200, "router", None)),
    ],
)
def test_status_cause_and_who_ended_it(
    story: Story, alice: Phone, ending: str, expected: tuple[int, str, int | None]
) -> None:
    trunk = story.trunk()
    if ending == "no way":
        story.unreachable |= {("198.51.100.1", 5060), ("198.51.100.2", 5060)}
    alice.invites("+3225551234")
    match ending:
        case "cancel":
            trunk.rings()
            alice.cancels('Reason: SIP;cause=487, Q.850;cause=31;text="Normal, unspecified"')
        case "refusal":
            trunk.refuses(486, "Reason: q.850 ; cause = 17")
        case "bye of the callee":
            trunk.answers()
            alice.acks()
            trunk.hangs_up("Reason: Q.850;cause=16")
        case "router":
            trunk.answers()
            alice.acks()
            story.exchange.end_all(story.now)
            story.flush()
    (record,) = story.records
    assert (record.status, record.ended_by, record.cause) == expected


def test_a_refusal_by_the_policy_has_a_record_with_its_reason(story: Story, alice: Phone) -> None:
    """X2."""
    alice.invites("00224123456")
    (record,) = story.records
    assert (record.action, record.target, record.legs, record.status, record.ended_by) == (
        "refuse",
        None,
        (),
        403,
        "router",
    )
    assert record.because[-1].clause == "X2"


def test_a_challenge_is_no_call_and_has_no_record(story: Story, bob: Phone) -> None:
    story.stranger().sends("INVITE", "sip:201@192.0.2.1")
    assert story.records == []


@pytest.mark.parametrize(
    ("line", "cause"),
    [
        ("Reason: Q.850;cause=16", 16),
        ('Reason: SIP;cause=200;text="a", Q.850;text="b";cause=127', 127),
        ("Reason: SIP;cause=480\r\nReason: Q.850;cause=19", 19),
        ("Reason: Q.850;cause=0", None),
        ("Reason: Q.850;cause=128", None),
        ("Reason: Q.850;cause=99999999999999", None),
        ("Reason: Q.850;cause=x", None),
        ("Reason: Q.850", None),
        ("Reason: SIP;cause=16", None),
        ("Subject: none", None),
    ],
)
def test_the_cause_of_a_reason_header(line: str, cause: int | None) -> None:
    message = parse(
        f"BYE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a@b>\r\nTo: <sip:b@c>\r\nCall-ID: x\r\n"
        f"CSeq: 1 BYE\r\n{line}\r\n\r\n".encode()
    )
    assert q850_cause(message) == cause


def test_the_record_holds_what_the_call_can_be_decided_with_again(story: Story, alice: Phone, bob: Phone) -> None:
    """Each person's state as the first decision found it: by the second one Bob's phone had rung."""
    voicemail = story.voicemail()
    alice.invites("201", "Privacy: id")
    bob.rings()
    story.advance(20)
    voicemail.answers()
    alice.acks()
    alice.hangs_up()
    (record,) = story.records
    assert (record.caller_person, record.connection, record.withhold) == ("alice", "fixed", True)
    assert [(one.person, one.line, one.profile) for one in record.weighed] == [("bob", LineState.IDLE, None)]
    assert record.attempts == (Attempt("bob", Outcome.NO_ANSWER),)
    assert record.configuration == story.configuration.hash


def test_an_outgoing_call_weighs_nobody(story: Story, alice: Phone) -> None:
    trunk = story.trunk()
    alice.invites("+3225550000")
    trunk.refuses(486)
    (record,) = story.records
    assert (record.weighed, record.attempts, record.rejected) == ((), (), ())


def test_a_caller_from_outside_stands_in_the_record_with_their_name(story: Story, bob: Phone) -> None:
    trunk = story.trunk()
    trunk.invites("+3242200121", sender='"Paul" <sip:+32475111222@198.51.100.1>')
    bob.refuses(603)
    trunk.cancels()
    (record,) = story.records
    assert (record.caller, record.caller_name, record.caller_person) == ("+32475111222", "Paul", None)
    assert record.attempts == (Attempt("bob", Outcome.REJECTED),)
