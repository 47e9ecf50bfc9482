"""How single values are written: durations, times, days, numbers, addresses; each reader says what it would take."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Any, NamedTuple

from pydantic import BeforeValidator

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|min|h)?")
_SECONDS = {None: 1, "s": 1, "min": 60, "h": 3600}
_TIME = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)|24:00")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_EXTENSION = re.compile(r"[0-9*#]{1,10}")
USER = re.compile(r"[A-Za-z0-9_.!~*'()&=+$,;?/-]{1,64}")  # RFC 3261 §25.1, user, without escapes
_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*\.?")
PUBLIC_HOLIDAYS = "public_holidays"


@dataclass(frozen=True, slots=True)
class StandIn:
    """Marks a type with what takes the place of a required value that is missing or wrong, as it would be written."""

    written: str


class Address(NamedTuple):
    """Host (name, or IP literal without brackets) and port."""

    host: str
    port: int | None


class ListenAddress(NamedTuple):
    """Transport and address of a listener."""

    transport: str
    host: str
    port: int


class PeerSource(NamedTuple):
    """Network and port by which a peer is recognised."""

    network: IPv4Network | IPv6Network
    port: int | None


class Days(NamedTuple):
    """Weekdays (Monday is 0), single dates, and whether public holidays are meant too."""

    weekdays: frozenset[int]
    dates: frozenset[date]
    public_holidays: bool


def read_duration(value: Any) -> Any:
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None:
        raise ValueError('a duration is written "20s", "3min" or "1h"')
    return float(found[1]) * _SECONDS[found[2]]


def read_time(value: Any) -> Any:
    if not isinstance(value, str) or _TIME.fullmatch(value) is None:
        raise ValueError('a time is written "08:00", from "00:00" to "24:00"')
    hours, minutes = value.split(":")
    return int(hours) * 60 + int(minutes)


def read_number(value: Any) -> Any:
    if not isinstance(value, str) or _NUMBER.fullmatch(value.replace(" ", "")) is None:
        raise ValueError('a number is written with "+" and country code: "+3242200100"')
    return value.replace(" ", "")


def read_range(value: Any) -> Any:
    first, dots, last = value.partition("..") if isinstance(value, str) else ("", "", "")
    if not dots:
        raise ValueError('a range is written "+3242200100..+3242200199"')
    bounds = read_number(first.strip()), read_number(last.strip())
    if len(bounds[0]) != len(bounds[1]) or bounds[0] > bounds[1]:
        raise ValueError("the first number of a range is the lower one, and both have the same length")
    return bounds


def read_extension(value: Any) -> Any:
    if not isinstance(value, str) or _EXTENSION.fullmatch(value) is None:
        raise ValueError('an extension is made of digits: "201"')
    return value


def read_keys(value: Any) -> Any:
    if not isinstance(value, str) or not 1 <= len(value) <= 4 or value.strip("0123456789*#"):
        raise ValueError('keys of a telephone are digits, * and #, at most four: "*1"')
    return value


def read_user(value: Any) -> Any:
    if not isinstance(value, str) or USER.fullmatch(value) is None:
        raise ValueError("a user name holds letters, digits and - _ . only")
    return value


def split_address(text: str) -> Address:
    """Read "host", "host:port", "[IPv6]:port" or a bare IPv6 address. Raises `ValueError`."""
    host, port = text, ""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        if not closed or (rest and not rest.startswith(":")):
            raise ValueError("an IPv6 address with a port is written [2001:db8::1]:5060")
        port = rest[1:]
    elif text.count(":") == 1:
        host, _, port = text.partition(":")
    try:
        ip_address(host)
    except ValueError as error:
        if _HOST.fullmatch(host) is None or host.replace(".", "").isdigit():
            raise ValueError(f"{host!r} is neither a host name nor an IP address") from error
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError("a port lies between 1 and 65535")
    return Address(host, int(port) if port else None)


def read_address(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError('an address is written "host:port"')
    return split_address(value)


def read_listen(value: Any) -> Any:
    transport, _, address = value.partition(":") if isinstance(value, str) else ("", "", "")
    if transport not in ("udp", "tcp"):
        raise ValueError('a listener is written "udp:127.0.0.1:5060" or "tcp:[::1]:5060"')
    host, port = split_address(address)
    try:
        ip_address(host)
    except ValueError as error:
        raise ValueError(f"a listener needs an IP address, not the name {host!r}") from error
    return ListenAddress(transport, host, port or 5060)


def read_source(value: Any) -> Any:
    if not isinstance(value, str):
        raise ValueError('a source is written "203.0.113.7", "203.0.113.0/24" or "127.0.0.1:5070"')
    try:
        if "/" in value:
            return PeerSource(ip_network(value), None)
        host, port = split_address(value)
        return PeerSource(ip_network(host), port)
    except ValueError as error:
        raise ValueError(f'{error}; a source is written "203.0.113.7", "203.0.113.0/24" or "127.0.0.1:5070"') from error


def read_days(value: Any) -> Any:
    words = value.split(",") if isinstance(value, str) else value
    if not isinstance(words, list):
        raise ValueError('days are written "mon-fri", "sat, sun", "2026-12-24" or "public_holidays"')
    weekdays: set[int] = set()
    dates: set[date] = set()
    holidays = False
    for word in (str(word).strip().lower() for word in words):
        first, _, last = word.partition("-")
        if word == PUBLIC_HOLIDAYS:
            holidays = True
        elif first in _WEEKDAYS and (not last or last in _WEEKDAYS):
            start, end = _WEEKDAYS.index(first), _WEEKDAYS.index(last or first)
            weekdays.update((start + offset) % 7 for offset in range((end - start) % 7 + 1))
        else:
            try:
                dates.add(date.fromisoformat(word))
            except ValueError as error:
                raise ValueError(
                    f'{word!r} is no day; write "mon-fri", "sat, sun", "2026-12-24" or "public_holidays"'
                ) from error
    return Days(frozenset(weekdays), frozenset(dates), holidays)


def read_product(value: Any) -> Any:
    if not isinstance(value, str) or not value.isprintable() or len(value) > 100:
        raise ValueError('a User-Agent is one short line such as "Renvoi"; "" sends none')
    return value.strip()


Duration = Annotated[float, BeforeValidator(read_duration)]
TimeOfDay = Annotated[int, BeforeValidator(read_time), StandIn("00:00")]
Day = Annotated[date, StandIn("2999-12-31")]
Number = Annotated[str, BeforeValidator(read_number), StandIn("+10000000")]
Extension = Annotated[str, BeforeValidator(read_extension), StandIn("0")]
Keys = Annotated[str, BeforeValidator(read_keys), StandIn("0")]
UserName = Annotated[str, BeforeValidator(read_user), StandIn("unknown")]
HostAddress = Annotated[Address, BeforeValidator(read_address), StandIn("unknown.invalid")]
Listen = Annotated[ListenAddress, BeforeValidator(read_listen), StandIn("udp:127.0.0.1:5060")]
DaySet = Annotated[Days, BeforeValidator(read_days), StandIn("mon-sun")]
