"""A company that lays down something about everything, and its written policy."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from zoneinfo import ZoneInfo

from router.configuration.load import load_with_sources
from router.document.compose import write_policy
from router.document.policy_document import PolicyDocument

BRUSSELS = ZoneInfo("Europe/Brussels")
WRITTEN_ON = "2026-11-24T10:00"

COMPANY = """\
company:
  name: Atelier de la Meuse
  country: BE
  time_zone: Europe/Brussels
  languages: [fr, en]
  main_number: "+3242200100"
  main_line: {then: reception, hours: office, closed: voicemail}
  short_numbers: ["1733"]
  shows: main_number
  profile_order: [administrator, person, calendar, schedule]
  contacts:
    - {subject: Standard téléphonique, name: Paul Servais, number: "204", email: paul@atelier.example}
    - {subject: Portables, name: Sophie Renard}
sip: {listen: "udp:127.0.0.1:5060"}
numbers:
  - {range: "+3242200100..+3242200199", verified: true}
  - {number: "+32470555012", verified: true, holder: claire}
  - {number: "+32470555014", holder: marc, port_out_lock: false}
calendars:
  en_semaine: {days: mon-fri}
  jours_ouvrables: {days: mon-fri, except: public_holidays}
  week_end: {days: "sat, sun"}
  fermeture: {days: "2026-12-24, 2026-12-28, 2026-12-29, 2026-12-30, 2026-12-31"}
hours:
  office: {calendar: jours_ouvrables, from: "08:00", to: "17:00"}
  atelier: {calendar: jours_ouvrables, from: "07:00", to: "17:00"}
targets:
  reception: {sip: "sip:reception@127.0.0.1:5090"}
  voicemail: {sip: "sip:{extension}@127.0.0.1:5091"}
  queue:sales: {sip: "sip:sales@127.0.0.1:5092"}
  queue:technical: {sip: "sip:technical@127.0.0.1:5092"}
  service_externe: {number: "+3243334455"}
teams:
  sales: {name: Service Commercial, number: "+3242200150", then: queue:sales, hours: office, closed: service_externe}
  technical: {name: Service Technique, number: "+3242200160", then: queue:technical}
profiles:
  meeting: {kind: busy_other, says: {fr: En réunion, en: In a meeting}, code: "*21", from_calendar: true}
  lunch: {kind: absent, says: {fr: En pause déjeuner}, offers: [message, callback]}
  gone_for_the_day: {kind: absent, says: {fr: Absent pour la journée}, offers: [message]}
  vacances: {kind: absent, says: {fr: En congé}, offers: [message, {transfer: reception}], ends_after: 336h}
  bloc: {kind: busy_other, says: {fr: Au bloc}, code: "*25", roles: [technical],
         then: service_externe, shows: main_number}
codes: {back: "*20", hide_number: "*31", show: {"*32": main_number}}
calendar_feed: {profiles: {réunion: meeting, "": vacances}}
roles:
  standard:
    shows: {fixed: direct_number, mobile: main_number}
    when: {on_call: voicemail, busy_other: reception, no_answer: {after: 20s, then: voicemail}}
    schedule:
      - {profile: vacances, calendar: fermeture, from: "00:00", to: "24:00"}
      - {profile: lunch, calendar: en_semaine, from: "12:00", to: "13:00"}
      - {profile: gone_for_the_day, calendar: en_semaine, from: "17:00", to: "08:00"}
      - {profile: gone_for_the_day, calendar: week_end, from: "08:00", to: "08:00"}
    may: {profiles: [meeting, lunch], forward_to: [inside, reception], for_at_most: 8h}
  sales:
    based_on: standard
    team: sales
    shows: personal_mobile
    when: {on_call: reception, busy_other: queue:sales}
    says: {gone_for_the_day: {fr: Parti pour la journée}}
    may: {forward_to: [inside, own_mobile]}
  technical:
    based_on: standard
    team: technical
    shows: team_number
    when: {on_call: queue:technical, busy_other: reception}
    precedence: line
    rings_within: atelier
  apprentice: {based_on: technical}
