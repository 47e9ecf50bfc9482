"""Settings by role, each role by its differences from the one it is based on, and what single people have otherwise."""

from __future__ import annotations

from typing import Final

from router.configuration.roles import CONDITIONS, USUAL_NO_ANSWER, ResolvedRole, usual_clause
from router.configuration.schema import Condition, May, PersonSection, ScheduleEntry, Shows
from router.document.author import Author
from router.document.language import capitalised
from router.document.policy_document import Block, Bullets, Paragraph, Section
from router.document.sections import shown_numbers
from router.model.decision import Connection

_EVENING: Final = 15 * 60  # a scheduled absence from here on is "gone for the day" (M5), before it a break (M4)
_LIMITS: Final = ("profiles", "forward_to", "for_at_most")
_INSIDE: Final = {
    "inside": ("un collègue", "a colleague"),
    "own_mobile": ("son propre portable", "their own mobile"),
    "outside": ("un numéro extérieur que la liste grise admet", "an outside number that the greylist allows"),
}


def roles(author: Author) -> Section:
    say = author.say
    sections = [_role(author, name) for name in author.document.roles]
    intro = Paragraph(
        "roles.inheritance",
        say(
            fr="Un rôle qui repose sur un autre en reprend toutes les règles ; seules ses différences sont écrites "
            "ici. Quand plusieurs lignes d'un horaire couvrent un même moment, la première compte.",
            en="A role that is based on another keeps all of its rules; only its differences are written here. Where "
            "several lines of a schedule cover a moment, the first one counts.",
        ),
    )
    return Section("roles", say(fr="Réglages selon les rôles", en="Settings by role"), (intro,), tuple(sections))


def _role(author: Author, name: str) -> Section:
    say, role = author.say, author.roles[name]
    based_on = author.document.roles[name].based_on
    base = author.roles[based_on] if based_on is not None else None
    blocks: list[Block] = []
    if based_on is not None:
        other = author.quoted(based_on)
        blocks.append(
            Paragraph(
                f"roles.{name}.based_on",
                say(fr=f"Comme pour le rôle {other}, à ces différences près :", en=f"As for the role {other}, except:"),
            )
        )
    rules = [
        *_team(author, role, base),
        *_shown(author, role, base),
        *_conditions(author, role, base),
        *_precedence(author, role, base),
        *_schedule(author, role, base),
        *_rings_within(author, role, base),
        *_messages(author, role, base),
        *_choices(author, role, base),
    ]
    if rules:
        blocks.append(Bullets(tuple(rules)))
    else:
        blocks = [
            Paragraph(
                f"roles.{name}.based_on",
                say(
                    fr=f"Comme pour le rôle {author.quoted(based_on or '')}.",
                    en=f"As for the role {author.quoted(based_on or '')}.",
                ),
            )
        ]
    title = say(fr=f"Rôle {author.quoted(name)}", en=f"Role {author.quoted(name)}")
    return Section(f"roles.{name}", title, tuple(blocks))


def _team(author: Author, role: ResolvedRole, base: ResolvedRole | None) -> list[Paragraph]:
    if role.team is None or (base is not None and base.team == role.team):
        return []
    team = author.language.quoted(author.document.teams[role.team].name)
    text = author.say(fr=f"{team}, pour qui n'en a pas d'autre.", en=f"{team}, for whoever has no other.")
    return [Paragraph(f"roles.{role.name}.team", text, ("F5",), author.say(fr="Équipe", en="Team"))]


def _shown(author: Author, role: ResolvedRole, base: ResolvedRole | None) -> list[Paragraph]:
    defaults = (author.document.connections, shown_numbers.USUAL)
    before = (*_levels(base), *defaults)
    rules = {}
    for connection in Connection:
        rule = shown_numbers.rule_for(connection, (*_levels(role), *defaults))
        if rule is not None and rule != shown_numbers.rule_for(connection, before):
            rules[connection] = rule
    if not rules:
        return []
    text = capitalised(shown_numbers.by_connection(author, rules)) + "."
    title = author.say(fr="Numéro affiché", en="Number shown")
    return [Paragraph(f"roles.{role.name}.shows", text, shown_numbers.clauses(rules.values()), title)]


def _levels(role: ResolvedRole | None) -> list[Shows]:
    return [shows for shows, _ in role.shows] if role is not None else []


def _conditions(author: Author, role: ResolvedRole, base: ResolvedRole | None) -> list[Paragraph]:
    paragraphs = []
    for condition in CONDITIONS:
        written = role.when[condition]
        implied = condition == "rejected" and written.mark == role.when["on_call"].mark
        clauses = condition_clauses(condition, written.condition, technical=role.shows_team)
        if implied or (base is not None and _as_before(condition, base, written.condition, clauses)):
            continue
        title = capitalised(condition_title(author, condition, written.condition))
        text = capitalised(author.goes_to(written.condition))
        paragraphs.append(Paragraph(f"roles.{role.name}.{condition}", text, clauses, title))
    return paragraphs


