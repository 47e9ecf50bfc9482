"""Queues open and close; who waits at closing is served (Q11 Q13 G8)."""

from __future__ import annotations

from router.model.queue import PlaceState
from router.model.queue_events import QueueClosed, QueueOpened
from router.waiting.agenda import CLOSE
from router.waiting.line import WaitingLine
from router.waiting.room import WaitingRoom


def queue_opened(room: WaitingRoom, event: QueueOpened) -> None:
    line = room.line_of(event.queue)
    line.closes = event.until
    if event.until is not None:
        room.agenda.add(event.until, CLOSE, event.queue)
    stand_callbacks(room, line)
    room.attend(line)


def queue_closed(room: WaitingRoom, event: QueueClosed) -> None:
    line = room.line_of(event.queue)
    if not line.is_closed(room.now):
        line.closes = room.now
    stand_callbacks(room, line)
    room.attend(line)


def closing_due(room: WaitingRoom, queue: str, due: float) -> None:
    line = room.lines.get(queue)
    if line is not None and line.closes == due:
        stand_callbacks(room, line)
        room.attend(line)


def alone_due(room: WaitingRoom, queue: str, due: float) -> None:
    line = room.lines.get(queue)
    if line is not None and line.alone_until == due:
        line.alone_until = None
        room.attend(line)


def stand_callbacks(room: WaitingRoom, line: WaitingLine) -> None:
    """A queue has opened or closed."""
    for place in [*line.places.values()]:
        if place.state is PlaceState.CALLBACK:
            room.stand_callback(line, place, line.position(place) > 0)
