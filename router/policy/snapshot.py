"""The compiled policy: an immutable snapshot that `decide` reads.

`router.configuration` builds it. Everything that does not depend on the call or the moment is worked out at that time,
reasons included, so that a decision is little more than look-ups. A reload builds another snapshot; calls in progress
keep theirs.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple, TypeVar

from router.model.decision import (
    Connection,
    DialAddress,
    FeatureKind,
    LineState,
    Outcome,
    Reason,
    RingPerson,
    SelectedBy,
    Target,
)
from router.policy.caller_exceptions import CallerExceptions
from router.policy.dialling import DiallingPlan
from router.policy.greylist import Greylist
from router.policy.limits import NO_LIMITS, Limits
from router.policy.recording_rules import RecordingRules
from router.policy.schedule import LocalTime, Window

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

SCHEDULE: Final = "schedule"  # stands beside the values of `SelectedBy`: the schedule set the profile
USUAL_PROFILE_ORDER: Final[tuple[str, ...]] = (*SelectedBy, SCHEDULE)


def filled(address: str, extension: str, person: str) -> str:
    """Fill in, in a target's address, whom the call was for: a person's extension and id (either may be "")."""
    return address.replace("{extension}", extension or person).replace("{person}", person or extension)


def frozen_mapping(mapping: Mapping[_Key, _Value]) -> Mapping[_Key, _Value]:
    """Copy a mapping into a read-only one."""
    return MappingProxyType(dict(mapping))


class ProfileKind(StrEnum):
    """What a profile means for calls (REQUIREMENTS, words)."""

    AVAILABLE = "available"
    BUSY_OTHER = "busy_other"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile that people select or a schedule sets.

    Args:
        name: as in the configuration ("lunch").
        kind: what it means for calls.
        says: what the caller is told, by language.
        offers: what the caller is offered ("message", "callback", "transfer:reception").
        reason: the profile, with its clause and where it is written.
        roles: for whose people it is (R9), the roles that inherit from those named included; empty: for everybody's.
        ends_after: seconds after which a selection ends that names no end, or None.
        french: its name in French.
    """

    name: str
    kind: ProfileKind
    reason: Reason
    says: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    offers: tuple[str, ...] = ()
    roles: frozenset[str] = frozenset()
    ends_after: float | None = None
    french: str = ""


@dataclass(frozen=True, slots=True)
class Choices:
    """Within which limits a person chooses when and how to be reached (R8).

    Args:
        profiles: names of the profiles that they may select; None: all that are for their role.
        inside, outside: calls may be forwarded to colleagues and shared numbers; to numbers outside the company.
        own_mobile: calls may be forwarded to their own mobile.
        targets: names of the targets to which calls may be forwarded.
        for_at_most: seconds that a selection may last, or None.
        source: where the limits are written.
    """

    profiles: frozenset[str] | None = None
    inside: bool = False
    outside: bool = False
    own_mobile: bool = False
    targets: frozenset[str] = frozenset()
    for_at_most: float | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class ScheduledProfile:
    """A profile in force during a window; `reason` says so, for one person."""

    window: Window
    profile: Profile
    reason: Reason


@dataclass(frozen=True, slots=True)
class Treatment:
    """Where a call goes under one condition, why, and the RFC 5806 reason of the diversion."""

    target: Target
    reason: Reason
    diversion: str


@dataclass(frozen=True, slots=True)
class MenuLanguage:
    """A language that callers choose by a key: its code, and what is said of that."""

    code: str
    reason: Reason


@dataclass(frozen=True, slots=True)
class Menu:
    """A menu: callers choose by keys what is to become of their call (Q1).

    Args:
        name: as in the configuration ("accueil").
        ways: where each key leads, and `TIMEOUT` and `WRONG`, targets not yet filled in.
        says: what callers hear, by language ("" for every one): the path of a WAV file, the id of a prompt, or words.
            In a language without it the choices are named one by one.
        called: what the choices are called then, by key and language.
        timeout: seconds to press a key after that; repeats: how often it is said again to who presses none of `ways`.
        leaves_when_wrong: a wrong key leads elsewhere at once.
        languages: the language from then on, by key.
        source: where it is written.
    """

    name: str
    ways: Mapping[str, Treatment]
    says: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    called: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    timeout: float = 6.0
    repeats: int = 2
    leaves_when_wrong: bool = False
    languages: Mapping[str, MenuLanguage] = field(default_factory=lambda: MappingProxyType({}))
    source: str = ""


