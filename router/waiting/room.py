"""The room in which the lines of all queues stand: who waits where, who is rung for whom, and what comes of it.

The modules beside it (`callers`, `callbacks`, `conversations`, `duties`, `hours`) know what each event means; they
change the room by what stands here.
"""

from __future__ import annotations

from typing import Final

from router.model.queue import (
    HELD_FOR,
    AgentState,
    Ended,
    OverflowCause,
    PlaceState,
    ReleaseCause,
    Skills,
    Strategy,
)
from router.model.queue_events import Announce, Overflow, PlaceEnded, QueueCommand, QueueNotice, ReleaseAgent
from router.waiting import agent as duty
from router.waiting import place as standing
from router.waiting.agenda import AGENT, ALONE, ANNOUNCE, Agenda
from router.waiting.agent import Agent
from router.waiting.errors import LineError
from router.waiting.line import WaitingLine
from router.waiting.place import ANSWERED, RUNG, Place
from router.waiting.staff import Staff
from router.waiting.statistics import Statistics

LEAST_REST: Final = 1.0  # seconds; an agent who rejects a call is not rung again in the same moment
ALONE_AFTER_CLOSING: Final = 60.0  # seconds: an agent whose phone registers anew is back by then
MISSED: Final = "missed"  # reason of a pause that nobody asked for

Output = QueueCommand | QueueNotice


