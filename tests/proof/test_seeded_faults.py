"""One mistake in a sound company: `check` finds it, says where it is written, and names a call that shows it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from router.cli.main import app
from router.configuration.findings import Finding, Severity
from router.proof.check import check
from tests.proof.sound_company import NOW, SOUND, line_of

Answer = dict[str, Any]


@dataclass(frozen=True)
class Fault:
    """A mistake.

    Args:
        old, new: what is written in place of what.
        at: stands in the line where the finding is to be.
        says: stands in its message.
        shown: holds for what `simulate` answers about the call that is named; None: no call can show it.
    """

    old: str
    new: str
    severity: Severity
    clause: str
    at: str
    says: str
    shown: Callable[[Answer], bool] | None


def to(target: str, *clauses: str) -> Callable[[Answer], bool]:
    """Say that a call goes to `target`, for reasons that cite these clauses."""

    def goes(answer: Answer) -> bool:
        cited = {reason["clause"] for reason in answer["because"]}
        return answer["target"] == target and cited.issuperset(clauses)

    return goes


def refused(status: int) -> Callable[[Answer], bool]:
    return lambda answer: answer["action"] == "refuse" and answer["status"] == status


def shows(number: str) -> Callable[[Answer], bool]:
    return lambda answer: answer["action"] == "dial" and answer["shown_number"] == number


E, W, N = Severity.ERROR, Severity.WARNING, Severity.NOTE

EVENINGS = SOUND[SOUND.index('from: "17:00", to: "08:00"') : SOUND.index("  sales:\n    based_on")]
BRIGITTE_TO_EMMA = SOUND[SOUND.index("  brigitte:\n") : SOUND.index("    devices: {own:")]

FAULTS = {
    "no way out for emergency calls": Fault(
        'trunks:\n  first: {address: "127.0.0.1:5080"}\n',
        "trunks: {}\n",
        E, "G1", "trunks:", "emergency calls cannot go out",
        lambda answer: answer["action"] == "emergency" and answer["trunks"] == [],
    ),
    "a target on the greylist": Fault(
        'answering_service: {number: "+3243334455"}',
        'answering_service: {number: "+88161234567"}',
        E, "X2", 'answering_service: {number: "', "answering_service goes to +88161234567, but +881 is on the greylist",
        to("reception", "S3"),
    ),
    "a rule that names a number on the greylist": Fault(
        "when: {on_call: reception, busy_other: queue:sales}",
        'when: {on_call: "+88161234567", busy_other: queue:sales}',
        E, "X2", 'when: {on_call: "+88161234567"', "calls are sent to +88161234567",
        to("voicemail", "S3"),
    ),
    "a target who has left": Fault(
        'reception: {sip: "sip:reception@127.0.0.1:5090"}',
        "reception: {person: jean}",
        E, "S5", "reception: {person: jean}", "reception is Jean Collard, who has left",
        to("paul", "S5"),
    ),
    "a target without a phone": Fault(
        'reception: {sip: "sip:reception@127.0.0.1:5090"}',
        "reception: {person: isabelle}",
        E, "F5", "reception: {person: isabelle}", "reception is Isabelle Noël, who has no phone",
        to("voicemail", "F5"),
    ),
    "a successor who has left": Fault(
        'direct_number: "+3242200124"\n',
        'direct_number: "+3242200124"\n    left: 2026-10-31\n',
        W, "S5", "successor: paul", "Paul Servais, the successor of Jean Collard, has left too",
        to("reception", "S5"),
    ),
    "people who forward to one another": Fault(
        BRIGITTE_TO_EMMA,
        BRIGITTE_TO_EMMA.replace('120"', '120"\n    when: {no_answer: emma}') + "    when: {no_answer: brigitte}\n",
        W, "S3", "when: {no_answer: brigitte}", "calls go round: brigitte → emma → brigitte",
        to("voicemail", "S3"),
    ),
    "a queue that is closed when it is needed": Fault(
        'busy_other: queue:sales}\n',
        "busy_other: queue:sales}\n    schedule: []\n    rings_within: always\n",
        E, "R3", "busy_other: queue:sales}", "queue:sales is open 08:00",
        to("queue:sales", "R3"),
    ),
    "a meeting that is forgotten overnight": Fault(
        "    rings_within: office\n", "",
        W, "S6", "busy_other: queue:sales}", "“meeting” that people of the role sales forgot to take back",
        to("queue:sales", "R3"),
    ),
    "a shared number answered by somebody who is at lunch": Fault(
        'number: "+3242200160", then: voicemail}',
        'number: "+3242200160", then: brigitte}',
        W, "S3", 'then: brigitte}', "calls to Service Technique go to Brigitte Lambert when they are absent",
        to("voicemail", "M4"),
    ),
    "a line of a schedule that never holds": Fault(
        'from: "12:00", to: "13:00"}\n',
        'from: "12:00", to: "13:00"}\n      - {profile: meeting, calendar: en_semaine, from: "12:15", to: "12:45"}\n',
        W, "M4", "{profile: meeting,", "en_semaine never holds: lunch (company.yaml:34) comes before it",
        None,
    ),
    "a calendar without a day": Fault(
        'week_end: {days: "sat, sun"}',
        'week_end: {days: "sat, sun", except: "sat, sun"}',
        W, "G7", "week_end: {days:", "the calendar week_end contains no day",
        None,
    ),
    "a region that does not exist": Fault(
        "country: BE\n",
        "country: BE\n  region: Namur\n",
        W, "G7", "region: Namur", "no public holidays are known for the region 'Namur'",
        None,
    ),
    "phones that never ring": Fault(
        'from: "17:00", to: "08:00"}',
        'from: "08:00", to: "08:00"}',
        W, "S6", "profile: lunch", "the phones of Claire Dubois never ring",
        to("voicemail"),
    ),
    "phones that ring outside opening hours only": Fault(
        EVENINGS,
        EVENINGS.replace('"17:00", to: "08:00"', '"08:00", to: "18:00"').replace("office", "always"),
        W, "S6", "profile: lunch", "the phones of Claire Dubois ring only outside the hours of the main number",
        to("voicemail"),
    ),
    "a role that nobody has": Fault(
        "roles:\n", "roles:\n  director: {based_on: standard}\n",
        W, "S1", "director: {based_on", "nobody has the role director",
        None,
    ),
    "a profile that nobody may select": Fault(
        "roles:\n  standard:\n", "roles:\n  standard:\n    may: {profiles: [lunch]}\n",
        W, "P2", "meeting: {kind", "nobody may select meeting",
        None,
    ),
    "a choice that leads nowhere": Fault(
        'direct_number: "+3242200120"\n',
        'direct_number: "+3242200120"\n    may: {forward_to: own_mobile}\n',
        W, "R8", "may: {forward_to", "Brigitte Lambert may forward calls to their own mobile, but has none",
        None,
    ),
    "a phone left out of the ringing": Fault(
        "devices: {desk: {kind: fixed, secret: x}, gsm: {kind: mobile, secret: x}}",
        "devices: {desk: {kind: fixed, secret: x}, gsm: {kind: mobile, secret: x}}\n    rings: [desk]",
        W, "F4", "gsm: {kind", "gsm of Paul Servais never rings",
        None,
    ),
    "somebody whom nobody can call": Fault(
        '    extension: "206"\n    direct_number: "+3242200126"\n', "",
        W, "S2", "isabelle:", "Isabelle Noël has neither a direct number nor an extension",
        None,
    ),
    "an extension that takes a short number": Fault(
        'extension: "206"', 'extension: "1733"',
        E, "G1", "short_numbers:", "1733 is the extension of Isabelle Noël",
        to("voicemail", "F5"),
    ),
    "a mobile that the company does not own": Fault(
        'mobile: "+32470555012"', 'mobile: "+32470555099"',
        W, "R1", "claire:", "+32470555099 is not a number of the company; +3242200121 is shown instead",
        shows("+3242200121"),
    ),
    "an exception to the greylist that is over": Fault(
        "until: 2027-03-31}", "until: 2026-10-31}",
        W, "S8", 'prefix: "+224621"', "the exception for +224621 ended on 2026-10-31",
        refused(403),
    ),
    "an exception that nobody here approved": Fault(
        'prefix: "+224621", approved_by: paul', 'prefix: "+224621", approved_by: roger',
        W, "S8", 'prefix: "+224621"', "was approved by 'roger', who is nobody here",
        None,
    ),
    "an exception approved by somebody who has left": Fault(
        'prefix: "+224621", approved_by: paul', 'prefix: "+224621", approved_by: jean',
        W, "S8", 'prefix: "+224621"', "was approved by Jean Collard, who has left",
        None,
    ),
    "an exception for a caller that is over": Fault(
        "approved_by: paul\n    until: 2027-06-30", "approved_by: paul\n    until: 2026-10-31",
        W, "S8", "hospital:", "the exception hospital ended on 2026-10-31",
        to("claire"),
    ),
    "a private phone that ends soon": Fault(
        "until: 2027-06-30, approved_by: paul}", "until: 2026-11-30, approved_by: paul}",
        W, "D1", "own: {kind: private", "own of Emma Wouters is refused in 6 days",
        None,
    ),
    "levels that disagree about the number": Fault(
        "calendars:\n", "connections: {fixed: main_number}\ncalendars:\n",
        N, "G1", "shows: personal_mobile", "company.yaml:12 would show another number for Claire Dubois",
        None,
    ),
    "a profile whose number may be shown for nobody": Fault(
        'meeting: {kind: busy_other, code: "*21"}', 'meeting: {kind: busy_other, code: "*21", shows: team_number}',
        W, "P4", "meeting: {kind", "meeting shows a number that may be shown for nobody",
        None,
    ),
}  # fmt: skip


def patched(fault: Fault) -> str:
    assert SOUND.count(fault.old) == 1
    return SOUND.replace(fault.old, fault.new)


def test_the_sound_company_is_sound(tmp_path: Path) -> None:
    assert found(tmp_path, SOUND) == []


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_is_found_where_it_is_and_shown(name: str, tmp_path: Path) -> None:
    fault = FAULTS[name]
    text = patched(fault)
    findings = found(tmp_path, text)
    named = [finding for finding in findings if fault.says in finding.message]
    assert len(named) == 1, findings
    finding = named[0]
    assert (finding.severity, finding.clause) == (fault.severity, fault.clause)
    assert (finding.mark.file, finding.mark.line) == ("company.yaml", line_of(text, fault.at))
    if fault.shown is None:
        assert finding.command == ""
        return
    answer = simulated(finding)
    assert fault.shown(answer), (finding.command, answer)


def found(directory: Path, text: str) -> list[Finding]:
    (directory / "company.yaml").write_text(text)
    return list(check(directory, NOW))


def simulated(finding: Finding) -> Answer:
    """Run the call of a finding, as an administrator would."""
    assert finding.call, finding
    program, *arguments = shlex.split(finding.command)
    assert program == "renvoi"
    result = CliRunner().invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    answer: Answer = json.loads(result.stdout)
    return answer
