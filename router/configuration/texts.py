"""The texts of a configuration, packed to be kept: each version that was in force can be read again (P1)."""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping

_QUICKLY = 1  # zlib's level: a version is packed at each loading and hardly ever read


def pack(texts: Mapping[str, str]) -> bytes:
    """Pack texts by file name. They may hold secrets: who keeps them keeps them as closely as the files."""
    return zlib.compress(json.dumps(dict(texts), ensure_ascii=False).encode(), _QUICKLY)


def unpack(packed: bytes) -> dict[str, str]:
    """Give back what was packed. Raises `ValueError` for anything else."""
    try:
        texts = json.loads(zlib.decompress(packed).decode())
    except zlib.error as error:
        raise ValueError(f"these are no packed texts: {error}") from error
    if not isinstance(texts, dict):
        raise ValueError("these are no packed texts by file name")
    return texts
