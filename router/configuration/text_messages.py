"""Compiles under which name text messages go outside (X1)."""

from __future__ import annotations

import re

from router.configuration.compilation import Compilation

# GSM 03.38: an alphanumeric sender holds eleven characters; these every network shows alike, and a letter keeps it from
# being taken for a number that could be answered.
_SENDER = re.compile(r"(?=.*[A-Za-z])[A-Za-z0-9][A-Za-z0-9 ]{0,9}[A-Za-z0-9]|[A-Za-z]")


def compile_text_sender(compilation: Compilation) -> str:
    """Return the sender; "" where none is configured, or with a finding where it cannot be shown."""
    section = compilation.document.text_messages
    if section is None:
        return ""
    if _SENDER.fullmatch(section.sender) is None:
        mark = compilation.mark("text_messages", "sender")
        message = f"{section.sender!r} cannot be the sender of a text message"
        compilation.error(mark, message, "write at most 11 letters, digits and spaces, such as Atelier", "X1")
        return ""
    return section.sender