@dataclass(frozen=True, slots=True)
class ShownIdentity:
    """Calling number and name that are shown, why, and what was considered and not applied.

    Args:
        rejected: rules of stronger levels whose number may not be shown.
        outranked: what weaker levels would have shown instead (G1), as far as somebody wrote it down.
    """

    number: str | None
    name: str | None
    because: tuple[Reason, ...] = ()
    rejected: tuple[Reason, ...] = ()
    outranked: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class PerCallCode:
    """A code that is dialled before a number and holds for that call (G1).

    Args:
        code: "*31"; reason: what it does.
        hides: it withholds the number.
        identity: what it shows of a caller whom nobody knows, or why it does not; None when it hides. For people see
            `Person.shows_by_code`.
        private: the call is not recorded (X3).
    """

    code: str
    reason: Reason
    hides: bool = False
    identity: ShownIdentity | Reason | None = None
    private: bool = False

    @property
    def shows(self) -> bool:
        """Whether it chooses the number that is shown."""
        return not (self.hides or self.private)


@dataclass(frozen=True, slots=True)
class FeatureCode:
    """A code that is dialled instead of a number: it selects `profile`, or opens `mailbox`, or takes the selection back
    (neither; P2).

    Args:
        mailbox: its name, "{person}" for the caller's own; "" for the other codes.
        title: what people call the mailbox; people: who may open it; neither for one's own.
        agent: for agents of queues, who are the `people` then: what it does; None for the other codes.
    """

    code: str
    profile: Profile | None
    source: str
    mailbox: str = ""
    title: str = ""
    people: frozenset[str] = frozenset()
    agent: FeatureKind | None = None


@dataclass(frozen=True, slots=True)
class Codes:
    """The codes that can be dialled. None of them makes another, an extension or an emergency number ambiguous."""

    per_call: Mapping[str, PerCallCode] = field(default_factory=lambda: MappingProxyType({}))
    features: Mapping[str, FeatureCode] = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True, slots=True)
class Person:
    """One person, with the rules of their role worked out for them.

    Args:
        id, name, role: as in the configuration.
        diverts_as: number in a Diversion from this person: the direct number, else the extension, else the main number.
        phone: what rings: their devices, or their extension at a PBX; None for a person without any (F5).
        shows: identity towards the outside by kind of connection; `forwards_as` the one on calls forwarded outside.
        emergency: identity on an emergency call: the person's own number.
        inside: identity towards colleagues.
        schedule: profiles by time of day; the first window that covers the moment is in force.
        on_selected, on_scheduled: treatment by kind of profile, as it was selected or set by schedule; `available` is
            in neither.
        on_line, on_outcome: treatment by line state and by outcome of an attempt.
        no_answer_after: seconds of ringing.
        rings: why the phone rings.
        not_on_call, no_profile: what is said of the rules for a call in progress and for a profile that did not apply.
        line_first: a call in progress weighs more than a profile (G4); `precedence` says which of them does.
        departed: treatment from `left_at` (POSIX seconds) on of a person who left (S5); both None for the others.
        without_phone: treatment of a person who has no phone (F5), or None.
        last_resort: treatments tried in order when the one that applies cannot be used.
        says: the role's own messages, by profile and language (R4); they go before the profile's.
        choices: what the person may select (R8).
        mobile: number of their mobile, E.164 with "+"; "" for none.
        extension: "" for a person without one.
        on_profile: treatments of profiles that name a target of their own, as selected and as scheduled; they go before
            those by kind.
        exceptions: callers who are treated in their own way (S8), the person's own before the company's.
        rings_within: hours outside which no phone rings (S6), unless an administrator or a selection with an end says
            so; () for a person without this rule. `silence` says why, or is None.
        shows_in: identity towards the outside while a profile is in force that shows its own (P4), by profile and kind
            of connection: the identity, or why it may not be shown.
        shows_by_code: the same by per-call code (G1).
        language: that callers are spoken to in, or "" for the company's.
    """

    id: str
    name: str
    role: str
    diverts_as: str
    phone: RingPerson | DialAddress | None
    shows: Mapping[Connection, ShownIdentity]
    forwards_as: ShownIdentity
    emergency: ShownIdentity
    inside: ShownIdentity
    schedule: tuple[ScheduledProfile, ...]
    on_selected: Mapping[ProfileKind, Treatment]
    on_scheduled: Mapping[ProfileKind, Treatment]
    on_line: Mapping[LineState, Treatment]
    on_outcome: Mapping[Outcome, Treatment]
    no_answer_after: float
    rings: Reason
    not_on_call: Reason
    no_profile: Reason
    precedence: Reason
    line_first: bool = False
    departed: Treatment | None = None
    left_at: float | None = None
    without_phone: Treatment | None = None
    last_resort: tuple[Treatment, ...] = ()
    says: Mapping[str, Mapping[str, str]] = field(default_factory=lambda: MappingProxyType({}))
    choices: Choices = Choices()
    mobile: str = ""
    extension: str = ""
    on_profile: Mapping[str, tuple[Treatment, Treatment]] = field(default_factory=lambda: MappingProxyType({}))
    exceptions: tuple[CallerExceptions, ...] = ()
    rings_within: tuple[Window, ...] = ()
    silence: Reason | None = None
    shows_in: Mapping[str, Mapping[Connection, ShownIdentity | Reason]] = field(
        default_factory=lambda: MappingProxyType({})
    )
    shows_by_code: Mapping[str, ShownIdentity | Reason] = field(default_factory=lambda: MappingProxyType({}))
    language: str = ""

    def profile_at(self, time: LocalTime) -> ScheduledProfile | None:
        """Return the scheduled profile in force, or None."""
        for scheduled in self.schedule:
            if scheduled.window.covers(time):
                return scheduled
        return None


