"""Whoever was called is reached: from one to the next, until something can answer (S3)."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain
from typing import Final

from router.model.decision import (
    Action,
    AttendedTarget,
    Decision,
    DialNumber,
    Diversion,
    JoinQueue,
    PlayMenu,
    Reason,
    RingPerson,
    Target,
)
from router.policy.identity import inside_identity
from router.policy.limited import limited_groups, over_limit
from router.policy.menu import has_gone_round, language_of, next_choice, where_the_caller_is
from router.policy.question import Question, owner, refuse
from router.policy.snapshot import Person, SharedLine, Treatment
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
    if not question.facts.chosen:
        return _reach(question, holder, None)
    because, diversions = len(question.because), len(question.diversions)
    decision = _reach(question, holder, None)
    if question.choices:
        return decision
    del question.because[because:]
    del question.diversions[diversions:]
    return _reach(question, holder, where_the_caller_is(question))


def _reach(question: Question, holder: Person | SharedLine, way_in: Treatment | None) -> Decision:
    """Follow the rules of `holder`, or `way_in` in their place."""
    visited: set[str] = set()
    while True:
        visited.add(_key(holder))
        ways: tuple[Treatment, ...]
        if way_in is not None:
            ways, way_in = (way_in,), None
        elif isinstance(holder, Person):
            ways = treat_person(question, holder)
            if not ways:
                return _ring(question, holder)
        else:
            ways = (treat_line(question, holder),)
        diverts = len(question.diversions)
        while True:
            way = _first_usable(question, chain(ways, holder.last_resort), holder, visited)
            if way is None:
                return refuse(question, 480, "Temporarily Unavailable", _NOBODY_LEFT)
            question.because.append(way.reason)
            if len(question.diversions) == diverts:
                question.diversions.append(Diversion(_diverts_as(question, holder), way.diversion))
            if not isinstance(way.target, PlayMenu):
                break
            chosen = next_choice(question, way.target.menu, holder)
            if chosen is None:
                break
            ways = (chosen,)
        following = _following(question, way.target, holder)
        if following is None:
            return forward(question, holder, way.target)
        holder = following


def _first_usable(
    question: Question, ways: Iterable[Treatment], holder: Person | SharedLine, visited: set[str]
) -> Treatment | None:
    """Return the first way that leads to something; those before it go to what was rejected."""
    for way in ways:
        if usable(question, way.target, _following(question, way.target, holder), visited):
            return way
        question.rejected.append(way.reason)
    return None


def _following(question: Question, target: Target, holder: Person | SharedLine) -> Person | SharedLine | None:
    """Return whose rules decide next; None: the call leaves, or waits in the queue of `holder`, which is open."""
    following = rules_behind(question, target)
    return None if following is holder and isinstance(target, JoinQueue) else following


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
    if str(target) in question.outcomes or (isinstance(target, PlayMenu) and has_gone_round(question)):
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
        language=language_of(question) if isinstance(target, AttendedTarget) else "",
    )
