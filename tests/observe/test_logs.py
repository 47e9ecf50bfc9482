"""What stands in the log, whoever wrote it and whatever a peer sent."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import structlog

from router.observe import logs


@pytest.fixture(autouse=True)
def logging_restored() -> Iterator[None]:
    """Give the process its logging back afterwards."""
    root = logging.getLogger()
    handlers, level, complains = root.handlers[:], root.level, logging.raiseExceptions
    yield
    logging.captureWarnings(False)
    root.handlers[:], logging.raiseExceptions = handlers, complains
    root.setLevel(level)
    structlog.reset_defaults()


def json_lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_both_ways_of_logging_give_one_form() -> None:
    stream = io.StringIO()
    logs.configure("info", stream=stream)
    structlog.get_logger("router.calls").info("call ended", status=200)
    logging.getLogger("router.transport").warning("connection from %s refused", "192.0.2.1")

    first, second = json_lines(stream)
    assert (first["event"], first["status"], first["logger"]) == ("call ended", 200, "router.calls")
    assert (second["event"], second["level"]) == ("connection from 192.0.2.1 refused", "warning")
    assert first["timestamp"].endswith("Z")


def test_the_level_holds_for_both() -> None:
    stream = io.StringIO()
    logs.configure("warning", stream=stream)
    structlog.get_logger("a").info("no")
    logging.getLogger("b").info("no")
    structlog.get_logger("a").warning("yes")
    assert [line["event"] for line in json_lines(stream)] == ["yes"]


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param("x\r\n2026-11-24 [info] forged", id="line end"),
        pytest.param("\x1b[2Jx", id="terminal sequence"),
        pytest.param("\x85x\u2028", id="other line ends"),
        pytest.param("\u202egnp.exe", id="bidirectional mark"),
        pytest.param(b"\xff\x00".decode("utf-8", "surrogateescape"), id="no UTF-8"),
        pytest.param(b"\xff\n", id="bytes"),
        pytest.param(["a\nb", {"k\x1b": ("v\n",)}], id="nested"),
        pytest.param(10**40, id="huge number"),
    ],
)
def test_no_peer_can_forge_a_line(hostile: object, as_json: bool) -> None:
    stream = io.StringIO()
    logs.configure("info", stream=stream, json=as_json)
    structlog.get_logger().info("odd", value=hostile)
    logging.getLogger("x").info("odd %s", hostile)

    lines = stream.getvalue().split("\n")
    assert len(lines) == 3
    assert lines[2] == ""
    assert all(line.isprintable() for line in lines)
    assert stream.getvalue().encode()


def test_a_long_value_is_cut() -> None:
    stream = io.StringIO()
    logs.configure("info", stream=stream)
    structlog.get_logger().info("long", value="é" * 100_000)
    value = json_lines(stream)[0]["value"]
    assert len(value) == logs.MAX_VALUE_CHARACTERS
    assert value.endswith("é…")


def test_a_traceback_is_whole_and_tame() -> None:
    stream = io.StringIO()
    logs.configure("info", stream=stream, json=False)
    try:
        raise ValueError("\x1b[2J")
    except ValueError:
        structlog.get_logger().exception("failed")
    text = stream.getvalue()
    assert "Traceback (most recent call last):\n" in text
    assert text.rstrip().endswith("ValueError: \\x1b[2J")


class Bounded:
    """A `BoundedLog` with what it logged and the ends of intervals that are due."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, dict[str, Any]]] = []
        self.due: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self.log = logs.BoundedLog(self, self.call_later, lines=2, interval=10.0)

    def warning(self, event: str, **fields: Any) -> None:
        self.lines.append((event, fields))

    def call_later(self, delay: float, callback: Callable[..., object], *arguments: Any) -> None:
        assert delay == 10.0
        self.due.append((callback, arguments))

    def interval_passes(self) -> None:
        due, self.due = self.due, []
        for callback, arguments in due:
            callback(*arguments)


def test_hostile_input_is_logged_at_a_bounded_rate() -> None:
    bounded = Bounded()
    for number in range(7):
        bounded.log.warning("garbage", "no SIP message", number=number)
    assert [fields["number"] for _, fields in bounded.lines] == [0, 1]

    bounded.interval_passes()
    assert bounded.lines[2:] == [("suppressed", {"kind": "garbage", "count": 5, "seconds": 10.0})]

    bounded.log.warning("garbage", "no SIP message", number=7)
    assert bounded.lines[-1][1]["number"] == 7


def test_one_kind_does_not_silence_another() -> None:
    bounded = Bounded()
    for _ in range(5):
        bounded.log.warning("garbage", "no SIP message")
    bounded.log.warning("digest", "wrong password")
    assert bounded.lines[-1] == ("wrong password", {"kind": "digest"})


def test_nothing_is_said_when_nothing_was_suppressed_and_no_timer_stays() -> None:
    bounded = Bounded()
    bounded.log.warning("garbage", "no SIP message")
    bounded.interval_passes()
    assert len(bounded.lines) == 1
    assert not bounded.due


def test_kinds_made_from_input_are_bounded() -> None:
    bounded = Bounded()
    for kind in map(str, range(10_000)):
        bounded.log.warning(kind, "odd")
    assert len(bounded.due) <= logs.MAX_KINDS + 1
    assert len(bounded.lines) <= 2 * (logs.MAX_KINDS + 1)
