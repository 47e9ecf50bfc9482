"""The shape of a configuration: sections, their keys and types. What the words refer to is looked up when compiling.

Every value arrives as a string (see `sources`). How it is written is said in `values`, what may be abbreviated in
`short_forms`; the sections that are not about the policy stand in `operation`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from router.configuration.menu_sections import MenuSection
from router.configuration.operation import (
    Api,
    CalendarFeed,
    CallbacksSection,
    GreylistSource,
    Http,
    Media,
    MediaChoice,
    PbxSection,
    Sip,
    Storage,
    TrunkSection,
    Voicemail,
)
from router.configuration.queue_sections import QueueSection
from router.configuration.section import Section
from router.configuration.short_forms import (
    Says,
    Words,
    as_list,
    in_order_of_ringing,
    nothing_is_empty,
    offer_with_argument,
    on_every_connection,
    with_then,
)
from router.configuration.values import Day, DaySet, Duration, Extension, Keys, Number, TimeOfDay, UserName, read_range


class Condition(Section):
    """Where a call goes in one case; `clause` names the clause of the policy where the usual one does not fit."""

    then: str
    after: Duration | None = None
    clause: str | None = None


Where = Annotated[Condition, BeforeValidator(with_then)]


class When(Section):
    on_call: Where | None = None
    busy_other: Where | None = None
    absent: Where | None = None
    no_answer: Where | None = None
    unreachable: Where | None = None
    rejected: Where | None = None


class Shows(Section):
    """What is shown, by kind of connection: direct_number, main_number, personal_mobile, team_number or a number."""

    fixed: str | None = None
    mobile: str | None = None
    softphone: str | None = None
    private: str | None = None


ShowsRule = Annotated[Shows, BeforeValidator(on_every_connection)]


class Contact(Section):
    """Whom to ask about the telephones (S9); for the written policy only."""

    name: str
    subject: str
    number: str | None = None
    email: str | None = None


class MainLine(Section):
    """Where calls to the main number go."""

    then: str = "reception"
    hours: str | None = None
    closed: str | None = None


class Company(Section):
    """`when` holds for all roles that do not say otherwise; `profile_order` says whose profile counts (G4)."""

    name: str
    country: str
    region: str | None = None
    time_zone: str
    main_number: Number
    main_line: MainLine = MainLine()
    languages: Words = Field(default=["en"])
    caller_languages: dict[str, str] = Field(default={})
    short_numbers: Annotated[list[Extension], BeforeValidator(as_list)] = Field(default=[])
    shows: str | None = None
    when: Annotated[When, BeforeValidator(nothing_is_empty)] = When()
    profile_order: list[Literal["administrator", "person", "calendar", "schedule"]] = Field(
        default=["administrator", "person", "calendar", "schedule"], min_length=4, max_length=4
    )
    contacts: list[Contact] = Field(default=[])


class Codes(Section):
    """Feature codes besides those of the profiles. `hide_number` and the keys of `show` are dialled before a number;
    `mailbox` opens the caller's own mailbox; with `agent_in`, `agent_out` and `agent_pause` agents say whether queues
    may ring them."""

    back: Extension | None = None
    mailbox: Extension | None = None
    agent_in: Extension | None = None
    agent_out: Extension | None = None
    agent_pause: Extension | None = None
    hide_number: Extension | None = None
    private: Extension | None = None
    show: dict[str, str] = Field(default={})


class CallerExceptionSection(Section):
    """Callers who are treated in their own way (S8): `rings_through` names what they get past.

    `numbers` are E.164; one that ends in "*" is a prefix. `people` names people ("claire") and roles ("role:sales");
    none of them means everybody.
    """

    numbers: Words
    rings_through: list[Literal["busy_other", "absent", "on_call"]] = Field(default=[])
    then: str | None = None
    people: Words = Field(default=[])
    approved_by: str
    until: Day
    clause: str = "S8"


class Limit(Section):
    """How much may be called of a group of destinations (X2); the prefix "+" is every number. `cost_per_minute` is in
    the currency of `cost_per_day`; a call counts `minutes` of it in advance, and what it lasts longer when it has
    ended."""

    prefixes: Words
    without: Words = Field(default=[], alias="except")
    per: Literal["person", "company"] = "person"
    calls_per_minute: int | None = Field(default=None, ge=1)
    calls_per_day: int | None = Field(default=None, ge=1)
    cost_per_minute: float = Field(default=0.0, ge=0)
    cost_per_day: float | None = Field(default=None, gt=0)
    minutes: float = Field(default=3.0, ge=0)


class OwnedRange(Section):
    number: Number | None = None
    range: Annotated[tuple[str, str], BeforeValidator(read_range)] | None = None
    verified: bool = False
    holder: str | None = None
    port_out_lock: bool = True


class CalendarSection(Section):
    days: DaySet
    without: DaySet | None = Field(default=None, alias="except")


class HoursWindow(Section):
    calendar: str
    start: TimeOfDay = Field(alias="from")
    end: TimeOfDay = Field(alias="to")


class TargetSection(Section):
    """One of five: a SIP address, a public number, a person, a mailbox of the router's own ("{person}": that of the
    person who was called) or an announcement (the id of a prompt, or a WAV file)."""

    sip: str | None = None
    number: Number | None = None
    person: str | None = None
    trunks: Words = Field(default=[])
    mailbox: str | None = None
    announcement: str | None = None


class ScheduleEntry(HoursWindow):
    profile: str
    clause: str | None = None


class May(Section):
    """Within which limits people choose (R8). `profiles`: none named means all that are for their role. `forward_to`:
    "inside" (colleagues), "own_mobile", "outside" (numbers that the greylist allows), or names of targets."""

    profiles: Words | None = None
    forward_to: Words = Field(default=[])
    for_at_most: Duration | None = None


class Role(Section):
    """`rings_within` names hours outside which no phone rings (S6), "always" takes an inherited one back."""

    based_on: str | None = None
    may: May | None = None
    shows: ShowsRule | None = None
    when: Annotated[When, BeforeValidator(nothing_is_empty)] = When()
    schedule: list[ScheduleEntry] | None = None
    says: dict[str, Says] = Field(default={})
    team: str | None = None
    precedence: Literal["profile", "line"] | None = None
    rings_within: str | None = None


class ProfileSection(Section):
    kind: Literal["available", "busy_other", "absent"]
    says: Says = Field(default={})
    offers: list[Annotated[str, BeforeValidator(offer_with_argument)]] = Field(default=[])
    code: Extension | None = None
    from_calendar: bool = False
    clause: str | None = None
    then: str | None = None
    shows: ShowsRule | None = None
    roles: Words = Field(default=[])
    ends_after: Duration | None = None


class Team(Section):
    name: str
    number: Number
    then: str
    hours: str | None = None
    closed: str | None = None
    language: str | None = None


class Site(Section):
    """A place where people work, with a main number of its own: shown, and seen by emergency services, in place of the
    company's."""

    name: str
    main_number: Number
    then: str = "reception"
    hours: str | None = None
    closed: str | None = None
    address: str | None = None
    language: str | None = None


