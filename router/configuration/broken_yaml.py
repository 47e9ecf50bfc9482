"""Reads YAML, and of a file that is not quite YAML whatever can be read: a slip costs one entry, not the file."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

import yaml

_KEY_LINE = re.compile(r"""( *)(["']?)([\w:.*#+-]+)\2:(?=\s|$)""")
_NOTHING_BEHIND = re.compile(r"\s*(?:#.*)?")
_BETWEEN = "this line is indented less than the ones before it, and more than the key they belong to"
_KEYS = re.compile(r"""([\w:.*#+-]+)["']?:(?=\s|$)""", re.MULTILINE)


class NotYaml(Exception):
    """Text is not YAML: `problem` in words, `line` counted from 1 (0: unknown)."""

    def __init__(self, problem: str, line: int) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


def compose(text: str) -> yaml.Node | None:
    """Return the root node, or None where there is nothing but remarks. Raises `NotYaml`."""
    loader = yaml.CSafeLoader(text)
    try:
        root: yaml.Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise NotYaml(str(error.problem), error.problem_mark.line + 1 if error.problem_mark else 0) from error
    except yaml.YAMLError as error:
        raise NotYaml(" ".join(str(error).split()), 0) from error
    finally:
        loader.dispose()
    return root


class Piece(NamedTuple):
    """Readable entries of the mapping at `location`; their text begins after `before` lines of the file."""

    location: tuple[str, ...]
    node: yaml.MappingNode
    before: int


@dataclass(slots=True)
class Remains:
    """What is left of a file that is not YAML.

    Attributes:
        pieces: what can be read.
        opened: line (from 1) of each key whose content was read piece by piece.
        problems: line and words of each problem, never empty.
        lost: locations whose content cannot be read.
        words: keys that stand in unreadable text.
    """

    pieces: list[Piece] = field(default_factory=list)
    opened: dict[tuple[str, ...], int] = field(default_factory=dict)
    problems: list[tuple[int, str]] = field(default_factory=list)
    lost: list[tuple[str, ...]] = field(default_factory=list)
    words: set[str] = field(default_factory=set)


class _Entry(NamedTuple):
    """A key and the lines [first, last) that belong to it, by indentation."""

    key: str
    first: int
    last: int


def salvage(text: str, whole: NotYaml) -> Remains:
    """Read entry by entry the text of a file that is not YAML as a whole.

    Args:
        text: of the file.
        whole: what is wrong with it as a whole; reported where no smaller part is found to blame.
    """
    lines = text.replace("\r\n", "\n").split("\n")
    remains = Remains()
    entries, loose = _divide(lines, 0, len(lines), 0)
    _read(remains, lines, entries, ())
    if loose < len(lines) or not entries:
        remains.words.update(_KEYS.findall("\n".join(lines[:loose] if not entries else lines[loose:])))
    if not remains.problems:
        remains.problems.append((min(whole.line, _last_written(lines, 0, len(lines))), whole.problem))
    return remains


def _read(remains: Remains, lines: list[str], entries: list[_Entry], location: tuple[str, ...]) -> None:
    for entry in entries:
        try:
            node = compose("\n".join(lines[entry.first : entry.last]) + "\n")
        except NotYaml as error:
            _read_broken(remains, lines, entry, (*location, entry.key), error)
            continue
        if isinstance(node, yaml.MappingNode):
            remains.pieces.append(Piece(location, node, entry.first))


def _read_broken(remains: Remains, lines: list[str], entry: _Entry, location: tuple[str, ...], error: NotYaml) -> None:
    problems = len(remains.problems)
    header = _KEY_LINE.match(lines[entry.first])
    bare = header is not None and _NOTHING_BEHIND.fullmatch(lines[entry.first], header.end()) is not None
    inner, loose = _divide(lines, entry.first + 1, entry.last, None) if bare else ([], entry.last)
    if inner:
        remains.opened[location] = entry.first + 1
        _read(remains, lines, inner, location)
    else:
        loose = entry.first
    if loose < entry.last:
        remains.lost.append(location)
        remains.words.update(_KEYS.findall("\n".join(lines[loose : entry.last])))
        if inner:
            remains.problems.append((loose + 1, _BETWEEN))
    if len(remains.problems) == problems:
        line = min(entry.first + error.line, _last_written(lines, entry.first, entry.last))
        remains.problems.append((line, error.problem))


def _divide(lines: list[str], first: int, last: int, indentation: int | None) -> tuple[list[_Entry], int]:
    """Divide lines into entries; a key at `indentation` (None: that of the first key) begins one.

    Returns:
        The entries, and the first line that belongs to none because it is indented less (`last` where all do).
    """
    entries: list[_Entry] = []
    begun: tuple[str, int] | None = None
    end = last
    for number in range(first, last):
        found = _KEY_LINE.match(lines[number])
        if found is None:
            continue
        width = len(found[1])
        if indentation is None:
            indentation = width
        if width > indentation:
            continue
        if begun is not None:
            entries.append(_Entry(*begun, number))
        begun = (found[3], number)
        if width < indentation:
            begun, end = None, number
            break
    if begun is not None:
        entries.append(_Entry(*begun, end))
    return entries, end


def _last_written(lines: list[str], first: int, last: int) -> int:
    """Return the number (from 1) of the last line in [first, last) that is neither blank nor a remark."""
    for number in range(last, first, -1):
        if lines[number - 1].strip() and not lines[number - 1].lstrip().startswith("#"):
            return number
    return first + 1
