"""A company without a fault, for tests that put one in."""

from __future__ import annotations

from tests.policy.company import moment

NOW = moment("2026-11-24T10:00")  # a Tuesday

SOUND = """\
company:
  name: Atelier de la Meuse
  country: BE
  time_zone: Europe/Brussels
  main_number: "+3242200100"
  main_line: {then: reception, hours: office, closed: voicemail}
  short_numbers: ["1733"]
sip: {listen: "udp:127.0.0.1:5060"}
numbers:
  - {range: "+3242200100..+3242200199", verified: true}
  - {number: "+32470555012", verified: true, holder: claire}
calendars:
  en_semaine: {days: mon-fri}
  week_end: {days: "sat, sun"}
hours:
  office: {calendar: en_semaine, from: "08:00", to: "17:00"}
targets:
  reception: {sip: "sip:reception@127.0.0.1:5090"}
  voicemail: {sip: "sip:{extension}@127.0.0.1:5091"}
  queue:sales: {sip: "sip:sales@127.0.0.1:5092"}
  answering_service: {number: "+3243334455"}
teams:
  sales: {name: Service Commercial, number: "+3242200150", then: queue:sales, hours: office, closed: answering_service}
  technical: {name: Service Technique, number: "+3242200160", then: voicemail}
profiles:
  lunch: {kind: absent, says: En pause déjeuner}
  meeting: {kind: busy_other, code: "*21"}
  gone_for_the_day: {kind: absent, says: Absent pour la journée}
roles:
  standard:
    shows: {fixed: direct_number, mobile: main_number}
    when: {on_call: voicemail, busy_other: reception, no_answer: {after: 20s, then: voicemail}}
    schedule:
      - {profile: lunch, calendar: en_semaine, from: "12:00", to: "13:00"}
      - {profile: gone_for_the_day, calendar: en_semaine, from: "17:00", to: "08:00"}
      - {profile: gone_for_the_day, calendar: week_end, from: "08:00", to: "08:00"}
    rings_within: office
  sales:
    based_on: standard
    shows: personal_mobile
    when: {on_call: reception, busy_other: queue:sales}
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
  brigitte:
    name: Brigitte Lambert
    role: standard
    extension: "200"
    direct_number: "+3242200120"
    devices: {desk: {kind: fixed, secret: x}}
  emma:
    name: Emma Wouters
    role: standard
    extension: "304"
    direct_number: "+3242200134"
    devices: {own: {kind: private, secret: x, until: 2027-06-30, approved_by: paul}}
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
trunks:
  first: {address: "127.0.0.1:5080"}
callers:
  hospital:
    numbers: ["+32475999000"]
    rings_through: [busy_other, absent, on_call]
    people: [claire]
    approved_by: paul
    until: 2027-06-30
greylist:
  prefixes: ["+881", "+224"]
  exceptions:
    - {prefix: "+224621", approved_by: paul, until: 2027-03-31}
"""


def line_of(text: str, written: str) -> int:
    """Return the line in which `written` stands, from 1; it stands in one only."""
    lines = [number for number, line in enumerate(text.splitlines(), start=1) if written in line]
    assert len(lines) == 1, (written, lines)
    return lines[0]
