"""Every row of the four transaction machines, and the timer values of RFC 3261 Table 4."""

from __future__ import annotations

from typing import Any

import pytest

from router.sip.errors import LocalError
from router.sip.transaction import (
    ACCEPTED,
    ACK,
    BROKEN,
    CALLING,
    CLIENT,
    COMPLETED,
    CONFIRMED,
    FAILURE,
    INVITE_CLIENT,
    INVITE_SERVER,
    PROCEEDING,
    PROVISIONAL,
    RETRANSMISSION,
    SERVER,
    SUCCESS,
    TERMINATED,
    TRYING,
    Table,
)

from .peer import Far

# (state, event) -> next state, over an unreliable transport; what is missing must raise. Written from figures 5 to 8
# of RFC 3261 with RFC 6026 and RFC 4320, not from the code.
EXPECTED: dict[str, dict[tuple[str, str], str]] = {
    "INVITE client": {
        (CALLING, "A"): CALLING,
        (CALLING, "B"): TERMINATED,
        (CALLING, BROKEN): TERMINATED,
        (CALLING, PROVISIONAL): PROCEEDING,
        (CALLING, SUCCESS): ACCEPTED,
        (CALLING, FAILURE): COMPLETED,
        (PROCEEDING, "B"): TERMINATED,
        (PROCEEDING, BROKEN): PROCEEDING,
        (PROCEEDING, PROVISIONAL): PROCEEDING,
        (PROCEEDING, SUCCESS): ACCEPTED,
        (PROCEEDING, FAILURE): COMPLETED,
        (COMPLETED, "D"): TERMINATED,
        (COMPLETED, BROKEN): TERMINATED,
        (COMPLETED, PROVISIONAL): COMPLETED,
        (COMPLETED, SUCCESS): COMPLETED,
        (COMPLETED, FAILURE): COMPLETED,
        (ACCEPTED, "M"): TERMINATED,
        (ACCEPTED, BROKEN): ACCEPTED,
        (ACCEPTED, PROVISIONAL): ACCEPTED,
        (ACCEPTED, SUCCESS): ACCEPTED,
        (ACCEPTED, FAILURE): ACCEPTED,
    },
    "non-INVITE client": {
        (TRYING, "E"): TRYING,
        (TRYING, "F"): TERMINATED,
        (TRYING, BROKEN): TERMINATED,
        (TRYING, PROVISIONAL): PROCEEDING,
        (TRYING, SUCCESS): COMPLETED,
        (TRYING, FAILURE): COMPLETED,
        (PROCEEDING, "E"): PROCEEDING,
        (PROCEEDING, "F"): TERMINATED,
        (PROCEEDING, BROKEN): TERMINATED,
        (PROCEEDING, PROVISIONAL): PROCEEDING,
        (PROCEEDING, SUCCESS): COMPLETED,
        (PROCEEDING, FAILURE): COMPLETED,
        (COMPLETED, "K"): TERMINATED,
        (COMPLETED, BROKEN): COMPLETED,
        (COMPLETED, PROVISIONAL): COMPLETED,
        (COMPLETED, SUCCESS): COMPLETED,
        (COMPLETED, FAILURE): COMPLETED,
    },
    "INVITE server": {
        (PROCEEDING, RETRANSMISSION): PROCEEDING,
        (PROCEEDING, PROVISIONAL): PROCEEDING,
        (PROCEEDING, SUCCESS): ACCEPTED,
        (PROCEEDING, FAILURE): COMPLETED,
        (PROCEEDING, ACK): PROCEEDING,
        (COMPLETED, RETRANSMISSION): COMPLETED,
        (COMPLETED, "G"): COMPLETED,
        (COMPLETED, "H"): TERMINATED,
        (COMPLETED, ACK): CONFIRMED,
        (CONFIRMED, RETRANSMISSION): CONFIRMED,
        (CONFIRMED, "I"): TERMINATED,
        (CONFIRMED, ACK): CONFIRMED,
        (ACCEPTED, RETRANSMISSION): ACCEPTED,
        (ACCEPTED, "L"): TERMINATED,
        (ACCEPTED, ACK): ACCEPTED,
    },
    "non-INVITE server": {
        (TRYING, RETRANSMISSION): TRYING,
        (TRYING, SUCCESS): COMPLETED,
        (TRYING, FAILURE): COMPLETED,
        (COMPLETED, RETRANSMISSION): COMPLETED,
        (COMPLETED, "J"): TERMINATED,
    },
}
TABLES: dict[str, Table] = {
    "INVITE client": INVITE_CLIENT,
    "non-INVITE client": CLIENT,
    "INVITE server": INVITE_SERVER,
    "non-INVITE server": SERVER,
}
EVENTS = [*"ABCDEFGHIJKLM", PROVISIONAL, SUCCESS, FAILURE, RETRANSMISSION, ACK, BROKEN]


