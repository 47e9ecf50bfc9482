"""A phone subscribes to its message lamp."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from itertools import count

import pytest

from router.calls.message_summary import MAX_SUBSCRIPTIONS, MessageSummary, Subscription
from router.model.decision import Connection
from router.model.mailbox import Mailbox
from router.model.message import MessageCounts
from router.model.peers import Account
from router.ports import Flow
from router.sip.dialog import Dialog
from router.sip.errors import RemoteError
from router.sip.ids import Ids
from router.sip.message import Request, Response, parse
from router.sip.stack import Stack
from router.sip.transaction import ServerTransaction, Transaction

CLAIRE = Account("201", "claire", Connection.FIXED, "0" * 32)


class Line:
    """The way to one phone; keeps what it was sent, in order."""

    transport = "UDP"
    reliable = False
    source = ("192.0.2.7", 5060)
    local = ("192.0.2.1", 5060)
    via = "SIP/2.0/UDP 192.0.2.1:5060"
    contact = "192.0.2.1:5060"

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def send(self, data: bytes) -> None:
        self.sent.append(data)


class Flows:
    def flow_to(self, transport: str, host: str, port: int) -> Flow:
        raise LookupError(f"{transport}:{host}:{port}")


@dataclass
class Phone:
    """A phone at a router that serves nothing but its subscriptions, on fake time."""

    line: Line = field(default_factory=Line)
    now: float = 100.0

    def __post_init__(self) -> None:
        numbers = count(1)
        self.branches = count(1)
        self.cseq = 0
        ids = Ids(lambda size: b"".join(next(numbers).to_bytes(8, "big") for _ in range(size // 8)))
        self.stack = Stack(ids, Flows())
        self.stack.user = self
        self.summary = MessageSummary(self.stack)

    def request_received(self, transaction: ServerTransaction, request: Request, now: float) -> None:
        """What the exchange does with a SUBSCRIBE of an authenticated account."""
        try:
            self.summary.subscribe(transaction, request, CLAIRE, now)
        except RemoteError as error:
            headers = "".join(f"{line}\r\n" for line in error.headers)
            transaction.respond(error.status, now, headers=headers)

    def heard(self) -> list[Request | Response]:
        for flow, data in self.stack.take_outbox():
            flow.send(data)
        messages = [parse(data) for data in self.line.sent]
        self.line.sent.clear()
        return messages

    def subscribes(
        self, *headers: str, tag: str = "", to: str = "201", call_id: str = "c", method: str = "SUBSCRIBE"
    ) -> list[Request | Response]:
        self.cseq += 1
        lines = [
            f"{method} sip:{to}@renvoi.example SIP/2.0",
            f"Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK{next(self.branches)}",
            "From: <sip:201@renvoi.example>;tag=phone",
            f"To: <sip:{to}@renvoi.example>{tag}",
            f"Call-ID: {call_id}",
            f"CSeq: {self.cseq} {method}",
            *headers,
            "",
            "",
        ]
        self.stack.receive("\r\n".join(lines).encode(), self.line, self.now)
        return self.heard()

    def answers(self, notify: Request, status: int) -> None:
        names = ("Via", "From", "To", "Call-ID", "CSeq")
        copied = "".join(f"{name}: {value}\r\n" for name in names for value in notify.lines(name.lower()))
        self.stack.receive(f"SIP/2.0 {status} Whatever\r\n{copied}\r\n".encode(), self.line, self.now)

    def waits(self, seconds: float) -> list[Request | Response]:
        """Let time pass in small steps, as the timers want it."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(until, self.now + 0.5)
            self.stack.advance(self.now)
        return self.heard()


@pytest.fixture
def phone() -> Phone:
    return Phone()


CONTACT = "Contact: <sip:201@192.0.2.7:5060>"
EVENT = "Event: message-summary"


def subscribed(phone: Phone, *headers: str, call_id: str = "c") -> tuple[Response, Request]:
    """A subscription that the phone has confirmed."""
    response, notify = phone.subscribes(CONTACT, EVENT, *headers, call_id=call_id)
    assert isinstance(response, Response)
    assert isinstance(notify, Request)
    phone.answers(notify, 200)
    return response, notify


