"""Calling back whoever wished it (P3): what may be promised, when the person's phone rings for it, who is dialled."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Final

from router.model.decision import Action, Connection, Decision, Facts, LineState, Origin, Reason
from router.policy.codes import CODE_STARTS
from router.policy.rules import decide
from router.policy.snapshot import Person, Policy

CALLBACK: Final = "callback"  # stands for the peer of a call that the router itself begins
_NEVER: Final = frozenset((Action.REFUSE, Action.FEATURE, Action.EMERGENCY))


def number_of(caller: str, policy: Policy) -> str:
    """Return the one spelling of a number that a caller has or gives; "" for what must not be taken for one."""
    if not caller or caller[0] in CODE_STARTS:
        return ""
    return caller if caller in policy.extensions else policy.plan.normalise(caller) or caller


def can_be_called_for(person: Person, policy: Policy) -> str:
    """Return what somebody dials inside to reach a person, "" where there is nothing: then nobody is called back."""
    if person.extension:
        return person.extension
    return person.diverts_as if policy.numbers.get(person.diverts_as) is person else ""


def their_call(live: Facts, person: str, number: str, account: str = "", connection: Connection | None = None) -> Facts:
    """Return the facts of the call by which a person calls somebody back.

    Args:
        live: any facts with the states of this moment.
        account, connection: of the phone that they use; without one a fixed phone is meant.
    """
    return Facts(
        Origin.PERSON,
        account,
        number,
        person,
        connection,
        lines=live.lines,
        selections=live.selections,
        usage=live.usage,
    )


def may_be_promised(decision: Decision) -> bool:
    """Say whether a caller may be told that they are called back, as far as the call to them has been decided: neither
    what is refused (X2) nor an emergency number is ever called."""
    return decision.action not in _NEVER


def reaches_the_caller(decision: Decision) -> bool:
    """Say whether the call to the caller leads to them, and not to their mailbox or to somebody in their place."""
    return decision.action in (Action.DIAL, Action.RING)


def rings_for(facts: Facts, person: Person, policy: Policy, now: float) -> Decision | None:
    """Return the decision by which a person's phone rings so that they can call somebody back; None while it must not.

    The policy is asked as for any call to them, so their profile (M3, M4), their hours (S6) and their line (M2) decide.
    Beyond that the line has to be idle, and nobody rings through (S8): the caller does not wait on the line.

    Args:
        facts: of a call with `Origin.ROUTER` that dials `can_be_called_for`.
        now: POSIX seconds on the policy's clock.
    """
    if facts.lines.get(person.id, LineState.IDLE) is not LineState.IDLE:
        return None
    decision = decide(facts, policy, now)
    return decision if decision.action is Action.RING and decision.person == person.id else None


def wished(taken_at: float, zone: tzinfo) -> Reason:
    """Say that a call is made because somebody wished it at `taken_at` (POSIX seconds)."""
    at = datetime.fromtimestamp(taken_at, zone)
    return Reason(
        "P3",
        f"at {at:%H:%M} on {at:%Y-%m-%d} the caller asked to be called back",
        "",
        f"à {at:%H:%M} le {at:%d/%m/%Y}, l'appelant a demandé à être rappelé",
        "profile",
    )