@pytest.mark.parametrize("name", TABLES)
def test_the_table_says_what_the_rfcs_say(name: str) -> None:
    table = TABLES[name]
    assert {(state, event): row[0] for state, rows in table.items() for event, row in rows.items()} == EXPECTED[name]


def in_state(far: Far, name: str, state: str) -> Any:
    """A transaction brought to that state by messages alone."""
    if name == "INVITE client":
        client = far.send("INVITE")
        for status in {CALLING: (), PROCEEDING: (180,), COMPLETED: (486,), ACCEPTED: (200,)}[state]:
            far.answer(client, status)
        return client
    if name == "non-INVITE client":
        client = far.send("OPTIONS")
        for status in {TRYING: (), PROCEEDING: (100,), COMPLETED: (200,)}[state]:
            far.answer(client, status)
        return client
    far.receive(far.request("INVITE" if name == "INVITE server" else "OPTIONS"))
    server, _ = far.served[0]
    if state == ACCEPTED or (name == "non-INVITE server" and state == COMPLETED):
        server.respond(200, far.now)
    elif state in (COMPLETED, CONFIRMED):
        server.respond(486, far.now)
        if state == CONFIRMED:
            far.receive(far.request("ACK", to_tag=server.tag or ""))
    far.flush()
    return server


@pytest.mark.parametrize(
    ("name", "state", "event"),
    [
        (name, state, event)
        for name, rows in EXPECTED.items()
        for state in sorted({state for state, _ in rows})
        for event in EVENTS
        if (state, event) not in rows
    ],
)
def test_an_event_without_a_row_is_our_own_fault_and_changes_nothing(name: str, state: str, event: str) -> None:
    far = Far()
    transaction = in_state(far, name, state)
    assert transaction.state == state
    sent, heard = len(far.sent), len(far.heard)
    with pytest.raises(LocalError):
        transaction.fire(event, None, far.now)
    far.flush()
    assert (transaction.state, len(far.sent), len(far.heard)) == (state, sent, heard)


@pytest.mark.parametrize("status", [100, 180])
def test_a_provisional_answer_to_anything_but_invite_is_refused_here_already(status: int) -> None:
    """RFC 4320 §4.1."""
    far = Far()
    server = in_state(far, "non-INVITE server", TRYING)
    with pytest.raises(LocalError):
        server.respond(status, far.now)
    server.respond(200, far.now)
    far.flush()
    assert [line for _, line in far.sent] == ["SIP/2.0 200 OK"]


def test_a_second_final_answer_is_our_own_fault_and_does_not_spoil_the_first() -> None:
    far = Far()
    server = in_state(far, "non-INVITE server", COMPLETED)
    with pytest.raises(LocalError):
        server.respond(500, far.now)
    far.receive(far.request("OPTIONS"))
    assert [line for _, line in far.sent] == ["SIP/2.0 200 OK", "SIP/2.0 200 OK"]


# ------------------------------------------------------------------------------------------------ timers


def test_timer_a_doubles_without_a_cap_and_timer_b_ends_it() -> None:
    far = Far()
    far.send("INVITE")
    far.advance(31.9)
    assert far.times("INVITE") == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 31.5]
    assert far.heard == []
    far.advance(0.1)
    assert far.heard == ["timeout"]
    assert far.stack.transactions == 0


def test_over_a_reliable_transport_an_invite_is_sent_once_and_still_given_up() -> None:
    far = Far("TCP")
    far.send("INVITE")
    far.advance(31.9)
    assert (far.times("INVITE"), far.heard) == ([0], [])
    far.advance(0.1)
    assert far.heard == ["timeout"]


