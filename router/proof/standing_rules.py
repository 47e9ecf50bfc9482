"""What holds for each person and number under a configuration, in words that can be compared with another's.

Where a call goes is asked of `decide`, so that this follows the policy; the times at which profiles and silence hold
are read from the compiled rules.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from router.configuration import Configuration
from router.model.decision import (
    OF_A_PHONE,
    Attempt,
    Connection,
    DialAddress,
    Facts,
    LineState,
    Origin,
    Outcome,
    Reason,
    RingPerson,
    SelectedBy,
    Selection,
)
from router.policy import Policy, decide
from router.policy.schedule import Window
from router.policy.selecting import length_of_time
from router.policy.snapshot import Person, ProfileKind, SharedLine, ShownIdentity, Treatment
from router.proof.wording import Wording

_PROBE = "probe:"  # no telephone number begins so


class Rule(NamedTuple):
    """One rule as it holds for somebody.

    Args:
        label: the case: "in a meeting or busy otherwise".
        value: what happens then, without what is particular to the person: "reception".
        clause, source: of the policy, and where it is written.
    """

    label: str
    value: str
    clause: str = ""
    source: str = ""


class StandingRules:
    """The rules of one configuration, in words of one language.

    Args:
        configuration: whose rules they are.
        now: POSIX seconds at which they hold: exceptions end, and people leave.
        words: the language.
    """

    def __init__(self, configuration: Configuration, now: float, words: Wording) -> None:
        self._configuration = configuration
        self._policy = configuration.policy
        self._timeless = _without_times(configuration.policy)
        self._now = now
        self._words = words
        self._accounts: dict[str, list[str]] = {}
        self._kinds: dict[str, set[Connection]] = {}
        for account in configuration.accounts.values():
            self._kinds.setdefault(account.person, set()).add(account.connection)
            device = f"{account.user} ({account.connection}{self._end(account.until)})"
            self._accounts.setdefault(account.person, []).append(device)

    def of_person(self, person: Person) -> dict[str, Rule]:
        """Return the rules of a person by what they are about."""
        rules = dict(self._belongings(person))
        if person.left_at is not None and person.left_at <= self._now:
            rules["calls"] = self._probe(person, self._words("its_calls"))
        else:
            rules.update(self._conditions(person))
            rules.update(self._times(person))
        rules.update(self._shown(person))
        return rules

    def of_line(self, line: SharedLine) -> dict[str, Rule]:
        """Return the rules of a number that belongs to no person."""
        words = self._words
        rules = {"name": Rule(words("its_name"), line.name), "open": self._treatment(words("its_calls"), line.open)}
        if line.closed is not None:
            rules["hours"] = Rule(words("its_hours"), _windows(line.hours))
            rules["closed"] = self._treatment(words("outside_hours"), line.closed)
        return rules

    def _belongings(self, person: Person) -> Iterator[tuple[str, Rule]]:
        words, policy = self._words, self._policy
        numbers = sorted(number for number, owner in policy.numbers.items() if owner is person)
        yield "name", Rule(words("its_name"), person.name)
        yield "role", Rule(words("role"), person.role)
        yield "extension", Rule(words("extension"), person.extension or words("none"))
        yield "numbers", Rule(words("numbers"), ", ".join(numbers) or words("none"))
        yield "mobile", Rule(words("mobile"), person.mobile or words("none"))
        phone = person.phone.uri if isinstance(person.phone, DialAddress) else None
        devices = ", ".join(sorted(self._accounts.get(person.id, ())))
        yield "phones", Rule(words("phones"), phone or devices or words("none"))
        if person.left_at is not None:
            yield "left", Rule(words("left"), self._end(person.left_at).strip(" ,"), "S5")
        yield "precedence", Rule(words("both"), words("line" if person.line_first else "profile"), "G4")
        yield "choices", Rule(words("may_choose"), self._choices(person), "R8", person.choices.source)
        for profile, said in person.says.items():
            yield f"says {profile}", Rule(words("own_message", profile=profile), " / ".join(said.values()), "R4")

    def _conditions(self, person: Person) -> Iterator[tuple[str, Rule]]:
        """Where calls go in each state, times of day aside."""
        words = self._words
        yield "available", self._probe(person, words("available"))
        for state in (LineState.ON_CALL, LineState.UNREGISTERED):
            yield state, self._probe(person, words(state), lines={person.id: state})
        for outcome in OF_A_PHONE:
            label = words("phone_says_busy" if outcome is Outcome.BUSY else outcome)
            yield outcome, self._probe(person, label, attempts=(Attempt(person.id, outcome),))
        for profile in (ProfileKind.BUSY_OTHER, ProfileKind.ABSENT, *person.on_profile):
            label = words(profile) if profile in set(ProfileKind) else words("in_profile", profile=profile)
            chosen = Selection(person.id, profile, SelectedBy.ADMINISTRATOR, 0.0)
            yield f"profile {profile}", self._probe(person, label, selections={person.id: (chosen,)})
        rings = words("after_seconds", seconds=words.seconds(person.no_answer_after))
        yield "no_answer_after", Rule(words("gives_up"), rings, "G5")

    def _times(self, person: Person) -> Iterator[tuple[str, Rule]]:
        words = self._words
        by_profile: dict[str, list[str]] = {}
        reasons: dict[str, Reason] = {}
        for scheduled in person.schedule:
            by_profile.setdefault(scheduled.profile.name, []).append(str(scheduled.window))
            reasons.setdefault(scheduled.profile.name, scheduled.reason)
        for profile, windows in by_profile.items():
            reason = reasons[profile]
            label = words("on_schedule", profile=profile)
            yield f"schedule {profile}", Rule(label, "; ".join(windows), reason.clause, reason.source)
        order = ", ".join(dict.fromkeys(scheduled.profile.name for scheduled in person.schedule))
        yield "schedule", Rule(words("schedule_order"), order or words("none"))
        if person.silence is not None:
            silence = person.silence
            yield "silence", Rule(words("rings_within"), _windows(person.rings_within), silence.clause, silence.source)

    def _shown(self, person: Person) -> Iterator[tuple[str, Rule]]:
        words = self._words
        kinds = self._kinds.get(person.id, set())
        if isinstance(person.phone, DialAddress):  # at a PBX, which names them by extension or by mobile
            kinds = {Connection.FIXED} | ({Connection.MOBILE} if person.mobile else set())
        for connection in sorted(kinds):
            identity = person.shows[connection]
            yield (
                f"shows {connection}",
                self._identity(words("shown_by", connection=words(connection)), identity, person),
            )
        for profile, identities in person.shows_in.items():
            for connection, in_profile in identities.items():
                if connection in kinds and isinstance(in_profile, ShownIdentity):
                    label = words("shown_in", connection=words(connection), profile=profile)
                    yield f"shows {connection} in {profile}", self._identity(label, in_profile, person)
        yield "shows emergency", self._identity(words("shown_emergency"), person.emergency, person)
        yield "shows forwarded", self._identity(words("shown_forwarded"), person.forwards_as, person)

    def _probe(
        self,
        person: Person,
        label: str,
        lines: dict[str, LineState] | None = None,
        selections: dict[str, tuple[Selection, ...]] | None = None,
        attempts: tuple[Attempt, ...] = (),
    ) -> Rule:
        """Ask what happens to an anonymous call from outside to a person in one state."""
        facts = Facts(
            Origin.TRUNK,
            "",
            _PROBE + person.id,
            lines=lines or {},
            selections=selections or {},
            attempts=attempts,
        )
        decision = decide(facts, self._timeless, self._now)
        # What led there; that a phone rings, and which number it shows, is no rule of its own.
        reasons = [reason for reason in decision.because if reason.rule not in ("identity", "ring")]
        last = (reasons or decision.because or (Reason("", ""),))[-1]
        if decision.target is None:
            return Rule(label, f"{decision.status} {decision.phrase}", last.clause, last.source)
        return Rule(label, self._target(decision.target, person), last.clause, last.source)

    def _treatment(self, label: str, treatment: Treatment) -> Rule:
        reason = treatment.reason
        return Rule(label, self._target(treatment.target, None), reason.clause, reason.source)

    def _target(self, target: object, person: Person | None) -> str:
        words = self._words
        if not isinstance(target, RingPerson):
            return words("own_phones") if person is not None and target == person.phone else str(target)
        if person is None or target.person != person.id:
            return target.person
        if not target.later:
            return words("own_phones")
        later = (
            words("then_rings", seconds=words.seconds(after), accounts=", ".join(accounts))
            for after, accounts in target.later
        )
        return ", ".join([*target.accounts, *later])

    def _identity(self, label: str, identity: ShownIdentity, person: Person) -> Rule:
        words, number = self._words, identity.number
        reason = identity.because[0] if identity.because else Reason("", "")
        owner = None if number is None else self._policy.numbers.get(number)
        if number is None:
            value = words("no_number")
        elif number == person.mobile:
            value = words("own_mobile")
        elif owner is person:
            value = words("own_number")
        elif number == self._policy.company.number:
            value = words("main_number", number=number)
        else:
            value = number
        return Rule(label, value, reason.clause, reason.source)

    def _choices(self, person: Person) -> str:
        words, choices = self._words, person.choices
        profiles = words("any_profile") if choices.profiles is None else ", ".join(sorted(choices.profiles))
        forwards = [word for word in ("inside", "outside", "own_mobile") if getattr(choices, word)]
        parts = [profiles or words("none")]
        if forwards or choices.targets:
            targets = ", ".join([*(words(f"to_{word}") for word in forwards), *sorted(choices.targets)])
            parts.append(words("forwarding", target=targets))
        if choices.for_at_most is not None:
            parts.append(words("for_at_most", time=length_of_time(choices.for_at_most)))
        return ", ".join(parts)

    def _end(self, until: float | None) -> str:
        """Name the last day before a moment, as the configuration does."""
        if until is None:
            return ""
        return ", " + self._words(
            "until", time=datetime.fromtimestamp(until - 1, self._policy.zone).strftime("%Y-%m-%d")
        )


def _without_times(policy: Policy) -> Policy:
    """Return a policy in which nothing depends on the time of day, and everybody can be called by their id."""
    people = {
        name: replace(person, schedule=(), rings_within=(), silence=None) for name, person in policy.people.items()
    }
    numbers = {
        number: people[owner.id] if isinstance(owner, Person) else owner for number, owner in policy.numbers.items()
    }
    return replace(
        policy,
        people=people,
        numbers={**numbers, **{_PROBE + name: person for name, person in people.items()}},
        extensions={extension: people[person.id] for extension, person in policy.extensions.items()},
    )


def _windows(windows: tuple[Window, ...]) -> str:
    return "; ".join(map(str, windows))
