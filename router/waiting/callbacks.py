"""Who wants to be called back hangs up and keeps the place (P3)."""

from __future__ import annotations

from router.model.queue import Ended, PlaceState
from router.model.queue_events import CallbackCancelled, CallbackWanted
from router.waiting import place as standing
from router.waiting.agenda import EXPIRE
from router.waiting.errors import LineError
from router.waiting.line import WaitingLine
from router.waiting.place import OPEN_TO_CALLER, Place
from router.waiting.room import WaitingRoom


def callback_wanted(room: WaitingRoom, event: CallbackWanted) -> None:
    place = room.places.get(event.place)
    if place is None:
        return
    if place.state not in OPEN_TO_CALLER:
        raise LineError(f"place {place.id} is {place.state}: its caller does not wait")
    line = room.lines[place.queue]
    stood = line.position(place) > 0
    waited = place.waited(room.now)
    room.release_agents(place)
    place.step(standing.CALL_BACK)
    place.callback = event.number
    place.limit = place.notice = place.quiet_until = None
    place.refusals.clear()
    line.hush(place)
    place.expires = place.entered + line.rules.callback_keep
    room.agenda.add(place.expires, EXPIRE, place.id)
    room.end_kept_callback(place)
    room.statistics.wants_callback(place.queue, waited, room.now)
    room.remember(place)
    room.stand_callback(line, place, stood)


def callback_cancelled(room: WaitingRoom, event: CallbackCancelled) -> None:
    place = room.places.get(event.place)
    if place is None or place.state is PlaceState.SERVED:
        return
    if not place.callback:
        raise LineError(f"place {place.id} is no callback")
    room.end(place, Ended.CANCELLED)


def put_aside(room: WaitingRoom, line: WaitingLine, callback: Place, place: Place) -> None:
    """The caller of a callback waits on the line, at its turn: it is not to be offered meanwhile."""
    room.release_agents(callback)
    if callback.state is PlaceState.CALLBACK_OFFERED:
        callback.step(standing.UNANSWERED)
    callback.aside = True
    place.callback_kept = callback.id
    line.step_out(callback)


def callback_due(room: WaitingRoom, identity: str, due: float) -> None:
    place = room.places.get(identity)
    if place is not None and place.due == due and place.state is PlaceState.CALLBACK:
        line = room.lines[place.queue]
        room.stand_callback(line, place, line.position(place) > 0)
