"""Where a call goes: all devices at once, the policy's next target, the next trunk; and what the record says of it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from router.calls.call import MAX_ATTEMPTS
from router.model.decision import LineState
from tests.calls.story import ANSWER, COMPANY, OFFER, Actor, Phone, Story, configuration_of

TOLD_RELAYED_TOO = True

ELSEWHERE = 'SIP;cause=200;text="Call completed elsewhere"'


@pytest.fixture
def alice(story: Story) -> Phone:
    return story.phone("200")


@pytest.fixture
def desk(story: Story) -> Phone:
    return story.phone("201")


@pytest.fixture
def gsm(story: Story) -> Phone:
    return story.phone("201-gsm")


def outcome(story: Story) -> tuple[int, str, list[tuple[str, int]]]:
    """Status, who ended it and the legs of the only record."""
    (record,) = story.records
    return record.status, record.ended_by, [(leg.peer, leg.status) for leg in record.legs]


# ----------------------------------------------------------------------------------------------------- forking


def test_all_devices_ring_and_the_first_that_answers_wins(story: Story, alice: Phone, desk: Phone, gsm: Phone) -> None:
    """F4, Q10."""
    alice.invites("201")
    assert desk.rings()
    assert gsm.rings()
    gsm.answers()
    assert desk.received("CANCEL").get("reason") == ELSEWHERE
    assert not gsm.received("CANCEL")
    alice.acks()
    assert gsm.received("ACK").body == b""
    assert story.lines == {"alice": LineState.ON_CALL, "bob": LineState.ON_CALL, "carol": LineState.UNREGISTERED}
    alice.hangs_up()
    assert outcome(story) == (200, "caller", [("201", 487), ("201-gsm", 200)])
    assert story.lines == {"carol": LineState.UNREGISTERED}


def test_a_device_that_is_not_yet_ringing_is_cancelled_once_it_says_something(
    story: Story, alice: Phone, desk: Phone, gsm: Phone
) -> None:
    alice.invites("201")
    gsm.answers()
    assert not desk.received("CANCEL")
    desk.rings()
    assert desk.received("CANCEL").get("reason") == ELSEWHERE
    alice.acks()
    alice.hangs_up()


def test_two_devices_answer_at_the_same_moment(story: Story, alice: Phone, desk: Phone, gsm: Phone) -> None:
    alice.invites("201")
    desk.rings()
    desk.automatic.discard("CANCEL")
    gsm.answers()
    cancel = desk.received("CANCEL")
    desk.answers()
    desk.responds(cancel, 200)
    assert desk.received("ACK")
    assert desk.received("BYE")
    assert alice.count(200, "INVITE") == 1
    alice.acks()
    assert gsm.received("ACK")
    assert not gsm.received("BYE")
    alice.hangs_up()
    assert gsm.count("BYE") == 1


def test_one_device_is_busy_and_the_other_rings_on(story: Story, alice: Phone, desk: Phone, gsm: Phone) -> None:
    alice.invites("201")
    desk.refuses(486)
    assert gsm.rings()
    assert not alice.received(486)
    gsm.answers()
    alice.acks()
    alice.hangs_up()
    assert outcome(story) == (200, "caller", [("201", 486), ("201-gsm", 200)])


def test_when_all_devices_are_busy_the_policy_is_asked_again(
    story: Story, alice: Phone, desk: Phone, gsm: Phone
) -> None:
    """M2: on a call → voicemail, told by Diversion why."""
    voicemail = story.voicemail()
    alice.invites("201")
    desk.refuses(486)
    gsm.refuses(486)
    assert not alice.received(486)
    invite = voicemail.received("INVITE")
    assert (invite.uri, invite.body) == ("sip:201@192.0.2.91:5091", OFFER)
    assert "reason=user-busy" in invite.get("diversion")
    voicemail.answers()
    alice.acks()
    alice.hangs_up()
    assert outcome(story) == (200, "caller", [("201", 486), ("201-gsm", 486), ("voicemail", 200)])
    assert story.records[0].target == "voicemail"


def test_a_decline_ends_the_ringing_everywhere(story: Story, alice: Phone, desk: Phone, gsm: Phone) -> None:
    """RFC 3261 §16.7 step 5: a 6xx is the person's answer, not the device's; then the policy goes on."""
    voicemail = story.voicemail()
    alice.invites("201")
    gsm.rings()
    desk.refuses(603)
    assert gsm.received("CANCEL")
    assert voicemail.was_called
    alice.cancels()
    voicemail.rings()


def test_nobody_answers_and_the_policy_is_asked_again(story: Story, alice: Phone, desk: Phone, gsm: Phone) -> None:
    """G5."""
    voicemail = story.voicemail()
    alice.invites("201")
    desk.rings()
    gsm.rings()
    story.advance(19.9)
    assert not voicemail.was_called
    story.advance(0.2)
    assert desk.received("CANCEL").get("reason") == 'SIP;cause=480;text="No answer"'
    assert gsm.received("CANCEL")
    assert "reason=no-answer" in voicemail.received("INVITE").get("diversion")
    assert "bob" not in story.lines
    voicemail.answers()
    alice.acks()
    voicemail.hangs_up()
    assert outcome(story) == (200, "callee", [("201", 487), ("201-gsm", 487), ("voicemail", 200)])


def test_an_answer_just_after_time_is_up_is_undone(story: Story, alice: Phone, desk: Phone) -> None:
    voicemail = story.voicemail()
    alice.invites("201")
    desk.rings()
    desk.automatic.discard("CANCEL")
    story.advance(20)
    cancel = desk.received("CANCEL")
    desk.answers()
    desk.responds(cancel, 481)
    assert desk.received("BYE")
    voicemail.answers()
    assert alice.count(200, "INVITE") == 1
    alice.acks()
    alice.hangs_up()


def test_a_person_without_a_registered_device_goes_where_the_policy_says(story: Story, alice: Phone) -> None:
    voicemail = story.voicemail()
    alice.invites("202")
    assert "reason=unavailable" in voicemail.received("INVITE").get("diversion")
    alice.cancels()
    voicemail.rings()


def test_a_device_that_cannot_be_reached_any_more_counts_as_unreachable(
    story: Story, alice: Phone, desk: Phone
) -> None:
    voicemail = story.voicemail()
    story.unreachable.add(desk.address)
    alice.invites("201")
    assert voicemail.was_called
    voicemail.answers()
    alice.acks()
    alice.hangs_up()
    assert outcome(story)[2] == [("201", 503), ("voicemail", 200)]


def test_when_everything_was_tried_the_policy_says_so(story: Story, alice: Phone, desk: Phone) -> None:
    voicemail = story.voicemail()
    alice.invites("201")
    desk.refuses(603)
    voicemail.refuses(404)
    story.advance(32)  # nobody is at the reception's address
    assert alice.received(480, "INVITE")
    assert outcome(story) == (480, "router", [("201", 603), ("voicemail", 404), ("reception", 408)])


def test_a_callee_that_refuses_an_early_target_does_not_colour_a_later_one(
    tell: Callable[[str], Story],
) -> None:
    """Each attempt's outcome is its own: bob is busy, so carol is tried; that carol declines is not "busy" again."""
    story = tell(
        COMPANY.replace('extension: "201"', 'when: {on_call: carol}, extension: "201"').replace(
            "shows: personal_mobile}", "shows: personal_mobile, when: {on_call: reception}}"
        )
    )
    alice, desk, carol = story.phone("200"), story.phone("201"), story.phone("202")
    voicemail = story.voicemail()
    alice.invites("201")
    desk.refuses(486)
    assert carol.was_called
    carol.refuses(603)
    assert voicemail.was_called
    voicemail.answers()
    alice.acks()
    alice.hangs_up()


