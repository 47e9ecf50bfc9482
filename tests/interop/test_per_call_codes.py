"""What the provider sees of a caller who dials a code before a number (G1)."""

from __future__ import annotations

import pytest

from .company import MAIN_NUMBER, OUTSIDE, Company
from .conftest import needs_sipp
from .peers import Peers
from .router_process import Router

pytestmark = needs_sipp

OWN_NUMBER = "+3242200122"


@pytest.fixture
def company(company: Company) -> Company:
    company.document["codes"] = {"hide_number": "*31", "show": {"*32": "main_number", "*33": "personal_mobile"}}
    return company


@pytest.mark.parametrize(
    ("code", "number", "hidden"),
    [("", OWN_NUMBER, False), ("*31", OWN_NUMBER, True), ("*32", MAIN_NUMBER, False), ("*33", OWN_NUMBER, False)],
    ids=["F1", "G1 hidden", "G1 chosen", "S4 not his to show"],
)
def test_number_for_one_call(router: Router, peers: Peers, code: str, number: str, hidden: bool) -> None:
    trunk = peers.trunk("callee_answers")
    peers.phone_calls("202", "phone_talks_then_hangs_up", code + OUTSIDE, hold=0.1).succeeds()
    trunk.succeeds()
    invite = trunk.request("INVITE")
    assert invite.request_uri.startswith(f"sip:{OUTSIDE}@")
    assert invite.user("P-Asserted-Identity") == number
    assert invite.user("From") == ("anonymous" if hidden else number)
    assert invite.get("Privacy") == ("id" if hidden else None)


@pytest.mark.parametrize("code", ["*31", "*32"])
def test_emergency_call_behind_a_code(router: Router, peers: Peers, code: str) -> None:
    """The digits as dialled, the caller's own number, nothing hidden."""
    trunk = peers.trunk("callee_answers")
    peers.phone_calls("202", "phone_talks_then_hangs_up", f"{code}112", hold=0.1).succeeds()
    trunk.succeeds()
    invite = trunk.request("INVITE")
    assert invite.request_uri.startswith("sip:112@")
    assert invite.user("From") == OWN_NUMBER
    assert invite.get("Privacy") is None
    assert router.records()[0]["action"] == "emergency"
