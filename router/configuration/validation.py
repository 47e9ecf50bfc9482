"""Validates the shape of a configuration: every fault becomes a finding, and a stand-in lets the rest be checked."""

from __future__ import annotations

import types
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError

from router.configuration.findings import Finding, closest, closest_word
from router.configuration.gaps import UNKNOWN, Location
from router.configuration.schema import Document
from router.configuration.sources import Sources
from router.configuration.values import StandIn

MAX_ROUNDS = 12  # the schema nests seven deep, and a round settles at least one level


def validate(sources: Sources) -> Document:
    """Validate the tree of `sources`.

    Returns:
        The document. Where the tree is wrong, `sources` has got a finding and a gap, and a stand-in is in its place: a
        faulty value that is required, an item of a list or an entry keeps its place; others are left out.
    """
    for _ in range(MAX_ROUNDS):
        try:
            return Document.model_validate(sources.tree)
        except ValidationError as errors:
            # Unknown keys come first: the one that resembles a missing key is that key, misspelt.
            found = sorted(errors.errors(include_url=False), key=lambda error: error["type"] != "extra_forbidden")
            for error in found:
                _mend(error, sources)
    raise AssertionError("a stand-in does not fit the schema")


class _Slot(NamedTuple):
    """What the schema expects at a location: a type, and whether it may be left out."""

    kind: Any
    optional: bool


def _mend(error: Any, sources: Sources) -> None:
    """Report one error of pydantic and take its cause out of the tree."""
    in_schema, location = _as_written(error["loc"], sources.tree)
    around = sources.around(location)
    if error["type"] == "extra_forbidden":
        known = _keys(in_schema[:-1])
        sources.findings.append(_finding(error, location, known, sources))
        del around[location[-1]]
        meant = closest_word(str(location[-1]), known)
        if meant is not None and meant not in around:
            sources.gaps.add(*location[:-1], meant)
        return
    explained = sources.gaps.covers(*location) if error["type"] == "missing" else location in sources.gaps
    if not explained:
        sources.findings.append(_finding(error, location, [], sources))
    sources.gaps.add(*location)
    slot = _slot(in_schema)
    if slot.optional:
        del around[location[-1]]
    else:
        around[location[-1]] = _stand_in(slot.kind)


def _as_written(location: Location, tree: Any) -> tuple[Location, Location]:
    """Return a location as the schema has it, and as it is written: a short form leaves out the list around one item.

    Both end where the writing does: what is wrong within a short form is wrong with the whole of it.
    """
    written: list[str | int] = []
    end = 0
    for index, step in enumerate(location, start=1):
        if isinstance(tree, dict) and isinstance(step, str):
            written.append(step)
            end = index
            if step not in tree:
                break
            tree = tree[step]
        elif isinstance(tree, list) and isinstance(step, int):
            written.append(step)
            end = index
            tree = tree[step]
    return location[:end], tuple(written)


def _finding(error: Any, location: Location, known: list[str], sources: Sources) -> Finding:
    mark = sources.mark(*location)
    name = next((step for step in reversed(location) if isinstance(step, str)), "")
    match error["type"]:
        case "extra_forbidden":
            return Finding(mark, f"unknown key {name!r}{_inside(location)}", closest(name, known))
        case "missing":
            return Finding(mark, f"{name!r} is missing{_inside(location)}", f"add a line {name}: …")
        case "literal_error":
            words = error["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            return Finding(mark, f"{name} is {error['input']!r}", closest(str(error["input"]), words))
        case "value_error":
            return Finding(mark, f"{name}: {error['input']!r} cannot be used", str(error["ctx"]["error"]))
        case "string_type":
            return Finding(mark, f"{name} is empty or not a single value", "write one word or one text here")
        case "model_type" | "model_attributes_type" | "dict_type":
            return Finding(mark, f"{name!r} holds keys and values", f"indent them below {name}:")
        case "list_type":
            return Finding(mark, f"{name!r} is a list", "begin each item with - ")
        case _:
            return Finding(mark, f"{name}: {error['input']!r}: {error['msg']}")


def _inside(location: Location) -> str:
    return f" in {'.'.join(map(str, location[:-1]))}" if len(location) > 1 else ""


def _keys(location: Location) -> list[str]:
    """List the keys that are known at a location."""
    kind = _plain(_slot(location).kind)
    return list(_fields(kind)) if _is_section(kind) else []


def _slot(location: Location) -> _Slot:
    """Follow the schema to a location."""
    slot = _Slot(Document, False)
    for step in location:
        kind = _plain(slot.kind)
        if get_origin(kind) is dict:
            slot = _Slot(get_args(kind)[1], False)
        elif get_origin(kind) is list:
            slot = _Slot(get_args(kind)[0], False)
        elif _is_section(kind):
            slot = _fields(kind).get(str(step), slot)
    return slot


def _fields(section: type[BaseModel]) -> dict[str, _Slot]:
    """Return what belongs to each key of a section."""
    hints = get_type_hints(section, include_extras=True)
    return {
        field.alias or name: _Slot(hints[name], not field.is_required()) for name, field in section.model_fields.items()
    }


def _stand_in(kind: Any) -> Any:
    """Return, as it would be written, something that fits a type of the schema or becomes fit in a later round."""
    if get_origin(kind) is Annotated:
        inner, *marks = get_args(kind)
        return next((mark.written for mark in marks if isinstance(mark, StandIn)), None) or _stand_in(inner)
    if get_origin(kind) is list:
        return []
    if get_origin(kind) is dict or _is_section(kind):
        return {}
    if get_origin(kind) is Literal:
        return get_args(kind)[0]
    return UNKNOWN


def _is_section(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, BaseModel)


def _plain(kind: Any) -> Any:
    """Take "optional" and annotations off a type."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, types.UnionType):
            kind = next(part for part in get_args(kind) if part is not type(None))
        else:
            return kind
