"""What a configuration directory compiles to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from router.configuration.findings import Finding
from router.model.access import ApiToken
from router.model.callback import CallbackRules
from router.model.feeds import Feeds
from router.model.mailbox import Mailbox, MailServer, VoicemailRules
from router.model.peers import Account, Listener, Pbx, Trunk
from router.model.queue import AgentRules
from router.model.queue_service import QueueService
from router.model.sound import MediaSettings, RelayRules, RtpengineSettings
from router.policy.snapshot import Policy


@dataclass(frozen=True, slots=True)
class RegistrarBounds:
    """Bounds of a binding's lifetime in seconds (RFC 3261 §10.3): shorter is answered 423, longer is cut."""

    min_expires: int
    max_expires: int
    default_expires: int


@dataclass(frozen=True, slots=True)
class Configuration:
    """Everything the router needs to know, immutable.

    Args:
        directory: where it was read.
        company_name: as the company calls itself.
        policy: the compiled policy, for `decide`.
        listeners: SIP sockets to open.
        realm: digest realm of the accounts (RFC 3261 §22.1).
        digest_algorithms: what is offered to phones, in this order ("MD5", "SHA-256"; RFC 8760). SHA-256 only where the
            configuration says so: phones of today give up on a challenge that they do not know.
        user_agent: value of User-Agent and Server.
        http_host, http_port: where metrics and health are served.
        trunks: by priority, lowest first.
        pbxs: trusted PBXs.
        accounts: devices by user name (AOR user part and digest user).
        data_directory: where databases lie; `record_path`: the call records (JSON lines).
        registrar: see `RegistrarBounds`.
        hash: SHA-256 of the sources, hexadecimal.
        warnings: findings that do not stop the router.
        texts: of the .yaml files, packed (see `texts.py`); they hold whatever secrets the files do.
        phone_models: what the User-Agents of the inventory's phones begin with (D3).
        private_phone_days: days after which a private phone is reported (D2).
        api_tokens: who may use the API.
        feeds: sources that somebody else keeps.
        mailboxes: by name; voicemail: what holds for all of them; mail: who tells of new messages by e-mail (V1).
        callbacks: how callers are called back (P3).
        media: how the media engine runs; None: the router itself says nothing to anybody.
        rtpengine: what relays sound that the engine cannot.
        relaying: which way the sound of calls takes.
        recordings: folder of the company's own prompts.
        queues: by name; agents: who answers them.
        languages: of what callers are told, the first one first; country: ISO 3166-1 alpha-2.
    """

    directory: Path
    company_name: str
    policy: Policy
    listeners: tuple[Listener, ...]
    realm: str
    digest_algorithms: tuple[str, ...]
    user_agent: str
    http_host: str
    http_port: int
    trunks: tuple[Trunk, ...]
    pbxs: tuple[Pbx, ...]
    accounts: Mapping[str, Account]
    data_directory: Path
    record_path: Path
    registrar: RegistrarBounds
    hash: str
    warnings: tuple[Finding, ...] = ()
    api_tokens: tuple[ApiToken, ...] = ()
    texts: bytes = field(default=b"", repr=False)
    phone_models: tuple[str, ...] = ()
    private_phone_days: int = 90
    feeds: Feeds = field(default_factory=Feeds)
    media: MediaSettings | None = None
    rtpengine: RtpengineSettings = field(default_factory=RtpengineSettings)
    relaying: RelayRules = field(default_factory=RelayRules)
    languages: tuple[str, ...] = ("en",)
    country: str = ""
    recordings: Path | None = None
    mailboxes: Mapping[str, Mailbox] = field(default_factory=dict)
    voicemail: VoicemailRules = field(default_factory=VoicemailRules)
    mail: MailServer | None = None
    queues: Mapping[str, QueueService] = field(default_factory=dict)
    agents: tuple[AgentRules, ...] = ()
    callbacks: CallbackRules = field(default_factory=CallbackRules)