def test_a_provisional_answer_ends_the_retransmissions_and_timer_b() -> None:
    far = Far()
    client = far.send("INVITE")
    far.advance(0.2)
    far.answer(client, 100)
    far.advance(120)
    assert (far.times("INVITE"), far.heard) == ([0], [100])


def test_timer_e_is_capped_by_t2_and_timer_f_ends_it() -> None:
    far = Far()
    far.send("OPTIONS")
    far.advance(31.9)
    assert far.times("OPTIONS") == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    far.advance(0.1)
    assert far.heard == ["timeout"]
    assert far.stack.transactions == 0


def test_once_proceeding_a_non_invite_request_is_repeated_every_t2() -> None:
    far = Far()
    client = far.send("OPTIONS")
    far.advance(0.7)
    far.answer(client, 100)
    far.advance(10)
    assert far.times("OPTIONS") == [0, 0.5, 1.5, 5.5, 9.5]
    far.advance(21.3)
    assert far.heard == [100, "timeout"]


def test_over_a_reliable_transport_a_non_invite_request_is_sent_once_and_done_when_answered() -> None:
    far = Far("TCP")
    client = far.send("OPTIONS")
    far.advance(20)
    assert far.times("OPTIONS") == [0]
    far.answer(client, 200)
    assert (far.heard, far.stack.transactions) == ([200], 0)


def test_timer_k_absorbs_repeated_answers_for_t4() -> None:
    far = Far()
    client = far.send("OPTIONS")
    far.answer(client, 200)
    far.advance(4.9)
    far.answer(client, 200)
    assert (far.heard, far.stack.transactions) == ([200], 1)
    far.advance(0.1)
    assert far.stack.transactions == 0
    far.answer(client, 200)
    assert far.heard == [200]
    assert far.stack.malformed["stray response",] == 1


def test_timer_d_acknowledges_a_repeated_refusal_for_32_seconds() -> None:
    far = Far()
    client = far.send("INVITE")
    far.answer(client, 486)
    far.advance(31.9)
    far.answer(client, 486)
    assert (far.times("ACK"), far.heard) == ([0, 31.9], [486])
    far.advance(0.1)
    assert far.stack.transactions == 0


def test_over_a_reliable_transport_a_refused_invite_is_acknowledged_and_forgotten() -> None:
    far = Far("TCP")
    far.answer(far.send("INVITE"), 486)
    assert (far.times("ACK"), far.stack.transactions) == ([0], 0)


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_timer_m_lets_every_answer_through_for_32_seconds(transport: str) -> None:
    """RFC 6026 §7.2: answers of other forks, and again-sent ones, belong to the owner."""
    far = Far(transport)
    client = far.send("INVITE")
    far.answer(client, 200, tag="one")
    far.advance(31.9)
    far.answer(client, 200, tag="two")
    assert far.heard == [200, 200]
    assert far.times("ACK") == []
    far.advance(0.1)
    assert far.stack.transactions == 0


def test_timer_g_repeats_a_refusal_capped_by_t2_until_timer_h() -> None:
    far = Far()
    far.receive(far.request("INVITE"))
    far.served[0][0].respond(486, far.now)
    far.flush()
    far.advance(31.9)
    assert far.times("SIP/2.0 486") == [0, 0.5, 1.5, 3.5, 7.5, 11.5, 15.5, 19.5, 23.5, 27.5, 31.5]
    far.advance(0.1)
    assert far.heard == ["unacknowledged"]
    assert far.stack.transactions == 0


def test_over_a_reliable_transport_a_refusal_is_sent_once_but_its_ack_is_awaited() -> None:
    far = Far("TCP")
    far.receive(far.request("INVITE"))
    far.served[0][0].respond(486, far.now)
    far.flush()
    far.advance(31.9)
    assert (far.times("SIP/2.0 486"), far.stack.transactions) == ([0], 1)
    far.advance(0.1)
    assert far.heard == ["unacknowledged"]


