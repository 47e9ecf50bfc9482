"""Compiles callers who are treated in their own way (S8): the company's, and those of one person."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from router.configuration.compilation import Compilation
from router.configuration.gaps import Location
from router.configuration.peers import end_of_exception
from router.configuration.schema import CallerExceptionSection, PersonSection
from router.configuration.targets import TargetBook
from router.model.decision import Reason
from router.policy.caller_exceptions import CallerException, CallerExceptions
from router.policy.snapshot import frozen_mapping

_CALLER = re.compile(r"\+[1-9]\d{6,14}|\+[1-9]\d{0,14}\*")
_HOW_TO_WRITE = 'write "+32475111222", or "+3247*" for all that begin so'
_ROLE = "role:"
_EVERYBODY = ""


class CallerExceptionBook:
    """The exceptions of a company; equal ones are shared by the people for whom they hold."""

    def __init__(self, compilation: Compilation, targets: TargetBook) -> None:
        self._compilation = compilation
        self._targets = targets
        self._company = compilation.document.callers
        self._shared: dict[tuple[str, ...], CallerExceptions] = {}
        self._compiled: dict[str, list[tuple[str, CallerException]]] = {}
        for name, section in self._company.items():
            self._check(section, ("callers", name))
            self._check_people(section, ("callers", name))
            self._compiled[name] = self._exceptions(name, section, ("callers", name))
        # Names by whom they hold for: everybody, a role or a person.
        self._by_holder: dict[str, list[str]] = {}
        for name, section in self._company.items():
            for holder in section.people or (_EVERYBODY,):
                self._by_holder.setdefault(holder, []).append(name)

    def of(self, person: str, section: PersonSection) -> tuple[CallerExceptions, ...]:
        """Return the exceptions that hold for a person: their own, then the company's."""
        found = []
        if section.exceptions:
            own = []
            for index, exception in enumerate(section.exceptions):
                location: Location = ("people", person, "exceptions", index)
                self._check(exception, location)
                self._check_own(exception, person, location)
                own.extend(self._exceptions("", exception, location))
            found.append(_by_number(own))
        names = self._holding(person, section) if self._company else ()
        if names:
            shared = self._shared.get(names)
            if shared is None:
                shared = _by_number([exception for name in names for exception in self._compiled[name]])
                self._shared[names] = shared
            found.append(shared)
        return tuple(found)

    def _holding(self, person: str, section: PersonSection) -> tuple[str, ...]:
        """Return the names of the company's exceptions that hold for a person, in the order of the configuration."""
        holders = (_EVERYBODY, person, *(_ROLE + role for role in self._lineage(section.role)))
        holding = {name for holder in holders for name in self._by_holder.get(holder, ())}
        return tuple(
            name
            for name, exception in self._company.items()
            # Whoever a caller is put through to answers them as anybody else.
            if name in holding and not (exception.then and self._targets.leads_to(exception.then, person))
        )

    def _exceptions(
        self, name: str, exception: CallerExceptionSection, location: Location
    ) -> list[tuple[str, CallerException]]:
        """Return an exception for each of its numbers; those that end in "*" are prefixes."""
        target = None
        if exception.then is not None:
            target = self._targets.template(exception.then, self._compilation.mark(*location, "then"))
        source = str(self._compilation.mark(*location))
        until = end_of_exception(exception.until, self._compilation.zone)
        rings_through = frozenset(exception.rings_through)
        day, by = f"{exception.until:%d/%m/%Y}", exception.approved_by
        does, french = "rings through", "passe toujours"
        if exception.then is not None:
            does = french = f"→ {exception.then}"
        compiled = []
        for written in exception.numbers:
            number = written.replace(" ", "")
            caller = f"{number} ({name})" if name else number
            reason = Reason(
                exception.clause,
                f"{caller} {does}, approved by {by} until {exception.until}",
                source,
                f"{caller} {french}, autorisé par {by} jusqu'au {day}",
                "exception",
            )
            over = Reason(
                exception.clause,
                f"the exception for {caller} ended on {exception.until}",
                source,
                f"l'exception pour {caller} a pris fin le {day}",
                "exception",
            )
            compiled.append((number, CallerException(rings_through, target, until, reason, over)))
        return compiled

    def _check_own(self, exception: CallerExceptionSection, person: str, location: Location) -> None:
        if exception.people:
            mark = self._compilation.mark(*location, "people")
            self._compilation.error(mark, f"this holds for {person} only", "take people: away", "S8")
        if exception.then is not None and self._targets.leads_to(exception.then, person):
            mark = self._compilation.mark(*location, "then")
            self._compilation.error(mark, "this is the person themselves", "write rings_through:", "S8")

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


def _by_number(exceptions: Iterable[tuple[str, CallerException]]) -> CallerExceptions:
    numbers: dict[str, tuple[CallerException, ...]] = {}
    prefixes: dict[str, tuple[CallerException, ...]] = {}
    for number, exception in exceptions:
        into, key = (prefixes, number[:-1]) if number[-1:] == "*" else (numbers, number)
        into[key] = (*into.get(key, ()), exception)
    lengths = tuple(sorted({len(prefix) for prefix in prefixes}, reverse=True))
    return CallerExceptions(frozen_mapping(numbers), frozen_mapping(prefixes), lengths)
