"""Menus: what each key leads to, and who presses none."""

from __future__ import annotations

from router.configuration.menu_sections import MenuSection
from router.configuration.menus import REPEAT
from router.document.author import Author
from router.document.language import capitalised
from router.document.policy_document import Block, Bullets, Paragraph
from router.model.decision import TIMEOUT, WRONG
from router.policy.snapshot import Menu


def menus(author: Author) -> list[Block]:
    """Write what is laid down about each menu; nothing where there is none."""
    say = author.say
    blocks: list[Block] = []
    for name, section in author.document.menus.items():
        title = author.quoted(name)
        text = say(
            fr=f"Dans le menu {title}, l'appelant choisit par une touche, à tout moment :",
            en=f"In the menu {title} callers choose by a key, at any moment:",
        )
        blocks.append(Paragraph(f"menus.{name}", text, ("Q1",)))
        blocks.append(Bullets(tuple(_items(author, name, section))))
    return blocks


def _items(author: Author, name: str, section: MenuSection) -> list[Paragraph]:
    say, menu = author.say, author.policy.menus[name]
    items = []
    for key in menu.ways:
        if key not in (TIMEOUT, WRONG):
            clause = "Q1" if key in section.keys else "Q5"
            items.append(
                _item(f"menus.{name}.{key}", say(fr=f"Touche {key}", en=f"Key {key}"), _way(author, menu, key), clause)
            )
    for key, language in menu.languages.items():
        text = say(fr="la suite est dite", en="what follows is said") + f" {author.in_language(language.code)}."
        items.append(_item(f"menus.{name}.{key}", say(fr=f"Touche {key}", en=f"Key {key}"), text, "Q1"))
    times = section.repeats + 1
    asked = say(
        fr=f"le menu est dit {times} fois, avec {author.language.duration(section.timeout)} pour choisir ; ensuite, ",
        en=f"the menu is said {times} times, with {author.language.duration(section.timeout)} to choose; then, ",
    )
    title = say(fr="Sans choix", en="Without a choice")
    items.append(_item(f"menus.{name}.{TIMEOUT}", title, asked + _way(author, menu, TIMEOUT), "S3"))
    if section.on_wrong != REPEAT:
        title = say(fr="Touche inconnue", en="Unknown key")
        items.append(_item(f"menus.{name}.{WRONG}", title, _way(author, menu, WRONG), "S3"))
    return items


def _way(author: Author, menu: Menu, key: str) -> str:
    return author.goes_to(menu.ways[key].reason.text.rpartition(" → ")[2])


def _item(id: str, title: str, text: str, clause: str) -> Paragraph:
    return Paragraph(id, capitalised(text), (clause,), title)
