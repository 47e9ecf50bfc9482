"""Which trunk calls try, how it is spoken to, and what a reload does to it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from router.model.peers import Trunk
from router.sip.digest import Credentials, Verdict
from router.sip.errors import LocalError
from router.sip.message import Response, parse
from tests.calls.provider import REALM, Gatekeeper, Router, registering

FIRST = Trunk("first", "192.0.2.1", 5080, priority=1, options_interval=0)
SECOND = Trunk("second", "192.0.2.2", 5080, priority=2, options_interval=0)
THIRD = Trunk("third", "192.0.2.3", 5080, priority=3, options_interval=0)


def names(router: Router, *restricted: str) -> list[str]:
    return [line.trunk.name for line in router.trunks.candidates(restricted)]


def challenge(status: int, value: str) -> Response:
    """A trunk's answer to an INVITE."""
    header = "WWW-Authenticate" if status == 401 else "Proxy-Authenticate"
    message = parse(
        f"SIP/2.0 {status} No\r\nVia: SIP/2.0/UDP 192.0.2.100;branch=z9hG4bK1\r\nFrom: <sip:a@b>;tag=1\r\n"
        f"To: <sip:c@d>;tag=2\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n{header}: {value}\r\n\r\n".encode()
    )
    assert isinstance(message, Response)
    return message


# ------------------------------------------------------------------------------------------------ the order


def test_calls_try_trunks_by_priority_and_those_that_failed_last() -> None:
    router = Router(THIRD, FIRST, SECOND)
    router.start()
    assert names(router) == ["first", "second", "third"]
    router.line("first").failed(router.now, "408")
    assert names(router) == ["second", "third", "first"]
    router.line("second").failed(router.now, "503")
    assert names(router) == ["third", "first", "second"]
    assert names(router, "second", "first") == ["first", "second"]
    router.advance(31)
    assert names(router) == ["first", "second", "third"]


def test_equal_priorities_keep_the_order_of_the_configuration() -> None:
    router = Router(replace(THIRD, priority=5), replace(FIRST, priority=5))
    assert names(router) == ["third", "first"]


def test_a_restriction_to_a_trunk_that_is_not_there_leaves_none() -> None:
    assert names(Router(FIRST), "gone") == []


def test_what_a_call_does_with_its_candidates_is_no_other_calls_business() -> None:
    router = Router(FIRST, SECOND)
    router.trunks.candidates().pop(0)
    assert names(router) == ["first", "second"]


def test_an_unregistered_trunk_is_a_last_resort() -> None:
    router = Router(registering(), SECOND)
    router.start()
    assert names(router) == ["second", "provider"]
    router.accept(router.next("REGISTER"))
    assert names(router) == ["second", "provider"]  # priority 10
    router.line("second").failed(router.now, "timeout")
    assert names(router) == ["provider", "second"]


@pytest.mark.parametrize("cause", ["408", "503", "timeout", "transport"])
def test_a_failed_call_holds_the_trunk_down_for_thirty_seconds(cause: str) -> None:
    router = Router(FIRST)
    router.start()
    router.line("first").failed(router.now, cause)
    assert router.events == [("first", False, f"a call failed: {cause}")]
    router.advance(10)
    router.line("first").failed(router.now, cause)  # another call, tried as a last resort: no longer hold
    router.advance(19)
    assert not router.line("first").up
    router.advance(1)
    assert router.events[1:] == [("first", True, "")]
    router.advance(5)
    router.line("first").failed(router.now, cause)
    router.advance(29)
    assert not router.line("first").up


def test_an_answer_to_a_call_ends_the_hold() -> None:
    router = Router(FIRST)
    router.start()
    router.line("first").failed(router.now, "503")
    router.line("first").answered(router.now)
    assert router.line("first").up
    router.advance(60)
    assert [up for _, up, _ in router.events] == [False, True]


def test_retry_after_lengthens_the_hold_within_a_bound() -> None:
    router = Router(FIRST, SECOND)
    router.start()
    router.line("first").failed(router.now, "503", retry_after=100)
    router.line("second").failed(router.now, "503", retry_after=10**9)
    router.advance(99)
    assert not router.line("first").up
    router.advance(2)
    assert router.line("first").up
    router.advance(200)
    assert router.line("second").up


