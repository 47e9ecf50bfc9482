"""Settings by role: each role by its differences from the one it is based on."""

from __future__ import annotations

from router.configuration.identities import USUAL
from router.configuration.roles import CONDITIONS, ResolvedRole
from router.configuration.schedules import schedule_clause
from router.configuration.schema import Condition, May, Shows
from router.document.author import Author
from router.document.language import capitalised
from router.document.policy_document import Block, Bullets, Paragraph, Section
from router.document.sections import shown_numbers
from router.document.sections.conditions import LIMITS, condition_clauses, condition_title, limit, same_rule
from router.model.decision import Connection


def roles(author: Author) -> Section:
    say = author.say
    sections = [_role(author, name) for name in author.document.roles]
    intro = Paragraph(
        "roles.inheritance",
        say(
            fr="Un rôle qui repose sur un autre en reprend toutes les règles ; seules ses différences sont écrites "
            "ici. Quand plusieurs lignes d'un horaire couvrent un même moment, la première compte. "
            "Refuser un appel d'une touche revient à être en communication, sauf règle contraire.",
            en="A role that is based on another keeps all of its rules; only its differences are written here. Where "
            "several lines of a schedule cover a moment, the first one counts. To reject a call by a key is like being "
            "on a call, unless a rule says otherwise.",
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
    defaults = (author.document.connections, USUAL)
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
    return same_rule(condition, before, written) and clauses == condition_clauses(
        condition, before, technical=base.shows_team
    )


def _precedence(author: Author, role: ResolvedRole, base: ResolvedRole | None) -> list[Paragraph]:
    if base is not None and base.line_first == role.line_first:
        return []
    title = author.say(fr="En communication et en réunion à la fois", en="On a call and in a meeting at once")
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
        clause = schedule_clause(author.document, role, entry)
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
            title, text = limit(author, key, may)
            id = f"roles.{role.name}.may.{key}"
            paragraphs.append(Paragraph(id, f"{capitalised(text)}.", ("R8",), capitalised(title)))
    return paragraphs


def _limits(role: ResolvedRole | None) -> dict[str, May]:
    """Return, of each limit, the nearest that sets it."""
    nearest: dict[str, May] = {}
    for may, _ in role.may if role is not None else ():
        for key in LIMITS:
            if key in may.model_fields_set:
                nearest.setdefault(key, may)
    return nearest
