"""Reads the YAML files of a configuration directory into one tree, and remembers where everything is written.

All scalars stay strings: YAML 1.1 would read 08:00 as a number of minutes, 0042 as octal and NO as false. The schema
gives them their types. A section may be spread over several files.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any, NamedTuple, cast

import yaml

from router.configuration.broken_yaml import NotYaml, compose, salvage
from router.configuration.findings import Finding, Mark
from router.configuration.gaps import Gaps, Location

MAX_SOURCE_BYTES = 16 * 1024 * 1024  # a file beyond this is not a configuration
_NULLS = frozenset({"", "~", "null"})
_NOT_YAML_ADVICE = "check indentation, quotes and brackets"


class _Text(NamedTuple):
    """A stretch of a file that begins after `before` lines."""

    file: str
    before: int = 0

    def mark(self, node: yaml.Node) -> Mark:
        return Mark(self.file, self.before + node.start_mark.line + 1)


class Sources:
    """The files of a configuration directory.

    Attributes:
        directory: where they are; names in findings are relative to it.
        tree: all sections, as dictionaries, lists and strings.
        findings: what could not be read.
        gaps: what is not known because of that.
        texts: of the .yaml files, by name.
        hash: SHA-256 of names and contents, hexadecimal.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.tree: dict[str, Any] = {}
        self.findings: list[Finding] = []
        self.gaps = Gaps()
        self.texts: dict[str, str] = {}
        self._marks: dict[Location, Mark] = {}
        self._built: dict[int, yaml.Node] = {}  # keeps the nodes, so that no id comes back for another one
        self._hash = hashlib.sha256()
        self._whole = Mark(str(directory), 0)
        if not directory.is_dir():
            self._unreadable(Finding(self._whole, "there is no such directory", "give the directory of the files"))
            return
        files = sorted(path for path in directory.iterdir() if path.suffix in (".yaml", ".yml"))
        if not files:
            self._unreadable(Finding(self._whole, "no .yaml file here", "begin with a company.yaml"))
        for path in files:
            self._read(path)
        self._built.clear()

    @property
    def hash(self) -> str:
        """SHA-256 over everything read so far."""
        return self._hash.hexdigest()

    def mark(self, *location: str | int) -> Mark:
        """Return where `location` is written, or the nearest thing around it that is."""
        while location:
            mark = self._marks.get(location)
            if mark is not None:
                return mark
            location = location[:-1]
        return self._whole

    def error(self, mark: Mark, message: str, suggestion: str = "", clause: str = "") -> None:
        """Report what makes the configuration unusable."""
        self.findings.append(Finding(mark, message, suggestion, clause=clause))

    def text(self, name: str, wanted_at: Mark) -> str | None:
        """Read another file that the configuration names, relative to the directory; None, with a finding, if not.

        Text that is not UTF-8 is a finding too, and still returned, so that the rest of it can be checked.
        """
        path = self.directory / name
        try:
            if path.stat().st_size > MAX_SOURCE_BYTES:
                raise OSError(f"larger than {MAX_SOURCE_BYTES} bytes")
            data = path.read_bytes()
        except (OSError, ValueError) as error:  # a path with a zero byte is a ValueError
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self.error(wanted_at, f"{name} cannot be read: {reason}", "paths start at this directory")
            return None
        self._hash.update(name.encode() + b"\0" + data + b"\0")
        try:
            return data.decode()
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            self.error(Mark(name, line), "this is not UTF-8", "save the file as UTF-8")
            return data.decode(errors="replace")

    def around(self, location: Location) -> Any:
        """Return the dictionary or list of the tree that holds `location`, or would."""
        node: Any = self.tree
        for step in location[:-1]:
            node = node[step]
        return node

    def _unreadable(self, finding: Finding) -> None:
        self.findings.append(finding)
        self.gaps.add()

    def _read(self, path: Path) -> None:
        whole = Mark(path.name, 0)
        text = self.text(path.name, whole)
        if text is None:
            self.gaps.add()
            return
        self.texts[path.name] = text
        try:
            root = compose(text)
        except NotYaml as error:
            self._read_broken(text, path.name, error)
            return
        if root is None:
            return
        if not isinstance(root, yaml.MappingNode):
            self._unreadable(Finding(whole, "a file holds sections", 'begin with a line such as "people:"'))
            return
        self._merge(root, _Text(path.name))

    def _read_broken(self, text: str, file: str, error: NotYaml) -> None:
        remains = salvage(text, error)
        for line, problem in remains.problems:
            self.error(Mark(file, line), f"not YAML: {problem}", _NOT_YAML_ADVICE)
        for location in remains.lost:
            self.gaps.add(*location)
        self.gaps.add_words(remains.words)
        for location, line in remains.opened.items():
            around = self._mapping(location[:-1])
            if around is not None and location[-1] not in around:
                around[location[-1]] = {}
                self._marks[location] = Mark(file, line)
        for piece in remains.pieces:
            if not piece.location:
                self._merge(piece.node, _Text(file, piece.before))
                continue
            into = self._mapping(piece.location)
            if into is None:
                self.gaps.add(*piece.location)
            else:
                self._fill(into, piece.node, piece.location, _Text(file, piece.before))

    def _mapping(self, location: tuple[str, ...]) -> dict[str, Any] | None:
        """Return the mapping at a location of the tree; None where something else is written."""
        mapping: Any = self.tree
        for step in location:
            mapping = mapping.get(step)
            if not isinstance(mapping, dict):
                return None
        return cast("dict[str, Any]", mapping)

    def _merge(self, root: yaml.MappingNode, text: _Text) -> None:
        for section, key, value in self._entries(root, (), text):
            existing = self.tree.get(section)
            if section not in self.tree:
                self._marks[section,] = text.mark(key)
                self.tree[section] = self._build(value, (section,), text)
            elif isinstance(existing, dict) and isinstance(value, yaml.MappingNode):
                self._fill(existing, value, (section,), text)
            elif isinstance(existing, list) and isinstance(value, yaml.SequenceNode):
                self._extend(existing, value, (section,), text)
            else:
                other = self._marks[section,]
                self.error(text.mark(key), f"{section!r} has another shape in {other}", "write both alike")
                self.gaps.add(section)

    def _build(self, node: yaml.Node, location: Location, text: _Text) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return None if node.style is None and node.value in _NULLS else node.value
        if id(node) in self._built:
            # An alias can nest in itself or multiply without bound; inheritance has a word of its own here.
            self.error(text.mark(node), "YAML anchors are not used here", "write it out, or use based_on")
            self.gaps.add(*location)
            return None
        self._built[id(node)] = node
        if isinstance(node, yaml.MappingNode):
            return self._fill({}, node, location, text)
        return self._extend([], node, location, text)

    def _fill(self, into: dict[str, Any], node: yaml.MappingNode, location: Location, text: _Text) -> dict[str, Any]:
        for name, key, value in self._entries(node, location, text):
            here = (*location, name)
            if name in into:
                first = self._marks[here]
                self.error(text.mark(key), f"{name!r} is written twice, first in {first}", "keep one of them")
                continue
            self._marks[here] = text.mark(key)
            into[name] = self._build(value, here, text)
        return into

    def _extend(self, into: list[Any], node: yaml.Node, location: Location, text: _Text) -> list[Any]:
        for item in node.value:
            here = (*location, len(into))
            self._marks[here] = text.mark(item)
            into.append(self._build(item, here, text))
        return into

    def _entries(
        self, node: yaml.MappingNode, location: Location, text: _Text
    ) -> list[tuple[str, yaml.Node, yaml.Node]]:
        entries: list[tuple[str, yaml.Node, yaml.Node]] = []
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                entries.append((str(key.value), key, value))
            else:
                self.error(text.mark(key), "a key is a plain word", "use based_on instead of a YAML merge")
                self.gaps.add(*location)
        return entries
