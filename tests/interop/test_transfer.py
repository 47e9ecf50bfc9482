"""Blind and attended transfer, handled by the router (RFC 3515, RFC 3891)."""

from __future__ import annotations

from .company import OUTSIDE
from .conftest import needs_sipp
from .peers import Peers
from .processes import eventually
from .router_process import Router
from .sipp import Sipp

pytestmark = needs_sipp


def have_each_others_media(one: Sipp, other: Sipp) -> bool:
    """Whether the last session description that each got names the other's media port: media is end to end."""

    def talks_to(receiver: Sipp, port: int) -> bool:
        return f"m=audio {port} " in [message.body for message in receiver.received if message.body][-1]

    return talks_to(one, other.media_port) and talks_to(other, one.media_port)


def test_blind_transfer(router: Router, peers: Peers) -> None:
    """201 talks with an outside number and transfers it to 202."""
    outside = peers.trunk("callee_follows_a_transfer")
    colleague = peers.phone("202", "callee_answers_and_hangs_up", hold=0.6)
    keys = {"refer_to": f"<sip:202@{router.address}>"}
    transferor = peers.phone_calls("201", "phone_transfers", OUTSIDE, hold=0.2, keys=keys).succeeds()
    colleague.succeeds()
    outside.succeeds()
    progress = [notify.body.split("\n")[0].strip() for notify in transferor.requests("NOTIFY")]
    assert progress[-1].startswith("SIP/2.0 200")
    assert transferor.requests("NOTIFY")[-1]["Subscription-State"].startswith("terminated")
    eventually("the router forgets the calls", router.has_no_calls)


def test_media_is_joined_after_a_blind_transfer(router: Router, peers: Peers) -> None:
    outside = peers.trunk("callee_follows_a_transfer")
    colleague = peers.phone("202", "callee_hangs_up_after_a_transfer")
    keys = {"refer_to": f"<sip:202@{router.address}>"}
    peers.phone_calls("201", "phone_transfers", OUTSIDE, hold=0.2, keys=keys).succeeds()
    colleague.succeeds()
    outside.succeeds()
    assert have_each_others_media(outside, colleague)


def test_transfer_to_a_busy_number_leaves_the_call_up(router: Router, peers: Peers) -> None:
    """The NOTIFY says why; the transferor still has the call and ends it."""
    colleague = peers.phone("202", "callee_follows_a_transfer")
    outside = peers.trunk("callee_is_busy")
    keys = {"refer_to": f"<sip:{OUTSIDE}@{router.address}>"}
    transferor = peers.phone_calls("201", "phone_transfers", "202", hold=0.2, keys=keys).succeeds()
    outside.succeeds()
    colleague.succeeds()
    assert transferor.requests("NOTIFY")[-1].body.startswith("SIP/2.0 486")
    assert not transferor.requests("BYE")


def test_transfer_to_a_greylisted_number_is_refused(router: Router, peers: Peers) -> None:
    """X2, P3: the target of a transfer passes the greylist."""
    outside = peers.trunk("callee_follows_a_transfer")
    keys = {"refer_to": f"<sip:+22507070707@{router.address}>"}
    transferor = peers.phone_calls("201", "phone_transfers", OUTSIDE, hold=0.2, keys=keys)
    eventually(
        "the transfer is refused",
        lambda: (
            transferor.responses(403, "REFER")
            or [notify for notify in transferor.requests("NOTIFY") if notify.body.startswith("SIP/2.0 403")]
        ),
    )
    transferor.process.wait(20)  # SIPp ends the call where the REFER itself was refused
    outside.succeeds()
    assert len(outside.requests("INVITE")) == 1


def test_attended_transfer(router: Router, peers: Peers) -> None:
    """201 consults 202, then joins 202 and the outside number by REFER with Replaces."""
    colleague = peers.phone("202", "callee_hangs_up_after_a_transfer")
    consultation = peers.phone_calls("201", "phone_consults", "202")
    answer = consultation.response(200, "INVITE")
    colleague.request("ACK")
    outside = peers.trunk("callee_follows_a_transfer")
    replaces = f"{answer['Call-ID']};to-tag={answer.tag('To')};from-tag={answer.tag('From')}"
    escaped = replaces.replace("@", "%40").replace(";", "%3B").replace("=", "%3D")
    keys = {"refer_to": f"<sip:202@{router.address}?Replaces={escaped}>"}
    transferor = peers.phone_calls("201", "phone_transfers", OUTSIDE, hold=0.2, keys=keys).succeeds()
    assert transferor.requests("NOTIFY")[-1].body.startswith("SIP/2.0 200")
    consultation.succeeds()  # the router ended it with BYE
    colleague.succeeds()
    outside.succeeds()
    assert have_each_others_media(outside, colleague)
    eventually("the router forgets the calls", router.has_no_calls)


def test_replaces_with_an_unknown_dialog_is_481(router: Router, peers: Peers) -> None:
    keys = {"header": "Replaces: nothing@nowhere;to-tag=a;from-tag=b"}
    phone = peers.phone("202")
    caller = peers.phone_calls("201", "phone_is_refused", "202", keys=keys).succeeds()
    assert caller.received[-1].status == 481
    phone.never_called()
