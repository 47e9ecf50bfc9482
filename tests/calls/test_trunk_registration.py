"""Registration with a provider, as its registrar sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from router.sip.digest import Credentials, Verdict
from router.sip.message import Request
from tests.calls.provider import PASSWORD, REALM, Gatekeeper, Router, Wire, registering


def registered(router: Router, expires: int = 300) -> Request:
    """Start and let the registrar accept at once; the REGISTER that did it."""
    router.start()
    request = router.next("REGISTER")
    router.accept(request, expires)
    assert router.line().up
    return request


def wait_for(router: Router, limit: float) -> tuple[Request, float]:
    """The next REGISTER, and after how many seconds (to the second) it came."""
    began = router.now
    while router.now - began < limit:
        router.advance(1.0)
        found = router.received("REGISTER")
        if found:
            return found[0], router.now - began
    pytest.fail(f"no REGISTER came within {limit} s")


def time_out(router: Router) -> None:
    """Leave the REGISTER just sent without an answer until its transaction gives up."""
    router.advance(32.5)
    assert router.received("REGISTER") == []


# ------------------------------------------------------------------------------------------------ the usual story


def test_the_first_challenge_is_answered_and_the_trunk_comes_up() -> None:
    router = Router(registering())
    provider = Gatekeeper(router)
    router.start()
    first = router.next("REGISTER")
    assert first.uri == f"sip:{REALM}"
    assert (first.get("to"), first.get("expires")) == (f"<sip:32042200100@{REALM}>", "300")
    assert first.get("contact") == "<sip:32042200100@192.0.2.100:5060>"
    assert "authorization" not in first
    assert not router.line().up

    provider.challenge(first)
    second = router.next("REGISTER")
    assert provider.verdict(second) is Verdict.OK
    assert (second.call_id, second.from_tag, second.cseq) == (first.call_id, first.from_tag, first.cseq + 1)
    assert second.via.branch != first.via.branch
    router.accept(second)
    assert router.line().up
    assert router.events == [("provider", True, "")]


def test_a_proxy_challenge_is_answered_in_the_proxys_header() -> None:
    router = Router(registering())
    provider = Gatekeeper(router)
    router.start()
    provider.challenge(router.next("REGISTER"), 407)
    second = router.next("REGISTER")
    assert "authorization" not in second
    assert provider.judge(second.get("proxy-authorization") or "", "REGISTER", second.uri) is Verdict.OK


def test_refreshes_between_80_and_90_percent_without_another_challenge() -> None:
    router = Router(registering())
    provider = Gatekeeper(router)
    router.start()
    provider.challenge(router.next("REGISTER"))
    second = router.next("REGISTER")
    assert provider.verdict(second) is Verdict.OK
    router.accept(second, expires=1000)
    for count in (2, 3):
        refresh, after = wait_for(router, 1000)
        assert 800 <= after <= 900
        assert provider.verdict(refresh) is Verdict.OK
        assert Credentials.parse(refresh.get("authorization") or "").count == f"{count:08x}"
        assert (refresh.call_id, refresh.cseq) == (second.call_id, second.cseq + count - 1)
        router.accept(refresh, expires=1000)
    assert router.events == [("provider", True, "")]


def test_an_old_nonce_is_challenged_again_as_stale_and_answered() -> None:
    router = Router(registering())
    provider = Gatekeeper(router, lifetime=60)
    router.start()
    provider.challenge(router.next("REGISTER"))
    router.accept(router.next("REGISTER"))
    refresh, _ = wait_for(router, 300)
    assert provider.verdict(refresh) is Verdict.STALE
    provider.challenge(refresh, stale=True)
    again = router.next("REGISTER")
    assert provider.verdict(again) is Verdict.OK
    router.accept(again)
    assert router.line().up


def test_the_second_challenge_of_one_request_is_answered_only_when_stale_and_the_third_never() -> None:
    router = Router(registering())
    provider = Gatekeeper(router)
    router.start()
    provider.challenge(router.next("REGISTER"))
    provider.challenge(router.next("REGISTER"), stale=True)
    provider.challenge(router.next("REGISTER"), stale=True)
    assert router.received("REGISTER") == []
    assert not router.line().up


@pytest.mark.parametrize(
    ("headers", "granted"),
    [
        (["Contact: <sip:32042200100@192.0.2.100:5060>;expires=100", "Expires: 3600"], 100),
        (["Contact: <sip:32042200100@198.51.100.9:40000>;expires=100"], 100),
        (
            [
                "Contact: <sip:32042200100@203.0.113.5>;expires=3000, <sip:32042200100@192.0.2.100:5060>;expires=100",
                "Expires: 3600",
            ],
            100,
        ),
        (["Expires: 100"], 100),
        (["Contact: <sip:broken", "Expires: 100"], 100),
        (["Contact: <sip:a@192.0.2.7>;expires=5,,"], 300),
        ([], 300),
    ],
)
def test_the_granted_time_is_what_the_registrar_says_of_our_contact(headers: list[str], granted: int) -> None:
    router = Router(registering())
    router.start()
    router.answer(router.next("REGISTER"), 200, *headers)
    assert router.line().up
    _, after = wait_for(router, 4000)
    assert 0.8 * granted <= after <= 0.9 * granted


def test_an_interval_too_brief_is_lengthened_at_once_and_kept() -> None:
    router = Router(registering(expires=60))
    router.start()
    router.answer(router.next("REGISTER"), 423, "Min-Expires: 600")
    second = router.next("REGISTER")
    assert second.get("expires") == "600"
    router.accept(second, expires=600)
    refresh, after = wait_for(router, 600)
    assert refresh.get("expires") == "600"
    assert 480 <= after <= 540


@pytest.mark.parametrize("least", [None, "60", "30", "999999999", "soon"])
def test_a_423_that_says_nothing_useful_begins_no_loop(least: str | None) -> None:
    router = Router(registering(expires=60))
    router.start()
    router.answer(router.next("REGISTER"), 423, *([] if least is None else [f"Min-Expires: {least}"]))
    assert router.received("REGISTER") == []
    assert router.line().cause == "423 Interval Too Brief"
    wait_for(router, 60)


def test_a_registrar_that_raises_its_minimum_again_and_again_waits_for_its_turn() -> None:
    router = Router(registering(expires=60))
    router.start()
    router.answer(router.next("REGISTER"), 423, "Min-Expires: 61")
    router.answer(router.next("REGISTER"), 423, "Min-Expires: 62")
    assert router.received("REGISTER") == []
    wait_for(router, 60)


def test_the_service_route_is_kept_for_calls() -> None:
    router = Router(registering())
    router.start()
    request = router.next("REGISTER")
    router.answer(request, 200, "Service-Route: <sip:edge.provider.example;lr>, <sip:core.provider.example;lr>")
    assert router.line().routes == (
        "Route: <sip:edge.provider.example;lr>\r\nRoute: <sip:core.provider.example;lr>\r\n"
    )
    refresh, _ = wait_for(router, 300)
    router.accept(refresh)
    assert router.line().routes == ""


# ------------------------------------------------------------------------------------------------ the password


def test_another_realm_than_the_configured_one_is_never_answered() -> None:
    router = Router(registering(realm=REALM))
    stranger = Gatekeeper(router, realm="evil.example")
    router.start()
    stranger.challenge(router.next("REGISTER"))
    assert router.received("REGISTER") == []
    assert router.line().cause == f"401: no challenge can be answered for realm {REALM}"


def test_the_realm_of_the_first_challenge_is_the_only_one_from_then_on() -> None:
    router = Router(registering())
    provider, stranger = Gatekeeper(router), Gatekeeper(router, realm="evil.example")
    router.start()
    provider.challenge(router.next("REGISTER"))
    router.accept(router.next("REGISTER"))
    refresh, _ = wait_for(router, 300)
    stranger.challenge(refresh, stale=True)
    assert router.received("REGISTER") == []
    assert not router.line().up


def test_a_wrong_password_is_tried_once_and_then_left_alone_for_long() -> None:
    router = Router(registering())
    provider = Gatekeeper(router, password="another")
    router.start()
    provider.challenge(router.next("REGISTER"))
    second = router.next("REGISTER")
    assert provider.verdict(second) is Verdict.REFUSED
    provider.challenge(second)
    _, after = wait_for(router, 1801)
    assert after >= 900
    assert router.events[-1][1:] == (
        False,
        "401: the registrar refuses user and password; check auth_user, password and realm",
    )


def test_an_unreadable_challenge_is_a_refusal_not_an_accident() -> None:
    router = Router(registering())
    router.start()
    router.answer(router.next("REGISTER"), 401, 'WWW-Authenticate: Digest realm="provider.example')
    assert router.received("REGISTER") == []
    assert router.line().cause == "401: no challenge can be answered"
    wait_for(router, 1801)


def test_no_text_about_a_trunk_holds_its_password() -> None:
    trunk = registering()
    router = Router(trunk)
    provider = Gatekeeper(router)
    router.start()
    provider.challenge(router.next("REGISTER"))
    provider.challenge(router.next("REGISTER"))
    line = router.line()
    for text in (repr(trunk), repr(line), line.cause, repr(router.events), str(router.trunks)):
        assert PASSWORD not in text
    assert not any(PASSWORD.encode() in data for wire in router.wires for data in wire.sent)


# ------------------------------------------------------------------------------------------------ failures


def test_a_silent_registrar_is_asked_ever_less_often_up_to_a_cap() -> None:
    router = Router(registering())
    router.start()
    router.next("REGISTER")
    for low, high in ((30, 60), (60, 120), (120, 240), (150, 300), (150, 300)):
        router.advance(32.0)
        _, after = wait_for(router, 301)
        assert low <= after <= high + 1
    assert router.line().cause == "the registrar does not answer"


def test_two_routers_that_failed_together_do_not_come_back_together() -> None:
    pauses: set[int] = set()
    router = Router(*(registering(f"provider{n}", port=5080 + n) for n in range(8)))
    router.start()
    for request in router.received("REGISTER"):
        router.answer(request, 500)
    for second in range(61):
        pauses.update({second} if router.received("REGISTER") else ())
        router.advance(1.0)
    assert len(pauses) > 3


def test_retry_after_is_waited_for() -> None:
    router = Router(registering())
    router.start()
    router.answer(router.next("REGISTER"), 503, "Retry-After: 500 (busy);duration=60")
    _, after = wait_for(router, 501)
    assert after >= 500


def test_retry_after_does_not_lock_the_company_out_for_days() -> None:
    router = Router(registering())
    router.start()
    router.answer(router.next("REGISTER"), 503, "Retry-After: 999999999")
    wait_for(router, 3601)


def test_403_takes_the_trunk_down_says_so_and_is_not_tried_again_soon() -> None:
    router = Router(registering())
    registered(router)
    refresh, _ = wait_for(router, 300)
    router.answer(refresh, 403)
    assert router.events[-1] == ("provider", False, "403 Forbidden")
    _, after = wait_for(router, 1801)
    assert after >= 900


def test_a_failed_refresh_keeps_the_trunk_up_until_the_binding_lapses() -> None:
    router = Router(registering())
    registered(router, expires=300)
    began = router.now
    for _ in range(2):  # the refresh, and one more while the binding still lives
        refresh, _ = wait_for(router, 300)
        assert router.now - began < 300
        router.answer(refresh, 500)
    router.advance(began + 299 - router.now)
    assert router.line().up
    router.advance(2)
    assert router.events[-1] == ("provider", False, "the registration lapsed: 500 Server Internal Error")
    later, _ = wait_for(router, 301)
    router.accept(later)
    assert router.line().up


def test_an_icmp_error_leads_to_another_try_by_a_new_flow() -> None:
    router = Router(registering())
    router.start()
    router.refuse_to_deliver(router.next("REGISTER"))
    assert router.line().cause == "the registrar cannot be reached"
    request, after = wait_for(router, 61)
    assert after >= 29
    assert len(router.wires) == 2
    router.accept(request)
    assert router.line().up


def test_without_a_listener_the_trunk_is_down_until_there_is_one() -> None:
    router = Router(registering())
    router.unreachable.add("192.0.2.1")
    router.start()
    assert router.line().cause == "no udp listener for 192.0.2.1"
    router.unreachable.clear()
    request, _ = wait_for(router, 61)
    router.accept(request)
    assert router.line().up


def over_tcp() -> tuple[Router, Wire]:
    router = Router(replace(registering(), transport="tcp"))
    request = registered(router)
    assert request.get("contact") == "<sip:32042200100@192.0.2.100:5060;transport=tcp>"
    return router, router.wires[-1]


def test_a_lost_connection_is_replaced_at_once() -> None:
    router, wire = over_tcp()
    router.advance(100)
    router.lose(wire)
    assert router.events[-1] == ("provider", False, "the connection was lost")
    again = router.next("REGISTER")
    assert router.wires[-1] is not wire
    router.accept(again)
    assert router.line().up


def test_a_peer_that_accepts_and_closes_does_not_set_our_pace() -> None:
    router, wire = over_tcp()
    router.advance(1)
    router.lose(wire)
    _, after = wait_for(router, 61)
    assert after >= 29


def test_a_connection_lost_during_the_request_is_one_failure() -> None:
    router, _ = over_tcp()
    wait_for(router, 300)
    router.lose(router.wires[-1])
    assert router.received("REGISTER") == []
    _, after = wait_for(router, 61)
    assert after >= 29


def test_another_peers_connection_is_none_of_our_business() -> None:
    router, _ = over_tcp()
    router.advance(100)
    router.lose(Wire("tcp", "192.0.2.1", 5080))
    assert router.line().up
    assert router.received("REGISTER") == []


# ------------------------------------------------------------------------------------------------ the end


def test_stopping_takes_the_binding_back_with_credentials() -> None:
    router = Router(registering())
    provider = Gatekeeper(router, lifetime=10)
    router.start()
    provider.challenge(router.next("REGISTER"))
    router.accept(router.next("REGISTER"))
    router.advance(60)
    router.trunks.stop(router.now)
    assert not router.settled()
    farewell = router.next("REGISTER")
    assert farewell.get("expires") == "0"
    provider.challenge(farewell, stale=True)
    again = router.next("REGISTER")
    assert again.get("expires") == "0"
    assert provider.verdict(again) is Verdict.OK
    router.answer(again, 200)
    assert router.settled()
    router.advance(4000)
    assert router.received("REGISTER") == []


def test_stopping_waits_for_the_request_under_way_before_it_takes_the_binding_back() -> None:
    router = Router(registering())
    router.start()
    request = router.next("REGISTER")
    router.trunks.stop(router.now)
    assert router.received("REGISTER") == []
    router.accept(request)
    farewell = router.next("REGISTER")
    assert farewell.get("expires") == "0"
    router.answer(farewell, 200)
    assert router.settled()


def test_stopping_does_not_wait_for_ever() -> None:
    router = Router(registering())
    registered(router)
    router.trunks.stop(router.now)
    router.trunks.stop(router.now)
    router.next("REGISTER")
    time_out(router)
    assert router.settled()


def test_stopping_says_nothing_where_nothing_is_registered() -> None:
    router = Router(registering())
    router.start()
    router.answer(router.next("REGISTER"), 403)
    router.trunks.stop(router.now)
    assert router.settled()
    router.advance(4000)
    assert router.received("REGISTER") == []


# ------------------------------------------------------------------------------------------------ whatever happens

HEADERS = st.lists(
    st.sampled_from(
        [
            f'WWW-Authenticate: Digest realm="{REALM}",nonce="a",qop="auth"',
            f'WWW-Authenticate: Digest realm="{REALM}",nonce="b",qop="auth",stale=true',
            'WWW-Authenticate: Digest realm="evil.example",nonce="c"',
            f'Proxy-Authenticate: Digest realm="{REALM}",nonce="d"',
            "WWW-Authenticate: Digest realm=",
            "Min-Expires: 900",
            "Min-Expires: -1",
            "Retry-After: 120",
            "Retry-After: 99999999999",
            "Expires: 0",
            "Expires: 1",
            "Contact: *",
            "Contact: <sip:32042200100@192.0.2.100:5060>;expires=7",
            "Contact: ,,",
            "Service-Route: <sip:",
        ]
    ),
    max_size=3,
)
EVENTS = st.one_of(
    st.tuples(st.sampled_from([100, 200, 200, 302, 401, 401, 403, 407, 423, 500, 503, 600]), HEADERS),
    st.sampled_from([0.5, 20.0, 300.0]),
    st.sampled_from(["icmp", "lost", "password", "priority", "no listener"]),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(EVENTS, max_size=12))
def test_whatever_happens_the_trunk_is_tried_again_within_the_hour_and_can_always_be_left(
    events: list[tuple[int, list[str]] | float | str],
) -> None:
    router = Router(registering())
    router.start()
    for count, event in enumerate(events):
        requests = router.received("REGISTER")[-1:]  # RFC 3261 §10.2 allows one at a time: the others have timed out
        if isinstance(event, float):
            router.advance(event)
        elif isinstance(event, tuple) and requests:
            router.answer(requests[0], event[0], *event[1])
        elif event == "icmp" and requests:
            router.refuse_to_deliver(requests[0])
        elif event == "lost" and router.wires:
            router.lose(router.wires[-1])
        elif event == "password":
            router.trunks.replace([registering(password=f"changed {count}")], router.now)
        elif event == "priority":
            router.trunks.replace([replace(router.line().trunk, priority=count)], router.now)
        elif event == "no listener":
            router.unreachable ^= {"192.0.2.1"}
    router.unreachable.clear()
    for _ in range(3700):
        for request in router.received("REGISTER"):
            router.accept(request)
        if router.line().up:
            break
        router.advance(1.0)
    assert router.line().up
    router.trunks.stop(router.now)
    router.advance(200)
    assert router.settled()
    assert router.stack.deadline == float("inf")
