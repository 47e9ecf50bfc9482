"""Why there is a policy, what it rests on, and the words and people one needs to know."""

from __future__ import annotations

from typing import Final

from router.document.author import Author
from router.document.policy_document import Block, Bullets, Paragraph, Row, Section, Table
from router.policy.emergency import PACKS


def context(author: Author) -> Section:
    say, company = author.say, author.document.company.name
    people = author.language.count(len(author.present()), ("personne", "personnes"), ("person", "people"))
    roles = author.language.count(len(author.document.roles), ("rôle", "rôles"), ("role", "roles"))
    return Section(
        "context",
        say(fr="Contexte", en="Context"),
        (
            Paragraph(
                "context.scope",
                say(
                    fr=f"Cette politique vaut pour tous ceux qui travaillent pour {company}, employés et consultants. "
                    f"Elle concerne aujourd'hui {people} et distingue {roles} ; chacun a un rôle, et un seul.",
                    en=f"This policy holds for everybody who works for {company}, employees and consultants alike. "
                    f"Today it concerns {people} and distinguishes {roles}; everybody has one role, and only one.",
                ),
                ("S1",),
            ),
            Paragraph(
                "context.aim",
                say(
                    fr="Joindre la bonne personne, ou savoir tout de suite qui peut aider à sa place : voilà ce "
                    "qu'attendent du téléphone nos clients, nos partenaires et nos collègues, et le but de ces règles.",
                    en="To reach the right person, or to learn at once who can help instead: that is what customers, "
                    "partners and colleagues expect of the telephone, and what these rules are for.",
                ),
            ),
            Paragraph(
                "context.live",
                say(
                    fr="Ce document est tiré de la configuration qui achemine les appels : ce qu'il dit est ce qui se "
                    "passe. Les sigles entre crochets désignent les clauses de la politique ; l'explication d'un appel "
                    "cite les mêmes.",
                    en="This document is drawn from the configuration that routes the calls: what it says is what "
                    "happens. The letters in brackets name the clauses of the policy; the explanation of a call cites "
                    "the same ones.",
                ),
            ),
        ),
    )


def strategy(author: Author) -> Section:
    say, company = author.say, author.document.company
    return Section(
        "strategy",
        say(fr="Stratégie téléphonique", en="Telephone strategy"),
        (
            Bullets(
                (
                    Paragraph(
                        "strategy.main_number",
                        say(
                            fr=f"{company.name} se présente au monde extérieur par ses numéros fixes. Son numéro "
                            f"principal est le {company.main_number}.",
                            en=f"Towards the outside world {company.name} goes by its fixed numbers. Its main number "
                            f"is {company.main_number}.",
                        ),
                        ("S2",),
                    ),
                    Paragraph(
                        "strategy.forwarding",
                        say(
                            fr="Quand une personne n'est pas disponible, l'appel est renvoyé là où quelqu'un peut "
                            "aider ou prendre un message ; personne de l'extérieur ne reste devant une simple tonalité "
                            "d'occupation.",
                            en="When somebody is not available, the call is forwarded to where somebody can help or a "
                            "message can be left; no outside caller is left with a bare busy tone.",
                        ),
                        ("S3",),
                    ),
                    Paragraph("strategy.last_resort", _last_resort(author), ("S3",)),
                    Paragraph(
                        "strategy.mobile_numbers",
                        say(
                            fr="Les numéros de portable restent l'exception : aucun n'est affiché à l'extérieur, sauf "
                            "si une règle de ce document le prévoit.",
                            en="Mobile numbers are the exception: none is shown outside unless a rule in this document "
                            "says so.",
                        ),
                        ("S4",),
                    ),
                    Paragraph(
                        "strategy.continuity",
                        say(
                            fr="Un numéro survit à la personne qui l'utilise : en cas de maladie, de congé ou de "
                            "départ, quelqu'un répond.",
                            en="A number outlives the person who uses it: in case of illness, leave or departure, "
                            "somebody answers.",
                        ),
                        ("S5",),
                    ),
                    Paragraph(
                        "strategy.rest",
                        say(
                            fr="Le temps libre est respecté : tant qu'un profil d'absence est en vigueur, les "
                            "téléphones de la personne ne sonnent pas.",
                            en="Free time is respected: as long as a profile of absence is in force, the person's "
                            "phones do not ring.",
                        ),
                        ("S6",),
                    ),
                    Paragraph(
                        "strategy.porting",
                        say(
                            fr=f"Les numéros appartiennent à {company.name}. Nul n'emporte le sien chez un autre "
                            "opérateur (portage) sans autorisation expresse.",
                            en=f"The numbers belong to {company.name}. Nobody takes theirs to another operator "
                            "(porting) without express permission.",
                        ),
                        ("S7",),
                    ),
                    Paragraph(
                        "strategy.deviations",
                        say(
                            fr="Qui a besoin d'une dérogation s'adresse à son responsable. Chaque dérogation nomme qui "
                            "l'a accordée et quand elle prend fin ; passé ce jour, elle n'a plus d'effet.",
                            en="Whoever needs to deviate turns to their manager. Each exception names who approved it "
                            "and when it ends; after that day it has no effect any more.",
                        ),
                        ("S8",),
                    ),
                )
            ),
        ),
    )


