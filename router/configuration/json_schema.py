"""The JSON Schema of a configuration, for editors: what may be written, the short forms included.

It is made from the sections of `schema.py` and `operation.py`, so that no key is missing. It describes a file as an
editor reads it (YAML 1.2, where 20 is a number and 2026-12-31 a text), and each file for itself: no section is required
in it. What refers to something else (a role, a target) is checked by `renvoi check` only.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from router.configuration import queue_sections, short_forms, values
from router.configuration.key_descriptions import DESCRIPTIONS, EXAMPLES
from router.configuration.schema import Document

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

# A scalar that the router reads as text. Unquoted digits are a number to an editor, and true is a truth value.
_TEXT: Final = {"type": ["string", "number", "boolean"]}

_DURATION: Final = {
    "description": "a duration: 20s, 3min or 1h; a bare number counts seconds",
    "anyOf": [{"type": "number", "minimum": 0}, {"type": "string", "pattern": r"^\s*\d+(\.\d+)?\s*(s|min|h)?\s*$"}],
    "examples": ["20s", "3min", "1h"],
}
_NUMBER: Final = {
    "description": 'a telephone number with "+" and country code, in quotes',
    "type": ["string", "integer"],
    "pattern": r"^\+ *[1-9]( *\d){6,14} *$",
    "examples": ["+3242200100"],
}
_EXTENSION: Final = {
    "type": ["string", "integer"],
    "pattern": r"^[0-9*#]{1,10}$",
    "minimum": 0,
    "examples": ["201", "*21"],
}
_TIME: Final = {
    "description": "a time of day, in quotes; 24:00 is the end of the day",
    "type": "string",
    "pattern": r"^(([01]?\d|2[0-3]):[0-5]\d|24:00)$",
    "examples": ["08:00", "17:00"],
}
_DAYS_PATTERN: Final = (
    r"((mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?|public_holidays|\d{4}-\d{2}-\d{2})"
)
_DAY_WORDS: Final = {"type": "string", "pattern": rf"^\s*{_DAYS_PATTERN}(\s*,\s*{_DAYS_PATTERN})*\s*$"}
_DAYS: Final = {
    "description": "days: mon-fri, “sat, sun”, 2026-12-24, public_holidays; one or a list",
    "anyOf": [_DAY_WORDS, {"type": "array", "items": _DAY_WORDS}],
    "examples": ["mon-fri", "sat, sun", "public_holidays", ["2026-12-24", "2026-12-31"]],
}
_ADDRESS: Final = {
    "description": "host and port, such as sip.provider.example:5060 or [2001:db8::1]:5060",
    "type": "string",
    "examples": ["sip.provider.example", "203.0.113.7:5060", "[2001:db8::1]:5060"],
}
_LISTEN: Final = {
    "type": "string",
    "pattern": "^(udp|tcp):.+$",
    "examples": ["udp:127.0.0.1:5060", "tcp:[::1]:5060"],
}
_SOURCE: Final = {
    "description": "where a peer is recognised: an address, a network, or an address and port",
    "type": "string",
    "examples": ["203.0.113.7", "203.0.113.0/24", "127.0.0.1:5070"],
}
_USER: Final = {"type": ["string", "integer"], "pattern": f"^{values.USER.pattern}$", "examples": ["201-gsm"]}
_RANGE: Final = {
    "type": "string",
    "pattern": r"^\s*\+[\d ]+\.\.\s*\+[\d ]+$",
    "examples": ["+3242200100..+3242200199"],
}

_OFFER: Final = {
    "anyOf": [
        {"type": "string", "examples": ["message", "callback", "transfer:reception"]},
        {"type": "object", "maxProperties": 1, "additionalProperties": _TEXT},
    ]
}

# What may be written where a validator turns a text into a value.
_VALUES: Final[dict[Any, JsonSchemaValue]] = {
    values.read_duration: _DURATION,
    values.read_time: _TIME,
    values.read_number: _NUMBER,
    values.read_extension: _EXTENSION,
    values.read_user: _USER,
    values.read_address: _ADDRESS,
    values.read_listen: _LISTEN,
    values.read_source: _SOURCE,
    values.read_days: _DAYS,
    values.read_range: _RANGE,
    short_forms.offer_with_argument: _OFFER,
}

# The same where a validator takes a short form besides the long one, whose schema is handed in.
_SHORT_FORMS: Final[dict[Any, Callable[[JsonSchemaValue], JsonSchemaValue]]] = {
    short_forms.as_list: lambda inner: {"anyOf": [inner["items"], inner]},
    short_forms.with_then: lambda inner: {"anyOf": [_TEXT, inner]},
    short_forms.with_address: lambda inner: {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}, inner]},
    short_forms.in_every_language: lambda inner: {"anyOf": [_TEXT, inner]},
    short_forms.on_every_connection: lambda inner: {"anyOf": [_TEXT, inner]},
    queue_sections.as_piece: lambda inner: {"anyOf": [_TEXT, inner]},
    queue_sections.as_numbers: lambda inner: {"anyOf": [_TEXT, {"type": "array", "items": _TEXT}, inner]},
    queue_sections.without_before: lambda inner: {"anyOf": [inner, {"type": "string", "pattern": r"^.+ before$"}]},
    short_forms.nothing_is_empty: lambda inner: {"anyOf": [inner, {"type": "null"}]},
    short_forms.in_order_of_ringing: lambda inner: {
        "anyOf": [
            {"const": "all"},
            {"type": "array", "items": {"anyOf": [_TEXT, {"type": "object", "additionalProperties": _DURATION}]}},
        ],
        "examples": ["all", ["desk", {"gsm": "10s"}]],
    },
}


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of one file of a configuration."""
    made = Document.model_json_schema(schema_generator=_AsWritten, mode="validation")
    made.pop("required", None)  # a section may stand in any file
    return {
        "$schema": DIALECT,
        **made,
        "title": "Renvoi",
        "description": "A company's telephone policy. A section may stand in any .yaml file of the directory.",
    }


class _AsWritten(GenerateJsonSchema):
    """Makes the schema of what is written, where pydantic's own would be that of the value it is turned into."""

    def function_before_schema(self, schema: core_schema.BeforeValidatorFunctionSchema) -> JsonSchemaValue:
        validator = schema["function"]["function"]
        if validator in _VALUES:
            return dict(_VALUES[validator])
        inner = self.generate_inner(schema["schema"])
        return _SHORT_FORMS[validator](inner) if validator in _SHORT_FORMS else inner

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        return dict(_TEXT)

    def bool_schema(self, schema: core_schema.BoolSchema) -> JsonSchemaValue:
        return {"type": "boolean"}

    def date_schema(self, schema: core_schema.DateSchema) -> JsonSchemaValue:
        return {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}$", "examples": ["2026-12-31"]}

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        section = schema["cls"]
        made.pop("title", None)
        if section.__doc__:
            made["description"] = re.sub(r"\s+", " ", section.__doc__).strip()
        for key, described in made.get("properties", {}).items():
            described.pop("title", None)
            if described.get("default", ...) in ({}, [], None):
                del described["default"]  # nothing, in one form or another: no help
            words = DESCRIPTIONS.get(section.__name__, {}).get(key)
            if words:
                described["description"] = words
            examples = EXAMPLES.get(section.__name__, {}).get(key)
            if examples:
                described["examples"] = examples
        return made