class WaitingRoom:
    """Belongs to a floor.

    Attributes:
        now: the instant of what happens. out: what is to be done and told, in order.
        lines: by name of the queue. places: of all queues, by id; those that are over are not among them.
        staff: the agents. statistics: what came of the callers. agenda: what is due when.
        asking: held places and callbacks, by queue and caller.
        to_store: places that differ from what is stored; gone: those that are to be stored no longer.
        handling: queues whose moving average changed.
    """

    __slots__ = (
        "_number",
        "agenda",
        "asking",
        "gone",
        "handling",
        "lines",
        "now",
        "out",
        "places",
        "staff",
        "statistics",
        "to_store",
    )

    def __init__(self) -> None:
        self.now = 0.0
        self.out: list[Output] = []
        self.lines: dict[str, WaitingLine] = {}
        self.places: dict[str, Place] = {}
        self.staff = Staff()
        self.statistics = Statistics()
        self.agenda = Agenda()
        self.asking: dict[tuple[str, str], list[str]] = {}
        self.to_store: dict[str, None] = {}
        self.gone: dict[str, None] = {}
        self.handling: dict[str, None] = {}
        self._number = 0  # of the newest place

    def new_place(
        self,
        line: WaitingLine,
        identity: str,
        arrived: float,
        caller: str | None,
        tier: int,
        needs: Skills,
        entered: float,
    ) -> Place:
        """Make a place that does not stand in the line yet."""
        place = Place(identity, line.rules.name, arrived, caller, tier, needs, entered)
        self._number += 1
        line.set_turn(place, self._number)
        line.places[identity] = self.places[identity] = place
        return place

    def stand_again(self, line: WaitingLine, place: Place) -> None:
        """Put a place that stood in the line back into it, at the turn that it has now."""
        line.stand(place)
        if place.state not in RUNG or line.rules.strategy is Strategy.RING_ALL:
            line.open_offer(place)

    def stand_callback(self, line: WaitingLine, place: Place, stands: bool) -> None:
        """Let a callback for which nobody is rung stand in the line if it is its time, and only then."""
        its_time = not place.aside and place.due <= self.now and not line.is_closed(self.now) and not line.gone
        if its_time:
            if not stands:
                line.stand(place)
            line.open_offer(place)
        elif stands:
            line.step_out(place)

    def tell_or_listen(self, line: WaitingLine, place: Place) -> None:
        """The caller may be told of an improvement again: now, or as soon as there is one."""
        position = line.position(place)
        if position < place.announced:
            self.announce(line, place, position)
        else:
            line.listens(place)

    def announce(self, line: WaitingLine, place: Place, position: int) -> None:
        """Tell a caller the position, which is better than the one before (Q3)."""
        first = place.announced == 0
        place.announced = position
        place.quiet_until = self.now + line.rules.announce_gap
        self.agenda.add(place.quiet_until, ANNOUNCE, place.id)
        self.out.append(Announce(place.id, position, first, line.estimate(position)))

    def overflow(self, place: Place, cause: OverflowCause) -> None:
        """Send a caller who waits elsewhere (G3)."""
        self.out.append(Overflow(place.id, cause))
        self.end(place, Ended.OVERFLOWED)

    def end(self, place: Place, ended: Ended) -> None:
        """A place is given up before anybody was connected."""
        waited = place.waited(self.now)
        if place.state is PlaceState.HELD and place.expires is not None:
            waited = place.expires - HELD_FOR - place.entered
        self.release_agents(place)
        place.step(standing.END)
        line = self.lines[place.queue]
        line.step_out(place)
        if not place.callback:
            # Who was cut off and did not call again has given up.
            counted = Ended.ABANDONED if ended is Ended.EXPIRED else ended
            self.statistics.gave_up(place.queue, counted, waited, self.now)
        self.forget(place, ended, waited)

    def forget(self, place: Place, ended: Ended, waited: float) -> None:
        """A place is over: nothing knows of it any more."""
        line = self.lines[place.queue]
        del self.places[place.id]
        del line.places[place.id]
        self.forget_stored(place)
        self.no_longer_asking(place)
        callback = self.places.get(place.callback_kept)
        if callback is not None:  # its caller hung up again: it has its turn back
            callback.aside = False
            self.stand_callback(line, callback, False)
        self.out.append(PlaceEnded(place.id, place.queue, ended, waited, place.agent))

    def release_agents(self, place: Place) -> None:
        """Let go of whoever is rung for a place, or has answered and is not connected yet."""
        for name in [*place.ringing]:
            self.stop_ringing(self.staff.agents[name], place, ReleaseCause.CALLER_GONE)
        if place.state in ANSWERED and place.agent is not None:
            self.out.append(ReleaseAgent(place.agent, place.id, ReleaseCause.CALLER_GONE))
            agent, place.agent = self.staff.agents.get(place.agent), None
            if agent is not None:
                agent.step(duty.FREE)
                agent.place = ""
                self.changed(agent)

    def stop_ringing(self, agent: Agent, place: Place, cause: ReleaseCause) -> None:
        """Stop ringing an agent, who has done nothing wrong."""
        del place.ringing[agent.name]
        self.out.append(ReleaseAgent(agent.name, place.id, cause))
        agent.step(duty.FREE)
        agent.place = ""
        self.changed(agent)

    def unanswered(self, place: Place) -> None:
        """One agent fewer is rung for a place."""
        if place.ringing or place.state not in RUNG:
            return
        line = self.lines[place.queue]
        place.step(standing.UNANSWERED)
        if place.callback:
            self.stand_callback(line, place, True)
        else:
            line.open_offer(place)

    def leave_alone(self, agent: Agent, place: Place, seconds: float, missed: bool = False) -> None:
        """An agent did not take the call that they were rung for."""
        del place.ringing[agent.name]
        place.refusals[agent.name] = place.refusals.get(agent.name, 0) + 1
        agent.place = ""
        self.rest(agent, seconds)
        if missed:
            agent.missed += 1
            if 0 < self.lines[place.queue].rules.pause_after_missed <= agent.missed:
                agent.step(duty.PAUSE, None, MISSED)
        self.changed(agent)
        self.unanswered(place)

    def rest(self, agent: Agent, seconds: float) -> None:
        """Leave an agent who was rung, or has answered, alone for a while."""
        until = self.now + max(seconds, LEAST_REST)
        agent.step(duty.REST, until)
        self.agenda.add(until, AGENT, agent.name)

    def withdraw(self, agent: Agent) -> None:
        """Stop ringing an agent who is not to be rung any more, for whomever it is."""
        if agent.duty is AgentState.RINGING:
            place = self.places[agent.place]
            self.stop_ringing(agent, place, ReleaseCause.WITHDRAWN)
            self.unanswered(place)

    def changed(self, agent: Agent) -> None:
        """Something of an agent changed: count it, and tell of it."""
        notice = self.staff.changed(agent)
        if notice is not None:
            self.out.append(notice)
        for line in self.staff.lines_of[agent.name]:
            if (line.here == 0) is (line.alone_since is None):
                self.attend(line)

    def attend(self, line: WaitingLine) -> None:
        """See whether anybody is there for those who wait; when nobody has been for too long, send them elsewhere."""
        if line.here:
            line.alone_since = None
            return
        if line.alone_since is None:
            line.alone_since = self.now
        until = self.alone_until(line, line.alone_since)
        if until is None:
            return
        if until <= self.now:
            for place in line:
                if not place.callback:
                    self.overflow(place, OverflowCause.UNATTENDED)
        elif until != line.alone_until:
            line.alone_until = until
            self.agenda.add(until, ALONE, line.rules.name)

    def alone_until(self, line: WaitingLine, since: float) -> float | None:
        """Return when those who wait while nobody is there are sent elsewhere, or None."""
        wait = line.rules.unattended
        if line.closes is not None and line.is_closed(self.now):
            wait = ALONE_AFTER_CLOSING if wait is None else min(wait, ALONE_AFTER_CLOSING)
            since = max(since, line.closes)
        return None if wait is None else since + wait

    def remember(self, place: Place) -> None:
        """Keep a held place, or a callback, so that it is found when its caller calls again."""
        self.to_store[place.id] = None
        if place.caller is not None:
            self.asking.setdefault((place.queue, place.caller), []).append(place.id)

    def no_longer_asking(self, place: Place) -> None:
        """Undo `remember`."""
        if place.caller is None:
            return
        places = self.asking.get((place.queue, place.caller))
        if places is not None and place.id in places:
            places.remove(place.id)
            if not places:
                del self.asking[place.queue, place.caller]

    def of_caller(self, queue: str, caller: str | None) -> tuple[Place | None, Place | None]:
        """Return the held place and the callback that a caller has, where they can be taken up: those whose turn is the
        earliest."""
        held: Place | None = None
        callback: Place | None = None
        for identity in self.asking.get((queue, caller or ""), ()):
            place = self.places[identity]
            if place.state is PlaceState.HELD:
                if place.expires is not None and self.now < place.expires and (held is None or place.turn < held.turn):
                    held = place
            elif place.aside or place.state is PlaceState.CALLING_BACK:
                continue
            elif callback is None or place.turn < callback.turn:
                callback = place
        return held, callback

    def forget_stored(self, place: Place) -> None:
        """A place does not outlive the process any more."""
        self.to_store.pop(place.id, None)
        self.gone[place.id] = None

    def end_kept_callback(self, place: Place) -> None:
        """The caller of a callback needs none any more."""
        callback, place.callback_kept = self.places.get(place.callback_kept), ""
        if callback is not None:
            self.end(callback, Ended.CAME_BACK)

    def line_of(self, queue: str) -> WaitingLine:
        """Return the line of a queue. Raises `LineError` where there is none."""
        line = self.lines.get(queue)
        if line is None:
            raise LineError(f"there is no queue {queue}")
        return line