@pytest.mark.parametrize("status", [301, 302, 380])
def test_a_redirection_is_the_policys_business(story: Story, alice: Phone, desk: Phone, status: int) -> None:
    voicemail = story.voicemail()
    alice.invites("201")
    desk.refuses(status, "Contact: <sip:evil@203.0.113.66>")
    assert voicemail.was_called
    assert all(address != ("203.0.113.66", 5060) for address, _ in story.wire_log)
    alice.cancels()
    voicemail.rings()


def test_attempts_are_bounded(tell: Callable[[str], Story]) -> None:
    """However long the chain of people, a call asks the policy a bounded number of times."""
    chain = (
        "".join(
            f"  p{n}: {{name: P{n}, role: standard, extension: '3{n:02}',"
            f" devices: {{d: {{kind: fixed, secret: secret-3{n:02}}}}},"
            f" when: {{on_call: p{n + 1}, rejected: p{n + 1}}}}}\n"
            for n in range(20)
        )
        + "  p20: {name: P20, role: standard, extension: '320', devices: {d: {kind: fixed, secret: secret-320}}}\n"
    )
    story = tell(COMPANY.replace("trunks:\n", chain + "trunks:\n", 1))
    alice = story.phone("200")
    phones = [story.phone(f"3{n:02}") for n in range(21)]
    story.place("192.0.2.90", 5090)
    voicemail = story.voicemail()
    alice.invites("300")
    tried = 0
    for _ in range(30):
        rung: list[Actor] = [p for p in (*phones, voicemail) if p.conversations and p.call.invite is not None]
        if not rung:
            break
        tried += 1
        rung[0].refuses(486)
    assert 2 <= tried <= MAX_ATTEMPTS
    assert [code for code in alice.heard() if isinstance(code, int) and code >= 400] == [486]


