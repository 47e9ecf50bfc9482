"""The log: one line an event, JSON for machines or text for people, and never a line that a peer could forge.

Every room may log by `logging` or by `structlog`; `configure` gives both the same form. Nothing logs per message of a
healthy call; what a hostile peer can cause at will goes through a `BoundedLog`.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Protocol, TextIO

import orjson
import structlog
from structlog.typing import Processor

MAX_VALUE_CHARACTERS = 1_000  # bounds what one hostile header can put on one line
MAX_KINDS = 64  # bounds what a BoundedLog holds, should a kind ever be made from what a peer sent


def escape(text: str) -> str:
    """Return `text` with unprintable characters (controls, line ends, bidirectional marks, stray bytes) spelled out.

    Longer texts than `MAX_VALUE_CHARACTERS` are cut, and end in "…".
    """
    if len(text) > MAX_VALUE_CHARACTERS:
        text = text[: MAX_VALUE_CHARACTERS - 1] + "…"
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def configure(level: str, *, stream: TextIO | None = None, json: bool | None = None) -> None:
    """Set up logging for the process; a later call replaces an earlier one.

    Args:
        level: "debug", "info", "warning" or "error".
        stream: where lines go; standard error by default.
        json: one JSON object a line (True) or text for people (False); by default text where `stream` is a terminal.
    """
    stream = stream or sys.stderr
    terminal = stream.isatty()
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.format_exc_info,
        _escape_values,
    ]
    renderer: Processor = (
        _render_json
        if (json if json is not None else not terminal)
        else structlog.dev.ConsoleRenderer(colors=terminal, exception_formatter=structlog.dev.plain_traceback)
    )
    handler = logging.StreamHandler(stream)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        cache_logger_on_first_use=False,  # a module's logger may be older than this call
    )
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.raiseExceptions = False  # a log that cannot be written must not write about itself
    logging.captureWarnings(True)


def _escape_values(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if key == "exception":  # a traceback is many lines by nature, and is cut nowhere
            event[key] = "\n".join(map(escape, value.split("\n")))
        elif not key.startswith("_"):  # what structlog hands on to itself
            event[key] = _printable(value)
    return event


def _printable(value: Any) -> Any:
    match value:
        case str():
            return escape(value)
        case int() if value.bit_length() > 63:  # what JSON numbers of 64 bits cannot hold
            return str(value)
        case None | bool() | int() | float():
            return value
        case bytes():
            return escape(value.decode("utf-8", "surrogateescape"))
        case Mapping():
            return {escape(str(key)): _printable(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_printable(item) for item in value]
        case _:
            return escape(str(value))


def _render_json(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    return orjson.dumps(event).decode()


class CallLater(Protocol):
    """`loop.call_later`: calls `callback(*arguments)` after `delay` seconds."""

    def __call__(self, delay: float, callback: Callable[..., object], /, *arguments: Any) -> object: ...


class Warns(Protocol):
    """The part of a structlog logger that a `BoundedLog` uses."""

    def warning(self, event: str, **fields: Any) -> Any: ...


class BoundedLog:
    """A log for what a peer can cause at will: at most `lines` lines per `interval` and kind.

    What comes beyond that is counted, and one line at the end of the interval says how many were left out.

    Args:
        logger: where lines go.
        call_later: runs the end of an interval.
        lines: how many lines one kind may have in one interval.
        interval: seconds.
    """

    def __init__(self, logger: Warns, call_later: CallLater, *, lines: int = 5, interval: float = 10.0) -> None:
        self._logger = logger
        self._call_later = call_later
        self._lines = lines
        self._interval = interval
        self._seen: dict[str, int] = {}  # kind -> how often in its running interval

    def warning(self, kind: str, event: str, **fields: Any) -> None:
        """Log `event` with `fields`, unless this `kind` has had its lines. `kind` names a fault, not a peer."""
        seen = self._seen.get(kind)
        if seen is None:
            if len(self._seen) >= MAX_KINDS and kind != "other":
                self.warning("other", event, **fields)
                return
            seen = 0
            self._call_later(self._interval, self._end_interval, kind)
        self._seen[kind] = seen + 1
        if seen < self._lines:
            self._logger.warning(event, kind=kind, **fields)

    def _end_interval(self, kind: str) -> None:
        suppressed = self._seen.pop(kind) - self._lines
        if suppressed > 0:
            self._logger.warning("suppressed", kind=kind, count=suppressed, seconds=self._interval)
