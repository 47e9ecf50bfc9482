"""The chain of rules that decides a call.

    emergency → (identity is in the facts) → what was dialled → greylist → outside
              → hours → profile → line state → ring → no answer → last resort

Each rule answers a `Decision`, or None for "next". The last one always decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from router.model.decision import Action, Decision, DialNumber, Facts, Origin, Reason
from router.policy.identity import outside_identity
from router.policy.question import Question, refuse
from router.policy.reach import reach
from router.policy.snapshot import Policy

_TO_A_NUMBER: Final = Reason("", "a public number outside the company → trunk")
_AS_DIALLED: Final = Reason("", "a short number of the country → trunk, as dialled")
_NO_TRANSIT: Final = Reason("", "a call from outside reaches only the company's own numbers")
_NOT_A_NUMBER: Final = Reason("", "neither an extension nor a telephone number")

Rule = Callable[[Question], Decision | None]


def decide(facts: Facts, policy: Policy, now: float) -> Decision:
    """Decide what happens to a call.

    Args:
        facts: the call. After each attempt that nobody answered, ask again with one more
            `Attempt(str(decision.target), outcome)`: the id of the person, the name of an address or the number.
        policy: the snapshot that the call began with.
        now: POSIX seconds, on the policy's clock.

    Returns:
        The decision. The same arguments always give the same one. A caller from outside is refused (404) only when the
        dialled number is not the company's, or (480) when every target was tried and failed.
    """
    question = Question(facts, policy, now)
    for rule in CHAIN:
        decision = rule(question)
        if decision is not None:
            return decision
    raise AssertionError("the last rule of the chain did not decide")


def emergency_call(question: Question) -> Decision | None:
    """An emergency number goes out before everything else, unmodified, with the caller's own number.

    This comes before the question who may call where, so it holds for every origin.
    """
    reason = question.policy.emergency.get(question.facts.dialled)
    if reason is None:
        return None
    identity = (
        question.caller.person.emergency
        if question.caller
        else outside_identity(question.facts, question.policy, question.caller)
    )
    return Decision(
        Action.EMERGENCY,
        DialNumber(question.facts.dialled),
        (reason, *identity.because),
        shown_number=identity.number,
        shown_name=identity.name,
        person=question.caller.person.id if question.caller else None,
    )


def read_dialled(question: Question) -> Decision | None:
    """Find out what was dialled: an extension, a number of the company, or (from inside) a number outside."""
    facts, policy = question.facts, question.policy
    dialled = facts.dialled
    from_outside = facts.origin is Origin.TRUNK
    if not from_outside:
        question.called = policy.extensions.get(dialled)
        if question.called is not None:
            return None
    question.called = policy.numbers.get(dialled)
    if question.called is not None:
        return None
    number = policy.plan.normalise(dialled)
    if number is not None:
        question.called = policy.numbers.get(number)
        if question.called is None and policy.owned.owns(number):
            question.called = policy.unassigned
        if question.called is not None:
            return None
    if from_outside:
        return refuse(question, 404, "Not Found", _NO_TRANSIT)
    if number is None and dialled not in policy.short_numbers:
        return refuse(question, 404, "Not Found", _NOT_A_NUMBER)
    question.outside = number or dialled
    question.because.append(_TO_A_NUMBER if number else _AS_DIALLED)
    return None


def greylisted(question: Question) -> Decision | None:
    """A destination on the greylist is refused (X2), unless an exception allows it (S8)."""
    if not question.outside:
        return None
    found = question.policy.greylist.find(question.outside, question.now)
    if isinstance(found, Reason):
        return refuse(question, 403, "Forbidden", found)
    if found is not None:
        question.because.append(found.reason)
    return None


def outside(question: Question) -> Decision | None:
    """A number outside the company goes out by a trunk, with a number that the company owns."""
    if not question.outside:
        return None
    identity = outside_identity(question.facts, question.policy, question.caller)
    return Decision(
        Action.DIAL,
        DialNumber(question.outside),
        (*question.because, *identity.because),
        shown_number=identity.number,
        shown_name=identity.name,
        rejected=identity.rejected,
        person=question.caller.person.id if question.caller else None,
        withhold=question.facts.withhold,
    )


CHAIN: tuple[Rule, ...] = (emergency_call, read_dialled, greylisted, outside, reach)
