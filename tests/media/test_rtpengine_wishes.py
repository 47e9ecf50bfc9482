"""What rtpengine is asked for, by what each party says and where it is."""

from __future__ import annotations

from ipaddress import ip_network

import pytest

from router.media.rtpengine_wishes import DTLS, OPTIONAL, PLAIN, SDES, Manner, answer_wishes, offer_wishes, spoken
from router.model.sound import MediaParty

SDP = "v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP{family} {host}\r\nt=0 0\r\nm=audio 4000 RTP/AVP 8\r\n"
KEY = "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:x"
HOME, OFFICE, WORLD = "10.1.2.3", "10.0.0.9", "203.0.113.5"


def sdp(host: str) -> bytes:
    return SDP.format(host=host, family=6 if ":" in host else 4).encode()


@pytest.mark.parametrize(
    ("lines", "manner"),
    [
        ("m=audio 4000 RTP/AVP 8", Manner(PLAIN, "RTP/AVP")),
        ("m=audio 4000 RTP/AVPF 8", Manner(PLAIN, "RTP/AVPF")),
        (f"m=audio 4000 RTP/AVP 8\r\n{KEY}", Manner(OPTIONAL, "RTP/AVP")),
        (f"m=audio 4000 RTP/SAVP 8\r\n{KEY}", Manner(SDES, "RTP/SAVP")),
        (f"m=audio 4000 RTP/SAVPF 8\r\n{KEY}", Manner(SDES, "RTP/SAVPF")),
        ("m=audio 4000 RTP/SAVPF 8\r\na=fingerprint:sha-256 AA", Manner(DTLS, "RTP/SAVPF")),
        ("m=audio 4000 UDP/TLS/RTP/SAVPF 8\r\na=fingerprint:sha-256 AA", Manner(DTLS, "UDP/TLS/RTP/SAVPF")),
        ("m=video 4000 RTP/AVPF 96\r\nm=audio 4002 RTP/AVP 8", Manner(PLAIN, "RTP/AVP")),
        ("m=audio", Manner(PLAIN)),
        ("m=audio ", Manner(PLAIN)),
        ("", Manner(PLAIN)),
    ],
)
def test_how_a_party_speaks_is_told_by_its_first_audio_stream(lines: str, manner: Manner) -> None:
    assert spoken(f"v=0\r\n{lines}\r\n".encode()) == manner


def test_a_party_is_offered_what_it_spoke_before() -> None:
    caller, callee = MediaParty("caller", OFFICE), MediaParty("callee", OFFICE)
    assert offer_wishes(sdp(OFFICE), caller, callee, Manner(SDES), ())["transport-protocol"] == "RTP/SAVP"
    for profile in ("RTP/AVPF", "RTP/SAVPF"):
        assert offer_wishes(sdp(OFFICE), caller, callee, Manner(PLAIN, profile), ())["transport-protocol"] == profile


@pytest.mark.parametrize(
    ("said", "seen", "trusted"),
    [
        (HOME, "198.51.100.7", True),  # documentation addresses are nobody's
        (HOME, "8.8.8.8", False),  # behind NAT: its own address means nothing to us
        ("fd00::1", "2001:4860:4860::8888", False),
        (HOME, OFFICE, True),  # in one network with us, or behind a NAT of our own
        ("8.8.4.4", "8.8.8.8", True),  # a provider's sound comes from elsewhere than its signalling
        ("0.0.0.0", "8.8.8.8", True),  # hold, as it was once said
        ("phone.example", "8.8.8.8", True),
    ],
)
def test_an_address_behind_nat_is_replaced_by_that_of_the_signalling(said: str, seen: str, trusted: bool) -> None:
    wishes = answer_wishes(sdp(said), MediaParty("callee", seen))
    assert wishes["received-from"] == ("IP6" if ":" in seen else "IP4", seen)
    assert wishes["flags"] == ("strict-source", "trust-address" if trusted else "SIP-source-address")


def test_each_party_is_met_at_the_interface_of_the_narrowest_network() -> None:
    interfaces = tuple(
        (ip_network(network), name)
        for network, name in (("10.0.0.0/24", "office"), ("10.0.0.0/8", "vpn"), ("0.0.0.0/0", "world"))
    )

    def direction(giver: str, taker: str) -> object:
        caller, callee = MediaParty("caller", giver), MediaParty("callee", taker)
        return offer_wishes(sdp(giver), caller, callee, Manner(PLAIN), interfaces)["direction"]

    assert direction(OFFICE, WORLD) == ("office", "world")
    assert direction(WORLD, HOME) == ("world", "vpn")
    assert direction("2001:db8::1", OFFICE) == ("world", "office"), "the last one is for all others"


def test_a_party_is_offered_an_address_of_its_own_family() -> None:
    caller, callee = MediaParty("caller", OFFICE), MediaParty("callee", "2001:db8::1")
    assert offer_wishes(sdp(OFFICE), caller, callee, Manner(PLAIN), ())["address-family"] == "IP6"
    assert offer_wishes(sdp(OFFICE), callee, caller, Manner(PLAIN), ())["address-family"] == "IP4"
    assert "direction" not in offer_wishes(sdp(OFFICE), callee, caller, Manner(PLAIN), ())