class Device(Section):
    kind: Literal["fixed", "mobile", "softphone", "private"]
    secret: str | None = None
    user: UserName | None = None
    until: date | None = None
    approved_by: str | None = None
    media: MediaChoice | None = None
    srtp: Literal["sdes", "dtls"] | None = None


class LaterDevice(Section):
    device: str
    after: Duration


class PersonSection(Section):
    """`rings` says in which order devices ring: "all" at once, or a list such as [desk, {gsm: 10s}]; those that it does
    not name do not ring."""

    name: str
    role: str
    rings: Annotated[list[LaterDevice] | None, BeforeValidator(in_order_of_ringing)] = None
    may: May | None = None
    exceptions: list[CallerExceptionSection] = Field(default=[])
    email: str | None = None
    pin: str | None = None
    extension: Extension | None = None
    direct_number: Number | None = None
    mobile: Number | None = None
    team: str | None = None
    shows: ShowsRule | None = None
    when: Annotated[When, BeforeValidator(nothing_is_empty)] = When()
    devices: dict[str, Device] = Field(default={})
    skills: dict[str, int] = Field(default={})
    pbx: str | None = None
    site: str | None = None
    left: date | None = None
    successor: str | None = None
    calendar: str | None = None


class MailboxSection(Section):
    """A mailbox that people share, such as a team's. `people` open it: ids, or role:NAME; by phone they dial `code`."""

    name: str
    people: Words = Field(default=[])
    code: Extension | None = None
    pin: str | None = None
    email: Words = Field(default=[])


