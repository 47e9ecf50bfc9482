"""Short forms: each is turned into the long one before validation, so that an error always points at one place.

`on_call: voicemail` is `on_call: {then: voicemail}`, one word stands for a list of one.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator

from router.configuration.values import PeerSource, StandIn, read_duration, read_source


def as_list(value: Any) -> Any:
    """One entry stands for a list of one."""
    return value if isinstance(value, list) else [value]


def with_then(value: Any) -> Any:
    """Where calls go, alone, is the condition with nothing but that."""
    return {"then": value} if isinstance(value, str) else value


def with_address(value: Any) -> Any:
    """Addresses alone are the section with nothing but those."""
    return {"address": value} if isinstance(value, str | list) else value


def in_every_language(value: Any) -> Any:
    """One text is said in every language; its key is ""."""
    return {"": value} if isinstance(value, str) else value


def on_every_connection(value: Any) -> Any:
    """One rule of what is shown holds for every kind of connection."""
    return dict.fromkeys(("fixed", "mobile", "softphone", "private"), value) if isinstance(value, str) else value


def nothing_is_empty(value: Any) -> Any:
    """A key with nothing after it, as when all below it is commented out, is an empty section."""
    return {} if value is None else value


def offer_with_argument(value: Any) -> Any:
    """`transfer: reception` is `transfer:reception`."""
    if isinstance(value, dict) and len(value) == 1:
        name, argument = next(iter(value.items()))
        return f"{name}:{argument}"
    return value


def in_order_of_ringing(value: Any) -> Any:
    """`[desk, {gsm: 10s}]` is a list of devices, each with the time after which it rings; "all" is no order at all.

    Raises `ValueError` for a time that is none, which would otherwise be reported at a key that nobody has written.
    """
    if value == "all" or value is None:
        return None
    entries = []
    for entry in value if isinstance(value, list) else [value]:
        if isinstance(entry, str):
            entries.append({"device": entry, "after": "0s"})
        elif isinstance(entry, dict) and len(entry) == 1 and "device" not in entry:
            device, after = next(iter(entry.items()))
            read_duration(after)
            entries.append({"device": device, "after": after})
        else:
            entries.append(entry)
    return entries


PeerSources = Annotated[
    list[Annotated[PeerSource, BeforeValidator(read_source), StandIn("192.0.2.1")]], BeforeValidator(as_list)
]
Words = Annotated[list[str], BeforeValidator(as_list)]
Says = Annotated[dict[str, str], BeforeValidator(in_every_language)]
