"""A first configuration, written from a few answers: small, commented, and one that `renvoi check` has no error for."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from string import Template
from typing import Final

from router.configuration.credentials import to_stored
from router.configuration.first_comments import COMMENTS
from router.configuration.values import split_address
from router.policy.dialling import PLANS
from router.policy.emergency import PACKS

FIRST_EXTENSION: Final = 201
RANGE_LENGTH: Final = 100  # numbers in the range that is proposed
RECEPTION: Final = "reception"
VOICEMAIL: Final = "voicemail"
PASSWORD_FILE: Final = "trunk.password"
COUNTRIES: Final = tuple(sorted(set(PLANS) & set(PACKS)))

TIME_ZONES: Final = {
    "AT": "Europe/Vienna",
    "BE": "Europe/Brussels",
    "CH": "Europe/Zurich",
    "DE": "Europe/Berlin",
    "DK": "Europe/Copenhagen",
    "ES": "Europe/Madrid",
    "FR": "Europe/Paris",
    "GB": "Europe/London",
    "IE": "Europe/Dublin",
    "LU": "Europe/Luxembourg",
    "NL": "Europe/Amsterdam",
    "PT": "Europe/Lisbon",
}


@dataclass(frozen=True, slots=True)
class FirstPerson:
    """Somebody who is there from the beginning, with one phone. `direct_number` is E.164 with "+", or ""."""

    id: str
    name: str
    extension: str
    direct_number: str
    password: str


@dataclass(frozen=True, slots=True)
class Answers:
    """What the first configuration is made from.

    Args:
        company, country: its name, and one of `COUNTRIES`.
        main_number, first_number, last_number: E.164 with "+".
        people: the first one is the reception, too.
        trunk: host, or host and port, of the provider.
        trunk_user: account at the provider, for one with whom the router registers; "" for one that knows its address.
        trunk_password: for that account.
        listen: address and port of the router.
        voicemail: host and port of a voicemail system.
        language: of the comments, "en" or "fr".
    """

    company: str
    country: str
    main_number: str
    first_number: str
    last_number: str
    people: tuple[FirstPerson, ...]
    trunk: str
    trunk_user: str
    trunk_password: str
    listen: str
    voicemail: str
    language: str


def first_configuration(answers: Answers) -> dict[str, str]:
    """Return the text of each file by its name; the trunk's password file, where there is one, among them."""
    files = {
        "company.yaml": _COMPANY,
        "roles.yaml": _ROLES,
        "profiles.yaml": _PROFILES,
        "people.yaml": _PEOPLE,
        "trunks.yaml": _TRUNKS_REGISTERED if answers.trunk_user else _TRUNKS,
    }
    index = 1 if answers.language == "fr" else 0
    values = {key: texts[index] for key, texts in COMMENTS.items()} | _values(answers)
    written = {name: Template(text).substitute(values) for name, text in files.items()}
    if answers.trunk_user:
        written[PASSWORD_FILE] = answers.trunk_password + "\n"
    return written


def usual_main_number(country: str) -> str:
    """Return a number that looks like one of the country, for a configuration that is only tried out."""
    plan = PLANS[country]
    return f"+{plan.country_code}2" + "100".rjust(max(plan.shortest, 8) - 1, "0")


def usual_range(main_number: str) -> tuple[str, str]:
    """Return the hundred numbers among which the main number is."""
    first = int(main_number[1:]) // RANGE_LENGTH * RANGE_LENGTH
    return f"+{first}", f"+{first + RANGE_LENGTH - 1}"


def read_number(written: str, country: str) -> str:
    """Return a number in E.164. Raises `ValueError`, with what to write instead."""
    number = PLANS[country].normalise(written)
    if number is None:
        raise ValueError(f"{written!r} is no telephone number; write for example {usual_main_number(country)}")
    return number


def read_range(written: str, country: str) -> tuple[str, str]:
    """Return the first and last number of "first..last". Raises `ValueError`."""
    first, dots, last = written.partition("..")
    if not dots:
        raise ValueError(f'{written!r} is no range; write for example "{"..".join(usual_range("+3242200100"))}"')
    numbers = read_number(first.strip(), country), read_number(last.strip(), country)
    if len(numbers[0]) != len(numbers[1]) or numbers[0] > numbers[1]:
        raise ValueError("the first number of a range is the lower one, and both have the same length")
    return numbers


def first_people(
    names: list[str], bounds: tuple[str, str], main_number: str, passwords: Iterator[str]
) -> tuple[FirstPerson, ...]:
    """Give people their ids, extensions, numbers of the range, and passwords."""
    free = (f"+{number}" for number in range(int(bounds[0][1:]), int(bounds[1][1:]) + 1))
    direct = (number for number in free if number != main_number)
    taken = {RECEPTION, VOICEMAIL}
    people = []
    for index, name in enumerate(names):
        person = _id(name, taken)
        taken.add(person)
        people.append(FirstPerson(person, name, str(FIRST_EXTENSION + index), next(direct, ""), next(passwords)))
    return tuple(people)


def read_address(written: str) -> str:
    """Return "host" or "host:port" as it stands. Raises `ValueError` where it is none."""
    split_address(written)
    return written


