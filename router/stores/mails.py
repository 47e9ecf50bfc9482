"""E-mails that wait to be sent, in the database. What puts them there is `mailboxes`, together with their message."""

from __future__ import annotations

from sqlalchemy import delete, func, select, update

from router.model.mail import QueuedMail
from router.stores.database import Database
from router.stores.mailboxes import message_of
from router.stores.tables import mails, messages


class SqliteMails:
    """Implements `ports.MailQueue`.

    Args:
        database: stays open when this is no longer used.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def due(self, now: float, limit: int) -> list[QueuedMail]:
        query = select(mails.c.id.label("mail"), mails.c.recipient, mails.c.attempts, messages).join(
            messages, messages.c.id == mails.c.message
        )
        with self._database.faults():
            async with self._database.durable.connect() as connection:
                found = query.where(mails.c.due_at <= now).order_by(mails.c.due_at, mails.c.id).limit(limit)
                rows = (await connection.execute(found)).all()
        return [QueuedMail(row.mail, message_of(row), row.recipient, row.attempts) for row in rows]

    async def next_due(self) -> float | None:
        with self._database.faults():
            async with self._database.durable.connect() as connection:
                earliest = select(func.min(mails.c.due_at)).join(messages, messages.c.id == mails.c.message)
                found: float | None = (await connection.execute(earliest)).scalar()
        return found

    async def put_off(self, identity: int, due_at: float) -> None:
        later = update(mails).where(mails.c.id == identity)
        with self._database.faults():
            async with self._database.durable.begin() as connection:
                await connection.execute(later.values(due_at=due_at, attempts=mails.c.attempts + 1))

    async def remove(self, identity: int) -> None:
        with self._database.faults():
            async with self._database.durable.begin() as connection:
                await connection.execute(delete(mails).where(mails.c.id == identity))
