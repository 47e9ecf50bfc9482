"""What a caller chose from what a profile offers (P3): another person, or another target, instead of a message."""

from __future__ import annotations

from router.model.decision import Decision, DialNumber, Diversion, Facts, Reason, RingPerson, Target
from router.policy.question import Question, refuse
from router.policy.reach import forward, reach, rules_behind, usable
from router.policy.snapshot import Person, Policy
from router.policy.treatment import for_person


def put_through(facts: Facts, policy: Policy, offering: Person, name: str, source: str, now: float) -> Decision:
    """Decide where a call goes whose caller chose to be put through.

    Args:
        facts: of the call; what was tried before makes no difference.
        offering: the person whose profile offers it; the call is forwarded by them.
        name: of a target, a person's id or a number with "+", as the profile names it.
        source: where the profile is written.
        now: POSIX seconds.

    Returns:
        The decision; one that refuses where the target must not be called (X2), or is that person's own phone.
    """
    question = Question(facts._replace(attempts=()), policy, now)
    question.called = offering
    target: Target
    if name in policy.people:
        target = RingPerson(name, ())
    else:
        target = for_person(policy.targets.get(name) or DialNumber(name), offering)
    reason = Reason(
        "P3",
        f"the caller chose to be put through → {name}",
        source,
        f"l'appelant a choisi d'être mis en relation → {name}",
        "profile",
    )
    question.because.append(reason)
    holder = rules_behind(question, target)
    if not usable(question, target, holder, {offering.id}):
        blocked = question.rejected.pop() if question.rejected else reason
        return refuse(question, 403, "Forbidden", blocked)
    question.diversions.append(Diversion(offering.diverts_as, "unconditional"))
    if holder is None:
        return forward(question, offering, target)
    question.called = holder
    return reach(question) or refuse(question, 480, "Temporarily Unavailable", reason)
