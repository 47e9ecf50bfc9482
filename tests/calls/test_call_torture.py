"""The torture messages of RFC 4475 and RFC 5118, byte for byte, through the stack and the exchange.

They are found by the environment variable SIP_VECTORS: a folder with `rfc4475` and `rfc5118`, each with raw messages
and `expect.json`, which says what to answer. Without it these tests are skipped.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.calls.story import Story

FOLDER = os.environ.get("SIP_VECTORS")


def vectors() -> Iterator[Any]:
    if FOLDER is None:
        yield pytest.param("", "", {}, marks=pytest.mark.skip(reason="SIP_VECTORS names no folder with the messages"))
        return
    for collection in ("rfc4475", "rfc5118"):
        folder = Path(FOLDER) / collection
        expected = json.loads((folder / "expect.json").read_text(encoding="utf-8"))
        for name, entry in expected.items():
            yield pytest.param(collection, name, entry, id=f"{collection}-{name}")


def finals(story: Story) -> list[int]:
    """Status codes of all that was sent, in order; nothing else may have been sent."""
    codes = []
    for _, text in story.wire_log:
        start = re.match(r"SIP/2\.0 (\d{3}) ", text)
        assert start, f"something else than an answer was sent: {text.splitlines()[0]}"
        codes.append(int(start[1]))
    return codes


@pytest.mark.parametrize(("collection", "name", "expected"), list(vectors()))
@pytest.mark.parametrize("origin", ["stranger", "trunk"])
def test_a_torture_message(story: Story, collection: str, name: str, expected: dict[str, Any], origin: str) -> None:
    data = (Path(FOLDER or "") / collection / "raw" / f"{name}.dat").read_bytes()
    peer = story.stranger() if origin == "stranger" else story.trunk()
    story.reception()
    story.voicemail()
    peer.automatic = set()
    peer.says(data)
    codes = finals(story)
    if not expected["codes"]:
        assert codes == []
        return
    right = {*expected["codes"], *expected["also"]}
    if expected["kind"] == "liberal":
        right |= {400}
    assert len(codes) == 1
    assert codes[0] in right