@pytest.mark.parametrize(("cause", "up"), [("timeout", True), ("transport", True), ("408", True), ("503", False)])
def test_options_end_the_hold_of_a_silent_trunk_but_not_of_a_busy_one(cause: str, up: bool) -> None:
    router = Router(replace(FIRST, options_interval=10.0))
    router.start()
    router.line("first").failed(router.now, cause)
    router.advance(10)
    router.answer(router.received("OPTIONS")[-1], 200)
    assert router.line("first").up is up


def test_a_transport_error_asks_for_a_new_flow() -> None:
    router = Router(FIRST)
    router.start()
    line = router.line("first")
    old = line.flow
    assert line.flow is old
    line.failed(router.now, "transport")
    assert line.flow is not old


def test_a_lost_connection_asks_for_a_new_flow() -> None:
    router = Router(FIRST)
    router.start()
    line = router.line("first")
    old = line.flow
    router.lose(router.wires[0])
    assert line.flow is not old


def test_no_listener_is_told_to_the_call() -> None:
    router = Router(FIRST)
    router.unreachable.add("192.0.2.1")
    with pytest.raises(LookupError, match="no udp listener"):
        _ = router.line("first").flow


# ------------------------------------------------------------------------------------- how it is spoken to


@pytest.mark.parametrize(
    ("number_format", "country", "number", "written"),
    [
        ("e164", "BE", "+3242200121", "+3242200121"),
        ("e164_without_plus", "BE", "+3242200121", "3242200121"),
        ("national", "BE", "+3242200121", "042200121"),
        ("national", "BE", "+33142278186", "0033142278186"),
        ("national", "FR", "+33142278186", "0142278186"),
        ("national", "FR", "+3242200121", "003242200121"),
        ("e164", "BE", "112", "112"),
        ("e164_without_plus", "BE", "112", "112"),
        ("national", "BE", "112", "112"),
        ("national", "BE", "1722", "1722"),
    ],
)
def test_numbers_are_written_as_the_trunk_wants_them(
    number_format: str, country: str, number: str, written: str
) -> None:
    router = Router(replace(FIRST, number_format=number_format, country=country))
    assert router.line("first").written(number) == written


@pytest.mark.parametrize(
    ("changes", "host"),
    [
        ({}, "192.0.2.1:5080"),
        ({"port": 5060}, "192.0.2.1"),
        ({"host": "2001:db8::1"}, "[2001:db8::1]:5080"),
        ({"domain": "provider.example"}, "provider.example"),
    ],
)
def test_the_host_of_its_uris(changes: dict[str, object], host: str) -> None:
    assert Router(replace(FIRST, **changes)).line("first").host == host  # type: ignore[arg-type]


def test_an_unknown_country_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(LocalError, match="first: no dialling plan of country XX"):
        Router(replace(FIRST, number_format="national", country="XX"))


@pytest.mark.parametrize("uri", ["provider.example", "tel:+3242200100", "sip:", "sip:a b"])
def test_an_impossible_registrar_is_refused_before_anything_is_sent(uri: str) -> None:
    with pytest.raises(LocalError, match="trunk provider: registrar"):
        Router(registering(uri=uri))


# ------------------------------------------------------------------------------------ credentials of calls

URI = "sip:+32475111222@provider.example"


def verdict(provider: Gatekeeper, line: str | None) -> Verdict:
    assert line is not None and line.endswith("\r\n") and line.count("\r\n") == 1
    return provider.judge(line.partition(": ")[2].strip(), "INVITE", URI)


def nonce(text: str, more: str = "") -> str:
    return f'Digest realm="{REALM}",nonce="{text}",qop="auth"{more}'


@pytest.mark.parametrize(("status", "header"), [(401, "Authorization"), (407, "Proxy-Authorization")])
def test_a_challenged_invite_is_answered_and_the_next_one_spared(status: int, header: str) -> None:
    router = Router(registering())
    line = router.line()
    assert line.preemptive("INVITE", URI) == ""
    answered = line.credentials(challenge(status, nonce("one")), "INVITE", URI)
    assert answered is not None and answered.startswith(f"{header}: Digest ") and answered.endswith("\r\n")
    spared = line.preemptive("INVITE", URI)
    assert spared.startswith(f"{header}: Digest ")
    one, two = (Credentials.parse(text.partition(": ")[2].strip()) for text in (answered, spared))
    assert (one.nonce, one.count, two.nonce, two.count) == ("one", "00000001", "one", "00000002")
    assert one.cnonce != two.cnonce
    assert line.preemptive("REGISTER", f"sip:{REALM}") == ""  # the registrar's nonces are another matter


