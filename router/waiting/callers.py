"""Callers come, wait, are told where they stand, and go (Q2 Q3 Q5 Q9 Q16 G3 G8)."""

from __future__ import annotations

from router.model.queue import HELD_FOR, Ended, OverflowCause, PlaceState
from router.model.queue_events import CallerEntered, CallerHungUp, CallerLeft, CallerMoved, GiveNotice, Refuse
from router.waiting import place as standing
from router.waiting.agenda import EXPIRE, LIMIT, NOTICE
from router.waiting.callbacks import put_aside
from router.waiting.conversations import finish
from router.waiting.errors import LineError
from router.waiting.place import ANSWERED, OPEN_TO_CALLER, WAITS, Place
from router.waiting.room import WaitingRoom


def caller_entered(room: WaitingRoom, event: CallerEntered) -> None:
    line = room.lines.get(event.queue)
    if line is None or line.gone:
        raise LineError(f"there is no queue {event.queue}")
    if event.place in room.places:
        raise LineError(f"place {event.place} is taken")
    held, callback = room.of_caller(event.queue, event.caller)
    if held is None and callback is None and len(line) >= line.rules.max_length:
        room.statistics.refused(event.queue, room.now)
        room.out.append(Refuse(event.place))
        return
    arrived, tier = event.arrived, event.tier
    for kept in (held, callback):
        if kept is not None:
            arrived, tier = min(arrived, kept.arrived), min(tier, kept.tier)
    place = room.new_place(line, event.place, arrived, event.caller, tier, event.needs, room.now)
    if held is None:
        room.statistics.entered(event.queue, room.now)
    else:
        place.callback_kept = held.callback_kept
        held.callback_kept = ""
        room.end(held, Ended.CAME_BACK)
    if callback is not None:
        put_aside(room, line, callback, place)
    kept = callback if held is None else held
    if kept is not None:
        line.set_turn(place, kept.turn[1])  # before those of the same instant who entered later
    line.stand(place)
    line.open_offer(place)
    rules = line.rules
    if rules.max_wait is not None:
        place.limit = room.now + rules.max_wait
        room.agenda.add(place.limit, LIMIT, place.id)
        if 0.0 < rules.notice < rules.max_wait:
            place.notice = place.limit - rules.notice
            room.agenda.add(place.notice, NOTICE, place.id)
    room.to_store[place.id] = None
    room.attend(line)
    if place.id in room.places:
        room.announce(line, place, line.position(place))


def caller_hung_up(room: WaitingRoom, event: CallerHungUp) -> None:
    place = room.places.get(event.place)
    if place is None:
        return
    if place.state is PlaceState.SERVED:
        finish(room, place)
    elif place.state in OPEN_TO_CALLER:
        if event.cut_off and place.caller is not None:
            hold(room, place)
        else:
            room.end(place, Ended.ABANDONED)


def caller_left(room: WaitingRoom, event: CallerLeft) -> None:
    place = room.places.get(event.place)
    if place is None:
        return
    if place.state is PlaceState.SERVED:
        finish(room, place)
    elif place.state in OPEN_TO_CALLER:
        room.end(place, Ended.LEFT)


def caller_moved(room: WaitingRoom, event: CallerMoved) -> None:
    place = room.places.get(event.place)
    if place is None or place.tier == event.tier or place.state is PlaceState.SERVED:
        return
    line = room.lines[place.queue]
    place.tier = event.tier
    room.to_store[place.id] = None
    stood, listened = line.position(place) > 0, place.listening
    line.step_out(place)
    line.set_turn(place, place.turn[1])
    if stood:
        room.stand_again(line, place)
        if listened:
            room.tell_or_listen(line, place)


def hold(room: WaitingRoom, place: Place) -> None:
    """Keep the place of a caller who was cut off."""
    line = room.lines[place.queue]
    room.release_agents(place)
    line.step_out(place)
    place.step(standing.CUT_OFF)
    place.expires = room.now + HELD_FOR
    place.limit = place.notice = place.quiet_until = None
    room.agenda.add(place.expires, EXPIRE, place.id)
    room.remember(place)


def announcement_due(room: WaitingRoom, identity: str, due: float) -> None:
    place = room.places.get(identity)
    if place is None or place.quiet_until != due:
        return
    place.quiet_until = None
    if place.state in WAITS:
        room.tell_or_listen(room.lines[place.queue], place)


def notice_due(room: WaitingRoom, identity: str, due: float) -> None:
    place = room.places.get(identity)
    if place is None or place.notice != due or place.limit is None or place.state not in WAITS:
        return
    place.notice = None
    if room.lines[place.queue].longest_wait_holds(place.limit):
        room.out.append(GiveNotice(place.id, max(0.0, place.limit - room.now)))


def limit_due(room: WaitingRoom, identity: str, due: float) -> None:
    place = room.places.get(identity)
    if place is None or place.limit != due or place.state not in WAITS:
        return
    if room.lines[place.queue].longest_wait_holds(due):
        room.overflow(place, OverflowCause.MAX_WAIT)
    else:
        place.limit = None  # came before closing, and is served however long it takes (Q13)


def expiry_due(room: WaitingRoom, identity: str, due: float) -> None:
    place = room.places.get(identity)
    if place is None or place.expires != due or place.state in ANSWERED:
        return
    if place.state is not PlaceState.SERVED:
        room.end(place, Ended.EXPIRED)
