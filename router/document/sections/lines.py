"""Shared numbers, when they are open, and the numbers of those who left."""

from __future__ import annotations

from router.document.author import Author, has_dates, spoken
from router.document.language import capitalised
from router.document.policy_document import Block, Bullets, Paragraph, Row, Section, Table
from router.document.sections.menus import menus
from router.document.sections.queues import queues


def shared_numbers(author: Author) -> Section:
    say, company = author.say, author.document.company
    main = company.main_line
    lines = [
        Paragraph(
            "lines.main",
            _goes(author, main.then, main.hours, main.closed),
            ("Q12",) if main.closed is not None else ("S3",),
            say(fr="Numéro principal", en="Main number"),
        )
    ]
    for name, site in author.document.sites.items():
        where = f" ({site.address})" if site.address else ""
        text = f"{site.main_number}. {_goes(author, site.then, site.hours, site.closed)}"
        lines.append(
            Paragraph(
                f"lines.site.{name}", text, ("Q12",) if site.closed is not None else ("S2",), f"{site.name}{where}"
            )
        )
    for name, team in author.document.teams.items():
        clauses = ("F5", "Q12") if team.closed is not None else ("F5",)
        text = f"{team.number}. {_goes(author, team.then, team.hours, team.closed)}"
        lines.append(Paragraph(f"lines.team.{name}", text, clauses, team.name))
    for name, target in author.document.targets.items():
        if target.number is not None:
            text = say(fr=f"Numéro extérieur : {target.number}.", en=f"An outside number: {target.number}.")
        elif target.person is not None:
            text = f"{author.person(target.person)}."
        else:
            continue
        lines.append(Paragraph(f"lines.target.{name}", text, ("S3",), capitalised(spoken(name))))
    blocks: list[Block] = [
        Bullets(tuple(lines)),
        Paragraph(
            "lines.unassigned",
            say(
                fr="Un numéro de l'entreprise que personne n'occupe répond comme le numéro principal, "
                "aux mêmes heures.",
                en="A number of the company that nobody has answers as the main number does, in the same hours.",
            ),
            ("S5",),
        ),
        *queues(author),
        *menus(author),
    ]
    return Section(
        "lines", say(fr="Numéros partagés et files d'attente", en="Shared numbers and queues"), tuple(blocks)
    )


def _goes(author: Author, then: str, hours: str | None, closed: str | None) -> str:
    if hours is None or closed is None:
        return capitalised(
            author.say(fr=f"à toute heure, {author.goes_to(then)}", en=f"at any hour, {author.goes_to(then)}")
        )
    opened, otherwise = author.target(then), author.target(closed)
    named = author.quoted(hours)
    return author.say(
        fr=f"Pendant les heures {named}, l'appel va vers {opened} ; en dehors, vers {otherwise}.",
        en=f"During the hours {named} the call goes to {opened}; outside them, to {otherwise}.",
    )


def opening_hours(author: Author) -> Section:
    say, company = author.say, author.document.company
    items = []
    for name, windows in author.document.hours.items():
        text = capitalised(author.language.series(author.window(window) for window in windows))
        items.append(Paragraph(f"hours.{name}", f"{text}.", ("G6",), capitalised(spoken(name))))
    for name, section in author.document.calendars.items():
        if has_dates(section):
            text = capitalised(author.calendar_in_full(name)) + "."
            items.append(Paragraph(f"calendars.{name}", text, ("G7",), capitalised(spoken(name))))
    blocks: list[Block] = []
    if items:
        blocks.append(Bullets(tuple(items)))
    else:
        blocks.append(author.silent_about("hours.none", fr="sur les heures d'ouverture", en="opening hours"))
    country = author.language.country(company.country)
    region = f" ({company.region})" if company.region is not None else ""
    zone = company.time_zone
    blocks.append(
        Paragraph(
            "hours.reading",
            say(
                fr=f"L'heure de début est comprise, l'heure de fin ne l'est pas. Jours fériés "
                f"légaux : {country}{region}. Fuseau horaire : {zone}.",
                en=f"The hour at which something begins is included, the hour at which it ends is not. Public "
                f"holidays: {country}{region}. Time zone: {zone}.",
            ),
            ("G6", "G7"),
        )
    )
    return Section("hours", say(fr="Heures d'ouverture", en="Opening hours"), tuple(blocks))


def departures(author: Author) -> Section:
    say, today = author.say, author.written_at.date()
    rows = []
    for name, section in author.document.people.items():
        if section.left is None:
            continue
        numbers = ", ".join(filter(None, (section.extension, section.direct_number)))
        heir = capitalised(author.target(section.successor or "reception"))
        day = author.language.day(section.left)
        if section.left >= today:
            day = say(fr=f"{day} (à venir)", en=f"{day} (to come)")
        rows.append(Row(f"departures.{name}", (section.name, day, numbers, heir)))
    title = say(fr="Départs et successeurs", en="Departures and successors")
    if not rows:
        text = say(fr="Aucun départ n'est enregistré.", en="No departure is recorded.")
        return Section("departures", title, (Paragraph("departures.none", text, ("S5",)),))
    columns = author.columns(
        fr="Personne|Dernier jour|Numéros|Répond désormais", en="Person|Last day|Numbers|Answers now"
    )
    caption = say(fr="Leurs numéros restent et aboutissent ailleurs", en="Their numbers stay and lead elsewhere")
    return Section("departures", title, (Table(caption, columns, tuple(rows), ("S5",)),))