def test_the_answers_are_right_by_the_providers_own_reckoning() -> None:
    router = Router(registering())
    provider = Gatekeeper(router)
    line = router.line()
    for value in provider.challenges():
        answered = line.credentials(challenge(407, value), "INVITE", URI)
        assert verdict(provider, answered) is Verdict.OK
    assert verdict(provider, line.preemptive("INVITE", URI)) is Verdict.OK


def test_a_nonce_without_count_is_not_used_twice() -> None:
    line = Router(registering()).line()
    assert line.credentials(challenge(407, f'Digest realm="{REALM}",nonce="old"'), "INVITE", URI) is not None
    assert line.preemptive("INVITE", URI) == ""


def test_the_same_nonce_in_the_other_header_is_answered_in_that_one() -> None:
    line = Router(registering()).line()
    assert (line.credentials(challenge(401, nonce("x")), "INVITE", URI) or "").startswith("Authorization: ")
    assert (line.credentials(challenge(407, nonce("x")), "INVITE", URI) or "").startswith("Proxy-Authorization: ")


def test_a_refusal_is_not_answered_again_unless_stale_and_then_once() -> None:
    line = Router(registering()).line()
    assert line.credentials(challenge(407, nonce("a")), "INVITE", URI, answered=0) is not None
    assert line.credentials(challenge(407, nonce("b")), "INVITE", URI, answered=1) is None
    assert line.credentials(challenge(407, nonce("c", ",stale=true")), "INVITE", URI, answered=1) is not None
    assert line.credentials(challenge(407, nonce("d", ",stale=true")), "INVITE", URI, answered=2) is None


@pytest.mark.parametrize(
    "response",
    [
        challenge(407, 'Digest realm="evil.example",nonce="x",qop="auth"'),
        challenge(401, 'Digest realm="evil.example",nonce="x",qop="auth"'),
        challenge(407, nonce("x", ",algorithm=SHA-512-256")),
        challenge(407, f'Digest realm="{REALM}",nonce="x",qop="auth-int"'),
        challenge(407, 'Basic realm="provider.example"'),
        challenge(407, 'Digest realm="provider.example'),
        challenge(486, nonce("x")),
    ],
)
def test_what_must_not_or_cannot_be_answered_is_not(response: Response) -> None:
    line = Router(registering(realm=REALM)).line()
    assert line.credentials(response, "INVITE", URI) is None
    assert line.preemptive("INVITE", URI) == ""


def test_a_trunk_without_account_answers_no_challenge() -> None:
    line = Router(FIRST).line("first")
    assert line.credentials(challenge(407, nonce("x")), "INVITE", URI) is None
    assert line.preemptive("INVITE", URI) == ""


# ------------------------------------------------------------------------------------------------- reload


def test_a_reload_leaves_what_did_not_change_alone() -> None:
    router = Router(registering(), FIRST)
    router.start()
    router.accept(router.next("REGISTER"))
    router.line("first").failed(router.now, "408")
    lines = dict(router.trunks.lines)
    router.trunks.replace([registering(), FIRST], router.now)
    assert router.trunks.lines == lines
    assert names(router) == ["provider", "first"]
    assert router.received("REGISTER") == []


def test_a_reload_stops_what_is_gone_and_starts_what_is_new() -> None:
    router = Router(registering(), FIRST)
    router.start()
    router.accept(router.next("REGISTER"))
    new = replace(registering("other", user="9", uri="sip:other.example"), host="192.0.2.9", options_interval=30.0)
    router.trunks.replace([new], router.now)
    assert list(router.trunks.lines) == ["other"]
    old_end, new_start = router.received("REGISTER")
    assert (old_end.uri, old_end.get("expires")) == (f"sip:{REALM}", "0")
    assert (new_start.uri, new_start.get("expires")) == ("sip:other.example", "300")
    assert not router.settled()
    router.answer(old_end, 200)
    assert router.settled()
    router.accept(new_start)
    assert names(router) == ["other"]
    router.advance(60)
    assert len(router.received("OPTIONS")) > 0


def test_a_trunk_that_is_gone_is_no_news_whatever_the_calls_on_it_do() -> None:
    router = Router(FIRST, SECOND)
    router.start()
    line = router.line("first")
    router.trunks.replace([SECOND], router.now)
    line.failed(router.now, "503")
    assert line.flow.source == ("192.0.2.1", 5080)  # its calls can still be ended
    router.advance(60)
    assert router.events == []


