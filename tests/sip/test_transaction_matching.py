"""Which message belongs to which transaction, CANCEL in every state, and what is built from an INVITE hop by hop."""

from __future__ import annotations

import pytest

from router.sip.message import Request, Response
from router.sip.transaction import REASONS

from .peer import Far, Wire


@pytest.fixture
def far() -> Far:
    return Far()


def accept(far: Far, status: int) -> None:
    """Answer the newest request that reached the transaction user."""
    far.served[-1][0].respond(status, far.now)
    far.flush()


# ------------------------------------------------------------------------------------------- server side


def test_a_retransmission_is_absorbed_and_answered_with_the_latest_answer(far: Far) -> None:
    far.receive(far.request("INVITE"))
    far.receive(far.request("INVITE"))
    assert (len(far.served), far.sent) == (1, [])
    accept(far, 180)
    far.receive(far.request("INVITE"))
    assert [line for _, line in far.sent] == ["SIP/2.0 180 Ringing"] * 2
    assert far.messages[0].to_tag == far.messages[1].to_tag
    assert far.stack.retransmissions["INVITE", "in"] == 2
    assert far.stack.retransmissions["INVITE", "out"] == 1
    accept(far, 404)


def test_another_branch_sent_by_or_method_is_another_transaction(far: Far) -> None:
    far.receive(far.request("OPTIONS", "z9hG4bKone"))
    far.receive(far.request("OPTIONS", "z9hG4bKtwo", 2))
    far.receive(far.request("OPTIONS", "z9hG4bKone").replace("192.0.2.7:5060;branch", "192.0.2.8:5060;branch"))
    far.receive(far.request("MESSAGE", "z9hG4bKone", 3))
    assert len(far.served) == 4


def test_branches_are_compared_with_their_case_hosts_without(far: Far) -> None:
    far.receive(far.request("OPTIONS", "z9hG4bKone").replace("192.0.2.7:5060;branch", "Phone.Example;branch"))
    far.receive(far.request("OPTIONS", "z9hG4bKone").replace("192.0.2.7:5060;branch", "phone.example;branch"))
    assert len(far.served) == 1
    far.receive(far.request("OPTIONS", "z9hG4bKONE", 2).replace("192.0.2.7:5060;branch", "phone.example;branch"))
    assert len(far.served) == 2


@pytest.mark.parametrize("branch", ["", ";branch=1", ";branch=z9hG4bK"])
def test_a_peer_of_rfc_2543_is_matched_by_everything_it_has(far: Far, branch: str) -> None:
    """RFC 3261 §17.2.3: Request-URI, From tag, Call-ID, CSeq number and the topmost Via."""

    def old(method: str, cseq: int = 1, to_tag: str = "") -> str:
        return far.request(method, "x", cseq, to_tag=to_tag).replace(";branch=x", branch)

    far.receive(old("INVITE"))
    far.receive(old("INVITE"))
    assert len(far.served) == 1
    accept(far, 486)
    tag = far.last().to_tag or ""
    far.receive(old("ACK", to_tag=tag))
    far.advance(4)
    assert far.times("SIP/2.0 486") == [0]
    far.receive(old("INVITE", cseq=2))
    assert len(far.served) == 2
    far.receive(old("CANCEL", cseq=2))
    assert far.heard == ["CANCEL"]
    assert [line for _, line in far.sent[-2:]] == ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]


def test_the_same_invite_by_another_path_is_a_loop(far: Far) -> None:
    """RFC 3261 §8.2.2.2."""
    far.receive(far.request("INVITE", "z9hG4bKone"))
    far.receive(far.request("INVITE", "z9hG4bKtwo"))
    assert len(far.served) == 1
    assert far.sent == [(0, "SIP/2.0 482 Loop Detected")]
    accept(far, 404)


def test_an_ack_without_its_invite_is_dropped(far: Far) -> None:
    far.receive(far.request("ACK", to_tag="whatever"))
    far.receive(far.request("ACK"))
    assert (far.sent, far.served, far.stack.transactions) == ([], [], 0)


def test_an_ack_cannot_be_taken_for_that_of_another_request(far: Far) -> None:
    """Keys must not run together: sent-by "afoo" with ACK is not sent-by "a" with method "foo"."""
    far.receive(far.request("foo").replace("192.0.2.7:5060;branch", "a;branch"))
    far.receive(far.request("ACK").replace("192.0.2.7:5060;branch", "afoo;branch"))
    far.receive(far.request("INVITE").replace("192.0.2.7:5060;branch", "afoo;branch"))
    assert [request.method for _, request in far.served] == ["foo", "INVITE"]


