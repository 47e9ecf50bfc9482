"""Who of a queue's agents may be rung, and where callers go whom a queue did not serve."""

from __future__ import annotations

from collections.abc import Mapping

from router.model.decision import Attempt, Decision, Facts, Origin, Outcome, Selection
from router.policy.question import Question
from router.policy.reach import reach
from router.policy.snapshot import Person, Policy
from router.policy.treatment import treat_person


def may_be_rung(person: Person, selections: Mapping[str, tuple[Selection, ...]], policy: Policy, now: float) -> bool:
    """Say whether an agent's phone rings for a queue, whatever their line does: not in a meeting or while absent
    (M3, M4), not after their hours (S6), not once they have left (S5).

    Args:
        selections: see `Facts.selections`; now: POSIX seconds on the policy's clock.
    """
    facts = Facts(Origin.TRUNK, "", "", selections=selections)
    return not treat_person(Question(facts, policy, now), person)


def after_waiting(facts: Facts, policy: Policy, queue: str, outcome: Outcome, now: float) -> tuple[Decision, Facts]:
    """Decide where a caller goes who leaves a queue (Q2, Q5).

    The queue's own rules are asked, not those of whoever sent the caller there: what was true of them then may not be
    true any more.

    Args:
        facts: with which the call came to the queue.
        queue: its name; outcome: how waiting ended.
        now: POSIX seconds.

    Returns:
        The decision, and the facts that go with it.
    """
    line = policy.queues[queue]
    facts = facts._replace(attempts=(*facts.attempts, Attempt(line.queue, outcome)))
    question = Question(facts._replace(chosen=()), policy, now)  # what was chosen in menus led here, and no further
    question.called = line
    decision = reach(question)
    if decision is None:
        raise AssertionError(f"nothing was decided for a caller of {line.queue}")
    return decision, facts