def _last_resort(author: Author) -> str:
    known = [author.target(name) for name in ("voicemail", "reception") if name in author.document.targets]
    if not known:
        return author.say(
            fr="Aucun dernier recours n'est prévu pour le cas où une destination ne répond pas.",
            en="There is no last resort for a destination that does not answer.",
        )
    then = author.say(fr=", puis vers ", en=", then to ").join(known)
    return author.say(
        fr=f"Si la destination prévue ne peut répondre, l'appel va vers {then}.",
        en=f"Where the intended destination cannot answer, the call goes to {then}.",
    )


# Term and meaning, in French and English.
_TERMS: Final = (
    (
        "forwarding",
        "Renvoi d'appel",
        "envoi automatique d'un appel vers une autre destination que le poste appelé.",
        "Call forwarding",
        "sending a call on, automatically, to another destination than the phone that was called.",
    ),
    (
        "direct_number",
        "Numéro direct",
        "numéro fixe propre à une personne, joignable de l'extérieur.",
        "Direct number",
        "a fixed number of one person that can be called from outside.",
    ),
    (
        "extension",
        "Poste",
        "numéro court composé entre collègues.",
        "Extension",
        "a short number that colleagues dial.",
    ),
    (
        "shown_number",
        "Numéro affiché",
        "numéro que voit la personne appelée.",
        "Number shown",
        "the number that the called party sees.",
    ),
    (
        "profile",
        "Profil",
        "situation qu'une personne choisit ou que l'horaire fixe, et qui décide de ses appels : en réunion, à midi, "
        "en congé.",
        "Profile",
        "a situation that a person selects or a schedule sets, and that decides about their calls: in a meeting, at "
        "lunch, on leave.",
    ),
    (
        "voicemail",
        "Boîte vocale",
        "répondeur personnel qui enregistre les messages.",
        "Voicemail",
        "a personal answering machine that records messages.",
    ),
    (
        "queue",
        "File d'attente",
        "appels qui attendent, dans l'ordre, le premier collègue libre d'une équipe.",
        "Queue",
        "calls that wait, in order, for the first free colleague of a team.",
    ),
    (
        "softphone",
        "Softphone",
        "téléphone sous forme de logiciel, sur un ordinateur.",
        "Softphone",
        "a telephone in the form of software on a computer.",
    ),
    (
        "porting",
        "Portage",
        "transfert d'un numéro vers un autre opérateur.",
        "Porting",
        "moving a number to another operator.",
    ),
    (
        "greylist",
        "Liste grise",
        "destinations que l'on ne peut pas appeler, pour prévenir la fraude.",
        "Greylist",
        "destinations that cannot be called, to prevent fraud.",
    ),
)


def dictionary(author: Author) -> Section:
    terms = [
        Paragraph(f"dictionary.{key}", author.say(fr=fr_meaning, en=en_meaning), (), author.say(fr=fr, en=en))
        for key, fr, fr_meaning, en, en_meaning in _TERMS
    ]
    terms.extend(
        Paragraph(f"dictionary.own.{term}", author.spoken_here(meaning), ("S9",), term)
        for term, meaning in author.document.inventory.dictionary.items()
    )
    title = author.say(fr="Petit dictionnaire de téléphonie", en="A small telephone dictionary")
    return Section("dictionary", title, (Bullets(tuple(terms)),))


def contacts(author: Author) -> Section:
    say = author.say
    block: Block
    if author.document.company.contacts:
        columns = author.columns(fr="Sujet|Personne|Numéro|Courriel", en="Subject|Person|Number|E-mail")
        rows = tuple(
            Row(f"contacts.{position}", (contact.subject, contact.name, contact.number or "", contact.email or ""))
            for position, contact in enumerate(author.document.company.contacts, start=1)
        )
        block = Table(say(fr="À qui s'adresser", en="Whom to ask"), columns, rows, ("S9",))
    else:
        block = author.silent_about(
            "contacts.none",
            fr="sur les personnes à contacter au sujet de la téléphonie",
            en="whom to ask about the telephones",
        )
    return Section("contacts", say(fr="Contacts", en="Contacts"), (block,))


def emergency(author: Author) -> Section:
    say, company = author.say, author.document.company
    pack = PACKS[company.country]
    country, since = author.language.country(company.country), author.language.day(pack.valid_from)
    blocks: list[Block] = [
        Paragraph(
            "emergency.first",
            say(
                fr="Un appel d'urgence part toujours, avant toute autre règle et tel qu'il a été composé ; les secours "
                "voient le numéro propre de la personne, pour pouvoir rappeler.",
                en="An emergency call always goes out, before any other rule and as it was dialled; the services see "
                "the person's own number, so that they can call back.",
            ),
            ("G1",),
        ),
        Table(
            say(
                fr=f"Numéros d'urgence pour {country}. Source : {pack.source} ; en vigueur depuis le {since} au plus "
                "tard.",
                en=f"Emergency numbers for {country}. Source: {pack.source}; in force since {since} at the latest.",
            ),
            author.columns(fr="Numéro|Service", en="Number|Service"),
            tuple(Row(f"emergency.{number}", (number, service)) for number, service in pack.numbers.items()),
            ("G1",),
        ),
    ]
    if company.short_numbers:
        numbers = author.language.also(company.short_numbers)
        blocks.append(
            Paragraph(
                "emergency.short_numbers",
                say(
                    fr=f"Numéros courts que l'on compose tels quels : {numbers}.",
                    en=f"Short numbers that are dialled as they are: {numbers}.",
                ),
            )
        )
    return Section("emergency", say(fr="Appels d'urgence", en="Emergency calls"), tuple(blocks))