def test_a_new_priority_costs_no_registration() -> None:
    router = Router(replace(registering(), priority=1), SECOND)
    router.start()
    router.accept(router.next("REGISTER"))
    assert names(router) == ["provider", "second"]
    router.trunks.replace([replace(registering(), priority=9), SECOND], router.now)
    assert names(router) == ["second", "provider"]
    assert router.received("REGISTER") == []
    assert router.line().up


def test_a_mended_password_is_tried_at_once() -> None:
    router = Router(registering(password="mistyped"))
    provider = Gatekeeper(router)
    router.start()
    provider.challenge(router.next("REGISTER"))
    provider.challenge(router.next("REGISTER"))
    assert not router.line().up
    router.trunks.replace([registering()], router.now)
    provider.challenge(router.next("REGISTER"))
    again = router.next("REGISTER")
    assert provider.verdict(again) is Verdict.OK
    router.accept(again)
    assert router.line().up


def test_a_password_mended_while_the_old_one_is_on_its_way_is_tried_right_after() -> None:
    router = Router(registering(password="mistyped"))
    provider = Gatekeeper(router)
    router.start()
    provider.challenge(router.next("REGISTER"))
    wrong = router.next("REGISTER")
    router.trunks.replace([registering()], router.now)
    assert router.received("REGISTER") == []
    provider.challenge(wrong)
    provider.challenge(router.next("REGISTER"))
    assert provider.verdict(router.next("REGISTER")) is Verdict.OK


def test_a_trunk_that_moved_registers_only_after_its_old_binding_is_gone() -> None:
    router = Router(registering())
    router.start()
    router.accept(router.next("REGISTER"))
    router.trunks.replace([replace(registering(), host="192.0.2.77")], router.now)
    old_end = router.next("REGISTER")
    assert old_end.get("expires") == "0"
    router.answer(old_end, 200)
    again = router.next("REGISTER")
    assert again.get("expires") == "300"
    assert again.call_id != old_end.call_id
    assert router.wires[-1].source == ("192.0.2.77", 5080)
    router.accept(again)
    assert router.line().up


def test_a_renamed_trunk_does_not_lose_its_binding_to_its_own_past() -> None:
    router = Router(FIRST, registering("old"))
    router.start()
    router.accept(router.next("REGISTER"))
    router.trunks.replace([registering("new")], router.now)
    old_end = router.next("REGISTER")
    assert old_end.get("expires") == "0"
    router.advance(33)  # even when the registrar does not answer
    assert [request.get("expires") for request in router.received("REGISTER")] == ["300"]


def test_stopping_during_a_move_starts_nothing() -> None:
    router = Router(registering())
    router.start()
    router.accept(router.next("REGISTER"))
    router.trunks.replace([replace(registering(), host="192.0.2.77")], router.now)
    router.trunks.stop(router.now)
    router.answer(router.next("REGISTER"), 200)
    assert router.settled()
    router.advance(4000)
    assert router.received("REGISTER") == []


def test_a_reload_that_cannot_be_followed_changes_nothing() -> None:
    router = Router(FIRST, SECOND)
    router.start()
    lines = dict(router.trunks.lines)
    with pytest.raises(LocalError):
        router.trunks.replace([replace(FIRST, priority=9), replace(THIRD, number_format="national", country="XX")], 0.0)
    assert router.trunks.lines == lines
    assert names(router) == ["first", "second"]


def test_health_checks_follow_a_changed_interval() -> None:
    checked = replace(FIRST, options_interval=30.0)
    router = Router(checked)
    router.start()
    router.advance(300)
    assert not router.line("first").up
    router.received("OPTIONS")
    router.trunks.replace([FIRST], router.now)
    assert router.line("first").up
    router.advance(600)
    assert router.received("OPTIONS") == []


def test_a_trunk_that_left_keeps_no_timer() -> None:
    router = Router(replace(registering(), options_interval=30.0))
    router.start()
    router.accept(router.next("REGISTER"))
    router.line().failed(router.now, "408")
    router.trunks.replace([], router.now)
    router.answer(router.next("REGISTER"), 200)
    router.advance(10)  # timer K
    assert router.stack.deadline == float("inf")
    assert router.stack.transactions == 0
    assert router.received("OPTIONS") == router.received("REGISTER") == []
