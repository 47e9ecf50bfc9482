"""The attendant: lets the router itself speak to callers, where the policy sends a call to nobody else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, TypeVar

from router.calls.announcement import Announcement, SpokenRefusal
from router.calls.mailbox_script import MailboxByPhone
from router.calls.menu_script import ChooseByKeys
from router.calls.onward import Following, PutThrough
from router.calls.originate import Originated
from router.calls.outgoing_script import OutgoingScript
from router.calls.pin_attempts import PinAttempts
from router.calls.queue_script import Queueing
from router.calls.script import Script
from router.calls.voice import Voice
from router.calls.voicemail_script import Voicemail
from router.model.audit import AuditEntry
from router.model.decision import (
    AttendedTarget,
    Decision,
    Facts,
    JoinQueue,
    LeaveMessage,
    OpenMailbox,
    PlayAnnouncement,
    PlayMenu,
)
from router.model.mailbox import Mailbox, VoicemailRules
from router.model.sound import MediaWay
from router.ports import MailboxStore, MediaEngine

if TYPE_CHECKING:
    from router.calls.call import Call
    from router.calls.exchange import Exchange
    from router.calls.leg import Leg

# What is said of a refusal, by the rule that refused.
_SPOKEN_REFUSALS: Final = {"greylist": "refused.destination", "limit": "refused.limit"}

Outgoing = TypeVar("Outgoing", bound=OutgoingScript)


class Attendant:
    """Starts the script that speaks to a caller, and keeps hold of its task until it has ended.

    Attributes:
        engine: makes the sound; None: the router speaks to nobody, and what it should answer counts as unreachable.
        shielded: the same engine behind an rtpengine, for callers whose sound goes that way.
        mailboxes: where messages are left, by which rules.
        voice: what is said, in the company's first language. Both are there when the engine is; voices: by language.
        boxes: the mailboxes by name; pin_attempts: wrong PINs of them.
        patience: seconds to press a key after the choices were said.
        clock: POSIX seconds, as the policy counts them; now: seconds on the clock of the SIP timers.
        flush: sends what was put into the stack from outside of it.
        complain: hears of the name of a script and of what went wrong in it, for the log.
        audit: takes what is to be kept of who tried what.
    """

    def __init__(self, exchange: Exchange) -> None:
        self.exchange = exchange
        self.engine: MediaEngine | None = None
        self.shielded: MediaEngine | None = None
        self.mailboxes: MailboxStore | None = None
        self.voice: Voice
        self.voices: Mapping[str, Voice] = {}
        self.rules = VoicemailRules()
        self.boxes: Mapping[str, Mailbox] = {}
        self.pin_attempts = PinAttempts()
        self.patience = 5.0
        self.clock = exchange.clock
        self.now: Callable[[], float] = monotonic
        self.flush: Callable[[], None] = _nothing
        self.complain: Callable[[str, BaseException], None] = _ignored
        self.audit: Callable[[AuditEntry], None] = _forgotten
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    def voice_for(self, language: str) -> Voice:
        """Return the voice that speaks a language, or the usual one: "" is no language."""
        return self.voices.get(language, self.voice)

    def attend(self, call: Call, target: AttendedTarget) -> bool:
        """Let the router answer a call. False: it cannot; the call is as it was."""
        if self.engine is None:
            return False
        script = self._script(call, target)
        if script is None:
            return False
        self._begin(call, script)
        return True

    def hand_over(self, script: Script, decision: Decision, facts: Facts) -> bool:
        """Let another script go on with a call, in the sound that there is. False: no script can do that.

        Args:
            script: that has spoken up to now, and is to say nothing more.
            decision: what the call is to go on with; facts: that it was made with.
        """
        target = decision.target
        assert isinstance(target, AttendedTarget)
        call = script.call
        following = self._script(call, target)
        if following is None:
            return False
        call.redirect(decision, facts)
        following.take_over(script)
        self._begin(call, following)
        return True

    def _script(self, call: Call, target: AttendedTarget) -> Script | None:
        """Return what speaks to the caller; None where nothing can."""
        if isinstance(target, PlayAnnouncement):
            return Announcement(self, call, target)
        if isinstance(target, OpenMailbox) and self.mailboxes is not None:
            mailbox = self.boxes.get(target.mailbox)
            return None if mailbox is None else MailboxByPhone(self, call, mailbox, self.mailboxes)
        if isinstance(target, JoinQueue):
            floor = self.exchange.queues
            service = floor.services.get(target.queue)
            return None if service is None else Queueing(self, call, service, floor)
        if isinstance(target, LeaveMessage) and self.mailboxes is not None:
            return Voicemail(self, call, target, self.mailboxes)
        if isinstance(target, PlayMenu):
            return ChooseByKeys(self, call, target)
        return None

    def explains(self, call: Call) -> bool:
        """Let a caller of ours hear why a call is refused (X2), who gets the refusal afterwards. False: they do not."""
        if self.engine is None or call.caller.outside or not call.offer:
            return False
        prompt = self.spoken_refusal(call.decision)
        if prompt is None:
            return False
        self._begin(call, SpokenRefusal(self, call, prompt))
        return True

    def spoken_refusal(self, decision: Decision) -> str | None:
        """Return the prompt that says why a call is refused; None: nobody needs to hear more than that it is."""
        because = decision.because
        return _SPOKEN_REFUSALS.get(because[-1].rule) if because else None

    def engine_for(self, caller: Leg) -> MediaEngine | None:
        """What the router speaks to a caller with."""
        behind = caller.way and self.exchange.relays.strongest(caller.way) == MediaWay.RTPENGINE
        return self.shielded if behind and self.shielded is not None else self.engine

    def put_through(self, call: Call, decision: Decision, facts: Facts, told: Callable[[bool], None]) -> None:
        """Call what a caller chose; see `PutThrough`."""
        now = self.now()
        PutThrough(self.exchange, call, facts, told, now).begin(decision, now)

    def follow(self, call: Call, decision: Decision, facts: Facts, told: Callable[[bool], None]) -> Following:
        """Call where the policy sends a caller, and whoever comes next; see `Following`."""
        now = self.now()
        onward = Following(self.exchange, call, facts, told, now)
        onward.begin(decision, now)
        return onward

    def originate(
        self, facts: Facts, decision: Decision, script_for: Callable[[Attendant, Originated], Outgoing]
    ) -> Outgoing:
        """Let the router call somebody itself, and speak to them (see `originate.py`).

        Args:
            facts: what the policy was asked; decision: what it said.
            script_for: makes the script, such as its class.
        """
        now = self.now()
        call = Originated(self.exchange, facts, decision, now)
        script = script_for(self, call)
        call.begin(decision, now)
        self._begin(call, script)
        return script

    def _begin(self, call: Call, script: Script) -> None:
        call.speaker = script
        self._hold(script.begin())

    def start(self, work: Coroutine[Any, Any, None], name: str | None = None) -> asyncio.Task[None]:
        """Do something beside a script; `name` stands in the log where it goes wrong."""
        return self._hold(self.loop.create_task(work, name=name))

    def _hold(self, task: asyncio.Task[None]) -> asyncio.Task[None]:
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            error = task.exception()
            if error is not None:
                self.complain(task.get_name(), error)

    async def settled(self) -> None:
        """Wait until no script is left: each ends soon after its call."""
        while self._tasks:
            await asyncio.wait(self._tasks)


def _nothing() -> None:
    """There is nothing to be sent."""


def _forgotten(_entry: AuditEntry) -> None:
    """Nobody keeps an audit."""


def _ignored(_name: str, _error: BaseException) -> None:
    """Nobody keeps a log."""