@dataclass(frozen=True, slots=True)
class SharedLine:
    """A number that belongs to no person: the main number, a team's number, an owned number that nobody has.

    Args:
        number: E.164 with "+"; "" for the line that stands for all owned numbers without anybody.
        open: where calls go; `closed` outside `hours` (no hours: always open).
        forwards_as: number and name shown when a call is forwarded outside from here.
        queue: what the configuration calls it where it is a queue ("queue:sales"), else "".
        on_outcome: treatment of callers whom a queue did not serve, by how waiting ended.
        language: that callers are spoken to in, or "" for the company's.
    """

    number: str
    name: str
    open: Treatment
    forwards_as: ShownIdentity
    hours: tuple[Window, ...] = ()
    closed: Treatment | None = None
    last_resort: tuple[Treatment, ...] = ()
    queue: str = ""
    on_outcome: Mapping[Outcome, Treatment] = field(default_factory=lambda: MappingProxyType({}))
    language: str = ""


class KnownCaller(NamedTuple):
    """Who calls: the person, and the kind of connection (a named tuple, as one is made for each call of a phone)."""

    person: Person
    connection: Connection

    @classmethod
    def of(cls, person: Person, connection: Connection | None) -> KnownCaller:
        """Make a known caller; a phone of unknown kind is treated as a fixed one."""
        return cls(person, connection or Connection.FIXED)


@dataclass(frozen=True, slots=True)
class OwnedNumbers:
    """The number inventory as ranges of E.164 digits: `starts` ascending, each with its end, inclusive."""

    starts: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    verified: tuple[bool, ...] = ()

    @classmethod
    def of(cls, ranges: list[tuple[int, int, bool]]) -> OwnedNumbers:
        """Build the inventory from (first, last, verified); ranges must not overlap."""
        ranges = sorted(ranges)
        return cls(tuple(r[0] for r in ranges), tuple(r[1] for r in ranges), tuple(r[2] for r in ranges))

    def owns(self, number: str) -> bool:
        """Say whether `number` (E.164 with "+") belongs to the company."""
        return self._find(number) is not None

    def may_show(self, number: str) -> bool:
        """Say whether `number` belongs to the company and is verified, so that it may be shown."""
        index = self._find(number)
        return index is not None and self.verified[index]

    def _find(self, number: str) -> int | None:
        if number[:1] != "+" or not number[1:].isdigit():
            return None
        value = int(number[1:])
        index = bisect_right(self.starts, value) - 1
        return index if index >= 0 and value <= self.ends[index] else None


@dataclass(frozen=True, slots=True)
class Policy:
    """The whole policy, compiled.

    Args:
        plan, zone: the country's way of dialling, the company's time zone.
        emergency: service by emergency number, exactly as dialled.
        short_numbers: short codes that go out as dialled.
        extensions, numbers: who is called by an extension, and by an E.164 number.
        callers: who calls when a PBX names this number or extension.
        unassigned: owned numbers that nobody has.
        company: identity of the company (the main number), used where no other may be shown.
        profiles: by name, the three kinds included.
        text_sender: under which name text messages go outside (X1); "" where none may.
        target_names: what a selection can forward to by name, people aside.
        targets: what they are, addresses not yet filled in (see `filled`).
        profile_order: whose profile counts where several are in force (G4), strongest first: values of `SelectedBy` and
            `SCHEDULE`.
        codes: what can be dialled besides numbers.
        limits: how much may be called of which destinations.
        queues: by name, without "queue:".
        recording: which calls are recorded; None: none is, and nobody asks.
    """

    plan: DiallingPlan
    zone: tzinfo
    emergency: Mapping[str, Reason]
    greylist: Greylist
    owned: OwnedNumbers
    people: Mapping[str, Person]
    extensions: Mapping[str, Person]
    numbers: Mapping[str, Person | SharedLine]
    callers: Mapping[str, KnownCaller]
    unassigned: SharedLine
    company: ShownIdentity
    profiles: Mapping[str, Profile]
    short_numbers: frozenset[str] = frozenset()
    target_names: frozenset[str] = frozenset()
    targets: Mapping[str, Target] = field(default_factory=lambda: MappingProxyType({}))
    profile_order: tuple[str, ...] = USUAL_PROFILE_ORDER
    codes: Codes = Codes()
    limits: Limits = NO_LIMITS
    text_sender: str = ""
    queues: Mapping[str, SharedLine] = field(default_factory=lambda: MappingProxyType({}))
    menus: Mapping[str, Menu] = field(default_factory=lambda: MappingProxyType({}))
    caller_languages: tuple[tuple[str, str], ...] = ()
    recording: RecordingRules | None = None