def test_timer_i_absorbs_repeated_acks_and_invites_for_t4() -> None:
    far = Far()
    server = in_state(far, "INVITE server", CONFIRMED)
    far.advance(4.9)
    far.receive(far.request("ACK", to_tag=server.tag))
    far.receive(far.request("INVITE"))
    assert (len(far.sent), len(far.served), far.stack.transactions) == (1, 1, 1)
    far.advance(0.1)
    assert far.stack.transactions == 0


def test_over_a_reliable_transport_a_refusal_is_forgotten_with_its_ack() -> None:
    far = Far("TCP")
    far.receive(far.request("INVITE"))
    far.served[0][0].respond(486, far.now)
    far.flush()
    far.receive(far.request("ACK", to_tag=far.served[0][0].tag or ""))
    assert far.stack.transactions == 0


def test_timer_j_repeats_an_answer_to_every_retransmission_for_32_seconds() -> None:
    far = Far()
    far.receive(far.request("OPTIONS"))
    far.receive(far.request("OPTIONS"))
    assert far.sent == []
    far.served[0][0].respond(200, far.now)
    far.flush()
    far.advance(31.9)
    far.receive(far.request("OPTIONS"))
    assert far.times("SIP/2.0 200") == [0, 31.9]
    far.advance(0.1)
    assert (len(far.served), far.stack.transactions) == (1, 0)


def test_over_a_reliable_transport_an_answered_request_is_forgotten_at_once() -> None:
    far = Far("TCP")
    far.receive(far.request("OPTIONS"))
    far.served[0][0].respond(200, far.now)
    assert far.stack.transactions == 0


@pytest.mark.parametrize("transport", ["UDP", "TCP"])
def test_timer_l_absorbs_late_invites_after_a_200(transport: str) -> None:
    """RFC 6026 §7.1: the transaction does not repeat its 2xx; the dialog does until the ACK comes."""
    far = Far(transport)
    far.receive(far.request("INVITE"))
    far.served[0][0].respond(200, far.now)
    far.flush()
    far.advance(31.9)
    far.receive(far.request("INVITE"))
    assert (far.times("SIP/2.0 200"), len(far.served), far.stack.transactions) == ([0], 1, 1)
    far.advance(0.1)
    assert far.stack.transactions == 0


def test_100_trying_is_sent_after_200_ms_unless_something_else_was() -> None:
    far = Far()
    far.receive(far.request("INVITE"))
    server, _ = far.served[0]
    server.start_trying(far.now)
    far.advance(0.19)
    assert far.sent == []
    far.advance(0.02)
    assert far.sent == [(0.2, "SIP/2.0 100 Trying")]
    assert far.last().to_tag is None
    server.respond(486, far.now)
    far.flush()
    assert far.last().to_tag


def test_100_trying_is_not_owed_once_the_phone_rings() -> None:
    far = Far()
    far.receive(far.request("INVITE"))
    server, _ = far.served[0]
    server.start_trying(far.now)
    far.advance(0.1)
    server.respond(180, far.now)
    far.flush()
    far.advance(1)
    assert [line for _, line in far.sent] == ["SIP/2.0 180 Ringing"]


def test_timer_c_gives_up_an_invite_that_only_rings() -> None:
    """RFC 3261 §16.8: longer than three minutes after the last provisional response beyond 100."""
    far = Far()
    client = far.send("INVITE")
    far.answer(client, 100)
    far.advance(100)
    far.answer(client, 180)
    far.advance(180)
    assert far.times("CANCEL") == []
    far.advance(2)
    assert len(far.times("CANCEL")) == 2  # at 181 s, and again half a second later
    far.answer(client, 200, "CANCEL")
    far.answer(client, 487)
    assert far.heard == [100, 180, 487]
    far.advance(40)
    assert far.stack.transactions == 0
    assert far.stack.deadline == float("inf")


def test_timer_c_ends_an_invite_whose_cancel_nobody_follows() -> None:
    """RFC 3261 §9.1: 64·T1 after the CANCEL the INVITE is considered cancelled."""
    far = Far()
    client = far.send("INVITE")
    far.answer(client, 180)
    far.advance(181)
    far.advance(31.9)
    assert far.heard == [180]
    far.advance(0.2)
    assert far.heard == [180, "timeout"]
    assert far.stack.transactions == 0
