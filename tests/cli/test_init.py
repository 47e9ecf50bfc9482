"""`renvoi init`: the first configuration, as somebody gets it who has nothing yet."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
import time_machine
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.configuration import load
from router.configuration.credentials import ha1
from router.configuration.findings import has_errors
from router.configuration.first_steps import COUNTRIES, TIME_ZONES
from router.proof.check import check
from tests.configuration.test_json_schema import problems
from tests.policy.company import moment


def run(*arguments: str | Path, answers: str = "", password: str | None = None) -> Result:
    return CliRunner().invoke(app, ["init", *map(str, arguments)], input=answers, env={"TRUNK_PASSWORD": password})


def test_without_questions_it_writes_what_check_has_no_error_for(tmp_path: Path) -> None:
    directory = tmp_path / "config"
    result = run(directory, "--defaults")
    assert result.exit_code == 0, result.output
    assert not has_errors(check(directory, moment("2026-11-24T10:15")))
    for file in directory.glob("*.yaml"):
        text = file.read_text()
        assert text.startswith("# "), "a file begins with what it is for"
        assert problems(text) == [], "an editor underlines nothing"
        assert all(len(line) <= 120 for line in text.splitlines() if "$HA1$" not in line)


def test_the_answers_stand_in_it(tmp_path: Path) -> None:
    directory = tmp_path / "config"
    answers = ['L\'Atelier: "Meuse" #1', "fr", "nonsense", "0142200100", "", "Claire Dubois", "Éloïse", "claire Petit"]
    answers += ["", "sip.provider.example:5070", "33142200100", "s3cret", "192.0.2.1:5060", "192.0.2.9:5060"]
    result = run(directory, "--lang", "fr", answers="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    assert "'nonsense' is no telephone number" in result.output
    configuration = load(directory)
    assert configuration.company_name == 'L\'Atelier: "Meuse" #1'
    assert sorted(configuration.policy.people) == ["claire", "claire2", "eloise"]
    assert configuration.policy.people["eloise"].extension == "202"
    assert configuration.policy.numbers["+33142200101"] is configuration.policy.people["claire"]
    assert configuration.policy.owned.may_show("+33142200199")
    (trunk,) = configuration.trunks
    assert (trunk.host, trunk.port, trunk.options_interval) == ("sip.provider.example", 5070, 30.0)
    assert trunk.registration is not None
    assert (trunk.registration.user, trunk.registration.password) == ("33142200100", "s3cret")
    assert {(listener.transport, listener.host) for listener in configuration.listeners} == {
        ("udp", "192.0.2.1"),
        ("tcp", "192.0.2.1"),
    }
    assert "s3cret" not in "".join(file.read_text() for file in directory.glob("*.yaml"))
    assert "L'entreprise" in (directory / "company.yaml").read_text()


def test_the_passwords_are_shown_once_and_are_those_of_the_secrets(tmp_path: Path) -> None:
    directory = tmp_path / "config"
    output = run(directory, "--defaults", "--person", "Ada", "--person", "Bob", "--company", "Été").output
    shown = dict(re.findall(r"^  (\d+)  (\S+)  \(", output, re.MULTILINE))
    assert set(shown) == {"201", "202"}
    configuration = load(directory)
    assert configuration.realm == "ete"
    for account, password in shown.items():
        assert configuration.accounts[account].ha1_md5 == ha1(account, "ete", password)[0]
        assert password not in (directory / "people.yaml").read_text()
    again = run(tmp_path / "another", "--defaults").output
    assert not set(shown.values()) & set(re.findall(r"^  201  (\S+)", again, re.MULTILINE))


def test_secrets_are_for_the_owner_only(tmp_path: Path) -> None:
    run(tmp_path, "--defaults", "--trunk", "sip.provider.example", "--trunk-user", "me", password="s3cret")
    for name in ("people.yaml", "trunk.password"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == 0o600
    assert (tmp_path / "trunk.password").read_text() == "s3cret\n"


def test_a_password_that_is_not_known_yet_is_asked_for_at_the_end(tmp_path: Path) -> None:
    result = run(tmp_path, "--defaults", "--trunk", "sip.provider.example", "--trunk-user", "me")
    assert "Put the provider's password into trunk.password." in result.output
    assert load(tmp_path).trunks[0].registration is not None


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text("mine")
    result = run(tmp_path, "--defaults")
    assert result.exit_code == 2
    assert "people.yaml" in result.output
    assert (tmp_path / "people.yaml").read_text() == "mine"
    assert not (tmp_path / "company.yaml").exists()


@pytest.mark.parametrize(
    ("option", "value", "complaint"),
    [
        ("--country", "XX", "none of AT"),
        ("--main-number", "hello", "no telephone number"),
        ("--numbers", "+3242200199..+3242200100", "lower one"),
        ("--listen", "a:b:c d", "neither"),
    ],
)
def test_a_wrong_option_is_a_usage_error(tmp_path: Path, option: str, value: str, complaint: str) -> None:
    result = run(tmp_path / "config", "--defaults", option, value)
    assert result.exit_code == 2
    assert complaint in " ".join(result.output.split())
    assert not (tmp_path / "config").exists()


@pytest.mark.parametrize("country", COUNTRIES)
def test_every_country_has_a_first_configuration(tmp_path: Path, country: str) -> None:
    assert country in TIME_ZONES
    with time_machine.travel("2026-11-24T10:00:00+01:00", tick=False):
        result = run(tmp_path, "--defaults", "--country", country)
    assert result.exit_code == 0, result.output
    policy = load(tmp_path).policy
    assert policy.plan.normalise(str(policy.company.number)) == policy.company.number
