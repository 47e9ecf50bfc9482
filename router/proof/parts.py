"""What compiled rules consist of, found by looking through the records themselves.

So a rule that the policy learns is taken into account here without a word about it.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from router.model.decision import DialAddress, DialNumber, JoinQueue, PlayMenu, Reason, RingPerson
from router.policy.caller_exceptions import CallerException, CallerExceptions
from router.policy.schedule import Calendar, Window
from router.policy.snapshot import Person, Profile, SharedLine, ShownIdentity, Treatment

# Fields that hold the moment (POSIX seconds) from which on a rule is another one.
_INSTANTS = frozenset({"until", "left_at", "since"})
_NO_FIELDS: tuple[str, ...] = ()

# What a rule is called, and where it is written, makes no difference to what happens.
_WORDING = frozenset({"says", "offers", "name", "french", "rings", "source"})


@dataclass(frozen=True, slots=True)
class Rules:
    """What the rules of one person, or of one shared number, consist of.

    Args:
        windows: times of day that they mention.
        treatments: where calls go.
        people: ids of those to whom calls may go.
        numbers: outside numbers to which calls may go.
        instants: moments at which they change (POSIX seconds), those of exceptions for callers aside.
        exceptions: for callers, by number or by prefix.
        identities: what can be seen outside of a call, in one case or another.
        menus, queues: to which calls may go.
    """

    windows: tuple[Window, ...]
    treatments: tuple[Treatment, ...]
    people: tuple[str, ...]
    numbers: tuple[str, ...]
    instants: tuple[float, ...]
    exceptions: Mapping[str, tuple[CallerException, ...]]
    identities: tuple[ShownIdentity, ...]
    menus: tuple[str, ...] = ()
    queues: tuple[str, ...] = ()


def rules_of(holder: Person | SharedLine) -> Rules:
    """Look through the rules of a person or a shared number."""
    windows: dict[Window, None] = {}
    treatments: dict[int, Treatment] = {}
    people: dict[str, None] = {}
    numbers: dict[str, None] = {}
    menus: dict[str, None] = {}
    queues: dict[str, None] = {}
    instants: set[float] = set()
    exceptions: dict[str, tuple[CallerException, ...]] = {}
    identities: list[ShownIdentity] = []
    for name, part in _parts("", holder):
        if isinstance(part, Window):
            windows[part] = None
        elif isinstance(part, Treatment):
            treatments[id(part)] = part
        elif isinstance(part, RingPerson):
            people[part.person] = None
        elif isinstance(part, PlayMenu):
            menus[part.menu] = None
        elif isinstance(part, JoinQueue):
            queues[part.queue] = None
        elif isinstance(part, DialNumber):
            numbers[part.number] = None
        elif isinstance(part, ShownIdentity):
            if name != "inside":
                identities.append(part)
        elif isinstance(part, CallerExceptions):
            exceptions.update({**part.prefixes, **part.numbers})
        elif name in _INSTANTS and isinstance(part, float):
            instants.add(part)
    if isinstance(holder, Person):
        people.pop(holder.id, None)
    return Rules(
        tuple(windows),
        tuple(treatments.values()),
        tuple(people),
        tuple(numbers),
        tuple(sorted(instants)),
        exceptions,
        tuple(identities),
        tuple(menus),
        tuple(queues),
    )


def shape_of_person(person: Person) -> tuple[Hashable, tuple[str, ...]]:
    """Return what is equal for two people whose calls take the same ways, each to their own mailbox and phones; and, in
    the order in which they occur in it, the colleagues to whom calls go."""
    own = {person.id, person.name, person.diverts_as, person.mobile, person.extension} - {""}
    colleagues: dict[str, int] = {}
    shape = tuple(_shape(name, getattr(person, name), own, colleagues) for name in _fields(person))
    return shape, tuple(colleagues)


def shape_of_profile(profile: Profile) -> Hashable:
    """Return what is equal for two profiles that treat calls alike, whatever they are called."""
    return tuple(_shape(name, getattr(profile, name), {}, {}) for name in _fields(profile))


def _fields(value: Any) -> tuple[str, ...]:
    fields = getattr(value, "__dataclass_fields__", None)
    return tuple(fields) if fields is not None else getattr(value, "_fields", _NO_FIELDS)


def _parts(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    """Yield a value and everything in it, each with the name of its field; not what is in calendars and reasons."""
    yield name, value
    if isinstance(value, (str, float, int, Reason, Calendar, ShownIdentity)) or value is None:
        return
    if isinstance(value, Mapping):
        for item in value.values():
            yield from _parts(name, item)
    elif isinstance(value, CallerException):
        yield from _parts("then", value.then)
    elif fields := _fields(value):
        for field in fields:
            yield from _parts(field, getattr(value, field))
    elif isinstance(value, (tuple, frozenset)):
        for item in value:
            yield from _parts(name, item)


def _shape(name: str, value: Any, own: Collection[str], colleagues: dict[str, int]) -> Hashable:
    """`own` are the words that stand for the person themselves; `colleagues` numbers those who occur."""
    if isinstance(value, (Reason, ShownIdentity)) or name in _WORDING:
        return None
    if value is None or isinstance(value, (float, int)):
        return value
    if isinstance(value, str):
        return "its own" if value in own else value
    if isinstance(value, Window):
        return value
    if isinstance(value, DialAddress):
        return "address", _shape("", value.name, own, colleagues) if value.name else value.uri
    if isinstance(value, RingPerson):
        person = value.person
        who = "its own" if person in own else colleagues.setdefault(person, len(colleagues))
        return "person", who, tuple(after for after, _ in value.later)
    if isinstance(value, Mapping):
        return frozenset((key, _shape("", item, own, colleagues)) for key, item in value.items())
    if fields := _fields(value):
        return type(value).__name__, *(_shape(field, getattr(value, field), own, colleagues) for field in fields)
    if isinstance(value, (tuple, frozenset)):
        return tuple(_shape(name, item, own, colleagues) for item in value)
    return repr(value)
