"""What `renvoi diff` says: who is concerned, in which case, what instead of what, and where it is written."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.configuration.load import Loaded, load_with_sources
from router.model.decision import Attempt, Connection, Facts, LineState, Origin, Outcome, SelectedBy, Selection
from router.policy import decide
from router.proof.differences import differences, in_words
from router.proof.wording import Wording
from tests.policy.company import COMPANY, moment

NOW = moment("2026-11-24T10:15")


def company(directory: Path, *changes: tuple[str, str]) -> Path:
    directory.mkdir()
    text = COMPANY
    for before, after in changes:
        assert before in text, before
        text = text.replace(before, after)
    (directory / "company.yaml").write_text(text)
    return directory


def told(tmp_path: Path, *changes: tuple[str, str], language: str = "en") -> list[str]:
    """What is said of some changes to the company."""
    old = load_with_sources(company(tmp_path / "old"))
    new = load_with_sources(company(tmp_path / "new", *changes))
    words = Wording(language)
    return [in_words(difference, words) for difference in differences(old, new, NOW, language)]


def line_of(text: str, *changes: tuple[str, str]) -> int:
    whole = COMPANY
    for before, after in changes:
        whole = whole.replace(before, after)
    return whole[: whole.index(text)].count("\n") + 1


def test_nothing_is_said_of_comments_order_and_files(tmp_path: Path) -> None:
    old = company(tmp_path / "old")
    new = tmp_path / "new"
    new.mkdir()
    people = COMPANY[COMPANY.index("people:\n") : COMPANY.index("pbxs:\n")]
    entries = people.removeprefix("people:\n").replace("    ", "\t").split("\n  ")
    entries[0] = entries[0].removeprefix("  ")
    first, *rest = [entry.replace("\t", "    ").rstrip() for entry in entries]
    (new / "people.yaml").write_text("# everybody\npeople:\n  " + "\n  ".join([*rest[::-1], first]) + "\n")
    (new / "rest.yaml").write_text(COMPANY.replace(people, "# people stand elsewhere\n"))
    result = CliRunner().invoke(app, ["diff", str(old), str(new)])
    assert result.output == "0 changes\n"
    assert result.exit_code == 0


def test_a_rule_of_a_role_is_told_once_for_the_whole_role(tmp_path: Path) -> None:
    change = (
        "when: {on_call: reception, busy_other: queue:sales}",
        "when: {on_call: reception, busy_other: reception}",
    )
    (line,) = told(tmp_path, change)
    where = f"company.yaml:{line_of(change[0])}"
    assert line.startswith("everybody in sales, line_first (4): in a meeting or busy otherwise → ")
    assert "reception instead of queue:sales" in line
    assert where in line


def test_one_rule_for_one_person(tmp_path: Path) -> None:
    lines = told(tmp_path, ("    name: Claire Dubois\n", "    name: Claire Dubois\n    when: {on_call: queue:sales}\n"))
    (line,) = lines
    assert line.startswith("Claire Dubois (sales): on a call; the phone says busy")
    assert "→ queue:sales instead of reception" in line


def test_it_is_told_in_french(tmp_path: Path) -> None:
    (line,) = told(
        tmp_path,
        ("    name: Claire Dubois\n", "    name: Claire Dubois\n    when: {no_answer: {after: 20s, then: paul}}\n"),
        language="fr",
    )
    assert line.startswith("Claire Dubois (sales) : pas de réponse → paul au lieu de voicemail")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            ('from: "12:00", to: "13:00"', 'from: "12:00", to: "14:00"'),
            "everybody (11): lunch by schedule → 12:00\N{EN DASH}14:00",
        ),
        (
            ("{fixed: direct_number, mobile: main_number}", "{fixed: main_number, mobile: main_number}"),
            "number shown by fixed line → main number +3242200100 instead of own direct number",
        ),
        (("    role: technical\n", "    role: sales\n"), "Thomas Hardy (sales): role → sales instead of technical"),
        (("after: 20s", "after: 25s"), "gives up ringing → after 25 s instead of after 20 s"),
        (
            ("hours: office, closed: voicemail", "hours: office, closed: reception"),
            "Atelier de la Meuse +3242200100: outside hours → reception instead of voicemail",
        ),
        (
            ("then: queue:technical}", "then: reception}"),
            "Service Technique +3242200160: calls → reception instead of queue:technical",
        ),
        (
            ("  isabelle:\n    name: Isabelle Noël", "  zoe:\n    name: Zoé Noël"),
            "Zoé Noël (standard): new, 206, +3242200126",
        ),
        (
            ("  isabelle:\n    name: Isabelle Noël", "  zoe:\n    name: Zoé Noël"),
            "Isabelle Noël (standard): gone, 206, +3242200126",
        ),
        (("successor: paul", "successor: claire"), "Jean Collard (standard): calls → claire instead of paul"),
        (
            ("left: 2026-09-30\n    successor", "left: 2026-10-31\n    successor"),
            "Jean Collard (standard): works here → until 2026-10-31 instead of until 2026-09-30",
        ),
        (("127.0.0.1:5080", "127.0.0.1:5082"), "trunks.first.address: 127.0.0.1:5082 instead of 127.0.0.1:5080"),
        (('"+881", "+224"', '"+224"'), "greylist: 2 entries instead of 3 entries"),
        (
            ("lunch: {kind: absent, says: {fr: En pause déjeuner}}", "lunch: {kind: absent, says: {fr: À table}}"),
            "profiles.lunch.says.fr: À table instead of En pause déjeuner",
        ),
        (('extension: "206"', 'extension: "216"'), "Isabelle Noël (standard): extension → 216 instead of 206"),
        (
            ("precedence: line", "precedence: profile"),
            "Luc Fontaine (line_first): on a call and in a meeting, what counts → the profile",
        ),
    ],
)
def test_what_changes_is_said(tmp_path: Path, change: tuple[str, str], said: str) -> None:
    if said.startswith("greylist"):
        lines = told(tmp_path, change, ('satellite: {number: "+88161234567"}', 'satellite: {number: "+3243334456"}'))
    else:
        lines = told(tmp_path, change)
    assert any(said in line for line in lines), lines


def test_an_entry_that_comes_is_told_once(tmp_path: Path) -> None:
    lines = told(
        tmp_path,
        (
            "trunks:\n",
            'trunks:\n  second: {address: "127.0.0.1:5083", priority: 20, '
            'register: {registrar: "sip:p.example", user: u, password: hunter2}}\n',
        ),
    )
    assert lines[0].startswith("trunks.second: new, {address: 127.0.0.1:5083, priority: 20, register: {")
    assert len(lines) == 1
    assert "hunter2" not in lines[0]


def test_secrets_are_not_told(tmp_path: Path) -> None:
    lines = told(tmp_path, ("desk: {kind: fixed, secret: x}", "desk: {kind: fixed, secret: hunter2}"))
    assert "people.claire.devices.desk.secret: changed" in " ".join(lines)
    assert "hunter2" not in " ".join(lines)


def test_programs_get_every_part(tmp_path: Path) -> None:
    old, new = company(tmp_path / "old"), company(tmp_path / "new", ("after: 20s", "after: 25s"))
    result = CliRunner().invoke(app, ["diff", str(old), str(new), "--json"])
    found = json.loads(result.stdout)["differences"]
    assert set(found[0]) == {
        "people",
        "subject",
        "label",
        "before",
        "after",
        "clause",
        "source_before",
        "source_after",
    }
    assert "claire" in found[0]["people"]


def test_whoever_is_treated_differently_is_named(tmp_path: Path) -> None:
    """Random rules: a person of whom nothing is said is treated alike at every hour, in every profile."""
    chance = random.Random(3)
    conditions = ("on_call", "busy_other", "absent", "no_answer", "unreachable")
    targets = ("reception", "voicemail", "queue:sales", "paul")
    for number in range(5):
        when = "{" + ", ".join(f"{name}: {chance.choice(targets)}" for name in chance.sample(conditions, 2)) + "}"
        window = f'from: "{chance.randrange(9, 12):02}:00", to: "13:00"'
        directory = tmp_path / str(number)
        directory.mkdir()
        old = load_with_sources(company(directory / "old"))
        new = load_with_sources(
            company(
                directory / "new",
                ("    name: Claire Dubois\n", f"    name: Claire Dubois\n    when: {when}\n"),
                (
                    "  technical:\n    based_on: standard\n",
                    "  technical:\n    based_on: standard\n"
                    f"    schedule: [{{profile: lunch, calendar: en_semaine, {window}}}]\n",
                ),
            )
        )
        named = {person for difference in differences(old, new, NOW) for person in difference.people}
        for person in old.configuration.policy.people:
            assert (person in named) == treated_differently(person, old, new), (person, when, window)


def treated_differently(person: str, old: Loaded, new: Loaded) -> bool:
    """Say whether a call to a person goes elsewhere at some hour of a day and a night, in some profile."""
    extension = old.configuration.policy.people[person].extension
    for hour in range(0, 24, 2):
        for profile in (None, "meeting", "lunch", "available"):
            chosen = {} if profile is None else {person: (Selection(person, profile, SelectedBy.PERSON, 0.0),)}
            facts = Facts(Origin.PERSON, "204", extension, "paul", Connection.FIXED, selections=chosen)
            for line in ("idle", "on_call", "unregistered", "no_answer"):
                asked = facts_in(facts, person, line)
                at = NOW + hour * 3600 + 1800
                before = decide(asked, old.configuration.policy, at)
                after = decide(asked, new.configuration.policy, at)
                if (before.action, before.target) != (after.action, after.target):
                    return True
    return False


def facts_in(facts: Facts, person: str, line: str) -> Facts:
    if line == "no_answer":
        return facts._replace(attempts=(Attempt(person, Outcome.NO_ANSWER),))
    return facts._replace(lines={person: LineState(line)})