def _as_before(condition: str, base: ResolvedRole, written: Condition, clauses: tuple[str, ...]) -> bool:
    before = base.when[condition].condition
    return _same(condition, before, written) and clauses == condition_clauses(
        condition, before, technical=base.shows_team
    )


def _same(condition: str, one: Condition, other: Condition) -> bool:
    after = condition != "no_answer" or (one.after or USUAL_NO_ANSWER) == (other.after or USUAL_NO_ANSWER)
    return after and (one.then, one.clause) == (other.then, other.clause)


def condition_clauses(condition: str, written: Condition, *, technical: bool) -> tuple[str, ...]:
    """Return the clauses that a condition keeps, on mobiles and on fixed lines."""
    found = (usual_clause(condition, written, mobile=mobile, technical=technical) for mobile in (True, False))
    return tuple(dict.fromkeys(found))


def condition_title(author: Author, condition: str, written: Condition) -> str:
    """Name a condition: "en communication", "no answer within 20 seconds"."""
    after = author.language.duration(written.after or USUAL_NO_ANSWER)
    fr, en = {
        "on_call": ("en communication", "on a call"),
        "busy_other": ("occupé autrement (réunion, par exemple)", "busy otherwise (in a meeting, say)"),
        "absent": ("absent", "absent"),
        "no_answer": (f"sans réponse après {after}", f"no answer within {after}"),
        "unreachable": ("aucun appareil joignable", "no device can be reached"),
        "rejected": ("appel refusé d'une touche", "call rejected by a key"),
    }[condition]
    return author.say(fr=fr, en=en)


def _precedence(author: Author, role: ResolvedRole, base: ResolvedRole | None) -> list[Paragraph]:
    if base is not None and base.line_first == role.line_first:
        return []
    title = author.say(fr="En communication et occupé à la fois", en="On a call and busy otherwise at once")
    if role.line_first:
        text = author.say(fr="La communication l'emporte.", en="The call in progress counts.")
    else:
        text = author.say(fr="Le profil l'emporte.", en="The profile counts.")
    return [Paragraph(f"roles.{role.name}.precedence", text, ("G4",), title)]


def _schedule(author: Author, role: ResolvedRole, base: ResolvedRole | None) -> list[Paragraph]:
    entries = [rule.entry for rule in role.schedule]
    if base is not None and [rule.entry for rule in base.schedule] == entries:
        return []
    if not entries:
        if base is None:
            return []
        text = author.say(fr="Aucun profil n'est fixé par l'horaire.", en="No profile is set by a schedule.")
        return [Paragraph(f"roles.{role.name}.schedule", text, ("P2",), author.say(fr="Horaire", en="Schedule"))]
    paragraphs = []
    for position, entry in enumerate(entries, start=1):
        profile = author.quoted(entry.profile)
        text = author.say(fr=f"Profil {profile}.", en=f"Profile {profile}.")
        clause = entry.clause or _schedule_clause(author, role, entry)
        term = capitalised(author.window(entry))
        paragraphs.append(Paragraph(f"roles.{role.name}.schedule.{position}", text, (clause,), term))
    return paragraphs


def _rings_within(author: Author, role: ResolvedRole, base: ResolvedRole | None) -> list[Paragraph]:
    hours, before = _hours(role), _hours(base)
    if hours == before:
        return []
    if hours is None:
        text = author.say(fr="À toute heure.", en="At any hour.")
    else:
        named = author.quoted(hours)
        text = author.say(
            fr=f"Seulement pendant les heures {named} ; en dehors, aucun ne sonne.",
            en=f"Only during the hours {named}; outside them none rings.",
        )
    title = author.say(fr="Sonnerie des téléphones", en="When phones ring")
    return [Paragraph(f"roles.{role.name}.rings_within", text, ("S6",), title)]


def _hours(role: ResolvedRole | None) -> str | None:
    return role.rings_within[0] if role is not None and role.rings_within is not None else None


def _schedule_clause(author: Author, role: ResolvedRole, entry: ScheduleEntry) -> str:
    if entry.profile in role.says:
        return "R4"
    profile = author.document.profiles.get(entry.profile)
    return (profile.clause if profile is not None else None) or ("M5" if entry.start >= _EVENING else "M4")


def _messages(author: Author, role: ResolvedRole, base: ResolvedRole | None) -> list[Paragraph]:
    paragraphs = []
    for profile, says in role.says.items():
        if base is not None and base.says.get(profile) == says:
            continue
        title = author.say(
            fr=f"Message du profil {author.quoted(profile)}", en=f"Message of the profile {author.quoted(profile)}"
        )
        paragraphs.append(Paragraph(f"roles.{role.name}.says.{profile}", f"{author.messages(says)}.", ("R4",), title))
    return paragraphs


