"""The registrar among real phones (RFC 3261 §10, §22; REQUIREMENTS D1, F4)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .company import SECRET, Company
from .conftest import StartRouter, needs_sipp
from .messages import Message
from .peers import Peers
from .processes import eventually
from .router_process import Router
from .wire import Wire, credentials

pytestmark = needs_sipp


def contacts(response: Message) -> list[str]:
    return [value for line in response.all("Contact") for value in line.split(",")]


def test_two_contacts_are_listed_and_both_ring(router: Router, peers: Peers) -> None:
    second_port = peers.free_port()
    first = peers.phone("202", "callee_answers", hold=0.5)
    registration = peers.registers(
        "202", "phone_registers", f"<sip:202@127.0.0.1:{second_port}>", 600, port=second_port
    )
    assert len(contacts(registration.succeeds().responses(200)[0])) == 2
    second = peers.callee_at(second_port, "callee_rings_until_cancelled")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.2).succeeds()
    first.succeeds()
    second.succeeds()


def test_too_short_a_registration_is_refused_with_the_shortest_allowed(peers: Peers) -> None:
    phone = peers.registers("202", "phone_registration_is_refused", "<sip:202@127.0.0.1:9>", 5).succeeds()
    assert phone.responses(423)[0]["Min-Expires"] == "60"


def test_wildcard_removes_every_contact(peers: Peers) -> None:
    peers.register("202")
    removal = peers.registers("202", "phone_registers", "*", 0).succeeds()
    assert not contacts(removal.responses(200)[0])
    voicemail = peers.target("voicemail")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.1).succeeds()
    voicemail.succeeds()


def test_wildcard_with_an_expiry_is_a_bad_request(peers: Peers) -> None:
    phone = peers.registers("202", "phone_registration_is_refused", "*", 600).succeeds()
    assert phone.responses(400)


@pytest.mark.parametrize("account", ["202", "nobody"])
def test_wrong_password_and_unknown_name_look_the_same(router: Router, peers: Peers, account: str) -> None:
    phone = peers.registers(
        account, "phone_with_wrong_password", f"<sip:{account}@127.0.0.1:9>", 600, password="wrong"
    ).succeeds()
    names = [sorted(name for name, _ in answer.fields) for answer in phone.responses(401)]
    assert names[0] == names[1]
    assert router.metric("sip_registrations_active") == 0


def test_private_phone_is_refused_after_its_exception(peers: Peers) -> None:
    """D1: Eva's exception ended in January."""
    phone = peers.registers("207", "phone_registration_is_refused", "<sip:207@127.0.0.1:9>", 600).succeeds()
    assert phone.responses(403)


def test_nobody_registers_for_somebody_else(router: Router) -> None:
    with Wire(router.address) as wire:
        uri, to = f"sip:{router.address}", f"<sip:201@{router.address}>"
        contact = (("Expires", "600"),)
        challenge = wire.asks(wire.request("REGISTER", uri, sender="202", to=to, headers=contact))
        answer = credentials(challenge, "REGISTER", uri, "202", SECRET.format("202"))
        assert wire.asks(wire.request("REGISTER", uri, sender="202", to=to, headers=(*contact, answer))).status == 403


def test_invented_nonce_is_stale_or_refused_and_never_accepted(router: Router) -> None:
    with Wire(router.address) as wire:
        uri, to = f"sip:{router.address}", f"<sip:202@{router.address}>"
        challenge = wire.asks(wire.request("REGISTER", uri, sender="202", to=to))
        forged = Message.parse(str(challenge).replace('nonce="', 'nonce="0'))
        answer = credentials(forged, "REGISTER", uri, "202", SECRET.format("202"))
        refused = wire.asks(wire.request("REGISTER", uri, sender="202", to=to, headers=(answer,)))
        assert refused.status == 401
        assert 'nonce="' in refused["WWW-Authenticate"]


def test_overheard_credentials_are_worth_nothing(router: Router) -> None:
    """Replay: the same nonce and nonce count from somebody else."""
    uri, to = f"sip:{router.address}", f"<sip:202@{router.address}>"
    with Wire(router.address) as phone, Wire(router.address) as thief:
        challenge = phone.asks(phone.request("REGISTER", uri, sender="202", to=to))
        answer = credentials(challenge, "REGISTER", uri, "202", SECRET.format("202"))
        assert phone.asks(phone.request("REGISTER", uri, sender="202", to=to, headers=(answer,), cseq=2)).status == 200
        replayed = thief.asks(thief.request("REGISTER", uri, sender="202", to=to, headers=(answer,), cseq=3))
        assert replayed.status == 401


def test_next_nonce_count_is_accepted(router: Router) -> None:
    """A phone may go on with its nonce (nc=00000002) instead of being challenged for every request."""
    uri, to = f"sip:{router.address}", f"<sip:202@{router.address}>"
    with Wire(router.address) as phone:
        challenge = phone.asks(phone.request("REGISTER", uri, sender="202", to=to))
        for count in (1, 2, 3):
            answer = credentials(challenge, "REGISTER", uri, "202", SECRET.format("202"), count=count)
            request = phone.request(
                "REGISTER", uri, sender="202", to=to, headers=(answer,), cseq=count + 1, call_id="one@wire"
            )
            assert phone.asks(request).status == 200


def test_registration_lives_through_a_restart(start_router: StartRouter, peers: Peers, router: Router) -> None:
    peers.register("202")
    assert router.end() == 0
    again = start_router(name="router-again")
    phone = peers.callee_at(peers.register_port("202"), "callee_answers")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.1).succeeds()
    phone.succeeds()
    assert again.records()[-1]["status"] == 200


def test_message_waiting_is_answered_by_the_router_itself(peers: Peers) -> None:
    keys = {"caller": "202"}
    subscription = peers.stranger(
        "phone_subscribes_to_message_summary", "202", user="202", password=SECRET.format("202"), keys=keys
    ).succeeds()
    assert "message-summary" in subscription.request("NOTIFY")["Event"]


def test_private_phone_is_accepted_before_its_exception_ends(
    start_router: StartRouter, peers_of: Callable[..., Peers]
) -> None:
    """D1, with the clock in January."""
    peers = peers_of(start_router(clock="2026-01-15T10:00:00+01:00"))
    phone = peers.phone("207")
    peers.call("caller_talks_then_hangs_up", "+3242200127", hold=0.1).succeeds()
    phone.succeeds()


def test_registration_that_is_not_renewed_ends(
    company: Company, start_router: StartRouter, peers_of: Callable[..., Peers]
) -> None:
    company.document["sip"]["registrar"]["min_expires"] = "1s"
    router = start_router()
    peers = peers_of(router)
    peers.register("202", expires=2)
    assert router.metric("sip_registrations_active") == 1
    eventually("the registration has ended", lambda: router.metric("sip_registrations_active") == 0)
    voicemail = peers.target("voicemail")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.1).succeeds()
    voicemail.succeeds()


def test_phone_behind_nat_is_reached_where_it_came_from(peers: Peers) -> None:
    """Its Contact names an address that nobody answers at."""
    port = peers.free_port()
    peers.registers("202", "phone_registers", "<sip:202@127.99.99.99:5999>", 600, port=port).succeeds()
    phone = peers.callee_at(port, "callee_answers")
    peers.call("caller_talks_then_hangs_up", "+3242200122", hold=0.1).succeeds()
    phone.succeeds()
