"""The chain of rules that decides a call.

    emergency → codes → (identity is in the facts) → what was dialled → greylist → limits → outside
              → hours → profile → line state → ring → no answer → last resort

Each rule answers a `Decision`, or None for "next". The last one always decides.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from router.model.decision import Action, Decision, DialNumber, Facts, LineState, Origin, Reason
from router.policy.codes import CODE_STARTS, feature_code, per_call_code
from router.policy.identity import outside_identity
from router.policy.limited import limited, limited_groups
from router.policy.profile import profile_in_force, weigh
from router.policy.question import Question, refuse
from router.policy.reach import reach
from router.policy.snapshot import KnownCaller, PerCallCode, Policy, ShownIdentity

_TO_A_NUMBER: Final = Reason(
    "",
    "a public number outside the company → trunk",
    "",
    "un numéro public hors de l'entreprise → opérateur",
    "dialled",
)
_AS_DIALLED: Final = Reason(
    "",
    "a short number of the country → trunk, as dialled",
    "",
    "un numéro court du pays → opérateur, tel que composé",
    "dialled",
)
_NO_TRANSIT: Final = Reason(
    "",
    "a call from outside reaches only the company's own numbers",
    "",
    "un appel de l'extérieur n'atteint que les numéros de l'entreprise",
    "dialled",
)
_NOT_A_NUMBER: Final = Reason(
    "",
    "neither an extension nor a telephone number",
    "",
    "ni un numéro interne, ni un numéro de téléphone",
    "dialled",
)
_NOT_A_CODE: Final = Reason(
    "",
    "neither a code nor an extension nor a telephone number",
    "",
    "ni un code, ni un numéro interne, ni un numéro de téléphone",
    "dialled",
)

Rule = Callable[[Question], Decision | None]


def decide(facts: Facts, policy: Policy, now: float) -> Decision:
    """Decide what happens to a call.

    Args:
        facts: the call. After each attempt that nobody answered, ask again with one more
            `Attempt(str(decision.target), outcome)`: the id of the person, the name of an address or the number.
        policy: the snapshot that the call began with.
        now: POSIX seconds, on the policy's clock.

    Returns:
        The decision. The same arguments always give the same one. A caller from outside is refused only when the
        dialled number is not the company's (404), when the greylist is for callers with their number (403, G9), or when
        every target was tried and failed (480).
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
    facts, caller = question.facts, question.caller
    reason = question.policy.emergency.get(facts.dialled)
    if reason is None:
        return None
    identity = caller.person.emergency if caller else outside_identity(facts, question.policy, None)
    return Decision(
        Action.EMERGENCY,
        DialNumber(facts.dialled),
        (reason, *identity.because),
        shown_number=identity.number,
        shown_name=identity.name,
        rejected=tuple(question.rejected),
        person=caller.person.id if caller else None,
    )


def dialled_code(question: Question) -> Decision | None:
    """A code of one of our people (G1, P2); one that stands before an emergency number has no effect on it."""
    facts = question.facts
    if facts.dialled[:1] not in CODE_STARTS or facts.origin is Origin.TRUNK:
        return None
    code = per_call_code(question)
    if code is None:
        return feature_code(question)
    if question.facts.dialled in question.policy.emergency:
        question.rejected.append(_without_effect(code))
        return emergency_call(question)
    if not code.shows:
        question.because.append(code.reason)
    return None


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
        is_code = dialled[:1] in CODE_STARTS
        return refuse(question, 404, "Not Found", _NOT_A_CODE if is_code else _NOT_A_NUMBER)
    question.outside = number or dialled
    question.because.append(_TO_A_NUMBER if number else _AS_DIALLED)
    return None


def greylisted(question: Question) -> Decision | None:
    """A destination on the greylist is refused (X2), unless an exception allows it (S8); a caller from outside
    likewise, where the list is for callers as well (G9)."""
    greylist = question.policy.greylist
    if question.outside:
        found = greylist.find(question.outside, question.now)
        if isinstance(found, Reason):
            return refuse(question, 403, "Forbidden", found)
        if found is not None:
            question.because.append(found.reason)
    elif greylist.blocks_callers and question.facts.origin is Origin.TRUNK:
        number = question.caller_number()
        blocked = greylist.blocks_caller(number, question.now) if number else None
        if blocked is not None:
            return refuse(question, 403, "Forbidden", blocked)
    return None


def outside(question: Question) -> Decision | None:
    """A number outside the company goes out by a trunk, with a number that the company owns."""
    caller, code = question.caller, question.code
    if not question.outside:
        if code is not None and code.shows:
            question.rejected.append(_for_outside(code))
        return None
    identity = outside_identity(question.facts, question.policy, caller)
    if code is not None or (caller is not None and caller.person.shows_in):
        identity = _chosen(question, code, caller) or identity
        rejected = (*question.rejected, *identity.rejected)
    else:
        rejected = identity.rejected
    return Decision(
        Action.DIAL,
        DialNumber(question.outside),
        (*question.because, *identity.because),
        shown_number=identity.number,
        shown_name=identity.name,
        rejected=rejected,
        person=caller.person.id if caller else None,
        profile=question.profile,
        withhold=question.facts.withhold,
        limits=limited_groups(question, question.outside),
        weighed=tuple(question.weighed),
    )


def _chosen(question: Question, code: PerCallCode | None, caller: KnownCaller | None) -> ShownIdentity | None:
    """What the levels of G1 show that are above the person: the code of this call, else the profile in force (P4).

    None: nothing; a number that they name and that may not be shown goes to what was rejected.
    """
    if code is not None and code.shows:
        chosen = code.identity if caller is None else caller.person.shows_by_code.get(code.code, code.identity)
        if isinstance(chosen, ShownIdentity):
            return chosen
        if chosen is not None:
            question.rejected.append(chosen)
    if caller is None or not caller.person.shows_in:
        return None
    person = caller.person
    line = question.facts.lines.get(person.id, LineState.IDLE)
    in_force = profile_in_force(question, person)
    weigh(question, person, line, in_force)
    if in_force is None:
        return None
    question.profile = name = in_force.profile.name
    own = person.shows_in.get(name)
    chosen = own.get(caller.connection) if own is not None else None
    if isinstance(chosen, ShownIdentity):
        question.because.append(in_force.reason)
        return chosen
    if chosen is not None:
        question.rejected.append(chosen)
    return None


def _without_effect(code: PerCallCode) -> Reason:
    return Reason(
        "G1",
        f"{code.code} has no effect on an emergency call",
        code.reason.source,
        f"{code.code} est sans effet sur un appel d'urgence",
        "code",
    )


def _for_outside(code: PerCallCode) -> Reason:
    return Reason(
        "G1",
        f"{code.code} has no effect inside: colleagues see the extension",
        code.reason.source,
        f"{code.code} est sans effet à l'intérieur : les collègues voient le numéro interne",
        "code",
    )


CHAIN: tuple[Rule, ...] = (emergency_call, dialled_code, read_dialled, greylisted, limited, outside, reach)
