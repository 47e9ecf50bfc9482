"""Mailboxes as the configuration says: whose they are, who opens them, and what is wrong with them (V1, V2)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from router.configuration import Configuration, ConfigurationError, load
from router.model.mailbox import Mailbox, MailServer, VoicemailRules, pin_fits

COMPANY = """
company:
  name: Atelier
  country: BE
  time_zone: Europe/Brussels
  languages: [fr, en]
  main_number: "+3242200100"
  main_line: {then: reception}
numbers: [{range: "+3242200100..+3242200199", verified: true}]
targets:
  reception: {sip: "sip:reception@127.0.0.1:5090"}
  voicemail: {mailbox: "{person}"}
sip: {listen: ["udp:127.0.0.1:5060"], realm: atelier.example}
media: {address: 127.0.0.1}
roles:
  standard: {when: {on_call: voicemail, busy_other: reception, absent: voicemail}}
  sales: {based_on: standard}
people:
  claire: {name: Claire Dubois, role: sales, extension: "201", email: claire@example.com, pin: "4711"}
  marc: {name: Marc Lejeune, role: sales, extension: "202"}
  jean: {name: Jean Collard, role: standard, extension: "207", left: 2026-09-30, successor: claire, email: j@a.example}
trunks: {first: {address: "127.0.0.1:5080", options_interval: 0s}}
mailboxes:
  sales: {name: Service Commercial, people: ["role:sales"], email: [sales@example.com]}
voicemail:
  keep_days: 30
  max_messages: 50
  max_total: 1h
  max_length: 2min
  silence: 4s
  email: {from: voicemail@example.com, server: mail.example.com, user: renvoi, password_file: mail-password}
"""


def loaded(directory: Path, text: str = COMPANY) -> Configuration:
    (directory / "company.yaml").write_text(text, encoding="utf-8")
    (directory / "mail-password").write_text("correct horse\n", encoding="utf-8")
    return load(directory)


def findings(directory: Path, *changes: tuple[str, str]) -> list[str]:
    text = COMPANY
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    try:
        return [str(finding) for finding in loaded(directory, text).warnings]
    except ConfigurationError as error:
        return [str(finding) for finding in error.findings]


def test_everybody_has_a_mailbox_and_people_share_others(tmp_path: Path) -> None:
    configuration = loaded(tmp_path)
    assert dict(configuration.mailboxes) == {
        "claire": Mailbox(
            "claire", "Claire Dubois", "claire", frozenset({"claire"}), "fr", "4711", ("claire@example.com",)
        ),
        "marc": Mailbox("marc", "Marc Lejeune", "marc", frozenset({"marc"}), "fr"),
        # The successor hears what is still there (S5); nobody is greeted by who has left.
        "jean": Mailbox("jean", "Jean Collard", None, frozenset({"jean", "claire"}), "fr"),
        "sales": Mailbox(
            "sales", "Service Commercial", None, frozenset({"claire", "marc"}), "fr", "", ("sales@example.com",)
        ),
        # Calls that were for nobody in particular.
        "3242200100": Mailbox("3242200100", "Atelier", None, frozenset(), "fr"),
    }
    assert configuration.voicemail == VoicemailRules(30.0, 50, 3600.0, 120.0, 4.0)
    assert configuration.mail == MailServer(
        "voicemail@example.com", "mail.example.com", 587, "starttls", "renvoi", "correct horse"
    )
    assert "correct horse" not in repr(configuration.mail)
    assert "4711" not in repr(configuration.mailboxes["claire"])


def test_without_a_target_that_is_a_mailbox_there_are_none(tmp_path: Path) -> None:
    text = COMPANY.split("mailboxes:")[0].replace('{mailbox: "{person}"}', '{sip: "sip:voicemail@127.0.0.1:5091"}')
    configuration = loaded(tmp_path, text)
    assert not configuration.mailboxes
    assert configuration.mail is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (('{mailbox: "{person}"}', "{mailbox: sale}"), "there is no mailbox 'sale'; did you mean 'sales'"),
        (('{mailbox: "{person}"}', '{mailbox: "{extension}"}'), "there is no mailbox '{extension}'"),
        (('pin: "4711"', 'pin: "47"'), "a PIN has 4 to 10 digits"),
        (('pin: "4711"', 'pin: "1234"'), "everybody guesses this PIN"),
        (('people: ["role:sales"]', "people: [clare]"), "'clare' is nobody here; did you mean 'claire'"),
        (('people: ["role:sales"]', 'people: ["role:sale"]'), "'role:sale' is nobody here"),
        (("email: claire@example.com", "email: claire"), "'claire' is no e-mail address"),
        (("email: [sales@example.com]", "email: [a b@example.com]"), "'a b@example.com' is no e-mail address"),
        (("from: voicemail@example.com", "from: voicemail"), "'voicemail' is no e-mail address"),
        ((", password_file: mail-password", ""), "user and password_file belong together"),
        (("server: mail.example.com", "server: mail.example.com, tls: none"), "crosses the network unprotected"),
        (("server: mail.example.com", "server: mail.example.com, ca_file: mail-password"), "holds no certificate"),
        (("password_file: mail-password", "password_file: nothing"), "nothing cannot be read"),
        (("  sales: {name: Service", "  marc: {name: Service"), "'marc' is a person already (company.yaml:"),
        (("  email: {from", "  mail: {from"), "mail"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, change: tuple[str, str], expected: str) -> None:
    found = findings(tmp_path, change)
    assert any(expected in finding and finding.startswith("company.yaml:") for finding in found), found


def test_a_shared_mailbox_with_an_address_needs_a_server(tmp_path: Path) -> None:
    begin = COMPANY.index("  email: {from")
    found = findings(tmp_path, (COMPANY[begin:], ""))
    assert any("nothing says who hands in e-mails" in finding for finding in found), found


def test_a_pin_that_was_made_is_as_good_as_its_digits(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "router", "pin"]
    made = (
        subprocess.run(command, input=b"90210\n", capture_output=True, check=True, timeout=30).stdout.decode().strip()
    )
    assert "90210" not in made
    stored = loaded(tmp_path, COMPANY.replace('"4711"', f'"{made}"')).mailboxes["claire"].pin
    assert pin_fits("90210", stored)
    assert not pin_fits("90211", stored)
    assert pin_fits("4711", "4711")
    assert not pin_fits("4712", "4711")
    assert not pin_fits("", "")


@pytest.mark.parametrize("typed", [b"", b"12\n", b"12a45\n", b"12345678901\n", "١٢٣٤\n".encode()])
def test_what_is_no_pin_is_refused(typed: bytes) -> None:
    command = [sys.executable, "-m", "router", "pin"]
    result = subprocess.run(command, input=typed, capture_output=True, check=False, timeout=30)
    assert (result.returncode, result.stdout) == (2, b"")
    assert b"4 to 10 digits" in result.stderr
