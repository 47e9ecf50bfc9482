"""What was changed, by whom (REQUIREMENTS P1): one entry for each change of a state or of the configuration."""

from __future__ import annotations

from typing import NamedTuple


class AuditEntry(NamedTuple):
    """One change.

    Args:
        at: POSIX seconds on the policy's clock.
        actor: who did it: "token reception", "phone 201", "calendar", "SIGHUP".
        action: what was done, as a verb and its object: "select profile", "take selection back", "load configuration".
        subject: whom or what it is about: a person's id, a configuration's hash.
        before, after: in words; "" where there was, or is, nothing.
    """

    at: float
    actor: str
    action: str
    subject: str
    before: str = ""
    after: str = ""
