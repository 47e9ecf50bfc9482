"""When somebody's phones ring who did nothing about it: at some time, and in opening hours (S3, S6)."""

from __future__ import annotations

from router.configuration.findings import Finding, Severity
from router.model.decision import Action
from router.policy.schedule import LocalTime, Window
from router.policy.snapshot import Person, SharedLine
from router.proof.examination import Examination
from router.proof.moments import Moments
from router.proof.walk import Case


class Ringing:
    """Takes note of when the phones of a person ring as scheduled, and judges it in the end."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._rings: set[LocalTime] = set()
        self._silent: list[tuple[Case, frozenset[LocalTime]]] = []

    def note(self, case: Case, moments: Moments) -> None:
        """Take note of a case of an ordinary call to this person."""
        if case.unusual:
            return
        times = frozenset(moments.local[index] for index in case.moments)
        if case.decision.action is Action.RING:
            self._rings |= times
        else:
            self._silent.append((case, times))

    def judge(self, examination: Examination, whom: str) -> None:
        """Find fault with phones that never ring, or outside opening hours only.

        Args:
            examination: takes the finding.
            whom: the person, in words, and those whose rules are alike.
        """
        person, hours = self._person, _opening_hours(examination)
        gone = person.left_at is not None and person.left_at <= examination.now
        if person.phone is None or gone or not self._silent:
            return
        if not self._rings:
            message = f"the phones of {whom} never ring: {person.role} leaves no time for it"
            self._show(examination, message, "leave the working hours out of the schedule", self._silent[0][0])
        elif hours and not any(_open(hours, time) for time in self._rings):
            message = f"the phones of {whom} ring only outside the hours of the main number"
            for case, times in self._silent:
                if any(_open(hours, time) for time in times):
                    self._show(examination, message, "look at the times of the schedule", case)

    def _show(self, examination: Examination, message: str, suggestion: str, case: Case) -> None:
        person = self._person
        reason = person.schedule[0].reason if person.schedule else person.silence
        mark = examination.place(reason.source if reason is not None else "", "people", person.id)
        examination.shows(Finding(mark, message, suggestion, Severity.WARNING, "S6"), case)


def _opening_hours(examination: Examination) -> tuple[Window, ...]:
    main = examination.policy.numbers.get(examination.document.company.main_number)
    return main.hours if isinstance(main, SharedLine) else ()


def _open(hours: tuple[Window, ...], time: LocalTime) -> bool:
    return any(window.covers(time) for window in hours)
