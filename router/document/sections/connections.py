"""Mobiles, fixed lines, private phones, voicemail, and what the company provides: phones and data."""

from __future__ import annotations

from router.configuration.identities import USUAL
from router.document.author import Author
from router.document.policy_document import Block, Bullets, Paragraph, Row, Section, Table
from router.document.sections import shown_numbers
from router.model.decision import (
    Connection,
    DialNumber,
    RingPerson,
    Target,
)


def mobile(author: Author) -> Section:
    say = author.say
    return Section(
        "mobile",
        say(fr="Connexions mobiles", en="Mobile connections"),
        (
            _shown(author, Connection.MOBILE, "M1"),
            Paragraph(
                "mobile.rules",
                say(
                    fr="Un mobile suit les mêmes règles que la ligne fixe : la politique s'attache à la personne. Où "
                    "vont ses appels quand elle est en communication, occupée ou absente se lit sous son rôle.",
                    en="A mobile follows the same rules as the fixed line: the policy belongs to the person. Where "
                    "their calls go while they are on a call, busy or absent stands below their role.",
                ),
                ("F4",),
            ),
        ),
    )


def voicemail(author: Author) -> Section:
    say = author.say
    target = author.document.targets.get("voicemail")
    blocks: list[Block] = []
    if target is None:
        blocks.append(author.silent_about("voicemail.none", fr="sur la boîte vocale", en="voicemail"))
    elif any(word in (target.sip or target.mailbox or "") for word in ("{extension}", "{person}")):
        blocks.append(
            Paragraph(
                "voicemail.mailboxes",
                say(
                    fr="Chaque personne a sa propre boîte vocale, fixe et mobile confondus.",
                    en="Everybody has a mailbox of their own, one for the fixed line and the mobile.",
                ),
                ("M2", "F2"),
            )
        )
    else:
        blocks.append(
            Paragraph(
                "voicemail.mailboxes",
                say(
                    fr="Une seule boîte vocale reçoit les messages de tous.",
                    en="One mailbox takes the messages of everybody.",
                ),
                ("M2", "F2"),
            )
        )
    blocks.append(
        author.silent_about(
            "voicemail.greeting",
            fr="sur le texte des annonces d'accueil personnelles",
            en="the wording of personal greetings",
        )
    )
    return Section("voicemail", say(fr="Boîte vocale", en="Voicemail"), tuple(blocks))


def data_packs(author: Author) -> Section:
    say, inventory = author.say, author.document.inventory
    blocks: list[Block] = []
    if inventory.data_packs:
        columns = author.columns(fr="Abonnement|Volume par mois|Pour", en="Subscription|Volume a month|For")
        rows = []
        for position, pack in enumerate(inventory.data_packs, start=1):
            volume = "" if pack.gigabytes is None else author.language.decimal(pack.gigabytes)
            volume = say(fr=f"{volume} Go", en=f"{volume} GB") if volume else ""
            rows.append(
                Row(f"data_packs.{position}", (pack.name, volume, author.people_and_roles(pack.people) or "–"))  # noqa: RUF001
            )
        blocks.append(Table(say(fr="Abonnements", en="Subscriptions"), columns, tuple(rows), ("D3",)))
    else:
        blocks.append(
            author.silent_about("data_packs.none", fr="sur les abonnements de données", en="data subscriptions")
        )
    if inventory.wireless:
        blocks.append(Paragraph("data_packs.wireless", author.spoken_here(inventory.wireless), ("D3",)))
    else:
        blocks.append(
            author.silent_about("data_packs.wireless", fr="sur le réseau sans fil", en="the wireless network")
        )
    return Section("data_packs", say(fr="Pack data", en="Data pack"), tuple(blocks))


def phones(author: Author) -> Section:
    say, models = author.say, author.document.inventory.phones
    block: Block
    if models:
        columns = author.columns(fr="Modèle|S'annonce comme", en="Model|Announces itself as")
        rows = tuple(Row(f"phones.{agent}", (model, agent)) for agent, model in models.items())
        block = Table(say(fr="Modèles proposés", en="Models on offer"), columns, rows, ("D3",))
    else:
        block = author.silent_about("phones.none", fr="sur le choix des appareils", en="the choice of phones")
    return Section("phones", say(fr="Téléphones", en="Phones"), (block,))


