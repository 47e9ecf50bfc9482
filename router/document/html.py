"""Renders the written policy as one self-contained page, made to be read on a screen and printed on A4."""

from __future__ import annotations

from html import escape
from typing import Final

from router.document.policy_document import Block, Bullets, Paragraph, PolicyDocument, Row, Section, Table, printable

_STYLE: Final = """\
:root { color-scheme: light; --ink: #1c2733; --quiet: #52606d; --accent: #0b4f6c; --line: #cfd8df; --paper: #fff; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 2rem 1.5rem 4rem; background: var(--paper); color: var(--ink);
  font: 1rem/1.55 "Open Sans", "Segoe UI", "Noto Sans", "DejaVu Sans", system-ui, sans-serif; }
header { border-bottom: 3px solid var(--accent); margin-bottom: 2rem; padding-bottom: 1rem; }
header p { margin: .2rem 0; }
.company { color: var(--accent); font-weight: 600; letter-spacing: .02em; }
.stamp, .clauses, caption .clauses { color: var(--quiet); font-size: .8rem; }
.clauses { white-space: nowrap; font-weight: 400; }
h1 { font-size: 2rem; line-height: 1.2; margin: .2rem 0 .4rem; }
h2 { border-bottom: 1px solid var(--line); color: var(--accent); font-size: 1.45rem; margin: 2.8rem 0 .8rem;
  padding-bottom: .25rem; }
h3 { font-size: 1.15rem; margin: 1.8rem 0 .5rem; }
h4 { font-size: 1rem; margin: 1.3rem 0 .4rem; }
.number { color: var(--quiet); font-weight: 400; margin-right: .5em; }
p { margin: .5rem 0; }
ul { margin: .5rem 0; padding-left: 1.2rem; }
li { margin: .3rem 0; }
nav ol { list-style: none; margin: 0; padding: 0; }
nav ol ol { padding-left: 1.6rem; }
nav a { color: inherit; text-decoration: none; }
nav a:hover, nav a:focus { text-decoration: underline; }
table { border-collapse: collapse; font-size: .92rem; margin: 1rem 0; width: 100%; }
caption { color: var(--quiet); font-size: .88rem; padding-bottom: .4rem; text-align: left; }
th, td { border-bottom: 1px solid var(--line); overflow-wrap: anywhere; padding: .35rem .6rem .35rem 0;
  text-align: left; vertical-align: top; }
thead th { border-bottom: 2px solid var(--accent); }
tbody th { font-weight: 600; }
@page { size: A4; margin: 20mm 18mm 22mm;
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt "Open Sans", sans-serif; } }
@media print {
  body { font-size: 10pt; max-width: none; padding: 0; }
  li, tr, p { break-inside: avoid; }
  nav { break-after: page; font-size: 9pt; line-height: 1.35; }
  nav > ol { columns: 2; }
  nav li { break-inside: auto; }
  h2, h3, h4, caption { break-after: avoid; }
  thead { display: table-header-group; }
}
"""


def render(document: PolicyDocument) -> str:
    """Return the page. It loads nothing and holds no script; everything that is not ours is escaped."""
    numbers = {section.id: number for number, _, section in document.numbered()}
    title = f"{_text(document.title)} – {_text(document.company)}"  # noqa: RUF001 (typography, not a minus)
    parts = [
        "<!doctype html>",
        f'<html lang="{_text(document.language)}">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{title}</title>",
        f"<style>\n{_STYLE}</style>",
        "</head>",
        "<body>",
        "<header>",
        f'<p class="company">{_text(document.company)}</p>',
        f"<h1>{_text(document.title)}</h1>",
        f'<p class="stamp">{_text(document.stamp)}</p>',
        "</header>",
        '<nav aria-labelledby="contents">',
        f'<h2 id="contents">{_text(document.labels.contents)}</h2>',
        *_contents(document.sections, numbers),
        "</nav>",
        "<main>",
    ]
    for section in document.sections:
        parts += _section(section, numbers, 2)
    parts += ["</main>", "</body>", "</html>", ""]
    return "\n".join(parts)


def _text(text: str) -> str:
    return escape(printable(text), quote=True)


def _anchor(id: str) -> str:
    # White space would end the id, and a reader's own words (a file name, say) may hold some.
    return _text("-".join(id.split()))


def _contents(sections: tuple[Section, ...], numbers: dict[str, str]) -> list[str]:
    if not sections:
        return []
    parts = ["<ol>"]
    for section in sections:
        number = f'<span class="number">{numbers[section.id]}</span>'
        parts.append(f'<li><a href="#{_anchor(section.id)}">{number}{_text(section.title)}</a>')
        parts += [*_contents(section.sections, numbers), "</li>"]
    return [*parts, "</ol>"]


def _section(section: Section, numbers: dict[str, str], level: int) -> list[str]:
    heading = f"h{min(level, 6)}"
    number = f'<span class="number">{numbers[section.id]}</span>'
    id = _anchor(section.id)
    parts = [
        f'<section aria-labelledby="{id}">',
        f'<{heading} id="{id}">{number}{_text(section.title)}</{heading}>',
    ]
    for block in section.blocks:
        parts += _block(block)
    for inner in section.sections:
        parts += _section(inner, numbers, level + 1)
    return [*parts, "</section>"]


def _block(block: Block) -> list[str]:
    match block:
        case Paragraph():
            return [f'<p id="{_anchor(block.id)}">{_sentence(block)}</p>']
        case Bullets():
            items = (f'<li id="{_anchor(item.id)}">{_sentence(item)}</li>' for item in block.items)
            return ["<ul>", *items, "</ul>"]
    return _table(block)


def _sentence(paragraph: Paragraph) -> str:
    term = f"<strong>{_text(paragraph.term)}</strong> – " if paragraph.term else ""  # noqa: RUF001 (typography)
    return f"{term}{_text(paragraph.text)}{_clauses(paragraph.clauses)}"


def _clauses(clauses: tuple[str, ...]) -> str:
    return f' <span class="clauses">[{_text(", ".join(clauses))}]</span>' if clauses else ""


def _table(table: Table) -> list[str]:
    heads = "".join(f'<th scope="col">{_text(column)}</th>' for column in table.columns)
    return [
        "<table>",
        f"<caption>{_text(table.caption)}{_clauses(table.clauses)}</caption>",
        f"<thead><tr>{heads}</tr></thead>",
        "<tbody>",
        *(_row(row) for row in table.rows),
        "</tbody>",
        "</table>",
    ]


def _row(row: Row) -> str:
    first, *others = (_text(cell) for cell in row.cells)
    cells = "".join(f"<td>{cell}</td>" for cell in others)
    return f'<tr id="{_anchor(row.id)}"><th scope="row">{first}</th>{cells}</tr>'
