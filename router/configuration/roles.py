"""Resolves what roles inherit, and words the reasons that their rules give."""

from __future__ import annotations

from dataclasses import dataclass, replace

from router.configuration.compilation import Compilation
from router.configuration.findings import Mark
from router.configuration.gaps import UNKNOWN
from router.configuration.schema import Condition, May, ScheduleEntry, Shows, When
from router.model.decision import Reason

CONDITIONS = ("on_call", "busy_other", "absent", "no_answer", "unreachable", "rejected")

# What holds where no role says otherwise: the policy's own defaults (M2 M3 F2 F3 G5).
USUAL = {
    "on_call": Condition(then="voicemail"),
    "busy_other": Condition(then="reception"),
    "absent": Condition(then="voicemail"),
    "no_answer": Condition(then="voicemail"),
    "unreachable": Condition(then="voicemail"),
}
USUAL_NO_ANSWER = 20.0  # seconds
ALWAYS = "always"  # takes back a `rings_within` that a role inherits
_PRECEDENCE = {
    "profile": Reason(
        "G4",
        "a profile weighs more than a call in progress",
        french="un profil l'emporte sur une conversation en cours",
        rule="profile",
    ),
    "line": Reason(
        "G4",
        "a call in progress weighs more than a profile",
        french="une conversation en cours l'emporte sur un profil",
        rule="profile",
    ),
}
_NOT_KNOWN = Condition(then=UNKNOWN)

# In English and in French; what is weighed where the condition holds (see `Reason.rule`).
_WORDS = {
    "on_call": ("on a call", "en ligne", "line"),
    "busy_other": ("in a meeting or busy otherwise", "en réunion ou occupé ailleurs", "profile"),
    "absent": ("absent", "en son absence", "profile"),
    "no_answer": ("no answer within {:g} s", "sans réponse après {:g} s", "answer"),
    "unreachable": ("no phone can be reached", "aucun téléphone ne peut être joint", "line"),
    "rejected": ("call rejected", "appel refusé", "answer"),
}


@dataclass(frozen=True, slots=True)
class Written:
    """A condition of a role or person, with the place where it is written and what to say about that."""

    condition: Condition
    mark: Mark
    source: str


@dataclass(frozen=True, slots=True)
class ScheduleRule:
    """An entry of a schedule and where it is written."""

    entry: ScheduleEntry
    mark: Mark
    source: str


@dataclass(frozen=True, slots=True)
class ResolvedRole:
    """A role with everything it inherits.

    `shows` lists the roles' rules for the shown number, nearest first, each with its place; `says` holds the role's
    own messages by profile and language (R4); `precedence` says whether a call or a profile weighs more (G4); `may`
    lists the limits of what people choose (R8), nearest first; `rings_within` names the hours outside which no phone
    rings (S6), with its place, or is None.
    """

    name: str
    shows: tuple[tuple[Shows, str], ...]
    when: dict[str, Written]
    schedule: tuple[ScheduleRule, ...]
    says: dict[str, dict[str, str]]
    team: str | None
    line_first: bool
    precedence: Reason
    may: tuple[tuple[May, str], ...] = ()
    rings_within: tuple[str, Mark, str] | None = None

    @property
    def shows_team(self) -> bool:
        """Say whether the role shows its team's number, as the technical role does (R5)."""
        return bool(self.shows) and "team_number" in self.shows[0][0].model_dump().values()


def resolve_roles(compilation: Compilation) -> dict[str, ResolvedRole]:
    """Return the roles by name; a role that inherits from itself or from nobody is a finding."""
    return {name: _resolve(name, compilation) for name in compilation.document.roles}


def unknown_role(name: str, compilation: Compilation) -> ResolvedRole:
    """Return what stands in for a role that does not exist, so that the rest of a person can be checked."""
    here = compilation.mark("roles")
    when = {condition: Written(_NOT_KNOWN, here, "") for condition in CONDITIONS}
    return ResolvedRole(name, (), when, (), {}, UNKNOWN, False, _PRECEDENCE["profile"])


def override(compilation: Compilation, role: ResolvedRole, when: When, *location: str | int) -> dict[str, Written]:
    """Return the conditions of a role with those that stand at `location` on top."""
    conditions = dict(role.when)
    for name in CONDITIONS:
        condition: Condition | None = getattr(when, name)
        if condition is not None:
            mark = compilation.mark(*location, name)
            conditions[name] = Written(condition, mark, str(mark))
    return conditions


def wording(condition: str, written: Written, clause: str) -> Reason:
    """Say in words what a condition does: "on a call → reception"."""
    english, french, rule = _WORDS[condition]
    after, then = written.condition.after or USUAL_NO_ANSWER, written.condition.then
    return Reason(clause, f"{english.format(after)} → {then}", written.source, f"{french.format(after)} → {then}", rule)


