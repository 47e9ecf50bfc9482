"""What the walk has to know of a company: who is like whom, what can be selected, when rules change, who might call."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import cache
from typing import Final

from router.configuration.load import Loaded
from router.model.decision import Connection, DialNumber, JoinQueue, Origin, PlayMenu, RingPerson, SelectedBy, Target
from router.policy import Policy
from router.policy.dialling import LONGEST_E164
from router.policy.reach import MAX_PEOPLE_PER_CALL
from router.policy.schedule import Window
from router.policy.selecting import may_select, usual_end
from router.policy.snapshot import SCHEDULE, Person, ProfileKind, SharedLine
from router.proof.moments import DAY, HORIZON_DAYS, Moments
from router.proof.parts import Rules, rules_of, shape_of_person, shape_of_profile
from router.proof.walk import Call, Choice

USUAL_DIGITS: Final = 11  # of a number with its country code
_MEETING: Final = 3600.0  # seconds; how long an entry of a calendar lasts makes no difference


class Survey:
    """What the walk has to know of a company.

    Args:
        loaded: the configuration.
        now: POSIX seconds; what was over before is left out.

    Attributes:
        policy: compiled; document: as written.
        alike: people in groups whose calls take the same ways; the one with a direct number stands first.
        lines: the numbers that belong to no person, by what is dialled.
    """

    def __init__(self, loaded: Loaded, now: float) -> None:
        self.policy: Policy = loaded.configuration.policy
        self.document = loaded.document
        self.configuration = loaded.configuration
        self.now = now
        self.trunk = loaded.configuration.trunks[0].name if loaded.configuration.trunks else "trunk"
        self.rules = cache(self._rules)
        self.windows = cache(self._windows)
        self.choices = cache(self._choices)
        self.moments = cache(self._moments)
        self.a_stranger = cache(self._a_stranger)
        self.lines = self._lines()
        self.alike = self._alike()
        self.accounts = {account.person: account for account in reversed([*loaded.configuration.accounts.values()])}
        self._profiles = self._kinds_of_profiles()
        self._line_rules = {id(line): rules_of(line) for line in (*self.lines.values(), *self.policy.queues.values())}
        self._calendar = self._set_by_calendar()

    def windows_without_asking(self, holder: Person | SharedLine) -> tuple[Window, ...]:
        """Return the windows that count in a call to `holder` although nobody's state is asked: their own, and those of
        people who have left."""
        gone = [other for other in self._reached(holder) if isinstance(other, Person) and other.left_at is not None]
        return tuple(dict.fromkeys(window for each in (holder, *gone) for window in self._windows_for(each)))

    def rules_for(self, holder: Person | SharedLine) -> Rules:
        """Return what the rules of whoever is called consist of."""
        return self.rules(holder.id) if isinstance(holder, Person) else self._line_rules[id(holder)]

    def eras(self, holder: Person | SharedLine, caller: str | None) -> Iterator[Moments]:
        """Yield the moments of each time between changes of the rules that a call to `holder` can meet.

        Args:
            holder: who is called.
            caller: number of the caller, or None.
        """
        instants: set[float] = set()
        for rules in map(self.rules_for, self._reached(holder)):
            instants.update(rules.instants)
            if caller is not None:
                instants.update(
                    exception.until
                    for prefix, exceptions in rules.exceptions.items()
                    if caller.startswith(prefix)
                    for exception in exceptions
                )
            instants.update(self._ends_for(rules.numbers))
        starts = [self.now, *sorted(at for at in instants if self.now < at < float("inf"))]
        for start, end in zip(starts, [*starts[1:], starts[-1] + HORIZON_DAYS * DAY], strict=True):
            yield self.moments(start, end)

    def outside_call(self, dialled: str, caller: str) -> Call:
        """Return a call from outside."""
        return Call(Origin.TRUNK, self.trunk, dialled, caller_number=caller)

    def inside_call(self, dialled: str, caller: Person, connection: Connection | None = None) -> Call:
        """Return a call from a person's phone; from a PBX where their phone is there."""
        account = self.accounts.get(caller.id)
        section = self.document.people[caller.id]
        if section.pbx is not None and section.extension is not None:
            number = section.mobile if connection is Connection.MOBILE and section.mobile else section.extension
            return Call(Origin.PBX, section.pbx, dialled, caller_number=number)
        peer = account.user if account is not None else caller.id
        return Call(Origin.PERSON, peer, dialled, caller.id, connection or (account.connection if account else None))

    def dialled_from_outside(self, person: Person) -> str | None:
        """Return the number by which callers from outside reach a person, or None."""
        return person.diverts_as if self.policy.numbers.get(person.diverts_as) is person else None

    def is_free(self, number: str) -> bool:
        """Say whether a number is neither the company's nor on the greylist, in any direction."""
        policy = self.policy
        return (
            not policy.owned.owns(number)
            and number not in policy.callers
            and policy.greylist.match(number, self.now) is None
            and policy.greylist.blocks_caller(number, self.now) is None
        )

    def _a_stranger(self) -> str:
        """Return a number outside the company that is on no greylist: that of somebody who calls, or is called."""
        plan, code = self.policy.plan, self.policy.plan.country_code
        known = [prefix for rules in map(self.rules, self.policy.people) for prefix in rules.exceptions]
        for length in range(plan.longest, plan.shortest - 1, -1):
            for digit in "4768135920":
                number = f"+{code}{digit}{'7501112223334'[: length - 1]}"
                if len(number) <= LONGEST_E164 + 1 and self.is_free(number) and not number.startswith(tuple(known)):
                    return number
        return "+88299999999"  # a country whose every number is the company's or blocked

    def _rules(self, person: str) -> Rules:
        return rules_of(self.policy.people[person])

    def _windows(self, person: str) -> tuple[Window, ...]:
        return self._windows_for(self.policy.people[person])

    def _windows_for(self, holder: Person | SharedLine) -> tuple[Window, ...]:
        """Return the windows that somebody's rules mention, and those of shared numbers to which their calls go."""
        lines = self._reached(holder, lambda other: isinstance(other, SharedLine))
        return tuple(dict.fromkeys(window for each in lines for window in self.rules_for(each).windows))

    def _moments(self, start: float, end: float) -> Moments:
        windows = [window for person in self.policy.people for window in self.rules(person).windows]
        windows += [window for rules in self._line_rules.values() for window in rules.windows]
        return Moments(self.policy.zone, windows, start, end)

    def _lines(self) -> dict[str, SharedLine]:
        lines = {number: holder for number, holder in self.policy.numbers.items() if isinstance(holder, SharedLine)}
        nobodys = self._number_of_nobody()
        if nobodys is not None:
            lines[nobodys] = self.policy.unassigned
        return lines

    def _number_of_nobody(self) -> str | None:
        owned = self.policy.owned
        for first, last in zip(owned.starts, owned.ends, strict=True):
            for number in range(first, min(last, first + len(self.policy.numbers)) + 1):
                if f"+{number}" not in self.policy.numbers:
                    return f"+{number}"
        return None

    def _alike(self) -> tuple[tuple[Person, ...], ...]:
        groups: dict[Hashable, list[Person]] = {}
        shapes = {name: shape_of_person(person) for name, person in self.policy.people.items()}
        for person in self.policy.people.values():
            groups.setdefault(_circle(person.id, shapes), []).append(person)
        for group in groups.values():
            group.sort(key=lambda person: self.dialled_from_outside(person) is None)
        return tuple(tuple(group) for group in groups.values())

    def _kinds_of_profiles(self) -> tuple[str, ...]:
        """Name one profile of each kind that treats calls alike, those that were written before the usual ones."""
        written = [*self.document.profiles, *ProfileKind]
        own_targets = {
            name for person in self.policy.people.values() for name in (*person.on_profile, *person.shows_in)
        }
        kinds: dict[Hashable, str] = {}
        for name in written:
            profile = self.policy.profiles[name]
            allowed = frozenset(person.role for person in self.policy.people.values() if may_select(person, profile))
            kinds.setdefault((shape_of_profile(profile), allowed, name if name in own_targets else ""), name)
        return tuple(kinds.values())

    def _set_by_calendar(self) -> frozenset[str]:
        named = {name for name, section in self.document.profiles.items() if section.from_calendar}
        return frozenset({*named, *self.document.calendar_feed.profiles.values()})

    def _choices(self, person_id: str) -> tuple[Choice, ...]:
        person = self.policy.people[person_id]
        found: list[Choice] = []
        for name in self._profiles:
            profile = self.policy.profiles[name]
            if profile.roles and person.role not in profile.roles:
                continue
            ways = [Choice(name, SelectedBy.ADMINISTRATOR)]
            if name in self._calendar and self.document.people[person_id].calendar is not None:
                ways.insert(0, Choice(name, SelectedBy.CALENDAR, lasts=_MEETING))
            if may_select(person, profile):
                ways.insert(0, Choice(name, SelectedBy.PERSON, lasts=usual_end(person, profile, 0.0)))
            alike = {self._weight(choice, person): choice for choice in reversed(ways)}
            found += reversed(alike.values())
        away = [choice for choice in found if choice.by is SelectedBy.PERSON]
        if away:
            found += [away[0]._replace(forward=forward) for forward in self._forwards(person)]
        return tuple(found)

    def _weight(self, choice: Choice, person: Person) -> tuple[bool, bool]:
        """Return what makes a difference between selections of one profile: whether the schedule comes before it, and
        whether it can be forgotten (S6)."""
        order = self.policy.profile_order
        forgotten = choice.lasts is None and choice.by is not SelectedBy.ADMINISTRATOR and person.silence is not None
        return order.index(choice.by) > order.index(SCHEDULE), forgotten

    def _forwards(self, person: Person) -> Iterator[str]:
        """Name where a person may send calls (R8): one of each kind."""
        may = person.choices
        if may.own_mobile and person.mobile:
            yield person.mobile
        if may.inside:
            colleague = next((other for other in self.policy.people if other != person.id), None)
            if colleague is not None:
                yield colleague
        if may.outside:
            yield self.a_stranger()
        yield from sorted(may.targets)

    def _reached(
        self, holder: Person | SharedLine, also: Callable[[Person | SharedLine], bool] = lambda other: True
    ) -> list[Person | SharedLine]:
        """Return whoever is called and everybody, and every shared number, to which the call can go on from there."""
        reached, seen = [holder], {id(holder)}
        for current in reached:
            for other in self._following(current):
                if id(other) not in seen and also(other):
                    seen.add(id(other))
                    reached.append(other)
        return reached

    def _following(self, holder: Person | SharedLine) -> Iterator[Person | SharedLine]:
        rules, policy = self.rules_for(holder), self.policy
        yield from (policy.people[name] for name in rules.people)
        yield from (policy.queues[name] for name in rules.queues if name in policy.queues)
        numbers = [*rules.numbers]
        for behind in self._behind_menus(rules.menus):
            if isinstance(behind, RingPerson):
                yield policy.people[behind.person]
            elif isinstance(behind, DialNumber):
                numbers.append(behind.number)
            elif isinstance(behind, JoinQueue):
                yield policy.queues[behind.queue]
        if isinstance(holder, Person):
            for choice in self.choices(holder.id):
                target = policy.targets.get(choice.forward)
                numbers.append(target.number if isinstance(target, DialNumber) else choice.forward)
                if choice.forward in policy.people:
                    yield policy.people[choice.forward]
                elif isinstance(target, RingPerson):
                    yield policy.people[target.person]
        yield from (policy.numbers[number] for number in numbers if number in policy.numbers)

    def _behind_menus(self, names: Iterable[str]) -> Iterator[Target]:
        """Yield everything to which choices in these menus lead, and in menus behind them."""
        seen = list(names)
        for name in seen:
            for way in self.policy.menus[name].ways.values():
                if not isinstance(way.target, PlayMenu):
                    yield way.target
                elif way.target.menu not in seen:
                    seen.append(way.target.menu)

    def _ends_for(self, numbers: Iterable[str]) -> Iterator[float]:
        """Yield when exceptions to the greylist end that concern these numbers."""
        for number in numbers:
            for prefix, exception in self.policy.greylist.exceptions.items():
                if number.startswith(prefix):
                    yield exception.until


def _circle(person: str, shapes: Mapping[str, tuple[Hashable, tuple[str, ...]]]) -> Hashable:
    """Return what is equal for two people if their own rules are alike, and those of everybody to whom their calls go,
    in the same places."""
    order = {person: 0}
    circle: list[Hashable] = []
    current = [person]
    for _ in range(MAX_PEOPLE_PER_CALL):
        following: list[str] = []
        for name in current:
            shape, colleagues = shapes[name]
            following += [colleague for colleague in colleagues if colleague not in order]
            circle.append((shape, tuple(order.setdefault(colleague, len(order)) for colleague in colleagues)))
        current = list(dict.fromkeys(following))
    return tuple(circle)


def number_with(prefix: str) -> str:
    """Return a number that begins with `prefix` (spaces are left out), made up to a usual length."""
    digits = prefix.replace(" ", "")
    return digits if len(digits) > USUAL_DIGITS else (digits + "7501112223334")[: USUAL_DIGITS + 1]
