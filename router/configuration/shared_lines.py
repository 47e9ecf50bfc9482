"""Compiles numbers that belong to no person: the main number, sites, teams, owned numbers that nobody has (F5, S5)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, NamedTuple

from router.configuration.compilation import Compilation
from router.configuration.findings import Mark
from router.configuration.gaps import UNKNOWN
from router.configuration.schema import Site, Team
from router.configuration.targets import TargetBook
from router.model.decision import Reason
from router.policy.schedule import Window
from router.policy.snapshot import SharedLine, ShownIdentity, Treatment


class _Why(NamedTuple):
    """Why a line sends calls somewhere, and the RFC 5806 reason of the diversion."""

    clause: str
    text: str
    french: str
    rule: str
    diversion: str

    def reason(self, then: str, source: str) -> Reason:
        """Return the reason of a decision that sends a call to `then`, as it is written at `source`."""
        return Reason(self.clause, f"{self.text} → {then}", source, f"{self.french} → {then}", self.rule)


_UNASSIGNED: Final = _Why(
    "S5",
    "an owned number that nobody has",
    "un numéro de l'entreprise que personne n'a",
    "dialled",
    "unconditional",
)
_LAST_RESORT: Final = _Why(
    "S3", "what should answer cannot", "ce qui devrait répondre ne le peut pas", "last_resort", "unavailable"
)


class SharedLines:
    """Compiles the lines; what is wrong with them is a finding."""

    def __init__(self, compilation: Compilation, targets: TargetBook, hours: Mapping[str, tuple[Window, ...]]) -> None:
        self._compilation = compilation
        self._targets = targets
        self._hours = hours

    def main(self) -> SharedLine | None:
        """Return the line of the company's main number."""
        company = self._compilation.document.company
        section = company.main_line
        location = ("company", "main_line")
        return self._line(company.main_number, company.name, self._then(), section.hours, section.closed, location)

    def unassigned(self, main: SharedLine) -> SharedLine:
        """Return the line that stands for all owned numbers that nobody has: they are answered as the main number is,
        in its hours (S5). Its own number is ""."""
        then, closed = self._then(), self._compilation.document.company.main_line.closed or ""
        why_closed = _UNASSIGNED._replace(
            text=f"{_UNASSIGNED.text}, and {main.name} is closed",
            french=f"{_UNASSIGNED.french}, et {main.name} est fermé",
            rule="hours",
            diversion="time-of-day",
        )
        return replace(
            main,
            number="",
            name=_UNASSIGNED.text,
            open=_for_another_reason(main.open, _UNASSIGNED, then),
            closed=main.closed and _for_another_reason(main.closed, why_closed, closed),
        )

    def shared(self) -> list[SharedLine | None]:
        """Return the line of each site and team, None for one that cannot be compiled."""
        compilation, document = self._compilation, self._compilation.document
        lines = []
        seen: dict[str, str] = {document.company.main_number: "the main number"}
        places: list[tuple[str, str, str, Site | Team]] = [
            *(("sites", "main_number", name, site) for name, site in document.sites.items()),
            *(("teams", "number", name, team) for name, team in document.teams.items()),
        ]
        for section, key, name, place in places:
            number: str = getattr(place, key)
            mark = compilation.mark(section, name, key)
            if not compilation.gaps.covers(section, name, key):
                if not compilation.may_show(number):
                    message = f"{number} is not a verified number of the company"
                    compilation.error(mark, message, "list it below numbers:", "R5" if section == "teams" else "S2")
                if number in seen:
                    what = section.removesuffix("s")
                    compilation.error(mark, f"{number} is already {seen[number]}", f"give the {what} its own")
                seen[number] = f"the number of {name}"
            line = self._line(number, place.name, place.then, place.hours, place.closed, (section, name))
            lines.append(line and replace(line, language=place.language or ""))
        return lines

    def _then(self) -> str:
        known = not self._compilation.gaps.covers("company", "main_line", "then")
        return self._compilation.document.company.main_line.then if known else UNKNOWN

    def _line(
        self, number: str, name: str, then: str, hours: str | None, closed: str | None, location: tuple[str, ...]
    ) -> SharedLine | None:
        mark = self._compilation.mark(*location, "then")
        opened = self._treatment(then, mark, number, _Why("F5", name, name, "dialled", "unconditional"))
        treatment = None
        windows: tuple[Window, ...] = ()
        gaps = self._compilation.gaps
        known = not gaps.covers(*location, "hours") and not gaps.covers(*location, "closed")
        if (hours is None) != (closed is None) and known:
            self._compilation.error(mark, f"{name}: hours and closed belong together", "write both, or neither")
        if hours is not None and closed is not None:
            if hours not in self._hours:
                where = self._compilation.mark(*location, "hours")
                self._compilation.unknown("set of hours", hours, where, "hours", self._hours)
            windows = self._hours.get(hours, ())
            where = self._compilation.mark(*location, "closed")
            why = _Why("Q12", f"{name} is closed", f"{name} est fermé", "hours", "time-of-day")
            treatment = self._treatment(closed, where, number, why)
        if opened is None:
            return None
        return SharedLine(number, name, opened, _identity(number, name), windows, treatment, self.last_resort(number))

    def _treatment(self, then: str, mark: Mark, number: str, why: _Why) -> Treatment | None:
        target = self._targets.find(then, mark, extension=number[1:])
        if target is None:
            return None
        return Treatment(target, why.reason(then, str(mark)), why.diversion)

    def last_resort(self, number: str) -> tuple[Treatment, ...]:
        """Return where calls to a shared number go when what should answer cannot."""
        treatments = []
        for name in ("reception", "voicemail"):
            if name in self._targets:
                treatment = self._treatment(name, self._compilation.mark("targets", name), number, _LAST_RESORT)
                if treatment is not None:
                    treatments.append(treatment)
        return tuple(treatments)


def _for_another_reason(treatment: Treatment, why: _Why, then: str) -> Treatment:
    return Treatment(treatment.target, why.reason(then, treatment.reason.source), why.diversion)


def _identity(number: str, name: str) -> ShownIdentity:
    text = f"a forwarded call shows the number that was called: {number}"
    french = f"un appel renvoyé affiche le numéro qui a été appelé : {number}"
    return ShownIdentity(number, name, (Reason("", text, "", french, "identity"),))
