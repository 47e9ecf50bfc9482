"""What the policy is asked (`Facts`) and what it answers (`Decision`).

The policy never sees a SIP message: `calls` fills in `Facts`, and translates the `Decision` back into SIP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple


class Origin(StrEnum):
    """Where a call comes from, as the router authenticated it."""

    TRUNK = "trunk"  # the outside world, by a trunk recognised by address or registration
    PBX = "pbx"  # a trusted PBX: its callers are people of the company, or its own extensions
    PERSON = "person"  # a device that authenticated as one of a person's devices
    ROUTER = "router"  # the router itself calls somebody for a caller who wished to be called back (P3)


class Connection(StrEnum):
    """Kind of a device (REQUIREMENTS, Connections and roles)."""

    FIXED = "fixed"
    MOBILE = "mobile"
    SOFTPHONE = "softphone"
    PRIVATE = "private"


class LineState(StrEnum):
    """Line state of a person; a person missing from `Facts.lines` is idle."""

    IDLE = "idle"
    RINGING = "ringing"
    ON_CALL = "on_call"
    UNREGISTERED = "unregistered"


class Outcome(StrEnum):
    """How an attempt to reach somebody ended without an answer."""

    NO_ANSWER = "no_answer"
    BUSY = "busy"  # every device answered 486 or 600, which counts as on a call
    REJECTED = "rejected"  # the person pressed "reject" (603 or another final refusal)
    UNREACHABLE = "unreachable"  # no registered device, or none answered at all
    MAX_WAIT = "max_wait"  # waited in a queue as long as anybody should (Q2)
    NO_AGENT = "no_agent"  # nobody is there who could answer a queue
    QUEUE_FULL = "queue_full"  # the queue takes nobody more
    LEFT_QUEUE = "left_queue"  # pressed the key of a queue for leaving a message (Q5)


OF_A_PHONE: Final = (Outcome.NO_ANSWER, Outcome.BUSY, Outcome.REJECTED, Outcome.UNREACHABLE)
OF_A_QUEUE: Final = (Outcome.MAX_WAIT, Outcome.NO_AGENT, Outcome.QUEUE_FULL, Outcome.LEFT_QUEUE)


class SelectedBy(StrEnum):
    """Who selected a profile, strongest first: what an administrator sets holds against a person's own choice, that
    against their calendar, and all of them against the schedule (G4)."""

    ADMINISTRATOR = "administrator"
    PERSON = "person"
    CALENDAR = "calendar"


class Selection(NamedTuple):
    """A profile selected for a person, in force during [since, until).

    Args:
        person: id of the person.
        profile: name of a profile, or of one of the three kinds.
        by: who selected it.
        since: POSIX seconds on the policy's clock.
        until: the automatic return, exclusive; None: until it is changed.
        forward: where calls are to go meanwhile, in place of the profile's own target (R8): the name of a target, a
            person's id or a number with "+"; "" for the profile's own.
        actor: who did it, for the audit and the reasons: "phone 201", "token reception", "calendar".
    """

    person: str
    profile: str
    by: SelectedBy
    since: float
    until: float | None = None
    forward: str = ""
    actor: str = ""


class Usage(NamedTuple):
    """Calls made to a limited group of destinations (X2), by one caller or by the whole company.

    The windows are those of the clock: a minute or a day that is over counts nothing any more.

    Args:
        minute: POSIX minute (seconds // 60) to which `in_minute` belongs; day: ordinal of the company's day to which
            `in_day` and `cost` belong.
        in_minute, in_day: calls begun; cost: what they are expected to cost, in the currency of the limit.
    """

    minute: int
    in_minute: int
    day: int
    in_day: int
    cost: float


_ALL_IDLE: Mapping[str, LineState] = MappingProxyType({})
_AS_SCHEDULED: Mapping[str, tuple[Selection, ...]] = MappingProxyType({})
_NOTHING_USED: Mapping[tuple[str, str], Usage] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Attempt:
    """One person already tried in this call, and how that ended."""

    person: str
    outcome: Outcome


class Facts(NamedTuple):
    """Everything one decision depends on, besides the policy and the time.

    A named tuple, as one is made for each call: it takes a third of the time of a frozen dataclass.

    Args:
        origin: who handed us the call.
        peer: name of the trunk or PBX, or the account (device user name) for `Origin.PERSON`; for `Origin.ROUTER` why
            it calls: "callback".
        dialled: what was dialled, as received (user part of the Request-URI, unescaped): "+3242200121",
            "042200121", "201", "112", "*21".
        person: id of the calling person, when it is known (always for `Origin.PERSON`).
        connection: kind of the calling device, for `Origin.PERSON`.
        caller_number: the calling number as received from a trunk or PBX (any spelling), or None when withheld; for
            `Origin.ROUTER` that of the caller for whom it calls.
        caller_name: display name as received, or None.
        withhold: the caller asked for privacy (CLIR).
        lines: live line state by person; absent means idle.
        selections: profiles selected by people or for them, by person id, strongest first (see `SelectedBy`); those
            that are over or have not begun may be among them. Absent means "as scheduled".
        usage: what was used of limited destinations, by (group, person id); the person "" is the whole company.
        attempts: who was tried in this call already, oldest first. `calls` asks again with one more
            attempt after each person that did not answer.
        chosen: what the caller chose in menus so far, oldest first, each as "MENU:KEY"; `TIMEOUT` and `WRONG` stand for
            keys that were not pressed, or are none of the menu's.
    """

    origin: Origin
    peer: str
    dialled: str
    person: str | None = None
    connection: Connection | None = None
    caller_number: str | None = None
    caller_name: str | None = None
    withhold: bool = False
    lines: Mapping[str, LineState] = _ALL_IDLE
    selections: Mapping[str, tuple[Selection, ...]] = _AS_SCHEDULED
    usage: Mapping[tuple[str, str], Usage] = _NOTHING_USED
    attempts: tuple[Attempt, ...] = ()
    chosen: tuple[str, ...] = ()


class Action(StrEnum):
    """What to do with the call."""

    RING = "ring"  # ring the devices of a person
    FORWARD = "forward"  # send the call on to another target (SIP address, person or number), as a diversion
    DIAL = "dial"  # out by a trunk
    EMERGENCY = "emergency"  # out by a trunk, dialled digits unmodified, before everything else
    FEATURE = "feature"  # a feature code: do what `feature` says, tell the caller, hang up
    REFUSE = "refuse"  # answer with `status`


@dataclass(frozen=True, slots=True)
class RingPerson:
    """Ring every registered device among `accounts` (device user names) of a person at once, and those in `later` when
    nobody has answered after so many seconds (or at once, when none of the earlier ones is registered)."""

    person: str
    accounts: tuple[str, ...]
    later: tuple[tuple[float, tuple[str, ...]], ...] = ()

    def __str__(self) -> str:
        return self.person


@dataclass(frozen=True, slots=True)
class DialNumber:
    """Send out by the trunks, best priority first. `number` is E.164 with "+"; for emergency, the digits as dialled."""

    number: str
    trunks: tuple[str, ...] = ()  # restricted to these trunks, by name; empty: all, by priority

    def __str__(self) -> str:
        return self.number


@dataclass(frozen=True, slots=True)
class DialAddress:
    """Send to a SIP address, such as an operator's console or a voicemail system."""

    uri: str
    name: str = ""  # what the policy calls it: "reception", "voicemail"

    def __str__(self) -> str:
        return self.name or self.uri


@dataclass(frozen=True, slots=True)
class LeaveMessage:
    """Let the caller leave a message in one of the router's own mailboxes: a person's id, or the name of a shared one
    (digits of a shared number where nobody named one)."""

    mailbox: str
    name: str = ""  # what the policy calls it: "voicemail"

    def __str__(self) -> str:
        return self.name or self.mailbox


@dataclass(frozen=True, slots=True)
class PlayAnnouncement:
    """Let the caller hear an announcement, and hang up: the id of a prompt, or the path of a WAV file."""

    announcement: str
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.announcement


@dataclass(frozen=True, slots=True)
class OpenMailbox:
    """Let the caller, who is one of its people, listen to what is in one of the router's own mailboxes (V1)."""

    mailbox: str

    def __str__(self) -> str:
        return self.mailbox


@dataclass(frozen=True, slots=True)
class JoinQueue:
    """Let the caller wait in a queue until one of its agents answers."""

    queue: str
    name: str = ""  # what the policy calls it: "queue:sales"

    def __str__(self) -> str:
        return self.name or self.queue


@dataclass(frozen=True, slots=True)
class PlayMenu:
    """Let the caller choose by keys what is to become of the call (Q1)."""

    menu: str
    name: str = ""  # what the policy calls it: "menu:accueil"

    def __str__(self) -> str:
        return self.name or self.menu


# Where the router itself is the other side, and a script of it speaks to the caller.
AttendedTarget = LeaveMessage | PlayAnnouncement | OpenMailbox | JoinQueue | PlayMenu
Target = RingPerson | DialNumber | DialAddress | AttendedTarget

TIMEOUT: Final = "timeout"  # stands for the key that nobody pressed in a menu
WRONG: Final = "wrong"  # stands for keys that a menu does not have


@dataclass(frozen=True, slots=True)
class Reason:
    """One line of a `because`: which clause, in words, and where it is written.

    Args:
        clause: "M2", "G1", "X2"; "" where no clause of the policy applies.
        text: in English; french: the same in French ("" where the English words are names only).
        source: "roles.yaml:11".
        rule: what was weighed: "emergency", "code", "dialled", "identity", "greylist", "limit", "departed",
            "exception", "profile", "phone", "line", "hours", "menu", "ring", "recording", "answer" (how an attempt
            ended) or "last_resort".
    """

    clause: str
    text: str
    source: str = ""
    french: str = ""
    rule: str = ""

    def __str__(self) -> str:
        return f"{self.clause}  {self.text}" if self.clause else self.text

    def as_dict(self) -> dict[str, str]:
        """Return the reason for programs, and as a call record keeps it."""
        return {
            "clause": self.clause,
            "text": self.text,
            "source": self.source,
            "french": self.french,
            "rule": self.rule,
        }


@dataclass(frozen=True, slots=True)
class Diversion:
    """From whom a call was forwarded and why (RFC 5806 `Diversion`, RFC 7044 `History-Info`).

    `reason` is RFC 5806's word: "user-busy", "no-answer", "unconditional", "time-of-day", "unavailable", "away".
    """

    number: str  # E.164 with "+", or an extension where the person has no number
    reason: str


class FeatureKind(StrEnum):
    """What a feature code does."""

    SELECT = "select"  # select a profile for the caller
    RETURN = "return"  # take the caller's own selection back
    OPEN_MAILBOX = "open mailbox"  # let the caller listen to a mailbox; the decision's target says which
    AGENT_IN = "agent in"  # queues may ring the caller
    AGENT_OUT = "agent out"  # no queue rings the caller
    AGENT_PAUSE = "agent pause"  # no queue rings the caller for now


class Feature(NamedTuple):
    """A feature code that was dialled (P2).

    Args:
        kind: see `FeatureKind`.
        person: whose profile it is about.
        profile: to be selected; "" for the others.
        until: POSIX seconds of the automatic return, or None.
        forward: see `Selection.forward`.
    """

    kind: FeatureKind
    person: str
    profile: str = ""
    until: float | None = None
    forward: str = ""


class Weighed(NamedTuple):
    """A person whose state a decision rests on, as it was: with these the call can be decided again.

    Args:
        person: id.
        line: their line state.
        profile: profile in force, or None; `by`: who selected it ("schedule" for the schedule; "" for None).
        until: POSIX seconds at which the selection ends, or None.
        forward: see `Selection.forward`.
    """

    person: str
    line: LineState
    profile: str | None
    by: str = ""
    until: float | None = None
    forward: str = ""


class Decision(NamedTuple):
    """What to do with a call, and why (a named tuple for the reason of `Facts`).

    Args:
        action: see `Action`.
        target: where to; None for `REFUSE`, and for a feature code that is confirmed without words.
        shown_number: number the callee sees, E.164 with "+" or an extension; None: withheld or unknown.
        shown_name: display name the callee sees, or None.
        because: reasons that led here, in the order in which they were weighed.
        rejected: alternatives that did not apply, for `simulate` and `explain`.
        no_answer_after: seconds of ringing after which `calls` gives up and asks again; None: the far end decides.
        diversions: oldest first.
        status, phrase: answer for `REFUSE`.
        person: the person whose rules decided (owner of the dialled number), or None.
        profile: the profile in force for that person, or None.
        withhold: show nothing to the outside (CLIR); trunks still get an asserted identity with Privacy.
        feature: what a feature code asks for, for `FEATURE`.
        limits: limited groups (X2) to which this call counts, for `Facts.usage`.
        weighed: people whose states were weighed, in that order.
        language: that the router speaks to the caller in, where it does: "fr", "en"; "" for the company's first.
    """

    action: Action
    target: Target | None
    because: tuple[Reason, ...]
    shown_number: str | None = None
    shown_name: str | None = None
    rejected: tuple[Reason, ...] = ()
    no_answer_after: float | None = None
    diversions: tuple[Diversion, ...] = ()
    status: int = 0
    phrase: str = ""
    person: str | None = None
    profile: str | None = None
    withhold: bool = False
    feature: Feature | None = None
    limits: tuple[str, ...] = ()
    weighed: tuple[Weighed, ...] = ()
    language: str = ""
