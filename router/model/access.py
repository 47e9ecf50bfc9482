"""Who may use the API, and for what."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class ApiRole(StrEnum):
    """What a bearer token opens."""

    ADMINISTRATOR = "administrator"  # everything
    RECEPTION = "reception"  # read everybody's state, try calls
    READER = "reader"  # read what names no caller: people's states, trunks, the configuration's hash
    PERSON = "person"  # one person's own profile


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A bearer token (RFC 6750), known by its hash alone.

    Args:
        name: as in the configuration; it stands in the audit.
        sha256: SHA-256 of the token, 32 octets.
        role: what it opens; person: id of the person for `PERSON`, else None.
        until: POSIX seconds from which on it is refused, or None.
    """

    name: str
    sha256: bytes = field(repr=False)
    role: ApiRole
    person: str | None = None
    until: float | None = None