def realm_of(company: str) -> str:
    """Return a digest realm for a company."""
    return _plain(company, "-") or "renvoi"


def _values(answers: Answers) -> dict[str, str]:
    realm = realm_of(answers.company)
    return {
        "company": _quoted(answers.company),
        "country": answers.country,
        "time_zone": TIME_ZONES[answers.country],
        "languages": "fr, en" if answers.language == "fr" else "en, fr",
        "main_number": answers.main_number,
        "range": f"{answers.first_number}..{answers.last_number}",
        "receptionist": answers.people[0].id,
        "voicemail": answers.voicemail,
        "listen": answers.listen,
        "realm": realm,
        "people": "".join(
            _person(person, "standard" if index else "reception", realm) for index, person in enumerate(answers.people)
        ),
        "trunk": _quoted(answers.trunk),
        "trunk_host": answers.trunk,
        "trunk_user": _quoted(answers.trunk_user),
        "password_file": PASSWORD_FILE,
        # Nobody answers at an address of this machine, so nobody is asked whether the trunk is well.
        "health": "0s" if answers.trunk.startswith(("127.", "[::1]")) else "30s",
    }


def _person(person: FirstPerson, role: str, realm: str) -> str:
    secret = to_stored(person.extension, realm, person.password)
    lines = [
        f"  {person.id}:",
        f"    name: {_quoted(person.name)}",
        f"    role: {role}",
        f'    extension: "{person.extension}"',
        *([f'    direct_number: "{person.direct_number}"'] if person.direct_number else []),
        "    devices:",
        f'      desk: {{kind: fixed, secret: "{secret}"}}',
    ]
    return "\n".join(lines) + "\n"


def _id(name: str, taken: set[str]) -> str:
    base = _plain(name.split()[0] if name.split() else "", "_") or "person"
    return next(word for word in (base, *(f"{base}{number}" for number in range(2, 10_000))) if word not in taken)


def _plain(text: str, joint: str) -> str:
    """Write a name in lower-case letters and digits of ASCII."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", joint, ascii_only).strip(joint)


def _quoted(text: str) -> str:
    """Write a text as a YAML scalar that is nothing but this text."""
    return json.dumps(text, ensure_ascii=False)


_COMPANY: Final = """\
$c_company
company:
  name: $company
  country: $country
  time_zone: $time_zone
  languages: [$languages]
  main_number: "$main_number"
  main_line: {then: reception, hours: office, closed: voicemail}

$c_numbers
numbers:
  - {range: "$range", verified: true}

$c_calendars
calendars:
  weekdays: {days: mon-fri}
  working_days: {days: mon-fri, except: public_holidays}
  weekend: {days: "sat, sun"}
  holidays: {days: public_holidays}
hours:
  office: {calendar: working_days, from: "08:00", to: "17:00"}

$c_targets
targets:
  reception: {person: $receptionist}
  voicemail: {sip: "sip:{extension}@$voicemail"}

$c_sip
sip:
  listen: ["udp:$listen", "tcp:$listen"]
  realm: $realm
http:
  listen: "127.0.0.1:8080"
"""

_ROLES: Final = """\
$c_roles
roles:
  standard:
    shows: {fixed: direct_number, mobile: main_number}   # F1, M1
    when:
      on_call: voicemail                                 # M2, F2
      busy_other: reception                              # M3, F3
      absent: voicemail
      no_answer: {after: 20s, then: voicemail}           # G5
      unreachable: voicemail                             # G5
    schedule:
      - {profile: holiday, calendar: holidays, from: "00:00", to: "24:00"}
      - {profile: lunch, calendar: weekdays, from: "12:00", to: "13:00"}             # M4
      - {profile: gone_for_the_day, calendar: weekdays, from: "17:00", to: "08:00"}  # M5
      - {profile: weekend, calendar: weekend, from: "08:00", to: "08:00"}            # S6

$c_reception
  reception:
    based_on: standard
    when: {busy_other: voicemail}
    schedule: []
    rings_within: office                                 # S6
"""

_PROFILES: Final = """\
$c_profiles
profiles:
  meeting: {kind: busy_other, says: {fr: En réunion, en: In a meeting}, code: "*21"}
  lunch: {kind: absent, says: {fr: En pause déjeuner, en: At lunch}, offers: [message]}
  gone_for_the_day: {kind: absent, says: {fr: Absent pour la journée, en: Gone for the day}, offers: [message]}
  weekend: {kind: absent, says: {fr: De retour lundi, en: Back on Monday}, offers: [message], clause: S6}
  holiday: {kind: absent, says: {fr: Fermé ce jour férié, en: Closed for the holiday}, offers: [message], clause: S6}
  on_leave: {kind: absent, says: {fr: En congé, en: On leave}, offers: [message], code: "*22"}
codes:
  back: "*20"
  hide_number: "*31"
"""

_PEOPLE: Final = """\
$c_people
people:
$people"""

_TRUNKS: Final = """\
$c_trunks
trunks:
  provider:
    address: $trunk
    options_interval: $health
"""

_TRUNKS_REGISTERED: Final = """\
$c_trunks_registered
trunks:
  provider:
    address: $trunk
    options_interval: $health
    register: {registrar: "sip:$trunk_host", user: $trunk_user, password_file: $password_file}
"""