def _choices(author: Author, role: ResolvedRole, base: ResolvedRole | None) -> list[Paragraph]:
    before = _limits(base)
    paragraphs = []
    for key, may in _limits(role).items():
        if key not in before or getattr(before[key], key) != getattr(may, key):
            title, text = _choice(author, key, may)
            id = f"roles.{role.name}.may.{key}"
            paragraphs.append(Paragraph(id, f"{capitalised(text)}.", ("R8",), capitalised(title)))
    return paragraphs


def _limits(role: ResolvedRole | None) -> dict[str, May]:
    """Return, of each limit, the nearest that sets it."""
    nearest: dict[str, May] = {}
    for may, _ in role.may if role is not None else ():
        for key in _LIMITS:
            if key in may.model_fields_set:
                nearest.setdefault(key, may)
    return nearest


def _choice(author: Author, key: str, may: May) -> tuple[str, str]:
    """Return what one limit is about (R8) and what it says, both as parts of a sentence."""
    say = author.say
    match key:
        case "profiles":
            named = author.language.also(author.quoted(profile) for profile in may.profiles or ())
            every = say(fr="tous ceux de leur rôle", en="all that are for their role")
            text = every if may.profiles is None else named or say(fr="aucun", en="none")
            return say(fr="profils au choix", en="profiles to choose from"), text
        case "forward_to":
            words = []
            for to in may.forward_to:
                fr, en = _INSIDE.get(to, ("", ""))
                words.append(say(fr=fr, en=en) or author.target(to))
            nowhere = say(fr="nulle part", en="nowhere")
            return say(fr="renvoi personnel permis vers", en="may forward their own calls to"), (
                author.language.either(words) or nowhere
            )
    most = author.language.duration(may.for_at_most or 0.0)
    text = say(fr=f"{most} au plus", en=f"{most} at most")
    if may.for_at_most is None:
        text = say(fr="sans limite", en="without limit")
    return say(fr="durée d'un choix", en="how long a choice lasts"), text


def personal(author: Author) -> Section:
    """State what people have otherwise than their role; a person without differences is not named."""
    say = author.say
    paragraphs = [
        paragraph for name, section in author.present().items() for paragraph in _of_person(author, name, section)
    ]
    title = say(fr="Réglages personnels", en="Personal settings")
    if paragraphs:
        return Section("personal", title, (Bullets(tuple(paragraphs)),))
    text = say(fr="Chacun suit les règles de son rôle.", en="Everybody follows the rules of their role.")
    return Section("personal", title, (Paragraph("personal.none", text),))


def _of_person(author: Author, name: str, section: PersonSection) -> list[Paragraph]:
    say, role = author.say, author.roles[section.role]
    paragraphs = []

    def state(key: str, title: str, text: str, clauses: tuple[str, ...]) -> None:
        separator = say(fr=" : ", en=": ")
        paragraphs.append(Paragraph(f"personal.{name}.{key}", f"{title}{separator}{text}", clauses, section.name))

    if section.team is not None and section.team != role.team:
        team = author.language.quoted(author.document.teams[section.team].name)
        state("team", say(fr="équipe", en="team"), f"{team}.", ("F5",))
    if section.shows is not None:
        rules = {
            connection: rule
            for connection in Connection
            if (rule := shown_numbers.rule_for(connection, [section.shows]))
        }
        if rules:
            words = shown_numbers.by_connection(author, rules)
            state(
                "shows", say(fr="numéro affiché", en="number shown"), f"{words}.", shown_numbers.clauses(rules.values())
            )
    for condition in CONDITIONS:
        written: Condition | None = getattr(section.when, condition)
        if written is None or _same(condition, written, role.when[condition].condition):
            continue
        title = condition_title(author, condition, written)
        clauses = condition_clauses(condition, written, technical=role.shows_team)
        state(condition, title, author.goes_to(written), clauses)
    if section.rings is not None:
        steps = []
        for later in section.rings:
            after = author.language.duration(later.after)
            device = author.quoted(later.device)
            at_once = say(fr=f"{device} d'abord", en=f"{device} first")
            steps.append(
                at_once if not later.after else say(fr=f"{device} après {after}", en=f"{device} after {after}")
            )
        state("rings", say(fr="sonnerie", en="ringing"), f"{', '.join(steps)}.", ("F4",))
    if section.may is not None:
        for key in _LIMITS:
            if key in section.may.model_fields_set:
                title, text = _choice(author, key, section.may)
                state(f"may.{key}", title, f"{text}.", ("R8",))
    return paragraphs
