"""Trunks and PBXs: how numbers are written, how peers are reached and recognised, whether they live."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .company import MAIN_NUMBER, OUTSIDE, Company
from .conftest import StartRouter, needs_sipp
from .peers import Peers
from .processes import Ports, eventually
from .router_process import Router

pytestmark = needs_sipp

PeersOf = Callable[..., Peers]


@pytest.mark.parametrize(
    ("number_format", "dialled", "shown"),
    [
        ("e164", "+32475111222", "+3242200121"),
        ("e164_without_plus", "32475111222", "3242200121"),
        ("national", "0475111222", "042200121"),
    ],
)
def test_numbers_are_written_as_the_trunk_wants_them(
    company: Company, start_router: StartRouter, peers_of: PeersOf, number_format: str, dialled: str, shown: str
) -> None:
    company.document["trunks"]["first"] |= {"number_format": number_format, "identity": "both"}
    peers = peers_of(start_router())
    trunk = peers.trunk("callee_answers")
    peers.phone_calls("201", "phone_talks_then_hangs_up", OUTSIDE, hold=0.1).succeeds()
    trunk.succeeds()
    invite = trunk.request("INVITE")
    assert invite.request_uri.startswith(f"sip:{dialled}@")
    assert invite.user("To") == dialled
    assert invite.user("P-Asserted-Identity") == shown
    assert invite.user("From") == shown


def test_trunk_named_by_its_host_is_recognised_by_what_the_name_resolves_to(
    company: Company, start_router: StartRouter, peers_of: PeersOf
) -> None:
    company.document["trunks"]["second"]["address"] = f"localhost:{company.second_trunk_port}"
    router = start_router()
    peers = peers_of(router)
    phone = peers.phone("201")
    peers.call_by_second_trunk("caller_talks_then_hangs_up", "+3242200121").succeeds()
    phone.succeeds()


def test_number_only_in_from_where_the_trunk_wants_it_so(
    company: Company, start_router: StartRouter, peers_of: PeersOf
) -> None:
    company.document["trunks"]["first"]["identity"] = "from"
    peers = peers_of(start_router())
    trunk = peers.trunk("callee_answers")
    peers.phone_calls("201", "phone_talks_then_hangs_up", OUTSIDE, hold=0.1).succeeds()
    trunk.succeeds()
    invite = trunk.request("INVITE")
    assert invite.user("From") == "+3242200121"
    assert invite.get("P-Asserted-Identity") is None


def test_trunk_over_tcp(company: Company, start_router: StartRouter, peers_of: PeersOf) -> None:
    company.document["trunks"]["first"]["transport"] = "tcp"
    peers = peers_of(start_router())
    trunk = peers.trunk("callee_answers", transport="tcp")
    peers.phone_calls("201", "phone_talks_then_hangs_up", OUTSIDE, hold=0.1).succeeds()
    invite = trunk.request("INVITE")
    assert invite["Via"].startswith("SIP/2.0/TCP")
    assert "transport=tcp" in invite["Contact"]
    assert trunk.request("BYE").method == "BYE"


def test_trunk_over_ipv6_calls_a_phone_over_ipv4(
    company: Company, start_router: StartRouter, peers_of: PeersOf, ports: Ports
) -> None:
    sixth, caller_port = ports.free(), ports.free()
    company.document["sip"]["listen"].append(f"udp:[::1]:{sixth}")
    company.document["trunks"]["first"]["from"].append(f"[::1]:{caller_port}")
    peers = peers_of(start_router())
    phone = peers.phone("202")
    caller = peers.from_port(
        caller_port, "caller_talks_then_hangs_up", "+3242200122", host="::1", remote=f"[::1]:{sixth}", hold=0.1
    ).succeeds()
    phone.succeeds()
    assert f"[::1]:{sixth}" in caller.response(200, "INVITE")["Contact"]


def test_trunk_that_does_not_answer_options_is_left_out_until_it_does(
    company: Company, start_router: StartRouter, peers_of: PeersOf
) -> None:
    company.document["trunks"]["first"]["options_interval"] = "1s"
    router = start_router()
    peers = peers_of(router)
    eventually("the first trunk is down", lambda: router.metric("trunk_up", trunk="first") == 0, seconds=40)
    second = peers.second_trunk("callee_answers")
    peers.phone_calls("201", "phone_talks_then_hangs_up", OUTSIDE, hold=0).succeeds()
    second.succeeds()
    assert [leg["peer"] for leg in router.records()[0]["legs"]] == ["second"]
    alive = peers.trunk("trunk_answers_options", calls=1000)
    eventually("the first trunk is up again", lambda: router.metric("trunk_up", trunk="first") == 1, seconds=20)
    alive.stop()


def test_pbx_calls_out_with_a_number_of_the_company(router: Router, peers: Peers) -> None:
    trunk = peers.trunk("callee_answers")
    peers.pbx_calls("caller_talks_then_hangs_up", OUTSIDE, hold=0.1, keys={"caller": "+3242200122"}).succeeds()
    trunk.succeeds()
    assert trunk.request("INVITE").user("P-Asserted-Identity") == "+3242200122"
    assert router.records()[0]["origin"] == "pbx"


def test_pbx_cannot_show_a_number_that_the_company_does_not_own(peers: Peers) -> None:
    """G1, S4: no call leaves with a CLI that the company does not own."""
    trunk = peers.trunk("callee_answers")
    peers.pbx_calls("caller_talks_then_hangs_up", "+33123456789", hold=0.1, keys={"caller": OUTSIDE}).succeeds()
    trunk.succeeds()
    invite = trunk.request("INVITE")
    assert invite.user("P-Asserted-Identity") == MAIN_NUMBER
    assert OUTSIDE.lstrip("+") not in invite


def test_pbx_rings_a_phone_and_emergency_goes_out(peers: Peers) -> None:
    phone = peers.phone("202")
    peers.pbx_calls("caller_talks_then_hangs_up", "202", hold=0.1, keys={"caller": "201"}).succeeds()
    phone.succeeds()
    trunk = peers.trunk("callee_answers")
    peers.pbx_calls("caller_talks_then_hangs_up", "112", hold=0.1, keys={"caller": "201"}).succeeds()
    trunk.succeeds()
    assert trunk.request("INVITE").request_uri.startswith("sip:112@")
