"""What single people have otherwise than their role."""

from __future__ import annotations

from router.configuration.roles import CONDITIONS
from router.configuration.schema import Condition, PersonSection
from router.document.author import Author
from router.document.policy_document import Bullets, Paragraph, Section
from router.document.sections import shown_numbers
from router.document.sections.conditions import LIMITS, condition_clauses, condition_title, limit, same_rule
from router.model.decision import Connection


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

    if section.site is not None:
        state("site", say(fr="site", en="site"), f"{author.document.sites[section.site].name}.", ("S2",))
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
        if written is None or same_rule(condition, written, role.when[condition].condition):
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
        for key in LIMITS:
            if key in section.may.model_fields_set:
                title, text = limit(author, key, section.may)
                state(f"may.{key}", title, f"{text}.", ("R8",))
    return paragraphs
