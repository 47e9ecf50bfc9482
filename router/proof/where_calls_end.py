"""Judges where calls to the company end (S3, S5, S6): with somebody or something that answers, at that time."""

from __future__ import annotations

from typing import Final

from router.configuration.findings import Finding, Severity
from router.model.decision import (
    Action,
    DialNumber,
    LineState,
    Origin,
    PlayMenu,
    Reason,
    RingPerson,
    SelectedBy,
    Target,
    Weighed,
)
from router.policy.snapshot import SCHEDULE, Person, SharedLine
from router.proof.examination import Examination
from router.proof.walk import Case
from router.proof.written import blocked_number, stand_in_problem

# Rules that may lead to somebody who is absent: there is nobody else, or the caller wanted them.
_LEFT_OPEN: Final = frozenset({"departed", "menu", "last_resort"})


class Judge:
    """Judges cases of calls to the company."""

    def __init__(self, examination: Examination) -> None:
        self._examination = examination
        self._policy = examination.policy
        self._closing = self._targets_that_close()
        self._circles: set[frozenset[str]] = set()
        holders: list[Person | SharedLine] = [
            *self._policy.people.values(),
            *examination.survey.lines.values(),
            *self._policy.queues.values(),
        ]
        treatments = [way for holder in holders for way in examination.survey.rules_for(holder).treatments]
        treatments += [way for menu in self._policy.menus.values() for way in menu.ways.values()]
        self._leads_to = {_key(treatment.reason): treatment.target for treatment in treatments}

    def judge(self, case: Case, holder: Person | SharedLine, others: tuple[str, ...]) -> None:
        """Judge one case of a call to `holder`, who stands for `others` as well."""
        decision = case.decision
        if isinstance(decision.target, PlayMenu):
            self._examination.hears(decision.target.menu, case)
        if decision.action is Action.REFUSE:
            self._refused(case, holder, others)
            return
        tried = {attempt.person for attempt in case.facts.attempts}
        if str(decision.target) in tried:
            self._show(
                case,
                Severity.ERROR,
                "S3",
                f"calls to {holder.name}{and_others(others)} come back to {decision.target}",
                "send one of them elsewhere",
                "",
                holder,
            )
        if isinstance(decision.target, DialNumber):
            self._shown_outside(case, holder)
        self._goes_round(case, holder, others)
        self._blocked(case)
        if not tried and self._deliberate(case):
            self._forgotten(case, holder)
        elif not tried:
            self._closed_target(case, holder)
            self._absent_stand_in(case, holder, others)
            self._missing_stand_in(case)

    def entangled(self, holder: Person | SharedLine) -> None:
        """Say that not every case could be walked."""
        message = f"forwards of calls to {holder.name} are too entangled to be proved to their ends"
        location = _location(holder, self._examination)
        self._examination.found.append(
            self._examination.warning(message, "let fewer people forward to one another", "S3", *location)
        )

    def _refused(self, case: Case, holder: Person | SharedLine, others: tuple[str, ...]) -> None:
        if case.call.origin is not Origin.TRUNK or case.decision.because[-1].rule == "greylist":
            return
        if any(attempt.person not in self._policy.people for attempt in case.facts.attempts):
            return  # something that answers was tried: that it failed is no fault of the policy
        message = f"a caller of {holder.name}{and_others(others)} reaches nobody: no mailbox and no reception is left"
        self._show(case, Severity.ERROR, "S3", message, "add voicemail: or reception: below targets", "", holder)

    def _shown_outside(self, case: Case, holder: Person | SharedLine) -> None:
        shown = case.decision.shown_number
        if shown is not None and not self._policy.owned.may_show(shown):
            message = f"a call forwarded by {holder.name} leaves with {shown}, which is not a verified number of ours"
            self._show(case, Severity.ERROR, "S4", message, "list it as verified in numbers:", "", holder)

    def _goes_round(self, case: Case, holder: Person | SharedLine, others: tuple[str, ...]) -> None:
        """A last resort had to be taken because a rule leads back to somebody whose rules were asked already."""
        decision = case.decision
        if not any(reason.rule == "last_resort" for reason in decision.because):
            return
        asked = [holder.id] if isinstance(holder, Person) else []
        asked += [attempt.person for attempt in case.facts.attempts]
        asked += [weighed.person for weighed in decision.weighed]
        for reason in decision.rejected:
            target = self._leads_to.get(_key(reason))
            if not isinstance(target, RingPerson) or target.person not in asked or reason.rule == "line":
                continue
            circle = [person for person in dict.fromkeys(asked) if person in self._policy.people]
            circle = circle[circle.index(target.person) :]
            if frozenset(circle) not in self._circles:
                self._circles.add(frozenset(circle))
                message = f"calls go round: {' → '.join([*circle, target.person])}{_alike(others)}"
                suggestion = "write voicemail for one of them: that is where such calls end"
                self._show(case, Severity.WARNING, "S3", message, suggestion, reason.source, holder)

    def _closed_target(self, case: Case, holder: Person | SharedLine) -> None:
        """A rule sends calls to a target at a time when the number that the target answers is closed."""
        reason = self._to_closed(case, holder)
        if reason is not None:
            target = str(case.decision.target)
            hours = ", ".join(str(window) for window in self._closing[target][0].hours)
            whom = _whom(reason, holder)
            message = f"{target} is open {hours}, but calls to {whom} are sent there at other times: nobody answers"
            suggestion = "send them elsewhere, or let the profile end (ends_after) or phones ring within hours only"
            self._show(case, Severity.ERROR, reason.clause, message, suggestion, reason.source, holder)

    def _forgotten(self, case: Case, holder: Person | SharedLine) -> None:
        """A selection that nobody took back holds against the schedule, and sends calls to what is closed."""
        reason = self._to_closed(case, holder)
        if reason is None or case.unusual != 1:
            return  # something else has to happen as well
        [(who, choice)] = case.choices.items()
        if choice.by is not SelectedBy.PERSON or choice.lasts is not None or choice.forward:
            return
        message = (
            f"“{choice.profile}” that {_whom(reason, self._policy.people[who])} forgot to take back sends calls to "
            f"{case.decision.target} when it is closed"
        )
        suggestion = "give the profile ends_after:, or the role rings_within:"
        self._show(case, Severity.WARNING, "S6", message, suggestion, reason.source, holder)

    def _to_closed(self, case: Case, holder: Person | SharedLine) -> Reason | None:
        """Return the rule that sends a call to a target all of whose numbers are closed, if this one was."""
        lines = self._closing.get(str(case.decision.target))
        if lines is None or holder in lines or any(_open(line, case) for line in lines):
            return None
        reason = self._reason_for(case, case.decision.target)
        return None if reason is None or reason.rule == "last_resort" else reason

    def _absent_stand_in(self, case: Case, holder: Person | SharedLine, others: tuple[str, ...]) -> None:
        """A rule sends calls to somebody who is absent at that time, by their own schedule."""
        own = holder.id if isinstance(holder, Person) else None
        for weighed in case.decision.weighed:
            if weighed.person == own or not self._absent(case, weighed):
                continue
            person = self._policy.people[weighed.person]
            reason = self._reason_for(case, RingPerson(person.id, ()))
            if reason is None or reason.rule in _LEFT_OPEN or holder is self._policy.unassigned:
                continue  # numbers that nobody has go where the main number goes
            message = f"calls to {holder.name}{and_others(others)} go to {person.name} when they are absent"
            suggestion = "give it hours and closed:, or name somebody else"
            self._show(case, Severity.WARNING, "S3", message, suggestion, reason.source, holder)

    def _missing_stand_in(self, case: Case) -> None:
        """A rule sends calls to somebody who has left or has no phone, whose own rules send it on once more."""
        for reason in case.decision.because:
            target = self._leads_to.get(_key(reason))
            if isinstance(target, RingPerson) and reason.rule not in ("departed", "last_resort"):
                person = self._policy.people[target.person]
                finding = stand_in_problem(self._examination, person, case.at, reason.source)
                if finding is not None:
                    self._examination.shows(finding, case)

    def _blocked(self, case: Case) -> None:
        """A rule would send calls to a number that must not be called (X2), so that another one had to be followed."""
        for reason in case.decision.rejected:
            target = self._leads_to.get(_key(reason))
            if isinstance(target, DialNumber):
                finding = blocked_number(self._examination, target.number, reason.source, case.at)
                if finding is not None:
                    self._examination.shows(finding, case)

    def _absent(self, case: Case, weighed: Weighed) -> bool:
        if weighed.person in case.choices or weighed.line is not LineState.IDLE:
            return False
        if case.decision.action in (Action.RING, Action.FORWARD) and str(case.decision.target) == weighed.person:
            return False
        person = self._policy.people[weighed.person]
        silent = person.silence is not None and not any(w.covers(case.local) for w in person.rings_within)
        return weighed.by == SCHEDULE or silent

    def _deliberate(self, case: Case) -> bool:
        """Say whether an administrator, or a choice against the schedule, made the call go where it goes."""
        for person, choice in case.choices.items():
            if choice.by is SelectedBy.ADMINISTRATOR or choice.forward:
                return True
            if self._policy.people[person].profile_at(case.local) is not None:
                return True
        return False

    def _reason_for(self, case: Case, target: Target | None) -> Reason | None:
        """Return the reason of the rule that led to `target`, the last such one."""
        for reason in reversed(case.decision.because):
            found = self._leads_to.get(_key(reason))
            if found is not None and str(found) == str(target):
                return reason
        return None

    def _targets_that_close(self) -> dict[str, list[SharedLine]]:
        """Return the shared numbers by the target that answers them, where all of these close."""
        lines: dict[str, list[SharedLine]] = {}
        for line in self._examination.survey.lines.values():
            if line.number and not isinstance(line.open.target, RingPerson):
                lines.setdefault(str(line.open.target), []).append(line)
        return {
            target: those
            for target, those in lines.items()
            if all(line.closed is not None and str(line.closed.target) != target for line in those)
        }

    def _show(
        self,
        case: Case,
        severity: Severity,
        clause: str,
        message: str,
        suggestion: str,
        source: str,
        holder: Person | SharedLine,
    ) -> None:
        mark = self._examination.place(source, *_location(holder, self._examination))
        self._examination.shows(Finding(mark, message, suggestion, severity, clause), case)


def _key(reason: Reason) -> tuple[str, str]:
    """Return what tells the reasons of a policy apart."""
    return reason.source, reason.text


def _open(line: SharedLine, case: Case) -> bool:
    return any(window.covers(case.local) for window in line.hours)


def _whom(reason: Reason, holder: Person | SharedLine) -> str:
    """Name those for whom a rule is written."""
    return (
        f"people of the role {holder.role}" if isinstance(holder, Person) and "(role " in reason.source else holder.name
    )


def and_others(others: tuple[str, ...]) -> str:
    """Write that what is said of somebody holds for others, too."""
    if not others:
        return ""
    return f" and {others[0]}" if len(others) == 1 else f" and {len(others)} others"


def _alike(others: tuple[str, ...]) -> str:
    return f"; the same for {len(others)} others" if others else ""


def _location(holder: Person | SharedLine, examination: Examination) -> tuple[str | int, ...]:
    if isinstance(holder, Person):
        return "people", holder.id
    if holder.queue:
        return "queues", holder.queue.removeprefix("queue:")
    for name, site in examination.document.sites.items():
        if site.main_number == holder.number:
            return "sites", name
    for name, team in examination.document.teams.items():
        if team.number == holder.number:
            return "teams", name
    return "company", "main_line"
