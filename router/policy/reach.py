"""Whoever was called is reached: from one to the next, until something can answer (S3)."""

from __future__ import annotations

from itertools import chain
from typing import Final

from router.model.decision import (
    Action,
    Decision,
    DialNumber,
    Diversion,
    JoinQueue,
    Reason,
    RingPerson,
    Target,
)
from router.policy.identity import inside_identity
from router.policy.limited import limited_groups, over_limit
from router.policy.question import Question, owner, refuse
from router.policy.snapshot import Person, SharedLine
from router.policy.treatment import treat_line, treat_person

MAX_PEOPLE_PER_CALL: Final = 8  # bounds a chain of forwards from person to person; nobody waits longer than that

_NOBODY_LEFT: Final = Reason(
    "S3",
    "everybody and everything that could answer was tried",
    french="tout ce qui pouvait répondre a été essayé",
    rule="last_resort",
)


def reach(question: Question) -> Decision | None:
    """Reach whoever was called, following the policy from one to the next until something can answer."""
    holder = question.called
    if holder is None:
        return None
    visited: set[str] = set()
    while True:
        visited.add(_key(holder))
        if isinstance(holder, Person):
            ways = treat_person(question, holder)
            if not ways:
                return _ring(question, holder)
        else:
            ways = (treat_line(question, holder),)
        for way in chain(ways, holder.last_resort):
            following = rules_behind(question, way.target)
            if following is holder and isinstance(way.target, JoinQueue):
                following = None  # a queue that is open: here its callers wait
            if usable(question, way.target, following, visited):
                break
            question.rejected.append(way.reason)
        else:
            return refuse(question, 480, "Temporarily Unavailable", _NOBODY_LEFT)
        question.because.append(way.reason)
        question.diversions.append(Diversion(_diverts_as(question, holder), way.diversion))
        if following is None:
            return forward(question, holder, way.target)
        holder = following


def _key(holder: Person | SharedLine) -> str:
    return holder.id if isinstance(holder, Person) else (holder.queue or holder.number)


def _diverts_as(question: Question, holder: Person | SharedLine) -> str:
    if isinstance(holder, Person):
        return holder.diverts_as
    return holder.number or (holder.queue and holder.forwards_as.number) or question.facts.dialled


def rules_behind(question: Question, target: Target) -> Person | SharedLine | None:
    """Return whose rules decide next; None: the call leaves for an address or a number outside."""
    if isinstance(target, RingPerson):
        return question.policy.people[target.person]
    if isinstance(target, DialNumber):
        holder = question.policy.numbers.get(target.number)
        # The number of somebody's mobile stands for the telephone in their pocket: it is dialled.
        if isinstance(holder, SharedLine) or (holder is not None and holder.diverts_as == target.number):
            return holder
    if isinstance(target, JoinQueue):
        return question.policy.queues.get(target.queue)
    return None


def usable(question: Question, target: Target, following: Person | SharedLine | None, visited: set[str]) -> bool:
    if following is not None:
        return _key(following) not in visited and len(visited) < MAX_PEOPLE_PER_CALL
    if str(target) in question.outcomes:
        return False
    if not isinstance(target, DialNumber):
        return True
    # A call to the very number that it came for would come back.
    called = question.policy.numbers.get(target.number)
    if called is not None and called is question.called and question.dialled_number() == target.number:
        return False
    blocked = question.policy.greylist.match(target.number, question.now) or over_limit(question, target.number)
    if blocked is not None:
        question.rejected.append(blocked)
    return blocked is None


def _ring(question: Question, person: Person) -> Decision:
    if person.phone is None:
        raise AssertionError(f"{person.id} has no phone and no treatment for that")
    identity = inside_identity(question.facts, question.policy, question.caller)
    question.because.append(person.rings)
    forwarded = person is not question.called
    return Decision(
        Action.FORWARD if forwarded else Action.RING,
        person.phone,
        tuple(question.because),
        shown_number=identity.number,
        shown_name=identity.name,
        rejected=tuple(question.rejected),
        no_answer_after=person.no_answer_after,
        diversions=tuple(question.diversions),
        person=owner(question),
        profile=question.profile,
        withhold=question.facts.withhold,
        weighed=tuple(question.weighed),
    )


def forward(question: Question, holder: Person | SharedLine, target: Target) -> Decision:
    if isinstance(target, DialNumber):
        # Towards the outside the caller's own number would not be ours to show: the one who forwards shows theirs. An
        # extension means nothing there.
        main = question.policy.company.number or ""
        identity = holder.forwards_as
        limits = limited_groups(question, target.number)
        diversions = tuple(d if d.number[:1] == "+" else Diversion(main, d.reason) for d in question.diversions)
    else:
        identity = inside_identity(question.facts, question.policy, question.caller)
        limits = ()
        diversions = tuple(question.diversions)
    return Decision(
        Action.FORWARD,
        target,
        (*question.because, *identity.because),
        shown_number=identity.number,
        shown_name=identity.name,
        rejected=tuple(question.rejected),
        diversions=diversions,
        person=owner(question),
        profile=question.profile,
        withhold=question.facts.withhold,
        limits=limits,
        weighed=tuple(question.weighed),
    )