def test_a_subscription_is_accepted_and_the_lamp_told_at_once(phone: Phone) -> None:
    response, notify = subscribed(phone, "Expires: 600", "Accept: application/simple-message-summary")
    assert (response.status, response.get("expires"), response.get("contact")) == (200, "600", "<sip:192.0.2.1:5060>")
    assert (notify.method, notify.uri, notify.body) == ("NOTIFY", "sip:201@192.0.2.7:5060", b"Messages-Waiting: no\r\n")
    assert notify.get("event") == "message-summary"
    assert notify.get("subscription-state") == "active;expires=600"
    assert notify.get("content-type") == "application/simple-message-summary"
    assert (notify.from_tag, notify.to_tag) == (response.to_tag, "phone")
    assert phone.waits(30) == []


def test_a_refresh_is_answered_in_the_same_dialog(phone: Phone) -> None:
    response, _ = subscribed(phone, "Expires: 60")
    phone.waits(50)
    renewed, notify = phone.subscribes(CONTACT, EVENT, "Expires: 60", tag=f";tag={response.to_tag}")
    assert isinstance(renewed, Response)
    assert isinstance(notify, Request)
    assert (renewed.status, notify.cseq, notify.get("subscription-state")) == (200, 2, "active;expires=60")
    phone.answers(notify, 200)
    assert phone.waits(50) == []
    assert phone.summary.size == 1


def test_a_subscription_that_is_not_refreshed_ends_with_a_word(phone: Phone) -> None:
    response, _ = subscribed(phone, "Expires: 60")
    told = [message for message in phone.waits(66) if isinstance(message, Request)]
    assert told[0].get("subscription-state") == "terminated;reason=timeout"
    assert (phone.summary.size, len(phone.stack.dialogs)) == (0, 0)
    (late,) = phone.subscribes(CONTACT, EVENT, tag=f";tag={response.to_tag}")
    assert isinstance(late, Response)
    assert late.status == 481


def test_a_phone_ends_its_subscription_with_0(phone: Phone) -> None:
    response, _ = subscribed(phone)
    bye, notify = phone.subscribes(EVENT, "Expires: 0", tag=f";tag={response.to_tag}")
    assert isinstance(bye, Response)
    assert (bye.status, notify.get("subscription-state")) == (200, "terminated;reason=timeout")
    assert (phone.summary.size, len(phone.stack.dialogs)) == (0, 0)


def test_a_phone_may_just_ask_once(phone: Phone) -> None:
    response, notify = subscribed(phone, "Expires: 0")
    assert (response.get("expires"), notify.get("subscription-state")) == ("0", "terminated;reason=timeout")
    assert phone.summary.size == 0


def test_the_id_of_the_event_is_repeated(phone: Phone) -> None:
    _, notify = phone.subscribes(CONTACT, "Event: Message-Summary ; id=lamp7")
    assert notify.get("event") == "message-summary;id=lamp7"


@pytest.mark.parametrize("status", [481, 500, 404])
def test_a_phone_that_has_forgotten_is_forgotten(phone: Phone, status: int) -> None:
    _, notify = phone.subscribes(CONTACT, EVENT)
    assert isinstance(notify, Request)
    phone.answers(notify, status)
    assert (phone.summary.size, len(phone.stack.dialogs)) == (0, 0)


def test_a_phone_that_is_gone_is_forgotten(phone: Phone) -> None:
    phone.subscribes(CONTACT, EVENT)
    phone.waits(33)
    assert (phone.summary.size, len(phone.stack.dialogs)) == (0, 0)


@pytest.mark.parametrize(
    ("headers", "to", "status", "said"),
    [
        ([CONTACT, "Event: presence"], "201", 489, ("allow-events", "message-summary")),
        ([CONTACT], "201", 489, ("allow-events", "message-summary")),
        ([CONTACT, EVENT, "Expires: 59"], "201", 423, ("min-expires", "60")),
        ([CONTACT, EVENT, "Expires: soon"], "201", 400, None),
        ([CONTACT, EVENT, "Accept: text/plain"], "201", 406, ("accept", "application/simple-message-summary")),
        ([CONTACT, "Event: message-summary;id=a b"], "201", 400, None),
        ([EVENT], "201", 400, None),
        (["Contact: <mailto:a@b>", EVENT], "201", 400, None),
        ([CONTACT, EVENT], "202", 403, None),
    ],
)
def test_what_is_refused_leaves_nothing_behind(
    phone: Phone, headers: list[str], to: str, status: int, said: tuple[str, str] | None
) -> None:
    (response,) = phone.subscribes(*headers, to=to)
    assert isinstance(response, Response)
    assert response.status == status
    if said is not None:
        assert response.get(said[0]) == said[1]
    assert (phone.summary.size, len(phone.stack.dialogs)) == (0, 0)


