"""Bencoding: what is written can be read, and what is none is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.media.bencode import MAX_DEPTH, Encodable, Value, decode, encode

values: st.SearchStrategy[Value] = st.recursive(
    st.integers() | st.binary(max_size=40),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=8), inner, max_size=5),
    max_leaves=30,
)


@given(values)
def test_what_was_written_is_read(value: Value) -> None:
    assert decode(encode(value)) == value


def test_it_is_the_format_of_bep_3() -> None:
    said: dict[str, Encodable] = {"command": "offer", "replace": ["origin"], "delete-delay": 0, "sdp": b"v=0"}
    assert encode(said) == b"d7:command5:offer12:delete-delayi0e7:replacel6:origine3:sdp3:v=0e"


@pytest.mark.parametrize(
    "data",
    [b"", b"d", b"l", b"i12", b"ie", b"5:four", b"-1:", b"x:", b"di1e1:ae", b"d1:ae", b"i1ei2e", b"d2:\xff\xfei1ee"],
)
def test_what_is_no_value_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(data)


def test_nesting_is_bounded() -> None:
    assert decode(b"l" * MAX_DEPTH + b"e" * MAX_DEPTH)
    with pytest.raises(ValueError, match="nested"):
        decode(b"l" * 5000)


@given(st.binary(max_size=60))
def test_garbage_is_a_value_or_refused(data: bytes) -> None:
    try:
        decode(data)
    except ValueError:
        return
