"""Dialogs: where their requests go, what they say, in which order they are taken (RFC 3261 §12)."""

from __future__ import annotations

import pytest

from router.ports import Flow
from router.sip.dialog import Answer, Dialog
from router.sip.errors import RemoteError
from router.sip.message import Request, Response, parse

from .peer import Far, Wire

CALLER = ("192.0.2.7", 5060)


class Owner:
    """Hears what the stack tells the owner of a dialog."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def request_received(self, transaction, request, now) -> None:  # type: ignore[no-untyped-def]
        self.heard.append(request.method)
        transaction.respond(200, now)

    def ack_received(self, request: Request, now: float) -> None:
        self.heard.append("ACK")

    def ack_missing(self, now: float) -> None:
        self.heard.append("ACK missing")


def invite(*headers: str, contact: str | None = "<sip:200@192.0.2.7:5060>", cseq: int = 1) -> Request:
    lines = [
        "INVITE sip:201@192.0.2.1 SIP/2.0",
        "Via: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKa",
        'From: "Alice" <sip:200@example.com>;tag=alice;x=1',
        "To: <sip:201@example.com>",
        "Call-ID: call",
        f"CSeq: {cseq} INVITE",
        *headers,
    ]
    if contact is not None:
        lines.append(f"Contact: {contact}")
    message = parse(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert isinstance(message, Request)
    return message


def answered(*headers: str, contact: str | None = "<sip:201@192.0.2.9>") -> Response:
    lines = [
        "SIP/2.0 200 OK",
        "Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa",
        "From: <sip:us@192.0.2.1>;tag=ours",
        "To: <sip:201@192.0.2.9>;tag=bob",
        "Call-ID: call",
        "CSeq: 1 INVITE",
        *headers,
    ]
    if contact is not None:
        lines.append(f"Contact: {contact}")
    message = parse(("\r\n".join(lines) + "\r\n\r\n").encode())
    assert isinstance(message, Response)
    return message


@pytest.fixture
def far() -> Far:
    return Far()


def incoming(far: Far, request: Request, *, sticky: bool = False, flow: Flow | None = None) -> Dialog:
    return Dialog.incoming(request, "ours", flow or far.wire, Owner(), far, sticky)


def outgoing(far: Far, response: Response, *, sticky: bool = False, preloaded: str = "") -> Dialog:
    dialog = Dialog(
        "call",
        "ours",
        None,
        "<sip:us@192.0.2.1>",
        "<sip:201@192.0.2.7>",
        "sip:201@192.0.2.7",
        far.wire,
        Owner(),
        sticky,
    )
    dialog.routes = preloaded
    dialog.confirm(response, far)
    return dialog


def written(dialog: Dialog, method: str = "BYE", cseq: int | None = None) -> Request:
    request = parse(dialog.request(method, "z9hG4bKb", cseq=cseq))
    assert isinstance(request, Request)
    return request


# --------------------------------------------------------------------------------------- what a request says


def test_a_request_to_the_caller_turns_from_and_to_round(far: Far) -> None:
    request = written(incoming(far, invite()))
    assert (request.uri, request.cseq, request.call_id) == ("sip:200@192.0.2.7:5060", 1, "call")
    assert request.lines("from") == ["<sip:201@example.com>;tag=ours"]
    assert request.from_tag == "ours"
    assert request.to_tag == "alice"
    assert (request.get("to") or "").startswith('"Alice" <sip:200@example.com>')
    assert request.lines("via") == ["SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKb;rport"]
    assert request.get("max-forwards") == "70"


def test_a_request_to_the_callee(far: Far) -> None:
    request = written(outgoing(far, answered()))
    assert (request.uri, request.from_tag, request.to_tag) == ("sip:201@192.0.2.9", "ours", "bob")


def test_each_request_takes_the_next_cseq_and_an_ack_its_invites(far: Far) -> None:
    dialog = incoming(far, invite())
    assert [written(dialog, "INFO").cseq, written(dialog, "INVITE").cseq] == [1, 2]
    assert written(dialog, "ACK", cseq=2).cseq == 2
    assert written(dialog, "BYE").cseq == 3


def test_a_caller_without_tag_is_answered_without(far: Far) -> None:
    """RFC 3261 §12.1.1: an RFC 2543 peer may leave out its tag."""
    text = "INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7\r\nFrom: sip:200@b\r\nTo: sip:a@b\r\nCall-ID: x\r\n"
    request = parse((text + "CSeq: 1 INVITE\r\nContact: sip:200@192.0.2.7\r\n\r\n").encode())
    assert isinstance(request, Request)
    dialog = incoming(far, request)
    assert written(dialog).to_tag is None
    assert dialog.matches(request)


# ------------------------------------------------------------------------------------------- where it goes


def test_without_routes_requests_go_to_the_contact(far: Far) -> None:
    dialog = incoming(far, invite(contact="<sip:200@192.0.2.8:5070>"))
    assert dialog.flow.source == ("192.0.2.8", 5070)
    dialog = outgoing(far, answered(contact="<sip:201@192.0.2.9;transport=tcp>"))
    assert (dialog.flow.transport, dialog.flow.source) == ("TCP", ("192.0.2.9", 5060))


def test_a_phone_behind_nat_is_spoken_to_where_it_spoke_from(far: Far) -> None:
    wire = Wire(source=("203.0.113.5", 40000))
    dialog = incoming(far, invite(contact="<sip:200@10.0.0.5:5060>"), sticky=True, flow=wire)
    assert dialog.flow is wire
    assert written(dialog).uri == "sip:200@10.0.0.5:5060"


def test_a_connection_is_used_again(far: Far) -> None:
    wire = Wire("TCP", ("192.0.2.7", 51000))
    dialog = incoming(far, invite(contact="<sip:200@192.0.2.7;transport=tcp>"), flow=wire)
    assert dialog.flow is wire


def test_the_contact_of_the_very_source_keeps_its_flow(far: Far) -> None:
    assert incoming(far, invite()).flow is far.wire
    assert incoming(far, invite(contact="sip:200@192.0.2.7:5060")).flow is far.wire


def test_record_routes_are_the_callers_in_order_and_the_callees_reversed(far: Far) -> None:
    """RFC 3261 §12.1.1 and §12.1.2."""
    record = ("Record-Route: <sip:192.0.2.21;lr>, <sip:192.0.2.22;lr>", "Record-Route: <sip:192.0.2.23;lr;x=1>")
    uas = incoming(far, invite(*record))
    assert written(uas).list("route") == ["<sip:192.0.2.21;lr>", "<sip:192.0.2.22;lr>", "<sip:192.0.2.23;lr;x=1>"]
    assert written(uas).uri == "sip:200@192.0.2.7:5060"
    assert uas.flow.source == ("192.0.2.21", 5060)
    uac = outgoing(far, answered(*record))
    assert written(uac).list("route") == ["<sip:192.0.2.23;lr;x=1>", "<sip:192.0.2.22;lr>", "<sip:192.0.2.21;lr>"]
    assert uac.flow.source == ("192.0.2.23", 5060)


def test_a_strict_router_is_the_request_uri_and_the_target_the_last_route(far: Far) -> None:
    """RFC 3261 §12.2.1.1."""
    record = ("Record-Route: <sip:192.0.2.21:5071>, <sip:192.0.2.22;lr>",)
    dialog = incoming(far, invite(*record))
    request = written(dialog)
    assert request.uri == "sip:192.0.2.21:5071"
    assert request.list("route") == ["<sip:192.0.2.22;lr>", "<sip:200@192.0.2.7:5060>"]
    assert dialog.flow.source == ("192.0.2.21", 5071)


def test_a_new_target_behind_a_strict_router_is_the_last_route(far: Far) -> None:
    dialog = incoming(far, invite("Record-Route: <sip:192.0.2.21>"))
    dialog.learn_target(invite(contact="<sip:200@192.0.2.77>", cseq=2))
    dialog.choose_flow(far)
    request = written(dialog)
    assert (request.uri, request.list("route")) == ("sip:192.0.2.21", ["<sip:200@192.0.2.77>"])
    assert dialog.flow.source == ("192.0.2.21", 5060)


def test_the_answers_route_set_replaces_the_one_the_invite_began_with(far: Far) -> None:
    """RFC 3261 §12.1.2: an empty one, too, overrides a preloaded route (Path, Service-Route)."""
    preloaded = "Route: <sip:192.0.2.20;lr>\r\n"
    assert written(outgoing(far, answered(), preloaded=preloaded)).list("route") == []
    recorded = answered("Record-Route: <sip:192.0.2.21;lr>")
    assert written(outgoing(far, recorded, preloaded=preloaded)).list("route") == ["<sip:192.0.2.21;lr>"]


def test_maddr_and_port_of_a_route_are_followed(far: Far) -> None:
    dialog = incoming(far, invite("Record-Route: <sip:proxy.example:5071;maddr=192.0.2.30;lr>"))
    assert dialog.flow.source == ("192.0.2.30", 5071)


def test_an_answer_without_contact_leaves_the_target(far: Far) -> None:
    assert written(outgoing(far, answered(contact=None))).uri == "sip:201@192.0.2.7"


def test_an_invite_without_contact_is_answered_at_its_from(far: Far) -> None:
    """RFC 2543 let a caller leave out Contact; its From then says where it is (RFC 4475 §3.4.1)."""
    dialog = incoming(far, invite(contact=None))
    assert written(dialog).uri == "sip:200@example.com"


@pytest.mark.parametrize(
    "contact",
    [
        "*",
        "<tel:+3242200100>",
        "<sip:200@192.0.2.7>, <sip:201@192.0.2.7>",
        "<sip:200@192.0.2.7",
        "<sip:20 0@192.0.2.7>",
        "<sip:200@[::1>",
        '"open <sip:200@192.0.2.7>',
        "<sip:200@192.0.2.7:99999>",
        "",
    ],
)
def test_a_contact_that_no_request_could_go_to_is_refused(far: Far, contact: str) -> None:
    with pytest.raises(RemoteError) as caught:
        incoming(far, invite(contact=contact))
    assert caught.value.status == 400


def test_headers_in_a_contact_uri_never_become_headers_of_a_request(far: Far) -> None:
    dialog = incoming(far, invite(contact="<sip:200@192.0.2.7:5060?Route=%3Csip:evil.example%3E>"))
    request = written(dialog)
    assert request.uri == "sip:200@192.0.2.7:5060"
    assert "route" not in request


@pytest.mark.parametrize("contact", ["<sip:200@192.0.2.7;transport=sctp>", "<sip:200@192.0.2.8;transport=tls>"])
def test_a_contact_over_a_transport_without_listener_is_refused(contact: str) -> None:
    class OnlyUdp(Far):
        def flow_to(self, transport: str, host: str, port: int) -> Flow:
            if transport != "udp":
                raise LookupError(transport)
            return super().flow_to(transport, host, port)

    far = OnlyUdp()
    with pytest.raises(RemoteError):
        incoming(far, invite(contact=contact))


# -------------------------------------------------------------------------------------------- target refresh


def test_a_new_contact_is_the_new_target_and_the_way_to_it(far: Far) -> None:
    dialog = incoming(far, invite())
    dialog.learn_target(invite(contact="<sip:200@192.0.2.88:5088>", cseq=2))
    dialog.choose_flow(far)
    assert written(dialog).uri == "sip:200@192.0.2.88:5088"
    assert dialog.flow.source == ("192.0.2.88", 5088)


def test_a_malformed_new_contact_leaves_the_old_one(far: Far) -> None:
    dialog = incoming(far, invite())
    with pytest.raises(RemoteError):
        dialog.learn_target(invite(contact="<sip:2 00@x>", cseq=2))
    assert written(dialog).uri == "sip:200@192.0.2.7:5060"


# ------------------------------------------------------------------------------------- order and membership


def in_dialog(far: Far, method: str, cseq: int, branch: str, from_tag: str = "alice", call_id: str = "call") -> str:
    text = far.request(method, branch, cseq, to_tag="ours")
    return text.replace("tag=peer", f"tag={from_tag}").replace("call@192.0.2.7", call_id)


def test_requests_of_the_dialog_reach_its_owner_and_others_get_481(far: Far) -> None:
    dialog = incoming(far, invite())
    far.stack.dialogs["ours"] = dialog
    far.receive(in_dialog(far, "INFO", 2, "z9hG4bK1"))
    far.receive(in_dialog(far, "BYE", 3, "z9hG4bK2", from_tag="mallory"))
    far.receive(in_dialog(far, "BYE", 3, "z9hG4bK3", call_id="other"))
    assert [line[8:11] for _, line in far.sent] == ["200", "481", "481"]
    assert dialog.owner.heard == ["INFO"]  # type: ignore[attr-defined]


def test_a_request_out_of_order_is_refused_with_500(far: Far) -> None:
    """RFC 3261 §12.2.2."""
    dialog = incoming(far, invite(cseq=5))
    far.stack.dialogs["ours"] = dialog
    for cseq, branch in ((7, "z9hG4bK1"), (6, "z9hG4bK2"), (8, "z9hG4bK3"), (100, "z9hG4bK4")):
        far.receive(in_dialog(far, "INFO", cseq, branch))
    assert [line[8:11] for _, line in far.sent] == ["200", "500", "200", "200"]


def test_an_ack_is_taken_only_by_its_own_dialog(far: Far) -> None:
    dialog = incoming(far, invite())
    far.stack.dialogs["ours"] = dialog
    far.receive(in_dialog(far, "ACK", 1, "z9hG4bK1", from_tag="mallory"))
    assert dialog.owner.heard == []  # type: ignore[attr-defined]
    far.receive(in_dialog(far, "ACK", 1, "z9hG4bK2"))
    assert dialog.owner.heard == ["ACK"]  # type: ignore[attr-defined]


# ------------------------------------------------------------------------------------------ the 2xx, repeated


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_a_2xx_is_repeated_with_the_cap_t2_and_given_up_after_64_t1(transport: str) -> None:
    """RFC 3261 §13.3.1.4, over whatever transport."""
    far = Far(transport)
    dialog = incoming(far, invite(), flow=far.wire)
    Answer(far.stack, dialog, far.wire, b"SIP/2.0 200 OK\r\n\r\n", far.now)
    far.advance(31.9)
    assert far.times("SIP/2.0 200") == [0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    assert dialog.owner.heard == []  # type: ignore[attr-defined]
    far.advance(0.1)
    assert dialog.owner.heard == ["ACK missing"]  # type: ignore[attr-defined]
    far.advance(60)
    assert far.stack.deadline == float("inf")


def test_a_2xx_is_not_repeated_once_its_ack_is_here(far: Far) -> None:
    answer = Answer(far.stack, incoming(far, invite()), far.wire, b"SIP/2.0 200 OK\r\n\r\n", far.now)
    far.advance(1)
    answer.stop()
    far.advance(60)
    assert far.times("SIP/2.0 200") == [0.5]


def test_a_2xx_is_repeated_by_the_way_of_the_via_not_that_of_the_route(far: Far) -> None:
    """RFC 3261 §17.2.4 and §18.2.2: an answer goes back where its request came from."""
    dialog = incoming(far, invite(contact="<sip:200@192.0.2.99:5099>"))
    Answer(far.stack, dialog, far.wire, b"SIP/2.0 200 OK\r\n\r\n", far.now)
    far.advance(0.5)
    assert [data[:11] for data in far.wire.sent] == [b"SIP/2.0 200"]
