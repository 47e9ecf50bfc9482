"""Queues: who answers and in which order, how long callers wait, what they hear, and where they go otherwise."""

from __future__ import annotations

from collections.abc import Iterator

from router.configuration.queue_sections import MaxWait, QueueSection
from router.configuration.queues import USUAL_SCRIPT
from router.document.author import Author
from router.document.language import capitalised
from router.document.policy_document import Block, Bullets, Paragraph


def queues(author: Author) -> list[Block]:
    """Write what is laid down about each queue."""
    if not author.document.queues:
        return [
            author.silent_about(
                "lines.queues",
                fr="sur l'attente dans les files : durée, annonces, musique, ordre de réponse",
                en="waiting in queues: how long, announcements, music, who answers first",
            )
        ]
    say = author.say
    blocks: list[Block] = [
        Paragraph(
            "lines.queues",
            say(
                fr="Chaque client qui attend apprend sa place dans la file, à son arrivée et chaque fois qu'elle "
                "s'améliore, avec le message « Merci d'avoir attendu ». Qui a appelé avant la fermeture est servi, "
                "même s'il est plus tard.",
                en="Everybody who waits is told their place in the queue, on arrival and whenever it improves, with "
                "“Thank you for waiting”. Whoever called before closing time is served, however late it is.",
            ),
            ("Q3", "Q4", "Q13"),
        )
    ]
    for name, section in author.document.queues.items():
        items = [
            Paragraph(f"queues.{name}.{key}", capitalised(text), clauses, title)
            for key, title, text, clauses in _items(author, section)
        ]
        heading = f"{section.name} ({section.number})" if section.number else section.name
        blocks.append(Paragraph(f"queues.{name}", say(fr=f"File d'attente {heading} :", en=f"Queue {heading}:")))
        blocks.append(Bullets(tuple(items)))
    return blocks


def _items(author: Author, section: QueueSection) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    say = author.say
    yield "agents", say(fr="Répondent", en="Answered by"), _agents(author, section), (_ORDER_CLAUSES[section.rings],)
    if section.hours is not None:
        opened = author.quoted(section.hours)
        text = say(fr=f"Pendant les heures {opened} ; en dehors, ", en=f"During the hours {opened}; outside them, ")
        yield "hours", say(fr="Ouverte", en="Open"), text + _closed(author, section), ("Q11", _closed_clause(section))
    yield "wait", say(fr="Attente", en="Waiting"), _wait(author, section), ("Q2", "G3")
    if section.priority.numbers or section.priority.files:
        numbers = author.language.also([*section.priority.numbers, *section.priority.files])
        text = say(
            fr=f"Passent d'abord les numéros VIP et les clients d'entreprise : {numbers}.",
            en=f"VIP numbers and corporate customers go first: {numbers}.",
        )
        yield "priority", say(fr="Priorité", en="Priority"), text, ("Q16",)
    if section.keys.message:
        text = say(
            fr=f"À tout moment, la touche {section.keys.message} permet de laisser un message.",
            en=f"At any moment, key {section.keys.message} leaves a message.",
        )
        yield "message", say(fr="Message", en="Message"), text, ("Q5",)
    text = say(
        fr="Instrumentale, et libre de droits ou sous licence.", en="Instrumental, and free of rights or licensed."
    )
    yield "music", say(fr="Musique", en="Music"), text, ("Q6",)
    script = author.spoken_here(section.script or USUAL_SCRIPT)
    script = script.replace("{company}", author.document.company.name)
    script = script.replace("{agent}", say(fr="[nom]", en="[name]"))
    yield "script", say(fr="Accueil", en="Greeting"), f"{author.language.quoted(script)}.", ("Q7",)
    shown = section.shows.number or section.number or author.document.company.main_number
    title = author.language.quoted(section.shows.name or section.name)
    text = say(
        fr=f"Un appel passé ou renvoyé au nom de la file affiche le {shown} et {title}.",
        en=f"A call made or forwarded on behalf of the queue shows {shown} and {title}.",
    )
    if section.code is not None:
        text += say(fr=f" Code : {section.code}.", en=f" Code: {section.code}.")
    yield "shows", say(fr="Affiche", en="Shows"), text, ("Q8", "G2")


def _agents(author: Author, section: QueueSection) -> str:
    fr, en = _ORDERS[section.rings]
    who = author.people_and_roles(section.agents)
    return author.say(fr=f"{who} ; {fr}.", en=f"{who}; {en}.")


def _closed(author: Author, section: QueueSection) -> str:
    say, closed = author.say, section.closed
    if closed is not None and closed.external is not None:
        return say(
            fr=f"l'appel va au service de réponse externe, le {closed.external}.",
            en=f"the call goes to the answering service outside, {closed.external}.",
        )
    if closed is not None and closed.voicemail is not None:
        boxes = author.document.mailboxes
        name = boxes[closed.voicemail].name if closed.voicemail in boxes else author.person(closed.voicemail)
        return say(fr=f"l'appel va à la boîte vocale {author.language.quoted(name)}.", en=f"the call goes to the "
                   f"mailbox {author.language.quoted(name)}.")  # fmt: skip
    target = author.target((closed.then if closed is not None else None) or "voicemail")
    return say(fr=f"l'appel va vers {target}.", en=f"the call goes to {target}.")


def _closed_clause(section: QueueSection) -> str:
    return "Q15" if section.closed is not None and section.closed.external is not None else "Q12"


def _wait(author: Author, section: QueueSection) -> str:
    say, wait = author.say, section.max_wait
    if not isinstance(wait, MaxWait):
        return say(fr="sans limite.", en="without limit.")
    longest, target = author.language.duration(wait.after), author.target(wait.then)
    text = say(
        fr=f"personne n'attend plus de {longest} ; ensuite, l'appel va vers {target}.",
        en=f"nobody waits longer than {longest}; then the call goes to {target}.",
    )
    if wait.notice:
        notice = author.language.duration(wait.notice)
        text += say(fr=f" Le client en est averti {notice} avant.", en=f" The caller is told so {notice} before.")
    return text


_ORDER_CLAUSES = {"ring_all": "Q10", "longest_idle": "Q14", "round_robin": "Q9", "fewest_calls": "Q9", "skills": "Q9"}
_ORDERS = {
    "ring_all": ("tous les téléphones sonnent, le premier qui décroche répond", "all phones ring, the first answers"),
    "longest_idle": (
        "répond qui est disponible depuis le plus longtemps",
        "whoever has been available for the longest time answers",
    ),
    "round_robin": ("chacun à son tour", "each in turn"),
    "fewest_calls": ("répond qui a pris le moins d'appels", "whoever took the fewest calls answers"),
    "skills": ("répond qui connaît le mieux le sujet", "whoever knows the subject best answers"),
}
