"""The call to somebody whom a queue calls back, once an agent is there for them (see `queue_callback.py`)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from router.calls.call import Call
from router.calls.onward import PutThrough
from router.model.decision import Facts

if TYPE_CHECKING:
    from router.calls.exchange import Exchange


class TalkingBack(PutThrough):
    """The call to somebody who is called back; whoever looks after it hears when it is over."""

    __slots__ = ("_ended",)

    def __init__(
        self,
        exchange: Exchange,
        call: Call,
        facts: Facts,
        told: Callable[[bool], None],
        ended: Callable[[], None],
        now: float,
    ) -> None:
        PutThrough.__init__(self, exchange, call, facts, told, now)
        self._ended: Callable[[], None] | None = ended

    def _over(self, ended_by: str, now: float) -> None:
        ended, self._ended = self._ended, None
        PutThrough._over(self, ended_by, now)
        if ended is not None:
            ended()
