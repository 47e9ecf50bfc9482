"""What people may select for themselves, and what may be selected for them (R8, R9)."""

from __future__ import annotations

from router.model.decision import Reason, SelectedBy, Selection
from router.policy.snapshot import Person, Policy, Profile


def problem_with(selection: Selection, policy: Policy, now: float) -> Reason | None:
    """Say why a selection may not be made, or has no effect any more.

    The limits within which people choose (`may`) hold for their own selections; a profile that is for certain roles
    (R9) is for these whoever selects it.

    Args:
        selection: what is to be in force; a selection without an end lasts as `usual_end` says, or for good.
        now: POSIX seconds on the policy's clock.

    Returns:
        The reason, with the place of the limit; None: it is allowed.
    """
    person = policy.people.get(selection.person)
    if person is None:
        return Reason(
            "P2",
            f"there is nobody called {selection.person!r}",
            french=f"personne ne s'appelle « {selection.person} »",
            rule="profile",
        )
    profile = policy.profiles.get(selection.profile)
    if profile is None:
        return Reason(
            "P2",
            f"there is no profile {selection.profile!r}",
            french=f"il n'y a pas de profil « {selection.profile} »",
            rule="profile",
        )
    if selection.until is not None and selection.until <= max(now, selection.since):
        return Reason(
            "P2",
            f"the selection of {profile.name} would be over before it begins",
            profile.reason.source,
            f"le choix du profil « {profile.name} » serait terminé avant de commencer",
            "profile",
        )
    if profile.roles and person.role not in profile.roles:
        roles = ", ".join(sorted(profile.roles))
        return Reason(
            "R9",
            f"{profile.name} is for {roles}, and {person.name} is {person.role}",
            profile.reason.source,
            f"le profil « {profile.name} » est réservé à {roles}, et {person.name} est {person.role}",
            "profile",
        )
    if selection.by is SelectedBy.PERSON:
        problem = _beyond_choices(selection, person, profile)
        if problem is not None:
            return problem
    return _problem_with_forward(selection, person, policy, now) if selection.forward else None


def may_select(person: Person, profile: Profile) -> bool:
    """Say whether a profile is among those that a person may select (R8, R9), whatever its end and its forward."""
    allowed = person.choices.profiles
    return (allowed is None or profile.name in allowed) and (not profile.roles or person.role in profile.roles)


def usual_end(person: Person, profile: Profile, since: float) -> float | None:
    """Return when a selection ends that a person makes at `since` without naming an end (POSIX seconds), or None.

    The profile's `ends_after` counts, but never beyond what the person may select at most.
    """
    limits = [limit for limit in (profile.ends_after, person.choices.for_at_most) if limit is not None]
    return since + min(limits) if limits else None


def forward_in_words(forward: str, policy: Policy) -> str:
    """Name what `Selection.forward` says: a person by name, a target or number as it is."""
    person = policy.people.get(forward)
    return forward if person is None else person.name


def length_of_time(seconds: float) -> str:
    """Write a length of time, "8 h" or "90 min", as it is written in English and in French."""
    if seconds >= 3600 and seconds % 3600 == 0:
        return f"{seconds / 3600:g} h"
    return f"{seconds / 60:g} min" if seconds >= 60 else f"{seconds:g} s"


def _beyond_choices(selection: Selection, person: Person, profile: Profile) -> Reason | None:
    choices = person.choices
    if choices.profiles is not None and profile.name not in choices.profiles:
        allowed = ", ".join(sorted(choices.profiles))
        return Reason(
            "R8",
            f"{person.name} may not select {profile.name}, only: {allowed or 'none'}",
            choices.source,
            f"{person.name} ne peut pas choisir « {profile.name} », seulement : {allowed or 'aucun'}",
            "profile",
        )
    limit = choices.for_at_most
    if limit is not None and (selection.until is None or selection.until > selection.since + limit):
        return Reason(
            "R8",
            f"{person.name} may select a profile for {length_of_time(limit)} at most",
            choices.source,
            f"{person.name} peut choisir un profil pour {length_of_time(limit)} au plus",
            "profile",
        )
    return None


def _problem_with_forward(selection: Selection, person: Person, policy: Policy, now: float) -> Reason | None:
    """What is wrong with where calls are to go meanwhile; whoever selects it, it has to exist and may be called."""
    forward, choices = selection.forward, person.choices
    if forward == person.mobile:
        allowed = choices.own_mobile
    elif forward == person.id or policy.numbers.get(forward) is person:
        return Reason(
            "R8",
            f"calls to {person.name} would be forwarded to {person.name}",
            french=f"les appels pour {person.name} seraient renvoyés vers {person.name}",
            rule="profile",
        )
    elif forward in policy.people:
        allowed = choices.inside
    elif forward in policy.target_names:
        allowed = forward in choices.targets
    elif policy.plan.normalise(forward) == forward:
        blocked = policy.greylist.match(forward, now)
        if blocked is not None:
            return blocked
        allowed = choices.inside if policy.owned.owns(forward) else choices.outside
    else:
        return Reason(
            "R8",
            f"{forward!r} is neither a person nor a target nor a number with +",
            french=f"« {forward} » n'est ni une personne, ni une destination, ni un numéro avec +",
            rule="profile",
        )
    if allowed or selection.by is not SelectedBy.PERSON:
        return None
    where = forward_in_words(forward, policy)
    return Reason(
        "R8",
        f"{person.name} may not forward calls to {where}",
        choices.source,
        f"{person.name} ne peut pas renvoyer ses appels vers {where}",
        "profile",
    )
