"""The profiles that people selected, or that were selected for them (REQUIREMENTS P2), as the policy reads them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from router.model.audit import AuditEntry
from router.model.decision import SelectedBy, Selection
from router.ports import StateJournal, StoreError
from router.sip.errors import LocalError


class States:
    """Selections of all people, at most one by an administrator and one by each person for themselves; a calendar may
    have any number.

    A change holds from the next call on: it is made in memory at once, and handed to the journal, which writes it
    behind the calls. Whoever confirms it to a human waits with `stored` or `when_stored` first.

    What may be selected is not judged here: ask `policy.selecting.problem_with` before.

    Args:
        journal: keeps what changes; None: nothing outlives the process.
    Attributes:
        selections: by person, strongest first: the mapping that `Facts` carries, to be read only. What is over, or has
            not begun, may be in it.
        changed: hears of each person for whom what is selected has changed.
    """

    __slots__ = ("_journal", "changed", "selections")

    def __init__(self, journal: StateJournal | None = None) -> None:
        self.selections: dict[str, tuple[Selection, ...]] = {}
        self.changed: Callable[[str], None] = _nobody_waits
        self._journal = journal

    def of(self, person: str) -> tuple[Selection, ...]:
        """What is selected for a person, strongest first."""
        return self.selections.get(person, ())

    # ----------------------------------------------------------------------------------------------- changing

    def select(self, selection: Selection, now: float) -> None:
        """Select a profile for a person, in place of what the same side selected before.

        Args:
            selection: by an administrator or the person; its `actor` stands in the audit.
            now: POSIX seconds on the policy's clock.

        Raises `LocalError` for one by a calendar, whose selections come all at once (`set_calendar`).
        """
        if selection.by is SelectedBy.CALENDAR:
            raise LocalError("what a calendar selects is set with set_calendar")
        person = selection.person
        before = self._by(person, selection.by)
        self._set(person, [selection, *(other for other in self.of(person) if other.by is not selection.by)])
        entry = AuditEntry(now, selection.actor, "select profile", person, _words(before), _words(selection))
        self._keep(person, entry)

    def take_back(self, person: str, by: SelectedBy, actor: str, now: float) -> bool:
        """Take back what an administrator or the person selected. False: there was nothing to take back."""
        before = self._by(person, by)
        if before is None:
            return False
        self._set(person, [other for other in self.of(person) if other is not before])
        self._keep(person, AuditEntry(now, actor, "take selection back", person, _words(before)))
        return True

    def set_calendar(self, person: str, selections: Sequence[Selection]) -> None:
        """Make `selections` all that a person's calendar says. They are not stored: the feed keeps a copy."""
        others = [other for other in self.of(person) if other.by is not SelectedBy.CALENDAR]
        self._set(person, [*others, *selections])

    def restore(self, selections: Iterable[Selection], now: float) -> None:
        """Take up what was stored before a restart, without what is over."""
        for selection in selections:
            if selection.until is None or selection.until > now:
                self._set(selection.person, [selection, *self.of(selection.person)])

    def prune(self, now: float) -> None:
        """Forget what is over. The policy itself goes by `Selection.until`; this only keeps the mapping small."""
        for person, selections in list(self.selections.items()):
            left = [selection for selection in selections if selection.until is None or selection.until > now]
            if len(left) < len(selections):
                self._set(person, left)

    # ------------------------------------------------------------------------------------------------ storing

    def stored(self) -> Awaitable[None]:
        """Wait until every change made so far would survive a power cut.

        Raises `StoreError` when the store refuses it: the change is in force all the same, and written as soon as that
        is possible again, but a restart before would lose it.
        """
        return _nothing() if self._journal is None else self._journal.written()

    def when_stored(self, told: Callable[[StoreError | None], None]) -> None:
        """As `stored`, for those who cannot wait: `told` is called once, perhaps at once, with what went wrong."""
        if self._journal is None:
            told(None)
        else:
            self._journal.when_written(told)

    # ------------------------------------------------------------------------------------------------- inside

    def _by(self, person: str, by: SelectedBy) -> Selection | None:
        for selection in self.of(person):
            if selection.by is by:
                return selection
        return None

    def _set(self, person: str, selections: list[Selection]) -> None:
        if selections:
            selections.sort(key=_strength)
            self.selections[person] = tuple(selections)
        else:
            self.selections.pop(person, None)
        self.changed(person)

    def _keep(self, person: str, entry: AuditEntry) -> None:
        if self._journal is not None:
            kept = [selection for selection in self.of(person) if selection.by is not SelectedBy.CALENDAR]
            self._journal.change(person, kept, entry)


def _nobody_waits(_person: str) -> None:
    """Nobody waits for anybody."""


async def _nothing() -> None:
    """There is no store to wait for."""


_STRENGTH: Final = {by: place for place, by in enumerate(SelectedBy)}


def _strength(selection: Selection) -> tuple[int, float]:
    return _STRENGTH[selection.by], selection.since


def _words(selection: Selection | None) -> str:
    """A selection as the audit says it: "meeting until 2026-11-24T14:00:00+00:00, to reception"."""
    if selection is None:
        return ""
    until = "" if selection.until is None else f" until {datetime.fromtimestamp(selection.until, UTC).isoformat()}"
    forward = f", to {selection.forward}" if selection.forward else ""
    return f"{selection.profile}{until}{forward}"