def test_a_request_in_a_dialog_that_is_unknown_gets_481(far: Far) -> None:
    far.receive(far.request("BYE", to_tag="gone"))
    assert far.sent == [(0, "SIP/2.0 481 Call/Transaction Does Not Exist")]
    assert far.last().to_tag == "gone"


# ------------------------------------------------------------------------------------------- client side


def test_answers_are_matched_by_branch_and_method(far: Far) -> None:
    options = far.send("OPTIONS")
    far.answer(options, 200, "BYE")
    assert far.heard == []
    assert far.stack.malformed["stray response",] == 1
    far.answer(options, 200)
    assert far.heard == [200]


@pytest.mark.parametrize("spelling", [";BRANCH=", "; branch = ", " ;received=192.0.2.1;branch="])
def test_an_answer_whose_via_was_spelled_anew_still_finds_its_request(far: Far, spelling: str) -> None:
    branch = far.send("OPTIONS").key
    far.receive(
        f"SIP/2.0 200 OK\nv: SIP / 2.0 / UDP 192.0.2.1:5060{spelling}{branch}\nf: <sip:us@192.0.2.1>;tag=ours\n"
        "t: <sip:7@192.0.2.7>;tag=far\ni: ours\nCSeq: 3 OPTIONS\nl: 0\n\n"
    )
    assert far.heard == [200]


def test_an_icmp_error_fails_a_request_that_nobody_answered(far: Far) -> None:
    options, invite = far.send("OPTIONS"), far.send("INVITE")
    for transaction in (options, invite):
        assert transaction.data is not None
        far.stack.flow_failed(far.wire, transaction.data[:200], far.now)
    assert far.heard == ["transport", "transport"]
    assert far.stack.transactions == 0


def test_an_icmp_error_for_an_ack_or_an_answer_concerns_no_request(far: Far) -> None:
    invite = far.send("INVITE")
    far.answer(invite, 486)
    ack = far.wire.sent[-1]
    assert ack.startswith(b"ACK ")
    far.stack.flow_failed(far.wire, ack, far.now)
    far.receive(far.request("OPTIONS"))
    accept(far, 200)
    far.stack.flow_failed(far.wire, far.wire.sent[-1], far.now)
    assert far.heard == [486]


def test_an_icmp_error_for_a_cancel_does_not_fail_its_invite(far: Far) -> None:
    invite = far.send("INVITE")
    far.answer(invite, 180)
    invite.cancel("", far.now)
    far.flush()
    far.stack.flow_failed(far.wire, far.wire.sent[-1], far.now)
    far.answer(invite, 487)
    assert far.heard == [180, 487]


def test_a_broken_connection_fails_what_waits_on_it_and_nothing_else() -> None:
    far = Far("TCP")
    far.send("OPTIONS")
    far.send("INVITE")
    other = Wire("TCP", ("192.0.2.8", 5060))
    far.stack.flow_failed(other, b"", far.now)
    assert far.heard == []
    far.stack.flow_failed(far.wire, b"", far.now)
    assert far.heard == ["transport", "transport"]


@pytest.mark.parametrize("data", [b"", b"OPTIONS", b"SIP/2.0 200 OK\r\nVia: x;branch=z9hG4bK\xff\xfe"])
def test_nonsense_in_an_icmp_error_is_nothing(far: Far, data: bytes) -> None:
    far.send("OPTIONS")
    far.stack.flow_failed(Wire(), data, far.now)
    assert far.heard == []


# --------------------------------------------------------------------------------------------- CANCEL sent


def test_a_cancel_waits_for_the_first_provisional_answer(far: Far) -> None:
    """RFC 3261 §9.1."""
    invite = far.send("INVITE")
    invite.cancel('Reason: SIP;cause=200;text="Call completed elsewhere"\r\n', far.now)
    far.flush()
    assert far.times("CANCEL") == []
    far.advance(0.6)
    assert far.times("INVITE") == [0, 0.5]
    far.answer(invite, 100)
    assert far.times("CANCEL") == [0.6]
    cancel = far.last()
    assert isinstance(cancel, Request)
    assert cancel.get("reason") == 'SIP;cause=200;text="Call completed elsewhere"'
    far.answer(invite, 200, "CANCEL")
    far.answer(invite, 487)
    assert far.last().method == "ACK"
    far.advance(40)
    assert far.stack.transactions == 0


def test_an_invite_is_cancelled_once(far: Far) -> None:
    invite = far.send("INVITE")
    far.answer(invite, 180)
    invite.cancel("", far.now)
    invite.cancel("", far.now)
    far.flush()
    assert far.times("CANCEL") == [0]


