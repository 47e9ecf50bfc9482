"""A company of one, for the tests of feeds. The addresses in it are listened on where a test says so."""

from __future__ import annotations

COMPANY = """
company:
  name: Atelier
  country: BE
  time_zone: Europe/Brussels
  main_number: "+3242200100"
  main_line: {then: reception}
sip: {listen: "udp:127.0.0.1:5060"}
numbers:
  - {range: "+3242200100..+3242200199", verified: true}
targets:
  reception: {sip: "sip:reception@127.0.0.1:5090"}
  voicemail: {sip: "sip:voicemail@127.0.0.1:5091"}
profiles:
  meeting: {kind: busy_other}
  gone: {kind: absent}
roles:
  standard: {}
people:
  claire: {name: Claire Dubois, role: standard, extension: "201", direct_number: "+3242200121", pbx: pbx}
pbxs:
  pbx: {from: "127.0.0.1:5070", address: "127.0.0.1:5070"}
trunks:
  trunk: {address: "127.0.0.1:5080", options_interval: 0s}
"""
