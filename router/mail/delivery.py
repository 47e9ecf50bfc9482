"""Sends the e-mails that wait, again and again until they are taken; calls never wait for it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Final

from router.aside import AsideError, run_within
from router.configuration import Configuration
from router.mail.post import post
from router.model.mail import Letter, Posted, QueuedMail
from router.model.mailbox import Mailbox
from router.model.tally import Counts
from router.ports import Clock, MailboxStore, MailQueue, StoreError

FIRST_RETRY: Final = 60.0  # seconds; twice as long after each further attempt
MAX_RETRY: Final = 3600.0
GIVE_UP_AFTER: Final = 3 * 86400.0  # seconds since the message came; nobody wants to hear of it by then
MAX_TOGETHER: Final = 10  # letters that one connection takes
TIME_LIMIT: Final = 120.0  # seconds for one connection
LONGEST_SLEEP: Final = 300.0  # seconds; the policy's clock may be set meanwhile

_log = logging.getLogger(__name__)


class Delivery:
    """To be made in the running loop, and closed.

    Args:
        queue: what waits.
        mailboxes: where the sounds are.
        clock: the policy's.

    Attributes:
        outcomes: by ("sent" | "later" | "refused" | "given up",).
    """

    def __init__(self, queue: MailQueue, mailboxes: MailboxStore, clock: Clock) -> None:
        self.outcomes = Counts()
        self._queue = queue
        self._mailboxes = mailboxes
        self._clock = clock
        self._configuration: Configuration | None = None
        self._awake = asyncio.Event()
        self._task = asyncio.create_task(self._deliver(), name="send e-mails")

    def follow(self, configuration: Configuration) -> None:
        """Go by a configuration from now on. Without a mail server in it, what waits goes on waiting."""
        self._configuration = configuration
        self._awake.set()

    def wake(self) -> None:
        """Something new waits."""
        self._awake.set()

    async def close(self) -> None:
        """Send nothing any more; what waits does so until the next start."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _deliver(self) -> None:
        while True:
            self._awake.clear()
            try:
                sleep = await self._deliver_what_is_due()
            except StoreError as error:
                _log.error("%s; e-mails wait", error)
                sleep = FIRST_RETRY
            except Exception:
                _log.exception("e-mails cannot be sent: a mistake of ours")
                sleep = FIRST_RETRY
            with suppress(TimeoutError):
                await asyncio.wait_for(self._awake.wait(), sleep)

    async def _deliver_what_is_due(self) -> float:
        """Send what is due; return in how many seconds to look again."""
        configuration = self._configuration
        if configuration is None or configuration.mail is None:
            return LONGEST_SLEEP
        while True:
            now = self._clock()
            waiting = await self._queue.due(now, MAX_TOGETHER)
            if not waiting:
                due_at = await self._queue.next_due()
                return LONGEST_SLEEP if due_at is None else min(max(due_at - now, 0.1), LONGEST_SLEEP)
            for mail in waiting:
                if now - mail.message.received_at > GIVE_UP_AFTER:
                    await self._give_up(mail)
            waiting = [mail for mail in waiting if now - mail.message.received_at <= GIVE_UP_AFTER]
            if not waiting:
                continue
            letters = [_letter(mail, configuration, self._mailboxes) for mail in waiting]
            try:
                posted: Sequence[Posted] = await run_within(TIME_LIMIT, post, configuration.mail, letters)
            except AsideError as error:
                posted = [Posted(str(error))] * len(letters)
            for mail, one in zip(waiting, posted, strict=True):
                await self._note(mail, one, now)

    async def _note(self, mail: QueuedMail, posted: Posted, now: float) -> None:
        """Take a letter out of the queue, or put it off."""
        if not posted.fault:
            await self._queue.remove(mail.id)
            self.outcomes["sent",] += 1
        elif posted.final:
            _log.error("%s was refused for good: %s", _about(mail), posted.fault)
            await self._queue.remove(mail.id)
            self.outcomes["refused",] += 1
        else:
            delay = min(FIRST_RETRY * 2.0 ** min(mail.attempts, 20), MAX_RETRY)
            _log.warning("%s was not taken: %s; tried again in %.0f s", _about(mail), posted.fault, delay)
            await self._queue.put_off(mail.id, now + delay)
            self.outcomes["later",] += 1

    async def _give_up(self, mail: QueuedMail) -> None:
        _log.error("%s is given up after %d attempts", _about(mail), mail.attempts)
        await self._queue.remove(mail.id)
        self.outcomes["given up",] += 1


def _about(mail: QueuedMail) -> str:
    return f"the e-mail about a message for {mail.message.mailbox}"


def _letter(mail: QueuedMail, configuration: Configuration, mailboxes: MailboxStore) -> Letter:
    message = mail.message
    boxes: Mapping[str, Mailbox] = configuration.mailboxes
    box = boxes.get(message.mailbox) or Mailbox(message.mailbox, message.mailbox)
    attach = configuration.mail is not None and configuration.mail.attach and message.has_sound
    return Letter(
        mail.recipient,
        box.language,
        configuration.company_name,
        box.title,
        message,
        str(configuration.policy.zone),
        mailboxes.sound(message) if attach else "",
    )
