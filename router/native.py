"""Whether the hot path runs compiled, and whether what was compiled is still what the sources say (docs/adr/0009).

Python prefers a compiled module to its source, so one that is out of date would silently run yesterday's code. A list
of the sources' hashes, written when they are compiled, tells.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path

PACKAGE = Path(__file__).parent
FINGERPRINT = PACKAGE / "compiled.json"


class OutdatedError(Exception):
    """Compiled modules are older than their sources; the text says which, and what to do."""


def write_fingerprint(sources: Iterable[str]) -> None:
    """Note what is being compiled. `sources` are paths below the folder that holds the package."""
    root = PACKAGE.parent
    FINGERPRINT.write_text(json.dumps({source: _digest(root / source) for source in sources}, indent=1) + "\n")


def compiled() -> bool:
    """Whether the hot path runs compiled in this process."""
    from router.sip import stack

    return not (stack.__file__ or "").endswith(".py")


def check() -> None:
    """Raise `OutdatedError` when compiled modules are used that are not what their sources say."""
    if not compiled():
        return
    try:
        known: dict[str, str] = json.loads(FINGERPRINT.read_text())
    except FileNotFoundError:
        known = {}
    root = PACKAGE.parent
    changed = [source for source, digest in known.items() if _digest(root / source) != digest]
    if not known or changed:
        which = ", ".join(changed) or "nobody knows which"
        raise OutdatedError(
            f"changed since they were compiled: {which}. "
            "Run `make native` to compile them again, or `make pure` to run them as they are."
        )


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except FileNotFoundError:
        return ""
