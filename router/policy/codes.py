"""What can be dialled besides numbers: codes that hold for one call (G1), select a profile (P2) or open a mailbox (V1).

    *31 0475111222      this call withholds the number             codes.hide_number
    *32 0475111222      this call shows another number             codes.show
    *21                 profile until it is changed, or as long as it usually lasts
    *21*1530            until 15:30, today or tomorrow
    *21*1530*201        ... and calls go to 201 meanwhile; *21**201 without a time
    *20                 back to what the schedule says             codes.back
    *45, *46, *47       queues may ring the caller, may not, or not for now    codes.agent_in, agent_out, agent_pause
    *97                 what is in the caller's own mailbox (V1)   codes.mailbox, mailboxes: NAME: code

A `#` at the end, which many phones send, changes nothing. A caller from outside dials no codes.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta, tzinfo
from typing import Final

from router.model.decision import Action, Decision, Feature, FeatureKind, OpenMailbox, Reason, SelectedBy, Selection
from router.policy.question import Question, refuse
from router.policy.schedule import MINUTES_PER_DAY, until_words
from router.policy.selecting import forward_in_words, problem_with, usual_end
from router.policy.snapshot import FeatureCode, PerCallCode, Person, Policy, filled

_AGENT_WORDS: Final = {
    FeatureKind.AGENT_IN: ("answers queues", "répond aux files d'attente"),
    FeatureKind.AGENT_OUT: ("answers no queue any more", "ne répond plus aux files d'attente"),
    FeatureKind.AGENT_PAUSE: ("pauses", "fait une pause"),
}
CODE_STARTS: Final = frozenset("*#")  # what no telephone number begins with


def per_call_code(question: Question) -> PerCallCode | None:
    """Take a per-call code off what was dialled: the call goes on as if only the rest had been dialled.

    Returns:
        The code, whose effect is noted in `question`; None where none was dialled.
    """
    facts = question.facts
    for code, per_call in question.policy.codes.per_call.items():
        if facts.dialled.startswith(code):
            rest = facts.dialled[len(code) :]
            question.facts = facts._replace(dialled=rest, withhold=facts.withhold or per_call.hides)
            question.code = per_call
            return per_call
    return None


def feature_code(question: Question) -> Decision | None:
    """A code dialled by one of our people instead of a number; None where it is no such code."""
    dialled, caller = question.facts.dialled, question.caller
    for feature in question.policy.codes.features.values():
        if not dialled.startswith(feature.code):
            continue
        arguments = dialled[len(feature.code) :].removesuffix("#")
        if arguments and arguments[0] != "*":
            continue
        if caller is None:
            return refuse(question, 403, "Forbidden", _of_nobody(feature))
        if feature.mailbox:
            return _open_mailbox(question, feature, caller.person, arguments)
        if feature.agent is not None:
            return _agent(question, feature, feature.agent, caller.person, arguments)
        if feature.profile is None:
            return _take_back(question, feature, caller.person, arguments)
        return _select(question, feature, caller.person, arguments)
    return None


def next_time(now: float, minute: int, zone: tzinfo) -> float:
    """Return the next moment after `now` at which clocks in `zone` show `minute` since midnight (POSIX seconds).

    Across a daylight-saving change as RFC 5545 §3.3.5 reads local times: one that is skipped is counted from before the
    change; one that comes twice means the first, or the second where the first is over.
    """
    today = datetime.fromtimestamp(now, zone).date()
    wall = time(minute // 60 % 24, minute % 60)
    days = minute // MINUTES_PER_DAY
    for later, fold in ((0, 0), (0, 1), (1, 0)):
        moment = datetime.combine(today + timedelta(days + later), wall.replace(fold=fold), zone).timestamp()
        if moment > now:
            return moment
    raise AssertionError("tomorrow is not after now")


def _select(question: Question, feature: FeatureCode, person: Person, arguments: str) -> Decision:
    profile, now, policy = feature.profile, question.now, question.policy
    assert profile is not None
    written = arguments[1:].split("*") if arguments else []
    if len(written) > 2 or (written and not any(written)):
        return refuse(question, 404, "Not Found", _unreadable(feature))
    until = usual_end(person, profile, now)
    if written and written[0]:
        minute = _minute(written[0])
        if minute is None:
            return refuse(question, 404, "Not Found", _no_time(feature, written[0]))
        until = next_time(now, minute, policy.zone)
    forward = ""
    if len(written) == 2 and written[1]:
        forward = _forward(written[1], policy)
        if not forward:
            return refuse(question, 404, "Not Found", _nowhere(feature, written[1]))
    problem = problem_with(Selection(person.id, profile.name, SelectedBy.PERSON, now, until, forward), policy, now)
    if problem is not None:
        return refuse(question, 403, "Forbidden", problem)
    end, fin = until_words(until, now, policy.zone)
    towards = vers = ""
    if forward:
        where = forward_in_words(forward, policy)
        towards, vers = f", calls go to {where}", f", appels renvoyés vers {where}"
    reason = Reason(
        "P2",
        f"{feature.code}: {person.name} selects {profile.name}{end}{towards}",
        feature.source,
        f"{feature.code} : {person.name} choisit le profil « {profile.french or profile.name} »{fin}{vers}",
        "code",
    )
    return _feature(question, Feature(FeatureKind.SELECT, person.id, profile.name, until, forward), reason)


def _take_back(question: Question, feature: FeatureCode, person: Person, arguments: str) -> Decision:
    if arguments:
        return refuse(question, 404, "Not Found", _unreadable(feature))
    reason = Reason(
        "P2",
        f"{feature.code}: {person.name} takes the selection back",
        feature.source,
        f"{feature.code} : {person.name} annule son choix",
        "code",
    )
    return _feature(question, Feature(FeatureKind.RETURN, person.id), reason)


def _open_mailbox(question: Question, feature: FeatureCode, person: Person, arguments: str) -> Decision:
    if arguments:
        return refuse(question, 404, "Not Found", _unreadable(feature))
    if feature.title and person.id not in feature.people:
        return refuse(question, 403, "Forbidden", _not_theirs(feature, person))
    which, laquelle = "their own mailbox", "sa messagerie"
    if feature.title:
        which, laquelle = f"the mailbox {feature.title}", f"la messagerie « {feature.title} »"
    reason = Reason(
        "V1",
        f"{feature.code}: {person.name} opens {which}",
        feature.source,
        f"{feature.code} : {person.name} ouvre {laquelle}",
        "code",
    )
    mailbox = OpenMailbox(filled(feature.mailbox, person.id, person.id))
    return _feature(question, Feature(FeatureKind.OPEN_MAILBOX, person.id), reason, mailbox)


def _agent(question: Question, feature: FeatureCode, kind: FeatureKind, person: Person, arguments: str) -> Decision:
    if arguments:
        return refuse(question, 404, "Not Found", _unreadable(feature))
    if person.id not in feature.people:
        return refuse(question, 403, "Forbidden", _no_agent(feature, person))
    what, quoi = _AGENT_WORDS[kind]
    reason = Reason(
        "Q10",
        f"{feature.code}: {person.name} {what}",
        feature.source,
        f"{feature.code} : {person.name} {quoi}",
        "code",
    )
    return _feature(question, Feature(kind, person.id), reason)


def _feature(question: Question, feature: Feature, reason: Reason, target: OpenMailbox | None = None) -> Decision:
    return Decision(
        Action.FEATURE,
        target,
        (*question.because, reason),
        rejected=tuple(question.rejected),
        person=feature.person,
        feature=feature,
    )


def _minute(written: str) -> int | None:
    """Read "1530" as minutes since midnight; "2400" is the end of the day."""
    if len(written) != 4 or not written.isdigit() or not written.isascii():
        return None
    minute = int(written[:2]) * 60 + int(written[2:])
    return minute if int(written[2:]) < 60 and minute <= MINUTES_PER_DAY else None


def _forward(written: str, policy: Policy) -> str:
    """Return what `Selection.forward` calls the extension or number that was dialled; "" for neither."""
    person = policy.extensions.get(written)
    if person is not None:
        return person.id
    number = policy.plan.normalise(written)
    if number is None:
        return ""
    known = policy.numbers.get(number)
    return known.id if isinstance(known, Person) and known.mobile != number else number


def _of_nobody(feature: FeatureCode) -> Reason:
    return Reason(
        "P2",
        f"{feature.code} is for people, and the PBX does not say who dials it",
        feature.source,
        f"{feature.code} est réservé aux personnes, et le central ne dit pas qui le compose",
        "code",
    )


def _unreadable(feature: FeatureCode) -> Reason:
    if feature.profile is None:
        return Reason(
            "P2",
            f"{feature.code} is dialled alone",
            feature.source,
            f"{feature.code} se compose seul",
            "code",
        )
    code = feature.code
    return Reason(
        "P2",
        f"write {code}, {code}*1530 (until 15:30) or {code}*1530*201 (calls go to 201 meanwhile)",
        feature.source,
        f"composez {code}, {code}*1530 (jusqu'à 15:30) ou {code}*1530*201 (appels renvoyés vers le 201)",
        "code",
    )


def _not_theirs(feature: FeatureCode, person: Person) -> Reason:
    return Reason(
        "V1",
        f"{feature.code}: the mailbox {feature.title} is not shared with {person.name}",
        feature.source,
        f"{feature.code} : la messagerie « {feature.title} » n'est pas partagée avec {person.name}",
        "code",
    )


def _no_agent(feature: FeatureCode, person: Person) -> Reason:
    return Reason(
        "Q10",
        f"{feature.code}: {person.name} answers no queue",
        feature.source,
        f"{feature.code} : {person.name} ne répond à aucune file d'attente",
        "code",
    )


def _no_time(feature: FeatureCode, written: str) -> Reason:
    return Reason(
        "P2",
        f"{written} is no time of day; until 15:30 is {feature.code}*1530",
        feature.source,
        f"{written} n'est pas une heure ; « jusqu'à 15:30 » se compose {feature.code}*1530",
        "code",
    )


def _nowhere(feature: FeatureCode, written: str) -> Reason:
    return Reason(
        "R8",
        f"{written} is neither an extension nor a number to which calls could be forwarded",
        feature.source,
        f"{written} n'est ni un numéro interne, ni un numéro vers lequel renvoyer des appels",
        "code",
    )
