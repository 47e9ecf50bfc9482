"""Phones register: what they are answered, and where calls to them then go."""

from __future__ import annotations

import gc
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.calls.registrar import Answer, Bounds, Registrar
from router.model.decision import Connection
from router.model.peers import Account
from router.ports import Flow
from router.sip.message import Request, parse
from router.stores.memory import MemoryBindings

NOW = 1_795_600_000.0
DESK = Account("201", "claire", Connection.FIXED, "0" * 32)
SOFT = Account("201-soft", "claire", Connection.SOFTPHONE, "0" * 32)
OWN = Account("201-own", "claire", Connection.PRIVATE, "0" * 32, until=NOW + 600)
MARC = Account("202", "marc", Connection.FIXED, "0" * 32)
ACCOUNTS = {account.user: account for account in (DESK, SOFT, OWN, MARC)}


@dataclass(eq=False)
class Line:
    """A flow to a peer on which nothing needs to be sent."""

    transport: str = "UDP"
    source: tuple[str, int] = ("192.0.2.7", 5060)
    local: tuple[str, int] = ("192.0.2.1", 5060)
    reliable: bool = False
    via: str = "SIP/2.0/UDP 192.0.2.1:5060"
    contact: str = "192.0.2.1:5060"

    def send(self, data: bytes) -> None:
        raise AssertionError("the registrar sends nothing")


class Flows:
    """A directory that has listeners for UDP and TCP on IPv4 only."""

    def flow_to(self, transport: str, host: str, port: int) -> Flow:
        if ":" in host or transport not in ("udp", "tcp"):
            raise LookupError(transport)
        return Line(transport.upper(), (host, port), reliable=transport == "tcp")


@dataclass
class World:
    """A registrar on fake time, and what it told."""

    store: MemoryBindings = field(default_factory=MemoryBindings)
    bounds: Bounds = field(default_factory=Bounds)
    now: float = NOW
    told: list[tuple[str, bool]] = field(default_factory=list)
    cseq: int = 0

    def __post_init__(self) -> None:
        self.registrar = self.restarted()

    def restarted(self) -> Registrar:
        return Registrar(ACCOUNTS, self.store, self.bounds, lambda person, here: self.told.append((person, here)))

    def register(
        self,
        *headers: str,
        account: Account = DESK,
        to: str | None = None,
        flow: Flow | None = None,
        call_id: str = "one",
        cseq: int | None = None,
    ) -> Answer:
        self.cseq = self.cseq + 1 if cseq is None else cseq
        lines = [
            "REGISTER sip:renvoi.example SIP/2.0",
            "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1",
            f"From: <sip:{account.user}@renvoi.example>;tag=1",
            f"To: {to or f'<sip:{account.user}@renvoi.example>'}",
            f"Call-ID: {call_id}",
            f"CSeq: {self.cseq} REGISTER",
            *headers,
            "",
            "",
        ]
        request = parse("\r\n".join(lines).encode("utf-8", "surrogateescape"))
        assert isinstance(request, Request)
        return self.registrar.register(request, account, flow or Line(), self.now)

    def contacts(self, user: str = "201") -> list[str]:
        return [binding.contact for binding in self.registrar.contacts(user, self.now)]

    def destination(self, user: str = "201") -> tuple[str, tuple[str, int]]:
        (binding,) = self.registrar.contacts(user, self.now)
        flow = self.registrar.flow(binding, Flows())
        assert flow is not None
        return flow.transport, flow.source


@pytest.fixture
def world() -> World:
    return World()


def shown(answer: Answer) -> list[str]:
    """The Contact values of an answer."""
    return [line.removeprefix("Contact: ") for line in answer.headers if line.startswith("Contact: ")]


# ------------------------------------------------------------------------------------------ bindings and expiry


def test_a_phone_registers_and_is_told_for_how_long(world: World) -> None:
    answer = world.register("Contact: <sip:201@192.0.2.7>", "Expires: 600")
    assert (answer.status, shown(answer)) == (200, ["<sip:201@192.0.2.7>;expires=600"])
    assert "Date: Wed, 25 Nov 2026 09:46:40 GMT" in answer.headers
    assert world.contacts() == ["sip:201@192.0.2.7"]