@pytest.mark.parametrize("status", [200, 486])
def test_an_invite_that_was_answered_is_not_cancelled(far: Far, status: int) -> None:
    invite = far.send("INVITE")
    far.answer(invite, status)
    invite.cancel("", far.now)
    far.flush()
    assert far.times("CANCEL") == []


def test_an_answer_that_crosses_the_cancel_reaches_the_owner(far: Far) -> None:
    invite = far.send("INVITE")
    far.answer(invite, 180)
    invite.cancel("", far.now)
    far.flush()
    far.answer(invite, 200)
    far.answer(invite, 481, "CANCEL")
    assert far.heard == [180, 200]


def test_a_cancel_that_was_never_needed_is_not_sent(far: Far) -> None:
    invite = far.send("INVITE")
    invite.cancel("", far.now)
    far.answer(invite, 404)
    far.advance(40)
    assert far.times("CANCEL") == []
    assert far.heard == [404]


def test_a_cancelled_invite_that_never_gets_any_answer_ends_with_timer_b(far: Far) -> None:
    invite = far.send("INVITE")
    invite.cancel("", far.now)
    far.advance(32)
    assert (far.heard, far.times("CANCEL"), far.stack.transactions) == (["timeout"], [], 0)


# ----------------------------------------------------------------------------------------- CANCEL received


def test_a_cancel_before_any_answer_ends_the_invite(far: Far) -> None:
    far.receive(far.request("INVITE"))
    far.receive(far.request("CANCEL"))
    assert [line for _, line in far.sent] == ["SIP/2.0 200 OK", "SIP/2.0 487 Request Terminated"]
    assert far.heard == ["CANCEL"]


def test_a_cancel_after_ringing_has_the_tag_of_the_ringing(far: Far) -> None:
    """RFC 3261 §9.2: the To tags of the answers to CANCEL and to INVITE should be the same."""
    far.receive(far.request("INVITE"))
    accept(far, 180)
    far.receive(far.request("CANCEL"))
    assert len({message.to_tag for message in far.messages}) == 1


@pytest.mark.parametrize("status", [200, 486])
def test_a_cancel_after_the_final_answer_changes_nothing(far: Far, status: int) -> None:
    far.receive(far.request("INVITE"))
    accept(far, status)
    far.receive(far.request("CANCEL"))
    assert [line for _, line in far.sent] == [f"SIP/2.0 {status} {REASONS[status]}", "SIP/2.0 200 OK"]
    assert far.heard == []


def test_a_cancel_of_nothing_gets_481(far: Far) -> None:
    far.receive(far.request("CANCEL"))
    assert far.sent == [(0, "SIP/2.0 481 Call/Transaction Does Not Exist")]
    far.receive(far.request("OPTIONS", "z9hG4bKother", 2))
    far.receive(far.request("CANCEL", "z9hG4bKother", 2))
    assert far.sent[-1] == (0, "SIP/2.0 481 Call/Transaction Does Not Exist")


def test_a_cancel_that_comes_again_is_answered_again_and_heard_once(far: Far) -> None:
    far.receive(far.request("INVITE"))
    far.receive(far.request("CANCEL"))
    far.receive(far.request("CANCEL"))
    assert far.heard == ["CANCEL"]
    assert far.times("SIP/2.0 200") == [0, 0]


# ------------------------------------------------------------------------------------- hop by hop requests


@pytest.mark.parametrize("method", ["CANCEL", "ACK"])
def test_cancel_and_ack_of_a_refusal_are_made_of_the_invite(far: Far, method: str) -> None:
    """RFC 3261 §9.1 and §17.1.1.3: one Via, the same Route, From, Call-ID and CSeq number, and no body."""
    routes = ("Route: <sip:p1.example;lr>", "Route: <sip:p2.example;lr>")
    invite = far.send("INVITE", *routes, "X-Other: not for this", "Via: SIP/2.0/UDP below.example;branch=z9hG4bKbelow")
    far.answer(invite, 180)
    if method == "CANCEL":
        invite.cancel("Reason: Q.850;cause=16\r\n", far.now)
        far.flush()
    else:
        far.answer(invite, 486, tag="refuser")
    made = far.last()
    assert isinstance(made, Request)
    assert (made.method, made.uri) == (method, "sip:7@192.0.2.7")
    assert made.lines("via") == [f"SIP/2.0/UDP 192.0.2.1:5060;branch={invite.key};rport"]
    assert made.lines("route") == ["<sip:p1.example;lr>", "<sip:p2.example;lr>"]
    assert made.lines("from") == ["<sip:us@192.0.2.1>;tag=ours"]
    assert made.lines("call-id") == ["ours"]
    assert made.lines("cseq") == [f"3 {method}"]
    assert made.lines("max-forwards") == ["68"]
    assert made.to_tag == (None if method == "CANCEL" else "refuser")
    assert made.get("reason") == ("Q.850;cause=16" if method == "CANCEL" else None)
    assert made.get("content-length") == "0"
    assert "x-other" not in made
    assert "contact" not in made


