"""The sections about what the router runs on: sockets, storage, trunks and PBXs, sources that are fetched, the API."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from router.configuration.section import Section
from router.configuration.short_forms import PeerSources, Words, as_list, with_address
from router.configuration.values import Address, Duration, HostAddress, Listen, StandIn, UserName, read_product


class RegistrarSection(Section):
    min_expires: Duration = 60
    max_expires: Duration = 3600
    default_expires: Duration = 600


class Sip(Section):
    listen: Annotated[list[Listen], BeforeValidator(as_list), Field(min_length=1), StandIn("udp:127.0.0.1:5060")]
    advertised: str = ""
    realm: str = "renvoi"
    digest: Annotated[list[Literal["md5", "sha-256"]], BeforeValidator(as_list)] = Field(default=["md5"], min_length=1)
    user_agent: Annotated[str, BeforeValidator(read_product), StandIn("Renvoi")] = "Renvoi"
    registrar: RegistrarSection = RegistrarSection()


class Http(Section):
    listen: HostAddress = Address("127.0.0.1", 8080)


class Storage(Section):
    """Relative paths start at the directory in which the router runs."""

    directory: str = "var"
    records: str | None = None


class RtpengineSection(Section):
    """What relays the sound of phones behind NAT, of SRTP and of browsers. `address` is where its ng protocol listens;
    the least busy of several gets the next call. `interfaces`: where it has several, their names, by the network of
    the party that each is for; the narrowest network counts."""

    address: Annotated[list[HostAddress], BeforeValidator(as_list), Field(min_length=1), StandIn("127.0.0.1:2223")]
    interfaces: dict[str, str] = Field(default={})


# Which way the sound of a call takes: of several wishes the one that stands further right.
MediaChoice = Literal["direct", "relay", "rtpengine"]


class Media(Section):
    """Sound of the router's own: announcements and messages. `enabled`: usually where a target needs it; `address`: the
    router's IP addresses for sound, usually those that it listens on; `ports`: for RTP and RTCP; `recordings`: folder
    of the company's own, which go before those that come with the router. `default` is the way that the sound of calls
    takes where no trunk, PBX or device says another, `fallback` what becomes of a call that cannot be relayed."""

    enabled: bool | None = None
    address: Words = Field(default=[])
    ports: str = "16384-32767"
    recordings: str | None = None
    default: MediaChoice = "direct"
    fallback: Literal["direct", "none"] = "direct"
    rtpengine: Annotated[RtpengineSection | None, BeforeValidator(with_address)] = None


class MailSection(Section):
    """Who hands in e-mails about new messages, and where (RFC 6409). They go to everybody who has a mailbox and an
    `email`. `password_file` is relative to the configuration."""

    sender: str = Field(alias="from")
    server: str
    port: int | None = Field(default=None, ge=1, le=65535)
    tls: Literal["starttls", "tls", "none"] = "starttls"
    ca_file: str | None = None
    user: str | None = None
    password_file: str | None = None
    attach: bool = True


class Voicemail(Section):
    """What holds for every mailbox of the router's own (V1)."""

    keep_days: float = Field(default=90, gt=0)
    max_messages: int = Field(default=100, ge=1)
    max_total: Duration = 3600
    max_length: Duration = 180
    silence: Duration = 5
    email: MailSection | None = None


class CallbacksSection(Section):
    """How callers are called back who wished it (P3): after how many tries in vain, of the person or of the caller, it
    is left to the person, and how often and for how long is tried. With 0 tries the router calls nobody back."""

    tries: int = Field(default=3, ge=0, le=100)
    every: Duration = Field(default=900, ge=60)
    keep_days: float = Field(default=7, gt=0)


class Registration(Section):
    """`registrar` is "sip:provider.example"; the password comes from one of three places."""

    registrar: str
    user: UserName
    auth_user: str | None = None
    password: str | None = None
    password_file: str | None = None
    realm: str | None = None
    expires: Duration = 300


class TrunkSection(Section):
    address: HostAddress
    transport: Literal["udp", "tcp"] = "udp"
    sources: PeerSources = Field(default=[], alias="from")
    priority: int = 10
    number_format: Literal["e164", "e164_without_plus", "national"] = "e164"
    identity: Literal["p_asserted_identity", "from", "both"] = "p_asserted_identity"
    domain: str = ""
    options_interval: Duration = 30
    register_: Registration | None = Field(default=None, alias="register")
    media: MediaChoice | None = None


class PbxSection(Section):
    sources: PeerSources = Field(alias="from")
    address: HostAddress | None = None
    transport: Literal["udp", "tcp"] = "udp"
    media: MediaChoice | None = None


class GreylistSource(Section):
    """A list that somebody else keeps: one prefix a line, fetched `every` so often.

    `url` is https:, http: or a file; what comes is used only if it agrees with the SHA-256 that stands at `sha256`
    (64 hexadecimal digits, or the URL of a file that begins with them), or with the Ed25519 signature at `signature` by
    `signed_by` (both base64). A source that was not fetched for `stale_after` is reported.
    """

    url: str
    every: Duration = 3600
    sha256: str | None = None
    signature: str | None = None
    signed_by: str | None = None
    stale_after: Duration = 2 * 86400
    inbound: bool = False


class CalendarFeed(Section):
    """How people's calendars (`people.*.calendar`, a file or a URL) are read.

    `profiles` gives, by a word in an event's title or category, the profile that it sets; "" is for all others, and the
    only one that private events are matched with. Without it the profile with `from_calendar: true` is set.
    """

    every: Duration = 300
    stale_after: Duration = 86400
    profiles: dict[str, str] = Field(default={})


class Token(Section):
    """A bearer token of the API: `hash` is "sha256:…" as `renvoi token` prints it; `person` for the role "person"."""

    hash: str
    role: Literal["administrator", "reception", "reader", "person"]
    person: str | None = None
    until: date | None = None


class Api(Section):
    tokens: dict[str, Token] = Field(default={})
