"""One rtpengine and its health: whether calls can be given to it, and whether those that it has are still there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final

from router.media.bencode import Encodable, Value
from router.media.rtpengine_control import MORE_PATIENCE, PATIENCE, Answer, Control, UnknownCallError, UnreachableError
from router.model.tally import Counts
from router.ports import MediaError

if TYPE_CHECKING:
    from router.media.rtpengine_call import RtpengineCall

CHECK_SECONDS: Final = 2.0  # between two looks at its health
GONE_SECONDS: Final = 10.0  # without an answer, after which its calls count as lost; until then they may well be heard
LOOK_SECONDS: Final = (
    30.0  # between two looks at one call: rtpengine forgets it when nobody sends anything for a minute
)
_UPTIME_GRAIN: Final = 1.5  # it tells its uptime in whole seconds

LOST_ENGINE, LOST_SILENCE = "engine", "silence"  # see `ports.RelayLost`

# See `Rtpengines`.
StationChanged = Callable[[str, bool, str], None]


class Station:
    """One rtpengine.

    Args:
        commands, lost: see `Rtpengines`.
    Attributes:
        calls: what it relays for us.
    """

    def __init__(self, control: Control, changed: StationChanged, commands: Counts, lost: Counts) -> None:
        self.control = control
        self.name = control.name
        self.calls: set[RtpengineCall] = set()
        self._changed = changed
        self._commands = commands
        self._lost = lost
        self._loop = asyncio.get_running_loop()
        self._up: bool | None = None  # None: nobody has asked yet
        self._heard = self._loop.time()
        self._began: float | None = None  # when it was started, on the loop's clock
        self._began_again = 0.0  # when that was found to have changed

    @property
    def up(self) -> bool:
        """Whether it answered last time."""
        return bool(self._up)

    async def watch(self, wanted: Callable[[], bool]) -> None:
        """Look after it as long as it is wanted."""
        while wanted():
            await asyncio.sleep(CHECK_SECONDS)
            await self.check()

    async def check(self) -> None:
        """Ask how it is, and after those calls that were not looked at for long."""
        try:
            if not self.control.opened:
                await self.control.open()
            self._answered(await self.ask("statistics", patience=MORE_PATIENCE))
            await self._look()
        except OSError as error:
            self.failed(self.control.unreachable(error.strerror or str(error)))
        except MediaError as error:
            self.failed(error)

    def ask(
        self,
        command: str,
        details: Mapping[str, Encodable] | None = None,
        patience: tuple[float, ...] = PATIENCE,
    ) -> asyncio.Future[Answer]:
        """See `Control.ask`; it is counted."""
        answer = self.control.ask(command, details, patience)
        answer.add_done_callback(lambda done: self._count(command, done))
        return answer

    def failed(self, error: MediaError, told: RtpengineCall | None = None) -> None:
        """Take note of an error. Whoever does not answer gets no calls until it does; those of one that is gone are
        lost.

        Args:
            told: hears of it otherwise, like those that have not begun yet.
        """
        if not isinstance(error, UnreachableError):
            return
        self._set_up(False, str(error))
        if error.refused or self._loop.time() - self._heard > GONE_SECONDS:
            for call in [call for call in self.calls if call.begun and call is not told]:
                self._lose(call, LOST_ENGINE)

    def _answered(self, answer: Answer) -> None:
        """Take note of its uptime: one that was started anew knows nothing of what it did before."""
        now = self._heard = self._loop.time()
        began = now - _uptime(answer)
        if self._began is not None and began - self._began > _UPTIME_GRAIN:
            self._began_again = now
            for call in self.calls:
                call.looked_at = now - LOOK_SECONDS
        self._began = began
        self._set_up(True, "")

    async def _look(self) -> None:
        now = self._loop.time()
        for call in [one for one in self.calls if one.looked_at + LOOK_SECONDS <= now]:
            call.looked_at = now
            try:
                await self.ask("query", call.identity)
            except UnknownCallError:
                self._lose(call, LOST_ENGINE if self._began_again > call.made_at else LOST_SILENCE)

    def _lose(self, call: RtpengineCall, why: str) -> None:
        self._lost[(why,)] += 1
        call.lose(why)

    def _set_up(self, up: bool, why: str) -> None:
        if self._up is not up:
            self._up = up
            self._changed(self.name, up, why)

    def _count(self, command: str, answer: asyncio.Future[Answer]) -> None:
        if answer.cancelled() or isinstance(answer.exception(), UnreachableError):
            result = "unanswered"
        else:
            result = "refused" if answer.exception() else "ok"
        self._commands[self.name, command, result] += 1


def _uptime(answer: Answer) -> float:
    """The seconds for which it has been running, whole ones; 0 where it does not say."""
    value: Value | None = dict(answer)
    for key in ("statistics", "totalstatistics", "uptime"):
        value = value.get(key) if isinstance(value, dict) else None
    return float(value) if isinstance(value, bytes) and value.isdigit() else 0.0
