"""What changed in the parts of a configuration that are not about where a person's calls go: as it is written there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from pydantic import BaseModel

from router.configuration.gaps import Location
from router.configuration.load import Loaded

# Sections whose effect is told in words, by `differences`.
_TOLD_ELSEWHERE = frozenset({"roles", "teams"})
_OF_PEOPLE = ("email", "calendar", "exceptions")
_SECRETS = frozenset({"secret", "password", "hash"})


class Written(NamedTuple):
    """A value that changed; None: it was not there. `location` is a place in the document."""

    location: Location
    before: str | None
    after: str | None
    source_before: str
    source_after: str


def written_differences(old: Loaded, new: Loaded) -> list[Written]:
    """Return what changed outside the rules of people and numbers, in the order of the new document.

    Comments, the order of entries and the file in which something stands do not count. Secrets are never shown.
    """
    before, after = dict(_leaves(old)), dict(_leaves(new))
    changed: list[Written] = []
    told: set[Location] = set()  # entries that came or went as a whole
    for location in dict.fromkeys([*after, *before]):
        was, now = before.get(location), after.get(location)
        if isinstance(was, BaseModel) and isinstance(now, BaseModel):
            continue  # an entry that stays: what is in it follows
        if was == now or any(location[:length] in told for length in range(1, len(location))):
            continue
        if isinstance(was, BaseModel) or isinstance(now, BaseModel):
            told.add(location)
        secret = bool(_SECRETS.intersection(map(str, location)))
        changed.append(
            Written(
                location,
                _shown(was, secret),
                _shown(now, secret),
                "" if was is None else str(old.sources.mark(*location)),
                "" if now is None else str(new.sources.mark(*location)),
            )
        )
    return changed


def _leaves(loaded: Loaded) -> Iterator[tuple[Location, Any]]:
    document = loaded.document
    for name, field in type(document).model_fields.items():
        value = getattr(document, name)
        if name == "people":
            for person, section in document.people.items():
                for key in _OF_PEOPLE:
                    yield from _walk(("people", person, key), getattr(section, key))
                for device, phone in section.devices.items():
                    yield ("people", person, "devices", device, "secret"), phone.secret
                    yield ("people", person, "devices", device, "approved_by"), phone.approved_by
        elif name == "company":
            yield from (leaf for leaf in _walk(("company",), value) if leaf[0][1] != "main_line")
        elif name not in _TOLD_ELSEWHERE:
            yield from _walk((field.alias or name,), value)


def _walk(location: Location, value: Any) -> Iterator[tuple[Location, Any]]:
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            yield from _walk((*location, field.alias or name), getattr(value, name))
    elif isinstance(value, dict):
        for key, item in value.items():
            if isinstance(item, BaseModel):
                yield (*location, key), item
            yield from _walk((*location, key), item)
    elif isinstance(value, list) and value and isinstance(value[0], BaseModel):
        # The order of entries means nothing, and where one stands is no name for it: each is compared as a whole.
        for entry, count in Counter(map(_written, value)).items():
            yield (*location, entry), count
    elif value is not None and value != []:
        yield location, value


def _shown(value: Any, secret: bool) -> str | None:
    if value is None:
        return None
    return "…" if secret else _written(value)


def _written(value: Any) -> str:
    """Write a value much as it stands in a file, what is not set left out."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        given = (
            (field.alias or name, getattr(value, name)) for name, field in fields if name in value.model_fields_set
        )
        shown = (f"{name}: {'…' if name in _SECRETS else _written(item)}" for name, item in given)
        return "{" + ", ".join(shown) + "}"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return ", ".join(map(_written, value))
    if isinstance(value, tuple):
        return _named_tuple(value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def _named_tuple(value: Any) -> str:
    """Write an address, a listener or a set of days."""
    if hasattr(value, "weekdays"):
        names = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        days = [names[day] for day in sorted(value.weekdays)] + sorted(map(str, value.dates))
        return ", ".join([*days, *(["public_holidays"] if value.public_holidays else [])])
    if hasattr(value, "network"):
        return f"{value.network}" + (f":{value.port}" if value.port else "")
    return ":".join(str(part) for part in value if part is not None)
