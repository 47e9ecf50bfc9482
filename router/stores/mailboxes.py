"""Mailboxes: what callers said in files, all that is known about it in the database (V1).

A draft has its row before its sound, and becomes a message when both are on the disk; what is deleted is hidden, then
loses its sound, then its row. So a kill at any moment leaves a message that is whole, or something hidden, which the
next start removes together with its sound. A file of which the database knows nothing is never removed: it may be older
than the database.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Row, Select, case, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.model.mailbox import Mailbox, VoicemailRules
from router.model.message import Message, MessageCounts, MessageDraft, MessageKind, MessageState
from router.model.tally import Counts
from router.ports import MailboxFullError, MailboxListener, StoreError, StoreFullError
from router.stores.database import Database
from router.stores.group_commit import GroupCommit
from router.stores.sound_files import SoundFiles
from router.stores.tables import mails
from router.stores.tables import messages as table

DIRECTORY: Final = "voicemail"  # below the data directory
MIN_SECONDS: Final = 3.0  # in which something can be said; a mailbox with less room is full
DAY: Final = 86400.0
MAX_AT_ONCE: Final = 500  # deleted in one transaction; SQLite bounds the variables of one statement
_DRAFT: Final = "draft"  # the state of what is no message yet
_GONE: Final = "gone"  # of what is none any more, and may still have its sound
_VISIBLE: Final = table.c.state.not_in((_DRAFT, _GONE))

_Result = TypeVar("_Result")
_log = logging.getLogger(__name__)


class _Holding(NamedTuple):
    """What a mailbox holds."""

    counts: MessageCounts = MessageCounts()
    seconds: float = 0.0

    @property
    def messages(self) -> int:
        return self.counts.new + self.counts.old


_NOTHING: Final = _Holding()


class SqliteMailboxes:
    """Implements `ports.MailboxStore`. Made by `open`.

    Attributes:
        outcomes: by ("kept" | "discarded" | "full" | "disk full" | "failed" | "deleted" | "expired" | "erased",).
    """

    def __init__(self, database: Database, files: SoundFiles) -> None:
        self.outcomes = Counts()
        self._database = database
        self._files = files
        self._commit = GroupCommit(database)
        self._mailboxes: Mapping[str, Mailbox] = {}
        self._rules = VoicemailRules()
        self._holdings: dict[str, _Holding] = {}
        self._drafts: dict[str, set[str]] = {}  # ids by mailbox
        self._confirming: set[str] = set()  # ids of those that are about to be messages
        self._working: set[asyncio.Task[Message]] = set()
        self._greetings: set[tuple[str, str]] = set()
        self._listeners: list[MailboxListener] = []
        self._mail_queued: Callable[[], None] = lambda: None

    @classmethod
    async def open(
        cls, database: Database, data_directory: Path, mailboxes: Mapping[str, Mailbox], rules: VoicemailRules
    ) -> SqliteMailboxes:
        """Take up what was kept, and remove what never became a message.

        Args:
            database: stays open when this closes.
            data_directory: the sounds lie below it.
            mailboxes, rules: see `follow`.

        Raises `StoreError`.
        """
        files = SoundFiles((data_directory / DIRECTORY).absolute())
        store = cls(database, files)
        store.follow(mailboxes, rules)
        await store._remove(table.c.state.in_((_DRAFT, _GONE)))
        await asyncio.to_thread(files.sweep)
        known = {(row.mailbox, row.id) for row in await store._rows(select(table.c.mailbox, table.c.id))}
        found = set(await asyncio.to_thread(lambda: list(files.all_messages())))
        if found - known:
            count = len(found - known)
            _log.warning("%s: %d recordings belong to no message; was the database replaced?", files.root, count)
        store._greetings = await asyncio.to_thread(files.all_greetings)
        with database.faults():
            async with database.durable.connect() as connection:
                for mailbox in {mailbox for mailbox, _ in known}:
                    store._holdings[mailbox] = await _holding(connection, mailbox)
        return store

    def follow(self, mailboxes: Mapping[str, Mailbox], rules: VoicemailRules) -> None:
        """Go by another configuration from now on.

        Args:
            mailboxes: by name; messages of any other one stay until they are deleted or too old.
        """
        self._mailboxes = mailboxes
        self._rules = rules

    def watch(self, told: MailboxListener) -> None:
        self._listeners.append(told)

    def on_mail(self, queued: Callable[[], None]) -> None:
        """Call `queued` when an e-mail waits to be sent."""
        self._mail_queued = queued

    # ------------------------------------------------------------------------------------- a message that comes

    async def begin(
        self, mailbox: str, caller: str | None, caller_name: str | None, now: float, reason: str = ""
    ) -> MessageDraft:
        self._known(mailbox)
        identity = secrets.token_hex(16)
        drafts = self._drafts.setdefault(mailbox, set())
        try:
            room = self._room(mailbox)
            drafts.add(identity)  # at once: whoever begins meanwhile finds the place taken
            await asyncio.to_thread(self._files.prepare, mailbox)
            row = {
                "id": identity, "mailbox": mailbox, "caller": caller, "caller_name": caller_name, "received_at": now,
                "seconds": 0.0, "urgent": False, "kind": "", "state": _DRAFT, "reason": reason, "has_sound": False,
            }  # fmt: skip
            await self._commit.run(lambda connection: connection.execute(insert(table), row))
        except BaseException as error:
            drafts.discard(identity)
            if isinstance(error, StoreError):
                self.outcomes[_outcome(error),] += 1
            raise
        return MessageDraft(identity, mailbox, str(self._files.message(mailbox, identity)), room)

    async def confirm(
        self,
        draft: MessageDraft,
        seconds: float,
        *,
        urgent: bool = False,
        kind: MessageKind = MessageKind.MESSAGE,
    ) -> Message:
        # Once begun it is finished, even if whoever waits is cancelled: the caller has spoken.
        self._confirming.add(draft.id)
        work = asyncio.create_task(self._confirm(draft, seconds, urgent, kind), name="confirm message")
        self._working.add(work)
        work.add_done_callback(self._working.discard)
        return await asyncio.shield(work)

    async def _confirm(self, draft: MessageDraft, seconds: float, urgent: bool, kind: MessageKind) -> Message:
        recipients = self._mailboxes[draft.mailbox].email if draft.mailbox in self._mailboxes else ()

        async def write(connection: AsyncConnection) -> Message | None:
            changed = update(table).where(table.c.id == draft.id, table.c.state == _DRAFT)
            new = {
                "seconds": seconds,
                "urgent": urgent,
                "kind": kind,
                "state": MessageState.NEW,
                "has_sound": has_sound,
            }
            row = (await connection.execute(changed.values(new).returning(table))).one_or_none()
            if row is None:
                return None
            for recipient in recipients:
                mail = {"message": draft.id, "recipient": recipient, "attempts": 0, "due_at": row.received_at}
                await connection.execute(insert(mails), mail)
            return message_of(row)

        try:
            has_sound = await asyncio.to_thread(self._files.synchronise, Path(draft.path))
            if not has_sound and kind is MessageKind.MESSAGE:
                raise StoreError(f"{draft.path}: nothing was recorded here")
            message = await self._change(draft.mailbox, write)
            if message is None:
                raise StoreError(f"{draft.path}: this draft was confirmed or discarded before")
        except StoreError as error:
            self.outcomes[_outcome(error),] += 1
            raise
        finally:
            self._confirming.discard(draft.id)
        self._drafts[draft.mailbox].discard(draft.id)
        self.outcomes["kept",] += 1
        if recipients:
            self._mail_queued()
        return message

    async def discard(self, draft: MessageDraft) -> None:
        drafts = self._drafts.get(draft.mailbox, set())
        if draft.id in drafts and draft.id not in self._confirming:
            drafts.discard(draft.id)
            try:
                self.outcomes["discarded",] += await self._remove(table.c.id == draft.id, table.c.state == _DRAFT)
            except StoreError as error:
                _log.error("a draft stays until the next start: %s", error)

    # ----------------------------------------------------------------------------------------- messages that came

    async def messages(self, mailbox: str) -> list[Message]:
        self._known(mailbox)
        new_first = case((table.c.state == MessageState.NEW, 0), else_=1)
        urgent_first = case(((table.c.state == MessageState.NEW) & table.c.urgent, 0), else_=1)
        query = select(table).where(table.c.mailbox == mailbox, _VISIBLE)
        return [
            message_of(row)
            for row in await self._rows(query.order_by(new_first, urgent_first, table.c.received_at, table.c.id))
        ]

    async def message(self, identity: str) -> Message | None:
        rows = await self._rows(select(table).where(table.c.id == identity, _VISIBLE))
        return message_of(rows[0]) if rows else None

    def sound(self, message: Message) -> str:
        return str(self._files.message(message.mailbox, message.id))

    async def mark(self, identity: str, state: MessageState) -> Message | None:
        message = await self.message(identity)
        if message is None or message.state is state:
            return message

        async def write(connection: AsyncConnection) -> Message | None:
            changed = update(table).where(table.c.id == identity, _VISIBLE).values(state=state)
            row = (await connection.execute(changed.returning(table))).one_or_none()
            return None if row is None else message_of(row)

        return await self._change(message.mailbox, write)

    async def delete(self, identity: str) -> bool:
        return await self._delete("deleted", table.c.id == identity) > 0

    async def forward(self, identity: str, mailbox: str) -> Message | None:
        message = await self.message(identity)
        if message is None:
            return None
        draft = await self.begin(mailbox, message.caller, message.caller_name, message.received_at, message.reason)
        try:
            if message.has_sound:
                await asyncio.to_thread(self._files.copy, Path(self.sound(message)), Path(draft.path))
            return await self.confirm(draft, message.seconds, urgent=message.urgent, kind=message.kind)
        except BaseException:
            await self.discard(draft)
            raise

    def counts(self, mailbox: str) -> MessageCounts:
        return self._holdings.get(mailbox, _NOTHING).counts

    # -------------------------------------------------------------------------------------------------- greetings

    def greeting(self, mailbox: str, kind: str) -> str | None:
        return str(self._files.greeting(mailbox, kind)) if (mailbox, kind) in self._greetings else None

    def without_greeting(self) -> tuple[str, ...]:
        """Return the people who recorded no greeting at all (V2)."""
        greeted = {mailbox for mailbox, _ in self._greetings}
        return tuple(box.name for box in self._mailboxes.values() if box.person is not None and box.name not in greeted)

    async def new_greeting(self, mailbox: str) -> str:
        self._known(mailbox)
        await asyncio.to_thread(self._files.prepare_greetings, mailbox)
        return str(self._files.temporary_greeting(mailbox))

    async def set_greeting(self, mailbox: str, kind: str, sound: bytes | str) -> None:
        self._known(mailbox)
        await asyncio.to_thread(self._files.keep_greeting, mailbox, kind, sound)
        self._greetings.add((mailbox, kind))

    async def remove_greeting(self, mailbox: str, kind: str) -> bool:
        self._known(mailbox)
        self._greetings.discard((mailbox, kind))
        return await asyncio.to_thread(self._files.remove, self._files.greeting(mailbox, kind))

    # --------------------------------------------------------------------------------------- what must not stay

    async def erase(self, number: str, spelled: Callable[[str], str | None] | None = None) -> int:
        count = 0
        for row in await self._rows(select(table.c.caller).where(table.c.caller.is_not(None)).distinct()):
            if number in (row.caller, spelled(row.caller) if spelled else None):
                count += await self._delete("erased", table.c.caller == row.caller)
        return count

    async def prune(self, now: float) -> int:
        """Delete what was kept long enough; return how many messages. `now` is POSIX seconds on the policy's clock.
        Raises `StoreError`."""
        return await self._delete("expired", table.c.received_at <= now - self._rules.keep_days * DAY)

    async def close(self) -> None:
        """Wait until everything is written."""
        await asyncio.gather(*self._working, return_exceptions=True)
        await self._commit.close()

    # -------------------------------------------------------------------------------------------------- in parts

    def _known(self, mailbox: str) -> Mailbox:
        known = self._mailboxes.get(mailbox)
        if known is None:
            raise LookupError(f"there is no mailbox {mailbox!r}")
        return known

    def _room(self, mailbox: str) -> float:
        """Return how long another message may be. Raises `MailboxFullError`."""
        held, rules = self._holdings.get(mailbox, _NOTHING), self._rules
        room = min(rules.max_total_seconds - held.seconds, rules.max_seconds)
        if held.messages + len(self._drafts.get(mailbox, ())) >= rules.max_messages or room < MIN_SECONDS:
            raise MailboxFullError(f"the mailbox {mailbox} is full: {held.messages} messages, {held.seconds:.0f} s")
        return room

    async def _rows(self, query: Select[Any]) -> Sequence[Row[Any]]:
        with self._database.faults():
            async with self._database.durable.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
        return rows

    async def _change(self, mailbox: str, write: Callable[[AsyncConnection], Awaitable[_Result]]) -> _Result:
        """Write, durably; then take up what the mailbox holds, and tell whoever watches."""

        async def both(connection: AsyncConnection) -> tuple[_Result, _Holding]:
            return await write(connection), await _holding(connection, mailbox)

        result, holding = await self._commit.run(both)
        self._take_up(mailbox, holding)
        return result

    def _take_up(self, mailbox: str, holding: _Holding) -> None:
        before = self._holdings.get(mailbox, _NOTHING)
        self._holdings[mailbox] = holding
        if holding.counts != before.counts:
            for told in self._listeners:
                told(mailbox)

    async def _delete(self, outcome: str, *conditions: ColumnElement[bool]) -> int:
        """Delete messages; return how many."""

        async def hide(connection: AsyncConnection) -> tuple[list[str], dict[str, _Holding]]:
            query = select(table.c.id, table.c.mailbox).where(_VISIBLE, *conditions).limit(MAX_AT_ONCE)
            found = (await connection.execute(query)).all()
            ids = [row.id for row in found]
            await connection.execute(update(table).where(table.c.id.in_(ids)).values(state=_GONE))
            await connection.execute(delete(mails).where(mails.c.message.in_(ids)))
            return ids, {mailbox: await _holding(connection, mailbox) for mailbox in {row.mailbox for row in found}}

        count = 0
        while True:
            ids, holdings = await self._commit.run(hide)
            for mailbox, holding in holdings.items():
                self._take_up(mailbox, holding)
            if not ids:
                return count
            count += len(ids)
            self.outcomes[outcome,] += len(ids)
            await self._remove(table.c.id.in_(ids))

    async def _remove(self, *conditions: ColumnElement[bool]) -> int:
        """Remove what is hidden already, sounds first; return how many."""
        rows = await self._rows(select(table.c.id, table.c.mailbox).where(*conditions))
        paths = [self._files.message(row.mailbox, row.id) for row in rows]
        await asyncio.to_thread(lambda: [self._files.remove(path) for path in paths])
        await self._commit.run(lambda connection: connection.execute(delete(table).where(*conditions)))
        return len(rows)


async def _holding(connection: AsyncConnection, mailbox: str) -> _Holding:
    query = select(table.c.state, table.c.urgent, func.count(), func.sum(table.c.seconds))
    parts = query.where(table.c.mailbox == mailbox, _VISIBLE).group_by(table.c.state, table.c.urgent)
    new = old = urgent_new = urgent_old = 0
    seconds = 0.0
    for state, urgent, count, length in await connection.execute(parts):
        seconds += length
        if state == MessageState.NEW:
            new += count
            urgent_new += count * urgent
        else:
            old += count
            urgent_old += count * urgent
    return _Holding(MessageCounts(new, old, urgent_new, urgent_old), seconds)


def message_of(row: Row[Any]) -> Message:
    """Return the message of a row that holds, among others, the columns of the table."""
    values = {name: getattr(row, name) for name in Message._fields}
    return Message(**{**values, "kind": MessageKind(values["kind"]), "state": MessageState(values["state"])})


def _outcome(error: StoreError) -> str:
    """How a message that was refused is counted."""
    if isinstance(error, MailboxFullError):
        return "full"
    return "disk full" if isinstance(error, StoreFullError) else "failed"
