"""Looks up what the rules of recording (X3) refer to."""

from __future__ import annotations

from collections.abc import Iterable

from router.configuration.compilation import Compilation


def check_recording(compilation: Compilation, hours: Iterable[str]) -> None:
    """Find people, roles and hours that the rules of recording name and nobody knows."""
    document = compilation.document
    section = document.recording
    if section is None:
        return
    for index, name in enumerate(section.who):
        mark = compilation.mark("recording", "who", index)
        kind, colon, role = name.partition(":")
        if not colon:
            if name not in document.people:
                compilation.unknown("person", name, mark, "people", document.people, "X3")
        elif kind != "role" or role not in document.roles:
            compilation.unknown("role", role, mark, "roles", document.roles, "X3")
    if section.hours is not None and section.hours not in hours:
        mark = compilation.mark("recording", "hours")
        compilation.unknown("set of hours", section.hours, mark, "hours", hours, "X3")
