"""A small company, compiled from the YAML that an administrator would write."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from router.configuration import Configuration, load
from router.model.decision import (
    Attempt,
    Connection,
    Decision,
    Facts,
    LineState,
    Origin,
    Outcome,
    SelectedBy,
    Selection,
)
from router.policy import Policy, decide

BRUSSELS = ZoneInfo("Europe/Brussels")
MAIN = "+3242200100"
CUSTOMER = "+32475111222"
TUESDAY_MORNING = "2026-11-24T10:15"

COMPANY = """\
company:
  name: Atelier de la Meuse
  country: BE
  time_zone: Europe/Brussels
  main_number: "+3242200100"
  main_line: {then: reception, hours: office, closed: voicemail}
  short_numbers: ["1733"]
sip: {listen: "udp:127.0.0.1:5060"}
numbers:
  - {range: "+3242200100..+3242200189", verified: true}
  - {range: "+3242200190..+3242200199"}
  - {number: "+32470555012", verified: true, holder: claire}
  - {number: "+32470555014", verified: true, holder: paul}
calendars:
  en_semaine: {days: mon-fri}
  jours_ouvrables: {days: mon-fri, except: public_holidays}
  week_end: {days: "sat, sun"}
hours:
  office: {calendar: jours_ouvrables, from: "08:00", to: "17:00"}
targets:
  reception: {sip: "sip:reception@127.0.0.1:5090"}
  voicemail: {sip: "sip:{extension}@127.0.0.1:5091"}
  queue:sales: {sip: "sip:sales@127.0.0.1:5092"}
  queue:technical: {sip: "sip:technical@127.0.0.1:5092"}
  service_externe: {number: "+3243334455"}
  satellite: {number: "+88161234567"}
teams:
  technical: {name: Service Technique, number: "+3242200160", then: queue:technical}
profiles:
  lunch: {kind: absent, says: {fr: En pause déjeuner}}
  meeting: {kind: busy_other}
  gone_for_the_day: {kind: absent, says: {fr: Absent pour la journée}}
roles:
  standard:
    shows: {fixed: direct_number, mobile: main_number}
    when: {on_call: voicemail, busy_other: reception, no_answer: {after: 20s, then: voicemail}}
    schedule:
      - {profile: lunch, calendar: en_semaine, from: "12:00", to: "13:00"}
      - {profile: gone_for_the_day, calendar: en_semaine, from: "17:00", to: "08:00"}
      - {profile: gone_for_the_day, calendar: week_end, from: "08:00", to: "08:00"}
  sales:
    based_on: standard
    shows: personal_mobile
    when: {on_call: reception, busy_other: queue:sales}
    says: {gone_for_the_day: {fr: Parti pour la journée}}
  technical:
    based_on: standard
    team: technical
    shows: team_number
    when: {on_call: queue:technical, busy_other: reception}
  line_first: {based_on: sales, precedence: line}
people:
  paul:
    name: Paul Servais
    role: standard
    extension: "204"
    direct_number: "+3242200124"
    devices: {desk: {kind: fixed, secret: x}, gsm: {kind: mobile, secret: x}}
  claire:
    name: Claire Dubois
    role: sales
    extension: "201"
    direct_number: "+3242200121"
    mobile: "+32470555012"
    devices: {desk: {kind: fixed, secret: x}}
  marc:                                   # his mobile is not the company's
    name: Marc Lejeune
    role: sales
    extension: "202"
    direct_number: "+3242200122"
    mobile: "+32470999999"
    devices: {desk: {kind: fixed, secret: x}}
  nadia:                                  # her mobile is held by somebody else
    name: Nadia El Amrani
    role: sales
    extension: "203"
    direct_number: "+3242200190"
    mobile: "+32470555014"
    devices: {desk: {kind: fixed, secret: x}}
  thomas:
    name: Thomas Hardy
    role: technical
    extension: "301"
    direct_number: "+3242200131"
    devices: {soft: {kind: softphone, secret: x}}
  luc:
    name: Luc Fontaine
    role: line_first
    extension: "302"
    direct_number: "+3242200132"
    devices: {desk: {kind: fixed, secret: x}}
  isabelle:
    name: Isabelle Noël
    role: standard
    extension: "206"
    direct_number: "+3242200126"
  jean:
    name: Jean Collard
    role: standard
    extension: "207"
    direct_number: "+3242200127"
    left: 2026-09-30
    successor: paul
  lea:
    name: Léa Petit
    role: standard
    extension: "208"
    left: 2026-09-30
  ada:                                    # Ada and Bob forward to one another
    name: Ada
    role: standard
    extension: "401"
    when: {on_call: bob, no_answer: {after: 5s, then: bob}}
    devices: {desk: {kind: fixed, secret: x}}
  bob:
    name: Bob
    role: standard
    extension: "402"
    when: {on_call: ada, no_answer: ada}
    devices: {desk: {kind: fixed, secret: x}}
  eva:
    name: Eva Jacobs
    role: standard
    extension: "403"
    when: {on_call: service_externe, busy_other: satellite}
    devices: {desk: {kind: fixed, secret: x}}
  pia:
    name: Pia Simon
    role: standard
    extension: "501"
    direct_number: "+3242200151"
    mobile: "+32470777777"
    pbx: central