def usual_clause(condition: str, written: Condition, *, mobile: bool, technical: bool) -> str:
    """Return the clause of the policy that a condition keeps, unless the configuration names another."""
    if written.clause is not None:
        return written.clause
    to_queue = written.then.startswith("queue:")
    match condition, written.then:
        case "on_call", "voicemail":
            return "M2" if mobile else "F2"
        case "on_call", "reception":
            return "R2"
        case "busy_other", "reception":
            return "R7" if technical else "M3" if mobile else "F3"
        case "on_call", _ if to_queue:
            return "R6"
        case "busy_other", _ if to_queue:
            return "R3"
        case (("no_answer" | "unreachable"), _):
            return "G5"
    return "S3"


def _resolve(name: str, compilation: Compilation) -> ResolvedRole:
    roles = compilation.document.roles
    line, whole = _lineage(name, compilation)
    shows: list[tuple[Shows, str]] = []
    may: list[tuple[May, str]] = []
    when: dict[str, Written] = {}
    schedule: tuple[ScheduleRule, ...] | None = None
    says: dict[str, dict[str, str]] = {}
    team: str | None = None
    precedence: Reason | None = None
    line_first = False
    rings_within: tuple[str, Mark, str] | None = None
    for ancestor in line:
        role = roles[ancestor]
        if role.shows is not None:
            shows.append((role.shows, _source(compilation.mark("roles", ancestor, "shows"), ancestor, name)))
        if role.may is not None:
            may.append((role.may, _source(compilation.mark("roles", ancestor, "may"), ancestor, name)))
        for condition in CONDITIONS:
            written: Condition | None = getattr(role.when, condition)
            if written is not None and condition not in when:
                mark = compilation.mark("roles", ancestor, "when", condition)
                when[condition] = Written(written, mark, _source(mark, ancestor, name))
        if schedule is None and role.schedule is not None:
            rules = []
            for index, entry in enumerate(role.schedule):
                mark = compilation.mark("roles", ancestor, "schedule", index)
                rules.append(ScheduleRule(entry, mark, _source(mark, ancestor, name)))
            schedule = tuple(rules)
        for profile, words in role.says.items():
            says.setdefault(profile, words)
        team = team or role.team
        if precedence is None and role.precedence is not None:
            source = _source(compilation.mark("roles", ancestor, "precedence"), ancestor, name)
            precedence = replace(_PRECEDENCE[role.precedence], source=source)
            line_first = role.precedence == "line"
        if rings_within is None and role.rings_within is not None:
            mark = compilation.mark("roles", ancestor, "rings_within")
            rings_within = (role.rings_within, mark, _source(mark, ancestor, name))
    for condition in CONDITIONS:
        company: Condition | None = getattr(compilation.document.company.when, condition)
        if company is not None and condition not in when:
            mark = compilation.mark("company", "when", condition)
            when[condition] = Written(company, mark, f"{mark} (company)")
    here = compilation.mark("roles", name)
    for condition, usual in USUAL.items():
        known = whole and not any(compilation.gaps.covers("roles", role, "when", condition) for role in line)
        known = known and not compilation.gaps.covers("company", "when", condition)
        when.setdefault(condition, Written(usual if known else _NOT_KNOWN, here, f"{here} (usual)"))
    # Somebody who rejects a call is busy in their own words.
    busy = when["on_call"]
    when.setdefault("rejected", Written(Condition(then=busy.condition.then), busy.mark, busy.source))
    if team is None and not (whole and not any(compilation.gaps.covers("roles", role, "team") for role in line)):
        team = UNKNOWN
    precedence = precedence or replace(_PRECEDENCE["profile"], source=f"{here} (usual)")
    if rings_within is not None and rings_within[0] == ALWAYS:
        rings_within = None
    return ResolvedRole(
        name, tuple(shows), when, schedule or (), says, team, line_first, precedence, tuple(may), rings_within
    )


def _lineage(name: str, compilation: Compilation) -> tuple[list[str], bool]:
    """Return a role and those it inherits from, nearest first, and whether all of them are known."""
    roles = compilation.document.roles
    line: list[str] = []
    current: str | None = name
    while current is not None:
        mark = compilation.mark("roles", line[-1], "based_on") if line else compilation.mark("roles", name)
        if current in line:
            if current == name:  # a role that merely leads to a circle is not at fault
                circle = " → ".join([*line, current])
                compilation.error(mark, f"role {line[-1]} inherits from itself: {circle}", "take one based_on away")
                compilation.gaps.add("roles", line[-1], "based_on")
            return line, False
        if current not in roles:
            compilation.unknown("role", current, mark, "roles", roles)
            compilation.gaps.add("roles", line[-1], "based_on")
            return line, False
        line.append(current)
        current = roles[current].based_on
    return line, not any(compilation.gaps.covers("roles", role, "based_on") for role in line)


def _source(mark: Mark, ancestor: str, name: str) -> str:
    return f"{mark} (role {name})" if ancestor == name else f"{mark} (role {ancestor}, inherited by {name})"
