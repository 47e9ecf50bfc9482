"""One call being decided: what is known, and what was weighed so far."""

from __future__ import annotations

from router.model.decision import Action, Decision, Diversion, Facts, Outcome, Reason, Weighed
from router.policy.identity import known_caller
from router.policy.schedule import LocalTime, local_time
from router.policy.snapshot import PerCallCode, Person, Policy, SharedLine


class Question:
    """One call being decided: what is known, and what was weighed so far."""

    __slots__ = (
        "because",
        "called",
        "caller",
        "choices",
        "code",
        "diversions",
        "facts",
        "now",
        "outcomes",
        "outside",
        "policy",
        "profile",
        "rejected",
        "time",
        "weighed",
    )

    def __init__(self, facts: Facts, policy: Policy, now: float) -> None:
        self.facts = facts
        self.policy = policy
        self.now = now
        self.time: LocalTime | None = None
        self.caller = known_caller(facts, policy)
        self.outcomes: dict[str, Outcome] = {attempt.person: attempt.outcome for attempt in facts.attempts}
        self.called: Person | SharedLine | None = None
        self.outside = ""  # number outside the company that was dialled
        self.code: PerCallCode | None = None  # dialled before the number, and no longer part of `facts.dialled`
        self.profile: str | None = None
        self.because: list[Reason] = []
        self.rejected: list[Reason] = []
        self.diversions: list[Diversion] = []
        self.weighed: list[Weighed] = []
        self.choices = 0  # of the caller in menus (`facts.chosen`) that were followed so far

    def local_time(self) -> LocalTime:
        """Wall-clock time of the decision."""
        if self.time is None:
            self.time = local_time(self.now, self.policy.zone)
        return self.time

    def dialled_number(self) -> str:
        """The dialled number in E.164 with "+", or what was dialled where that is none."""
        return self.policy.plan.normalise(self.facts.dialled) or self.facts.dialled

    def caller_number(self) -> str | None:
        """Number of the caller in E.164 with "+": a colleague's direct number; None where there is none."""
        if self.caller is not None:
            number: str | None = self.caller.person.diverts_as
        else:
            number = self.policy.plan.normalise(self.facts.caller_number) if self.facts.caller_number else None
        return number if number and number[0] == "+" else None


def refuse(question: Question, status: int, phrase: str, reason: Reason) -> Decision:
    return Decision(
        Action.REFUSE,
        None,
        (*question.because, reason),
        rejected=tuple(question.rejected),
        diversions=tuple(question.diversions),
        status=status,
        phrase=phrase,
        person=owner(question),
        profile=question.profile,
        weighed=tuple(question.weighed),
    )


def owner(question: Question) -> str | None:
    if isinstance(question.called, Person):
        return question.called.id
    if question.called is None and question.caller is not None:
        return question.caller.person.id  # an outgoing call: the caller's rules decided
    return None
