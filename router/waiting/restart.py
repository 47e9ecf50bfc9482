"""What outlives the process: what changed, for a store that writes behind, and all of it after a restart."""

from __future__ import annotations

from typing import Final

from router.model.queue import HELD_FOR, Ended, FloorChanges, PlaceState, StoredFloor, StoredPlace
from router.waiting import place as standing
from router.waiting.agenda import AGENT, DUE, EXPIRE
from router.waiting.room import WaitingRoom

CUT_OFF_LONG_AGO: Final = 3600.0  # seconds; whoever entered before that was hardly cut off by this restart


def snapshot(room: WaitingRoom) -> StoredFloor:
    """Return all that is to outlive the process."""
    return StoredFloor(
        tuple(place.stored() for place in room.places.values() if place.state is not PlaceState.SERVED),
        tuple(agent.stored() for agent in room.staff.agents.values()),
        tuple(room.statistics.hours.values()),
        tuple((name, line.handling) for name, line in room.lines.items()),
    )


def take_changes(room: WaitingRoom) -> FloorChanges | None:
    """Return what differs from what was taken last, or None when nothing does."""
    agents, hours = room.staff.to_store, room.statistics.changed
    if not (room.to_store or room.gone or agents or hours or room.handling):
        return None
    changes = FloorChanges(
        tuple(room.places[identity].stored() for identity in room.to_store),
        tuple(room.gone),
        tuple(room.staff.agents[name].stored() for name in agents if name in room.staff.agents),
        tuple(room.statistics.hours[key] for key in hours),
        tuple((name, room.lines[name].handling) for name in room.handling if name in room.lines),
    )
    for taken in (room.to_store, room.gone, agents, hours, room.handling):
        taken.clear()
    return changes


def restore(room: WaitingRoom, stored: StoredFloor) -> None:
    """Take up what was stored before a restart, once, after `configure` and before any event. Who waited then was
    cut off: their places are held from now on."""
    room.statistics.restore(stored.hours)
    for queue, seconds in stored.handling:
        if queue in room.lines:
            room.lines[queue].handling = seconds
    for one in stored.agents:
        agent = room.staff.agents.get(one.agent)
        if agent is not None:
            agent.restore(one)
            if agent.until is not None:
                room.agenda.add(agent.until, AGENT, agent.name)
            room.changed(agent)
    for kept in sorted(stored.places, key=_arrival):
        _restore_place(room, kept)


def _restore_place(room: WaitingRoom, kept: StoredPlace) -> None:
    line = room.lines.get(kept.queue)
    long_ago = kept.entered < room.now - CUT_OFF_LONG_AGO if kept.due == 0.0 else kept.due <= room.now
    if line is None or (not kept.callback and (kept.caller is None or long_ago)):
        room.gone[kept.place] = None
        if line is not None:
            room.statistics.gave_up(kept.queue, Ended.ABANDONED, 0.0, room.now)
        return
    place = room.new_place(line, kept.place, kept.arrived, kept.caller, kept.tier, kept.needs, kept.entered)
    if not kept.callback:
        place.step(standing.CUT_OFF)
        place.expires = kept.due or room.now + HELD_FOR
    else:
        place.step(standing.CALL_BACK)
        place.callback, place.tries, place.due = kept.callback, kept.tries, kept.due
        place.expires = kept.entered + line.rules.callback_keep
        if place.due > room.now:
            room.agenda.add(place.due, DUE, place.id)
        room.stand_callback(line, place, False)
    room.agenda.add(place.expires, EXPIRE, place.id)
    room.remember(place)


def _arrival(kept: StoredPlace) -> tuple[float, str]:
    return kept.arrived, kept.place