def test_a_contacts_own_expiry_goes_before_the_header_and_the_default(world: World) -> None:
    answer = world.register("Contact: <sip:a@192.0.2.7>;expires=90, <sip:b@192.0.2.7>", "Expires: 120")
    assert sorted(shown(answer)) == ["<sip:a@192.0.2.7>;expires=90", "<sip:b@192.0.2.7>;expires=120"]
    assert shown(world.register("Contact: <sip:201@192.0.2.7>", account=SOFT)) == ["<sip:201@192.0.2.7>;expires=3600"]


@pytest.mark.parametrize(
    ("asked", "granted"),
    [
        ("60", 60),
        ("7200", 7200),
        ("7201", 7200),
        ("4294967296", 7200),
        ("soon", 3600),
        ("0" * 20 + "600", 600),
        ("9" * 9000, 7200),
    ],
)
def test_an_expiry_is_cut_to_the_bounds_and_a_malformed_one_means_an_hour(
    world: World, asked: str, granted: int
) -> None:
    assert shown(world.register(f"Contact: <sip:201@192.0.2.7>;expires={asked}")) == [
        f"<sip:201@192.0.2.7>;expires={granted}"
    ]


def test_too_brief_an_interval_is_refused_with_the_least_possible_and_changes_nothing(world: World) -> None:
    answer = world.register("Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>;expires=59")
    assert (answer.status, answer.headers) == (423, ("Min-Expires: 60",))
    assert world.contacts() == []


def test_a_binding_ends_when_it_is_not_renewed(world: World) -> None:
    world.register("Contact: <sip:201@192.0.2.7>;expires=60")
    world.now += 59.9
    assert world.contacts() == ["sip:201@192.0.2.7"]
    world.now += 0.1
    assert world.contacts() == []


def test_a_refresh_prolongs_and_keeps_one_binding(world: World) -> None:
    world.register("Contact: <sip:201@192.0.2.7>;expires=60")
    world.now += 50
    assert shown(world.register("Contact: <sip:201@192.0.2.7>;expires=60")) == ["<sip:201@192.0.2.7>;expires=60"]
    world.now += 50
    world.registrar.expire(world.now)
    assert world.contacts() == ["sip:201@192.0.2.7"]


def test_an_equivalent_spelling_of_a_contact_is_the_same_contact(world: World) -> None:
    world.register("Contact: <sip:%3201@Phone.Example;transport=TCP>")
    world.register("Contact: <sip:201@phone.example;transport=tcp>")
    assert world.contacts() == ["sip:201@phone.example;transport=tcp"]


def test_a_query_lists_the_time_that_is_left_and_changes_nothing(world: World) -> None:
    world.register('Contact: <sip:201@192.0.2.7>;expires=600;q=0.5;+sip.instance="<urn:uuid:1>"')
    world.now += 100
    answer = world.register()
    assert shown(answer) == ['<sip:201@192.0.2.7>;expires=500;q=0.5;+sip.instance="<urn:uuid:1>"']


def test_contacts_are_tried_best_q_first(world: World) -> None:
    world.register("Contact: <sip:c@192.0.2.7>;q=0.1, <sip:a@192.0.2.7>, <sip:b@192.0.2.7>;q=0.75")
    assert world.contacts() == ["sip:a@192.0.2.7", "sip:b@192.0.2.7", "sip:c@192.0.2.7"]


@pytest.mark.parametrize("q", ["1.1", "2", "-1", "0.1234", "x", '""', "0,5"])
def test_a_q_that_is_none_is_refused(world: World, q: str) -> None:
    assert world.register(f"Contact: <sip:201@192.0.2.7>;q={q}").status == 400
    assert world.contacts() == []


# ----------------------------------------------------------------------------------------------------- removal


def test_one_contact_is_removed_by_expires_0(world: World) -> None:
    world.register("Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>")
    assert shown(world.register("Contact: <sip:a@192.0.2.7>", "Expires: 0")) == ["<sip:b@192.0.2.7>;expires=3600"]
    assert world.contacts() == ["sip:b@192.0.2.7"]


def test_all_contacts_are_removed_by_the_wildcard(world: World) -> None:
    world.register("Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>")
    answer = world.register("Contact: *", "Expires: 0")
    assert (answer.status, shown(answer), world.contacts()) == (200, [], [])


