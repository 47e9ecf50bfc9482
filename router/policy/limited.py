"""Whether a call to the outside keeps within the limits of its destination (REQUIREMENTS X2).

A call counts for the person whose rules send it out: who dials, or who was called and forwards. Emergency calls never
come here.
"""

from __future__ import annotations

from router.model.decision import Decision, Reason
from router.policy.question import Question, owner, refuse


def limited(question: Question) -> Decision | None:
    """A call outside is refused when a limit is used up."""
    if not question.outside or not question.policy.limits.lengths:
        return None
    reason = over_limit(question, question.outside)
    return None if reason is None else refuse(question, 403, "Forbidden", reason)


def over_limit(question: Question, number: str) -> Reason | None:
    """Return why no more calls may be made to `number` (E.164 with "+") now, or None when one more may."""
    groups = question.policy.limits.of_number(number)
    if groups:
        person = owner(question)
        for group in groups:
            usage = question.facts.usage.get(group.usage_key(person))
            if usage is not None:
                reason = group.exceeded(usage, question.now, question.local_time())
                if reason is not None:
                    return reason
    return None


def limited_groups(question: Question, number: str) -> tuple[str, ...]:
    """Return the names of the limited groups to which a call to `number` counts, for `Decision.limits`."""
    limits = question.policy.limits
    return tuple([group.name for group in limits.of_number(number)]) if limits.lengths else ()
