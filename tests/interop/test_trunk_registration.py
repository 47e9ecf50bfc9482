"""Trunks reached by REGISTER with digest (RFC 3261 §10.2, §22)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .company import OUTSIDE, Company
from .conftest import StartRouter, needs_sipp
from .messages import Message
from .peers import Peers
from .processes import Ports, eventually
from .sipp import Sipp
from .wire import digest, parameters

pytestmark = needs_sipp

REALM = "provider.example"
KEYS = {"realm": REALM, "username": "company-login", "password": "company-password"}


@pytest.fixture
def registering(company: Company) -> Company:
    """A company whose trunk "first" is reached by REGISTER."""
    company.document["trunks"]["first"]["register"] = {
        "registrar": f"sip:127.0.0.1:{company.trunk_port}",
        "user": "3242200100",
        "auth_user": KEYS["username"],
        "password": KEYS["password"],
        "realm": REALM,
        "expires": "2min",
    }
    return company


def run_registrar(company: Company, ports: Ports, scenario: str) -> Sipp:
    """Start the provider's end before the router."""
    return Sipp(
        scenario,
        company.folder / "sipp",
        port=company.trunk_port,
        media_port=ports.free(4),
        remote=f"127.0.0.1:{company.sip_port}",
        keys=KEYS,
    ).listening()


def proves_password(request: Message, header: str) -> bool:
    """Whether the credentials in a request are made with the trunk's password."""
    fields = parameters(request[header])
    wanted = digest(KEYS["username"], REALM, KEYS["password"], request.method, fields["uri"], fields)
    return fields["username"] == KEYS["username"] and fields["response"] == wanted


def test_router_registers_and_answers_the_challenge(
    registering: Company, start_router: StartRouter, ports: Ports
) -> None:
    registrar = run_registrar(registering, ports, "registrar_challenges")
    router = start_router()
    registrar.succeeds()
    assert proves_password(registrar.requests("REGISTER")[1], "Authorization")
    eventually("the trunk counts as up", lambda: router.metric("trunk_up", trunk="first") == 1)


def test_trunk_that_asks_for_credentials_gets_them_once(
    registering: Company, start_router: StartRouter, peers_of: Callable[..., Peers], ports: Ports
) -> None:
    registrar = run_registrar(registering, ports, "registrar_challenges")
    peers = peers_of(start_router())
    registrar.succeeds()
    trunk = peers.trunk("trunk_asks_for_credentials", keys=KEYS)
    peers.phone_calls("201", "phone_talks_then_hangs_up", OUTSIDE, hold=0.1).succeeds()
    trunk.succeeds()
    assert proves_password(trunk.requests("INVITE")[-1], "Proxy-Authorization")


def test_endless_challenges_end_the_attempt(
    registering: Company, start_router: StartRouter, peers_of: Callable[..., Peers], ports: Ports
) -> None:
    registrar = run_registrar(registering, ports, "registrar_challenges")
    peers = peers_of(start_router())
    registrar.succeeds()
    trunk = peers.trunk("trunk_asks_again_and_again", keys=KEYS)
    caller = peers.phone_calls("201", "phone_is_refused", OUTSIDE).succeeds()
    trunk.succeeds()
    assert len(trunk.requests("INVITE")) == 2
    assert caller.received[-1].status not in (401, 407)  # the trunk's challenge is none of the caller's business


def test_credentials_go_to_no_other_realm(
    registering: Company, start_router: StartRouter, peers_of: Callable[..., Peers], ports: Ports
) -> None:
    registrar = run_registrar(registering, ports, "registrar_challenges")
    peers = peers_of(start_router())
    registrar.succeeds()
    trunk = peers.trunk("trunk_asks_for_credentials", keys={**KEYS, "realm": "elsewhere.example"})
    peers.phone_calls("201", "phone_is_refused", OUTSIDE).succeeds()
    trunk.stop()
    assert all(request.get("Proxy-Authorization") is None for request in trunk.requests("INVITE"))
