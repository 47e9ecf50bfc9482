"""Who calls, and what the callee sees of it (G1): never a number that the company does not own (S4)."""

from __future__ import annotations

from typing import Final

from router.model.decision import Facts, Origin, Reason
from router.policy.snapshot import KnownCaller, Policy, ShownIdentity

_OWN_NUMBER_OF_CALLER: Final = Reason(
    "",
    "the PBX names a number that the company owns",
    "",
    "le central présente un numéro qui appartient à l'entreprise",
    "identity",
)
_WITHHELD: Final = ShownIdentity(None, None)


def known_caller(facts: Facts, policy: Policy) -> KnownCaller | None:
    """Say who calls, as far as the origin can be believed: a trunk's caller is never taken for one of our people."""
    if facts.person is not None and facts.origin is not Origin.TRUNK:
        person = policy.people.get(facts.person)
        return None if person is None else KnownCaller.of(person, facts.connection)
    if facts.origin is not Origin.PBX or facts.caller_number is None:
        return None
    known = policy.callers.get(facts.caller_number)
    if known is None:
        number = policy.plan.normalise(facts.caller_number)
        known = policy.callers.get(number) if number else None
    return known


def outside_identity(facts: Facts, policy: Policy, caller: KnownCaller | None) -> ShownIdentity:
    """What a callee outside sees of a caller inside when neither a code nor a profile says otherwise (G1): always a
    number that the company owns and has verified."""
    if caller is not None:
        return caller.person.shows[caller.connection]
    if facts.origin is Origin.PBX and facts.caller_number:
        number = policy.plan.normalise(facts.caller_number)
        if number is not None and policy.owned.may_show(number):
            return ShownIdentity(number, facts.caller_name, (_OWN_NUMBER_OF_CALLER,))
    return policy.company


def inside_identity(facts: Facts, policy: Policy, caller: KnownCaller | None) -> ShownIdentity:
    """What a callee inside sees: a colleague by name, a caller from outside by their own number."""
    if facts.withhold:
        return _WITHHELD
    if caller is not None:
        return caller.person.inside
    number = facts.caller_number
    if number and facts.origin is Origin.TRUNK:
        number = policy.plan.normalise(number) or number
    return ShownIdentity(number or None, facts.caller_name)