# ---------------------------------------------------------------------------------------- where answers go


def via(far: Far, value: str, source: tuple[str, int] = ("192.0.2.7", 5060)) -> tuple[Response, Wire]:
    """The answer to OPTIONS with this Via, and the flow by which it went."""
    wire = Wire(source=source)
    far.wires["udp", *source] = wire
    far.receive(far.request("OPTIONS").replace("SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKpeer1", value), wire)
    accept(far, 200)
    (back,) = [known for known in far.wires.values() if known.sent]
    answer = far.last()
    assert isinstance(answer, Response)
    return answer, back


def test_an_answer_repeats_via_from_to_call_id_and_cseq(far: Far) -> None:
    far.receive(far.request("OPTIONS", "z9hG4bKa", 7))
    accept(far, 200)
    answer = far.last()
    assert answer.lines("via") == ["SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bKa"]
    assert answer.lines("from") == ["<sip:200@192.0.2.7>;tag=peer"]
    assert answer.lines("cseq") == ["7 OPTIONS"]
    assert answer.lines("call-id") == ["call@192.0.2.7"]
    assert (answer.get("to") or "").startswith("<sip:201@192.0.2.1>;tag=")


def test_rport_is_filled_in_and_followed(far: Far) -> None:
    """RFC 3581 §4."""
    answer, back = via(far, "SIP/2.0/UDP 10.0.0.1;rport;branch=z9hG4bKa;x=1", ("203.0.113.5", 40000))
    assert answer.lines("via") == ["SIP/2.0/UDP 10.0.0.1;rport=40000;received=203.0.113.5;branch=z9hG4bKa;x=1"]
    assert back.source == ("203.0.113.5", 40000)


@pytest.mark.parametrize("rport", [" ; rport ;", ";RPORT;", "; rport;"])
def test_rport_is_filled_in_however_it_is_spelled(far: Far, rport: str) -> None:
    answer, back = via(far, f"SIP/2.0/UDP 10.0.0.1{rport}branch=z9hG4bKa", ("203.0.113.5", 40000))
    assert back.source == ("203.0.113.5", 40000)
    parsed = answer.via
    assert (parsed.branch, parsed.received, parsed.host, parsed.rport) == ("z9hG4bKa", "203.0.113.5", "10.0.0.1", False)
    assert "rport=40000" in parsed.text.replace(" ", "").lower()


def test_without_rport_the_answer_goes_to_the_port_of_the_via_at_the_source_address(far: Far) -> None:
    """RFC 3261 §18.2.2."""
    answer, back = via(far, "SIP/2.0/UDP phone.example:5070;branch=z9hG4bKa", ("203.0.113.5", 40000))
    assert answer.lines("via") == ["SIP/2.0/UDP phone.example:5070;branch=z9hG4bKa;received=203.0.113.5"]
    assert back.source == ("203.0.113.5", 5070)


def test_a_via_that_already_says_received_cannot_lie_about_where_it_came_from(far: Far) -> None:
    answer, back = via(far, "SIP/2.0/UDP 10.0.0.1;received=198.51.100.66;branch=z9hG4bKa", ("203.0.113.5", 5060))
    assert back.source == ("203.0.113.5", 5060)
    assert answer.via.received == "203.0.113.5"


def test_an_ipv6_via(far: Far) -> None:
    answer, back = via(far, "SIP/2.0/UDP [2001:db8::7]:5070;branch=z9hG4bKa", ("2001:db8::7", 5070))
    assert answer.lines("via") == ["SIP/2.0/UDP [2001:db8::7]:5070;branch=z9hG4bKa"]
    assert back.source == ("2001:db8::7", 5070)


def test_further_vias_are_repeated_in_order(far: Far) -> None:
    text = "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKa , SIP/2.0/TCP b;branch=z9hG4bKb\nVia: SIP/2.0/UDP c;branch=z9hG4bKc"
    answer, _ = via(far, text)
    assert answer.list("via") == [
        "SIP/2.0/UDP 192.0.2.7;branch=z9hG4bKa",
        "SIP/2.0/TCP b;branch=z9hG4bKb",
        "SIP/2.0/UDP c;branch=z9hG4bKc",
    ]
