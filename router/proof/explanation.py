"""A decision in words: whose rules decided, what happens, which number is shown, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Any, NamedTuple

from router.configuration import Configuration
from router.model.decision import (
    TIMEOUT,
    WRONG,
    Action,
    Decision,
    DialAddress,
    DialNumber,
    Facts,
    FeatureKind,
    JoinQueue,
    LeaveMessage,
    OpenMailbox,
    PlayAnnouncement,
    PlayMenu,
    Reason,
    RingPerson,
    Weighed,
)
from router.policy.schedule import clock, local_time
from router.policy.snapshot import Menu, Person
from router.policy.telling import what_is_told
from router.proof.wording import ENGLISH, Wording

SCHEDULE = "schedule"


class Row(NamedTuple):
    """One reason as it is printed: its clause, its words, where it is written, and what its rule is called."""

    clause: str
    text: str
    source: str
    rule: str


@dataclass(frozen=True, slots=True)
class Description:
    """A decision in words of one language; `str` lays it out for a terminal.

    Args:
        heading: the person whose rules decided, their role and profile; "" for a number that nobody has.
        happens: what happens to the call.
        details: which number is shown, what is said, for how long it rings.
        because, rejected: the reasons that held, and those that did not.
        labels: what stands before these two groups.
    """

    heading: str
    happens: str
    details: tuple[str, ...]
    because: tuple[Row, ...]
    rejected: tuple[Row, ...]
    labels: tuple[str, str]

    def __str__(self) -> str:
        return f"{self.heading}\n{self.later()}" if self.heading else self.later()

    def later(self) -> str:
        """Lay out a decision that follows another one about the same call: as `str` does, without the heading."""
        return "\n".join([" · ".join((f"→ {self.happens}", *self.details)), *self.reasons()])

    def reasons(self) -> list[str]:
        """Return the two groups of reasons as lines of one table."""
        return table([(self.labels[0], self.because), (self.labels[1], self.rejected)])


def describe(
    decision: Decision, facts: Facts, configuration: Configuration, now: float, language: str = ENGLISH
) -> Description:
    """Put a decision into words.

    Args:
        decision, facts: what was decided, and what was asked.
        configuration: the one that decided.
        now: POSIX seconds at which it was decided.
        language: "en" or "fr".
    """
    words = Wording(language)
    return Description(
        _heading(decision, facts, configuration, now, words),
        _happens(decision, configuration, words, now),
        tuple(_details(decision, facts, configuration, words, now)),
        rows(decision.because, words),
        rows(decision.rejected, words),
        (words("because"), words("not")),
    )


def as_dict(
    decision: Decision, facts: Facts, configuration: Configuration, now: float, language: str = ENGLISH
) -> dict[str, Any]:
    """Return a decision for programs; the arguments are those of `describe`.

    docs/policy-by-example.md tells the keys.
    """
    target = decision.target
    feature = decision.feature
    description = describe(decision, facts, configuration, now, language)
    return {
        "action": decision.action.value,
        "target": None if target is None else str(target),
        "address": target.uri if isinstance(target, DialAddress) else None,
        "mailbox": target.mailbox if isinstance(target, LeaveMessage | OpenMailbox) else None,
        "announcement": target.announcement if isinstance(target, PlayAnnouncement) else None,
        "accounts": list(target.accounts) if isinstance(target, RingPerson) else [],
        "later": [{"after": after, "accounts": list(accounts)} for after, accounts in target.later]
        if isinstance(target, RingPerson)
        else [],
        "trunks": trunks_for(target, configuration),
        "shown_number": decision.shown_number,
        "shown_name": decision.shown_name,
        "withhold": decision.withhold,
        "person": decision.person,
        "profile": decision.profile,
        "says": says(decision, configuration),
        "no_answer_after": decision.no_answer_after,
        "diversions": [{"number": d.number, "reason": d.reason} for d in decision.diversions],
        "status": decision.status or None,
        "phrase": decision.phrase or None,
        "feature": None if feature is None else {**feature._asdict(), "kind": feature.kind.value},
        "limits": list(decision.limits),
        "language": decision.language or None,
        "menu": target.menu if isinstance(target, PlayMenu) else None,
        "queue": target.queue if isinstance(target, JoinQueue) else None,
        "chosen": list(facts.chosen),
        "weighed": [weighed_as_dict(weighed) for weighed in decision.weighed],
        "because": [reason.as_dict() for reason in decision.because],
        "rejected": [reason.as_dict() for reason in decision.rejected],
        "text": " · ".join((description.happens, *description.details)),
    }


def weighed_as_dict(weighed: Weighed) -> dict[str, Any]:
    """Return the state of a person for programs."""
    return {**weighed._asdict(), "line": weighed.line.value}


def rows(reasons: Sequence[Reason], words: Wording) -> tuple[Row, ...]:
    """Put reasons into words."""
    return tuple(Row(reason.clause, words.reason(reason), reason.source, words.rule(reason.rule)) for reason in reasons)


def table(groups: Sequence[tuple[str, Sequence[Row]]], *, with_rules: bool = False) -> list[str]:
    """Lay out groups of reasons, each with its label, as the lines of one table; `with_rules`: with their rules."""
    filled = [(label, group) for label, group in groups if group]
    label_width = max((len(label) for label, _ in filled), default=0)
    clause_width = max([3, *(len(row.clause) for _, group in filled for row in group)])
    rule_width = max((len(row.rule) for _, group in filled for row in group), default=0) if with_rules else 0
    text_width = max((len(row.text) for _, group in filled for row in group), default=0)
    lines = []
    for label, group in filled:
        for index, row in enumerate(group):
            cells = [f"  {label if index == 0 else '':<{label_width}}"]
            if rule_width:
                cells.append(f"{row.rule:<{rule_width}}")
            cells += [f"{row.clause:<{clause_width}}", f"{row.text:<{text_width}}", row.source]
            lines.append("  ".join(cells).rstrip())
    return lines


def says(decision: Decision, configuration: Configuration) -> dict[str, str]:
    """Return what the caller is told about the person's profile, by language; empty where nothing is said."""
    if decision.person is None or decision.profile is None or decision.action is not Action.FORWARD:
        return {}
    policy = configuration.policy
    own = policy.people[decision.person].says.get(decision.profile)
    return dict(own if own is not None else policy.profiles[decision.profile].says)


