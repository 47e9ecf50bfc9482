"""G13: what the law of the company's country asks of whoever records calls."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.configuration.findings import Finding, Severity
from router.proof.check import check
from tests.proof.sound_company import NOW, SOUND

ANNOUNCED = "announcement: {fr: Cet appel est enregistré., en: This call is recorded.}"


def found(directory: Path, recording: str, country: str = "BE") -> list[Finding]:
    text = SOUND.replace("country: BE", f"country: {country}").replace('  short_numbers: ["1733"]\n', "")
    (directory / "company.yaml").write_text(f"{text}\nrecording: {{{recording}}}\n", encoding="utf-8")
    return [finding for finding in check(directory, NOW) if finding.clause in ("G13", "X3")]


@pytest.mark.parametrize("country", ["BE", "FR", "DE"])
def test_nothing_is_recorded_without_an_announcement(tmp_path: Path, country: str) -> None:
    (finding,) = found(tmp_path, "who: [claire], key: '*1'", country)
    assert (finding.severity, finding.clause) == (Severity.ERROR, "G13")
    assert "nothing announces it" in finding.message
    assert (tmp_path / "company.yaml").read_text().splitlines()[finding.mark.line - 1].startswith("recording:")


@pytest.mark.parametrize(("country", "severity"), [("FR", Severity.ERROR), ("BE", Severity.WARNING)])
def test_recording_every_call_needs_a_ground(tmp_path: Path, country: str, severity: Severity) -> None:
    (finding,) = found(tmp_path, f"who: ['role:sales'], calls: all, {ANNOUNCED}", country)
    assert (finding.severity, finding.clause) == (severity, "G13")
    assert "2018-05-25" in finding.message
    assert found(tmp_path, f"who: [claire], calls: all, legal_basis: contract, {ANNOUNCED}", country) == []
    assert found(tmp_path, f"who: [claire], calls: on_demand, key: '*1', {ANNOUNCED}", country) == []


def test_what_is_recorded_on_demand_needs_a_key_to_ask_by(tmp_path: Path) -> None:
    """X3: over HTTP alone it is of little use."""
    (finding,) = found(tmp_path, f"who: [claire], {ANNOUNCED}")
    assert (finding.severity, finding.clause, finding.suggestion) == (Severity.WARNING, "X3", 'add key: "*1"')


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("who: [clair]", "there is no person 'clair'"),
        ("who: ['role:sale']", "there is no role 'sale'"),
        ("who: [claire], hours: offices", "there is no set of hours 'offices'"),
    ],
)
def test_what_the_rules_name_has_to_exist(tmp_path: Path, written: str, said: str) -> None:
    (finding,) = found(tmp_path, written)
    assert (finding.severity, finding.message) == (Severity.ERROR, said)
