"""Turns what pydantic found into findings that an administrator can act on."""

from __future__ import annotations

import types
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from router.configuration.findings import Finding, closest
from router.configuration.schema import Document
from router.configuration.sources import Location, Sources


def validate(sources: Sources) -> Document | None:
    """Validate the tree of `sources`; None, with findings added to it, where the shape is wrong."""
    try:
        return Document.model_validate(sources.tree)
    except ValidationError as errors:
        sources.findings.extend(_finding(error, sources) for error in errors.errors(include_url=False))
        return None


def _finding(error: Any, sources: Sources) -> Finding:
    location: Location = tuple(error["loc"])
    mark = sources.mark(*location)
    name = str(location[-1]) if location else ""
    match error["type"]:
        case "extra_forbidden":
            return Finding(mark, f"unknown key {name!r}{_inside(location)}", closest(name, _keys(location[:-1])))
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
    """List the keys that are known at a location, following the schema."""
    kind: Any = Document
    for step in location:
        kind = _plain(kind)
        if get_origin(kind) is dict:
            kind = get_args(kind)[1]
        elif get_origin(kind) is list:
            kind = get_args(kind)[0]
        elif isinstance(kind, type) and issubclass(kind, BaseModel):
            by_key = {field.alias or key: field.annotation for key, field in kind.model_fields.items()}
            kind = by_key.get(str(step))
    kind = _plain(kind)
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return [field.alias or key for key, field in kind.model_fields.items()]
    return []


def _plain(kind: Any) -> Any:
    """Take "optional" and annotations off a type."""
    while True:
        if get_origin(kind) is Annotated:
            kind = get_args(kind)[0]
        elif get_origin(kind) in (Union, types.UnionType):
            kind = next(part for part in get_args(kind) if part is not type(None))
        else:
            return kind
