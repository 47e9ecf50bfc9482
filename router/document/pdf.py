"""Renders the written policy as PDF: A4, with an outline, a table of contents and page numbers.

The fonts are Open Sans, which come along (see fonts/NOTICE.txt): a server seldom has any. They know Latin, Greek and
Cyrillic letters; a character that they do not know is printed as "\N{REPLACEMENT CHARACTER}", so that it can be seen.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from fpdf import FPDF, FontFace, TextStyle, XPos, YPos
from fpdf.enums import TableBordersLayout, WrapMode
from fpdf.outline import TableOfContents

from router import __version__
from router.document.policy_document import Block, Bullets, Paragraph, PolicyDocument, Row, Table, printable

_FONTS: Final = Path(__file__).with_name("fonts")
_FAMILY: Final = "OpenSans"
_INK: Final = (28, 39, 51)
_QUIET: Final = (82, 96, 109)
_ACCENT: Final = (11, 79, 108)
_LINE: Final = (207, 216, 223)
_STRIPE: Final = (245, 248, 250)

# Lengths in millimetres, sizes of type in points.
_MARGIN: Final = 20.0
_BOTTOM: Final = 22.0
_BODY: Final = 9.5
_SMALL: Final = 7.5
_LEADING: Final = 4.9
_KEEP_TOGETHER: Final = {1: 58.0, 2: 42.0, 3: 26.0}  # a heading with less room below it moves to the next page
_UNKNOWN: Final = "\N{REPLACEMENT CHARACTER}"


def render(document: PolicyDocument) -> bytes:
    """Return the PDF. The same document gives the same bytes."""
    return _Printer(document).print()


class _Printer:
    def __init__(self, document: PolicyDocument) -> None:
        self._document = document
        self._pdf = _Pages(document)
        pdf = self._pdf
        pdf.set_creation_date(document.written_at)
        pdf.set_title(printable(document.title))
        pdf.set_subject(printable(document.company))
        pdf.set_author(printable(document.company))
        pdf.set_creator(f"Renvoi {__version__}")
        pdf.set_lang(document.language)

    def print(self) -> bytes:
        self._title_page()
        for number, depth, section in self._document.numbered():
            self._heading(f"{number}  {section.title}", depth)
            for block in section.blocks:
                self._block(block)
        return bytes(self._pdf.output())

    def _title_page(self) -> None:
        pdf, document = self._pdf, self._document
        pdf.add_page()
        pdf.write_line(document.company, 11, bold=True, colour=_ACCENT)
        pdf.write_line(document.title, 24, bold=True)
        pdf.ln(1)
        pdf.write_line(document.stamp, 8.5, colour=_QUIET)
        pdf.rule(0.8, _ACCENT)
        pdf.ln(5)
        pdf.write_line(document.labels.contents, 13, bold=True, colour=_ACCENT)
        pdf.ln(1)
        contents = TableOfContents(
            TextStyle(font_family=_FAMILY, font_style="", font_size_pt=9, color=_INK), line_spacing=1.35
        )
        pdf.insert_toc_placeholder(contents.render_toc, allow_extra_pages=True)

    def _heading(self, title: str, depth: int) -> None:
        pdf = self._pdf
        if pdf.will_page_break(_KEEP_TOGETHER[min(depth, 3)]):
            pdf.add_page()
        else:
            pdf.ln({1: 7.0, 2: 4.5}.get(depth, 3.0))
        pdf.start_section(pdf.known(title), level=depth - 1)
        pdf.write_line(title, {1: 15.0, 2: 11.5}.get(depth, 9.8), bold=True, colour=_ACCENT if depth < 3 else _INK)
        if depth == 1:
            pdf.rule(0.3, _LINE)
        pdf.ln(1.2)

    def _block(self, block: Block) -> None:
        match block:
            case Paragraph():
                self._statement(block)
            case Bullets():
                for item in block.items:
                    self._statement(item, bullet=True)
            case Table():
                self._table(block)
        self._pdf.ln(1.2)

    def _statement(self, paragraph: Paragraph, *, bullet: bool = False) -> None:
        pdf = self._pdf
        if pdf.will_page_break(2 * _LEADING):
            pdf.add_page()
        if bullet:
            pdf.set_x(_MARGIN + 1.5)
            pdf.piece("\N{BULLET}", colour=_ACCENT)
            pdf.set_left_margin(_MARGIN + 5)
            pdf.set_x(_MARGIN + 5)
        if paragraph.term:
            pdf.piece(paragraph.term, bold=True)
            pdf.piece(" \N{EN DASH} ")
        pdf.piece(paragraph.text)
        pdf.clauses(paragraph.clauses)
        pdf.set_left_margin(_MARGIN)
        pdf.ln(_LEADING + 0.9)

    def _table(self, table: Table) -> None:
        pdf = self._pdf
        if pdf.will_page_break(28):
            pdf.add_page()
        pdf.piece(table.caption, size=8.5, colour=_QUIET)
        pdf.clauses(table.clauses)
        pdf.ln(_LEADING + 0.8)
        pdf.set_font(_FAMILY, "", 8.8)
        pdf.set_text_color(*_INK)
        pdf.set_draw_color(*_LINE)
        with pdf.table(
            borders_layout=TableBordersLayout.HORIZONTAL_LINES,
            headings_style=FontFace(emphasis="BOLD", color=_ACCENT),
            cell_fill_color=_STRIPE,
            cell_fill_mode="ROWS",
            col_widths=_widths(table),
            line_height=4.6,
            padding=(0.9, 1.5, 0.9, 1.5),
            text_align="LEFT",
            wrapmode=WrapMode.WORD,
        ) as grid:
            grid.row([pdf.known(column) for column in table.columns])
            for row in table.rows:
                grid.row([pdf.known(cell) for cell in row.cells])
        pdf.ln(1.5)


class _Pages(FPDF):
    """Pages with the running foot, and the few ways in which text is set."""

    def __init__(self, document: PolicyDocument) -> None:
        super().__init__(format="A4")
        self._written = document
        for style, name in (("", "Regular"), ("B", "Semibold")):
            self.add_font(_FAMILY, style, _FONTS / f"OpenSans-{name}.ttf")
        self._known = frozenset(self.fonts[_FAMILY.lower()].cmap)  # type: ignore[union-attr]  # of a font with glyphs
        self.set_margins(_MARGIN, _MARGIN, _MARGIN)
        self.set_auto_page_break(True, _BOTTOM)
        self.set_font(_FAMILY, "", _BODY)

    def footer(self) -> None:
        document = self._written
        self.set_y(-15)
        self.set_font(_FAMILY, "", _SMALL)
        self.set_text_color(*_QUIET)
        self.cell(
            0, 5, self.known(f"{document.company} \N{MIDDLE DOT} {document.title}"), align="L", new_x=XPos.LMARGIN
        )
        self.cell(0, 5, f"{self.page_no()} / {{nb}}", align="R")

    def known(self, text: str) -> str:
        """Return text with a mark in place of what the fonts do not know."""
        return "".join(character if ord(character) in self._known else _UNKNOWN for character in printable(text))

    def write_line(self, text: str, size: float, *, bold: bool = False, colour: tuple[int, int, int] = _INK) -> None:
        self.set_font(_FAMILY, "B" if bold else "", size)
        self.set_text_color(*colour)
        self.multi_cell(0, size * 0.48, self.known(text), align="L", new_x=XPos.LMARGIN, new_y=YPos.NEXT)

    def piece(self, text: str, *, size: float = _BODY, bold: bool = False, colour: tuple[int, int, int] = _INK) -> None:
        self.set_font(_FAMILY, "B" if bold else "", size)
        self.set_text_color(*colour)
        self.write(_LEADING, self.known(text))

    def clauses(self, clauses: tuple[str, ...]) -> None:
        if clauses:
            self.piece(f" [{', '.join(clauses)}]".replace(", ", ",\N{NO-BREAK SPACE}"), size=_SMALL, colour=_QUIET)

    def rule(self, thickness: float, colour: tuple[int, int, int]) -> None:
        self.ln(1)
        self.set_draw_color(*colour)
        self.set_line_width(thickness)
        self.line(self.l_margin, self.get_y(), self.w - self.r_margin, self.get_y())
        self.set_line_width(0.2)
        self.ln(1)


def _widths(table: Table) -> tuple[int, ...]:
    """Share the width by what the columns hold, none of them starved."""

    def longest(column: int) -> int:
        rows: tuple[Row, ...] = table.rows
        return max(len(table.columns[column]), *(len(row.cells[column]) for row in rows), 1)

    return tuple(min(max(longest(column), 8), 40) for column in range(len(table.columns)))
