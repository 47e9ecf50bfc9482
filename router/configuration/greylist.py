"""Compiles the greylist (X2) from prefixes and from text files with one prefix a line."""

from __future__ import annotations

from router.configuration.compilation import Compilation
from router.configuration.findings import Mark
from router.configuration.peers import end_of_exception
from router.model.decision import Reason
from router.policy.dialling import LONGEST_E164
from router.policy.greylist import Greylist, GreylistException


def compile_greylist(compilation: Compilation) -> Greylist:
    """Return the greylist; what cannot be read as a prefix is a finding."""
    section = compilation.document.greylist
    blocked: dict[str, str] = {}
    for index, written in enumerate(section.prefixes):
        _add(compilation, written, compilation.mark("greylist", "prefixes", index), blocked)
    for index, name in enumerate(section.files):
        if compilation.gaps.covers("greylist", "files", index):
            continue
        text = compilation.sources.text(name, compilation.mark("greylist", "files", index))
        for number, line in enumerate((text or "").splitlines(), start=1):
            written = line.partition("#")[0].strip()
            if written:
                _add(compilation, written, Mark(name, number), blocked)
    exceptions = []
    for index, exception in enumerate(section.exceptions):
        prefix = _prefix(compilation, exception.prefix, compilation.mark("greylist", "exceptions", index))
        if prefix is not None:
            until = end_of_exception(exception.until, compilation.zone)
            text = f"{prefix} is allowed until {exception.until}, approved by {exception.approved_by}"
            reason = Reason("S8", text, str(compilation.mark("greylist", "exceptions", index)))
            exceptions.append(GreylistException(prefix, until, reason))
    return Greylist.of(blocked, tuple(exceptions))


def _add(compilation: Compilation, written: str, mark: Mark, blocked: dict[str, str]) -> None:
    prefix = _prefix(compilation, written, mark)
    if prefix is not None:
        blocked.setdefault(prefix, str(mark))


def _prefix(compilation: Compilation, written: str, mark: Mark) -> str | None:
    prefix = written.replace(" ", "")
    if prefix.startswith(compilation.plan.international_prefix):
        prefix = "+" + prefix[len(compilation.plan.international_prefix) :]
    digits = prefix[1:]
    if prefix[:1] == "+" and digits.isascii() and digits.isdigit() and digits[0] != "0" and len(digits) <= LONGEST_E164:
        return prefix
    if not compilation.gaps.excuse(written):
        compilation.error(mark, f"{written!r} is no prefix", 'write it with "+" and country code: "+881"', "X2")
    return None