def test_inside_a_subscription_nothing_else_is_served(phone: Phone) -> None:
    accepted, _ = subscribed(phone)
    tag = f";tag={accepted.to_tag}"
    statuses = []
    for headers, method in (
        ([CONTACT, "Event: presence"], "SUBSCRIBE"),
        ([CONTACT], "BYE"),
        ([EVENT, "Expires: 1"], "SUBSCRIBE"),
    ):
        (response,) = phone.subscribes(*headers, tag=tag, method=method)
        assert isinstance(response, Response)
        statuses.append(response.status)
    assert statuses == [489, 405, 423]
    assert phone.summary.size == 1


def test_a_phone_that_restarts_for_ever_does_not_pile_up_subscriptions(phone: Phone) -> None:
    for number in range(MAX_SUBSCRIPTIONS):
        subscribed(phone, call_id=f"call {number}")
    heard = phone.subscribes(CONTACT, EVENT, call_id="one more")
    assert [message.get("subscription-state") for message in heard] == [
        "terminated;reason=deactivated", None, "active;expires=3600",
    ]  # fmt: skip
    assert phone.summary.size == MAX_SUBSCRIPTIONS


def test_nothing_of_an_ended_subscription_waits_for_the_garbage_collector(phone: Phone) -> None:
    def alive() -> set[int]:
        kinds = (Subscription, Dialog, Transaction)
        return {id(thing) for thing in gc.get_objects() if isinstance(thing, kinds)}

    gc.collect()
    gc.disable()
    try:
        before = alive()
        response, _ = subscribed(phone)
        assert len(alive() - before) == 4  # it, its dialog, and two transactions that absorb retransmissions
        phone.subscribes(EVENT, "Expires: 0", tag=f";tag={response.to_tag}")
        phone.waits(70)
        assert alive() - before == set()
    finally:
        gc.enable()


# ------------------------------------------------------------------------------------------------- real mailboxes


class Mailboxes:
    """What a phone's router keeps: counts by mailbox."""

    def __init__(self, phone: Phone) -> None:
        self.phone = phone
        self.counts: dict[str, MessageCounts] = {}
        phone.summary.counts = lambda mailbox: self.counts.get(mailbox, MessageCounts())
        phone.summary.set_mailboxes(
            {
                "claire": Mailbox("claire", "Claire Dubois", "claire", frozenset({"claire"})),
                "sales": Mailbox("sales", "Service Commercial", None, frozenset({"claire", "marc"})),
                "technical": Mailbox("technical", "Service Technique", None, frozenset({"thomas"})),
            },
            phone.now,
        )

    def change(self, mailbox: str, *counts: int) -> list[Request | Response]:
        self.counts[mailbox] = MessageCounts(*counts)
        self.phone.summary.changed(mailbox, self.phone.now)
        return self.phone.heard()


def test_the_lamp_follows_the_mailbox(phone: Phone) -> None:
    """V1: new and old messages, and how many are urgent (RFC 3842 §3.5)."""
    boxes = Mailboxes(phone)
    boxes.counts["claire"] = MessageCounts(2, 8, 0, 2)
    _, notify = subscribed(phone, "Expires: 600")
    assert notify.body == b"Messages-Waiting: yes\r\nVoice-Message: 2/8 (0/2)\r\n"
    phone.waits(10)
    (news,) = boxes.change("claire", 0, 10, 0, 2)
    assert isinstance(news, Request)
    assert news.body == b"Messages-Waiting: no\r\nVoice-Message: 0/10 (0/2)\r\n"
    assert (news.cseq, news.get("subscription-state")) == (2, "active;expires=590")
    assert boxes.change("marc", 1, 0, 0, 0) == []  # somebody else's


