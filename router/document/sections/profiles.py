"""Profiles: the standard ones, those of some roles, how one is selected, and which one counts."""

from __future__ import annotations

from typing import Final

from router.configuration.schema import ProfileSection
from router.document.author import Author
from router.document.language import capitalised
from router.document.policy_document import Block, Bullets, Paragraph, Section
from router.document.sections import shown_numbers
from router.model.decision import Connection

_BY: Final = {
    "administrator": ("l'administrateur", "the administrator"),
    "person": ("la personne elle-même", "the person themselves"),
    "calendar": ("son agenda", "their calendar"),
    "schedule": ("l'horaire du rôle", "the schedule of the role"),
}


def profiles(author: Author) -> Section:
    say, codes, calendars = author.say, author.document.codes, author.document.calendar_feed.profiles
    order = [say(fr=_BY[by][0], en=_BY[by][1]) for by in author.document.company.profile_order]
    blocks: list[Block] = [
        Paragraph(
            "profiles.choice",
            say(
                fr="L'administrateur crée et modifie les profils ; chacun choisit le sien selon le moment, dans les "
                "limites de son rôle. Où rien n'est écrit, tous les profils ouverts au rôle sont au choix, et chacun "
                "garde les destinations du profil.",
                en="The administrator makes and changes profiles; everybody selects theirs as the moment asks, within "
                "the limits of their role. Where nothing is written, all profiles that are for the role may be chosen, "
                "and calls go where the profile says.",
            ),
            ("P1", "P2", "R8"),
        ),
        Paragraph(
            "profiles.order",
            say(
                fr=f"Quand plusieurs choix se contredisent, le plus fort l'emporte, dans cet ordre : "
                f"{', '.join(order)}.",
                en=f"Where choices disagree, the strongest counts, in this order: {', '.join(order)}.",
            ),
            ("G4",),
        ),
    ]
    if any(profile.code is not None for profile in author.document.profiles.values()):
        text = say(
            fr="Le code d'un profil peut être suivi d'une heure de fin (code*1530 : jusqu'à 15:30), puis d'une "
            "destination (code*1530*201 : les appels vont entre-temps au 201).",
            en="The code of a profile may be followed by the time at which it ends (code*1530: until 15:30), and by a "
            "destination (code*1530*201: calls go to 201 meanwhile).",
        )
        blocks.append(Paragraph("profiles.codes", text, ("P2", "R8")))
    if codes.back is not None:
        text = say(
            fr=f"Composer {codes.back} annule son propre choix.",
            en=f"Dialling {codes.back} takes one's own choice back.",
        )
        blocks.append(Paragraph("profiles.back", text, ("P2",)))
    if codes.mailbox is not None:
        text = say(
            fr=f"Composer {codes.mailbox} ouvre sa propre messagerie : écouter, sauvegarder, effacer ou transférer les "
            "messages, rappeler leur auteur, enregistrer ses annonces.",
            en=f"Dialling {codes.mailbox} opens one's own mailbox: to hear, save, delete or forward messages, to call "
            "back whoever left one, to record one's greetings.",
        )
        blocks.append(Paragraph("profiles.mailbox", text, ("V1",)))
    blocks += _callbacks(author)
    if calendars:
        words = []
        for word, profile in calendars.items():
            if word:
                title = author.language.quoted(word)
                words.append(say(fr=f"{title} : {author.quoted(profile)}", en=f"{title}: {author.quoted(profile)}"))
            else:
                words.append(say(fr=f"autre : {author.quoted(profile)}", en=f"any other: {author.quoted(profile)}"))
        listed = ", ".join(words)
        text = say(
            fr=f"Un rendez-vous de l'agenda fixe le profil, selon un mot de son titre : {listed}.",
            en=f"An appointment in the calendar sets the profile, by a word of its title: {listed}.",
        )
        blocks.append(Paragraph("profiles.calendar", text, ("P2",)))
    sections = author.document.profiles
    standard = tuple(_profile(author, name, section) for name, section in sections.items() if not section.roles)
    specific = tuple(_profile(author, name, section) for name, section in sections.items() if section.roles)
    return Section(
        "profiles",
        say(fr="Profils et renvois", en="Profiles and forwarding"),
        tuple(blocks),
        (
            _listed(author, "standard", standard, say(fr="Profils standard", en="Standard profiles")),
            _listed(author, "specific", specific, say(fr="Profils spécifiques", en="Specific profiles")),
            number_codes(author),
        ),
    )


def _callbacks(author: Author) -> list[Paragraph]:
    """State how callers are called back, where the router does that."""
    document, say = author.document, author.say
    rules = document.callbacks
    offered = any("callback" in profile.offers for profile in document.profiles.values())
    if not (offered and rules.tries and any(target.mailbox for target in document.targets.values())):
        return []
    days = f"{rules.keep_days:g}"
    text = say(
        fr="Qui a demandé à être rappelé l'est dès que la personne est de retour et que sa ligne est libre, jamais "
        "hors de ses heures : le téléphone de la personne sonne, elle appuie sur une touche, et le routeur appelle le "
        "demandeur avec le numéro que la personne montre ; une destination bloquée n'est pas appelée. La demande reste "
        f"un message dans la messagerie, et n'est plus que cela après {rules.tries} essais en vain ou {days} jours.",
        en="Whoever asked to be called back is, as soon as the person is back and their line is free, never outside "
        "their hours: the person's phone rings, they press a key, and the router calls the caller with the number "
        "that the person shows; a blocked destination is not called. The request stays a message in the mailbox, and "
        f"is nothing more after {rules.tries} tries in vain or {days} days.",
    )
    return [Paragraph("profiles.callback", text, ("P3", "S6", "X2"))]


