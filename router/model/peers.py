"""Who may talk to the router: listeners, trunks, PBXs and the accounts of devices.

These records are what the configuration compiles to and what `transport` and `calls` read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Network, IPv6Network

from router.model.decision import Connection
from router.model.sound import MediaWay


@dataclass(frozen=True, slots=True)
class Listener:
    """One SIP socket: `transport` is "udp" or "tcp" ("tls", "ws" later), `host` an IP literal without brackets.

    `advertised` ("host" or "host:port") replaces host and port in Via and Contact, for a router behind NAT
    or one that listens on a wildcard address.
    """

    transport: str
    host: str
    port: int
    advertised: str = ""


@dataclass(frozen=True, slots=True)
class Source:
    """A rule by which a peer is recognised: a network, and a port where one address houses several peers."""

    network: IPv4Network | IPv6Network
    port: int | None = None


@dataclass(frozen=True, slots=True)
class TrunkRegistration:
    """Registration with a provider: `uri` is the registrar ("sip:provider.example"), `user` the AOR's user part.

    `password` never leaves this record except into a digest for exactly this trunk and `realm` (None: the realm of the
    first challenge that comes from this trunk, kept from then on).
    """

    uri: str
    user: str
    auth_user: str
    password: str = field(repr=False)
    realm: str | None = None
    expires: int = 300  # seconds


@dataclass(frozen=True, slots=True)
class Trunk:
    """A way to the outside world.

    Args:
        host, port, transport: where calls go. `host` may be a name.
        sources: rules by which its calls are recognised (its own address and port are included already).
        priority: lower is tried first.
        number_format: how numbers are written towards it: "e164" (+3242200121), "e164_without_plus" (3242200121),
            "national" (042200121, of `country`).
        identity: which headers carry the shown number: "p_asserted_identity", "from" or "both".
        domain: host part of From, To and Request-URI; "" means the trunk's host.
        options_interval: seconds between OPTIONS health checks, 0 for none.
        registration: for trunks reached by REGISTER.
        credentials_realm: see `TrunkRegistration.realm`.
        country: ISO 3166-1 alpha-2; whose national numbers "national" means.
        media: which way the sound of its calls takes, at least.
    """

    name: str
    host: str
    port: int = 5060
    transport: str = "udp"
    sources: tuple[Source, ...] = ()
    priority: int = 10
    number_format: str = "e164"
    identity: str = "p_asserted_identity"
    domain: str = ""
    options_interval: float = 30.0
    registration: TrunkRegistration | None = None
    country: str = "BE"
    media: MediaWay = MediaWay.DIRECT


@dataclass(frozen=True, slots=True)
class Pbx:
    """A trusted PBX, recognised by source only. `host`, `port` say where its extensions are called ("" : never).
    `media` as in `Trunk`."""

    name: str
    sources: tuple[Source, ...]
    host: str = ""
    port: int = 5060
    transport: str = "udp"
    media: MediaWay = MediaWay.DIRECT


@dataclass(frozen=True, slots=True)
class Account:
    """A device that registers and calls, with digest. The user name is the AOR's user part and the digest user name.

    `until` (POSIX seconds) is the end of a private device's exception (D1): from then on REGISTER is refused with 403.
    `media` as in `Trunk`; `srtp`: see `MediaParty.keys`, for calls to it.
    """

    user: str
    person: str
    connection: Connection
    ha1_md5: str = field(repr=False)
    ha1_sha256: str | None = field(default=None, repr=False)
    until: float | None = None
    media: MediaWay = MediaWay.DIRECT
    srtp: str = ""
