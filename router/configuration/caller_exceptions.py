"""Compiles callers who are treated in their own way (S8): the company's, and those of one person."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from router.configuration.compilation import Compilation
from router.configuration.gaps import Location
from router.configuration.peers import end_of_exception
from router.configuration.schema import CallerExceptionSection, PersonSection
from router.configuration.targets import TargetBook
from router.model.decision import Reason, Target
from router.policy.caller_exceptions import CallerException, CallerExceptions
from router.policy.snapshot import frozen_mapping

_CALLER = re.compile(r"\+[1-9]\d{6,14}|\+[1-9]\d{0,14}\*")
_HOW_TO_WRITE = 'write "+32475111222", or "+3247*" for all that begin so'
_ROLE = "role:"


class CallerExceptionBook:
    """The exceptions of a company; equal ones are shared by the people for whom they hold."""

    def __init__(self, compilation: Compilation, targets: TargetBook) -> None:
        self._compilation = compilation
        self._targets = targets
        self._company = compilation.document.callers
        self._shared: dict[tuple[str, ...], CallerExceptions] = {}
        self._roles_of = {name: frozenset(self._lineage(name)) for name in compilation.document.roles}
        for name, section in self._company.items():
            self._check(section, ("callers", name))
            self._check_people(section, ("callers", name))

    def of(self, person: str, section: PersonSection) -> tuple[CallerExceptions, ...]:
        """Return the exceptions that hold for a person: their own, then the company's."""
        found = []
        if section.exceptions:
            own = []
            for index, exception in enumerate(section.exceptions):
                location: Location = ("people", person, "exceptions", index)
                self._check(exception, location)
                if exception.people:
                    mark = self._compilation.mark(*location, "people")
                    self._compilation.error(mark, f"this holds for {person} only", "take people: away", "S8")
                if exception.then is not None and self._targets.leads_to(exception.then, person):
                    mark = self._compilation.mark(*location, "then")
                    self._compilation.error(mark, "this is the person themselves", "write rings_through:", "S8")
                own.append(("", exception, location))
            found.append(self._compile(own, person, section))
        names = [name for name, exception in self._company.items() if self._holds(exception, person, section)]
        if names:
            personal = any(self._targets.is_personal(self._company[name].then or "") for name in names)
            key = (person if personal else "", *names)
            if key not in self._shared:
                listed = [(name, self._company[name], ("callers", name)) for name in names]
                self._shared[key] = self._compile(listed, person, section)
            found.append(self._shared[key])
        return tuple(found)

    def _holds(self, exception: CallerExceptionSection, person: str, section: PersonSection) -> bool:
        if exception.then is not None and self._targets.leads_to(exception.then, person):
            return False  # whoever a caller is put through to answers them as anybody else
        if not exception.people:
            return True
        roles = self._roles_of.get(section.role, frozenset())
        return person in exception.people or any(_ROLE + role in exception.people for role in roles)

    def _compile(
        self, listed: Sequence[tuple[str, CallerExceptionSection, Location]], person: str, section: PersonSection
    ) -> CallerExceptions:
        numbers: dict[str, tuple[CallerException, ...]] = {}
        prefixes: dict[str, tuple[CallerException, ...]] = {}
        for name, exception, location in listed:
            target = None
            if exception.then is not None:
                mark = self._compilation.mark(*location, "then")
                target = self._targets.find(exception.then, mark, person=person, extension=section.extension or "")
            for written in exception.numbers:
                compiled = self._exception(name, exception, location, written.replace(" ", ""), target)
                into, key = (prefixes, compiled[0][:-1]) if compiled[0][-1:] == "*" else (numbers, compiled[0])
                into[key] = (*into.get(key, ()), compiled[1])
        lengths = tuple(sorted({len(prefix) for prefix in prefixes}, reverse=True))
        return CallerExceptions(frozen_mapping(numbers), frozen_mapping(prefixes), lengths)

    def _exception(
        self, name: str, exception: CallerExceptionSection, location: Location, number: str, target: Target | None
    ) -> tuple[str, CallerException]:
        source = str(self._compilation.mark(*location))
        caller = f"{number} ({name})" if name else number
        does, french = "rings through", "passe toujours"
        if exception.then is not None:
            does = french = f"→ {exception.then}"
        day = f"{exception.until:%d/%m/%Y}"
        text = f"{caller} {does}, approved by {exception.approved_by} until {exception.until}"
        in_french = f"{caller} {french}, autorisé par {exception.approved_by} jusqu'au {day}"
        over = f"the exception for {caller} ended on {exception.until}"
        over_in_french = f"l'exception pour {caller} a pris fin le {day}"
        return number, CallerException(
            frozenset(exception.rings_through),
            target,
            end_of_exception(exception.until, self._compilation.zone),
            Reason(exception.clause, text, source, in_french, "exception"),
            Reason(exception.clause, over, source, over_in_french, "exception"),
        )

    def _check(self, exception: CallerExceptionSection, location: Location) -> None:
        compilation = self._compilation
        if compilation.gaps.covers(*location):
            return
        for index, written in enumerate(exception.numbers):
            if _CALLER.fullmatch(written.replace(" ", "")) is None and not compilation.gaps.excuse(written):
                mark = compilation.mark(*location, "numbers", index)
                compilation.error(mark, f"{written!r} is no caller", _HOW_TO_WRITE, "S8")
        gap = any(compilation.gaps.covers(*location, key) for key in ("then", "rings_through", "numbers"))
        if bool(exception.rings_through) == (exception.then is not None) and not gap:
            mark = compilation.mark(*location)
            message = "an exception lets a caller ring through, or sends them elsewhere"
            compilation.error(mark, message, "write one of: rings_through, then", "S8")
        if exception.then is not None:
            self._targets.find(exception.then, compilation.mark(*location, "then"))

    def _check_people(self, exception: CallerExceptionSection, location: Location) -> None:
        document = self._compilation.document
        for index, name in enumerate(exception.people):
            mark = self._compilation.mark(*location, "people", index)
            if name.startswith(_ROLE):
                if name.removeprefix(_ROLE) not in document.roles:
                    self._compilation.unknown("role", name.removeprefix(_ROLE), mark, "roles", document.roles, "S8")
            elif name not in document.people:
                self._compilation.unknown("person", name, mark, "people", document.people, "S8")

    def _lineage(self, role: str) -> Iterator[str]:
        """Yield a role and those that it inherits from."""
        seen: set[str] = set()
        current: str | None = role
        while current is not None and current not in seen:
            seen.add(current)
            yield current
            section = self._compilation.document.roles.get(current)
            current = section.based_on if section is not None else None