def trunks_for(target: object, configuration: Configuration) -> list[str]:
    """Return the trunks that are tried for a target, in this order; none where it is no number."""
    if not isinstance(target, DialNumber):
        return []
    return [trunk.name for trunk in configuration.trunks if not target.trunks or trunk.name in target.trunks]


def profile_in_force(weighed: Weighed, since: str, now: float, zone: tzinfo, words: Wording) -> str:
    """Say which profile a person had, who selected it, until when, and where calls go meanwhile; "" for none.

    Args:
        weighed: the person, as weighed at `now` (POSIX seconds).
        since: when a scheduled profile began ("12:00"), or "".
    """
    if weighed.profile is None:
        return ""
    parts = []
    if weighed.by == SCHEDULE:
        phrase = "by_schedule" if since else "by_schedule_whenever"
        parts.append(words(phrase, profile=weighed.profile, time=since))
    else:
        parts.append(words(f"by_{weighed.by}", profile=weighed.profile))
    if weighed.until is not None and weighed.by != SCHEDULE:
        parts.append(words("until", time=words.clock(weighed.until, now, zone)))
    if weighed.forward:
        parts.append(words("forwarding", target=weighed.forward))
    return ", ".join(parts)


def _heading(decision: Decision, facts: Facts, configuration: Configuration, now: float, words: Wording) -> str:
    if decision.person is None:
        return ""
    person = configuration.policy.people[decision.person]
    heading = f"{person.name} ({person.role})"
    weighed = next((one for one in decision.weighed if one.person == person.id), None)
    if weighed is None or decision.profile is None:
        return heading
    since = _since(person, weighed, now, configuration)
    in_force = profile_in_force(weighed, since, now, configuration.policy.zone, words)
    return f"{heading} · {in_force}" if in_force else heading


def _since(person: Person, weighed: Weighed, now: float, configuration: Configuration) -> str:
    scheduled = person.profile_at(local_time(now, configuration.policy.zone))
    if scheduled is None or scheduled.profile.name != weighed.profile:
        return ""
    return clock(scheduled.window.start)