def private_phones(author: Author) -> Section:
    say = author.say
    days = author.language.duration(author.document.inventory.private_phone_days * 86400.0)
    blocks: list[Block] = [
        Paragraph(
            "private_phones.rule",
            say(
                fr="Un téléphone qui n'appartient pas à l'entreprise ne se raccorde qu'à titre d'exception et pour un "
                "temps : personnel temporaire, consultants, carte SIM qui se fait attendre. Passé la date de fin, il "
                "n'est plus admis.",
                en="A phone that does not belong to the company is connected as an exception and for a time only: "
                "temporary staff, consultants, a SIM card that is late. After its last day it is refused.",
            ),
            ("D1", "S8"),
        ),
        Paragraph(
            "private_phones.nuisance",
            say(
                fr=f"Un téléphone privé ne devrait pas rester raccordé plus de {days} : il finirait par gêner.",
                en=f"A private phone should not stay connected for more than {days}: in the long run it is a nuisance.",
            ),
            ("D2",),
        ),
        _shown(author, Connection.PRIVATE, "S4"),
    ]
    rows = []
    for name, section in author.document.people.items():
        for device_name, device in section.devices.items():
            if device.kind == "private":
                until = author.until(device.until) if device.until is not None else ""
                approved = author.person(device.approved_by or "")
                rows.append(Row(f"private_phones.{name}.{device_name}", (section.name, device_name, approved, until)))
    if rows:
        columns = author.columns(fr="Personne|Appareil|Accordé par|Raccordé", en="Person|Device|Approved by|Connected")
        caption = say(fr="Téléphones privés raccordés", en="Private phones connected")
        blocks.append(Table(caption, columns, tuple(rows), ("D1", "S8")))
    else:
        text = say(fr="Aucun téléphone privé n'est raccordé.", en="No private phone is connected.")
        blocks.append(Paragraph("private_phones.none", text, ("D1",)))
    return Section("private_phones", say(fr="Téléphones privés", en="Private phones"), tuple(blocks))


def fixed(author: Author) -> Section:
    say = author.say
    blocks: list[Block] = [
        Bullets((_shown(author, Connection.FIXED, "F1"), _shown(author, Connection.SOFTPHONE, "F1"))),
        Paragraph(
            "fixed.devices",
            say(
                fr="L'expérience est la même sur un poste fixe, un mobile ou un softphone. Tous les appareils d'une "
                "personne sonnent ensemble, sauf réglage personnel ; le premier qui décroche prend l'appel.",
                en="The experience is the same on a desk phone, a mobile or a softphone. All devices of a person ring "
                "together unless they are set otherwise; the first to answer takes the call.",
            ),
            ("F4",),
        ),
        *_company_fallback(author),
    ]
    without = []
    for name in author.present():
        person = author.policy.people[name]
        if person.without_phone is not None:
            target = author.target(target_name(person.without_phone.target))
            without.append(
                Paragraph(
                    f"fixed.without_phone.{name}",
                    say(
                        fr=f"n'a pas de téléphone ; ses appels vont droit vers {target}.",
                        en=f"has no phone; their calls go straight to {target}.",
                    ),
                    ("F5",),
                    person.name,
                )
            )
    if without:
        blocks.append(Bullets(tuple(without)))
    return Section("fixed", say(fr="Lignes fixes", en="Fixed lines"), tuple(blocks))


def target_name(target: Target) -> str:
    """Return the name by which the configuration knows a target."""
    match target:
        case RingPerson():
            return target.person
        case DialNumber():
            return target.number
    return str(target)


def _company_fallback(author: Author) -> list[Block]:
    rule = author.document.company.shows
    if rule is None:
        return []
    what = shown_numbers.shown(author, rule)
    text = author.say(
        fr=f"Là où aucune autre règle ne s'applique, l'entreprise affiche {what}.",
        en=f"Where no other rule applies, the company shows {what}.",
    )
    return [Paragraph("fixed.company", text, ("G1",))]


def _shown(author: Author, connection: Connection, usual_clause: str) -> Paragraph:
    rule = shown_numbers.rule_for(connection, (author.document.connections, USUAL)) or ""
    where, what = shown_numbers.connection_words(author, connection), shown_numbers.shown(author, rule)
    text = author.say(
        fr=f"Un appel passé depuis {where} affiche {what}, à moins que le rôle, le profil ou la personne n'en dispose "
        "autrement.",
        en=f"A call made from {where} shows {what}, unless the role, the profile or the person says otherwise.",
    )
    usual = shown_numbers.rule_for(connection, (USUAL,))
    found = (usual_clause,) if rule == usual else shown_numbers.clauses([rule])
    return Paragraph(f"{connection.value}.shown", text, (*found, "G1"))