# ------------------------------------------------------------------------------------------------------ trunks


def test_a_number_outside_goes_by_the_first_trunk(story: Story, alice: Phone) -> None:
    first = story.trunk("first")
    story.trunk("second")
    alice.invites("+3225551234")
    assert first.received("INVITE").uri == "sip:+3225551234@198.51.100.1"
    first.answers()
    alice.acks()
    alice.hangs_up()
    assert outcome(story) == (200, "caller", [("first", 200)])


@pytest.mark.parametrize("status", [408, 503])
def test_a_trunk_that_fails_is_followed_by_the_next(story: Story, alice: Phone, status: int) -> None:
    first, second = story.trunk("first"), story.trunk("second")
    alice.invites("+3225551234")
    first.refuses(status)
    assert first.received("ACK")
    assert not alice.received(status)
    second.rings()
    second.answers()
    alice.acks()
    alice.hangs_up()
    assert outcome(story) == (200, "caller", [("first", status), ("second", 200)])


def test_a_trunk_that_icmp_says_is_gone_is_followed_by_the_next(story: Story, alice: Phone) -> None:
    second = story.trunk("second")
    story.unreachable.add(("198.51.100.1", 5060))
    alice.invites("+3225551234")
    second.answers()
    alice.acks()
    alice.hangs_up()
    assert outcome(story) == (200, "caller", [("first", 503), ("second", 200)])
    alice.invites("+3225551234")  # the one that failed is tried last for a while
    assert second.call.invite is not None
    second.answers()
    alice.acks()
    alice.hangs_up()


def test_a_silent_trunk_is_followed_by_the_next_after_timer_b(story: Story, alice: Phone) -> None:
    second = story.trunk("second")
    alice.invites("+3225551234")
    story.advance(31.9)
    assert not second.was_called
    story.advance(0.2)
    second.answers()
    alice.acks()
    alice.hangs_up()
    assert outcome(story)[2] == [("first", 408), ("second", 200)]


@pytest.mark.parametrize("status", [404, 480, 484, 486, 500, 600, 603])
def test_a_callees_own_answer_is_never_followed_by_another_trunk(story: Story, alice: Phone, status: int) -> None:
    first, second = story.trunk("first"), story.trunk("second")
    alice.invites("+3225551234")
    first.rings()
    first.refuses(status, 'Reason: Q.850;cause=17;text="User busy"', reason="Own words")
    refusal = alice.received(status, "INVITE")
    assert (refusal.reason, refusal.get("reason")) == ("Own words", 'Q.850;cause=17;text="User busy"')
    assert not second.was_called
    assert outcome(story) == (status, "callee", [("first", status)])


def test_a_ringing_trunk_that_fails_is_followed_by_the_next(story: Story, alice: Phone) -> None:
    first, second = story.trunk("first"), story.trunk("second")
    alice.invites("+3225551234")
    first.rings(100)
    first.refuses(503)
    second.answers()
    alice.acks()
    alice.hangs_up()


def test_no_trunk_works(story: Story, alice: Phone) -> None:
    first, second = story.trunk("first"), story.trunk("second")
    alice.invites("+3225551234")
    first.refuses(503)
    second.refuses(503)
    assert alice.received(503, "INVITE")
    assert outcome(story)[::2] == (503, [("first", 503), ("second", 503)])


@pytest.mark.parametrize("status", [401, 407])
def test_a_trunks_challenge_is_never_shown_to_the_caller(story: Story, alice: Phone, status: int) -> None:
    first = story.trunk("first")
    header = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    alice.invites("+3225551234")
    alice.forgets()
    first.refuses(status, f'{header}: Digest realm="provider", nonce="1"')
    assert alice.heard() == [503]


def test_a_trunk_where_it_only_rings_is_given_up_by_timer_c(story: Story, alice: Phone) -> None:
    """RFC 3261 §16.8. The caller did not cancel, so 487 would be a lie."""
    first = story.trunk("first")
    alice.invites("+3225551234")
    first.rings()
    alice.forgets()
    story.advance(200)
    assert first.received("CANCEL")
    assert alice.heard() == [480]


# ----------------------------------------------------------------------------------------------- what is refused


def test_a_greylisted_destination_is_refused(story: Story, alice: Phone) -> None:
    """X2."""
    first = story.trunk("first")
    alice.invites("00224123456")
    assert alice.received(403, "INVITE")
    assert not first.was_called
    assert outcome(story) == (403, "router", [])


