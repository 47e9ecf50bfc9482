"""`renvoi explain` as its users call it, on records as the router writes them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from router.cli.main import app
from router.configuration import Configuration, load
from router.model.decision import Reason
from router.model.record import CallRecord, LegRecord
from router.model.recording import RecordingNote
from router.observe.past_calls import read_record
from router.observe.records import serialise
from router.policy import decide
from router.proof.simulation import Inputs, facts_of, moment
from tests.policy.company import COMPANY

DESK = LegRecord("201", "sip:201@127.0.0.1:5062", 486, 17, "Busy Here", 0.01, 0.5, 4.2)
CONSOLE = LegRecord("reception", "sip:reception@127.0.0.1:5090", 200, 16, "", 4.2, 4.5, 64.5)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    directory = tmp_path / "config"
    directory.mkdir()
    (directory / "company.yaml").write_text(COMPANY)
    return directory


@pytest.fixture
def records(config: Path, tmp_path: Path) -> Path:
    """Three calls: to Claire, who is busy; from Paul, who gives up; to Claire, who is in a meeting by her calendar."""
    configuration = load(config)
    path = tmp_path / "calls.jsonl"
    calls = (
        recorded(configuration, "a84b4c76-1", Inputs("+32475111222", "claire", ("claire=busy",)), (DESK, CONSOLE)),
        recorded(configuration, "a84b4c76-2", Inputs("paul", "0475111222"), (), answered=False),
        recorded(
            configuration, "b7001", Inputs("anonymous", "claire", ("claire=meeting@calendar until 15:00",)), (CONSOLE,)
        ),
    )
    path.write_bytes(b"".join(serialise(call, configuration.policy.zone) for call in calls) + b'{"call_id": "torn')
    return path


def recorded(
    configuration: Configuration, call_id: str, inputs: Inputs, legs: tuple[LegRecord, ...], *, answered: bool = True
) -> CallRecord:
    """The record of a call at 10:15 that was decided as the policy decides it."""
    now = moment("2026-11-24T10:15", configuration.policy.zone, 0.0)
    facts = facts_of(inputs, configuration, now)
    decision = decide(facts, configuration.policy, now)
    return CallRecord(
        call_id,
        now,
        9.0 if answered else None,
        64.5,
        facts.origin,
        facts.peer,
        facts.caller_number,
        facts.dialled,
        decision.person,
        decision.profile,
        decision.action,
        None if decision.target is None else str(decision.target),
        decision.shown_number,
        decision.because,
        legs,
        200 if answered else 487,
        16 if answered else None,
        "callee" if answered else "caller",
        facts.person,
        facts.connection,
        facts.caller_name,
        facts.withhold,
        decision.rejected,
        decision.weighed,
        facts.attempts,
        configuration.hash,
    )


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["explain", *map(str, arguments)])


def test_a_call_is_told_from_its_beginning_to_its_end(config: Path, records: Path) -> None:
    result = run("a84b4c76-1", "--config", config, "--records", records)
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == "call a84b4c76-1 · 2026-11-24 10:15:00 CET"
    assert lines[1].split() == ["from", "+32475111222", "·", "from", "outside,", "by", "first"]
    assert lines[2].endswith("+3242200121 · Claire Dubois")
    assert "→ forwarded to reception · Claire Dubois · shows +32475111222" in lines
    because = next(line for line in lines if line.startswith("  because"))
    assert because.split()[1:3] == ["answer", "R2"]
    assert "company.yaml:" in because
    tried = next(line for line in lines if line.startswith("  tried"))
    assert tried.endswith("201 (sip:201@127.0.0.1:5062), after 0 s: 486 Busy Here, rang 3.7 s")
    assert any(line.endswith("Claire Dubois: busy") for line in lines)
    assert any("answered after 9 s, talked for 56 s · ended by the callee" in line for line in lines)


def test_it_is_told_in_french(config: Path, records: Path) -> None:
    told = run("b7001", "--config", config, "--records", records, "--lang", "fr").stdout
    assert told.startswith("appel b7001 · 2026-11-24 10:15:00 CET\n")
    assert "anonyme · de l'extérieur, par first · numéro masqué" in told
    assert "Claire Dubois: libre · meeting, d'après l'agenda, jusqu'à 15:00" in told
    assert "→ renvoyé vers queue:sales" in told
    assert "\n  car     profil " in told
    assert "\n  écarté  ligne " in told
    assert "terminé par l'appelé" in told


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ([], "recorded, 35 s recording X3 calls of Claire Dubois are recorded recording.yaml:2"),
        (["--lang", "fr"], "enregistré, 35 s enregistrement X3 les appels de Claire Dubois sont enregistrés"),
    ],
)
def test_it_is_told_whether_a_call_was_recorded_and_why(
    config: Path, tmp_path: Path, language: list[str], said: str
) -> None:
    """X3: what the record holds is read back, and told."""
    configuration = load(config)
    reason = Reason(
        "X3",
        "calls of Claire Dubois are recorded",
        "recording.yaml:2",
        "les appels de Claire Dubois sont enregistrés",
        "recording",
    )
    call = recorded(configuration, "c1", Inputs("+32475111222", "claire"), (CONSOLE,))
    call = call._replace(recordings=(RecordingNote("recorded", (reason,), "1f0c", 35.2),))
    path = tmp_path / "recorded.jsonl"
    path.write_bytes(serialise(call, configuration.policy.zone))
    assert read_record(path.read_bytes()) == call
    result = run("last", "--records", path, "--config", config, *language)
    assert said in " ".join(result.stdout.split()), result.stdout


def test_the_last_call_and_the_last_one_of_somebody(config: Path, records: Path) -> None:
    assert run("last", "--records", records).stdout.startswith("call b7001 ")
    for somebody in ("paul", "204", "+3242200124", "0475111222"):
        told = run("last", somebody, "--config", config, "--records", records).stdout
        assert told.startswith(("call a84b4c76-2 ", "call a84b4c76-1 ")), somebody
    assert "487" in run("last", "paul", "--config", config, "--records", records).stdout


def test_a_call_that_is_not_there_and_one_that_is_not_clear(records: Path) -> None:
    missing = run("c9", "--records", records)
    assert missing.exit_code == 1
    assert "no call c9" in missing.stdout
    assert missing.stdout.index("b7001") < missing.stdout.index("a84b4c76-1"), "the latest come first"
    unclear = run("a84b", "--records", records)
    assert unclear.exit_code == 1
    assert "several calls begin with a84b" in unclear.stdout
    assert "a84b4c76-1" in unclear.stdout
    assert "b7001" not in unclear.stdout


def test_what_a_peer_sent_cannot_steer_a_terminal(config: Path, tmp_path: Path) -> None:
    inputs = Inputs("+32475111222", "claire", caller_name="\x1b[2JBank\n→ refused: 403")
    configuration = load(config)
    path = tmp_path / "hostile.jsonl"
    path.write_bytes(serialise(recorded(configuration, "h\x1b]0;owned\x07", inputs, (CONSOLE,))))
    for arguments in (("last",), ("nowhere",)):
        told = run(*arguments, "--records", path).stdout
        assert all(char.isprintable() or char == "\n" for char in told)
        assert not any(line.startswith("→ refused") for line in told.splitlines())


def test_programs_get_the_record(config: Path, records: Path) -> None:
    told = json.loads(run("b7001", "--config", config, "--records", records, "--json").stdout)
    assert told["call_id"] == "b7001"
    assert told["weighed"][0]["profile"] == "meeting"
    assert {"clause", "text", "french", "rule", "source"} == set(told["because"][0])


def test_a_wrong_command_line_is_a_usage_error(
    config: Path, records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert "--config" in run("last").output
    assert run("last").exit_code == 2
    assert run("a", "b", "--records", records).exit_code == 2
    none_yet = run("last", "--config", config)
    assert none_yet.exit_code == 2
    assert "var/calls.jsonl" in none_yet.output