@pytest.mark.parametrize(
    "headers",
    [
        ["Contact: *"],
        ["Contact: *", "Expires: 60"],
        ["Contact: *;expires=0", "Expires: 0"],
        ["Contact: *, <sip:a@192.0.2.7>", "Expires: 0"],
        ["Contact: <sip:a@192.0.2.7>", "Contact: *", "Expires: 0"],
    ],
)
def test_a_wildcard_that_is_not_alone_or_not_a_removal_is_refused(world: World, headers: list[str]) -> None:
    world.register("Contact: <sip:a@192.0.2.7>")
    assert world.register(*headers).status == 400
    assert world.contacts() == ["sip:a@192.0.2.7"]


# ------------------------------------------------------------------------------------------------------- order


@pytest.mark.parametrize("headers", [["Contact: <sip:a@192.0.2.7>;expires=0"], ["Contact: *", "Expires: 0"]])
def test_a_late_request_of_the_same_call_id_changes_nothing(world: World, headers: list[str]) -> None:
    world.register("Contact: <sip:a@192.0.2.7>", cseq=10)
    assert world.register(*headers, cseq=10).status == 500
    assert world.register(*headers, cseq=9).status == 500
    assert world.contacts() == ["sip:a@192.0.2.7"]
    assert world.register(*headers, cseq=11).status == 200
    assert world.contacts() == []


def test_a_phone_that_restarted_begins_to_count_anew_under_another_call_id(world: World) -> None:
    world.register("Contact: <sip:a@192.0.2.7>", cseq=10)
    assert world.register("Contact: <sip:a@192.0.2.7>", cseq=1, call_id="two").status == 200


def test_a_request_of_which_one_part_is_late_takes_no_effect_at_all(world: World) -> None:
    world.register("Contact: <sip:a@192.0.2.7>", cseq=10)
    assert world.register("Contact: <sip:b@192.0.2.7>, <sip:a@192.0.2.7>", cseq=9).status == 500
    assert world.contacts() == ["sip:a@192.0.2.7"]


def test_a_contact_named_twice_in_one_request_is_one(world: World) -> None:
    answer = world.register("Contact: <sip:a@192.0.2.7>;expires=60, <sip:a@192.0.2.7>;expires=90")
    assert shown(answer) == ["<sip:a@192.0.2.7>;expires=90"]


# ------------------------------------------------------------------------------------------------ who may do what


@pytest.mark.parametrize(
    "to", ["<sip:202@renvoi.example>", "<tel:201>", "<sip:renvoi.example>", "<sip:201%20@renvoi.example>"]
)
def test_nobody_registers_for_another_account(world: World, to: str) -> None:
    assert world.register("Contact: <sip:201@192.0.2.7>", to=to).status == 403
    assert world.contacts("202") == world.contacts() == []


def test_a_private_device_is_accepted_until_its_exception_ends(world: World) -> None:
    # D1
    answer = world.register("Contact: <sip:x@192.0.2.7>;expires=3600", account=OWN)
    assert shown(answer) == ["<sip:x@192.0.2.7>;expires=600"]
    world.now += 600
    assert world.contacts(OWN.user) == []
    answer = world.register("Contact: <sip:x@192.0.2.7>", account=OWN)
    assert answer.status == 403
    assert "private device" in answer.phrase
    assert world.register("Contact: <sip:x@192.0.2.7>").status == 200


def test_a_private_device_is_dropped_at_the_moment_its_exception_ends(world: World) -> None:
    # D1: not a second later, although no shorter binding than one of a second can be granted
    world.now += 599.5
    assert world.register("Contact: <sip:x@192.0.2.7>", account=OWN).status == 200
    world.now += 0.25
    assert world.contacts(OWN.user)
    world.now += 0.25
    assert world.contacts(OWN.user) == []
    world.registrar.expire(world.now)
    assert world.registrar.size == 0


