"""What `check` proves of menus (Q1, Q5, S3), and a call that is simulated with keys."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.configuration.findings import Severity
from router.proof.check import check
from tests.proof.sound_company import NOW, SOUND, line_of

WITH_MENUS = (
    SOUND.replace("country: BE", "country: BE\n  languages: [fr, en]")
    .replace("then: reception, hours: office", "then: menu:accueil, hours: office")
    .replace('voicemail: {sip: "sip:{extension}@127.0.0.1:5091"}', 'voicemail: {mailbox: "{person}"}')
    + """
menus:
  accueil:
    says: {fr: Bienvenue. Taper un ou deux., en: Welcome. Press one or two.}
    keys: {"1": queue:sales, "2": menu:technique}
    languages: {"9": en}
  technique:
    keys: {"1": claire, "*": menu:accueil}
mailboxes: {"3242200100": {name: Accueil, people: [claire]}}
"""
)
E, W = Severity.ERROR, Severity.WARNING


class Fault(NamedTuple):
    """A mistake in menus: what is written in place of what, what is found in which line, and what the call shows that
    `check` names ("" where none can)."""

    old: str
    new: str
    severity: Severity
    clause: str
    at: str
    says: str
    shown: str = ""


FAULTS = {
    "three choices to a person": Fault(
        '"2": menu:technique}\n    languages: {"9": en}',
        '"2": menu:between}\n    languages: {"9": en}\n  between: {keys: {"1": {then: menu:technique, says: x}}}',
        E, "Q1", '"1": claire', "claire is reached by 3 choices (key 1 of the menu technique)", "claire",
    ),
    "a menu in a menu of a profile's offers": Fault(
        "lunch: {kind: absent, ", "lunch: {kind: absent, offers: [{transfer: menu:accueil}], ",
        E, "Q1", '"1": claire', "claire is reached by 3 choices", "claire",
    ),
    "silence that goes round": Fault(
        '"*": menu:accueil}', '"*": menu:accueil}\n    on_timeout: menu:technique',
        E, "S3", "on_timeout: menu:technique", "who presses nothing goes round for ever: technique → technique",
        "menu:technique",
    ),
    "silence that goes round two menus": Fault(
        '"*": menu:accueil}',
        '"*": menu:accueil}\n    on_wrong: menu:other\n  other: {keys: {"1": paul}, on_wrong: menu:technique}',
        E, "S3", "on_wrong: menu:other", "who presses a wrong key goes round for ever: technique → other → technique",
        "menu:other",
    ),
    "no way out": Fault(
        '{"1": claire, "*": menu:accueil}', '{"*": menu:technique, "#": menu:technique}',
        E, "S3", '"*": menu:technique', "no key of the menu technique leads to anything but menus", "menu:technique",
    ),
    "no message": Fault(
        '{"1": claire, "*": menu:accueil}', '{"1": claire, "#": menu:accueil}',
        W, "Q5", "technique:", "no key of the menu technique lets callers leave a message", "menu:technique",
    ),
    "a language without words": Fault(
        ", en: Welcome. Press one or two.", "",
        W, "Q1", "says: {fr: Bienvenue", "the menu accueil says nothing in en",
    ),
    "a prompt that does not exist": Fault(
        "en: Welcome. Press one or two.", "en: menu.chose",
        W, "Q1", "says: {fr: Bienvenue", "there is no prompt 'menu.chose'",
    ),
    "a choice without a name": Fault(
        '"1": claire', '"1": claire, "3": "+3243334455"',
        W, "Q1", '"3": "+32', "callers are not told what key 3 of the menu technique is",
    ),
    "a menu that nobody hears": Fault(
        "mailboxes:", '  nobody: {keys: {"1": claire}}\nmailboxes:',
        W, "Q1", "nobody:", "nothing leads to the menu nobody",
    ),
    "a key to somebody who has left": Fault(
        '"1": claire', '"1": jean',
        E, "S5", '"1": jean', "calls are sent to Jean Collard, who has left", "paul",
    ),
    "a key to a number on the greylist": Fault(
        '"1": claire', '"1": {then: "+88161234567", says: la sonde}',
        E, "X2", '"1": {then: "+881', "calls are sent to +88161234567, but +881 is on the greylist", "reception",
    ),
    "a target that does not exist": Fault(
        '"1": claire', '"1": thomaz',
        E, "", '"1": thomaz', "'thomaz' is neither a target nor a person",
    ),
    "a menu that does not exist": Fault(
        "then: menu:accueil", "then: menu:acueil",
        E, "", "main_line:", "'menu:acueil' is neither a target nor a person",
    ),
    "a key that no telephone has": Fault(
        '"1": claire', '"12": claire',
        E, "Q1", '"12": claire', "'12' is no key of a telephone",
    ),
    "a key with two meanings": Fault(
        'languages: {"9": en}', 'languages: {"2": en}',
        E, "Q1", 'languages: {"2"', "key 2 has two meanings in the menu accueil",
    ),
    "a language that is not spoken": Fault(
        'languages: {"9": en}', 'languages: {"9": nl}',
        E, "", 'languages: {"9": nl', "the router does not speak 'nl' to callers",
    ),
    "a file that is not there": Fault(
        "en: Welcome. Press one or two.", "en: welcome.wav",
        E, "", "says: {fr: Bienvenue", "there is no file welcome.wav",
    ),
}  # fmt: skip


def test_menus_without_a_fault(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(WITH_MENUS, encoding="utf-8")
    assert check(tmp_path, NOW) == ()


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_where_it_is_and_shown(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    assert WITH_MENUS.count(fault.old) == 1
    text = WITH_MENUS.replace(fault.old, fault.new)
    (tmp_path / "all.yaml").write_text(text, encoding="utf-8")
    findings = check(tmp_path, NOW)
    here = [finding for finding in findings if fault.says in finding.message]
    assert len(here) == 1, "\n".join(map(str, findings))
    [finding] = here
    assert (finding.severity, finding.clause) == (fault.severity, fault.clause)
    assert finding.mark.line == line_of(text, fault.at)
    if fault.shown:
        result = CliRunner().invoke(app, [*shlex.split(finding.command)[1:], "--json"])
        assert json.loads(result.output)["target"] == fault.shown, finding.command


@pytest.fixture
def simulated(tmp_path: Path) -> Callable[..., Any]:
    (tmp_path / "all.yaml").write_text(WITH_MENUS, encoding="utf-8")

    def simulate(*arguments: str) -> Any:
        command = ["simulate", "--config", str(tmp_path), "--at", "2026-11-24T10:00", "--from", "+32475111222"]
        return CliRunner().invoke(app, [*command, "--to", "+3242200100", *arguments])

    return simulate


def test_keys_are_simulated(simulated: Callable[..., Any]) -> None:
    """Q1: each key is explained, with the place where it is written."""
    answer = json.loads(simulated("--keys", "9,2,1", "--json").output)
    assert (answer["target"], answer["chosen"]) == ("claire", ["accueil:9", "accueil:2", "technique:1"])
    assert [reason["text"] for reason in answer["because"][:4]] == [
        "Atelier de la Meuse → menu:accueil",
        "key 9 of menu accueil: English from here on",
        "key 2 of menu accueil → menu:technique",
        "key 1 of menu technique → claire",
    ]
    assert answer["because"][3]["source"] == f"all.yaml:{line_of(WITH_MENUS, chr(34) + '1' + chr(34) + ': claire')}"


def test_a_menu_is_shown_with_its_keys(simulated: Callable[..., Any]) -> None:
    assert "→ menu:accueil (1 queue:sales, 2 menu:technique, # voicemail, 9 en)" in simulated().output


def test_who_never_presses_a_key_is_simulated_to_the_end(simulated: Callable[..., Any]) -> None:
    """S3."""
    answer = json.loads(simulated("--all", "--json").output)
    assert [step["target"] for step in answer["then"]][:2] == ["reception", "voicemail"]


@pytest.mark.parametrize(
    ("keys", "says"),
    [("7", "the menu accueil has no key 7"), ("1,1", "1 is pressed in no menu: the call goes to queue:sales")],
)
def test_keys_that_cannot_be_pressed_are_explained(simulated: Callable[..., Any], keys: str, says: str) -> None:
    result = simulated("--keys", keys)
    assert result.exit_code == 2
    assert says in " ".join(result.output.replace("│", " ").split())
