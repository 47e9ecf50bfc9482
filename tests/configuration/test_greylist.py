"""Greylists as they are written: in the configuration, in files, and by somebody else (X2, G9)."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.configuration import ConfigurationError, load
from router.configuration.greylist import CompiledList, UnusableListError, compile_list
from router.model.decision import Action
from router.policy.dialling import PLANS
from router.policy.greylist import Greylist
from router.policy.prefixes import ListSource
from tests.policy.company import COMPANY, CUSTOMER, Desk, clauses, configuration, moment

NOW = moment("2026-11-24T10:00")
FEED = ListSource("feed", inbound=True, fetched_at=NOW)


def fetched(text: str | bytes, before: int = 0) -> CompiledList:
    data = text.encode() if isinstance(text, str) else text
    return compile_list(data, FEED, PLANS["BE"], before=before)


def with_greylist(lines: str) -> str:
    return COMPANY.replace("greylist:\n", "greylist:\n" + lines)


def test_inbound_prefixes_and_files_keep_callers_out(tmp_path: Path) -> None:
    """G9: refused with 403 before anybody rings; what is on no inbound list comes in, and goes out by the rules."""
    (tmp_path / "callers.txt").write_text("+3247511  # calls all night\n")
    text = with_greylist('  inbound: ["+99"]\n  inbound_files: [callers.txt]\n')
    desk = Desk(configuration(text, tmp_path).policy)
    decision = desk.outside("+3242200121", caller=CUSTOMER)
    assert (decision.action, decision.status) == (Action.REFUSE, 403)
    assert (decision.because[-1].clause, decision.because[-1].source) == ("G9", "callers.txt:1")
    assert desk.outside("+3242200121", caller="+99123456789").status == 403
    assert desk.outside("+3242200121", caller="+22460000000").action is Action.RING, "that prefix is outbound only"
    assert desk.outside("+3242200121", caller=None).action is Action.RING
    assert desk.person("paul", CUSTOMER).status == 403, "whoever is not let in is not called back"


def test_a_blocked_caller_reaches_an_emergency_number_of_the_company_no_less(tmp_path: Path) -> None:
    """G1: before everything else."""
    desk = Desk(configuration(with_greylist('  inbound: ["+32"]\n'), tmp_path).policy)
    assert desk.outside("112", caller=CUSTOMER).action is Action.EMERGENCY


@pytest.mark.parametrize(
    ("prefix", "part"),
    [
        ("+32", "holds all numbers of BE, emergency numbers among them"),
        ("+3", "holds all numbers of BE"),
        ("+32112", "is the emergency number 112"),
        ("+324220", "holds numbers of the company, such as +3242200100"),
        ("+3242200105", "holds numbers of the company, such as +3242200105"),
        ("+32470555012", "holds numbers of the company"),
    ],
)
def test_a_prefix_that_holds_what_is_ones_own_is_reported(tmp_path: Path, prefix: str, part: str) -> None:
    (tmp_path / "fraud.txt").write_text(f"+881\n{prefix}\n")
    warnings = configuration(with_greylist("  files: [fraud.txt]\n"), tmp_path).warnings
    assert [(str(warning.mark), warning.clause, part in warning.message) for warning in warnings] == [
        ("fraud.txt:2", "X2", True)
    ]


def test_neighbours_of_ones_own_numbers_are_not_reported(tmp_path: Path) -> None:
    """Wavre's area code begins with the digits of an emergency number; a neighbour's with those of the company."""
    (tmp_path / "fraud.txt").write_text("+3210\n+32422002\n+32422001000\n+3290\n+33\n")
    assert configuration(with_greylist("  files: [fraud.txt]\n"), tmp_path).warnings == ()


def test_an_inbound_prefix_that_cannot_be_read_says_where(tmp_path: Path) -> None:
    (tmp_path / "callers.txt").write_text("+881\n0800\n")
    (tmp_path / "company.yaml").write_text(
        with_greylist('  inbound: ["+1", "12"]\n  inbound_files: [callers.txt, gone.txt]\n')
    )
    with pytest.raises(ConfigurationError) as raised:
        load(tmp_path)
    assert sorted((finding.mark.file, finding.message.split()[0]) for finding in raised.value.findings) == [
        ("callers.txt", "'0800'"),
        ("company.yaml", "'12'"),
        ("company.yaml", "gone.txt"),
    ]


def test_an_exception_says_who_allowed_it_in_both_languages() -> None:
    """S8."""
    decision = Desk(configuration().policy).person("paul", "+224621222333")
    assert "S8" in clauses(decision)
    reason = next(reason for reason in decision.because if reason.clause == "S8")
    assert reason.text == "+224621 is allowed until 2026-12-31, approved by paul"
    assert reason.french == "+224621 est autorisé jusqu'au 31/12/2026, avec l'accord de paul"


# ---------------------------------------------------------------------------------------------- lists of somebody else


def test_a_fetched_list_is_cited_by_its_name_and_line() -> None:
    compiled = fetched("\ufeff# fraud\r\n+881  # satellites\r\n\r\n00 882 16\r\n+881\r\n")
    greylist = Greylist([compiled.table])
    assert compiled.unreadable == ()
    assert compiled.table.entry_count == 2
    for find in (greylist.match, greylist.blocks_caller):
        reason = find("+88216123456", NOW)
        assert reason is not None
        assert reason.source == "feed:4"
    entry = greylist.entry("+88161234567")
    assert entry is not None
    assert (entry.line, entry.source.fetched_at) == (2, NOW)


def test_a_few_lines_that_cannot_be_read_do_no_harm() -> None:
    compiled = fetched("\n".join(["+881"] * 10 + ["prefix"] + [f"+88{n}" for n in range(100, 120)]))
    assert [str(finding) for finding in compiled.unreadable] == [
        'feed:11  warning  X2  \'prefix\' is no prefix; write it with "+" and country code: "+881"'
    ]
    assert compiled.table.entry_count == 21


@pytest.mark.parametrize(
    ("data", "before", "part"),
    [
        (b"<!DOCTYPE html><html><body>Moved</body></html>", 0, "HTML"),
        (b"\n  <html>\n+881\n</html>", 0, "HTML"),
        (b"+881\n\x00\x01\x02", 0, "zero bytes"),
        (b"\x1f\x8b\x08\x00+881\n", 0, "byte 1 is not UTF-8"),
        (b"+881\n+882\nNot Found\n", 0, "1 of 3 lines hold no prefix, the first at line 3: 'Not Found' is no prefix"),
        (b'{"error": "quota"}', 0, "1 of 1 lines"),
        (b"", 1_000, "it is empty; the copy before had 1000 prefixes"),
        (b"# nothing today\n", 100, "it is empty"),
        (b"x" * 100_000, 0, "1 of 1 lines"),
    ],
)
def test_nonsense_is_refused(data: bytes, before: int, part: str) -> None:
    """X2: the last good copy stays."""
    with pytest.raises(UnusableListError) as raised:
        fetched(data, before)
    assert part in str(raised.value)
    assert len(str(raised.value)) < 200


def test_a_list_may_be_empty_that_never_held_much() -> None:
    assert fetched("# nothing yet\n", before=3).table.entry_count == 0
