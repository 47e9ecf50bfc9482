"""All queues and agents of the company: events and the time in; commands, notices and the next deadline out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final

from router.model.queue import AgentRules, FloorChanges, QueueRules, StoredFloor
from router.model.queue_events import (
    AgentAnswered,
    AgentLoggedIn,
    AgentLoggedOut,
    AgentPaused,
    AgentResumed,
    AvailabilityChanged,
    CallbackCancelled,
    CallbackWanted,
    CallerEntered,
    CallerHungUp,
    CallerLeft,
    CallerMoved,
    Connected,
    ConnectionFailed,
    ConversationEnded,
    DayBegan,
    LineChanged,
    QueueClosed,
    QueueEvent,
    QueueOpened,
    RingFailed,
)
from router.waiting import callbacks, callers, conversations, duties, hours, offering, reload, restart
from router.waiting.agenda import AGENT, ALONE, ANNOUNCE, CLOSE, DUE, EXPIRE, LIMIT, NOTICE
from router.waiting.room import Output, WaitingRoom

SWEEP_INTERVAL: Final = 0.02  # seconds between two steps of a sweep: eight hundred places a second

_HANDLERS: Final[dict[type, Callable[[WaitingRoom, Any], None]]] = {
    CallerEntered: callers.caller_entered,
    CallerHungUp: callers.caller_hung_up,
    CallerLeft: callers.caller_left,
    CallerMoved: callers.caller_moved,
    CallbackWanted: callbacks.callback_wanted,
    CallbackCancelled: callbacks.callback_cancelled,
    AgentAnswered: conversations.agent_answered,
    RingFailed: conversations.ring_failed,
    Connected: conversations.connected,
    ConnectionFailed: conversations.connection_failed,
    ConversationEnded: conversations.conversation_ended,
    AgentLoggedIn: duties.agent_logged_in,
    AgentLoggedOut: duties.agent_logged_out,
    AgentPaused: duties.agent_paused,
    AgentResumed: duties.agent_resumed,
    LineChanged: duties.line_changed,
    AvailabilityChanged: duties.availability_changed,
    QueueOpened: hours.queue_opened,
    QueueClosed: hours.queue_closed,
    DayBegan: duties.day_began,
}
_DUE: Final[dict[str, Callable[[WaitingRoom, str, float], None]]] = {
    ANNOUNCE: callers.announcement_due,
    NOTICE: callers.notice_due,
    LIMIT: callers.limit_due,
    DUE: callbacks.callback_due,
    EXPIRE: callers.expiry_due,
    AGENT: duties.agent_due,
    CLOSE: hours.closing_due,
    ALONE: hours.alone_due,
}


class Floor:
    """What `calls` drives. Begin with `configure`, `restore`, and the line state of every agent that is not idle.

    Attributes:
        lines: by name of the queue. places: of all queues, by id; those that are over are not among them.
        staff: the agents. statistics: what came of the callers. All of them are to be read only.
    """

    __slots__ = ("_room", "_sweep_at", "lines", "places", "staff", "statistics")

    def __init__(self) -> None:
        self._room = WaitingRoom()
        self._sweep_at = 0.0
        self.lines = self._room.lines
        self.places = self._room.places
        self.staff = self._room.staff
        self.statistics = self._room.statistics

    def receive(self, event: QueueEvent, now: float) -> list[Output]:
        """Take an event; return what is to be done and told, in order.

        Args:
            now: its instant. What is due then is done as well, after the event: whoever answers in the last moment has
                answered.

        An event that comes about while this is being done may be told at once; what that returns is to be done after
        the rest of this.

        Raises `LineError` for an event that cannot have happened; it changes nothing.
        """
        self._room.now = max(now, self._room.now)
        _HANDLERS[type(event)](self._room, event)
        return self._settle()

    def advance(self, now: float) -> list[Output]:
        """Do what is due. To be called not later than `deadline`; earlier does no harm."""
        self._room.now = max(now, self._room.now)
        return self._settle()

    @property
    def deadline(self) -> float | None:
        """When `advance` is to be called; None: not before the next event."""
        due = self._room.agenda.next
        for line in self.lines.values():
            if line.sweeping:
                return self._sweep_at if due is None else min(due, self._sweep_at)
        return due

    def configure(self, queues: Iterable[QueueRules], agents: Iterable[AgentRules], now: float) -> list[Output]:
        """Take queues and agents, in place of those before. Who waits keeps the place, except in a queue that is gone:
        they are sent elsewhere. Raises `LineError` for a member who is no agent; then nothing has changed."""
        self._room.now = max(now, self._room.now)
        reload.configure(self._room, queues, agents)
        return self._settle()

    def restore(self, stored: StoredFloor, now: float) -> list[Output]:
        """Take up what was stored before a restart, once, after `configure` and before any event. Who waited then was
        cut off: their places are held from now on."""
        self._room.now = max(now, self._room.now)
        restart.restore(self._room, stored)
        return self._settle()

    def snapshot(self) -> StoredFloor:
        """Return all that is to outlive the process."""
        return restart.snapshot(self._room)

    def take_changes(self) -> FloorChanges | None:
        """Return what differs from what was taken last, or None when nothing does."""
        return restart.take_changes(self._room)

    def _settle(self) -> list[Output]:
        """Do what is due, offer who can be offered, tell some of those who improved; return what is to be done."""
        room = self._room
        while (entry := room.agenda.take(room.now)) is not None:
            _DUE[entry[1]](room, entry[2], entry[0])
        offering.offer(room)
        if room.now >= self._sweep_at:
            for line in self.lines.values():
                if line.sweeping:
                    self._sweep_at = room.now + SWEEP_INTERVAL
                    for place, position in line.sweep():
                        room.announce(line, place, position)
        out, room.out = room.out, []
        return out