def test_phones_that_the_inventory_does_not_know_are_listed(world: World) -> None:
    # D3: models by what their User-Agent begins with
    world.register("Contact: <sip:a@192.0.2.7>", "User-Agent: Yealink SIP-T46U 108.86")
    world.register("Contact: <sip:b@192.0.2.8>", "User-Agent: Bargain/0.1", account=SOFT)
    world.register("Contact: <sip:c@192.0.2.9>", account=MARC)
    assert world.registrar.unlisted(("Yealink SIP-T4", "Snom")) == [("201-soft", "Bargain/0.1"), ("202", "")]
    assert world.registrar.unlisted(()) == []  # nothing is listed where there is no inventory


def test_one_contact_too_many_is_refused(world: World) -> None:
    world.registrar.bounds = Bounds(contacts=2)
    assert world.register("Contact: <sip:a@192.0.2.7>, <sip:b@192.0.2.7>").status == 200
    assert world.register("Contact: <sip:c@192.0.2.7>").status == 403
    assert world.register("Contact: <sip:a@192.0.2.7>").status == 200
    world.now += 3600
    assert world.register("Contact: <sip:c@192.0.2.7>").status == 200


def test_a_device_that_comes_back_under_another_address_replaces_itself(world: World) -> None:
    device = ';+sip.instance="<urn:uuid:1>"'
    world.register(f"Contact: <sip:201@192.0.2.7>{device}")
    world.register(f"Contact: <sip:201@192.0.2.8>{device}", call_id="two")
    assert world.contacts() == ["sip:201@192.0.2.8"]
    # RFC 5626 §6: two flows of one device tell each other apart by reg-id
    world.register(f"Contact: <sip:201@192.0.2.9>{device};reg-id=1", call_id="three")
    assert len(world.contacts()) == 2


@pytest.mark.parametrize(
    "contact",
    [
        "<mailto:claire@example.com>",
        "<tel:+3242200121>",
        "sip:user@example.com?Route=%3Csip:sip.example.com%3E",
        "<sip:201@192.0.2.7",
        "<sip:201@192.0.2.7>;;;;",
        "<sip:201@[::zz]>",
        "201",
        "<sip:201@192.0.2.7>,,",
        "<sip:\udcff@192.0.2.7>",
        '<sip:201@192.0.2.7>;x="\x07"',
    ],
)
def test_a_contact_that_no_call_could_reach_is_refused_with_400(world: World, contact: str) -> None:
    answer = world.register(f"Contact: {contact}")
    assert answer.status == 400
    assert "\r" not in answer.phrase
    assert world.contacts() == []


@given(st.text(alphabet='<>sip:201@192.0.2.7;q=01expires*,"\\\0\x07é\udcff ', max_size=50))
def test_any_contact_is_accepted_or_refused_and_an_accepted_one_can_be_written(contact: str) -> None:
    world = World()
    answer = world.register(f"Contact: {contact}", "Expires: 600")
    assert answer.status in (200, 400, 423)
    for line in answer.headers:
        assert not {"\r", "\n", "\0"} & set(line.encode().decode())


# -------------------------------------------------------------------------------------- parameters (RFC 4475 §3.1.1)


def test_a_parameter_outside_angle_brackets_is_the_contacts(world: World) -> None:
    world.register("Contact: sip:+19725552222@192.0.2.7;unknownparam")
    assert world.contacts() == ["sip:+19725552222@192.0.2.7"]
    assert shown(world.register()) == ["<sip:+19725552222@192.0.2.7>;expires=3600;unknownparam"]


def test_a_parameter_inside_angle_brackets_is_the_uris(world: World) -> None:
    world.register("Contact: <sip:+19725552222@192.0.2.7;unknownparam>")
    assert world.contacts() == ["sip:+19725552222@192.0.2.7;unknownparam"]


def test_headers_in_a_contact_are_not_carried_into_calls(world: World) -> None:
    assert world.register("Contact: <sip:user@192.0.2.7?Route=%3Csip:sip.example.com%3E>").status == 200
    assert world.contacts() == ["sip:user@192.0.2.7"]


# ---------------------------------------------------------------------------------------------- where calls then go


def test_a_phone_on_the_same_net_is_called_at_the_port_it_names(world: World) -> None:
    world.register("Contact: <sip:201@192.0.2.7:5070>", flow=Line(source=("192.0.2.7", 40000)))
    assert world.destination() == ("UDP", ("192.0.2.7", 5070))


