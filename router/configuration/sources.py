"""Reads the YAML files of a configuration directory into one tree, and remembers where everything is written.

All scalars stay strings: YAML 1.1 would read 08:00 as a number of minutes, 0042 as octal and NO as false. The schema
gives them their types. A section may be spread over several files.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import yaml

from router.configuration.findings import Finding, Mark

Location = tuple[str | int, ...]

MAX_SOURCE_BYTES = 16 * 1024 * 1024  # a file beyond this is not a configuration
_NULLS = frozenset({"", "~", "null"})


class Sources:
    """The files of a configuration directory.

    Attributes:
        directory: where they are; names in findings are relative to it.
        tree: all sections, as dictionaries, lists and strings.
        findings: what could not be read.
        hash: SHA-256 of names and contents, hexadecimal.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.tree: dict[str, Any] = {}
        self.findings: list[Finding] = []
        self._marks: dict[Location, Mark] = {}
        self._built: dict[int, yaml.Node] = {}  # keeps the nodes, so that no id comes back for another one
        self._hash = hashlib.sha256()
        self._whole = Mark(str(directory), 0)
        if not directory.is_dir():
            self.findings.append(Finding(self._whole, "there is no such directory", "give the directory of the files"))
            return
        files = sorted(path for path in directory.iterdir() if path.suffix in (".yaml", ".yml"))
        if not files:
            self.findings.append(Finding(self._whole, "no .yaml file here", "begin with a company.yaml"))
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

    def text(self, name: str, wanted_at: Mark) -> str | None:
        """Read another file that the configuration names, relative to the directory; None, with a finding, if not."""
        path = self.directory / name
        try:
            if path.stat().st_size > MAX_SOURCE_BYTES:
                raise OSError(f"larger than {MAX_SOURCE_BYTES} bytes")
            data = path.read_bytes()
            text = data.decode()
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            self.findings.append(
                Finding(wanted_at, f"{name} cannot be read: {reason}", "paths start at this directory")
            )
            return None
        self._hash.update(name.encode() + b"\0" + data + b"\0")
        return text

    def _read(self, path: Path) -> None:
        whole = Mark(path.name, 0)
        text = self.text(path.name, whole)
        if text is None:
            return
        loader = yaml.CSafeLoader(text)
        try:
            root = loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            line = error.problem_mark.line + 1 if error.problem_mark else 0
            self.findings.append(Finding(Mark(path.name, line), f"not YAML: {error.problem}", "check the indentation"))
            return
        except yaml.YAMLError as error:
            self.findings.append(Finding(whole, f"not YAML: {error}"))
            return
        finally:
            loader.dispose()
        if root is None:
            return
        if not isinstance(root, yaml.MappingNode):
            self.findings.append(Finding(whole, "a file holds sections", 'begin with a line such as "people:"'))
            return
        for name, key, value in self._entries(root, path.name):
            self._merge(name, key, value, path.name)

    def _merge(self, section: str, key: yaml.Node, value: yaml.Node, file: str) -> None:
        here = Mark(file, key.start_mark.line + 1)
        existing = self.tree.get(section)
        if section not in self.tree:
            self._marks[section,] = here
            self.tree[section] = self._build(value, (section,), file)
        elif isinstance(existing, dict) and isinstance(value, yaml.MappingNode):
            self._fill(existing, value, (section,), file)
        elif isinstance(existing, list) and isinstance(value, yaml.SequenceNode):
            self._extend(existing, value, (section,), file)
        else:
            other = self._marks[section,]
            self.findings.append(Finding(here, f"{section!r} has another shape in {other}", "write both alike"))

    def _build(self, node: yaml.Node, location: Location, file: str) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return None if node.style is None and node.value in _NULLS else node.value
        if id(node) in self._built:
            # An alias can nest in itself or multiply without bound; inheritance has a word of its own here.
            mark = Mark(file, node.start_mark.line + 1)
            self.findings.append(Finding(mark, "YAML anchors are not used here", "write it out, or use based_on"))
            return None
        self._built[id(node)] = node
        if isinstance(node, yaml.MappingNode):
            return self._fill({}, node, location, file)
        return self._extend([], node, location, file)

    def _fill(self, into: dict[str, Any], node: yaml.MappingNode, location: Location, file: str) -> dict[str, Any]:
        for name, key, value in self._entries(node, file):
            here = (*location, name)
            mark = Mark(file, key.start_mark.line + 1)
            if name in into:
                first = self._marks[here]
                self.findings.append(Finding(mark, f"{name!r} is written twice, first in {first}", "keep one of them"))
                continue
            self._marks[here] = mark
            into[name] = self._build(value, here, file)
        return into

    def _extend(self, into: list[Any], node: yaml.Node, location: Location, file: str) -> list[Any]:
        for item in node.value:
            here = (*location, len(into))
            self._marks[here] = Mark(file, item.start_mark.line + 1)
            into.append(self._build(item, here, file))
        return into

    def _entries(self, node: yaml.MappingNode, file: str) -> list[tuple[str, yaml.Node, yaml.Node]]:
        entries: list[tuple[str, yaml.Node, yaml.Node]] = []
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                entries.append((str(key.value), key, value))
            else:
                mark = Mark(file, key.start_mark.line + 1)
                self.findings.append(Finding(mark, "a key is a plain word", "use based_on instead of a YAML merge"))
        return entries
