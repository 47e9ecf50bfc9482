"""The greylist: X2, G9, S8. The longest prefix decides, however many there are and wherever they come from."""

from __future__ import annotations

import random
from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.model.decision import Reason
from router.policy.greylist import Greylist, GreylistException
from router.policy.prefixes import Entry, ListSource, PrefixTable

NOW = 1_795_510_800.0
OUTBOUND, INBOUND, FETCHED = ListSource("fraud.txt"), ListSource("callers.txt", inbound=True), ListSource("feed", True)


def table(*prefixes: str, source: ListSource = OUTBOUND) -> PrefixTable:
    """A list as it would be written, one prefix a line."""
    return PrefixTable.of([(prefix[1:], 0, line) for line, prefix in enumerate(prefixes, 1)], (source,))


def exception(prefix: str, until: float = NOW + 1) -> GreylistException:
    return GreylistException(prefix, until, Reason("S8", f"{prefix} is allowed"))


def why(found: Reason | GreylistException | None) -> tuple[str, str] | None:
    """Clause and place of what blocks a call; None where it may be made."""
    return (found.clause, found.source) if isinstance(found, Reason) else None


# -------------------------------------------------------------------------------------------- against a naive reference

digits = st.text("012", min_size=1, max_size=6)  # few different ones, so that many lie in one another
numbers = st.text("012", min_size=1, max_size=9)
lists = st.lists(st.lists(digits, max_size=12), min_size=1, max_size=3)
flags = st.lists(st.booleans(), min_size=3, max_size=3)
exceptions_st = st.dictionaries(digits, st.sampled_from([NOW - 1, NOW, NOW + 1]), max_size=4)


def naive(
    written: Iterable[Iterable[str]], exceptions: dict[str, float], number: str, now: float
) -> tuple[str, str | None] | None:
    """The longest listed prefix of a number, and the longest exception in force that is not shorter; by trying all."""
    listed = [prefix for one in written for prefix in one if number.startswith(prefix)]
    if not listed:
        return None
    longest = max(listed, key=len)
    allowed = [
        prefix
        for prefix, until in exceptions.items()
        if number.startswith(prefix) and len(prefix) >= len(longest) and now < until
    ]
    return longest, max(allowed, key=len, default=None)


@given(lists, flags, exceptions_st, numbers)
def test_the_longest_prefix_decides(
    written: list[list[str]], inbound: list[bool], exceptions: dict[str, float], number: str
) -> None:
    """X2, S8 and, for the lists that block callers, G9."""
    greylist = Greylist(
        [
            table(*[f"+{prefix}" for prefix in one], source=ListSource(f"list{index}", inbound[index]))
            for index, one in enumerate(written)
        ],
        [exception(f"+{prefix}", until) for prefix, until in exceptions.items()],
    )
    expected = naive(written, exceptions, number, NOW)
    entry, found = greylist.entry(f"+{number}"), greylist.find(f"+{number}", NOW)
    assert (entry and entry.prefix) == (expected and f"+{expected[0]}")
    if expected is None:
        assert found is None
    elif expected[1] is None:
        assert isinstance(found, Reason)
        assert found.text.startswith(f"+{expected[0]} ")
    else:
        assert isinstance(found, GreylistException)
        assert found.prefix == f"+{expected[1]}"
    assert (greylist.match(f"+{number}", NOW) is None) == (expected is None or expected[1] is not None)

    blocking = [one for one, blocks in zip(written, inbound, strict=False) if blocks]
    expected = naive(blocking, exceptions, number, NOW)
    caller = greylist.caller_entry(f"+{number}")
    assert (caller and caller.prefix) == (expected and f"+{expected[0]}")
    assert (greylist.blocks_caller(f"+{number}", NOW) is None) == (expected is None or expected[1] is not None)


@given(st.lists(digits, max_size=30), numbers, st.integers(0, 200))
def test_prefixes_that_hold_numbers_of_a_range_are_found(prefixes: list[str], first: str, width: int) -> None:
    last = str(int(first) + width).rjust(len(first), "0")
    if len(last) > len(first):
        return
    held = [str(n).rjust(len(first), "0") for n in range(int(first), int(last) + 1)]
    expected = {f"+{prefix}" for prefix in prefixes if any(number.startswith(prefix) for number in held)}
    found = [entry.prefix for entry in table(*[f"+{prefix}" for prefix in prefixes]).covering(f"+{first}", f"+{last}")]
    assert set(found) == expected
    assert len(found) == len(expected)


@given(st.lists(digits, max_size=30))
def test_a_table_gives_back_what_was_written(prefixes: list[str]) -> None:
    entries = list(table(*[f"+{prefix}" for prefix in prefixes]))
    assert [entry.prefix for entry in entries] == sorted({f"+{prefix}" for prefix in prefixes})
    assert all(prefixes.index(entry.prefix[1:]) == entry.line - 1 for entry in entries), (
        "the first of equal ones counts"
    )