@pytest.mark.parametrize("contact", ["sip:201@10.0.0.5:5062", "sip:201@phone.local", "sip:201@198.51.100.9"])
def test_a_phone_behind_nat_is_called_where_its_register_came_from(world: World, contact: str) -> None:
    flow = Line(source=("203.0.113.9", 31337))
    world.register(f"Contact: <{contact}>", flow=flow)
    (binding,) = world.registrar.contacts("201", world.now)
    assert world.registrar.flow(binding, Flows()) is flow
    assert world.destination() == ("UDP", ("203.0.113.9", 31337))


def test_a_phone_is_called_by_the_connection_it_opened(world: World) -> None:
    flow = Line("TCP", ("192.0.2.7", 50123), reliable=True)
    world.register("Contact: <sip:201@192.0.2.7:5062;transport=tcp>", flow=flow)
    (binding,) = world.registrar.contacts("201", world.now)
    assert world.registrar.flow(binding, Flows()) is flow


def test_when_its_connection_is_gone_a_phone_is_called_at_its_address(world: World) -> None:
    flow = Line("TCP", ("192.0.2.7", 50123), reliable=True)
    world.register("Contact: <sip:201@192.0.2.7:5062;transport=tcp>", flow=flow)
    world.registrar.flow_failed(flow)
    assert world.destination() == ("TCP", ("192.0.2.7", 5062))
    assert world.told == [("claire", True)]


def test_when_its_connection_is_gone_a_phone_behind_nat_is_unregistered(world: World) -> None:
    flow = Line("TCP", ("203.0.113.9", 50123), reliable=True)
    world.register("Contact: <sip:201@10.0.0.5:5062;transport=tcp>", flow=flow)
    world.registrar.flow_failed(Line("TCP", ("203.0.113.9", 50123), reliable=True))
    assert world.contacts() == ["sip:201@10.0.0.5:5062;transport=tcp"]
    world.registrar.flow_failed(flow)
    assert world.contacts() == []
    assert world.told == [("claire", True), ("claire", False)]


def test_a_phone_may_ask_for_another_transport_of_its_own_host(world: World) -> None:
    world.register("Contact: <sip:201@192.0.2.7;transport=tcp>")
    assert world.destination() == ("TCP", ("192.0.2.7", 5060))


def test_an_ipv6_contact_is_recognised_in_any_spelling(world: World) -> None:
    world.register("Contact: <sip:201@[2001:DB8:0::7]:5070>", flow=Line(source=("2001:db8::7", 5060)))
    (binding,) = world.registrar.contacts("201", world.now)
    assert (binding.host, binding.port) == ("2001:db8::7", 5070)
    assert world.registrar.flow(binding, Flows()) is None  # no listener for IPv6 here


def test_a_contact_that_leads_back_to_the_router_is_refused(world: World) -> None:
    answer = world.register("Contact: <sip:201@192.0.2.1:5060>", flow=Line(source=("192.0.2.1", 40000)))
    assert answer.status == 400


def test_a_path_is_kept_for_who_supports_it(world: World) -> None:
    # RFC 3327
    flow = Line(source=("192.0.2.200", 5060))
    path = "Path: <sip:edge.example;lr>, <sip:core.example;lr>"
    answer = world.register("Contact: <sip:201@10.0.0.5>", "Supported: path, outbound", path, flow=flow)
    assert path in answer.headers
    (binding,) = world.registrar.contacts("201", world.now)
    assert binding.path == ("<sip:edge.example;lr>", "<sip:core.example;lr>")
    assert world.registrar.flow(binding, Flows()) is flow
    world.register("Contact: <sip:202@10.0.0.5>", path, account=MARC, flow=flow)
    (binding,) = world.registrar.contacts("202", world.now)
    assert binding.path == ()


# -------------------------------------------------------------------------------------------- people and restarts


def test_a_person_appears_with_the_first_device_and_vanishes_with_the_last(world: World) -> None:
    assert not world.registrar.registered("claire")
    world.register("Contact: <sip:a@192.0.2.7>;expires=60")
    world.register("Contact: <sip:a@192.0.2.7>;expires=120")
    world.register("Contact: <sip:b@192.0.2.7>;expires=300", account=SOFT)
    assert (world.told, world.registrar.registered("claire")) == ([("claire", True)], True)
    world.now += 120
    world.registrar.expire(world.now)
    assert world.told == [("claire", True)]
    world.now = world.registrar.next_expiry
    world.registrar.expire(world.now)
    assert (world.told, world.registrar.registered("claire")) == ([("claire", True), ("claire", False)], False)
    assert world.registrar.next_expiry == float("inf")


