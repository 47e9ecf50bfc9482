"""Secrets of devices and trunks: HA1 values (RFC 7616 §3.4.2, RFC 8760) and where passwords come from."""

from __future__ import annotations

import hashlib
import re

HA1_PREFIX = "$HA1$"
_STORED = re.compile(r"\$HA1\$md5:([0-9a-fA-F]{32})(?:,sha256:([0-9a-fA-F]{64}))?")


def ha1(user: str, realm: str, password: str) -> tuple[str, str]:
    """Return H(user ":" realm ":" password) with MD5 and with SHA-256, lower-case hexadecimal."""
    text = f"{user}:{realm}:{password}".encode()
    return hashlib.md5(text, usedforsecurity=False).hexdigest(), hashlib.sha256(text).hexdigest()


def stored_ha1(secret: str) -> tuple[str, str | None]:
    """Read "$HA1$md5:…[,sha256:…]". Raises `ValueError` when it is not written so."""
    found = _STORED.fullmatch(secret)
    if found is None:
        raise ValueError("an HA1 is written $HA1$md5:<32 hexadecimal digits>[,sha256:<64 hexadecimal digits>]")
    md5, sha256 = found.groups()
    return md5.lower(), sha256.lower() if sha256 else None


def to_stored(user: str, realm: str, password: str) -> str:
    """Write the HA1 of a password as a device's `secret`."""
    md5, sha256 = ha1(user, realm, password)
    return f"{HA1_PREFIX}md5:{md5},sha256:{sha256}"
