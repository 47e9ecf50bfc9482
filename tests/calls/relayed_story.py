"""Stories whose sound is relayed: what holds for a call holds for it as well then.

A module of stories that says `TOLD_RELAYED_TOO = True` has them told twice, once in a company that relays everything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import partial

from router.configuration import Configuration
from tests.calls.relay_in_hand import RelayInHand, turns
from tests.calls.story import COMPANY, Actor, Story

RELAYED_COMPANY = f"{COMPANY}\nmedia: {{default: relay}}\n"


class RelayedStory(Story):
    """A story in which the relay has answered, by the time that anybody says something or time passes."""

    def __init__(self, configuration: Configuration) -> None:
        self._loop = asyncio.new_event_loop()
        super().__init__(configuration)
        self.relay = RelayInHand(self, changes=False).serve()
        self.exchange.directory.way = configuration.relaying.way

    def hand_in(self, data: bytes, actor: Actor) -> None:
        self._with_loop(partial(super().hand_in, data, actor))

    def advance(self, seconds: float) -> None:
        end = self.now + seconds
        while self.stack.deadline <= end:
            self._with_loop(partial(super().advance, max(0.0, self.stack.deadline - self.now)))
        self.now = end

    def _with_loop(self, act: Callable[[], None]) -> None:
        if self._loop.is_running():  # an actor who answers what has just come
            act()
        else:
            self._loop.run_until_complete(self._turn(act))

    async def _turn(self, act: Callable[[], None]) -> None:
        act()
        await turns()

    def close(self) -> None:
        super().close()
        self._loop.close()

    def check_nothing_is_left(self) -> None:
        super().check_nothing_is_left()
        assert self.relay.opened or not any(record.legs for record in self.records)
        assert not self.relay.open_calls