def test_one_notify_at_a_time_is_under_way_and_the_last_one_says_how_it_is(phone: Phone) -> None:
    """Two could overtake each other, and the phone would refuse the one with the lower CSeq."""
    boxes = Mailboxes(phone)
    subscribed(phone)
    (first,) = boxes.change("claire", 1)
    assert isinstance(first, Request)
    assert boxes.change("claire", 2) == []
    assert boxes.change("claire", 3) == []
    phone.answers(first, 200)
    (second,) = phone.heard()
    assert isinstance(second, Request)
    assert second.body == b"Messages-Waiting: yes\r\nVoice-Message: 3/0 (0/0)\r\n"
    phone.answers(second, 200)
    assert phone.heard() == []
    assert boxes.change("claire", 3) == []  # nothing new


def test_news_that_went_back_are_no_news(phone: Phone) -> None:
    boxes = Mailboxes(phone)
    subscribed(phone)
    (first,) = boxes.change("claire", 1)
    assert isinstance(first, Request)
    boxes.change("claire", 2)
    boxes.change("claire", 1)
    phone.answers(first, 200)
    assert phone.heard() == []


def test_every_subscription_of_a_person_hears_of_it(phone: Phone) -> None:
    boxes = Mailboxes(phone)
    subscribed(phone, call_id="a")
    subscribed(phone, call_id="b")
    news = boxes.change("claire", 1)
    assert sorted(message.get("call-id") or "" for message in news) == ["a", "b"]


def test_a_shared_mailbox_is_watched_by_its_name(phone: Phone) -> None:
    boxes = Mailboxes(phone)
    accepted, notify = phone.subscribes(CONTACT, EVENT, to="sales")
    assert isinstance(accepted, Response)
    assert isinstance(notify, Request)
    assert accepted.status == 200
    phone.answers(notify, 200)
    (news,) = boxes.change("sales", 4, 0, 1, 0)
    assert isinstance(news, Request)
    assert news.body == b"Messages-Waiting: yes\r\nVoice-Message: 4/0 (1/0)\r\n"
    assert boxes.change("claire", 1) == []


@pytest.mark.parametrize("mailbox", ["technical", "nobody", "marc"])
def test_a_mailbox_that_is_not_shared_with_a_person_is_not_watched_by_them(phone: Phone, mailbox: str) -> None:
    Mailboxes(phone)
    (response,) = phone.subscribes(CONTACT, EVENT, to=mailbox)
    assert isinstance(response, Response)
    assert response.status == 403


def test_who_may_not_watch_a_mailbox_any_more_is_told_so(phone: Phone) -> None:
    boxes = Mailboxes(phone)
    boxes.counts["claire"] = MessageCounts(1)
    subscribed(phone, call_id="own")
    _, notify = phone.subscribes(CONTACT, EVENT, to="sales", call_id="shared")
    assert isinstance(notify, Request)
    phone.answers(notify, 200)
    phone.summary.set_mailboxes({"claire": Mailbox("claire", "Claire Dubois", "claire")}, phone.now)
    (ended,) = phone.heard()
    assert (ended.get("call-id"), ended.get("subscription-state")) == ("shared", "terminated;reason=rejected")
    assert phone.summary.size == 1
    phone.summary.set_mailboxes({}, phone.now)
    (dark,) = phone.heard()  # the router keeps no mailboxes any more
    assert isinstance(dark, Request)
    assert dark.body == b"Messages-Waiting: no\r\n"


def test_a_refresh_is_notified_even_while_a_notify_is_unanswered(phone: Phone) -> None:
    boxes = Mailboxes(phone)
    accepted, _ = subscribed(phone)
    (first,) = boxes.change("claire", 1)
    _, again = phone.subscribes(CONTACT, EVENT, tag=f";tag={accepted.to_tag}")
    assert isinstance(first, Request)
    assert isinstance(again, Request)
    phone.answers(first, 200)
    assert boxes.change("claire", 2) == []  # the second one is under way still
    phone.answers(again, 200)
    (news,) = phone.heard()
    assert isinstance(news, Request)
    assert (news.cseq, b"2/0" in news.body) == (4, True)
