"""Codes that collide, and rules of choice and of shown numbers that name nothing: where, and what to write instead."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.model.decision import Action, FeatureKind
from tests.configuration.test_errors import findings, line_of
from tests.policy.company import COMPANY, Desk, configuration

GOOD = (
    COMPANY.replace("  meeting: {kind: busy_other}\n", '  meeting: {kind: busy_other, code: "*21"}\n')
    .replace(
        "    shows: {fixed: direct_number, mobile: main_number}\n",
        """\
    shows: {fixed: direct_number, mobile: main_number}
    may: {profiles: [lunch, meeting], forward_to: [inside, reception]}
""",
    )
    .replace('extension: "402"', 'extension: "*402"')
    + """\
codes:
  back: "*20"
  hide_number: "*31"
  show: {"*32": main_number}
connections: {mobile: main_number}
"""
)

# What is replaced, by what, a part of the line that the finding points at, its clause, what it says and advises.
MISTAKES = [
    ('code: "*21"', 'code: "112"', 'code: "112"', "P2", "112 is an emergency number", "choose another code"),
    ('code: "*21"', 'code: "201"', 'code: "201"', "P2", "201 is the extension of claire", "choose another code"),
    ('code: "*21"', 'code: "*402"', "meeting", "P2", "*402 is the extension of bob", "choose another code"),
    ('code: "*21"', 'code: "1733"', "meeting", "P2", "1733 is a short number", "choose another code"),
    ('code: "*21"', 'code: "999"', "meeting", "P2", "begins like a number", '"*21"'),
    ('{"*32": main', '{"0032": main', "show", "G1", "'0032' begins like a number", '"*21"'),
    ('{"*32": main', '{"*3x": main', "show", "G1", "'*3x' holds something else than digits", '"*21"'),
    ('back: "*20"', 'back: "*21"', "back", "P2", "*21 is already the code of profile meeting", "its own"),
    ('code: "*21"', 'code: "*312"', "meeting", "P2", "*312 (profile meeting) begins with *31", "none begins"),
    ('{"*32": main', '{"*311": main', "show", "G1", "*311 (show) begins with *31 (hide_number", "none begins"),
    ('back: "*20"', 'back: "*21*1"', "back", "P2", "*21*1 (back) begins with *21 (profile meeting", "none begins"),
    ('hide_number: "*31"', 'hide_number: "*4"', "hide", "G1", "*402, the extension of bob", "choose another code"),
    ('extension: "*402"', 'extension: "*21#"', "meeting", "P2", "*21#, the extension of bob", "choose another code"),
    ('{"*32": main_number', '{"*32": mane_number', "show", "", "'mane_number' is nothing", "'main_number'"),
    ('{"*32": main_number', '{"*32": "+3242200195"', "show", "S4", "not a verified number", "numbers:"),
    ("connections: {mobile: main_number", "connections: {mobile: sth", "connections", "", "'sth' is nothing", ""),
    ("  country: BE", "  country: BE\n  shows: mobile", "shows: mobile", "", "'mobile' is nothing", "personal_mobile"),
    ('code: "*21"', 'shows: "+3242200195"', "meeting", "S4", "+3242200195 is not a verified", "numbers:"),
    ("[lunch, meeting]", "[lunch, meting]", "meting", "R8", "no profile 'meting'", "'meeting'"),
    ("[inside, reception]", "[insid, reception]", "insid,", "R8", "'insid' is nothing to forward to", "'inside'"),
    ('back: "*20"', 'mailbox: "*97"', "mailbox", "V1", "*97 opens one of the router's own mailboxes, and", "{person}"),
    ('code: "*21"', "roles: [sails]", "sails", "R9", "no role 'sails'", "'sales'"),
]


@pytest.mark.parametrize(("old", "new", "place", "clause", "message", "advice"), MISTAKES)
def test_a_mistake_is_found(
    tmp_path: Path, old: str, new: str, place: str, clause: str, message: str, advice: str
) -> None:
    assert old in GOOD
    text = GOOD.replace(old, new)
    (finding,) = findings(tmp_path, text)
    assert place in text.splitlines()[finding.mark.line - 1]
    assert finding.clause == clause
    assert message in finding.message
    assert advice in finding.suggestion


def test_what_collides_is_named_with_both_places(tmp_path: Path) -> None:
    text = GOOD.replace('back: "*20"', 'back: "*21"')
    (finding,) = findings(tmp_path, text)
    assert finding.mark.line == line_of(text, "back:")
    assert f"(company.yaml:{line_of(text, 'meeting: {kind')})" in finding.message


def test_codes_may_resemble_one_another() -> None:
    """*2 and *21 are two codes for whoever dials them; only behind a per-call code anything may follow."""
    desk = Desk(configuration(GOOD.replace('back: "*20"', 'back: "*2"')).policy)
    back, meeting = desk.person("paul", "*2").feature, desk.person("paul", "*21").feature
    assert back is not None
    assert meeting is not None
    assert (back.kind, meeting.kind) == (FeatureKind.RETURN, FeatureKind.SELECT)
    assert desk.person("paul", "*402").action is Action.RING  # an extension with a star


def test_the_code_of_a_shared_mailbox_collides_like_any_other(tmp_path: Path) -> None:
    text = GOOD + 'mailboxes: {sales: {name: Service Commercial, people: [claire], code: "*21"}}\n'
    (finding,) = findings(tmp_path, text)
    assert finding.mark.line == line_of(text, "mailboxes:")
    assert finding.clause == "V1"
    assert "*21 is already the code of profile meeting" in finding.message
