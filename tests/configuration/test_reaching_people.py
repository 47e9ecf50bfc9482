"""Mistakes in what says how people are reached: each is told where it is written, and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.configuration import load
from tests.configuration.test_errors import findings, line_of
from tests.policy.company import COMPANY

DEVICES = "devices: {desk: {kind: fixed, secret: x}, gsm: {kind: mobile, secret: x}}"
EXCEPTION = 'numbers: ["+32475111222"], approved_by: lea, until: 2026-12-31'


def with_rings(rings: str) -> str:
    return COMPANY.replace(DEVICES, f"rings: {rings}\n    {DEVICES}")


def with_callers(entry: str) -> str:
    return COMPANY.replace("people:\n", f"callers:\n  vip: {{{entry}}}\npeople:\n", 1)


def with_company(line: str) -> str:
    return COMPANY.replace("  country: BE\n", f"  country: BE\n  {line}\n")


MISTAKES = [
    (with_rings("[desk, {gms: 10s}]"), "rings:", "no device 'gms'", "did you mean 'gsm'?", "F4"),
    (with_rings("[{desk: 5s}, {gsm: 10s}]"), "rings:", "nothing rings at once for Paul", "without a delay", "F4"),
    (with_rings("[]"), "rings:", "nothing rings at once for Paul", "without a delay", "F4"),
    (with_rings("[desk, {desk: 10s}]"), "rings:", "desk rings twice", "once", "F4"),
    (with_rings("[desk, {gsm: soon}]"), "rings:", "rings: ", '"20s"', ""),
    (
        COMPANY.replace("mobile, secret: x}}\n", "mobile, secret: x}}\n    rings: dekc\n", 1),
        "dekc",
        "no device 'dekc'",
        "did you mean 'desk'?",
        "F4",
    ),
    (with_callers(f"{EXCEPTION}"), "vip:", "ring through, or sends them elsewhere", "rings_through, then", "S8"),
    (
        with_callers(f"{EXCEPTION}, rings_through: [absent], then: reception"),
        "vip:",
        "ring through, or sends them elsewhere",
        "rings_through, then",
        "S8",
    ),
    (with_callers(f"{EXCEPTION}, then: recepton"), "vip:", "'recepton' is neither", "did you mean 'reception'?", ""),
    (with_callers(f"{EXCEPTION}, rings_through: [lunch]"), "vip:", "'lunch'", "busy_other", ""),
    (
        with_callers('numbers: ["0475111222"], rings_through: [absent], approved_by: lea, until: 2026-12-31'),
        "vip:",
        "'0475111222' is no caller",
        '"+3247*"',
        "S8",
    ),
    (
        with_callers('numbers: ["+32475111222"], rings_through: [absent], until: 2026-12-31'),
        "vip:",
        "'approved_by' is missing",
        "approved_by: …",
        "",
    ),
    (
        with_callers(f"{EXCEPTION}, rings_through: [absent], people: [clare]"),
        "vip:",
        "no person 'clare'",
        "did you mean 'claire'?",
        "S8",
    ),
    (
        with_callers(f'{EXCEPTION}, rings_through: [absent], people: ["role:sale"]'),
        "vip:",
        "no role 'sale'",
        "did you mean 'sales'?",
        "S8",
    ),
    (
        COMPANY.replace(DEVICES, f"exceptions: [{{{EXCEPTION}, then: paul}}]\n    {DEVICES}"),
        "exceptions:",
        "this is the person themselves",
        "rings_through",
        "S8",
    ),
    (
        COMPANY.replace(DEVICES, f"exceptions: [{{{EXCEPTION}, then: voicemail, people: [claire]}}]\n    {DEVICES}"),
        "exceptions:",
        "this holds for paul only",
        "take people: away",
        "S8",
    ),
    (
        with_company("profile_order: [person, administrator, person, schedule]"),
        "profile_order",
        "named twice",
        "administrator, person, calendar, schedule",
        "G4",
    ),
    (with_company("profile_order: [person, administrator]"), "profile_order", "profile_order", "", ""),
    (with_company("when: {on_call: recepton}"), "recepton", "'recepton' is neither", "did you mean 'reception'?", ""),
    (
        COMPANY.replace("roles:\n  standard:\n", "roles:\n  standard:\n    rings_within: offices\n"),
        "offices",
        "no set of hours 'offices'",
        "did you mean 'office'?",
        "S6",
    ),
    (
        COMPANY.replace("{kind: busy_other}", "{kind: busy_other, then: queue:sale}"),
        "queue:sale}",
        "'queue:sale' is neither",
        "did you mean 'queue:sales'?",
        "",
    ),
    (
        COMPANY.replace("{kind: busy_other}", "{kind: available, then: queue:sales}"),
        "  meeting:",
        "meeting lets calls through",
        "busy_other or absent",
        "",
    ),
    (
        COMPANY.replace("{kind: busy_other}", "{kind: busy_other, offers: [mesage]}"),
        "mesage",
        "'mesage' is nothing that can be offered",
        "did you mean 'message'?",
        "P3",
    ),
    (
        COMPANY.replace("{kind: busy_other}", "{kind: busy_other, offers: [reception]}"),
        "offers: [reception]",
        "'reception' is nothing that can be offered",
        "write {transfer: reception}",
        "P3",
    ),
    (
        COMPANY.replace("{kind: busy_other}", "{kind: busy_other, offers: [message, message]}"),
        "offers:",
        "offered twice",
        "once",
        "P3",
    ),
    (
        COMPANY.replace("{kind: busy_other}", "{kind: busy_other, offers: [{transfer: recepton}]}"),
        "recepton",
        "'recepton' is neither",
        "did you mean 'reception'?",
        "",
    ),
]


@pytest.mark.parametrize(("text", "at", "message", "suggestion", "clause"), MISTAKES)
def test_a_mistake_is_found(tmp_path: Path, text: str, at: str, message: str, suggestion: str, clause: str) -> None:
    assert text != COMPANY
    (finding,) = findings(tmp_path, text)
    assert finding.mark.file == "company.yaml"
    assert finding.mark.line == line_of(text, at)
    assert message in finding.message
    assert suggestion in finding.suggestion
    assert finding.clause == clause


def test_a_device_that_would_ring_too_late_is_a_warning(tmp_path: Path) -> None:
    """F4, G5."""
    (tmp_path / "company.yaml").write_text(with_rings("[desk, {gsm: 20s}]"))
    (warning,) = load(tmp_path).warnings
    assert "gsm would ring after 20 s, but the call goes on after 20 s" in warning.message
    (tmp_path / "company.yaml").write_text(with_rings("[desk, {gsm: 19s}]"))
    assert load(tmp_path).warnings == ()