people:
  paul: {name: Paul Servais, role: standard, extension: "204", direct_number: "+3242200124",
         devices: {desk: {kind: fixed, secret: x}, gsm: {kind: mobile, secret: x}}, rings: [desk, {gsm: 10s}]}
  sophie: {name: Sophie Renard, role: standard, extension: "205", direct_number: "+3242200125",
           devices: {desk: {kind: fixed, secret: x}}}
  claire: {name: Claire Dubois, role: sales, extension: "201", direct_number: "+3242200121", mobile: "+32470555012",
           devices: {desk: {kind: fixed, secret: x}},
           exceptions: [{numbers: ["+3242223344"], rings_through: [absent], approved_by: paul, until: 2027-03-31}]}
  marc: {name: Marc Lejeune, role: sales, extension: "202", direct_number: "+3242200122", mobile: "+32470555014",
         devices: {desk: {kind: fixed, secret: x}}, when: {no_answer: {after: 30s, then: claire}}}
  thomas: {name: Thomas Hardy, role: technical, extension: "301", direct_number: "+3242200131",
           devices: {soft: {kind: softphone, secret: x}}}
  emma: {name: Emma Wouters, role: apprentice, extension: "304",
         devices: {own: {kind: private, secret: x, until: 2027-06-30, approved_by: paul}}}
  isabelle: {name: Isabelle Noël, role: standard, extension: "206"}
  jean: {name: Jean Collard, role: standard, extension: "207", direct_number: "+3242200127",
         left: 2026-09-30, successor: sophie}
callers:
  clinique: {numbers: ["+3243667000", "+32436671*"], rings_through: [busy_other, on_call], people: ["role:technical"],
             approved_by: paul, until: 2027-12-31}
greylist:
  prefixes: ["+3290", "+881"]
  inbound: ["+882"]
  sources:
    - {url: "https://user:geheim@lists.example/fraud.txt", every: 6h, sha256: "https://lists.example/fraud.sha256"}
  exceptions:
    - {prefix: "+88162", approved_by: paul, until: 2027-03-31}
limits:
  amerique: {prefixes: ["+1"], except: ["+1808"], calls_per_minute: 2, cost_per_minute: 0.5, cost_per_day: 20}
inventory:
  phones: {"Yealink SIP-T54W": Yealink T54W}
  data_packs:
    - {name: Mobile 10, gigabytes: 10, people: ["role:sales", paul]}
  wireless: {fr: "Au bureau, on utilise le réseau « meuse ».", en: In the office use the network “meuse”.}
  dictionary: {DECT: {fr: téléphone sans fil de l'atelier., en: a cordless phone of the workshop.}}
  private_phone_days: 60
recording:
  who: [role:sales]
  calls: all
  hours: office
  announcement: {fr: Cet appel est enregistré., en: This call is recorded.}
  legal_basis: le contrat
  keep_days: 90
"""


def policy_of(text: str = COMPANY, language: str = "fr", at: str = WRITTEN_ON) -> PolicyDocument:
    """Write the policy of a company that stands in one file."""
    with TemporaryDirectory() as directory:
        (Path(directory) / "company.yaml").write_text(text)
        moment = datetime.fromisoformat(at).replace(tzinfo=BRUSSELS).timestamp()
        return write_policy(load_with_sources(Path(directory)), language, moment)


@cache
def the_policy(language: str = "fr") -> PolicyDocument:
    """Write the policy of `COMPANY`."""
    return policy_of(COMPANY, language)


def text_of(id: str, language: str = "fr", text: str = COMPANY) -> str:
    """Return what a statement says, its term in front."""
    document = the_policy(language) if text is COMPANY else policy_of(text, language)
    statement = document.statements()[id]
    if hasattr(statement, "cells"):
        return " | ".join(statement.cells)
    return f"{statement.term}: {statement.text}" if statement.term else statement.text