def _happens(decision: Decision, configuration: Configuration, words: Wording, now: float) -> str:
    target = decision.target
    people = configuration.policy.people
    trunks = ", ".join(trunks_for(target, configuration)) or words("no_trunk")
    match decision.action, target:
        case Action.REFUSE, _:
            return words("refused", status=decision.status, phrase=decision.phrase)
        case Action.FEATURE, _:
            return _feature(decision, configuration, words, now)
        case Action.EMERGENCY, DialNumber():
            return words("emergency", target=target, trunks=trunks)
        case _, DialNumber():
            return words("dial" if decision.action is Action.DIAL else "forwarded_out", target=target, trunks=trunks)
        case _, RingPerson():
            phrase = "rings" if decision.action is Action.RING else "forwarded_to"
            return words(phrase, name=people[target.person].name, accounts=", ".join(target.accounts))
        case _, DialAddress():
            owner = people.get(decision.person or "")
            if owner is not None and target.name == owner.id:  # their phone at the PBX
                return words("rings" if decision.action is Action.RING else "forwarded_to", **_at_pbx(owner, target))
            if target.name in people:
                return words("forwarded_to", **_at_pbx(people[target.name], target))
            holder = _last_holder(decision, configuration)
            if holder is not None and target.name == "voicemail":
                return words("target_of", target=target, name=holder.name, uri=target.uri)
            return words("target", target=target, uri=target.uri)
        case _, LeaveMessage():
            whose = people.get(target.mailbox)
            if whose is not None:
                return words("mailbox_of", target=target, name=whose.name, mailbox=target.mailbox)
            return words("mailbox", target=target, mailbox=target.mailbox)
        case _, JoinQueue():
            service = configuration.queues.get(target.queue)
            title = target.queue if service is None else service.title
            return words("waits_in", target=target, name=title)
        case _, PlayAnnouncement():
            return words("announcement", target=target, announcement=target.announcement)
        case _, PlayMenu():
            return words("menu", target=target, keys=_keys(configuration.policy.menus[target.menu]))
    return words("forwarded", target=target)


def _keys(menu: Menu) -> str:
    """Write where each key of a menu leads, and each language."""
    ways = [f"{key} {way.target}" for key, way in menu.ways.items() if key not in (TIMEOUT, WRONG)]
    return ", ".join([*ways, *(f"{key} {language.code}" for key, language in menu.languages.items())])


def _last_holder(decision: Decision, configuration: Configuration) -> Person | None:
    """Return the person from whom the call was forwarded last."""
    if not decision.diversions:
        return None
    number, policy = decision.diversions[-1].number, configuration.policy
    called = policy.numbers.get(number) or policy.extensions.get(number)
    return called if isinstance(called, Person) else None


def _at_pbx(person: Person, target: DialAddress) -> dict[str, str]:
    return {"name": person.name, "accounts": target.uri}


def _feature(decision: Decision, configuration: Configuration, words: Wording, now: float) -> str:
    feature = decision.feature
    if feature is None:
        raise AssertionError("a feature code without a feature")
    name = configuration.policy.people[feature.person].name
    if feature.kind is FeatureKind.RETURN:
        return words("return", name=name)
    if feature.kind in (FeatureKind.AGENT_IN, FeatureKind.AGENT_OUT, FeatureKind.AGENT_PAUSE):
        return words(feature.kind.value.replace(" ", "_"), name=name)
    if feature.kind is FeatureKind.OPEN_MAILBOX:
        return words("opens_mailbox", name=name, mailbox=decision.target)
    parts = [words("select", profile=feature.profile, name=name)]
    if feature.until is not None:
        parts.append(words("until", time=words.clock(feature.until, now, configuration.policy.zone)))
    if feature.forward:
        parts.append(words("forwarding", target=feature.forward))
    return ", ".join(parts)


def _details(decision: Decision, facts: Facts, configuration: Configuration, words: Wording, now: float) -> list[str]:
    details = []
    if isinstance(decision.target, RingPerson):
        details += [
            words("then_rings", seconds=words.seconds(after), accounts=", ".join(accounts))
            for after, accounts in decision.target.later
        ]
    if decision.action not in (Action.REFUSE, Action.FEATURE):
        details.append(words("shows", shown=_shown(decision, words)))
    told = says(decision, configuration)
    if told:
        details.append(words("says", words=next(iter(told.values()))))  # as callers hear it first
    if isinstance(decision.target, LeaveMessage):
        mailbox = decision.target.mailbox
        offers = what_is_told(decision, facts.attempts, decision.weighed, configuration.policy, mailbox, now).offers
        if offers:
            choices = ", ".join(f"{key} {_offer(offer, words)}" for key, offer in enumerate(offers, 1))
            details.append(words("offers", choices=choices))
    if decision.no_answer_after is not None:
        details.append(words("for", seconds=words.seconds(decision.no_answer_after)))
    return details


def _offer(offer: str, words: Wording) -> str:
    kind, _, target = offer.partition(":")
    return words(f"offer_{kind}", target=target.strip())


def _shown(decision: Decision, words: Wording) -> str:
    number = decision.shown_number
    shown = number or words("no_number")
    if decision.shown_name:
        shown = words("named", number=shown, name=decision.shown_name)
    return words("withheld", shown=shown) if decision.withhold and number else shown
