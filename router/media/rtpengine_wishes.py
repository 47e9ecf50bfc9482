"""What rtpengine is asked for, so that each party of a call gets what it speaks: RTP, SRTP or what browsers speak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final, NamedTuple

from router.media.bencode import Encodable
from router.model.sound import MediaParty
from router.sip.sdp import protection

PLAIN, SDES, DTLS = "", "sdes", "dtls"  # as in `MediaParty.keys`
OPTIONAL: Final = "optional"  # keys are offered, and may be declined (opportunistic SRTP, RFC 8643)

# What is left to offer is AES_CM_128 with HMAC_SHA1_80 or _32, which every phone has (RFC 4568 §6.2). NULL protects
# nothing, F8 is nowhere; in AES-GCM, which rtpengine would offer first, it and baresip do not hear each other.
_NOT_OFFERED: Final = (
    "no-AEAD_AES_256_GCM",
    "no-AEAD_AES_128_GCM",
    *(f"no-{name}_HMAC_SHA1_{n}" for name in ("AES_256_CM", "AES_192_CM", "F8_128", "NULL") for n in (80, 32)),
)

# What is offered to a party, by how it protects its sound. ICE is for browsers alone, which insist on it (RFC 8827).
_BESIDES_BROWSERS: Final[Mapping[str, Encodable]] = {"ICE": "remove", "DTLS": "off", "rtcp-mux": ("demux",)}
_OFFERED: Final[Mapping[str, Mapping[str, Encodable]]] = {
    PLAIN: {"transport-protocol": "RTP/AVP", **_BESIDES_BROWSERS},
    OPTIONAL: {"transport-protocol": "RTP/AVP", **_BESIDES_BROWSERS, "SDES": _NOT_OFFERED, "OSRTP": ("offer",)},
    SDES: {"transport-protocol": "RTP/SAVP", **_BESIDES_BROWSERS, "SDES": _NOT_OFFERED},
    DTLS: {"transport-protocol": "UDP/TLS/RTP/SAVPF", "ICE": "force", "rtcp-mux": ("offer",), "SDES": ("off",)},
}

# origin, session-connection: nobody sees the other party's address. SDP-version: it rises with what rtpengine changes.
_REPLACED: Final = ("origin", "session-connection", "SDP-version")

# See `RtpengineSettings`.
Interfaces = Sequence[tuple[IPv4Network | IPv6Network, str]]


class Manner(NamedTuple):
    """How a party speaks.

    Args:
        keys: how its sound is protected: see `MediaParty.keys`, or `OPTIONAL`.
        profile: the transport protocol that its description names, such as RTP/AVPF; "": the usual one.
    """

    keys: str
    profile: str = ""


def spoken(sdp: bytes) -> Manner:
    """Return the manner of whoever says this, by its first audio stream."""
    keys = protection(sdp) or (OPTIONAL if b"\na=crypto:" in sdp else PLAIN)
    for line in sdp.splitlines():
        if line.startswith(b"m=audio "):
            return Manner(keys, line.split()[2].decode(errors="replace") if len(line.split()) > 2 else "")
    return Manner(keys)


def offer_wishes(
    sdp: bytes, giver: MediaParty, taker: MediaParty, manner: Manner, interfaces: Interfaces
) -> dict[str, Encodable]:
    """Return what is asked for an offer on its way from `giver` to `taker`, in the manner of the latter."""
    wishes: dict[str, Encodable] = {
        **_OFFERED[manner.keys],
        **_origin(sdp, giver),
        "address-family": "IP6" if ":" in taker.host else "IP4",
    }
    if manner.profile:
        wishes["transport-protocol"] = manner.profile
    if manner.keys == DTLS:
        wishes["flags"] = (*_flags(sdp, giver), "generate-mid")
    if interfaces:
        wishes["direction"] = (_interface(giver.host, interfaces), _interface(taker.host, interfaces))
    return wishes


def answer_wishes(sdp: bytes, giver: MediaParty) -> dict[str, Encodable]:
    """Return what is asked for an answer of `giver`: whoever made the offer gets it in the manner of that offer."""
    return _origin(sdp, giver)


def _origin(sdp: bytes, giver: MediaParty) -> dict[str, Encodable]:
    return {
        "replace": _REPLACED,
        "received-from": ("IP6" if ":" in giver.host else "IP4", giver.host),
        "flags": _flags(sdp, giver),
        # What comes from where the description says goes first; before 10.5.9 what came last counts, for three seconds.
        "endpoint-learning": "heuristic",
    }


def _flags(sdp: bytes, giver: MediaParty) -> tuple[str, ...]:
    """strict-source: once it is known where a party's sound comes from, what comes from elsewhere is dropped."""
    return ("strict-source", "SIP-source-address" if _is_behind_nat(sdp, giver.host) else "trust-address")


def _is_behind_nat(sdp: bytes, host: str) -> bool:
    """Whether a description names an address that means nothing outside its network, while its sender is outside of
    ours. 0.0.0.0 is none: it is how phones once asked for silence (RFC 3264 §8.4)."""
    for line in sdp.splitlines():
        if line.startswith((b"c=IN IP4 ", b"c=IN IP6 ")):
            said, seen = _address(line[9:].decode(errors="replace")), _address(host)
            if said is None or seen is None:
                return False
            return not said.is_global and not said.is_unspecified and seen.is_global
    return False


def _interface(host: str, interfaces: Interfaces) -> str:
    address = ip_address(host)
    return next((name for network, name in interfaces if address in network), interfaces[-1][1])


def _address(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text.strip())
    except ValueError:
        return None