class GreylistExceptionSection(Section):
    prefix: str
    approved_by: str
    until: Day


class GreylistSection(Section):
    """`inbound` are prefixes that block callers as well (G9); `inbound_files` the same from files."""

    files: Words = Field(default=[])
    prefixes: Words = Field(default=[])
    inbound: Words = Field(default=[])
    inbound_files: Words = Field(default=[])
    sources: list[GreylistSource] = Field(default=[])
    exceptions: list[GreylistExceptionSection] = Field(default=[])


class DataPack(Section):
    """A data subscription (D3); for the written policy only."""

    name: str
    gigabytes: float | None = None
    people: Words = Field(default=[])


class Inventory(Section):
    """What is listed in the written policy (D3, S7): phone models by what their User-Agent begins with, data packs, the
    wireless network, and words for the dictionary (S9) by language."""

    phones: dict[str, str] = Field(default={})
    data_packs: list[DataPack] = Field(default=[])
    wireless: Says = Field(default={})
    dictionary: dict[str, Says] = Field(default={})
    private_phone_days: int = 90


class TextMessageSection(Section):
    """Text messages to the outside (X1): `sender` is what is shown, at most 11 letters, digits and spaces."""

    sender: str


class RecordingSection(Section):
    """Which calls are recorded (X3): of whom, when, and on what ground (G13). Nobody is recorded while absent (X4).

    `who` names people ("claire") and roles ("role:sales"). `calls` is "all" or "on_demand"; `announcement` is what
    both sides hear before, by language: words, the id of a prompt, or a WAV file. `key` is pressed by one of `who` to
    record, to pause and to go on; `decline` by either side during the announcement.
    """

    who: Words
    calls: Literal["all", "on_demand"] = "on_demand"
    directions: Annotated[
        list[Literal["inbound", "outbound", "internal"]], BeforeValidator(as_list), Field(min_length=1)
    ] = Field(default=["inbound", "outbound", "internal"])
    hours: str | None = None
    at_closing: Literal["continue", "stop"] = "continue"
    announcement: Says = Field(default={})
    key: Keys | None = None
    decline: Keys | None = None
    legal_basis: str | None = None
    keep_days: int = Field(default=180, ge=1)


class Document(Section):
    """Everything, with all files put together."""

    company: Company
    sip: Sip
    http: Http = Http()
    storage: Storage = Storage()
    media: Media = Media()
    numbers: list[OwnedRange]
    calendars: dict[str, CalendarSection] = Field(default={})
    hours: dict[str, Annotated[list[HoursWindow], BeforeValidator(as_list)]] = Field(default={})
    targets: dict[str, TargetSection] = Field(default={})
    roles: dict[str, Role]
    profiles: dict[str, ProfileSection] = Field(default={})
    sites: dict[str, Site] = Field(default={})
    teams: dict[str, Team] = Field(default={})
    people: dict[str, PersonSection]
    trunks: dict[str, TrunkSection] = Field(default={})
    pbxs: dict[str, PbxSection] = Field(default={})
    greylist: GreylistSection = GreylistSection()
    limits: dict[str, Limit] = Field(default={})
    codes: Codes = Codes()
    connections: Shows = Shows()
    callers: dict[str, CallerExceptionSection] = Field(default={})
    calendar_feed: CalendarFeed = CalendarFeed()
    api: Api = Api()
    inventory: Inventory = Inventory()
    recording: RecordingSection | None = None
    mailboxes: dict[str, MailboxSection] = Field(default={})
    voicemail: Voicemail = Voicemail()
    callbacks: CallbacksSection = CallbacksSection()
    text_messages: TextMessageSection | None = None
    queues: dict[str, QueueSection] = Field(default={})
    menus: dict[str, MenuSection] = Field(default={})
