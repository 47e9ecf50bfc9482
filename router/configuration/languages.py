"""In which languages callers are spoken to: chosen in a menu, by the number that they call, by their country."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from router.configuration.compilation import Compilation
from router.configuration.findings import closest
from router.configuration.gaps import Location
from router.configuration.schema import Document

SPOKEN: Final = ("fr", "en")  # languages of the prompts that come with the router
_PREFIX: Final = re.compile(r"\+[1-9]\d{0,14}")


def compile_caller_languages(compilation: Compilation) -> tuple[tuple[str, str], ...]:
    """Return the languages of callers by the prefix of their number, the longest first.

    Checks all other places that name a language of callers, too.
    """
    document = compilation.document
    for location, code in _named(document):
        if code not in SPOKEN and not compilation.gaps.covers(*location):
            message = f"the router does not speak {code!r} to callers"
            compilation.error(compilation.mark(*location), message, closest(code, SPOKEN))
    prefixes = document.company.caller_languages
    for prefix in prefixes:
        if _PREFIX.fullmatch(prefix) is None:
            mark = compilation.mark("company", "caller_languages", prefix)
            compilation.error(
                mark, f"{prefix!r} is no beginning of a number", 'write it with + and country code: "+44"'
            )
    return tuple(sorted(prefixes.items(), key=lambda item: -len(item[0])))


def languages_of_callers(document: Document) -> tuple[str, ...]:
    """Return the languages that callers may be spoken to in: the company's, and those that something else names."""
    named = [code for code in document.company.languages if code in SPOKEN] or [SPOKEN[0]]
    return tuple(dict.fromkeys([*named, *(code for _, code in _named(document))]))


def _named(document: Document) -> Iterator[tuple[Location, str]]:
    for prefix, code in document.company.caller_languages.items():
        yield ("company", "caller_languages", prefix), code
    for name, site in document.sites.items():
        if site.language is not None:
            yield ("sites", name, "language"), site.language
    for name, team in document.teams.items():
        if team.language is not None:
            yield ("teams", name, "language"), team.language
    for name, menu in document.menus.items():
        for key, code in menu.languages.items():
            yield ("menus", name, "languages", key), code
