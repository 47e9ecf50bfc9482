"""Which profile is in force for a person (P2, G4): one that was selected, or the one of their schedule."""

from __future__ import annotations

from typing import Final, NamedTuple

from router.model.decision import LineState, Reason, SelectedBy, Selection, Weighed
from router.policy.question import Question
from router.policy.schedule import until_words
from router.policy.selecting import problem_with
from router.policy.snapshot import SCHEDULE, Person, Profile, ProfileKind

_WEIGHS_MORE: Final = {
    "administrator": ("what an administrator selected weighs more", "le choix d'un administrateur l'emporte"),
    "person": ("the person's own choice weighs more", "le choix de la personne l'emporte"),
    "calendar": ("the calendar weighs more", "l'agenda l'emporte"),
    SCHEDULE: ("the schedule weighs more", "l'horaire l'emporte"),
}
_SOURCE_IN_FRENCH: Final = {
    "administrator": "administrateur",
    "person": "personne",
    "calendar": "agenda",
    SCHEDULE: "horaire",
}
_WITHOUT_ACTOR: Final = {
    "administrator": ("an administrator", "un administrateur"),
    "person": ("the person themselves", "la personne elle-même"),
    "calendar": ("the calendar", "l'agenda"),
}
_ACTORS_IN_FRENCH: Final = {"phone": "le poste", "token": "le jeton"}


class InForce(NamedTuple):
    """A profile that is in force.

    Args:
        profile, reason: which, and why.
        by: who selected it: a value of `SelectedBy`, or `SCHEDULE`.
        until: POSIX seconds at which the selection ends, or None.
        forward: see `Selection.forward`; "" where the profile's own target is meant.
    """

    profile: Profile
    reason: Reason
    by: str
    until: float | None = None
    forward: str = ""


def profile_in_force(question: Question, person: Person) -> InForce | None:
    """Return the profile that counts for `person` now (G4), or None.

    Of those that are in force the first in the policy's order counts; the others, and selections that have no effect,
    go to `question.rejected`.
    """
    selections = question.facts.selections.get(person.id)
    if not selections:
        return _scheduled(question, person)
    counts: InForce | None = None
    for source in question.policy.profile_order:
        other = _scheduled(question, person) if source == SCHEDULE else _selected(question, person, selections, source)
        if other is not None and counts is None:
            counts = other
        elif other is not None and counts is not None:
            question.rejected.append(_outweighed(other, counts))
    return counts


def weigh(question: Question, person: Person, line: LineState, in_force: InForce | None) -> None:
    """Note the state of a person on which the decision rests."""
    if in_force is None:
        question.weighed.append(Weighed(person.id, line, None))
    else:
        name = in_force.profile.name
        question.weighed.append(Weighed(person.id, line, name, in_force.by, in_force.until, in_force.forward))


def is_silent(question: Question, person: Person) -> bool:
    """Say whether it is a time at which none of the person's phones rings (S6)."""
    if person.silence is None:
        return False
    time = question.local_time()
    return not any(window.covers(time) for window in person.rings_within)


def _scheduled(question: Question, person: Person) -> InForce | None:
    scheduled = person.profile_at(question.local_time()) if person.schedule else None
    return None if scheduled is None else InForce(scheduled.profile, scheduled.reason, SCHEDULE)


def _selected(question: Question, person: Person, selections: tuple[Selection, ...], source: str) -> InForce | None:
    """Return the first selection of a source that has an effect now."""
    policy, now = question.policy, question.now
    for selection in selections:
        until = selection.until
        if selection.by != source or selection.since > now or (until is not None and until <= now):
            continue
        # What was allowed when it was selected may have been taken away by a reload.
        problem = problem_with(selection, policy, now)
        forward = selection.forward
        if problem is not None:
            question.rejected.append(problem)
            if not forward or problem_with(selection._replace(forward=""), policy, now) is not None:
                continue
            forward = ""
        profile = policy.profiles[selection.profile]
        reason = _reason(selection, profile, question)
        forgotten = until is None and selection.by is not SelectedBy.ADMINISTRATOR
        if forgotten and profile.kind is not ProfileKind.ABSENT and is_silent(question, person):
            question.rejected.append(_forgotten(reason))
            continue
        return InForce(profile, reason, source, until, forward)
    return None


def _reason(selection: Selection, profile: Profile, question: Question) -> Reason:
    end, french_end = until_words(selection.until, question.now, question.policy.zone)
    actor, french_actor = _actor(selection)
    return Reason(
        profile.reason.clause,
        f"{profile.name}{end}, selected by {actor}",
        profile.reason.source,
        f"« {profile.french} »{french_end}, choisi par {french_actor}",
        "profile",
    )


def _actor(selection: Selection) -> tuple[str, str]:
    if not selection.actor or selection.actor == selection.by:
        return _WITHOUT_ACTOR[selection.by]
    kind, _, name = selection.actor.partition(" ")
    return selection.actor, f"{_ACTORS_IN_FRENCH.get(kind, kind)} {name}".rstrip()


def _outweighed(other: InForce, counts: InForce) -> Reason:
    text, french = _WEIGHS_MORE[counts.by]
    return Reason(
        "G4",
        f"{other.by}: {other.reason.text}; {text}",
        other.reason.source,
        f"{_SOURCE_IN_FRENCH[other.by]} : {other.reason.french} ; {french}",
        "profile",
    )


def _forgotten(reason: Reason) -> Reason:
    return Reason(
        "S6",
        f"{reason.text}, without an end: outside working hours it does not count",
        reason.source,
        f"{reason.french}, sans fin : hors des heures de travail il ne compte pas",
        "profile",
    )
