"""A phone subscribes to its message lamp."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field
from itertools import count

import pytest

from router.calls.message_summary import MAX_SUBSCRIPTIONS, MessageSummary, Subscription
from router.model.decision import Connection
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
