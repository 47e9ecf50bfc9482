"""Looks up where a call can go: the targets of the configuration, people and numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from router.configuration.addresses import sip_address_problem
from router.configuration.compilation import Compilation
from router.configuration.findings import Mark, closest
from router.configuration.rings import compile_rings
from router.model.decision import (
    DialAddress,
    DialNumber,
    JoinQueue,
    LeaveMessage,
    PlayAnnouncement,
    PlayMenu,
    RingPerson,
    Target,
)
from router.policy.snapshot import filled

_NUMBER = re.compile(r"\+[1-9]\d{6,14}")
_WAYS: Final = ("sip", "number", "person", "mailbox", "announcement")
SOUND: Final = ".wav"  # ends what names a file; anything else is the id of a prompt
QUEUE: Final = "queue:"  # begins the name of a target that is a queue
MENU: Final = "menu:"  # begins the name of a target that is a menu
OWN_MAILBOX: Final = "{person}"  # stands for the mailbox of whoever was called


class TargetBook:
    """The targets by name. A SIP address may hold {extension} and {person}, filled in for whom the call was."""

    def __init__(self, compilation: Compilation) -> None:
        self._compilation = compilation
        self._targets = compilation.document.targets
        people = compilation.document.people
        self._people = {person: compile_rings(compilation, person, section) for person, section in people.items()}
        self._queues = {f"{QUEUE}{name}": JoinQueue(name, f"{QUEUE}{name}") for name in compilation.document.queues}
        self._menus = {f"{MENU}{name}": PlayMenu(name, f"{MENU}{name}") for name in compilation.document.menus}
        for name, section in self._targets.items():
            mark = compilation.mark("targets", name)
            if name in self._people:
                compilation.error(
                    mark, f"{name!r} is a person already ({compilation.mark('people', name)})", "rename one"
                )
            if name in self._menus:
                where = compilation.mark("menus", name.removeprefix(MENU))
                compilation.error(mark, f"{name!r} is a menu already ({where})", "take one of them away")
            if name in self._queues:
                where = compilation.mark("queues", name.removeprefix(QUEUE))
                compilation.error(mark, f"{name!r} is a queue already ({where})", "take one of them away")
            given = [key for key in _WAYS if getattr(section, key) is not None]
            known = not any(compilation.gaps.covers("targets", name, key) for key in _WAYS)
            if len(given) != 1 and known:
                suggestion = f"write one of: {', '.join(_WAYS)}"
                compilation.error(mark, f"the target {name!r} goes to one thing", suggestion)
            if section.sip is not None:
                problem = sip_address_problem(filled(section.sip, "0", "0"))
                if problem:
                    compilation.error(mark, f"{section.sip!r}: {problem}", 'write "sip:reception@192.0.2.1:5060"')
            if section.person is not None and section.person not in self._people:
                compilation.unknown("person", section.person, mark, "people", self._people)
            if (section.announcement or "").endswith(SOUND) and not self.sound(section.announcement or "").is_file():
                where = compilation.mark("targets", name, "announcement")
                compilation.error(where, f"there is no file {section.announcement}", "put it beside this one")
            for trunk in section.trunks:
                self._check_trunk(trunk, mark)

    def __contains__(self, name: str) -> bool:
        return name in self._targets or name in self._people or name in self._queues or name in self._menus

    def phone(self, person: str) -> RingPerson:
        """Return the target that rings a person's devices."""
        return self._people[person]

    def find(self, name: str, mark: Mark, *, person: str = "", extension: str = "") -> Target | None:
        """Return what `name` stands for: a target, a person's id or a number with "+".

        Args:
            name: as written at `mark`.
            person, extension: whom the call was for, to fill in an address.

        Returns:
            The target; None, with a finding, when there is no such thing.
        """
        section = self._targets.get(name)
        if name in self._queues:
            return self._queues[name]
        if name in self._menus:
            return self._menus[name]
        if section is None:
            if name in self._people:
                return self._people[name]
            if _NUMBER.fullmatch(name):
                return DialNumber(name)
            kind, colon, rest = name.partition(":")
            if not (
                self._compilation.gaps.excuse(name, "targets", "people")
                or (colon and self._compilation.gaps.excuse(rest, f"{kind}s"))
            ):
                known = [*self._targets, *self._queues, *self._menus, *self._people]
                self._compilation.error(
                    mark,
                    f"{name!r} is neither a target nor a person",
                    closest(name, known) or f"add it below targets: {name}",
                )
            return None
        if section.number is not None:
            return DialNumber(section.number, tuple(section.trunks))
        if section.person is not None:
            return self._people.get(section.person)
        if section.mailbox is not None:
            # A call that was for nobody in particular leaves its message where those of the main number are.
            owner = person or self._compilation.document.company.main_number[1:]
            return LeaveMessage(section.mailbox.replace(OWN_MAILBOX, owner), name)
        if section.announcement is not None:
            written = section.announcement
            sound = str(self.sound(written)) if written.endswith(SOUND) else written
            return PlayAnnouncement(sound, name)
        if section.sip is None:
            return None  # reported when the book was made
        return DialAddress(filled(section.sip, extension, person), name)

    def template(self, name: str, mark: Mark) -> Target | None:
        """Return what `name` stands for, as `find` does, its address not yet filled in."""
        section = self._targets.get(name)
        if section is not None and section.sip is not None:
            return DialAddress(section.sip, name)
        if section is not None and section.mailbox is not None:
            return LeaveMessage(section.mailbox, name)
        return self.find(name, mark)

    def templates(self) -> dict[str, Target]:
        """Return all targets by name, addresses not filled in; those that are faulty are left out."""
        found = {name: self.template(name, self._compilation.mark("targets", name)) for name in self._targets}
        return {**{name: target for name, target in found.items() if target is not None}, **self._queues, **self._menus}

    def leads_to(self, name: str, person: str) -> bool:
        """Say whether `name` is a person, or a target that stands for them."""
        section = self._targets.get(name)
        return (name if section is None else section.person) == person

    def sound(self, written: str) -> Path:
        """Return where a file of the configuration lies."""
        return self._compilation.sources.directory.absolute() / written

    def _check_trunk(self, trunk: str, mark: Mark) -> None:
        trunks = self._compilation.document.trunks
        if trunk not in trunks:
            self._compilation.unknown("trunk", trunk, mark, "trunks", trunks)
