"""Text messages with real peers (X1)."""

from __future__ import annotations

from collections.abc import Callable

from .company import OUTSIDE, SECRET, Company
from .conftest import StartRouter, needs_sipp
from .peers import Peers
from .processes import eventually
from .wire import Wire

pytestmark = needs_sipp

PLAIN = (("Content-Type", "text/plain"),)


def test_a_text_message_shows_the_company_and_takes_no_reply(
    company: Company, start_router: StartRouter, peers_of: Callable[..., Peers]
) -> None:
    company.document["text_messages"] = {"sender": "Atelier"}
    router = start_router()
    peers = peers_of(router)
    trunk = peers.trunk("trunk_takes_a_text_message")
    with Wire(router.address) as phone:
        uri = f"sip:{OUTSIDE}@{router.address}"
        answer = phone.asks_with_digest("MESSAGE", uri, "201", SECRET.format("201"), headers=PLAIN, body="Bonjour")
    assert answer.status == 200
    trunk.succeeds()
    message = trunk.request("MESSAGE")
    assert message.user("From") == "Atelier"
    assert message.body.strip() == "Bonjour"
    for secret in ("201", "Anna", "+3242200121"):
        assert secret not in str(message)
    with Wire(router.address, port=company.callers_port) as provider:
        reply = provider.request("MESSAGE", f"sip:Atelier@{router.address}", headers=PLAIN, body="Merci")
        assert provider.asks(reply).status == 403
    eventually("the refusal is logged", lambda: "reply to a text message refused" in router.log)