# --------------------------------------------------------------------------------------------------- what users can see


def test_the_reason_names_prefix_and_place_in_both_languages() -> None:
    reason = Greylist([table("+225", "+2246")]).match("+224612345", NOW)
    assert reason == Reason(
        "X2",
        "+2246 is on the greylist",
        "fraud.txt:2",
        "+2246 est une destination sur liste grise",
        "greylist",
    )


def test_callers_are_blocked_by_inbound_lists_only() -> None:
    """G9: outbound by default; a longer prefix that is outbound only does not let a caller in."""
    greylist = Greylist([table("+225", "+22461"), table("+224", source=INBOUND)])
    assert greylist.blocks_callers
    assert greylist.blocks_caller("+22512345678", NOW) is None
    assert why(greylist.blocks_caller("+22461234567", NOW)) == ("G9", "callers.txt:1")
    assert why(greylist.find("+22461234567", NOW)) == ("X2", "fraud.txt:2")
    assert why(greylist.find("+22499999999", NOW)) == ("X2", "callers.txt:1"), "an inbound prefix blocks both ways"


def test_a_prefix_written_in_both_directions_blocks_both() -> None:
    one = PrefixTable.of([("224", 0, 1), ("224", 1, 7), ("224", 1, 8)], (OUTBOUND, INBOUND))
    greylist = Greylist([one])
    assert greylist.entry_count == 1
    assert why(greylist.blocks_caller("+22461234567", NOW)) == ("G9", "callers.txt:7")
    assert why(greylist.find("+22461234567", NOW)) == ("X2", "callers.txt:7")


def test_an_exception_lets_callers_in_until_its_moment() -> None:
    """S8."""
    greylist = Greylist([table("+224", source=INBOUND)], [exception("+22462", NOW)])
    assert greylist.blocks_caller("+22462123456", NOW - 0.001) is None
    assert greylist.blocks_caller("+22462123456", NOW) is not None
    assert greylist.blocks_caller("+22461123456", NOW - 0.001) is not None


def test_lists_that_were_fetched_stand_behind_those_of_the_configuration() -> None:
    """Of equal prefixes the first list counts, of different ones the longest; the exceptions hold for all."""
    configured = Greylist([table("+224", "+225")], [exception("+2267")])
    both = configured.with_lists([table("+225", "+2251", "+226", source=FETCHED)])
    assert (configured.entry_count, both.entry_count) == (2, 5)
    assert why(both.find("+22599999999", NOW)) == ("X2", "fraud.txt:2")
    assert why(both.find("+22519999999", NOW)) == ("X2", "feed:2")
    assert isinstance(both.find("+22679999999", NOW), GreylistException)
    assert configured.find("+22612345678", NOW) is None, "what was there before is as it was"


def test_nothing_is_on_an_empty_list() -> None:
    for greylist in (Greylist(), Greylist([table()])):
        assert greylist.find("+22461234567", NOW) is None
        assert greylist.blocks_caller("+22461234567", NOW) is None
        assert not greylist.blocks_callers
        assert greylist.entry_count == 0


@pytest.mark.parametrize("number", ["", "+", "1733", "224", "224612345", "+2a4", "anonymous", "+ab", "++224", "+2"])
def test_what_is_no_number_is_on_no_list(number: str) -> None:
    greylist = Greylist([table("+224", "+22", "+1", source=INBOUND)])
    assert greylist.find(number, NOW) is None
    assert greylist.blocks_caller(number, NOW) is None


def test_a_number_shorter_than_the_prefix_is_not_meant() -> None:
    greylist = Greylist([table("+2246210")])
    assert greylist.find("+224621", NOW) is None
    assert greylist.find("+2246210", NOW) is not None
    assert greylist.find("+22462109999999999999999", NOW) is not None


def test_a_million_prefixes() -> None:
    """X2: at both ends, across blocks, one in the other, and what is not listed at all."""
    written = [
        str(magnitude + index * 9_973_753 % (9 * magnitude))
        for index in range(1_000_000)
        for magnitude in (10 ** (5 + index % 5),)
    ]
    million = PrefixTable.of(((prefix, 0, line) for line, prefix in enumerate(written, 1)), (OUTBOUND,))
    known = set(written)
    assert million.entry_count == len(known) > 800_000
    greylist = Greylist([million])
    chance = random.Random(1)
    for number in [*written[::1_000], *(str(chance.randrange(10**11, 10**12)) for _ in range(1_000))]:
        expected = max((number[:length] for length in range(1, 16) if number[:length] in known), key=len, default=None)
        entry = greylist.entry(f"+{number}")
        assert (entry and entry.prefix) == (expected and f"+{expected}")
    last = max(known)
    assert greylist.entry(f"+{last}") == Entry(f"+{last}", OUTBOUND, written.index(last) + 1)
