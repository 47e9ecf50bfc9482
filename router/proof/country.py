"""What the law of the company's country asks for (G13)."""

from __future__ import annotations

from collections.abc import Iterator

from router.configuration.findings import Finding
from router.policy.recording_law import recording_law
from router.proof.examination import Examination


def recording_is_lawful(examination: Examination) -> Iterator[Finding]:
    """G13: recording is announced everywhere, and recording every call has a ground where the country asks for one."""
    section = examination.document.recording
    if section is None:
        return
    law = recording_law(examination.document.company.country)
    source = f"{law.source} (in force since {law.valid_from.isoformat()} at the latest)"
    if not section.announcement:
        yield examination.error(
            f"calls are to be recorded, but nothing announces it, so none would be: {source}",
            "add announcement: with the words that both sides hear before",
            "G13",
            "recording",
        )
    if section.calls == "on_demand" and section.key is None:
        message = "calls are recorded on demand, and no key is said by which that is asked for; over HTTP it can be"
        yield examination.warning(message, 'add key: "*1"', "X3", "recording")
    if section.calls == "all" and section.legal_basis is None:
        where = examination.document.company.country
        message = f"all calls are recorded, and no ground for it is named: {source}"
        if law.systematic_needs_basis:
            yield examination.error(message, f"add legal_basis:, or calls: on_demand ({where})", "G13", "recording")
        else:
            yield examination.warning(message, "add legal_basis:, so that who asks can be told", "G13", "recording")