pbxs:
  central: {from: "127.0.0.1:5070", address: "127.0.0.1:5070"}
trunks:
  first: {address: "127.0.0.1:5080"}
greylist:
  prefixes: ["+881", "+224", "+2246211"]
  exceptions:
    - {prefix: "+224621", approved_by: paul, until: 2026-12-31}
"""


def configuration(text: str = COMPANY, directory: Path | None = None) -> Configuration:
    """Compile a configuration written in one file."""
    if directory is None:
        with TemporaryDirectory() as temporary:
            return configuration(text, Path(temporary))
    (directory / "company.yaml").write_text(text)
    return load(directory)


def moment(text: str) -> float:
    """POSIX seconds of a time with an offset, or of a wall-clock time in Brussels."""
    time = datetime.fromisoformat(text)
    return (time if time.tzinfo else time.replace(tzinfo=BRUSSELS)).timestamp()


class Desk:
    """Asks a policy what it does with calls, in the words of the tests."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy

    def outside(
        self,
        dialled: str,
        at: str = TUESDAY_MORNING,
        *,
        caller: str | None = CUSTOMER,
        lines: dict[str, LineState] | None = None,
        profiles: dict[str, str] | None = None,
        tried: dict[str, Outcome] | None = None,
        withhold: bool = False,
    ) -> Decision:
        """A call that comes by the trunk."""
        facts = Facts(
            Origin.TRUNK,
            "first",
            dialled,
            caller_number=caller,
            withhold=withhold,
            lines=lines or {},
            selections=selected(profiles or {}),
            attempts=tuple(Attempt(who, outcome) for who, outcome in (tried or {}).items()),
        )
        return decide(facts, self.policy, moment(at))

    def person(
        self,
        person: str,
        dialled: str,
        at: str = TUESDAY_MORNING,
        *,
        connection: Connection = Connection.FIXED,
        lines: dict[str, LineState] | None = None,
        profiles: dict[str, str] | None = None,
        withhold: bool = False,
    ) -> Decision:
        """A call from a person's device."""
        facts = Facts(
            Origin.PERSON,
            person,
            dialled,
            person,
            connection,
            withhold=withhold,
            lines=lines or {},
            selections=selected(profiles or {}),
        )
        return decide(facts, self.policy, moment(at))

    def pbx(self, caller: str | None, dialled: str, at: str = TUESDAY_MORNING, name: str | None = None) -> Decision:
        """A call that a PBX hands in."""
        facts = Facts(Origin.PBX, "central", dialled, caller_number=caller, caller_name=name)
        return decide(facts, self.policy, moment(at))


def selected(profiles: dict[str, str]) -> dict[str, tuple[Selection, ...]]:
    """Profiles that people selected themselves, until further notice."""
    return {person: (Selection(person, name, SelectedBy.PERSON, 0.0),) for person, name in profiles.items()}


def clauses(decision: Decision) -> list[str]:
    """The clauses that a decision cites."""
    return [reason.clause for reason in decision.because if reason.clause]
