"""Feature codes as a phone dials them (P2): a short call that confirms, and what the next caller meets."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from router.model.audit import AuditEntry
from router.model.decision import SelectedBy, Selection
from router.ports import StoreError
from tests.calls.story import COMPANY, OFFER, TUESDAY_TEN, Phone, Story

WITH_CODES = (
    COMPANY
    + """
profiles:
  meeting: {kind: busy_other, says: {fr: En réunion}, code: "*21"}
  class: {kind: absent, says: {fr: En classe}, code: "*22", roles: [sales]}
codes: {back: "*20"}
"""
)

Tell = Callable[[str], Story]


@pytest.fixture
def story(tell: Tell) -> Story:
    return tell(WITH_CODES)


@pytest.fixture
def alice(story: Story) -> Phone:
    return story.phone("200")


def selects(phone: Phone, code: str) -> None:
    """Dial a code and hear it confirmed; everything of that call is over."""
    phone.invites(code)
    assert phone.received(200, "INVITE"), phone.heard()
    phone.acks()
    assert phone.received("BYE")


def media(phone: Phone) -> list[str]:
    body: bytes = phone.received(200, "INVITE").body
    return [line for line in body.decode().splitlines() if line[:2] in ("m=", "a=", "c=")]


def test_a_code_is_confirmed_by_a_short_call(story: Story, alice: Phone) -> None:
    """P2. The router hangs up, but not before the ACK (RFC 3261 §15)."""
    alice.invites("*21")
    answer = alice.received(200, "INVITE")
    assert answer.get("content-type").strip() == "application/sdp"
    story.advance(1.6)
    assert alice.count(200, "INVITE") == 3  # repeated until the ACK comes
    assert not alice.received("BYE")
    alice.acks()
    assert alice.received("BYE")
    (record,) = story.records
    assert (record.action, record.status, record.ended_by, record.owner) == ("feature", 200, "router", "alice")
    assert (record.dialled, record.peer, record.caller_person, record.legs) == ("*21", "200", "alice", ())
    assert record.because[-1].clause == "P2"


def test_the_next_caller_meets_the_profile_and_after_the_return_the_phone(story: Story, alice: Phone) -> None:
    """P2, M3: whoever is in a meeting is not rung."""
    trunk, reception = story.trunk(), story.reception()
    selects(alice, "*21")
    alice.forgets()
    trunk.invites("+3242200120")
    assert not alice.received("INVITE")
    assert reception.was_called
    reception.refuses(486)
    selects(alice, "*20")
    alice.forgets()
    trunk.invites("+3242200120")
    assert alice.was_called
    trunk.cancels()


def test_a_return_without_anything_selected_is_confirmed_as_well(story: Story, alice: Phone) -> None:
    selects(alice, "*20")
    assert story.exchange.states.selections == {}


def test_the_choice_bears_the_phone_that_made_it(story: Story, alice: Phone) -> None:
    """P1: the audit says who."""
    selects(alice, "*21*1130")
    since = TUESDAY_TEN + story.now - 1000.0
    assert story.exchange.states.of("alice") == (
        Selection("alice", "meeting", SelectedBy.PERSON, since, TUESDAY_TEN + 90 * 60, "", "phone 200"),
    )


def test_a_person_behind_a_pbx_dials_codes_as_well(story: Story) -> None:
    """F4: policy belongs to the person, not to the phone."""
    pbx = story.pbx()
    pbx.invites("*21", sender="<sip:200@192.0.2.50>")
    assert pbx.received(200, "INVITE")
    pbx.acks()
    assert [selection.actor for selection in story.exchange.states.of("alice")] == ["phone 200 at central"]


def test_a_profile_of_others_is_refused_and_nothing_changes(story: Story, alice: Phone) -> None:
    """R8, R9."""
    alice.invites("*22")
    assert alice.received(403, "INVITE")
    assert story.exchange.states.selections == {}
    (record,) = story.records
    assert (record.action, record.status, record.because[-1].clause) == ("refuse", 403, "R9")


def test_the_media_are_taken_on_hold(alice: Phone) -> None:
    """RFC 3264 §6: one m-line for each of the offer, the audio inactive, the rest declined."""
    offer = OFFER.replace(b"RTP/AVP 8 0\r\n", b"RTP/AVP 96 8\r\na=rtpmap:96 opus/48000/2\r\na=rtpmap:8 PCMA/8000\r\n")
    alice.invites("*21", body=offer + b"m=video 4002 RTP/AVP 97\r\na=rtpmap:97 VP8/90000\r\n")
    assert media(alice) == [
        "c=IN IP4 192.0.2.1",
        "m=audio 9 RTP/AVP 96",
        "a=inactive",
        "a=rtpmap:96 opus/48000/2",
        "m=video 0 RTP/AVP 97",
    ]
    alice.acks()


def test_a_phone_without_an_offer_gets_one(alice: Phone) -> None:
    """RFC 3261 §13.3.1.4: the 2xx carries the offer then, the ACK its answer."""
    alice.invites("*21", body=b"")
    assert media(alice) == ["c=IN IP4 192.0.2.1", "m=audio 9 RTP/AVP 8 0", "a=inactive"]
    alice.acks(body=OFFER)
    assert alice.received("BYE")


def test_a_phone_that_hangs_up_at_the_same_moment_is_heard(alice: Phone) -> None:
    alice.automatic.remove("BYE")
    alice.invites("*21")
    alice.acks()
    alice.hangs_up()
    assert alice.received(200, "BYE")
    alice.responds(alice.received("BYE"), 200)


def test_an_ack_that_never_comes_ends_the_call(story: Story, alice: Phone) -> None:
    alice.invites("*21")
    story.advance(33)
    assert alice.received("BYE")
    assert story.exchange.states.of("alice")


def test_the_outside_dials_no_codes(story: Story) -> None:
    trunk = story.trunk()
    trunk.invites("*21")
    assert trunk.received(404, "INVITE")
    assert story.exchange.states.selections == {}


def test_nobody_is_put_through_to_a_code(story: Story, alice: Phone) -> None:
    bob = story.phone("201")
    alice.invites("201")
    bob.answers()
    alice.acks()
    alice.sends_in_call("REFER", "Refer-To: <sip:*21@story.example>")
    notifications = [request.body for request in alice.all_received("NOTIFY")]
    while (request := alice.received("NOTIFY")) is not None and b"403" not in request.body:
        alice.forgets()
        alice.responds(request, 200)
        notifications += [request.body for request in alice.all_received("NOTIFY")]
    alice.responds(alice.received("NOTIFY"), 200)
    assert notifications[-1].startswith(b"SIP/2.0 403")
    assert story.exchange.states.selections == {}
    alice.hangs_up()


class SlowJournal:
    """A store that has not answered yet."""

    def __init__(self) -> None:
        self.entries: list[AuditEntry] = []
        self.waiting: list[Callable[[StoreError | None], None]] = []

    def change(self, person: str, selections: object, entry: AuditEntry) -> None:
        self.entries.append(entry)

    def record(self, entry: AuditEntry) -> None:
        self.entries.append(entry)

    def keep_configuration(self, texts: bytes, entry: AuditEntry) -> None:
        self.entries.append(entry)

    def when_written(self, told: Callable[[StoreError | None], None]) -> None:
        self.waiting.append(told)

    async def written(self) -> None:
        raise NotImplementedError

    def answers(self, fault: StoreError | None = None) -> None:
        for told in self.waiting:
            told(fault)
        self.waiting.clear()


@pytest.fixture
def journal(story: Story) -> SlowJournal:
    journal = SlowJournal()
    story.exchange.states._journal = journal
    return journal


def test_nothing_is_confirmed_before_it_is_stored(story: Story, alice: Phone, journal: SlowJournal) -> None:
    alice.invites("*21")
    story.advance(0.5)
    assert alice.heard() == [100]
    assert [(entry.actor, entry.action, entry.subject) for entry in journal.entries] == [
        ("phone 200", "select profile", "alice")
    ]
    journal.answers()
    story.advance(0.1)
    assert alice.received(200, "INVITE")
    alice.acks()


def test_what_cannot_be_stored_is_not_confirmed(story: Story, alice: Phone, journal: SlowJournal) -> None:
    alice.invites("*21")
    journal.answers(StoreError("the disk is full"))
    story.advance(0.1)
    refusal = alice.received(500, "INVITE")
    assert refusal.reason == "Not stored"
    assert story.records[0].status == 500


def test_a_store_that_never_answers_keeps_nobody_waiting(story: Story, alice: Phone, journal: SlowJournal) -> None:
    alice.invites("*21")
    story.advance(5)
    assert alice.received(500, "INVITE")
    journal.answers()
    story.advance(1)
    assert not alice.received(200, "INVITE")


def test_a_caller_may_give_up_while_it_is_being_stored(story: Story, alice: Phone, journal: SlowJournal) -> None:
    alice.invites("*21")
    story.advance(0.3)
    alice.cancels()
    assert alice.received(487, "INVITE")
    journal.answers()
    story.advance(1)
    assert not alice.received(200, "INVITE")
    assert (story.records[0].status, story.records[0].ended_by) == (487, "caller")