def _listed(author: Author, kind: str, paragraphs: tuple[Paragraph, ...], title: str) -> Section:
    if paragraphs:
        return Section(f"profiles.{kind}", title, (Bullets(paragraphs),))
    text = author.say(fr="Il n'y en a pas.", en="There are none.")
    return Section(f"profiles.{kind}", title, (Paragraph(f"profiles.{kind}.none", text),))


def _profile(author: Author, name: str, section: ProfileSection) -> Paragraph:
    say = author.say
    clauses = [section.clause or ("R9" if section.roles else "P2")]
    sentences = [_effect(author, section)]
    if section.says:
        message = author.messages(section.says)
        sentences.append(say(fr=f"L'appelant entend {message}.", en=f"The caller hears {message}."))
    if section.offers:
        offers = author.language.either(_offer(author, offer) for offer in section.offers)
        sentences.append(say(fr=f"Il peut {offers}.", en=f"They may {offers}."))
        clauses.append("P3")
    rules = _shown(section)
    if rules:
        words = shown_numbers.by_connection(author, rules)
        sentences.append(
            say(fr=f"Les appels passés entre-temps affichent {words}.", en=f"Calls made meanwhile show {words}.")
        )
        clauses.append("P4")
    if section.roles:
        who = author.language.also(author.role(role) for role in section.roles)
        sentences.append(say(fr=f"Réservé à : {who}.", en=f"Only for: {who}."))
    if section.code is not None:
        sentences.append(say(fr=f"Se choisit en composant {section.code}.", en=f"Selected by dialling {section.code}."))
        clauses.append("P2")
    if section.from_calendar:
        sentences.append(say(fr="L'agenda peut le fixer.", en="The calendar may set it."))
        clauses.append("P2")
    if section.ends_after is not None:
        after = author.language.duration(section.ends_after)
        sentences.append(say(fr=f"Prend fin de lui-même après {after}.", en=f"It ends by itself after {after}."))
        clauses.append("P2")
    term = capitalised(name.replace("_", " "))
    return Paragraph(f"profiles.{name}", " ".join(sentences), tuple(dict.fromkeys(clauses)), term)


def _effect(author: Author, section: ProfileSection) -> str:
    say = author.say
    if section.then is not None:
        target = author.target(section.then)
        return say(
            fr=f"L'appel est renvoyé vers {target}, sans sonner chez la personne.",
            en=f"The call is forwarded to {target} without ringing the person.",
        )
    match section.kind:
        case "available":
            return say(
                fr="Les appels sonnent chez la personne, quoi que dise l'horaire.",
                en="Calls ring the person, whatever the schedule says.",
            )
        case "busy_other":
            return say(
                fr="L'appel va, sans sonner, où le rôle l'envoie quand on est en réunion ou occupé ailleurs.",
                en="The call goes, without ringing, where the role sends it in a meeting or when busy otherwise.",
            )
    return say(
        fr="L'appel va, sans sonner, où le rôle l'envoie pendant une absence.",
        en="The call goes, without ringing, where the role sends it during an absence.",
    )


def _shown(section: ProfileSection) -> dict[Connection, str]:
    if section.shows is None:
        return {}
    rules = {connection: shown_numbers.rule_for(connection, [section.shows]) for connection in Connection}
    return {connection: rule for connection, rule in rules.items() if rule is not None}


def _offer(author: Author, offer: str) -> str:
    say = author.say
    kind, _, argument = offer.partition(":")
    match kind:
        case "message":
            return say(fr="laisser un message", en="leave a message")
        case "callback":
            return say(fr="demander à être rappelé", en="ask to be called back")
        case "transfer":
            target = author.target(argument)
            return say(fr=f"être mis en relation avec {target}", en=f"be put through to {target}")
    return author.quoted(offer)


def number_codes(author: Author) -> Section:
    """State the codes dialled before a number, for one call."""
    say, codes = author.say, author.document.codes
    paragraphs = []
    if codes.hide_number is not None:
        text = say(fr="Cache le numéro pour cet appel.", en="Hides the number for this call.")
        paragraphs.append(Paragraph("codes.hide_number", text, ("G1",), codes.hide_number))
    for code, rule in codes.show.items():
        what = shown_numbers.shown(author, rule)
        text = say(fr=f"Affiche {what} pour cet appel.", en=f"Shows {what} for this call.")
        paragraphs.append(Paragraph(f"codes.show.{code}", text, ("G1",), code))
    title = say(fr="Codes à composer devant un numéro", en="Codes dialled before a number")
    if paragraphs:
        return Section("codes", title, (Bullets(tuple(paragraphs)),))
    text = say(fr="Il n'y en a pas.", en="There are none.")
    return Section("codes", title, (Paragraph("codes.none", text),))
