"""The written policy as a tree, before it becomes HTML, Markdown or PDF."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

# Characters that turn the direction of what follows: a name that holds one could make a sentence read otherwise.
_TURNING = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One statement.

    Args:
        id: names the statement for good, whatever it says: "roles.sales.on_call".
        text: plain text, unescaped.
        clauses: of the policy that it states ("M2").
        term: what it is about, printed in front of the text; "" for none.
    """

    id: str
    text: str
    clauses: tuple[str, ...] = ()
    term: str = ""


@dataclass(frozen=True, slots=True)
class Bullets:
    """A list of statements."""

    items: tuple[Paragraph, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table, which is a statement too; as many cells as the table has columns."""

    id: str
    cells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `clauses` hold for all its rows."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    clauses: tuple[str, ...] = ()


Block = Paragraph | Bullets | Table


@dataclass(frozen=True, slots=True)
class Section:
    """A titled part: first its blocks, then its sections."""

    id: str
    title: str
    blocks: tuple[Block, ...] = ()
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Labels:
    """Words that a renderer puts between the parts."""

    contents: str
    page: str
    of: str


@dataclass(frozen=True, slots=True)
class PolicyDocument:
    """The whole document.

    Args:
        language: "fr" or "en".
        title, company: printed on top.
        stamp: from which configuration it was written, and when; the only line that any change changes.
        written_at: the moment of `stamp`, with its zone.
        sections: the chapters.
        labels: see `Labels`.
    """

    language: str
    title: str
    company: str
    stamp: str
    written_at: datetime
    sections: tuple[Section, ...]
    labels: Labels

    def statements(self) -> dict[str, Paragraph | Row]:
        """Return every statement by its id.

        Raises:
            ValueError: two statements have the same id.
        """
        statements: dict[str, Paragraph | Row] = {}
        for statement in _statements(self.sections):
            if statement.id in statements:
                raise ValueError(f"two statements are called {statement.id!r}")
            statements[statement.id] = statement
        return statements

    def numbered(self) -> Iterator[tuple[str, int, Section]]:
        """Yield each section in reading order with its number ("4.2") and depth (1 for a chapter)."""
        yield from _numbered(self.sections, "", 1)


def printable(text: str) -> str:
    """Return text without what nobody can see but a reader or a printer obeys: control and direction characters."""
    return "".join(
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs") else character
        for character in text
        if character not in _TURNING
    )


def _statements(sections: tuple[Section, ...]) -> Iterator[Paragraph | Row]:
    for section in sections:
        for block in section.blocks:
            match block:
                case Paragraph():
                    yield block
                case Bullets():
                    yield from block.items
                case Table():
                    yield from block.rows
        yield from _statements(section.sections)


def _numbered(sections: tuple[Section, ...], before: str, depth: int) -> Iterator[tuple[str, int, Section]]:
    for position, section in enumerate(sections, start=1):
        number = f"{before}{position}"
        yield number, depth, section
        yield from _numbered(section.sections, f"{number}.", depth + 1)
