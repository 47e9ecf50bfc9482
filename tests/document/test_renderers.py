"""The same document as HTML, Markdown and PDF: complete, well-formed, and safe whatever people are called."""

from __future__ import annotations

import logging
import re
import zlib
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from router.document import html, markdown, pdf
from router.document.policy_document import PolicyDocument, Row, printable
from tests.document.company import COMPANY, policy_of, the_policy

HOSTILE = "<script>alert(1)</script> [x](http://evil.example) **gras** | `code` & \\u202e"
VOID = {"meta", "br", "hr", "img", "link"}


class Page(HTMLParser):
    """Reads a page strictly: every element is closed where it belongs."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], "an element is left open"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data: str) -> None:
        self.text.append(data)

    def attributes(self, name: str) -> list[str]:
        return [value for _, attributes in self.elements if (value := attributes.get(name)) is not None]


def words(document: PolicyDocument) -> list[str]:
    """Return everything that the document says, piece by piece."""
    pieces = [document.title, document.company, document.stamp]
    pieces += [section.title for _, _, section in document.numbered()]
    for statement in document.statements().values():
        if isinstance(statement, Row):
            pieces += statement.cells
        else:
            pieces += [statement.term, statement.text]
    return pieces


def with_hostile_names() -> PolicyDocument:
    return policy_of(COMPANY.replace("name: Paul Servais, role", f'name: "{HOSTILE}", role'))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_html_says_everything_in_a_page_that_is_well_formed(language: str) -> None:
    document = the_policy(language)
    page = Page(html.render(document))
    text = "".join(page.text)
    assert [piece for piece in words(document) if piece not in text] == []
    assert page.elements[0] == ("html", {"lang": language})


def test_html_can_be_walked_by_its_contents_and_headings() -> None:
    page = Page(html.render(the_policy()))
    ids = page.attributes("id")
    assert len(ids) == len(set(ids))
    links = page.attributes("href")
    assert {link.removeprefix("#") for link in links} == {section.id for _, _, section in the_policy().numbered()}
    assert set(page.attributes("aria-labelledby")) <= set(ids)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    tags = [tag for tag, _ in page.elements]
    assert tags.count("caption") == tags.count("table") > 0
    assert {"scope"} <= {name for tag, attributes in page.elements if tag == "th" for name in attributes}


def test_html_loads_nothing_and_runs_nothing() -> None:
    page = Page(html.render(with_hostile_names()))
    tags = {tag for tag, _ in page.elements}
    assert tags.isdisjoint({"script", "img", "link", "iframe", "object"})
    assert all(link.startswith("#") for link in page.attributes("href"))
    assert "url(" not in html.render(the_policy())
    assert "<script>alert(1)</script>" in "".join(page.text)


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30))
def test_markdown_shows_any_text_as_it_is(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(f"- **Nom** – {markdown.escaped(text)} fin")  # noqa: RUF001
    inline = [token for token in tokens if token.type == "inline"]
    assert [token.type for token in tokens if token.level == 0] == ["bullet_list_open", "bullet_list_close"]
    children = inline[0].children or []
    assert {child.type for child in children} <= {"text", "strong_open", "strong_close", "text_special", "entity"}
    shown = "".join(child.content for child in children)
    wanted = f"Nom – {printable(text).strip()} fin"  # noqa: RUF001
    assert shown.split() == wanted.split()


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=30).filter(lambda text: printable(text).strip() != ""))
def test_markdown_begins_nothing_with_a_text(text: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown.escaped(text))
    assert [token.type for token in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    assert "".join(child.content for child in tokens[1].children or []).split() == printable(text).split()


def test_markdown_keeps_tables_and_headings_whole() -> None:
    document = with_hostile_names()
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown.render(document))
    headings = [tokens[index + 1].content for index, token in enumerate(tokens) if token.type == "heading_open"]
    assert len(headings) == 1 + len(list(document.numbered()))
    rows = sum(1 for token in tokens if token.type == "tr_open")
    statements = [statement for statement in document.statements().values() if isinstance(statement, Row)]
    assert rows == len(statements) + sum(1 for token in tokens if token.type == "thead_open")
    assert not any(
        child.type in ("link_open", "html_inline", "code_inline") for token in tokens for child in token.children or ()
    )


def pages(data: bytes) -> int:
    return len(re.findall(rb"/Type /Page\b(?!s)", data))


@pytest.mark.parametrize("language", ["fr", "en"])
def test_pdf_has_pages_outline_language_and_title(language: str) -> None:
    document = the_policy(language)
    data = pdf.render(document)
    assert data.startswith(b"%PDF-")
    assert pages(data) >= 4
    assert f"/Lang ({language})".encode() in data
    assert data.count(b"/Dest") >= len(list(document.numbered()))
    assert b"/Outlines" in data
    assert b"D:20261124100000" in data


def test_pdf_is_the_same_for_the_same_document() -> None:
    assert pdf.render(the_policy()) == pdf.render(policy_of())


def test_pdf_prints_what_its_fonts_do_not_know_as_a_mark(caplog: pytest.LogCaptureFixture) -> None:
    text = COMPANY.replace("name: Sophie Renard, role", "name: Zofia Wójcik 李雷, role")
    with caplog.at_level(logging.WARNING):
        data = pdf.render(policy_of(text))
    assert caplog.records == []
    assert _glyphs(data) >= {ord(letter) for letter in "Zofia Wójcik\N{REPLACEMENT CHARACTER}"}
    assert ord("李") not in _glyphs(data)


def test_pdf_can_print_a_thousand_rows() -> None:
    numbers = "".join(f'  - {{number: "+3249{index:07d}", verified: true}}\n' for index in range(1000))
    document = policy_of(COMPANY.replace("calendars:\n", f"{numbers}calendars:\n", 1))
    assert pages(pdf.render(document)) > 15


def _glyphs(data: bytes) -> set[int]:
    """Return the characters that the fonts of a PDF map, read from their ToUnicode tables."""
    found: set[int] = set()
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", data, re.DOTALL):
        text = zlib.decompress(stream) if stream[:1] == b"x" else stream
        if b"beginbfchar" in text:
            found |= {int(code, 16) for code in re.findall(rb"<[0-9A-F]{4}> <([0-9A-F]{4})>", text)}
    return found