def test_an_unknown_number_is_404(story: Story, alice: Phone) -> None:
    alice.invites("sip:nobody@192.0.2.1")
    assert alice.received(404, "INVITE")


@pytest.mark.parametrize("origin", ["phone", "pbx"])
def test_an_emergency_call_goes_out_as_dialled(story: Story, alice: Phone, origin: str) -> None:
    first = story.trunk("first")
    caller: Actor = alice if origin == "phone" else story.pbx()
    caller.invites("112", "X-Location: here", body=OFFER)
    invite = first.received("INVITE")
    assert invite.uri == "sip:112@198.51.100.1"
    assert (invite.body, invite.get("x-location")) == (OFFER, "here")
    first.answers()
    caller.acks()
    caller.hangs_up()
    assert story.records[0].action == "emergency"


def test_an_emergency_call_tries_every_trunk(story: Story, alice: Phone) -> None:
    first, second = story.trunk("first"), story.trunk("second")
    alice.invites("112")
    first.refuses(503)
    assert second.received("INVITE").uri == "sip:112@198.51.100.2"
    second.answers()
    alice.acks()
    alice.hangs_up()


def test_the_outside_reaches_a_person_by_number(story: Story, desk: Phone) -> None:
    trunk = story.trunk()
    trunk.invites("+3242200121", sender="<sip:+32475111222@198.51.100.1>")
    desk.rings()
    assert trunk.received(180)
    desk.answers()
    trunk.acks()
    trunk.hangs_up()
    assert outcome(story) == (200, "caller", [("201", 200)])
    assert (story.records[0].caller, story.records[0].owner, story.records[0].origin) == (
        "+32475111222",
        "bob",
        "trunk",
    )


def test_the_outside_cannot_go_out_again(story: Story) -> None:
    trunk, second = story.trunk(), story.trunk("second")
    trunk.invites("+3225551234")
    assert trunk.received(404, "INVITE")
    assert not second.was_called


def test_the_main_number_is_the_reception(story: Story) -> None:
    trunk, reception = story.trunk(), story.reception()
    trunk.invites("+3242200100")
    assert reception.received("INVITE").uri == "sip:reception@192.0.2.90:5090"
    reception.answers()
    trunk.acks()
    trunk.hangs_up()


def test_who_is_on_a_call_is_not_rung(story: Story, alice: Phone, desk: Phone) -> None:
    """M2: the line state is known from the first call, no device has to say 486."""
    carol, voicemail = story.phone("202"), story.voicemail()
    alice.invites("201")
    desk.answers()
    alice.acks()
    desk.forgets()
    carol.invites("201")
    assert desk.count("INVITE") == 0
    assert voicemail.was_called
    voicemail.answers()
    carol.acks()
    carol.hangs_up()
    alice.hangs_up()
    carol.invites("201")
    assert desk.was_called
    desk.refuses(486)
    voicemail.refuses(500)
    carol.cancels()


# ---------------------------------------------------------------------------------------------- what is wrong


def test_a_body_that_no_phone_takes_is_415(story: Story, alice: Phone, desk: Phone) -> None:
    alice.invites("201", "Content-Type: application/unknown", body=b"x")
    assert alice.received(415, "INVITE").get("accept") == "application/sdp"
    assert not desk.was_called


def test_a_caller_that_accepts_no_sdp_is_406(story: Story, alice: Phone, desk: Phone) -> None:
    alice.invites("201", "Accept: text/plain")
    assert alice.received(406, "INVITE")
    assert not desk.was_called


def test_a_required_extension_that_is_unknown_is_420(story: Story, alice: Phone, desk: Phone) -> None:
    alice.invites("201", "Require: levitation, replaces, telepathy")
    assert alice.received(420, "INVITE").get("unsupported") == "levitation, telepathy"
    assert not desk.was_called


def test_a_reload_changes_only_the_calls_to_come(story: Story, alice: Phone, desk: Phone, tmp_path: Path) -> None:
    voicemail, reception = story.voicemail(), story.reception()
    alice.invites("201")
    desk.rings()
    new = COMPANY.replace("no_answer: {after: 20s, then: voicemail}", "no_answer: {after: 5s, then: reception}")
    story.exchange.policy = configuration_of(new, tmp_path / "new").policy
    story.advance(20)
    assert voicemail.was_called
    assert reception.count("INVITE") == 0
    voicemail.answers(body=ANSWER)
    alice.acks()
    alice.hangs_up()
    alice.invites("201")
    desk.rings()
    story.advance(5)
    assert reception.was_called
    reception.answers()
    alice.acks()
    alice.hangs_up()
