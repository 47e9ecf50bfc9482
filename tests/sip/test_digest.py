"""Digest, as a phone meets it at the router and as the router meets it at a trunk."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.sip.digest import Challenge, Credentials, DigestServer, Verdict, find_credentials, ha1, strongest
from router.sip.errors import LocalError, RemoteError

REALM = "renvoi.example"
KEY = bytes(range(32))
URI = "sip:100@renvoi.example"
ACCOUNTS = {
    ("201", "MD5"): ha1("201", REALM, "secret"),
    ("201", "SHA-256"): ha1("201", REALM, "secret", "SHA-256"),
    ("old", "MD5"): ha1("old", REALM, "secret"),
}


def look_up(user: str, algorithm: str) -> str | None:
    return ACCOUNTS.get((user, algorithm))


class Server:
    """A server on fake time, with salts that count up."""

    def __init__(self, lifetime: int = 300, max_nonces: int = 1000) -> None:
        salts = count(1)
        self.digest = DigestServer(
            REALM, KEY, lambda size: next(salts).to_bytes(size, "big"), lifetime=lifetime, max_nonces=max_nonces
        )
        self.now = 1000.0

    def challenges(self, now: float, stale: bool = False) -> list[str]:
        return self.digest.challenges(now, stale)

    def challenge(self, algorithm: str = "MD5", stale: bool = False) -> Challenge:
        (value,) = [value for value in self.challenges(self.now, stale) if f"algorithm={algorithm}," in value]
        challenge = strongest([value])
        assert challenge is not None
        return challenge

    def verdict(self, value: str, method: str = "INVITE", uri: str = URI) -> Verdict:
        credentials = find_credentials([value], REALM)
        assert credentials is not None
        return self.digest.check(credentials, method, uri, look_up, self.now)


def answer(challenge: Challenge, user: str = "201", password: str = "secret", uri: str = URI, nc: int = 1) -> str:
    return challenge.answer(user, password, "INVITE", uri, "c0ffee", nc)


def without_qop(challenge: Challenge) -> Challenge:
    return Challenge(challenge.realm, challenge.nonce, challenge.algorithm)


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
def test_the_right_password_is_accepted_and_a_wrong_one_refused(algorithm: str) -> None:
    server = Server()
    assert server.verdict(answer(server.challenge(algorithm))) is Verdict.OK
    assert server.verdict(answer(server.challenge(algorithm), password="Secret")) is Verdict.REFUSED


def test_what_is_not_exactly_this_request_is_refused() -> None:
    server = Server()
    value = answer(server.challenge())
    assert server.verdict(value, method="REGISTER") is Verdict.REFUSED
    assert server.verdict(value, uri="sip:+33900123456@renvoi.example") is Verdict.REFUSED
    assert server.verdict(value, uri="sip:100@elsewhere.example") is Verdict.REFUSED
    assert server.verdict(value.replace("qop=auth", "qop=auth-int")) is Verdict.REFUSED
    assert server.verdict(value.replace("algorithm=MD5", "algorithm=SHA-256")) is Verdict.REFUSED
    assert server.verdict(value.replace("algorithm=MD5", "algorithm=AKAv1-MD5")) is Verdict.REFUSED
    assert server.verdict(value) is Verdict.OK


def test_a_digest_uri_that_differs_in_port_and_parameters_only_is_accepted() -> None:
    server = Server()
    value = answer(server.challenge(), uri="sip:100@RENVOI.example")
    assert server.verdict(value, uri="sip:100@renvoi.example:5060;transport=tcp") is Verdict.OK


def test_a_digest_uri_that_names_the_server_alone_is_accepted() -> None:
    # SIPp and some trunk adapters sign "sip:host:port" whomever they call
    server = Server()
    assert server.verdict(answer(server.challenge(), uri="sip:renvoi.example:5060")) is Verdict.OK
    assert server.verdict(answer(server.challenge(), uri="sip:elsewhere.example")) is Verdict.REFUSED


def test_an_unknown_user_sees_what_a_wrong_password_sees() -> None:
    server = Server()
    unknown = server.verdict(answer(server.challenge(), user="999"))
    wrong = server.verdict(answer(server.challenge(), password="wrong"))
    assert unknown is wrong is Verdict.REFUSED


def test_knowing_the_decoy_does_not_let_an_unknown_user_in() -> None:
    # The decoy HA1 is H(":realm:key"): even who had the key would not be a user.
    server = Server()
    assert server.verdict(server.challenge().answer("", KEY.hex(), "INVITE", URI, "c0ffee")) is Verdict.REFUSED


def test_an_overheard_answer_is_worth_nothing() -> None:
    server = Server()
    value = answer(server.challenge())
    assert server.verdict(value) is Verdict.OK
    assert server.verdict(value) is Verdict.STALE


def test_a_phone_may_count_on_and_overtake_itself_but_not_repeat() -> None:
    server = Server()
    challenge = server.challenge()
    verdicts = [server.verdict(answer(challenge, nc=nc)) for nc in (2, 5, 3, 5, 3, 4, 1, 2, 200, 137, 136, 199, 5)]
    ok, stale = Verdict.OK, Verdict.STALE
    assert verdicts == [ok, ok, ok, stale, stale, ok, ok, stale, ok, ok, stale, ok, stale]


def test_without_qop_a_nonce_serves_once() -> None:
    server = Server()
    challenge = without_qop(server.challenge())
    assert server.verdict(answer(challenge)) is Verdict.OK
    assert server.verdict(challenge.answer("201", "secret", "BYE", URI, ""), "BYE") is Verdict.STALE


def test_a_nonce_used_with_a_count_cannot_be_replayed_without_one() -> None:
    server = Server()
    challenge = server.challenge()
    assert server.verdict(answer(challenge)) is Verdict.OK
    assert server.verdict(answer(without_qop(challenge))) is Verdict.STALE
    other = server.challenge()
    assert server.verdict(answer(without_qop(other))) is Verdict.OK
    assert server.verdict(answer(other)) is Verdict.STALE


def test_an_old_nonce_is_stale_only_for_who_knows_the_password() -> None:
    server = Server(lifetime=60)
    challenge = server.challenge()
    server.now += 60
    assert server.verdict(answer(challenge, nc=1)) is Verdict.OK
    server.now += 1
    assert server.verdict(answer(challenge, nc=2)) is Verdict.STALE
    assert server.verdict(answer(challenge, nc=2, password="wrong")) is Verdict.REFUSED
    assert server.challenge(stale=True).stale
    assert not server.challenge().stale


@pytest.mark.parametrize("nonce", ["", "0", "é" * 58, "f" * 58, "x" * 58])
def test_a_nonce_of_somebody_else_is_stale(nonce: str) -> None:
    server = Server()
    assert server.verdict(answer(Challenge(REALM, nonce, "MD5", True))) is Verdict.STALE


def test_a_nonce_of_before_the_key_changed_is_stale_not_refused() -> None:
    before = DigestServer(REALM, b"another key of the past", bytes)
    challenge = strongest(before.challenges(1000.0))
    assert challenge is not None
    assert Server().verdict(answer(challenge)) is Verdict.STALE


def test_forgetting_nonces_never_lets_a_replay_through() -> None:
    server = Server(max_nonces=3)
    values = []
    for _ in range(10):
        server.now += 1
        values.append(answer(server.challenge()))
        assert server.verdict(values[-1]) is Verdict.OK
    assert [server.verdict(value) for value in values] == [Verdict.STALE] * 10


def test_wrong_answers_do_not_push_the_nonces_of_others_out() -> None:
    server = Server(max_nonces=2)
    challenge = server.challenge()
    assert server.verdict(answer(challenge, nc=1)) is Verdict.OK
    for _ in range(10):
        server.now += 1
        assert server.verdict(answer(server.challenge(), password="guess")) is Verdict.REFUSED
    assert server.verdict(answer(challenge, nc=2)) is Verdict.OK


def test_a_server_offers_the_strongest_first_and_a_client_chooses_it() -> None:
    server = Server()
    values = server.challenges(server.now)
    assert [("SHA-256" in value, "MD5" in value) for value in values] == [(True, False), (False, True)]
    chosen = strongest(reversed(values), REALM)
    assert chosen is not None
    assert chosen.algorithm == "SHA-256"


def test_a_server_that_offers_md5_alone_refuses_sha_256() -> None:
    server = DigestServer(REALM, KEY, bytes, ["MD5"])
    (value,) = server.challenges(1000.0)
    challenge = strongest([value])
    assert challenge is not None
    sha = Challenge(challenge.realm, challenge.nonce, "SHA-256", True)
    credentials = Credentials.parse(answer(sha))
    assert server.check(credentials, "INVITE", URI, look_up, 1000.0) is Verdict.REFUSED


@pytest.mark.parametrize(
    ("challenge", "user", "password", "uri", "cnonce", "response"),
    [
        # RFC 7616 §3.9.1
        (
            Challenge("http-auth@example.org", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "MD5", True),
            "Mufasa", "Circle of Life", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "8ca523f5e9506fed4657c9700eebdbec",
        ),
        (
            Challenge("http-auth@example.org", "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", "SHA-256", True),
            "Mufasa", "Circle of Life", "/dir/index.html", "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
            "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        ),
        # RFC 2617 §3.5, and the same without qop
        (
            Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093", "", True),
            "Mufasa", "Circle Of Life", "/dir/index.html", "0a4f113b", "6629fae49393a05397450978507c4ef1",
        ),
        (
            Challenge("testrealm@host.com", "dcd98b7102dd2f0e8b11d0f600bfb0c093"),
            "Mufasa", "Circle Of Life", "/dir/index.html", "0a4f113b", "670fd8c2df070c60b045671b8b24ff02",
        ),
    ],
)  # fmt: skip
def test_the_client_computes_what_the_rfcs_compute(
    challenge: Challenge, user: str, password: str, uri: str, cnonce: str, response: str
) -> None:
    credentials = Credentials.parse(challenge.answer(user, password, "GET", uri, cnonce))
    assert (credentials.response, credentials.username, credentials.realm) == (response, user, challenge.realm)


def test_a_client_answers_the_realm_of_its_trunk_only() -> None:
    foreign = 'Digest realm="evil.example", nonce="n", algorithm=SHA-256, qop="auth"'
    own = 'Digest realm="trunk.example", nonce="n", algorithm=MD5, qop="auth,auth-int", opaque="o", stale=TRUE'
    assert strongest([foreign], "trunk.example") is None
    assert strongest([foreign, own], "trunk.example") == Challenge("trunk.example", "n", "MD5", True, "o", True)
    assert strongest([own], None) is not None


@pytest.mark.parametrize(
    "value",
    [
        'Basic realm="trunk.example"',
        'Digest realm="r", nonce="n", algorithm=SHA-512-256, qop="auth"',
        'Digest realm="r", nonce="n", algorithm=MD5-sess, qop="auth"',
        'Digest realm="r", nonce="n", qop="auth-int"',
    ],
)
def test_a_client_passes_over_what_it_does_not_speak(value: str) -> None:
    assert strongest([value]) is None


def test_an_answer_echoes_opaque_and_cannot_be_made_to_inject() -> None:
    challenge = strongest(['Digest realm="a \\"b\\"", nonce="n", opaque="o\\\r\\\nX: y"'])
    assert challenge is not None
    value = challenge.answer('2"01', "secret", "REGISTER", "sip:trunk.example", "c")
    assert "\r" not in value
    assert "\n" not in value
    assert (Credentials.parse(value).realm, Credentials.parse(value).username) == ('a "b"', '2"01')


def test_other_schemes_and_realms_are_passed_over() -> None:
    # RFC 4475 §3.3.3: an unknown scheme is as good as no credentials
    server = Server()
    value = answer(server.challenge())
    elsewhere = value.replace(REALM, "proxy.example")
    assert find_credentials(["NoOneKnowsThisScheme opaque-data=here", elsewhere], REALM) is None
    found = find_credentials([elsewhere, value], REALM)
    assert found is not None
    assert found.username == "201"


@pytest.mark.parametrize(
    "value",
    [
        "Digest ",
        "Digest username",
        'Digest username="201"',
        'Digest username="201", realm="r", nonce="n", uri="sip:a", response="x', 
        'Digest username="201"x, realm="r", nonce="n", uri="sip:a", response="x"',
        'Digest username="201", username="202", realm="r", nonce="n", uri="sip:a", response="x"',
        'Digest username="201", realm="r", nonce="n", uri="sip:a", response="x", qop=auth, nc=00000001',
        'Digest username="201", realm="r", nonce="n", uri="sip:a", response="x", qop=auth, cnonce="c"',
        'Digest username="201", realm="r", nonce="n", uri="sip:a", response="x", qop=auth, cnonce="c", nc=00000000',
        'Digest username="201", realm="r", nonce="n", uri="sip:a", response="x", qop=auth, cnonce="c", nc=+0000001',
        'Digest username="201", realm="r", nonce="n", uri="sip:a", response="x", qop=auth, cnonce="c", nc=1',
        'Digest username="201", realm="r", nonce="n", uri="a:b", response="x", qop=auth, cnonce="c", nc=0000000\u0661',
        'Digest username="201",, realm="r", nonce="n", uri="sip:a", response="x"',
    ],
)  # fmt: skip
def test_credentials_that_cannot_be_read_are_refused_with_400(value: str) -> None:
    with pytest.raises(RemoteError) as refused:
        find_credentials([value], "r")
    assert refused.value.status == 400


@given(st.text(alphabet='Digest username="201",realm=r\\qop\0\r\né\udcff', max_size=60))
def test_garbage_is_refused_or_read(garbage: str) -> None:
    for value in (garbage, f"Digest {garbage}", f'Digest realm="r", nonce="n",{garbage}'):
        try:
            find_credentials([value], "r")
            strongest([value])
        except RemoteError as error:
            assert error.status == 400


def test_a_key_that_can_be_guessed_is_not_taken() -> None:
    with pytest.raises(LocalError):
        DigestServer(REALM, b"short", bytes)
