"""Recordings of calls: what was said in files, all that is known about it in the database (X3).

A draft has its row before its sound, and becomes a recording when both are on the disk; what is deleted is hidden, then
loses its sound, then its row. So a kill at any moment leaves a recording that is whole, or something hidden, which the
next start removes. A file of which the database knows nothing is never removed: it may be older than the database.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import ColumnElement, Row, delete, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from router.model.decision import Reason
from router.model.recording import Direction, KeptRecording, RecordedPart, RecordingDraft
from router.model.tally import Counts
from router.ports import StoreError, StoreFullError
from router.stores.database import Database
from router.stores.group_commit import GroupCommit
from router.stores.recording_files import RecordingFiles
from router.stores.tables import recordings as table

DIRECTORY: Final = "recordings"  # below the data directory
MAX_AT_ONCE: Final = 500  # deleted in one transaction; SQLite bounds the variables of one statement
MAX_LOOKED_AT: Final = 5000  # rows that one search for a person goes through
_DRAFT, _KEPT, _GONE = "draft", "kept", "gone"  # gone: what may still have its sound

_log = logging.getLogger(__name__)


class SqliteRecordings:
    """Implements `ports.RecordingStore`. Made by `open`.

    Attributes:
        outcomes: by ("kept" | "discarded" | "disk full" | "failed" | "deleted" | "expired" | "erased",).
    """

    def __init__(self, database: Database, files: RecordingFiles) -> None:
        self.outcomes = Counts()
        self._database = database
        self._files = files
        self._commit = GroupCommit(database)
        self._working: set[asyncio.Task[KeptRecording]] = set()

    @classmethod
    async def open(cls, database: Database, data_directory: Path) -> SqliteRecordings:
        """Take up what was kept, and remove what never became a recording.

        Args:
            database: stays open when this closes.
            data_directory: the sounds lie below it.

        Raises `StoreError`.
        """
        files = RecordingFiles((data_directory / DIRECTORY).absolute())
        store = cls(database, files)
        await store._remove(table.c.state != _KEPT)
        await asyncio.to_thread(files.sweep)
        found = await asyncio.to_thread(files.all)
        if found:
            unknown = found - {row.id for row in await store._rows(select(table.c.id))}
            if unknown:
                count = len(unknown)
                _log.warning("%s: %d files belong to no recording; was the database replaced?", files.root, count)
        return store

    # ----------------------------------------------------------------------------------- a recording that comes

    async def begin(self, now: float) -> RecordingDraft:
        identity = secrets.token_hex(16)
        row = {
            "id": identity, "state": _DRAFT, "call_id": "", "began_at": now, "seconds": 0.0, "caller": None,
            "called": "", "people": [], "direction": "", "because": [], "legal_basis": "", "keep_until": now,
        }  # fmt: skip
        try:
            await asyncio.to_thread(self._files.prepare)
            await self._commit.run(lambda connection: connection.execute(insert(table), row))
        except StoreError as error:
            self._count(error)
            raise
        return RecordingDraft(identity, str(self._files.path(identity)), now)

    async def confirm(self, recording: KeptRecording, parts: Sequence[RecordedPart]) -> KeptRecording:
        # Once begun it is finished, even if whoever waits is cancelled: both were told that they are recorded.
        work = asyncio.create_task(self._confirm(recording, parts), name="confirm recording")
        self._working.add(work)
        work.add_done_callback(self._working.discard)
        return await asyncio.shield(work)

    async def _confirm(self, recording: KeptRecording, parts: Sequence[RecordedPart]) -> KeptRecording:
        try:
            seconds = await asyncio.to_thread(self._files.assemble, recording.id, parts)
            whole = recording._replace(seconds=seconds)
            new = _columns(whole)

            async def write(connection: AsyncConnection) -> int:
                changed = update(table).where(table.c.id == recording.id, table.c.state == _DRAFT).values(new)
                return (await connection.execute(changed)).rowcount

            if not await self._commit.run(write):
                await asyncio.to_thread(self._files.remove, recording.id)
                raise StoreError(f"{recording.id}: this draft was confirmed or discarded before")
        except StoreError as error:
            self._count(error)
            raise
        self.outcomes["kept",] += 1
        return whole

    async def discard(self, draft: RecordingDraft, parts: Sequence[RecordedPart] = ()) -> None:
        try:
            await asyncio.to_thread(self._files.drop, parts)
            self.outcomes["discarded",] += await self._remove(table.c.id == draft.id, table.c.state == _DRAFT)
        except StoreError as error:
            _log.error("what is left of a recording stays until the next start: %s", error)

    # ------------------------------------------------------------------------------------- recordings that are kept

    async def recordings(
        self, *, since: float, until: float, person: str, number: str, limit: int
    ) -> list[KeptRecording]:
        query = select(table).where(table.c.state == _KEPT, table.c.began_at >= since, table.c.began_at < until)
        if number:
            query = query.where(or_(table.c.caller == number, table.c.called == number))
        query = query.order_by(table.c.began_at.desc(), table.c.id).limit(MAX_LOOKED_AT if person else limit)
        found = [_recording(row) for row in await self._rows(query)]
        return [one for one in found if not person or person in one.people][:limit]

    async def recording(self, identity: str) -> KeptRecording | None:
        rows = await self._rows(select(table).where(table.c.id == identity, table.c.state == _KEPT))
        return _recording(rows[0]) if rows else None

    def sound(self, identity: str) -> str:
        return str(self._files.path(identity))

    # --------------------------------------------------------------------------------------- what must not stay

    async def delete(self, identity: str) -> bool:
        return await self._delete("deleted", table.c.id == identity) > 0

    async def erase(self, number: str, spelled: Callable[[str], str | None] | None = None) -> int:
        count = 0
        for column in (table.c.caller, table.c.called):
            for row in await self._rows(select(column).where(column.is_not(None), table.c.state == _KEPT).distinct()):
                written = row[0]
                if number in (written, spelled(written) if spelled else None):
                    count += await self._delete("erased", column == written)
        return count

    async def prune(self, now: float) -> int:
        """Delete what was kept long enough; return how many. `now` is POSIX seconds on the policy's clock. Raises
        `StoreError`."""
        return await self._delete("expired", table.c.keep_until <= now)

    async def close(self) -> None:
        """Wait until everything is written."""
        await asyncio.gather(*self._working, return_exceptions=True)
        await self._commit.close()

    # ------------------------------------------------------------------------------------------------ in parts

    async def _delete(self, outcome: str, *conditions: ColumnElement[bool]) -> int:
        async def hide(connection: AsyncConnection) -> list[str]:
            query = select(table.c.id).where(table.c.state == _KEPT, *conditions).limit(MAX_AT_ONCE)
            ids = [row.id for row in (await connection.execute(query)).all()]
            await connection.execute(update(table).where(table.c.id.in_(ids)).values(state=_GONE))
            return ids

        count = 0
        while ids := await self._commit.run(hide):
            count += len(ids)
            self.outcomes[outcome,] += len(ids)
            await self._remove(table.c.id.in_(ids))
        return count

    async def _remove(self, *conditions: ColumnElement[bool]) -> int:
        """Remove what is hidden already, sounds first; return how many."""
        ids = [row.id for row in await self._rows(select(table.c.id).where(*conditions))]
        await asyncio.to_thread(self._files.remove, *ids)
        await self._commit.run(lambda connection: connection.execute(delete(table).where(*conditions)))
        return len(ids)

    async def _rows(self, query: Any) -> Sequence[Row[Any]]:
        with self._database.faults():
            async with self._database.durable.connect() as connection:
                rows: Sequence[Row[Any]] = (await connection.execute(query)).all()
        return rows

    def _count(self, error: StoreError) -> None:
        self.outcomes["disk full" if isinstance(error, StoreFullError) else "failed",] += 1


def _columns(recording: KeptRecording) -> dict[str, Any]:
    because = [reason.as_dict() for reason in recording.because]
    return recording._asdict() | {"state": _KEPT, "people": list(recording.people), "because": because}


def _recording(row: Row[Any]) -> KeptRecording:
    values = {name: getattr(row, name) for name in KeptRecording._fields}
    values |= {
        "people": tuple(values["people"]),
        "direction": Direction(values["direction"]),
        "because": tuple([Reason(**reason) for reason in values["because"]]),
    }
    return KeptRecording(**values)
