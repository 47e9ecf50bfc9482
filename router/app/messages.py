"""What becomes of the messages that callers leave: lamps follow, e-mails tell of them, old ones go."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from router.calls.message_summary import MessageSummary
from router.configuration import Configuration
from router.mail.delivery import Delivery
from router.ports import Clock, StoreError
from router.stores.mailboxes import SqliteMailboxes
from router.stores.mails import SqliteMails

PRUNE_INTERVAL = 3600.0  # seconds between looks for messages that were kept long enough

_log = structlog.get_logger("router.app")


class Messages:
    """To be made in the running loop, and closed.

    Args:
        mailboxes: where messages are; queue: the e-mails about them.
        lamps: who subscribed to their counts.
        clock: the policy's.
        flush: sends what lamps put into the SIP stack.
    """

    def __init__(
        self,
        mailboxes: SqliteMailboxes,
        queue: SqliteMails,
        lamps: MessageSummary,
        clock: Clock,
        flush: Callable[[], None],
    ) -> None:
        self._mailboxes = mailboxes
        self._lamps = lamps
        self._clock = clock
        self._flush = flush
        self._open = True
        self.delivery = Delivery(queue, mailboxes, clock)
        mailboxes.on_mail(self.delivery.wake)
        mailboxes.watch(self._changed)
        lamps.counts = mailboxes.counts
        self._pruning = asyncio.create_task(self._prune(), name="delete old messages")

    def follow(self, configuration: Configuration) -> None:
        """Go by a configuration from now on; what lamps are told of it waits to be flushed."""
        self._mailboxes.follow(configuration.mailboxes, configuration.voicemail)
        self._lamps.set_mailboxes(configuration.mailboxes, time.monotonic())
        self.delivery.follow(configuration)

    async def close(self) -> None:
        """Light no lamp and send no e-mail any more."""
        self._open = False
        self._pruning.cancel()
        with suppress(asyncio.CancelledError):
            await self._pruning
        await self.delivery.close()

    def _changed(self, mailbox: str) -> None:
        if self._open:
            self._lamps.changed(mailbox, time.monotonic())
            self._flush()

    async def _prune(self) -> None:
        while True:
            try:
                count = await self._mailboxes.prune(self._clock())
                if count:
                    _log.info("old messages deleted", messages=count)
            except StoreError as error:
                _log.error("old messages cannot be deleted", fault=str(error))
            await asyncio.sleep(PRUNE_INTERVAL)
