"""Renders the written policy as CommonMark."""

from __future__ import annotations

import re
from typing import Final

from router.document.policy_document import Bullets, Paragraph, PolicyDocument, Table, printable

# What CommonMark and its usual extensions (tables, ~~, bare links, mathematics) may read as more than itself.
_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#!|~&$^@]|^[-+=:]|:(?=//)|(?<=www)\.)")
_STARTS_LIST: Final = re.compile(r"^(\d{1,9})([.)])(?=\s|$)")


def render(document: PolicyDocument) -> str:
    """Return the document as CommonMark with tables; everything that is not ours is escaped."""
    lines = [f"# {escaped(document.title)}", "", f"**{escaped(document.company)}**", "", escaped(document.stamp), ""]
    for number, depth, section in document.numbered():
        lines += [f"{'#' * min(depth + 1, 6)} {escaped(number)} {escaped(section.title)}", ""]
        for block in section.blocks:
            match block:
                case Paragraph():
                    lines += [_paragraph(block), ""]
                case Bullets():
                    lines += [f"- {_paragraph(item)}" for item in block.items]
                    lines.append("")
                case Table():
                    lines += [*_table(block), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def escaped(text: str) -> str:
    """Return plain text so that CommonMark shows it as it is, on one line."""
    line = _SPECIAL.sub(r"\\\1", printable(text).strip())
    return _STARTS_LIST.sub(r"\1\\\2", line)


def _paragraph(paragraph: Paragraph) -> str:
    term = f"**{escaped(paragraph.term)}** – " if paragraph.term else ""  # noqa: RUF001 (typography, not a minus)
    return f"{term}{escaped(paragraph.text)}{_clauses(paragraph.clauses)}"


def _clauses(clauses: tuple[str, ...]) -> str:
    return f" \\[{', '.join(escaped(clause) for clause in clauses)}\\]" if clauses else ""


def _table(table: Table) -> list[str]:
    return [
        f"{escaped(table.caption)}{_clauses(table.clauses)}",
        "",
        _row(table.columns),
        _row(tuple("---" for _ in table.columns), raw=True),
        *(_row(row.cells) for row in table.rows),
    ]


def _row(cells: tuple[str, ...], *, raw: bool = False) -> str:
    return f"| {' | '.join(cell if raw else escaped(cell) for cell in cells)} |"