def test_signing_off_makes_a_person_vanish_at_once(world: World) -> None:
    world.register("Contact: <sip:a@192.0.2.7>", account=MARC)
    world.register("Contact: *", "Expires: 0", account=MARC)
    assert world.told == [("marc", True), ("marc", False)]


async def test_bindings_live_through_a_restart(world: World) -> None:
    device = ';+sip.instance="<urn:uuid:1>"'
    world.register(f"Contact: <sip:a@192.0.2.7:5070>;q=0.2{device}", "Contact: <sip:b@10.0.0.5>", "User-Agent: Desk/1")
    world.register("Contact: <sip:c@192.0.2.7>;expires=60", account=MARC)
    world.now += 60
    world.registrar = world.restarted()
    world.registrar.restore(await world.store.load(), world.now)
    assert world.contacts() == ["sip:b@10.0.0.5", "sip:a@192.0.2.7:5070"]
    assert world.contacts("202") == []
    assert (world.registrar.registered("claire"), world.registrar.registered("marc")) == (True, False)
    # and they are still the same bindings: renewed, ordered, removed and expired as before
    assert world.register("Contact: <sip:b@10.0.0.5>", cseq=1).status == 500
    world.register(f"Contact: <sip:a@192.0.2.8>{device}", call_id="two")
    assert world.contacts() == ["sip:a@192.0.2.8", "sip:b@10.0.0.5"]
    assert [binding.contact for binding in await world.store.load()] == ["sip:a@192.0.2.8", "sip:b@10.0.0.5"]
    world.now += 3600
    world.registrar.expire(world.now)
    assert await world.store.load() == []


async def test_a_stored_binding_that_cannot_be_read_is_forgotten_with_a_word(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    world.register("Contact: <sip:a@192.0.2.7>")
    (binding,) = world.registrar.contacts("201", world.now)
    world.registrar = world.restarted()
    world.registrar.restore([replace(binding, contact="sip:a@b@c"), replace(binding, user="202")], world.now)
    assert (world.contacts(), world.contacts("202")) == ([], ["sip:a@192.0.2.7"])
    assert "account 201 is forgotten" in caplog.text
    assert await world.store.load() == []


async def test_bindings_of_an_account_that_is_gone_are_forgotten(world: World) -> None:
    world.register("Contact: <sip:a@192.0.2.7>")
    world.register("Contact: <sip:b@192.0.2.7>", account=MARC)
    kept = {user: account for user, account in ACCOUNTS.items() if user != "202"}
    world.registrar.set_accounts(kept)
    assert (world.contacts(), world.contacts("202")) == (["sip:a@192.0.2.7"], [])
    assert world.told[-1] == ("marc", False)
    moved = {**kept, "201": replace(DESK, person="marc")}
    world.registrar.set_accounts(moved)
    assert (world.contacts(), world.told[-1]) == ([], ("claire", False))
    assert await world.store.load() == []


def test_an_exception_that_is_shortened_ends_what_it_allowed(world: World) -> None:
    # D1
    world.register("Contact: <sip:x@192.0.2.7>", account=OWN)
    world.registrar.set_accounts({**ACCOUNTS, OWN.user: replace(OWN, until=NOW + 60)})
    assert world.contacts(OWN.user) == ["sip:x@192.0.2.7"]
    world.now += 60
    assert world.contacts(OWN.user) == []
    world.registrar.expire(world.now)
    assert world.told == [("claire", True), ("claire", False)]


def test_refreshing_again_and_again_leaves_nothing_behind(world: World) -> None:
    def remembered() -> int:
        gc.collect()
        return len(gc.get_objects())

    def refresh() -> None:
        for _ in range(200):
            world.now += 1
            world.register("Contact: <sip:a@192.0.2.7>")

    refresh()
    before = remembered()
    refresh()
    assert remembered() - before < 100
    assert world.registrar.size == 1
